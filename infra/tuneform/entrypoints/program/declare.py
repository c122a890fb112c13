"""`declare`: every document of one project as Pulumi resources."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Literal, get_args

import pulumi

from tuneform import specs
from tuneform.capabilities.prices import PriceTable, builtin
from tuneform.entrypoints.program.accounts import declare_accounts
from tuneform.entrypoints.program.adoption import NOTHING, Adoption, look_up
from tuneform.entrypoints.program.project import declare_project
from tuneform.entrypoints.program.scope import Scope
from tuneform.entrypoints.program.storage import declare_buckets, declare_keys
from tuneform.entrypoints.program.tunings import declare_tunings
from tuneform.errors import SettingsError, TuneformError

Wait = Literal["succeeded", "accepted"]


def _endpoint() -> str | None:
    return os.environ.get("TUNEFORM_ENDPOINT") or None


@dataclass(frozen=True)
class ProgramSettings:
    """What a stack may set, as `tuneform:<name>` or as a flag of `tuneform up`.

    `project` names the Project document that the stack is; it may stay empty when there is one. With `adopt`, what
    exists live is taken over rather than made. `endpoint` is the emulator's, None for Google Cloud.
    """

    wait: str = "succeeded"
    adopt: bool = False
    project: str = ""
    endpoint: str | None = field(default_factory=_endpoint)
    prices: PriceTable = field(default_factory=builtin)


def declare(tree: specs.Tree, settings: ProgramSettings) -> None:
    """Declare everything of one project, and export each TunedModel's outputs under its name.

    Raises:
        pulumi.RunError: a setting is wrong, or what is live cannot be looked up; the text says what to do.
    """
    try:
        scope = _scope(tree, settings)
    except TuneformError as error:
        raise pulumi.RunError(error.render()) from error
    base = declare_project(scope)
    keys = declare_keys(scope, base)
    buckets = declare_buckets(scope, base, keys)
    accounts = declare_accounts(scope, base, buckets)
    for name, outputs in declare_tunings(scope, base, keys, buckets, accounts).items():
        pulumi.export(name, outputs)


def _scope(tree: specs.Tree, settings: ProgramSettings) -> Scope:
    if settings.wait not in get_args(Wait):
        raise SettingsError(
            f"tuneform:wait is {settings.wait!r}", remedy=f"set it to {' or '.join(get_args(Wait))}"
        )
    project = _project(tree, settings.project)
    adoption: Adoption = NOTHING
    if settings.adopt:
        adoption = look_up(tree, project, settings.endpoint)
    return Scope(tree, project, settings.wait, adoption, settings.prices)


def _project(tree: specs.Tree, name: str) -> specs.Document[specs.Project]:
    found = {document.name: document for document in tree.of(specs.Project)}
    if name in found:
        return found[name]
    if not name and len(found) == 1:
        return next(iter(found.values()))
    known = ", ".join(sorted(found)) or "none"
    wrong = f"there is no Project {name!r}" if name else "a stack is one project, and the specs hold several"
    raise SettingsError(f"{wrong}: {known}", remedy="name one of them with tuneform:project")
