"""Finding and opening what a dataset names: files of the spec folder and gs:// objects."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from tuneform.datasets.problems import Origin
from tuneform.errors import DatasetErrors, Diagnostic, NotFound

Fetch = Callable[[str], bytes]
_URI = re.compile(r"gs://[a-z0-9][-_.a-z0-9]{1,220}[a-z0-9]/.+", re.DOTALL)


def inside(root: Path, file: str) -> Path:
    """The path of `file`, relative to `root`. Raises DatasetErrors when it is not a file below `root`.

    Symbolic links are followed before that is judged: a link that leads out is refused like a path with `..`.
    """
    path = root / file
    origin = Origin(file, path)
    try:
        real = Path(os.path.realpath(path))
        within = real.is_relative_to(os.path.realpath(root))
        found = within and real.is_file()
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a name too long, a NUL in it
        raise _failed("E201", f"dataset path {file!r} cannot be followed: {error}", None) from error
    if not within:
        hint = "move the file into the spec folder, or upload it and name its gs:// URI"
        raise DatasetErrors(
            [origin.diagnostic("E202", f"dataset path {file!r} leads out of the spec folder", hint=hint)]
        )
    if not found:
        raise _failed("E201", f"dataset file {file!r} is not there, or is not a file", origin)
    return path


def open_file(root: Path, file: str) -> tuple[Origin, BinaryIO]:
    """The file, open for reading from its beginning. Raises DatasetErrors."""
    path = inside(root, file)
    origin = Origin(file, path)
    try:
        return origin, path.open("rb")
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        raise _failed("E201", f"dataset file {file!r} cannot be read: {reason}", origin) from error


def open_uri(uri: str, fetch: Fetch) -> tuple[Origin, BinaryIO]:
    """The object, read with `fetch`. Raises DatasetErrors when the URI is malformed or names nothing."""
    if not _URI.fullmatch(uri):
        raise DatasetErrors(
            [Diagnostic("E203", f"{uri!r} is not the URI of an object", hint="gs://BUCKET/OBJECT")]
        )
    try:
        return Origin(uri), io.BytesIO(fetch(uri))
    except NotFound as error:
        hint = "check the bucket and the object's name, and that you may read it"
        raise DatasetErrors([Diagnostic("E201", f"{uri} is not there", hint=hint)]) from error


def _failed(code: str, message: str, origin: Origin | None) -> DatasetErrors:
    hint = "check the spelling, and that the file is committed"
    if origin is None:
        return DatasetErrors([Diagnostic(code, message, hint=hint)])
    return DatasetErrors([origin.diagnostic(code, message, hint=hint)])
