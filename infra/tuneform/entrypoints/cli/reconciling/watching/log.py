"""The log of the watch loop: one JSON object a line on stderr."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Protocol, TextIO, cast

import structlog

from tuneform.entrypoints.cli.reconciling.stopping import StoppableClock
from tuneform.reconcile.desired import Identity
from tuneform.reconcile.live import Progress

_FIRST = ("time", "level", "event", "project", "kind", "name", "action")


class Log(Protocol):
    """What the loop needs of a logger: an event in a word, and what belongs to it."""

    def info(self, event: str, **fields: object) -> object:
        """Something happened as it should."""
        ...

    def warning(self, event: str, **fields: object) -> object:
        """Something did not work, and is tried again."""
        ...

    def error(self, event: str, **fields: object) -> object:
        """Something does not work until somebody changes something."""
        ...


def log_to(stream: TextIO, **bound: str) -> Log:
    """A log on a stream; `bound` is in every line."""
    logger = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _in_order,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
        wrapper_class=structlog.BoundLogger,
        context_class=dict,
    )
    return cast("Log", logger.bind(**bound))


def _in_order(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The fields that every line has first, for people who read along."""
    del logger, method
    return {**{name: event[name] for name in _FIRST if name in event}, **event}


class Logged:
    """`ports.Listener` that writes lines. Here a loop that was told to stop ends, between two remote calls."""

    def __init__(self, log: Log, clock: StoppableClock) -> None:
        self._log = log
        self._clock = clock
        self._last: dict[str, str] = {}

    def say(self, identity: Identity, text: str) -> None:
        """One thing that is about to be done, or was found."""
        self._clock.check()
        self._log.info("doing", project=identity.project, name=identity.name, text=text)

    def progress(self, identity: Identity, progress: Progress) -> None:
        """How far a job is, when that has changed."""
        if self._last.get(identity.name) != str(progress):
            self._last[identity.name] = str(progress)
            self._log.info(
                "job",
                project=identity.project,
                name=identity.name,
                job=progress.job,
                state=progress.state.value,
                substate=progress.substate,
                epoch=progress.epoch,
                epochs=progress.epochs,
                loss=progress.loss,
                evalLoss=progress.eval_loss,
            )
        if progress.state.ended:
            self._last.pop(identity.name, None)
