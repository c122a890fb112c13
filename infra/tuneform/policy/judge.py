"""A subject in, findings out: the one way in which rules are judged, whichever door asks.

A door says what it does not know (`Subject.unknown`): a rule that looks at such a path is not judged there, which is
said, and is no pass. A rule that has no value for a subject is a breach, for a rule that cannot be asked protects
nobody. A finished job is history, judged only by rules whose breach can still be mended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from tuneform.policy import expressions
from tuneform.policy.expressions import Compiled, EvaluationError, compiled
from tuneform.policy.rules import Enforcement, Exemption, Match, PolicySet, Rule, digest_of
from tuneform.policy.tokens import Reads

_MOST_ITEMS = 1_000
_LONGEST_MESSAGE = 1_000
_MATCHED = (
    ("names", "object.metadata.name"),
    ("labels", "object.metadata.labels"),
    ("platforms", "project.platform"),
    ("projects", "project.projectId"),
    ("projects", "project.name"),
)
"""What a match asks for, and where that is: unknown there, nobody can say what the rule is about."""


@dataclass(frozen=True)
class Subject:
    """One document as rules see it: their variables, what of them is not known here, and whether its job is history.

    `object` has kind, metadata and spec, references followed; `project` the values of its Project; `data` the splits of
    its dataset; `cost` what a new job would bill.
    """

    object: Mapping[str, Any]
    project: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cost: Mapping[str, Any] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    finished: bool = False

    @property
    def kind(self) -> str:
        """The kind of the document."""
        return str(self.object["kind"])

    @property
    def name(self) -> str:
        """Its metadata.name."""
        return str(self.object["metadata"]["name"])

    @property
    def labels(self) -> Mapping[str, str]:
        """Its labels with those of its project."""
        found: Mapping[str, str] = self.object["metadata"].get("labels", {})
        return found


@dataclass(frozen=True)
class Finding:
    """A breach. With an `exception` it blocks nothing; `expired` is the exception that covered it until it ended.

    `field` is the path below the document. `broken` says that the rule had no value, which counts as a breach.
    """

    policy: str
    rule: str
    enforcement: Enforcement
    message: str
    why: str
    remedy: str
    field: str
    kind: str
    name: str
    project: str
    exception: Exemption | None = None
    expired: Exemption | None = None
    broken: bool = False

    @property
    def id(self) -> str:
        """`policy/rule`."""
        return f"{self.policy}/{self.rule}"

    def advice(self, beside: str = "") -> str:
        """What to do about it, the exception that has ended, and what the rule is for unless that is said `beside`."""
        ended = f"its exception ended on {self.expired.expires}" if self.expired else ""
        why = f"why: {self.why}" if self.why not in ("", beside) else ""
        return "; ".join(part for part in (self.remedy, ended, why) if part)

    @property
    def blocks(self) -> bool:
        """Whether nothing may be done while it stands."""
        return self.enforcement == "deny" and self.exception is None


@dataclass(frozen=True)
class Unjudged:
    """A rule that could not be judged where it was asked, and the paths that are not known there."""

    policy: str
    rule: str
    kind: str
    name: str
    project: str
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """What was found of one or more subjects, and which rules could not be asked."""

    findings: tuple[Finding, ...] = ()
    unjudged: tuple[Unjudged, ...] = ()

    @property
    def blocks(self) -> bool:
        """Whether anything in it does."""
        return any(finding.blocks for finding in self.findings)


@dataclass(frozen=True)
class _Ready:
    """A rule with its expressions compiled, and the exemptions that may count for it."""

    rule: Rule
    holds: Compiled
    says: Compiled | None
    each: Compiled | None
    exemptions: tuple[Exemption, ...]
    kinds: frozenset[str] | None
    narrowed: tuple[Match, ...]
    reads: Reads


class Judge:
    """Rules of one or more sources, made ready. `today` decides which exceptions still count."""

    def __init__(self, sets: Sequence[PolicySet], today: date) -> None:
        """Compile all rules.

        Raises:
            ExpressionError: one is not CEL; `check` says so of a document at its place, before this.
        """
        self.sets = tuple(sets)
        self._today = today
        self._ready = tuple(_ready(rule, one) for one in self.sets for rule in one.rules)
        self._by_kind: dict[str, tuple[_Ready, ...]] = {}
        self._paths: dict[tuple[int, frozenset[str]], tuple[str, ...]] = {}

    @property
    def digest(self) -> str:
        """Over all rules and exceptions: `sha256:` and hexadecimal digits. One source's is that source's own."""
        return digest_of(self.sets)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule there is."""
        return tuple(ready.rule for ready in self._ready)

    def judge(self, subject: Subject) -> Verdict:
        """What a subject breaks, in the order of the rules."""
        values = None
        findings: list[Finding] = []
        unjudged: list[Unjudged] = []
        kind, name, project = subject.kind, subject.name, str(subject.project.get("name", ""))
        for ready in self._about(subject):
            rule = ready.rule
            if subject.unknown and (
                paths := (*_unmatched(ready.narrowed, subject), *self._unknown(ready, subject.unknown))
            ):
                unjudged.append(Unjudged(rule.policy, rule.name, kind, name, project, paths))
                continue
            if values is None:
                values = _Values.of(subject)
            findings += self._broken(ready, subject, values)
        return Verdict(tuple(findings), tuple(unjudged))

    def judge_all(self, subjects: Iterable[Subject]) -> Verdict:
        """The same of many, in their order."""
        verdicts = [self.judge(subject) for subject in subjects]
        return Verdict(
            tuple(finding for verdict in verdicts for finding in verdict.findings),
            tuple(one for verdict in verdicts for one in verdict.unjudged),
        )

    def about(self, subject: Subject) -> tuple[Rule, ...]:
        """The rules that a subject must keep, whether or not they can be judged here."""
        return tuple(ready.rule for ready in self._about(subject))

    def _about(self, subject: Subject) -> Iterator[_Ready]:
        kind, name, labels = subject.kind, subject.name, subject.labels
        for ready in self._of_kind(kind):
            if subject.finished and not ready.rule.mendable:
                continue
            if (
                not ready.narrowed
                or all(match.covers(kind, name, subject.project, labels) for match in ready.narrowed)
                or (subject.unknown and _unmatched(ready.narrowed, subject))
            ):
                yield ready

    def _unknown(self, ready: _Ready, unknown: frozenset[str]) -> tuple[str, ...]:
        """What of a rule is not known; of thousands of documents the same is not known."""
        asked = (id(ready), unknown)
        if asked not in self._paths:
            self._paths[asked] = _unknown(ready.reads, unknown)
        return self._paths[asked]

    def _of_kind(self, kind: str) -> tuple[_Ready, ...]:
        if kind not in self._by_kind:
            self._by_kind[kind] = tuple(r for r in self._ready if r.kinds is None or kind in r.kinds)
        return self._by_kind[kind]

    def _broken(self, ready: _Ready, subject: Subject, values: _Values) -> Iterator[Finding]:
        try:
            items = values.items(ready.each)
        except EvaluationError as error:
            yield self._finding(ready, subject, ready.rule.field, _unasked(error), broken=True)
            return
        for asked in items:
            wrong = _wrong(ready, asked, subject.unknown)
            if wrong is not None:
                message, broken = wrong
                yield self._finding(ready, subject, asked.named(ready.rule.field), message, broken=broken)

    def _finding(self, ready: _Ready, subject: Subject, path: str, message: str, *, broken: bool) -> Finding:
        rule, kind, name = ready.rule, subject.kind, subject.name
        covering = [e for e in ready.exemptions if e.covers(rule, kind, name, subject.project, path)]
        longest = max(covering, key=lambda exemption: exemption.expires, default=None)
        counts = longest is not None and longest.expires >= self._today
        return Finding(
            policy=rule.policy,
            rule=rule.name,
            enforcement=rule.enforcement,
            message=message,
            why=rule.why,
            remedy=rule.remedy,
            field=path,
            kind=kind,
            name=name,
            project=str(subject.project.get("name", "")),
            exception=longest if counts else None,
            expired=None if counts else longest,
            broken=broken,
        )


class _Values:
    """The variables of one subject, and of one item where a rule asks for each."""

    def __init__(self, variables: Mapping[str, Any], item: Any = "") -> None:
        self._variables = variables
        self.item = item
        self._activation = expressions.activation(variables)

    @classmethod
    def of(cls, subject: Subject) -> _Values:
        """Those of a subject. The parameters of a rule stand in its expressions."""
        return cls(
            {
                "object": subject.object,
                "project": subject.project,
                "data": subject.data,
                "cost": subject.cost,
                "params": {},
            }
        )

    def named(self, text: str) -> str:
        """A text with the item in place of its name."""
        return text.replace("{item}", _short(self.item)) if "{item}" in text else text

    def value(self, expression: Compiled) -> Any:
        """The value of an expression.

        Raises:
            EvaluationError: it has none.
        """
        return expression.value(self._variables, self._activation)

    def items(self, each: Compiled | None) -> Iterable[_Values]:
        """The same with each item of the list; itself where there is no list."""
        if each is None:
            return (self,)
        found = self.value(each)
        if not isinstance(found, list):
            raise EvaluationError(f"'each' is no list but {_short(found)}")
        if len(found) > _MOST_ITEMS:
            raise EvaluationError(f"'each' has {len(found):,} items, and {_MOST_ITEMS:,} are the most")
        return [_Values({**self._variables, "item": item}, item) for item in found]


def _wrong(ready: _Ready, asked: _Values, unknown: frozenset[str]) -> tuple[str, bool] | None:
    """What is wrong, and whether that is that the rule has no value; None where it is kept."""
    try:
        held = asked.value(ready.holds)
    except EvaluationError as error:
        return _unasked(error), True
    if held is True:
        return None
    if held is False:
        return _message(ready, asked, unknown), False
    return _unasked(f"it is neither true nor false but {_short(held)}"), True


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}…"


def _ready(rule: Rule, among: PolicySet) -> _Ready:
    item = bool(rule.each)
    holds = compiled(rule.expression, wanted="BOOL", params=rule.params, item=item)
    says = (
        compiled(rule.message_expression, wanted="STRING", params=rule.params, item=item)
        if rule.message_expression
        else None
    )
    each = compiled(rule.each, wanted="LIST", params=rule.params) if rule.each else None
    exemptions = tuple(exemption for exemption in among.exemptions if exemption.rule == rule.id)
    looks = holds.reads | each.reads if each else holds.reads
    narrowed = tuple(match for match in rule.matches if match != Match(kinds=match.kinds))
    return _Ready(rule, holds, says, each, exemptions, rule.kinds, narrowed, looks)


def _unknown(looks: Reads, unknown: frozenset[str]) -> tuple[str, ...]:
    """The unknown paths that a rule looks at: at them, at what is below them, or at a whole that they are part of.

    Whether a whole is there is known though a part of it is not.
    """
    return tuple(
        sorted(
            path
            for path in unknown
            if any(path == look or look.startswith(f"{path}.") for look in looks.all)
            or any(path.startswith(f"{look}.") for look in looks.values)
        )
    )


def _unmatched(matches: Iterable[Match], subject: Subject) -> tuple[str, ...]:
    """What would have to be known to say whether a rule is about a subject; nothing where the rest says that it is not.

    Of the two names of a project one is enough.
    """
    about = (subject.kind, subject.name, subject.project, subject.labels)
    missing: list[str] = []
    for match in matches:
        unsure = {
            field: path for field, path in _MATCHED if path in subject.unknown and getattr(match, field)
        }
        rest = Match(
            kinds=match.kinds,
            names=() if "names" in unsure else match.names,
            projects=() if "projects" in unsure else match.projects,
            platforms=() if "platforms" in unsure else match.platforms,
            labels={} if "labels" in unsure else match.labels,
        )
        if not rest.covers(*about):
            return ()
        if "projects" in unsure and replace(rest, projects=match.projects).covers(*about):
            del unsure["projects"]
        missing += unsure.values()
    return tuple(missing)


def _message(ready: _Ready, asked: _Values, unknown: frozenset[str]) -> str:
    if ready.says is not None and not (unknown and _unknown(ready.says.reads, unknown)):
        try:
            return _short(asked.value(ready.says))
        except EvaluationError:
            pass  # the rule is broken all the same, and its plain words say so
    return asked.named(ready.rule.message) or f"the rule {ready.rule.name} is not kept"


def _unasked(reason: object) -> str:
    return f"the rule cannot be judged, which counts as broken: {reason}"
