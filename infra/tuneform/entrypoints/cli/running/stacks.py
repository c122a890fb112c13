"""A stack and the engine that runs it: where its state lies, and how it is driven.

A stack is one project. `local` is the project's own specs against the emulator; other spec folders, and each of
several Projects in one, get local stacks of their own (`local-<project>`), so that applying one never deletes what
another one made.
"""

from __future__ import annotations

import json
import shutil
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi import automation
from semver import VersionInfo

from tuneform.entrypoints.cli.reconciling.scope import project_named
from tuneform.entrypoints.cli.running import supervise
from tuneform.entrypoints.cli.running.holding import Held
from tuneform.entrypoints.cli.settings import (
    LOCAL_STACK,
    PROJECT_FILE,
    PROJECT_ROOT,
    Settings,
    local_environment,
    made,
    provider_environment,
    running_emulator,
)
from tuneform.entrypoints.engine import Engine
from tuneform.errors import MachineError, SettingsError
from tuneform.reconcile.holders import is_alive
from tuneform.specs import Project, Tree

PROJECT_NAME = "tuneform"


@dataclass(frozen=True)
class Target:
    """What a run works on. `endpoint` is the emulator's, None for Google Cloud itself.

    `adopt` is what was asked for; None leaves it to the stack's configuration.
    """

    stack: str
    endpoint: str | None
    folder: Path
    env: Mapping[str, str]
    adopt: bool | None

    @property
    def local(self) -> bool:
        """Whether the emulator stands for Google Cloud."""
        return self.endpoint is not None


def target(
    settings: Settings, tree: Tree, specs: Path, *, stack: str | None, project: str | None, adopt: bool | None
) -> Target:
    """Where these specs are applied to.

    Raises:
        MachineError: a local stack, and no emulator answers.
        SettingsError: there are several projects and none was named, or there is none of that name.
    """
    name = settings.get("stack", stack) or default_stack(settings, tree, specs, project)
    ours = provider_environment(settings)
    if name != LOCAL_STACK and not name.startswith(f"{LOCAL_STACK}-"):
        folder = settings.root or Path.cwd()
        return Target(name, None, folder, {**ours, PROJECT_ROOT: str(folder)}, adopt)
    emulator = running_emulator(settings)
    folder = settings.root if name == LOCAL_STACK and settings.root else _own_folder(settings, name)
    env = {**local_environment(settings, emulator), **ours, PROJECT_ROOT: str(folder)}
    return Target(name, emulator.endpoint, folder, env, adopt)


def default_stack(settings: Settings, tree: Tree, specs: Path, named: str | None) -> str:
    """The local stack of a Project: `local` for the only one of the project's own specs, or the one it began with.

    Raises:
        SettingsError: there are several projects and none was named, or there is none of that name.
    """
    project = project_named(tree, specs, named)
    own = f"{LOCAL_STACK}-{project.name}"
    if not settings.is_default(specs):
        return own
    for stack in (LOCAL_STACK, own):
        if Held.in_file(_state_file(settings, stack)).is_of(project):
            return stack
    return LOCAL_STACK if len(tree.of(Project)) == 1 else own


def _state_file(settings: Settings, stack: str) -> Path:
    """Where the state of a local stack lies."""
    return settings.home / "state" / ".pulumi" / "stacks" / PROJECT_NAME / f"{stack}.json"


def _own_folder(settings: Settings, stack: str) -> Path:
    """A Pulumi project for a spec folder that has none: generated, below the local state."""
    folder = made(settings.home / "stacks" / stack)
    (folder / PROJECT_FILE).write_text(
        f"# Made by tuneform for the stack {stack}; its program is run by tuneform itself.\n"
        f"name: {PROJECT_NAME}\nruntime: python\n"
    )
    return folder


class SupervisedEngine(automation.PulumiCommand):
    """The engine, run so that it never outlives us: killed, we leave no engine and no lock behind."""

    def __init__(self, engine: Engine) -> None:
        # The base class looks for `<root>/bin/pulumi` and asks it for its version; ours has been asked already.
        self._engine = engine
        self.command = sys.executable
        self.version = VersionInfo.parse(engine.version.removeprefix("v"))

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
    ) -> automation.CommandResult:
        """See the base class."""
        supervised = [supervise.__file__, str(self._engine.path), "--non-interactive", *args]
        return super().run(supervised, cwd, additional_env, on_output, on_error)


def select(target: Target, engine: Engine, program: Callable[[], None]) -> automation.Stack:
    """The stack; a local one is made if it is not there yet, one of Google Cloud is not, lest a typo makes another.

    Raises:
        SettingsError: there is no such stack.
        MachineError: the engine cannot open it, for want of a login for instance.
    """
    options = automation.LocalWorkspaceOptions(
        work_dir=str(target.folder), env_vars=dict(target.env), pulumi_command=SupervisedEngine(engine)
    )
    opened = automation.create_or_select_stack if target.local else automation.select_stack
    try:
        return opened(stack_name=target.stack, project_name=PROJECT_NAME, program=program, opts=options)
    except automation.StackNotFoundError as error:
        raise SettingsError(
            f"there is no stack {target.stack}", remedy=f"make it with `pulumi stack init {target.stack}`"
        ) from error
    except automation.CommandError as error:
        raise MachineError(
            f"the engine cannot open the stack {target.stack}: {engine_words(error)}",
            remedy=f"its state lies below {target.env['PULUMI_BACKEND_URL']}; mend or remove it"
            if target.local
            else "log in to where its state is kept: `pulumi login`, or `pulumi login gs://BUCKET` for a "
            "bucket of yours; or leave --stack out to work against the emulator",
        ) from error


def engine_words(error: automation.CommandError) -> str:
    """What the engine itself said last, without what the Automation API puts around it."""
    _, _, said = str(error).rpartition("\n stderr: ")
    lines = [line.removeprefix("error: ") for line in said.splitlines() if line.strip()]
    return "\n".join(lines[-12:]) or "the engine was ended before it had said anything"


def free_stale_lock(settings: Settings, target: Target) -> list[str]:
    """Remove locks that processes of this host left when they were killed; returns what to tell about them.

    Raises:
        MachineError: a process that holds the lock is alive. Nothing may be mended under its hands.
    """
    told = []
    folder = settings.home / "state" / ".pulumi" / "locks" / "organization" / PROJECT_NAME / target.stack
    for lock in sorted(folder.glob("*.json")) if target.local else ():
        holder = _holder(lock)
        if holder.get("hostname") != socket.gethostname():
            continue
        pid = int(holder.get("pid", 0))
        if is_alive(pid):
            raise busy(target.stack, f" (process {pid}; if that is something else, delete {lock})")
        lock.unlink(missing_ok=True)
        told.append(f"freed the lock of process {pid}, which is gone")
    return told


def mend_state(settings: Settings, target: Target) -> list[str]:
    """Put right a state file that an engine was killed in the middle of writing; returns what to tell about it.

    The engine keeps the state before in a file beside it, and what that one does not know of yet is looked up live.
    Call it while nobody holds the stack's lock.
    """
    state = _state_file(settings, target.stack)
    if not target.local:
        return []
    told = _mend_notes(state)
    if not state.exists() or _is_json(state):
        return told
    backup = state.with_name(f"{state.name}.bak")
    if _is_json(backup):
        for source in backup.parent.glob(f"{backup.name}*"):  # the state, and what is noted about the file
            shutil.copy(source, source.with_name(source.name.replace(".json.bak", ".json")))
        return [
            *told,
            "the state was cut off while it was written; going on from the one before, and from what is live",
        ]
    state.rename(state.with_name(f"{state.name}.broken"))
    return [
        *told,
        f"the state was cut off while it was written, and is kept as {state.name}.broken; going on from what is live",
    ]


def _mend_notes(state: Path) -> list[str]:
    """Remove what the engine notes beside its state where that was cut off: it can do without, and not with a part."""
    notes = state.with_name(f"{state.name}.attrs")
    if not notes.exists() or _is_json(notes):
        return []
    notes.unlink()
    return ["what the engine notes beside its state was cut off while it was written; it does without"]


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return False
    return True


def busy(stack: str, more: str = "") -> MachineError:
    """The error of a stack that another run works on."""
    return MachineError(
        f"another run is at work on the stack {stack}{more}",
        remedy="wait until it has ended, then run the command again",
    )


def _holder(lock: Path) -> dict[str, Any]:
    """Who holds a lock; nobody when it goes while we look, or is only being written."""
    try:
        found: dict[str, Any] = json.loads(lock.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return found


def configured_project(stack: automation.Stack) -> str:
    """The Project that the stack's configuration names (`tuneform:project`); empty where it names none."""
    try:
        config = stack.workspace.stack_settings(stack.name).config or {}
    except FileNotFoundError:
        return ""
    value = config.get(f"{PROJECT_NAME}:project")
    return value if isinstance(value, str) else ""


def drop_pending(stack: automation.Stack, state: automation.Deployment) -> list[str]:
    """Forget operations that a killed run left half-done: each resource is looked up again, so nothing is lost.

    `state` is the stack's, exported. What was being created is found by adopting, an update is repeated; but of what
    was being deleted the state says that it is there, so the engine has to look.

    Raises:
        MachineError: they are those of a run that is still at work, or the engine cannot look.
    """
    deployment = dict(state.deployment or {})
    pending = deployment.pop("pending_operations", None) or []
    if not pending:
        return []
    names = ", ".join(sorted(operation["resource"]["urn"].rpartition("::")[2] for operation in pending))
    deleting = [operation["resource"]["urn"] for operation in pending if operation["type"] == "deleting"]
    try:
        stack.import_stack(automation.Deployment(version=state.version, deployment=deployment))
        if deleting:
            stack.refresh(target=deleting)
    except automation.ConcurrentUpdateError as error:
        raise busy(stack.name) from error
    except automation.CommandError as error:
        raise MachineError(
            f"an earlier run was cut off while it worked on {names}, and what is live of it cannot be read: "
            f"{engine_words(error)}",
            remedy="mend the cause, and run `tuneform refresh` before the same command again",
        ) from error
    return [f"an earlier run was cut off while it worked on {names}; going on from what is live"]
