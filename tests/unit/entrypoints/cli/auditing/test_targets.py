"""Files of projects, and where an audit looks in them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tuneform import capabilities
from tuneform.entrypoints.cli.auditing.targets import Target, Targets, known_locations, read_targets
from tuneform.errors import ProjectListErrors

WANTED = (Target("acme-prod", ("us-central1", "europe-west4")), Target("acme-lab"))


def written(folder: Path, text: str, name: str = "projects.txt") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_lines_and_yaml_say_the_same(tmp_path: Path) -> None:
    lines = "# ours\nacme-prod us-central1 europe-west4 # both\n\n  acme-lab\n"
    yaml = "- {project: acme-prod, locations: [us-central1, europe-west4]}\n- acme-lab\n"

    assert read_targets(written(tmp_path, lines)) == WANTED
    assert read_targets(written(tmp_path, yaml, "projects.yaml")) == WANTED


@pytest.mark.parametrize(
    ("name", "text", "places"),
    [
        ("p.txt", "acme-prod\nACME us-central1\nacme-lab US\n", ["2:1: error[E650]: 'ACME'", "3:10: error[E650]"]),
        ("p.txt", "acme-prod\nacme-lab\nacme-prod eu\n", ["3:1: error[E650]: acme-prod stands here a second"]),
        ("p.txt", "# nothing\n", ["1:1: error[E650]: no project is named here"]),
        ("p.yaml", "projects: [acme-prod]\n", ["1:1: error[E650]: this is no list of projects"]),
        ("p.yaml", "- {project: acme-prod, location: eu}\n", ["1:24: error[E650]: unknown field 'location'"]),
        ("p.yaml", "- {project: acme-prod, locations: eu}\n", ["1:35: error[E650]: locations is no list"]),
        ("p.yaml", "- {locations: [eu]}\n", ["1:3: error[E650]: no project is named here"]),
        ("p.yaml", "- {project: [acme-prod]}\n", ["1:13: error[E650]: this is no text"]),
        ("p.yaml", "- acme-prod\n- Nine\n- [a]\n", ["2:3: error[E650]: 'Nine'", "3:3: error[E650]: no project"]),
        ("p.yaml", "- {project: acme-prod\n", ["error[E1"]),
    ],
)  # fmt: skip
def test_every_mistake_is_told_at_its_place(tmp_path: Path, name: str, text: str, places: list[str]) -> None:
    with pytest.raises(ProjectListErrors) as caught:
        read_targets(written(tmp_path, text, name))

    told = caught.value.render()
    assert all(place in told for place in places), told
    assert len(caught.value.diagnostics) == len(places)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProjectListErrors, match="cannot be read"):
        read_targets(tmp_path / "none.txt")


def test_the_flag_goes_before_the_file_the_file_before_documents_and_these_before_all_that_is_known() -> None:
    own = {"acme-prod": ("europe-west4",)}
    loose = Targets(own=own, otherwise=("us",))
    bound = Targets(everywhere=("us-central1", "us-central1"), own=own, otherwise=("us",))

    assert bound.locations("acme-prod", ("asia",)) == ("us-central1",)
    assert loose.locations("acme-prod", ("asia",)) == ("asia",)
    assert loose.locations("acme-prod") == ("europe-west4",)
    assert loose.locations("acme-lab") == ("us",)


def test_another_question_has_another_digest() -> None:
    questions = [
        Targets(named=WANTED),
        Targets(named=WANTED[:1]),
        Targets(parent="folders/1"),
        Targets(parent="folders/1", everywhere=("us",)),
    ]
    assert len({question.digest for question in questions}) == len(questions)
    assert Targets(named=WANTED, where="other.txt").digest == questions[0].digest, "it is what the file says"


def test_known_locations_are_those_of_the_table_of_models() -> None:
    known = known_locations(capabilities.on(capabilities.read(()), date(2026, 6, 1)))
    assert {"us-central1", "europe-west4"} <= set(known)
