"""From what a Dataset asks for to checked, canonical, divided examples."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from tuneform.datasets.canonical import Canonical, pair_line, preference_line, vertex_line
from tuneform.datasets.files import Fetch, open_file, open_uri
from tuneform.datasets.limits import Limit, Limits
from tuneform.datasets.overlap import Read, overlaps
from tuneform.datasets.problems import Origin, Problems, RowError, quoted
from tuneform.datasets.rows import Rows, first_line, read_csv, read_json
from tuneform.datasets.source import DatasetSource, Part, SplitName
from tuneform.datasets.splits import Split, divide, make_split
from tuneform.errors import DatasetErrors, Diagnostic

Convert = Callable[[Any, str], Canonical]
_JSON_ENDINGS = (".jsonl", ".ndjson", ".json")


@dataclass(frozen=True)
class Prepared:
    """A dataset, ready to be uploaded and trained on, with what is questionable about it."""

    training: Split
    validation: Split | None
    test: Split | None
    warnings: tuple[Diagnostic, ...] = ()


def prepare(source: DatasetSource, *, root: Path, fetch: Fetch) -> Prepared:
    """Read, check, convert and divide what `source` names.

    Files are relative to `root` and stay in it; `fetch` reads gs:// URIs and may raise errors of its own. Raises
    DatasetErrors with the first 20 problems of all parts, each with its file and line, and the number of the
    others.
    """
    problems = Problems()
    named: list[tuple[SplitName, Part | None]] = [
        ("training", source.training),
        ("validation", source.validation),
        ("test", source.test),
    ]
    read = {
        name: _read(name, part, source, root=root, fetch=fetch, problems=problems)
        for name, part in named
        if part is not None
    }
    problems.raise_if_any()
    divided = divide(read["training"].examples, source.split)
    for name in ("validation", "test"):
        if name in read:
            divided[name] = read[name].examples
    _check_sizes(read["training"].origin, divided, source.limits, problems)
    problems.raise_if_any()
    made = {name: make_split(name, examples) for name, examples in divided.items() if examples}
    return Prepared(
        training=made["training"],
        validation=made.get("validation"),
        test=made.get("test"),
        warnings=overlaps(read, divided),
    )


def _read(
    name: SplitName, part: Part, source: DatasetSource, *, root: Path, fetch: Fetch, problems: Problems
) -> Read:
    try:
        origin, stream = _open(name, part, root, fetch)
    except DatasetErrors as error:
        for diagnostic in error.diagnostics:
            problems.add(diagnostic)
        return Read(Origin(name), [], [])
    before = problems.count
    with closing(stream):
        rows, convert = _rows(part, origin, stream, source, problems)
        read = _examples(rows, convert, source, problems)
    if not read.examples and problems.count == before:
        hint = "a CSV file also needs its header"
        problems.add(origin.diagnostic("E204", "no examples in it", hint=hint))
    return read


def _open(name: SplitName, part: Part, root: Path, fetch: Fetch) -> tuple[Origin, BinaryIO]:
    if part.file:
        return open_file(root, part.file)
    if part.uri:
        return open_uri(part.uri, fetch)
    return Origin(name, counted="example"), io.BytesIO()


def _rows(
    part: Part, origin: Origin, stream: BinaryIO, source: DatasetSource, problems: Problems
) -> tuple[Rows, Convert]:
    """The rows that a part holds, and what makes canonical lines of them."""
    if not part.file and not part.uri:
        return Rows(origin, enumerate(part.examples, 1)), _pair
    if source.format == "preference-jsonl":
        return read_json(origin, stream, problems), preference_line
    ending = PurePosixPath(part.file or part.uri).suffix.lower()
    kind = source.format if source.format != "auto" else _by_name_or_look(ending, first_line(stream), source)
    if kind == "csv":
        return read_csv(origin, stream, source.columns, problems), _pair
    if kind in ("vertex-jsonl", "json"):
        rows = read_json(origin, stream, problems)
        return (rows, vertex_line) if kind == "vertex-jsonl" else _by_first_row(rows, problems)
    if kind == "gemini-pairs":
        return read_json(origin, stream, problems), _pair
    hint = "name it in the Dataset: format: vertex-jsonl, gemini-pairs or csv"
    message = f"cannot tell the format from the name ({ending or 'no extension'}) or the first line"
    problems.add(origin.diagnostic("E205", message, number=1, hint=hint))
    return Rows(origin, iter(())), _pair


def format_of(origin: Origin, stream: BinaryIO, file: str, problems: Problems) -> str:
    """The format that `auto` finds by a file's name and first example; where it finds none, a problem is noted."""
    source = DatasetSource(Part(file=file))
    if _by_name_or_look(PurePosixPath(file).suffix.lower(), first_line(stream), source) == "csv":
        return "csv"
    _, convert = _rows(source.training, origin, stream, source, problems)
    return "vertex-jsonl" if convert is vertex_line else "gemini-pairs"


def _by_name_or_look(ending: str, line: bytes, source: DatasetSource) -> str:
    if ending == ".csv":
        return "csv"
    if ending in _JSON_ENDINGS or line[:1] in (b"{", b"["):
        return "json"
    header = {name.strip().strip('"') for name in line.decode(errors="replace").split(",")}
    if set(source.columns or ("text_input", "output")) <= header:
        return "csv"
    return ""


def _by_first_row(rows: Rows, problems: Problems) -> tuple[Rows, Convert]:
    """JSON rows and their converter, chosen by what the first of them holds."""
    first = next(rows.values, None)
    if first is None:
        return Rows(rows.origin, iter(())), _pair
    number, value = first
    rest = replace(rows, values=chain([first], rows.values))
    keys = set(value) if isinstance(value, dict) else set()
    if keys & {"contents", "completions", "systemInstruction", "system_instruction"}:
        return rest, vertex_line
    if keys & {"text_input", "textInput", "output"} or isinstance(value, list):
        return rest, _pair
    hint = "an example has contents (Vertex), or text_input and output (Gemini pairs)"
    message = "cannot tell the format: the first example has neither contents nor text_input"
    problems.add(rows.origin.diagnostic("E205", message, number=number, hint=hint))
    return Rows(rows.origin, iter(())), _pair


def _pair(value: Any, preamble: str) -> Canonical:
    """The canonical line of a pair: `[input, output]`, or an object with text_input (or textInput) and output."""
    if isinstance(value, list | tuple):
        if len(value) != 2:
            raise RowError("E211", f"a pair is [input, output], and this has {len(value)} values")
        return pair_line(value[0], value[1], preamble)
    if not isinstance(value, dict):
        raise RowError("E211", "a pair is an object with text_input and output, or a list of two texts")
    if "text_input" in value and "textInput" in value:
        raise RowError("E212", "the field text_input is given twice, in two spellings")
    for name in value:
        if name not in ("text_input", "textInput", "output"):
            raise RowError(
                "E213", f"unknown field {quoted(name)}", hint="a pair has text_input and output alone"
            )
    if len(value) != 2:
        raise RowError("E214", f"no {'text_input' if 'output' in value else 'output'} in this pair")
    prompt = value["text_input"] if "text_input" in value else value["textInput"]
    return pair_line(prompt, value["output"], preamble)


def _examples(rows: Rows, convert: Convert, source: DatasetSource, problems: Problems) -> Read:
    limits, size = source.limits, 0
    tokens, bytes_, count = map(
        _most, (limits.tokens_per_example, limits.training_file, limits.text_examples)
    )
    read = Read(rows.origin, [], [])
    for number, value in rows.values:
        try:
            example = convert(value, source.preamble)
            if example.tokens > tokens:
                raise _too_long(example, limits)
        except RowError as wrong:
            problems.add(
                rows.origin.diagnostic(
                    wrong.code, wrong.message, number=number, column=wrong.column, hint=wrong.hint
                )
            )
            continue
        read.examples.append(example)
        read.numbers.append(number)
        size += len(example.line) + 1
        if size > bytes_ or len(read.examples) > count:
            problems.add(_too_much(rows.origin, number, size, limits))
            return read
    most = limits.multimodal_examples
    if most and len(read.examples) > most.value and any(map(_has_media, read.examples)):
        message = f"{len(read.examples):,} examples, with media among them; {most.value:,} at most"
        problems.add(rows.origin.diagnostic("E241", message, hint=f"documented in {most.source}"))
    return read


def _most(limit: Limit[int] | None) -> float:
    return limit.value if limit else math.inf


def _too_long(example: Canonical, limits: Limits) -> RowError:
    most = limits.tokens_per_example
    assert most is not None
    message = f"about {example.tokens:,} tokens; the limit is {most.value:,} for one example"
    return RowError("E240", message, hint=f"documented in {most.source}; shorten or divide the example")


def _too_much(origin: Origin, number: int, size: int, limits: Limits) -> Diagnostic:
    file, examples = limits.training_file, limits.text_examples
    if file and size > file.value:
        message = f"the file would be larger than {file.value:,} bytes as JSONL"
        return origin.diagnostic("E242", message, number=number, hint=f"documented in {file.source}")
    assert examples is not None
    message = f"more than {examples.value:,} examples"
    return origin.diagnostic("E241", message, number=number, hint=f"documented in {examples.source}")


def _has_media(example: Canonical) -> bool:
    """Whether the line has a part that is no text. In a text, quotes are escaped: what is found is a field."""
    return b'"fileData":' in example.line or b'"inlineData":' in example.line


def _check_sizes(
    origin: Origin, divided: dict[SplitName, list[Canonical]], limits: Limits, problems: Problems
) -> None:
    training, validation, rule = (
        len(divided["training"]),
        len(divided["validation"]),
        limits.validation_examples,
    )
    if not training:
        hint = "add examples, or make split.validation and split.test smaller"
        problems.add(origin.diagnostic("E204", "the split leaves no example to train on", hint=hint))
    elif rule and validation > (allowed := rule.value.allowed(training)):
        message = f"{validation:,} validation examples; with {training:,} to train on, at most {allowed:,}"
        problems.add(origin.diagnostic("E243", message, hint=f"documented in {rule.source}"))
