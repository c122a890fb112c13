"""`python -m tuneform_emulator`: start, stop and look after the emulator."""

from __future__ import annotations

import json
import logging
import os
import shlex
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import click

from . import __version__, daemon
from .traffic import switches
from .wire import ApiError

NOT_RUNNING = 3

Command = TypeVar("Command", bound=Callable[..., object])


class Failure(click.ClickException):
    """An error for people: what is wrong, then what to do."""

    def __init__(self, error: daemon.DaemonError) -> None:
        super().__init__(f"{error}\n{error.remedy}" if error.remedy else str(error))


def dir_option(command: Command) -> Command:
    """`--dir`, the same everywhere."""
    return click.option(
        "--dir",
        "root",
        type=click.Path(file_okay=False, path_type=Path),
        default=daemon.DEFAULT_DIR,
        show_default=True,
        envvar="TUNEFORM_EMULATOR_DIR",
        help="Where the state, the log and the record of the running process are.",
    )(command)


def port_option(command: Command) -> Command:
    """`--port`."""
    return click.option(
        "--port",
        type=click.IntRange(0, 65535),
        default=0,
        help=f"The port to listen on; 0 takes the last one, {daemon.PREFERRED_PORT}, or any free one.",
    )(command)


def clock_option(command: Command) -> Command:
    """`--manual-clock`."""
    return click.option(
        "--manual-clock", is_flag=True, help="Time stands still until /_emulator/clock:advance."
    )(command)


def set_option(command: Command) -> Command:
    """`--set`, as often as wanted."""
    return click.option(
        "--set",
        "words",
        multiple=True,
        metavar="NAME=VALUE",
        callback=check_words,
        help="A switch for behaviour that is not documented (docs/emulator.md); kept over restarts.",
    )(command)


def check_words(context: click.Context, option: click.Parameter, words: tuple[str, ...]) -> tuple[str, ...]:
    """The words, refused before anything is started when they are no settings."""
    try:
        switches.read_words(words)
    except ApiError as error:
        raise click.BadParameter(error.message, context, option) from error
    return words


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tuneform_emulator")
def cli() -> None:
    """Google Cloud on loopback: Vertex AI tuning, Storage, KMS, IAM, as far as tuneform needs them."""


@cli.command()
@dir_option
@port_option
@clock_option
@set_option
def start(root: Path, port: int, words: tuple[str, ...], *, manual_clock: bool) -> None:
    """Starts the emulator in the background and waits until it answers."""
    state = daemon.State(root)
    with told(), daemon.alone(state):
        running = found(state)
        if running is None:
            click.echo("Starting the emulator …", err=True)
            running = daemon.start(state, port, manual_clock=manual_clock, settings=words)
            click.echo(f"The emulator listens on {running.endpoint} (pid {running.pid}, log {state.log}).")
            return
        if port not in (0, running.port):
            raise daemon.DaemonError(
                f"The emulator of {root} runs already, on port {running.port} (pid {running.pid}).",
                "Stop it first, or leave --port out.",
            )
        if words:
            daemon.tell(running.port, "/_emulator/settings", switches.read_words(words))
        click.echo(f"The emulator runs already: {running.endpoint} (pid {running.pid}).")


@cli.command()
@dir_option
def stop(root: Path) -> None:
    """Stops the emulator; its state stays."""
    state = daemon.State(root)
    with told(), daemon.alone(state):
        running = found(state)
        if running is None:
            click.echo("The emulator is not running.")
            return
        daemon.stop(state, running)
        click.echo(f"Stopped the emulator (pid {running.pid}).")


@cli.command()
@dir_option
@click.pass_context
def status(context: click.Context, root: Path) -> None:
    """Says whether the emulator runs and what it holds; exit code 3 when it does not run."""
    running = found(daemon.State(root))
    if running is None:
        click.echo("The emulator is not running.")
        context.exit(NOT_RUNNING)
    try:
        counts = daemon.ask(running.port, "/_emulator/counts") or {}
    except TimeoutError:
        counts = {}
    click.echo(f"The emulator is running: {running.endpoint} (pid {running.pid}).")
    click.echo(
        ", ".join(f"{count} {name}" for name, count in counts.items()) or "It is busy and did not answer."
    )


@cli.command()
@dir_option
def reset(root: Path) -> None:
    """Throws away everything the emulator holds; starts it again when it was running."""
    state = daemon.State(root)
    with told(), daemon.alone(state):
        running = found(state)
        if running:
            daemon.stop(state, running)
        daemon.wipe(state)
        click.echo(f"Wiped {state.database}.")
        if running:
            again = daemon.start(state, running.port, manual_clock=running.manual_clock)
            click.echo(f"The emulator listens on {again.endpoint} (pid {again.pid}).")


@cli.command()
@dir_option
@click.option("--format", "form", type=click.Choice(["shell", "json"]), default="shell", show_default=True)
@click.pass_context
def env(context: click.Context, root: Path, form: str) -> None:
    """Prints the environment that sends clients to the running emulator: `eval "$(… env)"`."""
    running = found(daemon.State(root))
    if running is None:
        click.echo("The emulator is not running; start it first.", err=True)
        context.exit(NOT_RUNNING)
    if form == "json":
        click.echo(json.dumps(running.env, indent=2))
        return
    for name, value in running.env.items():
        click.echo(f"export {name}={shlex.quote(value)}")


@cli.command("serve")
@dir_option
@port_option
@clock_option
@set_option
@click.option("--fd", type=int, default=-1, hidden=True, help="A listening socket that `start` hands over.")
def serve_command(root: Path, port: int, words: tuple[str, ...], fd: int, *, manual_clock: bool) -> None:
    """Serves in the foreground until SIGTERM or Ctrl-C."""
    # The web framework, gRPC and the trainer take a second to import, which the other commands need not wait for.
    from .rpc.server import RpcServer  # noqa: PLC0415
    from .server import serve_database  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    state = daemon.State(root)
    root.mkdir(parents=True, exist_ok=True)
    with told():
        if running := found(state):
            raise daemon.DaemonError(
                f"The emulator of {root} runs already (pid {running.pid}).", "Stop it first."
            )
        bound = socket.socket(fileno=fd) if fd >= 0 else daemon.choose_port(state, port)
        rpc = RpcServer(daemon.read_port(state.last_grpc_port))
    # The server finishes its calls on these signals and then sends them again: end then, with everything closed.
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: sys.exit(0))
    used = bound.getsockname()[1]
    running = daemon.Running(
        os.getpid(),
        used,
        f"http://{daemon.HOST}:{used}",
        rpc.address,
        daemon.environment(used, rpc.address),
        manual_clock,
    )
    daemon.write_record(state, running)
    try:
        with told():
            settings = switches.read_words(words)
            serve_database(state.database, bound, rpc, manual_clock=manual_clock, settings=settings)
    finally:
        if daemon.read_record(state) == running:
            state.record.unlink(missing_ok=True)


@contextmanager
def told() -> Iterator[None]:
    """Turns the daemon's errors into what the command line prints."""
    try:
        yield
    except daemon.DaemonError as error:
        raise Failure(error) from error


def found(state: daemon.State) -> daemon.Running | None:
    """The running emulator; says so when a stale record was cleaned up."""
    running, cleaned = daemon.find(state)
    if cleaned:
        click.echo(cleaned, err=True)
    return running


if __name__ == "__main__":
    cli(prog_name=os.environ.get("TUNEFORM_EMULATOR_COMMAND", "python -m tuneform_emulator"))
