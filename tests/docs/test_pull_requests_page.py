"""docs/pull-requests.md: its commands exist, its YAML is sound, and its table of calls is what commands call."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
import yaml
from tests.functional.commands.conftest import Shop, empty, shop
from tests.functional.conftest import emulator

from tuneform.entrypoints.cli.main import COMMANDS, cli
from tuneform.entrypoints.cli.starting import pipelines
from tuneform.review.fitting import GITHUB, GITLAB

__all__ = ["empty", "emulator", "shop"]
PAGE = (Path(__file__).parents[2] / "docs" / "pull-requests.md").read_text(encoding="utf-8")
PROTECTED = """\
apiVersion: tuneform.dev/v1
kind: EncryptionKey
metadata: {name: tuning}
spec: {keyRing: tuning}
---
apiVersion: tuneform.dev/v1
kind: ServiceAccount
metadata: {name: tuning-runner}
spec: {}
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    atlantis = yaml.safe_load(blocks("yaml")[1])["workflows"]["tuneform"]
    steps = [step["run"] for stage in atlantis.values() for step in stage["steps"]]
    shell = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("tuneform")]
    inline = [text for text in re.findall(r"`(tuneform [^`]+)`", PAGE) if " --" in text]
    return [*steps, *shell, *inline]


@pytest.mark.parametrize("line", sorted({*commands()}))
def test_every_command_is_one_that_there_is(line: str) -> None:
    _, name, *arguments = shlex.split(line, comments=True)
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    command.make_context(name, arguments, resilient_parsing=False)


def test_every_command_that_calls_something_is_in_the_table_of_roles() -> None:
    section = PAGE.partition("## Roles by command")[2]
    told = set(re.findall(r"`([a-z]+)`", section.partition("Each call that was seen")[0]))
    assert set(COMMANDS) - {"emulator"} <= told


def test_what_is_said_of_files_and_limits_is_so() -> None:
    assert yaml.safe_load(blocks("yaml")[0]) == yaml.safe_load(pipelines.INCLUDE)
    for name in pipelines.GITHUB:
        assert f"`{Path(name).name}`" in PAGE
    for limit in (GITHUB, GITLAB):
        assert f"{limit:,}" in PAGE
    named = set(re.findall(r"TUNEFORM_[A-Z_]+", PAGE))
    for template in (*pipelines.GITHUB.values(), *pipelines.GITLAB.values()):
        text = (pipelines.TEMPLATES / template).read_text(encoding="utf-8")
        assert set(re.findall(r"TUNEFORM_[A-Z_]+", text)) - {"TUNEFORM_ENDPOINT"} <= named


def table() -> dict[str, tuple[str, set[str]]]:
    """Each call with its permission and the commands that need it."""
    found = {}
    for call, permission, plan, apply in re.findall(
        r"^\| `([A-Z]+ [^`]+)` \| (.+?) \|(.*?)\|(.*?)\|$", PAGE, re.MULTILINE
    ):
        marks = {name for name, mark in (("plan", plan), ("apply", apply)) if "✓" in mark}
        found[call] = (permission, marks)
    return found


def calls(shop: Shop, *arguments: str) -> set[str]:
    """What a command calls, in the words of the table."""
    since = max((call.number for call in shop.control.log()), default=0)
    ended = shop.run(*arguments)
    found = {f"{call.method} {_short(call.route)}" for call in shop.control.log(since)}
    assert found, ended.err
    return found


def _short(route: str) -> str:
    project = r"^/[^/]+/projects/\{project\}/(locations/\{location\}/)?"
    return re.sub(rf"{project}|^/(upload/|download/)?storage/v1/|^/v\d/", "", route)


def documented(command: str) -> set[str]:
    return {call for call, (_, marks) in table().items() if command in marks}


def test_a_plan_calls_what_the_table_says_and_reads_alone(empty: Shop) -> None:
    (empty.folder / "specs" / "protected.yaml").write_text(PROTECTED)
    job = empty.folder / "specs" / "colours.yaml"
    protection = "  encryptionKey: {ref: tuning}\n  serviceAccount: {ref: tuning-runner}\n"
    job.write_text(job.read_text().replace("  baseModel:", f"{protection}  baseModel:", 1))
    empty.build()

    seen = calls(empty, "plan")

    assert seen - documented("plan") == set()
    assert any("cryptoKeys" in call for call in seen)
    for call in documented("plan"):
        assert call.startswith("GET ") or call.endswith(":getIamPolicy")
    assert documented("plan") <= documented("apply")


@pytest.mark.slow
def test_a_life_calls_what_the_table_says(shop: Shop) -> None:
    planned, applied = set(), calls(shop, "apply", "--yes")
    shop.write("colours", epochs=3, keep=0)
    planned |= calls(shop, "plan")
    applied |= calls(shop, "apply", "--yes")
    shop.remove("colours")
    applied |= calls(shop, "apply", "--yes")

    assert planned - documented("plan") == set()
    assert applied - documented("apply") == set()
    # Nothing is in the table for nothing, but for what this life has no cause for.
    rare = {"POST tuningJobs/{job}:cancel", "PATCH models/{model}"}
    protection = {
        call for call in documented("apply") if "Policy" in call or "/iam" in call or "crypto" in call
    }
    accounts = {call for call in documented("apply") if "serviceAccounts" in call or "projects/{" in call}
    assert documented("apply") - applied - rare - protection - accounts == set()
