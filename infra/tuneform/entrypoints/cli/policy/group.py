"""`tuneform policy`: the group of its subcommands. A subcommand's module is imported only when it is called."""

from __future__ import annotations

import importlib

import click

SUBCOMMANDS = {
    "test": "Run the cases that are written for policies",
    "list": "Show the rules that count here, and who need not keep one until when",
    "digest": "Print the digest that pins policies",
    "pack": "Write a policy pack for Pulumi, which every program must pass",
    "admission": "Print admission policies for Kubernetes",
}
"""Each subcommand and what it does, in the order that help shows them."""
MODULES = {"list": "list_"}
"""The module of a subcommand, where it has another name."""


class Subcommands(click.Group):
    """Subcommands by name, each from its module in this room."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The subcommands in the order in which people meet them."""
        del ctx
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand; None when there is no such one."""
        del ctx
        if cmd_name not in SUBCOMMANDS:
            return None
        module = f"tuneform.entrypoints.cli.policy.{MODULES.get(cmd_name, cmd_name)}"
        command: click.Command = importlib.import_module(module).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(SUBCOMMANDS.items()))


@click.group(cls=Subcommands)
def command() -> None:
    """Look after policies: rules over specs, which `check`, `plan` and `apply` keep (docs/policy.md).

    \b
    Examples:
      tuneform policy list
      tuneform policy list --builtin
      tuneform policy test --coverage
      tuneform policy digest house/policies
    """
