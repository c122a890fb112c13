"""Somebody asks the serving endpoint all the time, by Google's own client, while everything happens to it.

No question may fail, and no answer may be that of a revision that has not passed its gate at that moment. A model
answers with its content's mark, so that an answer says whose it is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials
from tests.faults import machine_checks as checks
from tests.faults.machine_documents import PROJECT, Doc, contents_of, mark_of, question
from tests.faults.machine_lab import Calls, Crash, Death, Lab, lab
from tests.faults.machine_meddling import meddle

from tuneform.reconcile.desired import Desired

FIRST = Doc("alpha", mark="A", keep=1)
SECOND = replace(FIRST, mark="B")
THIRD = replace(FIRST, mark="C", gate="hard")
WAYS = [pytest.param(False, id="endpoint"), pytest.param(True, id="pointer")]
ENOUGH = 3
"""Answers that must have come, or the test has shown nothing."""


@dataclass
class Client:
    """Asks as fast as it is answered; each answer with the marks that had passed when it came."""

    lab: Lab
    doc: Doc
    answers: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _answered: threading.Condition = field(default_factory=threading.Condition)

    def run(self) -> None:
        options = types.HttpOptions(base_url=self.lab.endpoint, api_version="v1")
        with genai.Client(
            vertexai=True,
            project=PROJECT.project_id,
            location=PROJECT.serving_location,
            credentials=Credentials(token="not-a-secret"),
            http_options=options,
        ) as client:
            while not self._stop.is_set():
                self._ask(client)

    def _ask(self, client: genai.Client) -> None:
        try:
            answer = client.models.generate_content(model=self._where(), contents=question()).text
        except Exception as error:  # noqa: BLE001 (whatever it is, a question failed)
            self.wrong.append(f"a question failed: {error!r}")
            return
        allowed = marks_passed(self.lab)
        mark = str(answer).strip().rpartition(" ")[2]
        if mark not in allowed:
            self.wrong.append(f"{answer!r} is of a revision that has not passed; {sorted(allowed)} have")
        with self._answered:
            self.answers.append(mark)
            self._answered.notify_all()

    def _where(self) -> str:
        if not self.doc.pointer:
            return self.doc.serving.endpoint
        return str(checks.pointers(self.lab.world)[self.doc.name]["endpoint"])

    def hears(self, more: int = ENOUGH) -> None:
        """Wait until so many more answers came."""
        with self._answered:
            wanted = len(self.answers) + more
            came = self._answered.wait_for(lambda: len(self.answers) >= wanted or bool(self.wrong), 60)
        assert came, "no answers came"
        assert not self.wrong, self.wrong[:3]

    def stop(self) -> None:
        self._stop.set()


def marks_passed(lab: Lab) -> set[str]:
    """The marks of the revisions of which the ledger says, or once said, that they passed."""
    return {
        mark_of(record["recipe"]["training"])
        for _, record in checks.records(lab.world)
        if record["verdict"] and record["verdict"]["passed"]
    }


@contextmanager
def asking(lab: Lab, doc: Doc) -> Iterator[Client]:
    """Somebody asks while the block runs; nothing may have gone wrong."""
    client = Client(lab, doc)
    thread = threading.Thread(target=client.run, name="client", daemon=True)
    thread.start()
    try:
        client.hears()
        yield client
        client.hears()
    finally:
        client.stop()
        thread.join(60)
    assert not client.wrong, client.wrong[:3]


@pytest.fixture
def served() -> Iterator[Callable[[bool], Lab]]:
    """A lab in which the first revision serves."""
    with lab() as made:

        def serve(pointer: bool) -> Lab:
            assert not made.apply(replace(FIRST, pointer=pointer)).failures
            return made

        yield serve


@pytest.mark.parametrize("pointer", WAYS)
def test_promotion_checkpoint_rollback_and_retirement_fail_no_question(
    served: Callable[[bool], Lab], pointer: bool
) -> None:
    made = served(pointer)
    one, two = replace(FIRST, pointer=pointer), replace(SECOND, pointer=pointer, epochs=2)
    with asking(made, one) as client:
        assert not made.apply(two).failures
        client.hears()
        assert client.answers[-1] == "B"
        assert not made.apply(replace(two, checkpoint=1)).failures
        client.hears()
        assert not made.apply(one).failures
        client.hears()
        assert client.answers[-1] == "A"
        assert not made.apply(replace(two, keep=0)).failures
        client.hears()
        assert client.answers[-1] == "B"
    assert checks.models(made.world) == {two.revision: 1}


@pytest.mark.parametrize("pointer", WAYS)
def test_a_revision_that_does_not_pass_answers_nobody(served: Callable[[bool], Lab], pointer: bool) -> None:
    made = served(pointer)
    with asking(made, replace(FIRST, pointer=pointer)) as client:
        (failure,) = made.apply(replace(THIRD, pointer=pointer)).failures
        assert "did not pass its gate" in failure.error.message
        client.hears()
    assert set(client.answers) == {"A"}


@pytest.mark.parametrize("how", ["endpoint labels", "model labels", "another deployed"])
def test_drift_is_repaired_and_no_question_fails(served: Callable[[bool], Lab], how: str) -> None:
    made = served(False)
    with asking(made, FIRST) as client:
        meddle(made, FIRST, how)
        outcome = made.apply(FIRST)
        assert outcome.done
        assert not outcome.failures
        client.hears()
    assert len(checks.traffic(made.world, FIRST.name)) == 1


STEPS = ("deployModel", "traffic", "undeployModel")
EFFECTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("before", {"kind": "status", "status": "UNAVAILABLE"}),
    ("after", {"kind": "status", "status": "INTERNAL"}),
    ("before", {"kind": "quota", "retry_after": 1}),
    ("before", {"kind": "reset"}),
    ("after", {"kind": "reset"}),
    ("after", {"kind": "malformed"}),
)


def _calls(step: str) -> dict[str, Any]:
    """The calls on the serving endpoint that a step is made of."""
    path = "endpoints/alpha$" if step == "traffic" else f"endpoints/alpha:{step}$"
    return {"method": "PATCH" if step == "traffic" else "POST", "path": path, "nth": 1, "times": 1}


@pytest.mark.parametrize("step", STEPS)
def test_faults_on_every_step_of_a_switch_fail_no_question(served: Callable[[bool], Lab], step: str) -> None:
    """Forth and back again for each fault: both revisions are kept, so that each apply is a switch and nothing else."""
    made = served(False)
    assert not made.apply(SECOND).failures
    with asking(made, FIRST) as client:
        for number, (when, effect) in enumerate(EFFECTS):
            wanted = (FIRST, SECOND)[number % 2]
            with made.control.met({"calls": _calls(step), "when": when, "effect": effect}):
                made.apply(wanted)
            assert not made.apply(wanted).failures
            client.hears()
            assert client.answers[-1] == wanted.mark
    assert len(made.world.store.list("tuning-job")) == 2


def _switch_calls(made: Lab, doc: Doc) -> list[str]:
    """The names of the port calls of an undisturbed switch."""
    calls = Calls()
    assert not made.apply(doc, ports=made.ports_of(calls)).failures
    return calls.names


CHANGING = (
    "write",
    "create_endpoint",
    "deploy",
    "set_traffic",
    "ask",
    "undeploy",
    "delete_endpoint",
    "point",
    "delete_model",
)
"""The calls of a switch that change something, or that it may wait for."""


MOST_STEPS = 40
STEPPING = tuple(name for name in CHANGING if name not in ("ask", "create_endpoint"))


@pytest.mark.parametrize("pointer", WAYS)
def test_a_crash_at_each_step_of_a_switch_fails_no_question(
    served: Callable[[bool], Lab], pointer: bool
) -> None:
    made = served(pointer)
    one, two = replace(FIRST, pointer=pointer), replace(SECOND, pointer=pointer)
    assert not made.apply(two).failures
    steps = [name for name in _switch_calls(made, one) if name in CHANGING]
    assert len(steps) >= 4, steps
    with asking(made, one) as client:
        for death in _deaths(len(steps), CHANGING):
            wanted = two if made_serves(made, one) else one
            _die(made, death, wanted)
            client.hears(1)
            assert not made.apply(wanted).failures
            client.hears(1)
            assert client.answers[-1] == wanted.mark
    assert len(made.world.store.list("tuning-job")) == 2


def made_serves(made: Lab, doc: Doc) -> bool:
    """Whether a document's revision was promoted last."""
    latest = max(
        (r for _, r in checks.records(made.world) if r["promoted"]), key=lambda r: str(r["promoted"])
    )
    return bool(latest["revision"] == doc.revision)


def _deaths(steps: int, only: tuple[str, ...]) -> Iterator[Death]:
    """After each step, which is before the next one, and before the first."""
    yield Death(1, "before", only)
    for call in range(1, steps + 1):
        yield Death(call, "after", only)


def _die(made: Lab, death: Death, doc: Doc) -> bool:
    """Apply and die; False when the run lived, since it had fewer such calls."""
    calls = Calls(death)
    with suppress(Crash):
        made.apply(doc, ports=made.ports_of(calls))
    return calls.dead


@pytest.mark.parametrize("pointer", WAYS)
def test_a_crash_at_each_step_of_a_first_promotion_lets_nothing_unmeasured_answer(
    served: Callable[[bool], Lab], pointer: bool
) -> None:
    """From a trained revision to one that serves, and the one before it retired: a new revision for each step."""
    made = served(pointer)
    first = replace(FIRST, pointer=pointer, keep=0)
    with asking(made, first) as client:
        for number, death in enumerate(_deaths(MOST_STEPS, STEPPING), 1):
            doc = replace(first, mark=f"M{number}")
            _only_trained(made, doc)
            died = _die(made, death, doc)
            client.hears(1)
            assert not made.apply(doc).failures
            client.hears()
            assert client.answers[-1] == doc.mark
            assert checks.models(made.world) == {doc.revision: 1}
            if not died:
                break
    assert not died, f"a promotion has more than {MOST_STEPS} steps"
    assert number > 6, "a promotion has more steps than that"
    assert not checks.wrongs(made.world)
    assert len(checks.jobs(made.world)) == number + 1


def _only_trained(made: Lab, doc: Doc) -> None:
    """Bring a tuning to its revision and promote nothing."""
    outcome = made.run(Desired(PROJECT, (doc.tuning,), contents=contents_of(doc), whole=False))
    assert not outcome.failures
