"""Preference tuning, continuous tuning and evaluation through Google's clients against the emulator."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tests.functional.reconcile.conftest import COLOURS, PROJECT, Bench

from tuneform.reconcile import execute
from tuneform.reconcile.actions import Create, Later
from tuneform.reconcile.desired import Content, Desired, HyperParameters, Parent, Tuning
from tuneform.reconcile.live import Job, JobState

SHOUTED = {colour: f"{colour}!" for colour in COLOURS}


def preferences(bench: Bench, name: str, rows: int) -> Content:
    def line(question: str, preferred: str, other: str) -> str:
        pair = ((1, preferred), (0, other))
        return json.dumps(
            {
                "contents": [{"role": "user", "parts": [{"text": question}]}],
                "completions": [
                    {"score": s, "completion": {"role": "model", "parts": [{"text": t}]}} for s, t in pair
                ],
            }
        )

    text = "\n".join(line(f"say {c} please {n}", SHOUTED[c], c) for n in range(rows) for c in COLOURS)
    bench.bucket.blob(f"datasets/p/{name}.jsonl").upload_from_string(text)
    return Content(f"gs://demo-data/datasets/p/{name}.jsonl", f"sha256:{name}", rows * 3, rows * 40)


def preferring(bench: Bench, base: Tuning) -> Tuning:
    """What shouts, in place of what the base says."""
    return replace(
        base,
        name="shouting",
        method="PREFERENCE_TUNING",
        parent=Parent((base.name,), base.revision, checkpoint=2),
        training=preferences(bench, "train", 20),
        validation=preferences(bench, "validation", 4),
        hyper_parameters=HyperParameters(2, "ADAPTER_SIZE_EIGHT", 4.0, beta=0.05),
        keep=2,
    )


def one(bench: Bench, name: str) -> Job:
    (job,) = bench.ports.reader.jobs(PROJECT, name)
    found = bench.ports.reader.job(job.name)
    assert found is not None
    return found


def answer(bench: Bench, job: Job, question: str) -> str:
    request: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": question}]}]}
    return bench.ports.writer.ask(job.checkpoints[-1].endpoint, request)


def test_preferences_are_learned_on_top_of_a_tuned_model_once_it_is_there(bench: Bench) -> None:
    base = replace(bench.tuning, keep=2)
    child = preferring(bench, base)
    desired = Desired(PROJECT, (base, child), whole=False)
    _, plan = execute.run.look(bench.ports.view, desired)
    foreseen = {item.name: item.actions for item in plan.items}
    assert isinstance(foreseen["intents"][0], Create)
    assert [type(a.action) for a in foreseen["shouting"] if isinstance(a, Later)] == [Create]

    outcome = execute.apply(bench.ports, desired)

    assert outcome.failures == ()
    assert outcome.plan.changes == ()
    parent, job = one(bench, "intents"), one(bench, "shouting")
    assert (job.state, job.method, job.epochs, job.beta) == (JobState.SUCCEEDED, "PREFERENCE_TUNING", 2, 0.05)
    assert (job.pre_tuned, job.pre_tuned_checkpoint) == (parent.model, "2")
    assert (job.validation_uri, job.base_model) == (
        child.validation and child.validation.uri,
        "gemini-2.5-flash",
    )
    assert job.billable_tokens
    curves = bench.ports.reader.curves(job)
    assert curves.train_loss[-1][1] < curves.train_loss[0][1]
    assert len(curves.eval_loss) == 2
    assert answer(bench, parent, "say green please 99") == "green"
    assert answer(bench, job, "say green please 99") == "green!"


def test_a_new_revision_of_the_parent_makes_one_of_the_child_in_order(bench: Bench) -> None:
    def both(epochs: int) -> Desired:
        base = replace(bench.with_epochs(epochs), keep=2)
        further = replace(base, name="further", parent=Parent((base.name,), base.revision))
        return Desired(PROJECT, (further, base), whole=False)

    for epochs, jobs in ((2, 1), (3, 2), (2, 2)):
        outcome = execute.apply(bench.ports, both(epochs))
        assert outcome.failures == ()
        assert len(bench.ports.reader.jobs(PROJECT, "further")) == jobs, (
            "back to the old recipe costs nothing"
        )
    parents = {job.revision: job for job in bench.ports.reader.jobs(PROJECT, "intents")}
    for job in bench.ports.reader.jobs(PROJECT, "further"):
        parent = next(p for p in parents.values() if p.model == job.pre_tuned)
        assert parent.ended
        assert job.created
        assert parent.ended <= job.created


def test_a_killed_run_goes_on_without_a_second_job_of_either(bench: Bench) -> None:
    base = replace(bench.tuning, keep=2)
    desired = Desired(PROJECT, (base, preferring(bench, base)), whole=False)
    execute.apply(bench.ports, desired, wait=False)
    assert len(bench.ports.reader.jobs(PROJECT, "shouting")) == 0
    for _ in range(2):
        outcome = execute.apply(bench.restart(), desired)
        assert outcome.failures == ()
    assert [len(bench.ports.reader.jobs(PROJECT, name)) for name in ("intents", "shouting")] == [1, 1]


def test_the_tuning_mode_reaches_the_service(bench: Bench) -> None:
    tuning = replace(bench.tuning, tuning_mode="TUNING_MODE_PEFT_ADAPTER", keep=2)
    status = execute.apply_tuning(bench.ports, tuning)
    assert status.job is not None
    assert status.revision != bench.tuning.revision


def test_what_is_asked_for_is_measured_of_each_checkpoint(bench: Bench) -> None:
    output = {"gcsDestination": {"outputUriPrefix": "gs://demo-data/measured"}}
    evaluation = {"metrics": [{"exactMatchSpec": {}}], "outputConfig": output}
    status = execute.apply_tuning(bench.ports, replace(bench.tuning, evaluation=evaluation, keep=2))
    assert status.job is not None
    measured = {found.checkpoint: found for found in status.job.evaluations}
    assert list(measured) == ["1", "2", "3"]
    assert {found.metric for found in measured.values()} == {"exactMatch"}
    last = measured["3"].value
    assert last is not None
    assert last > 0.9
    assert status.revision == bench.tuning.revision, "to measure decides nothing about what comes out"
