from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import mocks

from tuneform import specs
from tuneform.entrypoints.needs import needs_of
from tuneform.entrypoints.program import ProgramSettings, declare
from tuneform.reconcile.desired import Grant, Needs

HEAD = """
apiVersion: tuneform.dev/v1
kind: {kind}
metadata: {{name: {name}, project: {project}}}
spec: {spec}
"""
RING = "projects/tuneform-test/locations/us-central1/keyRings/ring/cryptoKeys"
RUNNER = "runner@tuneform-test.iam.gserviceaccount.com"
NUMBER = "123456789012"
KEY_USER = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
AGENTS = {
    f"serviceAccount:service-{NUMBER}@gcp-sa-vertex-tune.iam.gserviceaccount.com": "tuning-agent",
    f"serviceAccount:service-{NUMBER}@gcp-sa-aiplatform.iam.gserviceaccount.com": "vertex-agent",
    f"serviceAccount:service-{NUMBER}@gs-project-accounts.iam.gserviceaccount.com": "storage-agent",
}

Line = tuple[str, str, str]
PROJECT: Line = ("Project", "demo", "{projectId: tuneform-test, location: us-central1, owner: team}")
KEY: Line = ("EncryptionKey", "job-key", "{keyRing: ring}")
BUCKET_KEY: Line = ("EncryptionKey", "data-key", "{keyRing: ring}")
BUCKET: Line = ("DatasetBucket", "data", "{encryptionKey: {ref: data-key}, location: EU}")
SHARED: Line = ("DatasetBucket", "shared", "{}")
ACCOUNT: Line = (
    "ServiceAccount",
    "runner",
    "{projectRoles: [roles/aiplatform.user], impersonators: ['group:a@example.com'],"
    " bucketRoles: [{bucket: {ref: shared}, role: roles/storage.objectAdmin}]}",
)
DATASET: Line = (
    "Dataset",
    "intents",
    "{bucket: {ref: data}, training: {examples: [{input: a, output: b}]}}",
)
EVERYTHING = [PROJECT, KEY, BUCKET_KEY, BUCKET, SHARED, ACCOUNT, DATASET]
FULL = "encryptionKey: {ref: job-key}, serviceAccount: {ref: runner}"


def job(fields: str = "", name: str = "intents") -> Line:
    spec = ", ".join(
        ["baseModel: gemini-2.5-flash", "dataset: {ref: intents}", *([fields] if fields else [])]
    )
    return ("TuningJob", name, f"{{{spec}}}")


def texts(lines: list[Line], project: str = "demo") -> list[str]:
    return [
        HEAD.format(kind=kind, name=name, spec=spec, project=project).replace(
            f", project: {project}", "" if kind == "Project" else f", project: {project}"
        )
        for kind, name, spec in lines
    ]


def load(folder: Path, *documents: str) -> specs.Tree:
    (folder / "specs.yaml").write_text("---".join(documents))
    return specs.load(folder)


def needs(tree: specs.Tree, project: str = "demo") -> Needs:
    return needs_of(tree, tree.find(specs.Project, project, project))


def test_a_job_with_everything_needs_everything_it_refers_to(tmp_path: Path) -> None:
    found = needs(load(tmp_path, *texts([*EVERYTHING, job(FULL)])))
    assert found.project.project_id == "tuneform-test"
    assert list(found.buckets.items()) == [
        ("tuneform-test-data", "EU"),
        ("tuneform-test-shared", "us-central1"),
    ]
    assert found.keys == (f"{RING}/data-key", f"{RING}/job-key")
    assert found.accounts == (RUNNER,)
    assert found.grants == (
        Grant("projects/tuneform-test", "roles/aiplatform.tuningServiceAgent", f"serviceAccount:{RUNNER}"),
        Grant("projects/tuneform-test", "roles/aiplatform.user", f"serviceAccount:{RUNNER}"),
        Grant(f"{RING}/data-key", KEY_USER, "storage-agent"),
        Grant(f"{RING}/job-key", KEY_USER, "vertex-agent"),
        Grant(RUNNER, "roles/iam.serviceAccountTokenCreator", "tuning-agent"),
        Grant("tuneform-test-data", "roles/storage.objectViewer", f"serviceAccount:{RUNNER}"),
        Grant("tuneform-test-shared", "roles/storage.objectAdmin", f"serviceAccount:{RUNNER}"),
    )


def test_documents_that_no_job_uses_are_left_out(tmp_path: Path) -> None:
    found = needs(load(tmp_path, *texts([*EVERYTHING, job()])))
    assert dict(found.buckets) == {"tuneform-test-data": "EU"}
    assert found.keys == (f"{RING}/data-key",)
    assert found.accounts == ()
    assert found.grants == (Grant(f"{RING}/data-key", KEY_USER, "storage-agent"),)


def test_a_project_without_jobs_needs_nothing(tmp_path: Path) -> None:
    tree = load(tmp_path, *texts(EVERYTHING))
    found = needs(tree)
    assert found == Needs(found.project)


def test_a_key_of_jobs_and_buckets_is_granted_to_both_agents(tmp_path: Path) -> None:
    documents = texts([*EVERYTHING, job("encryptionKey: {ref: data-key}")])
    found = needs(load(tmp_path, *documents))
    assert found.keys == (f"{RING}/data-key",)
    assert [grant.member for grant in found.grants] == ["storage-agent", "vertex-agent"]


def test_a_key_that_is_there_is_named_as_it_is(tmp_path: Path) -> None:
    name = "projects/vault-project/locations/us-central1/keyRings/other/cryptoKeys/shared"
    existing: Line = ("EncryptionKey", "job-key", f"{{existing: '{name}'}}")
    lines = [existing if line is KEY else line for line in EVERYTHING]
    found = needs(load(tmp_path, *texts([*lines, job(FULL)])))
    assert name in found.keys
    assert Grant(name, KEY_USER, "vertex-agent") in found.grants


def test_the_order_of_documents_does_not_matter(tmp_path: Path) -> None:
    documents = texts([*EVERYTHING, job(FULL), job(name="plain")])
    one = needs(load(tmp_path, *documents))
    other = needs(load(tmp_path, *reversed(documents)))
    assert one == other
    assert list(one.buckets) == list(other.buckets)


def test_projects_have_needs_of_their_own(tmp_path: Path) -> None:
    there = ("Project", "there", "{projectId: tuneform-there, location: us-central1, owner: team}")
    bucket = ("DatasetBucket", "data", "{}")
    tree = load(
        tmp_path,
        *texts([*EVERYTHING, job(FULL)]),
        *texts([there, bucket, DATASET, job()], project="there"),
    )
    assert dict(needs(tree, "there").buckets) == {"tuneform-there-data": "us-central1"}
    assert needs(tree, "there").keys == ()
    assert needs(tree) == needs(load(tmp_path, *texts([*EVERYTHING, job(FULL)])))


@dataclass(frozen=True)
class CountingTree(specs.Tree):
    """A tree that knows how often a reference was followed."""

    found: Any = None

    def find(self, kind: Any, name: str, project: str) -> Any:
        self.found.append(name)
        return super().find(kind, name, project)


def test_references_that_jobs_share_are_followed_once(tmp_path: Path) -> None:
    tree = load(tmp_path, *texts([*EVERYTHING, job(FULL)]))
    (one,) = tree.of(specs.TuningJob)
    more = [replace(one, metadata=one.metadata.model_copy(update={"name": f"job-{n}"})) for n in range(1_000)]
    few = CountingTree(tree.root, tree.documents, found=[])
    many = CountingTree(tree.root, (*tree.documents, *more), found=[])
    assert needs(many) == needs(few)
    assert sorted(many.found) == sorted(few.found)


class Declared(mocks.Mocks):
    """Google Cloud as far as a declaration sees it."""

    def __init__(self) -> None:
        self.resources: list[mocks.MockResourceArgs] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.resources.append(args)
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]]]:
        if args.token.endswith("getProjectServiceAccount"):
            return {"member": next(who for who, agent in AGENTS.items() if agent == "storage-agent")}, []
        assert args.token.endswith("getProject:getProject"), args.token
        return {"number": NUMBER}, []

    def grants(self) -> set[Grant]:
        """Every grant, with the agents called as `Needs` calls them."""
        found = set()
        for resource in self.resources:
            given = resource.inputs
            match resource.typ.rpartition(":")[2]:
                case "CryptoKeyIAMMember":
                    where = given["cryptoKeyId"]
                case "BucketIAMMember":
                    where = given["bucket"]
                case "IAMMember" if "serviceAccountId" in given:
                    where = given["serviceAccountId"].rpartition("/")[2]
                case "IAMMember":
                    where = f"projects/{given['project']}"
                case _:
                    continue
            found.add(Grant(where, given["role"], AGENTS.get(given["member"], given["member"])))
        return found


def declared_grants(folder: Path) -> set[Grant]:
    """What the program declares, in a process of its own: Pulumi leaves settings and event loops behind."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_declared, folder).result(120)


def _declared(folder: Path) -> set[Grant]:
    made = Declared()
    mocks.set_mocks(made, project="demo", stack="test")
    pulumi.runtime.test(declare)(specs.load(folder), ProgramSettings())  # type: ignore[no-untyped-call]
    return made.grants()


def test_the_grants_are_those_that_the_program_declares(tmp_path: Path) -> None:
    tree = load(tmp_path, *texts([*EVERYTHING, job(FULL)]))
    impersonator = Grant(RUNNER, "roles/iam.serviceAccountTokenCreator", "group:a@example.com")
    not_by_a_job = Grant(f"{RING}/data-key", KEY_USER, "vertex-agent")
    assert declared_grants(tmp_path) == {*needs(tree).grants, impersonator, not_by_a_job}
