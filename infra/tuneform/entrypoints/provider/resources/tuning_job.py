"""tuneform:index:TuningJob: one tuning, whatever its revisions. What is to be done is the core's to decide."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from tuneform.entrypoints.provider.resources.base import (
    Call,
    Differences,
    Resource,
    changed_inputs,
    checkpoint_json,
    content_of,
    metrics_json,
    project_of,
)
from tuneform.entrypoints.provider.shape import Failure
from tuneform.entrypoints.provider.wire import Properties
from tuneform.errors import ReconcileError, TuneformError
from tuneform.reconcile import core
from tuneform.reconcile.actions import Blocked, PatchModel
from tuneform.reconcile.desired import HyperParameters, Limits, Tuning
from tuneform.reconcile.live import JobState
from tuneform.reconcile.plan import ObservedTuning, TuningPlan, plan_tuning
from tuneform.reconcile.recipe import revision

_TELLING = frozenset(
    {
        "baseModel",
        "method",
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
_SUCCEEDED = JobState.SUCCEEDED.value


class TuningJobResource(Resource):
    """See the module's text."""

    token = "tuneform:index:TuningJob"  # noqa: S105 (a Pulumi type token)
    identity = frozenset({"name", "project.projectId", "project.location"})
    outputs = ("revision", "state", "job", "model", "endpoint", "checkpoints", "metrics", "billableTokens")

    def flaws(self, call: Call) -> Iterator[Failure]:
        """Methods that are not supported yet."""
        if call.inputs.get("method", "SUPERVISED") != "SUPERVISED":
            yield Failure("method", f"{call.inputs['method']!r} is not supported yet; use SUPERVISED")

    def differences(self, call: Call) -> Differences:
        """Whether the plan does anything, or its outcome would be another one than is held."""
        telling = changed_inputs(call.old_inputs, call.inputs, _TELLING)
        if not call.whole:
            return telling or {"training": True}
        plan, observed = _plan(call)
        if not plan.actions and _same(call.outputs, plan, observed):
            return {}
        drift = {
            change.path: False
            for action in plan.actions
            if isinstance(action, PatchModel)
            for change in action.changes
        }
        return {**drift, **telling} or {"state": False}

    def foresee(self, call: Call) -> dict[str, Any]:
        """Says what the plan does; a blocked one is refused here already.

        The revision is known in any case, the rest when its job has succeeded before.
        """
        if not call.whole:
            return self.unforeseen()
        plan, observed = _plan(call)
        for action in plan.actions:
            if isinstance(action, Blocked):
                raise ReconcileError(action.reason, remedy=action.remedy)
        for reason in plan.reasons:
            call.session.log.info(reason)
        status = core.tuning_status(call.ports, plan.revision, observed)
        if not status.model:
            return self.unforeseen(revision=plan.revision)
        return _outputs(status, observed)

    def apply(self, call: Call) -> dict[str, Any]:
        """Bring the tuning to its wanted revision."""
        status = core.apply_tuning(
            call.ports,
            tuning_of(call.inputs),
            current=_current(call),
            wait=call.inputs.get("wait", "succeeded") == "succeeded",
        )
        return _outputs(status)

    def salvage(self, call: Call) -> dict[str, Any]:
        """What is live of the wanted revision; the revision alone when nobody can tell."""
        wanted = revision(tuning_of(call.inputs))
        try:
            return _live(call, wanted) or {"revision": wanted, "state": "NONE"}
        except TuneformError:
            return {"revision": wanted, "state": "UNKNOWN"}

    def look(self, call: Call) -> dict[str, Any] | None:
        """The held revision as it is live; gone when there is neither a job nor a record of this tuning."""
        return _live(call, _current(call) or revision(tuning_of(call.inputs)))

    def remove(self, call: Call) -> None:
        """Cancel what runs and delete the models; with deletionPolicy Retain nothing at all."""
        if call.inputs.get("deletionPolicy") != "Retain":
            project = project_of(call.inputs)
            core.remove_tuning(call.ports, project, call.inputs["name"])


def tuning_of(inputs: Properties) -> Tuning:
    """The inputs as the core's words."""
    training = content_of(inputs["training"])
    assert training is not None, "the schema requires it"
    hyper, limits = inputs.get("hyperParameters", {}), inputs.get("limits", {})
    seconds = limits.get("timeoutSeconds")
    return Tuning(
        project=project_of(inputs),
        name=inputs["name"],
        base_model=inputs["baseModel"],
        training=training,
        method=inputs.get("method", "SUPERVISED"),
        validation=content_of(inputs.get("validation")),
        hyper_parameters=HyperParameters(
            epoch_count=hyper.get("epochCount"),
            adapter_size=hyper.get("adapterSize"),
            learning_rate_multiplier=hyper.get("learningRateMultiplier"),
        ),
        export_last_checkpoint_only=inputs.get("exportLastCheckpointOnly"),
        kms_key=inputs.get("encryptionKey"),
        service_account=inputs.get("serviceAccount"),
        labels=inputs.get("labels", {}),
        description=inputs.get("description", ""),
        display_name=inputs.get("displayName", ""),
        limits=Limits(
            max_billable_tokens=limits.get("maxBillableTokens"),
            timeout=None if seconds is None else timedelta(seconds=seconds),
            retries=limits.get("retries", 0),
        ),
        when_superseded=inputs.get("whenSuperseded", "cancel"),
    )


def _live(call: Call, wanted: str) -> dict[str, Any] | None:
    observed = core.observe_tuning(call.ports, project_of(call.inputs), call.inputs["name"], wanted)
    if not observed.jobs and not observed.records:
        return None
    return _outputs(core.tuning_status(call.ports, wanted, observed), observed)


def _current(call: Call) -> str:
    return str(call.outputs.get("revision", ""))


def _plan(call: Call) -> tuple[TuningPlan, ObservedTuning]:
    tuning = tuning_of(call.inputs)
    observed = core.observe_tuning(call.ports, tuning.project, tuning.name, _current(call))
    return plan_tuning(tuning, observed), observed


def _same(outputs: Properties, plan: TuningPlan, observed: ObservedTuning) -> bool:
    """Whether the held outputs are those of the job that the plan rests on."""
    job = next((job for job in observed.jobs if job.name == outputs.get("job")), None)
    return (
        job is not None
        and outputs.get("revision") == plan.revision == job.revision
        and outputs.get("state") == job.state.value == _SUCCEEDED
        and outputs.get("model") == job.model
    )


def _outputs(status: core.TuningStatus, observed: ObservedTuning | None = None) -> dict[str, Any]:
    job = status.job
    if job is None and observed is not None:
        job = next((job for job in observed.jobs if job.revision == status.revision), None)
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
