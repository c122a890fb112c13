from __future__ import annotations

from typing import Any

import pytest
from tests.unit.entrypoints.provider.world import CONTENT, PROJECT_JSON, Live, call
from tests.unit.reconcile.builders import MODEL, PROJECT, REVISION, job, model, record

from tuneform.entrypoints.provider.resources.tuned_model import TunedModelResource, serving_of
from tuneform.entrypoints.provider.wire import UNKNOWN
from tuneform.reconcile.desired import Content, Gate
from tuneform.reconcile.ledger import AttemptState
from tuneform.reconcile.live import Deployed, Endpoint, JobState

RESOURCE = TunedModelResource()
INPUTS = {
    "project": PROJECT_JSON,
    "name": "intents",
    "job": "intents",
    "revision": REVISION,
    "model": MODEL,
}
NAME = f"{PROJECT.serving_parent}/endpoints/intents"
OUTPUTS = {"state": "SERVING", "endpoint": NAME, "revision": REVISION, "model": MODEL}


def live(checkpoint: str = "4", **fields: Any) -> Live:
    deployed = (Deployed("1", MODEL.partition("@")[0], "1", checkpoint, 100),) if checkpoint else ()
    labels = {"tuneform-owner": "team", "tuneform-name": "intents"}
    endpoint = Endpoint(NAME, "intents", "", labels, deployed)
    world = {"found": (job(),), "models": {MODEL: model()}, "endpoints": {NAME: endpoint}}
    return Live(**{**world, "records": (record(AttemptState.SUCCEEDED),), **fields})


def differences(world: Live, held: dict[str, Any] | None = None, **changes: Any) -> dict[str, bool]:
    outputs = OUTPUTS if held is None else held
    asked, _ = call(world, {**INPUTS, **changes}, old_inputs=INPUTS, outputs=outputs)
    return dict(RESOURCE.differences(asked))


def test_inputs_are_the_serving_that_the_core_knows() -> None:
    gate = {"exactMatch": {"atLeast": 0.8, "examples": 50}, "evalLoss": {"atMost": 1}}
    serving = serving_of({**INPUTS, "gate": gate, "test": CONTENT, "checkpoint": 3, "keep": 0})
    assert serving.gate == Gate(0.8, 50, 1, None)
    assert isinstance(serving.test, Content)
    assert (serving.checkpoint, serving.keep, serving.endpoint) == (3, 0, NAME)


def test_what_serves_as_it_should_is_no_difference() -> None:
    assert differences(live()) == {}


def test_a_gate_that_changes_no_traffic_is_no_difference() -> None:
    assert differences(live(), gate={"evalLoss": {"atMost": 9}}) == {}


def test_another_checkpoint_is_a_difference() -> None:
    assert differences(live(), checkpoint=2) == {"checkpoint": True}


def test_traffic_that_somebody_moved_is_a_difference_of_the_world() -> None:
    assert differences(live(checkpoint="1")) == {"state": False}


def test_an_endpoint_that_is_gone_is_a_difference_of_the_world() -> None:
    assert differences(live(endpoints={})) == {"state": False}


def test_a_promotion_that_was_pending_is_looked_at_again() -> None:
    waiting = live(found=(job(JobState.RUNNING),), checkpoint="")
    held = {"state": "PENDING", "endpoint": NAME}
    assert differences(waiting, held, model=None) == {"model": True}
    assert differences(live(), held) == {"state": False}


def test_a_revision_that_is_still_to_be_trained_is_promoted_later() -> None:
    assert differences(live(), model=UNKNOWN) == {"model": True}
    asked, session = call(live(), {**INPUTS, "revision": "r1-new", "model": UNKNOWN}, outputs=OUTPUTS)
    foreseen = RESOURCE.foresee(asked)
    assert (foreseen["endpoint"], foreseen["revision"], foreseen["model"]) == (NAME, "r1-new", UNKNOWN)
    assert session.said == [
        "promotes the new revision once it has succeeded and passed its gate; the old one serves until then"
    ]
    at_first, session = call(Live(), {**INPUTS, "revision": "r1-new", "model": UNKNOWN})
    RESOURCE.foresee(at_first)
    assert session.said == ["promotes the new revision once it has succeeded and passed its gate"]


def test_a_preview_of_a_promotion_names_the_checkpoint() -> None:
    asked, session = call(live(checkpoint=""), INPUTS)
    foreseen = RESOURCE.foresee(asked)
    assert foreseen["checkpoint"] == {"id": "4", "epoch": 4, "step": 40}
    assert foreseen["gates"] is UNKNOWN
    assert session.said == [f"promotes {REVISION}, checkpoint 4: nothing serves yet"]


def test_a_refresh_shows_what_serves_instead() -> None:
    for world, state in (
        (live(), "SERVING"),
        (live(checkpoint="1"), "DRIFTED"),
        (live(endpoints={}), "MISSING"),
    ):
        asked, _ = call(world, INPUTS, outputs=OUTPUTS)
        looked = RESOURCE.look(asked)
        assert looked is not None
        assert (looked["state"], looked["endpoint"]) == (state, NAME)


def test_without_endpoint_job_and_record_it_is_gone() -> None:
    asked, _ = call(Live(), INPUTS, outputs=OUTPUTS)
    assert RESOURCE.look(asked) is None


@pytest.mark.parametrize("checkpoint", ["first", 0, True])
def test_a_checkpoint_that_is_none_is_refused(checkpoint: Any) -> None:
    asked, _ = call(Live(), {**INPUTS, "checkpoint": checkpoint})
    (failure,) = RESOURCE.flaws(asked)
    assert failure.path == "checkpoint"


def test_after_a_failure_what_served_before_is_kept() -> None:
    asked, _ = call(live(), INPUTS, outputs=OUTPUTS)
    assert RESOURCE.salvage(asked) == OUTPUTS


def test_before_the_first_promotion_nothing_is_said_to_serve() -> None:
    waiting = live(found=(job(JobState.RUNNING),), endpoints={})
    asked, _ = call(waiting, {**INPUTS, "model": None})
    outputs = RESOURCE.apply(asked)
    assert (outputs["state"], outputs["endpoint"], outputs["revision"]) == ("PENDING", NAME, "")
    assert set(outputs) == set(RESOURCE.outputs)
