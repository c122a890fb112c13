"""Thirty rules over 10,000 documents, beside Open Policy Agent and cel-python, with the same counts of breaches.

    python -m benchmarks.policy [TUNINGS]

Judging alone is measured, of subjects that are in memory (`tuneform`, cel-python), or of one JSON file that is read
(OPA, whose figure is of the whole process; what it takes to read the file with a rule that asks nothing is said beside
it). OPA is `opa` on PATH or in the variable OPA; cel-python is that of the Python in the variable CEL_PYTHON, and is
given a tenth of the documents. What is not there is left out, and said.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks import specs as trees
from tuneform import specs
from tuneform.capabilities import prices
from tuneform.entrypoints.doors.documents import Documents
from tuneform.policy import Judge, Match, PolicySet, Rule, Subject

TUNINGS = 5_000
COUNTS = {"examples": 1_000, "tokens": 90_000, "tokensLow": 80_000, "tokensHigh": 100_000}
SHAPES = (
    ("TuningJob", "has(object.spec.encryptionKey)", "d.object.spec.encryptionKey"),
    (
        "TuningJob",
        "object.spec.baseModel in ['gemini-2.5-flash', 'm{0}']",
        'd.object.spec.baseModel in {{"gemini-2.5-flash", "m{0}"}}',
    ),  # noqa: E501
    (
        "TuningJob",
        "has(object.spec.hyperParameters.epochCount) && object.spec.hyperParameters.epochCount <= {0}",
        "d.object.spec.hyperParameters.epochCount <= {0}",
    ),  # noqa: E501
    ("TuningJob", "has(cost.tokensHigh) && cost.tokensHigh <= {0}00000", "d.cost.tokensHigh <= {0}00000"),
    ("TuningJob", "data.training.examples <= {0}000", "d.data.training.examples <= {0}000"),
    ("TuningJob", "'team' in object.metadata.labels || {0} > 100", "d.object.metadata.labels.team"),
    ("TuningJob", "object.metadata.name.endsWith('{0}')", 'endswith(d.object.metadata.name, "{0}")'),
    ("TunedModel", "has(object.spec.gate)", "d.object.spec.gate"),
    ("TunedModel", "object.spec.keep >= {0}", "d.object.spec.keep >= {0}"),
    (
        "TunedModel",
        "object.spec.job.baseModel.startsWith('gemini-{0}')",
        'startswith(d.object.spec.job.baseModel, "gemini-{0}")',
    ),  # noqa: E501
)
RULES = [(kind, cel.format(n), rego.format(n)) for n in (1, 2, 3) for kind, cel, rego in SHAPES]
PURE = """
import json, sys, time, celpy
from celpy.adapter import json_to_cel
rules, documents = json.load(open(sys.argv[1])), json.load(open(sys.argv[2]))
env = celpy.Environment()
ready = [(kind, env.program(env.compile(text))) for kind, text in rules]
begun, broken = time.process_time(), 0
for one in documents:
    values = {name: json_to_cel(value) for name, value in one.items()}
    for kind, program in ready:
        broken += kind == one["object"]["kind"] and not program.evaluate(values)
print(json.dumps([time.process_time() - begun, broken]))
"""


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    tunings = int(arguments[0]) if arguments else TUNINGS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begun = time.process_time()
        subjects = _subjects(folder / "specs", tunings)
        print(
            f"{'subjects from the tree, ' + format(len(subjects), ','):44} {time.process_time() - begun:7.2f} s"
        )
        mine = _tuneform(subjects)
        _opa(folder, subjects, mine)
        few = subjects[: len(subjects) // 10]
        _pure(folder, few, _broken(_judge(), few))


def _subjects(folder: Path, tunings: int) -> list[Subject]:
    trees.write(folder, tunings, trees.PER_FILE)
    tree = specs.load(folder)
    facts = {(one.project, one.name): {"training": COUNTS} for one in tree.of(specs.Dataset)}
    found = Documents(tree, facts, prices.builtin()).subjects()
    return [subject for _, subject in found if subject.kind in {"TuningJob", "TunedModel"}]


def _judge() -> Judge:
    rules = (
        Rule("house", f"rule-{number}", cel, message="broken", matches=(Match(kinds=(kind,)),))
        for number, (kind, cel, _) in enumerate(RULES)
    )
    return Judge([PolicySet(tuple(rules))], date(2026, 11, 30))


def _broken(judge: Judge, subjects: Sequence[Subject]) -> int:
    return len(judge.judge_all(subjects).findings)


def _tuneform(subjects: Sequence[Subject]) -> int:
    begun = time.process_time()
    judge = _judge()
    ready = time.process_time()
    broken = _broken(judge, subjects)
    taken = time.process_time() - ready
    print(f"{'tuneform, 30 rules made ready':44} {ready - begun:7.2f} s")
    print(
        f"{'tuneform, ' + format(len(subjects), ',') + ' documents judged':44} {taken:7.2f} s  {broken:,} breaches"
    )
    return broken


def _values(subject: Subject) -> dict[str, Any]:
    return {"object": subject.object, "data": subject.data, "cost": subject.cost}


def _opa(folder: Path, subjects: Sequence[Subject], wanted: int) -> None:
    opa = os.environ.get("OPA") or shutil.which("opa")
    if not opa:
        print("Open Policy Agent: there is no opa on PATH, nor in OPA")
        return
    (folder / "input.json").write_text(json.dumps([_values(one) for one in subjects]))
    # Comprehensions: a function for each rule would be remembered by its argument, a whole document.
    counts = ", ".join(
        f'count([1 | some d in input; d.object.kind == "{kind}"]) - '
        f'count([1 | some d in input; d.object.kind == "{kind}"; {rego}])'
        for kind, _, rego in RULES
    )
    (folder / "rules.rego").write_text(f"package house\nimport rego.v1\nbroken := sum([{counts}])\n")
    for query, said in (
        ("count(input)", "opa eval, the documents read"),
        ("data.house.broken", "opa eval, judged too"),
    ):
        command = [
            opa,
            "eval",
            "-f",
            "raw",
            "-d",
            str(folder / "rules.rego"),
            "-i",
            str(folder / "input.json"),
            query,
        ]
        begun = time.perf_counter()
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        print(f"{said:44} {time.perf_counter() - begun:7.2f} s  {int(found):,}")
    assert int(found) == wanted, (found, wanted)


def _pure(folder: Path, subjects: Sequence[Subject], wanted: int) -> None:
    python = os.environ.get("CEL_PYTHON")
    if not python:
        print("cel-python: there is no Python in CEL_PYTHON that has it")
        return
    (folder / "rules.json").write_text(json.dumps([(kind, cel) for kind, cel, _ in RULES]))
    (folder / "few.json").write_text(json.dumps([_values(one) for one in subjects]))
    command = [python, "-c", PURE, str(folder / "rules.json"), str(folder / "few.json")]
    seconds, broken = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert broken == wanted, (broken, wanted)
    print(
        f"{'cel-python, ' + format(len(subjects), ',') + ' documents judged':44} {seconds:7.2f} s  {broken:,} breaches"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
