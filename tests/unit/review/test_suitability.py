"""Whether tuning suits what there is: what is said of few examples, of answers, of labels, and of gates."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tuneform.datasets import prepare
from tuneform.entrypoints import inputs
from tuneform.errors import Diagnostic
from tuneform.reconcile.actions import Create, Wait
from tuneform.reconcile.cost import Cost
from tuneform.reconcile.desired import Content, Desired, Project, Tuning
from tuneform.reconcile.plan import Item, Plan
from tuneform.review import plan as review
from tuneform.review.pull_request import ProjectReview, markdown
from tuneform.review.suitability import GUIDE, Facts, advise, facts_of, few
from tuneform.specs import Dataset, Tree, load

HEAD = """\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: demo}
spec: {projectId: demo-project, location: us-central1, owner: ml-team}
---
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {name: data}
spec: {}
---
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: words}
spec: {baseModel: gemini-2.5-flash, dataset: {ref: words}}
---
apiVersion: tuneform.dev/v1
kind: TunedModel
metadata: {name: words}
spec: {job: {ref: words}, gate: {exactMatch: {atLeast: 0.8}}}
---
"""
Pairs = list[tuple[str, str]]
MANY: Pairs = [(f"question {number}", "ab"[number % 2]) for number in range(120)]


def tree_of(tmp_path: Path, training: Pairs, task: str = "classification", test: Pairs | None = None) -> Tree:
    def examples(pairs: Pairs) -> dict[str, object]:
        return {"examples": [{"input": question, "output": answer} for question, answer in pairs]}

    spec: dict[str, object] = {"bucket": {"ref": "data"}, "training": examples(training), "task": task}
    spec["test"] = examples(test or [("held out", training[0][1])])
    document = {
        "apiVersion": "tuneform.dev/v1",
        "kind": "Dataset",
        "metadata": {"name": "words"},
        "spec": spec,
    }
    (tmp_path / "a.yaml").write_text(HEAD + yaml.safe_dump(document))
    return load(tmp_path)


def said(tree: Tree) -> list[Diagnostic]:
    facts: dict[tuple[str, str], Facts] = {}
    for document in tree.of(Dataset):
        prepared = prepare(inputs.source(tree, document), root=tree.root, fetch=lambda _: b"")
        facts[document.project, document.name] = facts_of(document, prepared)
    return list(advise(tree, facts))


def test_where_nothing_is_amiss_nothing_is_said(tmp_path: Path) -> None:
    assert said(tree_of(tmp_path, MANY)) == []


@pytest.mark.parametrize(
    ("task", "examples", "code", "message"),
    [
        (
            "classification",
            (MANY[:50], None),
            "W201",
            f"50 training examples; {GUIDE} advises 100 or more for classification",
        ),
        (
            "generation",
            ([("one", "1")], None),
            "W201",
            f"1 training example; {GUIDE} advises 100 to 500, and 20 at the very least",
        ),
        (
            "classification",
            ([*MANY, ("question 0", "b")], None),
            "W202",
            "1 question has more than one answer in training",
        ),
        (
            "classification",
            ([(f"question {n}", f"label {n}") for n in range(120)], None),
            "W203",
            "120 different answers to 120 questions are no classification",
        ),
        (
            "classification",
            ([*MANY, ("question x", "B"), ("question y", "b ")], None),
            "W204",
            "2 of 4 labels differ from another in case or blanks alone",
        ),
        (
            "classification",
            (MANY, [("held out", "c")]),
            "W205",
            "1 labels in validation or test are not in training",
        ),
        (
            "chat",
            (MANY, None),
            "W206",
            "exactMatch wants the very text of the example, and Dataset 'words' says task: chat",
        ),
    ],
)  # fmt: skip
def test_advice_is_a_warning_at_its_place_with_the_guide_or_a_reason(
    task: str, examples: tuple[Pairs, Pairs | None], code: str, message: str, tmp_path: Path
) -> None:
    training, test = examples
    (found,) = said(tree_of(tmp_path, training, task, test))
    assert (found.code, found.severity, found.message) == (code, "warning", message)
    assert found.hint
    assert found.position is not None


@pytest.mark.parametrize(
    ("task", "hint"), [("generation", "PREFERENCE_TUNING"), ("extraction", "keep the right one")]
)
def test_several_answers_are_a_mistake_or_a_preference_by_the_task(
    task: str, hint: str, tmp_path: Path
) -> None:
    training = [*MANY, ("question 0", "another"), ("question 1", "yet another")]
    (found,) = said(tree_of(tmp_path, training, task))
    assert found.message == "2 questions have more than one answer in training"
    assert hint in found.hint


def test_a_dataset_of_two_jobs_is_spoken_of_once_and_one_that_nothing_trains_on_never(tmp_path: Path) -> None:
    tree_of(tmp_path, MANY[:5])
    more = HEAD.split("---\n")[2].replace("{name: words}", "{name: again}")
    (tmp_path / "b.yaml").write_text(more)
    assert [found.code for found in said(load(tmp_path))] == ["W201"]
    lonely = tmp_path / "lonely"
    lonely.mkdir()
    dataset = (tmp_path / "a.yaml").read_text().rpartition("---\n")[2]
    (lonely / "a.yaml").write_text("---\n".join([*HEAD.split("---\n")[:2], dataset]))
    assert said(load(lonely)) == []


def test_enough_is_enough() -> None:
    assert few(100, "classification") is None
    assert few(99, "classification") is not None


def test_a_plan_says_it_of_the_jobs_that_it_would_pay_for(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, MANY[:50])
    project = Project("demo", "demo-project", "us-central1", "us-central1", "team", "state")
    tuning = Tuning(project, "words", "gemini-2.5-flash", Content("gs://b/x", "sha256:x", 50, 500))
    desired = Desired(project, (tuning,))
    create = Create("r1-aa", 1, "first", Cost("gemini-2.5-flash", 500, 400, 600, 4))

    (text,) = review.advice(Plan(project, (Item("TuningJob", "words", (create,)),)), desired, tree)

    assert text.startswith("TuningJob words: 50 training examples; ")
    assert text.endswith(
        'a prompt that holds examples is the cheaper first step, says Vertex AI, "Introduction to tuning"'
    )
    waiting = Plan(project, (Item("TuningJob", "words", (Wait("r1-aa", "j"),)),))
    assert review.advice(waiting, desired, tree) == ()
    paid = Plan(project, (Item("TuningJob", "words", (create,)),))
    assert review.as_object(paid, (text,))["advice"] == [text]
    shown = markdown((ProjectReview(paid, lambda *_: "", (text,)),))
    assert "> **Advice:** TuningJob words" in shown
