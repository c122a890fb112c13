from __future__ import annotations

import pytest

from tuneform_emulator.gcp_plugin.config import context_from
from tuneform_emulator.gcp_plugin.rest import PluginError, loopback_endpoint, resource_path, segment


@pytest.mark.parametrize(
    "endpoint",
    ["http://127.0.0.1:8080", "http://127.1.2.3:80/", "http://localhost:9", "http://[::1]:8080"],
)
def test_loopback_is_accepted(endpoint: str) -> None:
    assert loopback_endpoint(endpoint) == endpoint.rstrip("/")


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://10.0.0.1:8080",
        "http://storage.googleapis.com",
        "http://localhost.example.com",
        "http://0.0.0.0:8080",
        "http://[2001:db8::1]:80",
    ],
)
def test_anything_but_loopback_is_refused(endpoint: str) -> None:
    with pytest.raises(PluginError, match="is not on this machine"):
        loopback_endpoint(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    ["127.0.0.1:8080", "https://127.0.0.1", "http://", "http://127.0.0.1@example.com", "http://127.0.0.1/x"],
)
def test_what_is_no_plain_http_address_is_refused(endpoint: str) -> None:
    with pytest.raises(PluginError, match="is not of the form"):
        loopback_endpoint(endpoint)


def test_a_missing_endpoint_is_an_error_that_says_how_to_get_one() -> None:
    with pytest.raises(PluginError, match=r"TUNEFORM_ENDPOINT is not set.*tuneform emulator start"):
        context_from({"project": "p"}, {})


def test_settings_that_are_no_texts_arrive_as_json() -> None:
    context = context_from(
        {"project": "p1", "defaultLabels": '{"team": "ml"}', "addPulumiAttributionLabel": "false"},
        {"TUNEFORM_ENDPOINT": "http://127.0.0.1:1"},
    )
    assert context.project == "p1"
    assert context.creation_labels({"a": "b"}) == {"team": "ml", "a": "b"}


def test_names_cannot_reach_into_other_paths() -> None:
    assert segment("a/b?c#d") == "a%2Fb%3Fc%23d"
    assert resource_path("projects/p/serviceAccounts/a@b?x") == "projects/p/serviceAccounts/a@b%3Fx"
