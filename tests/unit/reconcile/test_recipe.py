"""The revision is what is paid for: it may change only when a different model would come out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.reconcile.builders import TUNING

from tuneform.reconcile.desired import Content, HyperParameters, Limits
from tuneform.reconcile.recipe import recipe, revision


def test_revisions_are_pinned() -> None:
    """A change here means that every user's models would be trained, and paid for, again."""
    minimal = replace(TUNING, hyper_parameters=HyperParameters())
    full = replace(
        TUNING, export_last_checkpoint_only=True, kms_key="projects/p/locations/l/keyRings/r/cryptoKeys/k"
    )

    assert revision(minimal) == "r1-982a3f06889a1926"
    assert revision(TUNING) == "r1-49d5d9e544dcb396"
    assert revision(full) == "r1-efa9ba406bc1232d"


@pytest.mark.parametrize(
    "change",
    [
        {"base_model": "gemini-2.5-pro"},
        {"training": Content("gs://b/o", "sha256:other", 300, 6_000)},
        {"hyper_parameters": HyperParameters(5, "ADAPTER_SIZE_EIGHT", 1.0)},
        {"hyper_parameters": HyperParameters(4, "ADAPTER_SIZE_FOUR", 1.0)},
        {"hyper_parameters": HyperParameters(4, "ADAPTER_SIZE_EIGHT", 1.5)},
        {"hyper_parameters": HyperParameters(4, "ADAPTER_SIZE_EIGHT", None)},
        {"export_last_checkpoint_only": True},
        {"kms_key": "projects/p/locations/l/keyRings/r/cryptoKeys/k"},
    ],
)
def test_what_decides_the_model_changes_the_revision(change: dict[str, Any]) -> None:
    assert revision(replace(TUNING, **change)) != revision(TUNING)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"labels": {"team": "support"}},
        {"description": "words"},
        {"display_name": "words"},
        {"service_account": "tuner@p.iam.gserviceaccount.com"},
        {"validation": Content("gs://b/v", "sha256:v", 10, 10)},
        {"limits": Limits(max_billable_tokens=1)},
        {"when_superseded": "finish"},
        {"training": replace(TUNING.training, uri="gs://elsewhere/renamed.jsonl", tokens=1)},
    ],
)
def test_what_does_not_decide_the_model_leaves_the_revision(change: dict[str, Any]) -> None:
    assert revision(replace(TUNING, **change)) == revision(TUNING)


def test_a_whole_float_is_an_integer_and_unset_is_absent() -> None:
    plain = recipe(replace(TUNING, hyper_parameters=HyperParameters(None, None, 4.0)))

    assert plain["hyperParameters"] == {"learningRateMultiplier": 4}
    assert isinstance(plain["hyperParameters"]["learningRateMultiplier"], int)
    assert "encryptionKey" not in plain
