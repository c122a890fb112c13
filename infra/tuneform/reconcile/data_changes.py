"""What a plan changes in the data of its tunings: the content that the revision before was made with, and the new one.

Of the training data the ledger knows the content's URI, of the validation data the job does, of the test data the
digest that a gate was measured on. The old content is read in parts into a file without a name, so that memory holds
neither; it may be gone, which is said.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from tuneform.datasets.differences import Differences, NotCanonicalError, compare
from tuneform.errors import NotFound, RemoteError
from tuneform.reconcile.actions import last
from tuneform.reconcile.desired import Content, Desired, Tuning
from tuneform.reconcile.ledger import Record
from tuneform.reconcile.observe import ObservedTuning, World
from tuneform.reconcile.plan import Plan
from tuneform.reconcile.ports import Contents

Supply = Callable[[Content], bytes]


@dataclass(frozen=True)
class DatasetDifference:
    """What is different in one split of a dataset since `revision`, which serves, or was asked for last.

    `jobs` are the tunings that it is about. `found` is None where the old content cannot be read, and `unreadable` says
    why.
    """

    dataset: str
    split: str
    jobs: tuple[str, ...]
    revision: str
    serves: bool
    old: str
    new: Content
    found: Differences | None = None
    unreadable: str = ""


def data_changes(
    plan: Plan, desired: Desired, world: World, contents: Contents, supply: Supply
) -> tuple[DatasetDifference, ...]:
    """Every split whose content is another one than before, in the order of the datasets' names.

    Only what the plan has something to do for is looked at. An old content that cannot be read is no error.
    """
    about = {item.name for item in plan.changes if item.kind in {"TuningJob", "TunedModel"}}
    tests = {serving.tuning: serving.test for serving in desired.servings if serving.test}
    about |= {serving.tuning for serving in desired.servings if serving.name in about}
    pending = [
        difference
        for tuning in desired.tunings
        if tuning.name in about
        for difference in _of_tuning(tuning, tests.get(tuning.name), world.of(tuning))
    ]
    return tuple(_compared(difference, contents, supply) for difference in _joined(pending))


def _of_tuning(tuning: Tuning, test: Content | None, observed: ObservedTuning) -> Iterator[DatasetDifference]:
    before = observed.promoted or observed.records.get(observed.current)
    if before is None:
        return
    job = observed.job(before.last.job) if before.last else None
    splits: Sequence[tuple[str, str, Content | None]] = (
        ("training", before.training, tuning.training),
        ("validation", job.validation_uri if job else "", tuning.validation),
        ("test", _tested(before, test), test),
    )
    for split, old, new in splits:
        if old and new is not None and last(old) != last(new.uri):
            name = new.uri.split("/datasets/")[-1].partition("/")[0]
            serves = before.promoted is not None
            yield DatasetDifference(name, split, (tuning.name,), before.revision, serves, old, new)


def _tested(before: Record, test: Content | None) -> str:
    """Where the data lies, or lay, that a gate was measured on last."""
    digests = [gate.digest for gate in before.gates if gate.metric == "exactMatch"]
    if not digests or test is None:
        return ""
    return f"{test.uri.rpartition('/')[0]}/{digests[-1].removeprefix('sha256:')}.jsonl"


def _joined(pending: Iterable[DatasetDifference]) -> list[DatasetDifference]:
    """The same difference of several tunings once."""
    found: dict[tuple[str, ...], DatasetDifference] = {}
    for one in pending:
        key = (one.dataset, one.split, one.old, one.new.uri)
        same = found.get(key)
        found[key] = replace(same, jobs=(*same.jobs, *one.jobs)) if same else one
    order = {"training": 0, "validation": 1, "test": 2}
    return sorted(found.values(), key=lambda one: (one.dataset, order[one.split], one.old))


def _compared(pending: DatasetDifference, contents: Contents, supply: Supply) -> DatasetDifference:
    try:
        with tempfile.TemporaryFile() as old:
            for chunk in contents.chunks(pending.old):
                old.write(chunk)
            new = io.BytesIO(supply(pending.new))
            return replace(pending, found=compare(lambda: _again(old), lambda: _again(new)))
    except NotFound:
        return replace(pending, unreadable="it is not in the bucket any more")
    except RemoteError as error:
        return replace(pending, unreadable=error.message)
    except NotCanonicalError as error:
        return replace(pending, unreadable=str(error))


def _again(file: BinaryIO) -> BinaryIO:
    """A file from its beginning."""
    file.seek(0)
    return file
