"""What faults do, as data. A fault is ordered for calls or for tuning jobs; all are frozen and plain values."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any, Literal

from tuneform_emulator.wire import ApiError

from .calls import Calls, When, check_window

ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"

HTTP_CODES = {
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
    "UNAUTHENTICATED": 401,
}
"""HTTP status by canonical status (google/rpc/code.proto)."""

REASONS = {401: "authError", 403: "forbidden", 404: "notFound", 429: "rateLimitExceeded"}
"""The words of Cloud Storage for some of them ("HTTP status and error codes for JSON")."""


@dataclass(frozen=True)
class Status:
    """An error answer. `code` 0 is the HTTP status that belongs to the canonical one.

    `retry_after` above 0 is said in whole seconds by the header, to the point by google.rpc.RetryInfo; `reason`, such
    as SERVICE_DISABLED, by google.rpc.ErrorInfo.
    """

    status: str = "UNAVAILABLE"
    code: int = 0
    message: str = "The service is currently unavailable."
    retry_after: float = 0.0
    reason: str = ""

    def __post_init__(self) -> None:
        if self.status not in HTTP_CODES:
            raise ValueError(f"no such status {self.status}")
        if self.code and not 400 <= self.code <= 599:
            raise ValueError("code is 400 to 599")
        if self.retry_after < 0:
            raise ValueError("retry_after is not negative")

    def error(self) -> ApiError:
        """The refusal to render."""
        code = self.code or HTTP_CODES[self.status]
        delay = f"{self.retry_after:.9f}".rstrip("0").rstrip(".") + "s"
        details: tuple[dict[str, Any], ...] = (
            ({"@type": RETRY_INFO, "retryDelay": delay},) if self.retry_after else ()
        )
        if self.reason:
            told = {"@type": ERROR_INFO, "reason": self.reason, "domain": "googleapis.com"}
            details = (*details, told)
        return ApiError(code, self.status, self.message, details, reason=REASONS.get(code, ""))

    def headers(self) -> dict[str, str]:
        """What the answer carries beside its body."""
        return {"Retry-After": str(math.ceil(self.retry_after))} if self.retry_after else {}


def quota(
    message: str = "Resource has been exhausted (e.g. check quota).", retry_after: float = 0.0
) -> Status:
    """A quota is used up: 429 RESOURCE_EXHAUSTED."""
    return Status("RESOURCE_EXHAUSTED", 0, message, retry_after)


def permission_missing(message: str = "The caller does not have permission.") -> Status:
    """The caller may not: 403 PERMISSION_DENIED."""
    return Status("PERMISSION_DENIED", 0, message)


@dataclass(frozen=True)
class Delay:
    """The call waits, in real time, and then goes on; taking the order back ends the wait."""

    seconds: float

    def __post_init__(self) -> None:
        if self.seconds < 0:
            raise ValueError("seconds is not negative")


@dataclass(frozen=True)
class Reset:
    """The connection is dropped without an answer; after the handler, that is a response that got lost."""


@dataclass(frozen=True)
class Malformed:
    """A 200 whose body cannot be read."""

    body: str = '{"name": "projects/1/loc'
    media_type: str = "application/json"


CallEffect = Status | Delay | Reset | Malformed

Phase = Literal["queued", "pending", "quota", "dataset", "capacity", "tuning", "post", "cancelling"]
"""Where a tuning job is, in the words of `tuning_runner`."""


@dataclass(frozen=True)
class Jobs:
    """Which tuning jobs are meant, and when in their lives: as they are about to leave `phase`.

    Raises ValueError for a name that is no regular expression, and for numbers that mean nothing.
    """

    phase: Phase
    name: str = ""
    """A regular expression, looked for in the job's resource name and in its tuned model's display name."""
    epochs: int = 0
    """Not before so many epochs are done."""
    nth: int = 1
    times: int = 1

    def __post_init__(self) -> None:
        try:
            re.compile(self.name)
        except re.error as error:
            raise ValueError(f"name is no regular expression: {error}") from error
        if self.epochs < 0:
            raise ValueError("epochs is not negative")
        check_window(self.nth, self.times)

    def fits(self, phase: str, epochs: int, names: tuple[str, ...]) -> bool:
        """Whether a job with these names is meant, where it is now."""
        return (
            phase == self.phase
            and epochs >= self.epochs
            and any(re.search(self.name, name) for name in names)
        )


@dataclass(frozen=True)
class Stuck:
    """The job stays in its phase until the order is taken back; it can be cancelled all the same."""


@dataclass(frozen=True)
class Failed:
    """The job ends in JOB_STATE_FAILED with a google.rpc code and a message."""

    code: int = 13
    message: str = "Internal error encountered."

    def __post_init__(self) -> None:
        if not 1 <= self.code <= 16:
            raise ValueError("code is one of google.rpc.Code, 1 to 16")


@dataclass(frozen=True)
class EndpointFailed:
    """The job's Model is there, its Endpoints are not; only on leaving phase `post`.

    No document says in which state the real job then ends; JOB_STATE_PARTIALLY_SUCCEEDED ("The job is partially
    succeeded, some results may be missing due to errors", aiplatform_v1 `JobState`) fits the words best.
    """

    state: Literal["JOB_STATE_PARTIALLY_SUCCEEDED", "JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED"] = (
        "JOB_STATE_PARTIALLY_SUCCEEDED"
    )


@dataclass(frozen=True)
class KeyRevoked:
    """The primary version of the job's key gets this state, as if somebody had done it right then."""

    state: Literal["DISABLED", "DESTROYED"] = "DISABLED"


JobEffect = Stuck | Failed | EndpointFailed | KeyRevoked


@dataclass(frozen=True)
class CallFault:
    """Something happens to calls."""

    calls: Calls
    effect: CallEffect
    when: When = "before"


@dataclass(frozen=True)
class JobFault:
    """Something happens to tuning jobs. Raises ValueError for an effect that its phase does not have."""

    jobs: Jobs
    effect: JobEffect = field(default_factory=Stuck)

    def __post_init__(self) -> None:
        if isinstance(self.effect, EndpointFailed) and self.jobs.phase != "post":
            raise ValueError("endpoints are made on leaving phase post")
        if isinstance(self.effect, Failed) and self.jobs.phase == "cancelling":
            raise ValueError("a job that is being cancelled does not fail any more")


Fault = CallFault | JobFault
