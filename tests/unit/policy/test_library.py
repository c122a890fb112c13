"""Every built-in rule: what keeps it, what breaks it and in which words, excepted and after that has ended."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tuneform.policy import LIBRARY, Exemption, Judge, Match, PolicySet, Rule, Subject

TODAY = date(2026, 11, 30)
KEY = {"ref": "k", "name": "n", "projectId": "acme-keys", "location": "eu"}
TUNING, BUCKET, MODEL = "TuningJob", "DatasetBucket", "TunedModel"
COMPUTE = "1-compute@developer.gserviceaccount.com"


def case(kind: str, spec: dict[str, Any], labels: dict[str, str] | None = None, **facts: Any) -> Subject:
    return Subject({"kind": kind, "metadata": {"name": "a", "labels": labels or {}}, "spec": spec}, **facts)


def epochs(count: int) -> Subject:
    return case(TUNING, {"hyperParameters": {"epochCount": count}})


CASES: dict[str, tuple[dict[str, Any], Subject, Subject, str]] = {
    "cmek-required": (
        {},
        case(BUCKET, {"encryptionKey": KEY}),
        case(BUCKET, {}),
        "no key of your own encrypts it",
    ),
    "key-placement": (
        {"projects": ["acme-keys"], "locations": ["eu"]},
        case(TUNING, {"encryptionKey": KEY}),
        case(TUNING, {"encryptionKey": {**KEY, "location": "us"}}),
        "the key lies in acme-keys, us; allowed are acme-keys in eu",
    ),
    "regions": (
        {"locations": ["EU"]},
        case(BUCKET, {"location": "eu"}),
        case("Project", {"location": "eu", "servingLocation": "us"}),
        "it lies in eu and serves from us; allowed are EU",
    ),
    "base-models": (
        {"models": ["m"]},
        case(TUNING, {"preTunedModel": {"ref": "b", "baseModel": "m"}}),
        case(TUNING, {"baseModel": "n"}),
        "n is not among the allowed models: m",
    ),
    "reviewed-parents": (
        {},
        case(TUNING, {"preTunedModel": {"ref": "b", "baseModel": "m"}}),
        case(TUNING, {"preTunedModel": {"name": "models/1", "baseModel": "m"}}),
        "models/1 is not among the reviewed models",
    ),
    "max-epochs": ({"most": 10}, epochs(10), epochs(11), "11 epochs; 10 are the most"),
    "max-tokens": (
        {"most": 10},
        case(TUNING, {}, cost={"tokensHigh": 10}),
        case(TUNING, {}, cost={"tokens": 1}),
        "no upper end of its tokens is known; 10 are the most",
    ),
    "max-cost": (
        {"most": 10, "currency": "USD"},
        case(TUNING, {}, cost={"high": 9.5, "currency": "USD"}),
        case(TUNING, {}, cost={"high": 10.5, "currency": "USD"}),
        "up to 10.5 USD; 10 are the most",
    ),
    "max-examples": (
        {"most": 10},
        case("Dataset", {}, data={"training": {"examples": 10}}),
        case(TUNING, {}, data={"training": {"examples": 11}}),
        "11 training examples; 10 are the most",
    ),
    "required-labels": (
        {"labels": ["team"]},
        case(TUNING, {}, {"team": "x"}),
        case(TUNING, {}, {"team": ""}),
        "the label team is missing",
    ),
    "validation-required": (
        {},
        case(TUNING, {}, data={"validation": {}}),
        case(TUNING, {}, data={"training": {}}),
        "its dataset has no validation examples",
    ),
    "test-required": (
        {},
        case(MODEL, {}, data={"test": {}}),
        case(MODEL, {}, data={"training": {}}),
        "its dataset has no test examples",
    ),
    "gate-required": (
        {},
        case(MODEL, {"gate": {"evalLoss": {"atMost": 1}}}),
        case(MODEL, {"gate": {}}),
        "nothing has to be shown before it serves",
    ),
    "dedicated-service-account": (
        {},
        case(TUNING, {"serviceAccount": {"ref": "r", "email": "r@p.iam.gserviceaccount.com"}}),
        case(TUNING, {"serviceAccount": {"ref": "r", "email": COMPUTE}}),
        f"{COMPUTE} is a default account",
    ),
    "no-primitive-roles": (
        {},
        case("ServiceAccount", {}),
        case("ServiceAccount", {"projectRoles": ["roles/viewer", "roles/aiplatform.user"]}),
        "it has roles/viewer on the whole project",
    ),
    "uniform-bucket-access": (
        {},
        case(BUCKET, {"uniformBucketLevelAccess": True}),
        case(BUCKET, {"uniformBucketLevelAccess": False}),
        "single objects may have access lists of their own",
    ),
    "public-access-prevention": (
        {},
        case(BUCKET, {"publicAccessPrevention": "enforced"}),
        case(BUCKET, {"publicAccessPrevention": "inherited"}),
        "it could be opened to the public",
    ),
    "retention": (
        {"mostDays": 365, "leastDays": 0},
        case(BUCKET, {"lifecycle": [{"age": 365, "action": "Delete"}]}),
        case(BUCKET, {"lifecycle": [{"age": 30, "numNewerVersions": 3, "action": "Delete"}]}),
        "objects must be deleted after 0 to 365 days",
    ),
}


def rule(name: str) -> Rule:
    base = LIBRARY[name]
    params = {**(base.optional or {}), **CASES[name][0]}
    return Rule(
        "house",
        name,
        base.expression,
        base.field,
        base.message,
        base.message_expression,
        each=base.each,
        params=params,
        matches=(Match(kinds=base.kinds),),
    )


def test_every_built_in_rule_has_a_case_and_says_why() -> None:
    assert list(CASES) == list(LIBRARY)
    assert all(base.why and base.remedy and base.title for base in LIBRARY.values())


@pytest.mark.parametrize("name", list(CASES))
def test_a_rule_is_kept_broken_excepted_and_broken_again(name: str) -> None:
    _, keeps, breaks, message = CASES[name]
    exemption = Exemption(f"house/{name}", breaks.kind, "a", "agreed with Ada", TODAY)
    judges = [
        Judge([PolicySet((rule(name),), given)], today)
        for given, today in (((), TODAY), ((exemption,), TODAY), ((exemption,), TODAY + timedelta(days=1)))
    ]
    assert judges[0].about(keeps)
    assert judges[0].judge(keeps).findings == ()
    found = [judge.judge(breaks).findings for judge in judges]
    assert [[one.message for one in several] for several in found] == [[message]] * 3
    assert [[one.blocks for one in several] for several in found] == [[True], [False], [True]]
    assert [several[0].expired for several in found] == [None, None, exemption]
