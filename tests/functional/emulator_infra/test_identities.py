from __future__ import annotations

from typing import Any

import pytest
from google.api_core import exceptions
from google.iam.v1 import policy_pb2
from googleapiclient.errors import HttpError
from tests.functional.emulators import Emulator

from tuneform_emulator.services import agents, iam_policy, service_accounts

TOKEN_CREATOR = "roles/iam.serviceAccountTokenCreator"


def accounts(emulator: Emulator) -> Any:
    return emulator.discovered("iam", "v1").projects().serviceAccounts()


def make(emulator: Emulator, account_id: str = "tuner-1") -> Any:
    body = {"accountId": account_id, "serviceAccount": {"displayName": "Tuner"}}
    return accounts(emulator).create(name=f"projects/{emulator.project}", body=body).execute()


def test_an_account_reads_back_under_all_its_names(emulator: Emulator) -> None:
    made = make(emulator)
    email = f"tuner-1@{emulator.project}.iam.gserviceaccount.com"
    assert made["name"] == f"projects/{emulator.project}/serviceAccounts/{email}"
    assert made["displayName"] == "Tuner"
    assert len(made["uniqueId"]) == 21
    for project in (emulator.project, emulator.number, "-"):
        for account in (email, made["uniqueId"]):
            found = accounts(emulator).get(name=f"projects/{project}/serviceAccounts/{account}").execute()
            assert found == made


def test_an_account_exists_once(emulator: Emulator) -> None:
    make(emulator)
    with pytest.raises(HttpError, match="tuner-1 already exists within project") as caught:
        make(emulator)
    assert caught.value.status_code == 409


def test_a_short_account_id_is_refused(emulator: Emulator) -> None:
    with pytest.raises(HttpError, match="Invalid account_id 'abc'") as caught:
        make(emulator, "abc")
    assert caught.value.status_code == 400


def test_an_account_is_changed_listed_and_deleted(emulator: Emulator) -> None:
    name = make(emulator)["name"]
    make(emulator, "tuner-2")
    patch = {"serviceAccount": {"description": "tunes"}, "updateMask": "description"}
    changed = accounts(emulator).patch(name=name, body=patch).execute()
    assert (changed["displayName"], changed["description"]) == ("Tuner", "tunes")
    accounts(emulator).disable(name=name, body={}).execute()
    assert accounts(emulator).get(name=name).execute()["disabled"] is True
    accounts(emulator).enable(name=name, body={}).execute()

    first = accounts(emulator).list(name=f"projects/{emulator.project}", pageSize=1).execute()
    second = (
        accounts(emulator)
        .list(name=f"projects/{emulator.project}", pageSize=1, pageToken=first["nextPageToken"])
        .execute()
    )
    assert [found["accounts"][0]["name"] for found in (first, second)] == [name, name.replace("-1@", "-2@")]
    assert "nextPageToken" not in second

    accounts(emulator).delete(name=name).execute()
    with pytest.raises(HttpError, match="Unknown service account"):
        accounts(emulator).get(name=name).execute()


def test_a_recreated_account_is_another_one_without_the_old_policy(emulator: Emulator) -> None:
    old = make(emulator)
    policy = {"bindings": [{"role": TOKEN_CREATOR, "members": ["user:ada@example.com"]}]}
    accounts(emulator).setIamPolicy(resource=old["name"], body={"policy": policy}).execute()
    accounts(emulator).delete(name=old["name"]).execute()
    new = make(emulator)
    assert new["uniqueId"] != old["uniqueId"]
    assert "bindings" not in accounts(emulator).getIamPolicy(resource=new["name"]).execute()


def test_an_accounts_policy_says_who_may_act_as_it(emulator: Emulator) -> None:
    account = make(emulator)
    agent = f"serviceAccount:{agents.vertex(emulator.number)}"
    policy = accounts(emulator).getIamPolicy(resource=account["name"]).execute()
    policy["bindings"] = [
        {"role": TOKEN_CREATOR, "members": [agent]},
        {"role": TOKEN_CREATOR, "members": [agent, "user:ada@example.com"]},
    ]
    new = accounts(emulator).setIamPolicy(resource=account["name"], body={"policy": policy}).execute()
    assert new["bindings"] == [{"role": TOKEN_CREATOR, "members": [agent, "user:ada@example.com"]}]
    resource = service_accounts.resource(account["email"])
    assert iam_policy.has_role(emulator.world, resource, agent, TOKEN_CREATOR)
    with pytest.raises(HttpError, match="concurrent policy changes") as caught:
        accounts(emulator).setIamPolicy(resource=account["name"], body={"policy": policy}).execute()
    assert caught.value.status_code == 409


def test_a_project_is_there_with_a_number_that_stays(emulator: Emulator) -> None:
    found = emulator.projects().get_project(name=f"projects/{emulator.project}")
    assert found.project_id == emulator.project
    assert found.name == f"projects/{emulator.number}"
    assert len(emulator.number) == 12
    assert emulator.projects().get_project(name=found.name).project_id == emulator.project
    old = (
        emulator.discovered("cloudresourcemanager", "v1").projects().get(projectId=emulator.project).execute()
    )
    assert (old["projectNumber"], old["lifecycleState"]) == (emulator.number, "ACTIVE")


def test_an_unknown_number_is_refused_like_a_forbidden_project(emulator: Emulator) -> None:
    with pytest.raises(exceptions.Forbidden, match="or it may not exist"):
        emulator.projects().get_project(name="projects/999999999999")


def test_project_roles_are_granted_under_an_etag_and_inherited(emulator: Emulator) -> None:
    account = make(emulator)
    client = emulator.projects()
    resource = f"projects/{emulator.project}"
    stale = client.get_iam_policy(resource=resource)
    policy = client.get_iam_policy(resource=resource)
    member = f"serviceAccount:{account['email']}"
    policy.bindings.append(policy_pb2.Binding(role=TOKEN_CREATOR, members=[member]))
    client.set_iam_policy(request={"resource": resource, "policy": policy})

    by_number = client.get_iam_policy(resource=f"projects/{emulator.number}")
    assert [(binding.role, list(binding.members)) for binding in by_number.bindings] == [
        (TOKEN_CREATOR, [member])
    ]
    assert iam_policy.has_role(
        emulator.world, service_accounts.resource(account["email"]), member, TOKEN_CREATOR
    )
    with pytest.raises(exceptions.Conflict):
        client.set_iam_policy(request={"resource": resource, "policy": stale})
    answer = client.test_iam_permissions(resource=resource, permissions=["aiplatform.tuningJobs.create"])
    assert list(answer.permissions) == ["aiplatform.tuningJobs.create"]


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ("ada@example.com", "not a valid member"),
        ("serviceAccount:ghost@tuneform-test.iam.gserviceaccount.com", "does not exist"),
    ],
)
def test_a_member_that_cannot_be_is_refused(emulator: Emulator, member: str, message: str) -> None:
    binding = policy_pb2.Binding(role="roles/viewer", members=[member])
    policy = policy_pb2.Policy(bindings=[binding])
    with pytest.raises(exceptions.BadRequest, match=message):
        emulator.projects().set_iam_policy(
            request={"resource": f"projects/{emulator.project}", "policy": policy}
        )


def test_conditions_are_refused_by_name(emulator: Emulator) -> None:
    policy = {
        "bindings": [{"role": "roles/viewer", "members": ["user:a@b.c"], "condition": {"expression": "true"}}]
    }
    answer = emulator.call("POST", f"/v3/projects/{emulator.project}:setIamPolicy", json={"policy": policy})
    assert answer.status_code == 501
    assert "the field 'condition' of" in answer.json()["error"]["message"]


def test_services_are_enabled_and_disabled(emulator: Emulator) -> None:
    services = emulator.discovered("serviceusage", "v1").services()
    parent = f"projects/{emulator.project}"
    name = f"{parent}/services/aiplatform.googleapis.com"
    assert services.get(name=name).execute()["state"] == "DISABLED"
    operation = services.enable(name=name, body={}).execute()
    assert operation["done"] is True
    assert operation["response"]["service"]["state"] == "ENABLED"
    polled = emulator.discovered("serviceusage", "v1").operations().get(name=operation["name"]).execute()
    assert polled == operation
    ids = {"serviceIds": ["cloudkms.googleapis.com", "storage.googleapis.com"]}
    services.batchEnable(parent=parent, body=ids).execute()
    listed = services.list(parent=parent, filter="state:ENABLED").execute()["services"]
    assert [found["config"]["name"] for found in listed] == [
        "aiplatform.googleapis.com",
        "cloudkms.googleapis.com",
        "storage.googleapis.com",
    ]
    assert listed[0]["name"] == f"projects/{emulator.number}/services/aiplatform.googleapis.com"
    services.disable(name=name, body={}).execute()
    assert services.get(name=name).execute()["state"] == "DISABLED"


def test_the_agent_of_a_service_is_generated(emulator: Emulator) -> None:
    services = emulator.discovered("serviceusage", "v1beta1").services()
    parent = f"projects/{emulator.project}/services/aiplatform.googleapis.com"
    operation = services.generateServiceIdentity(parent=parent).execute()
    assert operation["done"] is True
    assert operation["response"]["email"] == agents.vertex(emulator.number)
    assert operation["response"]["uniqueId"].isdigit()
    again = services.generateServiceIdentity(parent=parent).execute()
    assert again["response"] == operation["response"]
