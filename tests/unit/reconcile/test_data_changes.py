"""Which contents a plan compares, and what it says where that cannot be done. The comparison is datasets' own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import pytest
from tests.unit.reconcile.builders import NOON, PROJECT, TUNING, job, model, record, serving

from tuneform.datasets.canonical import pair_line
from tuneform.datasets.splits import make_split
from tuneform.errors import NotFound, Terminal
from tuneform.reconcile.data_changes import DatasetDifference, data_changes
from tuneform.reconcile.desired import Content, Desired, Serving, Tuning
from tuneform.reconcile.ledger import AttemptState, GateResult, Record, Versioned
from tuneform.reconcile.live import Stored
from tuneform.reconcile.observe import World
from tuneform.reconcile.plan import plan_project

FOLDER = "gs://demo-data/datasets/intents"
OLD = make_split("training", [pair_line("a", "x"), pair_line("b", "x")]).jsonl()
NEW = make_split("training", [pair_line("a", "y"), pair_line("c", "x")]).jsonl()
MOVED = replace(TUNING, training=Content(f"{FOLDER}/bb.jsonl", "sha256:bb", 2, 9))


@dataclass
class Bucket:
    """`ports.Contents`, of which only chunks are read."""

    held: Mapping[str, bytes | Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def chunks(self, uri: str) -> Iterator[bytes]:
        self.asked.append(uri)
        content = self.held.get(uri, NotFound("there is no such object"))
        if isinstance(content, Exception):
            raise content
        yield content[:7]
        yield content[7:]

    def read(self, uri: str) -> bytes:
        raise AssertionError("an old content is never held whole")

    def exists(self, uri: str) -> bool:
        raise AssertionError(uri)

    def stored(self, prefix: str) -> tuple[Stored, ...]:
        raise AssertionError(prefix)

    def under(self, prefix: str) -> tuple[str, ...]:
        raise AssertionError(prefix)


def found(
    *tunings: Tuning,
    bucket: Bucket | None = None,
    servings: tuple[Serving, ...] = (),
    **fields: object,
) -> tuple[DatasetDifference, ...]:
    """What differs where TUNING (and its like) was trained before."""
    desired = Desired(PROJECT, tunings, servings)
    was: Record = replace(record(AttemptState.SUCCEEDED), **fields)  # type: ignore[arg-type]
    names = [tuning.name for tuning in tunings]
    world = World(
        jobs={name: (job(validation_uri=f"{FOLDER}/vv.jsonl"),) for name in names},
        models={model().name.partition("@")[0]: model()},
        records={name: (Versioned(replace(was, name=name), 1),) for name in names},
        when=NOON,
    )
    plan = plan_project(desired, world)
    return data_changes(plan, desired, world, bucket or Bucket({TUNING.training.uri: OLD}), lambda _: NEW)


def test_training_data_is_compared_with_what_the_revision_before_was_trained_on() -> None:
    (difference,) = found(MOVED)

    assert (difference.dataset, difference.split, difference.jobs) == ("intents", "training", ("intents",))
    assert (difference.revision, difference.serves) == (record(AttemptState.SUCCEEDED).revision, False)
    assert difference.found is not None
    counts = difference.found
    assert (counts.added, counts.removed, counts.changed, counts.unchanged) == (1, 1, 1, 0)


def test_where_one_serves_that_one_counts() -> None:
    (difference,) = found(MOVED, promoted=NOON)

    assert difference.serves


def test_what_two_tunings_share_is_read_once() -> None:
    bucket = Bucket({TUNING.training.uri: OLD})

    (difference,) = found(MOVED, replace(MOVED, name="moods"), bucket=bucket)

    assert difference.jobs == ("intents", "moods")
    assert bucket.asked == [TUNING.training.uri]


def test_validation_data_is_known_from_the_job_and_test_data_from_the_gate() -> None:
    validation, test = (Content(f"{FOLDER}/{n}.jsonl", f"sha256:{n}", 2, 9) for n in ("v2", "t2"))
    gates = (GateResult("2", "evalLoss", 0.1, "r1-aa", 0), GateResult("2", "exactMatch", 0.9, "sha256:t1", 0))

    differences = found(
        replace(MOVED, validation=validation), servings=(serving(test=test),), gates=gates, bucket=Bucket()
    )

    assert [(each.split, each.old) for each in differences] == [
        ("training", TUNING.training.uri),
        ("validation", f"{FOLDER}/vv.jsonl"),
        ("test", f"{FOLDER}/t1.jsonl"),
    ]


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (NotFound("no"), "it is not in the bucket any more"),
        (Terminal("reading it: permission denied"), "reading it: permission denied"),
        (b'{"contents": 3}\n', "a row is not an example as tuneform writes them"),
    ],
)
def test_what_cannot_be_read_is_said_and_is_no_error(held: bytes | Exception, said: str) -> None:
    (difference,) = found(MOVED, bucket=Bucket({TUNING.training.uri: held}))

    assert (difference.found, difference.unreadable) == (None, said)


def test_nothing_is_read_for_the_same_content_or_for_what_is_new() -> None:
    bucket = Bucket()
    assert found(TUNING, bucket=bucket) == ()
    assert found(replace(TUNING, description="other words"), bucket=bucket) == ()
    desired = Desired(PROJECT, (MOVED,))
    world = World(when=NOON)
    assert data_changes(plan_project(desired, world), desired, world, bucket, lambda _: NEW) == ()
    assert bucket.asked == []
