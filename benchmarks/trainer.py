"""Time and accuracy of the emulator's trainer on Banking77: `python benchmarks/trainer.py [folder]`.

The folder holds train.csv and test.csv with the columns text and category. Without an argument it is
`$TUNEFORM_SHARED_DATA/banking77`, or `../shared/data/banking77` beside the repository.
"""

import csv
import os
import sys
import time
from pathlib import Path

from tuneform_emulator.trainer import Example, Settings, Training, default_epochs

REPOSITORY = Path(__file__).resolve().parent.parent
# (rank, epochs or None for the default, learning rate multiplier)
RUNS = (
    (1, None, 1.0),
    (4, None, 1.0),
    (8, None, 1.0),
    (16, None, 1.0),
    (32, None, 1.0),
    (8, 1, 1.0),
    (8, 10, 1.0),
    (16, 1, 1.0),
    (16, 10, 1.0),
    (16, None, 0.1),
    (16, None, 10.0),
    (16, None, 1000.0),
)


def folder() -> Path:
    """Where the data is looked for."""
    if len(sys.argv) > 1:
        return Path(sys.argv[1])
    shared = os.environ.get("TUNEFORM_SHARED_DATA", str(REPOSITORY.parent / "shared" / "data"))
    return Path(shared) / "banking77"


def read(path: Path) -> tuple[Example, ...]:
    """The rows of one CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(Example(row["text"], row["category"]) for row in csv.DictReader(file))


def main() -> int:
    """Print one line a run."""
    data = folder()
    if not (data / "train.csv").is_file():
        sys.stderr.write(f"no train.csv in {data}: name the folder as argument\n")
        return 1
    train, test = read(data / "train.csv"), read(data / "test.csv")
    sys.stdout.write(f"{len(train)} training rows, {len(test)} test rows\n")
    sys.stdout.write("rank  epochs     lrm  seconds  train loss  eval loss  exact match  checkpoint KB\n")
    for rank, epochs, multiplier in RUNS:
        epochs = epochs or default_epochs(len(train))  # noqa: PLW2901 - None stands for the default
        begin = time.perf_counter()
        training = Training(Settings(epochs, rank, multiplier), train, test)
        for _ in range(epochs):
            epoch = training.run_epoch()
        seconds = time.perf_counter() - begin
        scores = epoch.checkpoint.log_probabilities([example.prompt for example in test])
        answers = [epoch.checkpoint.outputs[best] for best in scores.argmax(axis=1)]
        matches = sum(answer == example.output for answer, example in zip(answers, test, strict=True))
        train_loss = sum(step.loss for step in epoch.train) / len(epoch.train)
        eval_loss = epoch.evaluation.loss if epoch.evaluation else float("nan")
        size = len(epoch.checkpoint.to_bytes()) / 1000
        sys.stdout.write(
            f"{rank:4}  {epochs:6}  {multiplier:6g}  {seconds:7.1f}  {train_loss:10.3f}  {eval_loss:9.3f}"
            f"  {matches / len(test):11.3f}  {size:13.0f}\n"
        )
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
