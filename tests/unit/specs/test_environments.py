"""One document for several projects: what each of them gets."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuneform.specs import Dataset, DatasetBucket, Document, SpecModel, TunedModel, TuningJob, load
from tuneform.specs.reference.environments import EXAMPLE
from tuneform.specs.text.documents import SpecFile

from .bad_specs import BASE
from .environments import ALL, BUCKET, DATASET, DEV, JOB, KEY, MODEL, PROD, errors, with_defaults, written

ROOT = Path(__file__).parents[3]


def job(path: Path, project: str) -> TuningJob:
    return load(path).find(TuningJob, "words", project).spec


def test_one_document_in_two_projects_makes_the_tree_of_two_copies(tmp_path: Path) -> None:
    one = load(written(tmp_path / "one", *ALL))
    copies = [
        text.replace("projects: [dev, prod]", f"project: {p}") for p in ("dev", "prod") for text in ALL[2:]
    ]
    two = load(written(tmp_path / "two", DEV, PROD, *copies))
    assert one.documents == two.documents
    assert [document.origin.values for document in one.documents] == [
        document.origin.values for document in two.documents
    ]


def test_a_folder_without_the_new_words_is_read_without_a_look_at_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked(file: SpecFile) -> object:
        raise AssertionError(f"{file.source.path} was parsed for its places")

    monkeypatch.setattr(SpecFile, "parsed", property(looked))
    assert len(load(written(tmp_path / "plain", BASE)).documents) == 5
    # Nor are several projects and defaults a reason to look.
    prod = with_defaults(PROD, "{TuningJob: {hyperParameters: {epochCount: 3}}}")
    several = written(tmp_path / "several", DEV, prod, BUCKET, DATASET, JOB + "in: {dev: {description: x}}\n")
    assert len(load(several).documents) == 8


def test_the_example_of_the_reference_gives_dev_and_prod_what_it_says(tmp_path: Path) -> None:
    folder = written(tmp_path / "specs", EXAMPLE)
    for name in ("train", "small"):
        (folder / f"{name}.csv").write_text("text_input,output\na,b\n")
    tree = load(folder)
    said = {
        project: (
            tree.find(Dataset, "intents", project).spec.training.file,
            tree.find(TuningJob, "intents", project).spec.hyper_parameters.epoch_count,
            tree.find(TuningJob, "intents", project).spec.encryption_key is not None,
            tree.find(TunedModel, "intents", project).spec.gate.exact_match is not None,
            tree.find(DatasetBucket, "data", project).spec.bucket_name,
        )
        for project in ("dev", "prod")
    }
    assert said == {
        "dev": ("small.csv", 1, False, False, "acme-dev-data"),
        "prod": ("train.csv", 4, True, True, "acme-prod-data"),
    }
    assert tree.warnings == ()


def test_the_example_is_that_of_the_decision(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "decisions" / "environments.md").read_text(encoding="utf-8")
    text = page.split("```yaml\n")[1].split("```")[0]
    decided = "---\n".join(f"apiVersion: tuneform.dev/v1\n{_block(part)}" for part in text.split("---\n"))
    folders = [written(tmp_path / name, body) for name, body in (("decision", decided), ("docs", EXAMPLE))]
    for folder in folders:
        for name in ("train", "small"):
            (folder / f"{name}.csv").write_text("text_input,output\na,b\n")
    one, two = (load(folder).documents for folder in folders)
    assert one == two


def _block(document: str) -> str:
    """A document in braces as one in lines, so that a line can stand before it."""
    if not document.startswith("{"):
        return document
    kind, rest = document.strip().removeprefix("{kind: ").removesuffix("}").split(", metadata: ")
    metadata, spec = rest.split(", spec: ")
    return f"kind: {kind}\nmetadata: {metadata}\nspec: {spec}\n"


def test_references_lead_to_the_document_of_the_same_project(tmp_path: Path) -> None:
    other = DATASET.replace("words, projects: [dev, prod]", "others, project: dev")
    tree = load(
        written(
            tmp_path,
            *ALL,
            other,
            test=MODEL.replace("words, p", "more, p").replace("job: {ref: words}", "job: {ref: more}")
            + "---\n"
            + JOB.replace("name: words", "name: more")
            + "in: {dev: {dataset: {ref: others}}}\n",
        )
    )
    assert [tree.find(TuningJob, "more", p).spec.dataset.ref for p in ("dev", "prod")] == ["others", "words"]
    order = [(document.kind, document.project, document.name) for document in tree.documents]
    assert order.index(("Dataset", "dev", "others")) < order.index(("TuningJob", "dev", "more"))


def test_defaults_are_for_their_own_project_and_below_what_the_document_says(tmp_path: Path) -> None:
    defaults = (
        "{TuningJob: {hyperParameters: {epochCount: 9, adapterSize: ADAPTER_SIZE_ONE}, description: mine}}"
    )
    over = "  hyperParameters: {epochCount: 3}\nin: {prod: {description: null}}\n"
    folder = written(
        tmp_path, with_defaults(DEV, defaults), with_defaults(PROD, defaults), BUCKET, DATASET, JOB + over
    )
    for project, description in (("dev", "mine"), ("prod", "")):
        made = job(folder, project)
        assert (made.hyper_parameters.epoch_count, made.hyper_parameters.adapter_size) == (
            3,
            "ADAPTER_SIZE_ONE",
        )
        assert made.description == description
    alone = written(tmp_path / "alone", DEV, with_defaults(PROD, defaults), BUCKET, DATASET, JOB)
    assert (job(alone, "dev").description, job(alone, "prod").description) == ("", "mine")


def test_defaults_hold_for_documents_that_name_no_project_or_one(tmp_path: Path) -> None:
    project = with_defaults(PROD, "{TuningJob: {description: mine}}")
    texts = [text.replace(", projects: [dev, prod]", "") for text in (BUCKET, DATASET, JOB)]
    assert job(written(tmp_path / "none", project, *texts), "prod").description == "mine"
    texts = [text.replace("projects: [dev, prod]", "project: prod") for text in (BUCKET, DATASET, JOB)]
    assert job(written(tmp_path / "one", project, DEV, *texts), "prod").description == "mine"


def test_a_required_field_may_come_from_the_defaults_alone_or_from_in(tmp_path: Path) -> None:
    bare = JOB.replace("  baseModel: gemini-2.5-flash\n", "")
    defaults = "{TuningJob: {baseModel: gemini-2.5-pro}}"
    folder = written(
        tmp_path,
        DEV,
        with_defaults(PROD, defaults),
        BUCKET,
        DATASET,
        bare + "in: {dev: {baseModel: gemini-2.5-flash}}\n",
    )
    assert [job(folder, project).base_model for project in ("dev", "prod")] == [
        "gemini-2.5-flash",
        "gemini-2.5-pro",
    ]


def test_a_new_project_gets_no_documents_until_they_list_it(tmp_path: Path) -> None:
    test = PROD.replace("prod", "test")
    tree = load(written(tmp_path, *ALL, test))
    assert {document.kind for document in tree.documents if document.project == "test"} == {"Project"}


def test_a_data_file_is_looked_for_beside_the_file_that_names_it(tmp_path: Path) -> None:
    inline = "  training: {examples: [{input: a, output: b}]}\n"
    dataset = DATASET.replace(inline, "") + "in: {dev: {training: dev.csv}}\n"
    written(tmp_path, DEV, BUCKET)
    written(tmp_path / "team", dataset)
    written(tmp_path / "prod", with_defaults(PROD, "{Dataset: {training: prod.csv}}"))
    (tmp_path / "team" / "dev.csv").write_text("")
    (tmp_path / "prod" / "prod.csv").write_text("")
    tree = load(tmp_path)
    files = [tree.find(Dataset, "words", project).spec.training.file for project in ("dev", "prod")]
    assert files == ["team/dev.csv", "prod/prod.csv"]


def test_previous_names_join_a_tuning_per_environment_into_one(tmp_path: Path) -> None:
    renamed = JOB.replace("name: words", "name: words, previousNames: [words-dev, words-prod]")
    assert job(written(tmp_path, DEV, PROD, BUCKET, DATASET, renamed), "prod").base_model


def test_moving_a_value_from_in_to_spec_leaves_that_project_as_it_was(tmp_path: Path) -> None:
    """Promotion is an edit: dev plans nothing, since nothing about it is different."""
    before = written(
        tmp_path / "before", *ALL[:-2], JOB + "in: {dev: {hyperParameters: {epochCount: 2}}}\n", MODEL
    )
    after = written(tmp_path / "after", *ALL[:-2], JOB + "  hyperParameters: {epochCount: 2}\n", MODEL)

    def of(path: Path, project: str) -> list[Document[SpecModel]]:
        return [document for document in load(path).documents if document.project == project]

    assert of(before, "dev") == of(after, "dev")
    assert of(before, "prod") != of(after, "prod")


def _several() -> Iterator[str]:
    prod = with_defaults(PROD, "{TuningJob: {encryptionKey: {ref: tuning-key}}, Dataset: {task: chat}}")
    yield from (DEV, prod, KEY, BUCKET, DATASET, MODEL + "in: {dev: {keep: 1}, prod: {keep: 3}}\n")
    yield JOB + "in: {dev: {hyperParameters: {epochCount: 1}}}\n"


def test_the_order_of_files_and_documents_does_not_change_the_outcome(tmp_path: Path) -> None:
    texts = list(_several())
    expected = load(written(tmp_path / "all", *texts)).documents
    for number, order in enumerate(itertools.islice(itertools.permutations(texts), 0, 5040, 210)):
        names = dict(zip("gfedcba", order, strict=True)) if number % 2 else {}
        assert load(written(tmp_path / str(number), *(() if names else order), **names)).documents == expected


TEXT = "".join(text + "---\n" for text in _several())
LINES = [*TEXT.splitlines(keepends=True), "in:\n", "  dev: {training: null}\n", "in: [dev]\n", "  prod:\n"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=2000, max_examples=60)
@given(st.lists(st.sampled_from(LINES), max_size=40), st.permutations(list(_several())), st.data())
def test_any_text_with_the_new_words_ends_in_a_tree_or_in_errors_with_places(
    tmp_path: Path, lines: list[str], documents: list[str], data: st.DataObject
) -> None:
    text = "".join(lines)
    if data.draw(st.booleans()):
        whole = "---\n".join(documents)
        drop = data.draw(st.integers(0, len(whole) - 1))
        text = whole[:drop] + whole[drop + data.draw(st.integers(0, 30)) :]
    found = errors(written(tmp_path, text))
    assert all(
        diagnostic.position and diagnostic.render() for diagnostic in found if diagnostic.code != "E102"
    )
