"""EncryptionKey: a customer-managed key (CMEK)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import model_validator

from tuneform.specs.kinds.base import DeletionPolicy, Duration, SpecModel, matching, problem
from tuneform.specs.kinds.project import Location

KmsId = Annotated[
    str, matching(r"[A-Za-z0-9_-]{1,63}", "a Cloud KMS id: 1 to 63 letters, digits, '_' and '-'")
]
_OWN = ("key_ring", "key_name", "location", "rotation_period", "protection_level")


class EncryptionKey(SpecModel):
    """A Cloud KMS key for datasets and tuned models: made here, or an existing one by its name."""

    identifying = frozenset({"keyName", "existing"})

    key_ring: KmsId = ""
    """Key ring to make and use; needed unless `existing` is given."""
    key_name: KmsId = ""
    """The key's id in its ring; metadata.name unless said otherwise."""
    location: Location = ""
    """The project's location unless said otherwise; Vertex AI wants the key in the region it is used in."""
    rotation_period: Duration = timedelta(days=90)
    """How often Cloud KMS makes a new version; at least a day."""
    protection_level: Literal["SOFTWARE", "HSM"] = "SOFTWARE"
    """Where the key's operations run."""
    existing: (
        Annotated[
            str,
            matching(
                r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+",
                "a key's full name: projects/P/locations/L/keyRings/R/cryptoKeys/K",
            ),
        ]
        | None
    ) = None
    """Full name of a key that is there already; it is used and granted to the agents, never changed."""
    deletion_policy: DeletionPolicy = "Retain"
    """Retain leaves the key when the document is removed: without it, what it encrypted cannot be read."""

    @model_validator(mode="after")
    def _made_or_existing(self) -> Self:
        if self.existing is None:
            if not self.key_ring:
                raise problem(
                    "E124",
                    "missing field 'keyRing'",
                    hint="or name a key that is there: existing: projects/…/cryptoKeys/…",
                )
        else:
            for name in _OWN:
                if name in self.model_fields_set:
                    alias = type(self).model_fields[name].alias or name
                    raise problem(
                        "E130",
                        f"{alias!r} cannot be set beside 'existing': that key is never changed",
                        at=(alias,),
                    )
        if self.rotation_period < timedelta(days=1):
            raise problem("E127", "a key rotates once a day at most (Cloud KMS)", at=("rotationPeriod",))
        return self
