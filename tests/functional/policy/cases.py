"""Every built-in rule with documents that keep it, break it, are excepted, and were excepted once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tuneform.policy import LIBRARY

CASES = ("kept", "broken", "excepted", "expired")
KEYS = "projects/{}/locations/us-central1/keyRings/ring/cryptoKeys/key"


@dataclass(frozen=True)
class Case:
    """One rule: its kind, parameters, and the spec and labels of documents that keep and break it.

    `word` begins the names of its documents, and of no others.
    """

    word: str
    kind: str
    keeps: Mapping[str, Any]
    breaks: Mapping[str, Any]
    params: Mapping[str, Any] = field(default_factory=dict)
    kept_labels: Mapping[str, str] = field(default_factory=dict)


def _job(**spec: Any) -> dict[str, Any]:
    return {"baseModel": "gemini-2.5-flash", "dataset": {"ref": "small"}, **spec}


_EPOCH = {"hyperParameters": {"epochCount": 1}}
_GATE = {"gate": {"evalLoss": {"atMost": 2.0}}}
RULES: Mapping[str, Case] = {
    "cmek-required": Case("cmek", "TuningJob", _job(encryptionKey={"ref": "ours"}), _job()),
    "key-placement": Case(
        "place",
        "TuningJob",
        _job(encryptionKey={"ref": "ours"}),
        _job(encryptionKey={"ref": "theirs"}),
        {"projects": ["tuneform-test"], "locations": ["us-central1"]},
    ),
    "regions": Case(
        "regions",
        "DatasetBucket",
        {"location": "us-central1"},
        {"location": "EU"},
        {"locations": ["us-central1"]},
    ),
    "base-models": Case(
        "models",
        "TuningJob",
        _job(),
        _job(baseModel="gemini-2.5-flash-lite"),
        {"models": ["gemini-2.5-flash"]},
    ),
    "reviewed-parents": Case(
        "parents",
        "TuningJob",
        _job(),
        {
            "preTunedModel": {"name": "projects/p/locations/us-central1/models/m@1"},
            "dataset": {"ref": "small"},
        },
    ),
    "max-epochs": Case(
        "epochs", "TuningJob", _job(**_EPOCH), _job(hyperParameters={"epochCount": 3}), {"most": 2}
    ),
    "max-tokens": Case("tokens", "TuningJob", _job(**_EPOCH), _job(), {"most": 9_000}),
    "max-cost": Case(
        "cost",
        "TuningJob",
        _job(**_EPOCH),
        _job(dataset={"ref": "large"}, hyperParameters={"epochCount": 40}),
        {"most": 0.5, "currency": "USD"},
    ),
    "max-examples": Case("examples", "TuningJob", _job(), _job(dataset={"ref": "large"}), {"most": 20}),
    "required-labels": Case(
        "labels", "TuningJob", _job(), _job(), {"labels": ["team"]}, kept_labels={"team": "ops"}
    ),
    "validation-required": Case("valid", "TuningJob", _job(dataset={"ref": "split"}), _job()),
    "test-required": Case("tested", "TunedModel", {"dataset": "split"}, {"dataset": "small"}),
    "gate-required": Case("gate", "TunedModel", {"dataset": "split", **_GATE}, {"dataset": "split"}),
    "dedicated-service-account": Case("account", "TuningJob", _job(serviceAccount={"ref": "runner"}), _job()),
    "no-primitive-roles": Case(
        "roles",
        "ServiceAccount",
        {"projectRoles": ["roles/aiplatform.user"]},
        {"projectRoles": ["roles/aiplatform.user", "roles/editor"]},
    ),
    "uniform-bucket-access": Case("uniform", "DatasetBucket", {}, {"uniformBucketLevelAccess": False}),
    "public-access-prevention": Case("public", "DatasetBucket", {}, {"publicAccessPrevention": "inherited"}),
    "retention": Case(
        "retain",
        "DatasetBucket",
        {"lifecycle": [{"age": 30}]},
        {"lifecycle": [{"age": 90}]},
        {"mostDays": 30},
    ),
}
"""By built-in rule."""
assert set(RULES) == set(LIBRARY), "every rule has its case"

PRICES = """
[prices."gemini-2.5-flash"]
training = 500
unit = "per million training tokens"
currency = "USD"
source = "a test"
date = 2026-10-01
"""


def _document(kind: str, name: str, spec: Mapping[str, Any], **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "tuneform.dev/v1",
        "kind": kind,
        "metadata": {"name": name, **metadata},
        "spec": dict(spec),
    }


def _dataset(name: str, rows: int, **more: Any) -> dict[str, Any]:
    examples = [{"input": f"is {n} even", "output": "no" if n % 2 else "yes"} for n in range(rows)]
    return _document("Dataset", name, {"bucket": {"ref": "data"}, "training": {"examples": examples}, **more})


def _around() -> list[dict[str, Any]]:
    return [
        _document(
            "Project", "demo", {"projectId": "tuneform-test", "location": "us-central1", "owner": "ml-team"}
        ),
        _document("DatasetBucket", "data", {}),
        _document("EncryptionKey", "ours", {"existing": KEYS.format("tuneform-test")}),
        _document("EncryptionKey", "theirs", {"existing": KEYS.format("somebody-else")}),
        _document("ServiceAccount", "runner", {}),
        _dataset("small", 12),
        _dataset("large", 60),
        _dataset("split", 40, split={"validation": 0.25, "test": 0.25}),
    ]


def _of_rule(case: Case) -> Iterator[dict[str, Any]]:
    for which in CASES:
        name = f"{case.word}-{which}"
        spec = dict(case.keeps if which == "kept" else case.breaks)
        labels = {"labels": dict(case.kept_labels)} if which == "kept" and case.kept_labels else {}
        if case.kind == "TunedModel":
            yield _document("TuningJob", name, _job(dataset={"ref": spec.pop("dataset")}))
            spec["job"] = {"ref": name}
        yield _document(case.kind, name, spec, **labels)


def policy() -> dict[str, Any]:
    """All rules in one policy, each about its own documents."""
    rules = [
        {
            "name": name,
            "builtin": name,
            "match": {"names": [f"{case.word}-*"], "kinds": [case.kind]},
            **({"params": dict(case.params)} if case.params else {}),
        }
        for name, case in RULES.items()
    ]
    exceptions = [
        {
            "rule": name,
            "kind": case.kind,
            "name": f"{case.word}-{which}",
            "reason": "agreed with Ada",
            "expires": day,
        }
        for name, case in RULES.items()
        for which, day in (("excepted", "2999-12-31"), ("expired", "2001-12-31"))
    ]
    return _document("Policy", "house", {"rules": rules, "exceptions": exceptions})


def documents() -> list[dict[str, Any]]:
    """Everything but the policy."""
    return [*_around(), *(document for case in RULES.values() for document in _of_rule(case))]


def write(folder: Path) -> None:
    """A project: specs with a file for each document, the policy beside them, and prices."""
    specs = folder / "specs"
    specs.mkdir(parents=True)
    (folder / "tuneform.toml").write_text('prices = "prices.toml"\npolicies = ["house.yaml"]\n')
    (folder / "prices.toml").write_text(PRICES)
    (folder / "house.yaml").write_text(yaml.safe_dump(policy()))
    for document in documents():
        file = f"{document['kind'].lower()}.{document['metadata']['name']}.yaml"
        (specs / file).write_text(yaml.safe_dump(document))
