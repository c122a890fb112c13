"""Plan files: what was saved is read back; what was edited, cut off, or is about something else is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tuneform.entrypoints import resolve
from tuneform.entrypoints.cli.reconciling import planfile
from tuneform.entrypoints.cli.reconciling.scope import Scope
from tuneform.errors import SettingsError
from tuneform.reconcile.actions import Create, Wait
from tuneform.reconcile.cost import Cost
from tuneform.reconcile.desired import Project
from tuneform.reconcile.diff import Change
from tuneform.reconcile.plan import Item, Plan, TuningPlan
from tuneform.specs import Project as ProjectSpec
from tuneform.specs import load

COST = Cost("gemini-2.5-flash", 1_000, 800, 1_500, 4)
CREATE = Create("r1-bb", 1, "recipe changed", COST, (Change("change", "epochCount", 3, 4),))


@pytest.fixture
def scope(tmp_path: Path) -> Scope:
    folder = tmp_path / "specs"
    folder.mkdir()
    (folder / "project.yaml").write_text(
        "apiVersion: tuneform.dev/v1\nkind: Project\nmetadata: {name: demo}\n"
        "spec: {projectId: demo-project, location: us-central1, owner: ml-team}\n"
    )
    tree = load(folder)
    return Scope(folder, folder, tree, tree.of(ProjectSpec)[0], None)


def planned(scope: Scope, *actions: Create | Wait) -> Plan:
    item = Item("TuningJob", "intents", actions, TuningPlan("r1-bb", actions), {"jobs": {}})
    return Plan(resolve.project(scope.project), (item,))


@pytest.fixture
def saved(scope: Scope, tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    planfile.save(path, [(planned(scope, CREATE), scope)], root=tmp_path, google_cloud=False)
    return path


def only(path: Path) -> planfile.PlanFile:
    """The plan of a file that holds one."""
    (plan,) = planfile.read(path)
    return plan


def refused(path: Path) -> planfile.PlanFileError:
    with pytest.raises(planfile.PlanFileError) as caught:
        only(path)
    assert str(path) in caught.value.message
    return caught.value


def test_what_was_saved_is_read_back(saved: Path, scope: Scope, tmp_path: Path) -> None:
    read = only(saved)

    assert read.stamp == planned(scope, CREATE).stamp
    assert read.project == {"name": "demo", "projectId": "demo-project", "location": "us-central1"}
    assert read.specs_path(tmp_path) == scope.path
    assert not read.google_cloud
    assert read.items == {
        "TuningJob intents": [
            f"new revision r1-bb (recipe changed: epochCount 3 → 4): one tuning job, {COST}"
        ]
    }
    read.check_fresh(planned(scope, CREATE))


def test_the_layout_of_the_file_does_not_matter(saved: Path) -> None:
    content = json.loads(saved.read_text())
    saved.write_text(json.dumps(dict(reversed(content.items()))))

    assert only(saved).stamp == content["stamp"]


def test_every_edit_is_noticed(saved: Path) -> None:
    content = json.loads(saved.read_text())
    for name in content:
        edited = {**content, name: 0 if name == planfile.MARK else "other"}
        saved.write_text(json.dumps(edited))
        assert refused(saved).code == "E612"
        saved.write_text(json.dumps({key: value for key, value in content.items() if key != name}))
        assert refused(saved).code == ("E610" if name == planfile.MARK else "E612")


def test_a_file_that_was_cut_off_anywhere_is_refused(saved: Path) -> None:
    text = saved.read_text()
    for length in (0, 20, 40, len(text) // 2, len(text) - 3):
        saved.write_text(text[:length])
        assert refused(saved).code == "E611"


@pytest.mark.parametrize(
    "content", [b"hello", b"[]", b"{}", b"\xff\xfe", b'{"stamp": 1}', b"1", b"[" * 99999]
)
def test_another_file_is_no_plan_file(saved: Path, content: bytes) -> None:
    saved.write_bytes(content)

    assert refused(saved).code == "E610"


def test_a_newer_form_is_refused_by_version_before_anything_else_is_read(saved: Path) -> None:
    saved.write_text(json.dumps({planfile.MARK: planfile.VERSION + 1, "madeBy": "9.9", "digest": "?"}))

    error = refused(saved)

    assert error.code == "E613"
    assert "9.9" in error.message


def test_another_project_is_refused_and_the_difference_named(saved: Path, scope: Scope) -> None:
    now: Project = replace(resolve.project(scope.project), project_id="other", location="europe-west4")

    with pytest.raises(planfile.PlanFileError, match="projectId was demo-project, is other") as caught:
        only(saved).check_project(now)

    assert caught.value.code == "E614"
    assert "location was us-central1, is europe-west4" in caught.value.message


def test_a_stale_plan_is_refused_and_what_changed_is_named(saved: Path, scope: Scope) -> None:
    with pytest.raises(planfile.PlanFileError, match="waits for the job of r1-bb") as caught:
        only(saved).check_fresh(planned(scope, Wait("r1-bb", "jobs/1")))

    assert caught.value.code == "E615"
    assert "epochCount 3 → 4" in caught.value.message


def test_a_plan_that_rests_on_something_else_is_stale_though_it_says_the_same(
    saved: Path, scope: Scope
) -> None:
    now = planned(scope, CREATE)
    other = Plan(now.project, tuple(replace(item, facts={"jobs": {"jobs/9": "LIVE"}}) for item in now.items))

    with pytest.raises(planfile.PlanFileError, match="the same would be done"):
        only(saved).check_fresh(other)


def test_a_plan_file_is_known_by_not_being_yaml(saved: Path, scope: Scope) -> None:
    assert planfile.is_plan_file(saved)
    assert not planfile.is_plan_file(scope.path)
    assert not planfile.is_plan_file(scope.path / "project.yaml")
    assert not planfile.is_plan_file(scope.path / "missing.json")
    assert not planfile.is_plan_file(None)


def test_a_name_that_would_be_taken_for_specs_is_refused(scope: Scope, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="would be taken for specs"):
        planfile.save(tmp_path / "plan.yaml", [(planned(scope), scope)], root=tmp_path, google_cloud=False)


def test_a_file_that_cannot_be_written_is_an_error_and_leaves_nothing(scope: Scope, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()

    with pytest.raises(SettingsError, match="cannot be written"):
        planfile.save(tmp_path / "taken", [(planned(scope), scope)], root=tmp_path, google_cloud=False)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["specs", "taken"]


def test_a_file_of_several_projects_holds_a_plan_of_each_and_one_of_one_is_as_it_always_was(
    saved: Path, scope: Scope, tmp_path: Path
) -> None:
    one = planned(scope, CREATE)
    other = replace(one, project=replace(one.project, name="prod", project_id="prod-project"), items=())
    path = tmp_path / "both.json"

    planfile.save(path, [(one, scope), (other, scope)], root=tmp_path, google_cloud=False)

    first, second = planfile.read(path)
    assert (first.project["name"], first.stamp) == ("demo", one.stamp)
    assert (second.project["projectId"], second.stamp, dict(second.items)) == (
        "prod-project",
        other.stamp,
        {},
    )
    assert json.loads(path.read_text())[planfile.MARK] == 2
    content = json.loads(saved.read_text())
    assert (content[planfile.MARK], "projects" in content) == (1, False)
    edited = path.read_text().replace("prod-project", "demo-project")
    path.write_text(edited)
    with pytest.raises(planfile.PlanFileError, match="edited"):
        planfile.read(path)
