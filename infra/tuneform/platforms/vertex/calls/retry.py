"""Which failures pass by themselves, and how long to wait before a call is sent again."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import requests
from google.api_core import exceptions
from google.auth import exceptions as auth

P = ParamSpec("P")
T = TypeVar("T")

DEADLINE = 60.0
"""Seconds that one call may take; every call has a deadline."""

TRANSIENT_STATUS = frozenset({408, 429, 499, 500, 502, 503, 504})
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0


class Undecodable(Exception):
    """An answer came that is not what it should be; what the call did is not known."""


def http_status(error: BaseException) -> int | None:
    """The HTTP status that a failure stands for; None when there was no answer."""
    if not isinstance(error, exceptions.GoogleAPICallError):
        return None
    # gRPC's UNKNOWN and DATA_LOSS come as server errors without a number.
    return error.code or (500 if isinstance(error, exceptions.ServerError) else None)


def is_transient(error: BaseException) -> bool:
    """Whether the same call may well succeed a little later."""
    match error:
        case exceptions.Aborted():
            return True
        case exceptions.GoogleAPICallError():
            return http_status(error) in TRANSIENT_STATUS
        case requests.exceptions.InvalidURL() | requests.exceptions.InvalidSchema():
            return False
        case requests.RequestException() | Undecodable() | ConnectionError() | TimeoutError():
            return True
        case auth.GoogleAuthError():
            return bool(error.retryable)
    return False


def retry_after(error: BaseException) -> float | None:
    """The seconds that the service asks us to wait, from RetryInfo or the header Retry-After."""
    if not isinstance(error, exceptions.GoogleAPICallError):
        return None
    found = [_delay(detail) for detail in error.details or ()]
    headers = getattr(error.response, "headers", None) or {}
    found.append(_number(headers.get("Retry-After")))
    return max((seconds for seconds in found if seconds is not None), default=None)


def _delay(detail: Any) -> float | None:
    """The delay in a google.rpc.RetryInfo, which is a message over gRPC and JSON over REST."""
    if isinstance(detail, dict):
        return _number(str(detail.get("retryDelay", "")).removesuffix("s"))
    delay = getattr(detail, "retry_delay", None)
    return None if delay is None else float(delay.seconds + delay.nanos / 1e9)


def _number(text: Any) -> float | None:
    try:
        seconds = float(text)
    except (TypeError, ValueError):
        return None
    return seconds if 0 <= seconds < float("inf") else None


@dataclass(frozen=True)
class Policy:
    """How long a call is tried: `budget` seconds, 0 for once. A first repetition is made however long the try took.

    A service that asks for a longer wait than the budget allows gets no second call; its answer is the result.
    """

    budget: float

    def pause(self, error: BaseException, tries: int, elapsed: float) -> float | None:
        """Seconds until the next try after `tries` failed ones, `elapsed` seconds from the start; None to give up."""
        if not self.budget or not is_transient(error):
            return None
        asked = retry_after(error) or 0.0
        # The draw keeps apart those that failed together; nothing secret hangs on it.
        drawn = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (tries - 1)) * random.uniform(0.5, 1.0)  # noqa: S311
        pause = max(asked, drawn)
        if asked > self.budget or (elapsed + pause > self.budget and tries > 1):
            return None
        return pause

    async def patiently(self, send: Callable[[], Awaitable[T]]) -> T:
        """Send until there is an answer, an error that stays, or no time left; then raises the last error."""
        started, tries = time.monotonic(), 0
        while True:
            try:
                return await send()
            except Exception as error:
                tries += 1
                pause = self.pause(error, tries, time.monotonic() - started)
                if pause is None:
                    raise
            await asyncio.sleep(pause)

    def __call__(self, send: Callable[P, T]) -> Callable[P, T]:
        """The same for a function that blocks."""

        def patient(*args: P.args, **kwargs: P.kwargs) -> T:
            started, tries = time.monotonic(), 0
            while True:
                try:
                    return send(*args, **kwargs)
                except Exception as error:
                    tries += 1
                    pause = self.pause(error, tries, time.monotonic() - started)
                    if pause is None:
                        raise
                time.sleep(pause)

        return patient


READ = Policy(20.0)
"""For calls that may be repeated: reads, and changes that are the same when made twice."""

ONCE = Policy(0.0)
"""For calls that must not be repeated blindly."""
