"""What the pictures say is true, and they are drawn for every kind of search."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import loguniform, uniform
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import RandomizedSearchCV
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch
from skhpo._candidates._axis import is_logarithmic, make_axis
from skhpo._fence import lower_fence
from skhpo.space import Choice

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402 - after the backend was chosen
from matplotlib.text import Text  # noqa: E402 - likewise

from skhpo.plots import (  # noqa: E402 - after it is known that they can draw
    ContourDisplay,
    HistoryDisplay,
    ImportanceDisplay,
    ParallelDisplay,
    PopulationDisplay,
    SliceDisplay,
    SplitScoresDisplay,
)

ALL = [
    ContourDisplay,
    HistoryDisplay,
    ImportanceDisplay,
    ParallelDisplay,
    SliceDisplay,
    SplitScoresDisplay,
]
X, y = make_classification(80, random_state=0)
TREE = DecisionTreeClassifier(random_state=0)
SPACE = {
    "max_depth": [1, 2, None],
    "ccp_alpha": loguniform(1e-5, 1e-1),
    "max_features": uniform(0.1, 0.9),
}


@pytest.fixture(autouse=True)
def close_figures() -> Any:
    yield
    plt.close("all")


def results(params: list[dict], scores: Any, seconds: float = 1.0) -> dict[str, Any]:
    """``cv_results_`` of a search by hand: scores (n,) or, by split, (n, k)."""
    by_split = np.asarray(scores, dtype=float).reshape(len(params), -1)
    splits = {f"split{i}_test_score": s for i, s in enumerate(by_split.T)}
    return {
        "params": params,
        "mean_test_score": by_split.mean(axis=1),
        **splits,
        "mean_fit_time": np.full(len(params), seconds),
        "mean_score_time": np.full(len(params), seconds / 2),
    }


def uniform_points(n: int, d: int) -> tuple[list[dict], np.ndarray]:
    points = np.random.default_rng(0).random((n, d))
    return [{f"x{j}": x for j, x in enumerate(row)} for row in points], points


@pytest.fixture(scope="module")
def searches() -> dict[str, Any]:
    """One small search of each kind."""
    sgd = SGDClassifier(learning_rate="constant", eta0=0.1, random_state=0)
    steps = {"eta0": loguniform(1e-4, 1), "alpha": loguniform(1e-6, 1e-2)}
    grid = {"max_depth": [1, 2, None], "ccp_alpha": [0.001, 0.01, 0.1]}
    return {
        "grid": GridSearch(TREE, grid, cv=3).fit(X, y),
        "random": RandomSearch(TREE, SPACE, n_iter=8, cv=3, random_state=0).fit(X, y),
        "bayes": BayesSearch(TREE, SPACE, n_iter=8, cv=3, random_state=0).fit(X, y),
        "pbt": PBTSearch(
            sgd, steps, population_size=4, n_generations=4, cv=2, random_state=1
        ).fit(X, y),
        "scikit-learn": RandomizedSearchCV(
            TREE, SPACE, n_iter=8, cv=3, random_state=0
        ).fit(X, y),
    }


# Displays read `cv_results_`: by default each of them meets two searches, and each
# search two of them.
@pytest.mark.thinned
@pytest.mark.parametrize(
    ("display", "name"),
    [
        pytest.param(
            *(display, name),
            marks=[]
            if name in ("bayes", "pbt") or display in (ContourDisplay, SliceDisplay)
            else pytest.mark.slow,
        )
        for display in ALL
        for name in ["grid", "random", "bayes", "pbt", "scikit-learn"]
    ],
)
def test_every_search_can_be_drawn(searches: dict, name: str, display: Any) -> None:
    drawn = display.from_search(searches[name])
    assert isinstance(drawn, display)
    assert drawn.figure_ is np.ravel(drawn.ax_)[0].figure
    drawn.figure_.canvas.draw()  # what is wrong with ticks or limits shows here only


@pytest.mark.parametrize("display", [*ALL, PopulationDisplay])
def test_plot_draws_where_it_is_told(searches: dict, display: Any) -> None:
    _, (left, right) = plt.subplots(1, 2)
    drawn = display.from_search(searches["pbt"], ax=left)
    assert drawn.figure_ is left.figure
    assert drawn.plot(right) is drawn
    assert np.ravel(drawn.ax_)[0].get_position().x0 > 0.4


def test_history_is_the_running_best_by_number_and_time() -> None:
    found = results([{"a": i} for i in range(5)], [np.nan, 1, 3, 2, 4], seconds=2.0)
    display = HistoryDisplay.from_cv_results(found, x="time")
    np.testing.assert_array_equal(display.best_so_far, [np.nan, 1, 3, 3, 4])
    np.testing.assert_array_equal(display.number, [0, 1, 2, 3, 4])
    np.testing.assert_allclose(display.elapsed, [3, 6, 9, 12, 15])  # 2 + 1 on 1 split
    assert display.ax_.get_xlabel() == "seconds of fits and scores"
    with pytest.raises(ValueError, match="'number' or 'time'"):
        display.plot(x="date")


def test_history_counts_time_on_all_splits(searches: dict) -> None:
    search = searches["grid"]
    found = search.cv_results_
    per_fit = found["mean_fit_time"] + found["mean_score_time"]
    elapsed = HistoryDisplay.from_search(search).elapsed
    np.testing.assert_allclose(elapsed, 3 * np.cumsum(per_fit))


def test_one_disaster_does_not_press_the_others_into_a_line() -> None:
    found = results([{"a": i} for i in range(21)], [-1e9, *np.linspace(0, 1, 20)])
    display = HistoryDisplay.from_cv_results(found)
    assert display.fence == 0
    assert display.ax_.get_ylim()[0] > -1
    assert "below 0 (1)" in [t.get_text() for t in display.ax_.get_legend().texts]


def test_numbers_stand_at_themselves_and_other_values_in_order() -> None:
    params = [
        {"depth": None, "C": 100.0, "flag": True, "step": StandardScaler()},
        {"depth": 10, "C": 1.0, "flag": False, "step": MinMaxScaler()},
        {"depth": 2, "C": 0.01, "flag": True, "step": StandardScaler()},
    ]
    display = SliceDisplay.from_cv_results(results(params, [1, 2, 3]))
    assert display.positions["C"].tolist() == [100, 1, 0.01]
    assert display.is_log == {"depth": False, "C": True, "flag": False, "step": False}
    assert display.categories["depth"] == ("2", "10", "None")
    assert display.positions["depth"].tolist() == [2, 1, 0]
    assert display.categories["flag"] == ("False", "True")
    assert display.categories["step"] == ("MinMaxScaler()", "StandardScale…")
    assert display.positions["step"].tolist() == [1, 0, 1]
    assert display.ax_[0, 1].get_xscale() == "log"
    assert display.best_row == 2


def test_scale_is_that_of_the_space_and_not_of_the_values(searches: dict) -> None:
    """BayesSearch may try nearly everything at one end of a range."""
    search = searches["bayes"]
    clumped = {"max_depth": 1, "max_features": 0.5}
    params = [{**clumped, "ccp_alpha": value} for value in (1e-5, 0.08, 0.09, 0.1)]
    assert not SliceDisplay.from_cv_results(results(params, range(4))).is_log[
        "ccp_alpha"
    ]
    assert SliceDisplay.from_search(search).is_log == {
        "max_depth": False,
        "ccp_alpha": True,
        "max_features": False,
    }


def test_parameters_that_do_not_exist_have_no_position() -> None:
    params = [{"kernel": "rbf", "gamma": 0.1}, {"kernel": "linear"}] * 3
    found = results(params, range(6))
    display = SliceDisplay.from_cv_results(found)
    np.testing.assert_array_equal(display.positions["gamma"], [0.1, np.nan] * 3)
    lines = ParallelDisplay.from_cv_results(found).heights
    assert (lines[:, 1] < 0).tolist() == [False, True] * 3


def test_failed_candidates_are_marked_and_not_modeled() -> None:
    params, points = uniform_points(30, 2)
    scores = points[:, 0].copy()
    scores[::5] = np.nan
    found = results(params, scores)
    for display in ALL:
        display.from_cv_results(found).figure_.canvas.draw()
    assert len(ParallelDisplay.from_cv_results(found).heights) == 24
    rows = SplitScoresDisplay.from_cv_results(found, top=99).rows
    assert len(rows) == 24
    assert not np.isnan(scores[rows]).any()
    surface = ContourDisplay.from_cv_results(found).surfaces["x0", "x1"]
    np.testing.assert_allclose(surface.mean, np.tile(surface.x, (30, 1)), atol=0.05)


def test_parallel_lines_are_ordered_by_score() -> None:
    params = [{"C": c, "k": k} for c, k in [(1, "b"), (100, "a"), (10, "b")]]
    display = ParallelDisplay.from_cv_results(results(params, [0.0, 1.0, 0.25]))
    assert display.names == ["C", "k", "score"]
    np.testing.assert_allclose(
        display.heights, [[0, 0.75, 0], [0.5, 0.75, 0.25], [1, 0.25, 1]], atol=1e-12
    )
    assert display.quality.tolist() == [0, 0.5, 1]


def test_split_scores_are_those_of_the_best_rows() -> None:
    found = results([{"a": i} for i in range(3)], [[0, 1], [2, 4], [1, 1]])
    display = SplitScoresDisplay.from_cv_results(found, top=2)
    assert display.rows.tolist() == [1, 2]
    assert display.split_scores.tolist() == [[2, 4], [1, 1]]
    assert display.means.tolist() == [3, 1]
    assert display.deviations.tolist() == [1, 0]
    with pytest.raises(ValueError, match="'top' must be 1 or more"):
        SplitScoresDisplay.from_cv_results(found, top=0)


@pytest.mark.parametrize(("surrogate", "within"), [("gp", 0.03), ("forest", 0.1)])
def test_importance_of_a_sum_is_the_variance_of_its_terms(
    surrogate: str, within: float
) -> None:
    """4 a + 2 b, both uniform: variances 16/12 and 4/12; c does nothing."""
    params, points = uniform_points(80, 3)
    found = results(params, points @ [4, 2, 0])
    display = ImportanceDisplay.from_cv_results(found, surrogate=surrogate)
    assert display.names == ["x0", "x1", "x2"]
    np.testing.assert_allclose(display.main, [0.8, 0.2, 0], atol=within)
    np.testing.assert_allclose(display.total, [0.8, 0.2, 0], atol=within)
    assert display.explained > 0.8


def test_importance_of_a_pure_interaction_is_in_the_total_only() -> None:
    params, points = uniform_points(80, 3)
    found = results(params, np.prod(points[:, :2] - 0.5, axis=1))
    display = ImportanceDisplay.from_cv_results(found)
    np.testing.assert_allclose(display.main, [0, 0, 0], atol=0.05)
    np.testing.assert_allclose(sorted(display.total), [0, 1, 1], atol=0.05)


def test_importance_on_a_logarithmic_axis_and_of_categories() -> None:
    """log10 C is uniform on [-3, 3], variance 3; +-c has variance c^2."""
    rng = np.random.default_rng(0)
    logs, kinds = rng.uniform(-3, 3, 100), rng.choice(["a", "b"], 100)
    params = [{"C": 10**u, "kind": k} for u, k in zip(logs, kinds, strict=True)]
    found = results(params, logs + np.where(kinds == "a", 1.0, -1.0))
    display = ImportanceDisplay.from_cv_results(found)
    assert display.names == ["C", "kind"]
    np.testing.assert_allclose(display.main, [0.75, 0.25], atol=0.05)


def test_importance_says_when_the_model_knows_nothing() -> None:
    params, _ = uniform_points(60, 2)
    noise = np.random.default_rng(1).normal(size=60)
    assert ImportanceDisplay.from_cv_results(results(params, noise)).explained < 0.2


def test_contour_leaves_out_what_no_candidate_has() -> None:
    rng = np.random.default_rng(0)
    params: list[dict] = [{"kernel": "rbf", "gamma": g} for g in rng.random(10)]
    params += [{"kernel": "poly", "degree": d} for d in (1, 2, 3, 4)]
    display = ContourDisplay.from_cv_results(results(params, rng.random(14)))
    assert set(display.surfaces) == {("kernel", "gamma"), ("kernel", "degree")}
    mean = display.surfaces["kernel", "gamma"].mean
    assert np.isnan(mean[:, 0]).all()  # poly
    assert np.isfinite(mean[:, 1]).all()


def test_contour_takes_the_four_parameters_that_matter_most() -> None:
    params, points = uniform_points(80, 8)
    found = results(params, points @ [0, 3, 0, 4, 0, 5, 0, 6])
    display = ContourDisplay.from_cv_results(found)
    assert [axis.name for axis in display.axes] == ["x1", "x3", "x5", "x7"]
    assert display.ax_.shape == (3, 3)
    named = ContourDisplay.from_cv_results(found, params=["x7", "x0"])
    assert list(named.surfaces) == [("x7", "x0")]


def test_population_shows_what_the_search_says(searches: dict) -> None:
    search = searches["pbt"]
    display = PopulationDisplay.from_search(search)
    assert display.best_row == search.best_index_
    found = search.cv_results_
    drawn: list[tuple[int, dict]] = []
    for row in display.lineage:
        drawn.append((int(display.starts[row]), found["params"][row]))
    replayed: dict[str, Any] = {}
    for start, params in drawn:
        replayed |= dict(search.best_schedule_).get(start, {})
        assert replayed == params
    assert display.exploited.any()
    np.testing.assert_array_equal(display.exploited, found["exploited"])


def test_population_follows_a_lineage_by_hand() -> None:
    found = results([{"a": v} for v in (1, 2, 3, 4, 5, 6)], [1, 9, 2, 3, 5, 4])
    found |= {
        "n_resources": [2, 2, 4, 4, 6, 6],
        "parent": [-1, -1, 1, 1, 3, 2],
        "exploited": [False, False, True, False, True, True],
    }
    display = PopulationDisplay.from_cv_results(found)
    assert display.best_row == 4  # the best of the last generation, not of all
    assert display.lineage.tolist() == [1, 3, 4]
    assert display.starts.tolist() == [0, 0, 2, 2, 4, 4]


def test_the_best_of_a_population_is_of_the_last_generation_with_scores() -> None:
    found = results([{"a": v} for v in (1, 2, 3, 4)], [2, 1, np.nan, np.nan])
    found |= {
        "n_resources": [2, 2, 4, 4],
        "parent": [-1, -1, 0, 1],
        "exploited": [False] * 4,
    }
    assert PopulationDisplay.from_cv_results(found).best_row == 0


def test_population_needs_a_population(searches: dict) -> None:
    with pytest.raises(ValueError, match="draws a PBTSearch"):
        PopulationDisplay.from_search(searches["grid"])


def test_one_candidate_is_drawn_where_that_makes_sense() -> None:
    found = results([{"a": 1, "b": "x"}], [0.5])
    for display in (HistoryDisplay, SliceDisplay, ParallelDisplay, SplitScoresDisplay):
        display.from_cv_results(found).figure_.canvas.draw()
    for model in (ContourDisplay, ImportanceDisplay):
        with pytest.raises(ValueError, match="needs 4 candidates"):
            model.from_cv_results(found)


def test_one_of_several_scores_is_drawn() -> None:
    scoring, grid = ["accuracy", "roc_auc"], {"max_depth": [1, 2, 3]}
    search = GridSearch(TREE, grid, scoring=scoring, refit="roc_auc").fit(X, y)
    found = search.cv_results_
    drawn = HistoryDisplay.from_search(search)
    np.testing.assert_array_equal(drawn.scores, found["mean_test_roc_auc"])
    drawn = HistoryDisplay.from_search(search, metric="accuracy")
    np.testing.assert_array_equal(drawn.scores, found["mean_test_accuracy"])
    search.set_params(refit=False).fit(X, y)
    with pytest.raises(ValueError, match=r"one of \['accuracy', 'roc_auc'\]"):
        HistoryDisplay.from_search(search)


def test_conditional_and_list_spaces_are_drawn() -> None:
    nested = {"criterion": Choice({"gini": {"max_depth": [1, 2]}, "entropy": None})}
    listed = [{"max_depth": [1, 2]}, {"ccp_alpha": loguniform(1e-4, 1e-1)}]
    for space in (nested, listed):
        search = BayesSearch(TREE, space, n_iter=6, cv=2, random_state=0).fit(X, y)
        tried = search.cv_results_["params"]
        drawn = SliceDisplay.from_search(search)
        lines = ParallelDisplay.from_search(search)
        assert lines.names == [*drawn.positions, "score"]
        assert {*drawn.positions} == {name for params in tried for name in params}
        order = np.argsort(search.cv_results_["mean_test_score"], kind="stable")
        for i, (name, at) in enumerate(drawn.positions.items()):
            absent = [name not in params for params in tried]
            assert np.isnan(at).tolist() == absent
            assert (lines.heights[:, i] < 0).tolist() == np.array(absent)[
                order
            ].tolist()
        for display in (drawn, lines):
            display.figure_.canvas.draw()


def test_data_frames_are_read_as_well(searches: dict) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(searches["random"].cv_results_)
    drawn = HistoryDisplay.from_cv_results(frame)
    expected = HistoryDisplay.from_search(searches["random"])
    np.testing.assert_array_equal(drawn.best_so_far, expected.best_so_far)


@pytest.mark.parametrize(
    "estimator",
    [GridSearch(SGDClassifier(), {"alpha": [1, 2]}), MinMaxScaler().fit([[0], [1]])],
    ids=["unfitted", "no search"],
)
def test_only_a_fitted_search_is_drawn(estimator: Any) -> None:
    message = "has no 'cv_results_': a display takes a search"
    with pytest.raises(NotFittedError, match=message):
        HistoryDisplay.from_search(estimator)


def test_unknown_parameters_and_axes_are_refused() -> None:
    params, points = uniform_points(10, 3)
    found = results(params, points[:, 0])
    with pytest.raises(ValueError, match="'x9' was not searched"):
        SliceDisplay.from_cv_results(found, params=["x9"])
    with pytest.raises(ValueError, match="no parameter to draw"):
        SliceDisplay.from_cv_results(found, params=[])
    with pytest.raises(ValueError, match="no parameter to draw"):
        ParallelDisplay.from_search(GridSearch(TREE, {}).fit(X, y))
    with pytest.raises(ValueError, match="must be one Axes or 3"):
        SliceDisplay.from_cv_results(found, ax=plt.subplots(1, 2)[1])
    with pytest.raises(ValueError, match="'surrogate' must be one of"):
        ImportanceDisplay.from_cv_results(found, surrogate="tpe")
    with pytest.raises(ValueError, match="all failed"):
        HistoryDisplay.from_cv_results(results(params, np.full(10, np.nan)))


def test_missing_matplotlib_is_named(
    searches: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == "matplotlib":
            raise ImportError(f"No module named {name!r}")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    for display in [*ALL, PopulationDisplay]:
        with pytest.raises(ImportError, match="pip install matplotlib"):
            display.from_search(searches["pbt"])


def many_parameters(n: int) -> dict[str, Any]:
    """Results with `n` parameters of all kinds, with long names and values."""
    rng = np.random.default_rng(0)
    kinds = [
        lambda: float(10 ** rng.uniform(-6, 2)),
        lambda: int(rng.integers(1, 100)),
        lambda: str(rng.choice(["a long category", "another one", "auto", "sqrt"])),
        lambda: float(rng.uniform(-1, 1)),
        lambda: [None, 5, 10][rng.integers(3)],
        lambda: float(rng.uniform(3, 40)),
    ]
    names = [f"columntransformer__a_step__parameter_{j}" for j in range(n)]
    params = [{s: kinds[j % 6]() for j, s in enumerate(names)} for _ in range(60)]
    scores = np.array([next(iter(row.values())) for row in params])
    return results(params, np.log(scores))


def overlaps(boxes: list[Any]) -> bool:
    return any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


@pytest.mark.thinned
@pytest.mark.parametrize("n", [3, 12])
@pytest.mark.parametrize("display", ALL)
def test_labels_do_not_overlap(display: Any, n: int) -> None:
    drawn = display.from_cv_results(many_parameters(n))
    drawn.figure_.canvas.draw()
    titles = []
    for ax in np.ravel(drawn.ax_):
        if not ax.axison:
            continue
        for axis in (ax.xaxis, ax.yaxis):
            texts = [label for label in axis.get_ticklabels() if label.get_text()]
            straight = [t for t in texts if t.get_visible() and t.get_rotation() == 0]
            assert not overlaps(
                [t.get_window_extent().shrunk(0.98, 0.9) for t in straight]
            )
        titles += [t for t in (ax.xaxis.label, ax.yaxis.label) if t.get_text()]
    assert not overlaps([t.get_window_extent() for t in titles])


@pytest.mark.parametrize("display", [SliceDisplay, ImportanceDisplay])
def test_names_are_whole_where_there_is_room(display: Any) -> None:
    """Beside a new figure; one that the user has made may be small."""
    results = many_parameters(2)
    results["params"] = [
        {"logisticregression__tol": p, "logisticregression__max_iter": q}
        for p, q in (params.values() for params in results["params"])
    ]
    drawn = display.from_cv_results(results)
    texts = {text.get_text() for text in drawn.figure_.findobj(Text)}
    assert {*results["params"][0]} <= texts
    drawn.plot(plt.subplots(figsize=(3, 2))[1])
    texts = {text.get_text() for text in drawn.figure_.findobj(Text)}
    assert "logisticregre…max_iter" in texts


def test_a_population_counts_whole_steps_from_birth(searches: dict) -> None:
    """In each panel, and says what it counts."""
    drawn = PopulationDisplay.from_search(searches["pbt"])
    drawn.figure_.canvas.draw()
    for panel in drawn.ax_.flat:
        assert panel.get_xlabel() == "training steps"
        assert panel.get_xlim()[0] == 0
        assert all(float(tick).is_integer() for tick in panel.get_xticks())


def legend_of(drawn: Any) -> list[str]:
    return [text.get_text() for text in drawn.figure_.legends[0].texts]


def test_a_legend_says_what_the_marks_are() -> None:
    """What is not there is not in it; a figure of the user's own gets none."""
    found = many_parameters(3)
    assert legend_of(SliceDisplay.from_cv_results(found)) == ["best", "early", "late"]
    assert legend_of(ContourDisplay.from_cv_results(found)) == ["best", "candidate"]
    found["mean_test_score"][5] = np.nan
    found["mean_test_score"][6] = -1e9
    drawn = SliceDisplay.from_cv_results(found)
    assert legend_of(drawn)[3:] == ["lower than shown", "failed"]
    assert legend_of(ContourDisplay.from_cv_results(found))[2:] == ["failed"]
    _, axes = plt.subplots(1, 3)
    assert not SliceDisplay.from_cv_results(found, ax=axes).figure_.legends


numbers = st.floats(1e-6, 1e6)


@given(st.lists(numbers, min_size=1, max_size=20), st.booleans())
def test_axes_and_the_unit_interval_are_each_others_inverse(
    values: list[float], is_log: bool
) -> None:
    axis = make_axis("a", values, is_log)
    units = axis.to_unit(axis.positions)
    assert ((units >= 0) & (units <= 1 + 1e-12)).all()
    if axis.n_values > 1:
        back = axis.from_unit(units)
        np.testing.assert_allclose(back, values, rtol=1e-6, atol=1e-9 * max(values))


@given(numbers, st.integers(2, 8))
def test_scale_of_even_spacings_is_found(start: float, decades: int) -> None:
    even = np.logspace(0, decades, 5) * start
    assert is_logarithmic(even[0], even[2], even[-1])
    even = np.linspace(start, start * 10**decades, 5)
    assert not is_logarithmic(even[0], even[2], even[-1])


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30))
def test_fence_moves_with_the_scores(scores: list[float]) -> None:
    values = np.array([*scores, np.nan])
    fence = lower_fence(values)
    assert fence in scores
    assert np.mean(np.array(scores) >= fence) >= 0.75
    assert lower_fence(values * 2.0) == 2.0 * fence
