"""`tuneform emulator …`: handed on to the emulator's own command line; the two packages share no code."""

from __future__ import annotations

import importlib.util
import os
import shlex
import sys

import click

from tuneform.entrypoints.cli.settings import (
    Settings,
    emulator_folder,
    local_environment,
    running_emulator,
)
from tuneform.errors import MachineError


@click.command(
    context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Google Cloud on loopback: start, stop, status, reset, env.

    \b
    Examples:
      tuneform emulator start
      eval "$(tuneform emulator env)"   then plain `pulumi up --stack local` works, too
    """
    if importlib.util.find_spec("tuneform_emulator") is None:
        raise MachineError(
            "the emulator is not installed here", remedy="install it: pip install 'tuneform[emulator]'"
        )
    settings = Settings.here()
    if arguments == ("env",):
        for name, value in local_environment(settings, running_emulator(settings)).items():
            click.echo(f"export {name}={shlex.quote(value)}")
        return
    folder = str(emulator_folder(settings))
    env = {
        "TUNEFORM_EMULATOR_DIR": folder,
        "TUNEFORM_EMULATOR_COMMAND": "tuneform emulator",
        **os.environ,
    }
    os.execve(sys.executable, [sys.executable, "-m", "tuneform_emulator", *arguments], env)  # noqa: S606 (our own)
