"""Loss curves and sparklines, as a terminal shows them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneform.review.curves import loss_curve, sparkline

TRAIN = [(step, 2.0 * 0.9**step) for step in range(1, 41)]
EVAL = [(step, 2.2 * 0.92**step) for step in range(10, 41, 10)]


def shown(width: int, height: int, *, colour: bool = False) -> str:
    return loss_curve({"train": TRAIN, "eval": EVAL}, width=width, height=height, colour=colour)


@pytest.mark.parametrize(("width", "height"), [(100, 24), (80, 16), (40, 10), (24, 8)])
def test_a_curve_fits_its_size_and_names_its_series(width: int, height: int) -> None:
    lines = shown(width, height).splitlines()
    assert len(lines) == height
    assert max(map(len, lines)) == width
    assert lines[0] == "loss  ⠤ train  x eval"
    assert lines[-1].strip() == "step"


def test_a_falling_loss_falls_from_the_upper_left_to_the_lower_right() -> None:
    rows = [
        line[6:-1] for line in loss_curve({"train": TRAIN}, width=60, height=16, colour=False).splitlines()
    ]
    drawn = [[column for column, char in enumerate(row) if "\u2800" < char <= "\u28ff"] for row in rows[2:12]]
    left_edges = [columns[0] for columns in drawn if columns]
    assert len(left_edges) > 5
    assert left_edges == sorted(left_edges)


def test_evaluations_are_marked_where_they_were_made() -> None:
    assert shown(80, 16).count("x") == len(EVAL) + 1


def test_steps_on_the_axis_are_whole() -> None:
    axis = shown(80, 16).splitlines()[-2]
    assert [int(tick) for tick in axis.split()] == [1, 7, 14, 20, 27, 33, 40]


def test_colour_is_only_there_when_asked_for() -> None:
    assert "\x1b" not in shown(80, 16)
    assert "\x1b[34m" in shown(80, 16, colour=True)


def test_colour_changes_nothing_else() -> None:
    coloured = shown(80, 16, colour=True)
    for code in ("0", "31", "32", "33", "34", "38;5;3", "38;5;4"):
        coloured = coloured.replace(f"\x1b[{code}m", "")
    assert [line.rstrip() for line in coloured.splitlines()] == shown(80, 16).splitlines()


def test_drawing_twice_gives_the_same() -> None:
    assert shown(80, 16) == shown(80, 16)


@pytest.mark.parametrize(("width", "height"), [(20, 16), (80, 4)])
def test_without_room_for_axes_there_is_a_line_for_each_series(width: int, height: int) -> None:
    train, evaluation = shown(width, height).splitlines()
    assert train.startswith("train █")
    assert train.endswith("0.02956")
    assert evaluation == "eval █▄▂▁ 0.07833"
    assert max(len(train), len(evaluation)) <= width


@pytest.mark.parametrize("series", [{}, {"train": []}, {"train": [(1.0, math.nan)]}])
def test_nothing_to_draw_is_said(series: dict[str, list[tuple[float, float]]]) -> None:
    assert loss_curve(series, width=80, height=16, colour=False) == "no loss recorded yet"


def test_a_loss_that_is_not_a_number_is_left_out() -> None:
    holed = {"train": [*TRAIN, (41, math.nan), (42, math.inf)]}
    whole = loss_curve({"train": TRAIN}, width=60, height=12, colour=False)
    assert loss_curve(holed, width=60, height=12, colour=False) == whole


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.floats(0, 1e6)), min_size=1, max_size=20),
    st.integers(1, 120),
    st.integers(1, 30),
)
def test_any_losses_fit_any_terminal(points: list[tuple[float, float]], width: int, height: int) -> None:
    lines = loss_curve({"train": points}, width=width, height=height, colour=False).splitlines()
    assert 1 <= len(lines) <= max(height, 1)
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], ""),
        ([1.0], "▁"),
        ([2.0, 2.0], "▁▁"),
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([3.0, math.nan, 1.0], "█ ▁"),
        ([math.nan, math.inf], "  "),
        ([-1e308, 1e308], "▁█"),
    ],
)
def test_a_sparkline_has_a_block_for_each_value(values: list[float], expected: str) -> None:
    assert sparkline(values) == expected
