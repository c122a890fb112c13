"""Plans as comments on pull requests: golden files, nothing that only looks like markup, and the cut at the limit."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tuneform.datasets.canonical import pair_line
from tuneform.datasets.differences import Differences, compare
from tuneform.datasets.splits import make_split
from tuneform.errors import Retryable
from tuneform.policy import Exemption, Finding
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
from tuneform.reconcile.cost import Cost, Questions
from tuneform.reconcile.data_changes import DatasetDifference
from tuneform.reconcile.desired import Content, Project
from tuneform.reconcile.diff import Change
from tuneform.reconcile.plan import Item, Plan, TuningPlan
from tuneform.review import markup
from tuneform.review.pull_request import FailedReview, ProjectReview, markdown

GOLDEN = Path(__file__).parents[2] / "golden" / "pull_request"
DIGEST = "ab" * 32
ONCE = "once r1-bb has succeeded and passed its gate"
EPOCHS = Change("change", "hyperParameters.epochCount", 3, 4)
COST = Cost("gemini-2.5-flash", 300_000, 250_000, 400_000, 4)
CREATE = Create("r1-bb", 1, "recipe changed", COST, (EPOCHS,))
WORDS = Content(f"gs://b/datasets/words/{DIGEST}.jsonl", f"sha256:{DIGEST}", 4, 9)
SECRET = "AKIA" + "IOSFODNN7EXAMPLE"


def project(name: str) -> Project:
    return Project(name, f"{name}-project", "us-central1", "us-central1", "team", "state")


def job(name: str, *done: Action) -> Item:
    return Item("TuningJob", name, done, TuningPlan("r1-bb", done))


def place(kind: str, name: str) -> str:
    return f"specs/{name}.yaml:7" if kind in {"TuningJob", "TunedModel"} else ""


def content(*pairs: tuple[str, str]) -> tuple[bytes, ...]:
    return make_split("training", [pair_line(*pair) for pair in pairs]).lines


def differing(old: Sequence[tuple[str, str]], new: Sequence[tuple[str, str]]) -> Differences:
    return compare(lambda: content(*old), lambda: content(*new))


BEFORE = [
    ("Where is my parcel?", "delivery"),
    ("My card is gone", "card_lost"),
    ("Old", "old"),
    ("Same", "s"),
]
AFTER = [
    ("Where is my parcel?", "parcel_late"),
    ("My card is gone", "card_lost"),
    ("Same", "s"),
    (f"My key {SECRET} leaked", "security"),
    ("I want my money back.\nNow! " + "Please. " * 40, "refund"),
]
DATA = DatasetDifference(
    "words", "training", ("intents",), "r1-aa", True, "gs://b/old", WORDS, differing(BEFORE, AFTER)
)
GONE = replace(DATA, split="validation", found=None, unreadable="it is not in the bucket any more")
DENIED = Finding(
    policy="house",
    rule="epochs",
    enforcement="deny",
    message="epochCount is 4, and 3 is the most",
    why="Long runs overfit on our data.",
    remedy="set epochCount to 3",
    field="spec.hyperParameters.epochCount",
    kind="TuningJob",
    name="intents",
    project="prod",
)
EXCEPTED = replace(
    DENIED,
    rule="owner",
    message="no owner",
    field="",
    exception=Exemption("owner", "TuningJob", "intents", "moves to ml-team", date(2026, 12, 31)),
)
WARNED = replace(
    DENIED, rule="labels", enforcement="warn", message="no label team", kind="Dataset", name="words"
)

CHANGING = Plan(
    project("prod"),
    (
        Item("Dataset", f"words/{DIGEST}.jsonl", (Upload(WORDS, "it is not in the bucket"),)),
        job("intents", CREATE, Wait("r1-aa", "jobs/1")),
        job("moods", Adopt("r1-cc", "jobs/2", "trained 2026-11-20"), PatchModel("models/1", (EPOCHS,))),
        job("quiet"),
        job("sad", Blocked("the tuning job of r1-dd failed: quota", "mend the cause")),
        Item(
            "TunedModel",
            "intents",
            (
                Later(CreateEndpoint("p/endpoints/intents"), ONCE),
                Later(
                    Promote("r1-bb", "", "best", "nothing serves yet", questions=Questions(200, 12_000)), ONCE
                ),
                Later(Retire("r1-aa", "jobs/1", "no earlier revision is kept"), ONCE),
            ),
        ),
    ),
)
PROD = ProjectReview(
    CHANGING,
    place,
    advised=("TuningJob intents: 30 examples are few for a classification",),
    findings=(DENIED, EXCEPTED, WARNED),
    digest=f"sha256:{DIGEST}",
    dataset_differences=(DATA, GONE),
)
QUIET = ProjectReview(Plan(project("dev"), (job("intents"), job("moods"))), place)
FAILED = FailedReview("eu", Retryable("listing jobs: the service is unavailable", remedy="run it again"))
CASES: dict[str, tuple[tuple[ProjectReview | FailedReview, ...], int]] = {
    "one-project": ((PROD,), 65_536),
    "several-projects": ((QUIET, PROD, FAILED), 65_536),
    "nothing": ((QUIET,), 65_536),
    "cut": ((PROD,), 3_000),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_comment_is_as_it_was_looked_at(name: str) -> None:
    """With TUNEFORM_GOLDEN=write the files are written anew; look at them before they are kept."""
    reviews, limit = CASES[name]
    shown = markdown(reviews, about="specs", limit=limit)
    file = GOLDEN / f"{name}.md"
    if os.environ.get("TUNEFORM_GOLDEN") == "write":
        file.write_text(shown, encoding="utf-8")

    assert shown == file.read_text(encoding="utf-8")


# --- markup --------------------------------------------------------------------------------------------------

GFM = MarkdownIt("gfm-like", {"linkify": False})
OURS = {"br", "details", "span", "summary"}
"""The tags that a comment writes itself."""


def html(text: str) -> str:
    rendered: str = GFM.render(text)
    return rendered


def assert_sound(shown: str, limit: int) -> None:
    """Within its limit, found by its marker, every tag ours and closed, every row of a table as long as its head."""
    assert markup.size(shown) <= limit
    assert re.match(r"<!-- tuneform plan: [^<>]* -->\n", shown)
    depth = 0
    for token in GFM.parse(shown):
        inline = [child.content for child in token.children or () if child.type == "html_inline"]
        block = [token.content] if token.type == "html_block" else []
        for closes, tag in re.findall(r"<(/?)(\w+)[^>]*>", re.sub("<!--.*?-->", "", "".join(inline + block))):
            assert tag in OURS
            depth += (tag == "details") * (-1 if closes else 1)
            assert depth in {0, 1}
    assert depth == 0
    cells = None
    for line in shown.splitlines():
        found = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else None
        assert cells is None or found in {None, cells}, line
        cells = found
    assert not {"fence", "code_block"} & {token.type for token in GFM.parse(shown)}


EVIL = "</summary><img src=x> @all | **bold**\n# head `code` ``` ~~~ $x$ <!-- [a](http://b.example) www.c.example &amp;"


def test_nothing_that_a_spec_a_rule_or_an_example_says_becomes_markup() -> None:
    change = replace(EPOCHS, old="<img src=x>", new=EVIL)
    plan = Plan(
        project("demo"), (job("intents", PatchModel("m", (change,)), Blocked(EVIL, EVIL)), job(EVIL, CREATE))
    )
    found = replace(DENIED, message=EVIL, why=EVIL, remedy=EVIL, field=EVIL, rule="r|`")
    data = replace(DATA, found=differing([("a", EVIL)], [("a", "b"), (EVIL, EVIL)]), dataset=EVIL)
    review = ProjectReview(plan, lambda *_: EVIL, (EVIL,), (found,), "sha256:0", (data,))

    shown = markdown((review,), about=f"{EVIL} --> x", suspected=str)

    assert_sound(shown, 65_536)
    rendered = html(shown)
    assert "<img" not in rendered
    assert "<strong>bold" not in rendered
    assert "<a " not in rendered
    visible = rendered.partition("\n")[2]
    assert visible.count("@") == visible.count("@<!-- -->") > 0
    assert "hyperParameters.epochCount &lt;img src=x&gt; →" in rendered


def test_an_example_that_may_hold_a_secret_is_not_shown() -> None:
    shown = markdown((PROD,))

    assert SECRET not in shown
    assert SECRET[:8] not in shown
    assert "it may hold a secret (AWS Access Key)" in shown
    assert SECRET in markdown((PROD,), suspected=str)


def test_a_secret_beyond_what_would_be_shown_hides_its_example_too() -> None:
    long = "Where is my parcel? " * 20 + f"password: {SECRET[4:]}"
    data = replace(DATA, found=differing([(long, "same")], [(long, "other")]))

    shown = markdown((replace(PROD, dataset_differences=(data,)),))

    assert "it may hold a secret" in shown
    assert "Where is my parcel" not in shown


def test_an_example_that_is_too_long_to_be_looked_through_is_not_shown() -> None:
    data = replace(DATA, found=differing([], [("Where is my parcel? " * 1_001, "late")]))

    shown = markdown((replace(PROD, dataset_differences=(data,)),))

    assert "it is too long to be looked through for secrets" in shown
    assert "Where is my parcel" not in shown


# --- the limit -----------------------------------------------------------------------------------------------


def test_what_matters_least_is_left_out_first_and_it_is_said_what_and_where_to_see_it() -> None:
    whole = markdown((PROD,))
    kept = [markdown((PROD,), limit=limit) for limit in range(len(whole), 900, -50)]

    for shown in kept[1:]:
        assert "**Cut to " in shown
        assert "`tuneform plan` on the same commit" in shown
    vanish = ["some of the examples", "which serves", "TunedModel intents:", "| **TunedModel", "| what |"]
    lasts = [max(n for n, shown in enumerate(kept) if text in shown) for text in vanish]
    assert lasts == sorted(lasts)
    assert lasts[0] < lasts[-1] < len(kept)
    assert all("**Plan: 1 to create" in shown for shown in kept)
    assert "**Cut to" not in whole


TEXTS = st.text(st.characters(codec="utf-8"), max_size=400) | st.sampled_from([EVIL, "x" * 1000, "😀" * 300])
ACTIONS = st.one_of(
    st.builds(lambda t: Blocked(t, t), TEXTS),
    st.builds(lambda t: replace(CREATE, changes=(replace(EPOCHS, old=t, new=t),)), TEXTS),
    st.builds(lambda t: Retire("r1-aa", "jobs/1", t), TEXTS),
    st.builds(lambda t: Later(Retire("r1-aa", "jobs/1", "x"), t), TEXTS),
)
ITEMS = st.builds(lambda name, done: job(name, *done), TEXTS, st.lists(ACTIONS, max_size=4))


@st.composite
def reviews(draw: st.DrawFn) -> ProjectReview:
    plan = Plan(project(draw(TEXTS)), tuple(draw(st.lists(ITEMS, max_size=8))))
    told = draw(TEXTS)
    findings = (replace(DENIED, message=told, field=told),) * draw(st.integers(0, 3))
    return ProjectReview(plan, place, (told,) * draw(st.integers(0, 3)), findings, "sha256:0", (DATA, GONE))


@settings(max_examples=15, deadline=None)
@given(st.lists(reviews(), min_size=1, max_size=4), st.integers(3_000, 30_000))
def test_whatever_is_cut_the_comment_is_sound_and_fits(found: list[ProjectReview], limit: int) -> None:
    both: list[ProjectReview | FailedReview] = [*found, FailedReview("x | y", Retryable(EVIL, remedy=EVIL))]
    whole = markdown(both, limit=10**9, about="specs", suspected=str)
    shown = markdown(both, limit=limit, about="specs", suspected=str)

    assert_sound(whole, 10**9)
    assert_sound(shown, limit)
    assert ("**Cut to " in shown) == (markup.size(whole) > limit)
