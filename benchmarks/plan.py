"""A plan with nothing to do, over 100, 1,000 and 10,000 tunings, beside `terraform plan` and `pulumi preview`.

    python -m benchmarks.plan [--profile] [TUNINGS…]

Each size is a project in agreement with its specs (planning/world.py): so many TuningJobs and TunedModels over a
twentieth as many Datasets, all judged by the ten rules of a policy, against as many live jobs, models, endpoints and
ledger records on an emulator. Every figure is of a whole process, the better of two runs; the emulator has answered the
same lists once before, since how long it takes to make them is no property of tuneform. Beside them, in the same run: `terraform plan` on as many
`terraform_data` (with `terraform` or `tofu` on PATH), and `pulumi preview` on 1,000 of our own resources.

The bars (docs/architecture.md has none; they come from the design): at 10,000 at most a fifth of terraform's time on
10,000 `terraform_data` and a fifteenth of 10 ms a resource of pulumi's; ten times the specs cost at most twelve times.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from benchmarks.planning import world

ROOT = Path(__file__).parents[1]
TUNEFORM = Path(sys.executable).with_name("tuneform")
DAY = "2026-01-01"
"""No model of the specs is near its retirement then: what is measured is a plan, and not 10,000 warnings."""
PULUMI_TUNINGS = 500
"""Each is two resources of ours."""


@dataclass(frozen=True)
class Run:
    """What one process took: seconds on the wall, seconds of processor, its largest size in MiB, calls answered."""

    wall: float
    cpu: float
    memory: float
    calls: int = 0

    def row(self, what: str) -> str:
        """A line of the table."""
        calls = f"{self.calls:6}" if self.calls else "     –"
        return f"{what:44} {self.wall:7.2f} s {self.cpu:7.2f} s {self.memory:7.0f} MiB {calls} calls"


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    profile = "--profile" in arguments
    sizes = [int(a) for a in arguments if a.isdecimal()] or [100, 1_000, 10_000]
    print(f"{'':44} {'wall':>9} {'processor':>9} {'memory':>11}")
    plans: dict[int, Run] = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as name:
            checkout = Checkout.made(Path(name), size)
            try:
                plans[size] = checkout.plan()
                print(plans[size].row(f"tuneform plan, {size:,} tunings"), flush=True)
                if profile:
                    checkout.profile()
            finally:
                checkout.does("emulator", "stop")
        if terraform := shutil.which("terraform") or shutil.which("tofu"):
            with tempfile.TemporaryDirectory() as name:
                run = terraform_plan(terraform, Path(name), size)
                print(run.row(f"{Path(terraform).name} plan, {size:,} terraform_data"), flush=True)
        else:
            print("terraform plan: neither terraform nor tofu is on PATH")
    for small, large in zip(sizes, sizes[1:], strict=False):
        ratio = plans[large].wall / plans[small].wall
        print(f"{large:,} tunings cost {ratio:.1f} times what {small:,} cost")
    if not {"--no-pulumi"} & set(arguments):
        pulumi_preview()


@dataclass(frozen=True)
class Checkout:
    """A folder with specs and a populated emulator of its own."""

    folder: Path

    @classmethod
    def made(cls, folder: Path, tunings: int) -> Checkout:
        """Train the first tuning for real, then copy it for all others."""
        checkout = cls(folder)
        for name in ("Pulumi.yaml", "Pulumi.local.yaml"):
            shutil.copy(ROOT / name, folder / name)
        (folder / "infra").symlink_to(ROOT / "infra")
        world.write_specs(folder / "specs", 1)
        checkout.does("emulator", "start", "--port", "0")
        checkout.does("up", "--quiet")
        checkout.does("emulator", "stop")
        shutil.rmtree(folder / "specs")
        world.write_specs(folder / "specs", tunings)
        world.populate(folder / ".tuneform" / "emulator" / "emulator.db", world.desired(folder / "specs"))
        checkout.does("emulator", "start", "--port", "0")
        return checkout

    @property
    def env(self) -> dict[str, str]:
        """The environment of its commands; the engine that is built already is used."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TUNEFORM_", "PULUMI_", "PYTHON"))}
        engine = ROOT / ".tuneform" / "engine" / "bin"
        path = os.pathsep.join([str(engine), kept["PATH"]])
        return {**kept, "PATH": path, "NO_COLOR": "1", "TUNEFORM_TODAY": DAY}

    def does(self, *arguments: str) -> str:
        """Run `tuneform`, which must succeed."""
        done = subprocess.run(  # noqa: S603
            [TUNEFORM, *arguments], cwd=self.folder, env=self.env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"tuneform {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def plan(self) -> Run:
        """The better of two plans, after one that lets the emulator make its answers."""
        self.does("plan", "--detailed-exitcode")
        before = self._calls()
        command = [str(TUNEFORM), "plan", "--detailed-exitcode"]
        runs = [measured(command, self.folder, self.env) for _ in range(2)]
        calls = (self._calls() - before) // 2
        best = min(runs, key=lambda run: run.wall)
        return Run(best.wall, best.cpu, best.memory, calls)

    def profile(self) -> None:
        """Where a plan's time goes, in the process itself."""
        command = [sys.executable, "-m", "cProfile", "-s", "tottime", str(TUNEFORM), "plan"]
        done = subprocess.run(  # noqa: S603
            command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False
        )
        print("\n".join(done.stdout.splitlines()[:45]))

    def _calls(self) -> int:
        record = json.loads((self.folder / ".tuneform" / "emulator" / "emulator.json").read_text())
        with urlopen(f"{record['endpoint']}/_emulator/requests", timeout=30) as answer:  # noqa: S310
            counted: dict[str, int] = json.load(answer)["requests"]
        return sum(count for route, count in counted.items() if "/_emulator/" not in route)


def measured(command: Sequence[str], folder: Path, env: dict[str, str]) -> Run:
    """Run a process to its end, which must be a good one."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None, "it is a pipe"
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{said.decode()[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, cpu, usage.ru_maxrss / 1024)


def terraform_plan(terraform: str, folder: Path, count: int) -> Run:
    """`plan` with nothing to do over so many `terraform_data`.

    One is applied, and its state copied for the others: to apply 10,000 takes Terraform longer than all else here. With
    -detailed-exitcode the plan would fail if anything were left to do.
    """
    blocks = [f'resource "terraform_data" "r{n}" {{\n  input = "value {n}"\n}}\n' for n in range(count)]
    (folder / "main.tf").write_text(blocks[0], encoding="utf-8")
    env = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    for arguments in (["init"], ["apply", "-auto-approve"]):
        subprocess.run([terraform, *arguments], cwd=folder, env=env, stdout=subprocess.DEVNULL, check=True)  # noqa: S603
    (folder / "main.tf").write_text("".join(blocks), encoding="utf-8")
    file = folder / "terraform.tfstate"
    state = json.loads(file.read_text())
    one = json.dumps(state["resources"][0]).replace('"r0"', '"r%d"').replace('"value 0"', '"value %d"')
    assert one.count("%d") == 3, "a name, an input and an output"
    state["resources"] = [json.loads(one % (n, n, n)) for n in range(count)]
    file.write_text(json.dumps(state))
    runs = [measured([terraform, "plan", "-detailed-exitcode"], folder, env) for _ in range(2)]
    return min(runs, key=lambda run: run.wall)


def pulumi_preview() -> None:
    """`tuneform preview` over 1,000 resources of ours whose state is there, and a plan over the same.

    To make the state takes some four minutes: the engine writes all of it again after each resource.
    """
    with tempfile.TemporaryDirectory() as name:
        checkout = Checkout.made(Path(name), PULUMI_TUNINGS)
        try:
            checkout.does("up", "--quiet")
            said = checkout.does("preview")
            if "everything unchanged" not in said:
                raise SystemExit(f"the preview after up finds something to do:\n{said}")
            preview = measured([str(TUNEFORM), "preview"], checkout.folder, checkout.env)
            print(preview.row(f"pulumi preview, {2 * PULUMI_TUNINGS:,} resources of ours"), flush=True)
            print(checkout.plan().row(f"tuneform plan, the same {PULUMI_TUNINGS:,} tunings"), flush=True)
        finally:
            checkout.does("emulator", "stop")


if __name__ == "__main__":
    main(sys.argv[1:])
