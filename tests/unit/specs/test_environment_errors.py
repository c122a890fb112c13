"""What is wrong with documents of several projects is said once, where it is written, and for which of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .environments import (
    ALL,
    BUCKET,
    DATASET,
    DEV,
    JOB,
    KEY,
    MODEL,
    PROD,
    caught,
    errors,
    with_defaults,
    written,
)
from .test_positions import LAYOUTS, Layout, block

WRONG = "{hyperParameters: {epochCount: 0}}"
Found = tuple[str, str, str, tuple[str, ...]]


def said(tmp_path: Path, *texts: str, **files: str) -> list[Found]:
    return [caught(diagnostic) for diagnostic in errors(written(tmp_path, *texts, **files))]


@pytest.mark.parametrize(
    "text",
    [
        JOB + "  hyperParameters: {epochCount: 0}\n",
        JOB + "  hyperParameters:\n    epochCount: 0\nin: {dev: {hyperParameters: {epochCount: 1}}}\n",
        JOB + f"in: {{dev: {WRONG}}}\n",
        JOB + "in:\n  prod:\n    hyperParameters:\n      epochCount: 0\n",
    ],
    ids=["spec", "spec beside in", "in", "in as a block"],
)
def test_a_wrong_value_is_said_once_where_it_was_written(tmp_path: Path, text: str) -> None:
    assert said(tmp_path, DEV, PROD, BUCKET, DATASET, job=text) == [("E127", "job.yaml", "0", ())]


def test_a_wrong_value_above_defaults_is_said_once(tmp_path: Path) -> None:
    prod = with_defaults(PROD, "{TuningJob: {description: x}}")
    job = JOB.replace(", projects: [dev, prod]", "") + "  hyperParameters: {epochCount: 0, epochs: 1}\n"
    texts = [text.replace(", projects: [dev, prod]", "") for text in (BUCKET, DATASET)]
    assert said(tmp_path, prod, *texts, job) == [
        ("E127", "a.yaml", "0", ()),
        ("E123", "a.yaml", "epochs", ()),
    ]


@pytest.mark.parametrize("documents", [0, 1, 5])
def test_a_wrong_default_is_said_once_whatever_the_number_of_documents_that_take_it(
    tmp_path: Path, documents: int
) -> None:
    jobs = [JOB.replace("name: words", f"name: words-{n}") for n in range(documents)]
    prod = with_defaults(PROD, "{TuningJob: {hyperParameters: {epochCont: 1}, baseModel: 5}}")
    found = said(tmp_path, DEV, BUCKET, DATASET, *jobs, project=prod)
    assert found == [("E123", "project.yaml", "epochCont", ()), ("E125", "project.yaml", "5", ())]


def test_a_wrong_value_that_is_laid_over_everywhere_is_an_error_all_the_same(tmp_path: Path) -> None:
    over = "in: {dev: {description: a}, prod: {description: b}}\n"
    found = said(tmp_path, DEV, PROD, BUCKET, DATASET, JOB + "  description: 5\n" + over)
    assert found == [("E125", "a.yaml", "5", ())]


def test_an_error_of_one_environment_names_it(tmp_path: Path) -> None:
    """The dataset is for dev alone; what prod lacks is told with the document to send along."""
    dataset = DATASET.replace("[dev, prod]", "[dev]")
    (found,) = errors(written(tmp_path, DEV, PROD, BUCKET, JOB, data=dataset))
    assert caught(found) == ("E140", "a.yaml", "words", ("project prod",))
    assert found.hint == f"the one at {tmp_path}/data.yaml:3:18 is for dev alone: add prod to its projects"
    assert "\n   = for: project prod\n   = hint: " in found.render()


def test_one_fault_in_several_environments_is_one_error_that_names_them(tmp_path: Path) -> None:
    found = said(tmp_path, DEV, PROD, BUCKET, JOB.replace("ref: words", "ref: wrods"))
    assert found == [("E140", "a.yaml", "wrods", ("project dev", "project prod"))]


def test_a_default_that_is_wrong_for_many_documents_is_one_error_that_counts_them(tmp_path: Path) -> None:
    jobs = [JOB.replace("name: words", f"name: words-{n}") for n in range(5)]
    prod = with_defaults(PROD, "{TuningJob: {encryptionKey: {ref: tuning-key}}}")
    (found,) = errors(written(tmp_path, DEV, BUCKET, DATASET, *jobs, project=prod))
    assert caught(found)[:3] == ("E140", "project.yaml", "tuning-key")
    assert (
        "= for: TuningJob 'words-0', TuningJob 'words-1', TuningJob 'words-2' and 2 more\n" in found.render()
    )


def test_a_required_field_that_was_taken_away_is_missing_at_the_null(tmp_path: Path) -> None:
    (found,) = errors(written(tmp_path, DEV, PROD, BUCKET, DATASET, JOB + "in: {dev: {baseModel: null}}\n"))
    assert (caught(found), found.message) == (
        ("E124", "a.yaml", "null", ()),
        "missing field 'baseModel' in spec",
    )
    dev = with_defaults(DEV, "{TuningJob: {baseModel: gemini-2.5-pro}}")
    job = JOB.replace("gemini-2.5-flash", "null").replace("[dev, prod]", "[dev]")
    assert said(tmp_path, dev, PROD, BUCKET, DATASET, job) == [("E124", "a.yaml", "null", ("project dev",))]


def test_a_field_that_one_environment_lacks_is_missing_there(tmp_path: Path) -> None:
    job = JOB.replace("  baseModel: gemini-2.5-flash\n", "") + "in: {dev: {baseModel: gemini-2.5-flash}}\n"
    assert said(tmp_path, DEV, PROD, BUCKET, DATASET, job) == [("E124", "a.yaml", "spec", ("project prod",))]


def test_a_fault_of_a_mapping_from_two_places_stands_in_the_stronger_one(tmp_path: Path) -> None:
    text = DATASET + "  split: {validation: 0.6}\nin:\n  prod: {split: {test: 0.6}}\n"
    (found,) = errors(written(tmp_path, DEV, PROD, BUCKET, text))
    assert found.position is not None
    assert (found.code, found.excerpt, found.position.column) == ("E127", "  prod: {split: {test: 0.6}}", 17)


def test_a_field_that_excludes_one_of_another_layer_can_be_taken_away_there(tmp_path: Path) -> None:
    name = "projects/p/locations/europe-west4/keyRings/r/cryptoKeys/k"
    key = KEY.replace("project: prod", "projects: [dev, prod]") + f"in: {{prod: {{existing: {name}}}}}\n"
    (found,) = errors(written(tmp_path, DEV, PROD, key))
    assert caught(found) == ("E130", "a.yaml", "tuneform", ("project prod",))
    assert found.hint == "or take it away there: in: {prod: {keyRing: null}}"
    assert said(tmp_path, DEV, PROD, key.replace("{existing:", "{keyRing: null, existing:")) == []


def test_a_split_that_one_environment_gives_and_takes(tmp_path: Path) -> None:
    text = DATASET + "  split: {test: 0.1}\nin: {prod: {test: gs://b-b/test.jsonl}}\n"
    assert said(tmp_path, DEV, PROD, BUCKET, text) == [("E130", "a.yaml", "0.1", ("project prod",))]


def test_a_projects_live_names_cannot_be_shared(tmp_path: Path) -> None:
    bucket = BUCKET.replace("spec: {}", "spec: {bucketName: acme-data}")
    (found,) = errors(written(tmp_path, DEV, PROD, bucket))
    assert caught(found) == ("E152", "a.yaml", "acme-data", ("project prod",))
    assert found.message == "bucket gs://acme-data would be that of project 'dev' and of project 'prod'"
    assert found.hint == "give it another bucketName in: {prod: {bucketName: …}}"
    twin = PROD.replace("acme-prod", "acme-dev").replace("location: europe-west4", "location: us-central1")
    twin = twin.replace("owner: nlp", "owner: other")
    found = errors(
        written(tmp_path, DEV, twin, BUCKET + "in: {prod: {bucketName: x-data}}\n", DATASET, JOB, MODEL)
    )[0]
    assert (found.code, found.hint) == ("E152", "give the Projects different projectIds or servingLocations")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    data=st.sampled_from([("in", "dev"), ("in", "prod"), ("defaults", "TuningJob")]),
    layout=LAYOUTS,
    field=st.sampled_from(["epochCount", "adapterSize", "learningRateMultiplier"]),
    value=st.text("xyzé部😀", min_size=1, max_size=5).map(lambda text: f"w{text}"),
)
def test_places_are_right_in_any_layout(
    tmp_path: Path, data: tuple[str, str], layout: Layout, field: str, value: str
) -> None:
    """The caret stands under the value that was drawn, in whatever layer and layout it is written."""
    part = {"hyperParameters": {field: value}, "description": "d"}
    job, prod = JOB, PROD
    if data[0] == "in":
        job += f"in:{block({data[1]: part}, layout, int(str(layout['step'])))}"
    else:
        indented = int(str(layout["step"])) + 2
        defaults = f"  defaults:{block({data[1]: part}, layout, indented)}"
        prod = PROD.replace(
            "spec: {projectId: acme-prod, location: europe-west4, owner: nlp}\n", "spec:\n"
        ) + ("  projectId: acme-prod\n  location: europe-west4\n  owner: nlp\n" + defaults)
    text = "---\n".join([DEV, BUCKET, DATASET, job, prod]).replace("\n", str(layout["end"]))
    (tmp_path / "a.yaml").write_bytes(text.encode())
    (found,) = errors(tmp_path)
    assert found.position is not None
    caret = found.excerpt[found.position.column - 1 :][: found.length]
    assert (caret.strip("'\""), found.about) == (value, ())


def test_faults_of_the_layers_themselves_are_in_the_table_of_bad_specs() -> None:
    from .bad_specs import TABLE  # noqa: PLC0415 (what this module leaves to it)

    assert len(TABLE["environments"]) > 15
    assert ALL[0] in TABLE["environments"]["unknown project in in"].base
