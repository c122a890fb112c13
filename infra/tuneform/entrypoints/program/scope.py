"""What is declared: the documents of one project, and what all of them share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pulumi

from tuneform import specs
from tuneform.capabilities.prices import Price, PriceTable, builtin
from tuneform.entrypoints import inputs
from tuneform.entrypoints.program.adoption import Adoption
from tuneform.specs.lineage import base_model, parents

SpecT = TypeVar("SpecT", bound=specs.SpecModel)


@dataclass(frozen=True)
class Scope:
    """One project of a tree, and the stack's settings."""

    tree: specs.Tree
    project: specs.Document[specs.Project]
    wait: str
    adoption: Adoption
    prices: PriceTable = field(default_factory=builtin)

    @property
    def project_id(self) -> str:
        """Google's id of the project: every resource names it, so that no default can lead elsewhere."""
        return self.project.spec.project_id

    def of(self, kind: type[SpecT]) -> tuple[specs.Document[SpecT], ...]:
        """The project's documents of one kind, in dependency order."""
        return tuple(document for document in self.tree.of(kind) if document.project == self.project.name)

    def find(self, kind: type[SpecT], name: str) -> specs.Document[SpecT]:
        """The project's document of a kind and name."""
        return self.tree.find(kind, name, self.project.name)

    def price(self, document: specs.Document[specs.TuningJob]) -> Price | None:
        """What the base model under a job costs, where that is known."""
        return self.prices.find(base_model(document.spec, parents(self.tree, self.project.name)) or "")

    def labels(self, document: specs.Document[Any]) -> dict[str, str]:
        """The labels of what a document describes."""
        return inputs.labels(self.tree, document)


def options(
    document: specs.Document[Any],
    depends_on: Sequence[pulumi.Resource] = (),
    *,
    suffix: str = "",
    retain: bool = False,
    adoption: Adoption | None = None,
    live: str = "",
) -> pulumi.ResourceOptions:
    """The options of a resource that a document describes: earlier names, order, what destroy leaves.

    The resource is called by the document's name and `suffix`.

    With `adoption`, the live thing of the id `live` is imported, if there is one. Once it is in the state the
    engine takes the option as done, so it may stay.
    """
    found = adoption.found(live) if adoption else None
    return pulumi.ResourceOptions(
        depends_on=list(depends_on),
        aliases=[pulumi.Alias(name=f"{name}{suffix}") for name in document.metadata.previous_names],
        retain_on_delete=retain,
        import_=live if found else None,
        ignore_changes=list(found.same) if found else None,
    )
