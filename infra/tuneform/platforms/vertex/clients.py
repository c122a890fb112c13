"""The clients of one project, each made on first use."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials

from tuneform.platforms.vertex import slim
from tuneform.reconcile.desired import Project


class Clients:
    """Google's clients for one project, sent to the real service, or to the emulator at `endpoint`.

    The emulator is spoken to over REST, the real service over gRPC with Application Default Credentials.
    """

    def __init__(self, project: Project, endpoint: str | None) -> None:
        self.project = project
        self.endpoint = endpoint

    @cached_property
    def tuning(self) -> Any:
        """GenAiTuningService, where the jobs are."""
        return self._client("gen_ai_tuning_service", self.project.location)

    @cached_property
    def models(self) -> Any:
        """ModelService, where the jobs are."""
        return self._client("model_service", self.project.location)

    @cached_property
    def endpoints(self) -> Any:
        """EndpointService, where the jobs are."""
        return self._client("endpoint_service", self.project.location)

    @cached_property
    def serving_endpoints(self) -> Any:
        """EndpointService, where the models are served."""
        return self._client("endpoint_service", self.project.serving_location)

    @cached_property
    def predictions(self) -> Any:
        """PredictionService, where the models are served."""
        return self._client("prediction_service", self.project.serving_location)

    @cached_property
    def tuning_predictions(self) -> Any:
        """PredictionService, where the jobs are: for the endpoints of checkpoints."""
        return self._client("prediction_service", self.project.location)

    @cached_property
    def metadata(self) -> Any:
        """MetadataService, for experiments."""
        return self._client("metadata_service", self.project.location)

    @cached_property
    def tensorboards(self) -> Any:
        """TensorboardService, for curves."""
        return self._client("tensorboard_service", self.project.location)

    @cached_property
    def storage(self) -> Any:
        """Cloud Storage."""
        from google.cloud import storage  # noqa: PLC0415 (half a second that `tuneform check` need not pay)

        if self.endpoint is None:
            return storage.Client(project=self.project.project_id)
        return storage.Client(
            project=self.project.project_id,
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": self.endpoint},
        )

    def at(self, resource: str) -> tuple[Any, Any]:
        """The endpoint and prediction clients for an endpoint's own location."""
        if location_of(resource) == self.project.serving_location:
            return self.serving_endpoints, self.predictions
        return self.endpoints, self.tuning_predictions

    def _client(self, service: str, location: str) -> Any:
        make = slim.client_class(service)
        if self.endpoint is None:
            return make(client_options=ClientOptions(api_endpoint=host(location)))
        return make(
            transport="rest",
            credentials=AnonymousCredentials(),
            client_options=ClientOptions(api_endpoint=self.endpoint),
        )


def host(location: str) -> str:
    """Vertex's host for a location: multi-regions have names of their own.

    Source: google-genai 2.34 `_api_client.py`, which sends `us` and `eu` to the rep hosts.
    """
    if location in {"us", "eu"}:
        return f"aiplatform.{location}.rep.googleapis.com"
    return f"{location}-aiplatform.googleapis.com"


def location_of(resource: str) -> str:
    """The location in `projects/P/locations/L/…`."""
    return resource.split("/")[3]
