"""What documents mean together: files that are there, live names of their own, choices that fit each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tuneform.errors import Diagnostic
from tuneform.specs.kinds import SpecModel
from tuneform.specs.tree import Document


def check(documents: Sequence[Document[SpecModel]], root: Path) -> list[Diagnostic]:
    """Everything that is wrong with the meaning of sound documents."""
    return []
