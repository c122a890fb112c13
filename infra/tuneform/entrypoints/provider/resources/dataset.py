"""tuneform:index:Dataset: examples, stored under the digest of their content.

What decides is the content as it will be placed. Rows in another order, another file name or format, another root
folder: all of these place the same content, and change nothing.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tuneform.datasets import DatasetSource, Prepared, prepare
from tuneform.entrypoints.provider.resources.base import (
    Call,
    Differences,
    Resource,
    content_json,
    content_of,
    drifted,
    previous_names,
    project_of,
)
from tuneform.entrypoints.provider.shape import Failure
from tuneform.entrypoints.provider.wire import Properties
from tuneform.errors import DatasetErrors
from tuneform.reconcile import content, execute
from tuneform.reconcile.actions import Action, Upload, explain
from tuneform.reconcile.desired import Desired
from tuneform.reconcile.observe import World, observe
from tuneform.reconcile.plan import plan_project

SPLITS = ("training", "validation", "test")


class DatasetResource(Resource):
    """See the module's text."""

    token = "tuneform:index:Dataset"  # noqa: S105 (a Pulumi type token)
    identity = frozenset({"name", "bucket", "project.projectId"})
    outputs = (*SPLITS, "warnings")

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def flaws(self, call: Call) -> Iterator[Failure]:
        """Whatever is wrong with the data, in the words of `tuneform.datasets`; warnings go to the log."""
        if not call.whole:
            return
        try:
            for warning in self._placed(call)["warnings"]:
                call.session.log.warning(warning)
        except DatasetErrors as errors:
            yield Failure("source", f"\n{errors.render()}")

    def differences(self, call: Call) -> Differences:
        """Splits with other content, objects that somebody deleted or replaced, and what an earlier name left."""
        if not call.whole:
            return {"source": True}
        placed = self._placed(call)
        changed = {name: True for name in SPLITS if placed.get(name) != call.outputs.get(name)}
        _, uploads = _plan(call, placed)
        repaired = {name: False for name in SPLITS if name not in changed and _uri(placed, name) in uploads}
        left = {"name": False} if _left_over(call, placed) else {}
        held = {"drift": False} if call.outputs.get("drift") else {}
        return {**changed, **repaired} or left or held

    def foresee(self, call: Call) -> dict[str, Any]:
        """Everything: content decides, and it is here."""
        if not call.whole:
            return self.unforeseen()
        placed = self._placed(call)
        uploads = _plan(call, placed)[1] if call.outputs else {}
        for name in SPLITS:
            if name in placed and placed[name] != call.outputs.get(name):
                split = placed[name]
                call.session.log.info(
                    f"{name}: {split['examples']:,} examples, about {split['tokens']:,} tokens"
                )
            elif _uri(placed, name) in uploads:
                call.session.log.info(explain(uploads[_uri(placed, name)]))
        return placed

    def apply(self, call: Call) -> dict[str, Any]:
        """Upload what is not there as it should be, then remove what an earlier name left and nothing needs.

        Earlier content stays: revisions that are kept were trained on it.
        """
        prepared = _prepare(call)
        placed = _outputs(prepared, call.inputs)
        outcome = execute.apply(
            call.ports, _desired(call, placed), wait=False, supply=content.supply(prepared)
        )
        for failure in outcome.failures:
            raise failure.error
        for uri in _left_over(call, placed):
            call.ports.objects.delete(uri)
        return placed

    def salvage(self, call: Call) -> dict[str, Any]:
        """What was there before: whatever is missing is then uploaded by the next run."""
        return dict(call.outputs)

    def look(self, call: Call) -> dict[str, Any] | None:
        """The splits whose objects are there and intact; the others show as differences afterwards."""
        given = call.outputs or self._placed(call)
        world, uploads = _plan(call, given)
        if not any(_uri(given, name) in world.stored for name in SPLITS):
            return None
        found = {name: given[name] for name in SPLITS if given.get(name) and _uri(given, name) not in uploads}
        return {**found, "warnings": given.get("warnings", []), **drifted(call, uploads.values())}

    def remove(self, call: Call) -> None:
        """Delete the content of this dataset, that of earlier versions and names too, but for what is still needed."""
        project, bucket = project_of(call.inputs), call.inputs["bucket"]
        names = (call.inputs["name"], *previous_names(call.inputs))
        for uri in content.left_over(call.ports.view, project, bucket, names):
            call.ports.objects.delete(uri)

    def _placed(self, call: Call) -> dict[str, Any]:
        """The outputs. Files are read once, as long as they stay as they are."""
        stamp = _stamp(call.inputs)
        with self._lock:
            known = self._seen.get(stamp)
        if known is not None:
            return known
        placed = _outputs(_prepare(call), call.inputs)
        if stamp:
            with self._lock:
                self._seen[stamp] = placed
        return placed


def _desired(call: Call, outputs: Properties) -> Desired:
    splits = (content_of(outputs.get(name)) for name in SPLITS)
    contents = tuple(split for split in splits if split is not None)
    return Desired(project_of(call.inputs), contents=contents, whole=False)


def _plan(call: Call, outputs: Properties) -> tuple[World, dict[str, Action]]:
    """One look at the splits, and what would be uploaded by URI."""
    desired = _desired(call, outputs)
    world = observe(call.ports.view, desired)
    actions = (action for item in plan_project(desired, world).items for action in item.actions)
    return world, {action.content.uri: action for action in actions if isinstance(action, Upload)}


def _uri(outputs: Properties, name: str) -> str:
    split = outputs.get(name)
    return str(split["uri"]) if split else ""


def _left_over(call: Call, outputs: Properties) -> tuple[str, ...]:
    """What lies in the folders of earlier names for nothing."""
    earlier = previous_names(call.inputs)
    if not earlier:
        return ()
    placed = _desired(call, outputs).contents
    return content.left_over(
        call.ports.view, project_of(call.inputs), call.inputs["bucket"], earlier, placed=placed
    )


def _prepare(call: Call) -> Prepared:
    source = DatasetSource.from_json(call.inputs["source"])
    return prepare(source, root=Path(call.inputs["root"]), fetch=call.ports.objects.read)


def _outputs(prepared: Prepared, inputs: Properties) -> dict[str, Any]:
    placed = content.placed(prepared, inputs["bucket"], inputs["name"])
    return {
        **{name: content_json(split) for name, split in placed.items()},
        "warnings": [warning.render() for warning in prepared.warnings],
    }


def _stamp(inputs: Properties) -> str:
    """Changes whenever the outputs may: inputs, and size and time of every file; empty when nobody can tell."""
    root, files = Path(inputs["root"]), []
    for name in SPLITS:
        part = inputs["source"].get(name)
        if not isinstance(part, Mapping):
            continue
        if "uri" in part:
            return ""
        if isinstance(file := part.get("file"), str):
            try:
                found = (root / file).stat()
            except OSError:
                return ""
            files.append((file, found.st_mtime_ns, found.st_size, found.st_ino))
    return json.dumps([files, dict(inputs)], sort_keys=True)
