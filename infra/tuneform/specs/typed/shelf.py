"""What Project documents say about the documents of others: which Projects there are, and their defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tuneform.specs.text.documents import SpecFile
from tuneform.specs.text.nodes import Value
from tuneform.specs.tree import Written
from tuneform.specs.typed.layers import Layer


@dataclass(frozen=True)
class Shelf:
    """The defaults of each Project by its name, each kind's as a layer."""

    projects: Mapping[str, Mapping[str, Layer]] = field(default_factory=dict)

    @classmethod
    def of(cls, documents: Iterable[tuple[SpecFile, int, Value]]) -> Shelf:
        """As the documents of all files have it; they may be wrong elsewhere. Of two of one name the first counts."""
        projects: dict[str, Mapping[str, Layer]] = {}
        for file, number, value in documents:
            if isinstance(value, dict) and value.get("kind") == "Project":
                metadata = value.get("metadata")
                name = metadata.get("name") if isinstance(metadata, dict) else None
                if isinstance(name, str):
                    projects.setdefault(name, _defaults(file, number, value))
        return cls(projects if any(projects.values()) else {})

    def layer(self, kind: str, project: str) -> Layer | None:
        """The defaults for a kind in a project; in the only one where it is not named."""
        if not self.projects:
            return None
        home = project or (next(iter(self.projects)) if len(self.projects) == 1 else "")
        return self.projects.get(home, {}).get(kind)


def _defaults(file: SpecFile, number: int, value: Mapping[str, Value]) -> Mapping[str, Layer]:
    spec = value.get("spec")
    defaults = spec.get("defaults") if isinstance(spec, dict) else None
    if not isinstance(defaults, dict):
        return {}
    return {
        kind: Layer(part, Written(file, number, ("spec", "defaults", kind)))
        for kind, part in defaults.items()
        if isinstance(part, dict)
    }
