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

from tuneform import capabilities, specs
from tuneform.capabilities.prices import Price, PriceTable
from tuneform.capabilities.prices import read as read_prices
from tuneform.entrypoints.cli.running.rows import load_with_rows, seen_facts
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


def declared(folders: Mapping[Path, Contents | None], prices: Path | None = None) -> list[list[Resource]]:
    """Every resource that the program declares of each folder, with the inputs that it gets.

    Without contents its datasets are read. `prices` are a file, else those above.
    """
    contents = {str(folder): found for folder, found in folders.items()}
    run = subprocess.run(
        [sys.executable, "-m", __name__, *contents],
        input=json.dumps({"contents": contents, "prices": str(prices) if prices else None}),
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert run.returncode == 0, run.stderr
    return [[Resource(**one) for one in found] for found in json.loads(run.stdout)]


def _read(folder: Path) -> dict[str, dict[str, Any]]:
    """What Datasets put out of what was read, by their names."""
    see, facts = seen_facts()
    load_with_rows(folder, capabilities.built_in(), see)
    return {
        name: {
            split: {"uri": f"gs://b/{name}-{split}.jsonl", "digest": "d", **parts[split]}
            if split in parts
            else None
            for split in ("training", "validation", "test")
        }
        for (_project, name), parts in facts.items()
    }


def _run(folder: Path, contents: Contents | None, table: PriceTable) -> Sequence[Resource]:
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
                found |= read[args.name] if contents is None else contents
            if args.typ == "tuneform:index:TuningJob":
                found |= {"revision": "r1-0123456789abcdef", "model": "projects/1/locations/l/models/m@1"}
            return f"{args.name}-id", found

        def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
            return dict(_CALLS[args.token]), []

    read = _read(folder) if contents is None else {}
    recorder = Recorder()
    mocks.set_mocks(recorder, project="tuneform", stack="test", preview=False)
    tree = specs.load(folder)
    program = pulumi.runtime.test(lambda: declare(tree, ProgramSettings(endpoint=None, prices=table)))  # type: ignore[no-untyped-call]
    program()
    return recorder.resources


if __name__ == "__main__":
    said = json.load(sys.stdin)
    table = read_prices(Path(said["prices"])) if said["prices"] else PRICES
    found = [_run(Path(name), said["contents"][name], table) for name in sys.argv[1:]]
    json.dump([[vars(one) for one in resources] for resources in found], sys.stdout)
