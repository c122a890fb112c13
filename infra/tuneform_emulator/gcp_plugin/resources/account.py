"""gcp:serviceaccount/account:Account, over the IAM REST (v1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from typing_extensions import override

from ..rest import CONFLICT, NOT_FOUND, PluginError, RestError, resource_path, segment
from ..schema_check import Problem, Shape
from ..values import Unknown
from .base import DELETION_POLICY, Context, Live, Properties, Resource

ACCOUNT_ID = re.compile(r"[a-z](?:[-a-z0-9]{4,28}[a-z0-9])")
NAME = re.compile(r"projects/(?P<project>[^/]+)/serviceAccounts/(?P<email>[^/@]+@[^/]+)")


class Account(Resource):
    """A service account. Its id is projects/PROJECT/serviceAccounts/EMAIL; imported as that."""

    tokens = ("gcp:serviceaccount/account:Account", "gcp:serviceAccount/account:Account")
    module = "pulumi_gcp.serviceaccount"
    args = "AccountArgs"
    supported: ClassVar[Shape] = {
        "accountId": {},
        "createIgnoreAlreadyExists": {},
        "deletionPolicy": {},
        "description": {},
        "disabled": {},
        "displayName": {},
        "project": {},
    }
    replace_on = frozenset({"accountId", "project"})
    virtual: ClassVar[Properties] = {**DELETION_POLICY, "createIgnoreAlreadyExists": None}
    computed = frozenset({"email", "member", "name", "uniqueId"})
    name_input = "accountId"

    @override
    def flaws(self, inputs: Properties) -> Iterator[Problem]:
        """The API's rule for account ids."""
        yield from super().flaws(inputs)
        account = inputs.get("accountId")
        if isinstance(account, str) and not ACCOUNT_ID.fullmatch(account):
            yield Problem(
                "accountId",
                f"'{account}' must be 6 to 30 lower-case letters, digits and hyphens, a letter first",
            )

    @override
    def canonical(self, inputs: Properties) -> dict[str, Any]:
        """Not disabled and empty texts are the same as not given."""
        plain = super().canonical(inputs)
        return {name: value for name, value in plain.items() if value not in (False, "")}

    @override
    def foreseen(self, inputs: Properties, /) -> dict[str, Any]:
        """The e-mail address follows from the id, so the real provider shows it in the plan."""
        account, project = inputs.get("accountId"), inputs.get("project")
        if isinstance(account, Unknown) or isinstance(project, Unknown):
            return {}
        email = f"{account}@{project}.iam.gserviceaccount.com"
        return {"email": email, "member": f"serviceAccount:{email}"}

    @override
    def create(self, inputs: Properties, context: Context) -> str:
        """Creates the account; with createIgnoreAlreadyExists one that is there is taken."""
        project, account = inputs["project"], inputs["accountId"]
        email = f"{account}@{project}.iam.gserviceaccount.com"
        name = f"projects/{project}/serviceAccounts/{email}"
        texts = {key: inputs[key] for key in ("displayName", "description") if key in inputs}
        body = {"accountId": account, "serviceAccount": texts}
        try:
            context.rest.call("POST", f"v1/projects/{segment(project)}/serviceAccounts", body=body)
        except RestError as error:
            if error.status != CONFLICT:
                raise
            if not inputs.get("createIgnoreAlreadyExists"):
                raise PluginError(f"service account {name} already exists: {error}") from error
        if inputs.get("disabled"):
            context.rest.call("POST", f"v1/{resource_path(name)}:disable", body={})
        return name

    @override
    def read(self, identity: str, given: Properties, context: Context) -> Live | None:
        """The account."""
        found = NAME.fullmatch(identity)
        if not found:
            raise PluginError(
                f"'{identity}' does not name a service account: projects/PROJECT/serviceAccounts/EMAIL is needed"
            )
        live = context.rest.find(f"v1/{resource_path(identity)}")
        if live is None:
            return None
        email: str = live["email"]
        inputs: dict[str, Any] = {"accountId": email.partition("@")[0], "project": live["projectId"]}
        for key in ("displayName", "description"):
            if live.get(key) or key in given:
                inputs[key] = live.get(key, "")
        if live.get("disabled") or "disabled" in given:
            inputs["disabled"] = bool(live.get("disabled"))
        outputs = {
            "email": email,
            "member": f"serviceAccount:{email}",
            "name": live["name"],
            "uniqueId": str(live["uniqueId"]),
        }
        return Live(live["name"], inputs, outputs)

    @override
    def update(self, identity: str, old: Properties, new: Properties, context: Context) -> None:
        """Display name and description in one patch; enabling and disabling are calls of their own."""
        path = f"v1/{resource_path(identity)}"
        texts = {
            key: new.get(key, "")
            for key in ("displayName", "description")
            if old.get(key, "") != new.get(key, "")
        }
        if texts:
            body = {"serviceAccount": texts, "updateMask": ",".join(sorted(texts))}
            context.rest.call("PATCH", path, body=body)
        if bool(old.get("disabled")) != bool(new.get("disabled")):
            verb = "disable" if new.get("disabled") else "enable"
            context.rest.call("POST", f"{path}:{verb}", body={})

    @override
    def delete(self, identity: str, properties: Properties, context: Context) -> None:
        """Deletes the account."""
        try:
            context.rest.call("DELETE", f"v1/{resource_path(identity)}")
        except RestError as error:
            if error.status != NOT_FOUND:
                raise
