"""The names of Cloud KMS keys, which pulumi-gcp accepts in three forms."""

from __future__ import annotations

import re

from ..rest import PluginError

RESOURCE_ID = re.compile(r"[a-zA-Z0-9_-]{1,63}")


def key_name(identity: str, project: str) -> str:
    """A key's full name from it, PROJECT/LOCATION/RING/KEY or LOCATION/RING/KEY; raises `PluginError`."""
    match identity.split("/"):
        case ["projects", own, "locations", location, "keyRings", ring, "cryptoKeys", key]:
            pass
        case [own, location, ring, key]:
            pass
        case [location, ring, key] if project:
            own = project
        case _:
            raise PluginError(
                f"'{identity}' does not name a key: "
                "projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY is needed"
            )
    return f"projects/{own}/locations/{location}/keyRings/{ring}/cryptoKeys/{key}"
