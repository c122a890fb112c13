"""`tuneform`: the group of commands. A command's module is imported only when the command is called."""

from __future__ import annotations

import importlib
import sys
from difflib import get_close_matches

import click

from tuneform import __version__
from tuneform.errors import TuneformError

COMMANDS = {
    "init": "Write a spec folder to begin with, asking a few questions",
    "check": "Check specs and datasets, without a network",
    "explain": "Say what a kind, a field or the code of an error means, and what is known of a model",
    "schema": "Print the JSON Schema of specs, for editors",
    "render": "Print specs as they come out for each project",
    "policy": "Test policies, list their rules, print the digest that pins them",
    "plan": "Show what `apply` would do, and what it would cost",
    "apply": "Tune and serve what the specs say; --watch keeps at it",
    "up": "Make what is live match the specs",
    "preview": "Show what `up` would do",
    "refresh": "Read what is live into the state",
    "destroy": "Take everything down, but keys, the ledger and job records",
    "status": "Show what has become of each tuning; --watch follows it",
    "report": "Write a page about all tunings: curves, gates, data, cost, drift",
    "ask": "Ask a served model a question",
    "endpoint": "Print the endpoint that clients of a served model call",
    "cancel": "Cancel the running job of a tuning",
    "resolve": "Decide what became of an attempt that nobody saw the end of",
    "import": "Adopt live jobs that were made without tuneform, and write their YAML",
    "audit": "Judge what is live in many projects by the policies",
    "emulator": "Google Cloud on loopback: start, stop, status, reset, env",
}
"""Each command and what it does, in the order that help shows them."""

LOOKING = {name: f"looking.{name}" for name in ("status", "report", "ask", "endpoint", "cancel", "resolve")}
MODULES = {**LOOKING, "import": "looking.import_", "init": "starting.init", "policy": "policy.group"}
"""Where a command's module is, where not beside this one."""


def module_of(command: str) -> str:
    """The module that a command is in."""
    return f"tuneform.entrypoints.cli.{MODULES.get(command, command)}"


DRIVE_THE_ENGINE = frozenset({"up", "preview", "refresh", "destroy"})
"""Commands whose modules take seconds to load the first time, when nothing is compiled yet."""


def _tell_on_terminal(what: str) -> None:
    """Say what takes a while, to a person who looks on."""
    if sys.stderr.isatty():
        click.secho(f"{what} …", err=True, dim=True)


class Commands(click.Group):
    """Commands by name, each from the module of the same name beside this one, or as `MODULES` says."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which people meet them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None when there is no such one."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        if cmd_name in DRIVE_THE_ENGINE and "--help" not in sys.argv:
            _tell_on_terminal("loading Pulumi and Google's clients")
        command: click.Command = importlib.import_module(module_of(cmd_name)).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See the base class, which would look for the nearest name among the commands imported so far: none."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            near = "".join(f" Did you mean '{name}'?" for name in get_close_matches(args[0], COMMANDS, 1))
            raise click.UsageError(f"No such command '{args[0]}'.{near}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tuneform")
def cli() -> None:
    """Declarative Gemini fine-tuning: specs in, tuned models out, paid for once.

    \b
    Examples:
      tuneform check specs          find what is wrong before anything is paid for
      tuneform preview              see what `up` would do, and what it would cost
      tuneform up                   do it
    """


def main() -> None:
    """Run a command; a TuneformError is shown as it renders itself, and the exit code is 1."""
    try:
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except TuneformError as error:
        click.echo(error.render(), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
