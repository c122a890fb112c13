"""The resource types and invokes that the stand-in knows, and no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from .account import Account
from .base import Context, Live, Properties, Resource
from .bucket import Bucket
from .crypto_key import CryptoKey
from .iam_member import AccountIamMember, BucketIamMember, CryptoKeyIamMember, ProjectIamMember
from .key_ring import KeyRing
from .projects import get_project, get_storage_account
from .service import Service, ServiceIdentity

__all__ = ["INVOKES", "RESOURCES", "Context", "Live", "Properties", "Resource"]

_ALL: tuple[Resource, ...] = (
    Service(),
    ServiceIdentity(),
    KeyRing(),
    CryptoKey(),
    CryptoKeyIamMember(),
    Bucket(),
    BucketIamMember(),
    Account(),
    AccountIamMember(),
    ProjectIamMember(),
)

RESOURCES: Final[Mapping[str, Resource]] = {token: resource for resource in _ALL for token in resource.tokens}

INVOKES: Final[Mapping[str, Callable[[Properties, Context], dict[str, Any]]]] = {
    "gcp:organizations/getProject:getProject": get_project,
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": get_storage_account,
}
