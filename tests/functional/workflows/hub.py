"""As much of GitHub's REST API as the workflows use: comments and issues, and tokens that may only so much.

Everything else is refused, so that a workflow cannot come to use what this does not know.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

REPOSITORY = "shop/tunings"
LONGEST = 65_536
BOT = {"login": "github-actions[bot]", "type": "Bot"}


@dataclass
class Hub:
    """The comments and issues of one repository. `tokens` says what each token of a job may write."""

    comments: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    tokens: dict[str, frozenset[str]] = field(default_factory=dict)
    url: str = ""

    def token(self, permissions: Mapping[str, str]) -> str:
        """The token of a job with these permissions."""
        made = f"token-{len(self.tokens)}"
        self.tokens[made] = frozenset(name for name, kind in permissions.items() if kind == "write")
        return made

    def comment(self, number: int, body: str, user: Mapping[str, str] = BOT) -> dict[str, Any]:
        """A new comment on a pull request or an issue."""
        made = {"id": len(self.comments) + 1, "issue": number, "body": body, "user": dict(user)}
        made["html_url"] = f"{self.url}/{REPOSITORY}/issues/{number}#{made['id']}"
        self.comments.append(made)
        return made

    def of_bot(self, number: int) -> list[str]:
        """What the workflows said of a pull request."""
        return [c["body"] for c in self.comments if c["issue"] == number and c["user"] == BOT]

    def answer(
        self, method: str, path: str, query: Mapping[str, list[str]], body: Any, may: frozenset[str]
    ) -> Any:
        """The answer to a call: a status and JSON."""
        for route, wanted, needed, act in (
            ("GET", r"issues/(\d+)/comments", None, self._list_comments),
            ("POST", r"issues/(\d+)/comments", {"pull-requests", "issues"}, self._add_comment),
            ("PATCH", r"issues/comments/(\d+)", {"pull-requests", "issues"}, self._edit_comment),
            ("GET", r"issues()", None, self._list_issues),
            ("POST", r"issues()", {"issues"}, self._add_issue),
            ("PATCH", r"issues/(\d+)", {"issues"}, self._edit_issue),
        ):
            found = re.fullmatch(f"/repos/{REPOSITORY}/{wanted}", path)
            if found is None or route != method:
                continue
            if needed and not needed & may:
                return 403, {"message": "Resource not accessible by integration"}
            if body is not None and len(body.get("body", "")) > LONGEST:
                return 422, {"message": "body is too long (maximum is 65536 characters)"}
            return act(found[1], query, body)
        return 404, {"message": f"{method} {path} is nothing that this knows"}

    def _list_comments(self, number: str, query: Mapping[str, list[str]], _: Any) -> Any:
        return 200, _page([c for c in self.comments if c["issue"] == int(number)], query)

    def _add_comment(self, number: str, _: Any, body: Any) -> Any:
        return 201, self.comment(int(number), body["body"])

    def _edit_comment(self, key: str, _: Any, body: Any) -> Any:
        self.comments[int(key) - 1]["body"] = body["body"]
        return 200, self.comments[int(key) - 1]

    def _list_issues(self, _: str, query: Mapping[str, list[str]], __: Any) -> Any:
        (label,), (state,) = query["labels"], query["state"]
        found = [i for i in self.issues if i["state"] == state and label in i["labels"]]
        return 200, _page(found, query)

    def _add_issue(self, _: str, __: Any, body: Any) -> Any:
        made = {"number": 100 + len(self.issues), "state": "open", "user": BOT, **body}
        self.issues.append(made)
        return 201, made

    def _edit_issue(self, number: str, _: Any, body: Any) -> Any:
        self.issues[int(number) - 100] |= body
        return 200, self.issues[int(number) - 100]

    @contextmanager
    def served(self) -> Iterator[Hub]:
        """On loopback while the block runs."""
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def _any(self) -> None:
                asked = urlsplit(self.path)
                length = int(self.headers.get("content-length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                token = (self.headers.get("authorization") or "").removeprefix("Bearer ")
                if token in hub.tokens:
                    status, answer = hub.answer(
                        self.command, asked.path, parse_qs(asked.query), body, hub.tokens[token]
                    )
                else:
                    status, answer = 401, {"message": "Bad credentials"}
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _any  # noqa: N815

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _page(found: list[Any], query: Mapping[str, list[str]]) -> list[Any]:
    (size,), (page,) = query["per_page"], query["page"]
    first = int(size) * (int(page) - 1)
    return found[first : first + int(size)]
