"""What the core reads and did not write: spoilt records, wrong clocks, buckets that are not there or not ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.faults import machine_checks as checks
from tests.faults.machine_documents import PROJECT, Doc, contents_of
from tests.faults.machine_lab import Calls, Crash, Death, Lab, lab
from tests.faults.machine_meddling import meddle

from tuneform.errors import ReconcileError, Terminal, TuneformError
from tuneform.reconcile.desired import Desired
from tuneform.reconcile.ledger import VERSION
from tuneform_emulator.services.vertex.resources import JOB
from tuneform_emulator.world import Settings

DOC = Doc("alpha")
EDITED = replace(DOC, mark="B")
OBJECT = f"ledger/{PROJECT.name}/{DOC.name}/{DOC.revision}.json"
HEAD = "tuneform-head"


@pytest.fixture
def made() -> Iterator[Lab]:
    with lab() as found:
        yield found


@pytest.fixture
def applied(made: Lab) -> Lab:
    """A lab in which the document serves."""
    assert not made.apply(DOC).failures
    return made


def blob(made: Lab, name: str = OBJECT) -> Any:
    return made.bucket.client.bucket(PROJECT.state_bucket).get_blob(name)


def spoil(made: Lab, text: bytes, *, keep_head: bool = False) -> None:
    """Put something else in the place of a record."""
    found = blob(made)
    metadata = dict(found.metadata or {}) if keep_head else {}
    changed = made.bucket.client.bucket(PROJECT.state_bucket).blob(OBJECT)
    changed.metadata = metadata
    changed.upload_from_string(text)


def paid(made: Lab) -> int:
    return len(checks.paid(made.world))


def _whole(made: Lab) -> bytes:
    return bytes(blob(made).download_as_bytes())


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "no JSON": lambda _: b"\x00\xff not a record",
    "truncated": lambda data: data[: len(data) // 2],
    "another shape": lambda _: b"[1, 2]",
    "no attempts": lambda _: json.dumps({"version": VERSION, "project": "demo"}).encode(),
    "an unknown state": lambda data: data.replace(b'"succeeded"', b'"triumphed"'),
    "an unknown field": lambda data: data.replace(b'"cleared"', b'"cleaned"'),
    "a number for a name": lambda data: data.replace(b'"attempts": [', b'"attempts": 7, "x": ['),
}


@pytest.mark.parametrize("spoilt", SPOILT.values(), ids=SPOILT)
def test_a_spoilt_record_stops_with_its_place_and_a_remedy_and_costs_nothing(
    applied: Lab, spoilt: Callable[[bytes], bytes]
) -> None:
    spoil(applied, spoilt(_whole(applied)))

    with pytest.raises(ReconcileError) as caught:
        applied.apply(EDITED)

    assert f"gs://{PROJECT.state_bucket}/{OBJECT}" in caught.value.message
    assert "restore an earlier generation" in caught.value.remedy
    assert paid(applied) == 1
    assert applied.ask(DOC.serving.endpoint) == "green A"


def test_a_spoilt_record_that_is_restored_goes_on_as_if_nothing_had_been(applied: Lab) -> None:
    whole, metadata = _whole(applied), dict(blob(applied).metadata)
    spoil(applied, b"spoilt")
    with pytest.raises(ReconcileError):
        applied.apply(DOC)

    restored = applied.bucket.client.bucket(PROJECT.state_bucket).blob(OBJECT)
    restored.metadata = metadata
    restored.upload_from_string(whole)

    outcome = applied.apply(DOC)
    assert (outcome.done, outcome.failures, paid(applied)) == ((), (), 1)


def test_a_record_of_a_newer_version_is_refused_and_left_as_it_is(applied: Lab) -> None:
    newer = json.dumps({**json.loads(_whole(applied)), "version": VERSION + 1}).encode()
    spoil(applied, newer)

    with pytest.raises(ReconcileError, match="written by a newer tuneform") as caught:
        applied.apply(EDITED)

    assert "upgrade" in caught.value.remedy
    assert _whole(applied) == newer
    assert paid(applied) == 1


def test_a_newer_record_whose_head_looks_like_ours_is_not_written_over(applied: Lab) -> None:
    """The list shows the head, which is no reason to believe it when something is to be done."""
    newer = json.dumps({**json.loads(_whole(applied)), "version": VERSION + 1}).encode()
    spoil(applied, newer, keep_head=True)

    with pytest.raises(ReconcileError, match="written by a newer tuneform"):
        applied.apply(replace(DOC, description="another"))

    assert _whole(applied) == newer


@pytest.mark.parametrize("head", ["", "no JSON", "[]", "{}", '{"project": "demo"}', "x" * 7000])
def test_a_head_that_cannot_be_read_is_read_from_the_record(applied: Lab, head: str) -> None:
    found = blob(applied)
    found.metadata = {HEAD: head}
    found.patch()

    outcome = applied.apply(DOC)

    assert (outcome.done, outcome.failures, paid(applied)) == ((), (), 1)


LIES: dict[str, dict[str, Any]] = {
    "nothing was tried": {"attempts": [], "promoted": None, "wanted": None},
    "it failed": {"state": "failed"},
    "it was retired": {"state": "retired"},
    "it is under way": {"state": "known"},
    "it was claimed by nobody": {"state": "claimed"},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_head_that_says_something_else_than_its_record_is_not_believed(
    applied: Lab, lie: dict[str, Any]
) -> None:
    found = blob(applied)
    told = json.loads(found.metadata[HEAD])
    if state := lie.get("state"):
        told["attempts"][0]["state"] = state
    else:
        told |= lie
    found.metadata = {HEAD: json.dumps(told)}
    found.patch()

    outcome = applied.apply(DOC)

    assert not outcome.failures
    assert paid(applied) == 1
    assert checks.models(applied.world) == {DOC.revision: 1}
    assert applied.ask(DOC.serving.endpoint) == "green A"


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"endpoint": 1}'])
def test_a_spoilt_pointer_stops_with_its_place_and_a_remedy(made: Lab, text: bytes) -> None:
    doc = replace(DOC, pointer=True)
    assert not made.apply(doc).failures
    name = f"pointers/{PROJECT.name}/{DOC.name}.json"
    made.bucket.client.bucket(PROJECT.state_bucket).blob(name).upload_from_string(text)

    with pytest.raises(ReconcileError, match="is not a pointer") as caught:
        made.apply(doc)

    assert name in caught.value.message
    assert "restore an earlier generation" in caught.value.remedy


# Labels.

LABELS = {
    "a value that is too long": {"team": "x" * 64},
    "a key that is too long": {"x" * 64: "a"},
    "capitals": {"Team": "a"},
    "a character": {"team": "a b"},
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_labels_that_the_service_refuses_cost_nothing(made: Lab, labels: dict[str, str]) -> None:
    """The specs refuse them before; whoever asks the core directly is refused by the service, and pays nothing."""
    outcome = made.apply(replace(DOC, labels=tuple(labels.items())))

    assert [failure.item.key for failure in outcome.failures][:1] == ["TuningJob alpha"]
    assert isinstance(outcome.failures[0].error, Terminal)
    assert paid(made) == 0
    assert not checks.copies(made.world)


# Clocks.

WRONG = [pytest.param(timedelta(days=days), id=f"{days:+d} day") for days in (-1, 1)]


@pytest.mark.parametrize("skew", WRONG)
def test_a_clock_that_is_wrong_changes_nothing_about_a_life(made: Lab, skew: timedelta) -> None:
    for doc in (DOC, EDITED, DOC):
        assert not made.apply(doc, ports=made.ports_of(skew=skew)).failures

    assert paid(made) == 2
    assert made.apply(DOC).done == ()


@pytest.mark.parametrize("skew", WRONG)
def test_the_lease_of_a_holder_elsewhere_is_judged_by_the_servers_time(made: Lab, skew: timedelta) -> None:
    """A run whose clock is a day ahead takes nothing over too soon; one a day behind does not wait for a day."""
    _die_elsewhere(made)
    begun = made.clock.now()

    outcome = made.apply(DOC, ports=made.ports_of(skew=skew))

    passed = made.clock.now() - begun
    assert not outcome.failures
    assert timedelta(minutes=3) <= passed < timedelta(minutes=30)
    assert paid(made) == 1


def _die_elsewhere(made: Lab) -> None:
    """A run on another host dies between its claim and its create."""
    calls = Calls(Death(1, "before", ("create_job",)))
    with pytest.raises(Crash):
        made.apply(DOC, ports=made.ports_of(calls, elsewhere=True))


@pytest.mark.parametrize("skew", WRONG)
def test_a_model_that_lags_is_not_taken_for_lost_by_a_wrong_clock(skew: timedelta) -> None:
    """A clock that is a day ahead would have it that the model is missing since yesterday, and pay again."""
    with lab(Settings(queued_seconds=0, pending_seconds=0, get_lag_seconds=90)) as made:
        doc = replace(DOC, retrain=True, served=False)
        alone = Desired(PROJECT, (doc.tuning,), contents=contents_of(doc), whole=False)

        outcome = made.run(alone, ports=made.ports_of(skew=skew))

        assert not outcome.failures
        assert paid(made) == 1


@pytest.mark.parametrize("skew", WRONG)
def test_a_model_that_is_lost_is_called_so_by_a_wrong_clock_too(made: Lab, skew: timedelta) -> None:
    """A clock that is a day behind would wait until tomorrow for it."""
    doc = replace(DOC, served=False)
    assert not made.apply(doc).failures
    meddle(made, doc, "model deleted")
    made.clock.advance(300)

    (failure,) = made.apply(doc, ports=made.ports_of(skew=skew)).failures

    assert "was deleted by someone else" in failure.error.message


# Buckets and records that are not what they were.


def test_a_state_bucket_that_was_deleted_is_made_again_and_what_is_live_is_adopted(applied: Lab) -> None:
    client = applied.bucket.client
    bucket = client.bucket(PROJECT.state_bucket)
    for found in client.list_blobs(bucket, versions=True):
        bucket.delete_blob(found.name, generation=found.generation)
    bucket.delete()

    outcome = applied.apply(DOC)

    assert not outcome.failures
    assert paid(applied) == 1
    assert client.get_bucket(PROJECT.state_bucket).versioning_enabled
    assert applied.apply(DOC).done == ()


@pytest.mark.parametrize("calls", [{"method": "GET"}, {"method": "POST"}], ids=["read", "written"])
def test_a_state_bucket_that_is_not_ours_stops_before_anything_is_paid(
    made: Lab, calls: dict[str, Any]
) -> None:
    theirs = {
        "calls": {**calls, "path": f"/b/{PROJECT.state_bucket}", "times": 0},
        "effect": {"kind": "permission"},
    }
    made.control.order({**theirs, "when": "before"})

    caught = _error_of(made, DOC)

    assert isinstance(caught, Terminal)
    assert PROJECT.state_bucket in caught.message
    assert "grant the permission" in caught.remedy
    assert not checks.jobs(made.world)


def _error_of(made: Lab, doc: Doc) -> TuneformError:
    """What an apply ends with, raised or reported."""
    try:
        failures = made.apply(doc).failures
    except TuneformError as error:
        return error
    return failures[0].error


def test_a_state_bucket_without_versions_serves_as_well(made: Lab) -> None:
    """Only the way back from a spoilt record is lost; comparing and swapping does not need old generations."""
    made.bucket.client.create_bucket(PROJECT.state_bucket, location=PROJECT.location)

    for doc in (DOC, EDITED, DOC):
        assert not made.apply(doc).failures

    assert paid(made) == 2
    assert made.apply(DOC).done == ()


def test_a_job_record_that_vanished_is_explained_and_nothing_is_paid(made: Lab) -> None:
    stuck = made.control.order({"jobs": {"phase": "capacity", "times": 0}, "effect": {"kind": "stuck"}})
    made.apply(DOC, wait=False)
    (job,) = checks.jobs(made.world)
    for kind in (JOB, "tuning-run"):
        made.world.store.delete(kind, job["name"])
    made.control.take_back(*stuck)

    outcome = made.apply(DOC)

    (failure,) = [f for f in outcome.failures if f.item.kind == "TuningJob"]
    assert "there is no such job" in failure.error.message
    assert "tuneform resolve alpha" in failure.error.remedy
    assert not checks.jobs(made.world)


def test_the_record_of_a_job_that_served_vanishes_and_the_model_serves_on(applied: Lab) -> None:
    (job,) = checks.jobs(applied.world)
    applied.world.store.delete(JOB, job["name"])

    outcome = applied.apply(DOC)

    assert outcome.failures
    assert applied.ask(DOC.serving.endpoint) == "green A"
    assert not checks.jobs(applied.world)


def test_the_emulators_clock_is_what_records_are_stamped_by(applied: Lab) -> None:
    """What the tests above rest on: a run's clock is nowhere in the ledger."""
    applied.apply(EDITED, ports=applied.ports_of(skew=timedelta(days=365)))

    newest = max(str(record["wanted"]) for _, record in checks.records(applied.world))
    assert abs(datetime.fromisoformat(newest) - applied.clock.now()) < timedelta(hours=2)
    assert datetime.fromisoformat(newest).tzinfo == UTC
