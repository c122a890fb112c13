"""What `tuneform policy admission` writes, as the API server compiles and evaluates it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from tests.functional.admission.evaluating import evaluated, evaluator

from tuneform.entrypoints.doors.admission.objects import admission
from tuneform.policy import Exemption, Match, PolicySet, Rule

JOBS = (Match(kinds=("TuningJob",)),)
BUCKETS = (Match(kinds=("DatasetBucket",)),)
RULES = (
    Rule("house", "bare", "object.spec.versioning", matches=BUCKETS, message="no versions"),
    Rule(
        "house",
        "class",
        "object.spec.storageClass in params.of && params.n > 0",
        params={"of": ["STANDARD"], "n": 1},
        matches=BUCKETS,
    ),
    Rule(
        "house",
        "mixed",
        "params.of.exists(one, one == object.spec.keep)",
        params={"of": [1, 2.5, "x", True]},
        matches=(Match(kinds=("TunedModel",)),),
    ),
    Rule("house", "named", "false", matches=(*JOBS, Match(names=("x-*", "y?")))),
    Rule(
        "house",
        "retries",
        "object.spec.limits.retries <= 1",
        message_expression="string(object.spec.limits.retries) + ' retries'",
        matches=JOBS,
    ),
    Rule("house", "ticket", "object.metadata.annotations['ticket'].startsWith('T-')", matches=JOBS),
    Rule(
        "house",
        "steps",
        "item != 'bad'",
        each="object.metadata.annotations['steps'].split(',')",
        field="metadata.steps.{item}",
        message="{item} is a bad step",
        matches=JOBS,
    ),
    Rule("house", "wrong", "object.spec.baseModel + 1 == 2", matches=JOBS),
)
EXEMPT = Exemption(
    "house/steps", "TuningJob", "half", "agreed with Ada", date(2999, 1, 1), field="metadata.steps.bad"
)


def thing(kind: str, name: str, spec: Mapping[str, Any], **annotations: str) -> dict[str, Any]:
    annotations = {"ticket": "T-1", "steps": "good", **annotations}
    metadata = {"name": name, "annotations": annotations}
    return {"apiVersion": "tuneform.dev/v1", "kind": kind, "metadata": metadata, "spec": dict(spec)}


OBJECTS = [
    thing("DatasetBucket", "plain", {}),
    thing("DatasetBucket", "off", {"versioning": False, "storageClass": "ARCHIVE"}),
    thing("TunedModel", "default", {}),
    thing("TunedModel", "one", {"keep": 1}),
    thing("TuningJob", "job", {"baseModel": "g"}),
    thing("TuningJob", "x-1", {"baseModel": "g", "limits": {"retries": 3}}, ticket="none"),
    thing("TuningJob", "steps", {"baseModel": "g"}, steps="good,bad,bad"),
    thing("TuningJob", "half", {"baseModel": "g"}, steps="bad"),
]
NEVER = {"wrong"}  # a rule that has no value is broken
FOUND = {
    "plain": set(),
    "off": {"bare", "class"},
    "default": {"mixed"},
    "one": set(),
    "job": NEVER,
    "x-1": {"named", "retries", "ticket", *NEVER},
    "steps": {"steps", *NEVER},
    "half": NEVER,
}


def test_rules_of_every_form_compile_and_hold_there_as_here() -> None:
    made = admission([PolicySet(RULES, (EXEMPT,))], {}, date(2026, 11, 30))
    assert made.unexpressed == []
    answers = evaluated(evaluator(), made.objects, OBJECTS)
    assert [one["errors"] for one in answers if "errors" in one] == []
    found = {
        one["object"]: {
            rule.name for rule, decision in zip(RULES, one["decisions"], strict=True) if not decision["admit"]
        }
        for one in answers
    }
    assert found == FOUND
    said = {one["object"]: [decision.get("message") for decision in one["decisions"]] for one in answers}
    assert "house/retries: 3 retries" in said["x-1"]
    assert "house/steps: bad is a bad step, bad is a bad step" in said["steps"]
    assert "house/bare: no versions" in said["off"]


def test_what_kubernetes_lacks_does_not_compile() -> None:
    """The list of functions that are left out is no longer than it must be."""
    made = admission(
        [PolicySet((Rule("house", "r", "'a'.lowerAscii() == 'a'", matches=JOBS),))], {}, date(2026, 11, 30)
    )
    made.objects[0]["spec"]["validations"][0]["expression"] = "'ab'.reverse() == 'ba'"
    (answer,) = evaluated(evaluator(), made.objects, OBJECTS)
    assert "undeclared reference to 'reverse'" in answer["errors"][0]
