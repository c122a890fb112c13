"""A listener for commands that only look."""

from __future__ import annotations

from tuneform.reconcile.desired import Identity
from tuneform.reconcile.live import Progress


class Quiet:
    """`ports.Listener` that shows nothing."""

    def say(self, identity: Identity, text: str) -> None:
        """Nobody listens."""

    def progress(self, identity: Identity, progress: Progress) -> None:
        """Nobody listens."""
