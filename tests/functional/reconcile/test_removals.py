"""Change and effect, the rows of DESIGN §4 on documents that are renamed or removed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from tests.faults import machine_checks as checks
from tests.faults.machine_documents import Doc, desired
from tests.faults.machine_lab import Calls, Crash, Death, Lab, lab
from tests.faults.stage import quick_steps

from tuneform.reconcile.actions import (
    Action,
    Adopt,
    Cancel,
    Create,
    DeleteObject,
    Later,
    Note,
    PatchModel,
    RemoveEndpoint,
    Retire,
)
from tuneform_emulator.services.vertex.resources import ENDPOINT, MODEL

CHANGING = ("write", "delete", "deploy", "set_traffic", "undeploy", "delete_endpoint", "delete_model")
DOC = Doc("alpha", labels=(("team", "a"),), keep=1)
EDITED = replace(DOC, mark="B")


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with quick_steps():
        yield


@pytest.fixture
def empty() -> Iterator[Lab]:
    with lab() as found:
        yield found


@pytest.fixture
def made(empty: Lab) -> Lab:
    """A lab in which the document serves."""
    assert not empty.apply(DOC).failures
    return empty


def planned(made: Lab, *docs: Doc) -> dict[str, tuple[Action, ...]]:
    """What the plan would do, by item."""
    return {item.key: item.actions for item in made.plan(*docs)[1].changes}


def kinds(actions: tuple[Action, ...]) -> list[type]:
    """The types of actions, those for later as what they will be."""
    return [type(action.action if isinstance(action, Later) else action) for action in actions]


def paid(made: Lab) -> int:
    return len(checks.paid(made.world))


def settled(made: Lab, *docs: Doc) -> None:
    """Apply; then nothing is left to do."""
    assert not made.apply(*docs).failures
    assert planned(made, *docs) == {}
    assert not checks.copies(made.world)


def hold(made: Lab, phase: str = "capacity") -> list[str]:
    """From now on jobs stop at a phase."""
    return made.control.order({"jobs": {"phase": phase, "times": 0}, "effect": {"kind": "stuck"}})


# The document is renamed.


def test_a_rename_with_its_previous_name_carries_the_identity_over(made: Lab) -> None:
    settled(made, EDITED)
    renamed = replace(EDITED, name="beta", previous=("alpha",))

    plan = planned(made, renamed)

    assert kinds(plan["TuningJob beta"]) == [Adopt, PatchModel]
    assert set(plan) == {"TuningJob beta", "TunedModel beta"}
    settled(made, renamed)
    assert paid(made) == 2
    assert renamed.serving.endpoint == DOC.serving.endpoint
    assert made.ask(DOC.serving.endpoint) == "green B"
    back = replace(renamed, mark="A")
    settled(made, back)
    assert paid(made) == 2, "what was kept under the earlier name is adopted too"


def test_a_rename_without_it_is_another_tuning_and_the_old_one_goes(made: Lab) -> None:
    renamed = replace(DOC, name="beta")

    plan = planned(made, renamed)

    assert kinds(plan["TuningJob beta"]) == [Create]
    assert Retire in kinds(plan["TuningJob alpha"])
    settled(made, renamed)
    assert paid(made) == 2
    assert checks.traffic(made.world, "alpha") == ()
    assert made.ask(renamed.serving.endpoint) == "green A"


# The document is removed.


def test_removed_nothing_is_left_but_the_records(made: Lab) -> None:
    settled(made, EDITED)

    plan = planned(made)

    assert kinds(plan["TunedModel alpha"]) == [RemoveEndpoint]
    assert kinds(plan["TuningJob alpha"]) == [Retire, Retire]
    settled(made)
    assert made.world.store.list(ENDPOINT) == []
    assert made.world.store.list(MODEL) == []
    assert len(checks.jobs(made.world)) == 2


def test_removed_the_objects_of_its_dataset_go_too(made: Lab) -> None:
    made.apply()

    assert made.ports.objects.under("gs://demo-data/datasets/") == ()


def test_removed_while_it_runs_the_job_is_cancelled_and_waited_for(empty: Lab) -> None:
    stuck = hold(empty)
    empty.apply(DOC, wait=False)

    actions = planned(empty)["TuningJob alpha"]

    assert kinds(actions)[0] is Cancel
    empty.apply(wait=False)
    empty.control.take_back(*stuck)
    settled(empty)
    assert {job["state"] for job in checks.jobs(empty.world)} == {"JOB_STATE_CANCELLED"}
    assert empty.world.store.list(MODEL) == []


def test_removed_while_a_new_revision_trains_both_go(made: Lab) -> None:
    stuck = hold(made)
    made.apply(EDITED, wait=False)
    made.control.take_back(*stuck)

    settled(made)

    assert made.world.store.list(MODEL) == []
    assert made.world.store.list(ENDPOINT) == []


def test_removed_with_retain_everything_stays_and_serves(made: Lab) -> None:
    kept = replace(DOC, retain=True)
    (action,) = planned(made, kept)["TuningJob alpha"]
    assert isinstance(action, Note)
    settled(made, kept)

    left = planned(made)
    assert {type(action) for actions in left.values() for action in actions} == {DeleteObject}, (
        "the Dataset's"
    )
    settled(made)
    assert made.ask(DOC.serving.endpoint) == "green A"
    assert checks.models(made.world) == {DOC.revision: 1}


def test_added_again_after_it_was_removed_it_is_trained_again(made: Lab) -> None:
    settled(made)

    (create,) = [a for a in planned(made, DOC)["TuningJob alpha"] if isinstance(a, Create)]

    assert create.cause == "retired earlier, asked for again"
    settled(made, DOC)
    assert paid(made) == 2


def test_a_removed_tuned_model_leaves_its_tuning_unserved(made: Lab) -> None:
    unserved = replace(DOC, served=False)

    plan = planned(made, unserved)

    assert kinds(plan["TunedModel alpha"]) == [RemoveEndpoint]
    settled(made, unserved)
    assert checks.models(made.world) == {DOC.revision: 1}
    assert paid(made) == 1
    settled(made, DOC)
    assert made.ask(DOC.serving.endpoint) == "green A"
    assert paid(made) == 1


def test_a_tuning_that_was_never_served_is_retired_when_it_is_removed(empty: Lab) -> None:
    settled(empty, replace(DOC, served=False))

    settled(empty)

    assert empty.world.store.list(MODEL) == []


def test_dataset_objects_live_while_a_kept_revision_needs_them(made: Lab) -> None:
    training = DOC.tuning.training.uri
    settled(made, EDITED)
    assert made.ports.objects.exists(training)

    settled(made, replace(EDITED, keep=0))

    assert not made.ports.objects.exists(training)
    assert made.ports.objects.exists(EDITED.tuning.training.uri)


def test_two_tunings_of_one_recipe_share_their_content_and_nothing_else(empty: Lab) -> None:
    other = replace(DOC, name="beta")
    settled(empty, DOC, other)
    assert paid(empty) == 2

    settled(empty, other)

    assert empty.ports.objects.exists(other.tuning.training.uri)
    assert empty.ask(other.serving.endpoint) == "green A"


@pytest.mark.parametrize("call", range(1, 12))
def test_a_run_for_one_document_that_dies_while_it_retires_leaves_nothing_over(made: Lab, call: int) -> None:
    """Such a run, a provider's, sees the one document only: nobody else tidies after it."""
    kept = replace(EDITED, keep=0)
    wanted = desired([kept], whole=False)
    assert not made.run(replace(wanted, servings=())).failures
    calls = Calls(Death(call, "after", only=CHANGING))
    with suppress(Crash):
        made.run(wanted, ports=made.ports_of(calls))

    assert not made.run(wanted).failures

    assert not made.ports.objects.exists(DOC.tuning.training.uri)
    assert checks.models(made.world) == {kept.revision: 1}
