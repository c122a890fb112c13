"""What a tuning job goes on from: a base model, or a model that was tuned before (continuous tuning).

Source: "Continuous tuning for Gemini models", Google Cloud: the tuned model's default version and default checkpoint
are taken where none is named, and the same encryption key has to be used.
"""

from __future__ import annotations

from dataclasses import dataclass

from tuneform_emulator import wire
from tuneform_emulator.services.vertex import fields, models, resources
from tuneform_emulator.services.vertex.base_models import BASE_MODELS, BaseModel, is_region
from tuneform_emulator.services.vertex.resources import Json, Place
from tuneform_emulator.world import World

_PRE_TUNED = ("tunedModelName", "checkpointId")


@dataclass(frozen=True)
class Source:
    """A base model, and as `fields` what the job says of it. `start` is the store's key of a checkpoint."""

    base: BaseModel
    fields: Json
    start: str = ""
    key: str = ""
    """The key that the pre-tuned model is encrypted with."""


def resolve(world: World, place: Place, given: Json, display_name: str) -> Source:
    """What a create request names: exactly one of `baseModel` and `preTunedModel`.

    Raises:
        ApiError: 400 for neither, both, or one that cannot be tuned; 404 for a model that is not there.
    """
    named, tuned = fields.string(given, "baseModel"), fields.message(given, "preTunedModel")
    if named and tuned:
        reason = "base_model and pre_tuned_model exclude each other."
        raise wire.ApiError.invalid(reason, ("tuning_job.pre_tuned_model", reason))
    if not tuned:
        return Source(_base(place, named), {"baseModel": named})
    return _pre_tuned(world, place, tuned, display_name)


def _pre_tuned(world: World, place: Place, tuned: Json, display_name: str) -> Source:
    tuned = fields.known(tuned, "PreTunedModel", read=_PRE_TUNED, ignored=("baseModel",))
    name = resources.normal(world, fields.string(tuned, "tunedModelName"))
    if not name.startswith(f"{place.name}/models/"):
        reason = f"tuned_model_name must name a model of {place.name}, not '{name}'."
        raise wire.ApiError.invalid(reason, ("tuning_job.pre_tuned_model.tuned_model_name", reason))
    document = models.find(world, name)
    model = document["resource"]
    if display_name in ("", model["displayName"]):
        raise wire.ApiError.unimplemented(
            "tuneform-emulator does not make further versions of a model: give the job a tuned_model_display_name "
            "that is not the pre-tuned model's"
        )
    checkpoint = models.checkpoint_id(document, fields.string(tuned, "checkpointId"))
    base = _base(place, resources.last(model["baseModelSource"]["genieSource"]["baseModelUri"]))
    shown = {
        "tunedModelName": f"{model['name']}@{model['versionId']}",
        "checkpointId": checkpoint,
        "baseModel": base.name,
    }
    key = model.get("encryptionSpec", {}).get("kmsKeyName", "")
    return Source(base, {"preTunedModel": resources.shown(shown)}, document["blobs"][checkpoint], key)


def check_key(source: Source, encryption: Json) -> None:
    """Refuses a job whose key is not that of the model it goes on from."""
    given = encryption.get("kmsKeyName", "")
    if source.start and given != source.key:
        reason = f"The pre-tuned model is encrypted with '{source.key}', and the job asks for '{given}'."
        raise wire.ApiError.invalid(reason, ("tuning_job.encryption_spec", reason))


def _base(place: Place, name: str) -> BaseModel:
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
