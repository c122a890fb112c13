"""As much of GitHub's REST API as the workflows use: comments and issues, and tokens that may only so much.

Everything else is refused, so that a workflow cannot come to use what this does not know.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .loopback import Asked, serving

REPOSITORY = "shop/tunings"
LONGEST = 65_536
BOT = {"login": "github-actions[bot]", "type": "Bot"}
Answer = tuple[int, Any]


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

    @contextmanager
    def served(self) -> Iterator[Hub]:
        """On loopback while the block runs."""
        with serving(self.answer) as self.url:
            yield self

    def answer(self, asked: Asked) -> Answer:
        """The answer to a call."""
        may = self.tokens.get(asked.headers.get("authorization", "").removeprefix("Bearer "))
        if may is None:
            return 401, {"message": "Bad credentials"}
        body = json.loads(asked.body) if asked.body else {}
        for method, wanted, needed, act in (
            ("GET", r"issues/(\d+)/comments", None, self._list_comments),
            ("POST", r"issues/(\d+)/comments", {"pull-requests", "issues"}, self._add_comment),
            ("PATCH", r"issues/comments/(\d+)", {"pull-requests", "issues"}, self._edit_comment),
            ("GET", r"issues()", None, self._list_issues),
            ("POST", r"issues()", {"issues"}, self._add_issue),
            ("PATCH", r"issues/(\d+)", {"issues"}, self._edit_issue),
        ):
            found = re.fullmatch(f"/repos/{REPOSITORY}/{wanted}", asked.path)
            if found is None or method != asked.method:
                continue
            if needed and not needed & may:
                return 403, {"message": "Resource not accessible by integration"}
            if len(body.get("body", "")) > LONGEST:
                return 422, {"message": "body is too long (maximum is 65536 characters)"}
            return act(found[1], asked, body)
        return 404, {"message": f"{asked.method} {asked.path} is nothing that this knows"}

    def _list_comments(self, number: str, asked: Asked, _: Any) -> Answer:
        return 200, asked.page([c for c in self.comments if c["issue"] == int(number)])

    def _add_comment(self, number: str, _: Asked, body: Any) -> Answer:
        return 201, self.comment(int(number), body["body"])

    def _edit_comment(self, key: str, _: Asked, body: Any) -> Answer:
        self.comments[int(key) - 1]["body"] = body["body"]
        return 200, self.comments[int(key) - 1]

    def _list_issues(self, _: str, asked: Asked, __: Any) -> Answer:
        return 200, asked.page([issue for issue in self.issues if issue["state"] == asked.query["state"]])

    def _add_issue(self, _: str, __: Asked, body: Any) -> Answer:
        made = {"number": 100 + len(self.issues), "state": "open", "user": BOT, **body}
        self.issues.append(made)
        return 201, made

    def _edit_issue(self, number: str, _: Asked, body: Any) -> Answer:
        self.issues[int(number) - 100] |= body
        return 200, self.issues[int(number) - 100]
