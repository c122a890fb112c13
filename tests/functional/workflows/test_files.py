"""What is true of the generated files by themselves: actionlint and shellcheck find nothing, little is permitted."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from tuneform.entrypoints.cli.main import cli
from tuneform.entrypoints.cli.starting import pipelines
from tuneform.errors import SettingsError

TOOLS = Path(__file__).with_name("tools")
BUILDS_WITHIN = 240


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "ml" / "tunings").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "ml")
    return tmp_path


def init(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["init", *arguments], catch_exceptions=True)


def workflows() -> dict[str, Any]:
    return {
        template: yaml.safe_load((pipelines.TEMPLATES / template).read_text())
        for template in pipelines.GITHUB.values()
    }


def test_init_writes_them_into_the_repository_for_the_folder_that_is_named(repository: Path) -> None:
    done = init("tunings", "--github", "--gitlab")

    assert done.exit_code == 0, done.output
    for name in (*pipelines.GITHUB, *pipelines.GITLAB):
        written = yaml.safe_load((repository / name).read_text())
        assert (written.get("env") or written["variables"])["SPECS"] == "ml/tunings"
    proposed = yaml.safe_load((repository / ".github/workflows/tuneform-pull-request.yml").read_text())
    assert proposed[True]["pull_request"]["paths"][0] == "ml/tunings/**"  # to YAML 1.1, `on` is true
    assert yaml.safe_load((repository / ".gitlab-ci.yml").read_text()) == yaml.safe_load(pipelines.INCLUDE)
    assert not (repository / "ml" / "specs").exists()


def test_nothing_that_is_there_is_written_over(repository: Path) -> None:
    (repository / ".gitlab-ci.yml").write_text("mine: {}\n")
    assert pipelines.INCLUDE in init("tunings", "--gitlab").output
    assert (repository / ".gitlab-ci.yml").read_text() == "mine: {}\n"
    file = repository / ".github" / "workflows" / "tuneform-drift.yml"
    file.parent.mkdir(parents=True)
    file.write_text("mine")

    refused = init("tunings", "--github").exception

    assert isinstance(refused, SettingsError)
    assert "tuneform-drift.yml is there already" in str(refused)
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert file.read_text() == "mine"


def test_a_folder_outside_of_the_repository_is_refused(repository: Path) -> None:
    refused = init("../..", "--github").exception

    assert isinstance(refused, SettingsError)
    assert "is no folder in" in str(refused)


@pytest.mark.parametrize("name", pipelines.GITHUB.values())
def test_a_workflow_may_do_what_it_must_and_no_more(name: str) -> None:
    workflow = workflows()[name]

    assert workflow["permissions"] == {}
    assert workflow["concurrency"]["group"]
    assert "pull_request_target" not in workflow[True]
    text = (pipelines.TEMPLATES / name).read_text()
    assert "secrets." not in text
    for job in workflow["jobs"].values():
        assert job["permissions"]["contents"] == "read"
        assert job["timeout-minutes"]
        used = " ".join(str(step) for step in job["steps"])
        assert ("google-github-actions/auth" in used) == ("id-token" in job["permissions"])
        assert ("/comments" in used and "PULL_REQUEST" in used) == ("pull-requests" in job["permissions"])
        assert "env.GITHUB_TOKEN" not in used
        for step in job["steps"]:
            # An expression in a script is a way in for whoever chooses the name of a branch.
            assert "${{" not in step.get("run", "")
            if "uses" in step:
                assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step["uses"])


def test_two_applies_never_run_side_by_side_and_none_is_cut_off() -> None:
    concurrency = workflows()["github-apply.yml"]["concurrency"]
    assert concurrency == {"group": "tuneform-apply", "cancel-in-progress": False}
    gitlab = yaml.safe_load((pipelines.TEMPLATES / "gitlab.yml").read_text())
    assert gitlab["tuneform apply"]["resource_group"] == "tuneform"


def test_what_the_workflows_share_is_written_in_the_same_words() -> None:
    """GitHub has no way to share a step within a repository but an action of its own: so they must not drift apart."""
    shared: dict[str, set[str]] = {}
    for workflow in workflows().values():
        for job in workflow["jobs"].values():
            for step in job["steps"]:
                if "uses" in step:
                    shared.setdefault(step["uses"].partition("@")[0], set()).add(step["uses"])
                elif step["name"] == "Install tuneform":
                    shared.setdefault("install", set()).add(step["run"])
    assert {name for name, found in shared.items() if len(found) > 1} == set()


def scripts() -> Iterator[tuple[str, str]]:
    gitlab = yaml.safe_load((pipelines.TEMPLATES / "gitlab.yml").read_text())
    for name, job in gitlab.items():
        for key in ("before_script", "script"):
            if isinstance(job, dict) and key in job:
                yield f"{name}: {key}", "\n".join(job[key])


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize(("name", "script"), list(scripts()))
def test_shellcheck_finds_nothing_in_the_scripts_of_gitlab(name: str, script: str) -> None:
    done = subprocess.run(
        ["shellcheck", "--shell=bash", "-"], input=script, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{name}\n{done.stdout}"


@pytest.fixture(scope="session")
def actionlint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, built by Go from its module; skips where either cannot be had."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("Go is not installed, which builds actionlint")
    binary = tmp_path_factory.mktemp("tools") / "actionlint"
    command = [go, "build", "-o", str(binary), "github.com/rhysd/actionlint/cmd/actionlint"]
    # The Go of the machine, as it is: another one is nothing to download for a test.
    env = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly"}
    try:
        built = subprocess.run(
            command, cwd=TOOLS, env=env, capture_output=True, text=True, timeout=BUILDS_WITHIN, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"actionlint was not built within {BUILDS_WITHIN} s")
    if built.returncode:
        pytest.skip(f"actionlint cannot be built here: {built.stderr.strip()[-300:]}")
    return binary


def test_actionlint_finds_nothing(repository: Path, actionlint: Path) -> None:
    """With shellcheck where that is installed: actionlint asks it about each step by itself."""
    assert init("tunings", "--github").exit_code == 0
    files = sorted(map(str, (repository / ".github" / "workflows").iterdir()))

    done = subprocess.run([actionlint, "-no-color", *files], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
    assert len(files) == len(pipelines.GITHUB)


def test_actionlint_would_find_something(tmp_path: Path, actionlint: Path) -> None:
    file = tmp_path / "wrong.yml"
    text = (pipelines.TEMPLATES / "github-drift.yml").read_text()
    file.write_text(text.replace("steps.look.outputs.code", "steps.lock.outputs.code"))

    done = subprocess.run([actionlint, "-no-color", str(file)], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert '"lock"' in done.stdout
