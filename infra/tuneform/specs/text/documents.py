"""The documents of a file: what they say at once, and where each word of it stands once somebody asks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from tuneform.errors import Diagnostic
from tuneform.specs.text.nodes import Value
from tuneform.specs.text.parse import Parsed, parse
from tuneform.specs.text.plain import Odd, Reader, is_plain
from tuneform.specs.text.source import Source

_BETWEEN = "\n---\n"
# Lines that are no content, or where one document ends in another way than _BETWEEN.
_MARKER = re.compile(r"^(?:---|\.\.\.|%)", re.MULTILINE)


@dataclass(frozen=True)
class Said:
    """What the documents of a file say, what is wrong with the file as YAML, and whether it is all there is."""

    values: Sequence[Value]
    found: Sequence[Diagnostic] = ()
    complete: bool = True


class SpecFile:
    """One spec file. Its documents are numbered from 0, empty ones left out."""

    def __init__(self, source: Source) -> None:
        self.source = source

    @cached_property
    def parsed(self) -> Parsed:
        """The documents with their places; as many, in the same order, as `read` gives values."""
        return parse(self.source)

    def read(self, reader: Reader) -> Said:
        """What the documents say; with places looked up only where something is wrong or out of the ordinary."""
        values = self._quick(reader)
        if values is not None:
            return Said(values)
        parsed = self.parsed
        return Said([root.value() for root in parsed.roots], parsed.found, parsed.complete)

    def _quick(self, reader: Reader) -> list[Value] | None:
        """The values, document by document; None where that takes as long as to read the file as a whole, or may fail.

        A document that the reader finds odd is parsed alone, as long as nothing is found wrong with it.
        """
        # With a line end before it, so that a "---" in the first line is found like the others.
        text = "\n" + self.source.text.replace("\r\n", "\n")
        if not is_plain(text):
            return None
        *ended, last = text.split(_BETWEEN)
        # The line end before a "---" is the document's own: text in a block (`|`) ends with it.
        documents = [*(document + "\n" for document in ended), last]
        quick = [_read(reader, document) for document in documents]
        if quick.count(None) > len(quick) // 2:
            return None
        values: list[Value] = []
        for document, value in zip(documents, quick, strict=True):
            if value is None:
                alone = None if _MARKER.search(document) else parse(Source(self.source.path, document))
                if alone is None or alone.found or not alone.complete:
                    return None
                values += [root.value() for root in alone.roots]
            elif value:
                values.append(value)
        return values


def _read(reader: Reader, document: str) -> dict[str, Value] | None:
    try:
        return reader.document(document)
    except Odd:
        return None
