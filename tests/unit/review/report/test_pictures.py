"""Curves as pictures: the same again from the same data, readable without colour, told in words as well."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from tests.unit.review.report import samples
from tests.unit.review.report.samples import Scene

from tuneform.reconcile.live import Curves
from tuneform.review.report import pictures
from tuneform.review.report.data import Picture, Report
from tuneform.review.report.pictures import file_name

PNG = b"\x89PNG\r\n\x1a\n"


def report(*adders: object) -> Report:
    scene = Scene()
    for add in adders:
        add(scene)  # type: ignore[operator]
    return samples.report(scene)


def drawn(*adders: object, png: bool = False) -> tuple[Picture, ...]:
    return pictures(report(*adders), png=png)


def test_the_same_data_gives_the_same_bytes_whatever_the_users_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import matplotlib  # noqa: PLC0415

    first = drawn(samples.good, png=True)
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path"}):
        again = drawn(samples.good, png=True)
        assert matplotlib.rcParams["font.size"] == 30  # and they are put back

    assert again == first
    assert [(p.measure, p.png[:8]) for p in first] == [("loss", PNG), ("accuracy", PNG)]
    assert b"Software" not in first[0].png
    assert b"matplotlib" not in first[0].png


def test_without_files_no_png_is_made() -> None:
    assert {picture.png for picture in drawn(samples.good)} == {b""}


def test_a_curve_is_told_in_numbers_and_the_picture_is_named_by_them() -> None:
    loss, accuracy = drawn(samples.good)

    assert "Training: 1.785 at first, lowest 0.015 at epoch 3.9, 0.033 at last." in loss.words
    assert "Validation: 0.500 at first, lowest 0.250 at epoch 2, 0.360 at last." in loss.words
    assert "Chosen: checkpoint 2, epoch 2, validation loss 0.250." in loss.words
    assert "highest 93.0% at epoch 2" in accuracy.words
    assert f'aria-label="{loss.words}"' in loss.svg
    assert 'role="img"' in loss.svg


def test_lines_differ_in_shape_and_colours_are_the_pages() -> None:
    (loss, _) = drawn(samples.good)

    assert "stroke-dasharray" in loss.svg
    assert "chosen: checkpoint 2" in loss.svg
    assert "var(--training)" in loss.svg
    assert "var(--validation)" in loss.svg
    assert "#a1000" not in loss.svg


def test_a_job_that_has_just_begun_has_a_curve_and_one_that_has_none_no_picture() -> None:
    begun = drawn(samples.running)
    assert "There is no validation line." in begun[0].words
    assert drawn(samples.failed, samples.cancelled, samples.unresolved) == ()


def test_values_that_are_no_numbers_are_left_out_and_counted() -> None:
    (loss,) = drawn(samples.strange)

    assert "2 of 4 training values are not finite and are not drawn." in loss.words
    assert "by step" in loss.words  # epochs are not settled
    assert "nan" not in loss.svg.lower()


@pytest.mark.parametrize(
    "curves",
    [
        Curves(train_loss=((1, 0.0),)),
        Curves(train_loss=((1, 5e300), (2, 1e300))),
        Curves(train_loss=((1, -0.5), (2, -0.25))),
        Curves(eval_loss=((1, 0.3),)),
        Curves(train_loss=tuple((n, 1.0) for n in range(1, 20_001))),
    ],
)
def test_odd_curves_are_drawn_too(curves: Curves) -> None:
    def odd(scene: Scene) -> None:
        samples.running(scene)
        (job,) = scene.jobs["running"]
        scene.curves[job.name] = curves

    (picture,) = drawn(odd, png=True)
    assert picture.png.startswith(PNG)
    assert len(picture.svg) < 40_000


def test_nothing_but_nonsense_is_no_picture() -> None:
    def nonsense(scene: Scene) -> None:
        samples.running(scene)
        (job,) = scene.jobs["running"]
        scene.curves[job.name] = Curves(train_loss=((1, math.nan),))

    assert drawn(nonsense) == ()


def test_file_names_hold_no_way_out_of_their_folder() -> None:
    plain = Picture("demo", "intents", "loss", "", "", "")
    hostile = Picture("..", "../../etc/passwd\x00", "loss", "", "", "")

    assert file_name(plain) == "demo.intents.loss.png"
    assert file_name(hostile) == "__.______etc_passwd_.loss.png"
