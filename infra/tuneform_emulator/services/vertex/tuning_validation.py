"""What tuningJobs.create checks before it accepts a job, and says when it refuses one.

Wording that was seen from the real service: the list of found errors and the JSONL message (GoogleCloudPlatform/
generative-ai issue 2081), "Base model … is not supported", "The adapter size is not supported for this base model."
(googleapis/python-genai issue 908), "Row: 0. Missing required `contents` field.". The wording of the others is ours.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

from tuneform_emulator import trainer, wire
from tuneform_emulator.services import agents, iam_policy, objects, service_accounts
from tuneform_emulator.services.kms import cryptokeys
from tuneform_emulator.services.vertex import fields
from tuneform_emulator.services.vertex.base_models import (
    ADAPTER_SIZE_NAMES,
    ADAPTER_SIZES,
    BASE_MODELS,
    BaseModel,
    is_region,
)
from tuneform_emulator.services.vertex.resources import Json, Place
from tuneform_emulator.world import World

MAX_FILE_BYTES = 2**30
MAX_EXAMPLES = 10_000_000
MAX_VALIDATION_EXAMPLES = 5_000
VALIDATION_SHARE = 0.3
VALIDATION_SHARE_ABOVE = 1_000
"""Limits: "About supervised fine-tuning for Gemini models", Google Cloud, last updated 2026-09-25: files of 1 GB, 10
million text examples, 5000 validation examples, or 30 % of the training examples where there are more than 1000."""

_READ = (
    "baseModel", "supervisedTuningSpec", "tunedModelDisplayName", "description", "labels", "encryptionSpec",
    "serviceAccount",
)  # fmt: skip
_READ_ONLY = (
    "name", "state", "createTime", "startTime", "endTime", "updateTime", "error", "experiment", "tunedModel",
    "tuningDataStats", "evaluateDatasetRuns", "gcsMetricsUri", "pipelineJob", "satisfiesPzi", "satisfiesPzs",
    "tuningJobMetadata", "tuningJobState",
)  # fmt: skip
_SPEC = ("trainingDatasetUri", "validationDatasetUri", "hyperParameters", "exportLastCheckpointOnly")
_HYPER_PARAMETERS = ("epochCount", "adapterSize", "learningRateMultiplier")
_SPEC_PATH = "tuning_job.supervised_tuning_spec"

TUNING_ROLE = "roles/aiplatform.tuningServiceAgent"
TOKEN_ROLE = "roles/iam.serviceAccountTokenCreator"  # noqa: S105 - a role's name, not a secret

_KEY_NAME = re.compile(r"projects/[^/]+/locations/(?P<location>[^/]+)/keyRings/[^/]+/cryptoKeys/[^/]+")


@dataclass(frozen=True)
class Submission:
    """An accepted request: the fields of the job, with defaults filled in, and its data as read now."""

    fields: Json
    training: bytes
    validation: bytes | None


def accept(world: World, place: Place, body: Json) -> Submission:
    """Checks a create request and resolves its defaults.

    Raises:
        ApiError: 400 INVALID_ARGUMENT for values, 400 FAILED_PRECONDITION for regions and disabled keys, 403 for
            missing grants, 404 for things that do not exist, 501 for what the emulator does not do.
    """
    given = fields.known(body, "TuningJob", read=_READ, ignored=_READ_ONLY)
    spec = fields.known(
        fields.message(given, "supervisedTuningSpec"), "TuningJob.supervisedTuningSpec", read=_SPEC
    )
    base = _base_model(place, fields.string(given, "baseModel"))
    hyper = fields.known(
        fields.message(spec, "hyperParameters"),
        "TuningJob.supervisedTuningSpec.hyperParameters",
        read=_HYPER_PARAMETERS,
    )
    adapter = _adapter_size(base, hyper)
    multiplier = _positive(hyper, "learningRateMultiplier")
    epochs = fields.integer(hyper, "epochCount")
    if epochs is not None and epochs < 1:
        raise _violation("hyper_parameters.epoch_count", "epoch_count must be at least 1.")
    name = fields.display_name(given, "tunedModelDisplayName") or f"{base.name}-{uuid.uuid4()}"
    labels = fields.labels(given)
    _check_uris(spec)
    training, validation, count = _read_data(world, spec)
    encryption = _encryption(world, place, base, fields.message(given, "encryptionSpec"))
    account = _service_account(world, place, fields.string(given, "serviceAccount"))
    resolved: Json = {
        "trainingDatasetUri": spec["trainingDatasetUri"],
        "hyperParameters": {
            "epochCount": str(epochs or trainer.default_epochs(count)),
            "adapterSize": ADAPTER_SIZE_NAMES[adapter],
            "learningRateMultiplier": multiplier,
        },
    }
    if validation is not None:
        resolved["validationDatasetUri"] = spec["validationDatasetUri"]
    if fields.boolean(spec, "exportLastCheckpointOnly"):
        resolved["exportLastCheckpointOnly"] = True
    values: Json = {
        "baseModel": base.name,
        "supervisedTuningSpec": resolved,
        "tunedModelDisplayName": name,
        "description": fields.string(given, "description"),
        "labels": labels,
        "encryptionSpec": encryption,
        "serviceAccount": account,
    }
    return Submission({key: value for key, value in values.items() if value}, training, validation)


def _base_model(place: Place, name: str) -> BaseModel:
    if not is_region(place.location):
        raise wire.ApiError.failed_precondition(
            f"Base model {name} cannot be tuned in location {place.location}; send the request to a region such as "
            "us-central1."
        )
    if not name:
        raise wire.ApiError.invalid("base_model is required.", ("tuning_job.base_model", "Required."))
    base = BASE_MODELS.get(name)
    if base is None:
        reason = f"Base model {name} is not supported"
        raise wire.ApiError.invalid(reason, ("tuning_job.base_model", reason))
    if base.locations and place.location not in base.locations:
        raise wire.ApiError.failed_precondition(
            f"Base model {name} cannot be tuned in {place.location}; it can be in {', '.join(base.locations)}."
        )
    return base


def _adapter_size(base: BaseModel, hyper: Json) -> int:
    size = ADAPTER_SIZES[fields.enum(hyper, "adapterSize", tuple(ADAPTER_SIZES))] or base.default_adapter_size
    if size not in base.adapter_sizes:
        raise wire.ApiError.invalid("The adapter size is not supported for this base model.")
    return size


def _positive(hyper: Json, name: str) -> float:
    value = fields.number(hyper, name)
    if value is None or value == 0:
        return 1.0
    if not 0 < value < float("inf"):
        raise _violation(
            "hyper_parameters.learning_rate_multiplier", "learning_rate_multiplier must be positive."
        )
    return value


def _check_uris(spec: Json) -> None:
    found: list[tuple[str, str]] = []
    for name, field, required in (
        ("trainingDatasetUri", "training_dataset_uri", True),
        ("validationDatasetUri", "validation_dataset_uri", False),
    ):
        uri = fields.string(spec, name)
        if uri.startswith("projects/"):
            raise wire.ApiError.unimplemented(
                f"tuneform-emulator does not emulate a dataset resource as {name} yet"
            )
        if not uri and not required:
            continue
        if not (uri.startswith("gs://") and uri.endswith(".jsonl")):
            found.append((f"{_SPEC_PATH}.{field}", f"{field} should be a GCS object of type JSONL."))
    if found:
        raise _found_errors(found)


def _read_data(world: World, spec: Json) -> tuple[bytes, bytes | None, int]:
    training = _fetch(world, spec["trainingDatasetUri"])
    count = _count(training, "training_dataset_uri")
    if count > MAX_EXAMPLES:
        raise _violation(
            "training_dataset_uri", f"{count} examples are more than the {MAX_EXAMPLES} allowed."
        )
    uri = fields.string(spec, "validationDatasetUri")
    if not uri:
        return training, None, count
    validation = _fetch(world, uri)
    checked = _count(validation, "validation_dataset_uri")
    if checked > MAX_VALIDATION_EXAMPLES:
        raise _violation(
            "validation_dataset_uri",
            f"{checked} validation examples are more than the {MAX_VALIDATION_EXAMPLES} allowed.",
        )
    if checked > VALIDATION_SHARE_ABOVE and checked > VALIDATION_SHARE * count:
        raise _violation(
            "validation_dataset_uri",
            f"{checked} validation examples are more than 30% of the {count} training examples, which is the limit "
            f"above {VALIDATION_SHARE_ABOVE} validation examples.",
        )
    return training, validation, count


def _fetch(world: World, uri: str) -> bytes:
    data = objects.read(world, uri)
    if data is None:
        raise wire.ApiError.not_found(f"Cloud Storage object {uri} does not exist.")
    if len(data) > MAX_FILE_BYTES:
        raise wire.ApiError.invalid(f"{uri} is larger than the 1 GB allowed.")
    return data


def _count(data: bytes, field: str) -> int:
    try:
        return len(trainer.parse_jsonl(data))
    except trainer.DatasetError as error:
        raise _found_errors([(f"{_SPEC_PATH}.{field}", error.message)]) from error


def _encryption(world: World, place: Place, base: BaseModel, spec: Json) -> Json:
    checked = encryption(world, place, spec)
    if checked and not base.customer_managed_keys:
        reason = f"Customer-managed encryption keys are not supported for {base.name}."
        raise wire.ApiError.invalid(reason, ("tuning_job.encryption_spec", reason))
    return checked


def encryption(world: World, place: Place, spec: Json) -> Json:
    """An EncryptionSpec whose key can be used in this place; an absent one is empty."""
    if not spec:
        return {}
    name = fields.string(fields.known(spec, "EncryptionSpec", read=("kmsKeyName",)), "kmsKeyName")
    check_key(world, place, name)
    return {"kmsKeyName": name}


def check_key(world: World, place: Place, name: str) -> None:
    """Refuses a key that is malformed, elsewhere, missing, not enabled or not granted to Vertex AI's agent."""
    field = "encryption_spec.kms_key_name"
    found = _KEY_NAME.fullmatch(name)
    if found is None:
        reason = (
            f"Invalid KMS key name '{name}': the format is "
            "projects/{project}/locations/{location}/keyRings/{key_ring}/cryptoKeys/{crypto_key}."
        )
        raise wire.ApiError.invalid(reason, (field, reason))
    if found["location"] != place.location:
        reason = f"The KMS key {name} must be in the same region as the resource, {place.location}."
        raise wire.ApiError.invalid(reason, (field, reason))
    key = cryptokeys.find(world, name)
    if key is None:
        raise wire.ApiError.not_found(f"KMS key {name} does not exist.")
    state = key.get("primary", {}).get("state", "without a primary version")
    if state != "ENABLED":
        raise wire.ApiError.failed_precondition(
            f"The primary version of KMS key {name} is {state}, not ENABLED."
        )
    agent = agents.vertex(place.project)
    if not iam_policy.has_role(world, name, f"serviceAccount:{agent}", iam_policy.ENCRYPTER):
        raise wire.ApiError.permission_denied(
            f"{agent} needs {iam_policy.ENCRYPTER} on KMS key {name} to encrypt and decrypt with it."
        )


def _service_account(world: World, place: Place, email: str) -> str:
    """Checks the account a job shall run as (IAM page on service agents, Google Cloud, 2026-04-10)."""
    if not email:
        return ""
    if service_accounts.find(world, email) is None:
        raise wire.ApiError.not_found(f"Service account {email} does not exist.")
    project = f"projects/{world.names.project_id(place.project)}"
    if not iam_policy.has_role(world, project, f"serviceAccount:{email}", TUNING_ROLE):
        raise wire.ApiError.permission_denied(f"Service account {email} needs {TUNING_ROLE} on {project}.")
    agent = agents.tuning(place.project)
    if not iam_policy.has_role(
        world, service_accounts.resource(email), f"serviceAccount:{agent}", TOKEN_ROLE
    ):
        raise wire.ApiError.permission_denied(f"{agent} needs {TOKEN_ROLE} on service account {email}.")
    return email


def _violation(field: str, reason: str) -> wire.ApiError:
    return wire.ApiError.invalid(reason, (f"{_SPEC_PATH}.{field}", reason))


def _found_errors(found: list[tuple[str, str]]) -> wire.ApiError:
    listed = "".join(
        f"{number}.Field: {field}; Message: {text}\t" for number, (field, text) in enumerate(found, 1)
    )
    return wire.ApiError.invalid(f"List of found errors:\t{listed}", *found)
