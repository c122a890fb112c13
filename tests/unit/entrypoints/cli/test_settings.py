"""Where things are: the flag, then the environment, then a file, then a default."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneform.entrypoints.cli.settings import Settings, running_emulator
from tuneform.errors import MachineError, SettingsError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HOME", "STACK", "SPECS", "ENDPOINT"):
        monkeypatch.delenv(f"TUNEFORM_{name}", raising=False)
    (tmp_path / "Pulumi.yaml").write_text("name: tuneform\n")
    (tmp_path / "specs" / "team").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_project_is_the_nearest_folder_with_a_project_file(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "specs" / "team")

    settings = Settings.here()

    assert settings.root == project
    assert settings.home == project / ".tuneform"
    assert settings.is_default(project / "specs")


def test_away_from_a_project_local_state_is_below_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TUNEFORM_HOME", raising=False)
    monkeypatch.chdir(tmp_path)

    settings = Settings.here()

    assert settings.root is None
    assert settings.home == tmp_path / ".tuneform"
    assert not settings.is_default(tmp_path / "specs")


def test_a_flag_beats_the_environment_beats_the_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.here().get("stack") is None
    (project / "tuneform.toml").write_text('stack = "from-file"\n')
    assert Settings.here().get("stack") == "from-file"
    monkeypatch.setenv("TUNEFORM_STACK", "from-environment")
    assert Settings.here().get("stack") == "from-environment"
    assert Settings.here().get("stack", "from-flag") == "from-flag"


def test_settings_may_stand_in_pyproject(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.tuneform]\nspecs = "models"\n')

    assert Settings.here().specs(None) == Path("models")


def test_specs_are_named_relative_to_where_one_stands(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")

    assert Settings.here().specs(None) == Path("specs")
    assert Settings.here().specs(project / "specs" / "team") == Path("specs/team")
    assert Settings.here().specs(elsewhere) == elsewhere


def test_a_broken_settings_file_is_named(project: Path) -> None:
    (project / "tuneform.toml").write_text("stack = \n")

    with pytest.raises(SettingsError, match=r"tuneform\.toml"):
        Settings.here()


def test_without_an_emulator_the_command_that_starts_it_is_named(project: Path) -> None:
    assert project
    with pytest.raises(MachineError) as caught:
        running_emulator(Settings.here())
    assert "tuneform emulator start" in caught.value.remedy


def test_an_endpoint_on_another_machine_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert project
    monkeypatch.setenv("TUNEFORM_ENDPOINT", "http://emulator.example.com:8787")

    with pytest.raises(SettingsError, match="not on this machine"):
        running_emulator(Settings.here())
