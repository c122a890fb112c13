"""gcp:kms/cryptoKey:CryptoKey, over the Cloud KMS REST (v1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from typing_extensions import override

from ..rest import Rest, resource_path
from ..schema_check import Problem, Shape
from .base import (
    DELETION_POLICY,
    Context,
    Live,
    Properties,
    Resource,
    created,
    label_changes,
    label_outputs,
    user_labels,
)
from .kms_names import RESOURCE_ID, key_name

ROTATION = re.compile(r"(\d+(?:\.\d{1,9})?)s")
SHORTEST_ROTATION_SECONDS = 86400
GONE = ("DESTROYED", "DESTROY_SCHEDULED")


class CryptoKey(Resource):
    """A key. Its id is its full name; imported as that, PROJECT/LOCATION/RING/NAME or LOCATION/RING/NAME."""

    tokens = ("gcp:kms/cryptoKey:CryptoKey",)
    module = "pulumi_gcp.kms"
    args = "CryptoKeyArgs"
    supported: ClassVar[Shape] = {
        "deletionPolicy": {},
        "destroyScheduledDuration": {},
        "keyRing": {},
        "labels": {},
        "name": {},
        "purpose": {},
        "rotationPeriod": {},
        "skipInitialVersionCreation": {},
        "versionTemplate": {"algorithm": {}, "protectionLevel": {}},
    }
    replace_on = frozenset(
        {"destroyScheduledDuration", "keyRing", "name", "purpose", "skipInitialVersionCreation"}
    )
    keeps = frozenset({"destroyScheduledDuration", "versionTemplate"})
    virtual: ClassVar[Properties] = {**DELETION_POLICY, "skipInitialVersionCreation": False}
    computed = frozenset({"effectiveLabels", "primaries", "pulumiLabels"})
    name_input = "name"

    @override
    def defaults(self, context: Context) -> dict[str, Any]:
        """The purpose that encrypts and decrypts."""
        return {"purpose": "ENCRYPT_DECRYPT"}

    @override
    def flaws(self, inputs: Properties) -> Iterator[Problem]:
        """The API's rules for ids and rotation."""
        yield from super().flaws(inputs)
        name = inputs.get("name")
        if isinstance(name, str) and not RESOURCE_ID.fullmatch(name):
            yield Problem("name", f"'{name}' is no key id: 1 to 63 letters, digits, hyphens, underscores")
        period = inputs.get("rotationPeriod")
        if isinstance(period, str):
            found = ROTATION.fullmatch(period)
            if not found or float(found[1]) < SHORTEST_ROTATION_SECONDS:
                yield Problem("rotationPeriod", f"'{period}' must be seconds as '7776000s', a day or more")

    @override
    def create(self, inputs: Properties, context: Context) -> str:
        """Creates the key and its first version."""
        ring: str = inputs["keyRing"]
        name = f"{ring}/cryptoKeys/{inputs['name']}"
        body: dict[str, Any] = {"purpose": inputs["purpose"], **_rotation(inputs)}
        if labels := context.creation_labels(inputs.get("labels", {})):
            body["labels"] = labels
        if "versionTemplate" in inputs:
            body["versionTemplate"] = inputs["versionTemplate"]
        if "destroyScheduledDuration" in inputs:
            body["destroyScheduledDuration"] = inputs["destroyScheduledDuration"]
        query = {
            "cryptoKeyId": inputs["name"],
            "skipInitialVersionCreation": str(inputs["skipInitialVersionCreation"]).lower(),
        }
        path = f"v1/{resource_path(ring)}/cryptoKeys"
        created("key", name, context.rest, "POST", path, query=query, body=body)
        return name

    @override
    def read(self, identity: str, given: Properties, context: Context) -> Live | None:
        """The key. One whose versions are all destroyed is still there, as in the API."""
        name = key_name(identity, context.project)
        live = context.rest.find(f"v1/{resource_path(name)}")
        if live is None:
            return None
        ring, _, short = name.rpartition("/cryptoKeys/")
        labels = live.get("labels", {})
        inputs: dict[str, Any] = {"keyRing": ring, "name": short, "purpose": live["purpose"]}
        for field in ("rotationPeriod", "destroyScheduledDuration"):
            if field in live:
                inputs[field] = live[field]
        if template := live.get("versionTemplate"):
            inputs["versionTemplate"] = {
                k: template[k] for k in ("algorithm", "protectionLevel") if k in template
            }
        primary = live.get("primary")
        outputs = {
            **label_outputs(labels, given, context),
            "primaries": [{"name": primary["name"], "state": primary["state"]}] if primary else [],
        }
        if labels := user_labels(labels, given):
            inputs["labels"] = labels
        return Live(name, inputs, outputs)

    @override
    def update(self, identity: str, old: Properties, new: Properties, context: Context) -> None:
        """Rotation, labels and the template of later versions."""
        path = f"v1/{resource_path(identity)}"
        changed: dict[str, Any] = {}
        if old.get("labels") != new.get("labels"):
            labels = dict(context.rest.call("GET", path).get("labels", {}))
            labels |= label_changes(old, new, context)
            changed["labels"] = {name: value for name, value in labels.items() if value is not None}
        if old.get("rotationPeriod") != new.get("rotationPeriod"):
            changed |= _rotation(new) or {"rotationPeriod": None, "nextRotationTime": None}
        if "versionTemplate" in new and old.get("versionTemplate") != new["versionTemplate"]:
            changed["versionTemplate"] = new["versionTemplate"]
        if changed:
            _patch(path, changed, context.rest)

    @override
    def delete(self, identity: str, properties: Properties, context: Context) -> None:
        """Destroys every version and stops the rotation: a key itself cannot be deleted (real provider, same)."""
        path = f"v1/{resource_path(identity)}"
        if context.rest.find(path) is None:
            return
        page = ""
        while True:
            query = {"pageToken": page} if page else None
            listing = context.rest.call("GET", f"{path}/cryptoKeyVersions", query=query)
            for version in listing.get("cryptoKeyVersions", []):
                if version.get("state") not in GONE:
                    context.rest.call("POST", f"v1/{resource_path(version['name'])}:destroy", body={})
            page = listing.get("nextPageToken", "")
            if not page:
                break
        if properties.get("rotationPeriod"):
            _patch(path, {"rotationPeriod": None, "nextRotationTime": None}, context.rest)


def _patch(path: str, changed: dict[str, Any], rest: Rest) -> None:
    """PATCH with a mask; a field that is in the mask and not in the body is cleared."""
    body = {name: value for name, value in changed.items() if value is not None}
    rest.call("PATCH", path, query={"updateMask": ",".join(sorted(changed))}, body=body)


def _rotation(inputs: Properties) -> dict[str, Any]:
    """The rotation fields: the API wants the time of the first one with the period."""
    period = inputs.get("rotationPeriod")
    if not period:
        return {}
    first = datetime.now(UTC) + timedelta(seconds=float(period.removesuffix("s")))
    return {"rotationPeriod": period, "nextRotationTime": first.strftime("%Y-%m-%dT%H:%M:%SZ")}
