"""The real Pulumi engine on a spec folder, against the emulator: what `tuneform up` does, without its display."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pulumi import automation
from tests.functional.emulators import Emulator

import tuneform_emulator
from tuneform.entrypoints.engine import Engine, find_engine
from tuneform.entrypoints.program import ProgramSettings, declare
from tuneform.specs import load

ENGINE = find_engine(Path(__file__).parents[3] / ".tuneform")
"""The one that `tuneform up` would use; None when there is none yet."""
WITH_ENGINE = [
    pytest.mark.skipif(ENGINE is None, reason="no engine yet: make engine"),
    # The Automation API leaves event loops of its inline programs to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    # Loading pulumi_gcp.storage warns of a misspelt function in it that nobody here calls.
    pytest.mark.filterwarnings("ignore:gcp.storage.getTransferProjectServieAccount:DeprecationWarning"),
]
"""Marks of every module that runs it."""
PLUGINS = Path(tuneform_emulator.__file__).parent / "gcp_plugin" / "bin"

PROJECT = """
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: demo}
spec: {projectId: tuneform-test, location: us-central1, owner: ml-team, labels: {env: test}}
---
apiVersion: tuneform.dev/v1
kind: EncryptionKey
metadata: {name: tuning-key}
spec: {keyRing: tuneform, rotationPeriod: 90d}
---
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {name: data}
spec:
  encryptionKey: {ref: tuning-key}
  lifecycle: [{age: 30, numNewerVersions: 3}]
---
apiVersion: tuneform.dev/v1
kind: ServiceAccount
metadata: {name: tuning-runner}
spec:
  displayName: Runs tuning jobs
  projectRoles: [roles/aiplatform.user]
"""

TUNING = """
apiVersion: tuneform.dev/v1
kind: Dataset
metadata: {name: intents}
spec:
  bucket: {ref: data}
  training: data/train.csv
  split: {validation: 0.2, test: 0.2}
---
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: intents, labels: {team: support}}
spec:
  baseModel: gemini-2.5-flash
  dataset: {ref: intents}
  hyperParameters: {epochCount: 2, adapterSize: ADAPTER_SIZE_FOUR}
  encryptionKey: {ref: tuning-key}
  serviceAccount: {ref: tuning-runner}
---
apiVersion: tuneform.dev/v1
kind: TunedModel
metadata: {name: intents}
spec:
  job: {ref: intents}
  checkpoint: best
  gate: {evalLoss: {atMost: 100}}
"""


@dataclass
class Ran:
    """What a run came to: changes by kind, messages, and what was done and which fields differ by resource."""

    changes: dict[str, int]
    messages: list[str] = field(default_factory=list)
    steps: dict[str, str] = field(default_factory=dict)
    fields: dict[str, list[str]] = field(default_factory=dict)

    @property
    def said(self) -> str:
        return "\n".join(self.messages)

    @property
    def changed(self) -> dict[str, str]:
        """Everything that was not left as it was."""
        return {name: step for name, step in self.steps.items() if step not in {"same", "read"}}


class Stack:
    """A stack over `specs`, with its state in `home`."""

    def __init__(self, home: Path, specs: Path, endpoint: str) -> None:
        self.home = home
        self.specs = specs
        self.endpoint = endpoint
        self.settings: dict[str, Any] = {}
        self.plugins: list[str] = []
        self.program: Callable[[], None] = self._declare

    def up(self) -> Ran:
        return self._run(lambda stack, listen: stack.up(on_event=listen))

    def preview(self, *packs: str) -> Ran:
        return self._run(
            lambda stack, listen: stack.preview(on_event=listen, policy_packs=list(packs) or None)
        )

    def refresh(self) -> Ran:
        return self._run(lambda stack, listen: stack.refresh(on_event=listen))

    def destroy(self) -> Ran:
        return self._run(lambda stack, listen: stack.destroy(on_event=listen))

    def outputs(self) -> dict[str, Any]:
        return {name: output.value for name, output in self.stack().outputs().items()}

    def stack(self) -> automation.Stack:
        stack = automation.create_or_select_stack(
            "test",
            project_name="tuneform",
            program=self.program,
            opts=automation.LocalWorkspaceOptions(
                work_dir=str(self.work),
                pulumi_command=automation.PulumiCommand(str(_engine().path.parents[1])),
                project_settings=automation.ProjectSettings(
                    name="tuneform",
                    runtime="python",
                    backend=automation.ProjectBackend(f"file://{self.made('state')}"),
                ),
                env_vars=self.environment(),
            ),
        )
        stack.set_config("tuneform:specs", automation.ConfigValue(str(self.specs)))
        return stack

    def unlock(self) -> None:
        """Clear what an engine that was killed has left: its lock, and what it was about to do."""
        stack = self.stack()
        stack.cancel()
        state = stack.export_stack()
        assert state.deployment is not None
        kept = {key: part for key, part in state.deployment.items() if key != "pending_operations"}
        stack.import_stack(automation.Deployment(version=state.version, deployment=kept))

    def _declare(self) -> None:
        declare(load(self.specs), ProgramSettings(endpoint=self.endpoint, **self.settings))

    @property
    def work(self) -> Path:
        return self.made("work")

    def made(self, name: str) -> Path:
        folder = self.home / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.pathsep.join(
                [*self.plugins, str(PLUGINS), str(Path(sys.executable).parent), os.environ["PATH"]]
            ),
            "PULUMI_HOME": str(self.made("pulumi")),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "TUNEFORM_ENDPOINT": self.endpoint,
            "TUNEFORM_PYTHON": sys.executable,
        }

    def _run(self, operation: Callable[[automation.Stack, Callable[[Any], None]], Any]) -> Ran:
        ran = Ran({})

        def listen(event: automation.EngineEvent) -> None:
            if event.diagnostic_event and event.diagnostic_event.severity != "debug":
                ran.messages.append(event.diagnostic_event.message)
            if event.policy_event:
                ran.messages.append(event.policy_event.message)
            if event.resource_pre_event:
                metadata = event.resource_pre_event.metadata
                ran.steps[_called(metadata)] = metadata.op.value
                ran.fields[_called(metadata)] = sorted(metadata.detailed_diff or ())
            if event.res_outputs_event and (found := event.res_outputs_event.metadata.detailed_diff):
                # What a refresh has found is known afterwards.
                ran.fields[_called(event.res_outputs_event.metadata)] = sorted(found)
            if event.summary_event:
                ran.changes = {
                    str(kind): count for kind, count in event.summary_event.resource_changes.items()
                }

        try:
            operation(self.stack(), listen)
        except automation.CommandError as error:
            raise RunFailedError(ran, str(error)) from error
        finally:
            # Loops of the inline program are left to the collector, which is to warn here and not in another test.
            gc.collect()
        return ran


def _called(metadata: Any) -> str:
    return f"{metadata.type.rpartition(':')[2]}/{metadata.urn.rpartition('::')[2]}"


def vertex(emulator: Emulator, kind: str) -> list[dict[str, Any]]:
    """The tuningJobs, models or endpoints that are live."""
    path = f"/v1/projects/{emulator.project}/locations/{emulator.location}/{kind}"
    found: list[dict[str, Any]] = emulator.call("GET", path).json().get(kind, [])
    return found


def edit(stack: Stack, old: str, new: str) -> None:
    """Replace a text in the specs of the tuning."""
    file = stack.specs / "tuning.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def _engine() -> Engine:
    assert ENGINE is not None, "tests without an engine are skipped"
    return ENGINE


class RunFailedError(Exception):
    """The engine ended with errors."""

    def __init__(self, ran: Ran, text: str) -> None:
        super().__init__(ran.said + text)
        self.ran = ran


def write_specs(folder: Path, *, tuning: str = TUNING, rows: int = 40) -> Path:
    """A spec folder: a project with key, bucket and account, and one tuning."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "project.yaml").write_text(PROJECT)
    (folder / "tuning.yaml").write_text(tuning)
    kinds = ("refund", "delivery", "account", "praise")
    lines = [f"please help me with {kinds[n % 4]} number {n},{kinds[n % 4]}" for n in range(rows)]
    (folder / "data" / "train.csv").write_text("\n".join(["text_input,output", *lines, ""]))
    return folder
