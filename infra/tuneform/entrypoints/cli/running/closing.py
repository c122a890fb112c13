"""The end of `up`: what came out, one question to each model with its answer, its curves, and what to try next."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from rich.text import Text

from tuneform.entrypoints import resolve
from tuneform.entrypoints.cli.running.questions import Example, answer, example, ports
from tuneform.entrypoints.cli.running.runs import Run
from tuneform.errors import RemoteError
from tuneform.reconcile.live import Curves, Job, Points
from tuneform.review.curves import loss_curve
from tuneform.review.next_run import next_run, ranks_of
from tuneform.specs import Document, TunedModel, TuningJob
from tuneform.specs.lineage import base_model, parents

CURVE_HEIGHT = 12
DRAWN_POINTS = 40
LONGEST_QUESTION = 100


def show(run: Run) -> None:
    """Print the outputs of every served model, and try each."""
    outputs = {name: output.value for name, output in run.stack.outputs().items()}
    for model in run.tree.of(TunedModel):
        found = outputs.get(model.name)
        if isinstance(found, Mapping):
            _show_model(run, model, found)
    if not run.of_several:
        _next(run)


def _show_model(run: Run, model: Document[TunedModel], output: Mapping[str, Any]) -> None:
    console = run.result
    console.print()
    console.print(Text(model.name, style="bold"))
    checkpoint = output.get("checkpoint") or {}
    rows = {
        "endpoint": output.get("endpoint", ""),
        "model": output.get("model", ""),
        "revision": output.get("revision", ""),
        "checkpoint": f"{checkpoint.get('id', '')}, epoch {checkpoint.get('epoch', '')}"
        if checkpoint
        else "",
        "metrics": _metrics(output.get("metrics") or {}),
    }
    for name, value in rows.items():
        if value:
            console.print(f"  {name:<11} {value}")
    if not output.get("model"):
        console.print("  its job is still under way; run `tuneform up` again to follow it")
        return
    asked = example(run.tree, model)
    if asked is not None:
        _ask(run, model, asked)
    job, curves = _trained(run, model, str(output.get("revision")))
    if job is not None:
        _advise(run, model, job, curves, asked.trained_on if asked else None)
    if curves.train_loss:
        series = {"train loss": _smooth(curves.train_loss), "validation loss": curves.eval_loss}
        drawn = {name: points for name, points in series.items() if points}
        width = min(console.width - 4, 90)
        plot = loss_curve(drawn, width=width, height=CURVE_HEIGHT, colour=console.color_system is not None)
        console.print(Text.from_ansi(plot), soft_wrap=True)


def _metrics(metrics: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:.3f}" for name, value in metrics.items() if isinstance(value, int | float)
    )


def _ask(run: Run, model: Document[TunedModel], asked: Example) -> None:
    try:
        text = answer(run.tree, model, run.target.endpoint, asked.question)
    except RemoteError as error:
        run.result.print(error.render(), style="yellow")
        return
    seen = "held out of training" if asked.held_out else "seen in training"
    verdict = "as expected" if text == asked.expected else f"expected: {asked.expected}"
    question = textwrap.shorten(asked.question, LONGEST_QUESTION, placeholder="…")
    run.result.print(f"  asked       {question}  ({seen})")
    run.result.print(f"  answered    {text}  ({verdict})")


def _advise(run: Run, model: Document[TunedModel], job: Job, curves: Curves, examples: int | None) -> None:
    """What to try next, from the curve."""
    tuning = run.tree.find(TuningJob, model.spec.job.ref, model.project).spec
    base = base_model(tuning, parents(run.tree, model.project)) or ""
    price, ranks = run.settings.prices().find(base), ranks_of(run.tree.known, base, tuning.method)
    found = next_run(job, curves, examples=examples, price=price, ranks=ranks)
    for index, text in enumerate(found.text if found else ()):
        run.result.print(f"  {'advice' if index == 0 else '':<11} {text}", markup=False)


def _trained(run: Run, model: Document[TunedModel], revision: str) -> tuple[Job | None, Curves]:
    """The job that a revision is from, and its curves."""
    reader = ports(run.tree, model, run.target.endpoint).reader
    project = resolve.project(run.tree.project_of(model))
    document = run.tree.find(TuningJob, model.spec.job.ref, model.project)
    jobs = (
        job
        for name in (document.name, *document.metadata.previous_names)
        for job in reader.jobs(project, name)
    )
    job = next((job for job in jobs if job.revision == revision and job.model), None)
    return job, reader.curves(job) if job else Curves()


def _smooth(points: Points) -> Points:
    """Means of consecutive steps: batches are small, and single steps jump."""
    size = max(1, len(points) // DRAWN_POINTS)
    groups = [points[start : start + size] for start in range(0, len(points), size)]
    return tuple((group[-1][0], sum(value for _, value in group) / len(group)) for group in groups)


def _next(run: Run) -> None:
    models = run.tree.of(TunedModel)
    if not models:
        return
    first = models[0].name
    where = "" if run.settings.is_default(run.tree.root) else f" {run.tree.root}"
    project = f" --project {run.project.name}" if run.several else ""
    tries = {
        f'tuneform ask {first} "…"{f" --specs{where}" if where else ""}{project}': "ask it something yourself",
        f"tuneform preview{where}{project}": "after changing an epochCount or a label: see what `up` would do",
        f"tuneform destroy{where}{project}": "take it down again; a later `up` brings it back",
    }
    width = max(map(len, tries))
    run.result.print("\nTry next:")
    for command, why in tries.items():
        run.result.print(Text(f"  {command:<{width}}   {why}"))
