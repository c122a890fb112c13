"""Service accounts and what they may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from tuneform import specs
from tuneform.entrypoints import inputs
from tuneform.entrypoints.program.project import Base
from tuneform.entrypoints.program.scope import Scope, options
from tuneform.entrypoints.program.storage import Bucket

_TUNING_ROLE = "roles/aiplatform.tuningServiceAgent"
_TOKEN_ROLE = "roles/iam.serviceAccountTokenCreator"  # noqa: S105 (a role's name)
_READ_ROLE = "roles/storage.objectViewer"


@dataclass(frozen=True)
class Account:
    """An account's address, and what has to be there before a job can run as it."""

    email: str
    ready: tuple[pulumi.Resource, ...]


def declare_accounts(scope: Scope, base: Base, buckets: Mapping[str, Bucket]) -> Mapping[str, Account]:
    """Every ServiceAccount by name, with the grants its document asks for and those that tuning needs.

    Tuning with an account of one's own needs tuningServiceAgent on the project for it, and token creator on it for
    the tuning agent (Vertex AI, "Tune with a custom service account"), and it reads the dataset bucket.
    """
    return {
        document.name: _account(scope, base, document, buckets) for document in scope.of(specs.ServiceAccount)
    }


def _account(
    scope: Scope, base: Base, document: specs.Document[specs.ServiceAccount], buckets: Mapping[str, Bucket]
) -> Account:
    email = inputs.account_email(scope.tree, document)
    name = f"projects/{scope.project_id}/serviceAccounts/{email}"
    account = gcp.serviceaccount.Account(
        document.name,
        project=scope.project_id,
        account_id=document.spec.account_id,
        display_name=document.spec.display_name or None,
        opts=options(document, [base.services["iam"]], adoption=scope.adoption, live=name),
    )
    member = f"serviceAccount:{email}"
    grants: list[pulumi.Resource] = [
        gcp.projects.IAMMember(
            f"{document.name}-{_short(role)}",
            project=scope.project_id,
            role=role,
            member=member,
            opts=options(
                document, [account, base.services["cloudresourcemanager"]], suffix=f"-{_short(role)}"
            ),
        )
        for role in dict.fromkeys((*document.spec.project_roles, _TUNING_ROLE))
    ]
    for bucket, role in _bucket_roles(scope, document):
        suffix = f"-{bucket}-{_short(role)}"
        grants.append(
            gcp.storage.BucketIAMMember(
                f"{document.name}{suffix}",
                bucket=buckets[bucket].name,
                role=role,
                member=member,
                opts=options(document, [account, *buckets[bucket].ready], suffix=suffix),
            )
        )
    for index, acting in enumerate(dict.fromkeys((base.tuning_agent, *document.spec.impersonators))):
        suffix = f"-{_who(acting)}" if index else "-tuning-agent"
        grants.append(
            gcp.serviceaccount.IAMMember(
                f"{document.name}{suffix}",
                service_account_id=name,
                role=_TOKEN_ROLE,
                member=acting,
                opts=options(document, [account, base.vertex_identity], suffix=suffix),
            )
        )
    return Account(email, (account, *grants))


def _bucket_roles(
    scope: Scope, document: specs.Document[specs.ServiceAccount]
) -> tuple[tuple[str, str], ...]:
    """The bucket roles asked for, and reading the data of every job that runs as this account."""
    asked = [(given.bucket.ref, given.role) for given in document.spec.bucket_roles]
    for job in scope.of(specs.TuningJob):
        if job.spec.service_account and job.spec.service_account.ref == document.name:
            dataset = scope.find(specs.Dataset, job.spec.dataset.ref)
            asked.append((dataset.spec.bucket.ref, _READ_ROLE))
    return tuple(dict.fromkeys(asked))


def _short(role: str) -> str:
    return role.rpartition("/")[2]


def _who(member: str) -> str:
    return member.partition(":")[2].replace("/", "-").strip("-")
