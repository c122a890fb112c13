"""`ports.Infrastructure` on Google Cloud: buckets, keys, accounts, grants and APIs as they are, read over REST.

Why no client libraries: docs/decisions/infrastructure-reads.md. Everything is read once, side by side. What may not be
read (403) is not known to be missing: it is left out, and the log says so with Google's reason.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any, Final, Generic, TypeVar, cast

import google.auth
import google.auth.exceptions
import google.auth.transport.requests
import requests
from google.api_core import exceptions

from tuneform.errors import MachineError, Retryable
from tuneform.platforms.vertex.clients import Clients
from tuneform.platforms.vertex.errors import DEADLINE, READ, remote
from tuneform.reconcile.desired import Grant, Needs
from tuneform.reconcile.live import Lack

log = logging.getLogger(__name__)

AGENTS: Final = {
    "tuning-agent": "gcp-sa-vertex-tune.iam.gserviceaccount.com",
    "vertex-agent": "gcp-sa-aiplatform.iam.gserviceaccount.com",
    "storage-agent": "gs-project-accounts.iam.gserviceaccount.com",
}
"""Where the agents that a grant may name have their addresses: `service-<project number>@` and this.

Source: the reference page "Service agents" of the IAM documentation.
"""

PUBLIC: Final = frozenset({"allUsers", "allAuthenticatedUsers"})
"""Members that every caller is one of."""

ENABLED = "ENABLED"
SIDE_BY_SIDE = 8
"""How many reads are under way at once."""

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_JSON: Final = {"content-type": "application/json"}
# Version 3 shows bindings with a condition as they are. Resource Manager takes it in the body, the others do not.
_POLICY_QUERY = "options.requestedPolicyVersion=3"
_POLICY_BODY = '{"options": {"requestedPolicyVersion": 3}}'

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Policy = frozenset[tuple[str, str]]
"""(role, member). A grant with a condition counts: whether the condition holds is not known to be false."""


class Unread(Enum):
    """Why there is no answer."""

    MISSING = "missing"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Ask(Generic[T_co]):
    """One read: what for, in words, and where. `parse` takes what is needed from the JSON."""

    what: str
    service: str
    path: str
    parse: Callable[[Mapping[str, Any]], T_co] = field(compare=False)
    method: str = "GET"
    body: str = ""

    def url(self, endpoint: str | None) -> str:
        """The address, at the emulator or at Google."""
        return f"{(endpoint or f'https://{self.service}.googleapis.com').rstrip('/')}/{self.path}"


class VertexInfrastructure:
    """`ports.Infrastructure` on Google Cloud, or on the emulator."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def lacks(self, needs: Needs) -> tuple[Lack, ...]:
        """What is known to be missing or to differ: APIs, buckets, keys, accounts, then grants, as in the needs.

        Of a bucket its location counts, of a key that its primary version is enabled, of an account that it is. A
        grant counts where it is, or where that inherits from within the project. Grants on what is missing, and to it,
        are not listed again: `up` makes them with it. What the caller may not read is left out, and logged.
        Roles that a group, a folder or the organisation brings are not seen; `up` then adds a grant too many at worst.

        Raises:
            MachineError: there are no credentials, or Google does not take them.
            RemoteError: something else than "here it is", "not found" and "forbidden" was answered.
        """
        if not (needs.buckets or needs.keys or needs.accounts or needs.grants):
            return ()
        look = _Look(self._session, self._clients.endpoint)
        things = _Things(needs)
        grants = _Grants(needs)
        look.read([*things.asks(), *grants.asks()])
        look.read(grants.asks_above(look))
        return (*things.lacks(look), *grants.lacks(look, gone=things.gone(look)))

    @cached_property
    def _session(self) -> requests.Session:
        if self._clients.endpoint:
            session = requests.Session()
            session.trust_env = False  # a proxy can have no part in calls to this machine
            return session
        with remote("looking at the infrastructure", None):
            credentials, _ = google.auth.default(scopes=[_SCOPE])
        authorized: requests.Session = google.auth.transport.requests.AuthorizedSession(credentials)
        return authorized


class _Look:
    """Reads, each once."""

    def __init__(self, session: requests.Session, endpoint: str | None) -> None:
        self._session = session
        self._endpoint = endpoint
        self._answers: dict[Ask[Any], Any] = {}

    def read(self, asks: Iterable[Ask[Any]]) -> None:
        """Read side by side what has not been read yet."""
        new = [ask for ask in dict.fromkeys(asks) if ask not in self._answers]
        if new:
            with ThreadPoolExecutor(min(SIDE_BY_SIDE, len(new))) as pool:
                self._answers |= dict(zip(new, pool.map(self._read, new), strict=True))

    def answer(self, ask: Ask[T]) -> T | Unread:
        """What was read."""
        return cast("T | Unread", self._answers[ask])

    def _read(self, ask: Ask[T]) -> T | Unread:
        with remote(f"looking at {ask.what}", self._endpoint):
            try:
                return READ(self._once)(ask)
            except exceptions.NotFound:
                return Unread.MISSING
            except exceptions.Forbidden as error:
                log.info("%s may not be read and is taken to be there: %s", ask.what, error.message)
                return Unread.UNREADABLE
            except google.auth.exceptions.GoogleAuthError as error:
                raise MachineError(
                    f"looking at {ask.what}: Google does not take the credentials: {error}",
                    remedy="run `gcloud auth application-default login`",
                ) from error

    def _once(self, ask: Ask[T]) -> T:
        try:
            response = self._session.request(
                ask.method, ask.url(self._endpoint), data=ask.body or None, headers=_JSON, timeout=DEADLINE
            )
        except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError) as error:
            raise requests.ConnectionError(str(error)) from error
        try:
            if response.ok:
                return ask.parse(response.json())
            refusal = exceptions.from_http_response(response)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise Retryable(
                f"looking at {ask.what}: {ask.url(self._endpoint)} answered {response.status_code} "
                "and something that cannot be read",
                remedy="run the command again",
            ) from error
        raise refusal


class _Things:
    """The APIs, buckets, keys and accounts of some needs."""

    def __init__(self, needs: Needs) -> None:
        project = f"projects/{needs.project.project_id}"
        apis = [
            "aiplatform",
            *(["cloudkms"] if any(key.startswith(f"{project}/") for key in needs.keys) else []),
        ]
        self._needs = needs
        self._apis = {f"{api}.googleapis.com": _api(project, f"{api}.googleapis.com") for api in apis}
        self._buckets = {bucket: _bucket(bucket) for bucket in needs.buckets}
        self._keys = {key: _key(key) for key in needs.keys}
        self._accounts = {email: _account(project, email) for email in needs.accounts}

    def asks(self) -> list[Ask[Any]]:
        """Everything to be read."""
        groups: tuple[Mapping[str, Ask[Any]], ...] = (self._apis, self._buckets, self._keys, self._accounts)
        return [ask for group in groups for ask in group.values()]

    def gone(self, look: _Look) -> frozenset[str]:
        """The members of grants that do not exist: no policy can hold a grant to them."""
        missing = [email for email, ask in self._accounts.items() if look.answer(ask) is Unread.MISSING]
        return frozenset(f"serviceAccount:{email}" for email in missing)

    def lacks(self, look: _Look) -> Iterator[Lack]:
        """What is missing or differs."""
        for api, state in self._answers(look, self._apis):
            # Service Usage knows every API by its name: a 404 is of the project, which others report.
            if state != ENABLED and state is not Unread.MISSING:
                yield Lack(f"API {api}", "state", str(state), ENABLED)
        for bucket, location in self._answers(look, self._buckets):
            wanted = self._needs.buckets[bucket].upper()
            if location is Unread.MISSING:
                yield Lack(f"bucket {bucket}", "the bucket", "missing", f"one in {wanted}")
            elif location != wanted:
                yield Lack(f"bucket {bucket}", "location", str(location), wanted)
        for key, primary in self._answers(look, self._keys):
            if primary is Unread.MISSING:
                yield Lack(f"key {key}", "the key", "missing", "an enabled one")
            elif primary != ENABLED:
                yield Lack(f"key {key}", "primary.state", str(primary), ENABLED)
        for email, disabled in self._answers(look, self._accounts):
            if disabled is Unread.MISSING:
                yield Lack(f"account {email}", "the account", "missing", "an enabled one")
            elif disabled:
                yield Lack(f"account {email}", "disabled", "true", "false")

    @staticmethod
    def _answers(look: _Look, asks: Mapping[str, Ask[T]]) -> Iterator[tuple[str, T | Unread]]:
        for name, ask in asks.items():
            answer = look.answer(ask)
            if answer is not Unread.UNREADABLE:
                yield name, answer


class _Grants:
    """The grants of some needs, and the policies they are in."""

    def __init__(self, needs: Needs) -> None:
        self._grants = needs.grants
        self._home = f"projects/{needs.project.project_id}"
        self._number = _number(self._home)

    def asks(self) -> list[Ask[Any]]:
        """The policies that hold the grants themselves, and the project's number for the agents' addresses."""
        policies: list[Ask[Any]] = [self._policy(grant.resource) for grant in self._grants]
        return [*policies, *([self._number] if any(g.member in AGENTS for g in self._grants) else [])]

    def asks_above(self, look: _Look) -> list[Ask[Policy]]:
        """The policies that may hold a grant that is not where it should be."""
        return [
            self._policy(above)
            for grant in self._grants
            if self._held(look, grant, [grant.resource]) is False
            for above in self._above(grant.resource)
        ]

    def lacks(self, look: _Look, *, gone: frozenset[str]) -> Iterator[Lack]:
        """The grants that are known not to be there, but for those to members that are `gone`."""
        for grant in self._grants:
            if grant.member in gone or self._held(look, grant, [grant.resource]) is not False:
                continue
            if self._held(look, grant, self._above(grant.resource)) is False:
                who = str(self._member(look, grant)).removeprefix("serviceAccount:")
                yield Lack(_named(grant.resource), f"{grant.role} for {who}", "missing", "granted")

    def _held(self, look: _Look, grant: Grant, resources: Iterable[str]) -> bool | None:
        """Whether one of the resources' policies has the grant; None when none shows it and not all can be read."""
        member = self._member(look, grant)
        if member is None:
            return None
        policies = [look.answer(self._policy(resource)) for resource in resources]
        wanted = {(grant.role, who) for who in (member, *PUBLIC)}
        if any(not isinstance(policy, Unread) and wanted & policy for policy in policies):
            return True
        return None if any(isinstance(policy, Unread) for policy in policies) else False

    def _member(self, look: _Look, grant: Grant) -> str | None:
        """The member as policies have it, None for an agent while the project's number is unknown."""
        if grant.member not in AGENTS:
            return grant.member
        number = look.answer(self._number)
        if isinstance(number, Unread):
            return None
        return f"serviceAccount:service-{number}@{AGENTS[grant.member]}"

    def _above(self, resource: str) -> list[str]:
        """What a resource inherits grants from, up to its project."""
        if "/cryptoKeys/" in resource:
            return [resource.partition("/cryptoKeys/")[0], "/".join(resource.split("/")[:2])]
        return [] if _is_project(resource) else [self._home]

    def _policy(self, resource: str) -> Ask[Policy]:
        what = f"the policy of {_named(resource)}"
        if _is_project(resource):
            path = f"v3/{resource}:getIamPolicy"
            return Ask(what, "cloudresourcemanager", path, _bindings, "POST", _POLICY_BODY)
        if resource.startswith("projects/"):
            return Ask(what, "cloudkms", f"v1/{resource}:getIamPolicy?{_POLICY_QUERY}", _bindings)
        if "@" in resource:
            path = f"v1/{self._home}/serviceAccounts/{resource}:getIamPolicy?{_POLICY_QUERY}"
            return Ask(what, "iam", path, _bindings, "POST")
        path = f"storage/v1/b/{resource}/iam?optionsRequestedPolicyVersion=3"
        return Ask(what, "storage", path, _bindings)


def _is_project(resource: str) -> bool:
    return resource.startswith("projects/") and resource.count("/") == 1


def _named(resource: str) -> str:
    """A grant's resource in words."""
    if _is_project(resource):
        return f"project {resource.removeprefix('projects/')}"
    if resource.startswith("projects/"):
        return f"{'key' if '/cryptoKeys/' in resource else 'key ring'} {resource}"
    return f"account {resource}" if "@" in resource else f"bucket {resource}"


def _api(project: str, name: str) -> Ask[str]:
    return Ask(
        f"API {name}", "serviceusage", f"v1/{project}/services/{name}", lambda answer: str(answer["state"])
    )


def _bucket(name: str) -> Ask[str]:
    path = f"storage/v1/b/{name}?fields=location"
    return Ask(f"bucket {name}", "storage", path, lambda answer: str(answer["location"]).upper())


def _key(name: str) -> Ask[str]:
    def primary(answer: Mapping[str, Any]) -> str:
        # A key without a version has no primary one, nor has a key that does not encrypt.
        return str(answer["primary"]["state"]) if "primary" in answer else "missing"

    return Ask(f"key {name}", "cloudkms", f"v1/{name}", primary)


def _account(project: str, email: str) -> Ask[bool]:
    def disabled(answer: Mapping[str, Any]) -> bool:
        return bool(answer.get("disabled", False))

    # Not projects/-: with it, IAM answers 403 for an account that does not exist (IAM API, serviceAccounts.get).
    return Ask(f"account {email}", "iam", f"v1/{project}/serviceAccounts/{email}", disabled)


def _number(project: str) -> Ask[str]:
    def number(answer: Mapping[str, Any]) -> str:
        return str(int(answer["name"].removeprefix("projects/")))

    return Ask(f"the number of {project}", "cloudresourcemanager", f"v3/{project}", number)


def _bindings(answer: Mapping[str, Any]) -> Policy:
    return frozenset(
        (str(binding["role"]), str(member))
        for binding in answer.get("bindings", ())
        for member in binding.get("members", ())
    )
