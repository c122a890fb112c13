from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.entrypoints.provider.world import TUNING_INPUTS, Live, call
from tests.unit.reconcile.builders import COST, JOB, MODEL, REVISION, TUNING, job, model, record, with_epochs

from tuneform.capabilities.prices import Money, Price
from tuneform.entrypoints.provider.resources.tuning_job import TuningJobResource, tuning_of
from tuneform.entrypoints.provider.wire import UNKNOWN
from tuneform.errors import ReconcileError
from tuneform.reconcile.desired import Limits
from tuneform.reconcile.ledger import AttemptState
from tuneform.reconcile.live import JobState

RESOURCE = TuningJobResource()
TRAINED = Live((job(),), {MODEL: model()}, records=(record(AttemptState.SUCCEEDED),))
RUNNING = Live((job(JobState.RUNNING),), records=(record(AttemptState.KNOWN),))
OUTPUTS = {"revision": REVISION, "state": "SUCCEEDED", "job": JOB, "model": MODEL}


def differences(live: Live, **changes: Any) -> dict[str, bool]:
    asked, _ = call(live, {**TUNING_INPUTS, **changes}, old_inputs=TUNING_INPUTS, outputs=OUTPUTS)
    return dict(RESOURCE.differences(asked))


def test_inputs_are_the_tuning_that_the_core_knows() -> None:
    assert tuning_of(TUNING_INPUTS) == TUNING


def test_limits_are_in_the_cores_words() -> None:
    limits = {"maxBillableTokens": 10, "maxCost": "25 USD", "timeoutSeconds": 3600, "retries": 2}
    tuning = tuning_of({**TUNING_INPUTS, "limits": limits})
    assert tuning.limits == Limits(10, timedelta(hours=1), 2, Money(Decimal(25), "USD"))


PRICE = {"currency": "USD", "training": 5, "source": "our contract", "date": "2026-10-01", "output": 2.5}


def test_a_price_is_in_the_cores_words() -> None:
    price = tuning_of({**TUNING_INPUTS, "price": PRICE}).price
    assert price == Price(
        "gemini-2.5-flash", "USD", Decimal(5), "our contract", date(2026, 10, 1), output=Decimal("2.5")
    )
    with pytest.raises(ReconcileError, match=r"the price of gemini-2\.5-flash cannot be used"):
        tuning_of({**TUNING_INPUTS, "price": {**PRICE, "date": "October"}})


def test_a_limit_on_cost_that_is_no_money_is_a_flaw() -> None:
    asked, _ = call(Live(), {**TUNING_INPUTS, "limits": {"maxCost": "25"}})
    assert [(flaw.path, flaw.reason) for flaw in RESOURCE.flaws(asked)] == [
        ("limits.maxCost", "must be an amount and its currency: 25 USD")
    ]


def test_a_limit_on_cost_without_a_price_blocks_and_with_one_is_held() -> None:
    limited = {**TUNING_INPUTS, "limits": {"maxCost": "0.16 USD"}}
    asked, _ = call(Live(), limited)
    with pytest.raises(ReconcileError, match=r"the price of the base model is unknown"):
        RESOURCE.foresee(asked)
    asked, session = call(Live(), {**limited, "price": PRICE})
    RESOURCE.foresee(asked)
    assert session.said[0].endswith("(20 k to 32 k), about 0.12 USD (0.10 USD to 0.16 USD)")
    asked, _ = call(Live(), {**limited, "limits": {"maxCost": "0.15 USD"}, "price": PRICE})
    with pytest.raises(ReconcileError, match=r"up to 0\.16 USD, over limits\.maxCost 0\.15 USD"):
        RESOURCE.foresee(asked)


def test_what_else_the_core_is_to_know_has_its_words() -> None:
    more = {
        "previousNames": ["a", "b"],
        "onModelLost": "retrain",
        "deletionPolicy": "Retain",
        "keep": 1,
    }
    tuning = tuning_of({**TUNING_INPUTS, **more})
    assert tuning == replace(TUNING, previous_names=("a", "b"), on_model_lost="retrain", retain=True, keep=1)


def test_what_is_as_it_should_be_is_no_difference() -> None:
    assert differences(TRAINED) == {}


@pytest.mark.parametrize(
    "change",
    [
        {"serviceAccount": "other@demo-project.iam.gserviceaccount.com"},
        {"validation": {**TUNING_INPUTS["training"], "digest": "sha256:bb"}},
        {"limits": {"retries": 2}},
        {"price": {"currency": "USD", "training": 5, "source": "a contract", "date": "2026-10-01"}},
        {"wait": "accepted"},
    ],
)
def test_inputs_that_change_nothing_are_no_difference(change: dict[str, Any]) -> None:
    assert differences(TRAINED, **change) == {}


def test_a_recipe_differs_by_the_fields_that_changed() -> None:
    hyper = {**TUNING_INPUTS["hyperParameters"], "epochCount": 5}
    training = {**TUNING_INPUTS["training"], "uri": "gs://demo-data/bb", "digest": "sha256:bb"}
    found = differences(TRAINED, hyperParameters=hyper, training=training)
    assert found == {"hyperParameters.epochCount": True, "training.digest": True}


def test_a_label_that_somebody_changed_live_is_a_difference_of_the_world() -> None:
    live = Live((job(),), {MODEL: model(team="others")}, records=(record(AttemptState.SUCCEEDED),))
    assert differences(live) == {"labels.team": False}


def test_a_job_that_still_runs_is_a_difference() -> None:
    assert differences(RUNNING) == {"state": False}


def test_training_that_is_not_known_yet_is_a_difference() -> None:
    assert differences(TRAINED, training=UNKNOWN) == {"training": True}


def test_a_preview_of_a_new_revision_knows_its_name_and_tells_what_it_costs() -> None:
    asked, session = call(Live(), TUNING_INPUTS)
    foreseen = RESOURCE.foresee(asked)
    assert foreseen["revision"] == REVISION
    assert foreseen["model"] is UNKNOWN
    assert set(foreseen) == set(RESOURCE.outputs)
    assert session.said == [f"new revision {REVISION} (first): one tuning job, {COST}"]


def test_a_preview_of_an_adoption_knows_everything() -> None:
    asked, session = call(TRAINED, TUNING_INPUTS)
    foreseen = RESOURCE.foresee(asked)
    assert {name: foreseen[name] for name in OUTPUTS} == OUTPUTS
    assert foreseen["metrics"] == {"trainLoss": 0.5, "evalLoss": 0.75}
    assert session.said == [f"takes over {REVISION}, which is there already, no cost"]


def test_a_blocked_plan_is_refused_in_the_preview() -> None:
    asked, _ = call(Live(), {**TUNING_INPUTS, "limits": {"maxBillableTokens": 1}})
    with pytest.raises(ReconcileError, match=r"over limits\.maxBillableTokens"):
        RESOURCE.foresee(asked)


def test_what_is_kept_of_a_run_that_was_cut_off_names_revision_and_job() -> None:
    asked, _ = call(RUNNING, TUNING_INPUTS)
    assert RESOURCE.salvage(asked) == {"revision": REVISION, "state": "RUNNING", "job": JOB}


def test_a_refresh_shows_what_somebody_changed_and_writes_nothing() -> None:
    live = Live((job(),), {MODEL: model(team="others")}, records=(record(AttemptState.SUCCEEDED),))
    asked, session = call(live, TUNING_INPUTS, outputs=OUTPUTS)
    looked = RESOURCE.look(asked)
    assert looked is not None
    assert looked["model"] == MODEL
    assert looked["drift"] == ["updates the model, no training: labels.team removed (was others)"]
    assert session.said == [f"drift: {looked['drift'][0]}"]


def test_a_refresh_of_what_is_in_order_shows_what_the_update_put_out() -> None:
    asked, session = call(TRAINED, TUNING_INPUTS, outputs=OUTPUTS)
    assert RESOURCE.look(asked) == RESOURCE.apply(asked)
    assert session.said == []


def test_a_job_that_still_runs_is_no_drift() -> None:
    asked, _ = call(RUNNING, TUNING_INPUTS, outputs=OUTPUTS)
    assert RESOURCE.look(asked) == {"revision": REVISION, "state": "RUNNING", "job": JOB}


def test_a_model_that_somebody_deleted_is_shown_and_trained_again_only_when_that_is_asked_for() -> None:
    lost = Live((job(),), records=(record(AttemptState.SUCCEEDED),))
    asked, _ = call(lost, TUNING_INPUTS, outputs=OUTPUTS)
    looked = RESOURCE.look(asked)
    assert looked is not None
    assert "model" not in looked
    assert f"the model of {REVISION} was deleted by someone else" in looked["drift"][0]
    with pytest.raises(ReconcileError, match="deleted by someone else"):
        RESOURCE.foresee(asked)
    again, session = call(lost, {**TUNING_INPUTS, "onModelLost": "retrain"}, outputs=OUTPUTS)
    RESOURCE.foresee(again)
    assert session.said[0].startswith(f"attempt 2 at {REVISION}")


def test_what_is_blocked_after_something_else_was_done_is_a_warning() -> None:
    other = record(AttemptState.KNOWN, tuning=with_epochs(5))
    running = Live((job(JobState.RUNNING, of=other.revision),), records=(other,))
    asked, session = call(running, {**TUNING_INPUTS, "limits": {"maxBillableTokens": 1}})
    RESOURCE.foresee(asked)
    assert [text.partition(" ")[0] for text in session.said] == ["warning:", "cancels"]


def test_a_rename_with_previous_names_is_no_replacement() -> None:
    renamed = {**TUNING_INPUTS, "name": "answers", "previousNames": ["intents"]}
    asked, session = call(TRAINED, renamed, old_inputs=TUNING_INPUTS, outputs=OUTPUTS)
    assert RESOURCE.replaced(asked) == ()
    assert RESOURCE.differences(asked)["name"] is True
    RESOURCE.foresee(asked)
    assert "no cost" in session.said[0]
    other, _ = call(TRAINED, {**TUNING_INPUTS, "name": "answers"}, old_inputs=TUNING_INPUTS)
    assert RESOURCE.replaced(other) == ("name",)


def test_a_tuning_without_job_and_record_is_gone() -> None:
    asked, _ = call(Live(), TUNING_INPUTS, outputs=OUTPUTS)
    assert RESOURCE.look(asked) is None


def test_a_failed_job_shows_its_state_and_no_model() -> None:
    live = Live((job(JobState.FAILED),), records=(record(AttemptState.FAILED),))
    asked, _ = call(live, TUNING_INPUTS, outputs=OUTPUTS)
    looked = RESOURCE.look(asked)
    assert looked is not None
    assert (looked["state"], "model" in looked) == ("FAILED", False)
    assert "the tuning job of" in looked["drift"][0]


def test_with_retain_nothing_is_deleted() -> None:
    asked, _ = call(TRAINED, {**TUNING_INPUTS, "deletionPolicy": "Retain"})
    RESOURCE.remove(asked)  # there is no writer to delete with
