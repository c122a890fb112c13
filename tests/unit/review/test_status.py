"""What one look says of each tuning, and how it is worded."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.reconcile.builders import (
    JOB,
    MODEL,
    NOON,
    PROJECT,
    REVISION,
    TUNING,
    job,
    model,
    record,
    serving,
)

from tuneform.capabilities.prices import Price
from tuneform.reconcile.desired import Desired, Gate, Tuning
from tuneform.reconcile.ledger import AttemptState, GateResult, Pointer, Verdict, Versioned
from tuneform.reconcile.live import Checkpoint, Curves, Deployed, Endpoint, JobState, Lack, Progress, bare
from tuneform.reconcile.observe import World
from tuneform.reconcile.plan import plan_project
from tuneform.reconcile.plan.serving import asked
from tuneform.review import status_words
from tuneform.review.next_run import next_run
from tuneform.review.status import TuningSeen, answering, as_json, survey

ENDPOINT = Endpoint(
    f"{PROJECT.parent}/endpoints/intents",
    "intents",
    "",
    {"tuneform-owner": "team", "tuneform-name": "intents"},
    (Deployed("5", bare(MODEL), "1", "4", 100),),
)
SERVED = replace(record(AttemptState.SUCCEEDED), promoted=NOON, served="4", cleared=True)
ALL = Desired(PROJECT, (TUNING,), (serving(),))
NOBODY = f"{socket.gethostname()}:4194399:0"
"""A holder on this host with a process id that is too large for Linux to give."""
POINTER = Pointer("demo", "intents", f"{PROJECT.parent}/endpoints/4", REVISION, MODEL, "4")


def look(
    desired: Desired = ALL, progress: dict[str, Progress] | None = None, **fields: Any
) -> list[TuningSeen]:
    """A world in agreement with the specs, but for these fields."""
    world = World(
        **{
            "jobs": {"intents": (job(),)},
            "models": {bare(MODEL): model()},
            "endpoints": {ENDPOINT.name: ENDPOINT},
            "records": {"intents": (Versioned(SERVED, 1, NOON),)},
            "when": NOON,
            **fields,
        }
    )
    return list(survey(desired, world, plan_project(desired, world), progress))


def words(seen: TuningSeen) -> str:
    return "\n".join(status_words.block(seen, now=NOON + timedelta(minutes=4)))


def test_nothing_live_is_a_revision_that_is_wanted_and_nothing_else() -> None:
    (seen,) = look(jobs={}, models={}, endpoints={}, records={})

    assert (seen.wanted, seen.job, seen.attempts, seen.kept, seen.moving) == (REVISION, None, (), (), False)
    assert seen.serves[0].endpoint == ENDPOINT.name
    assert "serves      nothing yet on" in words(seen)
    assert "job         none" in words(seen)


def test_what_serves_is_named_by_revision_checkpoint_epoch_and_time() -> None:
    (seen,) = look()

    (serves,) = seen.serves
    assert (serves.revision, serves.checkpoint, serves.epoch, serves.since) == (REVISION, "4", 4, NOON)
    assert f"{REVISION}, checkpoint 4 (epoch 4), since 2026-11-20 12:00 UTC" in words(seen)
    assert seen.kept == (REVISION,)
    assert (seen.blocked, seen.next) == ((), ())


def test_a_pointer_says_where_it_points() -> None:
    (seen,) = look(Desired(PROJECT, (TUNING,), (serving(pointer=True),)), pointers={"intents": POINTER})

    assert (seen.serves[0].how, seen.serves[0].endpoint) == ("pointer", POINTER.endpoint)
    assert f"pointer {POINTER.endpoint}" in words(seen)


def test_a_model_that_no_record_names_is_said_to_be_so() -> None:
    foreign = replace(ENDPOINT, deployed=(Deployed("5", f"{PROJECT.parent}/models/99", "1", "1", 100),))
    (seen,) = look(endpoints={ENDPOINT.name: foreign})

    assert seen.serves[0].revision == ""
    assert "a model that no record names, checkpoint 1" in words(seen)


def test_a_running_job_shows_how_far_it_is_and_is_moving() -> None:
    running = job(JobState.RUNNING)
    progress = {JOB: Progress(JOB, JobState.RUNNING, 3, 4, 0.4125, 0.5, "TUNING")}
    (seen,) = look(
        progress=progress,
        jobs={"intents": (running,)},
        models={},
        records={"intents": (Versioned(record(AttemptState.KNOWN), 1, NOON),)},
    )

    assert seen.moving
    assert "RUNNING (TUNING), epoch 3/4, loss 0.412, eval loss 0.500" in words(seen)
    assert "waits for the job" in words(seen)


def test_a_tuning_that_a_quota_refused_is_queued_and_says_what_the_service_said() -> None:
    queued = record(AttemptState.REVOKED, job="", model="", cause="queued: Quota exceeded")
    (seen,) = look(jobs={}, models={}, endpoints={}, records={"intents": (Versioned(queued, 1, NOON),)})

    assert seen.queued == "Quota exceeded"
    assert "queued      Quota exceeded" in words(seen)
    assert as_json(seen)["queued"] == "Quota exceeded"
    assert "queued, " in status_words.table([seen])[1]
    (other,) = look()
    assert other.queued == ""


@pytest.mark.parametrize(("holder", "gone"), [("elsewhere:1:abc", False), (NOBODY, True)])
def test_an_unresolved_attempt_names_its_holder_its_age_and_the_remedy(holder: str, gone: bool) -> None:
    known = record(AttemptState.SENT, job="", model="", holder=holder)
    (seen,) = look(jobs={}, models={}, endpoints={}, records={"intents": (Versioned(known, 1, NOON),)})

    assert seen.moving is not gone
    assert seen.unresolved == seen.attempts
    text = words(seen)
    assert f"{REVISION} #1 sent by {holder}{', which is gone' if gone else ''}, 4 min ago" in text
    assert "`tuneform resolve intents`" in text


def test_gate_and_verdict_are_shown_and_marked_when_they_are_of_another_gate() -> None:
    wants = serving(gate=Gate(eval_loss_at_most=0.5))
    results = (GateResult("4", "evalLoss", 0.25, "d", 0), GateResult("4", "evalAccuracy", 0.9, "d", 0))
    now = Verdict(asked(wants, Checkpoint("4", 4, 40, "")), passed=True)
    for verdict, stale in ((now, False), (Verdict("other", passed=False, reason="too bad"), True)):
        known = replace(SERVED, gates=results, verdict=verdict)
        (seen,) = look(
            Desired(PROJECT, (TUNING,), (wants,)), records={"intents": (Versioned(known, 1, NOON),)}
        )
        assert seen.verdict is not None
        assert seen.verdict.stale is stale
        assert "checkpoint 4: evalLoss 0.25, evalAccuracy 0.9" in words(seen)
    assert "not passed: too bad (before the gate or its data changed)" in words(seen)


def test_missing_infrastructure_blocks_what_is_still_to_be_trained() -> None:
    lack = Lack("bucket b", "the bucket", "missing", "there")
    (seen,) = look(jobs={}, models={}, endpoints={}, records={}, lacks=(lack,))
    (trained,) = look(lacks=(lack,))

    assert [hindrance.remedy for hindrance in seen.blocked] == ["run `tuneform up`"]
    assert trained.blocked == ()


def test_what_no_document_asks_for_is_marked_and_what_it_serves_is_found() -> None:
    (seen,) = look(Desired(PROJECT))
    (pointed,) = look(Desired(PROJECT), endpoints={}, pointers={"intents": POINTER})
    (unserved,) = look(Desired(PROJECT, (TUNING,)))

    assert (seen.declared, seen.wanted) == (False, REVISION)
    assert (seen.serves[0].name, seen.serves[0].declared) == ("intents", False)
    assert words(seen).startswith("intents  (live only: no document asks for it)")
    assert pointed.serves[0].endpoint == POINTER.endpoint
    assert (unserved.declared, unserved.serves[0].declared) == (True, False)


def test_endpoints_of_others_are_no_business_of_ours() -> None:
    theirs = replace(ENDPOINT, labels={**ENDPOINT.labels, "tuneform-owner": "others"})
    (seen,) = look(Desired(PROJECT), endpoints={theirs.name: theirs})

    assert seen.serves == ()


def test_a_table_has_a_line_a_tuning_and_columns_that_line_up() -> None:
    other = replace(look()[0], name="a-longer-name-than-that", serves=(), job=None)
    head, *rows = status_words.table([*look(), other])

    assert [row.index(REVISION) for row in rows] == [head.index("WANTED")] * 2
    assert all(row == row.rstrip() for row in rows)


def test_only_what_changed_is_said_again() -> None:
    before = look()
    after = look(endpoints={})

    assert status_words.changed(before, before) == []
    (line,) = status_words.changed(before, after)
    assert line.startswith(f"intents: {REVISION}, SUCCEEDED, nothing yet")


def test_as_json_it_is_plain_and_in_camel_case() -> None:
    plain = json.loads(json.dumps(as_json(look()[0])))

    assert plain["serves"][0]["since"] == "2026-11-20T12:00:00+00:00"
    assert plain["job"]["billableTokens"] is None
    assert plain["moving"] is False
    assert plain["advice"] is None


PRICED = replace(
    TUNING, price=Price("gemini-2.5-flash", "USD", Decimal(5), "our contract", date(2026, 10, 1))
)


@pytest.mark.parametrize(
    ("tuning", "fields", "said"),
    [
        (TUNING, {}, "5,511 billable tokens an epoch"),
        (TUNING, {"epochs": 4}, "22,044 billable tokens (5,511 an epoch × 4), price unknown"),
        (PRICED, {"epochs": 4}, "22,044 billable tokens (5,511 an epoch × 4), 0.12 USD"),
        (
            PRICED,
            {"epochs": 4, "state": JobState.CANCELLED},
            "22,044 billable tokens (5,511 an epoch × 4), 0.12 USD if all epochs were trained",
        ),
    ],
)
def test_what_a_job_took_is_told_with_its_price(tuning: Tuning, fields: dict[str, Any], said: str) -> None:
    desired = replace(ALL, tunings=(tuning,))
    (seen,) = look(desired, jobs={"intents": (job(billable_tokens=5_511, **fields),)})
    assert said in " ".join(status_words.block(seen, now=NOON))
    plain = json.loads(json.dumps(as_json(seen)))["job"]
    assert plain["billedTokens"] == (22_044 if "epochs" in fields else None)
    money = {"amount": 0.11022, "currency": "USD"}
    assert plain["cost"] == (money if tuning is PRICED else None)


def test_advice_stands_in_the_block_and_in_the_object() -> None:
    trained = Curves(tuple((step, 2.0 - step / 100) for step in range(1, 41)))
    found = next_run(job(epochs=4, steps=40), trained)
    seen = replace(look()[0], advice=found)
    assert any(
        line.startswith("  advice      still falling: ") for line in status_words.block(seen, now=NOON)
    )
    assert json.loads(json.dumps(as_json(seen)))["advice"]["try"] == {"epochCount": 6}


def test_the_model_with_the_most_traffic_answers_and_one_without_any_does_not() -> None:
    deployed = (
        Deployed("1", "m", "1", "1", 0),
        Deployed("2", "n", "1", "1", 90),
        Deployed("3", "o", "1", "1", 10),
    )

    found = answering(replace(ENDPOINT, deployed=deployed))

    assert found is not None
    assert found.id == "2"
    assert answering(replace(ENDPOINT, deployed=deployed[:1])) is None


@pytest.mark.parametrize(
    ("passed", "text"),
    [(5, "5 s ago"), (240, "4 min ago"), (7300, "2 h ago"), (190_000, "2 d ago"), (-9, "0 s ago")],
)
def test_ages_are_told_in_the_largest_unit_that_fits(passed: int, text: str) -> None:
    assert status_words.ago(NOON, NOON + timedelta(seconds=passed)) == text
