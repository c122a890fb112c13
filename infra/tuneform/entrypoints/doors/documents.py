"""The documents of a tree as the rules of policies see them: defaults filled in, references followed, data and cost.

`object` is what is written, in the words of the language: fields that are not set are left out, durations are seconds
("7776000s", which CEL's duration() reads). What a reference leads to is said beside it, by FOLLOWED in
`specs.meaning.policies`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, Literal

from tuneform import specs
from tuneform.capabilities.prices import PriceTable
from tuneform.datasets import Prepared, Split
from tuneform.entrypoints import inputs
from tuneform.policy import Subject
from tuneform.reconcile.cost import Cost
from tuneform.reconcile.desired import Content, Desired
from tuneform.specs.kinds import SpecModel
from tuneform.specs.lineage import base_model, parents
from tuneform.specs.tree import Document

Part = Mapping[str, Any]
"""What is known of one split: examples, tokens, tokensLow, tokensHigh (left out where no upper end is known)."""
Facts = Mapping[tuple[str, str], Mapping[str, Part]]
"""The splits of datasets that were read, by project and name of the Dataset."""

SPLITS: tuple[Literal["training", "validation", "test"], ...] = ("training", "validation", "test")
_COUNTS = ("examples", "tokens", "tokensLow", "tokensHigh")


def facts_of(prepared: Prepared) -> dict[str, Part]:
    """What a dataset that was read says of itself."""
    splits = {"training": prepared.training, "validation": prepared.validation, "test": prepared.test}
    return {name: _split(split) for name, split in splits.items() if split is not None}


def _split(split: Split) -> Part:
    low, high = split.token_bounds
    return _part(split.examples, split.tokens, low, high)


def _part(examples: int, tokens: int, low: int, high: int | None) -> Part:
    known = {"examples": examples, "tokens": tokens, "tokensLow": low}
    return known if high is None else {**known, "tokensHigh": high}


def facts_of_desired(tree: specs.Tree, desired: Desired) -> dict[tuple[str, str], dict[str, Part]]:
    """The same of the datasets that a plan has read, for one project."""
    found: dict[tuple[str, str], dict[str, Part]] = {}
    project = desired.project.name
    datasets: dict[str, str] = {}
    for tuning in desired.tunings:
        document = tree.find(specs.TuningJob, tuning.name, project)
        datasets[tuning.name] = document.spec.dataset.ref
        splits = {"training": tuning.training, "validation": tuning.validation}
        found.setdefault((project, document.spec.dataset.ref), {}).update(_contents(splits))
    for serving in desired.servings:
        if serving.tuning in datasets:
            found[project, datasets[serving.tuning]].update(_contents({"test": serving.test}))
    return found


def _contents(splits: Mapping[str, Content | None]) -> dict[str, Part]:
    return {
        name: _part(content.examples, content.tokens, content.tokens_low, content.tokens_high)
        for name, content in splits.items()
        if content is not None
    }


@dataclass(frozen=True)
class Documents:
    """A tree with what is known of its datasets, and of prices."""

    tree: specs.Tree
    facts: Facts
    prices: PriceTable

    def subjects(
        self, part: Callable[[Document[Any]], bool] | None = None
    ) -> Iterator[tuple[Document[SpecModel], Subject]]:
        """Every document that rules can be about, with what they see of it."""
        projects = {document.name: project_values(document) for document in self.tree.of(specs.Project)}
        for document in self.tree.documents:
            if document.kind != "Policy" and (part is None or part(document)):
                yield document, self._subject(document, projects[document.project])

    def _subject(self, document: Document[SpecModel], project: Mapping[str, Any]) -> Subject:
        labels = {**project.get("labels", {}), **document.metadata.labels}
        thing = {
            "kind": document.kind,
            "metadata": {
                "name": document.name,
                "project": document.project,
                "labels": labels,
                "annotations": dict(document.metadata.annotations),
            },
            "spec": {**written(document.spec), **self._followed(document)},
        }
        data, unknown = self._data(document)
        cost: Mapping[str, Any] = {}
        if isinstance(document.spec, specs.TuningJob):
            cost, unknown = self._cost(document.spec, document.project, data, unknown)
        return Subject(thing, project, data, cost, unknown)

    def _followed(self, document: Document[Any]) -> dict[str, Any]:
        """What the references of a document lead to."""
        tree, spec, project = self.tree, document.spec, document.project
        match spec:
            case specs.TuningJob():
                dataset = tree.find(specs.Dataset, spec.dataset.ref, project).spec
                found: dict[str, Any] = {
                    "dataset": {"ref": spec.dataset.ref, "task": dataset.task, "format": dataset.format}
                }
                if spec.encryption_key:
                    found["encryptionKey"] = self._key(spec.encryption_key.ref, project)
                if spec.service_account:
                    account = tree.find(specs.ServiceAccount, spec.service_account.ref, project)
                    email = inputs.account_email(tree, account)
                    found["serviceAccount"] = {"ref": spec.service_account.ref, "email": email}
                if spec.pre_tuned_model:
                    base = base_model(spec, parents(tree, project)) or ""
                    found["preTunedModel"] = {**written(spec.pre_tuned_model), "baseModel": base}
                return found
            case specs.TunedModel():
                job = tree.find(specs.TuningJob, spec.job.ref, project).spec
                base = base_model(job, parents(tree, project)) or ""
                return {"job": {"ref": spec.job.ref, "baseModel": base, "method": job.method}}
            case specs.DatasetBucket() if spec.encryption_key:
                return {"encryptionKey": self._key(spec.encryption_key.ref, project)}
            case specs.Dataset():
                bucket = tree.find(specs.DatasetBucket, spec.bucket.ref, project).spec.bucket_name
                return {"bucket": {"ref": spec.bucket.ref, "bucketName": bucket}}
            case specs.EncryptionKey():
                return key_parts(inputs.key_name(tree, document), location=False)
            case specs.ServiceAccount():
                return {"email": inputs.account_email(tree, document)}
            case _:
                return {}

    def _key(self, ref: str, project: str) -> dict[str, Any]:
        key = self.tree.find(specs.EncryptionKey, ref, project)
        return {"ref": ref, **key_parts(inputs.key_name(self.tree, key))}

    def _data(self, document: Document[Any]) -> tuple[Mapping[str, Part], frozenset[str]]:
        """The splits of the dataset behind a document, and which counts are not known."""
        dataset = self._dataset(document)
        if dataset is None:
            return {}, frozenset()
        there: list[str] = [name for name in SPLITS if name == "training" or inputs.has_split(dataset, name)]
        known = self.facts.get((dataset.project, dataset.name), {})
        data = {name: known.get(name, {}) for name in there}
        missing = [name for name in there if name not in known]
        return data, frozenset(f"data.{name}.{count}" for name in missing for count in _COUNTS)

    def _dataset(self, document: Document[Any]) -> Document[specs.Dataset] | None:
        match document.spec:
            case specs.Dataset():
                return document
            case specs.TuningJob():
                return self.tree.find(specs.Dataset, document.spec.dataset.ref, document.project)
            case specs.TunedModel():
                job = self.tree.find(specs.TuningJob, document.spec.job.ref, document.project)
                return self.tree.find(specs.Dataset, job.spec.dataset.ref, document.project)
            case _:
                return None

    def _cost(
        self, job: specs.TuningJob, project: str, data: Mapping[str, Part], unknown: frozenset[str]
    ) -> tuple[Mapping[str, Any], frozenset[str]]:
        """What a new job would bill, by the estimate: tokens, and money where there is a price."""
        training = data.get("training", {})
        if not training:
            return {}, unknown | {"cost"}
        base = base_model(job, parents(self.tree, project)) or ""
        cost = Cost(
            model=base,
            tokens=training["tokens"],
            low=training["tokensLow"],
            high=training.get("tokensHigh"),
            epochs=job.hyper_parameters.epoch_count,
            price=self.prices.find(base),
        )
        return cost_values(cost), unknown


def cost_values(cost: Cost) -> dict[str, Any]:
    """A cost as rules see it; what is not known is left out."""
    money = {"amount": cost.money(cost.billed), "low": cost.money(cost.least), "high": cost.money(cost.most)}
    values: dict[str, Any] = {
        "tokens": cost.billed,
        "tokensLow": cost.least,
        "tokensHigh": cost.most,
        "epochs": cost.epochs,
        "currency": cost.price.currency if cost.price else None,
        **{name: float(one.amount) for name, one in money.items() if one is not None},
    }
    return {name: value for name, value in values.items() if value is not None}


def key_parts(name: str, *, location: bool = True) -> dict[str, str]:
    """The full name of a key, the project that it lies in, and its location."""
    parts = name.split("/")
    found = {"name": name, "projectId": parts[1]}
    return {**found, "location": parts[3]} if location else found


def project_values(document: Document[specs.Project]) -> dict[str, Any]:
    """What rules see as `project`."""
    spec = written(document.spec)
    del spec["defaults"]
    return {"name": document.name, **spec}


def written(model: SpecModel) -> dict[str, Any]:
    """The fields of a model by their names in YAML; what is not set is left out."""
    names = _names(type(model))
    return {
        names[attribute]: value if type(value) in _AS_THEY_ARE else plain(value)
        for attribute, value in model.__dict__.items()
        if value is not None
    }


_AS_THEY_ARE = frozenset({str, int, bool, float})


@cache
def _names(model: type[SpecModel]) -> Mapping[str, str]:
    """The fields of a model by their names in Python, with those in YAML."""
    return {name: info.alias or name for name, info in model.model_fields.items()}


def plain(value: Any) -> Any:
    """A value as rules see it: fields of models by their names in YAML, lists for tuples, durations in seconds."""
    match value:
        case SpecModel():
            return written(value)
        case timedelta():
            return f"{int(value.total_seconds())}s"
        case list() | tuple():
            return [plain(one) for one in value]
        case dict():
            return {name: plain(one) for name, one in value.items()}
        case _:
            return value
