"""What one `up` of the example left, read with Google's own clients and compared with what the specs say."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

import pytest
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform_v1, kms_v1, resourcemanager_v3, storage
from google.genai import Client, types
from google.oauth2.credentials import Credentials
from googleapiclient import discovery
from tests.functional.main_job.asking import with_id
from tests.functional.main_job.checkout import PARENT, PROJECT, ROOT, Checkout, outputs

BUCKET = f"{PROJECT}-data"
KEY = f"{PARENT}/keyRings/tuneform/cryptoKeys/tuning-key"
ACCOUNT = f"tuning-runner@{PROJECT}.iam.gserviceaccount.com"
DATA = ROOT / "specs" / "data"
PREAMBLE = "Name the intent of the customer's message. Answer with the intent only."
EPOCHS = {"support-intents": 8, "next-number": 20}

Pairs = list[tuple[str, str]]
Series = list[tuple[int, float]]


@dataclass(frozen=True)
class Live:
    """What `up` printed, and the official clients pointed at the emulator that it ran against."""

    printed: str
    endpoint: str
    closing: ExitStack

    @cached_property
    def storage(self) -> Any:
        client = storage.Client(PROJECT, credentials=AnonymousCredentials(), client_options=self._options)
        self.closing.callback(client.close)
        return client

    @cached_property
    def genai(self) -> Client:
        return Client(
            vertexai=True,
            project=PROJECT,
            location="us-central1",
            credentials=Credentials(token="not-a-secret"),
            http_options=types.HttpOptions(base_url=self.endpoint, api_version="v1beta1"),
        )

    @property
    def _options(self) -> ClientOptions:
        return ClientOptions(api_endpoint=self.endpoint)

    def rest(self, client: Any) -> Any:
        """A client of the generated libraries, over REST."""
        made = client(credentials=AnonymousCredentials(), transport="rest", client_options=self._options)
        self.closing.callback(made.transport.close)
        return made

    @cached_property
    def number(self) -> str:
        """The project's number, which its service agents are named by."""
        project = self.rest(resourcemanager_v3.ProjectsClient).get_project(name=f"projects/{PROJECT}")
        return str(project.name).partition("/")[2]

    @cached_property
    def jobs(self) -> dict[str, Any]:
        """The tuning jobs by display name of their models, each read by itself."""
        client = self.rest(aiplatform_v1.GenAiTuningServiceClient)
        names = [job.name for job in client.list_tuning_jobs(parent=PARENT)]
        read = [client.get_tuning_job(name=name) for name in names]
        assert len(read) == 2
        return {job.tuned_model_display_name: job for job in read}

    def curves(self, job: Any) -> dict[str, Series]:
        """A job's series by name, along the chain: experiment, TensorBoard, run, series, values."""
        context = self.rest(aiplatform_v1.MetadataServiceClient).get_context(name=job.experiment)
        boards = self.rest(aiplatform_v1.TensorboardServiceClient)
        board = context.metadata["backing_tensorboard_resource"]
        experiment = f"{board}/experiments/{context.name.rpartition('/')[2]}"
        (run,) = boards.list_tensorboard_runs(parent=experiment)
        names = {
            item.name: item.display_name for item in boards.list_tensorboard_time_series(parent=run.name)
        }
        answer = boards.batch_read_tensorboard_time_series_data(
            request={"tensorboard": board, "time_series": list(names)}
        )
        named = {name.rpartition("/")[2]: shown for name, shown in names.items()}
        return {
            named[data.tensorboard_time_series_id]: [(p.step, p.scalar.value) for p in data.values]
            for data in answer.time_series_data
        }

    def ask(self, endpoint: str, question: str) -> str:
        """What an endpoint answers."""
        config = types.GenerateContentConfig(temperature=0)
        answer = self.genai.models.generate_content(model=endpoint, contents=question, config=config)
        return answer.text or ""


@pytest.fixture(scope="module")
def live(checkout: Checkout) -> Iterator[Live]:
    printed = checkout.does("up")
    with ExitStack() as closing:
        yield Live(printed, checkout.endpoint, closing)


def intents(split: str) -> Pairs:
    """Question, with the preamble before it, and answer of a split, as its file has them."""
    with (DATA / "support-intents" / f"{split}.csv").open(newline="", encoding="utf-8") as file:
        return [(f"{PREAMBLE}\n\n{row['text']}", row["intent"]) for row in csv.DictReader(file)]


def numbers() -> Pairs:
    lines = (DATA / "next-number" / "pairs.jsonl").read_text().splitlines()
    return [(row["text_input"], row["output"]) for row in map(json.loads, lines)]


def canonical(pairs: Pairs) -> list[bytes]:
    """The lines of the pairs in Vertex AI's form: keys sorted, no blanks, UTF-8; in no order yet."""
    turns = (
        [{"role": "user", "parts": [{"text": asked}]}, {"role": "model", "parts": [{"text": said}]}]
        for asked, said in pairs
    )
    return sorted(
        json.dumps({"contents": turn}, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        for turn in turns
    )


def test_the_stored_datasets_are_what_the_files_say_encrypted_with_the_key(live: Live) -> None:
    blobs = {blob.name: blob for blob in live.storage.list_blobs(BUCKET)}
    stored = {
        "support-intents": [canonical(intents(split)) for split in ("train", "validation", "test")],
        "next-number": [canonical(numbers())],
    }
    for dataset, splits in stored.items():
        found = [name for name in blobs if name.startswith(f"datasets/{dataset}/")]
        contents = [blobs[name].download_as_bytes() for name in found]
        assert sorted(sorted(content.splitlines()) for content in contents) == sorted(splits)
        assert all(content.endswith(b"\n") for content in contents)
        assert all(re.fullmatch(rf"datasets/{dataset}/[0-9a-f]{{64}}\.jsonl", name) for name in found)
    assert sum(map(len, stored.values())) == len(blobs), "the copies that attempts read are gone again"
    assert {blob.kms_key_name.partition("/cryptoKeyVersions/")[0] for blob in blobs.values()} == {KEY}


def test_the_bucket_is_closed_versioned_and_encrypted(live: Live) -> None:
    bucket = live.storage.get_bucket(BUCKET)

    assert bucket.default_kms_key_name == KEY
    assert bucket.location == "US-CENTRAL1"
    assert bucket.iam_configuration.uniform_bucket_level_access_enabled
    assert bucket.iam_configuration.public_access_prevention == "enforced"
    assert bucket.versioning_enabled
    assert bucket.labels["env"] == "demo"
    (rule,) = bucket.lifecycle_rules
    assert rule["action"] == {"type": "Delete"}
    assert (rule["condition"]["age"], rule["condition"]["numNewerVersions"]) == (30, 3)
    policy = bucket.get_iam_policy(requested_policy_version=3)
    assert f"serviceAccount:{ACCOUNT}" in policy["roles/storage.objectViewer"]
    assert live.storage.get_bucket(f"{PROJECT}-tuneform-state").versioning_enabled


def test_the_key_rotates_and_is_granted_to_the_two_agents_that_need_it(live: Live) -> None:
    client = live.rest(kms_v1.KeyManagementServiceClient)
    key = client.get_crypto_key(name=KEY)

    assert key.rotation_period == timedelta(days=90)
    assert key.purpose == kms_v1.CryptoKey.CryptoKeyPurpose.ENCRYPT_DECRYPT
    assert key.primary.state == kms_v1.CryptoKeyVersion.CryptoKeyVersionState.ENABLED
    (binding,) = client.get_iam_policy(request={"resource": KEY}).bindings
    assert binding.role == "roles/cloudkms.cryptoKeyEncrypterDecrypter"
    assert set(binding.members) == {
        f"serviceAccount:service-{live.number}@gcp-sa-aiplatform.iam.gserviceaccount.com",
        f"serviceAccount:service-{live.number}@gs-project-accounts.iam.gserviceaccount.com",
    }


def test_the_account_has_its_roles_and_the_tuning_agent_may_act_as_it(live: Live) -> None:
    policy = live.rest(resourcemanager_v3.ProjectsClient).get_iam_policy(
        request={"resource": f"projects/{PROJECT}"}
    )
    member = f"serviceAccount:{ACCOUNT}"
    assert {binding.role for binding in policy.bindings if member in binding.members} == {
        "roles/aiplatform.user",
        "roles/aiplatform.tuningServiceAgent",
    }

    with discovery.build(
        "iam",
        "v1",
        credentials=AnonymousCredentials(),
        static_discovery=True,
        client_options=ClientOptions(api_endpoint=live.endpoint),
    ) as iam:
        accounts = iam.projects().serviceAccounts()
        name = f"projects/{PROJECT}/serviceAccounts/{ACCOUNT}"
        assert accounts.get(name=name).execute()["displayName"] == "Runs tuning jobs"
        bindings = accounts.getIamPolicy(resource=name).execute()["bindings"]
    agent = f"serviceAccount:service-{live.number}@gcp-sa-vertex-tune.iam.gserviceaccount.com"
    assert bindings == [{"role": "roles/iam.serviceAccountTokenCreator", "members": [agent]}]


@pytest.mark.parametrize(("name", "examples"), [("support-intents", 650), ("next-number", 280)])
def test_the_job_is_the_one_the_specs_ask_for(live: Live, name: str, examples: int) -> None:
    job = live.jobs[name]
    revision = outputs(live.printed)[name]["revision"]

    own = {"team": "support"} if name == "support-intents" else {}
    assert dict(job.labels) == {
        "tuneform-owner": "ml-team",
        "tuneform-name": name,
        "tuneform-revision": revision,
        "tuneform-attempt": "1",
        "env": "demo",
        **own,
    }
    assert job.state == aiplatform_v1.JobState.JOB_STATE_SUCCEEDED
    assert job.base_model == "gemini-2.5-flash"
    assert job.encryption_spec.kms_key_name == KEY
    assert job.service_account == ACCOUNT
    hyper = job.supervised_tuning_spec.hyper_parameters
    assert hyper.epoch_count == EPOCHS[name]
    assert hyper.adapter_size == type(hyper).AdapterSize.ADAPTER_SIZE_SIXTEEN
    assert hyper.learning_rate_multiplier == 1.0
    stats = job.tuning_data_stats.supervised_tuning_data_stats
    assert stats.tuning_dataset_example_count == examples
    assert stats.total_billable_token_count > examples
    assert [int(item.epoch) for item in job.tuned_model.checkpoints][-1] == EPOCHS[name]


@pytest.mark.parametrize("name", EPOCHS)
def test_the_model_is_labelled_and_one_checkpoint_of_it_serves(live: Live, name: str) -> None:
    job, shown = live.jobs[name], outputs(live.printed)[name]
    model = live.rest(aiplatform_v1.ModelServiceClient).get_model(name=job.tuned_model.model)
    endpoint = live.rest(aiplatform_v1.EndpointServiceClient).get_endpoint(name=f"{PARENT}/endpoints/{name}")

    assert dict(job.labels).items() <= dict(model.labels).items()
    assert model.encryption_spec.kms_key_name == endpoint.encryption_spec.kms_key_name == KEY
    assert dict(endpoint.labels).items() >= {"tuneform-owner": "ml-team", "tuneform-name": name}.items()
    (deployed,) = endpoint.deployed_models
    assert dict(endpoint.traffic_split) == {deployed.id: 100}
    assert deployed.model == job.tuned_model.model
    assert with_id(deployed.model) == shown["model"]
    epochs = {item.checkpoint_id: item.epoch for item in job.tuned_model.checkpoints}
    assert shown["checkpoint"] == f"{deployed.checkpoint_id}, epoch {epochs[deployed.checkpoint_id]}"


def test_the_loss_falls_and_the_checkpoint_that_serves_has_the_lowest_one_on_validation_data(
    live: Live,
) -> None:
    job = live.jobs["support-intents"]
    curves = live.curves(job)
    ends = [int(item.step) for item in job.tuned_model.checkpoints]
    train, validation = curves["/train_total_loss"], curves["/eval_total_loss"]

    assert [step for step, _ in train] == list(range(1, ends[-1] + 1))
    assert [step for step, _ in validation] == ends
    first = [loss for step, loss in train if step <= ends[0]]
    last = [loss for step, loss in train if step > ends[-2]]
    assert sum(last) / len(last) < sum(first) / len(first) / 2
    losses = [loss for _, loss in validation]
    assert losses[-1] < losses[0]
    best = losses.index(min(losses)) + 1
    assert outputs(live.printed)["support-intents"]["checkpoint"] == f"{best}, epoch {best}"


def test_without_validation_data_there_is_a_training_curve_alone(live: Live) -> None:
    curves = live.curves(live.jobs["next-number"])

    assert set(curves) == {
        "/train_total_loss",
        "/train_fraction_of_correct_next_step_preds",
        "/train_num_predictions",
    }


def test_the_serving_endpoint_answers_as_well_as_the_gate_measured(live: Live) -> None:
    job = live.genai.tunings.get(name=live.jobs["support-intents"].name)
    assert job.has_succeeded
    assert job.tuned_model is not None
    assert with_id(job.tuned_model.model or "") == outputs(live.printed)["support-intents"]["model"]
    held_out = intents("test")
    serving = f"{PARENT}/endpoints/support-intents"

    right = sum(live.ask(serving, question) == answer for question, answer in held_out)

    measured = re.search(r"support-intents: gate: exactMatch ([0-9.]+)", live.printed)
    assert measured is not None, live.printed
    assert round(right / len(held_out), 2) == float(measured[1]) >= 0.6
    assert live.ask(f"{PARENT}/endpoints/next-number", "40") == "41"
