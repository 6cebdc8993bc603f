"""Long lists of numbers are indexed: nothing lists, hashes, sorts or walks them.

Most of these would not end, or not fit into memory, if anything did.
"""

from __future__ import annotations

import sys
import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.model_selection import ParameterSampler
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline

from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch
from skhpo.exceptions import InvalidSpaceError
from skhpo.optimizers import BayesOptimizer, GridOptimizer, RandomOptimizer, Trial
from skhpo.optimizers import _enumerated as enumerated
from skhpo.optimizers._maximize import Objective, flip
from skhpo.optimizers._perturb import Sampled, perturbation_rule
from skhpo.plots import ParallelDisplay
from skhpo.search._check import check_against_estimator
from skhpo.space import Categorical, Choice, Integer, SearchSpace
from skhpo.space._convert import as_dimension
from skhpo.space._values import LONG
from skhpo.surrogates import GaussianProcess, _embedding

pytestmark = pytest.mark.usefixtures("few_trees")

X, Y = np.zeros((8, 1)), np.arange(8.0)


class Fake(RegressorMixin, BaseEstimator):
    """Has a score that its parameters decide, and takes no time."""

    def __init__(self, a: Any = 1, b: Any = 1) -> None:
        self.a, self.b = a, b

    def fit(self, X: Any, y: Any) -> Fake:
        return self

    def partial_fit(self, X: Any, y: Any) -> Fake:
        return self

    def predict(self, X: Any) -> Any:
        return np.zeros(len(X))

    def score(self, X: Any, y: Any) -> float:
        return -float(self.a)


class FloatDistribution:
    """Looks like Optuna's."""

    def __init__(self, low: Any, high: Any, step: Any, log: bool = False) -> None:
        self.low, self.high, self.step, self.log = low, high, step, log


class IntDistribution(FloatDistribution):
    """Looks like Optuna's."""


# By name: what people write, whether a number is in it, the type of its values.
LISTS: dict[str, tuple[Any, Any, type]] = {
    "range": (range(10**15), lambda v: 0 <= v < 10**15, int),
    "seeds": (range(2**32), lambda v: 0 <= v < 2**32, int),
    "huge range": (range(10**20), lambda v: 0 <= v < 10**20, int),
    "backwards": (range(10**18, 0, -7), lambda v: v in range(10**18, 0, -7), int),
    "stepped floats": (
        FloatDistribution(0.0, 1e6, 1e-3),
        lambda v: 0 <= v <= 1e6 and round(v / 1e-3) * 1e-3 == v,
        float,
    ),
    "stepped integers": (
        IntDistribution(5, 10**15, 3),
        lambda v: 5 <= v <= 10**15 and (v - 5) % 3 == 0,
        int,
    ),
    "randint": (
        stats.randint(0, 2**63 - 1),
        lambda v: 0 <= v < 2**63 - 1,
        int,
    ),
    "Integer": (Integer(0, 10**30), lambda v: 0 <= v <= 10**30, int),
    "log": ((1, 10**18, "log-uniform"), lambda v: 1 <= v <= 10**18, int),
    "no order": (
        Categorical(range(10**12), ordered=False),
        lambda v: 0 <= v < 10**12,
        int,
    ),
}
SEARCHES: dict[str, Any] = {
    "random": lambda space: RandomSearch(Fake(), space, n_iter=4, random_state=0),
    "sobol": lambda space: RandomSearch(
        Fake(), space, n_iter=4, sampling="sobol", random_state=0
    ),
    "anneal": lambda space: RandomSearch(
        Fake(), space, n_iter=6, strategy="anneal", random_state=0
    ),
    "gp": lambda space: BayesSearch(Fake(), space, n_iter=12, random_state=0),
    "forest": lambda space: BayesSearch(
        Fake(), space, n_iter=12, surrogate="forest", random_state=0
    ),
    "tpe": lambda space: BayesSearch(
        Fake(), space, n_iter=12, surrogate="tpe", random_state=0
    ),
    "population": lambda space: PBTSearch(
        Fake(), space, population_size=4, n_generations=3, random_state=0
    ),
}


@pytest.mark.thinned
@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("search_name", SEARCHES)
def test_searches_draw_native_values(name: str, search_name: str) -> None:
    """As ``values[i]`` is, beside another parameter, and in a branch."""
    values, is_among, kind = LISTS[name]
    spaces: list[dict[str, Any]] = [{"a": values, "b": [1, 2]}]
    if search_name == "random":
        spaces.append({"b": Choice({1: {"a": values}, 2: None})})
    for space in spaces:
        search = clone(SEARCHES[search_name](space)).set_params(cv=2).fit(X, Y)
        drawn = [p["a"] for p in search.cv_results_["params"] if "a" in p]
        assert drawn
        assert all(type(value) is kind and is_among(value) for value in drawn)
        assert len(set(drawn)) > 1


@pytest.mark.parametrize("kind", ["range", "huge range", "stepped floats"])
@pytest.mark.parametrize("constraints", [None, lambda params: True])
def test_a_grid_of_too_many_says_how_many(kind: str, constraints: Any) -> None:
    """Before it lists them; in a condition as well."""
    values = LISTS[kind][0]
    n = as_dimension("a", values).n_values
    for space in (
        {"a": values, "b": [1, 2]},
        [{"a": values}, {"a": values}],
        {"b": Choice({1: {"a": values}, 2: {"a": values}})},
    ):
        search = GridSearch(Fake(), space, cv=2, constraints=constraints)
        with pytest.raises(InvalidSpaceError, match=f"has {2 * n} combinations"):
            search.fit(X, Y)


def test_a_long_grid_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred thousand values are no mistake; the limit itself is none either."""
    grid = GridOptimizer({"a": range(10**5), "b": [1]})
    assert grid.n_candidates == 10**5
    conditional = Choice({1: {"a": range(5000)}, 2: None})
    assert GridOptimizer({"b": conditional}).n_candidates == 5001
    monkeypatch.setattr(enumerated, "MAX_COMBINATIONS", 12)
    assert GridOptimizer({"a": range(12)}).n_candidates == 12
    with pytest.raises(InvalidSpaceError, match="13 combinations"):
        GridOptimizer({"a": range(13)})


@pytest.mark.parametrize(
    "space",
    [
        {"a": range(2**32), "b": [1, 2]},
        {"a": range(10**15)},
        {"a": np.linspace(0, 1, 10**5), "b": ["x", "y"]},
        {"a": range(2**62), "b": stats.uniform()},
        [{"a": range(10**9)}, {"a": range(10**9), "b": range(10**9)}],
    ],
)
def test_draws_are_those_of_scikit_learn(space: Any) -> None:
    """Wherever that can draw."""
    ours = RandomOptimizer(space, 5, random_state=3).ask(9)
    theirs = list(ParameterSampler(space, 5, random_state=3))
    assert [candidate.params for candidate in ours] == theirs


@pytest.mark.parametrize(
    "space",
    [
        {f"p{i}": range(100) for i in range(12)},
        {"a": range(10**20)},
        {"a": range(10**20), "b": stats.uniform()},
        [{"a": range(2**62)}, {"b": range(2**63)}, {"c": [1, 2]}],
    ],
    ids=["product", "range", "beside a distribution", "several dicts"],
)
def test_more_combinations_than_scikit_learn_counts_are_drawn(space: Any) -> None:
    """Uniformly, repeatably, none twice."""
    with pytest.raises((OverflowError, ValueError)):
        list(ParameterSampler(space, 5, random_state=0))
    runs = [RandomOptimizer(space, 300, random_state=0).ask(999) for _ in "ab"]
    drawn, again = [[candidate.params for candidate in run] for run in runs]
    assert drawn == again
    assert len({repr(params) for params in drawn}) == len(drawn) == 300
    assert drawn != [c.params for c in RandomOptimizer(space, 300, 1).ask(999)]
    if isinstance(space, dict):
        name, values = next(iter(space.items()))
        n = as_dimension(name, values).n_values
        assert all(0 <= params[name] < n for params in drawn)
        shares = np.array([params[name] / n for params in drawn])
        assert stats.kstest(shares, "uniform").pvalue > 1e-3
    else:  # a dict is drawn as often as it has combinations
        counts = [sum(name in params for params in drawn) for name in "abc"]
        assert counts[2] == 0
        assert stats.binomtest(counts[0], 300, 1 / 3).pvalue > 1e-3


def test_more_than_two_to_the_63_from_the_search() -> None:
    """The whole way, with the columns of the results."""
    space = {"a": range(10**20), "b": range(2**60)}
    search = RandomSearch(Fake(), space, n_iter=3, random_state=0, cv=2).fit(X, Y)
    columns = search.cv_results_["param_a"], search.cv_results_["param_b"]
    params = search.cv_results_["params"]
    assert [(p["a"], p["b"]) for p in params] == list(zip(*columns, strict=True))


@pytest.mark.parametrize(
    "array",
    [
        np.arange(10**6)[::-1] * 0.25,
        np.arange(3000, dtype=np.uint8 if LONG < 256 else np.uint16),
        pd.Series(np.arange(5000.0)),
    ],
    ids=["floats", "small integers", "series"],
)
def test_arrays_are_kept_as_arrays(array: Any) -> None:
    """In order, copied, and native when drawn."""
    dimension = as_dimension("a", array)
    assert isinstance(dimension, Categorical)
    assert isinstance(dimension.values, np.ndarray)
    assert dimension.ordered
    ends = dimension.from_unit(np.array([0.0, 1.0]))
    assert ends == [min(np.asarray(array)), max(np.asarray(array))]
    assert not any(isinstance(end, np.generic) for end in ends)
    assert dimension == as_dimension("a", array)
    middle = dimension.at(1234)
    assert dimension.place(middle) == 1234
    assert dimension.from_unit(np.array([dimension.to_unit(middle)])) == [middle]


@pytest.mark.parametrize("ordered", [None, True, False])
def test_an_array_stays_the_callers(ordered: bool | None) -> None:
    """What is written into it changes no space, and it can be written into."""
    array = np.arange(5000.0)[::-1].copy()
    dimension = Categorical(array, ordered=ordered)
    first = dimension.at(0)
    array[:] = -1.0
    assert dimension.at(0) == first == (0.0 if ordered is None else 4999.0)
    assert dimension.place(0.0) == (0 if ordered is None else 4999)


def test_draws_of_our_own_are_without_replacement() -> None:
    """Each combination of all the dicts once, where there are no more than that."""
    spaces = [{"a": [1, 2, 3], "b": "xy"}, {"a": [4]}]
    drawn = list(enumerated._draw(spaces, 7, np.random.RandomState(0)))
    assert len({repr(sorted(params.items())) for params in drawn}) == 7


def test_a_repeated_number_of_an_array_is_named() -> None:
    """As of a list; and a message shows few numbers."""
    array = np.append(np.arange(5000.0), 17.0)
    with pytest.raises(InvalidSpaceError, match=r"distinct\. Got 17\.0 more"):
        SearchSpace({"a": array})
    for values in (np.arange(5000.0), list(range(5000)), range(5000)):
        with pytest.raises(InvalidSpaceError, match="-1 is not among") as caught:
            SearchSpace({"a": values}).encode({"a": -1})
        assert len(str(caught.value)) < 400


def test_a_long_list_means_what_a_short_one_does() -> None:
    """The same places, levels and values, whether it is listed or not."""
    n = LONG + 1
    as_list, as_range = Categorical(list(range(n))), Categorical(range(n))
    assert as_list._places is not None
    assert as_range._places is None
    u = np.linspace(0, 1, 777)
    assert as_list.from_unit(u) == as_range.from_unit(u)
    np.testing.assert_array_equal(as_list.snap(u), as_range.snap(u))
    np.testing.assert_array_equal(as_list.levels(7), as_range.levels(7))
    for value in (0, 1.0, np.int64(n - 1)):
        assert as_list.to_unit(value) == as_range.to_unit(value)
    for value in (-1, 0.5, n, "a", None, float("nan"), float("inf"), True):
        for dimension in (as_list, as_range):
            with pytest.raises(InvalidSpaceError, match="is not among"):
                dimension.to_unit(value)
    rules = [perturbation_rule("a", values) for values in (list(range(n)), range(n))]
    for value, factor in ((0, 0.8), (0, 1.25), (n - 1, 1.25), (500, 0.8)):
        assert rules[0].perturb(value, factor) == rules[1].perturb(value, factor)
    one, other = (rule.sample(np.random.default_rng(0)) for rule in rules)
    assert one == other


def test_a_population_steps_along_a_range_backwards() -> None:
    """Up is up, whichever way it was written."""
    rule = perturbation_rule("a", range(10**20, 0, -5))
    assert rule.perturb(50, 1.25) == 55
    assert rule.perturb(5, 0.8) == 10
    drawn = {rule.sample(np.random.default_rng(i)) for i in range(9)}
    assert len(drawn) == 9
    assert all(value in range(10**20, 0, -5) for value in drawn)
    array = perturbation_rule("a", np.linspace(9.0, 0.0, 2001))
    assert array.perturb(0.0045, 1.25) == pytest.approx(0.009)
    listed = perturbation_rule("a", as_dimension("a", range(10**18)))
    assert listed.perturb(10**17, 1.25) == 10**17 + 1


@pytest.mark.parametrize(
    ("values", "given"),
    [
        (range(10**15), 7),
        (range(10**30), 10**29),
        (range(10**20, 0, -5), 10**19),
        (np.arange(10**5) * 0.5, 1234.5),
        (np.repeat(np.arange(2000), 2), 1999),
        (Categorical(range(10**15)), 7),
    ],
    ids=["range", "huge range", "backwards", "array", "repeating", "own"],
)
def test_members_are_born_with_a_value_of_a_long_list(values: Any, given: Any) -> None:
    """It is found; another one is refused, in few words."""
    search = PBTSearch(Fake(), {"a": values}, population_size=2, n_generations=1, cv=2)
    search.set_params(initial_params=[{"a": given}], random_state=0).fit(X, Y)
    assert search.cv_results_["params"][0] == {"a": given}
    for bad in (-1, 10**31, 0.25, "x", None, float("nan")):
        search.set_params(initial_params=[{"a": bad}])
        with pytest.raises(InvalidSpaceError, match="is not a value of") as caught:
            search.fit(X, Y)
        assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "values",
    [
        range(-3, 10**15),
        range(10**15, -3, -1),
        np.where(np.arange(1, 10**5) == 1234, 0, np.arange(1, 10**5)),
        [*range(1, 9000), 0],
    ],
    ids=["ascending", "descending", "array", "list"],
)
def test_values_that_the_estimator_rejects_are_found(values: Any) -> None:
    """At the ends of a range, and wherever they are in an array."""
    estimator = make_pipeline(KNeighborsRegressor())
    space = [{"kneighborsregressor__n_neighbors": values}]
    with pytest.raises(ValueError, match="'n_neighbors' parameter"):
        check_against_estimator(estimator, space, check_values=True)


def test_axes_of_long_lists_are_drawn() -> None:
    """Only what was tried is shown."""
    pytest.importorskip("matplotlib")
    space = {"a": range(1, 10**15), "b": range(2, 2**40, 2)}
    search = BayesSearch(Fake(), space, n_iter=6, random_state=0, cv=2).fit(X, Y)
    ParallelDisplay.from_search(search)


# -- steps of a search -----------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        Integer(0, 10_000),
        Integer(1, 10_000, log=True),
        range(0, 10_000, 3),
        stats.randint(0, 5000),
        stats.binom(9000, 0.3),
    ],
    ids=["integers", "log", "range", "randint", "binom"],
)
@pytest.mark.parametrize("distance", [-2, -1, 1, 2])
def test_after_flips_no_step_is_better(values: Any, distance: int) -> None:
    """Of one or two numbers up or down, in a range that is too long to be listed."""
    space = SearchSpace({"x": values, "y": [1, 2, 3]})
    start = space.snap(np.array([[0.4, 0.5]]))
    step = 3 if isinstance(values, range) else 1
    best = space.decode(start[0])["x"] + distance * step

    def value(Z: Any) -> Any:
        return np.array([-abs(p["x"] - best) - p["y"] for p in space.decode_many(Z)])

    found, scores = flip(Objective(value), start.copy(), space)
    assert space.decode(found[0]) == {"x": best, "y": 1}
    assert scores == pytest.approx([-1])
    for other in (-2, -1, 1, 2):
        x = space.encode({"x": best + other * step, "y": 1})
        assert value(x[np.newaxis])[0] < scores[0]


@pytest.mark.parametrize("missing", ["ppf", "cdf", "support"])
def test_what_lacks_a_part_of_a_distribution_is_only_drawn(missing: str) -> None:
    """It does not say what is near a value, so nothing moves."""

    class Partial:
        def rvs(self, random_state: Any = None) -> float:
            return 0.5

        def __getattr__(self, name: str) -> Any:
            if name in {"ppf", "cdf", "support"} - {missing}:
                return getattr(stats.uniform(), name)
            raise AttributeError(name)

    rule = perturbation_rule("x", Partial())
    assert isinstance(rule, Sampled)
    assert rule.perturb(0.25, 1.25) == 0.25
    assert rule.sample(np.random.default_rng(0)) == 0.5
    search = PBTSearch(Fake(), {"a": Partial()}, population_size=2, n_generations=2)
    assert search.set_params(cv=2).fit(X, Y).best_params_ == {"a": 0.5}
    with pytest.raises(InvalidSpaceError, match="has rvs but no ppf, cdf and support"):
        SearchSpace({"x": Partial()})


def test_sizes_are_exact() -> None:
    """However many points there are."""
    assert SearchSpace({"a": range(10**20), "b": Integer(1, 7)}).size == 7 * 10**20
    many = {f"p{i}": Integer(0, 10**30) for i in range(30)}
    assert SearchSpace(many).size == (10**30 + 1) ** 30 > sys.float_info.max


# -- long categories -------------------------------------------------------------------


@pytest.mark.parametrize("n", [100, 10**5])
def test_a_flip_looks_at_a_bounded_number_of_values(n: int) -> None:
    """At all of a short category; of a long one, those at hand among them."""
    space = SearchSpace({"a": [f"s{i}" for i in range(n)], "b": ["x", "y"]})
    X = space.snap(np.random.default_rng(0).random((8, 2)))
    looked_at: list[int] = []
    best = X[5, 0]

    def value(Z: Any) -> Any:
        looked_at.append(len(Z))
        return np.where(Z[:, 0] == best, 1.0, 0.0) + (Z[:, 1] > 0.5)

    found, scores = flip(Objective(value), X.copy(), space)
    assert scores == pytest.approx([2] * 8)
    assert np.all(found[:, 0] == best)
    assert max(looked_at) == 8 * 102 if n == 100 else max(looked_at) < 8 * 150


def test_values_that_were_not_observed_are_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So that a Gaussian process needs no coordinate for each of them."""
    names = [f"s{i}" for i in range(300)]
    branches = [(name, {"g": Integer(0, 9)} if name > "s2" else None) for name in names]
    space = SearchSpace({"a": names, "b": Choice(branches), "c": stats.uniform()})
    rng = np.random.default_rng(0)
    X, Z = (space.snap(rng.random((m, space.n_columns))) for m in (40, 300))
    Z = np.concatenate([Z, X])
    y = np.sin(np.nansum(9 * X, axis=1))
    short = GaussianProcess(space).fit(X, y)
    likelihood = short.profile_log_likelihood(X[:30], y[:30, np.newaxis])
    assert short.embedding(Z).shape[1] < 100
    monkeypatch.setattr(_embedding, "MAX_COORDINATES", 300)
    full = GaussianProcess(space).fit(X, y)
    assert full.embedding(Z).shape[1] > 600
    for one, other in zip(short.predict(Z), full.predict(Z), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    again = full.profile_log_likelihood(X[:30], y[:30, np.newaxis])
    np.testing.assert_allclose(likelihood, again, rtol=1e-6)


@pytest.mark.parametrize("surrogate", ["gp", "forest", "tpe"])
@pytest.mark.parametrize("n", [4000, 10**5])
def test_a_long_list_of_strings_needs_little_memory(surrogate: str, n: int) -> None:
    """Whether its points are enumerated or searched, and whatever the model."""
    space = SearchSpace({"a": [f"s{i}" for i in range(n)]})
    optimizer = BayesOptimizer(space, surrogate=surrogate, n_initial=4, random_state=0)
    tracemalloc.start()
    try:
        for _ in range(8):
            (candidate,) = optimizer.ask(1)
            score = float(candidate.params["a"][1:]) / n
            optimizer.tell([Trial.from_scores(candidate, (score,))])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5e7
