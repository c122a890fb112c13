"""Import by id: `<project>/<name>` alone does not say where a tuning lives, so its document says it.

`pulumi import tuneform:index:TuningJob intents demo/intents`, and `ResourceOptions(import_="demo/intents")`, find the
document of that kind and name in the stack's spec folder (setting `tuneform:specs`, default `specs`, relative to
the Pulumi project), and take the inputs from it, as the program itself would.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tuneform import specs
from tuneform.datasets import prepare
from tuneform.entrypoints import inputs
from tuneform.entrypoints.cli.settings import Settings
from tuneform.entrypoints.provider.resources.base import content_json, project_of
from tuneform.entrypoints.provider.resources.tuning_job import tuning_of
from tuneform.entrypoints.provider.session import Session
from tuneform.errors import SettingsError
from tuneform.reconcile import content
from tuneform.reconcile.execute import preview_tuning, tuning_status

_KINDS: dict[str, type[specs.SpecModel]] = {
    "tuneform:index:Dataset": specs.Dataset,
    "tuneform:index:TuningJob": specs.TuningJob,
    "tuneform:index:TunedModel": specs.TunedModel,
}


def inputs_of(token: str, identity: str, session: Session) -> dict[str, Any]:
    """The inputs of the document with this id.

    Raises:
        SettingsError: there is no such document, or no spec folder.
        SpecErrors, DatasetErrors: the specs have errors.
    """
    project, _, name = identity.partition("/")
    folder = session.specs()
    if not folder.exists():
        raise SettingsError(
            f"cannot import {identity}: there is no spec folder {folder}",
            remedy="set tuneform:specs to the folder whose documents describe it",
        )
    tree = specs.load(folder, Settings.at(folder).known())
    try:
        document = tree.find(_KINDS[token], name, project)
    except KeyError:
        raise SettingsError(
            f"cannot import {identity}: {folder} has no {token.rpartition(':')[2]} {name!r} in project {project!r}",
            remedy="an id is <metadata.project>/<metadata.name>",
        ) from None
    match document.spec:
        case specs.Dataset():
            return inputs.dataset(tree, tree.find(specs.Dataset, name, project))
        case specs.TuningJob():
            return _tuning(tree, tree.find(specs.TuningJob, name, project), session)
        case _:
            return _model(tree, tree.find(specs.TunedModel, name, project), session)


def _tuning(tree: specs.Tree, job: specs.Document[specs.TuningJob], session: Session) -> dict[str, Any]:
    splits = _splits(tree, job, session)
    source, parent = job.spec.pre_tuned_model, None
    if source and source.ref:
        before = _tuning(tree, tree.find(specs.TuningJob, source.ref, job.project), session)
        parent = tuning_of(before).revision
    return inputs.tuning_job(
        tree, job, training=splits["training"], validation=splits.get("validation"), parent=parent
    )


def _model(tree: specs.Tree, model: specs.Document[specs.TunedModel], session: Session) -> dict[str, Any]:
    job = tree.find(specs.TuningJob, model.spec.job.ref, model.project)
    tuning = tuning_of(_tuning(tree, job, session))
    ports = session.ports(tuning.project)
    _, world = preview_tuning(ports, tuning)
    status = tuning_status(ports.reader, tuning, world)
    test = _splits(tree, job, session).get("test")
    return inputs.tuned_model(tree, model, revision=status.revision, model=status.model or None, test=test)


def _splits(
    tree: specs.Tree, job: specs.Document[specs.TuningJob], session: Session
) -> dict[str, dict[str, Any]]:
    document = tree.find(specs.Dataset, job.spec.dataset.ref, job.project)
    given = inputs.dataset(tree, document)
    objects = session.ports(project_of(given)).objects
    prepared = prepare(inputs.source(tree, document), root=Path(given["root"]), fetch=objects.read)
    placed = content.placed(prepared, given["bucket"], given["name"])
    return {name: content_json(split) for name, split in placed.items()}
