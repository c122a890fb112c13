"""What every resource of the provider offers, and the inputs that they share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tuneform.entrypoints.provider.session import Session
from tuneform.entrypoints.provider.shape import Failure
from tuneform.entrypoints.provider.wire import UNKNOWN, Properties, unknown
from tuneform.reconcile.core import Ports
from tuneform.reconcile.desired import Content, Project
from tuneform.reconcile.diff import diff
from tuneform.reconcile.live import Checkpoint, Curves


@dataclass(frozen=True)
class Call:
    """What one call is about. Values are plain: without the marks of secrets, in a preview maybe with UNKNOWN.

    `inputs` are those to be made so, or the state's when there are no others; `old_inputs` and `outputs` are the
    state's, empty while it holds nothing.
    """

    session: Session
    inputs: Properties
    old_inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)

    @property
    def ports(self) -> Ports:
        """The ports of the project that the resource is in."""
        return self.session.ports(project_of(self.inputs))

    @property
    def whole(self) -> bool:
        """Whether every input is known."""
        return not unknown(dict(self.inputs))


Differences = Mapping[str, bool]
"""Paths that differ; True where an input does, False where the live world does."""


class Resource(ABC):
    """One resource type."""

    token: ClassVar[str]
    identity: ClassVar[frozenset[str]]
    """Paths of inputs that make it another resource."""
    outputs: ClassVar[tuple[str, ...]]
    """Names of all outputs."""

    def id(self, inputs: Properties) -> str:
        """`<project>/<name>`, whatever happens to it."""
        return f"{inputs['project']['name']}/{inputs['name']}"

    def flaws(self, call: Call) -> Iterator[Failure]:  # noqa: ARG002 (for subclasses)
        """What is wrong with inputs whose types are right."""
        yield from ()

    @abstractmethod
    def differences(self, call: Call) -> Differences:
        """What an update would be about; empty when there is nothing to do. Reads only."""

    @abstractmethod
    def foresee(self, call: Call) -> dict[str, Any]:
        """The outputs that an apply would have, UNKNOWN where nobody can know; says what it would do. Reads only."""

    @abstractmethod
    def apply(self, call: Call) -> dict[str, Any]:
        """Make it so and return the outputs."""

    @abstractmethod
    def salvage(self, call: Call) -> dict[str, Any]:
        """The outputs to remember after an apply that failed half-way."""

    @abstractmethod
    def look(self, call: Call) -> dict[str, Any] | None:
        """The outputs as they are live; None when nothing is there."""

    @abstractmethod
    def remove(self, call: Call) -> None:
        """Delete what is live."""

    def unforeseen(self, **known: Any) -> dict[str, Any]:
        """Outputs of which only these are known."""
        return {**dict.fromkeys(self.outputs, UNKNOWN), **known}


def project_of(inputs: Properties) -> Project:
    """The `project` input."""
    given = inputs["project"]
    return Project(
        name=given["name"],
        project_id=given["projectId"],
        location=given["location"],
        serving_location=given["servingLocation"],
        owner=given["owner"],
        state_bucket=given["stateBucket"],
    )


def content_of(value: Properties | None) -> Content | None:
    """One split, as a Dataset puts it out."""
    if value is None:
        return None
    return Content(value["uri"], value["digest"], value["examples"], value["tokens"])


def content_json(content: Content) -> dict[str, Any]:
    """The reverse of `content_of`."""
    return {
        "uri": content.uri,
        "digest": content.digest,
        "examples": content.examples,
        "tokens": content.tokens,
    }


def checkpoint_json(checkpoint: Checkpoint, *, endpoint: bool = True) -> dict[str, Any]:
    """A checkpoint, as outputs show it."""
    shown: dict[str, Any] = {"id": checkpoint.id, "epoch": checkpoint.epoch, "step": checkpoint.step}
    return {**shown, "endpoint": checkpoint.endpoint} if endpoint and checkpoint.endpoint else shown


def metrics_json(curves: Curves) -> dict[str, float]:
    """The last point of each curve that has one."""
    named = {
        "trainLoss": curves.train_loss,
        "trainAccuracy": curves.train_accuracy,
        "evalLoss": curves.eval_loss,
        "evalAccuracy": curves.eval_accuracy,
    }
    return {name: points[-1][1] for name, points in named.items() if points}


def changed_inputs(old: Properties, new: Properties, prefixes: frozenset[str]) -> dict[str, bool]:
    """The paths below `prefixes` at which inputs differ."""

    paths = [change.path for change in diff(_pruned(old), _pruned(new))]
    return {path: True for path in paths if _below(path, prefixes)}


def _below(path: str, prefixes: frozenset[str]) -> bool:
    return any(path == prefix or path.startswith(f"{prefix}.") for prefix in prefixes)


def _pruned(inputs: Properties) -> dict[str, Any]:
    """Inputs for comparing: what is empty was not given."""
    return {name: value for name, value in inputs.items() if value not in ({}, [], None)}
