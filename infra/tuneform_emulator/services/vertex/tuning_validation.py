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
from tuneform_emulator.services.vertex import fields, tuning_evaluation, tuning_source
from tuneform_emulator.services.vertex.base_models import ADAPTER_SIZE_NAMES, ADAPTER_SIZES, BaseModel
from tuneform_emulator.services.vertex.resources import Json, Place
from tuneform_emulator.services.vertex.tuning_methods import METHODS, Method
from tuneform_emulator.world import World

MAX_FILE_BYTES = 2**30
MAX_EXAMPLES = 10_000_000
MAX_VALIDATION_EXAMPLES = 5_000
VALIDATION_SHARE = 0.3
VALIDATION_SHARE_ABOVE = 1_000
"""Limits: "About supervised fine-tuning for Gemini models", Google Cloud, last updated 2026-09-25: files of 1 GB, 10
million text examples, 5000 validation examples, or 30 % of the training examples where there are more than 1000."""

_READ = (
    "baseModel", "preTunedModel", "supervisedTuningSpec", "preferenceOptimizationSpec", "tunedModelDisplayName",
    "description", "labels", "encryptionSpec", "serviceAccount",
)  # fmt: skip
_READ_ONLY = (
    "name", "state", "createTime", "startTime", "endTime", "updateTime", "error", "experiment", "tunedModel",
    "tuningDataStats", "evaluateDatasetRuns", "gcsMetricsUri", "pipelineJob", "satisfiesPzi", "satisfiesPzs",
    "tuningJobMetadata", "tuningJobState",
)  # fmt: skip
_SPEC = ("trainingDatasetUri", "validationDatasetUri", "hyperParameters", "exportLastCheckpointOnly")
_MODES = ("TUNING_MODE_UNSPECIFIED", "TUNING_MODE_FULL", "TUNING_MODE_PEFT_ADAPTER")

TUNING_ROLE = "roles/aiplatform.tuningServiceAgent"
TOKEN_ROLE = "roles/iam.serviceAccountTokenCreator"  # noqa: S105 - a role's name, not a secret

_KEY_NAME = re.compile(r"projects/[^/]+/locations/(?P<location>[^/]+)/keyRings/[^/]+/cryptoKeys/[^/]+")


@dataclass(frozen=True)
class Submission:
    """An accepted request: the fields of the job, with defaults filled in, and its data as read now.

    `start` is the store's key of the checkpoint that training goes on from, empty for a base model.
    """

    fields: Json
    training: bytes
    validation: bytes | None
    start: str = ""


def accept(world: World, place: Place, body: Json, version: str = "v1") -> Submission:
    """Checks a create request and resolves its defaults.

    Raises:
        ApiError: 400 INVALID_ARGUMENT for values, 400 FAILED_PRECONDITION for regions and disabled keys, 403 for
            missing grants, 404 for things that do not exist, 501 for what the emulator does not do.
    """
    given = fields.known(body, "TuningJob", read=_READ, ignored=_READ_ONLY)
    display_name = fields.display_name(given, "tunedModelDisplayName")
    source = tuning_source.resolve(world, place, given, display_name)
    method = _method(given)
    spec = _spec(method, fields.message(given, method.field), version)
    hyper = _hyper_parameters(method, source.base, fields.message(spec, "hyperParameters"))
    labels = fields.labels(given)
    _check_uris(method, spec)
    training, validation, count = _read_data(world, method, spec)
    encryption = _encryption(world, place, source.base, fields.message(given, "encryptionSpec"))
    tuning_source.check_key(source, encryption)
    account = _service_account(world, place, fields.string(given, "serviceAccount"))
    resolved: Json = {
        "trainingDatasetUri": spec["trainingDatasetUri"],
        "hyperParameters": {"epochCount": str(trainer.default_epochs(count)), **hyper},
    }
    if validation is not None:
        resolved["validationDatasetUri"] = spec["validationDatasetUri"]
    if fields.boolean(spec, "exportLastCheckpointOnly"):
        resolved["exportLastCheckpointOnly"] = True
    if mode := spec.get("tuningMode"):
        resolved["tuningMode"] = mode
    if evaluation := tuning_evaluation.check(place, fields.message(spec, "evaluationConfig")):
        resolved["evaluationConfig"] = evaluation
    values: Json = {
        **source.fields,
        method.field: resolved,
        "tunedModelDisplayName": display_name or f"{source.base.name}-{uuid.uuid4()}",
        "description": fields.string(given, "description"),
        "labels": labels,
        "encryptionSpec": encryption,
        "serviceAccount": account,
    }
    shown = {key: value for key, value in values.items() if value}
    return Submission(shown, training, validation, source.start)


def _method(given: Json) -> Method:
    """How a request wants to tune. One that says nothing means supervised tuning, as `accept` then finds no data."""
    named = [method for method in METHODS if fields.message(given, method.field)]
    if len(named) > 1:
        reason = " and ".join(method.path for method in named) + " exclude each other."
        raise wire.ApiError.invalid(reason, (named[1].path, reason))
    return named[0] if named else METHODS[0]


def _spec(method: Method, given: Json, version: str) -> Json:
    read = (*_SPEC, *method.own, *(method.beta_only if version != "v1" else ()))
    spec = fields.known(given, f"TuningJob.{method.field}", read=read)
    mode = fields.enum(spec, "tuningMode", _MODES)
    if mode == "TUNING_MODE_FULL":
        # The wording is ours: what the service says to full tuning of a Gemini model is not known.
        raise _violation(method, "tuning_mode", "Full tuning is not supported for this base model.")
    return {**spec, "tuningMode": mode if mode != _MODES[0] else ""}


def _hyper_parameters(method: Method, base: BaseModel, given: Json) -> Json:
    """The hyperparameters as the job will show them; without `epochCount` where the service is to choose it."""
    hyper = fields.known(given, f"TuningJob.{method.field}.hyperParameters", read=method.hyper_parameters)
    resolved: Json = {
        "adapterSize": ADAPTER_SIZE_NAMES[_adapter_size(base, hyper)],
        "learningRateMultiplier": _positive(method, hyper, "learningRateMultiplier", 1.0),
    }
    epochs = fields.integer(hyper, "epochCount")
    if epochs is not None and epochs < 1:
        raise _violation(method, "hyper_parameters.epoch_count", "epoch_count must be at least 1.")
    if epochs:
        resolved["epochCount"] = str(epochs)
    if "beta" in method.hyper_parameters:
        resolved["beta"] = _positive(method, hyper, "beta", trainer.DEFAULT_BETA)
    return resolved


def _adapter_size(base: BaseModel, hyper: Json) -> int:
    size = ADAPTER_SIZES[fields.enum(hyper, "adapterSize", tuple(ADAPTER_SIZES))] or base.default_adapter_size
    if size not in base.adapter_sizes:
        raise wire.ApiError.invalid("The adapter size is not supported for this base model.")
    return size


def _positive(method: Method, hyper: Json, name: str, default: float) -> float:
    value = fields.number(hyper, name)
    if value is None or value == 0:
        return default
    if not 0 < value < float("inf"):
        snake = wire.snake_key(name)
        raise _violation(method, f"hyper_parameters.{snake}", f"{snake} must be positive.")
    return value


def _check_uris(method: Method, spec: Json) -> None:
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
            found.append((f"{method.path}.{field}", f"{field} should be a GCS object of type JSONL."))
    if found:
        raise _found_errors(found)


def _read_data(world: World, method: Method, spec: Json) -> tuple[bytes, bytes | None, int]:
    training = _fetch(world, spec["trainingDatasetUri"])
    count = _count(training, method, "training_dataset_uri")
    if count > MAX_EXAMPLES:
        raise _violation(
            method, "training_dataset_uri", f"{count} examples are more than the {MAX_EXAMPLES} allowed."
        )
    uri = fields.string(spec, "validationDatasetUri")
    if not uri:
        return training, None, count
    validation = _fetch(world, uri)
    checked = _count(validation, method, "validation_dataset_uri")
    if checked > MAX_VALIDATION_EXAMPLES:
        raise _violation(
            method,
            "validation_dataset_uri",
            f"{checked} validation examples are more than the {MAX_VALIDATION_EXAMPLES} allowed.",
        )
    if checked > VALIDATION_SHARE_ABOVE and checked > VALIDATION_SHARE * count:
        raise _violation(
            method,
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


def _count(data: bytes, method: Method, field: str) -> int:
    try:
        return len(method.parse(data))
    except trainer.DatasetError as error:
        raise _found_errors([(f"{method.path}.{field}", error.message)]) from error


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


def _violation(method: Method, field: str, reason: str) -> wire.ApiError:
    return wire.ApiError.invalid(reason, (f"{method.path}.{field}", reason))


def _found_errors(found: list[tuple[str, str]]) -> wire.ApiError:
    listed = "".join(
        f"{number}.Field: {field}; Message: {text}\t" for number, (field, text) in enumerate(found, 1)
    )
    return wire.ApiError.invalid(f"List of found errors:\t{listed}", *found)
