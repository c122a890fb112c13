"""Reader and Writer, the whole contract, over both transports."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from tests.functional.platforms.kit import (
    BUCKET,
    HOLDER,
    ID,
    LABELS,
    PATIENCE,
    PROJECT,
    RUN,
    TRAINING,
    TUNING,
    Bench,
    with_validation,
)

from tuneform.errors import AlreadyExists, Terminal
from tuneform.reconcile.live import Curves, Endpoint, Job, JobState

PLACE = PROJECT.parent
ENDPOINT = Endpoint(f"{PLACE}/endpoints/intents", "Intents", "What it is for", {"tuneform-owner": "team"})
QUESTION = {"contents": [{"role": "user", "parts": [{"text": "say green please 3"}]}]}


def test_a_job_is_created_as_asked_and_read_back_whole(bench: Bench) -> None:
    bench.data()
    asked = with_validation(TUNING)
    asked = replace(asked, export_last_checkpoint_only=True)
    created = bench.create(asked)
    assert created.name.startswith(f"projects/{ID}/"), "one spelling of the project, the id"
    assert (created.labels, created.revision, created.attempt) == (LABELS, "r1-0123456789abcdef", 2)
    assert (created.base_model, created.training_uri, created.validation_uri) == (
        "gemini-2.5-flash",
        TRAINING,
        TRAINING,
    )
    assert (created.epochs, created.adapter_size, created.learning_rate_multiplier) == (
        2,
        "ADAPTER_SIZE_EIGHT",
        1.0,
    )
    assert (created.last_checkpoint_only, created.display_name, created.description) == (
        True,
        "Intents",
        "What it is for",
    )
    ended = bench.ended(created.name)
    assert ended.state is JobState.SUCCEEDED
    assert ended.model.startswith(f"{PLACE}/models/")
    assert (ended.checkpoints, ended.endpoint.startswith(f"{PLACE}/endpoints/")) == ((), True)
    assert ended.ended is not None
    assert ended.created is not None
    assert ended.ended > ended.created
    assert bench.ports.reader.jobs(PROJECT) == (ended,), "a list shows what a read does"
    assert [model.name for model in bench.ports.reader.models(PROJECT)] == [ended.model.partition("@")[0]]


def test_a_job_that_is_waited_for_shows_its_sub_state_and_a_list_does_not(bench: Bench) -> None:
    bench.data()
    stuck = {"jobs": {"phase": "capacity"}, "effect": {"kind": "stuck"}}
    with bench.control.met(stuck):
        name = bench.create().name
        until = time.monotonic() + PATIENCE
        while bench.control.unmet():
            assert time.monotonic() < until
        found = bench.ports.reader.job(name)
        assert found is not None
        assert (found.state, found.substate) == (JobState.RUNNING, "WAITING_FOR_CAPACITY")
        assert [job.substate for job in bench.ports.reader.jobs(PROJECT)] == [""]
        with bench.control.met(
            {"calls": {"path": "/v1beta1/", "times": 1}, "effect": {"kind": "status", "status": "INTERNAL"}}
        ):
            blind = bench.ports.reader.job(name)
        assert blind is not None
        assert (blind.state, blind.substate) == (JobState.RUNNING, ""), (
            "it is for people: no error comes of it"
        )
        bench.ports.writer.cancel_job(name)
        assert bench.ended(name).state is JobState.CANCELLED
        bench.ports.writer.cancel_job(name)


def test_what_is_not_there_is_none_or_left_alone(bench: Bench) -> None:
    reader, writer = bench.ports.reader, bench.ports.writer
    assert reader.job(f"{PLACE}/tuningJobs/1") is None
    assert reader.model(f"{PLACE}/models/1") is None
    assert reader.model(f"{PLACE}/models/1@1") is None
    assert reader.endpoint(ENDPOINT.name) is None
    assert reader.curves(Job(f"{PLACE}/tuningJobs/1", JobState.QUEUED, {})) == Curves()
    gone = f"{PLACE}/metadataStores/default/contexts/gone"
    assert reader.curves(Job(f"{PLACE}/tuningJobs/1", JobState.QUEUED, {}, experiment=gone)) == Curves()
    writer.delete_model(f"{PLACE}/models/1@1")
    writer.delete_endpoint(ENDPOINT.name)


def test_an_endpoint_from_its_creation_to_its_end(bench: Bench) -> None:
    bench.data()
    reader, writer = bench.ports.reader, bench.ports.writer
    job = bench.ended(bench.create().name)
    writer.create_endpoint(ENDPOINT, kms_key=None)
    with pytest.raises(AlreadyExists):
        writer.create_endpoint(ENDPOINT, kms_key=None)
    assert reader.endpoint(ENDPOINT.name) == ENDPOINT

    last = job.checkpoints[-1].id
    deployed = writer.deploy(ENDPOINT.name, job.model, last, traffic={"0": 100})
    found = reader.endpoint(ENDPOINT.name)
    assert found is not None
    assert found.serves(job.model, last)
    assert found.deployed[0].id == deployed
    assert writer.ask(ENDPOINT.name, QUESTION) == "green"
    assert writer.ask(job.checkpoints[0].endpoint, QUESTION) in {"red", "green", "blue"}

    other = writer.deploy(ENDPOINT.name, job.model, job.checkpoints[0].id, traffic={deployed: 100})
    writer.set_traffic(ENDPOINT.name, {deployed: 0, other: 100})
    found = reader.endpoint(ENDPOINT.name)
    assert found is not None
    assert {d.id: d.traffic for d in found.deployed} == {deployed: 0, other: 100}
    with pytest.raises(Terminal):
        writer.delete_endpoint(ENDPOINT.name)
    writer.undeploy(ENDPOINT.name, deployed)
    writer.undeploy(ENDPOINT.name, deployed)
    changed = replace(ENDPOINT, display_name="New", description="", labels={"tuneform-owner": "x"})
    writer.patch_endpoint(changed)
    found = reader.endpoint(ENDPOINT.name)
    assert found is not None
    assert replace(found, deployed=()) == changed
    assert found in reader.endpoints(PROJECT)
    writer.set_traffic(ENDPOINT.name, {other: 100})
    writer.undeploy(ENDPOINT.name, other)
    writer.delete_endpoint(ENDPOINT.name)
    assert reader.endpoint(ENDPOINT.name) is None


def test_a_model_is_patched_and_deleted_by_its_name_with_a_version(bench: Bench) -> None:
    bench.data()
    reader, writer = bench.ports.reader, bench.ports.writer
    job = bench.ended(bench.create().name)
    before = reader.model(job.model)
    assert before is not None
    writer.patch_model(job.model, labels={"a": "b"})
    patched = reader.model(job.model)
    assert patched == replace(before, labels={"a": "b"})
    writer.patch_model(job.model, labels={}, display_name="New", description="Why")
    patched = reader.model(job.model)
    assert patched == replace(before, labels={}, display_name="New", description="Why")
    with pytest.raises(Terminal, match="deployed"):
        writer.delete_model(job.model)
    for checkpoint in job.checkpoints:
        endpoint = reader.endpoint(checkpoint.endpoint)
        assert endpoint is not None
        for d in endpoint.deployed:
            writer.undeploy(endpoint.name, d.id)
        writer.delete_endpoint(endpoint.name)
    writer.delete_model(job.model)
    assert reader.model(job.model) is None
    assert reader.models(PROJECT) == ()


def test_curves_cost_one_call_once_their_place_is_known(bench: Bench) -> None:
    bench.data()
    job = bench.ended(bench.create(with_validation(TUNING)).name)
    before = bench.mark()
    first = bench.ports.reader.curves(job)
    assert len(first.train_loss) == job.steps == len(first.train_accuracy)
    assert len(first.eval_loss) == len(first.eval_accuracy) > 0
    assert sum(bench.calls(before).values()) == 4
    before = bench.mark()
    assert bench.ports.reader.curves(job) == first
    assert dict(bench.calls(before)) == {"GET /tensorboards/{tensorboard}:batchRead": 1}


def test_every_call_says_which_run_it_is_of(bench: Bench) -> None:
    bench.data()
    before = bench.mark()
    job = bench.create()
    bench.ports.reader.curves(bench.ended(job.name))
    bench.ports.reader.models(PROJECT)
    bench.ports.objects.put(f"gs://{BUCKET}/x", b"x", "sha256:x", "test/demo")
    bench.ports.ledger.now()
    bench.ports.writer.create_endpoint(ENDPOINT, kms_key=None)
    strangers = [
        call for call in bench.control.log(before) if call.run != RUN and "_emulator" not in call.path
    ]
    assert strangers == []
    assert bench.ports.holder == HOLDER
