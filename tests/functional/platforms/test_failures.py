"""What the core is told when calls fail, and how often they are sent, over both transports."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.functional.platforms.kit import PROJECT, RUN, TUNING, Bench, connected

from tuneform.errors import Ambiguous, NotFound, RemoteError, Retryable, Terminal
from tuneform.reconcile.live import Endpoint

CREATE = {"method": "POST", "route": ".../tuningJobs"}
GET = {"method": "GET", "route": ".../tuningJobs/{job}", "path": "/v1/"}
ENDPOINT = Endpoint(f"{PROJECT.parent}/endpoints/intents", "Intents", "", {})


def status(name: str, **more: Any) -> dict[str, Any]:
    return {"kind": "status", "status": name, **more}


MEANINGS: dict[str, tuple[dict[str, Any], type[RemoteError]]] = {
    "invalid": (status("INVALID_ARGUMENT"), Terminal),
    "forbidden": ({"kind": "permission"}, Terminal),
    "not found": (status("NOT_FOUND"), NotFound),
    "precondition": (status("FAILED_PRECONDITION"), Terminal),
    "quota": ({"kind": "quota", "retry_after": 7}, Retryable),
    "exists": (status("ALREADY_EXISTS"), Ambiguous),
    "aborted": (status("ABORTED"), Ambiguous),
    "cancelled": (status("CANCELLED"), Ambiguous),
    "internal": (status("INTERNAL"), Ambiguous),
    "unavailable": (status("UNAVAILABLE"), Ambiguous),
    "deadline": (status("DEADLINE_EXCEEDED"), Ambiguous),
    "reset": ({"kind": "reset"}, Ambiguous),
    "half an answer": ({"kind": "malformed"}, Ambiguous),
    "no answer": ({"kind": "malformed", "body": ""}, Ambiguous),
    "another answer": ({"kind": "malformed", "body": "[]"}, Ambiguous),
    "an empty answer": ({"kind": "malformed", "body": "{}"}, Ambiguous),
    "a page": ({"kind": "malformed", "body": "<html>", "media_type": "text/html"}, Ambiguous),
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("case", MEANINGS)
def test_a_create_that_fails_is_sent_once_and_told_for_what_it_is(bench: Bench, case: str, when: str) -> None:
    effect, meaning = MEANINGS[case]
    bench.data()
    with (
        bench.control.met({"calls": {**CREATE, "caller": f"run/{RUN}"}, "when": when, "effect": effect}),
        pytest.raises(RemoteError) as caught,
    ):
        bench.create()
    assert type(caught.value) is meaning
    assert caught.value.message.startswith("creating the tuning job of demo/intents: ")
    assert caught.value.retry_after == (7 if meaning is Retryable else None)
    assert bench.calls()["POST /tuningJobs"] == 1
    assert len(bench.ports.reader.jobs(PROJECT)) == (when == "after")


@pytest.mark.parametrize("case", MEANINGS)
def test_a_create_that_the_messages_have_no_fields_for_fails_alike(store: Bench, case: str) -> None:
    effect, meaning = MEANINGS[case]
    store.data()
    for when in ("before", "after"):
        with (
            store.control.met({"calls": {**CREATE, "caller": f"run/{RUN}"}, "when": when, "effect": effect}),
            pytest.raises(RemoteError) as caught,
        ):
            store.create(replace(TUNING, tuning_mode="TUNING_MODE_PEFT_ADAPTER"))
        assert type(caught.value) is meaning
        assert caught.value.message.startswith("creating the tuning job of demo/intents: ")
        assert caught.value.retry_after == (7 if meaning is Retryable else None)
    assert store.calls()["POST /tuningJobs"] == 2
    assert len(store.ports.reader.jobs(PROJECT)) == 1, "the one that was made before its answer was lost"


def test_an_answer_past_the_deadline_is_ambiguous_for_a_create_and_asked_for_again_by_a_read(
    bench: Bench,
) -> None:
    bench.data()
    quick = connected(bench.emulator.endpoint, bench.transport, deadline=0.5)
    slow = {"kind": "delay", "seconds": 60}
    with (
        bench.control.met({"calls": CREATE, "when": "after", "effect": slow}),
        pytest.raises(Ambiguous, match=r"creating the tuning job"),
    ):
        quick.writer.create_job(TUNING, TUNING.training.uri, {"tuneform-owner": "team"})
    assert bench.calls()["POST /tuningJobs"] == 1
    with bench.control.met({"calls": {"method": "GET", "route": ".../tuningJobs"}, "effect": slow}):
        assert len(quick.reader.jobs(PROJECT)) == 1


READS: dict[str, dict[str, Any]] = {
    "quota": {"kind": "quota", "retry_after": 0.3},
    "internal": status("INTERNAL"),
    "unavailable": status("UNAVAILABLE"),
    "deadline": status("DEADLINE_EXCEEDED"),
    "reset": {"kind": "reset"},
    "malformed": {"kind": "malformed"},
    "another": {"kind": "malformed", "body": "[]"},
}


@pytest.mark.parametrize("case", READS)
def test_reads_and_changes_that_may_be_repeated_are_tried_again(bench: Bench, case: str) -> None:
    bench.data()
    job = bench.ended(bench.create().name)
    before = bench.mark()
    get = {"calls": GET, "effect": READS[case]}
    patch = {
        "calls": {"method": "PATCH", "route": ".../models/{model}"},
        "when": "after",
        "effect": READS[case],
    }
    with bench.control.met(get, patch):
        assert bench.ports.reader.job(job.name) == job
        bench.ports.writer.patch_model(job.model, labels={"a": "b"})
    assert dict(bench.calls(before)) == {"GET /tuningJobs/{job}": 2, "PATCH /models/{model}": 2}
    patched = bench.ports.reader.model(job.model)
    assert patched is not None
    assert patched.labels == {"a": "b"}


def test_a_read_that_is_to_wait_for_long_is_reported_and_a_refusal_is_not_repeated(bench: Bench) -> None:
    name = f"{PROJECT.parent}/tuningJobs/1"
    long = {"kind": "quota", "retry_after": 300}
    with bench.control.met({"calls": GET, "effect": long}), pytest.raises(Retryable) as caught:
        bench.ports.reader.job(name)
    assert caught.value.retry_after == 300
    with (
        bench.control.met({"calls": GET, "effect": {"kind": "permission"}}),
        pytest.raises(Terminal, match="permission"),
    ):
        bench.ports.reader.job(name)
    assert bench.calls()["GET /tuningJobs/{job}"] == 2, "neither was worth another try"


def test_an_endpoint_whose_answer_is_lost_is_not_created_again(bench: Bench) -> None:
    create = {"method": "POST", "route": ".../endpoints"}
    with (
        bench.control.met({"calls": create, "when": "after", "effect": {"kind": "reset"}}),
        pytest.raises(Ambiguous),
    ):
        bench.ports.writer.create_endpoint(ENDPOINT, kms_key=None)
    assert bench.calls()["POST /endpoints"] == 1
    assert bench.ports.reader.endpoint(ENDPOINT.name) == ENDPOINT


def test_a_deployment_is_sent_once(bench: Bench) -> None:
    bench.data()
    job = bench.ended(bench.create().name)
    bench.ports.writer.create_endpoint(ENDPOINT, kms_key=None)
    before = bench.mark()
    for when in ("before", "after"):
        fault = {
            "calls": {"route": ".../endpoints/{endpoint}:deployModel"},
            "when": when,
            "effect": {"kind": "reset"},
        }
        with bench.control.met(fault), pytest.raises(Ambiguous):
            bench.ports.writer.deploy(ENDPOINT.name, job.model, "1", traffic={"0": 100})
    assert bench.calls(before)["POST /endpoints/{endpoint}:deployModel"] == 2
    found = bench.ports.reader.endpoint(ENDPOINT.name)
    assert found is not None
    assert len(found.deployed) == 1
