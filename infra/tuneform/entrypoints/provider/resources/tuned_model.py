"""tuneform:index:TunedModel: what clients call, and which revision serves there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

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
from tuneform.entrypoints.provider.wire import UNKNOWN, Properties, Unknown, unknown
from tuneform.reconcile.actions import Action, CreateEndpoint, Later, PatchEndpoint, Promote
from tuneform.reconcile.desired import Gate, Serving
from tuneform.reconcile.execute import (
    ServingStatus,
    apply_serving,
    preview_serving,
    remove_serving,
    serving_status,
)
from tuneform.reconcile.execute.serving import results_of
from tuneform.reconcile.live import Checkpoint, Curves, bare
from tuneform.reconcile.observe import ObservedServing, World
from tuneform.reconcile.plan import ServingPlan
from tuneform.reconcile.ports import Reader

_LATER = "promotes the new revision once it has succeeded and passed its gate"
_TELLING = frozenset(
    {"name", "revision", "model", "checkpoint", "gate", "keep", "labels", "displayName", "description"}
)
_NOTHING: Mapping[str, Any] = {
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
    identity = frozenset({"project.projectId", "project.servingLocation"})
    outputs = ("state", "endpoint", "revision", "model", "checkpoint", "metrics", "gates")

    def replaced(self, call: Call) -> tuple[str, ...]:
        """Besides where it lives, how clients find it makes it what it is: the endpoint's name, or a pointer."""
        found = super().replaced(call)
        if found or not call.old_inputs or unknown([call.inputs.get(name) for name in _FINDING]):
            return found
        if call.inputs.get("serving", "endpoint") != call.old_inputs.get("serving", "endpoint"):
            return ("serving",)
        old, new = (_first_name(inputs) for inputs in (call.old_inputs, call.inputs))
        if old == new:
            return ()
        return ("name",) if call.inputs["name"] != call.old_inputs["name"] else ("previousNames",)

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
        plan, world = preview_serving(call.ports, serving)
        same = (
            call.outputs.get("state") == "SERVING"
            and call.outputs.get("revision") == serving.revision
            and call.outputs.get("model") == call.inputs.get("model")
            and not call.outputs.get("drift")
        )
        if not plan.actions and same:
            return {}
        return {**_moved(call, plan, world), **telling} or {"state": False}

    def foresee(self, call: Call) -> dict[str, Any]:
        """Says what the plan does, now and once the job is done; one that is blocked is refused here already."""
        if unknown({name: value for name, value in call.inputs.items() if name != "model"}):
            return self._vaguely(call)
        serving = serving_of(call.inputs)
        plan, _ = preview_serving(call.ports, serving)
        tell(call, plan.actions)
        endpoint = UNKNOWN if serving.pointer and _promotes(plan.actions) else _held_endpoint(call, serving)
        if unknown(call.inputs.get("model")):
            return self.unforeseen(endpoint=endpoint, revision=serving.revision)
        if plan.checkpoint is None:
            return _pending(serving, call.outputs)
        kept = {} if any(isinstance(action, Promote) for action in plan.actions) else call.outputs
        return {
            "state": "SERVING",
            "endpoint": endpoint,
            "revision": serving.revision,
            "model": call.inputs.get("model", UNKNOWN),
            "checkpoint": checkpoint_json(plan.checkpoint, endpoint=False),
            "metrics": kept.get("metrics", UNKNOWN),
            "gates": kept.get("gates", UNKNOWN),
        }

    def _vaguely(self, call: Call) -> dict[str, Any]:
        """Before the data is known there is no revision to plan for."""
        serves = bool(call.outputs.get("model"))
        call.session.log.info(f"{_LATER}; the old one serves until then" if serves else _LATER)
        known = {name: call.inputs.get(name) for name in (*_FINDING, "project")}
        if unknown(known) or known["serving"] == "pointer":
            return self.unforeseen()
        endpoint = f"{project_of(call.inputs).serving_parent}/endpoints/{_first_name(call.inputs)}"
        return self.unforeseen(endpoint=endpoint, revision=call.inputs["revision"])

    def apply(self, call: Call) -> dict[str, Any]:
        """Promote what is wanted, if it is ready and passes its gate."""
        serving = serving_of(call.inputs)
        status = apply_serving(call.ports, serving)
        return _pending(serving, call.outputs) if status is None else _outputs(status)

    def salvage(self, call: Call) -> dict[str, Any]:
        """What served before goes on serving."""
        return dict(call.outputs) or _pending(serving_of(call.inputs), {})

    def look(self, call: Call) -> dict[str, Any] | None:
        """What serves, and how that differs; gone when there is neither an endpoint nor anything of its tuning."""
        serving = serving_of(call.inputs)
        plan, world = preview_serving(call.ports, serving)
        observed = world.serving(serving)
        tuning = observed.tuning
        if not (observed.endpoint or observed.pointer or tuning.jobs or tuning.records):
            return None
        wanted = serving_status(call.ports.reader, serving, world)
        state = _state(plan, observed, wanted)
        drift = drifted(call, plan.actions) if state != "PENDING" or tuning.promoted else {}
        if wanted is not None and state == "SERVING":
            return {**_outputs(wanted), **drift}
        live = serving_now(call.ports.reader, serving, observed)
        shown = _outputs(live) if live else _pending(serving, {})
        return {**shown, "state": state, **drift}

    def remove(self, call: Call) -> None:
        """Undeploy and delete the endpoint; with deletionPolicy Retain nothing at all."""
        if call.inputs.get("deletionPolicy") != "Retain":
            remove_serving(call.ports, serving_of(call.inputs))


_FINDING = ("name", "previousNames", "serving")
"""Inputs that say how clients find the model."""


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
        pointer=inputs.get("serving") == "pointer",
        previous_names=previous_names(inputs),
        tuning_names=tuple(inputs.get("jobPreviousNames", ())),
        retain=inputs.get("deletionPolicy") == "Retain",
        price=price_of(inputs["job"], inputs.get("price")),
    )


def _gate(given: Properties) -> Gate:
    exact = given.get("exactMatch", {})
    return Gate(
        exact_match_at_least=_threshold(exact.get("atLeast")),
        exact_match_examples=exact.get("examples"),
        eval_loss_at_most=_threshold(given.get("evalLoss", {}).get("atMost")),
        eval_accuracy_at_least=_threshold(given.get("evalAccuracy", {}).get("atLeast")),
        no_worse_than_serving=given.get("noWorseThan") == "serving",
    )


def _threshold(value: float | None) -> float | None:
    """On the wire a whole number is an integer; the specs, and what the ledger keeps of a gate, have a float."""
    return None if value is None else float(value)


def _first_name(inputs: Properties) -> str:
    return str([*previous_names(inputs), inputs["name"]][0])


def _promotes(actions: tuple[Action, ...]) -> bool:
    """Whether they promote something, now or later."""
    plain = [action.action if isinstance(action, Later) else action for action in actions]
    return any(isinstance(action, Promote) for action in plain)


def _held_endpoint(call: Call, serving: Serving) -> str:
    return str(call.outputs.get("endpoint", "")) if serving.pointer else serving.endpoint


def _moved(call: Call, plan: ServingPlan, world: World) -> dict[str, bool]:
    """Where the live world differs from what it was brought to: fields of the endpoint, or what serves there."""
    fields = {
        change.path: False
        for action in plan.actions
        if isinstance(action, PatchEndpoint)
        for change in action.changes
    }
    serving = serving_of(call.inputs)
    wanted = serving_status(call.ports.reader, serving, world)
    if wanted is None or not any(isinstance(action, Promote) for action in plan.actions):
        return fields
    live = serving_now(call.ports.reader, serving, world.serving(serving))
    if live is None:
        return {**fields, "endpoint": False}
    return {**fields, ("model" if live.model != wanted.model else "checkpoint"): False}


def _state(plan: ServingPlan, observed: ObservedServing, wanted: ServingStatus | None) -> str:
    """In a word how what is live compares with what was brought about."""
    promotes = any(isinstance(action, Promote) for action in plan.actions)
    had = observed.tuning.promoted is not None
    if had and not (observed.endpoint or observed.pointer):
        return "MISSING"
    put_back = any(isinstance(action, Promote) and not action.gated for action in plan.actions)
    patched = any(isinstance(action, PatchEndpoint | CreateEndpoint) for action in plan.actions)
    if put_back or (had and patched) or (promotes and wanted is not None):
        return "DRIFTED"
    return "PENDING" if wanted is None else "SERVING"


def serving_now(reader: Reader, serving: Serving, observed: ObservedServing) -> ServingStatus | None:
    """What really has the traffic, whatever was wanted; None when nothing has."""
    if serving.pointer and observed.pointer is not None:
        pointer = observed.pointer
        return _status(reader, observed, pointer.endpoint, pointer.model, pointer.checkpoint)
    deployed = observed.endpoint.deployed if observed.endpoint else ()
    busiest = max(deployed, key=lambda one: one.traffic, default=None)
    if busiest is None:
        return None
    model = f"{busiest.model}@{busiest.version}"
    return _status(reader, observed, serving.endpoint, model, busiest.checkpoint)


def _status(
    reader: Reader, observed: ObservedServing, endpoint: str, model: str, checkpoint: str
) -> ServingStatus:
    job = next((job for job in observed.tuning.jobs if job.model and bare(job.model) == bare(model)), None)
    if job is None:
        return ServingStatus(endpoint, "", model, Checkpoint(checkpoint, 0, 0), (), Curves())
    record = observed.tuning.records.get(job.revision)
    found = next((c for c in job.checkpoints if c.id == checkpoint), Checkpoint(checkpoint, 0, 0))
    gates = results_of(record, checkpoint) if record else ()
    return ServingStatus(endpoint, job.revision, job.model, found, gates, reader.curves(job))


def _pending(serving: Serving, before: Properties) -> dict[str, Any]:
    """The job is not done; whatever served before still does."""
    held = {name: value for name, value in before.items() if name != "drift"}
    endpoint = "" if serving.pointer else serving.endpoint
    return {"endpoint": endpoint, **_NOTHING, **held, "state": "PENDING"}


def _outputs(status: ServingStatus) -> dict[str, Any]:
    gates = [
        {
            "metric": result.metric,
            "value": result.value,
            "checkpoint": result.checkpoint,
            "examples": result.examples,
        }
        for result in status.gates
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
