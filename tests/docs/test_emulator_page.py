"""The emulator's page names the switches there are, with their defaults, and the faults that can be ordered."""

from __future__ import annotations

import re
from pathlib import Path

from tuneform_emulator.traffic import orders
from tuneform_emulator.world import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text()
SAYS = {
    "labels_copied": "yes",
    "list_filters_labels": "yes",
    "dataset_read": "when it runs",
    "list_lag_seconds": "not at all",
    "get_lag_seconds": "not at all",
    "grants_lag_seconds": "not at all",
    "agent_exists_before_first_job": "yes",
}
MEANS = {"yes": True, "when it runs": "run", "not at all": 0.0}


def test_every_switch_is_named_with_its_default() -> None:
    rows = re.findall(r"^\| .*\? \| `(\w+)` \| (.+) \|$", PAGE, re.MULTILINE)
    assert dict(rows) == SAYS
    for name, default in rows:
        assert getattr(Settings(), name) == MEANS[default]


def test_every_effect_of_a_fault_is_named() -> None:
    rows = re.findall(r"^\| ((?:`[a-z-]+`(?:, )?)+) \|", PAGE, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([a-z-]+)`", row)}
    assert named == {*orders.CALL_EFFECTS, *orders.SHORT, *orders.JOB_EFFECTS}
