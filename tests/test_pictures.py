"""Where the pictures draw what: points, marks, lines and words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skhpo._candidates._axis import (
    ABSENT,
    MAX_NAME,
    ends_and_median,
    is_logarithmic,
    make_axis,
    short_names,
)
from skhpo._candidates._model import MIN_CANDIDATES, ScoreModel

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402 - after the backend was chosen

from skhpo.plots import (  # noqa: E402 - after it is known that they can draw
    HistoryDisplay,
    SliceDisplay,
    SplitScoresDisplay,
)


@pytest.fixture(autouse=True)
def close_figures() -> Any:
    yield
    plt.close("all")


def results(params: list[dict], scores: Any, seconds: Any = 1.0) -> dict[str, Any]:
    """``cv_results_`` by hand: scores (n,) or, by split, (n, k)."""
    by_split = np.asarray(scores, dtype=float).reshape(len(params), -1)
    splits = {f"split{i}_test_score": s for i, s in enumerate(by_split.T)}
    return {
        "params": params,
        "mean_test_score": by_split.mean(axis=1),
        **splits,
        "mean_fit_time": np.broadcast_to(np.asarray(seconds, float), len(params)),
        "mean_score_time": np.zeros(len(params)),
    }


def marks(panel: Any) -> list[np.ndarray]:
    """Return the places of each group of marks."""
    return [np.asarray(marks.get_offsets()) for marks in panel.collections]


# A failure, disasters, and scores from 0 to 1 of which the one before the last is best.
SCORES = np.array([-1e6, np.nan, *np.linspace(0, 1, 20), 0.5, -1e7])
BELOW, FAILED, BEST = [0, 23], [1], 21
PARAMS = [{"a": float(i), "k": "xyz"[i % 3]} for i in range(len(SCORES))]


def test_slices_show_each_candidate_at_its_value_and_score() -> None:
    """Those below the fence at it, failed ones below all, the best one with a star."""
    display = SliceDisplay.from_cv_results(results(PARAMS, SCORES))
    number, category = display.ax_.flat[:2]
    y = np.maximum(SCORES, 0)
    for panel in (number, category):
        places, below, failed, best = marks(panel)
        seen = ~np.isnan(SCORES)
        np.testing.assert_array_equal(places[seen, 1], y[seen])
        np.testing.assert_array_equal(below, places[BELOW])
        assert failed[:, 0] == places[FAILED, 0]
        np.testing.assert_array_equal(best, places[[BEST]])
        low, high = panel.get_ylim()
        assert low < failed[0, 1] < y[seen].min()
        assert y[seen].max() < high
    x, _ = marks(number)[0].T
    np.testing.assert_array_equal(x, display.positions["a"])
    shift = marks(category)[0][:, 0] - display.positions["k"]
    assert (np.abs(shift) <= 0.25).all()
    assert len(np.unique(shift.round(3))) == len(shift)  # side by side


def test_there_is_a_panel_for_each_parameter() -> None:
    """In rows of four, numbered at the first; the places that are left are empty."""
    params = [{f"p{j}": i + j for j in range(6)} for i in range(3)]
    display = SliceDisplay.from_cv_results(results(params, [1, 2, 3]))
    assert display.ax_.shape == (2, 4)
    assert [panel.axison for panel in display.ax_.flat] == [True] * 6 + [False] * 2
    labels = [panel.get_ylabel() != "" for panel in display.ax_.flat]
    assert labels == [True, *[False] * 3] * 2
    # One candidate has margins around it, too.
    (panel,) = SliceDisplay.from_cv_results(results([{"a": 1}], [0.5])).ax_.flat
    low, high = panel.get_ylim()
    assert low < 0.5 < high


def test_a_history_shows_each_candidate_once() -> None:
    """As a point, a triangle or a cross; and a line that rises where one was better."""
    display = HistoryDisplay.from_cv_results(results(PARAMS, SCORES))
    number = np.arange(len(SCORES))
    seen = SCORES >= 0
    points, below, failed = marks(display.ax_)
    np.testing.assert_array_equal(points, np.column_stack([number, SCORES])[seen])
    np.testing.assert_array_equal(below[:, 0], number[BELOW])
    np.testing.assert_array_equal(failed[:, 0], number[FAILED])
    (line,) = display.ax_.lines
    assert line.get_drawstyle() == "steps-post"
    x, y = line.get_data()
    np.testing.assert_array_equal(x, number)
    best = np.fmax.accumulate(SCORES)
    np.testing.assert_array_equal(y, np.where(best < 0, np.nan, best))
    texts = [text.get_text() for text in display.ax_.get_legend().texts]
    assert texts == ["best so far", "below 0 (2)", "failed (1)"]


def test_what_is_not_known_to_have_taken_time_took_none() -> None:
    found = results(PARAMS[:4], [1, 2, 3, 4], seconds=[1, np.nan, 2, 3])
    display = HistoryDisplay.from_cv_results(found, x="time")
    assert display.elapsed.tolist() == [1, 1, 3, 6]
    assert marks(display.ax_)[0][:, 0].tolist() == [1, 1, 3, 6]


def test_split_scores_stand_at_the_rows_that_are_named() -> None:
    """Best first, the first of equal ones before the others, failed ones not at all."""
    scores = [[0, 1], [2, 4], [1, 2], [3, 3], [np.nan, 5]]
    display = SplitScoresDisplay.from_cv_results(results(PARAMS[:5], scores))
    assert display.rows.tolist() == [1, 3, 2, 0]
    labels = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert labels == ["1", "3", "2", "0"]
    first, second = (line.get_ydata().tolist() for line in display.ax_.lines[:2])
    assert (first, second) == ([2, 3, 1, 0], [4, 3, 2, 1])
    np.testing.assert_array_equal(display.deviations, [1, 0, 0.5, 0.5])


def test_a_model_needs_four_candidates_and_a_parameter_that_varies() -> None:
    """Whether one is there at all is a variation."""
    x, y = np.arange(float(MIN_CANDIDATES)), np.array([0.0, 2.0, 1.0, 3.0])
    axes = [make_axis("a", x.tolist()), make_axis("b", [1] * 4)]
    axes.append(make_axis("c", [7, 7, ABSENT, ABSENT]))
    model = ScoreModel(axes, y, "gp")
    assert [axis.name for axis in model.axes] == ["a", "c"]
    for few in (np.array([0.0, np.nan, 1.0, 3.0]), np.ones(4)):
        with pytest.raises(ValueError, match="needs 4 candidates or more"):
            ScoreModel(axes, few, "gp")
    with pytest.raises(ValueError, match="0 parameters that vary"):
        ScoreModel(axes[1:2], y, "gp")


def test_points_of_a_model_are_as_the_candidates() -> None:
    """Uniform where a parameter exists, and it exists as often."""
    values = [ABSENT, *np.linspace(2, 5, 3).tolist()]
    model = ScoreModel([make_axis("a", values)], np.array([0.0, 2.0, 1.0, 3.0]), "gp")
    U = (np.arange(400) + 0.5)[:, np.newaxis] / 400
    points = model.points(U)[:, 0]
    assert np.isnan(points).mean() == 0.25
    present = np.sort(points[~np.isnan(points)])
    np.testing.assert_allclose(present, (np.arange(300) + 0.5) / 300, atol=1e-6)


def test_a_logarithmic_axis_has_a_decade_of_positive_numbers() -> None:
    assert is_logarithmic(1.0, 10**0.5, 10.0)
    assert not is_logarithmic(1.0, 3.0, 9.9)
    assert not is_logarithmic(0.0, 1.0, 100.0)
    assert make_axis("a", [1, 10], is_log=True).is_log
    assert not make_axis("a", [0, 10], is_log=True).is_log
    assert not make_axis("a", [-10, 10], is_log=True).is_log


@pytest.mark.parametrize("ends", [(1e-200, 1.0), (1.0, 1e200), (1e-200, 1e200)])
def test_a_logarithmic_axis_that_cannot_be_drawn_is_one_of_exponents(
    ends: tuple[float, float],
) -> None:
    """At whichever end that is."""
    axis = make_axis("a", ends, is_log=True).drawable
    assert not axis.is_log
    assert axis.name == "a (log10)"
    np.testing.assert_allclose(axis.positions, np.log10(ends))


def test_a_median_is_between_two_or_one_of_three() -> None:
    assert ends_and_median([4.0, 1.0]) == (1, 2.5, 4)
    assert ends_and_median([4.0, 1.0, 2.0]) == (1, 2, 4)
    assert ends_and_median([1e308, -1e308, 1.6e308, 1.4e308]) == (
        -1e308,
        1.2e308,
        1.6e308,
    )


def test_a_name_is_cut_only_where_it_is_too_long() -> None:
    name = "step__" + "n" * (MAX_NAME - 6)
    assert short_names([name]) == [name]
    assert short_names(["a" + name]) == ["astep…" + name[6:]]  # a whole part
    assert short_names(["a" + name], MAX_NAME + 1) == ["a" + name]
    (label,) = short_names(["n" * 99])
    assert len(label) == MAX_NAME


parts = st.text("ab", min_size=1, max_size=9).map(lambda text: text * 3)
names_of_parameters = st.lists(parts, min_size=1, max_size=4).map("__".join)


@given(st.lists(names_of_parameters, unique=True, max_size=6), st.integers(8, 40))
def test_names_look_different_if_they_are(names: list[str], length: int) -> None:
    """And no longer than there is room, unless they would look the same."""
    shown = short_names(names, length)
    assert len(set(shown)) == len(names)
    for name, label in zip(names, shown, strict=True):
        start, _, end = label.partition("…")
        assert name.startswith(start)
        assert name.endswith(end)
        if len(label) > max(length, 8):
            alone = short_names([name], length)
            assert any(short_names([n], length) == alone for n in names if n != name)
