"""What a plan changes in datasets, for whoever looks at it."""

from __future__ import annotations

from dataclasses import replace

from tuneform.entrypoints import inputs
from tuneform.entrypoints.cli.reconciling.connecting import Opened
from tuneform.reconcile.data_changes import DatasetDifference, data_changes
from tuneform.reconcile.observe import World
from tuneform.reconcile.plan import Plan
from tuneform.specs import Dataset


def differing(found: Opened, world: World, plan: Plan) -> tuple[DatasetDifference, ...]:
    """What differs in the datasets that a plan is about.

    Of one that lies in Cloud Storage no example is kept: whoever reads the plan need not be allowed to read that.
    """
    changes = data_changes(plan, found.desired, world, found.ports.objects, found.supply)
    return tuple(_without_examples(change) if _is_remote(found, change) else change for change in changes)


def _is_remote(found: Opened, change: DatasetDifference) -> bool:
    document = found.scope.tree.find(Dataset, change.dataset, found.scope.project.name)
    return inputs.source(found.scope.tree, document).is_remote


def _without_examples(change: DatasetDifference) -> DatasetDifference:
    return replace(change, found=replace(change.found, samples=()) if change.found else None)
