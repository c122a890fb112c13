"""Asking served models: one question of a person, or a held-out one from the dataset."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from tuneform.datasets import DatasetSource, pairs, prepare
from tuneform.entrypoints import inputs, resolve
from tuneform.errors import NotFound
from tuneform.platforms.vertex import connect
from tuneform.reconcile.desired import Identity
from tuneform.reconcile.live import Progress
from tuneform.reconcile.ports import Ports
from tuneform.specs import Dataset, Document, Tree, TunedModel, TuningJob


@dataclass(frozen=True)
class Example:
    """A question from a dataset, the answer it gives there, whether training has not seen it, and what it has seen."""

    question: str
    expected: str
    held_out: bool
    trained_on: int


class Silent:
    """A listener for commands that only look."""

    def say(self, identity: Identity, text: str) -> None:
        """Nobody listens."""

    def progress(self, identity: Identity, progress: Progress) -> None:
        """Nobody listens."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)

    def wait(self, seconds: float) -> bool:
        """Sleep."""
        time.sleep(seconds)
        return False


def ports(tree: Tree, model: Document[TunedModel], endpoint: str | None) -> Ports:
    """The ports of a model's project, for looking and asking; `endpoint` is the emulator's."""
    project = resolve.project(tree.project_of(model))
    return connect(project, endpoint, listener=Silent(), clock=SystemClock())


def answer(tree: Tree, model: Document[TunedModel], endpoint: str | None, question: str) -> str:
    """What a served model answers. The dataset's preamble goes before the question, as it did in training.

    Raises:
        NotFound: nothing serves it.
    """
    asked = ports(tree, model, endpoint)
    preamble = _source(tree, model).preamble
    text = f"{preamble}\n\n{question}" if preamble else question
    request = {"contents": [{"role": "user", "parts": [{"text": text}]}]}
    return asked.writer.ask(_served_at(asked, tree, model), request)


def _served_at(asked: Ports, tree: Tree, model: Document[TunedModel]) -> str:
    """The endpoint that answers for a model: the one that is pointed to, or the one of its first name."""
    project = resolve.project(tree.project_of(model))
    if model.spec.serving == "endpoint":
        return f"{project.serving_parent}/endpoints/{[*model.metadata.previous_names, model.name][0]}"
    found = {pointer.name: pointer.endpoint for pointer in asked.ledger.pointers(project)}
    if model.name not in found:
        raise NotFound(f"nothing points to an endpoint of {model.name}")
    return found[model.name]


def example(tree: Tree, model: Document[TunedModel]) -> Example | None:
    """One example of the model's dataset, as a person would ask it: of its test split, else of its validation
    split, else of training; None where the data lies in Cloud Storage.
    """
    source = _source(tree, model)
    if source.is_remote:
        return None
    prepared = prepare(source, root=tree.root, fetch=_nothing_remote)
    split = prepared.test or prepared.validation or prepared.training
    question, expected = pairs(split)[0]
    return Example(
        question=question.removeprefix(f"{source.preamble}\n\n"),
        expected=expected,
        held_out=split is not prepared.training,
        trained_on=prepared.training.examples,
    )


def _source(tree: Tree, model: Document[TunedModel]) -> DatasetSource:
    job = tree.find(TuningJob, model.spec.job.ref, model.project)
    dataset = tree.find(Dataset, job.spec.dataset.ref, model.project)
    return inputs.source(tree, dataset)


def _nothing_remote(uri: str) -> bytes:
    raise AssertionError(f"the source is local, and {uri} was asked for")
