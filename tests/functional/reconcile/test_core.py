"""The core through Google's clients against the emulator: one job a revision, whatever happened before."""

from __future__ import annotations

import os
import socket
from dataclasses import replace

import pytest
from tests.functional.emulators import Emulator
from tests.functional.reconcile.conftest import PROJECT, Bench

from tuneform.errors import ReconcileError, Terminal
from tuneform.reconcile import execute
from tuneform.reconcile.desired import Gate
from tuneform.reconcile.ledger import AttemptState, Versioned
from tuneform.reconcile.live import JobState
from tuneform_emulator.services.vertex.resources import ENDPOINT, MODEL


def jobs(bench: Bench) -> int:
    return len(bench.ports.reader.jobs(PROJECT, "intents"))


def test_one_tuning_from_nothing_to_an_answer_under_its_lasting_name(bench: Bench) -> None:
    status = execute.apply_tuning(bench.ports, bench.tuning)
    served = execute.apply_serving(bench.ports, bench.serving(status.revision, checkpoint="best"))

    assert served is not None
    assert served.endpoint == "projects/demo-project/locations/us-central1/endpoints/intents"
    assert [c.epoch for c in status.checkpoints] == [1, 2, 3]
    losses = {loss: c for c, (_, loss) in zip(status.checkpoints, status.curves.eval_loss, strict=True)}
    assert served.checkpoint == losses[min(losses)]
    question = {"contents": [{"role": "user", "parts": [{"text": "say green please 99"}]}]}
    assert bench.ports.writer.ask(served.endpoint, question) == "green"
    assert [move.state for move in bench.heard.moves][-1] is JobState.SUCCEEDED


def test_the_newest_models_are_tuned_in_a_region_and_serve_from_the_multi_region_around_it(
    bench: Bench, emulator: Emulator
) -> None:
    around = replace(PROJECT, serving_location="us")
    ports = bench.restart(project=around)
    tuning = replace(bench.tuning, project=around, base_model="gemini-3.5-flash")

    status = execute.apply_tuning(ports, tuning)
    serving = replace(bench.serving(status.revision, checkpoint="best"), project=around)
    served = execute.apply_serving(ports, serving)

    assert served is not None
    assert served.endpoint == "projects/demo-project/locations/us/endpoints/intents"
    assert status.model.startswith("projects/demo-project/locations/us-central1/models/")
    question = {"contents": [{"role": "user", "parts": [{"text": "say green please 99"}]}]}
    assert ports.writer.ask(served.endpoint, question) == "green"
    execute.remove_serving(ports, serving)
    execute.remove_tuning(ports, around, "intents")
    assert emulator.world.store.count(MODEL) == emulator.world.store.count(ENDPOINT) == 0


def test_applied_again_nothing_is_done(bench: Bench) -> None:
    status = execute.apply_tuning(bench.ports, bench.tuning)
    serving = bench.serving(status.revision)
    execute.apply_serving(bench.ports, serving)
    bench.heard.said.clear()

    again = execute.apply_tuning(bench.ports, bench.tuning)
    execute.apply_serving(bench.ports, serving)

    assert (again.revision, again.model, again.checkpoints) == (
        status.revision,
        status.model,
        status.checkpoints,
    )
    assert bench.heard.said == []
    assert jobs(bench) == 1


def test_a_lost_ledger_and_a_lost_state_adopt_what_is_live(bench: Bench) -> None:
    status = execute.apply_tuning(bench.ports, bench.tuning)
    for uri in bench.ports.objects.under(f"gs://{PROJECT.state_bucket}/ledger"):
        bench.ports.objects.delete(uri)

    again = execute.apply_tuning(bench.ports, bench.tuning)

    assert again == status
    assert jobs(bench) == 1


def test_an_edit_and_its_revert_make_one_job_more_and_not_two(bench: Bench) -> None:
    first = execute.apply_tuning(bench.ports, bench.tuning)
    second = execute.apply_tuning(bench.ports, bench.with_epochs(4))
    back = execute.apply_tuning(bench.ports, bench.tuning)

    assert back == first
    assert second.revision != first.revision
    assert jobs(bench) == 2


def test_the_fence_is_gone_once_the_job_has_read_it(bench: Bench) -> None:
    execute.apply_tuning(bench.ports, bench.tuning)

    assert bench.ports.objects.under("gs://demo-data/attempts") == ()


def test_a_wait_called_off_leaves_the_job_running_and_recorded(bench: Bench) -> None:
    bench.clock.stop = True
    with pytest.raises(execute.Interrupted, match="called off"):
        execute.apply_tuning(bench.ports, bench.tuning)

    bench.clock.stop = False
    status = execute.apply_tuning(bench.ports, bench.tuning)

    assert status.model
    assert jobs(bench) == 1


def test_a_claim_whose_holder_is_gone_is_revoked_and_tried_anew(bench: Bench) -> None:
    """What a run leaves behind that is killed between its claim and its create."""
    status = execute.apply_tuning(bench.ports, bench.tuning, wait=False)
    found = bench.ports.ledger.read(PROJECT, "intents", status.revision)
    assert found is not None
    attempt = found.record.attempts[0]
    other = replace(bench.tuning, name="other")
    dead = replace(attempt, state=AttemptState.SENT, job="", holder=f"{socket.gethostname()}:{os.getpid()}:0")
    record = replace(found.record, name="other", attempts=(dead,))
    bench.ports.ledger.write(PROJECT, Versioned(record))

    execute.apply_tuning(bench.ports, other)

    after = bench.ports.ledger.read(PROJECT, "other", status.revision)
    assert after is not None
    assert [a.state for a in after.record.attempts] == [AttemptState.REVOKED, AttemptState.SUCCEEDED]


def test_a_refused_job_is_a_clear_error_and_paid_nothing(bench: Bench) -> None:
    wrong = replace(bench.tuning, base_model="gemini-0.1-nano")

    with pytest.raises(Terminal, match="not supported") as caught:
        execute.apply_tuning(bench.ports, wrong)

    assert "gemini-0.1-nano" in str(caught.value)
    assert jobs(bench) == 0
    assert bench.ports.objects.under("gs://demo-data/attempts") == ()


def test_a_gate_that_is_not_passed_leaves_what_serves(bench: Bench) -> None:
    first = execute.apply_tuning(bench.ports, bench.tuning)
    execute.apply_serving(bench.ports, bench.serving(first.revision))
    second = execute.apply_tuning(bench.ports, bench.with_epochs(4))
    strict = bench.serving(second.revision, gate=Gate(eval_loss_at_most=0.0))

    with pytest.raises(ReconcileError, match="did not pass its gate"):
        execute.apply_serving(bench.ports, strict)

    live = bench.ports.reader.endpoint(strict.endpoint)
    assert live is not None
    assert [(d.model, d.traffic) for d in live.deployed] == [(first.model.partition("@")[0], 100)]


def test_the_serving_endpoint_answers_all_through_a_promotion(bench: Bench) -> None:
    first = execute.apply_tuning(bench.ports, bench.tuning)
    serving = bench.serving(first.revision)
    execute.apply_serving(bench.ports, serving)
    question = {"contents": [{"role": "user", "parts": [{"text": "say blue please 1"}]}]}
    answers: list[str] = []
    bench.clock.before_wait = lambda: answers.append(bench.ports.writer.ask(serving.endpoint, question))

    second = execute.apply_tuning(bench.ports, bench.with_epochs(4))
    execute.apply_serving(bench.ports, replace(serving, revision=second.revision))
    bench.clock.before_wait()

    assert len(answers) > 2
    assert set(answers) == {"blue"}


def test_an_old_revision_beyond_keep_is_retired_and_trained_again_when_asked_for(bench: Bench) -> None:
    first = execute.apply_tuning(bench.ports, bench.tuning)
    execute.apply_serving(bench.ports, bench.serving(first.revision))
    second = execute.apply_tuning(bench.ports, bench.with_epochs(4))
    execute.apply_serving(bench.ports, bench.serving(second.revision, keep=0))

    assert bench.ports.reader.model(first.model) is None
    (reason,) = execute.preview_tuning(bench.ports, bench.tuning)[0].reasons
    assert reason.startswith(f"attempt 2 at {first.revision} (retired earlier, asked for again")


def test_removed_nothing_is_live_but_the_job_records_and_the_ledger(bench: Bench) -> None:
    status = execute.apply_tuning(bench.ports, bench.tuning)
    serving = bench.serving(status.revision)
    execute.apply_serving(bench.ports, serving)

    execute.remove_serving(bench.ports, serving)
    execute.remove_tuning(bench.ports, PROJECT, "intents")

    assert bench.ports.reader.endpoint(serving.endpoint) is None
    assert bench.ports.reader.model(status.model) is None
    assert all(bench.ports.reader.endpoint(c.endpoint) is None for c in status.checkpoints)
    assert jobs(bench) == 1


def test_removing_cancels_what_runs(bench: Bench) -> None:
    execute.apply_tuning(bench.ports, bench.with_epochs(50), wait=False)

    execute.remove_tuning(bench.ports, PROJECT, "intents")

    (job,) = bench.ports.reader.jobs(PROJECT, "intents")
    assert job.state in {JobState.CANCELLED, JobState.SUCCEEDED}
    assert not job.model or bench.ports.reader.model(job.model) is None


def test_without_waiting_an_ended_job_is_recorded_by_the_next_run(bench: Bench) -> None:
    status = execute.apply_tuning(bench.ports, bench.tuning, wait=False)
    assert status.job is not None
    while (job := bench.ports.reader.job(status.job.name)) is not None and not job.state.ended:
        bench.clock.wait(0.05)

    after = execute.apply_tuning(bench.ports, bench.tuning, wait=False)

    assert after.model
    assert execute.preview_tuning(bench.ports, bench.tuning)[0].actions == ()
