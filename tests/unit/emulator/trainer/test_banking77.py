"""Banking77: 77 intents, 10,003 real questions. Accuracy and time that the design promises."""

import csv
import os
import time
from pathlib import Path

import pytest

from tuneform_emulator.trainer import Example, Settings, Training, default_epochs

REPOSITORY = Path(__file__).resolve().parents[4]
FOLDER = Path(os.environ.get("TUNEFORM_SHARED_DATA", REPOSITORY.parent / "shared" / "data")) / "banking77"

pytestmark = pytest.mark.skipif(
    not (FOLDER / "train.csv").is_file(),
    reason=f"no Banking77 in {FOLDER}; TUNEFORM_SHARED_DATA names the folder that holds banking77/",
)


def read(name: str) -> tuple[Example, ...]:
    with (FOLDER / name).open(newline="", encoding="utf-8") as file:
        return tuple(Example(row["text"], row["category"]) for row in csv.DictReader(file))


@pytest.mark.parametrize(
    ("rank", "at_least", "at_most"), [(1, 0.02, 0.2), (4, 0.5, 0.75), (8, 0.8, 0.87), (16, 0.87, 0.95)]
)
def test_default_epochs_reach_the_accuracy_of_the_rank(rank: int, at_least: float, at_most: float) -> None:
    train, test = read("train.csv"), read("test.csv")
    settings = Settings(default_epochs(len(train)), rank)
    begin = time.process_time()
    training = Training(settings, train)
    for _ in range(settings.epochs):
        epoch = training.run_epoch()
    assert time.process_time() - begin < 30
    scores = epoch.checkpoint.log_probabilities([example.prompt for example in test])
    answers = [epoch.checkpoint.outputs[best] for best in scores.argmax(axis=1)]
    share = sum(answer == example.output for answer, example in zip(answers, test, strict=True)) / len(test)
    assert at_least <= share <= at_most
