from __future__ import annotations

import gc
import os
from datetime import timedelta
from pathlib import Path

import pytest

from tuneform.errors import SpecErrors
from tuneform.specs import (
    Dataset,
    DatasetBucket,
    EncryptionKey,
    Project,
    ServiceAccount,
    TunedModel,
    TuningJob,
    examine,
    load,
)

from .bad_specs import BASE, BUCKET, DATASET, JOB, MODEL, PROJECT, kind

ROOT = Path(__file__).parents[3]


def folder(path: Path, **files: str | bytes) -> Path:
    path.mkdir(exist_ok=True)
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        (path / f"{name}.yaml").write_bytes(data)
    return path


def codes(path: Path) -> list[str]:
    with pytest.raises(SpecErrors) as caught:
        load(path)
    return [diagnostic.code for diagnostic in caught.value.diagnostics]


def test_the_example_folder_loads_without_a_warning() -> None:
    tree = load(ROOT / "specs")
    assert tree.warnings == ()
    assert [job.name for job in tree.of(TuningJob)] == ["next-number", "support-intents"]
    assert {model.spec.keep for model in tree.of(TunedModel)} == {3}
    assert tree.find(TunedModel, "support-intents", "demo").spec.checkpoint == "best"


def test_documents_come_after_what_they_need_whatever_the_files_and_their_order(tmp_path: Path) -> None:
    one = load(folder(tmp_path / "one", a=BASE))
    parts = [PROJECT, BUCKET, DATASET, JOB, MODEL]
    many = load(folder(tmp_path / "many", **{f"f{9 - n}": part for n, part in enumerate(parts)}))
    names = [(document.kind, document.name) for document in one.documents]
    assert names == [(document.kind, document.name) for document in many.documents]
    assert [kind for kind, _ in names] == ["Project", "DatasetBucket", "Dataset", "TuningJob", "TunedModel"]


def test_a_single_file_is_a_tree_with_its_folder_as_root(tmp_path: Path) -> None:
    folder(tmp_path / "specs", a=BASE, b="kind: [")
    tree = load(tmp_path / "specs" / "a.yaml")
    assert (tree.root, len(tree.documents)) == (tmp_path / "specs", 5)


def test_values_have_their_types_and_unset_stays_unset(tmp_path: Path) -> None:
    more = "  hyperParameters: {epochCount: 4.0, learningRateMultiplier: 1}\n"
    more += "  limits: {maxBillableTokens: 5_000_000, timeout: 1d12h}\n"
    job = load(folder(tmp_path / "s", a=BASE.replace(JOB, JOB + more))).of(TuningJob)[0].spec
    assert (job.hyper_parameters.epoch_count, type(job.hyper_parameters.epoch_count)) == (4, int)
    assert job.hyper_parameters.learning_rate_multiplier == 1.0
    assert job.hyper_parameters.model_fields_set == {"epoch_count", "learning_rate_multiplier"}
    assert job.limits.max_billable_tokens == 5_000_000
    assert job.limits.timeout == timedelta(hours=36)
    assert job.export_last_checkpoint_only is None


def test_words_that_yaml_1_1_took_for_truth_values_are_text(tmp_path: Path) -> None:
    text = BUCKET.replace(
        "name: data", "name: data, annotations: {a: no, b: off, c: 1:30, d: 0o7, e: 2026-01-01}"
    )
    tree = load(folder(tmp_path / "s", a=PROJECT, b=text))
    assert tree.of(DatasetBucket)[0].metadata.annotations == {
        "a": "no",
        "b": "off",
        "c": "1:30",
        "d": "0o7",
        "e": "2026-01-01",
    }


def test_defaults_come_from_the_project_and_the_name(tmp_path: Path) -> None:
    text = "---\n".join(
        [
            PROJECT,
            BUCKET,
            kind("EncryptionKey", "keyRing: ring", "name: key"),
            kind("ServiceAccount", "{}", "name: runner"),
        ]
    )
    tree = load(folder(tmp_path / "s", a=text))
    project, bucket = tree.of(Project)[0].spec, tree.of(DatasetBucket)[0].spec
    key, account = tree.of(EncryptionKey)[0].spec, tree.of(ServiceAccount)[0].spec
    assert (project.serving_location, project.state_bucket) == ("us-central1", "tuneform-demo-tuneform-state")
    assert (bucket.bucket_name, bucket.location) == ("tuneform-demo-data", "us-central1")
    assert (key.key_name, key.location, key.rotation_period) == ("key", "us-central1", timedelta(days=90))
    assert account.account_id == "runner"


def test_an_existing_key_gives_its_parts(tmp_path: Path) -> None:
    name = "projects/p/locations/europe-west4/keyRings/ring/cryptoKeys/mine"
    tree = load(folder(tmp_path / "s", a=PROJECT, b=kind("EncryptionKey", f"existing: {name}", "name: key")))
    key = tree.of(EncryptionKey)[0].spec
    assert (key.existing, key.location, key.key_ring, key.key_name) == (name, "europe-west4", "ring", "mine")


def test_plain_text_is_a_file_or_a_uri_and_files_are_named_from_the_root(tmp_path: Path) -> None:
    root = folder(tmp_path / "s", a="---\n".join([PROJECT, BUCKET]))
    team = folder(
        root / "team",
        b=DATASET.replace(
            "{examples: [{input: a, output: b}]}",
            "train.csv\n  validation: gs://b-x/v.csv\n  test: {file: ../test.csv}",
        ),
    )
    (team / "train.csv").write_text("")
    (root / "test.csv").write_text("")
    spec = load(root).of(Dataset)[0].spec
    assert spec.validation is not None
    assert spec.test is not None
    assert (spec.training.file, spec.validation.uri, spec.test.file) == (
        "team/train.csv",
        "gs://b-x/v.csv",
        "test.csv",
    )


def test_a_document_knows_its_project_and_the_place_of_its_fields(tmp_path: Path) -> None:
    tree = load(folder(tmp_path / "s", a=BASE))
    job = tree.find(TuningJob, "words", "demo")
    lines = BASE.splitlines()
    place = job.at("spec", "dataset", "ref")
    assert lines[place.line - 1][place.column - 1 :].startswith("words}")
    assert tree.project_of(job).spec.project_id == "tuneform-demo"
    # What is not written is placed at what is around it.
    assert lines[job.at("spec", "limits", "timeout").line - 1] == "spec:"
    assert lines[job.source.line - 1] == "kind: TuningJob"


def test_references_stay_within_a_project_so_names_may_repeat(tmp_path: Path) -> None:
    def in_project(text: str, project: str) -> str:
        return text.replace("metadata: {name: ", f"metadata: {{project: {project}, name: ").replace(
            f"{{project: {project}, name: {project}}}", f"{{name: {project}}}"
        )

    prod = BASE.replace("demo", "prod")
    tree = load(folder(tmp_path / "s", a=in_project(BASE, "demo"), b=in_project(prod, "prod")))
    assert len(tree.documents) == 10
    assert tree.project_of(tree.find(TunedModel, "words", "prod")).spec.project_id == "tuneform-prod"


def test_an_unknown_base_model_is_a_warning(tmp_path: Path) -> None:
    tree = load(folder(tmp_path / "s", a=BASE.replace("gemini-2.5-flash", "gemini-9-flash")))
    assert [(warning.code, warning.severity) for warning in tree.warnings] == [("W101", "warning")]


def test_hidden_files_and_other_files_are_not_read(tmp_path: Path) -> None:
    root = folder(tmp_path / "s", a=BASE)
    folder(root / ".tuneform", state="kind: [")
    (root / ".hidden.yaml").write_text("kind: [")
    (root / "notes.txt").write_text("kind: [")
    assert len(load(root).documents) == 5


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    assert codes(tmp_path / "none") == ["E101"]
    assert codes(tmp_path) == ["E102"]
    assert codes(folder(tmp_path / "s", a="# nothing yet\n", b="---\n---\n")) == ["E102"]


def test_a_file_that_cannot_be_opened_or_is_huge_is_an_error(tmp_path: Path) -> None:
    root = folder(tmp_path / "s", a=BASE, b=b"#" * 1_000_001)
    (root / "c.yaml").symlink_to(root / "c.yaml.gone")
    (root / "d.yaml").mkdir()
    assert codes(root) == ["E104", "E103"]


def test_links_that_lead_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    outside = folder(tmp_path / "outside", a=BUCKET)
    (outside / "train.csv").write_text("")
    root = folder(
        tmp_path / "s",
        a=BASE,
        c=DATASET.replace("name: words", "name: x").replace("{examples: [{input: a, output: b}]}", "in.csv"),
    )
    (root / "b.yaml").symlink_to(outside / "a.yaml")
    (root / "in.csv").symlink_to(outside / "train.csv")
    (root / "team").symlink_to(outside)
    assert codes(root) == ["E115", "E151", "E115"]


def test_a_pipe_is_told_of_and_not_waited_for(tmp_path: Path) -> None:
    root = folder(tmp_path / "s", a=BASE)
    os.mkfifo(root / "b.yaml")
    assert codes(root) == ["E103"]


def test_a_ring_of_links_is_an_error(tmp_path: Path) -> None:
    root = folder(tmp_path / "s", a=BASE)
    (root / "b.yaml").symlink_to(root / "c.yaml")
    (root / "c.yaml").symlink_to(root / "b.yaml")
    assert codes(root) == ["E103", "E103"]


def test_of_two_files_the_first_in_the_order_of_paths_is_the_first(tmp_path: Path) -> None:
    root = folder(tmp_path / "s", a=BASE)
    # "-" sorts before "/", and a folder before what only begins like it.
    for name in ("t", "t-x", "t/u"):
        folder(root / name, b=BUCKET.replace("name: data", "name: more"))
    with pytest.raises(SpecErrors) as caught:
        load(root)
    found = caught.value.diagnostics
    assert [str(d.position.path.parent.relative_to(root)) for d in found if d.position] == ["t-x", "t/u"]
    assert all(str(root / "t" / "b.yaml") in d.hint for d in found)


@pytest.mark.parametrize("collecting", [True, False])
def test_loading_leaves_garbage_collection_as_it_was(tmp_path: Path, *, collecting: bool) -> None:
    was = gc.isenabled()
    try:
        (gc.enable if collecting else gc.disable)()
        load(folder(tmp_path / "s", a=BASE))
        assert gc.isenabled() == collecting
        codes(folder(tmp_path / "s", a="kind: ["))
        assert gc.isenabled() == collecting
    finally:
        (gc.enable if was else gc.disable)()


def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folder(tmp_path / "s", a=BASE)
    folder(root / "team", b=BUCKET)
    scan = os.scandir

    def closed(path: str) -> object:
        if Path(path).name == "team":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    # Tests may run as root, whom no permission stops.
    monkeypatch.setattr(os, "scandir", closed)
    assert codes(root) == ["E103"]


@pytest.mark.parametrize(
    "text",
    [
        "%YAML 3.0\n---\na: 1\n",
        "x" * 1_000_000 + ": 1\n",
        PROJECT.replace("demo}", "y" * 1_000_000 + "}"),
        JOB.replace("ref: words", "ref: " + "w" * 100_000),
        'kind: "\\e[31m\\0"\napiVersion: "\\a"\n',
        DATASET.replace("{examples: [{input: a, output: b}]}", '"\\0\\e"'),
        DATASET.replace("{examples: [{input: a, output: b}]}", "n" * 5000),
        "[" * 1_000_000,
        "{a: " * 10_000,
        "- " * 1_000_000,
        "--- {}\n" * 2000,
        "--- [\n" * 2000,
        "? " * 10_000 + "a",
        "'" + "a\n\n" * 100_000,
    ],
    ids=range(14),
)
def test_hostile_text_is_refused_in_printable_words(text: str, tmp_path: Path) -> None:
    with pytest.raises(SpecErrors) as caught:
        load(folder(tmp_path / "s", a="---\n".join([PROJECT, BUCKET]), b=text))
    words = "".join(f"{d.message}{d.hint}{d.excerpt[:100]}" for d in caught.value.diagnostics)
    assert words.replace("\n", "").isprintable()
    assert len(caught.value.render()) < 2_000_000


def test_errors_of_all_files_come_sorted_by_file_and_line(tmp_path: Path) -> None:
    root = folder(tmp_path / "s", b="kind: [\n", a=JOB + "  x: 1\n  a: 1\n", c=b"\xff")
    with pytest.raises(SpecErrors) as caught:
        load(root)
    places = [(d.position.path.name, d.position.line) for d in caught.value.diagnostics if d.position]
    assert [(path, line) for path, line in places] == [
        ("a.yaml", 7),
        ("a.yaml", 8),
        ("b.yaml", 2),
        ("c.yaml", 1),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"  k{n}: 1\n" for n in range(50_000)),
        "  limits: {}\n" * 50_000,
        "".join(f"k{n}: 1\n" for n in range(50_000)),
    ],
)
def test_of_very_many_errors_the_first_are_shown(text: str, tmp_path: Path) -> None:
    found = codes(folder(tmp_path / "s", a=BASE, b=JOB.replace("name: words", "name: x") + text))
    assert (len(found), found.count("E114")) == (201, 1)


def test_examining_tells_errors_and_keeps_the_datasets_whose_files_are_there(tmp_path: Path) -> None:
    there, gone = (
        DATASET.replace("name: words", f"name: {name}").replace("{examples: [{input: a, output: b}]}", file)
        for name, file in (("there", "rows.csv"), ("gone", "gone.csv"))
    )
    path = folder(
        tmp_path / "specs",
        all="---\n".join([PROJECT, BUCKET, there, gone, JOB.replace("TuningJob", "TunigJob")]),
    )
    (path / "rows.csv").write_text("text_input,output\na,b\n")

    tree, errors = examine(path)

    assert sorted(error.code for error in errors) == ["E121", "E150"]
    assert [document.name for document in tree.of(Dataset)] == ["there"]
