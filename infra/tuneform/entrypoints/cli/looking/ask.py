"""`tuneform ask`: one question to a served model."""

from __future__ import annotations

from dataclasses import asdict

import click

from tuneform.entrypoints import inputs
from tuneform.entrypoints.cli.looking.opening import Opened, Options, opened, with_options
from tuneform.entrypoints.cli.looking.served import kept, served
from tuneform.entrypoints.cli.reconciling.showing import print_json
from tuneform.specs import Dataset, TuningJob


@click.command()
@click.argument("name")
@click.argument("question")
@click.option("--revision", metavar="r1-…", help="Ask this kept revision, not what serves.")
@click.option(
    "--checkpoint", type=click.IntRange(min=1), metavar="EPOCH", help="Ask that epoch's checkpoint."
)
@click.option("--system", metavar="TEXT", default="", help="The system instruction of the training examples.")
@with_options
def command(
    options: Options, name: str, question: str, *, revision: str | None, checkpoint: int | None, system: str
) -> None:
    """Ask the TunedModel NAME a QUESTION and print its answer.

    The dataset's preamble goes before the question, as it did in training. A system instruction that the examples hold
    belongs to the question as well: give it with --system.

    \b
    Exit codes: 0 answered, 1 an error (on stderr).

    \b
    Examples:
      tuneform ask support-intents "Where is my parcel?"
      tuneform ask support-intents "Where is my parcel?" --checkpoint 3
      tuneform ask support-intents "Where is my parcel?" --system "Name the intent."
      tuneform ask support-intents "Where is my parcel?" --format json
    """
    open_ = opened(options)
    asks_kept = revision is not None or checkpoint is not None
    found = kept(open_, name, revision, checkpoint) if asks_kept else served(open_, name)
    text = open_.ports.writer.ask(found.endpoint, _request(open_, name, question, system))
    if options.is_json:
        print_json({**asdict(found), "question": question, "answer": text})
    else:
        click.echo(text)


def _request(open_: Opened, name: str, question: str, system: str) -> dict[str, object]:
    tree, model = open_.scope.tree, open_.model(name)
    job = tree.find(TuningJob, model.spec.job.ref, model.project)
    preamble = inputs.source(tree, tree.find(Dataset, job.spec.dataset.ref, model.project)).preamble
    text = f"{preamble}\n\n{question}" if preamble else question
    told = {"systemInstruction": {"role": "system", "parts": [{"text": system}]}} if system else {}
    return {**told, "contents": [{"role": "user", "parts": [{"text": text}]}]}
