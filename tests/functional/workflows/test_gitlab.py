"""The scripts of the generated GitLab pipeline, run on a clone and an emulator; GitLab's API is stood in for."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import pytest
import yaml
from tests.functional.commands.conftest import Shop

from .loopback import Asked, serving
from .runner import environment, git

MISSING = [tool for tool in ("git", "curl", "bash") if shutil.which(tool) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"the pipeline's scripts need {', '.join(MISSING)}"),
]
TIMEOUT = 300


@dataclass
class Lab:
    """The notes of merge request 5 and the issues of project 7, for whoever has the token."""

    notes: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.headers.get("private-token") != "a-token":
            return 401, {}
        given = dict(parse_qsl(asked.body.decode()))
        for kind, path in (("notes", "merge_requests/5/notes"), ("issues", "issues")):
            found = re.fullmatch(f"/api/v4/projects/7/{path}(?:/(\\d+))?", asked.path)
            if found:
                return self._list(kind, found[1], asked, given)
        return (200, {"id": 42}) if asked.path == "/api/v4/user" else (404, {})

    def _list(self, kind: str, key: str | None, asked: Asked, given: dict[str, str]) -> tuple[int, Any]:
        held: list[dict[str, Any]] = getattr(self, kind)
        match asked.method, key:
            case "GET", None:
                state = asked.query.get("state")
                return 200, asked.page([one for one in held if state in (None, one.get("state"))])
            case "POST", None:
                number = len(held) + 1
                held.append({"id": number, "iid": number, "author": {"id": 42}, "state": "opened", **given})
                return 201, held[-1]
            case "PUT", str():
                held[int(key) - 1] |= given
                if given.get("state_event") == "close":
                    held[int(key) - 1]["state"] = "closed"
                return 200, held[int(key) - 1]
        return 405, {}


@dataclass
class Pipeline:
    """The pipeline's file, a clone of the repository, and a machine."""

    clone: Path
    env: Mapping[str, str]

    def job(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run one job's scripts as GitLab's runner does, in one shell that ends at the first error."""
        pipeline = yaml.safe_load((self.clone / ".gitlab" / "tuneform.yml").read_text())
        job = pipeline[name]
        base = pipeline[job["extends"]]
        script = "\n".join(["set -eo pipefail", *base["before_script"], *job["script"]])
        return subprocess.run(
            ["bash", "-c", script],
            cwd=self.clone,
            env={**pipeline["variables"], **job.get("variables", {}), **self.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )

    def does(self, name: str) -> str:
        done = self.job(name)
        assert done.returncode == 0, done.stdout
        return done.stdout


@contextmanager
def pipeline(shop: Shop, lab: Lab, tmp_path: Path) -> Iterator[Pipeline]:
    git(shop.folder, "init", "--quiet")
    shop.does("init", "--gitlab")
    git(shop.folder, "add", "--all")
    git(shop.folder, "commit", "--quiet", "--message", "Tunings, and the pipeline that looks after them")
    clone, home = tmp_path / "clone", tmp_path / "home"
    git(tmp_path, "clone", "--quiet", str(shop.folder), str(clone))
    home.mkdir()
    with serving(lab.answer) as url:
        given = {
            "CI_API_V4_URL": f"{url}/api/v4",
            "CI_PROJECT_ID": "7",
            "CI_MERGE_REQUEST_IID": "5",
            "GITLAB_CI": "true",
            "TUNEFORM_GITLAB_TOKEN": "a-token",
            "TUNEFORM_WORKLOAD_IDENTITY_PROVIDER": "projects/1/locations/global/workloadIdentityPools/p",
            "GOOGLE_ID_TOKEN": "an identity",
        }
        yield Pipeline(clone, {**environment(shop.emulator.endpoint, home), **given})


def test_a_merge_request_is_noted_applied_and_looked_after(shop: Shop, tmp_path: Path) -> None:
    lab = Lab(
        [{"id": n, "author": {"id": 1}, "body": "<!-- tuneform plan: specs -->"} for n in range(1, 121)]
    )
    with pipeline(shop, lab, tmp_path) as ci:
        ci.does("tuneform check")
        assert ElementTree.parse(ci.clone / "tuneform.xml").getroot().tag == "testsuites"
        ci.does("tuneform plan")
        ci.does("tuneform plan")
        (said,) = [note["body"] for note in lab.notes if note["author"]["id"] == 42]
        assert said.startswith("<!-- tuneform plan: specs -->\n### tuneform plan: shop\n")

        assert "Done: 1 created" in ci.does("tuneform apply")
        assert "No changes" in ci.does("tuneform apply")
        ci.does("tuneform drift")
        assert lab.issues == []
        (endpoint,) = [e for e in shop.live("endpoints") if e["name"].endswith("/colours")]
        change = {"displayName": "changed by hand"}
        assert shop.emulator.call("PATCH", f"/v1/{endpoint['name']}?updateMask=displayName", json=change).ok
        ci.does("tuneform drift")
        ci.does("tuneform drift")
        (issue,) = lab.issues
        assert "changed by hand" in issue["description"]
        ci.does("tuneform apply")
        ci.does("tuneform drift")
        assert issue["state"] == "closed"


def test_a_plan_that_fails_is_noted_and_fails_and_credentials_are_what_google_auth_takes(
    shop: Shop, tmp_path: Path
) -> None:
    lab = Lab()
    with pipeline(shop, lab, tmp_path) as ci:
        ci.env = {**ci.env, "TUNEFORM_ENDPOINT": "http://127.0.0.1:9", "TMPDIR": str(tmp_path)}

        assert ci.job("tuneform plan").returncode == 1

    (note,) = lab.notes
    assert "### tuneform plan: it failed" in note["body"]
    (credentials,) = tmp_path.glob("tmp.*/credentials.json")
    written = json.loads(credentials.read_text())
    assert Path(written["credential_source"]["file"]).read_text() == "an identity"
    assert written["audience"].startswith("//iam.googleapis.com/projects/1/")
