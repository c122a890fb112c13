from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tests.unit.entrypoints.provider.world import Live, LiveSession

from tuneform.entrypoints.provider import importing
from tuneform.entrypoints.provider.session import EngineLog, StoppableClock, working_for
from tuneform.errors import SettingsError
from tuneform.reconcile.desired import Identity
from tuneform.reconcile.live import JobState, Progress

INTENTS = Identity("demo", "intents")


def test_a_wait_ends_at_once_when_the_engine_cancels() -> None:
    stop = threading.Event()
    stop.set()
    assert StoppableClock(stop).wait(3600)


def test_a_line_is_shown_once_for_each_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    log = EngineLog()
    monkeypatch.setattr(log, "_log", lambda _severity, text, **_: shown.append(text))
    running = Progress("jobs/1", JobState.RUNNING, 3, 8, 0.4121)
    for urn in ("urn:a", "urn:a", "urn:b"):
        with working_for(urn):
            log.progress(INTENTS, running)
    with working_for("urn:a"):
        log.progress(INTENTS, Progress("jobs/1", JobState.SUCCEEDED))
    assert shown == ["RUNNING, epoch 3/8, loss 0.412"] * 2 + ["SUCCEEDED"]


def test_an_import_without_a_spec_folder_says_what_to_set(tmp_path: Path) -> None:
    session = LiveSession(Live())
    session.config = {"specs": str(tmp_path / "none")}
    with pytest.raises(SettingsError, match="there is no spec folder") as raised:
        importing.inputs_of("tuneform:index:TuningJob", "demo/intents", session)
    assert "tuneform:specs" in raised.value.remedy


def test_an_import_of_what_no_document_describes_says_what_an_id_is(tmp_path: Path) -> None:
    (tmp_path / "project.yaml").write_text(
        "apiVersion: tuneform.dev/v1\nkind: Project\nmetadata: {name: demo}\n"
        "spec: {projectId: tuneform-test, location: us-central1, owner: ml-team}\n"
    )
    session = LiveSession(Live())
    session.config = {"specs": str(tmp_path)}
    with pytest.raises(SettingsError, match="has no TuningJob 'intents'") as raised:
        importing.inputs_of("tuneform:index:TuningJob", "demo/intents", session)
    assert raised.value.remedy == "an id is <metadata.project>/<metadata.name>"


def test_the_project_is_where_the_engine_s_starter_says_though_a_link_led_to_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    for folder in (mine, theirs):
        folder.mkdir()
        (folder / "Pulumi.yaml").write_text("name: tuneform\nruntime: python\n")
    (theirs / "infra").mkdir()
    (mine / "infra").symlink_to(theirs / "infra")
    monkeypatch.chdir(mine / "infra")

    assert LiveSession(Live()).root == theirs, "the folder of a process has no links in it"
    monkeypatch.setenv("TUNEFORM_PROJECT_ROOT", str(mine))
    assert LiveSession(Live()).root == mine
