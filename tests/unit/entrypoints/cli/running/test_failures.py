"""Errors of the engine's run as a person reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneform.entrypoints.cli.running.failures import Problem, RunFailedError
from tuneform.specs import Tree, load

STACK = "urn:pulumi:local::tuneform::"
JOB = f"{STACK}tuneform:index:TuningJob::colours"
SPECS = """\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: shop}
spec: {projectId: shop-tuning, location: us-central1, owner: shop-ml}
---
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {name: data}
spec: {}
---
apiVersion: tuneform.dev/v1
kind: Dataset
metadata: {name: colours}
spec: {bucket: {ref: data}, training: {examples: [{input: sky, output: blue}]}}
---
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: colours}
spec: {baseModel: gemini-2.5-flash, dataset: {ref: colours}}
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    monkeypatch.chdir(tmp_path)
    Path("specs.yaml").write_text(SPECS)
    return load(Path("specs.yaml"))


@pytest.mark.parametrize(
    ("urn", "said", "shown"),
    [
        (
            JOB,
            "1 error occurred:\n\t* error[E600]: over limits.maxBillableTokens\n   = remedy: raise it",
            "specs.yaml:17:7: error[E600]: over limits.maxBillableTokens\n   = remedy: raise it",
        ),
        (JOB, "Preview failed: error[E600]: too much", "specs.yaml:17:7: error[E600]: too much"),
        (JOB, "it broke", "specs.yaml:17:7: error[E700]: TuningJob colours: it broke"),
        (
            f"{STACK}tuneform:index:Dataset::colours",
            "tuneform:index:Dataset resource 'colours': property source value {map[format:{auto} x:{y}]}"
            " has a problem: \nspecs/colours.csv:3:1: error[E224]: the input is empty",
            "specs/colours.csv:3:1: error[E224]: the input is empty",
        ),
        (
            f"{STACK}gcp:storage/bucket:Bucket::data",
            "gcp:storage/bucket:Bucket resource 'data': property location value {42} has a problem: no text",
            "error[E700]: Bucket data: location: no text",
        ),
        (
            f"{STACK}gcp:kms/keyRing:KeyRing::ring",
            "1 error occurred:\n\t* Error creating KeyRing: googleapi: Error 409: KeyRing r already exists.",
            "error[E700]: KeyRing ring: Error creating KeyRing: googleapi: Error 409: KeyRing r already exists."
            "\n   = remedy: it exists live: take it over with --adopt (in a stack's configuration: tuneform:adopt)",
        ),
        ("", "the engine is out of memory", "error[E700]: the engine is out of memory"),
    ],
)
def test_a_problem_is_told_once_at_its_place(tree: Tree, urn: str, said: str, shown: str) -> None:
    assert Problem.of(urn, said).render(tree, "E700") == shown


def test_all_problems_are_shown_and_one_line_says_what_stands(tree: Tree) -> None:
    problems = [Problem.of(JOB, "error[E600]: one"), Problem.of(JOB, "error[E530]: two")]

    shown = RunFailedError(problems, tree, preview=False).render()

    assert shown.index("error[E600]: one") < shown.index("error[E530]: two")
    assert shown.endswith("What was done stays done: mend the cause and run the same command again to go on.")
    assert RunFailedError(problems, tree, preview=True).render().endswith("Nothing was changed.")
