"""What policies say, as frozen data, however it was written: YAML in a tree, a bundle, a policy pack's own file."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, Literal

Enforcement = Literal["deny", "warn", "audit"]
ENFORCEMENTS: tuple[Enforcement, ...] = ("deny", "warn", "audit")


@dataclass(frozen=True)
class Match:
    """What a rule is about; what is empty asks for nothing. Names may hold `*` and `?`, as may the values of labels.

    `projects` are names of Project documents or ids of Google Cloud projects: an audit knows the latter alone.
    """

    kinds: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def covers(self, kind: str, name: str, project: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
        """Whether a document of this kind, name, project and labels is meant."""
        if self.kinds and kind not in self.kinds:
            return False
        if self.names and not _any(self.names, name):
            return False
        if self.platforms and project.get("platform", "vertex") not in self.platforms:
            return False
        called = (str(project.get("name", "")), str(project.get("projectId", "")))
        if self.projects and not any(_any(self.projects, one) for one in called if one):
            return False
        return all(key in labels and fnmatchcase(labels[key], value) for key, value in self.labels.items())


def _any(patterns: Iterable[str], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


@dataclass(frozen=True)
class Rule:
    """One rule: `expression` is CEL that is true of what keeps it.

    With `each`, CEL for a list, it is asked of every `item` of that list. `field` is the path that it is about, in
    which `{item}` stands for the item. `message` says what is wrong, and `message_expression` says it with values;
    `why` is for the reader. `mendable`: whether a breach can still be put right when the job has finished.
    """

    policy: str
    name: str
    expression: str
    field: str = ""
    message: str = ""
    message_expression: str = ""
    why: str = ""
    remedy: str = ""
    each: str = ""
    enforcement: Enforcement = "deny"
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    matches: tuple[Match, ...] = ()
    mendable: bool = False
    builtin: str = ""

    @property
    def id(self) -> str:
        """`policy/rule`."""
        return f"{self.policy}/{self.name}"

    @property
    def kinds(self) -> frozenset[str] | None:
        """The kinds that it can be about; None where it says nothing of them."""
        named = [frozenset(match.kinds) for match in self.matches if match.kinds]
        return frozenset.intersection(*named) if named else None


@dataclass(frozen=True)
class Exemption:
    """Why one rule need not be kept, by whom, and until when: the last day on which it counts, in UTC.

    `field` narrows it to one field, else every breach of the rule by that document is meant. `project` is that of a
    Project document or Google's id; empty means all.
    """

    rule: str
    kind: str
    name: str
    reason: str
    expires: date
    project: str = ""
    field: str = ""

    def covers(self, rule: Rule, kind: str, name: str, project: Mapping[str, Any], path: str) -> bool:
        """Whether a breach is meant; not whether it has expired."""
        return (
            self.rule == rule.id
            and self.kind == kind
            and self.name == name
            and self.project in {"", project.get("name"), project.get("projectId")}
            and (not self.field or path == self.field or path.startswith(f"{self.field}."))
        )


@dataclass(frozen=True)
class PolicySet:
    """Rules and exemptions of one source: a tree, or a bundle. Exemptions count for rules of the same source alone, so
    that nobody can except himself from a bundle that somebody else keeps.
    """

    rules: tuple[Rule, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    source: str = ""

    @property
    def digest(self) -> str:
        """`sha256:` and hexadecimal digits over all that they say, in whatever order and layout it was written."""
        rules = sorted(_text(asdict(rule) | {"matches": _matches(rule)}) for rule in self.rules)
        exemptions = sorted(_text(asdict(exemption)) for exemption in self.exemptions)
        return _hashed({"rules": rules, "exemptions": exemptions})


def digest_of(sets: Iterable[PolicySet]) -> str:
    """Over several sources, of which each keeps its exemptions to itself. One source's is that source's own."""
    digests = sorted(one.digest for one in sets)
    return digests[0] if len(digests) == 1 else _hashed(digests)


def _matches(rule: Rule) -> list[str]:
    """All of them must cover a document, and of what they list one is enough: order says nothing."""
    return sorted(
        _text({name: value if name == "labels" else sorted(value) for name, value in asdict(match).items()})
        for match in rule.matches
    )


def _hashed(value: Any) -> str:
    return f"sha256:{hashlib.sha256(_text(value).encode()).hexdigest()}"


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
