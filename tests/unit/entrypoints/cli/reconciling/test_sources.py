"""What the watch loop reads again, and when."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tuneform.entrypoints.cli.reconciling.connecting import Asked
from tuneform.entrypoints.cli.reconciling.quiet import Quiet
from tuneform.entrypoints.cli.reconciling.stopping import StoppableClock
from tuneform.entrypoints.cli.reconciling.watching.sources import Sources
from tuneform.entrypoints.cli.settings import Settings
from tuneform.errors import SpecErrors

PROJECT = """\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: demo}
spec: {projectId: tuneform-demo, location: us-central1, owner: ml-team}
"""


def test_a_capability_file_that_is_wrong_is_read_again_when_it_changes_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tuneform.toml").write_text('capabilities = ["own.toml"]\n')
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "a.yaml").write_text(PROJECT)
    own = tmp_path / "own.toml"
    own.write_text("[model]\n")
    sources = Sources(Settings.here(), Asked(None, None, google_cloud=True), Quiet(), StoppableClock())

    with pytest.raises(SpecErrors, match="unknown section 'model'"):
        sources.changed()
    assert sources.changed() is None
    own.write_text("[mode]\n")
    os.utime(own, ns=(1, 1))
    with pytest.raises(SpecErrors, match="unknown section 'mode'"):
        sources.changed()
