"""docs/tuning.md shows documents that load, and go on from each other as it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

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


def test_its_documents_load_and_one_job_goes_on_from_the_other(tmp_path: Path) -> None:
    (shown,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "a.yaml").write_text(AROUND + shown)
    for name in ("answers", "pairs"):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({"text_input": "a", "output": "b"}))
    tree = load(tmp_path)
    first, second = (job.spec for job in tree.of(TuningJob))
    assert second.pre_tuned_model is not None
    assert (first.base_model, base_model(second, parents(tree, "demo"))) == ("gemini-2.5-flash",) * 2
    assert second.method == "PREFERENCE_TUNING"
