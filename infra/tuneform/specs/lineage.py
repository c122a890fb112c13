"""From a tuning job along `preTunedModel` to the base model that all of it began with."""

from __future__ import annotations

from collections.abc import Callable

from tuneform.specs.kinds import TuningJob
from tuneform.specs.tree import Documents, Tree

FindJob = Callable[[str], TuningJob | None]
"""The TuningJob of a name, in the project that is asked about."""


def base_model(job: TuningJob, find: FindJob) -> str | None:
    """The base model under a job, however many tunings lie between; None where no document says it."""
    passed: set[str] = set()
    while job.base_model is None:
        name = job.pre_tuned_model.ref if job.pre_tuned_model else None
        found = find(name) if name and name not in passed else None
        if found is None or name is None:
            return None
        passed.add(name)
        job = found
    return job.base_model


def parents(where: Documents | Tree, project: str) -> FindJob:
    """Finds the jobs of a project."""

    def find(name: str) -> TuningJob | None:
        try:
            key = ("TuningJob", project, name)
            found = where.find(TuningJob, name, project) if isinstance(where, Tree) else where[key]
        except KeyError:
            return None
        return found.spec if isinstance(found.spec, TuningJob) else None

    return find
