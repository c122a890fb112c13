"""Folders, and projects in them, by the official clients."""

from __future__ import annotations

import pytest
from google.api_core import exceptions
from google.cloud import resourcemanager_v3 as manager
from tests.functional.emulators import Emulator


@pytest.fixture
def folders(emulator: Emulator) -> manager.FoldersClient:
    client = manager.FoldersClient(
        credentials=emulator.projects().transport._credentials,
        transport="rest",
        client_options=emulator.options(),
    )
    emulator.clients.callback(client.transport.close)
    return client


def folder(client: manager.FoldersClient, name: str, parent: str) -> str:
    return str(client.create_folder(folder=manager.Folder(display_name=name, parent=parent)).result().name)


def project(client: manager.ProjectsClient, project_id: str, parent: str) -> manager.Project:
    made = manager.Project(project_id=project_id, parent=parent, labels={"team": "web"})
    return client.create_project(project=made).result()


def test_folders_are_made_listed_and_searched(emulator: Emulator, folders: manager.FoldersClient) -> None:
    root = folder(folders, "root", "organizations/42")
    inner = [folder(folders, name, root) for name in ("a", "b", "c")]
    other = folder(folders, "other", "organizations/42")

    found = folders.get_folder(name=inner[0])
    assert (found.display_name, found.parent, found.state.name) == ("a", root, "ACTIVE")
    request = manager.ListFoldersRequest(parent=root, page_size=2)
    assert [one.name for one in folders.list_folders(request)] == inner
    assert [one.name for one in folders.list_folders(parent="organizations/42")] == [root, other]
    assert [one.name for one in folders.search_folders(query=f"parent={root} AND state=ACTIVE")] == inner
    with pytest.raises(exceptions.Forbidden):
        folders.get_folder(name="folders/1")
    with pytest.raises(exceptions.Forbidden):
        list(folders.list_folders(parent="folders/1"))
    with pytest.raises(exceptions.BadRequest, match="organizations/NUMBER"):
        folder(folders, "x", "projects/1")
    with pytest.raises(exceptions.MethodNotImplemented, match="displayName"):
        list(folders.search_folders(query="displayName=x"))


def test_projects_lie_in_folders(emulator: Emulator, folders: manager.FoldersClient) -> None:
    projects = emulator.projects()
    root = folder(folders, "root", "organizations/42")
    made = project(projects, "acme-prod", root)
    project(projects, "acme-lab", "organizations/42")

    found = projects.get_project(name="projects/acme-prod")
    assert (found.name, found.parent, dict(found.labels)) == (made.name, root, {"team": "web"})
    assert [one.project_id for one in projects.list_projects(parent=root)] == ["acme-prod"]
    assert [one.project_id for one in projects.search_projects(query=f"parent:{root}")] == ["acme-prod"]
    with pytest.raises(exceptions.Conflict):
        project(projects, "acme-prod", root)
    with pytest.raises(exceptions.Forbidden):
        project(projects, "acme-new", "folders/1")
    answer = emulator.call("POST", "/v3/projects", json={"projectId": "acme-new", "tags": {"a": "b"}})
    assert (answer.status_code, "tags" in answer.text) == (501, True)


def test_nothing_works_in_a_project_that_was_deleted(
    emulator: Emulator, folders: manager.FoldersClient
) -> None:
    projects = emulator.projects()
    root = folder(folders, "root", "organizations/42")
    number = project(projects, "acme-gone", root).name
    gone = projects.delete_project(name="projects/acme-gone").result()

    assert gone.state.name == "DELETE_REQUESTED"
    assert projects.get_project(name=number).state.name == "DELETE_REQUESTED"
    assert list(projects.list_projects(parent=root)) == []
    request = manager.ListProjectsRequest(parent=root, show_deleted=True)
    assert [one.project_id for one in projects.list_projects(request)] == ["acme-gone"]
    assert emulator.call("GET", "/v1/projects/acme-gone/locations/us-central1/models").status_code == 403
    assert emulator.call("GET", f"/v1/{number}/locations/us-central1/models").status_code == 403
    with pytest.raises(exceptions.BadRequest):
        projects.delete_project(name="projects/acme-gone")
