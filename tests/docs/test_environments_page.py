"""docs/environments.md shows what there is: its documents load, and the commands print what it says they print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from tuneform.entrypoints.cli.main import COMMANDS, cli
from tuneform.specs import TunedModel, TuningJob, load

PAGE = (Path(__file__).parents[2] / "docs" / "environments.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = Path("specs")
    folder.mkdir()
    (folder / "environments.yaml").write_text(blocks("yaml")[0])
    for name in ("train", "small", "test"):
        (folder / f"{name}.csv").write_text("text_input,output\na,b\n")
    return folder


def test_its_documents_give_each_environment_what_it_says(specs: Path) -> None:
    tree = load(specs)
    jobs = {job.project: job.spec for job in tree.of(TuningJob)}
    assert {name: job.hyper_parameters.epoch_count for name, job in jobs.items()} == {"dev": 1, "prod": 3}
    assert (jobs["dev"].encryption_key, jobs["prod"].limits.retries) == (None, 1)
    assert jobs["dev"].hyper_parameters.adapter_size == jobs["prod"].hyper_parameters.adapter_size
    gates = {model.project: model.spec.gate.exact_match for model in tree.of(TunedModel)}
    assert (gates["dev"], gates["prod"] is not None) == (None, True)


def test_what_it_shows_of_render_is_printed(specs: Path) -> None:
    assert specs.is_dir()
    command, _, *shown = blocks("console")[0].splitlines()
    told = CliRunner().invoke(cli, command.split()[2:])
    assert "\n".join(shown) in told.stdout


def test_the_error_it_shows_is_the_error_that_is_printed(specs: Path) -> None:
    file = specs / "environments.yaml"
    text = file.read_text()
    dataset = "kind: Dataset\nmetadata: {name: intents, projects: [dev"
    assert dataset in text
    file.write_text(text.replace(f"{dataset}, prod]", f"{dataset}]"))
    told = CliRunner().invoke(cli, ["check"])
    assert getattr(told.exception, "render", str)().splitlines() == blocks("console")[1].splitlines()[1:]


def test_what_its_diff_does_is_a_change_of_prod_alone(specs: Path) -> None:
    file = specs / "environments.yaml"
    tried = file.read_text().replace("epochCount: 1", "epochCount: 5")
    lines = blocks("diff")[0].splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line.startswith("-"))
    after = "".join(line[1:] for line in lines if line.startswith("+"))
    assert before in tried
    epochs = []
    for text in (tried, tried.replace(before, after)):
        file.write_text(text)
        epochs.append([job.spec.hyper_parameters.epoch_count for job in load(specs).of(TuningJob)])
    assert epochs == [[5, 3], [5, 5]]


def test_every_command_it_names_exists() -> None:
    named = set(re.findall(r"^tuneform ([a-z]+)\b", "\n".join(blocks("sh")), re.MULTILINE))
    assert named
    assert named <= set(COMMANDS)
