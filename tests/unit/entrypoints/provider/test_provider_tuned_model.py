from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.entrypoints.provider.world import CONTENT, PROJECT_JSON, Live, call
from tests.unit.reconcile.builders import MODEL, NOON, PROJECT, REVISION, job, model, record

from tuneform.entrypoints.provider.resources.tuned_model import TunedModelResource, serving_of
from tuneform.entrypoints.provider.wire import UNKNOWN
from tuneform.reconcile.desired import Content, Gate
from tuneform.reconcile.ledger import AttemptState, Pointer, Record
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


SERVED = Deployed("1", MODEL.partition("@")[0], "1", "4", 100)


def endpoint(*deployed: Deployed, **labels: str) -> Endpoint:
    own = {"tuneform-owner": "team", "tuneform-name": "intents"}
    return Endpoint(NAME, "intents", "", {**own, **labels}, deployed)


def live(checkpoint: str = "4", **fields: Any) -> Live:
    there = endpoint(replace(SERVED, checkpoint=checkpoint)) if checkpoint else endpoint()
    world = {"found": (job(),), "models": {MODEL: model()}, "endpoints": {NAME: there}}
    return Live(**{**world, "records": (promoted(),), **fields})


def promoted(**fields: Any) -> Record:
    """The ledger after a promotion."""
    done = {"promoted": NOON, "served": "4", "cleared": True}
    return replace(record(AttemptState.SUCCEEDED), **{**done, **fields})


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


def test_a_threshold_is_the_same_however_it_was_written() -> None:
    """The ledger keeps a fingerprint of the gate, which the command line makes of the specs' floats."""
    whole, float_ = ({**INPUTS, "gate": {"evalLoss": {"atMost": limit}}} for limit in (100, 100.0))
    assert repr(serving_of(whole).gate) == repr(serving_of(float_).gate)


def test_what_serves_as_it_should_is_no_difference() -> None:
    assert differences(live()) == {}


def test_a_gate_that_changed_is_measured_again() -> None:
    assert differences(live(), gate={"evalLoss": {"atMost": 9}}) == {"gate": True}


def test_another_checkpoint_is_a_difference() -> None:
    assert differences(live(), checkpoint=2) == {"checkpoint": True}


def test_traffic_that_somebody_moved_is_a_difference_of_the_world() -> None:
    assert differences(live(checkpoint="1")) == {"checkpoint": False}
    other = Deployed("2", f"{PROJECT.parent}/models/8", "1", "4", 100)
    assert differences(live(endpoints={NAME: endpoint(other)})) == {"model": False}


def test_a_label_that_somebody_changed_is_a_difference_of_the_world() -> None:
    assert differences(live(endpoints={NAME: endpoint(SERVED, team="others")})) == {"labels.team": False}


def test_an_endpoint_that_is_gone_is_a_difference_of_the_world() -> None:
    assert differences(live(endpoints={})) == {"endpoint": False}


def test_drift_that_is_held_and_gone_is_a_difference() -> None:
    assert differences(live(), {**OUTPUTS, "drift": ["…"]}) == {"state": False}


def test_a_promotion_that_was_pending_is_looked_at_again() -> None:
    waiting = live(found=(job(JobState.RUNNING),), records=(record(AttemptState.KNOWN),), endpoints={})
    held = {"state": "PENDING", "endpoint": NAME}
    assert differences(waiting, held, model=None) == {"model": True}
    assert differences(live(), held) == {"state": False}


def test_a_revision_that_is_still_to_be_trained_is_promoted_later() -> None:
    assert differences(live(), model=UNKNOWN) == {"model": True}
    asked, session = call(live(), {**INPUTS, "revision": "r1-new", "model": UNKNOWN}, outputs=OUTPUTS)
    foreseen = RESOURCE.foresee(asked)
    assert (foreseen["endpoint"], foreseen["revision"], foreseen["model"]) == (NAME, "r1-new", UNKNOWN)
    assert session.said[0] == (
        "then, once r1-new has succeeded: promotes r1-new, checkpoint last: "
        "the old one serves until this one is ready"
    )
    gated = {**INPUTS, "revision": "r1-new", "model": UNKNOWN, "gate": {"noWorseThan": "serving"}}
    at_first, session = call(Live(), gated)
    RESOURCE.foresee(at_first)
    then = "then, once r1-new has succeeded and passed its gate:"
    assert session.said[:2] == [
        f"{then} creates the serving endpoint intents",
        f"{then} promotes r1-new, checkpoint last: nothing serves yet",
    ]


def test_a_revision_that_nobody_knows_yet_is_spoken_of_in_general() -> None:
    asked, session = call(live(), {**INPUTS, "revision": UNKNOWN, "model": UNKNOWN}, outputs=OUTPUTS)
    foreseen = RESOURCE.foresee(asked)
    assert (foreseen["endpoint"], foreseen["revision"]) == (NAME, UNKNOWN)
    assert session.said == [
        "promotes the new revision once it has succeeded and passed its gate; the old one serves until then"
    ]
    at_first, session = call(Live(), {**INPUTS, "revision": UNKNOWN, "model": UNKNOWN})
    RESOURCE.foresee(at_first)
    assert session.said == ["promotes the new revision once it has succeeded and passed its gate"]


def test_a_preview_of_a_promotion_names_the_checkpoint() -> None:
    asked, session = call(live(checkpoint="", records=(record(AttemptState.SUCCEEDED),)), INPUTS)
    foreseen = RESOURCE.foresee(asked)
    assert foreseen["checkpoint"] == {"id": "4", "epoch": 4, "step": 40}
    assert foreseen["gates"] is UNKNOWN
    assert session.said[0] == f"promotes {REVISION}, checkpoint 4: nothing serves yet"


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
        assert ("drift" in looked) == (state != "SERVING")


def test_a_refresh_shows_which_checkpoint_serves_instead() -> None:
    asked, session = call(live(checkpoint="1"), INPUTS, outputs=OUTPUTS)
    looked = RESOURCE.look(asked)
    assert looked is not None
    assert (looked["revision"], looked["model"]) == (REVISION, MODEL)
    assert looked["checkpoint"] == {"id": "1", "epoch": 1, "step": 10}
    assert looked["drift"][0].startswith(f"promotes {REVISION}, checkpoint 4")
    assert session.said == [f"drift: {text}" for text in looked["drift"]]


def test_a_refresh_shows_a_model_that_is_not_ours() -> None:
    other = Deployed("2", f"{PROJECT.parent}/models/8", "1", "", 100)
    asked, _ = call(live(endpoints={NAME: endpoint(other)}), INPUTS, outputs=OUTPUTS)
    looked = RESOURCE.look(asked)
    assert looked is not None
    assert (looked["state"], looked["revision"], looked["model"]) == (
        "DRIFTED",
        "",
        f"{PROJECT.parent}/models/8@1",
    )


def test_a_refresh_names_the_field_that_somebody_changed() -> None:
    asked, _ = call(live(endpoints={NAME: endpoint(SERVED, team="others")}), INPUTS, outputs=OUTPUTS)
    looked = RESOURCE.look(asked)
    assert looked is not None
    assert (looked["state"], looked["drift"]) == (
        "DRIFTED",
        ["updates the endpoint, no training: labels.team removed (was others)"],
    )


def test_a_refresh_of_what_is_in_order_shows_what_the_update_put_out() -> None:
    asked, _ = call(live(), INPUTS, outputs=OUTPUTS)
    assert RESOURCE.look(asked) == RESOURCE.apply(asked)


def test_a_rename_with_previous_names_is_no_replacement_and_keeps_the_first_endpoint() -> None:
    renamed = {**INPUTS, "name": "answers", "previousNames": ["intents"]}
    asked, _ = call(live(), renamed, old_inputs=INPUTS, outputs=OUTPUTS)
    assert RESOURCE.replaced(asked) == ()
    assert serving_of(renamed).endpoint == NAME
    back, _ = call(live(), {**INPUTS, "name": "answers"}, old_inputs=renamed, outputs=OUTPUTS)
    assert RESOURCE.replaced(back) == ("previousNames",), "it would be another endpoint"


def test_another_name_and_another_way_to_find_it_are_replacements() -> None:
    for change, path in (({"name": "answers"}, "name"), ({"serving": "pointer"}, "serving")):
        asked, _ = call(live(), {**INPUTS, **change}, old_inputs=INPUTS, outputs=OUTPUTS)
        assert RESOURCE.replaced(asked) == (path,)


def test_what_is_pointed_to_is_the_endpoint() -> None:
    where = f"{PROJECT.parent}/endpoints/4"
    pointer = Pointer("demo", "intents", where, REVISION, MODEL, "4")
    held = replace(endpoint(SERVED), name=where)
    pointed = live(endpoints={where: held}, pointed=(pointer,), records=(promoted(cleared=False),))
    given = {**INPUTS, "serving": "pointer"}
    asked, _ = call(pointed, given, old_inputs=given, outputs={**OUTPUTS, "endpoint": where})
    assert RESOURCE.differences(asked) == {}
    looked = RESOURCE.look(asked)
    assert looked is not None
    assert (looked["state"], looked["endpoint"]) == ("SERVING", where)
    first, _ = call(live(endpoints={}), {**given, "model": UNKNOWN, "revision": "r1-new"})
    assert RESOURCE.foresee(first)["endpoint"] is UNKNOWN


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
    waiting = live(found=(job(JobState.RUNNING),), endpoints={}, records=(record(AttemptState.KNOWN),))
    asked, _ = call(waiting, {**INPUTS, "model": None})
    outputs = RESOURCE.apply(asked)
    assert (outputs["state"], outputs["endpoint"], outputs["revision"]) == ("PENDING", NAME, "")
    assert set(outputs) == set(RESOURCE.outputs)
