"""What the program declares of a tree: its own run, under Pulumi's mocks, which hand over every resource's inputs.

In a process of its own, for Pulumi leaves event loops behind: `python -m tests.unit.policy.declared FOLDER…`, with what
the datasets hold as JSON on stdin, prints a list of resources for each folder.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from tuneform import specs
from tuneform.capabilities.prices import Price, PriceTable
from tuneform.policy.shapes import Resource, plain

Contents = Mapping[str, Mapping[str, Any] | None]
"""The outputs of each Dataset by the name of the split; None where it has none."""

PRICE = Price("gemini-2.5-flash", "USD", Decimal("5.25"), "a test", date(2026, 1, 1))
PRICES = PriceTable({PRICE.model: PRICE})
_CALLS = {
    "gcp:organizations/getProject:getProject": {"number": "123456"},
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": {
        "member": "serviceAccount:service-123456@gs-project-accounts.iam.gserviceaccount.com"
    },
}


def declared(folders: Mapping[Path, Contents]) -> list[list[Resource]]:
    """Every resource that the program declares of each folder, with the inputs that it gets."""
    contents = {str(folder): found for folder, found in folders.items()}
    run = subprocess.run(
        [sys.executable, "-m", __name__, *contents],
        input=json.dumps(contents),
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert run.returncode == 0, run.stderr
    return [[Resource(**one) for one in found] for found in json.loads(run.stdout)]


def _run(folder: Path, contents: Contents) -> Sequence[Resource]:
    import pulumi  # noqa: PLC0415 (in this process alone)
    from pulumi.runtime import mocks  # noqa: PLC0415

    from tuneform.entrypoints.program import ProgramSettings, declare  # noqa: PLC0415

    class Recorder(mocks.Mocks):
        def __init__(self) -> None:
            self.resources: list[Resource] = []

        def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
            given = {name: value for name, value in args.inputs.items() if value is not None}
            self.resources.append(Resource(args.typ, args.name, plain(given, pulumi.runtime.rpc.UNKNOWN)))
            found = dict(args.inputs)
            if args.typ == "tuneform:index:Dataset":
                found |= contents
            if args.typ == "tuneform:index:TuningJob":
                found |= {"revision": "r1-0123456789abcdef", "model": "projects/1/locations/l/models/m@1"}
            return f"{args.name}-id", found

        def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
            return dict(_CALLS[args.token]), []

    recorder = Recorder()
    mocks.set_mocks(recorder, project="tuneform", stack="test", preview=False)
    tree = specs.load(folder)
    pulumi.runtime.test(lambda: declare(tree, ProgramSettings(endpoint=None, prices=PRICES)))()
    return recorder.resources


if __name__ == "__main__":
    said = json.load(sys.stdin)
    json.dump([[vars(one) for one in _run(Path(name), said[name])] for name in sys.argv[1:]], sys.stdout)
