"""Drift: what somebody else changed is shown with the first field that differs, and repaired or explained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.faults import machine_checks as checks
from tests.faults.machine_documents import PROJECT, Doc, contents_of
from tests.faults.machine_lab import Lab, lab
from tests.faults.machine_meddling import meddle
from tests.faults.stage import quick_steps

from tuneform.reconcile.actions import (
    Action,
    Adopt,
    Blocked,
    Create,
    CreateEndpoint,
    PatchEndpoint,
    PatchModel,
    Promote,
    Upload,
    explain,
)

DOC = Doc("alpha", labels=(("team", "a"),), description="colours")


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with quick_steps():
        yield


@pytest.fixture
def made() -> Iterator[Lab]:
    """A lab in which the document serves."""
    with lab() as found:
        assert not found.apply(DOC).failures
        yield found


def planned(made: Lab, *docs: Doc) -> dict[str, tuple[Action, ...]]:
    """What the plan would do, by item."""
    return {item.key: item.actions for item in made.plan(*docs)[1].changes}


def repaired(made: Lab, *docs: Doc) -> None:
    """Apply does something and nothing is left to do; the name answers, and one job was paid for."""
    outcome = made.apply(*docs)
    assert outcome.done
    assert not outcome.failures
    assert planned(made, *docs) == {}
    assert len(checks.paid(made.world)) == len(docs)
    assert made.ask(docs[0].serving.endpoint) == "green A"


def model(made: Lab) -> Any:
    """The live model."""
    (job,) = made.ports.reader.jobs(PROJECT, DOC.name)
    found = made.ports.reader.model(job.model)
    assert found is not None
    return found


def endpoint(made: Lab) -> Any:
    """The live serving endpoint."""
    found = made.ports.reader.endpoint(DOC.serving.endpoint)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        ({"team": "b"}, "labels.team b → a"),
        ({"team": None}, "labels.team = a"),
        ({"extra": "x"}, "labels.extra removed (was x)"),
        ({"tuneform-name": "other"}, "labels.tuneform-name other → alpha"),
    ],
    ids=["changed", "removed", "added", "our own"],
)
def test_labels_of_a_model_are_put_back(made: Lab, labels: dict[str, str | None], shown: str) -> None:
    live = model(made)
    changed = {k: v for k, v in {**live.labels, **labels}.items() if v is not None}
    made.ports.writer.patch_model(live.name, labels=changed)

    ((action,),) = planned(made, DOC).values()

    assert isinstance(action, PatchModel)
    assert [str(change) for change in action.changes] == [shown]
    repaired(made, DOC)
    assert model(made).labels == live.labels


def test_the_display_name_and_description_of_a_model_are_put_back(made: Lab) -> None:
    live = model(made)
    made.ports.writer.patch_model(live.name, labels=live.labels, display_name="mine", description="mine")

    ((action,),) = planned(made, DOC).values()

    assert isinstance(action, PatchModel)
    assert [str(change) for change in action.changes] == [
        "displayName mine → alpha",
        "description mine → colours",
    ]
    repaired(made, DOC)


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        ({"team": "b"}, "labels.team b → a"),
        ({"extra": "x"}, "labels.extra removed (was x)"),
        ({"tuneform-name": None}, "labels.tuneform-name = alpha"),
        ({"tuneform-owner": None}, "labels.tuneform-owner = team"),
    ],
    ids=["changed", "added", "our name", "our owner"],
)
def test_labels_of_the_endpoint_are_put_back(made: Lab, labels: dict[str, str | None], shown: str) -> None:
    live = endpoint(made)
    changed = {k: v for k, v in {**live.labels, **labels}.items() if v is not None}
    made.ports.writer.patch_endpoint(replace(live, labels=changed))

    ((action,),) = planned(made, DOC).values()

    assert isinstance(action, PatchEndpoint)
    assert [str(change) for change in action.changes] == [shown]
    repaired(made, DOC)
    assert endpoint(made).labels == live.labels


def test_an_endpoint_that_was_given_to_another_owner_is_left_to_them(made: Lab) -> None:
    live = endpoint(made)
    made.ports.writer.patch_endpoint(replace(live, labels={**live.labels, "tuneform-owner": "others"}))

    ((action,),) = planned(made, DOC).values()

    assert isinstance(action, Blocked)
    assert "not owned by 'team'" in action.reason
    made.apply(DOC)
    assert endpoint(made).labels["tuneform-owner"] == "others"


def test_the_display_name_and_description_of_the_endpoint_are_put_back(made: Lab) -> None:
    made.ports.writer.patch_endpoint(replace(endpoint(made), display_name="mine", description="mine"))

    ((action,),) = planned(made, DOC).values()

    assert isinstance(action, PatchEndpoint)
    assert [str(change) for change in action.changes] == [
        "displayName mine → alpha",
        "description mine → colours",
    ]
    repaired(made, DOC)


def promotion(made: Lab) -> Promote:
    """The promotion that the plan holds."""
    (found,) = [action for action in planned(made, DOC)["TunedModel alpha"] if isinstance(action, Promote)]
    return found


def test_traffic_that_somebody_split_is_put_back(made: Lab) -> None:
    (before,) = endpoint(made).deployed
    meddle(made, DOC, "another deployed")

    assert promotion(made).reason.startswith("drift: trafficSplit.")
    assert promotion(made).reason.endswith(" 50 → 100")
    repaired(made, DOC)
    assert [(d.model, d.traffic) for d in endpoint(made).deployed] == [(before.model, 100)]


def test_something_deployed_beside_what_serves_is_taken_off(made: Lab) -> None:
    (present,) = endpoint(made).deployed
    name = f"{present.model}@{present.version}"
    new = made.ports.writer.deploy(DOC.serving.endpoint, name, present.checkpoint, traffic={present.id: 100})

    model_id = present.model.rpartition("/")[2]
    assert promotion(made).reason == f"drift: deployedModels: {model_id} is deployed too, as {new}"
    repaired(made, DOC)
    assert [d.id for d in endpoint(made).deployed] == [present.id]


def test_a_model_that_was_undeployed_is_deployed_again(made: Lab) -> None:
    (present,) = endpoint(made).deployed
    meddle(made, DOC, "undeployed")

    model_id = f"{present.model.rpartition('/')[2]}@{present.version}"
    reason = f"drift: deployedModels: {model_id}, checkpoint {present.checkpoint}, is not among them any more"
    assert promotion(made).reason == reason
    repaired(made, DOC)


def test_a_deleted_endpoint_is_made_again_under_its_name(made: Lab) -> None:
    meddle(made, DOC, "endpoint deleted")

    actions = planned(made, DOC)["TunedModel alpha"]

    assert actions[0] == CreateEndpoint(DOC.serving.endpoint)
    assert promotion(made).reason == f"drift: {DOC.serving.endpoint} was deleted by someone else"
    repaired(made, DOC)


def test_a_deleted_model_is_explained_and_not_paid_for_again(made: Lab) -> None:
    meddle(made, DOC, "model deleted")
    made.clock.advance(300)

    (action,) = planned(made, DOC)["TuningJob alpha"]

    assert isinstance(action, Blocked)
    assert action.reason == f"the model of {DOC.revision} was deleted by someone else"
    assert "onModelLost: retrain" in action.remedy
    (failure, *_) = made.apply(DOC).failures
    assert failure.error.message == action.reason
    assert len(checks.paid(made.world)) == 1


def test_a_deleted_model_is_trained_again_where_the_spec_says_so(made: Lab) -> None:
    meddle(made, DOC, "model deleted")
    made.clock.advance(300)
    doc = replace(DOC, retrain=True)

    (action,) = [a for a in planned(made, doc)["TuningJob alpha"] if isinstance(a, Create)]

    assert (action.attempt, action.lost) == (2, True)
    assert action.cause == "its model was deleted by someone else, and onModelLost is retrain"
    assert not made.apply(doc).failures
    assert planned(made, doc) == {}
    assert made.ask(DOC.serving.endpoint) == "green A"
    assert len(checks.paid(made.world)) == 2
    assert made.apply(doc).done == ()


@pytest.mark.parametrize("retrain", [True, False])
def test_a_model_that_is_deleted_before_anybody_saw_its_job_end_is_lost_too(made: Lab, retrain: bool) -> None:
    edited = replace(DOC, mark="B", retrain=retrain)
    stuck = made.control.order({"jobs": {"phase": "capacity", "times": 0}, "effect": {"kind": "stuck"}})
    made.apply(edited, wait=False)
    made.control.take_back(*stuck)
    while any(job["state"] not in checks.ENDED for job in checks.jobs(made.world)):
        made.ports.clock.wait(1)
    meddle(made, edited, "model deleted")
    made.clock.advance(300)

    outcome = made.apply(edited)

    assert [f.error.message for f in outcome.failures if retrain] == []
    assert retrain or "was deleted by someone else" in outcome.failures[0].error.message
    assert made.ask(DOC.serving.endpoint) == f"green {'B' if retrain else 'A'}"
    assert len(checks.paid(made.world)) == (3 if retrain else 2)


def test_a_deleted_model_of_an_earlier_revision_is_no_drift_until_it_is_asked_for(made: Lab) -> None:
    edited = replace(DOC, mark="B")
    assert not made.apply(edited).failures
    meddle(made, DOC, "model deleted")
    made.clock.advance(300)

    assert planned(made, edited) == {}
    (action,) = planned(made, DOC)["TuningJob alpha"]
    assert isinstance(action, Blocked)
    assert "was deleted by someone else" in action.reason


def test_a_job_that_somebody_cancelled_is_explained_and_not_begun_again(made: Lab) -> None:
    edited = replace(DOC, mark="B")
    stuck = made.control.order({"jobs": {"phase": "capacity", "times": 0}, "effect": {"kind": "stuck"}})
    made.apply(edited, wait=False)
    meddle(made, edited, "job cancelled")
    made.control.take_back(*stuck)

    (failure, *_) = made.apply(edited).failures

    assert "was cancelled, and a cancelled model is never promoted" in failure.error.message
    assert "epochCount" in failure.error.remedy
    (action,) = [a for a in planned(made, edited)["TuningJob alpha"] if isinstance(a, Blocked)]
    assert action.reason == failure.error.message
    assert made.ask(DOC.serving.endpoint) == "green A"
    assert len(checks.jobs(made.world)) == 2


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("content replaced", "someone replaced the object"),
        ("content deleted", "it is not in the bucket"),
    ],
)
def test_dataset_objects_are_put_back(made: Lab, how: str, reason: str) -> None:
    meddle(made, DOC, how)
    training = contents_of(DOC)[0]

    uploads = [a for actions in planned(made, DOC).values() for a in actions]

    assert Upload(training, reason) in uploads
    assert all(isinstance(action, Upload) for action in uploads)
    repaired(made, DOC)
    assert made.ports.objects.read(training.uri).count(b"\n") == training.examples


def test_a_pointer_that_was_deleted_is_put_back(made: Lab) -> None:
    doc = replace(DOC, name="beta", pointer=True, mark="B")
    assert not made.apply(DOC, doc).failures
    before = checks.pointers(made.world)["beta"]
    meddle(made, doc, "pointer deleted")

    (action,) = planned(made, DOC, doc)["TunedModel beta"]

    assert isinstance(action, Promote)
    assert action.reason == "drift: the pointer was moved or deleted by someone else"
    repaired(made, DOC, doc)
    assert checks.pointers(made.world)["beta"] == before


def test_a_pointer_that_was_moved_is_put_back(made: Lab) -> None:
    doc = replace(DOC, name="beta", pointer=True, mark="B")
    assert not made.apply(DOC, doc).failures
    (pointer,) = made.ports.ledger.pointers(PROJECT)
    made.ports.ledger.point(PROJECT, replace(pointer, endpoint=DOC.serving.endpoint, model="projects/x"))

    (action,) = planned(made, DOC, doc)["TunedModel beta"]

    assert isinstance(action, Promote)
    assert action.reason == "drift: the pointer was moved or deleted by someone else"
    repaired(made, DOC, doc)
    assert checks.pointers(made.world)["beta"]["endpoint"] == pointer.endpoint


def test_a_pointer_of_which_only_the_endpoint_was_moved_is_put_back(made: Lab) -> None:
    doc = replace(DOC, name="beta", pointer=True, mark="B")
    assert not made.apply(DOC, doc).failures
    (pointer,) = made.ports.ledger.pointers(PROJECT)
    made.ports.ledger.point(PROJECT, replace(pointer, endpoint=DOC.serving.endpoint))

    repaired(made, DOC, doc)
    assert checks.pointers(made.world)["beta"]["endpoint"] == pointer.endpoint


@pytest.mark.parametrize("what", ["undeployed", "deleted"])
def test_an_endpoint_that_is_pointed_to_and_answers_no_more_is_explained(made: Lab, what: str) -> None:
    doc = replace(DOC, name="beta", pointer=True, mark="B")
    assert not made.apply(DOC, doc).failures
    (pointer,) = made.ports.ledger.pointers(PROJECT)
    live = made.ports.reader.endpoint(pointer.endpoint)
    assert live is not None
    for deployed in live.deployed:
        made.ports.writer.undeploy(live.name, deployed.id)
    if what == "deleted":
        made.ports.writer.delete_endpoint(live.name)

    (blocked,) = planned(made, DOC, doc)["TunedModel beta"]

    assert isinstance(blocked, Blocked)
    assert live.name in blocked.reason
    (failure,) = made.apply(DOC, doc).failures
    assert failure.item.key == "TunedModel beta"
    edited = replace(doc, mark="C")
    (later,) = planned(made, DOC, edited)["TunedModel beta"]
    assert "nothing serves until then" in explain(later)
    assert not made.apply(DOC, edited).failures
    assert planned(made, DOC, edited) == {}


def test_a_deleted_record_is_adopted_from_what_is_live(made: Lab) -> None:
    meddle(made, DOC, "record deleted")

    actions = planned(made, DOC)["TuningJob alpha"]

    assert isinstance(actions[0], Adopt)
    assert not any(isinstance(action, Create) for action in actions)
    repaired(made, DOC)


def test_drift_is_repaired_while_a_new_revision_is_trained(made: Lab) -> None:
    """What was promoted last is put back without a gate: it has passed."""
    edited = replace(DOC, mark="B")
    stuck = made.control.order({"jobs": {"phase": "capacity", "times": 0}, "effect": {"kind": "stuck"}})
    made.apply(edited, wait=False)
    meddle(made, DOC, "undeployed")

    (action,) = [a for a in planned(made, edited)["TunedModel alpha"] if isinstance(a, Promote)]

    assert action.reason.startswith("put back, drift: deployedModels: ")
    assert not action.gated
    made.apply(edited, wait=False)
    assert made.ask(DOC.serving.endpoint) == "green A"
    made.control.take_back(*stuck)
    assert not made.apply(edited).failures
    assert made.ask(DOC.serving.endpoint) == "green B"


def test_a_model_that_lost_its_labels_says_again_which_attempt_it_is_of(made: Lab) -> None:
    live = model(made)
    made.ports.writer.patch_model(live.name, labels={})

    repaired(made, DOC)

    ours = {key: value for key, value in live.labels.items() if key.startswith("tuneform-")}
    assert len(ours) == 4
    assert ours.items() <= model(made).labels.items()
