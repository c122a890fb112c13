"""How long a call is tried, without waiting for it."""

from __future__ import annotations

import asyncio

import pytest
import requests
from google.api_core import exceptions
from google.rpc import error_details_pb2

from tuneform.platforms.vertex.calls.retry import LONGEST_PAUSE, ONCE, READ, Policy, Undecodable, is_transient

DOWN = exceptions.ServiceUnavailable("x")


def asked(seconds: int) -> Exception:
    info = error_details_pb2.RetryInfo()
    info.retry_delay.seconds = seconds
    error: Exception = exceptions.ResourceExhausted("x", details=[info])
    return error


@pytest.mark.parametrize(
    "error",
    [
        exceptions.TooManyRequests("x"),
        exceptions.ResourceExhausted("x"),
        exceptions.InternalServerError("x"),
        exceptions.Unknown("x"),
        exceptions.BadGateway("x"),
        DOWN,
        exceptions.DeadlineExceeded("x"),
        exceptions.Aborted("x"),
        exceptions.from_http_status(408, "x"),
        requests.ConnectionError(),
        requests.Timeout(),
        ConnectionResetError(),
        TimeoutError(),
        Undecodable("x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_passes_by_itself(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize(
    "error",
    [
        exceptions.BadRequest("x"),
        exceptions.Forbidden("x"),
        exceptions.NotFound("x"),
        exceptions.Conflict("x"),
        exceptions.PreconditionFailed("x"),
        exceptions.MethodNotImplemented("x"),
        requests.exceptions.InvalidURL(),
        ZeroDivisionError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_stays(error: Exception) -> None:
    assert not is_transient(error)


def test_pauses_grow_up_to_a_bound_and_end_with_the_budget() -> None:
    pauses = [READ.pause(DOWN, tries, 0.0) for tries in range(1, 12)]
    assert pauses[0] is not None
    assert 0.1 <= pauses[0] <= 0.2
    assert all(pause is not None and pause <= LONGEST_PAUSE for pause in pauses)
    assert READ.pause(DOWN, 2, READ.budget) is None


def test_one_try_that_took_all_the_time_is_repeated_once() -> None:
    assert READ.pause(TimeoutError(), 1, 10 * READ.budget) is not None
    assert READ.pause(TimeoutError(), 2, 10 * READ.budget) is None


def test_the_service_s_own_delay_is_kept_or_the_call_given_up() -> None:
    assert READ.pause(asked(3), 1, 0.0) == 3.0
    assert READ.pause(asked(300), 1, 0.0) is None


def test_a_call_that_is_sent_once_is_never_repeated() -> None:
    assert ONCE.pause(DOWN, 1, 0.0) is None


@pytest.mark.parametrize("blocking", [True, False])
def test_a_call_is_repeated_until_it_succeeds_or_the_error_stays(blocking: bool) -> None:
    policy = Policy(5.0)

    def run(*outcomes: Exception | str) -> tuple[object, int]:
        left = list(outcomes)

        def send() -> str:
            outcome = left.pop(0)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        async def send_async() -> str:
            return send()

        try:
            found: object = policy(send)() if blocking else asyncio.run(policy.patiently(send_async))
        except exceptions.GoogleAPICallError as error:
            found = error
        return found, len(left)

    assert run(DOWN, "here", "unasked") == ("here", 1)
    refusal = exceptions.BadRequest("x")
    assert run(DOWN, refusal, "unasked") == (refusal, 1)
