"""Zooming: smaller spaces around the best candidates, and grids in rounds."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import loguniform, norm, randint, uniform
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV, ParameterGrid

from skhpo import GridSearch
from skhpo.exceptions import InvalidSpaceError, SkhpoWarning
from skhpo.space import Choice, Curve, Integer, Real, SearchSpace
from skhpo.space._zoom import near_best


class Peak(BaseEstimator):
    """Its score is highest where `a` is 0.03, by orders of magnitude."""

    def __init__(self, a=1.0, b=0, kind="x", noise=0.0):
        self.a, self.b, self.kind, self.noise = a, b, kind, noise

    def fit(self, X, y=None):
        """Keep a number of the split, for noise."""
        self.split_ = float(np.sum(X))
        return self

    def score(self, X, y=None):
        """Return how near `a` is."""
        noise = self.noise * np.sin(1000 * self.a + self.split_)
        return -(np.log10(self.a / 0.03) ** 2) - 0.1 * (self.kind == "y") + noise


X = np.arange(20.0)[:, np.newaxis]


def fitted(all_params, scores):
    """Return what is needed of a search."""
    scores = np.asarray(scores, float)
    columns = {f"split{i}_test_score": column for i, column in enumerate(scores.T)}
    return SimpleNamespace(
        cv_results_={
            "params": all_params,
            "mean_test_score": scores.mean(axis=1),
            **columns,
        }
    )


def of(space, all_params, scores, factor=2.0):
    """Return the dimension of the one parameter after a zoom."""
    scores = np.repeat(np.asarray(scores, float)[:, np.newaxis], 3, axis=1)
    smaller = SearchSpace(space).zoom(fitted(all_params, scores), factor=factor)
    return smaller.columns[0].dimension


# Spaces


SPACE = SearchSpace(
    {
        "a": Real(1e-3, 1e3, log=True),
        "b": Integer(1, 40),
        "c": ["x", "y", "z"],
        "d": [1, 2, 3, 5, 8],
        "e": norm(0, 2),
        "f": Choice({"p": None, "q": {"g": Real(0, 1), "h": loguniform(1, 9)}}),
    }
)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 12),
    st.floats(1.01, 50),
    st.integers(1, 5),
)
def test_no_candidate_near_the_best_is_cut_off(seed, n, factor, n_splits):
    """Whatever was scored: who is within one standard error stays in the space."""
    rng = np.random.default_rng(seed)
    all_params = SPACE.decode_many(rng.random((n, SPACE.n_columns)))
    scores = rng.normal(size=(n, n_splits)) + rng.normal(size=(n, 1))
    smaller = SPACE.zoom(fitted(all_params, scores), factor=factor)
    for row in near_best(scores):
        params = all_params[row]
        back = smaller.decode(smaller.encode(params))
        assert back.keys() == params.keys()
        for name, value in params.items():
            number = not isinstance(value, str)
            assert back[name] == (pytest.approx(value, 1e-5, 1e-6) if number else value)


@pytest.mark.parametrize("n_splits", [2, 3, 5, 10])
def test_near_the_best_is_within_one_standard_error_of_folds(n_splits):
    """Of the paired differences: their test part is 1 / (k - 1) of the train part."""
    shape = np.arange(float(n_splits))
    shape = (shape - shape.mean()) / shape.std(ddof=1)
    error = np.sqrt(1 / n_splits + 1 / (n_splits - 1))
    worse_by = [shape + 0.99 * error, shape + 1.01 * error]
    best = 10 * np.ones(n_splits)
    assert near_best(np.array([best, *(best - worse_by)])).tolist() == [0, 1]


@pytest.mark.parametrize("factor", [1.5, 2, 10])
@pytest.mark.parametrize("log", [False, True])
def test_a_range_becomes_factor_times_smaller_around_a_clear_best(factor, log):
    space = {"a": Real(1, 1000, log=log)}
    best = SearchSpace(space).decode([0.5])
    part = of(space, [best, {"a": 1.0}], [1, 0], factor)
    scale = np.log if log else np.asarray
    width = np.diff(scale([part.low, part.high]))[0]
    assert width == pytest.approx(np.diff(scale([1.0, 1000.0]))[0] / factor)
    assert scale([part.low, part.high]).mean() == pytest.approx(scale([best["a"]])[0])


def test_ends_that_are_to_be_round_numbers_are():
    """Not 1000.0000000000001, which is what powers of ten come to."""
    space = {"a": Real(1e-6, 1e6, log=True)}
    part = of(space, [{"a": 1.0}, {"a": 1e-6}], [1, 0], factor=2)
    assert (part.low, part.high) == (1e-3, 1e3)
    part = of({"a": Real(0, 0.3)}, [{"a": 0.1}, {"a": 0.3}], [1, 0], factor=3)
    assert (part.low, part.high) == (0.05, 0.15)


@given(st.floats(1e-9, 1e9), st.floats(1e-6, 1e6), st.floats(0.2, 0.8), st.booleans())
def test_rounding_leaves_no_old_range(low, width, place, log):
    """Where the part is inside of it by exact arithmetic, however narrow it is."""
    dimension = Real(low, low * (1 + width), log=log)
    best, end = SearchSpace({"a": dimension}).decode_many([[place], [0.5]])
    part = of({"a": dimension}, [best, end], [1, 0], factor=4)
    if 0.125 <= place <= 0.875:
        assert dimension.low <= part.low < part.high <= dimension.high
        assert part.low <= best["a"] <= part.high


def test_at_an_end_the_range_goes_beyond():
    part = of({"a": Real(1, 100, log=True)}, [{"a": 100.0}, {"a": 1.0}], [1, 0])
    assert (part.low, part.high) == pytest.approx((10**1.5, 10**2.5))
    part = of({"b": Integer(1, 9)}, [{"b": 9}, {"b": 1}], [1, 0])
    assert part.low <= 7
    assert part.high > 9
    part = of({"a": Real(0, 10)}, [{"a": 9.0}, {"a": 1.0}], [1, 0])
    assert (part.low, part.high) == pytest.approx(
        (5, 10)
    )  # near the end, and not at it


@pytest.mark.parametrize("factor", [1.5, 2, 4])
def test_orders_of_integers_beyond_an_end_are_those_of_a_part(factor):
    """It is as wide as inside of the range, with the best one in its middle."""
    low, high = 100, 10_000
    all_params = [{"a": high}, {"a": low}]
    part = of({"a": Integer(low, high, log=True)}, all_params, [1, 0], factor)
    assert part.high / part.low == pytest.approx(100 ** (1 / factor), rel=0.02)
    assert np.sqrt(part.high * part.low) == pytest.approx(high, rel=0.01)


@pytest.mark.parametrize(
    ("dimension", "value", "end", "limit"),
    [
        (Real(0, 1), 1.0, "high", 1),
        (Real(0.5, 1), 1.0, "high", 1),
        (Real(0.1, 1, log=True), 1.0, "high", 1),
        (Real(0, 10), 0.0, "low", 0),
        (Real(-10, 0), 0.0, "high", 0),
        (Integer(1, 9), 1, "low", 1),
        (Integer(1, 900, log=True), 1, "low", 1),
        (Integer(0, 9), 0, "low", 0),
        (Integer(2, 9), 2, "low", 1),
    ],
)
def test_signs_and_proportions_stay(dimension, value, end, limit):
    """Beyond zero, and of a proportion beyond one, there is mostly nothing."""
    other = dimension.from_unit(np.array([0.5]))[0]
    part = of({"a": dimension}, [{"a": value}, {"a": other}], [1, 0])
    assert getattr(part, end) == limit


@pytest.mark.parametrize(
    ("frozen", "same"),
    [
        (uniform(2, 8), Real(2, 10)),
        (loguniform(0.1, 10), Real(0.1, 10, log=True)),
        (randint(2, 8), Integer(2, 7)),
    ],
)
def test_distributions_that_are_ranges_are_cut_like_these(frozen, same):
    all_params = [{"a": value} for value in (3, 5)]
    assert of({"a": frozen}, all_params, [1, 0]) == of({"a": same}, all_params, [1, 0])


def test_values_without_order_are_those_near_the_best():
    all_params = [{"c": c} for c in "xyz"]
    part = of({"c": ["x", "y", "z"]}, all_params, [1, 0, 1])
    assert part.values == ("x", "z")


def test_what_belongs_to_values_that_are_gone_is_gone():
    space = SearchSpace(
        [
            {"kind": ["x"], "a": Real(0, 1)},
            {"kind": ["y"], "b": Choice({"u": {"c": Real(0, 1)}, "v": None})},
        ]
    )
    all_params = [{"kind": "x", "a": 0.5}, {"kind": "y", "b": "u", "c": 0.5}]
    smaller = space.zoom(fitted(all_params, [[0, 0], [1, 1]]))
    assert [column.name for column in smaller.columns] == [None, "kind", "b", "c"]
    assert smaller.decode(np.full(4, 0.5)) == {"kind": "y", "b": "u", "c": 0.5}


def test_a_name_may_have_another_range_in_another_dict():
    space = SearchSpace([{"a": Real(0, 1)}, {"a": Real(10, 20)}])
    smaller = space.zoom(fitted([{"a": 0.5}, {"a": 15.0}], [[1, 1], [1, 1]]))
    assert [c.dimension for c in smaller.columns[1:]] == [
        Real(0.25, 0.75),
        Real(12.5, 17.5),
    ]


def test_constraints_stay():
    space = SearchSpace({"a": Real(0, 1)}, constraints=lambda params: params["a"] < 0.5)
    smaller = space.zoom(fitted([{"a": 0.4}, {"a": 0.1}], [[1, 1], [0, 0]]))
    assert not smaller.allows({"a": 0.6})


def test_searches_of_scikit_learn_can_be_zoomed_in_on():
    search = GridSearchCV(Peak(), {"a": [0.01, 0.03, 0.1, 1, 10]}).fit(X)
    part = SearchSpace({"a": Real(0.001, 10, log=True)}).zoom(search, factor=8)
    (part,) = part.columns
    assert (part.dimension.low, part.dimension.high) == pytest.approx(
        (0.017, 0.0533), 0.02
    )


def test_of_halving_candidates_with_all_the_rows_count():
    """A score of few rows is no rival, however high by chance."""
    space = SearchSpace({"a": Real(0, 1)})
    scores = [[0.9, 0.9], [0.2, 0.3], [0.7, 0.7]]
    search = fitted([{"a": 0.1}, {"a": 0.8}, {"a": 0.8}], scores)
    search.cv_results_["n_resources"] = np.array([50, 50, 100])
    (column,) = space.zoom(search, factor=8).columns
    assert column.dimension.low > 0.5


def test_ends_are_numbers_of_python():
    space = SearchSpace({"a": Real(0, 1)})
    all_params = [{"a": np.float64(0.1)}, {"a": np.float64(0.77)}]
    (column,) = space.zoom(fitted(all_params, [[1, 0], [0, 1]])).columns
    assert {type(column.dimension.low), type(column.dimension.high)} == {float}


def test_curves_stay():
    curve = Curve(8)
    space = SearchSpace({"b": curve, "a": Real(0, 1)})
    all_params = [{"b": 3, "a": 0.5}, {"b": 8, "a": 0.0}]
    smaller = space.zoom(fitted(all_params, [[1, 1], [0, 0]]))
    assert smaller.columns[0].dimension == curve


def test_bad_input_is_refused_in_words():
    space = SearchSpace({"a": Real(0, 1)})
    good = fitted([{"a": 0.5}], [[1.0]])
    for factor in 1, "2", None, np.nan:
        with pytest.raises(ValueError, match="'factor' must be a number above 1"):
            space.zoom(good, factor=factor)
    with pytest.raises(ValueError, match="Fit it first"):
        space.zoom(GridSearch(Peak(), {"a": [1]}))
    with pytest.raises(ValueError, match="no best one"):
        space.zoom(fitted([{"a": 0.5}], [[np.nan]]))
    with pytest.raises(InvalidSpaceError, match="Zoom the space that was searched"):
        space.zoom(fitted([{"a": 7}], [[1.0]]))
    several = {"mean_test_u": [1], "mean_test_v": [1], "params": [{"a": 0.5}]}
    with pytest.raises(ValueError, match="Set 'refit' to one of them"):
        space.zoom(SimpleNamespace(cv_results_=several, refit=True))


# Grids in rounds


GRID = {"a": [1e-4, 1e-2, 1, 100], "kind": ["y", "x"]}


def zoomed(grid=GRID, **options):
    """Return a fitted search over it."""
    return GridSearch(Peak(), grid, **{"zoom": 4, **options}).fit(X)


@pytest.mark.parametrize("options", [{}, {"race": True}, {"n_levels": 3}])
def test_it_comes_nearer_to_the_optimum_from_round_to_round(options):
    """The optimum is known, and half as far away after each round, or less."""
    results = zoomed(**options).cv_results_
    rounds = np.array(results["round"])
    values = np.array([abs(np.log10(p["a"] / 0.03)) for p in results["params"]])
    nearest = [values[rounds <= n].min() for n in range(5)]
    assert set(rounds) == set(range(5))
    for n, distance in enumerate(nearest):
        assert distance <= 2 / 2 / 2**n + 1e-9


def test_the_first_round_is_the_grid_and_nothing_comes_twice():
    results = zoomed().cv_results_
    first = [
        p for p, n in zip(results["params"], results["round"], strict=True) if not n
    ]
    assert first == list(ParameterGrid(GRID))
    everything = [tuple(sorted(params.items())) for params in results["params"]]
    assert len(set(everything)) == len(everything)


def test_without_zoom_there_is_no_column():
    assert "round" not in zoomed(zoom=0).cv_results_


def test_listed_integers_stay_integers():
    results = zoomed({"b": [1, 10, 100], "a": [0.03]}, zoom=2).cv_results_
    assert all(type(params["b"]) is int for params in results["params"])


def test_it_ends_when_there_is_nothing_new():
    """Strings cannot be cut between, and one value not at all. It says so."""
    with pytest.warns(SkhpoWarning, match="zoom=4 changes nothing"):
        assert set(zoomed({"kind": ["x", "y"]}).cv_results_["round"]) == {0}


def test_two_numbers_are_no_range_and_are_said_to_be_none():
    with pytest.warns(SkhpoWarning, match="List a number between two"):
        search = zoomed({"a": [0.01, 1.0]})
    assert [p["a"] for p in search.cv_results_["params"]] == [0.01, 1.0]


def test_what_was_resumed_is_what_was_done(tmp_path):
    expected = zoomed(zoom=2)
    path = tmp_path / "journal.db"
    zoomed(zoom=1, journal=path)
    search = zoomed(zoom=2, journal=path)
    assert (
        search.reuse_.n_found == 5 * (np.array(search.cv_results_["round"]) < 2).sum()
    )
    assert search.cv_results_["params"] == expected.cv_results_["params"]


def test_halving_is_refused():
    with pytest.raises(ValueError, match="Set zoom=0, or resource=None"):
        zoomed(resource="n_samples", zoom=1)


def test_several_scores_need_one_that_decides():
    def scores(estimator, X, y=None):
        return {"u": estimator.score(X), "v": 0.0}

    with pytest.raises(ValueError, match="with 'zoom' compares"):
        zoomed(scoring=scores, refit=False)
    assert zoomed(scoring=scores, refit="u").best_params_["kind"] == "x"


def test_a_best_one_outside_of_the_grid_is_not_zoomed_in_on():
    """It is another place than the grid is about; the search goes on in the grid."""
    grid = {"a": [1.0, 10.0, 100.0]}
    search = zoomed(grid, initial_params=[{"a": 0.03}], zoom=1)
    assert search.best_params_ == {"a": 0.03}
    rounds, params = search.cv_results_["round"], search.cv_results_["params"]
    later = [p["a"] for p, n in zip(params, rounds, strict=True) if n]
    assert later
    assert max(later) <= 10


def test_initial_params_are_zoomed_in_on_too():
    search = zoomed(
        {"a": [1e-4, 1e-2, 1]}, initial_params=[{"a": 0.03}], zoom=1
    ).cv_results_
    later = [
        p["a"] for p, n in zip(search["params"], search["round"], strict=True) if n
    ]
    assert later
    assert min(later) <= 0.03 <= max(later)
