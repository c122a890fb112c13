"""The objects for a cluster, and what is left out of them, with the reasons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import yaml

from tuneform.entrypoints.doors.admission.cel import Validation, inherited, validation
from tuneform.entrypoints.doors.admission.reach import Defaults, beyond
from tuneform.policy import Exemption, PolicySet, Rule
from tuneform.policy.rules import digest_of
from tuneform.specs.kinds import KINDS

GROUP, VERSION = "tuneform.dev", "v1"
ACTIONS = {"deny": ["Deny"], "warn": ["Warn", "Audit"], "audit": ["Audit"]}
"""What a cluster does at a breach; `audit` goes to its audit log."""


@dataclass(frozen=True)
class Left:
    """A rule that is not, or not always, asked of a kind, and why."""

    rule: str
    kind: str
    reason: str


@dataclass
class Admission:
    """What is printed. `unexpressed` are left out; `partly` are asked of some objects; `excepted` end on their days."""

    digest: str
    objects: list[dict[str, Any]] = field(default_factory=list)
    unexpressed: list[Left] = field(default_factory=list)
    partly: list[Left] = field(default_factory=list)
    excepted: list[Exemption] = field(default_factory=list)

    def as_object(self) -> dict[str, Any]:
        """All of it for programs."""
        return {
            "digest": self.digest,
            "objects": self.objects,
            "unexpressed": [vars(one) for one in self.unexpressed],
            "partly": [vars(one) for one in self.partly],
            "exceptions": [vars(one) | {"expires": one.expires.isoformat()} for one in self.excepted],
        }

    def as_yaml(self) -> str:
        """The objects for `kubectl apply`, below what is to be known of them."""
        head = "".join(f"# {line}".rstrip() + "\n" for line in self._head())
        return head + "---\n".join(
            yaml.safe_dump(one, sort_keys=False, allow_unicode=True, width=110) for one in self.objects
        )

    def _head(self) -> Iterator[str]:
        yield "Written by `tuneform policy admission`: write it anew when policies change, rather than change it."
        yield f"policies: {self.digest}"
        if self.excepted:
            yield "Exceptions do not end by themselves here, for admission has no clock: write it anew on the day after"
            for one in self.excepted:
                yield f"  {one.expires}: {one.rule} of {one.kind} {one.name}: {one.reason}"
        for title, left in (("Asked of some objects:", self.partly), ("Not asked here:", self.unexpressed)):
            if left:
                yield title
                yield from (f"  {one.rule} of {one.kind}: {one.reason}" for one in left)


def admission(sets: Sequence[PolicySet], defaults: Defaults, today: date) -> Admission:
    """The objects of all policies: a ValidatingAdmissionPolicy and its binding for each enforcement of each."""
    made = Admission(digest_of(sets))
    names: set[str] = set()
    for one in sets:
        grouped: dict[tuple[str, str], list[tuple[str, Validation]]] = {}
        for rule in one.rules:
            covering = [e for e in one.exemptions if e.rule == rule.id and e.expires >= today]
            for kind in sorted(rule.kinds) if rule.kinds is not None else _kinds():
                if found := _asked(made, rule, kind, covering, defaults):
                    grouped.setdefault((rule.policy, rule.enforcement), []).append((kind, found))
        for (policy, enforcement), validations in grouped.items():
            name, number = f"tuneform-{policy}-{enforcement}", 2
            while name in names:  # bundles may call policies the same
                name, number = f"tuneform-{policy}-{enforcement}-{number}", number + 1
            names.add(name)
            made.objects += _pair(name, enforcement, made.digest, validations)
    return made


def _kinds() -> list[str]:
    return [kind for kind in KINDS if kind != "Policy"]


def _asked(
    made: Admission, rule: Rule, kind: str, covering: Sequence[Exemption], defaults: Defaults
) -> Validation | None:
    if reason := beyond(rule, kind, defaults):
        made.unexpressed.append(Left(rule.id, kind, reason))
        return None
    if fields := inherited(rule, kind):
        said = " and ".join(f"spec.{name}" for name in fields)
        made.partly.append(Left(rule.id, kind, f"where {said} is written; else it is as the Project has it"))
    of_kind = [one for one in covering if one.kind == kind]
    for one in of_kind:
        if one.project:
            reason = (
                f"the exception of {one.name} is for the project {one.project} alone, and does not count here"
            )
            made.partly.append(Left(rule.id, kind, reason))
    counting = [one for one in of_kind if not one.project]
    made.excepted += [one for one in counting if one not in made.excepted]
    return validation(rule, kind, counting, defaults)


def _pair(
    name: str, enforcement: str, digest: str, validations: Sequence[tuple[str, Validation]]
) -> list[dict[str, Any]]:
    kinds = list(dict.fromkeys(kind for kind, _ in validations))
    head = {"apiVersion": "admissionregistration.k8s.io/v1"}
    metadata = {"name": name, "annotations": {f"{GROUP}/policies": digest}}
    rules = {
        "apiGroups": [GROUP],
        "apiVersions": [VERSION],
        "operations": ["CREATE", "UPDATE"],
        "resources": [f"{kind.lower()}s" for kind in kinds],
    }
    return [
        {
            **head,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": metadata,
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": [rules]},
                "validations": [one.as_object() for _, one in validations],
            },
        },
        {
            **head,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": dict(metadata),
            "spec": {"policyName": name, "validationActions": ACTIONS[enforcement]},
        },
    ]
