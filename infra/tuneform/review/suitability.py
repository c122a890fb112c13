"""Whether tuning suits what there is: advice from Google's guides about size, task and answers. It blocks nothing.

The numbers are the guides' own: 100 examples or more for tuning rather than prompting (Vertex AI's overview of tuning,
2025-08-18) and by task ("Fine-tuning with the Gemini API", training data size), 20 at the very least (the latter).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from tuneform.datasets import Prepared, requests
from tuneform.errors import Diagnostic
from tuneform.specs import Dataset, Document, Tree, TunedModel, TuningJob

LEAST, ENOUGH = 20, 100
LOOKED_AT = 20_000
"""Of more examples so many are looked at, the first by digest, which are as good as drawn."""
SAME_SHARE = 0.5
"""With more different answers than this share of the examples, nobody classifies."""
OVERVIEW = 'Vertex AI, "Introduction to tuning"'
GUIDE = 'Gemini API, "Fine-tuning with the Gemini API"'
_RECOMMENDED = {
    "classification": "100 or more for classification",
    "summarization": "100 to 500 or more for summaries",
    "question-answering": "100 or more for finding answers in documents",
}
_AS_TOLD = ("summarization", "chat", "generation")
"""Tasks with more than one good answer to a question."""


@dataclass(frozen=True)
class Facts:
    """What of a dataset advice rests on, with no example in it.

    `answers` is how many different ones there are among the `looked_at` training examples, `conflicts` how many
    questions have more than one of them, `alike` how many labels differ from another in case or blanks alone, and
    `unseen` how many answers the held-out examples have that training lacks. The latter two are of classification only.
    """

    examples: int
    looked_at: int
    answers: int
    conflicts: int
    alike: int
    unseen: int


def facts_of(document: Document[Dataset], prepared: Prepared) -> Facts:
    """What advice needs to know of a dataset; of examples with preferred answers only how many there are."""
    training = prepared.training
    if document.spec.format == "preference-jsonl":
        return Facts(training.examples, 0, 0, 0, 0, 0)
    asked = list(requests(islice(training.lines, LOOKED_AT)))
    by_question: dict[str, set[str]] = defaultdict(set)
    for question, answer in asked:
        by_question[repr(question)].add(answer.strip())
    answers = Counter(answer for _, answer in asked)
    labels = document.spec.task == "classification"
    held_out = [split for split in (prepared.validation, prepared.test) if split is not None]
    others = {answer for split in held_out for _, answer in requests(islice(split.lines, LOOKED_AT))}
    return Facts(
        examples=training.examples,
        looked_at=len(asked),
        answers=len(answers),
        conflicts=sum(len(given) > 1 for given in by_question.values()),
        alike=_alike(answers) if labels else 0,
        unseen=len(others - answers.keys()) if labels else 0,
    )


def _alike(labels: Iterable[str]) -> int:
    spellings = Counter(" ".join(label.split()).casefold() for label in labels)
    return sum(count - 1 for count in spellings.values())


def few(examples: int, task: str) -> tuple[str, str] | None:
    """What there is to say about so many training examples, with a hint; None where there are enough."""
    if examples >= ENOUGH:
        return None
    wanted = _RECOMMENDED.get(task, "100 to 500")
    prompt = f"with so few, a prompt that holds examples is the cheaper first step, says {OVERVIEW}"
    least = f", and {LEAST} at the very least" if examples < LEAST else ""
    count = f"{examples:,} training example{'' if examples == 1 else 's'}"
    return f"{count}; {GUIDE} advises {wanted}{least}", prompt


def advise(tree: Tree, facts: Mapping[tuple[str, str], Facts]) -> Iterator[Diagnostic]:
    """Advice on the datasets that TuningJobs are trained on, each piece once; `facts` has those that were read."""
    models = {(model.project, model.spec.job.ref): model for model in tree.of(TunedModel)}
    datasets = {(dataset.project, dataset.name): dataset for dataset in tree.of(Dataset)}
    told: set[tuple[str, str]] = set()
    for job in tree.of(TuningJob):
        key = (job.project, job.spec.dataset.ref)
        dataset = datasets.get(key)
        if dataset is None:
            continue
        if key not in told and key in facts:
            told.add(key)
            yield from _of_data(dataset, facts[key])
        model = models.get((job.project, job.name))
        if model is not None:
            yield from _of_gate(model, dataset)


def _of_data(dataset: Document[Dataset], seen: Facts) -> Iterator[Diagnostic]:
    task = dataset.spec.task
    if (too_few := few(seen.examples, task)) is not None:
        message, hint = too_few
        yield _advice(dataset, "W201", message, ("training",), hint)
    if seen.conflicts:
        many = "1 question has" if seen.conflicts == 1 else f"{seen.conflicts:,} questions have"
        better = "keep the right one: wrong answers are learnt like right ones"
        if task in _AS_TOLD:
            better = "where one of them is the better, say so: method: PREFERENCE_TUNING learns from pairs of answers"
        yield _advice(dataset, "W202", f"{many} more than one answer in training", ("training",), better)
    if task != "classification":
        return
    if seen.answers > SAME_SHARE * seen.looked_at:
        message = f"{seen.answers:,} different answers to {seen.looked_at:,} questions are no classification"
        yield _advice(
            dataset,
            "W203",
            message,
            ("task",),
            "name the task that it is; or see that labels are spelt alike",
        )
        return
    if seen.alike:
        message = f"{seen.alike:,} of {seen.answers:,} labels differ from another in case or blanks alone"
        yield _advice(
            dataset, "W204", message, ("training",), "spell each label in one way: each is learnt for itself"
        )
    if seen.unseen:
        message = f"{seen.unseen:,} labels in validation or test are not in training"
        hint = f"examples should be typical of what will be asked, says {GUIDE}; a split at random needs more of them"
        yield _advice(dataset, "W205", message, ("training",), hint)


def _of_gate(model: Document[TunedModel], dataset: Document[Dataset]) -> Iterator[Diagnostic]:
    task = dataset.spec.task
    if model.spec.gate.exact_match is not None and task in ("summarization", "chat"):
        message = (
            f"exactMatch wants the very text of the example, and Dataset {dataset.name!r} says task: {task}"
        )
        hint = "evalLoss and evalAccuracy measure answers that may be worded otherwise"
        yield model.diagnostic(
            "W206", message, "spec", "gate", "exactMatch", key=True, hint=hint, severity="warning"
        )


def _advice(
    document: Document[Dataset], code: str, message: str, path: Sequence[str], hint: str
) -> Diagnostic:
    return document.diagnostic(code, message, "spec", *path, key=True, hint=hint, severity="warning")
