"""What a failed call means decides what may follow; a wrong class here pays twice."""

from __future__ import annotations

import pytest
import requests
from google.api_core import exceptions
from google.auth import exceptions as auth

from tuneform.errors import Ambiguous, MachineError, NotFound, Retryable, Terminal, TuneformError
from tuneform.platforms.vertex.clients import host
from tuneform.platforms.vertex.errors import remote


@pytest.mark.parametrize(
    ("raised", "becomes"),
    [
        (exceptions.NotFound("x"), NotFound),
        (exceptions.TooManyRequests("x"), Retryable),
        (exceptions.Forbidden("x"), Terminal),
        (exceptions.BadRequest("x"), Terminal),
        (exceptions.Conflict("x"), Terminal),
        (exceptions.InternalServerError("x"), Ambiguous),
        (exceptions.ServiceUnavailable("x"), Ambiguous),
        (exceptions.GatewayTimeout("x"), Ambiguous),
        (exceptions.RetryError("x", requests.ConnectionError("x")), Ambiguous),
        (requests.ConnectionError("x"), Ambiguous),
        (requests.Timeout("x"), Ambiguous),
        (auth.DefaultCredentialsError("x"), MachineError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.__name__,
)
def test_each_failure_has_one_meaning(raised: Exception, becomes: type[TuneformError]) -> None:
    with pytest.raises(TuneformError) as caught, remote("creating it", None):
        raise raised
    assert type(caught.value) is becomes
    assert caught.value.message.startswith("creating it: ")


def test_an_emulator_that_does_not_answer_is_named_with_the_command_that_starts_it() -> None:
    with pytest.raises(Ambiguous) as caught, remote("listing", "http://127.0.0.1:9"):
        raise requests.ConnectionError
    assert "http://127.0.0.1:9" in caught.value.remedy
    assert "tuneform emulator start" in caught.value.remedy


def test_multi_regions_have_hosts_of_their_own() -> None:
    assert host("us-central1") == "us-central1-aiplatform.googleapis.com"
    assert host("eu") == "aiplatform.eu.rep.googleapis.com"
