"""What is refused, broken or unknown, as the official clients see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import aiplatform_v1
from google.cloud.aiplatform_v1.services.gen_ai_tuning_service import GenAiTuningServiceClient
from google.cloud.aiplatform_v1.services.gen_ai_tuning_service.transports import (
    GenAiTuningServiceGrpcTransport,
)
from google.rpc import error_details_pb2
from tests.functional.emulator_grpc.kit import Rpc, ask, grpc_address
from tests.functional.emulator_vertex.kit import PARENT, Vertex

from tuneform_emulator import server
from tuneform_emulator.clock import WallClock
from tuneform_emulator.store import Store
from tuneform_emulator.traffic.dispatch import Answer, Cut, Dispatcher, Garbage, render_error
from tuneform_emulator.wire import ApiError, Response
from tuneform_emulator.world import World

JOB = f"{PARENT}/tuningJobs/1"


async def get_job(rpc: Rpc) -> Any:
    # Without the client's own retries: each call is one call.
    return await rpc.tuning.get_tuning_job(name=JOB, retry=None)


def details_of(error: exceptions.GoogleAPICallError, kind: type) -> list[Any]:
    return [detail for detail in error.details if isinstance(detail, kind)]


def test_what_is_not_there_is_not_found(vertex: Vertex) -> None:
    with pytest.raises(exceptions.NotFound, match="tuningJobs/1"):
        ask(vertex.endpoint, get_job)


def test_a_wrong_field_is_named_in_the_details(vertex: Vertex) -> None:
    async def question(rpc: Rpc) -> None:
        await rpc.tuning.list_tuning_jobs(request={"parent": PARENT, "page_size": -1})

    with pytest.raises(exceptions.InvalidArgument) as caught:
        ask(vertex.endpoint, question)
    (bad,) = details_of(caught.value, error_details_pb2.BadRequest)
    assert [violation.field for violation in bad.field_violations] == ["page_size"]


def test_a_name_of_another_shape_is_refused_by_name(vertex: Vertex) -> None:
    async def question(rpc: Rpc) -> None:
        await rpc.tuning.get_tuning_job(name="tuningJobs/1")

    with pytest.raises(exceptions.InvalidArgument, match=r"'tuningJobs/1': name must be of the form"):
        ask(vertex.endpoint, question)


def test_an_id_with_odd_characters_is_one_name(vertex: Vertex) -> None:
    """A colon or a question mark must not become a verb or a query."""

    async def question(rpc: Rpc) -> None:
        await rpc.tuning.get_tuning_job(name=f"{PARENT}/tuningJobs/1:cancel?x=#%2F")

    with pytest.raises(exceptions.NotFound, match=r"tuningJobs/1:cancel\?x=#%2F"):
        ask(vertex.endpoint, question)


def test_a_method_that_is_not_emulated_says_its_name(vertex: Vertex) -> None:
    async def question(rpc: Rpc) -> None:
        await rpc.models.export_model(name=f"{PARENT}/models/1", output_config={})

    with pytest.raises(exceptions.MethodNotImplemented, match="ModelService/ExportModel"):
        ask(vertex.endpoint, question)


def test_a_field_that_the_installed_messages_lack_is_refused(vertex: Vertex) -> None:
    """A newer client's field 999 must not be dropped in silence."""

    async def question(rpc: Rpc) -> bytes:
        stub = rpc.raw("/google.cloud.aiplatform.v1.GenAiTuningService/GetTuningJob")
        request = aiplatform_v1.GetTuningJobRequest.serialize(aiplatform_v1.GetTuningJobRequest(name=JOB))
        return bytes(await stub(request + b"\xba\x3e\x01x"))

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        ask(vertex.endpoint, question)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert "GetTuningJobRequest" in str(caught.value.details())


def test_bytes_that_are_no_message_are_refused(vertex: Vertex) -> None:
    async def question(rpc: Rpc) -> bytes:
        stub = rpc.raw("/google.cloud.aiplatform.v1.GenAiTuningService/GetTuningJob")
        return bytes(await stub(b"\xff\xff"))

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        ask(vertex.endpoint, question)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@dataclass
class Scripted(Dispatcher):
    """A dispatcher that gives tuning jobs the answer it was told to, and keeps what it was asked with."""

    world: World
    answer: Answer = field(default_factory=Cut)
    seen: list[Mapping[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.world)

    def __call__(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if "/tuningJobs" not in path:
            return super().__call__(method, path, query, headers, body)
        self.seen.append(dict(headers))
        return self.answer


@pytest.fixture
def scripted() -> Iterator[Callable[[Answer], tuple[Scripted, str]]]:
    """Sets what tuning jobs answer, and gives the dispatcher and the endpoint."""
    store = Store(None)
    dispatcher = Scripted(World(store, WallClock()))
    with server.serving(dispatcher) as endpoint:

        def script(answer: Answer) -> tuple[Scripted, str]:
            dispatcher.answer = answer
            return dispatcher, endpoint

        yield script
    store.close()


Script = Callable[[Answer], tuple[Scripted, str]]


def refusal(code: int, status: str, **more: Any) -> Response:
    return render_error(f"/v1/{JOB}", ApiError(code, status, f"{status} it is", **more))


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        (400, "FAILED_PRECONDITION", exceptions.FailedPrecondition),
        (403, "PERMISSION_DENIED", exceptions.PermissionDenied),
        (409, "ALREADY_EXISTS", exceptions.AlreadyExists),
        (409, "ABORTED", exceptions.Aborted),
        (429, "RESOURCE_EXHAUSTED", exceptions.ResourceExhausted),
        (500, "INTERNAL", exceptions.InternalServerError),
        (503, "UNAVAILABLE", exceptions.ServiceUnavailable),
        (504, "DEADLINE_EXCEEDED", exceptions.DeadlineExceeded),
    ],
)
def test_a_canonical_status_becomes_the_clients_exception(
    scripted: Script, code: int, status: str, expected: type[exceptions.GoogleAPICallError]
) -> None:
    _, endpoint = scripted(refusal(code, status))
    with pytest.raises(expected, match=f"{status} it is") as caught:
        ask(endpoint, get_job)
    assert type(caught.value) is expected


def test_a_retry_delay_is_told_from_details_and_from_the_header(scripted: Script) -> None:
    told = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.500s"}
    plain = refusal(429, "RESOURCE_EXHAUSTED")
    for answer, seconds, nanos in (
        (refusal(429, "RESOURCE_EXHAUSTED", details=(told,)), 1, 500_000_000),
        (Response(plain.body, 429, headers={"Retry-After": "7"}), 7, 0),
    ):
        _, endpoint = scripted(answer)
        with pytest.raises(exceptions.ResourceExhausted) as caught:
            ask(endpoint, get_job)
        (info,) = details_of(caught.value, error_details_pb2.RetryInfo)
        assert (info.retry_delay.seconds, info.retry_delay.nanos) == (seconds, nanos)


def test_an_error_that_is_no_json_still_has_a_status(scripted: Script) -> None:
    _, endpoint = scripted(Response(b"<html>busy</html>", 503, media_type="text/html"))
    with pytest.raises(exceptions.ServiceUnavailable, match="503"):
        ask(endpoint, get_job)


def test_a_long_message_does_not_drown_the_status(scripted: Script) -> None:
    """Trailers above 8 KiB make gRPC clients report RESOURCE_EXHAUSTED instead of what went wrong."""
    error = ApiError.invalid("ü" * 20_000, *((f"field{number}", "wrong " * 50) for number in range(200)))
    _, endpoint = scripted(render_error(f"/v1/{JOB}", error))
    with pytest.raises(exceptions.InvalidArgument, match="üüü"):
        ask(endpoint, get_job)


def test_a_cut_connection_is_unavailable(scripted: Script) -> None:
    _, endpoint = scripted(Cut())
    with pytest.raises(exceptions.ServiceUnavailable, match="Connection reset"):
        ask(endpoint, get_job)


@pytest.mark.parametrize("answer", [Garbage(b"{not json", "application/json"), Garbage(b"", "text/html")])
def test_garbage_cannot_be_decoded(scripted: Script, answer: Answer) -> None:
    """grpc.aio gives its caller None for what it cannot decode, and the blocking client an error."""
    _, endpoint = scripted(answer)
    assert ask(endpoint, get_job) is None
    with grpc.insecure_channel(grpc_address(endpoint)) as channel:
        blocking = GenAiTuningServiceClient(transport=GenAiTuningServiceGrpcTransport(channel=channel))
        with pytest.raises(exceptions.InternalServerError, match="deserializ"):
            blocking.get_tuning_job(name=JOB)


def test_the_callers_metadata_arrives_as_headers(scripted: Script) -> None:
    """By these a fault finds the caller it is meant for, whichever way the call came."""
    dispatcher, endpoint = scripted(Response({"name": JOB}))

    async def question(rpc: Rpc) -> Any:
        metadata = (("x-caller", "tuneform/1 run/7"),)
        return await rpc.tuning.get_tuning_job(name=JOB, metadata=metadata)

    assert ask(endpoint, question).name == JOB
    (headers,) = dispatcher.seen
    assert headers["x-caller"] == "tuneform/1 run/7"
    assert headers["x-goog-request-params"] == f"name={JOB}"
    assert headers["user-agent"].startswith("grpc-python-asyncio/")
