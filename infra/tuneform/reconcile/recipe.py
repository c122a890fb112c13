"""The recipe: what decides which model comes out, and the revision that names it.

Not in it, on purpose: service account, validation and test data, names, labels, file names, row order, formatting.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuneform.reconcile.desired import Parent, Tuning

FORM = "r1"
"""The canonical form's version. A change to what `recipe` returns for an unchanged tuning needs a new one,
since every revision would otherwise be trained, and paid for, again."""

REVISION = re.compile(r"r\d+-[0-9a-f]{16}")
"""What revisions look like, those of other forms included."""


def recipe(tuning: Tuning) -> dict[str, Any]:
    """The recipe as plain JSON data. What is unset is absent; a whole float is an integer."""
    hyper = tuning.hyper_parameters
    parent = tuning.parent
    parts: dict[str, Any] = {
        "baseModel": None if parent else tuning.base_model,
        "preTunedModel": _parent(parent) if parent else None,
        "method": tuning.method,
        "tuningMode": tuning.tuning_mode,
        "training": tuning.training.digest,
        "hyperParameters": {
            "epochCount": hyper.epoch_count,
            "adapterSize": hyper.adapter_size,
            "learningRateMultiplier": _number(hyper.learning_rate_multiplier),
            "beta": _number(hyper.beta),
        },
        "exportLastCheckpointOnly": tuning.export_last_checkpoint_only,
        "encryptionKey": tuning.kms_key,
    }
    return _set_only(parts)


def _parent(parent: Parent) -> dict[str, Any]:
    """By its revision, whatever the other tuning is called; the last checkpoint is the one that is meant unsaid."""
    checkpoint = None if parent.checkpoint == "last" else parent.checkpoint
    return {"revision": parent.revision or None, "model": parent.model or None, "checkpoint": checkpoint}


def revision(tuning: Tuning) -> str:
    """`r1-` and 16 hex digits of the SHA-256 of the recipe's canonical JSON; computed once a tuning."""
    return tuning.revision


def digest(tuning: Tuning) -> str:
    """The revision, computed."""
    canonical = json.dumps(recipe(tuning), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"{FORM}-{hashlib.sha256(canonical.encode()).hexdigest()[:16]}"


def _number(value: float | None) -> float | int | None:
    return int(value) if value is not None and value == int(value) else value


def _set_only(parts: dict[str, Any]) -> dict[str, Any]:
    kept = {key: _set_only(value) if isinstance(value, dict) else value for key, value in parts.items()}
    return {key: value for key, value in kept.items() if value is not None and value != {}}
