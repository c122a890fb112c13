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
)
from tuneform.entrypoints.provider.shape import Failure
from tuneform.entrypoints.provider.wire import Properties
from tuneform.errors import DatasetErrors
from tuneform.reconcile import content

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
        """Splits with other content, and objects that somebody deleted."""
        if not call.whole:
            return {"source": True}
        placed = self._placed(call)
        changed = {name: True for name in SPLITS if placed.get(name) != call.outputs.get(name)}
        objects = call.ports.objects
        missing = {
            name: False
            for name in SPLITS
            if name in placed and name not in changed and not objects.exists(placed[name]["uri"])
        }
        return {**changed, **missing}

    def foresee(self, call: Call) -> dict[str, Any]:
        """Everything: content decides, and it is here."""
        if not call.whole:
            return self.unforeseen()
        placed = self._placed(call)
        for name in SPLITS:
            if name in placed and placed[name] != call.outputs.get(name):
                split = placed[name]
                call.session.log.info(
                    f"{name}: {split['examples']:,} examples, about {split['tokens']:,} tokens"
                )
        return placed

    def apply(self, call: Call) -> dict[str, Any]:
        """Upload what is not there yet. Earlier content stays: revisions that are kept were trained on it."""
        ports = call.ports
        prepared = _prepare(call)
        content.upload(ports.objects, prepared, call.inputs["bucket"], call.inputs["name"])
        return _outputs(prepared, call.inputs)

    def salvage(self, call: Call) -> dict[str, Any]:
        """What was there before: whatever is missing is then uploaded by the next run."""
        return dict(call.outputs)

    def look(self, call: Call) -> dict[str, Any] | None:
        """The splits whose objects are there; a missing one shows as a difference afterwards."""
        objects = call.ports.objects
        given = call.outputs or self._placed(call)
        found = {
            name: given[name] for name in SPLITS if given.get(name) and objects.exists(given[name]["uri"])
        }
        return {**found, "warnings": given.get("warnings", [])} if found else None

    def remove(self, call: Call) -> None:
        """Delete all content of this dataset, that of earlier versions too."""
        objects = call.ports.objects
        content.remove(objects, call.inputs["bucket"], call.inputs["name"])

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
