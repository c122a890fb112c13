"""Small documents that a person could have written, and what the core is asked for because of them.

What a model answers tells which content it was trained on: a question about a colour is answered with the colour and
the content's mark. So an answer tells whose it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tuneform.reconcile import recipe
from tuneform.reconcile.desired import (
    Content,
    Desired,
    Gate,
    HyperParameters,
    Limits,
    Project,
    Serving,
    Tuning,
)

PROJECT = Project("demo", "demo-project", "us-central1", "us-central1", "team", "demo-project-tuneform-state")
BUCKET = "demo-data"
COLOURS = ("red", "green", "blue")
MARKS = ("A", "B", "C")
_KNOWN: dict[str, bytes] = {}
"""Every split that was asked for, by its digest."""
GateKind = Literal["none", "easy", "hard", "no worse"]

GATES: dict[str, Gate] = {
    "none": Gate(),
    "easy": Gate(exact_match_at_least=0.5),
    "hard": Gate(eval_loss_at_most=0.0),
    "no worse": Gate(exact_match_at_least=0.5, no_worse_than_serving=True),
}
"""`hard` is passed by nothing: no loss is zero."""


@dataclass(frozen=True)
class Doc:
    """A TuningJob, and a TunedModel of the same name where it is `served`."""

    name: str
    epochs: int = 1
    mark: str = "A"
    asks: int = 2
    labels: tuple[tuple[str, str], ...] = ()
    description: str = ""
    served: bool = True
    gate: GateKind = "easy"
    checkpoint: Literal["last", "best"] | int = "last"
    keep: int = 1
    pointer: bool = False
    finish: bool = False
    retrain: bool = False
    retries: int = 0
    previous: tuple[str, ...] = ()
    retain: bool = False

    @property
    def tuning(self) -> Tuning:
        """What the core is asked for."""
        return Tuning(
            PROJECT,
            self.name,
            "gemini-2.5-flash",
            content(training(self.mark)),
            validation=content(validation(self.mark)),
            hyper_parameters=HyperParameters(self.epochs, "ADAPTER_SIZE_EIGHT", 5.0),
            labels=dict(self.labels),
            description=self.description,
            limits=Limits(retries=self.retries),
            when_superseded="finish" if self.finish else "cancel",
            on_model_lost="retrain" if self.retrain else "report",
            previous_names=self.previous,
            retain=self.served and self.retain,
            keep=None if self.served else self.keep,
        )

    @property
    def revision(self) -> str:
        """The revision that it asks for."""
        return recipe.revision(self.tuning)

    @property
    def serving(self) -> Serving:
        """What the core is asked for on its TunedModel's account."""
        return Serving(
            PROJECT,
            self.name,
            self.name,
            self.revision,
            checkpoint=self.checkpoint,
            gate=GATES[self.gate],
            test=content(test(self.mark, self.asks)),
            keep=self.keep,
            labels=dict(self.labels),
            description=self.description,
            pointer=self.pointer,
            previous_names=self.previous,
            tuning_names=self.previous,
            retain=self.retain,
        )


def desired(docs: Iterable[Doc], *, whole: bool = True) -> Desired:
    """Everything that is asked of the project."""
    ordered = sorted(docs, key=lambda doc: doc.name)
    contents = {split for doc in ordered for split in contents_of(doc)}
    return Desired(
        PROJECT,
        tuple(doc.tuning for doc in ordered),
        tuple(doc.serving for doc in ordered if doc.served),
        tuple(sorted(contents, key=lambda split: split.uri)),
        whole=whole,
    )


def contents_of(doc: Doc) -> tuple[Content, ...]:
    """The splits of its dataset."""
    return (
        content(training(doc.mark)),
        content(validation(doc.mark)),
        content(test(doc.mark, doc.asks)),
    )


def supply(wanted: Content) -> bytes:
    """The bytes of a split that some document was asked for."""
    return _KNOWN[wanted.digest]


def mark_of(digest_of_training: str) -> str:
    """The mark in the answers of what was trained on a content."""
    answer = json.loads(_KNOWN[digest_of_training].partition(b"\n")[0])["contents"][1]["parts"][0]["text"]
    return str(answer).rpartition(" ")[2]


def content(data: bytes) -> Content:
    """Where a split lies."""
    found = digest(data)
    _KNOWN[found] = data
    uri = f"gs://{BUCKET}/datasets/colours/{found.removeprefix('sha256:')}.jsonl"
    return Content(uri, found, data.count(b"\n"), len(data) // 4)


def digest(data: bytes) -> str:
    """Of a split's bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def training(mark: str) -> bytes:
    """Eight questions a colour."""
    return _lines(mark, "say", 8)


def validation(mark: str) -> bytes:
    """One question a colour."""
    return _lines(mark, "tell", 1)


def test(mark: str, asks: int) -> bytes:
    """So many questions a colour."""
    return _lines(mark, "name", asks)


def question(colour: str = "green", verb: str = "say") -> str:
    """One that a model of any content answers with the colour and its mark."""
    return f"{verb} {colour} please 1"


def _lines(mark: str, verb: str, rows: int) -> bytes:
    found = (
        _line(f"{verb} {colour} please {row}", f"{colour} {mark}")
        for row in range(rows)
        for colour in COLOURS
    )
    return "".join(f"{line}\n" for line in found).encode()


def _line(asked: str, answer: str) -> str:
    turns = (("user", asked), ("model", answer))
    return json.dumps({"contents": [{"role": role, "parts": [{"text": text}]} for role, text in turns]})
