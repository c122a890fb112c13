"""Runs of `tuneform up`, with the real engine: an applier of many processes, killed all at once as by a power cut."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from tests.faults.appliers import DEADLINE, Ended, Installed, Run
from tests.faults.crash import Reference, Verdict, unreached
from tests.faults.endings import Complaint, Ending, complaints, ending, sound
from tests.faults.points import Point, points_of, reach
from tests.faults.scene import Scene
from tests.faults.stage import QUICK, Stage, emulated

from tuneform_emulator import daemon

ROOT = Path(__file__).parents[2]
UP = ("up", "--quiet")
PATIENCE = 2 * DEADLINE


@dataclass(frozen=True)
class UpSnapshot:
    """A folder to begin at: specs, the emulator's database, the engine's state."""

    folder: Path
    wanted: Scene

    @contextmanager
    def stage(self) -> Iterator[Stage]:
        """A copy of the folder with an emulator of its own; thrown away unless it fails."""
        mine = self.folder.with_name(
            f"{self.folder.name}-{len(list(self.folder.parent.iterdir()))}-{os.urandom(4).hex()}"
        )
        shutil.copytree(self.folder, mine, symlinks=True)
        with _staged(mine) as stage:
            stage.write(self.wanted)
            yield stage
        shutil.rmtree(mine)


@contextmanager
def _staged(folder: Path) -> Iterator[Stage]:
    local = folder / ".tuneform" / "emulator"
    local.mkdir(parents=True, exist_ok=True)
    with emulated(local / "emulator.db", folder, Installed(), settings=QUICK) as stage:
        port = int(stage.endpoint.rpartition(":")[2])
        env = daemon.environment(port, "")
        del env["TUNEFORM_GRPC_ENDPOINT"]  # whoever asks the emulator's health is told
        (local / "emulator.json").write_text(json.dumps({"endpoint": stage.endpoint, "env": env}))
        engine = ROOT / ".tuneform" / "engine" / "bin"
        stage.env["PATH"] = os.pathsep.join([str(engine), os.environ["PATH"]])
        yield stage


def prepare_up(folder: Path, first: Scene | None, wanted: Scene) -> UpSnapshot:
    """The folder after `tuneform up` on `first` (None: nothing was done yet), with specs that say `wanted`."""
    begin = folder / "begin"
    begin.mkdir(parents=True)
    for name in ("Pulumi.yaml", "Pulumi.local.yaml"):
        shutil.copy(ROOT / name, begin / name)
    (begin / "infra").symlink_to(ROOT / "infra")
    with _staged(begin) as stage:
        if first is not None:
            stage.write(first)
            ended = stage.start(*UP).wait(PATIENCE)
            assert ended.code == 0, ended.text
    return UpSnapshot(begin, wanted)


def reference_up(snapshot: UpSnapshot) -> Reference:
    """Run `up` once, undisturbed; fails unless that ends as it should."""
    with snapshot.stage() as stage:
        ended = stage.start(*UP).wait(PATIENCE)
        assert ended.code == 0, ended.text
        points = points_of(stage.control.log())
        found = ending(stage.world)
        wrong = [*_settled(stage), *sound(found, snapshot.wanted.endpoint)]
        assert not wrong, "\n".join(map(str, wrong))
    return Reference(tuple(points), found)


def crash_up(snapshot: UpSnapshot, point: Point, wanted: Ending) -> Verdict:
    """Kill everything that works for an `up` at a point, and run it again."""
    with snapshot.stage() as stage:
        control = stage.control
        barrier = control.hold(point.when, **point.calls)
        run = stage.start(*UP)
        held = reach(control, run, seconds=PATIENCE)
        if held is None:
            return unreached(point, run)
        _power_cut(stage, run)
        control.release(held.id, "drop" if point.when == "before" else "proceed")
        control.remove(barrier)
        again = stage.start(*UP).wait(PATIENCE)
        if again.code != 0:
            return Verdict(point, True, (Complaint("unfinished", f"the re-run: {again.text}"),))
        return Verdict(point, True, (*_settled(stage), *complaints(ending(stage.world), wanted)))


def _settled(stage: Stage) -> list[Complaint]:
    """What is wrong unless a preview has nothing to do."""
    ended: Ended = stage.start("preview").wait(PATIENCE)
    if ended.code == 0 and "everything unchanged" in ended.text:
        return []
    return [Complaint("unfinished", f"preview says {ended.code}: {ended.text}")]


def _power_cut(stage: Stage, run: Run) -> None:
    """SIGKILL to the command, the engine and its plugins, wherever they have got to."""
    mark = f"file://{stage.folder}/"
    working = [process for process in psutil.process_iter() if _backend(process).startswith(mark)]
    for process in working:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    run.kill()
    psutil.wait_procs(working, timeout=DEADLINE)


def _backend(process: psutil.Process) -> str:
    try:
        return process.environ().get("PULUMI_BACKEND_URL", "")
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return ""
