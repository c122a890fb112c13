"""A plan for people and programs: as text, as one JSON object. Pull requests have `pull_request`.

Every action counts as one of a few words, so that a summary fits a line:

| word | actions |
|---|---|
| create | Create: the only one that pays for training |
| adopt | Adopt |
| update | Upload, CreateEndpoint, PatchModel, PatchEndpoint, Note, Measure, Settle, Unfence, Revoke |
| promote | Promote |
| retire | Retire, Clear, RemoveEndpoint, RemovePointer, DeleteObject |
| cancel | Cancel |
| wait | Wait |
| blocked | Blocked |

What is foreseen (Later) counts as the action that it foresees. `unchanged` counts documents, not actions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Literal, assert_never

from rich.console import Console
from rich.text import Text

from tuneform.reconcile.actions import (
    Action,
    Adopt,
    Blocked,
    Cancel,
    Clear,
    Create,
    CreateEndpoint,
    DeleteObject,
    Later,
    Measure,
    Note,
    PatchEndpoint,
    PatchModel,
    Promote,
    RemoveEndpoint,
    RemovePointer,
    Retire,
    Revoke,
    Settle,
    Unfence,
    Upload,
    Wait,
    explain,
)
from tuneform.reconcile.data_changes import DatasetDifference
from tuneform.reconcile.desired import Desired
from tuneform.reconcile.diff import Change
from tuneform.reconcile.plan import Item, Plan, TuningPlan
from tuneform.review import costs, dataset_differences
from tuneform.review.suitability import few
from tuneform.specs import Dataset, Tree, TuningJob

Word = Literal["create", "adopt", "update", "promote", "retire", "cancel", "wait", "blocked"]
WORDS: tuple[Word, ...] = ("create", "adopt", "update", "promote", "retire", "cancel", "wait", "blocked")
Place = Callable[[str, str], str]
"""Where a document is written, `file:line`, by its kind and name; empty where there is none."""

_SIGNS: Mapping[str, tuple[str, str]] = {
    "create": ("+", "green"),
    "adopt": ("=", "cyan"),
    "update": ("~", "yellow"),
    "promote": ("~", "yellow"),
    "retire": ("-", "red"),
    "cancel": ("-", "red"),
    "wait": (".", "blue"),
    "blocked": ("!", "bold red"),
}
_COUNTED: Mapping[Word, str] = {
    **{word: f"to {word}" for word in WORDS},
    "wait": "to wait for",
    "blocked": "blocked",
}
_LONG_DIGEST = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


@dataclass(frozen=True)
class Entry:
    """One action, with the document that it is for, or what is left of a removed one."""

    kind: str
    name: str
    action: Action
    removed: bool = False

    @property
    def later(self) -> bool:
        """Whether it is foreseen, and not yet to be done."""
        return isinstance(self.action, Later)

    @property
    def doing(self) -> Action:
        """The action itself, also of a foreseen one."""
        return self.action.action if isinstance(self.action, Later) else self.action


def entries(plan: Plan) -> Iterator[Entry]:
    """Every action of a plan, in its order."""
    for item in plan.changes:
        for action in item.actions:
            yield Entry(item.kind, document_name(item), action, item.removed)


def document_name(item: Item) -> str:
    """The name of the document that an item belongs to: a Dataset has an item for each of its splits."""
    if item.kind == "Dataset" and not item.name.startswith("gs://"):
        return item.name.partition("/")[0]
    return item.name


def word(action: Action) -> Word:
    """What an action counts as."""
    match action:
        case Later(inner):
            return word(inner)
        case Create():
            return "create"
        case Adopt():
            return "adopt"
        case Upload() | CreateEndpoint() | PatchModel() | PatchEndpoint() | Note():
            return "update"
        case Measure() | Settle() | Unfence() | Revoke():
            return "update"
        case Promote():
            return "promote"
        case Retire() | Clear() | RemoveEndpoint() | RemovePointer() | DeleteObject():
            return "retire"
        case Cancel():
            return "cancel"
        case Wait():
            return "wait"
        case Blocked():
            return "blocked"
        case _:
            assert_never(action)


def summary(plan: Plan) -> dict[str, int]:
    """How many actions of each word, and how many documents that agree with what is live."""
    counts = Counter(word(entry.action) for entry in entries(plan))
    changed = {(item.kind, document_name(item)) for item in plan.changes}
    documents = {(item.kind, document_name(item)) for item in plan.items}
    return {**{name: counts[name] for name in WORDS}, "unchanged": len(documents - changed)}


def totals(plan: Plan) -> costs.Totals:
    """What everything that the plan pays for costs together."""
    return costs.totals(entry.doing for entry in entries(plan))


def sentence(plan: Plan) -> str:
    """The summary in words."""
    counts = summary(plan)
    unchanged = counts["unchanged"]
    same = f"{unchanged:,} document{'' if unchanged == 1 else 's'}"
    if not plan.changes:
        return f"No changes: {same} agree{'s' if unchanged == 1 else ''} with what is live."
    return f"Plan: {counted(counts)}; {unchanged:,} unchanged. {totals(plan)}".rstrip()


def counted(counts: Mapping[str, int]) -> str:
    """How much is to be done of what, in words."""
    return ", ".join(f"{counts[name]:,} {_COUNTED[name]}" for name in WORDS if counts[name])


def renames(plan: Plan) -> tuple[str, ...]:
    """Warnings: a tuning that would be trained again under another name, since nothing says that it was renamed."""
    gone: dict[str, list[str]] = {}
    for item in plan.changes:
        if item.kind == "TuningJob" and item.removed and item.facts:
            for revision, attempt in item.facts.get("attempts", {}).items():
                if str(attempt).endswith((" succeeded", " known")):
                    gone.setdefault(revision, []).append(item.name)
    found = []
    for item in plan.changes:
        paid = any(isinstance(action, Create) for action in item.actions)
        if not paid or not isinstance(item.about, TuningPlan):
            continue
        found += [
            f"TuningJob {item.name} would train {item.about.revision}, which {old} has and which would be removed. "
            f"If it is the same under another name, write previousNames: [{old}] in its metadata: it costs nothing then"
            for old in gone.get(item.about.revision, ())
        ]
    return tuple(found)


def advice(plan: Plan, desired: Desired, tree: Tree) -> tuple[str, ...]:
    """What there is to say about the data of the jobs that a plan would pay for: advice, which blocks nothing."""
    examples = {tuning.name: tuning.training.examples for tuning in desired.tunings}
    told = []
    for item in plan.changes:
        paid = item.kind == "TuningJob" and any(word(action) == "create" for action in item.actions)
        if not paid or item.name not in examples:
            continue
        job = tree.find(TuningJob, item.name, desired.project.name)
        dataset = tree.find(Dataset, job.spec.dataset.ref, desired.project.name)
        if (said := few(examples[item.name], dataset.spec.task)) is not None:
            told.append(f"TuningJob {item.name}: {'; '.join(said)}")
    return tuple(told)


# --- as text -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A line of text: how far in, its sign, and how it looks on a terminal."""

    text: str
    indent: int = 0
    sign: str = ""
    style: str = ""
    aside: str = ""


def lines(plan: Plan, place: Place) -> Iterator[Line]:
    """The plan grouped by document, without its summary."""
    for (kind, name, removed), group in groupby(entries(plan), key=heading):
        aside = "" if removed else place(kind, name)
        yield Line(f"{kind} {name}{' (removed)' if removed else ''}".rstrip(), 0, style="bold", aside=aside)
        yield from brief(group_lines(group))
        yield Line("")


def group_lines(group: Iterable[Entry]) -> Iterator[Line]:
    """The actions of one document; what follows later stands below its condition."""
    told = ""
    for entry in group:
        if isinstance(entry.action, Later) and entry.action.condition != told:
            told = entry.action.condition
            yield Line(f"then, {told}:", 2, style="dim")
        yield from _entry_lines(entry)


def shortened(text: str) -> str:
    """A text with long digests cut, by whose beginnings people tell them apart."""
    return _LONG_DIGEST.sub(r"\1…", text)


def heading(entry: Entry) -> tuple[str, str, bool]:
    """What entries stand under: their document; all infrastructure together."""
    return (entry.kind, "" if entry.kind == "Infrastructure" else entry.name, entry.removed)


def brief(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines, with a remedy that several in a row share said once, after the last of them."""
    found = list(lines)
    for number, line in enumerate(found):
        following = [other.text for other in found[number + 1 :] if other.indent == line.indent]
        if line.sign or line.text not in following[:1]:
            yield line


def _entry_lines(entry: Entry) -> Iterator[Line]:
    action = entry.doing
    sign, style = _sign(action)
    if isinstance(action, Blocked):
        yield Line(f"blocked: {action.reason}", 2, sign, style)
        yield Line(f"remedy: {action.remedy}", 6)
        return
    yield Line(shortened(headline(action)), 4 if entry.later else 2, sign, "dim" if entry.later else style)
    for change in field_changes(action):
        yield Line(str(change), 6)


def _sign(action: Action) -> tuple[str, str]:
    return _SIGNS["create" if isinstance(action, Upload | CreateEndpoint) else word(action)]


def headline(action: Action) -> str:
    """The action in words, but for the fields that change: those get a line each."""
    match action:
        case Create() | PatchModel() | PatchEndpoint() | Note():
            return explain(replace(action, changes=())).rstrip(": ")
        case _:
            return explain(action)


def field_changes(action: Action) -> tuple[Change, ...]:
    """The fields that an action changes; none where it is about something else."""
    match action:
        case Create() | PatchModel() | PatchEndpoint() | Note():
            return action.changes
        case _:
            return ()


def show(plan: Plan, place: Place, console: Console) -> None:
    """Print the plan and its summary; on a terminal long lines are continued below their own beginning."""
    for line in lines(plan, place):
        console.print(_rendered(line, console), soft_wrap=True)
    console.print(Text(sentence(plan), style="bold"), soft_wrap=not console.is_terminal)


def _rendered(line: Line, console: Console) -> Text:
    sign = f"{line.sign} " if line.sign else ""
    before = " " * line.indent
    text = Text(line.text, style=line.style if not line.sign or line.style == "dim" else "")
    if line.aside:
        text.append(f"  {line.aside}", style="not bold dim")
    text = Text.assemble((sign, line.style), text)
    if not console.is_terminal:
        return Text(before) + text
    room = max(20, console.width - line.indent - len(sign))
    first, *rest = (text[len(sign) :] if sign else text).wrap(console, room) or [Text("")]
    shown = Text.assemble(before, (sign, line.style), first)
    for more in rest:
        shown = Text.assemble(shown, "\n", before, " " * len(sign), more)
    return shown


# --- as JSON -------------------------------------------------------------------------------------------------


def as_object(
    plan: Plan, advised: Sequence[str] = (), datasets: Sequence[DatasetDifference] = ()
) -> dict[str, Any]:
    """The plan as one plain object: stamp, summary, the cost of the whole project, advice, datasets, actions."""
    actions = [action_object(entry, plan.project.name) for entry in entries(plan)]
    cost = totals(plan).as_object()
    return {
        "stamp": plan.stamp,
        "summary": summary(plan),
        "cost": cost,
        "advice": list(advised),
        "datasets": [dataset_differences.as_object(each, plan.project.name) for each in datasets],
        "actions": actions,
    }


def action_object(entry: Entry, project: str) -> dict[str, Any]:
    """One action as a plain object. What is foreseen has `"later": true`."""
    effect = _effect(entry.doing)
    shown: dict[str, Any] = {
        "action": word(entry.action),
        "kind": entry.kind,
        "name": entry.name,
        "project": project,
        "reason": explain(entry.action),
        "changes": [
            {"path": change.path, "old": change.old, "new": change.new, "effect": effect}
            for change in field_changes(entry.doing)
        ],
        "cost": costs.as_object(entry.doing),
    }
    return {**shown, "later": True} if entry.later else shown


def _effect(action: Action) -> str:
    match action:
        case Create():
            return "a new revision is trained"
        case Note():
            return "noted in the ledger, nothing is trained"
        case _:
            return "changed in place, nothing is trained"
