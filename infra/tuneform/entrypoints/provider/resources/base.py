"""What every resource of the provider offers, and the inputs that they share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from tuneform.capabilities.prices import Price
from tuneform.entrypoints.provider.session import Session
from tuneform.entrypoints.provider.shape import Failure
from tuneform.entrypoints.provider.wire import UNKNOWN, Properties, unknown
from tuneform.errors import ReconcileError
from tuneform.reconcile.actions import Action, Blocked, Later, Settle, Unfence, Wait, explain
from tuneform.reconcile.desired import Content, Project
from tuneform.reconcile.diff import diff
from tuneform.reconcile.live import Checkpoint, Curves
from tuneform.reconcile.ports import Ports


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

COURSE = (Wait, Settle, Unfence, Later)
"""Actions that follow from what is under way: nobody has changed anything."""


class Resource(ABC):
    """One resource type."""

    token: ClassVar[str]
    identity: ClassVar[frozenset[str]]
    """Paths of inputs that make it another resource."""
    outputs: ClassVar[tuple[str, ...]]
    """Names of all outputs but `drift`, which only a refresh puts out."""

    def id(self, inputs: Properties) -> str:
        """`<project>/<name>`, whatever happens to it."""
        return f"{inputs['project']['name']}/{inputs['name']}"

    def replaced(self, call: Call) -> tuple[str, ...]:
        """Paths of changed inputs that make it another resource. A name that `previousNames` carries over is not."""
        return tuple(
            change.path
            for change in diff(call.old_inputs, call.inputs)
            if change.op == "change"
            and change.path in self.identity
            and not unknown(change.new)
            and not (change.path == "name" and renamed(call))
        )

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


def renamed(call: Call) -> bool:
    """Whether the name is another one, and `previousNames` carries the identity over."""
    old, new = call.old_inputs.get("name"), call.inputs.get("name")
    return old != new and old in call.inputs.get("previousNames", ())


def previous_names(inputs: Properties) -> tuple[str, ...]:
    """The `previousNames` input, the first name first."""
    return tuple(inputs.get("previousNames", ()))


def tell(call: Call, actions: Iterable[Action]) -> None:
    """Show what a plan would do.

    Raises:
        ReconcileError: it is blocked, and nothing else would be done first.
    """
    actions = tuple(actions)
    doable = [action for action in actions if not isinstance(action, (Blocked, Wait, Later))]
    for action in actions:
        if not isinstance(action, Blocked):
            call.session.log.info(explain(action))
        elif doable:
            call.session.log.warning(explain(action))
        else:
            raise ReconcileError(action.reason, remedy=action.remedy)


def drifted(call: Call, actions: Iterable[Action]) -> dict[str, list[str]]:
    """The output `drift`, left out when there is none: what an `up` would put right. It is shown as well."""
    found = [explain(action) for action in actions if not isinstance(action, COURSE)]
    for text in found:
        call.session.log.info(f"drift: {text}")
    return {"drift": found} if found else {}


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
    return Content(
        uri=value["uri"],
        digest=value["digest"],
        examples=value["examples"],
        tokens=value["tokens"],
        tokens_low=value.get("tokensLow", 0),
        tokens_high=value.get("tokensHigh"),
    )


def content_json(content: Content) -> dict[str, Any]:
    """The reverse of `content_of`."""
    shown: dict[str, Any] = {
        "uri": content.uri,
        "digest": content.digest,
        "examples": content.examples,
        "tokens": content.tokens,
        "tokensLow": content.tokens_low,
    }
    return shown if content.tokens_high is None else {**shown, "tokensHigh": content.tokens_high}


def price_of(model: str, value: Properties | None) -> Price | None:
    """The `price` input, of a base model.

    Raises:
        ReconcileError: it cannot be used.
    """
    if value is None:
        return None
    try:
        given = {name: Decimal(str(value[name])) for name in ("training", "input", "output") if name in value}
        day = date.fromisoformat(value["date"])
    except (ArithmeticError, ValueError) as error:
        raise ReconcileError(
            f"the price of {model} cannot be used: {error}", remedy="numbers, and a date such as 2026-10-01"
        ) from error
    return Price(model=model, currency=value["currency"], source=value["source"], date=day, **given)


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
