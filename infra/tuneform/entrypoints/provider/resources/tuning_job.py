"""tuneform:index:TuningJob: one tuning, whatever its revisions. What is to be done is the core's to decide."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from tuneform.capabilities.prices import Money
from tuneform.entrypoints.provider.resources.base import (
    Call,
    Differences,
    Resource,
    changed_inputs,
    checkpoint_json,
    content_of,
    drifted,
    metrics_json,
    previous_names,
    price_of,
    project_of,
    tell,
)
from tuneform.entrypoints.provider.shape import Failure
from tuneform.entrypoints.provider.wire import Properties
from tuneform.errors import TuneformError
from tuneform.reconcile.actions import PatchModel
from tuneform.reconcile.desired import HyperParameters, Limits, Parent, Tuning
from tuneform.reconcile.execute import (
    TuningStatus,
    apply_tuning,
    preview_tuning,
    remove_tuning,
    tuning_status,
)
from tuneform.reconcile.observe import names_of
from tuneform.reconcile.plan import TuningPlan
from tuneform.reconcile.recipe import revision

_METHODS = ("SUPERVISED", "PREFERENCE_TUNING")
_TELLING = frozenset(
    {
        "name",
        "baseModel",
        "preTunedModel.revision",
        "preTunedModel.model",
        "preTunedModel.checkpoint",
        "method",
        "tuningMode",
        "training.digest",
        "hyperParameters",
        "exportLastCheckpointOnly",
        "encryptionKey",
        "labels",
        "description",
        "displayName",
    }
)
"""Inputs that an update can be about: the recipe, and what is patched."""


class TuningJobResource(Resource):
    """See the module's text."""

    token = "tuneform:index:TuningJob"  # noqa: S105 (a Pulumi type token)
    identity = frozenset({"name", "project.projectId", "project.location"})
    outputs = ("revision", "state", "job", "model", "endpoint", "checkpoints", "metrics", "billableTokens")

    def flaws(self, call: Call) -> Iterator[Failure]:
        """Methods that are not supported yet; nothing, or two things, to tune; a negative number to keep."""
        keep = call.inputs.get("keep", 0)
        if isinstance(keep, int) and keep < 0:
            yield Failure("keep", "must not be negative")
        if call.inputs.get("method", "SUPERVISED") not in _METHODS:
            known = " or ".join(_METHODS)
            yield Failure("method", f"{call.inputs['method']!r} is not supported yet; use {known}")
        if ("baseModel" in call.inputs) == ("preTunedModel" in call.inputs):
            yield Failure("baseModel", "give either baseModel or preTunedModel")
        most = call.inputs.get("limits", {}).get("maxCost")
        if isinstance(most, str) and Money.parse(most) is None:
            yield Failure("limits.maxCost", "must be an amount and its currency: 25 USD")

    def differences(self, call: Call) -> Differences:
        """Whether the plan does anything, or its outcome would be another one than is held."""
        telling = changed_inputs(call.old_inputs, call.inputs, _TELLING)
        if not call.whole:
            return telling or {"training": True}
        plan, _ = preview_tuning(call.ports, tuning_of(call.inputs))
        if not plan.actions and _same(call.outputs, plan):
            return {}
        drift = {
            change.path: False
            for action in plan.actions
            if isinstance(action, PatchModel)
            for change in action.changes
        }
        return {**drift, **telling} or {"state": False}

    def foresee(self, call: Call) -> dict[str, Any]:
        """Says what the plan does; one that is blocked is refused here already.

        The revision is known in any case, the rest when its job has succeeded before.
        """
        if not call.whole:
            return self.unforeseen()
        tuning = tuning_of(call.inputs)
        plan, world = preview_tuning(call.ports, tuning)
        tell(call, plan.actions)
        if not call.outputs and not plan.actions:
            call.session.log.info(f"takes over {plan.revision}, which is there already, no cost")
        status = tuning_status(call.ports.reader, tuning, world)
        return _outputs(status) if status.model else self.unforeseen(revision=plan.revision)

    def apply(self, call: Call) -> dict[str, Any]:
        """Bring the tuning to its wanted revision."""
        wait = call.inputs.get("wait", "succeeded") == "succeeded"
        return _outputs(apply_tuning(call.ports, tuning_of(call.inputs), wait=wait))

    def salvage(self, call: Call) -> dict[str, Any]:
        """What is live of the wanted revision; the revision alone when nobody can tell."""
        tuning = tuning_of(call.inputs)
        try:
            _, world = preview_tuning(call.ports, tuning)
            return _outputs(tuning_status(call.ports.reader, tuning, world))
        except TuneformError:
            return {"revision": revision(tuning), "state": "UNKNOWN"}

    def look(self, call: Call) -> dict[str, Any] | None:
        """What is live, and how it differs; gone when there is neither a job nor a record of this tuning."""
        tuning = tuning_of(call.inputs)
        plan, world = preview_tuning(call.ports, tuning)
        observed = world.tuning(*names_of(tuning))
        if not observed.jobs and not observed.records:
            return None
        return {**_outputs(tuning_status(call.ports.reader, tuning, world)), **drifted(call, plan.actions)}

    def remove(self, call: Call) -> None:
        """Cancel what runs and delete the models; with deletionPolicy Retain nothing at all."""
        if call.inputs.get("deletionPolicy") == "Retain":
            return
        for name in (call.inputs["name"], *previous_names(call.inputs)):
            remove_tuning(call.ports, project_of(call.inputs), name)


def tuning_of(inputs: Properties) -> Tuning:
    """The inputs as the core's words."""
    training = content_of(inputs["training"])
    assert training is not None, "the schema requires it"
    hyper, limits = inputs.get("hyperParameters", {}), inputs.get("limits", {})
    seconds = limits.get("timeoutSeconds")
    base_model = inputs.get("baseModel") or inputs.get("preTunedModel", {}).get("baseModel", "")
    return Tuning(
        project=project_of(inputs),
        name=inputs["name"],
        base_model=base_model,
        training=training,
        method=inputs.get("method", "SUPERVISED"),
        parent=_parent(inputs.get("preTunedModel")),
        tuning_mode=inputs.get("tuningMode"),
        evaluation=inputs.get("evaluationConfig"),
        validation=content_of(inputs.get("validation")),
        hyper_parameters=HyperParameters(
            epoch_count=hyper.get("epochCount"),
            adapter_size=hyper.get("adapterSize"),
            learning_rate_multiplier=hyper.get("learningRateMultiplier"),
            beta=hyper.get("beta"),
        ),
        export_last_checkpoint_only=inputs.get("exportLastCheckpointOnly"),
        kms_key=inputs.get("encryptionKey"),
        service_account=inputs.get("serviceAccount"),
        labels=inputs.get("labels", {}),
        description=inputs.get("description", ""),
        display_name=inputs.get("displayName", ""),
        limits=Limits(
            max_billable_tokens=limits.get("maxBillableTokens"),
            max_cost=Money.parse(limits.get("maxCost", "")),
            timeout=None if seconds is None else timedelta(seconds=seconds),
            retries=limits.get("retries", 0),
        ),
        when_superseded=inputs.get("whenSuperseded", "cancel"),
        on_model_lost=inputs.get("onModelLost", "report"),
        previous_names=previous_names(inputs),
        retain=inputs.get("deletionPolicy") == "Retain",
        keep=inputs.get("keep"),
        price=price_of(base_model, inputs.get("price")),
    )


def _parent(given: Properties | None) -> Parent | None:
    if not given:
        return None
    names = (given["job"], *given.get("jobPreviousNames", ())) if "job" in given else ()
    return Parent(names, given.get("revision", ""), given.get("model", ""), given.get("checkpoint"))


def _same(outputs: Properties, plan: TuningPlan) -> bool:
    """Whether the held outputs are those of the job that the plan rests on, and of nothing that differed."""
    job = plan.job
    return (
        job is not None
        and job.succeeded
        and not outputs.get("drift")
        and outputs.get("job") == job.name
        and outputs.get("revision") == plan.revision
        and outputs.get("state") == job.state.value
        and outputs.get("model") == job.model
    )


def _outputs(status: TuningStatus) -> dict[str, Any]:
    job = status.job
    shown: dict[str, Any] = {
        "revision": status.revision,
        "state": job.state.value if job else "NONE",
        "job": job.name if job else None,
    }
    if job is not None and status.model:
        shown |= {
            "model": status.model,
            "endpoint": job.endpoint or None,
            "checkpoints": [checkpoint_json(checkpoint) for checkpoint in status.checkpoints],
            "metrics": metrics_json(status.curves),
            "billableTokens": job.billable_tokens,
        }
    return {name: value for name, value in shown.items() if value is not None}
