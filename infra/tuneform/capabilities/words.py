"""What is known, in words: for a terminal, and as docs/capabilities.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from tuneform.capabilities import columns
from tuneform.capabilities.reading import built_in
from tuneform.capabilities.values import Capabilities, Cell, Method, Model, Source

Row = tuple[str, Cell[Any]]


def in_words(cell: Cell[Any]) -> str:
    """A cell's value: `131,072`, `yes`, `us-central1, europe-west4`, `2027-05-19 or later`, `unknown`."""
    value = cell.value
    if value is None:
        return "unknown"
    later = {True: " or later" if isinstance(value, date) else " or more", False: ""}[cell.at_least]
    return _value(value) + later


def _value(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case date():
            return value.isoformat()
        case tuple():
            return ", ".join(map(str, value)) or "none"
        case _:
            return str(value)


def rows(model: Model) -> list[Row]:
    """Every cell of a model, in the order of the file."""
    return [(column.name, _at(model, column.name)) for column in columns.MODEL]


def _at(model: Model, path: str) -> Cell[Any]:
    head, dot, inner = path.partition(".")
    found: Cell[Any] | Method = getattr(model, head)
    return getattr(found, inner) if dot else found  # type: ignore[return-value] # a method's name has a dot


def about_model(model: Model, known: Capabilities) -> Iterator[str]:
    """What is known of one model: every cell, with the number of its source."""
    yield f"{model.name}: what documents say of it"
    yield ""
    left = known.days_left(model)
    if left is not None:
        yield (
            f"Today is {left} days before its documented retirement."
            if left >= 0
            else (f"Its documented retirement was {-left} days ago.")
        )
        yield ""
    yield from _listed(rows(model))


def about_platforms(known: Capabilities) -> Iterator[str]:
    """The models that are known, and what is said of the platforms whatever the model."""
    yield "Models:"
    yield ""
    yield from _listed([(f"{name}, retirement", model.retirement) for name, model in known.models.items()])
    yield "\nVertex AI, whatever the model:\n"
    yield from _listed(known.vertex.items())
    yield "\nGemini API:\n"
    yield from _listed(known.gemini_api.items())


def _listed(found: Iterable[Row]) -> Iterator[str]:
    found = list(found)
    numbers = _numbered(found)
    name_width = max(len(name) for name, _ in found)
    value_width = max(len(in_words(cell)) for _, cell in found if cell.source) if numbers else 0
    for name, cell in found:
        number = f"  [{numbers[cell.source]}]" if cell.source else ""
        yield f"  {name:{name_width}}  {in_words(cell):{value_width if number else 0}}{number}".rstrip()
    yield ""
    yield from (f"  [{number}] {source}" for source, number in numbers.items())


def _numbered(found: Iterable[Row]) -> dict[Source, int]:
    """Sources in the order in which they are cited, from 1."""
    sources = dict.fromkeys(cell.source for _, cell in found if cell.source)
    return {source: number for number, source in enumerate(sources, 1)}


_HEAD = """\
# What is known of models

<!-- Written by `python -m tuneform.specs.reference docs`; edit infra/tuneform/capabilities/capabilities.toml. -->

`tuneform check` measures specs and datasets against what Google's documents say of the base model, and says which
document and of which day. Numbers in brackets are sources, listed at the end. **unknown** means that no document says:
it is not no, and it stops nothing. `tuneform explain gemini-2.5-flash` shows one model, `tuneform explain models` the
rest.

What is found against a document is an error with the limit and its source (E160 to E166, E240 to E243 in
[errors.md](errors.md) and [datasets.md](datasets.md)). A base model that no document names is a warning (W101), and so
is one within 90 days of its documented retirement (W102) or past it (W103), with the models that could be tuned
instead: such days may be put off, what is in use may go on for a while, and a create that is refused costs nothing.
"""

_OWN = """\
## What you know better

A file of your own extends or corrects this, cell by cell. Name it in the settings, `capabilities = ["platform.toml"]`
in `[tool.tuneform]` or tuneform.toml (relative to that file), in the environment, `TUNEFORM_CAPABILITIES`, or with
`--capabilities FILE`; several are read in their order.

```toml
[sources.case-4711]
title = "Support case 4711, on keys with Gemini 2.5"
date = 2026-11-02 # the document's own day; or read = …, the day on which you read it; url = "https://…" if it has one

[models."gemini-2.5-flash"]
customer_managed_keys = { value = true, source = "case-4711" }

[models."gemini-4-flash"] # a model that tuneform does not know; what is left out is unknown
supervised.offered = { value = true, source = "case-4711" }
retirement = { value = 2027-10-01, at_least = true, source = "case-4711" }

[models."gemini-3.5-flash"]
tuning_locations = "unknown" # takes a cell back
```

A cell is replaced whole. Every cell names its source, one of the file's own or one of those below by their key.
Mistakes in the file are errors at their line, with those of the specs (E180 to E183); a correction by a document older
than the one that it corrects is a warning (W104). The setting `today` (`TUNEFORM_TODAY=2027-02-01`) asks what would be
warned about on another day.

| cell of a model | is | means |
|---|---|---|
"""


def page() -> str:
    """docs/capabilities.md: what comes with tuneform, as tables, and how to correct it."""
    known = built_in()
    gone = {name for name, model in known.models.items() if not _described(model)}
    models = [model for name, model in known.models.items() if name not in gone]
    retired = [known.models[name] for name in sorted(gone)]
    platforms: dict[str, Mapping[str, Cell[Any]]] = {
        "Vertex AI, whatever the model": known.vertex,
        "The Gemini API": known.gemini_api,
    }
    cited = [row for model in [*models, *retired] for row in rows(model)]
    numbers = _numbered([*cited, *(row for cells in platforms.values() for row in cells.items())])
    parts = [_HEAD, "## Base models on Vertex AI\n", *_table(models, numbers)]
    if retired:
        parts += [
            "\n## Gone\n",
            *_table(retired, numbers, tuple(column.name for column in columns.RETIREMENT)),
        ]
    for title, cells in platforms.items():
        parts += [f"\n## {title}\n", "| what | value |", "|---|---|"]
        parts += [f"| `{name}` | {_cited(cell, numbers)} |" for name, cell in cells.items()]
    parts += ["", _OWN.rstrip("\n")]
    parts += [f"| `{column.name}` | {column.shape.words} | {column.meaning} |" for column in columns.MODEL]
    parts += ["\n## Sources\n"]
    parts += [f"{number}. `{source.key}`: {_reference(source)}" for source, number in numbers.items()]
    return "\n".join(parts) + "\n"


def _described(model: Model) -> bool:
    """Whether documents say more of it than that it is gone."""
    gone = {column.name for column in columns.RETIREMENT}
    return any(cell.source for name, cell in rows(model) if name not in gone)


def _table(models: Sequence[Model], numbers: Mapping[Source, int], only: Sequence[str] = ()) -> Iterator[str]:
    names = [column.name for column in columns.MODEL if not only or column.name in only]
    yield f"| | {' | '.join(model.name for model in models)} |"
    yield "|---" * (len(models) + 1) + "|"
    for name in names:
        yield f"| `{name}` | {' | '.join(_cited(_at(model, name), numbers) for model in models)} |"


def _cited(cell: Cell[Any], numbers: Mapping[Source, int]) -> str:
    return f"{in_words(cell)} [{numbers[cell.source]}]" if cell.source else in_words(cell)


def _reference(source: Source) -> str:
    day = source.day.isoformat()
    return f"[{source.title}]({source.url}), {day if source.dated else f'as read on {day}'}"
