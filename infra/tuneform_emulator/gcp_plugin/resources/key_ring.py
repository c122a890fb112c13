"""gcp:kms/keyRing:KeyRing, over the Cloud KMS REST (v1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from typing_extensions import override

from ..rest import PluginError, resource_path
from ..schema_check import Problem, Shape
from .base import Context, Live, Properties, Resource, created
from .kms_names import RESOURCE_ID


class KeyRing(Resource):
    """A key ring. Its id is its full name; imported as that, PROJECT/LOCATION/NAME or LOCATION/NAME."""

    tokens = ("gcp:kms/keyRing:KeyRing",)
    module = "pulumi_gcp.kms"
    args = "KeyRingArgs"
    supported: ClassVar[Shape] = {"location": {}, "name": {}, "project": {}}
    replace_on = frozenset({"location", "name", "project"})
    name_input = "name"

    @override
    def flaws(self, inputs: Properties) -> Iterator[Problem]:
        """The API's rule for ids."""
        name = inputs.get("name")
        if isinstance(name, str) and not RESOURCE_ID.fullmatch(name):
            yield Problem(
                "name", f"'{name}' is no key ring id: 1 to 63 letters, digits, hyphens, underscores"
            )

    @override
    def create(self, inputs: Properties, context: Context) -> str:
        """Creates the key ring; it can never be deleted again."""
        parent = f"projects/{inputs['project']}/locations/{inputs['location']}"
        name = f"{parent}/keyRings/{inputs['name']}"
        path = f"v1/{resource_path(parent)}/keyRings"
        created("key ring", name, context.rest, "POST", path, query={"keyRingId": inputs["name"]}, body={})
        return name

    @override
    def read(self, identity: str, given: Properties, context: Context) -> Live | None:
        """The key ring, whose name says all there is."""
        project, location, name = _parse(identity, context.project)
        full = f"projects/{project}/locations/{location}/keyRings/{name}"
        if context.rest.find(f"v1/{resource_path(full)}") is None:
            return None
        return Live(full, {"location": location, "name": name, "project": project}, {})

    @override
    def delete(self, identity: str, properties: Properties, context: Context) -> None:
        """Nothing: as with the real provider the key ring is dropped from the state only."""


def _parse(identity: str, project: str) -> tuple[str, str, str]:
    match identity.split("/"):
        case ["projects", own, "locations", location, "keyRings", name]:
            return own, location, name
        case [own, location, name]:
            return own, location, name
        case [location, name] if project:
            return project, location, name
        case _:
            raise PluginError(
                f"'{identity}' does not name a key ring: projects/PROJECT/locations/LOCATION/keyRings/NAME is needed"
            )
