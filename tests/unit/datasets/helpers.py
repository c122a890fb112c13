"""Writing the same examples in every format, and preparing what a test wrote."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tuneform.datasets import DatasetSource, Prepared, prepare
from tuneform.errors import DatasetErrors, Diagnostic

Pairs = Sequence[tuple[str, str]]


def vertex_jsonl(pairs: Pairs) -> bytes:
    lines = [
        {
            "contents": [
                {"role": "user", "parts": [{"text": prompt}]},
                {"role": "model", "parts": [{"text": output}]},
            ]
        }
        for prompt, output in pairs
    ]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def vertex_snake(pairs: Pairs) -> bytes:
    """Other key order, spacing, role spelling, line ends; a byte order mark and trailing blank lines."""
    rows = [
        json.dumps(
            {"contents": [{"parts": {"text": i}, "role": "USER"}, {"parts": [{"text": o}], "role": "Model"}]},
            ensure_ascii=False,
            indent=None,
            separators=(" ,", " : "),
        )
        for i, o in pairs
    ]
    return b"\xef\xbb\xbf" + "".join(f"  {row}\r\n" for row in rows).encode() + b"\r\n\r\n"


def pair_jsonl(pairs: Pairs) -> bytes:
    return "".join(json.dumps({"text_input": i, "output": o}) + "\n" for i, o in pairs).encode()


def pair_objects(pairs: Pairs) -> bytes:
    return json.dumps([{"output": o, "textInput": i} for i, o in pairs], indent=2).encode()


def pair_lists(pairs: Pairs) -> bytes:
    return json.dumps([[i, o] for i, o in pairs]).encode()


def as_csv(pairs: Pairs, header: tuple[str, str] = ("text_input", "output"), end: str = "\n") -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=end)
    writer.writerow(header)
    writer.writerows(pairs)
    return text.getvalue().encode()


WRITERS: Mapping[str, Callable[[Pairs], bytes]] = {
    "vertex.jsonl": vertex_jsonl,
    "snake.jsonl": vertex_snake,
    "pairs.jsonl": pair_jsonl,
    "objects.json": pair_objects,
    "lists.json": pair_lists,
    "rows.csv": as_csv,
}


def no_fetch(uri: str) -> bytes:
    raise AssertionError(f"nothing should be fetched, but {uri} was")


def prepared(
    root: Path, data: bytes, name: str = "data.jsonl", fetch: Callable[[str], bytes] = no_fetch, **source: Any
) -> Prepared:
    """What `prepare` makes of a training file with these bytes."""
    (root / name).write_bytes(data)
    return prepare(DatasetSource.from_json({"training": name, **source}), root=root, fetch=fetch)


def refused(root: Path, data: bytes, name: str = "data.jsonl", **source: Any) -> tuple[Diagnostic, ...]:
    """The diagnostics with which `prepare` refuses a training file with these bytes."""
    with pytest.raises(DatasetErrors) as caught:
        prepared(root, data, name, **source)
    return caught.value.diagnostics
