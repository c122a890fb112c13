"""From a look to what is said: states, checkpoints, gates, jobs, cost and differences."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.unit.review.report import samples
from tests.unit.review.report.samples import PRICES, TEST, Scene, attempt

from tuneform.capabilities.prices import Money, PriceTable
from tuneform.reconcile.desired import Gate
from tuneform.reconcile.ledger import AttemptState, GateResult, Verdict
from tuneform.reconcile.live import JobState
from tuneform.review.report import project_part
from tuneform.review.report.data import ProjectPart, Spent, TuningPart


def project(*adders: object) -> ProjectPart:
    scene = Scene()
    for add in adders:
        add(scene)  # type: ignore[operator]
    return project_part(scene.looked(), PRICES)


def only(*adders: object) -> TuningPart:
    (part,) = project(*adders).tunings
    return part


@pytest.mark.parametrize(
    ("add", "word", "why"),
    [
        (samples.good, "serving", ""),
        (samples.drifted, "serving, differs", "displayName mine now → drifted"),
        (samples.missed, "gate not passed", "exactMatch at least 0.9"),
        (samples.failed, "failed", "no room left"),
        (samples.cancelled, "cancelled", "never promoted"),
        (samples.running, "running", ""),
        (samples.unresolved, "unresolved", "nobody saw"),
        (samples.vanished, "blocked", "deleted by someone else"),
        (samples.strange, "unknown", "does not say"),
        (samples.left_over, "live only", "no document"),
        (lambda scene: scene.tuning("new"), "not started", ""),
    ],
)
def test_the_state_of_a_tuning_is_a_word_and_a_reason(add: object, word: str, why: str) -> None:
    standing = only(add).standing

    assert standing.word == word
    assert why in standing.why
    assert standing.wants_a_look is (word not in {"serving", "running", "not started"})


def test_a_trained_model_that_nobody_asked_to_serve_is_good_as_it_is() -> None:
    def trained(scene: Scene) -> None:
        tuning = scene.tuning("trained")
        job = scene.job(tuning, JobState.SUCCEEDED)
        scene.record(tuning, attempt(AttemptState.SUCCEEDED, job), best="4")

    part = only(trained)
    assert (part.standing.word, part.standing.tone, part.gates) == ("trained, not served", "good", ())


def test_checkpoints_have_their_measurements_and_the_chosen_one_its_marks() -> None:
    part = only(samples.good)

    assert [one.eval_loss for one in part.checkpoints] == [0.5, 0.25, 0.3, 0.36]
    assert [one.marks for one in part.checkpoints] == [
        (),
        ("chosen", "serves now", "least validation loss"),
        (),
        (),
    ]
    assert [one.exact_match for one in part.checkpoints] == [None, 0.83, None, None]
    losses = [loss for step, loss in samples.CURVES.train_loss if 10 < step <= 20]
    assert part.checkpoints[1].train_loss == pytest.approx(sum(losses) / 10)


def test_a_gate_shows_what_was_asked_and_measured_of_the_chosen_checkpoint() -> None:
    (gate,) = only(samples.good).gates
    assert [(d.text, d.value, d.met) for d in gate.demands] == [
        ("exactMatch at least 0.6", 0.83, True),
        ("evalLoss at most 0.4", 0.25, True),
    ]
    (missed,) = only(samples.missed).gates
    assert [(d.value, d.met) for d in missed.demands] == [(0.41, False)]


def test_a_measurement_on_other_data_or_of_fewer_questions_answers_no_gate() -> None:
    def measured(digest: str, examples: int) -> float | None:
        scene = Scene()
        tuning = scene.tuning("intents")
        job = scene.job(tuning, JobState.SUCCEEDED)
        scene.serves(tuning, gate=Gate(exact_match_at_least=0.6, no_worse_than_serving=True), test=TEST)
        result = GateResult("4", "exactMatch", 0.7, digest, examples)
        verdict = Verdict("other", passed=True)
        scene.record(tuning, attempt(AttemptState.SUCCEEDED, job), gates=(result,), verdict=verdict)
        (part,) = project_part(scene.looked(), PRICES).tunings
        (gate,) = part.gates
        assert gate.compares
        return gate.demands[0].value

    assert measured(TEST.digest, 0) == 0.7
    assert measured("sha256:other", 0) is None
    assert measured(TEST.digest, 50) is None


def test_jobs_show_what_became_of_them_how_long_they_took_and_what_they_billed() -> None:
    (job,) = only(samples.good).jobs
    assert (job.state, job.fate, job.cause, job.took) == (
        "SUCCEEDED",
        "succeeded",
        "first",
        timedelta(minutes=47),
    )
    assert (job.tokens, job.cost) == (24_400, Money(Decimal("0.122"), "USD"))
    (failed,) = only(samples.failed).jobs
    assert (failed.state, failed.tokens, failed.cost) == ("FAILED", None, None)
    (sent,) = only(samples.unresolved).jobs
    assert (sent.job, sent.state, sent.fate) == ("", "", "sent")
    (gone,) = only(samples.vanished).jobs
    assert (gone.job, gone.state, gone.fate) == ("99", "", "succeeded")


def test_a_job_that_the_ledger_does_not_know_is_shown_as_such() -> None:
    def unknown(scene: Scene) -> None:
        scene.job(scene.tuning("unknown"), JobState.RUNNING, number=3)

    (job,) = only(unknown).jobs
    assert (job.attempt, job.fate, job.state) == (3, "", "RUNNING")


def test_cost_is_summed_and_what_is_not_known_is_counted_apart() -> None:
    part = project(samples.good, samples.drifted, samples.failed, samples.cancelled, samples.running)

    spent = part.spent
    assert (spent.tokens, spent.unknown, spent.running) == (48_800, 2, 1)
    assert spent.price == "0.25 USD"


def test_an_unknown_price_is_not_nothing() -> None:
    scene = Scene()
    samples.good(scene)
    (part,) = project_part(scene.looked(), PriceTable({})).tunings

    assert (part.spent.tokens, part.spent.price) == (24_400, "price unknown")
    assert Spent().price == "nothing"
    mixed = Spent.together([part.spent, Spent(10, (Money(Decimal(1), "USD"), Money(Decimal(2), "EUR")))])
    assert mixed.price == "2.00 EUR 1.00 USD and 24,400 tokens of unknown price"


def test_differences_are_what_plan_says_with_their_fields_and_remedies() -> None:
    part = project(samples.drifted, samples.failed, samples.left_over)

    said = {(one.kind, one.name): one for one in part.differences}
    drifted = said["TunedModel", "drifted"]
    assert (drifted.word, [str(change) for change in drifted.changes]) == (
        "update",
        ["displayName mine now → drifted"],
    )
    assert "limits.retries" in said["TuningJob", "failed"].remedy
    assert said["TuningJob", "left-over"].removed
    assert part.sentence.startswith("Plan: 1 to update, 1 to retire, 1 blocked")


def test_agreement_is_said_as_plan_says_it() -> None:
    part = project(samples.good)

    assert part.differences == ()
    assert part.sentence == "No changes: 2 documents agree with what is live."
    assert part.estimate == ""


def test_what_is_still_to_be_paid_for_is_the_plans_estimate() -> None:
    assert "24 k tokens to train on" in project(lambda scene: scene.tuning("new")).estimate


def test_settings_are_the_documents_and_of_what_is_live_only_the_jobs() -> None:
    settings = dict(only(samples.good).settings)
    assert settings["epochCount"] == "4"
    assert settings["label team"] == "support"
    assert settings["encryption key"] == "Google's own"
    assert dict(only(samples.left_over).settings)["epochCount"] == "4"


def test_of_a_part_of_the_specs_it_is_said_that_it_is_one() -> None:
    scene = Scene()
    samples.good(scene)
    looked = scene.looked()
    part = project_part(replace(looked, desired=replace(looked.desired, whole=False)), PRICES)
    assert not part.whole
