"""A rule's field, which is the path in a document, as the property of the resource that was declared."""

from __future__ import annotations

from collections.abc import Mapping

_PLACES: Mapping[str, Mapping[str, str]] = {
    "Dataset": {
        "spec.bucket": "bucket",
        "spec.dataset": "source",  # rules that count examples are about datasets and jobs alike
        "spec": "source",
    },
    "TuningJob": {
        "spec.dataset": "training",
        "spec.tunedModelDisplayName": "displayName",
        "spec.limits.timeout": "limits.timeoutSeconds",
    },
    "DatasetBucket": {
        "spec.bucketName": "name",
        "spec.encryptionKey": "encryption",
        "spec.lifecycle": "lifecycleRules",
    },
    "EncryptionKey": {
        "spec.keyName": "name",
        "spec.location": "keyRing",
        "spec.protectionLevel": "versionTemplate",
    },
    "Project": {"spec": "project", "metadata": "project"},
}


def property_of(kind: str, field: str) -> str:
    """The property of a resource that makes a document of this kind; its name where there is none for the field."""
    for path, found in _PLACES.get(kind, {}).items():
        if field == path or field.startswith(f"{path}."):
            rest = field.removeprefix(path)
            return found + rest if path == "spec" else found
    room, _, rest = field.partition(".")
    return rest or room or "name"
