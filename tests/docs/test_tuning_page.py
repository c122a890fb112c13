"""docs/tuning.md shows documents that load, and go on from each other as it says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from textwrap import indent

from tuneform.specs import TuningJob, load
from tuneform.specs.lineage import base_model, parents

PAGE = (Path(__file__).parents[2] / "docs" / "tuning.md").read_text(encoding="utf-8")
AROUND = """\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: demo}
spec: {projectId: tuneform-demo, location: us-central1, owner: ml-team}
---
apiVersion: tuneform.dev/v1
kind: DatasetBucket
metadata: {name: data}
spec: {}
---
"""
SUPERVISED = """\
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: measured}
spec:
  baseModel: gemini-2.5-flash
  dataset: {ref: answers}
"""


def test_its_documents_load_and_one_job_goes_on_from_the_other(tmp_path: Path) -> None:
    shown, evaluation = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    measured = SUPERVISED + indent(evaluation, "  ")
    (tmp_path / "a.yaml").write_text(f"{AROUND}{shown}---\n{measured}")
    for name in ("answers", "pairs"):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({"text_input": "a", "output": "b"}))
    tree = load(tmp_path)
    jobs = {job.name: job.spec for job in tree.of(TuningJob)}
    first, second = jobs["support"], jobs["support-preferred"]
    assert jobs["measured"].evaluation_config is not None
    assert second.pre_tuned_model is not None
    assert (first.base_model, base_model(second, parents(tree, "demo"))) == ("gemini-2.5-flash",) * 2
    assert second.method == "PREFERENCE_TUNING"
