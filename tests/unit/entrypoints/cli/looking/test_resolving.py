"""Which jobs may be those of an attempt that nobody saw the end of."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.reconcile.builders import NOON, REVISION, job, record

from tuneform.entrypoints.cli.looking.resolving import NEAR, Case, candidates, unfit
from tuneform.reconcile.ledger import AttemptState, Versioned
from tuneform.reconcile.live import Job, JobState

FENCE = "gs://demo-data/attempts/demo/intents/1.jsonl"
RECORD = record(AttemptState.SENT, job="", model="", fence=FENCE)
VERSIONED = Versioned(RECORD, 1, NOON)
ATTEMPT = RECORD.attempts[0]
OURS = job(JobState.RUNNING, created=NOON)
BARE = replace(OURS, name="bare", labels={})


def found(*jobs: Job) -> list[tuple[str, bool]]:
    return [(candidate.job.name, candidate.certain) for candidate in candidates(VERSIONED, ATTEMPT, jobs)]


def test_labels_and_the_attempts_own_data_are_certain_and_the_time_is_a_guess() -> None:
    fenced = replace(BARE, name="fenced", training_uri=FENCE, created=None)

    assert found(BARE, fenced, OURS) == [("fenced", True), (OURS.name, True), ("bare", False)]


def test_a_job_of_another_attempt_or_of_another_hour_is_not_it() -> None:
    second = replace(OURS, labels={**OURS.labels, "tuneform-attempt": "2"})
    other = job(JobState.RUNNING, of="r1-0000000000000000", created=NOON)
    late = replace(BARE, created=NOON + NEAR + timedelta(seconds=1))

    assert found(second, other, late, replace(BARE, created=None)) == []


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("tuneform-owner", "others"),
        ("tuneform-name", "other"),
        ("tuneform-revision", "r1-0000000000000000"),
        ("tuneform-attempt", "2"),
    ],
)
def test_a_label_that_says_otherwise_is_named(label: str, value: str) -> None:
    case = Case(VERSIONED, ATTEMPT, busy=False)
    wrong = replace(OURS, labels={**OURS.labels, label: value})

    assert unfit(case, wrong, "team", ("intents",)) == f"its label {label} is {value!r}"
    assert unfit(case, OURS, "team", ("intents",)) == ""
    assert unfit(case, BARE, "team", ("intents",)) == ""
    assert case.revision == REVISION
