"""What went wrong in a run of the engine, as a person reads it: at its place in the specs, in the cause's own words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tuneform.errors import TuneformError
from tuneform.specs import Dataset, SpecModel, Tree, TunedModel, TuningJob

KINDS: dict[str, type[SpecModel]] = {kind.__name__: kind for kind in (Dataset, TuningJob, TunedModel)}
"""Resources that are named as their documents are."""

CHECK = re.compile(r"^\S+ resource '[^']*'(?:: property (\S+) value \{.*?\})? has a problem: ", re.DOTALL)
"""What the engine puts before a provider's complaint about inputs: the resource again, and all of the value."""

AROUND = re.compile(r"^(1 error occurred:\s*\* |Preview failed: )")
"""What the engine makes of a provider's error, in a run and in a preview."""

EXISTS = re.compile(r"Error 409: .*\balready (exists|own)\b", re.DOTALL)
"""What Google's APIs say of a create of something that is there, as pulumi-gcp passes it on."""

ADOPT = "it exists live: take it over with --adopt (in a stack's configuration: tuneform:adopt)"

OURS = re.compile(r"^(\S+:\d+:\d+: )?error\[E\d+\]: ")


@dataclass(frozen=True)
class Problem:
    """An error that the engine told of: the kind and name of the resource, empty when it is of none."""

    kind: str
    name: str
    text: str

    @classmethod
    def of(cls, urn: str, text: str) -> Problem:
        """The problem of a resource, without what the engine puts around the text."""
        kind, _, name = urn.rpartition("::")
        kind = re.split(r"[:$]", kind)[-1]
        text = AROUND.sub("", text)
        found = CHECK.match(text)
        if found is None:
            return cls(kind, name, text)
        said = text[found.end() :]
        whole = said.startswith("\n") or not found[1]
        return cls(kind, name, said.strip() if whole else f"{found[1]}: {said}")

    def render(self, tree: Tree, code: str) -> str:
        """The text, behind its place in the specs where it names none itself; `code` where it has none."""
        ours = OURS.match(self.text)
        if ours and ours[1]:
            return self.text
        what = f"{self.kind} {self.name}: " if self.name else ""
        text = self.text if ours else f"error[{code}]: {what}{self.text}"
        if not ours and EXISTS.search(self.text):
            text += f"\n   = remedy: {ADOPT}"
        documents = tree.of(KINDS[self.kind]) if self.kind in KINDS else ()
        place = next((f"{found.source}: " for found in documents if found.name == self.name), "")
        return f"{place}{text}"


class RunFailedError(TuneformError):
    """The engine ended with errors: all of them, each at its place."""

    code = "E700"

    def __init__(self, problems: Sequence[Problem], tree: Tree, *, preview: bool) -> None:
        self._shown = [problem.render(tree, self.code) for problem in problems]
        self._then = (
            "Nothing was changed."
            if preview
            else "What was done stays done: mend the cause and run the same command again to go on."
        )
        super().__init__("\n\n".join(self._shown))

    def render(self) -> str:
        """See the base class."""
        return "\n\n".join([*self._shown, self._then])
