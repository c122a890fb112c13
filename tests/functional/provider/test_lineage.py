"""Continuous and preference tuning under the real engine: what goes on from another job comes after it."""

from __future__ import annotations

import json

from tests.functional.emulators import Emulator
from tests.functional.provider.engine import TUNING, WITH_ENGINE, Stack, edit, vertex

pytestmark = WITH_ENGINE

POLITE = """
---
apiVersion: tuneform.dev/v1
kind: Dataset
metadata: {name: polite}
spec: {bucket: {ref: data}, training: data/polite.jsonl, format: preference-jsonl}
---
apiVersion: tuneform.dev/v1
kind: TuningJob
metadata: {name: a-polite-one}
spec:
  preTunedModel: {ref: intents}
  method: PREFERENCE_TUNING
  dataset: {ref: polite}
  hyperParameters: {epochCount: 2, beta: 0.1}
  encryptionKey: {ref: tuning-key}
"""


def preferences(rows: int) -> str:
    def turn(role: str, text: str) -> dict[str, object]:
        return {"role": role, "parts": [{"text": text}]}

    lines = [
        {
            "contents": [turn("user", f"please help me with refund number {n}")],
            "completions": [
                {"score": score, "completion": turn("model", text)}
                for score, text in ((1, "gladly"), (0, "no"))
            ],
        }
        for n in range(rows)
    ]
    return "".join(json.dumps(line) + "\n" for line in lines)


def test_a_childs_revision_follows_its_parents_and_a_preview_says_so(
    stack: Stack, emulator: Emulator
) -> None:
    (stack.specs / "data" / "polite.jsonl").write_text(preferences(20))
    (stack.specs / "tuning.yaml").write_text(TUNING + POLITE)
    preview = stack.preview()
    assert "of intents has succeeded: new revision r1-" in preview.said

    stack.up()
    jobs = vertex(emulator, "tuningJobs")
    assert len(jobs) == 2
    child = next(job for job in jobs if "preTunedModel" in job)
    parent = next(job for job in jobs if "baseModel" in job)
    assert child["preTunedModel"]["tunedModelName"] == parent["tunedModel"]["model"]
    assert child["preferenceOptimizationSpec"]["hyperParameters"]["beta"] == 0.1
    assert stack.up().changed == {}

    edit(stack, "epochCount: 2, adapterSize", "epochCount: 3, adapterSize")
    stack.up()
    assert len(vertex(emulator, "tuningJobs")) == 4
