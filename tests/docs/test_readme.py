"""What the README shows is what there is."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from tuneform.entrypoints.cli.main import COMMANDS, cli
from tuneform.specs import TuningJob, load

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "specs"


def test_its_specs_load_in_the_place_of_the_example_s(specs: Path) -> None:
    (shown,) = blocks("yaml")
    written = list(yaml.safe_load_all(shown))
    shown_ids = {(document["kind"], document["metadata"]["name"]) for document in written}
    file = specs / "support-intents.yaml"
    kept = [
        document
        for document in yaml.safe_load_all(file.read_text())
        if (document["kind"], document["metadata"]["name"]) not in shown_ids
    ]
    file.write_text(yaml.safe_dump_all(kept) + "---\n" + shown)

    tree = load(specs)

    assert "support-intents" in [document.name for document in tree.of(TuningJob)]
    assert tree.warnings == ()


def test_the_error_it_shows_is_the_error_that_is_printed(specs: Path) -> None:
    (shown,) = blocks("console")
    file = specs / "support-intents.yaml"
    file.write_text(
        file.read_text().replace("dataset: {ref: support-intents}", "dataset: {ref: support-intent}")
    )

    result = CliRunner().invoke(cli, ["check"])

    assert result.exit_code == 1
    rendered = getattr(result.exception, "render", str)()
    assert shown.splitlines()[1:] == rendered.splitlines()


def test_every_command_it_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for command in re.findall(r"^make ([a-z-]+)$", "\n".join(blocks("sh")), re.MULTILINE):
        assert re.search(rf"^{command}:", makefile, re.MULTILINE), command
    named = set(
        re.findall(r"tuneform ([a-z]+)\b", "\n".join([*blocks("sh"), *re.findall(r"`([^`\n]+)`", README)]))
    )
    assert named
    assert named <= set(COMMANDS)


def test_every_file_it_points_to_exists() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    missing = [target for target in targets if "://" not in target and not (ROOT / target).exists()]
    assert missing == []
