"""What every service works on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from .clock import Clock, stamp
from .services.names import Names
from .store import Store
from .traffic.faults import Faults

LONGEST = 366 * 86400.0
"""Seconds that a setting may ask for: more is a mistake, and dates end."""


@dataclass(frozen=True)
class Settings:
    """How the emulated services behave where the real ones take time or are not documented."""

    queued_seconds: float = 0.2
    """How long a tuning job stays JOB_STATE_QUEUED."""
    pending_seconds: float = 0.2
    """How long it then stays JOB_STATE_PENDING."""
    epoch_seconds: float = 0.0
    """The least time an epoch takes; it never takes less than its training."""
    list_lag_seconds: float = 0.0
    """How long a new tuning job is missing from lists."""
    get_lag_seconds: float = 0.0
    """How long a new tuning job, Model or Endpoint is answered with 404 when it is asked for by name."""
    grants_lag_seconds: float = 0.0
    """How long a change of an IAM policy, a grant or its end, has no effect where it is asked for."""
    agent_exists_before_first_job: bool = True
    """Whether a project's tuning agent can be given roles before the first tuning job was asked for."""
    labels_copied: bool = True
    """Whether a job's labels are copied to its Model and Endpoints."""
    list_filters_labels: bool = True
    """Whether the filter of tuningJobs.list knows labels; when not it is refused with 400."""
    dataset_read: Literal["create", "run"] = "run"
    """When the training data is read: at the create call, or when the job starts to run."""
    concurrent_jobs: int = 4
    """Quota "Global concurrent tuning jobs" of a project, over all regions and models; the documented default is "at
    least 1" (About supervised fine-tuning, 2026-09-25)."""
    over_quota: Literal["queue", "refuse"] = "queue"
    """What becomes of a job beyond that quota: it stays JOB_STATE_QUEUED, or its create is refused with 429."""

    def __post_init__(self) -> None:
        """Raises ValueError for a time that is none."""
        for name, value in vars(self).items():
            if isinstance(value, float) and not 0 <= value <= LONGEST:
                raise ValueError(f"{name} is 0 to {LONGEST:.0f} seconds")
        if self.concurrent_jobs < 1:
            raise ValueError("concurrent_jobs is at least 1")


@dataclass(eq=False)
class World:
    """The state, the time, the settings and the faults; the same for all services of one emulator.

    `settings` may be replaced while calls are under way: read each where it matters, do not keep it.
    """

    store: Store
    clock: Clock
    settings: Settings = field(default_factory=Settings)
    faults: Faults = field(default_factory=Faults)

    @property
    def names(self) -> Names:
        """Project ids and numbers."""
        return Names(self.store)

    def stamp(self) -> str:
        """The present moment as the APIs write it."""
        return stamp(self.clock.now())


Worker = Callable[[World, threading.Event], None]
"""Runs beside the server until the event is set; a service module offers one as `worker(world, stop)`."""
