"""Which gRPC method is which HTTP call.

The bindings are the `google.api.http` annotations of the API, as google-cloud-aiplatform 2.7.0 carries them in
its REST transports (`services/*/transports/rest_base.py`); they are the same in v1 and v1beta1 but for the
version. A unit test holds this table against both, and against the routes that exist.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

OPERATION = "google.longrunning.Operation"
EMPTY = "google.protobuf.Empty"
VERSIONS = ("v1", "v1beta1")

_PLACE = "projects/*/locations/*"
_JOB = f"{_PLACE}/tuningJobs/*"
_MODEL = f"{_PLACE}/models/*"
_ENDPOINT = f"{_PLACE}/endpoints/*"
_STORE = f"{_PLACE}/metadataStores/*"
_BOARD = f"{_PLACE}/tensorboards/*"
_EXPERIMENT = f"{_BOARD}/experiments/*"
_RUN = f"{_EXPERIMENT}/runs/*"
_SERIES = f"{_RUN}/timeSeries/*"
_OPERATION_NAMES = (f"{_PLACE}/operations/*", f"{_PLACE}/*/*/operations/*")


@dataclass(frozen=True)
class Method:
    """A method and its HTTP binding.

    `templates` are paths after the version, each with one `{field=pattern}`; the first that fits is taken. `body`
    is the field sent as the body, "*" for all fields that are not in the path, "" for none. `answer` is the
    response's message: a short name of Vertex, or a full name with dots; `request` is that of the request, where
    it is not called after the method.
    """

    name: str
    verb: str
    templates: tuple[str, ...]
    answer: str
    body: str = ""
    streams: bool = False
    versions: tuple[str, ...] = VERSIONS
    request: str = ""


def _get(name: str, pattern: str, answer: str) -> Method:
    return Method(name, "GET", (f"{{name={pattern}}}",), answer)


def _list(name: str, parent: str, collection: str) -> Method:
    return Method(name, "GET", (f"{{parent={parent}}}/{collection}",), f"{name}Response")


def _post(name: str, template: str, answer: str, *, body: str = "*") -> Method:
    return Method(name, "POST", (template,), answer, body)


def _patch(name: str, field: str, pattern: str, answer: str) -> Method:
    return Method(name, "PATCH", (f"{{{field}.name={pattern}}}",), answer, field)


def _delete(name: str, pattern: str, verb: str = "") -> Method:
    return Method(name, "DELETE", (f"{{name={pattern}}}{verb}",), OPERATION)


def _count_tokens(version: str) -> Method:
    """In v1beta1 a method of PredictionService, in v1 of another service."""
    template = f"{{endpoint={_ENDPOINT}}}:countTokens"
    return Method("CountTokens", "POST", (template,), "CountTokensResponse", "*", versions=(version,))


VERTEX: dict[str, tuple[Method, ...]] = {
    "GenAiTuningService": (
        _post("CreateTuningJob", f"{{parent={_PLACE}}}/tuningJobs", "TuningJob", body="tuning_job"),
        _get("GetTuningJob", _JOB, "TuningJob"),
        _list("ListTuningJobs", _PLACE, "tuningJobs"),
        _post("CancelTuningJob", f"{{name={_JOB}}}:cancel", EMPTY),
    ),
    "ModelService": (
        _get("GetModel", _MODEL, "Model"),
        _list("ListModels", _PLACE, "models"),
        _patch("UpdateModel", "model", _MODEL, "Model"),
        _delete("DeleteModel", _MODEL),
        _delete("DeleteModelVersion", _MODEL, ":deleteVersion"),
        Method("ListModelVersions", "GET", (f"{{name={_MODEL}}}:listVersions",), "ListModelVersionsResponse"),
        Method(
            "ListModelVersionCheckpoints",
            "GET",
            (f"{{name={_MODEL}}}:listCheckpoints",),
            "ListModelVersionCheckpointsResponse",
        ),
        _post("MergeVersionAliases", f"{{name={_MODEL}}}:mergeVersionAliases", "Model"),
    ),
    "EndpointService": (
        _post("CreateEndpoint", f"{{parent={_PLACE}}}/endpoints", OPERATION, body="endpoint"),
        _get("GetEndpoint", _ENDPOINT, "Endpoint"),
        _list("ListEndpoints", _PLACE, "endpoints"),
        _patch("UpdateEndpoint", "endpoint", _ENDPOINT, "Endpoint"),
        _delete("DeleteEndpoint", _ENDPOINT),
        _post("DeployModel", f"{{endpoint={_ENDPOINT}}}:deployModel", OPERATION),
        _post("UndeployModel", f"{{endpoint={_ENDPOINT}}}:undeployModel", OPERATION),
    ),
    "PredictionService": (
        _post("GenerateContent", f"{{model={_ENDPOINT}}}:generateContent", "GenerateContentResponse"),
        Method(
            "StreamGenerateContent",
            "POST",
            (f"{{model={_ENDPOINT}}}:streamGenerateContent",),
            "GenerateContentResponse",
            "*",
            streams=True,
            request="GenerateContentRequest",
        ),
        _count_tokens("v1beta1"),
    ),
    "LlmUtilityService": (_count_tokens("v1"),),
    "MetadataService": (
        _get("GetMetadataStore", _STORE, "MetadataStore"),
        _get("GetContext", f"{_STORE}/contexts/*", "Context"),
        _list("ListContexts", _STORE, "contexts"),
    ),
    "TensorboardService": (
        _get("GetTensorboard", _BOARD, "Tensorboard"),
        _list("ListTensorboards", _PLACE, "tensorboards"),
        _get("GetTensorboardExperiment", _EXPERIMENT, "TensorboardExperiment"),
        _list("ListTensorboardExperiments", _BOARD, "experiments"),
        _get("GetTensorboardRun", _RUN, "TensorboardRun"),
        _list("ListTensorboardRuns", _EXPERIMENT, "runs"),
        _get("GetTensorboardTimeSeries", _SERIES, "TensorboardTimeSeries"),
        _list("ListTensorboardTimeSeries", _RUN, "timeSeries"),
        Method(
            "ReadTensorboardTimeSeriesData",
            "GET",
            (f"{{tensorboard_time_series={_SERIES}}}:read",),
            "ReadTensorboardTimeSeriesDataResponse",
        ),
        Method(
            "BatchReadTensorboardTimeSeriesData",
            "GET",
            (f"{{tensorboard={_BOARD}}}:batchRead",),
            "BatchReadTensorboardTimeSeriesDataResponse",
        ),
    ),
}
"""By the service's short name."""

OPERATIONS: tuple[Method, ...] = (
    Method("GetOperation", "GET", tuple(f"{{name={name}}}" for name in _OPERATION_NAMES), OPERATION),
    Method(
        "WaitOperation", "POST", tuple(f"{{name={name}}}:wait" for name in _OPERATION_NAMES), OPERATION, "*"
    ),
    Method("DeleteOperation", "DELETE", tuple(f"{{name={name}}}" for name in _OPERATION_NAMES), EMPTY),
)
"""google.longrunning.Operations has no version: HTTP polls under `/ui/` (tuning-api.md §0.5)."""


@dataclass(frozen=True)
class Bound:
    """A method under its full name: the service's `package.Service`, and what stands before its HTTP paths."""

    service: str
    version: str
    prefix: str
    request: str
    answer: str
    method: Method


def bound() -> Iterator[tuple[str, Bound]]:
    """Every method by the path that gRPC calls it by, e.g. `/google.longrunning.Operations/GetOperation`."""
    for version in VERSIONS:
        package = f"google.cloud.aiplatform.{version}"
        for service, methods in VERTEX.items():
            for method in methods:
                if version not in method.versions:
                    continue
                answer = method.answer if "." in method.answer else f"{package}.{method.answer}"
                request = f"{package}.{method.request or method.name + 'Request'}"
                yield (
                    f"/{package}.{service}/{method.name}",
                    Bound(service, version, f"/{version}/", request, answer, method),
                )
    for method in OPERATIONS:
        request = f"google.longrunning.{method.name}Request"
        yield (
            f"/google.longrunning.Operations/{method.name}",
            Bound("Operations", "", "/ui/", request, method.answer, method),
        )
