"""Dataset: the examples a model is tuned, validated and tested with."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from tuneform.specs.kinds.base import BucketRef, SpecModel, Text, Whole, matching, one_of, problem


class Example(SpecModel):
    """One example, written in the spec itself."""

    input: Text
    """What the model is asked."""
    output: Text
    """What it should answer."""


class Source(SpecModel):
    """Where examples come from: exactly one of `file`, `examples` and `uri`."""

    model_config = one_of("file", "examples", "uri")
    replaced = True

    file: Text | None = None
    """A file, relative to the spec file that names it; it must not lead out of the spec folder."""
    examples: Annotated[tuple[Example, ...], Field(min_length=1)] | None = None
    """The examples themselves."""
    uri: (
        Annotated[
            str, matching(r"gs://[a-z0-9][a-z0-9_.-]+/\S+", "an object in Cloud Storage: gs://bucket/path")
        ]
        | None
    ) = None
    """An object in Cloud Storage."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [name for name in ("file", "examples", "uri") if getattr(self, name) is not None]
        if len(given) != 1:
            message = f"{' and '.join(given)} exclude each other" if given else "no source of examples"
            raise problem(
                "E130", message, hint="give exactly one of file, examples and uri", at=tuple(given[1:2])
            )
        return self


def _from_text(value: object) -> object:
    if isinstance(value, str):
        return {"uri": value} if value.startswith("gs://") else {"file": value}
    return value


AnySource = Annotated[Source, BeforeValidator(_from_text, json_schema_input_type=Source | Text)]
"""A source, or plain text: a `gs://` URI or a file."""


class Columns(SpecModel):
    """Which CSV columns are meant."""

    input: Text = "input"
    """Header of the column with what the model is asked."""
    output: Text = "output"
    """Header of the column with what it should answer."""


class Split(SpecModel):
    """Take validation and test examples out of the training examples, always the same ones for one seed."""

    validation: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the examples held out for validation."""
    test: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the examples held out for the gate."""
    seed: Whole = 1
    """Another seed picks other examples."""

    @model_validator(mode="after")
    def _something_left(self) -> Self:
        if self.validation + self.test >= 1:
            raise problem(
                "E127", "the shares leave nothing to train on", hint="validation + test must stay below 1"
            )
        return self


class Dataset(SpecModel):
    """Examples, checked, converted to Vertex JSONL and uploaded under the hash of their content."""

    bucket: BucketRef
    """The DatasetBucket they are uploaded to."""
    training: AnySource
    """Examples to tune with."""
    validation: AnySource | None = None
    """Examples that Vertex AI measures loss and accuracy on while it trains."""
    test: AnySource | None = None
    """Examples that the gate asks about: never seen in training, nor used to choose a checkpoint."""
    format: Literal["auto", "vertex-jsonl", "gemini-pairs", "csv", "preference-jsonl"] = "auto"
    """How the files are written; `auto` looks at the name and the first line. `preference-jsonl`, which is never
    guessed, has two scored answers to each prompt, for preference tuning."""
    columns: Columns = Columns()
    """For CSV: which columns hold input and output."""
    split: Split | None = None
    """Hold out a share of the training examples."""
    preamble: Text | None = None
    """Text before every prompt, with a blank line between. Questions to the tuned model need it too."""
    task: Literal[
        "classification", "extraction", "summarization", "question-answering", "chat", "generation"
    ] = "generation"
    """What the examples teach; checks and advice depend on it."""

    @model_validator(mode="after")
    def _preferences_are_in_files(self) -> Self:
        for name in ("training", "validation", "test"):
            source: Source | None = getattr(self, name)
            if self.format == "preference-jsonl" and source is not None and source.examples is not None:
                hint = "put them in a file, each with its two completions"
                message = "examples written here have one output, and preference-jsonl compares two"
                raise problem("E130", message, hint=hint, at=(name, "examples"))
        return self

    @model_validator(mode="after")
    def _held_out_once(self) -> Self:
        for name in ("validation", "test"):
            if self.split and getattr(self.split, name) and getattr(self, name):
                raise problem(
                    "E130",
                    f"{name!r} is given, and split takes a share for it too",
                    hint="keep one of them",
                    at=("split", name),
                )
        return self
