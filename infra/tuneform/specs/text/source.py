"""One spec file as text: read with care, and able to say what line and column an offset is at."""

from __future__ import annotations

import errno
import os
import re
import stat
from bisect import bisect_right
from functools import cache, cached_property
from pathlib import Path

from tuneform.errors import Diagnostic, Position

MAX_BYTES = 1_000_000
# Whatever a file of this size holds is read and judged in a second or two.
_READ_BYTES = 65_536
_LINE_END = re.compile(r"\r\n|\n|\r")
_PRINTABLE = bytes([9, 10, 13, *range(32, 127)])


@cache
def _unprintable() -> re.Pattern[str]:
    """What YAML 1.2 (section 5.1) allows in a stream, inverted; slow to compile, and seldom asked for."""
    return re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufeff\uff00-\ufffd\U00010000-\U0010ffff]")


class Source:
    """The text of a file. Offsets count characters from 0; lines and columns count from 1."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    def position(self, offset: int) -> Position:
        """Where in the file an offset is."""
        line = bisect_right(self._starts, offset)
        return Position(self.path, line, offset - self._starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """The text of a line, without its end."""
        start = self._starts[number - 1]
        end = _LINE_END.search(self.text, start)
        return self.text[start : end.start() if end else len(self.text)]

    def diagnostic(
        self, code: str, message: str, start: int, end: int = 0, *, hint: str = "", severity: str = "error"
    ) -> Diagnostic:
        """A diagnostic about the text from `start` to `end`, with its line as excerpt."""
        position = self.position(start)
        excerpt = self.line(position.line)
        room = len(excerpt) - position.column + 1
        return Diagnostic(
            code=code,
            message=message,
            position=position,
            hint=hint,
            excerpt=excerpt,
            length=max(1, min(end - start, room)),
            severity=severity,
        )


def read(path: Path) -> Source | Diagnostic:
    """The file's text, or what is wrong with it as a whole."""
    start = Position(path, 1, 1)
    try:
        data = _bytes(path)
    except OSError as error:
        return Diagnostic("E103", f"cannot be read: {error.strerror}", start)
    if len(data) > MAX_BYTES:
        message = f"larger than {MAX_BYTES // 1_000_000} MB"
        return Diagnostic(
            "E104", message, start, hint="keep examples in data files and name them with `file:`"
        )
    return decode(path, data)


def _bytes(path: Path) -> bytes:
    """All bytes of a file, or as many more than MAX_BYTES as show that it is larger.

    By the system's own calls: a buffered file that is asked for MAX_BYTES makes room for them, in thousands of
    files of a few hundred bytes each. Raises OSError.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe would be waited for
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is no plain file")
        data = os.read(handle, _READ_BYTES)
        more = data
        while more and len(data) <= MAX_BYTES:
            more = os.read(handle, MAX_BYTES)
            data += more
    finally:
        os.close(handle)
    return data


def decode(path: Path, data: bytes) -> Source | Diagnostic:
    """The text of the bytes: UTF-8, a byte order mark dropped, nothing in it that YAML does not allow."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = Source(path, data[: error.start].decode("utf-8"))
        found = before.diagnostic("E105", f"byte 0x{data[error.start]:02x} is not UTF-8", len(before.text))
        return Diagnostic(found.code, found.message, found.position, hint="save the file as UTF-8")
    source = Source(path, text)
    # Bytes first: nearly all files are ASCII, and looked at in a tenth of the time.
    if not data.translate(None, _PRINTABLE):
        return source
    if wrong := _unprintable().search(text):
        char = ord(wrong.group())
        place = source.position(wrong.start())
        return Diagnostic("E106", f"the character U+{char:04X} is not allowed in YAML", place)
    return source
