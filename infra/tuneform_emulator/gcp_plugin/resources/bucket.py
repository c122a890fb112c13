"""gcp:storage/bucket:Bucket, over the Cloud Storage JSON API (storage/v1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import quote

from typing_extensions import override

from ..rest import NOT_FOUND, PluginError, Rest, RestError, segment
from ..schema_check import Problem, Shape
from . import lifecycle
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
from .projects import project_id

BUCKETS = "storage/v1/b"
NAME = re.compile(r"[a-z0-9][-_.a-z0-9]{1,220}[a-z0-9]")
PREVENTION = ("enforced", "inherited")


class Bucket(Resource):
    """A bucket. Its id is its name; imported as NAME or PROJECT/NAME."""

    tokens = ("gcp:storage/bucket:Bucket",)
    module = "pulumi_gcp.storage"
    args = "BucketArgs"
    supported: ClassVar[Shape] = {
        "deletionPolicy": {},
        "encryption": {"defaultKmsKeyName": {}},
        "forceDestroy": {},
        "labels": {},
        "lifecycleRules": lifecycle.SUPPORTED,
        "location": {},
        "name": {},
        "project": {},
        "publicAccessPrevention": {},
        "storageClass": {},
        "uniformBucketLevelAccess": {},
        "versioning": {"enabled": {}},
    }
    replace_on = frozenset({"name", "location", "project"})
    keeps = frozenset({"publicAccessPrevention", "uniformBucketLevelAccess", "versioning"})
    virtual: ClassVar[Properties] = {**DELETION_POLICY, "forceDestroy": False}
    computed = frozenset(
        {"effectiveLabels", "projectNumber", "pulumiLabels", "selfLink", "timeCreated", "updated", "url"}
    )
    name_input = "name"

    @override
    def defaults(self, context: Context) -> dict[str, Any]:
        """As the Terraform schema: storage class STANDARD, no forced destruction."""
        return {**super().defaults(context), "storageClass": "STANDARD"}

    @override
    def flaws(self, inputs: Properties) -> Iterator[Problem]:
        """Names and words that the API would refuse only at apply."""
        yield from super().flaws(inputs)
        name = inputs.get("name")
        if isinstance(name, str) and not NAME.fullmatch(name):
            yield Problem(
                "name", f"'{name}' is no bucket name (cloud.google.com/storage/docs/buckets#naming)"
            )
        prevention = inputs.get("publicAccessPrevention")
        if isinstance(prevention, str) and prevention not in PREVENTION:
            yield Problem("publicAccessPrevention", f"must be one of {', '.join(PREVENTION)}")
        yield from lifecycle.flaws(inputs.get("lifecycleRules"))

    @override
    def canonical(self, inputs: Properties) -> dict[str, Any]:
        """The API answers locations in capitals; a rule's state ANY is the same as none."""
        plain = super().canonical(inputs)
        if isinstance(plain.get("location"), str):
            plain["location"] = plain["location"].upper()
        if "lifecycleRules" in plain:
            plain["lifecycleRules"] = lifecycle.canonical(plain["lifecycleRules"])
        return plain

    @override
    def create(self, inputs: Properties, context: Context) -> str:
        """Creates the bucket with everything it was declared with, in one call."""
        name: str = inputs["name"]
        body = {
            "name": name,
            "location": inputs["location"],
            **_settings(inputs),
            "labels": context.creation_labels(inputs.get("labels", {})),
        }
        query = {"project": inputs["project"]}
        created("bucket", name, context.rest, "POST", BUCKETS, query=query, body=body)
        return name

    @override
    def read(self, identity: str, given: Properties, context: Context) -> Live | None:
        """The bucket and its project, which the API tells by number only."""
        name = identity.rpartition("/")[2]
        live = context.rest.find(f"{BUCKETS}/{segment(name)}")
        if live is None:
            return None
        project = given.get("project") or project_id(str(live["projectNumber"]), context.rest)
        labels = live.get("labels", {})
        outputs = {
            **label_outputs(labels, given, context),
            "location": live["location"],
            "projectNumber": int(live["projectNumber"]),
            "selfLink": live.get("selfLink", ""),
            "timeCreated": live.get("timeCreated", ""),
            "updated": live.get("updated", ""),
            "url": f"gs://{name}",
        }
        inputs = {**_from_api(live), "project": project}
        if labels := user_labels(labels, given):
            inputs["labels"] = labels
        return Live(name, inputs, outputs)

    @override
    def update(self, identity: str, old: Properties, new: Properties, context: Context) -> None:
        """A JSON merge patch: null removes what the program no longer declares."""
        body = {
            "lifecycle": None,
            "encryption": None,
            **_settings(new),
            "labels": label_changes(old, new, context),
        }
        context.rest.call("PATCH", f"{BUCKETS}/{segment(identity)}", body=body)

    @override
    def delete(self, identity: str, properties: Properties, context: Context) -> None:
        """Deletes the bucket, its objects first when forceDestroy says so; else a bucket with objects is refused."""
        path = f"{BUCKETS}/{segment(identity)}"
        if properties.get("forceDestroy"):
            _empty(path, context.rest)
        elif _versions(path, context.rest):
            raise PluginError(
                f"Error trying to delete bucket {identity} containing objects without `forceDestroy` set to true"
            )
        try:
            context.rest.call("DELETE", path)
        except RestError as error:
            if error.status != NOT_FOUND:
                raise


def _settings(inputs: Properties) -> dict[str, Any]:
    """The changeable part of a bucket in the API's words, without its labels."""
    access: dict[str, Any] = {}
    if "uniformBucketLevelAccess" in inputs:
        access["uniformBucketLevelAccess"] = {"enabled": inputs["uniformBucketLevelAccess"]}
    if "publicAccessPrevention" in inputs:
        access["publicAccessPrevention"] = inputs["publicAccessPrevention"]
    settings: dict[str, Any] = {"storageClass": inputs["storageClass"]}
    if access:
        settings["iamConfiguration"] = access
    if "versioning" in inputs:
        settings["versioning"] = dict(inputs["versioning"])
    if rules := inputs.get("lifecycleRules"):
        settings["lifecycle"] = lifecycle.to_api(rules)
    if key := inputs.get("encryption", {}).get("defaultKmsKeyName"):
        settings["encryption"] = {"defaultKmsKeyName": key}
    return settings


def _from_api(live: Properties) -> dict[str, Any]:
    access = live.get("iamConfiguration", {})
    inputs: dict[str, Any] = {
        "name": live["name"],
        "location": live["location"],
        "storageClass": live.get("storageClass", "STANDARD"),
        "uniformBucketLevelAccess": bool(access.get("uniformBucketLevelAccess", {}).get("enabled")),
        "publicAccessPrevention": access.get("publicAccessPrevention", "inherited"),
    }
    if "versioning" in live:
        inputs["versioning"] = {"enabled": bool(live["versioning"].get("enabled"))}
    if rules := lifecycle.from_api(live.get("lifecycle") or {}):
        inputs["lifecycleRules"] = rules
    if key := (live.get("encryption") or {}).get("defaultKmsKeyName"):
        inputs["encryption"] = {"defaultKmsKeyName": key}
    return inputs


def _versions(path: str, rest: Rest) -> list[dict[str, Any]]:
    """The first page of the bucket's objects, earlier versions included."""
    listing = rest.find(f"{path}/o", query={"versions": "true"}) or {}
    found: list[dict[str, Any]] = listing.get("items", [])
    return found


def _empty(path: str, rest: Rest) -> None:
    while page := _versions(path, rest):
        for item in page:
            name = quote(item["name"], safe="")
            rest.call("DELETE", f"{path}/o/{name}", query={"generation": str(item["generation"])})
