"""Dataset, TuningJob and TunedModel, from the inputs that provider/schema.json describes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tuneform.policy.judge import Subject
from tuneform.policy.shapes.costs import cost
from tuneform.policy.shapes.values import UNKNOWN, Resource, drawn, key, part, real

_PROJECT = ("name", "projectId", "location", "owner", "servingLocation", "stateBucket")
_COUNTS = ("examples", "tokens", "tokensLow", "tokensHigh")
_NOT_COUNTED = dict.fromkeys(_COUNTS, UNKNOWN)


def _dataset(resource: Resource) -> tuple[Subject, ...]:
    given = resource.inputs
    source = given.get("source")
    split = part(source, "split")
    spec = {
        "bucket": {"ref": UNKNOWN, "bucketName": given.get("bucket")},
        **{name: part(source, name) for name in ("training", "validation", "test", "preamble")},
        "format": part(source, "format", "auto"),
        "columns": part(source, "columns", {"input": "input", "output": "output"}),
        "split": _reals(split, "validation", "test"),
        "task": UNKNOWN,
    }
    data = {"training": _NOT_COUNTED}
    for name in ("validation", "test"):
        there = part(source, name) is not None or bool(part(split, name))
        if source is UNKNOWN or split is UNKNOWN:
            data[name] = UNKNOWN
        elif there:
            data[name] = _NOT_COUNTED
    return _with_project("Dataset", resource, {"labels": UNKNOWN}, spec, data)


def _tuning_job(resource: Resource) -> tuple[Subject, ...]:
    given = resource.inputs
    hyper, limits = given.get("hyperParameters", {}), given.get("limits", {})
    seconds = part(limits, "timeoutSeconds")
    account = given.get("serviceAccount")
    spec = {
        "baseModel": given.get("baseModel"),
        "preTunedModel": _pre_tuned(given.get("preTunedModel")),
        "dataset": dict.fromkeys(("ref", "task", "format"), UNKNOWN),
        "method": given.get("method", "SUPERVISED"),
        "tuningMode": given.get("tuningMode"),
        "hyperParameters": _reals(hyper, "learningRateMultiplier", "beta"),
        "exportLastCheckpointOnly": given.get("exportLastCheckpointOnly"),
        "encryptionKey": key(given.get("encryptionKey")),
        "serviceAccount": {"ref": UNKNOWN, "email": account} if isinstance(account, str) else account,
        "description": given.get("description", ""),
        "tunedModelDisplayName": _said(given, "displayName"),
        "limits": limits
        if limits is UNKNOWN
        else {
            "maxBillableTokens": limits.get("maxBillableTokens"),
            "maxCost": limits.get("maxCost"),
            "timeout": seconds if seconds in (None, UNKNOWN) else f"{seconds}s",
            "retries": limits.get("retries", 0),
        },
        "evaluationConfig": given.get("evaluationConfig"),
        "whenSuperseded": given.get("whenSuperseded", "cancel"),
        "onModelLost": given.get("onModelLost", "report"),
    }
    training = _split(given.get("training"))
    data = {
        "training": _NOT_COUNTED if training is UNKNOWN else training,
        "validation": _split(given.get("validation")),
        "test": UNKNOWN,
    }
    billed = cost(training, part(hyper, "epochCount"), given.get("price"))
    return _with_project(
        "TuningJob", resource, {"labels": given.get("labels", {})}, spec, data, billed=billed
    )


def _tuned_model(resource: Resource) -> tuple[Subject, ...]:
    given = resource.inputs
    gate = given.get("gate", {})
    spec = {
        "job": {"ref": given.get("job"), "baseModel": UNKNOWN, "method": UNKNOWN},
        "checkpoint": given.get("checkpoint", "last"),
        "gate": gate
        if gate is UNKNOWN
        else {name: _reals(one, "atLeast", "atMost") for name, one in gate.items()},
        "keep": given.get("keep", 2),
        "deletionPolicy": given.get("deletionPolicy", "Delete"),
        "displayName": _said(given, "displayName"),
        "description": given.get("description", ""),
        "serving": given.get("serving", "endpoint"),
    }
    data = {"training": _NOT_COUNTED, "validation": UNKNOWN, "test": _split(given.get("test"))}
    return _with_project("TunedModel", resource, {"labels": given.get("labels", {})}, spec, data)


def _with_project(
    kind: str,
    resource: Resource,
    metadata: Mapping[str, Any],
    spec: Mapping[str, Any],
    data: Any,
    *,
    billed: Any = None,
) -> tuple[Subject, ...]:
    """The resource, and what it says of its Project."""
    given = resource.inputs.get("project")
    project = {name: part(given, name) for name in _PROJECT}
    project |= {"platform": "vertex", "labels": UNKNOWN}  # the provider serves that platform alone
    called = {"name": resource.inputs.get("name"), "project": project["name"], **metadata}
    own = drawn(kind, called, spec, project, name=resource.name, data=data, cost=billed)
    said = {name: value for name, value in project.items() if name != "name"}
    name = project["name"]
    around = drawn(
        "Project",
        {"name": name, "project": name, "labels": UNKNOWN},
        {**said, "defaults": UNKNOWN},
        project,
        name=resource.name,
    )
    return own, around


def _said(given: Mapping[str, Any], name: str) -> Any:
    """A name for people, which is that of the document unless said otherwise: then nobody can tell whether it was."""
    found = given.get(name)
    return UNKNOWN if found is None or found == given.get("name") else found


def _pre_tuned(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {
        "ref": value.get("job"),
        "name": value.get("model"),
        "checkpoint": value.get("checkpoint"),
        "baseModel": value.get("baseModel", ""),
    }


def _split(value: Any) -> Any:
    """The counts of a split, of which the upper end alone may be missing: then it is not bounded."""
    if not isinstance(value, Mapping):
        return value
    return {name: value.get(name, None if name == "tokensHigh" else UNKNOWN) for name in _COUNTS}


def _reals(value: Any, *names: str) -> Any:
    """The mapping, in which these are fractions."""
    if not isinstance(value, Mapping):
        return value
    return {name: real(one) if name in names else one for name, one in value.items()}


OURS: Mapping[str, Callable[[Resource], tuple[Subject, ...]]] = {
    "tuneform:index:Dataset": _dataset,
    "tuneform:index:TuningJob": _tuning_job,
    "tuneform:index:TunedModel": _tuned_model,
}
