from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.unit.entrypoints.provider.world import TUNING_INPUTS, Live, call
from tests.unit.reconcile.builders import JOB, MODEL, REVISION, TUNING, job, model, record

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
    limits = {"maxBillableTokens": 10, "timeoutSeconds": 3600, "retries": 2}
    tuning = tuning_of({**TUNING_INPUTS, "limits": limits})
    assert tuning.limits == Limits(10, timedelta(hours=1), 2)


def test_what_is_as_it_should_be_is_no_difference() -> None:
    assert differences(TRAINED) == {}


@pytest.mark.parametrize(
    "change",
    [
        {"serviceAccount": "other@demo-project.iam.gserviceaccount.com"},
        {"validation": {**TUNING_INPUTS["training"], "digest": "sha256:bb"}},
        {"limits": {"retries": 2}},
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
    assert session.said == [f"new revision {REVISION} (first): one tuning job, about 24 k tokens"]


def test_a_preview_of_an_adoption_knows_everything() -> None:
    asked, session = call(TRAINED, TUNING_INPUTS)
    foreseen = RESOURCE.foresee(asked)
    assert {name: foreseen[name] for name in OUTPUTS} == OUTPUTS
    assert foreseen["metrics"] == {"trainLoss": 0.5, "evalLoss": 0.75}
    assert "no cost" in session.said[0]


def test_a_blocked_plan_is_refused_in_the_preview() -> None:
    asked, _ = call(Live(), {**TUNING_INPUTS, "limits": {"maxBillableTokens": 1}})
    with pytest.raises(ReconcileError, match=r"over limits\.maxBillableTokens"):
        RESOURCE.foresee(asked)


def test_what_is_kept_of_a_run_that_was_cut_off_names_revision_and_job() -> None:
    asked, _ = call(RUNNING, TUNING_INPUTS)
    assert RESOURCE.salvage(asked) == {"revision": REVISION, "state": "RUNNING", "job": JOB}


def test_a_tuning_without_job_and_record_is_gone() -> None:
    asked, _ = call(Live(), TUNING_INPUTS, outputs=OUTPUTS)
    assert RESOURCE.look(asked) is None


def test_a_failed_job_shows_its_state_and_no_model() -> None:
    live = Live((job(JobState.FAILED),), records=(record(AttemptState.FAILED),))
    asked, _ = call(live, TUNING_INPUTS, outputs=OUTPUTS)
    assert RESOURCE.look(asked) == {"revision": REVISION, "state": "FAILED", "job": JOB}


def test_with_retain_nothing_is_deleted() -> None:
    asked, _ = call(TRAINED, {**TUNING_INPUTS, "deletionPolicy": "Retain"})
    RESOURCE.remove(asked)  # there is no writer to delete with
