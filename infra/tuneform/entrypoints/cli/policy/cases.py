"""What a file of cases says: `*.policytest.yaml`, one document that is no spec.

The same reader reads it that reads specs, so that a mistake is told at its place and in the same words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from tuneform.errors import Diagnostic, SettingsError, SpecErrors
from tuneform.specs.kinds import KINDS, SpecModel
from tuneform.specs.kinds.base import Text, problem, shown
from tuneform.specs.kinds.policy import Day, EnforcementLevel
from tuneform.specs.meaning.policies import astray
from tuneform.specs.policies import plain
from tuneform.specs.shape import did_you_mean
from tuneform.specs.text.documents import SpecFile
from tuneform.specs.text.files import TEST_SUFFIXES
from tuneform.specs.text.nodes import MappingNode
from tuneform.specs.text.source import read
from tuneform.specs.tree import Origin
from tuneform.specs.typed.reader import API_VERSION, Reader

KIND = "PolicyTest"


class Breach(SpecModel):
    """A rule that must be broken; what is said beside it must be so, too."""

    rule: Text
    """The rule: NAME, or POLICY/NAME."""
    field: Text | None = None
    """The path that the breach is about."""
    enforcement: EnforcementLevel | None = None
    """What the breach does."""
    message: Text | None = None
    """A part of what it says."""


class About(SpecModel):
    """One of the documents of `specs`."""

    kind: Text
    """Its kind."""
    name: Text
    """Its metadata.name."""
    project: Text | None = None
    """Its Project's name, where there are several."""

    def is_of(self, kind: str, name: str, project: str) -> bool:
        """Whether that document is meant."""
        return (self.kind, self.name) == (kind, name) and self.project in {None, project}


class Case(SpecModel):
    """One document, or specs, and what must come of judging it."""

    name: Text
    """What is shown."""
    document: dict[str, Any] | None = None
    """A document as rules see it: kind, metadata, spec. Defaults of its kind are filled in."""
    specs: Text | None = None
    """Or a file or folder of specs, relative to this file; their data are read, as `check` does."""
    about: About | None = None
    """The one document of `specs` that is meant; all where it is left out."""
    project: dict[str, Any] = Field(default={})
    """What rules see as `project`."""
    data: dict[str, dict[str, Any]] = Field(default={})
    """What rules see as `data`."""
    cost: dict[str, Any] = Field(default={})
    """What rules see as `cost`."""
    unknown: tuple[Text, ...] = ()
    """Paths that are not known, such as data.training.tokens."""
    finished: bool = False
    """Whether the job is history."""
    today: Day | None = None
    """The day on which it is judged."""
    passes: tuple[Text, ...] = ()
    """Rules that must be judged and kept; `*` stands for any characters, so that "*" means all that are about it."""
    breaks: tuple[Breach, ...] = ()
    """Rules that must be broken."""
    excepted: tuple[Text, ...] = ()
    """Rules that must be broken, and excepted."""
    unjudged: tuple[Text, ...] = ()
    """Rules that must not be judged, for want of what is known."""

    @model_validator(mode="after")
    def _one_subject_and_something_expected(self) -> Self:
        if (self.document is None) == (self.specs is None):
            both = self.specs is not None
            message = "'document' and 'specs' exclude each other" if both else "nothing is to be judged"
            hint = "give document: as rules see it, or specs: with a file or folder"
            raise problem("E130", message, hint=hint, at=("specs",) if both else ())
        if not (self.passes or self.breaks or self.excepted or self.unjudged):
            raise problem(
                "E130", "nothing is expected", hint="give passes:, breaks:, excepted: or unjudged: with rules"
            )
        given = [name for name in ("project", "data", "cost", "unknown") if getattr(self, name)]
        if self.specs is not None and (given or self.finished):
            name = given[0] if given else "finished"
            hint = "leave it out, or write the document itself"
            raise problem("E130", f"{name!r} is what specs: say themselves", hint=hint, at=(name,))
        if self.about is not None and self.specs is None:
            hint = "leave it out: there is one document"
            raise problem("E130", "'about' belongs to specs:", hint=hint, at=("about",))
        return self


class PolicyTest(SpecModel):
    """Cases for policies."""

    policies: tuple[Text, ...] = (".",)
    """Files or folders with the policies that are judged by, relative to this file; its own folder if left out."""
    today: Day | None = None
    """The day on which all is judged; today if left out, which is no good where exceptions end."""
    cases: Annotated[tuple[Case, ...], Field(min_length=1)]
    """The cases."""


@dataclass(frozen=True)
class CaseFile:
    """A file of cases that is sound, able to say where each part of it stands."""

    path: Path
    says: PolicyTest
    origin: Origin

    def beside(self, name: str) -> Path:
        """A path that the file names."""
        return self.path.parent / name

    def wrong(self, message: str, *path: str | int, key: bool = False, hint: str = "") -> SpecErrors:
        """An error at a place of the file."""
        return SpecErrors([self.origin.diagnostic("E196", message, "spec", *path, key=key, hint=hint)])


def case_files(path: Path) -> list[Path]:
    """The files of cases in a folder, sorted; or the one file that `path` is.

    Raises:
        SettingsError: there is none.
    """
    if path.is_file():
        return [path]
    found = sorted(one for suffix in TEST_SUFFIXES for one in path.rglob(f"*{suffix}") if one.is_file())
    if not found:
        there = f"no *{TEST_SUFFIXES[0]} is in {path}" if path.is_dir() else f"there is no {path}"
        raise SettingsError(there, remedy="write cases as docs/policy.md shows, or name their file or folder")
    return found


def read_cases(path: Path) -> CaseFile:
    """A file of cases.

    Raises:
        SpecErrors: everything that is wrong in it.
    """
    source = read(path)
    if isinstance(source, Diagnostic):
        raise SpecErrors([source])
    file = SpecFile(source)
    parsed = file.parsed
    if parsed.found:
        raise SpecErrors(parsed.found)
    if len(parsed.roots) != 1 or not isinstance(parsed.roots[0], MappingNode):
        hint = f"write apiVersion: {API_VERSION}, kind: {KIND}, spec: {{cases: …}}"
        raise SpecErrors([source.diagnostic("E196", "this is not one document of cases", 0, hint=hint)])
    values = parsed.roots[0].value()
    assert isinstance(values, dict)
    reader = Reader(Origin(file, 0, values))
    _envelope(reader)
    says = reader.part("spec", PolicyTest)
    if reader.found or says is None:
        raise SpecErrors(reader.found)
    made = CaseFile(path, says, reader.origin)
    wrong = [one for index, case in enumerate(says.cases) for one in _document(made, case, index)]
    if wrong:
        raise SpecErrors(wrong)
    return made


def _envelope(reader: Reader) -> None:
    for name, wanted, code in (("apiVersion", API_VERSION, "E120"), ("kind", KIND, "E121")):
        if reader.text(name) != wanted:
            reader.report(code, f"{name} is not {wanted}", name, hint=f"write {name}: {wanted}")
    known = ("apiVersion", "kind", "metadata", "spec")
    for name in reader.origin.values:
        if name not in known:
            hint = did_you_mean(name, known, "there are apiVersion, kind, metadata and spec")
            reader.report("E123", f"unknown field {shown(name)}", name, key=True, hint=hint)


def _document(file: CaseFile, case: Case, index: int) -> Iterator[Diagnostic]:
    """What is wrong with a document as it is written in a case."""
    if case.document is None:
        return
    at: tuple[str | int, ...] = ("cases", index, "document")
    kind, metadata, spec = (case.document.get(part) for part in ("kind", "metadata", "spec"))
    if not isinstance(kind, str) or kind not in KINDS or kind == "Policy":
        kinds = [one for one in KINDS if one != "Policy"]
        hint = did_you_mean(str(kind), kinds, f"the kinds are {', '.join(kinds)}")
        yield from file.wrong("document: its kind is none", *at, "kind", hint=hint).diagnostics
        return
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        hint = "write metadata: {name: …}"
        yield from file.wrong("document: its name is missing", *at, "metadata", hint=hint).diagnostics
    elif not _texts(metadata.get("labels", {})):
        yield from file.wrong("document: labels are texts", *at, "metadata", "labels").diagnostics
    if not isinstance(spec, dict):
        yield from file.wrong("document: its spec is missing", *at, "spec").diagnostics
        return
    for path in _paths(spec):
        if (wrong := astray(kind, path)) is not None:
            step, known = wrong
            hint = did_you_mean(step, known, f"there are {', '.join(known)}" if known else "")
            message = f"document: no {kind} has {'.'.join(path)!r}"
            yield from file.wrong(message, *at, "spec", *path, key=True, hint=hint).diagnostics
            return


def _texts(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())


def _paths(value: Mapping[str, Any]) -> Iterator[list[str]]:
    """The paths of all fields, lists left out."""
    for name, inner in value.items():
        yield [name]
        if isinstance(inner, Mapping):
            yield from ([name, *deeper] for deeper in _paths(inner))


def document_of(case: Case) -> dict[str, Any]:
    """The document of a case, as plain values."""
    found: dict[str, Any] = plain(case.document)
    return found
