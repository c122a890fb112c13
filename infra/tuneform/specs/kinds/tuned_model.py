"""TunedModel: which checkpoint of a tuning serves, and what it must show first."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from tuneform.specs.kinds.base import DeletionPolicy, Fraction, JobRef, SpecModel, Whole, problem, shown


def _checkpoint(value: object) -> object:
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    if number in ("last", "best") or (
        isinstance(number, int) and not isinstance(number, bool) and number >= 1
    ):
        return number
    raise problem(
        "E126", f"{shown(value)} is not a checkpoint", hint="write last, best or a checkpoint's number from 1"
    )


class ExactMatch(SpecModel):
    """Share of test examples that are answered word for word."""

    at_least: Fraction
    """The share, from 0 to 1, that must be reached."""
    examples: Annotated[Whole, Field(ge=1)] | None = None
    """How many test examples are asked; all where it is left out. Each is a paid call."""


class EvalLoss(SpecModel):
    """Loss on the validation examples, as Vertex AI measured it."""

    at_most: Annotated[float, Field(ge=0)]
    """The loss that must not be passed."""


class EvalAccuracy(SpecModel):
    """Share of next tokens foretold on the validation examples, as Vertex AI measured it."""

    at_least: Fraction
    """The share, from 0 to 1, that must be reached."""


class Gate(SpecModel):
    """What a revision must show before it serves; every condition given counts."""

    exact_match: ExactMatch | None = None
    """Ask the model the test examples."""
    eval_loss: EvalLoss | None = None
    """Look at the validation loss of the checkpoint."""
    eval_accuracy: EvalAccuracy | None = None
    """Look at the validation accuracy of the checkpoint."""
    no_worse_than: Literal["serving"] | None = None
    """Compare with what serves: in the conditions given above, in exactMatch where there are none."""


class TunedModel(SpecModel):
    """The serving endpoint of a tuning: one name for ever, moved to a revision that passed its gate."""

    identifying = frozenset({"job"})

    job: JobRef
    """The TuningJob whose model serves; one TunedModel per job at most."""
    checkpoint: Annotated[
        Literal["last", "best"] | int,
        BeforeValidator(
            _checkpoint, json_schema_input_type=Literal["last", "best"] | Annotated[int, Field(ge=1)]
        ),
    ] = "last"
    """`last`, `best` (lowest validation loss) or a checkpoint's number."""
    gate: Gate = Gate()
    """What must be shown before it serves."""
    keep: Annotated[Whole, Field(ge=0, le=100)] = 2
    """Earlier revisions kept beside the one that serves, so that going back costs nothing."""
    deletion_policy: DeletionPolicy = "Delete"
    """What happens to endpoint and models when the document is removed."""
    display_name: Annotated[str, Field(max_length=128)] = ""
    """Name of the endpoint for people; metadata.name unless said otherwise."""
    description: str = ""
    """For people."""
    serving: Literal["endpoint", "pointer"] = "endpoint"
    """How clients find the model: by an endpoint whose name lasts, or by asking tuneform which one serves now."""
