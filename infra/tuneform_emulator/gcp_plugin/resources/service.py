"""gcp:projects/service:Service and gcp:projects/serviceIdentity:ServiceIdentity, over the Service Usage REST."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from typing_extensions import override

from ..rest import PluginError, segment
from ..schema_check import Problem, Shape
from .base import DELETION_POLICY, Context, Live, Properties, Resource

SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


def _flaws(inputs: Properties) -> Iterator[Problem]:
    service = inputs.get("service")
    if isinstance(service, str) and not SERVICE.fullmatch(service):
        yield Problem("service", f"'{service}' is no service name such as aiplatform.googleapis.com")


def _path(project: str, service: str) -> str:
    return f"projects/{segment(project)}/services/{segment(service)}"


class Service(Resource):
    """An enabled API. Its id is PROJECT/SERVICE; enabling one that is enabled is no error."""

    tokens = ("gcp:projects/service:Service",)
    module = "pulumi_gcp.projects"
    args = "ServiceArgs"
    supported: ClassVar[Shape] = {
        "deletionPolicy": {},
        "disableDependentServices": {},
        "disableOnDestroy": {},
        "project": {},
        "service": {},
    }
    replace_on = frozenset({"project", "service"})
    virtual: ClassVar[Properties] = {
        **DELETION_POLICY,
        "disableDependentServices": None,
        "disableOnDestroy": False,
    }

    @override
    def flaws(self, inputs: Properties) -> Iterator[Problem]:
        """A service name has dots."""
        yield from super().flaws(inputs)
        yield from _flaws(inputs)

    @override
    def create(self, inputs: Properties, context: Context) -> str:
        """Enables the API and waits until it is."""
        path = f"v1/{_path(inputs['project'], inputs['service'])}:enable"
        context.rest.finish(context.rest.call("POST", path, body={}), version="v1")
        return f"{inputs['project']}/{inputs['service']}"

    @override
    def read(self, identity: str, given: Properties, context: Context) -> Live | None:
        """The API while it is enabled; a disabled one counts as gone."""
        project, separator, service = identity.partition("/")
        if not separator:
            raise PluginError(f"'{identity}' does not name a service of a project: PROJECT/SERVICE is needed")
        live = context.rest.find(f"v1/{_path(project, service)}")
        if live is None or live.get("state") != "ENABLED":
            return None
        return Live(identity, {"project": project, "service": service}, {})

    @override
    def delete(self, identity: str, properties: Properties, context: Context) -> None:
        """Disables the API only with disableOnDestroy, which is off by default (pulumi-gcp 10)."""
        if not properties.get("disableOnDestroy"):
            return
        body = {"disableDependentServices": bool(properties.get("disableDependentServices"))}
        project, _, service = identity.partition("/")
        path = f"v1/{_path(project, service)}:disable"
        context.rest.finish(context.rest.call("POST", path, body=body), version="v1")


class ServiceIdentity(Resource):
    """The service agent of an API in a project. Its id is projects/PROJECT/services/SERVICE."""

    tokens = ("gcp:projects/serviceIdentity:ServiceIdentity",)
    module = "pulumi_gcp.projects"
    args = "ServiceIdentityArgs"
    supported: ClassVar[Shape] = {"project": {}, "service": {}}
    replace_on = frozenset({"project", "service"})
    computed = frozenset({"email", "member"})

    @override
    def flaws(self, inputs: Properties) -> Iterator[Problem]:
        """A service name has dots."""
        return _flaws(inputs)

    @override
    def create(self, inputs: Properties, context: Context) -> str:
        """Makes the agent; asking again answers the same one."""
        self._generate(inputs["project"], inputs["service"], context)
        return f"projects/{inputs['project']}/services/{inputs['service']}"

    @override
    def read(self, identity: str, given: Properties, context: Context) -> Live | None:
        """The agent. The API has no get, but generating an agent that is there changes nothing."""
        match identity.split("/") if given else []:
            case ["projects", project, "services", service]:
                pass
            case _:
                raise PluginError("gcp:projects/serviceIdentity:ServiceIdentity does not support import")
        email = self._generate(project, service, context)
        member = f"serviceAccount:{email}"
        return Live(identity, {"project": project, "service": service}, {"email": email, "member": member})

    @override
    def delete(self, identity: str, properties: Properties, context: Context) -> None:
        """Nothing: an agent cannot be deleted (real provider, same)."""

    def _generate(self, project: str, service: str, context: Context) -> str:
        path = f"v1beta1/{_path(project, service)}:generateServiceIdentity"
        operation = context.rest.call("POST", path, body={})
        identity: dict[str, Any] = context.rest.finish(operation, version="v1beta1")
        email: str = identity["email"]
        return email
