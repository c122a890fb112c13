"""Documents of two environments for tests."""

from __future__ import annotations

from pathlib import Path

from tuneform.errors import Diagnostic
from tuneform.specs import examine

DEV = """\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: dev}
spec: {projectId: acme-dev, location: us-central1, owner: nlp}
"""
PROD = """\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: prod}
spec: {projectId: acme-prod, location: europe-west4, owner: nlp}
"""
BUCKET = """\
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {name: data, projects: [dev, prod]}
spec: {}
"""
DATASET = """\
apiVersion: tuneform.dev/v1
kind: Dataset
metadata: {name: words, projects: [dev, prod]}
spec:
  bucket: {ref: data}
  training: {examples: [{input: a, output: b}]}
"""
JOB = """\
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: words, projects: [dev, prod]}
spec:
  baseModel: gemini-2.5-flash
  dataset: {ref: words}
"""
MODEL = """\
apiVersion: tuneform.dev/v1
kind: TunedModel
metadata: {name: words, projects: [dev, prod]}
spec:
  job: {ref: words}
"""
KEY = """\
apiVersion: tuneform.dev/v1
kind: EncryptionKey
metadata: {name: tuning-key, project: prod}
spec: {keyRing: tuneform}
"""
ALL = (DEV, PROD, BUCKET, DATASET, JOB, MODEL)


def with_defaults(project: str, defaults: str) -> str:
    """A Project that has defaults."""
    return project.replace("owner: nlp}", f"owner: nlp, defaults: {defaults}}}")


def written(folder: Path, *texts: str, **files: str) -> Path:
    """A folder with all texts in one file, and each file by its name."""
    folder.mkdir(parents=True, exist_ok=True)
    if texts:
        files["a"] = "---\n".join(texts)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def errors(path: Path) -> tuple[Diagnostic, ...]:
    """What is wrong in a folder."""
    return examine(path)[1]


def caught(diagnostic: Diagnostic) -> tuple[str, str, str, tuple[str, ...]]:
    """The code, the file, the text above the caret, and what it is about."""
    assert diagnostic.position is not None
    start = diagnostic.position.column - 1
    text = diagnostic.excerpt[start : start + diagnostic.length]
    return diagnostic.code, diagnostic.position.path.name, text, diagnostic.about
