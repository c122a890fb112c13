"""A policy pack that `tuneform policy pack` wrote, in an environment of its own, asked as the engine asks it.

provider/test_check_policies.py has the engine itself with it.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from pulumi.runtime.proto import analyzer_pb2
from tests.functional.policy_pack.packs import Analyzer, environment, running, said

from tuneform.entrypoints.cli.main import cli
from tuneform.entrypoints.provider.wire import UNKNOWN
from tuneform.policy.shapes import Resource

HOUSE = """
apiVersion: tuneform.dev/v1
kind: Policy
metadata: {name: house}
spec:
  rules:
    - {name: epochs, builtin: max-epochs, params: {most: 1}}
    - {name: key, builtin: cmek-required}
    - {name: size, builtin: max-examples, params: {most: 24}}
    - {name: owner, builtin: required-labels, params: {labels: [owner]}, enforcement: warn}
    - {name: gate, builtin: gate-required, enforcement: audit}
    - {name: roles, builtin: no-primitive-roles}
  exceptions:
    - {rule: epochs, kind: TuningJob, name: agreed, reason: agreed with Ada, expires: "2999-12-31"}
    - {rule: epochs, kind: TuningJob, name: over, reason: agreed with Ada, expires: "2001-12-31"}
"""
BUCKET, JOB = "gcp:storage/bucket:Bucket", "tuneform:index:TuningJob"


def written(folder: Path) -> tuple[Path, str]:
    """A pack of the house's policy, and what was said of it."""
    (folder / "house.yaml").write_text(HOUSE)
    ran = CliRunner().invoke(cli, ["policy", "pack", str(folder / "pack"), str(folder / "house.yaml")])
    assert ran.exit_code == 0, ran.output
    return folder / "pack", ran.output


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("pack"))[0]


@pytest.fixture(scope="module")
def analyzer(pack: Path) -> Iterator[Analyzer]:
    with running(pack) as found:
        yield found


def job(name: str = "intents", **inputs: object) -> Resource:
    given = {"project": {"name": "demo", "projectId": "p"}, "name": name, "baseModel": "gemini-2.5-flash"}
    content = {"uri": "gs://b/o", "digest": "d", "examples": 20, "tokens": 1, "tokensLow": 1}
    return Resource(JOB, name, {**given, "training": content, "hyperParameters": {"epochCount": 2}, **inputs})


def test_each_rule_is_a_policy_at_its_level_and_the_digest_is_shown(
    analyzer: Analyzer, tmp_path: Path
) -> None:
    info = analyzer.info()
    _, output = written(tmp_path)
    digest = output.rstrip().rpartition(", ")[2]
    assert digest.startswith("sha256:")
    assert info.description == f"6 policies of tuneform, {digest}"
    assert digest in (tmp_path / "pack" / "PulumiPolicy.yaml").read_text()
    assert {one.name: analyzer_pb2.EnforcementLevel.Name(one.enforcementLevel) for one in info.policies} == {
        "house.epochs": "MANDATORY",
        "house.key": "MANDATORY",
        "house.size": "MANDATORY",
        "house.owner": "ADVISORY",
        "house.gate": "DISABLED",
        "house.roles": "MANDATORY",
    }


def test_a_job_is_asked_what_its_document_would_be_asked(analyzer: Analyzer) -> None:
    found = analyzer.resource(job())
    assert said(found) == {
        "house.epochs": [
            "house/epochs: 2 epochs; 1 are the most; set epochCount, no higher than the policy allows"
        ],
        "house.key": [
            "house/key: no key of your own encrypts it; name an EncryptionKey with encryptionKey: {ref: …}"
        ],
        "house.owner": [
            "house/owner: the label owner is missing; add the label to the document, or to its Project for all"
        ],
    }
    key = "projects/p/locations/l/keyRings/r/cryptoKeys/k"
    kept = job(encryptionKey=key, labels={"owner": "me"}, hyperParameters={"epochCount": 1})
    assert said(analyzer.resource(kept)) == {}


def test_an_exception_counts_until_its_day(analyzer: Analyzer) -> None:
    agreed = analyzer.resource(job("agreed"))
    assert "house.epochs" not in said(agreed)
    reasons = {one.policy_name: one.reason for one in agreed.not_applicable}
    assert reasons["house.epochs"] == "house/epochs: excepted until 2999-12-31: agreed with Ada"
    assert "its exception ended on 2001-12-31" in said(analyzer.resource(job("over")))["house.epochs"][0]


def test_what_a_preview_does_not_know_is_not_judged_and_said_to_be_so(analyzer: Analyzer) -> None:
    found = analyzer.resource(job(training=UNKNOWN, encryptionKey=UNKNOWN))
    assert set(said(found)) == {"house.epochs", "house.owner"}
    reasons = {one.policy_name: one.reason for one in found.not_applicable}
    assert reasons["house.key"] == "house/key: not judged, since object.spec.encryptionKey is not known here"
    assert "data.training.examples" in reasons["house.size"]


def test_a_bucket_that_others_declare_is_asked_too(analyzer: Analyzer) -> None:
    assert set(said(analyzer.resource(Resource(BUCKET, "theirs", {"location": "EU"})))) == {
        "house.key",
        "house.owner",
    }
    strange = Resource("gcp:pubsub/topic:Topic", "theirs", {"name": "x"})
    assert said(analyzer.resource(strange)) == {}


def test_an_account_is_asked_with_the_roles_that_the_stack_grants_it(analyzer: Analyzer) -> None:
    account = Resource("gcp:serviceaccount/account:Account", "mine", {"accountId": "runner", "project": "p"})
    given = {
        "member": "serviceAccount:runner@p.iam.gserviceaccount.com",
        "role": "roles/editor",
        "project": "p",
    }
    answer = analyzer.stack([account, Resource("gcp:projects/iAMMember:IAMMember", "grant", given), job()])
    (texts,) = said(answer).values()
    assert "house/roles: it has roles/editor on the whole project" in texts[0]
    assert answer.diagnostics[0].urn.endswith("Account::mine")


def test_a_pack_whose_rules_were_changed_does_not_start(tmp_path: Path) -> None:
    pack, _ = written(tmp_path)
    rules = pack / "policies.json"
    rules.write_text(rules.read_text().replace('"most": 1', '"most": 9'))
    ended = subprocess.run(
        [environment(), pack], capture_output=True, text=True, check=False, env={}, stdin=subprocess.DEVNULL
    )
    assert ended.returncode == 1
    assert "these rules are sha256:" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_pack_is_not_written_over_what_is_none(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "theirs.txt").write_text("precious")
    (tmp_path / "house.yaml").write_text(HOUSE)
    ran = CliRunner().invoke(cli, ["policy", "pack", str(tmp_path / "pack"), str(tmp_path / "house.yaml")])
    assert "holds something that is no pack of ours" in str(ran.exception)
    assert sorted(path.name for path in (tmp_path / "pack").iterdir()) == ["theirs.txt"]
