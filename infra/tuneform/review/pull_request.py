"""Plans of one or several projects as a comment on a pull request: a summary, a table, and what folds out.

A hidden marker in the first line is how a workflow finds its comment again. What is longer than a comment may be loses
its least important parts, and says which: examples of datasets go first, then details, then rows of the table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING

from tuneform.errors import TuneformError
from tuneform.reconcile.actions import (
    Action,
    Adopt,
    Blocked,
    Cancel,
    Create,
    CreateEndpoint,
    Measure,
    PatchEndpoint,
    PatchModel,
    Promote,
    Retire,
    Upload,
    Wait,
)
from tuneform.reconcile.data_changes import DatasetDifference
from tuneform.reconcile.plan import Plan
from tuneform.review import dataset_differences
from tuneform.review import plan as words
from tuneform.review.dataset_differences import Suspected
from tuneform.review.fitting import GITHUB, Part, fitted
from tuneform.review.markup import code, comment, folded, head, plain, row, short

if TYPE_CHECKING:
    from tuneform.policy import Finding  # the runtime of its rules takes a while to import

ELSEWHERE = "All of it: `tuneform plan` on the same commit."
_COLUMNS = ("what", "effect", "tokens and cost", "policy", "gate")
_FEW = 50
"""Lines that the details of one document have at most."""
_SENTENCE = 1_000
"""Characters of a plan's summary: what makes one longer is the names of many models without a price."""
_REASON = 120
"""Characters of a reason in the table; its details have more."""
_ROW, _DETAILS, _DATA, _EXAMPLES = 200, 400, 500, 600
"""Ranks (see `Part`) where the parts of a kind begin; how little an action matters is added."""
_MATTERS: tuple[words.Word, ...] = (
    "blocked",
    "create",
    "cancel",
    "retire",
    "promote",
    "adopt",
    "update",
    "wait",
)


@dataclass(frozen=True)
class ProjectReview:
    """What there is to say of one project's plan.

    `findings` are what policies found in its documents, and `digest` says which rules and exceptions those were.
    """

    plan: Plan
    place: words.Place
    advised: Sequence[str] = ()
    findings: Sequence[Finding] = ()
    digest: str = ""
    dataset_differences: Sequence[DatasetDifference] = ()

    @cached_property
    def groups(self) -> tuple[_Group, ...]:
        """The plan's entries by their documents, and documents of which only policies say something."""
        judged: dict[tuple[str, str], list[Finding]] = {}
        for finding in self.findings:
            judged.setdefault((finding.kind, finding.name), []).append(finding)
        found = [
            _Group(kind, name, removed, tuple(entries), tuple(judged.pop((kind, name), ())))
            for (kind, name, removed), entries in groupby(words.entries(self.plan), key=words.heading)
        ]
        rest = (_Group(*key, False, (), tuple(findings)) for key, findings in judged.items())
        return (*found, *rest)


@dataclass(frozen=True)
class FailedReview:
    """A project whose plan could not be made, and why."""

    project: str
    error: TuneformError


Review = ProjectReview | FailedReview


@dataclass(frozen=True)
class _Group:
    """What would be done for one document, and what policies say of it."""

    kind: str
    name: str
    removed: bool
    entries: tuple[words.Entry, ...]
    findings: tuple[Finding, ...] = field(default=())

    @property
    def title(self) -> str:
        """The document in words."""
        return f"{self.kind} {self.name}{' (removed)' if self.removed else ''}".rstrip()

    @property
    def actions(self) -> tuple[Action, ...]:
        """Every action, also the foreseen ones."""
        return tuple(entry.doing for entry in self.entries)

    @property
    def rank(self) -> int:
        """How little it matters beside others."""
        if any(finding.blocks for finding in self.findings):
            return 0
        return min((_MATTERS.index(words.word(action)) for action in self.actions), default=len(_MATTERS))


def markdown(
    reviews: Sequence[Review],
    *,
    about: str = "",
    limit: int = GITHUB,
    elsewhere: str = ELSEWHERE,
    suspected: Suspected | None = None,
) -> str:
    """The plans as Markdown of at most `limit` characters.

    `about` is what the hidden marker says, the names of the projects unless given. `elsewhere` tells a reader where to
    find what was left out, in Markdown.
    """
    named = about or ", ".join(map(_name, reviews))
    parts = [Part(comment(f"tuneform plan: {named}"))]
    if len(reviews) == 1:
        parts.append(Part(f"### tuneform plan: {plain(_name(reviews[0]))}\n"))
    else:
        parts.append(Part(f"### tuneform plan: {len(reviews)} projects\n"))
        parts += [Part(text, rank=1, what="projects") for text in _overview(reviews)]
    looking = suspected or _detector(reviews)
    for review in reviews:
        if isinstance(review, FailedReview):
            parts.append(_failed(review))
        else:
            parts += _of_project(review, looking, alone=len(reviews) == 1)
    return fitted(parts, limit, elsewhere)


def _name(review: Review) -> str:
    return review.project if isinstance(review, FailedReview) else review.plan.project.name


def _failed(review: FailedReview) -> Part:
    error = review.error
    remedy = f" Remedy: {_ended(error.remedy)}" if error.remedy else ""
    said = f"**{plain(review.project)} failed:** {code(error.code)}: {_ended(error.message)}{remedy}"
    return Part(f"\n> {said}\n", rank=50, what="failures")


def _detector(reviews: Iterable[Review]) -> Suspected:
    """What looks for secrets, where there is something to look through."""
    differing = (
        d for review in reviews if isinstance(review, ProjectReview) for d in review.dataset_differences
    )
    if not any(d.found and d.found.samples for d in differing):
        return str
    from tuneform.review.secrets import Detector  # noqa: PLC0415 (half a second that most plans need not wait)

    return Detector().suspected


def _overview(reviews: Sequence[Review]) -> Iterator[str]:
    """A line a project, where there are several."""
    yield head(("project", "plan"))
    for review in reviews:
        summary = "failed" if isinstance(review, FailedReview) else words.sentence(review.plan)
        said = plain(short(summary, _SENTENCE))
        yield row((f"**{plain(_name(review))}**", said))


def _of_project(review: ProjectReview, suspected: Suspected, *, alone: bool) -> Iterator[Part]:
    plan = review.plan
    if alone:
        yield Part(f"\n**{plain(short(words.sentence(plan), _SENTENCE))}**\n")
    elif not review.groups and not review.advised:
        return  # the overview has said that nothing changes
    else:
        yield Part(f"\n#### {plain(plan.project.name)}\n", rank=100, what="projects")
    for text in _standing(review):
        yield Part(f"\n> {text}\n", rank=150, what="remarks")
    if review.groups:
        yield Part(head(_COLUMNS), rank=_ROW)
    for group in review.groups:
        yield Part(row(_cells(group, review)), rank=_ROW + 1 + group.rank, what="rows of the table")
    for group in review.groups:
        if lines := list(_details(group)):
            title = f"{group.title}: {_effect(group)}"
            yield Part(folded(title, lines), rank=_DETAILS + group.rank, what="details")
    for difference in review.dataset_differences:
        yield from _data(difference, suspected)
    if review.digest:
        yield Part(f"\nPolicies: {code(review.digest)}\n", rank=120, what="the digest of the policies")


def _standing(review: ProjectReview) -> Iterator[str]:
    """What stands above the table: what blocks by policy, warnings, advice."""
    denied = sum(finding.blocks for finding in review.findings)
    if denied:
        yield f"**Denied by policy:** {denied:,} finding{'' if denied == 1 else 's'}; `apply` would refuse."
    for warning in words.renames(review.plan):
        yield f"**Warning:** {plain(short(warning, 600))}"
    for text in review.advised:
        yield f"**Advice:** {plain(short(text, 600))}"


# --- the table -----------------------------------------------------------------------------------------------


def _cells(group: _Group, review: ProjectReview) -> tuple[str, ...]:
    place = "" if group.removed else review.place(group.kind, group.name)
    what = f"**{plain(short(group.title))}**{f'<br>{code(place)}' if place else ''}"
    return what, plain(_effect(group)), _cost(group), _policy(group), _gate(group)


def _effect(group: _Group) -> str:
    """What happens, in a few words: now, and then by itself."""
    now, then = (
        ", ".join(_counted(_told(entry.doing) for entry in group.entries if entry.later is later))
        for later in (False, True)
    )
    return "; ".join(part for part in (now, f"then {then}" if then else "") if part) or "nothing is done"


def _counted(told: Iterable[str]) -> Iterator[str]:
    for text, count in Counter(told).items():
        yield f"{text} ({count:,})" if count > 1 else text


def _told(action: Action) -> str:
    """An action in few words, the same for all that do the like."""
    match action:
        case Create(revision):
            return f"new revision {revision}"
        case Adopt(revision):
            return f"adopts {revision}"
        case Promote(revision):
            return f"promotes {revision}"
        case Retire(revision):
            return f"retires {revision}"
        case Blocked(reason):
            return f"blocked: {short(reason, _REASON)}"
        case Upload():
            return "uploads examples"
        case CreateEndpoint():
            return "new endpoint"
        case Measure():
            return "measures its gate again"
        case Cancel():
            return "cancels its job"
        case Wait():
            return "waits for its job"
        case PatchModel() | PatchEndpoint():
            return "updated in place"
        case _:
            # What is left deletes something that nothing needs any more, or brings the ledger up to date.
            return (
                "deletes what nothing needs"
                if words.word(action) == "retire"
                else "ledger brought up to date"
            )


def _cost(group: _Group) -> str:
    told = [str(action.cost) for action in group.actions if isinstance(action, Create)]
    if not told:
        return "none" if group.actions else ""
    return "<br>".join(plain(short(text)) for text in told)


def _policy(group: _Group) -> str:
    told = Counter((_verdict(finding), finding.id) for finding in group.findings)
    return "<br>".join(f"{verdict}: {code(short(rule))}" for (verdict, rule) in list(told)[:_FEW])


def _verdict(finding: Finding) -> str:
    if finding.exception is not None:
        return "excepted"
    return {"deny": "**denied**", "warn": "warning", "audit": "noted"}[finding.enforcement]


def _gate(group: _Group) -> str:
    told = []
    for action in group.actions:
        if isinstance(action, Promote) and not action.gated:
            told.append("passed before")
        elif isinstance(action, Promote | Measure):
            again = "measured again; " if isinstance(action, Measure) else ""
            told.append(f"{again}asks {action.questions}" if action.questions else f"{again}asks nothing")
        elif isinstance(action, Blocked) and group.kind == "TunedModel" and "its gate" in action.reason:
            told.append("not passed")
    return "<br>".join(plain(text) for text in told)


# --- what folds out ------------------------------------------------------------------------------------------


def _details(group: _Group) -> Iterator[str]:
    lines = [*_actions(group), *map(_finding, group.findings)]
    yield from lines[:_FEW]
    if len(lines) > _FEW:
        yield f"- *and {len(lines) - _FEW:,} more*"


def _actions(group: _Group) -> Iterator[str]:
    """The lines that `tuneform plan` prints, as a list."""
    for line in words.brief(words.group_lines(group.entries)):
        text = plain(short(line.text))
        sign = f"`{line.sign}` " if line.sign else ""
        before = "" if line.indent == 2 else "  "
        yield f"{before}- {sign}{f'*{text}*' if line.style == 'dim' else text}"


def _finding(finding: Finding) -> str:
    where = f" ({code(short(finding.field))})" if finding.field else ""
    said = [f"- {_verdict(finding)}: {code(finding.id)}{where}: {_ended(finding.message)}"]
    if finding.why:
        said.append(f"Why: {_ended(finding.why)}")
    if finding.expired is not None:
        said.append(f"Its exception ended on {finding.expired.expires}.")
    if finding.exception is not None:
        said.append(f"Excepted until {finding.exception.expires}: {_ended(finding.exception.reason)}")
    elif finding.remedy:
        said.append(f"Remedy: {_ended(finding.remedy)}")
    return " ".join(said)


def _ended(text: str) -> str:
    """A text as a sentence."""
    shown = plain(short(text))
    return shown if shown.endswith((".", "!", "?", "…")) else f"{shown}."


def _data(difference: DatasetDifference, suspected: Suspected) -> Iterator[Part]:
    """The counts of a dataset, and below them some examples."""
    said = dataset_differences.sentence(difference)
    shown = list(dataset_differences.samples(difference, suspected))
    yield Part(f"\n{plain(said)}\n", rank=_DATA, what="datasets")
    if shown:
        lines = [f"- {plain(what)}: {plain(text)}" for what, text in shown]
        title = f"Dataset {difference.dataset}: {difference.split}, some of the examples"
        yield Part(folded(title, lines), rank=_EXAMPLES, what="examples")
