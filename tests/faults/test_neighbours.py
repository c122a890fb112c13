"""A project full of what is not ours: a full life beside it leaves every stored document of it as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.faults import machine_checks as checks
from tests.faults import machine_neighbours as neighbours
from tests.faults.machine_documents import BUCKET, PROJECT, Doc, digest, training
from tests.faults.machine_lab import Death, Lab, lab

from tuneform.reconcile.ledger import Record, Versioned
from tuneform.reconcile.live import Endpoint
from tuneform_emulator.services.vertex.resources import ENDPOINT, JOB, MODEL

DOC = Doc("alpha", keep=0)
OTHERS = {
    "no labels": {"kind": "foreign"},
    "another owner": neighbours.labels_like(DOC, neighbours.OTHERS),
    "an empty owner": neighbours.labels_like(DOC, ""),
    "a name alone": {"tuneform-name": DOC.name, "kind": "foreign"},
    "a revision alone": {"tuneform-revision": DOC.revision, "tuneform-attempt": "1", "kind": "foreign"},
    "an owner alone": {"tuneform-owner": PROJECT.owner, "kind": "foreign"},
}
"""Labels of jobs, models and endpoints that are not ours, by what they are like."""
STRANGE = {
    "no revision": {"tuneform-owner": PROJECT.owner, "tuneform-name": DOC.name, "kind": "foreign"},
    "an unknown form": {**neighbours.labels_like(DOC, PROJECT.owner), "tuneform-revision": "r9-strange"},
    "an empty revision": {**neighbours.labels_like(DOC, PROJECT.owner), "tuneform-revision": ""},
    "an attempt that is no number": {
        **neighbours.labels_like(DOC, PROJECT.owner),
        "tuneform-revision": "strange",
        "tuneform-attempt": "many",
    },
}
"""Labels with our keys and values that we never write."""


@pytest.fixture
def made() -> Iterator[Lab]:
    with lab() as found:
        neighbours.settle(found, DOC)
        yield found


def everything(made: Lab) -> dict[str, str]:
    """All that is foreign, as it is stored, byte for byte."""
    return {
        name: json.dumps(document, sort_keys=True) for name, document in checks.foreign(made.world).items()
    }


def live_a_full_life(made: Lab) -> None:
    """Applied, edited, rolled back, killed on the way, promoted and retired, removed."""
    edited = replace(DOC, mark="B", labels=(("team", "b"),))
    for doc in (DOC, edited, DOC):
        assert not made.apply(doc).failures
    made.dies(Death(30), edited)
    assert not made.apply(edited).failures
    made.apply(replace(DOC, mark="C"), wait=False)
    assert not made.apply().failures
    assert checks.models(made.world).total() == 0 or not _ours(made)


def _ours(made: Lab) -> list[str]:
    return [
        name
        for kind in (MODEL, ENDPOINT)
        for name, document in made.world.store.list(kind)
        if "foreign" not in json.dumps(document)
    ]


@pytest.mark.parametrize("labels", OTHERS.values(), ids=OTHERS)
def test_what_is_not_ours_is_left_as_it_is(made: Lab, labels: dict[str, str]) -> None:
    job = neighbours.trained(made, labels)
    neighbours.serve(made, job, "foreign-two", labels)
    hold = made.control.order(
        {"jobs": {"phase": "queued", "times": 0, "name": "foreign"}, "effect": {"kind": "stuck"}}
    )
    neighbours.started(made, labels)
    before = everything(made)

    live_a_full_life(made)

    assert everything(made) == before
    assert not _ours(made)
    made.control.take_back(*hold)


@pytest.mark.parametrize("labels", STRANGE.values(), ids=STRANGE)
def test_labels_of_ours_with_values_that_we_never_write_are_not_ours(
    made: Lab, labels: dict[str, str]
) -> None:
    neighbours.trained(made, labels)
    before = everything(made)

    live_a_full_life(made)

    assert everything(made) == before


@pytest.mark.parametrize(
    "labels",
    [neighbours.labels_like(DOC, neighbours.OTHERS), {"kind": "foreign"}, {}],
    ids=["of another owner", "of nobody", "without labels"],
)
def test_an_endpoint_id_that_others_have_is_a_clear_error(made: Lab, labels: dict[str, str]) -> None:
    name = DOC.serving.endpoint
    made.ports.writer.create_endpoint(Endpoint(name, "foreign", "foreign", labels), kms_key=None)
    before = everything(made)

    (failure,) = made.apply(DOC).failures

    assert failure.item.key == "TunedModel alpha"
    assert name in failure.error.message
    assert "not owned by 'team'" in failure.error.message
    assert failure.error.remedy == "choose another metadata.name, or remove that endpoint"
    made.apply()
    assert everything(made) == before


def test_an_endpoint_that_others_take_between_plan_and_apply_is_left_alone(made: Lab) -> None:
    taken: list[bool] = []

    def take() -> None:
        if not taken:
            taken.append(True)
            theirs = Endpoint(DOC.serving.endpoint, "foreign", "foreign", {"tuneform-owner": "others"})
            made.ports.writer.create_endpoint(theirs, kms_key=None)

    (failure,) = made.apply(DOC, ports=made.ports_of(before_wait=take)).failures

    assert "not owned by 'team'" in failure.error.message
    assert [d["displayName"] for d in _endpoints_named(made, "alpha")] == ["foreign"]


def _endpoints_named(made: Lab, identifier: str) -> list[dict[str, str]]:
    return [
        document["resource"]
        for name, document in made.world.store.list(ENDPOINT)
        if name.endswith(f"/endpoints/{identifier}")
    ]


def test_the_ledger_of_another_project_in_the_same_bucket_is_left_alone(made: Lab) -> None:
    theirs = replace(PROJECT, name="elsewhere")
    record = Record("elsewhere", DOC.name, DOC.revision, {}, training="gs://foreign/training.jsonl")
    made.ports.ledger.write(theirs, Versioned(record))
    before = everything(made)
    assert any("ledger/elsewhere" in name for name in before)

    live_a_full_life(made)

    assert everything(made) == before


def test_objects_that_we_did_not_write_stay_beside_ours(made: Lab) -> None:
    mine = f"{BUCKET}/datasets/colours/foreign.jsonl"
    assert any(mine in name for name in everything(made))

    live_a_full_life(made)

    assert any(mine in name for name in everything(made))


@pytest.mark.parametrize("folder", ["theirs", "colours"])
@pytest.mark.parametrize("note", ["another-owner/demo", "test/another-project"])
def test_content_that_others_uploaded_into_the_same_bucket_stays(made: Lab, folder: str, note: str) -> None:
    """Whatever folder it lies in."""
    assert note != PROJECT.note
    data = training("B")
    theirs = f"gs://{BUCKET}/datasets/{folder}/{digest(data).removeprefix('sha256:')}.jsonl"
    made.ports.objects.put(theirs, data, digest(data), note)

    assert not made.apply(DOC).failures
    assert not made.apply().failures

    assert made.ports.objects.exists(theirs)


def test_a_plan_does_not_speak_of_what_is_not_ours(made: Lab) -> None:
    _, plan = made.plan()

    assert plan.changes == ()


def test_two_owners_apply_the_same_documents_side_by_side(made: Lab) -> None:
    """Same names, same recipe: each has a job of its own, and neither sees the other's."""
    assert not made.apply(replace(DOC, pointer=True)).failures

    jobs = [document["resource"]["labels"] for _, document in made.world.store.list(JOB)]
    assert sorted(labels["tuneform-owner"] for labels in jobs) == ["others", "team"]
    assert {labels["tuneform-revision"] for labels in jobs} == {DOC.revision}
