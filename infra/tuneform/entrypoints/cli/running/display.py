"""What a person sees of a run: one line a resource, and one line a job that moves while it is waited for."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pulumi.automation.events import EngineEvent, OpType
from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from tuneform.entrypoints.cli.running.failures import Problem

MARKS = {
    OpType.CREATE: ("+", "green", "create", "created"),
    OpType.UPDATE: ("~", "yellow", "update", "updated"),
    OpType.DELETE: ("-", "red", "delete", "deleted"),
    OpType.IMPORT: ("=", "cyan", "adopt", "adopted"),
    OpType.REPLACE: ("±", "magenta", "replace", "replaced"),
    OpType.REFRESH: ("↻", "cyan", "read", "read"),
}
"""Each operation's mark, colour, and its word before and after. Others are steps of these, or change nothing."""

KEPT = ("=", "cyan", "keep", "kept")
"""The same of a delete that leaves the thing live: the stack forgets it, and that is all."""

EXPECTED_WARNING = re.compile(r"^using pulumi-resource-\w+ from \$PATH")
"""The engine says so of each plugin that is not installed: our own provider, and the local stack's stand-in."""

NAME_WIDTH = 44
"""Room for the longest names that the program gives: those of grants."""

HIDDEN = ("pulumi:pulumi:Stack", "pulumi:providers:")


@dataclass
class Row:
    """One resource in this run. `said` are its lasting messages, `now` the passing one."""

    op: OpType
    kind: str
    name: str
    now: str = ""
    said: list[str] = field(default_factory=list)
    kept: bool = False

    @property
    def marks(self) -> tuple[str, str, str, str]:
        """See `MARKS`."""
        return KEPT if self.kept else MARKS[self.op]

    def line(self, *, done: bool) -> Text:
        """The row as one line."""
        mark, colour, will, has = self.marks
        word = has if done else f"{will}…"
        text = Text(f"  {mark} ", style=colour)
        text.append(f"{self.kind:<18} {self.name:<{NAME_WIDTH}} ", style="default")
        return text.append(self.now or word, style="default" if done else "dim")


class Display:
    """Follows the engine's events. Use as a context manager around a run; `errors` holds what went wrong."""

    def __init__(self, console: Console, *, preview: bool) -> None:
        self.errors: list[Problem] = []
        self.counts: dict[str, int] = {}
        self._console = console
        self._preview = preview
        self._rows: dict[str, Row] = {}
        self._open: dict[str, Row] = {}
        self._lock = threading.Lock()
        self._live: Live | None = None

    @contextmanager
    def shown(self) -> Iterator[Display]:
        """Show what runs while the block runs; on a terminal the lines of what is under way move in place."""
        if not self._console.is_terminal:
            yield self
            return
        with Live(console=self._console, refresh_per_second=8, transient=True) as live:
            self._live = live
            self._refresh()
            try:
                yield self
            finally:
                self._live = None

    def event(self, event: EngineEvent) -> None:
        """Take in one event of the engine."""
        with self._lock:
            if event.resource_pre_event:
                self._began(event.resource_pre_event.metadata)
            elif event.res_outputs_event:
                self._ended(event.res_outputs_event.metadata.urn)
            elif event.res_op_failed_event:
                self._open.pop(event.res_op_failed_event.metadata.urn, None)
            elif event.diagnostic_event:
                message = event.diagnostic_event
                self._said(
                    message.urn or "", _plain(message.message), message.severity, bool(message.ephemeral)
                )
            elif event.summary_event:
                self.counts = {OpType(op).value: n for op, n in event.summary_event.resource_changes.items()}
            self._refresh()

    def _began(self, metadata: object) -> None:
        urn, op, kind = (getattr(metadata, name) for name in ("urn", "op", "type"))
        if op not in MARKS or str(kind).startswith(HIDDEN):
            return
        said = self._rows[urn].said if urn in self._rows else []
        old = getattr(metadata, "old", None)
        kept = op is OpType.DELETE and old is not None and bool(old.retain_on_delete)
        fields = sorted(getattr(metadata, "detailed_diff", None) or ())
        if fields and str(kind).startswith("gcp:"):  # our own resources say in words what changes
            said.append(f"differs in {', '.join(fields)}")
        row = Row(op, str(kind).rpartition(":")[2], urn.rpartition("::")[2], said=said, kept=kept)
        self._rows[urn] = self._open[urn] = row

    def _ended(self, urn: str) -> None:
        row = self._open.pop(urn, None)
        if row is None or self._preview or row.op is OpType.REFRESH:
            return
        row.now = ""
        self._console.print(row.line(done=True))

    def _said(self, urn: str, message: str, severity: str, ephemeral: bool) -> None:
        if not message or (severity == "error" and not urn and self.errors):
            return
        row = self._rows.get(urn)
        if severity == "error":
            self.errors.append(Problem.of(urn, message))
        elif row is not None and ephemeral:
            row.now = message
            if not self._console.is_terminal:
                self._console.print(row.line(done=False))
        elif row is not None and severity == "info":
            if message not in row.said:
                row.said.append(message)
                if not self._preview:
                    self._console.print(Text(f"    {row.name}: {message}", style="dim"))
        elif severity == "warning" and not EXPECTED_WARNING.search(message):
            self._console.print(Text(f"  warning: {message}", style="yellow"))

    def _refresh(self) -> None:
        if self._live is None:
            return
        lines = [row.line(done=False) for row in self._open.values()] or [
            Text("  the engine is at work", style="dim")
        ]
        self._live.update(Group(*(Spinner("dots", text=line) for line in lines)))

    def plan(self) -> None:
        """Print what a preview found: each resource that would change, and why."""
        for row in self._rows.values():
            mark, colour, will, _ = row.marks
            self._console.print(
                Text(f"  {mark} {row.kind:<18} {row.name:<{NAME_WIDTH}} {will}", style=colour)
            )
            for message in row.said:
                self._console.print(Text(f"      {message}"))

    def summary(self) -> str:
        """How many of what, in words."""
        kept = sum(row.kept for row in self._rows.values())
        deleted = self.counts.get(OpType.DELETE.value, 0) - kept
        counts = {**self.counts, OpType.DELETE.value: deleted, "kept": kept}
        marks = {**{op.value: marks for op, marks in MARKS.items()}, "kept": KEPT}
        parts = [
            f"{counts[op]} {f'to {will}' if self._preview else has}"
            for op, (_, _, will, has) in marks.items()
            if counts.get(op)
        ]
        same = counts.get("same", 0)
        if not parts:
            return f"everything unchanged ({same} resources)"
        return ", ".join([*parts, f"{same} unchanged"] if same else parts)


def _plain(message: str) -> str:
    """A message without the engine's colour marks."""
    return re.sub(r"<\{%[^%]*%\}>", "", message).strip()
