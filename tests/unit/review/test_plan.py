"""A plan as text and as JSON: nothing left out."""

from __future__ import annotations

import io
import json
from typing import get_args

import pytest
from rich.console import Console

from tuneform.reconcile import actions
from tuneform.reconcile.actions import (
    Action,
    Adopt,
    Blocked,
    Create,
    CreateEndpoint,
    Later,
    PatchModel,
    Promote,
    Retire,
    Upload,
    Wait,
)
from tuneform.reconcile.cost import Cost
from tuneform.reconcile.desired import Content, Project
from tuneform.reconcile.diff import Change
from tuneform.reconcile.plan import Item, Plan, TuningPlan
from tuneform.review import plan as review

PROJECT = Project("demo", "demo-project", "us-central1", "us-central1", "team", "state")
CHANGE = Change("change", "hyperParameters.epochCount", 3, 4)
COST = Cost("gemini-2.5-flash", 300_000, 250_000, 400_000, 4)
CREATE = Create("r1-bb", 1, "recipe changed", COST, (CHANGE,))
ONCE = "once r1-bb has succeeded"
DIGEST = "ab" * 32
WORDS = Content(f"gs://b/datasets/words/{DIGEST}.jsonl", "", 3, 9)


def plan(*items: Item) -> Plan:
    return Plan(PROJECT, items)


def job(name: str, *done: Action, removed: bool = False, **facts: object) -> Item:
    about = None if removed else TuningPlan("r1-bb", done)
    return Item("TuningJob", name, done, about, facts or None, removed)


def place(kind: str, name: str) -> str:
    return f"specs/{name}.yaml:7" if kind == "TuningJob" else ""


def text(of: Plan, *, width: int | None = None, color: bool = False) -> str:
    out = io.StringIO()
    terminal = width is not None
    console = Console(
        file=out,
        width=width or 80,
        force_terminal=terminal,
        color_system="truecolor" if color else None,
        highlight=False,
        legacy_windows=False,
    )
    review.show(of, place, console)
    return out.getvalue()


FULL = plan(
    Item("Dataset", f"words/{DIGEST}.jsonl", (Upload(WORDS, "new"),)),
    Item("Dataset", "words/other.jsonl", ()),
    Item("Dataset", "calm/x.jsonl", ()),
    job("intents", CREATE, Wait("r1-aa", "jobs/1")),
    job("old", Adopt("r1-cc", "jobs/2", "trained 2026-11-20"), PatchModel("models/1", (CHANGE,))),
    job("quiet"),
    Item(
        "TunedModel",
        "intents",
        (
            Later(CreateEndpoint("p/endpoints/intents"), ONCE),
            Later(Promote("r1-bb", "", "last", "nothing serves yet"), ONCE),
            Later(Retire("r1-aa", "jobs/1", "no earlier revision is kept"), ONCE),
        ),
    ),
)  # fmt: skip


@pytest.mark.parametrize("kind", [*get_args(actions.Doable), Blocked])
def test_every_kind_of_action_counts_as_one_of_the_words(kind: type[Action]) -> None:
    # Only the type decides, so the fields may be anything.
    made = object.__new__(kind)

    assert review.word(made) in review.WORDS


def test_the_summary_counts_actions_also_foreseen_ones_and_documents_that_agree() -> None:
    assert review.summary(FULL) == {
        "create": 1, "adopt": 1, "update": 3, "promote": 1, "retire": 1, "cancel": 0, "wait": 1, "blocked": 0,
        "unchanged": 2,
    }  # fmt: skip


def test_the_summary_in_words() -> None:
    assert review.sentence(FULL) == (
        "Plan: 1 to create, 1 to adopt, 3 to update, 1 to promote, 1 to retire, 1 to wait for; 2 unchanged. "
        "About 1.2 M tokens to train on (1.0 M to 1.6 M); the price of gemini-2.5-flash is unknown."
    )
    assert review.sentence(plan(job("quiet"))) == "No changes: 1 document agrees with what is live."
    assert review.sentence(plan(job("a"), job("b"))) == "No changes: 2 documents agree with what is live."


def test_the_text_goes_document_by_document_with_signs_places_and_fields() -> None:
    shown = text(FULL)

    assert shown.startswith(
        "Dataset words\n  + uploads 3 examples to gs://b/datasets/words/abababababab….jsonl: new\n\n"
        "TuningJob intents  specs/intents.yaml:7\n"
        "  + new revision r1-bb (recipe changed): one tuning job, about 1.2 M tokens (1.0 M to 1.6 M), price unknown\n"
        "      hyperParameters.epochCount 3 → 4\n"
        "  . waits for the job of r1-aa\n\n"
    )
    assert "  = adopts r1-cc, trained 2026-11-20, no cost\n  ~ updates the model, no training\n" in shown
    assert (
        "\n  then, once r1-bb has succeeded:\n    + creates the serving endpoint intents\n"
        "    ~ promotes r1-bb, checkpoint last: nothing serves yet\n"
        "    - retires r1-aa: no earlier revision is kept\n"
    ) in shown
    assert "quiet" not in shown
    assert "\x1b" not in shown


def test_a_plan_without_changes_is_one_line() -> None:
    assert text(plan(job("a"), job("b"))).count("\n") == 1


def test_on_a_terminal_long_lines_go_on_below_their_own_beginning_and_lose_nothing() -> None:
    shown = text(FULL, width=40)

    assert max(map(len, shown.splitlines())) <= 40
    flat = " ".join(shown.split())
    assert "new revision r1-bb (recipe changed): one tuning job, about 1.2 M tokens" in flat
    lines = shown.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("  + new revision"))
    assert lines[first + 1].startswith("    ")


def test_what_comes_later_is_dim_and_signs_have_colours_on_a_terminal() -> None:
    shown = text(FULL, width=200, color=True)

    assert "\x1b[32m+ \x1b[0mnew revision" in shown
    assert "\x1b[2mthen, once" in shown


def test_what_blocks_is_shown_with_its_remedy_and_that_once() -> None:
    lacks = (
        Item("Infrastructure", n, (Blocked(f"{n} is missing", "run `tuneform up`"),)) for n in ("a", "b")
    )
    failed = job("intents", Blocked("it failed", "mend it"))

    shown = text(plan(*lacks, failed))

    assert shown == (
        "Infrastructure\n  ! blocked: a is missing\n  ! blocked: b is missing\n      remedy: run `tuneform up`\n\n"
        "TuningJob intents  specs/intents.yaml:7\n  ! blocked: it failed\n      remedy: mend it\n\n"
        "Plan: 3 blocked; 0 unchanged.\n"
    )


def test_a_rename_that_nothing_tells_of_is_warned_about() -> None:
    gone = job(
        "intents", Retire("r1-bb", "jobs/1", "removed"), removed=True, attempts={"r1-bb": "1 succeeded"}
    )
    other = job("else", Retire("r1-zz", "jobs/3", "removed"), removed=True, attempts={"r1-zz": "1 succeeded"})
    failed = job("sad", Wait("r1-bb", "jobs/4"), removed=True, attempts={"r1-bb": "1 failed"})

    (warning,) = review.renames(plan(job("purposes", CREATE), gone, other, failed))

    assert "TuningJob purposes would train r1-bb, which intents has" in warning
    assert "previousNames: [intents]" in warning
    assert review.renames(plan(job("purposes", Adopt("r1-bb", "j", "x")), gone)) == ()


def test_the_object_has_the_documented_shape_and_is_json() -> None:
    shown = json.loads(json.dumps(review.as_object(FULL)))

    assert list(shown) == ["stamp", "summary", "cost", "advice", "datasets", "actions"]
    assert shown["stamp"] == FULL.stamp
    keys = ["action", "kind", "name", "project", "reason", "changes", "cost"]
    assert [list(action) for action in shown["actions"][:5]] == [keys] * 5
    assert [list(action) for action in shown["actions"][5:]] == [[*keys, "later"]] * 3
    created = shown["actions"][1]
    assert (created["action"], created["kind"], created["name"], created["project"]) == (
        "create",
        "TuningJob",
        "intents",
        "demo",
    )
    assert created["changes"] == [
        {"path": "hyperParameters.epochCount", "old": 3, "new": 4, "effect": "a new revision is trained"}
    ]
    assert list(created["cost"])[:5] == ["tokens", "usd", "low", "high", "basis"]
    assert shown["actions"][0]["name"] == "words"
    assert shown["actions"][4]["cost"] == {
        "tokens": 0,
        "usd": 0.0,
        "low": 0.0,
        "high": 0.0,
        "basis": "nothing is trained",
    }
