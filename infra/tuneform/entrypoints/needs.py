"""What the tuning jobs of a project rest on: the part of the program's declarations that they really use.

The roles and who gets them are those of `entrypoints.program.storage` and `entrypoints.program.accounts`, which cannot
be asked without Pulumi; `tests/unit/entrypoints/test_needs.py` holds the two together.
"""

from __future__ import annotations

from typing import TypeVar

from tuneform import specs
from tuneform.entrypoints import inputs, resolve
from tuneform.reconcile.desired import Grant, Needs

KEY_ROLE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
TUNING_ROLE = "roles/aiplatform.tuningServiceAgent"
TOKEN_ROLE = "roles/iam.serviceAccountTokenCreator"  # noqa: S105 (a role's name)
READ_ROLE = "roles/storage.objectViewer"

TUNING_AGENT = "tuning-agent"
VERTEX_AGENT = "vertex-agent"
STORAGE_AGENT = "storage-agent"

SpecT = TypeVar("SpecT", bound=specs.SpecModel)


def needs_of(tree: specs.Tree, document: specs.Document[specs.Project]) -> Needs:
    """What must be there before the TuningJobs of this Project can run, each thing once, sorted by name.

    Documents that no job uses are left out. In a grant, `resource` is a bucket's name, a key's full name, an account's
    address or `projects/<id>`; `member` is an agent as `Needs` names them, or `serviceAccount:<address>`.
    """
    return _Use(tree, document).needs()


class _Use:
    """What the jobs of one project refer to, by the names of the documents. Jobs share few of them."""

    def __init__(self, tree: specs.Tree, document: specs.Document[specs.Project]) -> None:
        self._tree = tree
        self._project = resolve.project(document)
        jobs = {
            (spec.dataset.ref, _name(spec.encryption_key), _name(spec.service_account))
            for spec in (job.spec for job in tree.of(specs.TuningJob) if job.project == document.name)
        }
        bucket_of = {
            dataset: self._find(specs.Dataset, dataset).spec.bucket.ref
            for dataset in {dataset for dataset, _, _ in jobs}
        }
        self._read = {(account, bucket_of[dataset]) for dataset, _, account in jobs if account}
        self._stored = [self._find(specs.DatasetBucket, name) for name in set(bucket_of.values())]
        self._keys = {key for _, key, _ in jobs if key}
        self._accounts = [
            self._find(specs.ServiceAccount, name) for name in {account for _, _, account in jobs if account}
        ]

    def needs(self) -> Needs:
        """See `needs_of`."""
        on_keys = self._on_keys()
        grants = on_keys | self._on_buckets() | self._for_accounts()
        buckets = [
            *self._stored,
            *(self._find(specs.DatasetBucket, name) for _, name, _ in self._bucket_roles()),
        ]
        return Needs(
            project=self._project,
            buckets=dict(sorted((bucket.spec.bucket_name, bucket.spec.location) for bucket in buckets)),
            keys=tuple(sorted({grant.resource for grant in on_keys})),
            accounts=tuple(sorted(inputs.account_email(self._tree, account) for account in self._accounts)),
            grants=tuple(sorted(grants, key=lambda grant: (grant.resource, grant.role, grant.member))),
        )

    def _on_keys(self) -> set[Grant]:
        """Vertex AI encrypts a tuned model as its own agent, Cloud Storage a bucket's objects as its own.

        Sources: "Customer-managed encryption keys" in the documentation of Vertex AI and of Cloud Storage.
        """
        of_buckets = {bucket.spec.encryption_key.ref for bucket in self._stored if bucket.spec.encryption_key}
        return {
            Grant(inputs.key_name(self._tree, self._find(specs.EncryptionKey, ref)), KEY_ROLE, agent)
            for refs, agent in ((self._keys, VERTEX_AGENT), (of_buckets, STORAGE_AGENT))
            for ref in refs
        }

    def _on_buckets(self) -> set[Grant]:
        """The roles on buckets that the accounts are given, and reading what their jobs learn from."""
        return {
            Grant(
                self._find(specs.DatasetBucket, bucket).spec.bucket_name,
                role,
                self._member(self._find(specs.ServiceAccount, account)),
            )
            for account, bucket, role in self._bucket_roles()
        }

    def _for_accounts(self) -> set[Grant]:
        """The two grants that tuning with an account of one's own needs, and the account's roles on the project.

        Source of the two: "Tune with a custom service account" in the documentation of Vertex AI.
        """
        project = f"projects/{self._project.project_id}"
        grants: set[Grant] = set()
        for account in self._accounts:
            grants.add(Grant(inputs.account_email(self._tree, account), TOKEN_ROLE, TUNING_AGENT))
            grants |= {
                Grant(project, role, self._member(account))
                for role in (TUNING_ROLE, *account.spec.project_roles)
            }
        return grants

    def _bucket_roles(self) -> set[tuple[str, str, str]]:
        """Account, bucket and role, the first two by the names of their documents."""
        asked = {
            (account.name, given.bucket.ref, given.role)
            for account in self._accounts
            for given in account.spec.bucket_roles
        }
        return asked | {(account, bucket, READ_ROLE) for account, bucket in self._read}

    def _member(self, account: specs.Document[specs.ServiceAccount]) -> str:
        return f"serviceAccount:{inputs.account_email(self._tree, account)}"

    def _find(self, kind: type[SpecT], name: str) -> specs.Document[SpecT]:
        return self._tree.find(kind, name, self._project.name)


def _name(reference: specs.Ref | None) -> str:
    return reference.ref if reference else ""
