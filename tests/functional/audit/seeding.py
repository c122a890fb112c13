"""Projects as an audit finds them: jobs, models, endpoints and buckets of anybody, put into an emulator's store.

What is put there is what calls would have left behind, without the minutes that training takes.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tuneform_emulator.services.names import Names
from tuneform_emulator.store import Store

Json = dict[str, Any]

BORN = "2026-01-10T08:00:00.000000Z"
LATER = "2026-05-20T09:30:00.000000Z"
LOCATION = "us-central1"


@dataclass
class Seeds:
    """A store, and the numbers of what is put into it."""

    store: Store
    numbers: Any = field(default_factory=lambda: itertools.count(1_000_000))

    def parent(self, project: str, location: str = LOCATION) -> str:
        return f"projects/{Names(self.store).number(project)}/locations/{location}"

    def job(
        self,
        project: str,
        *,
        state: str = "QUEUED",
        labels: Mapping[str, str] | None = None,
        location: str = LOCATION,
        model: str = "",
        stats: tuple[int, int] | None = None,
        **fields: Any,
    ) -> str:
        """A tuning job; `stats` are its examples and billable tokens. Returns its name."""
        number = next(self.numbers)
        name = f"{self.parent(project, location)}/tuningJobs/{2 * 10**18 + number}"
        supervised = {
            "trainingDatasetUri": "gs://somebodys/train.jsonl",
            **fields.pop("supervisedTuningSpec", {}),
        }
        resource = {
            "name": name,
            "state": f"JOB_STATE_{state}",
            "baseModel": "gemini-2.5-flash",
            "tunedModelDisplayName": "by hand",
            "supervisedTuningSpec": supervised,
            "labels": dict(labels or {}),
            "createTime": BORN,
            "updateTime": LATER,
            **({"tunedModel": {"model": f"{model}@1"}} if model else {}),
            **fields,
        }
        if "preTunedModel" in resource:
            del resource["baseModel"]
        self.store.create("tuning-job", name, {"number": number, "resource": resource, "endpoints": {}})
        if stats is not None:
            examples, tokens = stats
            told = {"tuningDatasetExampleCount": str(examples), "totalBillableTokenCount": str(tokens)}
            self.store.create("tuning-stats", name, {"supervisedTuningDataStats": told})
        return name

    def model(
        self,
        project: str,
        name: str = "by hand",
        *,
        labels: Mapping[str, str] | None = None,
        location: str = LOCATION,
        tuned: bool = True,
    ) -> str:
        """A model of the registry. Returns its name."""
        number = next(self.numbers)
        full = f"{self.parent(project, location)}/models/{3 * 10**18 + number}"
        google = {"google-vertex-llm-tuning-base-model-id": "gemini-2-5-flash"} if tuned else {}
        resource = {
            "name": full,
            "displayName": name,
            "labels": {**(labels or {}), **google},
            "deployedModels": [],
            "createTime": BORN,
            "updateTime": LATER,
        }
        self.store.create("model", full, {"number": number, "resource": resource, "blobs": {}})
        return full

    def endpoint(
        self,
        project: str,
        model: str,
        name: str = "by hand",
        *,
        labels: Mapping[str, str] | None = None,
        location: str = LOCATION,
    ) -> str:
        """An endpoint on which a model is deployed. Returns its name."""
        number = next(self.numbers)
        full = f"{self.parent(project, location)}/endpoints/{4 * 10**18 + number}"
        resource = {
            "name": full,
            "displayName": name,
            "labels": dict(labels or {}),
            "deployedModels": [{"id": str(number), "model": model, "checkpointId": "1"}],
            "trafficSplit": {str(number): 100},
            "createTime": BORN,
            "updateTime": BORN,
        }
        self.store.create("endpoint", full, {"number": number, "resource": resource})
        return full

    def bucket(
        self, project: str, name: str, *, closed: bool = True, everybody: bool = False, **fields: Any
    ) -> None:
        """A bucket; `everybody` may read it."""
        access = {
            "uniformBucketLevelAccess": {"enabled": closed},
            "publicAccessPrevention": "enforced" if closed else "inherited",
        }
        made = {
            "name": name,
            "projectNumber": Names(self.store).number(project),
            "location": "US-CENTRAL1",
            "locationType": "region",
            "storageClass": "STANDARD",
            "metageneration": "1",
            "timeCreated": BORN,
            "updated": BORN,
            "iamConfiguration": access,
            **fields,
        }
        self.store.create("bucket", name, made)
        if everybody:
            grant = {"role": "roles/storage.objectViewer", "members": ["allUsers"]}
            self.store.create("policy", f"b/{name}", {"bindings": [grant], "edition": 1})
