"""What a failed call of Google's clients means for what may follow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from google.api_core import exceptions
from google.auth import exceptions as auth

from tuneform.errors import (
    AlreadyExists,
    Ambiguous,
    MachineError,
    NotFound,
    RemoteError,
    Retryable,
    Terminal,
    TuneformError,
)
from tuneform.platforms.vertex.calls.retry import DEADLINE, READ, Undecodable, http_status, retry_after

__all__ = ["DEADLINE", "READ", "Unfinished", "meaning", "remote"]

LOGIN = "run `gcloud auth application-default login`"
AGAIN = "run the command again"
GONE = "run the command again: it looks anew, and says what is missing if that was deleted"
UNDECIDED = frozenset({408, 409, 499})
"""4xx statuses after which the call may have taken effect: a timeout, a conflict that may be with an earlier try of
the same call, a call that was cancelled under way."""


class Unfinished(Exception):
    """A long-running operation did not end in the time it was given."""


@contextmanager
def remote(what: str, endpoint: str | None) -> Iterator[None]:
    """Turn what Google's clients raise into our errors. `what` says what was tried, `endpoint` where."""
    try:
        yield
    except TuneformError:
        raise
    except Exception as error:
        meant = meaning(error, what, endpoint)
        if meant is None:
            raise
        raise meant from error


def meaning(error: Exception, what: str, endpoint: str | None) -> TuneformError | None:
    """Our error for one of Google's clients; None for what is none of them, which is a defect of ours."""
    match error:
        case exceptions.RetryError():
            cause = error.cause
            found = meaning(cause, what, endpoint) if isinstance(cause, Exception) else None
            return found or Ambiguous(f"{what}: {error.message}", remedy=AGAIN)
        case exceptions.GoogleAPICallError():
            return _refusal(error, what, endpoint)
        case Unfinished():
            return Ambiguous(f"{what}: {error}", remedy=AGAIN)
        case Undecodable():
            return Ambiguous(f"{what}: an answer came that cannot be read ({error})", remedy=AGAIN)
        case auth.DefaultCredentialsError():
            return MachineError(f"{what}: no Google credentials were found", remedy=LOGIN)
        case auth.TransportError():
            return Ambiguous(f"{what}: Google's sign-in cannot be reached ({error})", remedy=_reach(None))
        case auth.GoogleAuthError():
            return MachineError(f"{what}: Google does not take the credentials: {error}", remedy=LOGIN)
        case TimeoutError() | requests.Timeout():
            return Ambiguous(f"{what}: no answer in time", remedy=_reach(endpoint))
        case requests.ConnectionError() | ConnectionError():
            return Ambiguous(f"{what}: nothing answers", remedy=_reach(endpoint))
        case requests.RequestException():
            return Ambiguous(f"{what}: {error}", remedy=_reach(endpoint))
    return None


def _refusal(error: exceptions.GoogleAPICallError, what: str, endpoint: str | None) -> RemoteError:
    text = f"{what}: {_said(error)}"
    status = http_status(error)
    if _unreached(error):
        return Ambiguous(f"{what}: nothing answers", remedy=_reach(endpoint))
    if status == 404:
        return NotFound(text, remedy=GONE)
    if status == 429:
        return Retryable(
            text,
            remedy="run the command again later, or raise the quota",
            retry_after=retry_after(error),
        )
    if status == 409 and _canonical(error) == "ALREADY_EXISTS":
        return AlreadyExists(text, remedy=AGAIN)
    if status == 401:
        return Terminal(text, remedy=LOGIN)
    if status == 403:
        return Terminal(text, remedy="grant the permission to the account that runs tuneform")
    if status is not None and 400 <= status < 500 and status not in UNDECIDED:
        return Terminal(text, remedy="the service refuses what the specs ask for here: change that")
    return Ambiguous(text, remedy=AGAIN, retry_after=retry_after(error))


def _canonical(error: exceptions.GoogleAPICallError) -> str:
    """The canonical name of the status, which over REST stands in the body: HTTP's 409 has several."""
    code = str(error.grpc_status_code.name) if error.grpc_status_code is not None else ""
    return code if error.response is None else _body(error, "status") or code


def _body(error: exceptions.GoogleAPICallError, field: str) -> str:
    """What Google's error body over REST says under a name; empty where there is no such body."""
    try:
        body: Any = error.response.json()["error"]
        return str(body.get(field, ""))
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""


def _unreached(error: exceptions.GoogleAPICallError) -> bool:
    """gRPC's words for a server that is not there (grpc 1.85, client_channel)."""
    return isinstance(error, exceptions.ServiceUnavailable) and "failed to connect to all addresses" in str(
        error.message
    )


def _said(error: exceptions.GoogleAPICallError) -> str:
    """The service's own words, without what the client puts around them: method and URL, or (uploads) the body."""
    said = _body(error, "message") if error.response is not None else ""
    return said or re.sub(r"^[A-Z]+ https?://\S+: ", "", str(error.message))


def _reach(endpoint: str | None) -> str:
    if endpoint is None:
        return "check the network, then run the command again"
    return f"is the emulator at {endpoint} running? `tuneform emulator start` starts it; then run the command again"
