"""A project in agreement with its specs: so many tunings, each with its job, model, endpoint and ledger record.

One tuning is really trained and promoted on an emulator; its documents in the emulator's store are then copied for
every other tuning, with that one's names, labels, hyperparameters and revision. What a plan reads of them is what the
real thing left behind.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import specs
from tuneform.entrypoints.desired import desired_of, reader
from tuneform.reconcile.desired import Content, Desired, Serving, Tuning
from tuneform.reconcile.ledger import Record, dump, head, parse
from tuneform.reconcile.plan.serving import asked
from tuneform.reconcile.recipe import recipe, revision
from tuneform.specs import Project, load
from tuneform_emulator.services.storage.checksums import crc32c, md5
from tuneform_emulator.store import Store

ROWS = {"train": 100, "validation": 20, "test": 20}
FIRST = "tuning-0"

POLICIES = """\
apiVersion: tuneform.dev/v1
kind: Policy
metadata: {name: house}
spec:
  rules:
    - {name: own-key, builtin: cmek-required}
    - {name: places, builtin: regions, params: {locations: [us-central1]}}
    - {name: keys, builtin: key-placement, params: {projects: [tuneform-demo], locations: [us-central1]}}
    - name: models
      builtin: base-models
      params: {models: [gemini-2.5-flash, gemini-2.5-flash-lite, gemini-2.5-pro]}
    - {name: epochs, builtin: max-epochs, params: {most: 100}}
    - {name: tokens, builtin: max-tokens, params: {most: 5000000}}
    - {name: size, builtin: max-examples, params: {most: 1000}}
    - {name: data, builtin: validation-required}
    - {name: account, builtin: dedicated-service-account}
    - {name: closed, builtin: public-access-prevention}
"""
"""Ten rules, which all of it keeps."""

Json = dict[str, Any]


def write_specs(folder: Path, tunings: int) -> None:
    """The tree of `benchmarks.specs`, about 100 documents a file, with policies and datasets that can be trained on."""
    specs.write(folder, tunings, specs.PER_FILE)
    (folder / "policies.yaml").write_text(POLICIES, encoding="utf-8")
    for data in sorted(folder.glob("data/*")):
        for split, rows in ROWS.items():
            lines = (
                f"Where is my {what} no. {row} of {data.name}?,{what}" for row in range(rows) for what in "xy"
            )
            (data / f"{split}.csv").write_text("text,intent\n" + "\n".join(lines) + "\n", encoding="utf-8")


def desired(folder: Path) -> Desired:
    """What the tree asks for."""
    tree = load(folder)
    (project,) = tree.of(Project)
    return desired_of(tree, project, read_datasets=reader(tree, lambda _: b""))[0]


@dataclass(frozen=True)
class Template:
    """The documents of the tuning that was trained, by kind; and its ledger record."""

    documents: Mapping[str, tuple[str, Json]]
    record: Record
    content: Json
    ledger: Json


def template(store: Store) -> Template:
    """What the first tuning left in the store."""
    documents = {}
    for kind in ("tuning-job", "tuning-stats", "model"):
        ((name, document),) = store.list(kind)
        documents[kind] = (name, document)
    documents["endpoint"] = next((n, d) for n, d in store.list("endpoint") if n.endswith(f"/{FIRST}"))
    objects = dict(store.list("object"))
    at, ledger = next((n, d) for n, d in objects.items() if "/ledger/" in n)
    data = store.get_blob(f"{at}\n{int(ledger['generation']):020}")
    assert data is not None, "a ledger record has content"
    content = next(d for n, d in objects.items() if "/datasets/" in n)
    return Template(documents, parse(data, source=at), content, ledger)


def populate(database: Path, wanted: Desired) -> None:
    """Add, to a store that holds the first tuning, what every other one and every dataset needs."""
    store = Store(database)
    try:
        first = template(store)
        with store.transaction():
            for content in wanted.contents:
                _content(store, first, content)
            for number, (tuning, serving) in enumerate(zip(wanted.tunings, wanted.servings, strict=True)):
                if tuning.name != FIRST:
                    _tuning(store, first, tuning, serving, number)
    finally:
        store.close()


def _content(store: Store, first: Template, content: Content) -> None:
    bucket, _, name = content.uri.removeprefix("gs://").partition("/")
    if store.get("object", f"{bucket}/{name}") is None:
        metadata = {**first.content["metadata"], "tuneform-digest": content.digest}
        store.create("object", f"{bucket}/{name}", {**first.content, "name": name, "metadata": metadata})


def _tuning(store: Store, first: Template, tuning: Tuning, serving: Serving, number: int) -> None:
    ids = {
        "number": 1_000_000 + 4 * number,
        "job": str(2_000_000_000_000_000_000 + number),
        "model": str(3_000_000_000_000_000_000 + number),
        "deployed": str(4_000_000_000_000_000_000 + number),
    }
    labels = {**tuning.labels, **_marks(tuning)}
    job_name, job = _job(first, tuning, labels, ids)
    model_name, model = _model(first, tuning, labels, ids)
    endpoint_name, endpoint = _endpoint(first, serving, labels, ids)
    store.create("tuning-job", job_name, job)
    store.create("tuning-stats", job_name, first.documents["tuning-stats"][1])
    store.create("model", model_name, model)
    store.create("endpoint", endpoint_name, endpoint)
    record = _record(first, tuning, serving, ids)
    at = f"ledger/{record.project}/{record.name}/{record.revision}.json"
    data = dump(record)
    sums = {"crc32c": crc32c(data), "md5Hash": md5(data), "size": str(len(data))}
    ledger = {**first.ledger, **sums, "name": at, "metadata": {"tuneform-head": head(record)}}
    store.create("object", f"{ledger['bucket']}/{at}", ledger)
    store.put_blob(f"{ledger['bucket']}/{at}\n{int(ledger['generation']):020}", data)


def _marks(tuning: Tuning) -> dict[str, str]:
    return {
        "tuneform-owner": tuning.project.owner,
        "tuneform-name": tuning.name,
        "tuneform-revision": revision(tuning),
        "tuneform-attempt": "1",
    }


def _named(name: str, new: str) -> str:
    return f"{name.rpartition('/')[0]}/{new}"


def _job(first: Template, tuning: Tuning, labels: Json, ids: Mapping[str, Any]) -> tuple[str, Json]:
    name, document = first.documents["tuning-job"]
    name, document = _named(name, ids["job"]), copy.deepcopy(document)
    job = document["resource"]
    hyper = tuning.hyper_parameters
    job |= {
        "name": name,
        "baseModel": tuning.base_model,
        "labels": labels,
        "tunedModelDisplayName": tuning.name,
    }
    job["supervisedTuningSpec"]["hyperParameters"] = {
        "epochCount": str(hyper.epoch_count),
        "adapterSize": hyper.adapter_size,
        "learningRateMultiplier": hyper.learning_rate_multiplier,
    }
    job["tunedModel"]["model"] = f"{_named(first.documents['model'][0], ids['model'])}@1"
    document["number"] = ids["number"]
    return name, document


def _model(first: Template, tuning: Tuning, labels: Json, ids: Mapping[str, Any]) -> tuple[str, Json]:
    name, document = first.documents["model"]
    name, document = _named(name, ids["model"]), copy.deepcopy(document)
    google = {
        key: value for key, value in document["resource"]["labels"].items() if key.startswith("google-")
    }
    document["resource"] |= {
        "name": name,
        "displayName": tuning.name,
        "labels": {**labels, **google, "tune-type": "sft"},
    }
    document["number"] = ids["number"] + 1
    return name, document


def _endpoint(first: Template, serving: Serving, labels: Json, ids: Mapping[str, Any]) -> tuple[str, Json]:
    name, document = first.documents["endpoint"]
    name, document = _named(name, serving.name), copy.deepcopy(document)
    endpoint = document["resource"]
    own = {key: labels[key] for key in ("tuneform-owner", "tuneform-name")}
    endpoint |= {"name": name, "displayName": serving.name, "labels": {**serving.labels, **own}}
    endpoint["trafficSplit"] = {ids["deployed"]: 100}
    endpoint["deployedModels"][0] |= {
        "id": ids["deployed"],
        "model": f"{_named(first.documents['model'][0], ids['model'])}@1",
    }
    document["number"] = ids["number"] + 2
    return name, document


def _record(first: Template, tuning: Tuning, serving: Serving, ids: Mapping[str, Any]) -> Record:
    (attempt,) = first.record.attempts
    assert first.record.verdict is not None, "the first tuning has passed a gate"
    checkpoint = first.record.served
    job, model = _named(attempt.job, ids["job"]), _named(attempt.model, f"{ids['model']}@1")
    return replace(
        first.record,
        name=tuning.name,
        revision=revision(tuning),
        recipe=json.loads(json.dumps(recipe(tuning))),
        attempts=(replace(attempt, job=job, model=model),),
        verdict=replace(first.record.verdict, asked=asked(serving, _Checkpoint(checkpoint))),  # type: ignore[arg-type]
        training=tuning.training.uri,
    )


@dataclass(frozen=True)
class _Checkpoint:
    """All that a fingerprint takes of a checkpoint."""

    id: str
