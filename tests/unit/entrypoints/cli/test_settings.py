"""Where things are: the flag, then the environment, then a file, then a default."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tuneform.capabilities import built_in
from tuneform.entrypoints.cli.settings import Settings, provider_environment, running_emulator
from tuneform.errors import MachineError, SettingsError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    unset = ("HOME", "STACK", "SPECS", "ENDPOINT", "CAPABILITIES", "PRICES", "PARALLEL", "RATE", "MAX_JOBS")
    for name in unset:
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


def test_the_day_is_the_setting_s_or_today_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNEFORM_TODAY", "2027-02-03")
    assert Settings.here().known().today == date(2027, 2, 3)
    monkeypatch.setenv("TUNEFORM_TODAY", "soon")
    with pytest.raises(SettingsError, match="'soon', which is no day"):
        Settings.here().known()
    monkeypatch.delenv("TUNEFORM_TODAY")
    before = datetime.now(UTC).date()
    assert before <= Settings.here().today() <= datetime.now(UTC).date()


def test_own_capabilities_of_the_flag_go_before_the_environment_s_and_these_before_the_file_s(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("flag", "environment", "file"):
        (project / f"{name}.toml").write_text(f'[models."model-of-the-{name}"]\n')
    (project / "tuneform.toml").write_text('capabilities = ["file.toml"]\n')
    below = project / "below"
    below.mkdir()
    monkeypatch.chdir(below)

    def added(*flag: Path) -> set[str]:
        known = Settings.here(flag).known()
        assert known.found == ()
        return set(known.models) - set(built_in().models)

    assert added() == {"model-of-the-file"}
    monkeypatch.setenv("TUNEFORM_CAPABILITIES", os.pathsep.join(["../environment.toml", "../file.toml"]))
    assert added() == {"model-of-the-environment", "model-of-the-file"}
    assert added(Path("../flag.toml")) == {"model-of-the-flag"}


def test_own_capabilities_that_are_no_files(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "tuneform.toml").write_text("capabilities = [3]\n")
    monkeypatch.chdir(project)
    with pytest.raises(SettingsError, match="no list of files"):
        Settings.here().known()


def test_the_price_table_of_the_flag_goes_before_the_environment_s_and_this_before_the_file_s(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("flag", "environment", "file"):
        (project / f"{name}.toml").write_text(
            f'[prices.{name}]\ntraining = 5\nunit = "per million training tokens"\ncurrency = "USD"\n'
            'source = "our contract"\ndate = 2026-10-01\n'
        )
    below = project / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    assert dict(Settings.here().prices().prices) == {}

    (project / "tuneform.toml").write_text('prices = "file.toml"\n')
    assert set(Settings.here().prices().prices) == {"file"}
    monkeypatch.setenv("TUNEFORM_PRICES", "../environment.toml")
    assert set(Settings.here().prices().prices) == {"environment"}
    assert set(Settings.here(prices=Path("../flag.toml")).prices().prices) == {"flag"}


@pytest.mark.parametrize(
    ("line", "said"),
    [("prices = 3", "the setting prices is no file"), ('prices = "none.toml"', "cannot be read")],
)
def test_a_price_table_that_is_none(line: str, said: str, project: Path) -> None:
    (project / "tuneform.toml").write_text(f"{line}\n")
    with pytest.raises(SettingsError, match=said):
        Settings.here().prices()


@pytest.mark.parametrize("said", ["0", "-1", "1.5", "many", ""])
def test_a_number_is_a_whole_one_and_not_too_small(
    project: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    (project / "tuneform.toml").write_text("parallel = 7\n")
    monkeypatch.setenv("TUNEFORM_PARALLEL", said)
    if not said:
        assert Settings.here().at_once(None) == 7
        assert Settings.here().at_once(2) == 2
        return
    with pytest.raises(SettingsError, match=f"TUNEFORM_PARALLEL is '{said}'"):
        Settings.here().at_once(None)


def test_the_provider_is_told_what_was_said_to_the_command_line(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert provider_environment(Settings.here()) == {}
    (project / "tuneform.toml").write_text("rate = 90\nmax_jobs = 2\n")
    monkeypatch.setenv("TUNEFORM_MAX_JOBS", "3")
    assert provider_environment(Settings.here()) == {"TUNEFORM_RATE": "90", "TUNEFORM_MAX_JOBS": "3"}
    monkeypatch.setenv("TUNEFORM_RATE", "1")
    with pytest.raises(SettingsError, match="TUNEFORM_RATE"):
        provider_environment(Settings.here())
