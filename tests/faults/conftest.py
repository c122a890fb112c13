"""What all sweeps use: processes to run in, a state to begin at, a tally to add to.

How to write a sweep:

- `second_revision` is a `Snapshot`; `with second_revision.stage() as stage:` is an emulator of your own that begins
  there, 0.1 s later. `prepare` makes other snapshots (of other specs: see `scene.Scene`); `stage(clock=…, settings=…)`
  takes the emulator's clock and switches.
- `stage.apply()` and `stage.plan()` run the command to its end; `run = stage.start("apply", "--yes")` does not wait,
  and `run.kill()`, `run.pause()`, `run.wake()`, `run.wait()` do what they say. `stage.env` is what runs are given
  (TUNEFORM_LIST_LAG=0 unless changed), `stage.control` has faults, barriers, the log and the clock (`control.Control`).
- `undisturbed.points` is every call of that apply as a `Point`; `control.hold(point.when, **point.calls)` strikes
  there, and so does a fault's `{"calls": point.calls}`. `reach(control, run)` waits until the run is held, or has
  ended (None). `bounded(points, reads)` and `states(points, reads)` are selections for
  `make test`; the rest is for `@pytest.mark.slow`.
- `go_on(stage, undisturbed.ending)` runs again and says what is wrong then: `Complaint`s of a second paid attempt, an
  orphan, a divergence from the undisturbed end, or a run or plan that does not end well. `endings.ending(stage.world)`
  is all that is live as plain data.
- `sweep(points, strike)` tries points side by side, `judging.judge` makes a subtest of each and adds to `tally`, which
  is how a row gets into docs/reliability.md: a row is a name, and names that are added twice are added up.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.faults import tally as tallies
from tests.faults.appliers import Forked
from tests.faults.crash import Reference, reference
from tests.faults.scene import Scene
from tests.faults.stage import Snapshot, prepare, quick_steps


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    # No longer than these modules: other tests of the same process watch the steps of jobs.
    with quick_steps():
        yield


@pytest.fixture(scope="session")
def appliers() -> Iterator[Forked]:
    """Runs of `tuneform`, forked from one process."""
    made = Forked()
    yield made
    made.close()


@pytest.fixture(scope="session")
def second_revision(tmp_path_factory: pytest.TempPathFactory, appliers: Forked) -> Snapshot:
    """A first revision serves; the specs ask for another one, and keep no older one.

    So an apply uploads, creates, waits, measures, promotes and retires: every kind of call there is.
    """
    first = Scene()
    return prepare(tmp_path_factory.mktemp("second") / "stages", appliers, first, first.second())


@pytest.fixture(scope="session")
def undisturbed(second_revision: Snapshot) -> Reference:
    """How an apply of that goes, undisturbed."""
    return reference(second_revision)


@pytest.fixture
def tally() -> tallies.Tally:
    """Adds a sweep's figures to the table of docs/reliability.md."""
    return tallies.add
