"""What a project needs before anything else: enabled APIs, and the service agents that get grants."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from tuneform import specs
from tuneform.entrypoints.program.scope import Scope


@dataclass(frozen=True)
class Base:
    """The project's number, its enabled APIs by short name, and its Vertex AI agent."""

    number: str
    services: dict[str, gcp.projects.Service]
    vertex_identity: pulumi.Resource

    @property
    def vertex_agent(self) -> str:
        """The agent that Vertex AI uses keys as (https://cloud.google.com/iam/docs/service-agents)."""
        return f"serviceAccount:service-{self.number}@gcp-sa-aiplatform.iam.gserviceaccount.com"

    @property
    def tuning_agent(self) -> str:
        """The agent that runs Gemini tuning jobs (same page: Vertex AI Secure Fine Tuning)."""
        return f"serviceAccount:service-{self.number}@gcp-sa-vertex-tune.iam.gserviceaccount.com"


def declare_project(scope: Scope) -> Base:
    """Enable the APIs that the documents need; they stay enabled on destroy, since others may use them."""
    names = ["aiplatform", "storage"]
    if scope.of(specs.ServiceAccount):
        names += ["iam", "cloudresourcemanager"]
    if scope.of(specs.EncryptionKey):
        names.append("cloudkms")
    services = {
        name: gcp.projects.Service(
            name,
            project=scope.project_id,
            service=f"{name}.googleapis.com",
            disable_on_destroy=False,
        )
        for name in names
    }
    identity = gcp.projects.ServiceIdentity(
        "aiplatform",
        project=scope.project_id,
        service="aiplatform.googleapis.com",
        opts=pulumi.ResourceOptions(depends_on=[services["aiplatform"]]),
    )
    found = gcp.organizations.get_project(project_id=scope.project_id)
    return Base(found.number, services, identity)
