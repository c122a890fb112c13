"""A running emulator as tests see it, with the official clients pointed at it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import requests
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import kms_v1, resourcemanager_v3, storage
from googleapiclient import discovery

from tuneform_emulator.world import World


@dataclass(frozen=True)
class Emulator:
    """An emulator that serves from a thread of this process, over a real socket, from a state directory."""

    endpoint: str
    world: World
    project: str = "tuneform-test"
    location: str = "us-central1"
    clients: ExitStack = field(default_factory=ExitStack)

    @property
    def number(self) -> str:
        """The project's number."""
        return self.world.names.number(self.project)

    def close(self) -> None:
        """Closes the connections of the clients that were handed out."""
        self.clients.close()

    def options(self) -> ClientOptions:
        return ClientOptions(api_endpoint=self.endpoint)

    def storage(self) -> storage.Client:
        client = storage.Client(
            project=self.project, credentials=AnonymousCredentials(), client_options=self.options()
        )
        # It would ask for each bucket that it meets, some time later, and meet a fault that is meant for others.
        client._bucket_metadata_cache = None
        self.clients.callback(client.close)
        return client

    def kms(self) -> kms_v1.KeyManagementServiceClient:
        client = kms_v1.KeyManagementServiceClient(
            credentials=AnonymousCredentials(), transport="rest", client_options=self.options()
        )
        self.clients.callback(client.transport.close)
        return client

    def projects(self) -> resourcemanager_v3.ProjectsClient:
        client = resourcemanager_v3.ProjectsClient(
            credentials=AnonymousCredentials(), transport="rest", client_options=self.options()
        )
        self.clients.callback(client.transport.close)
        return client

    def discovered(self, api: str, version: str) -> Any:
        """The client of google-api-python-client, e.g. ("iam", "v1")."""
        client = discovery.build(
            api,
            version,
            credentials=AnonymousCredentials(),
            static_discovery=True,
            client_options=self.options(),
        )
        self.clients.callback(client.close)
        return client

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """A plain HTTP call, for what no client sends."""
        return requests.request(method, self.endpoint + path, timeout=30, **options)

    def calls(self) -> dict[str, int]:
        """Calls so far by method and route."""
        counted: dict[str, int] = self.call("GET", "/_emulator/requests").json()["requests"]
        return counted
