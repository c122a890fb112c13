"""Where calls go, and who they say they are from."""

from __future__ import annotations

import asyncio
from importlib.metadata import version

import pytest

from tuneform.errors import SettingsError
from tuneform.platforms.vertex.calls import transports
from tuneform.platforms.vertex.calls.transports import Address, agent, host


def test_multi_regions_have_hosts_of_their_own() -> None:
    assert host("us-central1") == "us-central1-aiplatform.googleapis.com"
    assert host("eu") == "aiplatform.eu.rep.googleapis.com"


def test_a_call_says_which_run_it_is_of() -> None:
    assert agent("host:12:1a2b3c4d") == f"tuneform/{version('tuneform')} run/1a2b3c4d"


def test_an_insecure_channel_is_for_this_machine_only() -> None:
    async def make() -> None:
        elsewhere = Address("192.0.2.1:50051", grpc=True, local=True)
        transports.client("model_service", elsewhere, None, "tuneform/1 run/x")

    with pytest.raises(SettingsError, match=r"192\.0\.2\.1:50051 is not on this machine"):
        asyncio.run(make())
