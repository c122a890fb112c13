"""What has to hold of any bytes as a file of specs: a tree, or errors at their places, soon, and never a traceback."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

from tests.unit.specs.bad_specs import BASE

from tuneform.capabilities.prices import builtin
from tuneform.entrypoints.doors.documents import Documents
from tuneform.entrypoints.doors.telling import judged
from tuneform.errors import Diagnostic
from tuneform.policy import Judge
from tuneform.review.render import rendered
from tuneform.specs import Policy, Tree, examine, load
from tuneform.specs.policies import policy_set
from tuneform.specs.text.source import Source, read

SECONDS = 2.0
"""Of processor time, in which every document, however malformed, has to be read, judged and told about."""


class Folder:
    """A sound folder of specs in which one more file is whatever comes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path / "more.yaml"
        (path / "base.yaml").write_text(BASE)

    def judge(self, data: bytes) -> frozenset[str]:
        """The codes of what is wrong with it.

        Raises:
            AssertionError: it took too long, a place is not where it says, or what is sound is not rendered soundly.
        """
        self._file.write_bytes(data)
        began = time.process_time()
        tree, errors = examine(self._path)
        found = (*errors, *tree.warnings)
        if not errors:  # then its policies are rules, and can be asked
            judge = Judge([policy_set(tree.of(Policy))], date(2026, 11, 30))
            found = (*found, *judged(Documents(tree, {}, builtin()), judge).diagnostics)
        for diagnostic in found:
            diagnostic.render()
        took = time.process_time() - began
        assert took < SECONDS, f"took {took:.1f} s"
        self._check_places(found)
        if not errors:
            self._check_rendering(tree)
        return frozenset(diagnostic.code for diagnostic in found)

    def _check_places(self, found: tuple[Diagnostic, ...]) -> None:
        source = read(self._file)
        for diagnostic in found:
            place = diagnostic.position
            assert place is not None, diagnostic
            if place.path == self._file and isinstance(source, Source) and diagnostic.excerpt:
                line = source.line(place.line)
                assert line == diagnostic.excerpt, diagnostic
                assert 1 <= place.column <= len(line) + 1, diagnostic

    def _check_rendering(self, tree: Tree) -> None:
        """What comes out is read back to the same, and once more comes out the same."""
        text = rendered(tree)
        alone = self._path / "rendered"
        alone.mkdir(exist_ok=True)
        try:
            (alone / "all.yaml").write_text(text, encoding="utf-8")
            assert rendered(load(alone)) == text
        finally:
            (alone / "all.yaml").unlink()
            alone.rmdir()
