"""The ports of one project on Vertex AI."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tuneform.errors import AlreadyExists, Ambiguous
from tuneform.platforms.vertex import jobs, serving
from tuneform.platforms.vertex.calls.pace import PER_MINUTE
from tuneform.platforms.vertex.calls.retry import DEADLINE
from tuneform.platforms.vertex.clients import Clients, Transport
from tuneform.platforms.vertex.curves import CurveReader
from tuneform.platforms.vertex.infrastructure import VertexInfrastructure
from tuneform.platforms.vertex.storage.ledger import GcsLedger
from tuneform.platforms.vertex.storage.objects import GcsObjects
from tuneform.reconcile import holders
from tuneform.reconcile.actions import Origin
from tuneform.reconcile.desired import Project, Tuning
from tuneform.reconcile.live import Curves, Endpoint, Job, Model
from tuneform.reconcile.ports import Clock, Listener, Ports
from tuneform.reconcile.turns import Turns

REAL_POLL = 15.0
EMULATOR_POLL = 0.5
REAL_LAG = timedelta(seconds=60)
EMULATOR_LAG = timedelta(seconds=1)


def connect(
    project: Project,
    endpoint: str | None,
    *,
    listener: Listener,
    clock: Clock,
    holder: str | None = None,
    transport: Transport = "grpc",
    list_lag: timedelta | None = None,
    poll: float | None = None,
    deadline: float = DEADLINE,
    rate: int | None = None,
    max_jobs: int | None = None,
) -> Ports:
    """Ports to the real service, or to the emulator at `endpoint` (`http://127.0.0.1:PORT`). Sends nothing yet.

    `holder` is this process by default. `list_lag` is a minute for the real service: nobody has written down how long
    its lists lag, so a minute is a guess on the safe side; a second for the emulator. `poll` and `deadline` (of one
    try of one call) are in seconds. `rate` is how many calls may go in a minute: `PER_MINUTE` to the real service, any
    number to the emulator. `max_jobs` is how many jobs may be under way at once, None to leave that to the service.
    """
    who = holder or holders.holder()
    pace = rate if rate is not None else None if endpoint else PER_MINUTE
    clients = Clients(project, endpoint, transport=transport, holder=who, deadline=deadline, rate=pace)
    return Ports(
        reader=VertexReader(clients),
        writer=VertexWriter(clients),
        ledger=GcsLedger(clients),
        objects=GcsObjects(clients),
        infrastructure=VertexInfrastructure(clients),
        clock=clock,
        listener=listener,
        holder=who,
        poll=poll if poll is not None else EMULATOR_POLL if endpoint else REAL_POLL,
        list_lag=list_lag if list_lag is not None else EMULATOR_LAG if endpoint else REAL_LAG,
        turns=Turns(max_jobs),
    )


class VertexReader:
    """`ports.Reader` on Vertex AI."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._jobs = jobs.Jobs(clients)
        self._curves = CurveReader(clients)

    def jobs(self, project: Project, name: str | None = None) -> tuple[Job, ...]:
        """See `ports.Reader`."""
        what = f"listing the tuning jobs of {project.parent}"
        return self._clients.run(what, self._jobs.ours(project, name))

    def others(self, project: Project) -> tuple[Job, ...]:
        """See `ports.Reader`."""
        return self._clients.run(f"listing the tuning jobs of {project.parent}", self._jobs.others(project))

    def models(self, project: Project) -> tuple[Model, ...]:
        """See `ports.Reader`."""
        return self._clients.run(
            f"listing the models of {project.parent}", serving.models(self._clients, project)
        )

    def endpoints(self, project: Project) -> tuple[Endpoint, ...]:
        """See `ports.Reader`."""
        what = f"listing the endpoints of {project.serving_parent}"
        return self._clients.run(what, serving.endpoints(self._clients, project))

    def job(self, name: str) -> Job | None:
        """See `ports.Reader`."""
        return self._clients.run(f"reading {name}", jobs.get(self._clients, name))

    def model(self, name: str) -> Model | None:
        """See `ports.Reader`."""
        return self._clients.run(f"reading {name}", serving.get_model(self._clients, name))

    def endpoint(self, name: str) -> Endpoint | None:
        """See `ports.Reader`."""
        return self._clients.run(f"reading {name}", serving.get_endpoint(self._clients, name))

    def curves(self, job: Job) -> Curves:
        """See `ports.Reader`."""
        return self._clients.run(f"reading the metrics of {job.name}", self._curves.read(job))


class VertexWriter:
    """`ports.Writer` on Vertex AI."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def create_job(
        self, tuning: Tuning, training_uri: str, labels: Mapping[str, str], origin: Origin | None = None
    ) -> Job:
        """See `ports.Writer`."""
        what = f"creating the tuning job of {tuning.identity}"
        try:
            return self._clients.run(what, jobs.create(self._clients, tuning, training_uri, labels, origin))
        except AlreadyExists as error:
            # A tuning job has no name of our choosing, so that this says nothing of what became of the call.
            raise Ambiguous(error.message, remedy="run the command again") from error

    def cancel_job(self, name: str) -> None:
        """See `ports.Writer`."""
        self._clients.run(f"cancelling {name}", jobs.cancel(self._clients, name))

    def patch_model(
        self, name: str, *, labels: Mapping[str, str], display_name: str = "", description: str = ""
    ) -> None:
        """See `ports.Writer`."""
        patch = serving.patch_model(
            self._clients, name, labels=labels, display_name=display_name, description=description
        )
        self._clients.run(f"updating {name}", patch)

    def delete_model(self, name: str) -> None:
        """See `ports.Writer`."""
        self._clients.run(f"deleting {name}", serving.delete_model(self._clients, name))

    def create_endpoint(self, endpoint: Endpoint, *, kms_key: str | None) -> None:
        """See `ports.Writer`.

        Raises:
            AlreadyExists: there is one of this id, ours or not.
        """
        create = serving.create_endpoint(self._clients, endpoint, kms_key)
        self._clients.run(f"creating {endpoint.name}", create)

    def patch_endpoint(self, endpoint: Endpoint) -> None:
        """See `ports.Writer`."""
        self._clients.run(f"updating {endpoint.name}", serving.patch_endpoint(self._clients, endpoint))

    def deploy(self, endpoint: str, model: str, checkpoint: str, *, traffic: Mapping[str, int]) -> str:
        """See `ports.Writer`."""
        deployment = serving.deploy(self._clients, endpoint, model, checkpoint, traffic)
        return self._clients.run(f"deploying {model} on {endpoint}", deployment)

    def set_traffic(self, endpoint: str, traffic: Mapping[str, int]) -> None:
        """See `ports.Writer`."""
        what = f"switching the traffic of {endpoint}"
        self._clients.run(what, serving.set_traffic(self._clients, endpoint, traffic))

    def undeploy(self, endpoint: str, deployed: str) -> None:
        """See `ports.Writer`."""
        what = f"undeploying {deployed} from {endpoint}"
        self._clients.run(what, serving.undeploy(self._clients, endpoint, deployed))

    def delete_endpoint(self, name: str) -> None:
        """See `ports.Writer`."""
        self._clients.run(f"deleting {name}", serving.delete_endpoint(self._clients, name))

    def ask(self, endpoint: str, request: Mapping[str, Any]) -> str:
        """See `ports.Writer`."""
        return self._clients.run(f"asking {endpoint}", serving.ask(self._clients, endpoint, request))
