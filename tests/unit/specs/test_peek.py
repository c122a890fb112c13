"""What is seen of a folder's projects at a glance."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneform.specs import Project, load
from tuneform.specs.peek import peek
from tuneform.specs.reference.examples import together

SPECS = Path(__file__).parents[3] / "specs"
PROJECT = """\
apiVersion: tuneform.dev/v1
kind: Project
metadata: {name: NAME}
spec: {projectId: tuneform-demo, location: us-central1, owner: NAME}
"""


def test_of_the_example_it_sees_what_is_loaded() -> None:
    assert peek(SPECS) == load(SPECS).of(Project)


def test_it_sees_every_project_among_other_documents(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(together().replace("\n---\n", "\n---\n# kind: Project\n"))
    (tmp_path / "b.yaml").write_text(
        PROJECT.replace("NAME", "one") + "---\n" + PROJECT.replace("NAME", "two")
    )

    assert [document.name for document in peek(tmp_path)] == ["demo", "one", "two"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kind: Project\n",
        "kind: Project\nspec: [\n",
        PROJECT.replace("NAME", "No Name"),
        PROJECT.replace("kind: Project", "kind: 'Project'").replace("NAME", "odd"),
        "\tkind: Project\nkind: Project\n",
    ],
)
def test_what_is_wrong_or_written_in_another_way_is_not_seen_and_no_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    assert peek(tmp_path) == ()


def test_files_that_cannot_be_read_are_no_error(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"kind: Project\n\xff\n")
    assert peek(tmp_path / "none") == ()
    assert peek(tmp_path) == ()
