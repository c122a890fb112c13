"""What the policies found, as a report takes it: whoever judged, the page needs these fields and no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol


class Exempted(Protocol):
    """An exception from a rule."""

    @property
    def reason(self) -> str:
        """Why."""

    @property
    def expires(self) -> date:
        """The last day on which it counts."""


class Breach(Protocol):
    """A finding of the policies."""

    @property
    def policy(self) -> str:
        """The Policy document that the rule is in."""

    @property
    def rule(self) -> str:
        """The rule's name."""

    @property
    def enforcement(self) -> str:
        """`deny`, `warn` or `audit`."""

    @property
    def message(self) -> str:
        """What is wrong."""

    @property
    def why(self) -> str:
        """Why there is such a rule."""

    @property
    def field(self) -> str:
        """The path of the field that it is about."""

    @property
    def kind(self) -> str:
        """The document's kind."""

    @property
    def name(self) -> str:
        """The document's name."""

    @property
    def project(self) -> str:
        """The document's project."""

    @property
    def exception(self) -> Exempted | None:
        """The exception that covers it, if one does: then it blocks nothing."""


class NotJudged(Protocol):
    """A rule that could not be judged of a document."""

    @property
    def policy(self) -> str:
        """The Policy document that the rule is in."""

    @property
    def rule(self) -> str:
        """The rule's name."""

    @property
    def kind(self) -> str:
        """The document's kind."""

    @property
    def name(self) -> str:
        """The document's name."""

    @property
    def project(self) -> str:
        """The document's project."""

    @property
    def paths(self) -> tuple[str, ...]:
        """What is not known of it."""


@dataclass(frozen=True)
class Judged:
    """What the policies found. `digest` is of the rules and exceptions that were judged by."""

    digest: str
    findings: tuple[Breach, ...] = ()
    unjudged: tuple[NotJudged, ...] = ()

    @property
    def blocking(self) -> tuple[Breach, ...]:
        """The findings that block: of `deny`, and not excepted."""
        return tuple(f for f in self.findings if f.enforcement == "deny" and f.exception is None)
