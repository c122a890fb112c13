"""The ports of one project on Vertex AI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tuneform.platforms.vertex import jobs, serving
from tuneform.platforms.vertex.clients import Clients
from tuneform.platforms.vertex.curves import read_curves
from tuneform.platforms.vertex.storage import GcsLedger, GcsObjects
from tuneform.reconcile.core import Ports
from tuneform.reconcile.desired import Project, Tuning
from tuneform.reconcile.live import Curves, Endpoint, Job, Model
from tuneform.reconcile.ports import Clock, Listener

REAL_POLL = 15.0
EMULATOR_POLL = 0.5


def connect(project: Project, endpoint: str | None, *, listener: Listener, clock: Clock) -> Ports:
    """Ports to the real service, or to the emulator at `endpoint` (`http://127.0.0.1:PORT`). Sends nothing yet."""
    clients = Clients(project, endpoint)
    return Ports(
        reader=VertexReader(clients),
        writer=VertexWriter(clients),
        ledger=GcsLedger(clients),
        objects=GcsObjects(clients),
        clock=clock,
        listener=listener,
        poll=EMULATOR_POLL if endpoint else REAL_POLL,
    )


@dataclass(frozen=True)
class VertexReader:
    """`ports.Reader` on Vertex AI."""

    clients: Clients

    def jobs(self, project: Project, name: str) -> tuple[Job, ...]:
        """See `ports.Reader`."""
        return jobs.list_jobs(self.clients, project, name)

    def job(self, name: str) -> Job | None:
        """See `ports.Reader`."""
        return jobs.get_job(self.clients, name)

    def model(self, name: str) -> Model | None:
        """See `ports.Reader`."""
        return serving.get_model(self.clients, name)

    def endpoint(self, name: str) -> Endpoint | None:
        """See `ports.Reader`."""
        return serving.get_endpoint(self.clients, name)

    def curves(self, job: Job) -> Curves:
        """See `ports.Reader`."""
        return read_curves(self.clients, job)


@dataclass(frozen=True)
class VertexWriter:
    """`ports.Writer` on Vertex AI."""

    clients: Clients

    def create_job(self, tuning: Tuning, training_uri: str, labels: Mapping[str, str]) -> Job:
        """See `ports.Writer`."""
        return jobs.create_job(self.clients, tuning, training_uri, labels)

    def cancel_job(self, name: str) -> None:
        """See `ports.Writer`."""
        jobs.cancel_job(self.clients, name)

    def patch_model(
        self, name: str, *, labels: Mapping[str, str], display_name: str = "", description: str = ""
    ) -> None:
        """See `ports.Writer`."""
        serving.patch_model(
            self.clients, name, labels=labels, display_name=display_name, description=description
        )

    def delete_model(self, name: str) -> None:
        """See `ports.Writer`."""
        serving.delete_model(self.clients, name)

    def create_endpoint(self, endpoint: Endpoint, *, kms_key: str | None) -> None:
        """See `ports.Writer`."""
        serving.create_endpoint(self.clients, endpoint, kms_key)

    def patch_endpoint(self, endpoint: Endpoint) -> None:
        """See `ports.Writer`."""
        serving.patch_endpoint(self.clients, endpoint)

    def deploy(self, endpoint: str, model: str, checkpoint: str, *, traffic: Mapping[str, int]) -> str:
        """See `ports.Writer`."""
        return serving.deploy(self.clients, endpoint, model, checkpoint, traffic)

    def set_traffic(self, endpoint: str, traffic: Mapping[str, int]) -> None:
        """See `ports.Writer`."""
        serving.set_traffic(self.clients, endpoint, traffic)

    def undeploy(self, endpoint: str, deployed: str) -> None:
        """See `ports.Writer`."""
        serving.undeploy(self.clients, endpoint, deployed)

    def delete_endpoint(self, name: str) -> None:
        """See `ports.Writer`."""
        serving.delete_endpoint(self.clients, name)

    def ask(self, endpoint: str, request: Mapping[str, Any]) -> str:
        """See `ports.Writer`."""
        return serving.ask(self.clients, endpoint, request)
