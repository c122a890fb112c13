"""`tuneform check` on our own specs and on 10,000 documents, beside `terraform validate` and a plain reading of YAML.

    python -m benchmarks.check [DOCUMENTS]

Every figure is of a whole process, the better of three runs, on a day on which no model retires. The documents are those
of benchmarks/specs.py, each Dataset with 360 rows, which are read and checked too. Beside them, in the same run:
`terraform validate` on as many `terraform_data` (with `terraform` or `tofu` on PATH), and PyYAML's C loader reading the
same files and nothing else.

The bar, from the design: our own specs in half a second.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import specs
from benchmarks.plan import ROOT, TUNEFORM, Run, measured

BAR = 0.5
"""Seconds for our own specs."""
DOCUMENTS = 10_000
RUNS = 3
SHARED = 4
"""Documents of a tree whatever its size."""
ROWS = 60
"""Twice as many examples in each split: enough to be advised nothing."""
PLAIN = (
    "import pathlib, sys, yaml\n"
    "files = sorted(pathlib.Path(sys.argv[1]).rglob('*.yaml'))\n"
    "sum(1 for file in files for _ in yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader))\n"
)


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    wanted = int(arguments[0]) if arguments else DOCUMENTS
    print(f"{'':44} {'wall':>9} {'processor':>9} {'memory':>11}")
    own = best([str(TUNEFORM), "check", "specs"], ROOT)
    print(own.row("tuneform check, our own specs"), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count = write(folder / "specs", wanted)
        checked = best([str(TUNEFORM), "check"], folder)
        print(checked.row(f"tuneform check, {count:,} documents"), flush=True)
        plain = best([sys.executable, "-c", PLAIN, str(folder / "specs")], folder)
        print(plain.row("PyYAML's CSafeLoader, the same files"), flush=True)
    if terraform := shutil.which("terraform") or shutil.which("tofu"):
        with tempfile.TemporaryDirectory() as name:
            validated = terraform_validate(terraform, Path(name), count)
            print(validated.row(f"{Path(terraform).name} validate, {count:,} terraform_data"), flush=True)
    else:
        print("terraform validate: neither terraform nor tofu is on PATH")
    print(f"our own specs: {own.wall:.2f} s, the bar is {BAR} s")


def write(folder: Path, wanted: int) -> int:
    """About so many documents; how many there are."""
    tunings = (wanted - SHARED) * specs.PER_DATASET // (2 * specs.PER_DATASET + 1)
    specs.write(folder, tunings, specs.PER_FILE)
    for file in folder.glob("data/*/*.csv"):
        rows = (f"Where is {what} {row} of {file.stem}?,{what}\n" for row in range(ROWS) for what in "xy")
        file.write_text("text,intent\n" + "".join(rows), encoding="utf-8")
    return SHARED + 2 * tunings + -(-tunings // specs.PER_DATASET)


def best(command: Sequence[str], folder: Path) -> Run:
    """The better of a few runs of a process that has to end well."""
    env = {**os.environ, "TUNEFORM_TODAY": "2026-01-01"}
    return min((measured(command, folder, env) for _ in range(RUNS)), key=lambda run: run.wall)


def terraform_validate(terraform: str, folder: Path, count: int) -> Run:
    """`validate` of so many `terraform_data`, initialised before: there is nothing to fetch for them."""
    blocks = (f'resource "terraform_data" "r{n}" {{\n  input = "value {n}"\n}}\n' for n in range(count))
    (folder / "main.tf").write_text("".join(blocks), encoding="utf-8")
    env = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    subprocess.run([terraform, "init"], cwd=folder, env=env, stdout=subprocess.DEVNULL, check=True)  # noqa: S603
    return best([terraform, "validate"], folder)


if __name__ == "__main__":
    main(sys.argv[1:])
