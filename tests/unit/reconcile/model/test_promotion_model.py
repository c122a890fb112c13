"""Promotion and retirement of docs/decisions/revisions.md, explored to the last world that can be reached."""

from __future__ import annotations

import pytest
from tests.unit.reconcile.model.explorer import explore
from tests.unit.reconcile.model.promotion import NEW, OLD, PromotionModel, Rule

SAME = (NEW, NEW, NEW)
REVERTED = (NEW, OLD, OLD)
"""One run still has the new specs while another has the reverted ones, which hold in the end."""


@pytest.mark.parametrize("wants", [SAME, REVERTED, (NEW, OLD, NEW)], ids=["same", "reverted", "overtaken"])
def test_every_world_serves_and_every_run_ends_as_it_should(wants: tuple[int, int, int]) -> None:
    found = explore(PromotionModel(wants))
    assert not found.violation, str(found)
    assert found.worlds > 1000


@pytest.mark.parametrize(
    ("rule", "wants", "violation"),
    [
        (Rule.GATE_FIRST, SAME, "what serves has not passed its gate"),
        (Rule.SWITCH_FIRST, SAME, "nothing has the traffic"),
        (Rule.RETIRE_FIRST, REVERTED, "a model that we deleted counts as lost"),
        (Rule.ASK_ONCE, REVERTED, "two runs train against each other"),
    ],
    ids=[rule.name for rule in Rule],
)
def test_without_a_rule_the_harm_is_found(rule: Rule, wants: tuple[int, int, int], violation: str) -> None:
    found = explore(PromotionModel(wants, frozenset({rule})))
    assert found.violation == violation
    assert found.trace
