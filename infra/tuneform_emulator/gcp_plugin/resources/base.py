"""What every resource of the stand-in offers, and what they share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..rest import CONFLICT, PluginError, Rest, RestError
from ..schema_check import Problem, Shape
from ..values import DEFAULTS_KEY

Properties = Mapping[str, Any]

DELETION_POLICY: Mapping[str, Any] = {"deletionPolicy": "DELETE"}
"""pulumi-gcp 10: DELETE, PREVENT or ABANDON; kept by the provider only, no API knows it."""
POLICIES = ("DELETE", "PREVENT", "ABANDON")
ATTRIBUTION_LABEL = {"goog-pulumi-provisioned": "true"}
"""What pulumi-gcp adds to the labels of everything it creates (provider setting addPulumiAttributionLabel)."""


@dataclass(frozen=True)
class Context:
    """How the provider was configured, and the connection."""

    rest: Rest
    project: str = ""
    default_labels: Mapping[str, str] | None = None
    attribution: bool = True

    def pulumi_labels(self, labels: Mapping[str, str]) -> dict[str, str]:
        """The labels that the program and the provider settings ask for together."""
        return {**(self.default_labels or {}), **labels}

    def creation_labels(self, labels: Mapping[str, str]) -> dict[str, str]:
        """`pulumi_labels` and, unless switched off, the attribution label: it is added at creation only."""
        return {**(ATTRIBUTION_LABEL if self.attribution else {}), **self.pulumi_labels(labels)}


@dataclass(frozen=True)
class Live:
    """A resource as it is: `inputs` a program would declare to get it, `outputs` beside or instead of them."""

    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]

    @property
    def properties(self) -> dict[str, Any]:
        """The state Pulumi keeps."""
        return {**self.inputs, **self.outputs}


class Resource(ABC):
    """One resource type. Inputs are plain: secrets are unwrapped before they come here."""

    tokens: ClassVar[tuple[str, ...]]
    """The type tokens that name it, aliases included."""
    module: ClassVar[str]
    args: ClassVar[str]
    """The pulumi-gcp class that describes the inputs."""
    supported: ClassVar[Shape]
    replace_on: ClassVar[frozenset[str]]
    """Inputs that cannot change in place."""
    computed: ClassVar[frozenset[str]] = frozenset()
    """Outputs that are not known before the resource is there."""
    keeps: ClassVar[frozenset[str]] = frozenset()
    """Inputs that stay as they are when the program does not give them ("optional and computed" in Terraform)."""
    virtual: ClassVar[Mapping[str, Any]] = {}
    """Inputs that only the provider knows, with their defaults (None: none); no API returns them."""
    name_input: ClassVar[str] = ""
    """The input that Pulumi fills with an automatic name."""

    def defaults(self, context: Context) -> dict[str, Any]:
        """Values for inputs that were not given, besides the virtual ones and the name."""
        if "project" in self.supported and context.project:
            return {"project": context.project}
        return {}

    def flaws(self, inputs: Properties) -> Iterator[Problem]:
        """What is wrong with inputs whose types are right; values may be unknown."""
        if inputs.get("deletionPolicy", "DELETE") not in POLICIES:
            yield Problem("deletionPolicy", f"must be one of {', '.join(POLICIES)}")

    def canonical(self, inputs: Properties) -> dict[str, Any]:
        """The inputs in the form they are compared in; spellings that mean the same become equal."""
        return {
            name: value
            for name, value in inputs.items()
            if name != DEFAULTS_KEY and value is not None and value not in ({}, [])
        }

    def foreseen(self, _inputs: Properties, /) -> dict[str, Any]:
        """Outputs that a preview can tell; the other computed ones are unknown in it."""
        return {}

    @abstractmethod
    def create(self, inputs: Properties, context: Context) -> str:
        """Creates it and returns its id; raises `PluginError`."""

    @abstractmethod
    def read(self, identity: str, given: Properties, context: Context) -> Live | None:
        """The live resource, None when it is gone; `given` are the inputs in the state, `{}` for an import.

        The live inputs leave out the virtual ones.
        """

    def update(self, identity: str, old: Properties, new: Properties, context: Context) -> None:
        """Makes the live resource match `new`; `old` are the inputs before.

        Only asked for when an input changed that is neither virtual nor forces a replacement; types that have no
        such input leave it out.
        """
        raise NotImplementedError

    @abstractmethod
    def delete(self, identity: str, properties: Properties, context: Context) -> None:
        """Deletes it; one that is gone already is no error."""

    def refresh(self, identity: str, given: Properties, context: Context) -> Live | None:
        """`read`, with the inputs in the words of the program wherever they mean the same."""
        live = self.read(identity, given, context)
        if live is None:
            return None
        found = {name: given.get(name, default) for name, default in self.virtual.items()}
        for name, value in live.inputs.items():
            if given and name not in given and name in self.keeps:
                continue
            same = name in given and self.canonical({name: given[name]}) == self.canonical({name: value})
            found[name] = given[name] if same else value
        if DEFAULTS_KEY in given:
            found[DEFAULTS_KEY] = given[DEFAULTS_KEY]
        return Live(
            live.id, {name: value for name, value in found.items() if value is not None}, live.outputs
        )


def created(kind: str, name: str, rest: Rest, method: str, path: str, **request: Any) -> dict[str, Any]:
    """`Rest.call` for a creation: a conflict says in any case that the thing already exists."""
    try:
        return rest.call(method, path, **request)
    except RestError as error:
        if error.status == CONFLICT and "already exist" not in error.message.lower():
            raise PluginError(f"{kind} {name} already exists: {error}") from error
        raise


def user_labels(live: Mapping[str, str], given: Properties) -> dict[str, str]:
    """The labels that are the program's: the keys it has declared, or for an import all but Google's own mark.

    pulumi-gcp manages labels non-authoritatively; labels that others add are not drift.
    """
    if given:
        declared = given.get("labels", {})
        return {name: live[name] for name in declared if name in live}
    return {name: value for name, value in live.items() if name not in ATTRIBUTION_LABEL}


def label_outputs(live: Mapping[str, str], given: Properties, context: Context) -> dict[str, Any]:
    """The outputs `effectiveLabels` (all there are) and `pulumiLabels` (those that Pulumi manages)."""
    managed = {
        **{name: value for name, value in ATTRIBUTION_LABEL.items() if live.get(name) == value},
        **context.pulumi_labels(user_labels(live, given)),
    }
    return {"effectiveLabels": dict(live), "pulumiLabels": managed}


def label_changes(old: Properties, new: Properties, context: Context) -> dict[str, str | None]:
    """The labels to set, and with None those to remove, to get from the old inputs to the new ones."""
    before, after = old.get("labels", {}), context.pulumi_labels(new.get("labels", {}))
    return {**{name: None for name in before if name not in after}, **after}
