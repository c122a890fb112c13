"""What the policies found, as a report takes it from whoever judged."""

from __future__ import annotations

from dataclasses import dataclass

from tuneform.policy import Finding, Unjudged


@dataclass(frozen=True)
class Judged:
    """Findings, and the rules that could not be asked. `digest` is of all rules and exceptions; `sources` name them."""

    digest: str
    findings: tuple[Finding, ...] = ()
    unjudged: tuple[Unjudged, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """The findings that block."""
        return tuple(finding for finding in self.findings if finding.blocks)
