"""An object of Cloud Storage by its URI: the running emulator's where there is one, else Google Cloud's."""

from __future__ import annotations

from tuneform.entrypoints.cli.reconciling.connecting import ports_of
from tuneform.entrypoints.cli.reconciling.quiet import Quiet
from tuneform.entrypoints.cli.reconciling.stopping import StoppableClock
from tuneform.entrypoints.cli.settings import Settings, running_emulator
from tuneform.errors import MachineError
from tuneform.reconcile.desired import Project


def read_object(uri: str, settings: Settings) -> bytes:
    """The bytes of an object.

    Raises:
        RemoteError: it is not there, or may not be read.
    """
    try:
        endpoint: str | None = running_emulator(settings).endpoint
    except MachineError:
        endpoint = None
    nobody = Project("policies", "policies", "us-central1", "us-central1", "policies", "policies")
    return ports_of(settings, nobody, endpoint, listener=Quiet(), clock=StoppableClock()).objects.read(uri)
