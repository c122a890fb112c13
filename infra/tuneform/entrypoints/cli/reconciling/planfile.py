"""Plan files: what `plan --out` saw and would do, kept so that `apply` does that and nothing else.

A plan file holds no secrets and no dataset rows: what the plan says, the stamp of what it rests on, and where the
specs lie. It is not the plan itself: `apply` plans again, and refuses when anything differs.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tuneform import __version__
from tuneform.entrypoints.cli.reconciling.scope import Scope
from tuneform.errors import SettingsError, TuneformError
from tuneform.reconcile.actions import explain
from tuneform.reconcile.desired import Project
from tuneform.reconcile.plan import Plan
from tuneform.reconcile.plan.project import differences
from tuneform.review import plan as review

VERSION = 2
"""Of the form of plan files: 1 holds the plan of one project, and is still what one is written in; 2 holds several."""
MARK = "tuneformPlan"
"""The first key of every plan file, whose value is the form's version."""
SPEC_ENDINGS = (".yaml", ".yml")
_AGAIN = "make a new one with `tuneform plan --out`"


class PlanFileError(TuneformError):
    """A plan file that cannot be applied; its code says why."""

    code = "E610"


@dataclass(frozen=True)
class PlanFile:
    """The plan of one project that was saved. `specs` is where they lay, relative to `root` where they lie below it."""

    path: Path
    stamp: str
    project: Mapping[str, str]
    specs: str
    google_cloud: bool
    items: Mapping[str, list[str]]
    policies: str = ""
    """The digest of the policies that it was judged by; empty where there were none."""

    def specs_path(self, root: Path) -> Path:
        """Where the specs lie."""
        return root / self.specs

    def check_project(self, project: Project) -> None:
        """That the specs are still about the same project.

        Raises:
            PlanFileError: they are about another one.
        """
        now = _project(project)
        changed = [
            f"{name} was {was}, is {now.get(name)}"
            for name, was in self.project.items()
            if now.get(name) != was
        ]
        if changed:
            raise other_project(self.path, "; ".join(changed))

    def check_fresh(self, plan: Plan) -> None:
        """That nothing has changed since: neither the specs nor what is live.

        Raises:
            PlanFileError: something has, and it says what.
        """
        if plan.stamp == self.stamp:
            return
        raise stale(f"{self.path} is stale", self.items, plan)

    def check_policies(self, digest: str) -> None:
        """That the same policies count: whoever reviewed the plan saw it judged by these.

        Raises:
            PlanFileError: they are others.
        """
        if digest != self.policies:
            was, now = self.policies or "none", digest or "none"
            raise _stale(
                f"{self.path} is stale: it was judged by other policies ({was}) than there are now ({now})"
            )


def other_project(path: Path, how: str) -> PlanFileError:
    """The error of a plan that is about something else than the specs are now."""
    return PlanFileError(f"{path} was made for another project: {how}", remedy=_AGAIN, code="E614")


def stale(what: str, planned: Mapping[str, list[str]], now: Plan) -> PlanFileError:
    """The error of a plan that something has overtaken, naming what changed."""
    changed = differences(planned, now)
    told = changed or (
        "the same would be done, but a spec, a job, an attempt or an endpoint that decides is not as it was",
    )
    return _stale(f"{what}:\n" + "\n".join(f"   {line}" for line in told))


def _stale(message: str) -> PlanFileError:
    return PlanFileError(message, remedy=_AGAIN, code="E615")


def in_words(plan: Plan) -> dict[str, list[str]]:
    """Each item that has something to do, with its actions in words."""
    return {item.key: [explain(action) for action in item.actions] for item in plan.changes}


def save(
    path: Path,
    plans: Sequence[tuple[Plan, Scope]],
    *,
    root: Path,
    google_cloud: bool,
    policies: str = "",
) -> None:
    """Write a plan file, whole or not at all. `policies` is the digest of those that the plans were judged by.

    Raises:
        SettingsError: it cannot be written there.
    """
    if path.suffix in SPEC_ENDINGS:
        raise SettingsError(
            f"{path} would be taken for specs", remedy="give the plan file another ending: plan.json"
        )
    (_, scope), *more = plans
    parts = [_part(plan) for plan, _ in plans]
    content: dict[str, Any] = {
        MARK: VERSION if more else 1,
        "madeBy": __version__,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "specs": _relative(scope.path, root),
        "googleCloud": google_cloud,
        **({"policies": policies} if policies else {}),
        **({"projects": parts} if more else parts[0]),
    }
    # Through plain JSON, so that the digest is of what a reader will read.
    content = json.loads(json.dumps(content, default=str))
    text = json.dumps({**content, "digest": _digest(content)}, indent=1, ensure_ascii=False)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(text + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise SettingsError(
            f"{path} cannot be written: {error.strerror}", remedy="name another file"
        ) from error


def _part(plan: Plan) -> dict[str, Any]:
    """What a file says of one project's plan."""
    return {
        "project": _project(plan.project),
        "stamp": plan.stamp,
        "items": in_words(plan),
        "actions": review.as_object(plan)["actions"],
    }


def is_plan_file(path: Path | None) -> bool:
    """Whether a path names a plan file rather than specs: any file that is not YAML."""
    return path is not None and path.is_file() and path.suffix not in SPEC_ENDINGS


def read(path: Path) -> tuple[PlanFile, ...]:
    """The saved plans of a file, one a project.

    Raises:
        PlanFileError: it is none, it was cut off or edited, or a newer tuneform made it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlanFileError(f"{path} is not a plan file: {error}", remedy=_AGAIN) from error
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        if not text.strip() or (text.lstrip().startswith("{") and f'"{MARK}"' in text[:200]):
            raise PlanFileError(
                f"{path} is cut off, or has been edited: {error}", remedy=_AGAIN, code="E611"
            ) from error
        raise PlanFileError(f"{path} is neither specs nor a plan file", remedy=_AGAIN) from error
    if not isinstance(content, dict) or MARK not in content:
        raise PlanFileError(f"{path} is neither specs nor a plan file", remedy=_AGAIN)
    version, digest = content[MARK], content.pop("digest", "")
    if isinstance(version, int) and version > VERSION:
        raise PlanFileError(
            f"{path} was made by a newer tuneform ({content.get('madeBy')}); this is {__version__}",
            remedy="apply it with the version that made it, or make a new one with this one",
            code="E613",
        )
    if digest != _digest(content):
        raise PlanFileError(f"{path} has been edited since it was made", remedy=_AGAIN, code="E612")
    return tuple(
        PlanFile(
            path,
            part["stamp"],
            part["project"],
            content["specs"],
            content["googleCloud"],
            part["items"],
            content.get("policies", ""),
        )
        for part in content.get("projects", [content])
    )


def _digest(content: Mapping[str, Any]) -> str:
    """Of everything else in the file, however it is laid out: `sha256:` and hexadecimal digits."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(canonical.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _project(project: Project) -> dict[str, str]:
    return {"name": project.name, "projectId": project.project_id, "location": project.location}


def _relative(path: Path, root: Path) -> str:
    full = path.absolute()
    return str(full.relative_to(root)) if full.is_relative_to(root) else str(full)
