"""tuneform:index:TunedModel: the endpoint that clients call, and which revision serves there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

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
from tuneform.entrypoints.provider.wire import UNKNOWN, Properties, Unknown, unknown
from tuneform.errors import ReconcileError
from tuneform.reconcile.actions import Blocked, PatchEndpoint, Promote
from tuneform.reconcile.desired import Gate, Serving
from tuneform.reconcile.live import Endpoint
from tuneform.reconcile.plan import plan_serving
from tuneform.reconcile.serving import promote

_LATER = "promotes the new revision once it has succeeded and passed its gate"
_TELLING = frozenset(
    {"revision", "model", "checkpoint", "gate", "keep", "labels", "displayName", "description"}
)
_NOTHING = {
    "revision": "",
    "model": "",
    "checkpoint": {"id": "", "epoch": 0, "step": 0},
    "metrics": {},
    "gates": [],
}
"""What serves before the first promotion. Left out, Pulumi would show the inputs of the same names instead."""


class TunedModelResource(Resource):
    """See the module's text."""

    token = "tuneform:index:TunedModel"  # noqa: S105 (a Pulumi type token)
    identity = frozenset({"name", "project.projectId", "project.servingLocation"})
    outputs = ("state", "endpoint", "revision", "model", "checkpoint", "metrics", "gates")

    def flaws(self, call: Call) -> Iterator[Failure]:
        """A checkpoint that is none; a negative number to keep."""
        checkpoint = call.inputs.get("checkpoint", "last")
        number = isinstance(checkpoint, int) and not isinstance(checkpoint, bool) and checkpoint >= 1
        if not number and not isinstance(checkpoint, Unknown) and checkpoint not in ("last", "best"):
            yield Failure("checkpoint", f"{checkpoint!r} is not last, best or the number of an epoch")
        keep = call.inputs.get("keep", 0)
        if isinstance(keep, int) and keep < 0:
            yield Failure("keep", "must not be negative")

    def differences(self, call: Call) -> Differences:
        """Whether the plan does anything, or something else is held than would serve."""
        telling = changed_inputs(call.old_inputs, call.inputs, _TELLING)
        if not call.whole:
            return telling or {"model": True}
        serving = serving_of(call.inputs)
        plan = promote.preview_serving(call.ports, serving)
        same = (
            call.outputs.get("state") == "SERVING"
            and call.outputs.get("revision") == serving.revision
            and call.outputs.get("model") == call.inputs.get("model")
        )
        if not plan.actions and same:
            return {}
        drift = {
            change.path: False
            for action in plan.actions
            if isinstance(action, PatchEndpoint)
            for change in action.changes
        }
        return {**drift, **telling} or {"state": False}

    def foresee(self, call: Call) -> dict[str, Any]:
        """Says what the plan does; a blocked one is refused here already."""
        if not call.whole:
            serves = bool(call.outputs.get("model"))
            call.session.log.info(f"{_LATER}; the old one serves until then" if serves else _LATER)
            known = {name: call.inputs[name] for name in ("project", "name")}
            if unknown(known):
                return self.unforeseen()
            endpoint = f"{project_of(known).serving_parent}/endpoints/{known['name']}"
            return self.unforeseen(endpoint=endpoint, revision=call.inputs["revision"])
        serving = serving_of(call.inputs)
        plan = promote.preview_serving(call.ports, serving)
        for action in plan.actions:
            if isinstance(action, Blocked):
                raise ReconcileError(action.reason, remedy=action.remedy)
        for reason in plan.reasons:
            call.session.log.info(reason)
        if plan.checkpoint is None:
            return _pending(serving, call.outputs)
        kept = {} if any(isinstance(action, Promote) for action in plan.actions) else call.outputs
        return {
            "state": "SERVING",
            "endpoint": serving.endpoint,
            "revision": serving.revision,
            "model": call.inputs.get("model", UNKNOWN),
            "checkpoint": checkpoint_json(plan.checkpoint, endpoint=False),
            "metrics": kept.get("metrics", UNKNOWN),
            "gates": kept.get("gates", UNKNOWN),
        }

    def apply(self, call: Call) -> dict[str, Any]:
        """Promote what is wanted, if it is ready and passes its gate."""
        serving = serving_of(call.inputs)
        status = promote.apply_serving(call.ports, serving)
        return _pending(serving, call.outputs) if status is None else _outputs(status)

    def salvage(self, call: Call) -> dict[str, Any]:
        """What served before goes on serving."""
        return dict(call.outputs) or _pending(serving_of(call.inputs), {})

    def look(self, call: Call) -> dict[str, Any] | None:
        """What the endpoint serves; gone when there is neither an endpoint nor anything of its tuning."""
        serving = serving_of(call.inputs)
        ports = call.ports
        observed = promote.observe_serving(ports, serving)
        if observed.endpoint is None and not observed.jobs and not observed.records:
            return None
        plan = plan_serving(serving, observed)
        if not plan.actions and plan.checkpoint is not None:
            status = promote.apply_serving(ports, serving)
            assert status is not None, "its job has succeeded, since there is a checkpoint"
            return _outputs(status)
        if observed.endpoint is None:
            return {"state": "MISSING", "endpoint": serving.endpoint}
        if not any(isinstance(action, Promote) for action in plan.actions) and call.outputs:
            return dict(call.outputs)
        return _drifted(observed.endpoint, serving)

    def remove(self, call: Call) -> None:
        """Undeploy and delete the endpoint; with deletionPolicy Retain nothing at all."""
        if call.inputs.get("deletionPolicy") != "Retain":
            serving = serving_of(call.inputs)
            promote.remove_serving(call.ports, serving.project, serving.endpoint)


def serving_of(inputs: Properties) -> Serving:
    """The inputs as the core's words."""
    checkpoint: Literal["last", "best"] | int = inputs.get("checkpoint", "last")
    return Serving(
        project=project_of(inputs),
        name=inputs["name"],
        tuning=inputs["job"],
        revision=inputs["revision"],
        checkpoint=checkpoint,
        gate=_gate(inputs.get("gate", {})),
        test=content_of(inputs.get("test")),
        keep=inputs.get("keep", 2),
        labels=inputs.get("labels", {}),
        description=inputs.get("description", ""),
        display_name=inputs.get("displayName", ""),
        kms_key=inputs.get("encryptionKey"),
    )


def _gate(given: Properties) -> Gate:
    exact = given.get("exactMatch", {})
    return Gate(
        exact_match_at_least=exact.get("atLeast"),
        exact_match_examples=exact.get("examples"),
        eval_loss_at_most=given.get("evalLoss", {}).get("atMost"),
        eval_accuracy_at_least=given.get("evalAccuracy", {}).get("atLeast"),
    )


def _pending(serving: Serving, before: Properties) -> dict[str, Any]:
    """The job is not done; whatever served before still does."""
    return {**_NOTHING, **before, "state": "PENDING", "endpoint": serving.endpoint}


def _drifted(endpoint: Endpoint, serving: Serving) -> dict[str, Any]:
    busiest = max(endpoint.deployed, key=lambda deployed: deployed.traffic, default=None)
    shown: dict[str, Any] = {"state": "DRIFTED", "endpoint": serving.endpoint}
    return {**shown, "model": f"{busiest.model}@{busiest.version}"} if busiest else shown


def _outputs(status: promote.ServingStatus) -> dict[str, Any]:
    gates = [
        {
            "metric": result.metric,
            "value": result.value,
            "checkpoint": result.checkpoint,
            "examples": result.examples,
        }
        for result in status.gates
        if result.checkpoint == status.checkpoint.id
    ]
    return {
        "state": "SERVING",
        "endpoint": status.endpoint,
        "revision": status.revision,
        "model": status.model,
        "checkpoint": checkpoint_json(status.checkpoint, endpoint=False),
        "metrics": metrics_json(status.curves),
        "gates": gates,
    }
