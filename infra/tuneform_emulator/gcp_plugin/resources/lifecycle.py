"""A bucket's lifecycle rules in pulumi-gcp's words and in those of the Cloud Storage JSON API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..schema_check import Problem, Shape

CONDITIONS = {
    "age": "age",
    "createdBefore": "createdBefore",
    "daysSinceNoncurrentTime": "daysSinceNoncurrentTime",
    "matchesPrefixes": "matchesPrefix",
    "matchesStorageClasses": "matchesStorageClass",
    "matchesSuffixes": "matchesSuffix",
    "numNewerVersions": "numNewerVersions",
}
"""pulumi-gcp's name → the API's. `withState` is the other one supported; it is `isLive` in the API."""
LIVENESS = {"LIVE": True, "ARCHIVED": False}
ANY = "ANY"
SUPPORTED: Shape = {
    "action": {"type": {}, "storageClass": {}},
    "condition": {**{name: {} for name in CONDITIONS}, "withState": {}},
}


def flaws(rules: Any) -> Iterator[Problem]:
    """Rules the API would refuse, or that pulumi-gcp would send differently from how they read."""
    for index, rule in enumerate(rules if isinstance(rules, list) else []):
        path = f"lifecycleRules[{index}].condition"
        condition = rule.get("condition")
        if not isinstance(condition, dict):
            continue
        if not condition:
            yield Problem(path, "needs at least one condition")
        if condition.get("withState", ANY) not in (ANY, *LIVENESS) and isinstance(
            condition["withState"], str
        ):
            yield Problem(f"{path}.withState", "must be LIVE, ARCHIVED or ANY")
        for name in ("age", "daysSinceNoncurrentTime", "numNewerVersions"):
            if condition.get(name) == 0:
                yield Problem(
                    f"{path}.{name}",
                    "is 0, which pulumi-gcp leaves out unless told by a send…IfZero property; "
                    "the emulator's stand-in does not support those",
                )


def canonical(rules: Any) -> Any:
    """The rules without what means nothing: state ANY is the same as none."""
    if not isinstance(rules, list):
        return rules
    return [_without_any(rule) for rule in rules]


def _without_any(rule: Any) -> Any:
    condition = rule.get("condition") if isinstance(rule, dict) else None
    if not isinstance(condition, dict) or condition.get("withState") != ANY:
        return rule
    return {**rule, "condition": {name: value for name, value in condition.items() if name != "withState"}}


def to_api(rules: list[Mapping[str, Any]]) -> dict[str, Any]:
    """pulumi-gcp's rules as the API's `lifecycle` object."""
    return {"rule": [{"action": dict(rule["action"]), "condition": _condition(rule)} for rule in rules]}


def _condition(rule: Mapping[str, Any]) -> dict[str, Any]:
    given = rule["condition"]
    condition = {CONDITIONS[name]: value for name, value in given.items() if name in CONDITIONS}
    if given.get("withState") in LIVENESS:
        condition["isLive"] = LIVENESS[given["withState"]]
    return condition


def from_api(lifecycle: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The API's `lifecycle` object as pulumi-gcp's rules."""
    rules = []
    for rule in lifecycle.get("rule", []):
        live = rule.get("condition", {})
        condition = {name: live[key] for name, key in CONDITIONS.items() if key in live}
        if "isLive" in live:
            condition["withState"] = "LIVE" if live["isLive"] else "ARCHIVED"
        rules.append({"action": dict(rule["action"]), "condition": condition})
    return rules
