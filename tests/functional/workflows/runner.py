"""Runs a workflow file as GitHub would: its own `run` steps in bash, stand-ins for actions that are GitHub's alone.

What it does not know (an action, an expression, a key of a step) is an error, not something to be skipped.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .hub import REPOSITORY, Hub

TIMEOUT = 300
STEP_KEYS = {"name", "id", "uses", "with", "run", "if", "env", "continue-on-error"}


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody."""
    who = [
        "-c",
        "user.name=Somebody",
        "-c",
        "user.email=somebody@shop.example",
        "-c",
        "init.defaultBranch=main",
    ]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@dataclass(frozen=True)
class Event:
    """Why a workflow runs: a push to main, a pull request's branch, or the clock."""

    name: str
    number: int = 0
    branch: str = ""
    fork: bool = False


@dataclass
class Done:
    """How a run ended: each job's result, the summaries, what was uploaded, who asked Google for which account."""

    results: dict[str, str] = field(default_factory=dict)
    log: str = ""
    summary: str = ""
    sarif: list[dict[str, Any]] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)


@dataclass
class Runner:
    """A machine for one repository. `env` is what holds on it beside the workflow's own, which it wins over."""

    origin: Path
    folder: Path
    hub: Hub
    env: Mapping[str, str]
    runs: int = 0
    installed: set[str] = field(default_factory=set)
    """Steps that installed something: it lasts here, where GitHub's machines begin anew with each job."""

    def run(self, file: str, event: Event) -> Done:
        """Run the workflow as the event's branch has it, job after job."""
        self.runs += 1
        place = self.folder / f"run-{self.runs}"
        place.mkdir(parents=True)
        workflow = yaml.safe_load(
            git(self.origin, "show", f"{event.branch or 'main'}:.github/workflows/{file}")
        )
        assert workflow["permissions"] == {}
        run = _Run(self, workflow, event, place)
        for name, job in workflow["jobs"].items():
            run.job(name, job)
        return run.done


@dataclass
class _Run:
    runner: Runner
    workflow: dict[str, Any]
    event: Event
    place: Path
    done: Done = field(default_factory=Done)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)

    def job(self, name: str, job: dict[str, Any]) -> None:
        needed = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
        context = self._context(
            {f"needs.{n}.outputs.{k}": v for n in needed for k, v in self.outputs[n].items()}
        )
        ready = all(self.done.results[need] == "success" for need in needed)
        if not ready or not evaluate(job.get("if", "true"), context):
            self.done.results[name], self.outputs[name] = "skipped", {}
            return
        workspace = self.place / name
        permissions = job["permissions"]
        context["github.token"] = self.runner.hub.token(permissions)
        steps = _Steps(self, workspace, permissions, context)
        for step in job["steps"]:
            assert set(step) <= STEP_KEYS, step
            steps.run(step)
        self.done.results[name] = "failure" if steps.failed else "success"
        self.outputs[name] = {k: fill(v, context) for k, v in job.get("outputs", {}).items()}

    def _context(self, more: Mapping[str, str]) -> dict[str, str]:
        head = "somebody/tunings" if self.event.fork else REPOSITORY
        return {
            "github.repository": REPOSITORY,
            "github.event.pull_request.number": str(self.event.number),
            "github.event.pull_request.head.repo.full_name": head,
            "vars.TUNEFORM_PACKAGE": "",
            "vars.TUNEFORM_WORKLOAD_IDENTITY_PROVIDER": "projects/1/locations/global/workloadIdentityPools/p",
            "vars.TUNEFORM_PLAN_SERVICE_ACCOUNT": "plan@shop.example",
            "vars.TUNEFORM_APPLY_SERVICE_ACCOUNT": "apply@shop.example",
            **more,
        }


@dataclass
class _Steps:
    """The steps of one job, on a machine of its own."""

    within: _Run
    workspace: Path
    permissions: Mapping[str, str]
    context: dict[str, str]
    failed: bool = False

    def run(self, step: dict[str, Any]) -> None:
        condition = str(step.get("if", ""))
        if not (condition.startswith("always()") or not self.failed):
            return
        if condition and not evaluate(condition.replace("always()", "true"), self.context):
            return
        if "uses" in step:
            known = {
                name: act for name, act in self._actions().items() if step["uses"].startswith(f"{name}@")
            }
            (act,) = known.values()
            act({key: fill(value, self.context) for key, value in step.get("with", {}).items()})
        elif step["run"] not in self.within.runner.installed:
            ended = self._bash(step)
            if "pip install" in step["run"] and ended == 0:
                self.within.runner.installed.add(step["run"])
            self.failed |= ended != 0 and not step.get("continue-on-error", False)

    def _bash(self, step: dict[str, Any]) -> int:
        output, summary = self.workspace / ".output", self.workspace / ".summary"
        output.write_text("")
        given = {**self.within.workflow.get("env", {}), **step.get("env", {})}
        env = {
            **{key: fill(value, self.context) for key, value in given.items()},
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_API_URL": self.within.runner.hub.url,
            "GITHUB_REPOSITORY": REPOSITORY,
            **self.within.runner.env,
        }
        # As GitHub runs a step whose shell is bash.
        ended = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.workspace,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        self.within.done.log += f"--- {step['name']}\n{ended.stdout}"
        for line in output.read_text().splitlines():
            key, _, value = line.partition("=")
            self.context[f"steps.{step['id']}.outputs.{key}"] = value
        self.within.done.summary += summary.read_text() if summary.exists() else ""
        summary.unlink(missing_ok=True)
        return ended.returncode

    def _actions(self) -> dict[str, Callable[[dict[str, str]], None]]:
        return {
            "actions/checkout": self._checkout,
            "actions/setup-python": lambda _: None,
            "google-github-actions/auth": self._auth,
            "github/codeql-action/upload-sarif": self._sarif,
            "actions/upload-artifact": self._upload,
            "actions/download-artifact": self._download,
        }

    def _checkout(self, given: Mapping[str, str]) -> None:
        assert given == {"persist-credentials": "False"}
        assert self.permissions["contents"] == "read"
        git(
            self.within.place,
            "clone",
            "--quiet",
            "--branch=main",
            str(self.within.runner.origin),
            str(self.workspace),
        )
        if self.within.event.name == "pull_request":  # what GitHub checks out is the merge
            git(
                self.workspace,
                "merge",
                "--quiet",
                "--no-ff",
                "-m",
                "merge",
                f"origin/{self.within.event.branch}",
            )

    def _auth(self, given: Mapping[str, str]) -> None:
        assert self.permissions["id-token"] == "write"
        assert not self.within.event.fork, "a fork gets no credentials"
        assert given["workload_identity_provider"].startswith("projects/")
        self.within.done.accounts.append(given["service_account"])

    def _sarif(self, given: Mapping[str, str]) -> None:
        assert self.permissions["security-events"] == "write"
        self.within.done.sarif.append(json.loads((self.workspace / given["sarif_file"]).read_text()))

    def _upload(self, given: Mapping[str, str]) -> None:
        target = self.within.place / f"artifact-{given['name']}"
        target.mkdir()
        shutil.copy(self.workspace / given["path"], target)

    def _download(self, given: Mapping[str, str]) -> None:
        shutil.copytree(self.within.place / f"artifact-{given['name']}", self.workspace, dirs_exist_ok=True)


def fill(value: Any, context: Mapping[str, str]) -> str:
    """A value with its expressions replaced."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda match: _term(match[1], context), str(value))


def evaluate(condition: str, context: Mapping[str, str]) -> bool:
    """A condition made of `&&` and `==`; what it does not know is an error."""
    return all(_holds(part, context) for part in condition.split("&&"))


def _holds(part: str, context: Mapping[str, str]) -> bool:
    if part.strip() == "true":
        return True
    left, right = part.split("==")
    return _term(left, context) == _term(right, context)


def _term(text: str, context: Mapping[str, str]) -> str:
    """A name, a text in quotes, or the first of several that is not empty."""
    values = (part.strip() for part in text.split("||"))
    found = [part[1:-1] if part.startswith("'") else context[part] for part in values]
    return next(filter(None, found), "")


def environment(endpoint: str, home: Path) -> dict[str, str]:
    """What holds on the machine: the emulator takes Google Cloud's place, and nothing of the caller's settings."""
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "GOOGLE_CLOUD": "",
        "TUNEFORM_ENDPOINT": endpoint,
        "TUNEFORM_TODAY": os.environ["TUNEFORM_TODAY"],
    }
