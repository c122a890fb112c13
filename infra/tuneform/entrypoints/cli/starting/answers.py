"""What `tuneform init` asks, and what it takes for an answer: the same that the loader takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import click
from pydantic import TypeAdapter, ValidationError

from tuneform.capabilities import Capabilities, is_region
from tuneform.datasets import DatasetSource, Part, prepare
from tuneform.datasets.detect import Detected, detect
from tuneform.specs.kinds import Metadata, Project, SpecModel

LOCATION = "us-central1"
"""Offered where no document names the regions of a model."""
Check = Callable[[str], str]


@dataclass(frozen=True)
class Data:
    """The file of examples: where it is now, and where in the spec folder it belongs; what it is, and how much."""

    path: Path
    file: str
    detected: Detected
    examples: int
    columns: tuple[str, str] | None = None


@dataclass(frozen=True)
class Answers:
    """Everything that the documents need. Without `data` they hold two examples to be replaced."""

    name: str
    project_id: str
    owner: str
    model: str
    location: str
    serving_location: str
    data: Data | None


@dataclass(frozen=True)
class Asking:
    """Answers from flags, else from a person, else (`quiet`) what would be offered."""

    known: Capabilities
    folder: Path
    quiet: bool

    def answer(self, flag: str, given: str | None, question: str, check: Check, offered: str = "") -> str:
        """One answer that `check` lets pass.

        Raises:
            click.UsageError: the flag's value does not, or nobody is asked and nothing is offered.
        """
        if given is None and self.quiet:
            if not offered:
                raise click.UsageError(f"with --yes, say {flag}")
            given = offered
        if given is not None:
            try:
                return check(given)
            except click.BadParameter as error:
                raise click.BadParameter(error.message, param_hint=f"'{flag}'") from error
        answer: str = click.prompt(question, default=offered or None, value_proc=check)
        return answer

    def model(self, given: str | None) -> str:
        """The base model: any name will do, and those that documents name are offered."""
        lasting = self.lasting_models()
        if given is None and not self.quiet:
            click.echo(f"base models that documents name: {', '.join(lasting)}")
        return self.answer("--model", given, "base model", _filled, lasting[0] if lasting else "")

    def lasting_models(self) -> list[str]:
        """The models that are documented to be tuned, and not to have retired."""
        return [
            model.name
            for model in self.known.models.values()
            if model.supervised.offered.value and (self.known.days_left(model) or 0) >= 0
        ]

    def location(self, given: str | None, model: str) -> str:
        """Where to tune: a region in which the model is tuned, where documents say in which."""
        found = self.known.find(model)
        regions = (found.tuning_locations.value if found else None) or ()

        def check(value: str) -> str:
            field(Project, "location")(value)
            if not is_region(value):
                raise click.BadParameter(f"{value} is no region, and models are tuned in a region")
            if regions and value not in regions:
                raise click.BadParameter(f"{model} is tuned in {' and '.join(regions)}")
            return value

        offered = LOCATION if not regions or LOCATION in regions else regions[0]
        return self.answer("--location", given, "location", check, offered)

    def serving_location(self, location: str, model: str) -> str:
        """Where the tuned model can serve: the same place, unless documents say otherwise."""
        found = self.known.find(model)
        places = (found.serving_locations.value if found else None) or (location,)
        if location in places:
            return location
        near = (place for place in places if location.startswith(place))
        return next(near, places[0])

    def data(self, given: Path | None, columns: tuple[str, str] | None) -> Data | None:
        """The file of examples, read through; None for none.

        Raises:
            DatasetErrors: it cannot be used, with every line that is wrong.
        """
        if given is None and not self.quiet:
            asked = click.prompt("file of examples (empty: none yet)", default="", show_default=False)
            given = Path(asked).expanduser() if asked else None
        if given is None:
            return None
        detected = detect(given.name, root=given.parent)
        if detected.ambiguous and columns is None:
            columns = self._columns(detected)
        source = DatasetSource(Part(file=given.name), columns=columns)
        prepared = prepare(source, root=given.parent, fetch=_no_network)
        return Data(given, self._place(given), detected, prepared.training.examples, columns)

    def _place(self, given: Path) -> str:
        """A file stays where it is in the folder, and comes below data/ from elsewhere."""
        real, folder = given.resolve(), self.folder.resolve()
        return real.relative_to(folder).as_posix() if real.is_relative_to(folder) else f"data/{given.name}"

    def _columns(self, detected: Detected) -> tuple[str, str]:
        listed = ", ".join(detected.columns)
        if self.quiet:
            raise click.UsageError(f"with --yes, say --columns: two of {listed}")
        choice = click.Choice(detected.columns)
        first: str = click.prompt("column with what the model is asked", type=choice)
        second: str = click.prompt("column with what it should answer", type=choice)
        return first, second


def field(model: type[SpecModel], name: str) -> Check:
    """A check of one field of a kind, in the words of the loader."""
    info = model.model_fields[name]
    form: Any = Annotated[info.annotation, *info.metadata]
    adapter: TypeAdapter[Any] = TypeAdapter(form)

    def check(value: str) -> str:
        try:
            adapter.validate_python(value)
        except ValidationError as error:
            raise click.BadParameter(error.errors()[0]["msg"]) from error
        return value

    return check


def _no_network(uri: str) -> bytes:
    raise AssertionError(f"the file is here, and {uri} was asked for")


def _filled(value: str) -> str:
    if not value.strip():
        raise click.BadParameter("it is empty")
    return value.strip()


NAME, PROJECT_ID, OWNER = field(Metadata, "name"), field(Project, "project_id"), field(Project, "owner")
