"""Projects by number, and the invokes that tell about projects."""

from __future__ import annotations

from typing import Any

from ..rest import PluginError, Rest, segment
from .base import Context, Properties


def project_id(number: str, rest: Rest) -> str:
    """The id of a project known by its number; raises `PluginError` for an unknown one."""
    project: str = rest.call("GET", f"v1/projects/{segment(number)}")["projectId"]
    return project


def get_project(args: Properties, context: Context) -> dict[str, Any]:
    """gcp:organizations/getProject:getProject."""
    wanted = _project(args.get("projectId"), context)
    found = context.rest.call("GET", f"v1/projects/{segment(wanted)}")
    parent = found.get("parent", {})
    labels = found.get("labels", {})
    return {
        "autoCreateNetwork": True,
        "billingAccount": "",
        "deletionPolicy": "PREVENT",
        "effectiveLabels": labels,
        "folderId": parent.get("id", "") if parent.get("type") == "folder" else "",
        "id": f"projects/{found['projectId']}",
        "labels": labels,
        "name": found.get("name", found["projectId"]),
        "number": str(found["projectNumber"]),
        "orgId": parent.get("id", "") if parent.get("type") == "organization" else "",
        "projectId": found["projectId"],
        "pulumiLabels": labels,
        "tags": {},
    }


def get_storage_account(args: Properties, context: Context) -> dict[str, Any]:
    """gcp:storage/getProjectServiceAccount:getProjectServiceAccount; the agent is made by the call."""
    project = _project(args.get("project"), context)
    query = {"userProject": args["userProject"]} if args.get("userProject") else None
    path = f"storage/v1/projects/{segment(project)}/serviceAccount"
    email = context.rest.call("GET", path, query=query)["email_address"]
    return {
        "emailAddress": email,
        "id": email,
        "member": f"serviceAccount:{email}",
        "project": project,
        "userProject": args.get("userProject"),
    }


def _project(given: Any, context: Context) -> str:
    project = given or context.project
    if not project:
        raise PluginError("no project: give one here or set gcp:project")
    return str(project)
