"""How fast a dataset is checked, converted and digested, beside orjson alone in the same run.

    python benchmarks/datasets.py [MEGABYTES]

Writes a synthetic JSONL file (lines of about 1 KB) to a temporary folder and prints, for both, seconds and MB/s.
The bar for later is 1 GB at no more than 2.9 times the time of decoding alone (docs/datasets.md).
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from pathlib import Path

import orjson

from tuneform.datasets import DatasetSource, prepare

LINE_BYTES = 1_000
WORDS = ("card payment", "top up", "transfer", "refund", "limit", "exchange rate", "pending", "ATM", "Zürich")


def write(path: Path, size: int) -> None:
    """Lines of about 1 KB, all different, until there are `size` bytes."""
    chance = random.Random(1)  # noqa: S311 -- the same words each time, not a secret
    written = number = 0
    with path.open("wb") as file:
        while written < size:
            number += 1
            words = " ".join(chance.choices(WORDS, k=LINE_BYTES // 8))
            turns = (("user", f"{number}: {words}"), ("model", chance.choice(WORDS)))
            contents = [{"role": role, "parts": [{"text": text}]} for role, text in turns]
            written += file.write(orjson.dumps({"contents": contents}) + b"\n")


def decode_alone(path: Path) -> int:
    """Decode every line, and nothing else."""
    with path.open("rb") as file:
        return sum(1 for line in file if orjson.loads(line))


def check(path: Path) -> int:
    """What `tuneform check` does with the file."""
    source = DatasetSource.from_json({"training": path.name})
    return prepare(source, root=path.parent, fetch=lambda uri: uri.encode()).training.examples


def main() -> None:
    """Print both rates and what the check takes in units of decoding alone."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.jsonl"
        write(path, megabytes * 1_000_000)
        seconds = {}
        for name, work in (("orjson alone", decode_alone), ("check", check)):
            begin = time.perf_counter()
            examples = work(path)
            seconds[name] = time.perf_counter() - begin
            rate = megabytes / seconds[name]
            print(f"{name:>12}: {seconds[name]:7.2f} s  {rate:7.1f} MB/s  {examples:,} examples")  # noqa: T201 -- its output
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000
    times = seconds["check"] / seconds["orjson alone"]
    print(f"check takes {times:.1f} times as long; peak memory {peak:,.0f} MB")  # noqa: T201 -- its output


if __name__ == "__main__":
    main()
