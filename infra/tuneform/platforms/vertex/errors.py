"""What a failed call of Google's clients means for what may follow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from google.api_core import exceptions, retry
from google.auth import exceptions as auth

from tuneform.errors import Ambiguous, MachineError, NotFound, Retryable, Terminal

DEADLINE = 60.0
"""Seconds that one call may take; every call has this deadline."""

TRANSIENT = (
    exceptions.TooManyRequests,
    exceptions.ServiceUnavailable,
    exceptions.InternalServerError,
    exceptions.BadGateway,
    exceptions.GatewayTimeout,
    requests.ConnectionError,
    requests.Timeout,
)

READ = retry.Retry(predicate=retry.if_exception_type(*TRANSIENT), initial=0.2, maximum=5.0, timeout=20.0)
"""For calls that may be repeated: reads, and changes that are the same when made twice."""


@contextmanager
def remote(what: str, endpoint: str | None) -> Iterator[None]:
    """Turn what Google's clients raise into our errors. `what` says what was tried, `endpoint` where."""
    try:
        yield
    except exceptions.RetryError as error:
        cause = error.cause or error
        raise Ambiguous(f"{what}: {_text(cause)}", remedy=_reach(endpoint)) from error
    except exceptions.NotFound as error:
        raise NotFound(f"{what}: {_said(error)}") from error
    except exceptions.TooManyRequests as error:
        raise Retryable(
            f"{what}: {_said(error)}", remedy="run the command again later, or raise the quota"
        ) from error
    except exceptions.Forbidden as error:
        raise Terminal(
            f"{what}: {_said(error)}", remedy="grant the permission to the account that runs tuneform"
        ) from error
    except exceptions.ServerError as error:
        raise Ambiguous(f"{what}: {_said(error)}", remedy="run the command again") from error
    except exceptions.GoogleAPICallError as error:
        raise Terminal(
            f"{what}: {_said(error)}", remedy="the service refuses what the specs ask for here: change that"
        ) from error
    except (requests.ConnectionError, requests.Timeout) as error:
        raise Ambiguous(f"{what}: {_text(error)}", remedy=_reach(endpoint)) from error
    except auth.DefaultCredentialsError as error:
        raise MachineError(
            f"{what}: no Google credentials were found", remedy="run `gcloud auth application-default login`"
        ) from error


def _said(error: exceptions.GoogleAPICallError) -> str:
    """The service's own words, without the method and the URL that the client puts before them."""
    return re.sub(r"^[A-Z]+ https?://\S+: ", "", str(error.message))


def _text(error: BaseException) -> str:
    return "nothing answers" if isinstance(error, requests.ConnectionError) else str(error)


def _reach(endpoint: str | None) -> str:
    if endpoint is None:
        return "check the network, then run the command again"
    return f"is the emulator at {endpoint} running? `tuneform emulator start` starts it; then run the command again"
