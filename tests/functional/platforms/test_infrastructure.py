from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from google.cloud import kms_v1
from google.iam.v1 import policy_pb2
from tests.faults.control import Control
from tests.functional.emulators import Emulator

from tuneform.errors import MachineError, Retryable, Terminal
from tuneform.platforms.vertex.clients import Clients
from tuneform.platforms.vertex.infrastructure import AGENTS, SIDE_BY_SIDE, Ask, VertexInfrastructure
from tuneform.reconcile.desired import Grant, Needs, Project
from tuneform.reconcile.live import Lack
from tuneform_emulator.services import agents

KEY_USER = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
TUNING = "roles/aiplatform.tuningServiceAgent"
TOKEN = "roles/iam.serviceAccountTokenCreator"  # a role's name
READ = "roles/storage.objectViewer"
ID = "tuneform-test"
HOME = f"projects/{ID}"
BUCKET = "tuneform-test-data"
RING = f"{HOME}/locations/us-central1/keyRings/ring"
KEY = f"{RING}/cryptoKeys/tuning"
RUNNER = f"runner@{ID}.iam.gserviceaccount.com"
PROJECT = Project("demo", ID, "us-central1", "us-central1", "team", f"{ID}-tuneform-state")
NEEDS = Needs(
    PROJECT,
    buckets={BUCKET: "us-central1"},
    keys=(KEY,),
    accounts=(RUNNER,),
    grants=(
        Grant(HOME, TUNING, f"serviceAccount:{RUNNER}"),
        Grant(KEY, KEY_USER, "storage-agent"),
        Grant(KEY, KEY_USER, "vertex-agent"),
        Grant(RUNNER, TOKEN, "tuning-agent"),
        Grant(BUCKET, READ, f"serviceAccount:{RUNNER}"),
    ),
)


@dataclass(frozen=True)
class Place:
    """A project with everything that NEEDS asks for, and the ways to change it."""

    emulator: Emulator
    looking: VertexInfrastructure

    def lacks(self, needs: Needs = NEEDS) -> tuple[Lack, ...]:
        return self.looking.lacks(needs)

    def agent(self, name: str) -> str:
        return f"serviceAccount:service-{self.emulator.number}@{AGENTS[name]}"

    def services(self) -> Any:
        return self.emulator.discovered("serviceusage", "v1").services()

    def accounts(self) -> Any:
        return self.emulator.discovered("iam", "v1").projects().serviceAccounts()

    def make(self) -> None:
        apis = ["aiplatform.googleapis.com", "cloudkms.googleapis.com"]
        self.services().batchEnable(parent=HOME, body={"serviceIds": apis}).execute()
        self.accounts().create(name=HOME, body={"accountId": "runner"}).execute()
        kms = self.emulator.kms()
        kms.create_key_ring(parent=f"{HOME}/locations/us-central1", key_ring_id="ring", key_ring={})
        purpose = kms_v1.CryptoKey.CryptoKeyPurpose.ENCRYPT_DECRYPT
        kms.create_crypto_key(parent=RING, crypto_key_id="tuning", crypto_key={"purpose": purpose})
        bucket = self.emulator.storage().bucket(BUCKET)
        bucket.iam_configuration.uniform_bucket_level_access_enabled = True
        bucket.create(location="us-central1")
        self.grant(HOME, {TUNING: [f"serviceAccount:{RUNNER}"]})
        self.grant(KEY, {KEY_USER: [self.agent("vertex-agent"), self.agent("storage-agent")]})
        self.grant(RUNNER, {TOKEN: [self.agent("tuning-agent")]})
        self.grant(BUCKET, {READ: [f"serviceAccount:{RUNNER}"]})

    def grant(self, resource: str, roles: dict[str, list[str]]) -> None:
        """Make these the grants on a resource, and no others."""
        bindings = [{"role": role, "members": members} for role, members in roles.items()]
        if "@" in resource:
            name = f"{HOME}/serviceAccounts/{resource}"
            body = {"policy": {"bindings": bindings}}
            self.accounts().setIamPolicy(resource=name, body=body).execute()
        elif resource.startswith("projects/"):
            policy = policy_pb2.Policy(bindings=[policy_pb2.Binding(**binding) for binding in bindings])
            client: Any = self.emulator.projects() if resource == HOME else self.emulator.kms()
            client.set_iam_policy(request={"resource": resource, "policy": policy})
        else:
            bucket = self.emulator.storage().bucket(resource)
            found = bucket.get_iam_policy(requested_policy_version=3)
            found.bindings = [{**binding, "members": set(binding["members"])} for binding in bindings]
            bucket.set_iam_policy(found)

    def key_state(self, state: str) -> None:
        version = kms_v1.CryptoKeyVersion(
            name=f"{KEY}/cryptoKeyVersions/1", state=kms_v1.CryptoKeyVersion.CryptoKeyVersionState[state]
        )
        self.emulator.kms().update_crypto_key_version(
            crypto_key_version=version, update_mask={"paths": ["state"]}
        )


@pytest.fixture
def place(emulator: Emulator) -> Place:
    made = Place(emulator, VertexInfrastructure(Clients(PROJECT, emulator.endpoint)))
    made.make()
    return made


@pytest.fixture
def control(emulator: Emulator) -> Control:
    return Control(emulator.endpoint)


def denied(route: str) -> dict[str, Any]:
    return {"calls": {"route": route, "times": 0}, "effect": {"kind": "permission"}}


def test_where_everything_is_there_nothing_is_missing(place: Place) -> None:
    assert place.lacks() == ()


def test_the_agents_have_the_addresses_that_google_gives_them(place: Place) -> None:
    number = place.emulator.number
    assert place.agent("tuning-agent") == f"serviceAccount:{agents.tuning(number)}"
    assert place.agent("vertex-agent") == f"serviceAccount:{agents.vertex(number)}"
    assert place.agent("storage-agent") == f"serviceAccount:{agents.storage(number)}"


Case = tuple[Callable[[Place], object], Lack]
CASES: dict[str, Case] = {
    "the API of Vertex AI": (
        lambda place: (
            place.services().disable(name=f"{HOME}/services/aiplatform.googleapis.com", body={}).execute()
        ),
        Lack("API aiplatform.googleapis.com", "state", "DISABLED", "ENABLED"),
    ),
    "the API of Cloud KMS": (
        lambda place: (
            place.services().disable(name=f"{HOME}/services/cloudkms.googleapis.com", body={}).execute()
        ),
        Lack("API cloudkms.googleapis.com", "state", "DISABLED", "ENABLED"),
    ),
    "the bucket": (
        lambda place: place.emulator.storage().bucket(BUCKET).delete(),
        Lack(f"bucket {BUCKET}", "the bucket", "missing", "one in US-CENTRAL1"),
    ),
    "the key's version": (
        lambda place: place.key_state("DISABLED"),
        Lack(f"key {KEY}", "primary.state", "DISABLED", "ENABLED"),
    ),
    "the account": (
        lambda place: place.accounts().delete(name=f"{HOME}/serviceAccounts/{RUNNER}").execute(),
        Lack(f"account {RUNNER}", "the account", "missing", "an enabled one"),
    ),
    "the account's being enabled": (
        lambda place: place.accounts().disable(name=f"{HOME}/serviceAccounts/{RUNNER}", body={}).execute(),
        Lack(f"account {RUNNER}", "disabled", "true", "false"),
    ),
    "the grant on the project": (
        lambda place: place.grant(HOME, {}),
        Lack(f"project {ID}", f"{TUNING} for {RUNNER}", "missing", "granted"),
    ),
    "the grant on the bucket": (
        lambda place: place.grant(BUCKET, {}),
        Lack(f"bucket {BUCKET}", f"{READ} for {RUNNER}", "missing", "granted"),
    ),
}


@pytest.mark.parametrize("gone", CASES)
def test_what_is_gone_is_named_and_nothing_else(place: Place, gone: str) -> None:
    remove, lack = CASES[gone]
    remove(place)
    assert place.lacks() == (lack,)


@pytest.mark.parametrize(
    ("resource", "role", "left", "agent"),
    [
        (KEY, KEY_USER, ["vertex-agent"], "storage-agent"),
        (KEY, KEY_USER, ["storage-agent"], "vertex-agent"),
        (RUNNER, TOKEN, [], "tuning-agent"),
    ],
)
def test_an_agents_grant_that_is_gone_is_named_by_its_address(
    place: Place, resource: str, role: str, left: list[str], agent: str
) -> None:
    place.grant(resource, {role: [place.agent(name) for name in left]} if left else {})
    who = place.agent(agent).removeprefix("serviceAccount:")
    what = f"key {KEY}" if resource == KEY else f"account {RUNNER}"
    (lack,) = place.lacks()
    assert lack == Lack(what, f"{role} for {who}", "missing", "granted")
    assert str(lack) == f"{what}: {role} for {who} is missing, granted is needed"


def test_a_grant_of_another_role_or_to_another_member_is_none(place: Place) -> None:
    place.grant(
        BUCKET,
        {"roles/storage.legacyBucketReader": [f"serviceAccount:{RUNNER}"], READ: ["user:a@example.com"]},
    )
    assert [lack.path for lack in place.lacks()] == [f"{READ} for {RUNNER}"]


def test_a_key_that_was_never_made_and_its_grants_are_one_lack(place: Place) -> None:
    other = f"{RING}/cryptoKeys/other"
    needs = Needs(PROJECT, keys=(other,), grants=(Grant(other, KEY_USER, "vertex-agent"),))
    assert place.lacks(needs) == (Lack(f"key {other}", "the key", "missing", "an enabled one"),)


def test_an_account_that_is_gone_and_the_grants_to_it_are_one_lack(place: Place) -> None:
    CASES["the account"][0](place)
    place.grant(HOME, {})
    place.grant(BUCKET, {})
    assert place.lacks() == (CASES["the account"][1],)


def test_a_bucket_elsewhere_shows_where_it_is(place: Place) -> None:
    needs = replace(NEEDS, buckets={BUCKET: "EU"})
    assert place.lacks(needs) == (Lack(f"bucket {BUCKET}", "location", "US-CENTRAL1", "EU"),)


def test_everything_at_once_comes_in_the_order_of_the_needs(place: Place) -> None:
    place.services().disable(name=f"{HOME}/services/aiplatform.googleapis.com", body={}).execute()
    place.key_state("DISABLED")
    for resource in (HOME, KEY, RUNNER, BUCKET):
        place.grant(resource, {})
    assert [lack.what for lack in place.lacks(replace(NEEDS, buckets={BUCKET: "EU"}))] == [
        "API aiplatform.googleapis.com",
        f"bucket {BUCKET}",
        f"key {KEY}",
        f"project {ID}",
        f"key {KEY}",
        f"key {KEY}",
        f"account {RUNNER}",
        f"bucket {BUCKET}",
    ]


@pytest.mark.parametrize("above", [RING, HOME])
def test_a_grant_that_is_inherited_counts(place: Place, above: str) -> None:
    place.grant(KEY, {})
    kept = {TUNING: [f"serviceAccount:{RUNNER}"]} if above == HOME else {}
    place.grant(above, {**kept, KEY_USER: [place.agent("vertex-agent"), place.agent("storage-agent")]})
    assert place.lacks() == ()


def test_a_grant_to_everybody_counts(place: Place) -> None:
    place.grant(BUCKET, {READ: ["allUsers"]})
    assert place.lacks() == ()


@pytest.mark.parametrize(
    ("gone", "route"),
    [
        ("the API of Vertex AI", ".../services/{service}"),
        ("the bucket", "/storage/v1/b/{bucket}"),
        ("the key's version", ".../cryptoKeys/{key}"),
        ("the account", ".../serviceAccounts/{account}"),
        ("the grant on the project", "/v3/projects/{project}:getIamPolicy"),
        ("the grant on the bucket", "/storage/v1/b/{bucket}/iam"),
        ("the grant on the bucket", "/v3/projects/{project}:getIamPolicy"),
    ],
)
def test_what_may_not_be_read_is_not_missing_and_the_log_says_so(
    place: Place, control: Control, caplog: pytest.LogCaptureFixture, gone: str, route: str
) -> None:
    CASES[gone][0](place)
    with caplog.at_level(logging.INFO, "tuneform"), control.met(denied(route)):
        assert place.lacks() == ()
    assert "may not be read and is taken to be there: " in caplog.text
    assert "The caller does not have permission" in caplog.text


def test_without_the_projects_number_no_agents_grant_is_known_to_be_missing(
    place: Place, control: Control
) -> None:
    place.grant(KEY, {})
    place.grant(BUCKET, {})
    with control.met(denied("/v3/projects/{project}")):
        assert [lack.what for lack in place.lacks()] == [f"bucket {BUCKET}"]
    assert len(place.lacks()) == 3


def test_everything_is_read_once_and_what_is_above_only_where_it_may_help(
    place: Place, control: Control
) -> None:
    seen = len(control.log())
    place.lacks()
    routes = [(call.method, call.path.partition("?")[0]) for call in control.log(seen)]
    assert sorted(routes) == [
        ("GET", f"/storage/v1/b/{BUCKET}"),
        ("GET", f"/storage/v1/b/{BUCKET}/iam"),
        ("GET", f"/v1/{KEY}"),
        ("GET", f"/v1/{KEY}:getIamPolicy"),
        ("GET", f"/v1/{HOME}/serviceAccounts/{RUNNER}"),
        ("GET", f"/v1/{HOME}/services/aiplatform.googleapis.com"),
        ("GET", f"/v1/{HOME}/services/cloudkms.googleapis.com"),
        ("GET", f"/v3/{HOME}"),
        ("POST", f"/v1/{HOME}/serviceAccounts/{RUNNER}:getIamPolicy"),
        ("POST", f"/v3/{HOME}:getIamPolicy"),
    ]
    place.grant(KEY, {})
    seen = len(control.log())
    place.lacks()
    more = [(call.method, call.path.partition("?")[0]) for call in control.log(seen)]
    assert sorted(more) == sorted([*routes, ("GET", f"/v1/{RING}:getIamPolicy")])


def test_reads_are_under_way_side_by_side(place: Place, control: Control) -> None:
    barrier = control.hold(times=0)
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(place.lacks)
        assert len(control.held(at_least=SIDE_BY_SIDE)) == SIDE_BY_SIDE
        control.remove(barrier)
        assert found.result(timeout=60) == ()


def test_nothing_is_asked_where_nothing_is_needed(place: Place, control: Control) -> None:
    seen = len(control.log())
    assert place.lacks(Needs(PROJECT)) == ()
    assert len(control.log()) == seen


@pytest.mark.parametrize(
    "effect", [{"kind": "status", "status": "UNAVAILABLE"}, {"kind": "quota"}, {"kind": "reset"}]
)
def test_a_read_that_fails_once_is_sent_again(place: Place, control: Control, effect: dict[str, str]) -> None:
    with control.met({"calls": {"route": ".../cryptoKeys/{key}"}, "effect": effect}):
        assert place.lacks() == ()


@pytest.mark.parametrize("body", ['{"name": "proj', "[]", "{}", '{"location": ', "null"])
def test_an_answer_that_cannot_be_read_is_an_error(place: Place, control: Control, body: str) -> None:
    effect = {"kind": "malformed", "body": body}
    fault = {"calls": {"route": "/storage/v1/b/{bucket}"}, "effect": effect}
    with control.met(fault), pytest.raises(Retryable, match=f"bucket {BUCKET}.*cannot be read") as caught:
        place.lacks()
    assert caught.value.remedy


def test_a_refusal_is_an_error(place: Place, control: Control) -> None:
    effect = {"kind": "status", "status": "UNAUTHENTICATED"}
    with (
        control.met({"calls": {"route": "/storage/v1/b/{bucket}"}, "effect": effect}),
        pytest.raises(Terminal),
    ):
        place.lacks()


def test_without_credentials_the_remedy_is_to_log_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "there-is-none.json"))
    with pytest.raises(MachineError) as caught:
        VertexInfrastructure(Clients(PROJECT, None)).lacks(NEEDS)
    assert "gcloud auth application-default login" in caught.value.remedy


def test_every_service_has_a_host_of_its_own_at_google() -> None:
    ask = Ask("x", "cloudkms", f"v1/{KEY}", str)
    assert ask.url(None) == f"https://cloudkms.googleapis.com/v1/{KEY}"
    assert ask.url("http://127.0.0.1:8787/") == f"http://127.0.0.1:8787/v1/{KEY}"
