"""How fast a folder of specs is loaded, beside PyYAML's C loader reading the same files in the same run.

    python benchmarks/specs.py [TUNINGS…]

Writes trees of 100, 1,000 and 10,000 tunings (a TuningJob and a TunedModel each, 20 tunings to a Dataset, and a
Project, a bucket, a key and an account) to temporary folders, about 100 documents a file and one a file, and
prints seconds for each; then the first once more with every document for two projects. The bar: 10,000 tunings load in
2 s, ten times the tunings cost at most twelve times as much, and two projects at most 2.2 times as much as one.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import yaml

from tuneform.specs import load

PER_DATASET = 20
PER_FILE = 100
MODELS = ("gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-2.5-pro")
SIZES = ("ADAPTER_SIZE_ONE", "ADAPTER_SIZE_TWO", "ADAPTER_SIZE_FOUR", "ADAPTER_SIZE_EIGHT")

SHARED = """\
# Where everything lives.
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: demo, labels: {env: demo}}
spec:
  projectId: tuneform-demo
  location: us-central1
  owner: ml-team
---
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {name: data}
spec: {encryptionKey: {ref: tuning-key}}
---
apiVersion: tuneform.dev/v1
kind: EncryptionKey
metadata: {name: tuning-key}
spec: {keyRing: tuneform}
---
apiVersion: tuneform.dev/v1
kind: ServiceAccount
metadata: {name: tuning-runner}
spec:
  displayName: Runs tuning jobs
  projectRoles: [roles/aiplatform.user]
"""
PROD = """\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: prod}
spec: {projectId: tuneform-prod, location: us-central1, owner: ml-team}
---
"""
DATASET = """\
apiVersion: tuneform.dev/v1
kind: Dataset
metadata:
  name: set-{number}
  labels: {{team: team-{team}}}
spec:
  bucket: {{ref: data}}
  task: classification
  preamble: Name the intent of the customer's message. Answer with the intent only.
  columns: {{input: text, output: intent}}
  training: ../data/set-{number}/train.csv
  validation: ../data/set-{number}/validation.csv
  test: ../data/set-{number}/test.csv
"""
JOB = """\
# Tuning {number}: what customers of team {team} want.
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata:
  name: tuning-{number}
  labels: {{team: team-{team}, use: "intents"}}
spec:
  baseModel: {model}
  dataset: {{ref: set-{dataset}}}
  hyperParameters:
    epochCount: {epochs} # passes over the training data
    adapterSize: {size}
    learningRateMultiplier: {rate}
  encryptionKey: {{ref: tuning-key}}
  serviceAccount: {{ref: tuning-runner}}
  limits:
    maxBillableTokens: 5_000_000
    timeout: 6h
"""
MODEL = """\
apiVersion: tuneform.dev/v1
kind: TunedModel
metadata:
  name: tuning-{number}
spec:
  job: {{ref: tuning-{number}}}
  checkpoint: best
  gate:
    exactMatch: {{atLeast: 0.6, examples: 200}}
  keep: 3
"""


def for_two(text: str) -> str:
    """The same documents, sent to two projects."""
    sent = text.replace("metadata:\n", "metadata:\n  projects: [demo, prod]\n")
    sent = sent.replace("metadata: {name: ", "metadata: {projects: [demo, prod], name: ")
    first = PROD if text == SHARED else ""
    project = "metadata: {projects: [demo, prod], name: demo, labels: {env: demo}}"
    return first + sent.replace(project, "metadata: {name: demo, labels: {env: demo}}")


def documents(tunings: int) -> Iterator[str]:
    """The documents of a tree, the shared ones as one text."""
    yield SHARED
    for number in range(tunings):
        dataset, team = divmod(number, PER_DATASET)
        if not team:
            yield DATASET.format(number=dataset, team=dataset % 7)
        yield JOB.format(
            number=number,
            team=number % 7,
            model=MODELS[number % 3],
            dataset=dataset,
            epochs=1 + number % 9,
            size=SIZES[number % 4],
            rate=(0.5, 1.0, 2)[number % 3],
        )
        yield MODEL.format(number=number)


def write(folder: Path, tunings: int, per_file: int, *, two: bool = False) -> list[Path]:
    """Write the tree, so many documents to a file, and the data it names; its spec files. Maybe for two projects."""
    for dataset in range(-(-tunings // PER_DATASET)):
        data = folder / "data" / f"set-{dataset}"
        data.mkdir(parents=True)
        for split in ("train", "validation", "test"):
            (data / f"{split}.csv").write_text(
                "text,intent\nWhere is my card?,card_arrival\n", encoding="utf-8"
            )
    waiting = map(for_two, documents(tunings)) if two else documents(tunings)
    files = []
    while batch := list(islice(waiting, per_file)):
        file = folder / f"team-{len(files) // 50:03}" / f"{len(files):05}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text("---\n".join(batch), encoding="utf-8")
        files.append(file)
    return files


def with_pyyaml(files: list[Path]) -> int:
    """Read every file with PyYAML's C loader, and nothing else; how many documents."""
    # Safe: CSafeLoader makes plain data only.
    return sum(
        1 for file in files for _ in yaml.load_all(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    )


def seconds(work: Callable[[], object]) -> float:
    """How long the work takes: the better of two runs, none with another's garbage."""
    times = []
    for _ in range(2):
        gc.collect()
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def main() -> None:
    """Print a line for each size and layout."""
    sizes = [int(size) for size in sys.argv[1:]] or [100, 1_000, 10_000]
    heads = ("tunings", "projects", "documents", "files", "PyYAML", "load", "load/PyYAML", "a document")
    print(" ".join(f"{head:>11}" for head in heads))  # noqa: T201 -- its output
    for per_file, two in ((PER_FILE, False), (1, False), (PER_FILE, True)):
        for tunings in sizes:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                files = write(folder, tunings, per_file, two=two)
                count = len(load(folder).documents)
                plain, loading = seconds(partial(with_pyyaml, files)), seconds(partial(load, folder))
            row = (
                f"{tunings:,}",
                "2" if two else "1",
                f"{count:,}",
                f"{len(files):,}",
                f"{plain:.2f} s",
                f"{loading:.2f} s",
            )
            row += (f"{loading / plain:.2f}", f"{loading / count * 1e6:.0f} µs")
            print(" ".join(f"{cell:>11}" for cell in row))  # noqa: T201 -- its output


if __name__ == "__main__":
    main()
