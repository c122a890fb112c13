"""The e-mail addresses of Google's own service agents in a project, by the project's number.

Source: the reference page "Service agents" of the IAM documentation. The agents count as existing from the
start. Whether the real tuning agent exists before a project's first tuning job is not documented: the setting
`agent_exists_before_first_job` says so here, and asking for a first job makes it, whether or not the job is accepted.
"""

from __future__ import annotations

from tuneform_emulator.store import Exists
from tuneform_emulator.world import World

DOMAINS = {
    "aiplatform.googleapis.com": "gcp-sa-aiplatform.iam.gserviceaccount.com",
    "storage.googleapis.com": "gs-project-accounts.iam.gserviceaccount.com",
    "cloudkms.googleapis.com": "gcp-sa-cloudkms.iam.gserviceaccount.com",
    "bigquery.googleapis.com": "gcp-sa-bigquery.iam.gserviceaccount.com",
    "secretmanager.googleapis.com": "gcp-sa-secretmanager.iam.gserviceaccount.com",
    "pubsub.googleapis.com": "gcp-sa-pubsub.iam.gserviceaccount.com",
}
TUNING_AGENT = "tuning-agent"
"""The kind that the tuning agents which were made are stored under, by the project's number."""
TUNING_DOMAIN = "gcp-sa-vertex-tune.iam.gserviceaccount.com"


def vertex(number: str) -> str:
    """The Vertex AI Service Agent."""
    return f"service-{number}@{DOMAINS['aiplatform.googleapis.com']}"


def tuning(number: str) -> str:
    """The Vertex AI Secure Fine-Tuning Service Agent, which tuning jobs run as unless told otherwise."""
    return f"service-{number}@{TUNING_DOMAIN}"


def tuning_exists(world: World, number: str) -> bool:
    """Whether the tuning agent of a project can be given roles."""
    return world.settings.agent_exists_before_first_job or world.store.get(TUNING_AGENT, number) is not None


def make_tuning(world: World, number: str) -> None:
    """Makes the tuning agent of a project, once."""
    if world.store.get(TUNING_AGENT, number) is None:
        try:
            world.store.create(TUNING_AGENT, number, {})
        except Exists:
            return


def storage(number: str) -> str:
    """The Cloud Storage Service Agent, which uses a bucket's default key."""
    return f"service-{number}@{DOMAINS['storage.googleapis.com']}"


def of_service(service: str, number: str) -> str | None:
    """The agent of a service such as "aiplatform.googleapis.com", None when none is known."""
    domain = DOMAINS.get(service)
    return f"service-{number}@{domain}" if domain else None
