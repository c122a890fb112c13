"""What a failed call means decides what may follow; a wrong class here pays twice."""

from __future__ import annotations

import json

import grpc
import pytest
import requests
from google.api_core import exceptions
from google.auth import exceptions as auth
from google.rpc import error_details_pb2

from tuneform.errors import (
    AlreadyExists,
    Ambiguous,
    LedgerConflict,
    MachineError,
    NotFound,
    Retryable,
    Terminal,
    TuneformError,
)
from tuneform.platforms.vertex.calls.retry import Undecodable
from tuneform.platforms.vertex.errors import Unfinished, remote

CODES = {
    grpc.StatusCode.CANCELLED: Ambiguous,
    grpc.StatusCode.UNKNOWN: Ambiguous,
    grpc.StatusCode.INVALID_ARGUMENT: Terminal,
    grpc.StatusCode.DEADLINE_EXCEEDED: Ambiguous,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExists,
    grpc.StatusCode.PERMISSION_DENIED: Terminal,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Retryable,
    grpc.StatusCode.FAILED_PRECONDITION: Terminal,
    grpc.StatusCode.ABORTED: Ambiguous,
    grpc.StatusCode.OUT_OF_RANGE: Terminal,
    grpc.StatusCode.UNIMPLEMENTED: Ambiguous,
    grpc.StatusCode.INTERNAL: Ambiguous,
    grpc.StatusCode.UNAVAILABLE: Ambiguous,
    grpc.StatusCode.DATA_LOSS: Ambiguous,
    grpc.StatusCode.UNAUTHENTICATED: Terminal,
}
STATUSES = {
    400: Terminal,
    401: Terminal,
    403: Terminal,
    404: NotFound,
    405: Terminal,
    408: Ambiguous,
    409: Ambiguous,
    412: Terminal,
    429: Retryable,
    499: Ambiguous,
    500: Ambiguous,
    501: Ambiguous,
    502: Ambiguous,
    503: Ambiguous,
    504: Ambiguous,
    302: Ambiguous,
}


def meant(raised: Exception, endpoint: str | None = None) -> TuneformError:
    with pytest.raises(TuneformError) as caught, remote("creating it", endpoint):
        raise raised
    return caught.value


def answered(status: int, error: object, **headers: str) -> exceptions.GoogleAPICallError:
    """The exception that the REST clients make of an answer."""
    response = requests.Response()
    response.status_code = status
    response._content = json.dumps({"error": error}).encode()
    response.headers.update(headers)
    response.request = requests.Request("POST", "https://example.com/v1/x").prepare()
    made = exceptions.from_http_response(response)
    assert isinstance(made, exceptions.GoogleAPICallError)
    return made


def test_every_grpc_code_is_in_the_table() -> None:
    assert set(CODES) == set(grpc.StatusCode) - {grpc.StatusCode.OK}


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.name)
def test_every_grpc_code_has_one_meaning(code: grpc.StatusCode) -> None:
    error = meant(exceptions.from_grpc_status(code, "why"))
    assert type(error) is CODES[code]
    assert error.message == "creating it: why"


@pytest.mark.parametrize("status", STATUSES)
def test_every_http_status_has_one_meaning(status: int) -> None:
    error = meant(answered(status, {"code": status, "message": "why"}))
    assert type(error) is STATUSES[status]
    assert error.message == "creating it: why", "neither the method nor the URL is for people"


@pytest.mark.parametrize(
    ("raised", "becomes"),
    [
        (exceptions.RetryError("x", requests.ConnectionError("x")), Ambiguous),
        (exceptions.RetryError("x", exceptions.NotFound("x")), NotFound),
        (requests.ConnectionError("x"), Ambiguous),
        (requests.Timeout("x"), Ambiguous),
        (requests.exceptions.ChunkedEncodingError("x"), Ambiguous),
        (requests.exceptions.JSONDecodeError("x", "y", 0), Ambiguous),
        (ConnectionResetError("x"), Ambiguous),
        (TimeoutError(), Ambiguous),
        (Undecodable("x"), Ambiguous),
        (Unfinished("x"), Ambiguous),
        (auth.DefaultCredentialsError("x"), MachineError),
        (auth.RefreshError("x"), MachineError),
        (auth.TransportError("x"), Ambiguous),
        (LedgerConflict("x"), LedgerConflict),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.__name__,
)
def test_each_failure_without_a_status_has_one_meaning(
    raised: Exception, becomes: type[TuneformError]
) -> None:
    assert type(meant(raised)) is becomes


def test_a_defect_of_ours_is_not_taken_for_a_failed_call() -> None:
    with pytest.raises(ZeroDivisionError), remote("creating it", None):
        raise ZeroDivisionError


def test_the_two_conflicts_of_http_are_told_apart_by_the_status_in_the_body() -> None:
    assert type(meant(answered(409, {"message": "x", "status": "ALREADY_EXISTS"}))) is AlreadyExists
    assert type(meant(answered(409, {"message": "x", "status": "ABORTED"}))) is Ambiguous
    assert type(meant(answered(409, {"message": "x", "status": 7}))) is Ambiguous


def test_the_delay_that_the_service_asks_for_is_passed_on() -> None:
    by_header = meant(answered(429, {"message": "x"}, **{"Retry-After": "7"}))
    detail = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2.5s"}
    by_body = meant(answered(429, {"message": "x", "details": [detail]}))
    info = error_details_pb2.RetryInfo()
    info.retry_delay.seconds = 4
    by_message = meant(exceptions.ResourceExhausted("x", details=[info]))
    without = meant(answered(429, {"message": "x"}, **{"Retry-After": "Sat, 21 Nov 2026 00:00:00 GMT"}))
    delays = [
        error.retry_after
        for error in (by_header, by_body, by_message, without)
        if isinstance(error, Retryable)
    ]
    assert delays == [7.0, 2.5, 4.0, None]


def test_an_emulator_that_does_not_answer_is_named_with_the_command_that_starts_it() -> None:
    unreached = exceptions.ServiceUnavailable("failed to connect to all addresses; last error: refused")
    for raised in (requests.ConnectionError(), unreached):
        error = meant(raised, "http://127.0.0.1:9")
        assert error.message == "creating it: nothing answers"
        assert "http://127.0.0.1:9" in error.remedy
        assert "tuneform emulator start" in error.remedy
