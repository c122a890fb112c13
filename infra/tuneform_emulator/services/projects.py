"""Resource Manager v1 and v3: projects and their policies.

A project springs into being when it is first named, with a number derived from its id and an empty policy.
Creating, moving and deleting projects answers 501.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from tuneform_emulator.wire import Request, Route
from tuneform_emulator.world import World

from . import iam_policy

BORN = "2024-01-01T00:00:00.000000Z"
"""When every project was created, for want of a better moment."""


def shown_v1(project_id: str, number: str) -> dict[str, Any]:
    """The project as v1 has it."""
    return {
        "projectNumber": number,
        "projectId": project_id,
        "lifecycleState": "ACTIVE",
        "name": project_id,
        "createTime": BORN,
    }


def shown_v3(project_id: str, number: str) -> dict[str, Any]:
    """The project as v3 has it."""
    return {
        "name": f"projects/{number}",
        "projectId": project_id,
        "state": "ACTIVE",
        "displayName": project_id,
        "createTime": BORN,
        "updateTime": BORN,
        "etag": f'W/"{base64.b64encode(project_id.encode()).decode()}"',
    }


def routes(world: World) -> tuple[Route, ...]:
    """get and the policy, in both versions."""

    def named(request: Request) -> tuple[str, str]:
        project = request.params["project"]
        return world.names.project_id(project), world.names.number(project)

    def get_policy(request: Request) -> Mapping[str, Any]:
        return iam_policy.read(world, f"projects/{named(request)[0]}")

    def set_policy(request: Request) -> Mapping[str, Any]:
        return iam_policy.write(world, f"projects/{named(request)[0]}", iam_policy.body_policy(request))

    def test_permissions(request: Request) -> Mapping[str, Any]:
        named(request)
        return iam_policy.permissions(request)

    found = [
        Route("GET", "/v1/projects/{project}", lambda request: shown_v1(*named(request))),
        Route("GET", "/v3/projects/{project}", lambda request: shown_v3(*named(request))),
    ]
    for version in ("v1", "v3"):
        project = f"/{version}/projects/{{project}}"
        found += [
            Route("POST", project + ":getIamPolicy", get_policy),
            Route("POST", project + ":setIamPolicy", set_policy),
            Route("POST", project + ":testIamPermissions", test_permissions),
        ]
    return tuple(found)
