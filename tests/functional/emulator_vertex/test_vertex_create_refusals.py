"""Everything tuningJobs.create refuses, and how."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from google.genai import errors, types

from tuneform_emulator.services.names import derive_number

from .kit import PROJECT, TRAINING, VALIDATION, Vertex, dataset, job_body, line, upload

# google-genai says so once a process, whatever is tuned.
pytestmark = pytest.mark.filterwarnings(
    "ignore:The SDK's tuning implementation is experimental:google.genai._common.ExperimentalWarning"
)
NUMBER = derive_number(PROJECT)
VERTEX_AGENT = f"serviceAccount:service-{NUMBER}@gcp-sa-aiplatform.iam.gserviceaccount.com"
TUNING_AGENT = f"serviceAccount:service-{NUMBER}@gcp-sa-vertex-tune.iam.gserviceaccount.com"
ENCRYPTER = "roles/cloudkms.cryptoKeyEncrypterDecrypter"


def refusal(vertex: Vertex, code: int, status: str, body: dict[str, Any], **more: str) -> dict[str, Any]:
    """The error of a create, which must also have left no job behind."""
    before = vertex.world.store.count("tuning-job")
    response = vertex.call("POST", "tuningJobs", body, **more)
    error: dict[str, Any] = response.json().get("error", {})
    assert (response.status_code, error.get("status"), error.get("code")) == (code, status, code), (
        response.text
    )
    assert vertex.world.store.count("tuning-job") == before
    return error


def invalid(vertex: Vertex, body: dict[str, Any]) -> dict[str, Any]:
    return refusal(vertex, 400, "INVALID_ARGUMENT", body)


def spec(**more: Any) -> dict[str, Any]:
    return {"trainingDatasetUri": TRAINING, **more}


def rows(vertex: Vertex, name: str, lines: list[Any]) -> str:
    return upload(vertex.endpoint, name, b"\n".join(json.dumps(item).encode() for item in lines))


def test_files_of_another_kind_are_listed_as_the_service_lists_them(vertex: Vertex) -> None:
    client = vertex.genai()
    with pytest.raises(errors.ClientError) as caught:
        client.tunings.tune(
            base_model="gemini-2.5-flash",
            training_dataset=types.TuningDataset(gcs_uri="gs://b/data.csv"),
            config=types.CreateTuningJobConfig(
                validation_dataset=types.TuningValidationDataset(gcs_uri="folder/x.jsonl")
            ),
        )
    field = "tuning_job.supervised_tuning_spec"
    training = "training_dataset_uri should be a GCS object of type JSONL."
    validation = "validation_dataset_uri should be a GCS object of type JSONL."
    assert caught.value.code == 400
    assert caught.value.message == (
        f"List of found errors:\t1.Field: {field}.training_dataset_uri; Message: {training}\t"
        f"2.Field: {field}.validation_dataset_uri; Message: {validation}\t"
    )
    violations = caught.value.details["error"]["details"][0]["fieldViolations"]
    assert violations == [
        {"field": f"{field}.training_dataset_uri", "description": training},
        {"field": f"{field}.validation_dataset_uri", "description": validation},
    ]


@pytest.mark.parametrize("name", ["trainingDatasetUri", "validationDatasetUri"])
def test_a_file_that_is_not_there(vertex: Vertex, name: str) -> None:
    uri = "gs://vertex-tests-data/absent.jsonl"
    assert uri in refusal(vertex, 404, "NOT_FOUND", job_body(spec(**{name: uri})))["message"]


def test_a_missing_training_file_name(vertex: Vertex) -> None:
    assert "training_dataset_uri" in invalid(vertex, job_body({}))["message"]


@pytest.mark.parametrize("name", ["trainingDatasetUri", "validationDatasetUri"])
def test_a_bad_row_is_named(vertex: Vertex, name: str) -> None:
    uri = rows(vertex, "bad.jsonl", [line("a", "b"), {"prompt": "a"}])
    error = invalid(vertex, job_body(spec(**{name: uri})))
    assert "Row: 1. Missing required `contents` field." in error["message"]
    field = "training_dataset_uri" if name == "trainingDatasetUri" else "validation_dataset_uri"
    assert error["details"][0]["fieldViolations"][0]["field"].endswith(field)


def test_more_validation_examples_than_5000(vertex: Vertex) -> None:
    uri = upload(vertex.endpoint, "big.jsonl", dataset(400))
    assert (
        "5200"
        in invalid(vertex, job_body({"trainingDatasetUri": uri, "validationDatasetUri": uri}))["message"]
    )


def test_more_validation_examples_than_their_share(vertex: Vertex) -> None:
    uri = upload(vertex.endpoint, "share.jsonl", dataset(80))
    assert (
        "30%"
        in invalid(vertex, job_body({"trainingDatasetUri": uri, "validationDatasetUri": uri}))["message"]
    )


def test_up_to_1000_validation_examples_need_no_share(vertex: Vertex) -> None:
    uri = upload(vertex.endpoint, "small.jsonl", dataset(70))
    body = job_body({"trainingDatasetUri": VALIDATION, "validationDatasetUri": uri})
    response = vertex.call("POST", "tuningJobs", body)
    assert response.status_code == 200, response.text
    vertex.call("POST", f"tuningJobs/{response.json()['name'].rpartition('/')[2]}:cancel")


def test_an_unknown_base_model(vertex: Vertex) -> None:
    error = invalid(vertex, job_body(spec(), "gemini-2.0-flash"))
    assert error["message"] == "Base model gemini-2.0-flash is not supported"


def test_no_base_model(vertex: Vertex) -> None:
    assert "base_model" in invalid(vertex, {"supervisedTuningSpec": spec()})["message"]


@pytest.mark.parametrize(
    ("model", "size"),
    [
        ("gemini-2.5-flash", "ADAPTER_SIZE_THIRTY_TWO"),
        ("gemini-2.5-pro", "ADAPTER_SIZE_SIXTEEN"),
        ("gemini-2.0-flash-001", 4),
    ],
)
def test_an_adapter_size_the_model_does_not_have(vertex: Vertex, model: str, size: str | int) -> None:
    error = invalid(vertex, job_body(spec(hyperParameters={"adapterSize": size}), model))
    assert error["message"] == "The adapter size is not supported for this base model."


@pytest.mark.parametrize(
    "hyper",
    [
        {"epochCount": 0},
        {"epochCount": "-1"},
        {"epochCount": "many"},
        {"learningRateMultiplier": -1},
        {"adapterSize": "ADAPTER_SIZE_THREE"},
    ],
)
def test_impossible_hyperparameters(vertex: Vertex, hyper: dict[str, Any]) -> None:
    invalid(vertex, job_body(spec(hyperParameters=hyper)))


@pytest.mark.parametrize(
    "fields",
    [
        {"labels": {"Team": "x"}},
        {"tunedModelDisplayName": "x" * 129},
        {"labels": {"a": "b c"}},
        {"description": 3},
    ],
)
def test_bad_names_and_labels(vertex: Vertex, fields: dict[str, Any]) -> None:
    invalid(vertex, {**job_body(spec()), **fields})


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"baseModel": "gemini-2.5-flash", "distillationSpec": {}}, "distillationSpec"),
        (job_body(spec(evaluationConfig={"metrics": [{"bleuSpec": {}}]})), "bleuSpec"),
        (job_body(spec(hyperParameters={"batchSize": 4})), "batchSize"),
        ({**job_body(spec()), "nonsense": 1}, "nonsense"),
    ],
)
def test_what_is_not_emulated_is_named(vertex: Vertex, body: dict[str, Any], name: str) -> None:
    assert name in refusal(vertex, 501, "UNIMPLEMENTED", body)["message"]


def post_to(vertex: Vertex, location: str, body: dict[str, Any]) -> dict[str, Any]:
    url = f"{vertex.endpoint}/v1/projects/{PROJECT}/locations/{location}/tuningJobs"
    found: dict[str, Any] = requests.post(url, json=body, timeout=30).json()
    return found


def test_global_is_refused(vertex: Vertex) -> None:
    error = post_to(vertex, "global", job_body(spec()))["error"]
    assert (error["code"], error["status"]) == (400, "FAILED_PRECONDITION")
    assert "global" in error["message"]


def test_a_model_that_is_tuned_elsewhere(vertex: Vertex) -> None:
    error = post_to(vertex, "europe-west1", job_body(spec(), "gemini-3.5-flash"))["error"]
    assert error["status"] == "FAILED_PRECONDITION"
    assert "europe-west4" in error["message"]
    assert "error" not in post_to(vertex, "europe-west4", job_body(spec(), "gemini-3.5-flash"))


# Keys


def kms(vertex: Vertex, location: str, key: str) -> str:
    """A key of that name in a location; returns its full name."""
    base = f"{vertex.endpoint}/v1/projects/{PROJECT}/locations/{location}/keyRings"
    requests.post(f"{base}?keyRingId=ring", json={}, timeout=30)
    url = f"{base}/ring/cryptoKeys?cryptoKeyId={key}"
    response = requests.post(url, json={"purpose": "ENCRYPT_DECRYPT"}, timeout=30)
    assert response.status_code == 200, response.text
    return f"projects/{PROJECT}/locations/{location}/keyRings/ring/cryptoKeys/{key}"


def grant(vertex: Vertex, resource: str, role: str, member: str, version: str = "v1") -> None:
    url = f"{vertex.endpoint}/{version}/{resource}"
    verb = {"v3": requests.post}.get(version)
    got = verb(f"{url}:getIamPolicy", json={}, timeout=30) if verb else None
    policy = got.json() if got is not None else {}
    bindings = [*policy.get("bindings", []), {"role": role, "members": [member]}]
    response = requests.post(f"{url}:setIamPolicy", json={"policy": {"bindings": bindings}}, timeout=30)
    assert response.status_code == 200, response.text


def with_key(name: str, model: str = "gemini-2.5-flash") -> dict[str, Any]:
    return {**job_body(spec(), model), "encryptionSpec": {"kmsKeyName": name}}


def test_a_malformed_key_name(vertex: Vertex) -> None:
    assert "keyRings" in invalid(vertex, with_key("my-key"))["message"]


def test_a_key_in_another_region(vertex: Vertex) -> None:
    assert "same region" in invalid(vertex, with_key(kms(vertex, "europe-west4", "far")))["message"]


def test_a_key_that_is_not_there(vertex: Vertex) -> None:
    name = f"projects/{PROJECT}/locations/us-central1/keyRings/ring/cryptoKeys/absent"
    assert name in refusal(vertex, 404, "NOT_FOUND", with_key(name))["message"]


def test_a_key_that_the_agent_may_not_use(vertex: Vertex) -> None:
    name = kms(vertex, "us-central1", "ungranted")
    error = refusal(vertex, 403, "PERMISSION_DENIED", with_key(name))
    assert "gcp-sa-aiplatform" in error["message"]
    assert ENCRYPTER in error["message"]
    body = {"displayName": "x", "encryptionSpec": {"kmsKeyName": name}}
    assert vertex.call("POST", "endpoints", body).json()["error"] == error


def test_a_key_that_is_disabled(vertex: Vertex) -> None:
    name = kms(vertex, "us-central1", "disabled")
    grant(vertex, name, ENCRYPTER, VERTEX_AGENT)
    url = f"{vertex.endpoint}/v1/{name}/cryptoKeyVersions/1?updateMask=state"
    assert requests.patch(url, json={"state": "DISABLED"}, timeout=30).status_code == 200
    assert "DISABLED" in refusal(vertex, 400, "FAILED_PRECONDITION", with_key(name))["message"]


def test_a_model_that_takes_no_key(vertex: Vertex) -> None:
    name = kms(vertex, "us-central1", "unwanted")
    grant(vertex, name, ENCRYPTER, VERTEX_AGENT)
    assert "gemini-3.5-flash" in invalid(vertex, with_key(name, "gemini-3.5-flash"))["message"]


def test_a_granted_key_is_on_everything_the_job_makes(vertex: Vertex) -> None:
    name = kms(vertex, "us-central1", "granted")
    grant(vertex, name, ENCRYPTER, VERTEX_AGENT)
    body = {**job_body(spec(hyperParameters={"epochCount": 1})), "encryption_spec": {"kms_key_name": name}}
    response = vertex.call("POST", "tuningJobs", body)
    assert response.status_code == 200, response.text
    job = vertex.succeeded(response.json()["name"])
    made = (job["name"], job["tunedModel"]["model"], job["tunedModel"]["endpoint"])
    assert [vertex.job(item)["encryptionSpec"] for item in made] == [{"kmsKeyName": name}] * 3


# Service accounts


def account(vertex: Vertex, name: str) -> str:
    url = f"{vertex.endpoint}/v1/projects/{PROJECT}/serviceAccounts"
    response = requests.post(url, json={"accountId": name, "serviceAccount": {}}, timeout=30)
    assert response.status_code == 200, response.text
    return f"{name}@{PROJECT}.iam.gserviceaccount.com"


def as_account(email: str) -> dict[str, Any]:
    return {**job_body(spec()), "serviceAccount": email}


def test_an_account_that_is_not_there(vertex: Vertex) -> None:
    email = f"absent@{PROJECT}.iam.gserviceaccount.com"
    assert email in refusal(vertex, 404, "NOT_FOUND", as_account(email))["message"]


def test_an_account_without_its_grants_and_then_with_them(vertex: Vertex) -> None:
    email = account(vertex, "tuning-runner")
    error = refusal(vertex, 403, "PERMISSION_DENIED", as_account(email))
    assert "roles/aiplatform.tuningServiceAgent" in error["message"]
    grant(
        vertex, f"projects/{PROJECT}", "roles/aiplatform.tuningServiceAgent", f"serviceAccount:{email}", "v3"
    )
    error = refusal(vertex, 403, "PERMISSION_DENIED", as_account(email))
    assert "roles/iam.serviceAccountTokenCreator" in error["message"]
    assert "gcp-sa-vertex-tune" in error["message"]
    resource = f"projects/{PROJECT}/serviceAccounts/{email}"
    grant(vertex, resource, "roles/iam.serviceAccountTokenCreator", TUNING_AGENT)
    response = vertex.call("POST", "tuningJobs", as_account(email))
    assert response.json()["serviceAccount"] == email
