"""What came of cases: each judged, what was expected held against it, and which rules no case shows both ways."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined

from tuneform import specs
from tuneform.capabilities import Capabilities
from tuneform.capabilities.prices import PriceTable
from tuneform.entrypoints.cli.policy.cases import Breach, Case, CaseFile, document_of
from tuneform.entrypoints.cli.running.rows import examine_with_rows, raise_errors
from tuneform.entrypoints.doors.documents import Documents, Part, facts_of, plain
from tuneform.errors import Position, SpecErrors
from tuneform.policy import Finding, Judge, PolicySet, Subject
from tuneform.specs.kinds import KINDS, SpecModel
from tuneform.specs.policies import policy_set
from tuneform.specs.shape import did_you_mean, fields


@dataclass(frozen=True)
class Outcome:
    """A case and what is otherwise than expected: nothing, or why it failed, each with its place."""

    file: Path
    name: str
    place: Position
    failures: tuple[tuple[Position, str], ...] = ()

    @property
    def failed(self) -> bool:
        """Whether anything is."""
        return bool(self.failures)


@dataclass
class Coverage:
    """Which rules there are, and which have a case that keeps and one that breaks them."""

    rules: dict[str, None] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)

    @property
    def uncovered(self) -> list[tuple[str, str]]:
        """Rules with what no case shows of them."""
        lacks = [(rule, "kept") for rule in self.rules if rule not in self.kept]
        return lacks + [(rule, "broken") for rule in self.rules if rule not in self.broken]


@dataclass(frozen=True)
class _Seen:
    """What became of the rules that are about the documents of a case."""

    kept: frozenset[str]
    broken: tuple[Finding, ...]
    excepted: tuple[Finding, ...]
    unjudged: frozenset[str]
    about: frozenset[str]

    def of(self, rule: str) -> str:
        """What became of a rule, in words."""
        said = [finding.message for finding in self.broken if finding.id == rule]
        if said:
            return f"is broken: {said[0]}"
        if any(finding.id == rule for finding in self.excepted):
            return "is broken, and excepted"
        if rule in self.unjudged:
            return "is not judged: what it looks at is not known"
        return "is kept" if rule in self.kept else "is not about the document"


class Runner:
    """Runs cases. Policies and specs are read once."""

    def __init__(self, known: Capabilities, prices: PriceTable, today: date) -> None:
        self._known, self._prices, self._today = known, prices, today
        self._sets: dict[Path, PolicySet] = {}
        self._judges: dict[tuple[tuple[Path, ...], date], Judge] = {}
        self._documents: dict[Path, Documents] = {}
        self.coverage = Coverage()

    def run(self, file: CaseFile) -> Iterator[Outcome]:
        """What comes of the cases of a file, in their order.

        Raises:
            SpecErrors: policies or specs that it names are not there or wrong, or a rule that it expects is not there.
        """
        for index, case in enumerate(file.says.cases):
            judge = self._judge(file, case)
            names = _Names(file, judge)
            self.coverage.rules.update(dict.fromkeys(names.all))
            seen = _seen(judge, self._subjects(file, case, index))
            expected = list(_compared(case, index, seen, names))
            wrong = tuple((file.origin.written("spec", *at).position, said) for at, said in expected if said)
            if not wrong:
                self._cover(case, index, seen, names)
            place = file.origin.written("spec", "cases", index, "name").position
            yield Outcome(file.path, case.name, place, wrong)

    def _judge(self, file: CaseFile, case: Case) -> Judge:
        paths = tuple(file.beside(name) for name in file.says.policies)
        given = case.today or file.says.today
        today = date.fromisoformat(given) if given else self._today
        if (paths, today) not in self._judges:
            sets = [self._set(file, path, index) for index, path in enumerate(paths)]
            self._judges[paths, today] = Judge(sets, today)
        return self._judges[paths, today]

    def _set(self, file: CaseFile, path: Path, index: int) -> PolicySet:
        if path not in self._sets:
            if not path.exists():
                raise file.wrong(f"there is no {path}", "policies", index)
            found = policy_set(specs.load(path, self._known).of(specs.Policy), str(path))
            if not found.rules:
                raise file.wrong(f"{path} holds no rule", "policies", index)
            self._sets[path] = found
        return self._sets[path]

    def _subjects(self, file: CaseFile, case: Case, index: int) -> list[Subject]:
        if case.specs is None:
            return [subject_of(case)]
        path = file.beside(case.specs)
        if path not in self._documents:
            if not path.exists():
                raise file.wrong(f"there is no {path}", "cases", index, "specs")
            self._documents[path] = self._read(path)
        about = case.about
        found = [
            subject
            for document, subject in self._documents[path].subjects()
            if about is None or about.is_of(document.kind, document.name, document.project)
        ]
        if not found and about is not None:
            raise file.wrong(f"there is no {about.kind} {about.name} in {path}", "cases", index, "about")
        return found

    def _read(self, path: Path) -> Documents:
        known: dict[tuple[str, str], dict[str, Part]] = {}

        def see(document: specs.Document[specs.Dataset], prepared: Any) -> None:
            known[document.project, document.name] = facts_of(prepared)

        tree, found = examine_with_rows(path, self._known, see)
        raise_errors(found)
        return Documents(tree, known, self._prices)

    def _cover(self, case: Case, index: int, seen: _Seen, names: _Names) -> None:
        for place, pattern in enumerate(case.passes):
            self.coverage.kept |= seen.kept & names.meant(pattern, "cases", index, "passes", place)
        expected = [(place, breach.rule, "breaks") for place, breach in enumerate(case.breaks)]
        expected += [(place, rule, "excepted") for place, rule in enumerate(case.excepted)]
        for place, rule, part in expected:
            self.coverage.broken |= names.meant(rule, "cases", index, part, place)


@dataclass(frozen=True)
class _Names:
    """The rules of a judge, found by NAME, POLICY/NAME or a pattern."""

    file: CaseFile
    judge: Judge

    @cached_property
    def all(self) -> list[str]:
        """Their full names."""
        return list(dict.fromkeys(rule.id for rule in self.judge.rules))

    def meant(self, written: str, *at: str | int) -> frozenset[str]:
        """The full names that are meant.

        Raises:
            SpecErrors: there is no such rule.
        """
        found = frozenset(
            rule
            for rule in self.all
            if fnmatchcase(rule, written) or fnmatchcase(rule.split("/")[1], written)
        )
        if not found:
            names = [name for rule in self.all for name in (rule.split("/")[1], rule)]
            hint = did_you_mean(written, names, f"there are {', '.join(self.all)}")
            raise self.file.wrong(f"there is no rule {written!r}", *at, hint=hint)
        return found


def _seen(judge: Judge, subjects: Iterable[Subject]) -> _Seen:
    about: set[str] = set()
    findings: list[Finding] = []
    unjudged: set[str] = set()
    for subject in subjects:
        about |= {rule.id for rule in judge.about(subject)}
        verdict = judge.judge(subject)
        findings += verdict.findings
        unjudged |= {f"{one.policy}/{one.rule}" for one in verdict.unjudged}
    return _Seen(
        kept=frozenset(about - {finding.id for finding in findings} - unjudged),
        broken=tuple(finding for finding in findings if finding.exception is None),
        excepted=tuple(finding for finding in findings if finding.exception is not None),
        unjudged=frozenset(unjudged),
        about=frozenset(about),
    )


def _compared(
    case: Case, index: int, seen: _Seen, names: _Names
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Each expectation's place, with what is wrong about it; nothing where it is met."""
    for place, written in enumerate(case.passes):
        at = ("cases", index, "passes", place)
        rules = names.meant(written, *at)
        wanted = rules & seen.about if "*" in written else rules
        if not wanted:
            yield at, f"none of the rules {written!r} is about the document"
        for rule in sorted(wanted - seen.kept):
            yield at, f"{rule} was to be kept, and {seen.of(rule)}"
    for place, breach in enumerate(case.breaks):
        at = ("cases", index, "breaks", place)
        for rule in sorted(names.meant(breach.rule, *at, "rule")):
            yield at, _breach(breach, rule, seen)
    for part, found in (
        ("excepted", {finding.id for finding in seen.excepted}),
        ("unjudged", seen.unjudged),
    ):
        for place, written in enumerate(getattr(case, part)):
            at = ("cases", index, part, place)
            for rule in sorted(names.meant(written, *at) - found):
                yield at, f"{rule} was to be {part}, and {seen.of(rule)}"


def _breach(expected: Breach, rule: str, seen: _Seen) -> str:
    """What is wrong about an expected breach; empty where one is as expected."""
    found = [finding for finding in seen.broken if finding.id == rule]
    if not found:
        return f"{rule} was to be broken, and {seen.of(rule)}"
    checks: Sequence[tuple[str, str | None, Callable[[Finding], bool]]] = (
        ("field", expected.field, lambda one: one.field == expected.field),
        ("enforcement", expected.enforcement, lambda one: one.enforcement == expected.enforcement),
        ("message", expected.message, lambda one: (expected.message or "") in one.message),
    )
    for name, wanted, holds in checks:
        if wanted is not None and not any(map(holds, found)):
            there = ", ".join(sorted({repr(getattr(one, name)) for one in found}))
            return f"{rule} is broken, but its {name} is {there} and not {wanted!r}"
        found = [one for one in found if wanted is None or holds(one)]
    return ""


def subject_of(case: Case) -> Subject:
    """The document of a case, with the defaults of its kind and what its project adds to it."""
    written = document_of(case)
    kind, metadata = written["kind"], written["metadata"]
    project = plain(case.project)
    labels = {**project.get("labels", {}), **metadata.get("labels", {})}
    named = {"project": project.get("name", ""), "annotations": {}, **metadata, "labels": labels}
    return Subject(
        object={"kind": kind, "metadata": named, "spec": with_defaults(KINDS[kind], written["spec"])},
        project=project,
        data=plain(case.data),
        cost=plain(case.cost),
        unknown=frozenset(case.unknown),
        finished=case.finished,
    )


def with_defaults(model: type[SpecModel], given: dict[str, Any]) -> dict[str, Any]:
    """What is given, with the defaults of the model where it says nothing. Those of other documents are not known."""
    found = dict(given)
    for name, known in fields(model).items():
        default = model.model_fields[known.attribute].default
        if name not in given:
            if default is not PydanticUndefined and default is not None:
                found[name] = plain(default)
        elif known.model is not None and isinstance(given[name], dict):
            found[name] = with_defaults(known.model, given[name])
        elif known.model is not None and isinstance(given[name], list):
            found[name] = [
                with_defaults(known.model, one) if isinstance(one, dict) else one for one in given[name]
            ]
    return found


def run_all(files: Iterable[CaseFile], runner: Runner) -> list[Outcome]:
    """What comes of all files; errors of all of them at once.

    Raises:
        SpecErrors: something is wrong with a file, or with what it names.
    """
    outcomes: list[Outcome] = []
    wrong: list[Any] = []
    for file in files:
        try:
            outcomes += runner.run(file)
        except SpecErrors as errors:
            wrong += errors.diagnostics
    if wrong:
        raise SpecErrors(wrong)
    return outcomes
