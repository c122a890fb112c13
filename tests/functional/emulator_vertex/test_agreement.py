"""What `tuneform check` accepts and what the emulator accepts is the same, each by a table of its own.

Every case is written as a spec and checked, and sent as the create call that the spec stands for to one emulator, which
queues what it accepts. Where the documents say nothing, both accept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import requests

from tuneform import capabilities
from tuneform.capabilities import Capabilities
from tuneform.entrypoints.cli.running.rows import examine_with_rows
from tuneform.specs.meaning.limits import RANKS
from tuneform_emulator.services.vertex import tuning_validation
from tuneform_emulator.services.vertex.base_models import BASE_MODELS
from tuneform_emulator.world import Settings

from .kit import PROJECT, Vertex, dataset, launch, line, upload
from .test_vertex_create_refusals import ENCRYPTER, VERTEX_AGENT, grant, kms
from .test_vertex_further import preference

KNOWN = capabilities.built_in()
MODELS = [name for name, model in KNOWN.models.items() if model.supervised.offered.value is not None]
"""Of whichever a document says whether it can be tuned."""
REGIONS = ("us-central1", "europe-west4", "asia-east1", "us-east5")
LOCATIONS = (*REGIONS, "global", "us", "eu")


@dataclass(frozen=True)
class Case:
    """One tuning job: everything that a document may rule out. `training` and `validation` count examples."""

    model: str = "gemini-2.5-flash"
    location: str = "us-central1"
    key: bool = False
    size: str = ""
    epochs: int | None = None
    training: int = 15
    validation: int = 0
    method: str = "SUPERVISED"

    @property
    def data(self) -> str:
        """The name of its training file."""
        return f"{self.training}-{self.method.lower()}.jsonl"

    def __str__(self) -> str:
        return "-".join(str(value) for value in vars(self).values() if value)


@cache
def rows(count: int) -> bytes:
    lines = dataset(count // 13 + 1).splitlines(keepends=True)[:count]
    assert len(lines) == count
    return b"".join(lines)


def preferences(count: int) -> bytes:
    return b"".join(json.dumps(preference(f"say {n}", "yes")).encode() + b"\n" for n in range(count))


PREFERRED = [name for name, model in KNOWN.models.items() if model.preference.offered.value is not None]
CASES = [
    *(Case(model, size=size) for model, size in product(MODELS, ["", *RANKS])),
    *(Case(model, location) for model, location in product(MODELS, LOCATIONS)),
    *(Case(model, location, key=True) for model, location in product(MODELS, ("us-central1", "europe-west4"))),
    *(Case(model, size=size, method="PREFERENCE_TUNING") for model, size in product(PREFERRED, ["", *RANKS])),
    *(Case(epochs=epochs) for epochs in (-1, 0, 1, 100, 2**31)),
    *(
        Case(training=training, validation=validation)
        for training, validation in (
            *((15, 1), (15, 1_000), (15, 1_001), (3_336, 1_001)),
            # 30% of 16,672 are more than 5,000, which is where it ends.
            *((3_337, 1_001), (16_672, 5_000), (16_672, 5_001)),
        )
    ),
]  # fmt: skip


@dataclass(frozen=True)
class Bench:
    """The emulator, a folder for specs, and what was made for earlier cases: keys, and files by their length."""

    vertex: Vertex
    folder: Path
    keys: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    seen: dict[str, set[bool]] = field(default_factory=dict)

    def check_accepts(self, case: Case, serving: str = "", known: Capabilities = KNOWN) -> bool:
        """What `tuneform check` says of the case's spec."""
        for name, content in files(case).items():
            if not (self.folder / name).exists():
                (self.folder / name).write_bytes(content())
        (self.folder / "a.yaml").write_text(spec(case, serving))
        _, found = examine_with_rows(self.folder, known)
        return not [one for one in found if one.severity == "error"]

    def emulator_accepts(self, case: Case) -> bool:
        """What the emulator says of the case's create call; what it accepts is cancelled again."""
        parent = f"{self.vertex.endpoint}/v1/projects/{PROJECT}/locations/{case.location}/tuningJobs"
        made = requests.post(parent, json=self.body(case), timeout=30)
        assert made.status_code in (200, 400), made.text
        if made.ok:
            name = made.json()["name"]
            requests.post(f"{self.vertex.endpoint}/v1/{name}:cancel", timeout=30).raise_for_status()
        return made.ok

    def body(self, case: Case) -> dict[str, Any]:
        """The create call."""
        hyper = {"adapterSize": case.size or None, "epochCount": case.epochs}
        method: dict[str, Any] = {"trainingDatasetUri": self.uploaded(case, case.data)}
        method["hyperParameters"] = {name: value for name, value in hyper.items() if value is not None}
        if case.validation:
            method["validationDatasetUri"] = self.uploaded(case, f"{case.validation}-supervised.jsonl")
        key = {"encryptionSpec": {"kmsKeyName": self.key(case.location)}} if case.key else {}
        return {"baseModel": case.model, SPECS[case.method]: method, **key}

    def uploaded(self, case: Case, name: str) -> str:
        """One of the case's files."""
        if name not in self.files:
            self.files[name] = upload(self.vertex.endpoint, name, files(case)[name]())
        return self.files[name]

    def key(self, location: str) -> str:
        """A key that Vertex AI may use there."""
        if location not in self.keys:
            self.keys[location] = kms(self.vertex, location, "tuning")
            grant(self.vertex, self.keys[location], ENCRYPTER, VERTEX_AGENT)
        return self.keys[location]


SPECS = {"SUPERVISED": "supervisedTuningSpec", "PREFERENCE_TUNING": "preferenceOptimizationSpec"}


def files(case: Case) -> dict[str, Callable[[], bytes]]:
    """The case's data, by the names of its files."""
    supervised = case.method == "SUPERVISED"
    found = {case.data: partial(rows if supervised else preferences, case.training)}
    if case.validation:
        found[f"{case.validation}-supervised.jsonl"] = partial(rows, case.validation)
    return dict(found)


def spec(case: Case, serving: str = "") -> str:
    """The case as specs; with a serving location, also a TunedModel."""
    job = [f"baseModel: {case.model}", "dataset: {ref: words}", f"method: {case.method}"]
    hyper = [f"adapterSize: {case.size}"] if case.size else []
    hyper += [f"epochCount: {case.epochs}"] if case.epochs is not None else []
    job += [f"hyperParameters: {{{', '.join(hyper)}}}"] if hyper else []
    job += ["encryptionKey: {ref: tuning}"] if case.key else []
    data = ["bucket: {ref: data}", f"training: {case.data}"]
    data += [f"validation: {case.validation}-supervised.jsonl"] if case.validation else []
    data += ["format: preference-jsonl"] if case.method == "PREFERENCE_TUNING" else []
    home = f"projectId: {PROJECT}, location: {case.location}, owner: us-all"
    documents = {
        "Project": ("demo", home + (f", servingLocation: {serving}" if serving else "")),
        "DatasetBucket": ("data", ""),
        "Dataset": ("words", ", ".join(data)),
        "TuningJob": ("words", ", ".join(job)),
    }
    if case.key:
        documents["EncryptionKey"] = ("tuning", "keyRing: ring")
    if serving:
        documents["TunedModel"] = ("words", "job: {ref: words}")
    return "---\n".join(
        f"apiVersion: tuneform.dev/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {{{fields}}}\n"
        for kind, (name, fields) in documents.items()
    )


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One emulator for the whole table; its queue moves on for nobody."""
    folder = tmp_path_factory.mktemp("agreement")
    (folder / "specs").mkdir()
    for vertex in launch(folder / "emulator.db", Settings(queued_seconds=3600, pending_seconds=0)):
        yield Bench(vertex, folder / "specs")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_both_accept_the_same(case: Case, bench: Bench) -> None:
    accepted = bench.check_accepts(case)
    assert bench.emulator_accepts(case) == accepted
    for name, value in vars(case).items():
        if value != getattr(Case(), name):
            bench.seen.setdefault(name, set()).add(accepted)


def test_of_each_thing_that_varies_some_was_accepted_and_some_refused(bench: Bench) -> None:
    for name in ("model", "location", "key", "size", "epochs", "validation", "method"):
        assert bench.seen[name] == {True, False}, name


def test_both_tables_say_the_same_of_every_model() -> None:
    tuned = [name for name in MODELS if KNOWN.models[name].supervised.offered.value]
    assert set(tuned) <= set(BASE_MODELS)
    assert not (set(MODELS) - set(tuned)) & set(BASE_MODELS)
    for name in tuned:
        known, emulated = KNOWN.models[name], BASE_MODELS[name]
        assert known.supervised.adapter_sizes.value == emulated.adapter_sizes
        assert set(known.tuning_locations.value or ()) == set(emulated.locations)
        assert set(known.serving_locations.value or ()) == set(emulated.serving)
        assert (known.customer_managed_keys.value is not False) == emulated.customer_managed_keys
        limits = known.supervised
        assert limits.text_examples.value == tuning_validation.MAX_EXAMPLES
        assert limits.training_file.value is not None
        assert capabilities.size_in_bytes(limits.training_file.value) == tuning_validation.MAX_FILE_BYTES


OWN = """\
[sources.test]
title = "A page of the test"
read = 2026-10-03
[models."gemini-2.5-flash"]
"""


@pytest.mark.parametrize("training", [15, 20, 21])
def test_both_count_the_examples_alike(training: int, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning_validation, "MAX_EXAMPLES", 20)
    known = own(bench, 'supervised.text_examples = { value = 20, source = "test" }\n')
    case = Case(training=training)
    assert bench.emulator_accepts(case) == bench.check_accepts(case, known=known) == (training <= 20)


@pytest.mark.parametrize("training", [15, 40])
def test_both_measure_the_file_alike(training: int, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning_validation, "MAX_FILE_BYTES", 4 * 2**10)
    known = own(bench, 'supervised.training_file = { value = "4KB", source = "test" }\n')
    case = Case(training=training)
    assert bench.emulator_accepts(case) == bench.check_accepts(case, known=known) == (training == 15)


def own(bench: Bench, cell: str) -> Capabilities:
    file = bench.folder.parent / "own.toml"
    file.write_text(OWN + cell)
    known = capabilities.read([file])
    assert known.found == ()
    return known


# From here on the queue moves on.
def test_what_check_refuses_for_its_length_the_job_drops(bench: Bench) -> None:
    long = json.dumps(line("word " * 140_000, "too long")).encode() + b"\n"
    data = rows(15) + long
    (bench.folder / Case(training=16).data).write_bytes(data)
    assert bench.check_accepts(Case(training=15))
    assert not bench.check_accepts(Case(training=16))
    bench.vertex.world.settings = Settings(queued_seconds=0, pending_seconds=0)
    bench.files[Case(training=16).data] = upload(bench.vertex.endpoint, "long.jsonl", data)
    body = bench.body(Case(training=16, epochs=1))
    job = bench.vertex.succeeded(bench.vertex.call("POST", "tuningJobs", body).json()["name"])
    stats = job["tuningDataStats"]["supervisedTuningDataStats"]
    assert (stats["tuningDatasetExampleCount"], stats["totalTruncatedExampleCount"]) == ("15", "1")
    assert stats["truncatedExampleIndices"] == ["16"]


@pytest.mark.parametrize("model", ["gemini-3.5-flash", "gemini-2.5-flash"])
def test_both_serve_a_tuned_model_from_the_same_places(model: str, bench: Bench) -> None:
    vertex = bench.vertex
    vertex.world.settings = Settings(queued_seconds=0, pending_seconds=0)
    body = bench.body(Case(model, epochs=1))
    job = vertex.succeeded(vertex.call("POST", "tuningJobs", body).json()["name"])
    home = "us" if model == "gemini-3.5-flash" else "us-central1"
    assert f"/locations/{home}/endpoints/" in job["tunedModel"]["endpoint"]
    for serving in ("us-central1", "europe-west4", "us", "eu"):
        accepted = bench.check_accepts(Case(model), serving)
        assert deploys(vertex, serving, job["tunedModel"]["model"]) == accepted, serving
        assert accepted == (serving in {"us", "eu"} or model == "gemini-2.5-flash")


def deploys(vertex: Vertex, location: str, model: str) -> bool:
    """Whether the emulator deploys a tuned model on an endpoint there."""
    parent = f"{vertex.endpoint}/v1/projects/{PROJECT}/locations/{location}/endpoints"
    made = requests.post(parent, json={"displayName": "words"}, timeout=30).json()["response"]["name"]
    body = {"deployedModel": {"model": model}, "trafficSplit": {"0": 100}}
    answer = requests.post(f"{vertex.endpoint}/v1/{made}:deployModel", json=body, timeout=30)
    assert answer.status_code in (200, 400), answer.text
    return answer.ok
