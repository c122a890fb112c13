"""Resources say what documents say: the subject of a tree, and that of the inputs which the program declares of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from tests.unit.policy.declared import PRICES, declared

from tuneform import specs
from tuneform.entrypoints.doors.documents import Documents
from tuneform.policy import Subject
from tuneform.policy.shapes import ACCOUNTS, SHAPES, UNKNOWN, Resource, joined, property_of, subjects

PLAIN = """
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: demo}
spec: {projectId: tuneform-test, location: us-central1, owner: ml-team}
---
apiVersion: tuneform.dev/v1
kind: EncryptionKey
metadata: {name: tuning-key}
spec: {keyRing: ring}
---
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {name: data}
spec: {}
---
apiVersion: tuneform.dev/v1
kind: ServiceAccount
metadata: {name: runner}
spec: {}
---
apiVersion: tuneform.dev/v1
kind: Dataset
metadata: {name: intents}
spec: {bucket: {ref: data}, training: gs://somewhere/rows.jsonl}
---
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: intents}
spec: {baseModel: gemini-2.5-flash, dataset: {ref: intents}}
---
apiVersion: tuneform.dev/v1
kind: TunedModel
metadata: {name: intents}
spec: {job: {ref: intents}}
"""
FULL = """
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: demo}
spec:
  projectId: tuneform-test
  location: us-central1
  servingLocation: us-east4
  owner: ml-team
  labels: {env: test, team: all}
  stateBucket: somewhere-else
---
apiVersion: tuneform.dev/v1
kind: EncryptionKey
metadata: {name: tuning-key, labels: {team: keys}, annotations: {ticket: T-1}}
spec:
  keyRing: ring
  keyName: k1
  location: us-central1
  rotationPeriod: 30d
  protectionLevel: HSM
  deletionPolicy: Delete
---
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {name: data, labels: {team: data}}
spec:
  bucketName: own-name
  location: EU
  storageClass: NEARLINE
  versioning: false
  lifecycle: [{age: 30, numNewerVersions: 3}, {age: 400}]
  encryptionKey: {ref: tuning-key}
  uniformBucketLevelAccess: false
  publicAccessPrevention: inherited
  deletionPolicy: Retain
---
apiVersion: tuneform.dev/v1
kind: ServiceAccount
metadata: {name: runner, labels: {team: ops}}
spec:
  accountId: tuning-runner
  displayName: Runs it
  projectRoles: [roles/aiplatform.user, roles/editor]
  bucketRoles: [{bucket: {ref: data}, role: roles/storage.objectViewer}]
  impersonators: ["group:team@example.com"]
---
apiVersion: tuneform.dev/v1
kind: Dataset
metadata: {name: intents, labels: {team: rows}}
spec:
  bucket: {ref: data}
  training: {examples: [{input: a, output: b}, {input: c, output: d}]}
  validation: {examples: [{input: e, output: b}]}
  split: {test: 0.5, seed: 7}
  format: auto
  columns: {input: question}
  preamble: Be brief.
  task: classification
---
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: intents, labels: {team: support}, annotations: {ticket: T-2}}
spec:
  baseModel: gemini-2.5-flash
  dataset: {ref: intents}
  tuningMode: TUNING_MODE_PEFT_ADAPTER
  hyperParameters: {epochCount: 4, adapterSize: ADAPTER_SIZE_FOUR, learningRateMultiplier: 1.0}
  exportLastCheckpointOnly: false
  encryptionKey: {ref: tuning-key}
  serviceAccount: {ref: runner}
  description: for people
  tunedModelDisplayName: Intents
  limits: {maxBillableTokens: 5000000, maxCost: 25 USD, timeout: 6h, retries: 1}
  evaluationConfig:
    metrics: [{bleuSpec: {useEffectiveOrder: true}}]
    outputConfig: {gcsDestination: {outputUriPrefix: gs://own-name/out}}
  whenSuperseded: finish
  onModelLost: retrain
---
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: further}
spec:
  preTunedModel: {ref: intents, checkpoint: best}
  dataset: {ref: intents}
  encryptionKey: {ref: tuning-key}
---
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: elsewhere}
spec:
  preTunedModel: {name: projects/p/locations/us-central1/models/m@1, checkpoint: 2}
  dataset: {ref: intents}
---
apiVersion: tuneform.dev/v1
kind: TunedModel
metadata: {name: served, labels: {team: support}}
spec:
  job: {ref: intents}
  checkpoint: 3
  gate: {evalLoss: {atMost: 2.0}, exactMatch: {atLeast: 1, examples: 20}, noWorseThan: serving}
  keep: 0
  deletionPolicy: Retain
  displayName: Served
  description: for people
  serving: pointer
"""
COUNTS = {"examples": 20, "tokens": 1_000, "tokensLow": 800, "tokensHigh": 1_300}
CONTENT = {"uri": "gs://b/o.jsonl", "digest": "d", **COUNTS}

EVERYWHERE = {
    "object.metadata.annotations": "stay in the document",
}
OURS = {**EVERYWHERE, "project.labels": "go out merged with the document's own"}
OF_GOOGLE = {
    **EVERYWHERE,
    "object.metadata.project": "a resource names Google's project, not the document",
    **{
        f"project.{name}": "a resource names Google's project, and no more of it"
        for name in ("name", "location", "owner", "servingLocation", "platform", "labels", "stateBucket")
    },
    "object.spec.deletionPolicy": "is an option of the resource, not an input",
}
NOT_READ = {
    f"data.{split}.{count}": "a resource names the dataset, or what it is made of, and has not read it"
    for split in ("training", "validation", "test")
    for count in COUNTS
}
NOT_KNOWN: Mapping[str, Mapping[str, str]] = {
    "Project": {
        **OURS,
        "object.metadata.labels": "go out merged with those of documents",
        "object.spec.labels": "as above",
        "object.spec.defaults": "have been filled in",
    },
    "Dataset": {
        **OURS,
        **NOT_READ,
        "object.metadata.labels": "objects in buckets carry none",
        "object.spec.bucket.ref": "the bucket's own name stands for it",
        "object.spec.task": "is for checks and advice",
    },
    "TuningJob": {
        **OURS,
        **{f"object.spec.dataset.{name}": "its content stands for it" for name in ("ref", "task", "format")},
        "object.spec.encryptionKey.ref": "the key's full name stands for it",
        "object.spec.serviceAccount.ref": "the account's address stands for it",
        "object.spec.tunedModelDisplayName": "is the document's name unless said otherwise, and goes out as such",
        "data.test": "is the TunedModel's",
    },
    "TunedModel": {
        **OURS,
        **{path: why for path, why in NOT_READ.items() if path.startswith("data.training")},
        "object.spec.job.baseModel": "is the TuningJob's",
        "object.spec.job.method": "is the TuningJob's",
        "object.spec.displayName": "is the document's name unless said otherwise, and goes out as such",
        "data.validation": "is the TuningJob's",
    },
    "DatasetBucket": {**OF_GOOGLE, "object.spec.encryptionKey.ref": "the key's full name stands for it"},
    "EncryptionKey": OF_GOOGLE,
    "ServiceAccount": {
        **{path: why for path, why in OF_GOOGLE.items() if "deletionPolicy" not in path},
        "object.metadata.labels": "accounts carry none",
        "object.spec.bucketRoles": "those that tuning needs are among the grants, and they name buckets otherwise",
        "object.spec.impersonators": "the tuning agent is among them",
    },
}
"""What no resource of a kind says, and why not: each is unknown to its subject in at least one of the trees."""

TUNING_ROLE = "roles/aiplatform.tuningServiceAgent"
DIFFERENT: Mapping[tuple[str, str], tuple[Callable[[Any], Any], str]] = {
    ("DatasetBucket", "object.spec.location"): (
        lambda name: name.lower() if "-" in name else name.upper(),
        "goes out in capitals, and is said as Google's pages write it",
    ),
    ("ServiceAccount", "object.spec.projectRoles"): (
        lambda roles: sorted([*roles, TUNING_ROLE]),
        "the program grants what tuning needs as well, and the engine registers grants in no order",
    ),
}
"""What a resource says otherwise than its document: what the tree's value comes to there, and why."""


Subjects = dict[tuple[str, str], Subject]


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Subjects, Subjects]]:
    """Of each tree the subjects of its documents, and those of what the program declares, by kind and name."""
    splits = {"plain": ["training"], "full": ["training", "validation", "test"]}
    folders, written = {}, {}
    for name, text in (("plain", PLAIN), ("full", FULL)):
        folder = tmp_path_factory.mktemp(name)
        (folder / "specs.yaml").write_text(text)
        facts = {("demo", "intents"): dict.fromkeys(splits[name], COUNTS)}
        documents = Documents(specs.load(folder), facts, PRICES)
        written[name] = {(one.kind, one.name): one for _, one in documents.subjects()}
        folders[folder] = {
            split: CONTENT if split in splits[name] else None for split in ("training", "validation", "test")
        }
    found = {}
    for name, resources in zip(written, declared(folders), strict=True):
        alone = {(one.kind, one.name): one for resource in resources for one in subjects(resource)}
        found[name] = alone | {(one.kind, one.name): one for _, one in joined(resources)}
    return {name: (written[name], found[name]) for name in written}


def values(subject: Subject) -> dict[str, Any]:
    """All that a subject says, by path."""
    said = {name: getattr(subject, name) for name in ("object", "project", "data", "cost")}
    return dict(_flat(said, ""))


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, one in value.items():
            yield from _flat(one, f"{path}.{name}".strip("."))
    else:
        yield path, value


def hidden(path: str, unknown: frozenset[str]) -> bool:
    return any(path == one or path.startswith(f"{one}.") for one in unknown)


@pytest.mark.parametrize("name", ["plain", "full"])
def test_what_the_program_declares_says_what_the_tree_says(
    trees: dict[str, tuple[Subjects, Subjects]], name: str
) -> None:
    written, found = trees[name]
    assert set(found) == set(written), "every document is there, and nothing else"
    for key, subject in written.items():
        other = found[key]
        wanted = {path: value for path, value in values(subject).items() if not hidden(path, other.unknown)}
        for path, (same, _why) in {
            path: d for (kind, path), d in DIFFERENT.items() if kind == key[0]
        }.items():
            if path in wanted:
                wanted[path] = same(wanted[path])
        said = values(other)
        # A mapping of which nothing is known is empty here, and has something in it there.
        said = {path: value for path, value in said.items() if value != {} or path in wanted}
        assert said == wanted, key
        assert {path: type(said[path]) for path in said} == {path: type(wanted[path]) for path in wanted}, key


def test_what_resources_do_not_say_is_listed_with_its_reason(
    trees: dict[str, tuple[Subjects, Subjects]],
) -> None:
    seen: dict[str, set[str]] = {}
    for _written, found in trees.values():
        for (kind, _name), subject in found.items():
            seen.setdefault(kind, set()).update(subject.unknown)
    assert seen == {kind: set(paths) for kind, paths in NOT_KNOWN.items()}


def bucket(**inputs: Any) -> Subject:
    return subjects(Resource("gcp:storage/bucket:Bucket", "theirs", inputs))[0]


def test_a_bucket_that_we_did_not_declare_has_what_it_asks_for_and_no_more() -> None:
    found = bucket(location="EU")
    assert found.object["spec"] == {
        "location": "EU",
        "storageClass": "STANDARD",
        "versioning": False,
        "lifecycle": [],
        "uniformBucketLevelAccess": False,
        "publicAccessPrevention": "inherited",
    }
    assert {"object.spec.bucketName", "project.projectId"} <= found.unknown
    assert bucket(project="theirs").project == {"projectId": "theirs"}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param(
            [{"action": {"type": "SetStorageClass"}, "condition": {"age": 1}}], [], id="deletes nothing"
        ),
        pytest.param(
            [{"action": {"type": "Delete"}, "condition": {"age": 1, "matchesPrefixes": ["x/"]}}],
            None,
            id="of other objects",
        ),
        pytest.param([{"action": {"type": "Delete"}, "condition": {"age": UNKNOWN}}], None, id="unknown age"),
        pytest.param(
            [{"action": {"type": "Delete"}, "condition": {"age": 0}}],
            [{"age": 0, "action": "Delete"}],
            id="age 0",
        ),
    ],
)
def test_a_lifecycle_counts_where_it_says_what_a_document_could_say(rules: Any, expected: Any) -> None:
    found = bucket(lifecycleRules=rules)
    assert found.object["spec"].get("lifecycle") == expected
    assert ("object.spec.lifecycle" in found.unknown) == (expected is None)


def test_what_a_preview_does_not_know_is_unknown_and_not_missing() -> None:
    given = {
        "project": {"name": "demo", "projectId": UNKNOWN, "location": "us-central1"},
        "name": "intents",
        "baseModel": UNKNOWN,
        "training": UNKNOWN,
        "hyperParameters": {"epochCount": UNKNOWN, "adapterSize": "ADAPTER_SIZE_ONE"},
        "encryptionKey": UNKNOWN,
        "labels": {"team": UNKNOWN},
        "limits": UNKNOWN,
    }
    job, project = subjects(Resource("tuneform:index:TuningJob", "intents", given))
    assert {
        "object.spec.baseModel",
        "object.spec.hyperParameters.epochCount",
        "object.spec.encryptionKey",
        "object.metadata.labels.team",
        "object.spec.limits",
        "data.training.tokens",
        "cost",
        "project.projectId",
    } <= job.unknown
    assert job.object["spec"]["hyperParameters"] == {"adapterSize": "ADAPTER_SIZE_ONE"}
    assert job.data == {"training": {}}, "there is a training split, of which nothing is known"
    assert project.object["spec"]["location"] == "us-central1"
    assert "object.spec.projectId" in project.unknown


@pytest.mark.parametrize("token", sorted(SHAPES))
def test_any_resource_may_be_wholly_unknown_or_empty(token: str) -> None:
    names = (
        "project",
        "name",
        "source",
        "bucket",
        "limits",
        "gate",
        "labels",
        "keyRing",
        "lifecycleRules",
        "job",
    )
    more = (
        "training",
        "hyperParameters",
        "encryption",
        "versioning",
        "versionTemplate",
        "preTunedModel",
        "price",
    )
    for inputs in ({}, dict.fromkeys((*names, *more), UNKNOWN)):
        for subject in subjects(Resource(token, "it", inputs)):
            assert subject.name == "it"
            assert not hidden("object.kind", subject.unknown)


ACCOUNT, GRANT = sorted(ACCOUNTS, reverse=True)


def test_roles_are_joined_to_the_account_that_they_are_granted_to() -> None:
    address = "serviceAccount:runner@p.iam.gserviceaccount.com"
    account = Resource(ACCOUNT, "mine", {"accountId": "runner", "project": "p"})
    grants = [Resource(GRANT, role, {"member": address, "role": role}) for role in ("roles/a", "roles/b")]
    stranger = Resource(
        GRANT, "x", {"member": "serviceAccount:other@q.iam.gserviceaccount.com", "role": "roles/c"}
    )
    people = Resource(GRANT, "y", {"member": "group:team@example.com", "role": "roles/d"})
    found = {one.name: one for _, one in joined([account, *grants, stranger, people])}
    assert {name: one.object["spec"]["projectRoles"] for name, one in found.items()} == {
        "mine": ["roles/a", "roles/b"],
        "other": ["roles/c"],
    }
    assert found["other"].project == {"projectId": "q"}

    to_somebody = Resource(GRANT, "z", {"member": UNKNOWN, "role": "roles/owner"})
    ((_, one),) = joined([account, to_somebody])
    assert "object.spec.projectRoles" in one.unknown, "he may be the one"


@pytest.mark.parametrize(
    ("kind", "field", "expected"),
    [
        ("TuningJob", "spec.hyperParameters.epochCount", "hyperParameters.epochCount"),
        ("TuningJob", "spec.dataset", "training"),
        ("TuningJob", "metadata.labels.team", "labels.team"),
        ("TuningJob", "", "name"),
        ("TunedModel", "spec.gate", "gate"),
        ("Dataset", "spec.split.test", "source.split.test"),
        ("Dataset", "spec.bucket.bucketName", "bucket"),
        ("DatasetBucket", "spec.encryptionKey", "encryption"),
        ("Project", "spec.location", "project.location"),
        ("Project", "metadata.labels.team", "project"),
    ],
)
def test_a_field_is_a_property(kind: str, field: str, expected: str) -> None:
    assert property_of(kind, field) == expected
