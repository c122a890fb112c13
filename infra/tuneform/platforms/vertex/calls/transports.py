"""Google's clients for one address: async ones over gRPC, or the REST ones."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import grpc
import grpc.aio
from google.api_core.client_options import ClientOptions
from google.api_core.gapic_v1.client_info import ClientInfo
from google.auth.credentials import AnonymousCredentials

from tuneform.errors import SettingsError
from tuneform.platforms.vertex import slim

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # What is sent again is ours to decide: see `retry`.
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2000),
)

# grpc.aio logs an answer that it cannot decode with a traceback, and we report it. This keeps Python's
# handler of last resort away from it; whoever sets up logging still sees it.
logging.getLogger("grpc").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Address:
    """Where a location's services are: `host:port` or `host` for gRPC, that or a URL for REST."""

    address: str
    grpc: bool
    local: bool = False


def agent(holder: str) -> str:
    """Who sends a call: `tuneform/<version> run/<id>`, where the id is the last part of `host:pid:id`."""
    return f"tuneform/{version('tuneform')} run/{holder.rpartition(':')[2]}"


def host(location: str) -> str:
    """Vertex's host for a location: multi-regions have names of their own.

    Source: google-genai 2.34 `_api_client.py`, which sends `us` and `eu` to the rep hosts.
    """
    if location in {"us", "eu"}:
        return f"aiplatform.{location}.rep.googleapis.com"
    return f"{location}-aiplatform.googleapis.com"


def client(service: str, at: Address, credentials: Any, user_agent: str) -> Any:
    """A client of a service; one over gRPC has to be made in the loop that it will be used in."""
    info = ClientInfo(user_agent=user_agent)
    if at.grpc:
        transport = slim.transport_class(service)
        channel = _channel(transport, at, credentials, user_agent)
        return slim.client_class(service, asynchronous=True)(
            transport=transport(host=at.address, channel=channel, client_info=info)
        )
    return slim.client_class(service)(
        transport="rest",
        credentials=AnonymousCredentials() if at.local else credentials,
        client_options=ClientOptions(api_endpoint=at.address),
        client_info=info,
    )


def _channel(transport: Any, at: Address, credentials: Any, user_agent: str) -> grpc.aio.Channel:
    options = [*OPTIONS, ("grpc.primary_user_agent", user_agent)]
    if not at.local:
        made: grpc.aio.Channel = transport.create_channel(
            f"{at.address}:443", credentials=credentials, options=options
        )
        return made
    if urlsplit(f"//{at.address}").hostname not in LOOPBACK:
        raise SettingsError(
            f"the emulator's gRPC address {at.address} is not on this machine",
            remedy="unset TUNEFORM_GRPC_ENDPOINT, or set it as `tuneform emulator env` says",
        )
    # A proxy can have no part in calls to this machine.
    return grpc.aio.insecure_channel(at.address, options=[*options, ("grpc.enable_http_proxy", 0)])
