"""The attempt protocol of docs/decisions/attempts.md, explored to the last world that can be reached.

Two reconcilers start at once; each may crash once at every call, before it is sent or while it is under way, and may
once find the other's lease to be over; a third then finishes. Copies and creates that are under way arrive at any
moment after, however late.
"""

from __future__ import annotations

import sys

import pytest
from tests.unit.reconcile.model.attempts import AttemptModel
from tests.unit.reconcile.model.explorer import explore
from tests.unit.reconcile.model.world import Read, Rule, Settings

CRASHES = [Settings(read, lag=lag, attempts=2) for read in Read for lag in (False, True)]
LOST_ANSWERS = Settings(Read.AT_CREATE, attempts=2, losses=1)
PAID_FAILURE = [Settings(Read.AT_CREATE, attempts=2, failures=1, retries=retries) for retries in (0, 1)]

LONGER = [
    Settings(Read.AT_CREATE, attempts=3, losses=1),
    Settings(Read.AT_CREATE, attempts=2, losses=2),
    Settings(Read.LATER, attempts=2, losses=1),
    Settings(Read.LATER, attempts=2, failures=1, retries=1),
    Settings(Read.LATER, attempts=3),
]


def show(text: str) -> None:
    """For `pytest -rP`: how many worlds there were, and the way to each harm."""
    sys.stdout.write(f"{text}\n")


def named(settings: Settings) -> str:
    told = {"lag": settings.lag, "losses": settings.losses, "failures": settings.failures}
    return f"read {settings.read.value}, " + ", ".join(f"{name} {int(value)}" for name, value in told.items())


@pytest.mark.parametrize("settings", [*CRASHES, LOST_ANSWERS, *PAID_FAILURE], ids=named)
def test_every_world_keeps_the_invariants_and_every_run_ends_as_it_should(settings: Settings) -> None:
    found = explore(AttemptModel(settings))
    show(str(found))
    assert not found.violation, str(found)
    assert found.worlds > 5000
    assert found.ends > 10


@pytest.mark.slow
@pytest.mark.parametrize("settings", LONGER, ids=named)
def test_more_attempts_and_more_lost_answers_change_nothing(settings: Settings) -> None:
    found = explore(AttemptModel(settings))
    show(str(found))
    assert not found.violation, str(found)


PAID_TWICE = "attempts [1, 2] are paid for, and 1 is not recorded as failed"
BESIDE = "an attempt was begun beside one that is not over"
NOT_PAID = "a job that cost nothing is recorded as failed"

BITES = [
    (Rule.TAKE_DATA, Read.AT_CREATE, PAID_TWICE),
    (Rule.TAKE_DATA, Read.LATER, PAID_TWICE),
    (Rule.DOUBT_FIRST, Read.LATER, NOT_PAID),
    (Rule.KNOWN_FIRST, Read.LATER, PAID_TWICE),
    (Rule.WAIT_LAG, Read.AT_CREATE, PAID_TWICE),
    (Rule.WAIT_LAG, Read.LATER, PAID_TWICE),
    (Rule.LAG_SINCE_DELETE, Read.AT_CREATE, PAID_TWICE),
    (Rule.LAG_SINCE_DELETE, Read.LATER, PAID_TWICE),
    (Rule.RECORD_AFTER_COPY, Read.AT_CREATE, PAID_TWICE),
    (Rule.RECORD_AFTER_COPY, Read.LATER, PAID_TWICE),
    (Rule.CREATE_ONCE, Read.AT_CREATE, "attempt 1 is paid for twice"),
    (Rule.CREATE_ONCE, Read.LATER, "attempt 1 is paid for twice"),
    (Rule.COPY_ONCE, Read.AT_CREATE, PAID_TWICE),
    (Rule.CLAIM_AS_SEEN, Read.LATER, BESIDE),
    (Rule.ASK_BY_NAME, Read.AT_CREATE, BESIDE),
    (Rule.REMEMBER_DOUBT, Read.LATER, NOT_PAID),
    (Rule.TIDY, Read.AT_CREATE, "data of attempts [1] is left"),
]


@pytest.mark.parametrize(
    ("rule", "read", "violation"), BITES, ids=[f"{rule.name}, read {read.value}" for rule, read, _ in BITES]
)
def test_without_a_rule_the_shortest_way_to_the_harm_is_found(rule: Rule, read: Read, violation: str) -> None:
    losses = 1 if rule in {Rule.CREATE_ONCE, Rule.COPY_ONCE} else 0
    found = explore(AttemptModel(Settings(read, attempts=2, losses=losses, without=frozenset({rule}))))
    show(f"without the rule that {rule.value}:\n{found}")
    assert found.violation == violation
    assert found.trace


def test_every_rule_is_shown_to_be_needed_or_to_be_spare() -> None:
    assert {rule for rule, _, _ in BITES} == set(Rule) - SPARE


SPARE = {Rule.RECORD_SENT, Rule.DELETE_TWICE}
"""What nothing here rests on: `sent` tells people more than `fenced` does, and a second delete tidies sooner."""


def test_what_is_spare_can_be_left_out() -> None:
    found = explore(AttemptModel(Settings(Read.LATER, lag=False, attempts=2, without=frozenset(SPARE))))
    assert not found.violation, str(found)
