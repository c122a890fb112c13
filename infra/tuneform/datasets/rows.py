"""Reading rows from bytes: JSON lines, a JSON list, CSV. What cannot be read is noted, and reading goes on."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any, BinaryIO

import orjson

from tuneform.datasets.problems import Origin, Problems, RowError, quoted

_BOM = b"\xef\xbb\xbf"
_BATCH = 1_000_000
# Python's csv refuses fields beyond 131,072 characters unless told; an example may be longer than that.
_LONGEST_FIELD = 2**31 - 1
USUAL_COLUMNS = [("text_input", "output"), ("textInput", "output"), ("input", "output")]


@dataclass(frozen=True)
class Rows:
    """Rows with the number of each: a line or an example, as the origin counts them."""

    origin: Origin
    values: Iterator[tuple[int, Any]]


def read_json(origin: Origin, stream: BinaryIO, problems: Problems) -> Rows:
    """One JSON value a line, or all of them in one JSON list."""
    if _is_document(stream):
        listed = replace(origin, counted="example")
        return Rows(listed, _list_values(origin, stream, problems))
    return Rows(origin, _line_values(origin, stream, problems))


def read_csv(origin: Origin, stream: BinaryIO, columns: tuple[str, str] | None, problems: Problems) -> Rows:
    """The (input, output) pairs of a CSV file with a header, numbered by the line that each begins on."""
    return Rows(origin, _csv_pairs(origin, stream, columns, problems))


def first_line(stream: BinaryIO) -> bytes:
    """The first line that is not blank, without its byte order mark; the stream is put back to its beginning."""
    found = next((line for line in _lines(stream) if line.strip()), b"").strip()
    stream.seek(0)
    return found


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines as they are, but for a byte order mark before the first."""
    for index, line in enumerate(stream):
        yield line.removeprefix(_BOM) if index == 0 else line


def _is_document(stream: BinaryIO) -> bool:
    """Whether the JSON is one document over all lines, rather than one value a line."""
    filled = list(islice((line for line in _lines(stream) if line.strip()), 2))
    stream.seek(0)
    if not filled:
        return False
    try:
        first = orjson.loads(filled[0])
    except orjson.JSONDecodeError:
        # An opening bracket alone: a list, or an object, spread over lines.
        return filled[0].strip() in (b"[", b"{") or (filled[0].lstrip()[:1] == b"[" and len(filled) > 1)
    one_pair = isinstance(first, list) and first and all(isinstance(item, str) for item in first)
    return len(filled) == 1 and isinstance(first, list) and not one_pair


def _line_values(origin: Origin, stream: BinaryIO, problems: Problems) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(_lines(stream), 1):
        if line.isspace() or not line:
            continue
        try:
            yield number, orjson.loads(line)
        except orjson.JSONDecodeError as error:
            wrong = _why_not_json(line, error)
            problems.add(
                origin.diagnostic(
                    wrong.code, wrong.message, number=number, column=wrong.column, hint=wrong.hint
                )
            )


def _list_values(origin: Origin, stream: BinaryIO, problems: Problems) -> Iterator[tuple[int, Any]]:
    data = stream.read().removeprefix(_BOM)
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        wrong = _why_not_json(data, error)
        problems.add(
            origin.diagnostic(
                wrong.code, wrong.message, number=error.lineno, column=wrong.column, hint=wrong.hint
            )
        )
        return
    if not isinstance(document, list):
        hint = "one object a line, or a list of them: [{...}, {...}]"
        problems.add(origin.diagnostic("E211", "the document is not a list of examples", hint=hint))
        return
    yield from enumerate(document, 1)


def _why_not_json(data: bytes, error: orjson.JSONDecodeError) -> RowError:
    if b"\0" in data:
        return RowError("E207", "NUL character: this is not text", column=data.index(b"\0") + 1)
    try:
        data.decode()
    except UnicodeDecodeError as bad:
        return _not_utf8(bad)
    reason = error.msg.split(":")[0]
    return RowError("E210", f"not JSON: {reason}", column=error.colno)


def _not_utf8(bad: UnicodeDecodeError) -> RowError:
    byte = bad.object[bad.start]
    hint = "save the file as UTF-8"
    return RowError("E206", f"not UTF-8: byte 0x{byte:02x}", hint=hint, column=bad.start + 1)


def _text_lines(origin: Origin, stream: BinaryIO, problems: Problems) -> Iterator[str]:
    """The lines of a CSV file as text.

    CRLF becomes LF, also between quotes: line ends belong to the file, and version control changes them.
    """
    return chain.from_iterable(_text_batches(origin, stream, problems))


def _text_batches(origin: Origin, stream: BinaryIO, problems: Problems) -> Iterator[Iterable[str]]:
    """The lines, about a megabyte at once: nearly always there is nothing wrong with any of them."""
    number = 1
    while lines := stream.readlines(_BATCH):
        if number == 1:
            lines[0] = lines[0].removeprefix(_BOM)
        data = b"".join(lines).replace(b"\r\n", b"\n")
        try:
            text = None if b"\0" in data else data.decode()
        except UnicodeDecodeError:
            text = None
        if text is None:
            yield _lines_with_faults(origin, lines, number, problems)
        else:
            # Not splitlines, which takes more than line feeds for the ends of lines.
            yield io.StringIO(text, newline="\n")
        number += len(lines)


def _lines_with_faults(
    origin: Origin, lines: Sequence[bytes], first: int, problems: Problems
) -> Iterator[str]:
    """The lines, numbered from `first`; what is wrong with one is noted when it is handed out."""

    def note(number: int, wrong: RowError) -> None:
        problems.add(
            origin.diagnostic(wrong.code, wrong.message, number=number, column=wrong.column, hint=wrong.hint)
        )

    for number, line in enumerate(lines, first):
        data = line[:-2] + b"\n" if line.endswith(b"\r\n") else line
        if b"\0" in data:
            note(number, RowError("E207", "NUL character: this is not text", column=data.index(b"\0") + 1))
        try:
            yield data.decode()
        except UnicodeDecodeError as bad:
            note(number, _not_utf8(bad))
            yield data.decode(errors="replace")


def _csv_pairs(
    origin: Origin, stream: BinaryIO, columns: tuple[str, str] | None, problems: Problems
) -> Iterator[tuple[int, Any]]:
    header: list[str] | None = None
    wanted = (0, 0)
    for number, fields in _csv_records(origin, stream, problems):
        if header is None:
            header = [name.strip() for name in fields]
            try:
                wanted = _wanted(header, columns)
            except RowError as wrong:
                problems.add(origin.diagnostic(wrong.code, wrong.message, number=number, hint=wrong.hint))
                return
        elif len(fields) != len(header):
            message = (
                f"{len(fields)} field{'' if len(fields) == 1 else 's'}, and the header has {len(header)}"
            )
            hint = "a text that holds a comma, a quote or a line break goes in double quotes"
            problems.add(origin.diagnostic("E232", message, number=number, hint=hint))
        else:
            yield number, [fields[wanted[0]], fields[wanted[1]]]


def _csv_records(origin: Origin, stream: BinaryIO, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader(_text_lines(origin, stream, problems), strict=True)
    while True:
        begin = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            message, hint = _csv_reason(str(error))
            problems.add(origin.diagnostic("E231", message, number=begin, hint=hint))
            continue
        if len(fields) > 1 or "".join(fields).strip():
            yield begin, fields


def _csv_reason(said: str) -> tuple[str, str]:
    if "unexpected end of data" in said:
        return "unbalanced quote: the text that begins here never ends", "a quote inside a text is doubled"
    if "expected after" in said:
        return "text after a closing quote", "a quote inside a text is doubled"
    return f"malformed CSV: {said}", "a text that holds a line break goes in double quotes"


def _wanted(header: Sequence[str], columns: tuple[str, str] | None) -> tuple[int, int]:
    """Where in a row the input and the output are."""
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise RowError("E230", f"the header names the column {quoted(twice[0])} twice")
    for names in [columns] if columns else USUAL_COLUMNS:
        if set(names) <= set(header):
            return header.index(names[0]), header.index(names[1])
    if columns:
        missing = next(name for name in columns if name not in header)
        raise RowError(
            "E230", f"no column {missing!r}", hint=f"the header has {', '.join(map(quoted, header))}"
        )
    if len(header) == 2:
        return 0, 1
    hint = "name them in the Dataset: columns: {input: ..., output: ...}"
    raise RowError("E230", f"which of {len(header)} columns are input and output is not said", hint=hint)
