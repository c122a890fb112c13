from __future__ import annotations

import logging

import pytest

from tuneform_emulator.traffic.dispatch import call, render_error
from tuneform_emulator.wire import ApiError, Request, Response, Route


def test_a_defect_is_logged_and_the_client_learns_nothing_of_it(caplog: pytest.LogCaptureFixture) -> None:
    def broken(request: Request) -> Response:
        raise KeyError(f"inner workings of {request.path}")

    with caplog.at_level(logging.ERROR):
        answer = call(Route("GET", "/v1/x", broken), Request("GET", "/v1/x"))
    assert answer.status == 500
    assert answer.body["error"]["status"] == "INTERNAL"
    assert "inner workings" not in str(answer.body)
    assert "inner workings" in caplog.text


def test_a_mapping_is_a_200_of_json() -> None:
    answer = call(Route("GET", "/v1/x", lambda request: {"path": request.path}), Request("GET", "/v1/x"))
    assert (answer.status, answer.content()) == (200, b'{"path":"/v1/x"}')


def test_storage_has_errors_of_its_own_shape() -> None:
    error = ApiError.conditional("no")
    assert render_error("/storage/v1/b/x", error).body == {
        "error": {
            "code": 412,
            "message": "no",
            "errors": [{"domain": "global", "reason": "conditionNotMet", "message": "no"}],
        }
    }
    assert render_error("/v1/x", error).body == {
        "error": {"code": 412, "message": "no", "status": "FAILED_PRECONDITION"}
    }
