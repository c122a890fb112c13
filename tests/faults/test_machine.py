"""Random lives of a project: edits, people who interfere, faults and crashes, in any order.

After every step the invariants are looked at; at the end of each life nothing disturbs any more, and the project has to
be where a project is to which nothing ever happened. A failure shows its steps as a program that can be run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from tests.faults import machine_calm as calm
from tests.faults import machine_checks as checks
from tests.faults import machine_neighbours as neighbours
from tests.faults.machine_documents import COLOURS, MARKS, Doc
from tests.faults.machine_lab import Calls, Crash, Death, Lab, lab
from tests.faults.machine_meddling import MEDDLINGS, meddle
from tests.faults.tally import Tally

from tuneform.errors import RemoteError, TuneformError
from tuneform.reconcile.actions import Blocked, Create, Later, PatchModel, Settle, Unfence, Wait
from tuneform.reconcile.execute.run import Outcome
from tuneform.reconcile.plan import Plan
from tuneform_emulator.services.vertex.resources import last

NAMES = ("alpha", "beta", "gamma")
EXPECTED = (
    "did not pass its gate",
    "was deleted by someone else",
    "was cancelled",
    "failed:",
    "has no evaluation loss",
    "has no checkpoint",
    "has no endpoint to point to",  # the service made none for the job, or somebody deleted it
)
"""What a document may be blocked by, in the words of the plan, once nothing disturbs any more."""
QUIET = (Wait, Settle, Unfence)
DISTURBING = (
    {"kind": "quota", "retry_after": 1},
    {"kind": "status", "code": 500, "status": "INTERNAL"},
    {"kind": "status", "code": 503, "status": "UNAVAILABLE"},
    {"kind": "status", "code": 504, "status": "DEADLINE_EXCEEDED"},
    {"kind": "permission"},
    {"kind": "reset"},
    {"kind": "malformed"},
)

names = st.sampled_from(NAMES)
faults = st.builds(
    lambda effect, when, nth, method: {
        "calls": {"nth": nth, "times": 1, "method": method},
        "when": when,
        "effect": effect,
    },
    st.sampled_from(DISTURBING),
    st.sampled_from(["before", "after"]),
    st.integers(1, 12),
    st.sampled_from(["POST", "PATCH", "DELETE", "GET", "PUT"]),
)
deaths = st.builds(
    Death,
    st.integers(1, 60),
    st.sampled_from(["before", "after"]),
    st.sampled_from(
        [(), ("write",), ("create_job", "copy", "deploy", "set_traffic", "undeploy", "delete_endpoint")]
    ),
)
jobs_faults = st.sampled_from(
    [
        {"jobs": {"phase": "tuning"}, "effect": {"kind": "failed", "code": 8, "message": "no capacity"}},
        {"jobs": {"phase": "post"}, "effect": {"kind": "endpoint-failed"}},
    ]
)


class Life(RuleBasedStateMachine):
    """One project from nothing to its end."""

    def __init__(self) -> None:
        super().__init__()
        self._closing = contextlib.ExitStack()
        self.lab: Lab = self._closing.enter_context(lab())
        neighbours.settle(self.lab, Doc("alpha"))
        self.foreign = checks.foreign(self.lab.world)
        self.docs: dict[str, Doc] = {}
        self.past: dict[str, list[Doc]] = {name: [] for name in NAMES}
        self.forgotten: set[tuple[str, str]] = set()
        self.up: dict[str, str] = {}
        self.stuck: list[str] = []

    # What people write.

    @initialize(mark=st.sampled_from(MARKS), served=st.booleans())
    def begin(self, mark: str, served: bool) -> None:
        self._write(Doc("alpha", mark=mark, served=served))

    @rule(
        name=names,
        mark=st.sampled_from(MARKS),
        epochs=st.integers(1, 2),
        pointer=st.booleans(),
        gate=st.sampled_from(["none", "easy"]),
    )
    def add(self, name: str, mark: str, epochs: int, pointer: bool, gate: Any) -> None:
        if name not in self.docs and not self._taken(name):
            self._write(Doc(name, mark=mark, epochs=epochs, pointer=pointer, gate=gate))

    @rule(name=names, mark=st.sampled_from(MARKS), epochs=st.integers(1, 2))
    def edit_recipe(self, name: str, mark: str, epochs: int) -> None:
        self._edit(name, mark=mark, epochs=epochs)

    @rule(name=names, team=st.sampled_from(["a", "b", ""]), description=st.sampled_from(["", "of colours"]))
    def edit_labels(self, name: str, team: str, description: str) -> None:
        self._edit(name, labels=(("team", team),) if team else (), description=description)

    @rule(name=names, asks=st.integers(1, 3))
    def edit_test_data(self, name: str, asks: int) -> None:
        self._edit(name, asks=asks)

    @rule(
        name=names,
        gate=st.sampled_from(["none", "easy", "hard"]),
        checkpoint=st.sampled_from(["last", "best", 1]),
        keep=st.integers(0, 2),
    )
    def edit_promotion(self, name: str, gate: Any, checkpoint: Any, keep: int) -> None:
        self._edit(name, gate=gate, checkpoint=checkpoint, keep=keep)

    @rule(name=names, finish=st.booleans(), retrain=st.booleans(), retries=st.integers(0, 1))
    def edit_conduct(self, name: str, finish: bool, retrain: bool, retries: int) -> None:
        self._edit(name, finish=finish, retrain=retrain, retries=retries)

    @rule(name=names, back=st.integers(0, 5))
    def revert(self, name: str, back: int) -> None:
        name = self._one(name)
        past = self.past[name]
        if past:
            before = past[back % len(past)]
            self._edit(name, mark=before.mark, epochs=before.epochs, asks=before.asks, gate=before.gate)

    @rule(name=names)
    def serve_or_not(self, name: str) -> None:
        name = self._one(name)
        if name in self.docs:
            self._edit(name, served=not self.docs[name].served)

    @rule(name=names)
    def remove(self, name: str) -> None:
        self.docs.pop(self._one(name), None)

    @rule(name=names, to=names, carried=st.booleans())
    def rename(self, name: str, to: str, carried: bool) -> None:
        name = self._one(name)
        if name in self.docs and to not in self.docs and not self._taken(to):
            doc = self.docs.pop(name)
            self._write(replace(doc, name=to, previous=(*doc.previous, name) if carried else ()))

    # What others do.

    @rule(name=names, how=st.sampled_from(MEDDLINGS))
    def interfere(self, name: str, how: str) -> None:
        name = self._one(name)
        if name in self.docs:
            for revision in meddle(self.lab, self.docs[name], how):
                self.forgotten.add(revision)
            self._look_again()

    @rule(seconds=st.sampled_from([1.0, 70.0, 300.0]))
    def time_passes(self, seconds: float) -> None:
        self.lab.clock.advance(seconds)

    # What runs do.

    @rule()
    def apply(self) -> None:
        self._go_on()
        wanted = tuple(self.docs.values())
        _, plan = self.lab.plan(*wanted)
        outcome = self.lab.apply(*wanted)
        self._was_applied()
        _as_planned(plan, outcome)
        _nothing_left_to_do(self.lab.plan(*wanted)[1], outcome)

    @rule(phase=st.sampled_from(["queued", "capacity"]))
    def apply_without_waiting(self, phase: str) -> None:
        self.stuck += self.lab.control.order(
            {"jobs": {"phase": phase, "times": 0}, "effect": {"kind": "stuck"}}
        )
        with contextlib.suppress(RemoteError):
            self.lab.apply(*self.docs.values(), wait=False)
        self._was_applied()

    @rule(ordered=st.lists(faults, min_size=1, max_size=3))
    def apply_disturbed(self, ordered: list[dict[str, Any]]) -> None:
        self._go_on()
        ids = self.lab.control.order(*ordered)
        try:
            self.lab.apply(*self.docs.values())
        except TuneformError as error:
            note(f"the run ended with {error.render()}")
        finally:
            self.lab.control.take_back(*ids)
        self._was_applied()

    @rule(ordered=jobs_faults)
    def apply_and_a_job_fails(self, ordered: dict[str, Any]) -> None:
        self._go_on()
        ids = self.lab.control.order(ordered)
        self.lab.apply(*self.docs.values())
        self.lab.control.take_back(*ids)
        self._was_applied()

    @rule(death=deaths, elsewhere=st.booleans(), ordered=st.lists(faults, max_size=1))
    def apply_and_die(self, death: Death, elsewhere: bool, ordered: list[dict[str, Any]]) -> None:
        self._go_on()
        calls = Calls(death)
        ids = self.lab.control.order(*ordered) if ordered else []
        with contextlib.suppress(Crash, TuneformError):
            self.lab.apply(*self.docs.values(), ports=self.lab.ports_of(calls, elsewhere=elsewhere))
        if ids:
            self.lab.control.take_back(*ids)
        note(f"it died at {calls.names[-1]}" if calls.dead else "it lived")
        self._was_applied()

    # What has to hold.

    @invariant()
    def nothing_is_paid_for_twice(self) -> None:
        assert not checks.wrongs(self.lab.world, self.forgotten)

    @invariant()
    def what_is_foreign_is_untouched(self) -> None:
        assert checks.foreign(self.lab.world) == self.foreign

    @invariant()
    def what_served_serves(self) -> None:
        now = self._serving()
        wanted = {last(doc.serving.endpoint) for doc in self.docs.values() if doc.served and not doc.pointer}
        for endpoint in self.up.keys() & wanted:
            assert endpoint in now, f"{endpoint} served {self.up[endpoint]} and does not serve any more"
        passed = checks.passed(self.lab.world)
        for endpoint, revision in now.items():
            gated = [doc for doc in self.docs.values() if last(doc.serving.endpoint) == endpoint]
            assert revision in passed or not gated, f"{endpoint} serves {revision}, which has not passed"
        self.up = now

    def teardown(self) -> None:
        try:
            self._ends_well()
        finally:
            self._closing.close()

    def _ends_well(self) -> None:
        self._go_on()
        docs = tuple(self.docs.values())
        outcome = self.lab.apply(*docs)
        self.what_served_serves()
        self.nothing_is_paid_for_twice()
        self.what_is_foreign_is_untouched()
        blocked = set()
        for failure in outcome.failures:
            assert any(words in failure.error.message for words in EXPECTED), failure.error.message
            blocked.add(failure.item.name)
        again = self.lab.apply(*docs)
        assert not again.done, f"nothing was left to do, and it did {again.done}"
        left = list(calm.left_over(self.lab, docs))
        assert not left, left
        with lab() as undisturbed:
            undisturbed.apply(*docs)
            free = [doc for doc in docs if doc.name not in blocked]
            assert calm.normal(self.lab, free) == calm.normal(undisturbed, free)

    # Means.

    def _taken(self, name: str) -> bool:
        """Whether another document goes on under this name's identity or endpoint."""
        return any(name in doc.previous for doc in self.docs.values())

    def _write(self, doc: Doc) -> None:
        self.docs[doc.name] = doc
        self.past[doc.name].append(doc)

    def _one(self, name: str) -> str:
        """A document that is there, if there is any: the one of that name, or another."""
        there = sorted(self.docs)
        return name if name in there or not there else there[NAMES.index(name) % len(there)]

    def _edit(self, name: str, **fields: Any) -> None:
        name = self._one(name)
        if name in self.docs:
            self._write(replace(self.docs[name], **fields))

    def _go_on(self) -> None:
        """What was held at its phase goes on."""
        if self.stuck:
            self.lab.control.take_back(*self.stuck)
            self.stuck.clear()

    def _was_applied(self) -> None:
        """A document that is applied no more was removed on purpose: its endpoint may go."""
        wanted = {last(doc.serving.endpoint) for doc in self.docs.values() if doc.served and not doc.pointer}
        self.up = {endpoint: revision for endpoint, revision in self.up.items() if endpoint in wanted}

    def _look_again(self) -> None:
        """What somebody else broke does not count as broken by us."""
        now = self._serving()
        self.up = {endpoint: now[endpoint] for endpoint in self.up if endpoint in now}

    def _serving(self) -> dict[str, str]:
        """The serving endpoints that answer, and the revision whose answer it is."""
        return dict(self._answering())

    def _answering(self) -> Iterator[tuple[str, str]]:
        revisions = checks.revision_of_models(self.lab.world)
        for name in NAMES:
            traffic = checks.traffic(self.lab.world, name)
            if len(traffic) == 1 and traffic[0].share == 100:
                answer = self.lab.ask(f"projects/demo-project/locations/us-central1/endpoints/{name}")
                assert answer.split()[0] in COLOURS
                yield name, revisions[traffic[0].model]


def _as_planned(plan: Plan, outcome: Outcome) -> None:
    """An apply does what the plan before it said, and nothing else but what follows quietly."""
    planned = {
        (item.key, type(action.action if isinstance(action, Later) else action).__name__)
        for item in plan.items
        for action in item.actions
    }
    # What the service copies from a job to its model is not known before the model is there.
    planned |= {(key, PatchModel.__name__) for key, name in planned if name == Create.__name__}
    done = {(key, type(action).__name__) for key, action in outcome.done if not isinstance(action, QUIET)}
    assert done <= planned, f"not planned: {done - planned}; planned: {planned}"


def _nothing_left_to_do(plan: Plan, outcome: Outcome) -> None:
    """A plan after an apply says nothing but what that apply stopped at."""
    failed = {failure.item.name for failure in outcome.failures}
    left = [
        item
        for item in plan.changes
        if item.name not in failed or not all(isinstance(action, (Blocked, Later)) for action in item.actions)
    ]
    left = [item for item in left if item.key not in {failure.item.key for failure in outcome.failures}]
    assert not left, left


def lives(many: int, steps: int, *, the_same: bool) -> settings:
    """So many lives of so many steps. Shrinking one would run it hundreds of times; it can be read as it is."""
    return settings(
        max_examples=many,
        stateful_step_count=steps,
        derandomize=the_same,
        deadline=None,
        database=None,
        print_blob=True,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )


def test_lives(tally: Tally) -> None:
    """For every run of the tests: the same lives each time."""
    many = 12
    run_state_machine_as_test(Life, settings=lives(many, 12, the_same=True))
    tally("random lives", points=many, disturbed=many)


@pytest.mark.slow
def test_many_lives(tally: Tally) -> None:
    """Other lives each time."""
    many = 60
    run_state_machine_as_test(Life, settings=lives(many, 25, the_same=False))
    tally("random lives", points=many, disturbed=many)
