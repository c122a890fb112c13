"""docs/cli.md: every command, its arguments and options, and the codes of runs, written from the commands themselves.

`python -m tuneform.entrypoints.cli.reference docs` writes it; a test fails when it is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import click

from tuneform.entrypoints.cli.main import COMMANDS, cli
from tuneform.review.codes import RUNS

_HEAD = """\
# Commands

<!-- Written by `python -m tuneform.entrypoints.cli.reference docs`; edit the commands in entrypoints/cli. -->

`tuneform COMMAND --help` says the same in a terminal, and `tuneform explain CODE` what a code means. Results go to
stdout, everything else to stderr. Settings are in [plan-and-apply.md](plan-and-apply.md#settings).
"""
_UNWRAPPED = "\b\n"
"""What click takes as the beginning of a paragraph whose lines stay as they are."""


def page() -> str:
    """The reference of all commands and of the codes that runs end with, as Markdown."""
    group = click.Context(cli, info_name="tuneform")
    parts = [_HEAD, "| command | |", "|---|---|"]
    parts += [f"| [`{name}`](#{name}) | {_cell(said)} |" for name, said in COMMANDS.items()]
    for name in COMMANDS:
        command = cli.get_command(group, name)
        assert command is not None
        parts += _section(command, click.Context(command, info_name=name, parent=group))
    return "\n".join([*parts, "", *_errors(), ""])


def _section(command: click.Command, context: click.Context, above: str = "") -> Iterator[str]:
    """A command, and behind it those of a group."""
    name = f"{above}{context.info_name}"
    yield ""
    yield from _command(command, context, f"### {name}" if above else f"## {name}")
    if isinstance(command, click.Group):
        for one in command.list_commands(context):
            inner = command.get_command(context, one)
            assert inner is not None
            yield from _section(inner, click.Context(inner, info_name=one, parent=context), f"{name} ")


def _command(command: click.Command, context: click.Context, heading: str) -> Iterator[str]:
    yield heading
    yield ""
    yield f"```text\n{command.get_usage(context).removeprefix('Usage: ')}\n```"
    for paragraph in cleandoc(command.help or "").split("\n\n"):
        yield ""
        yield from _fenced(paragraph) if paragraph.startswith(_UNWRAPPED) else [paragraph]
    records = (
        option.get_help_record(context) for option in command.params if isinstance(option, click.Option)
    )
    options = [record for record in records if record]
    if options:
        yield "\n| option | |\n|---|---|"
        yield from (f"| `{_cell(name)}` | {_cell(said)} |" for name, said in options)


def _fenced(paragraph: str) -> Iterator[str]:
    """A paragraph with lines of its own: a title, if it has one, then what belongs in a block."""
    lines = paragraph.removeprefix(_UNWRAPPED).splitlines()
    title = "" if lines[0].startswith(" ") else lines.pop(0)
    if title:
        yield f"{title}\n"
    yield "```sh" if title == "Examples:" else "```text"
    yield from (line.removeprefix("  ") for line in lines)
    yield "```"


def _errors() -> Iterator[str]:
    yield "## Errors of runs\n"
    yield "Codes of specs are in [errors.md](errors.md), of datasets in [datasets.md](datasets.md#what-is-checked)."
    for name, code in RUNS.items():
        yield f"\n### {name}: {code.title}\n"
        yield code.explanation
        if code.example:
            yield f"\n```console\n{code.example}\n```"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


def main(folder: Path) -> None:
    """Writes the page into the folder."""
    (folder / "cli.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
