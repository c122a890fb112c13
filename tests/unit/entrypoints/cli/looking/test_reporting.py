"""Where a report goes, and that each of its files is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.review.report import samples
from tests.unit.review.report.samples import Scene

from tuneform.entrypoints.cli.looking import reporting
from tuneform.errors import SettingsError
from tuneform.review.report import Report


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def begun() -> Report:
    scene = Scene()
    samples.running(scene)
    return samples.report(scene)


@pytest.mark.parametrize(
    ("out", "page"),
    [
        ("tuneform-report.html", "tuneform-report.html"),
        ("build/tunings.htm", "build/tunings.htm"),
        ("build/", "build/tuneform-report.html"),
        ("reports", "reports/tuneform-report.html"),
        ("there.html", "there.html/tuneform-report.html"),
    ],
)
def test_a_name_that_ends_in_html_is_the_pages_and_any_other_a_folders(out: str, page: str) -> None:
    Path("there.html").mkdir()
    assert reporting.page_file(Path(out)) == Path(page)


def test_page_and_pictures_are_written_into_folders_that_are_made_and_over_what_was_there() -> None:
    page = Path("a/b/page.html")
    first = reporting.write(begun(), page, Path("c/d"))
    again = reporting.write(begun(), page, Path("c/d"))

    assert again == first == [page, Path("c/d/demo.running.loss.png"), Path("c/d/demo.running.accuracy.png")]
    assert all(path.stat().st_size > 1_000 for path in first)
    assert sorted(path.name for path in Path("a/b").iterdir()) == ["page.html"]
    assert reporting.write(begun(), page, None) == [page]


def test_what_cannot_be_written_is_an_error_that_names_it_and_leaves_what_was_there() -> None:
    Path("taken").write_text("a file")
    Path("folder/tuneform-report.html").mkdir(parents=True)

    with pytest.raises(
        SettingsError, match=r"taken/page\.html cannot be written: taken is not a folder"
    ) as found:
        reporting.write(samples.report(Scene()), Path("taken/page.html"), None)
    assert found.value.remedy == "name another place with --out"
    with pytest.raises(SettingsError, match="taken is not a folder") as found:
        reporting.write(begun(), Path("page.html"), Path("taken"))
    assert found.value.remedy == "name another place with --png"
    with pytest.raises(SettingsError, match="is a folder"):
        reporting.page_file(Path("folder"))

    assert Path("taken").read_text() == "a file"
    assert not Path("page.html").exists()


def test_a_page_that_is_cut_off_while_it_is_written_never_takes_the_place_of_the_one_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = Path("page.html")
    page.write_text("before")

    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(SettingsError, match="No space left on device"):
        reporting.write(samples.report(Scene()), page, None)

    assert page.read_text() == "before"
    assert [path.name for path in Path().iterdir()] == ["page.html"]
