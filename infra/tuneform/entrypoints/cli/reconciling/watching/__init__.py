"""`tuneform apply --watch`: what is live is kept as the specs say, until the process is told to stop."""

from tuneform.entrypoints.cli.reconciling.watching.loop import watch

__all__ = ["watch"]
