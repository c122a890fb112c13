"""Faults as JSON, as `/_emulator/faults` takes and shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuneform_emulator.wire import ApiError

from . import effects
from .calls import Calls, check_when
from .decoding import decode, encode
from .effects import CallFault, Fault, JobFault, Jobs
from .faults import Ordered

CALL_EFFECTS: Mapping[str, type[effects.CallEffect]] = {
    "status": effects.Status,
    "delay": effects.Delay,
    "reset": effects.Reset,
    "malformed": effects.Malformed,
}
JOB_EFFECTS: Mapping[str, type[effects.JobEffect]] = {
    "stuck": effects.Stuck,
    "failed": effects.Failed,
    "endpoint-failed": effects.EndpointFailed,
    "key-revoked": effects.KeyRevoked,
}
SHORT = {"quota": effects.quota(), "permission": effects.permission_missing()}
"""Kinds that are a status with a name of its own."""


def read(value: object) -> Fault:
    """A fault from JSON; raises `ApiError` 400 for anything that is not one."""
    if not isinstance(value, Mapping) or ("calls" in value) == ("jobs" in value):
        raise ApiError.invalid("A fault is an object with either 'calls' or 'jobs'.", ("faults", ""))
    if unknown := set(value) - {"calls", "jobs", "effect", "when"}:
        raise ApiError.invalid(f"A fault has no '{min(unknown)}'.", ("faults", min(unknown)))
    given = value.get("effect")
    if not isinstance(given, Mapping):
        raise ApiError.invalid("A fault has an object 'effect' with a 'kind'.", ("faults.effect", "required"))
    kind = given.get("kind")
    rest = {name: item for name, item in given.items() if name != "kind"}
    if "calls" in value:
        calls = decode(Calls, value["calls"], "calls")
        return CallFault(calls, call_effect(kind, rest), check_when(value.get("when", "before")))
    if "when" in value:
        raise ApiError.invalid("A fault for jobs has a phase and no 'when'.", ("faults", "when"))
    if not isinstance(kind, str) or kind not in JOB_EFFECTS:
        raise unknown_kind(kind, JOB_EFFECTS)
    jobs = decode(Jobs, value["jobs"], "jobs")
    try:
        return JobFault(jobs, decode(JOB_EFFECTS[kind], rest, "effect"))
    except ValueError as error:
        raise ApiError.invalid(f"jobs: {error}.", ("jobs", str(error))) from error


def call_effect(kind: object, values: Mapping[str, Any]) -> effects.CallEffect:
    """The effect of a kind; raises `ApiError` 400."""
    if kind in SHORT:
        return decode(effects.Status, {**encode(SHORT[str(kind)]), **values}, "effect")
    if kind not in CALL_EFFECTS:
        raise unknown_kind(kind, {**CALL_EFFECTS, **SHORT})
    return decode(CALL_EFFECTS[str(kind)], values, "effect")


def unknown_kind(kind: object, known: Mapping[str, object]) -> ApiError:
    """The refusal of an effect that is not one."""
    return ApiError.invalid(
        f"There is no effect {kind!r} here; there are {', '.join(known)}.", ("effect.kind", str(kind))
    )


def write(fault: Fault) -> dict[str, Any]:
    """A fault as JSON; `read` gives it back."""
    kinds = {**CALL_EFFECTS, **JOB_EFFECTS}
    kind = next(name for name, made in kinds.items() if made is type(fault.effect))
    effect = {"kind": kind, **encode(fault.effect)}
    if isinstance(fault, CallFault):
        return {"calls": encode(fault.calls), "when": fault.when, "effect": effect}
    return {"jobs": encode(fault.jobs), "effect": effect}


def shown(order: Ordered) -> dict[str, Any]:
    """An order as JSON: its fault, its id, and how often it was seen and met."""
    count = order.tally
    return {**write(order.fault), "id": order.id, "seen": count.seen, "met": count.met, "unmet": count.unmet}
