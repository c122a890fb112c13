"""Which documents a path means, and whether they are all that a project has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneform.entrypoints.cli.reconciling.scope import Scope, refuse_part, scope, scopes
from tuneform.entrypoints.cli.settings import Settings
from tuneform.errors import SettingsError, SpecErrors
from tuneform.specs import TuningJob, load

HEAD = "apiVersion: tuneform.dev/v1\n"


def project(name: str) -> str:
    return (
        f"{HEAD}kind: Project\nmetadata: {{name: {name}}}\n"
        f"spec: {{projectId: {name}-project, location: us-central1, owner: team}}\n"
    )


def tuning(name: str, more: str = "") -> str:
    return (
        f"{HEAD}kind: Dataset\nmetadata: {{name: {name}{more}}}\n"
        "spec: {bucket: {ref: data}, training: {examples: [{input: a, output: b}]}}\n---\n"
        f"{HEAD}kind: TuningJob\nmetadata: {{name: {name}{more}}}\n"
        f"spec: {{baseModel: gemini-2.5-flash, dataset: {{ref: {name}}}}}\n"
    )


def bucket(more: str = "") -> str:
    return f"{HEAD}kind: DatasetBucket\nmetadata: {{name: data{more}}}\nspec: {{}}\n"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    specs = tmp_path / "specs"
    (specs / "more").mkdir(parents=True)
    (specs / "project.yaml").write_text(f"{project('demo')}---\n{bucket()}")
    (specs / "one.yaml").write_text(tuning("one"))
    (specs / "more" / "two.yaml").write_text(tuning("two"))
    (tmp_path / "tuneform.toml").write_text("")
    return Settings.here()


def asked(found: Scope) -> list[str]:
    part = found.part or (lambda _: True)
    return sorted(f"{d.kind} {d.name}" for d in found.tree.documents if part(d))


def test_the_folder_of_the_project_is_all_there_is(settings: Settings) -> None:
    found = scope(settings, None)

    assert found.part is None
    assert len(asked(found)) == 6
    assert found.project.name == "demo"


def test_a_file_is_a_part_also_where_its_project_is_written_elsewhere(settings: Settings) -> None:
    assert asked(scope(settings, Path("specs/one.yaml"))) == ["Dataset one", "TuningJob one"]


def test_a_folder_without_its_project_is_a_part(settings: Settings) -> None:
    assert asked(scope(settings, Path("specs/more"))) == ["Dataset two", "TuningJob two"]


def test_the_file_of_the_project_is_a_part_too(settings: Settings) -> None:
    found = scope(settings, Path("specs/project.yaml"))

    assert asked(found) == ["DatasetBucket data", "Project demo"]


def test_a_file_outside_of_the_default_folder_belongs_to_the_folder_around_it(
    settings: Settings, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "project.yaml").write_text(f"{project('other')}---\n{bucket()}")
    (other / "three.yaml").write_text(tuning("three"))

    found = scope(settings, Path("other/three.yaml"))

    assert found.project.name == "other"
    assert asked(found) == ["Dataset three", "TuningJob three"]
    assert scope(settings, Path("other")).part is None


def test_a_file_may_want_the_defaults_of_a_project_that_is_written_elsewhere(settings: Settings) -> None:
    text = project("demo").replace(
        "owner: team", "owner: team, defaults: {TuningJob: {description: x, baseModel: b}}"
    )
    Path("specs/project.yaml").write_text(f"{text}---\n{bucket()}")
    bare = tuning("one", ", projects: [demo]").replace("baseModel: gemini-2.5-flash, ", "")
    Path("specs/one.yaml").write_text(f"{bare}in: {{demo: {{description: null}}}}\n")

    found = scope(settings, Path("specs/one.yaml"))

    assert asked(found) == ["Dataset one", "TuningJob one"]
    assert found.tree.find(TuningJob, "one", "demo").spec.base_model == "b"


def test_a_folder_with_its_project_is_a_part_while_documents_elsewhere_are_for_it(settings: Settings) -> None:
    """All else of the project would count as removed."""
    both = ", projects: [demo, prod]"
    Path("specs/project.yaml").write_text(f"{project('demo')}---\n{bucket(both)}")
    Path("specs/one.yaml").write_text(tuning("one", both))
    (folder := Path("specs/more")).joinpath("two.yaml").write_text(project("prod"))

    found = scope(settings, folder, "prod")
    assert (asked(found), found.part is None) == (["Project prod"], False)
    with pytest.raises(SettingsError) as caught:
        refuse_part(settings, folder, load(folder))
    assert caught.value.message == (
        "specs/more is not all of Project 'prod': DatasetBucket 'data' at specs/project.yaml:7:7 would be taken for "
        "removed"
    )
    assert caught.value.remedy == "name specs, with --project prod"

    Path("specs/project.yaml").write_text(f"{project('demo')}---\n{bucket(', project: demo')}")
    Path("specs/one.yaml").write_text(tuning("one", ", project: demo"))
    assert scope(settings, folder).part is None
    refuse_part(settings, folder, load(folder))


def test_faults_of_a_part_are_told(settings: Settings) -> None:
    Path("specs/one.yaml").write_text(tuning("one").replace("baseModel", "baseModle"))

    with pytest.raises(SpecErrors, match="baseModle"):
        scope(settings, Path("specs/one.yaml"))


def test_of_several_projects_one_is_named(settings: Settings) -> None:
    Path("specs/project.yaml").write_text(
        f"{project('demo')}---\n{project('prod')}---\n{bucket(', project: demo')}"
    )
    Path("specs/one.yaml").write_text(tuning("one", ", project: demo"))
    Path("specs/more/two.yaml").unlink()

    with pytest.raises(SettingsError, match="holds 2 projects: demo, prod") as caught:
        scope(settings, None)

    assert "--project" in caught.value.remedy
    assert scope(settings, None, "prod").project.name == "prod"
    assert [one.project.name for one in scopes(settings, None)] == ["demo", "prod"]
    assert [one.project.name for one in scopes(settings, None, "prod")] == ["prod"]
    # A part is about the projects that have something there.
    assert [one.project.name for one in scopes(settings, Path("specs/one.yaml"))] == ["demo"]


def test_a_project_that_is_not_there_is_refused(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="there is no Project 'dmo'"):
        scope(settings, None, "dmo")


def test_the_place_of_a_document_is_its_line(settings: Settings) -> None:
    found = scope(settings, None)

    assert found.place("TuningJob", "one") == "specs/one.yaml:7"
    assert found.place("TuningJob", "gone") == ""
    assert found.place("Infrastructure", "bucket data") == ""


def test_several_projects_are_read_by_name_or_the_one_that_is_named(settings: Settings) -> None:
    (found,) = scopes(settings, None)
    assert (found.project.name, found.part) == ("demo", None)

    specs = Path("specs")
    (specs / "project.yaml").write_text(f"{project('demo')}---\n{bucket(', project: demo')}")
    (specs / "one.yaml").write_text(tuning("one", ", project: demo"))
    (specs / "more" / "two.yaml").write_text(
        f"{project('annex')}---\n{bucket(', project: annex')}---\n{tuning('two', ', project: annex')}"
    )
    assert [one.project.name for one in scopes(settings, None)] == ["annex", "demo"]
    assert [one.project.name for one in scopes(settings, None, "annex")] == ["annex"]
    assert [one.project.name for one in scopes(settings, specs / "one.yaml")] == ["demo"]
    with pytest.raises(SettingsError, match="there is no Project 'shop'"):
        scopes(settings, None, "shop")
