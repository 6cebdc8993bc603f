"""Spaces: round-trips, conversions, conditions, and what is refused."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.model_selection import ParameterSampler
from sklearn.svm import SVC

from skhpo.exceptions import InvalidSpaceError
from skhpo.space import Categorical, Choice, Integer, Real, SearchSpace
from skhpo.space._convert import as_dimension
from skhpo.space._discretize import discretize
from skhpo.space._sampling import SobolSequence

finite = st.floats(-1e12, 1e12)
positive = st.floats(1e-12, 1e12)
units = st.floats(0, 1)


@st.composite
def reals(draw: Any) -> Real:
    """Draw a valid range of reals."""
    log = draw(st.booleans())
    low, high = sorted(draw(st.tuples(*[positive if log else finite] * 2)))
    return Real(low, high * 1.5 + 1 if high > 0 else high / 2 + 1, log=log)


@st.composite
def integers(draw: Any) -> Integer:
    """Draw a valid range of integers."""
    log = draw(st.booleans())
    low = draw(st.integers(1 if log else -1000, 1000))
    return Integer(low, low + draw(st.integers(1, 10**6)), log=log)


values = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=3), st.floats(-1, 1)
)


@st.composite
def categoricals(draw: Any) -> Categorical:
    """Draw a list of distinct values."""
    key = lambda v: (type(v), repr(v))  # noqa: E731
    options = draw(st.lists(values, min_size=1, max_size=6, unique_by=key))
    return Categorical(options, ordered=draw(st.sampled_from([None, True, False])))


distributions = st.sampled_from(
    [
        stats.loguniform(1e-3, 1e3),
        stats.norm(3, 2),
        stats.randint(2, 30),
        stats.poisson(4),
        stats.beta(2, 5),
        stats.geom(0.3),
        stats.expon(),
    ]
).map(lambda frozen: as_dimension("x", frozen))
dimensions = st.one_of(reals(), integers(), categoricals(), distributions)


@given(dimensions, units)
def test_decoding_and_encoding_are_inverse(dimension: Any, u: float) -> None:
    """A value encodes to the center of its cell, and decodes to itself."""
    (value,) = dimension.from_unit(np.array([u]))
    center = dimension.to_unit(value)
    assert 0 <= center <= 1
    (again,) = dimension.from_unit(np.array([center]))
    if isinstance(value, float) and dimension.n_values is None:
        assert again == pytest.approx(value, rel=1e-6, abs=1e-9 * max(1, abs(value)))
    else:
        assert again is value or again == value
    snapped = dimension.snap(np.array([u]))
    np.testing.assert_allclose(dimension.snap(snapped), snapped, atol=1e-12)


@given(dimensions)
def test_rvs_draws_native_values_of_the_dimension(dimension: Any) -> None:
    """One or several, the same for the same seed."""
    value = dimension.rvs(random_state=3)
    assert not isinstance(value, np.generic)
    dimension.to_unit(value)
    assert len(dimension.rvs(5, random_state=3)) == 5
    assert repr(dimension.rvs(random_state=3)) == repr(value)


@given(st.integers(0, 2**32 - 1))
def test_points_and_params_are_inverse(seed: int) -> None:
    """In a conditional space, for any point of the cube."""
    space = SearchSpace(
        {
            "a": Real(-1, 1),
            "kind": Choice(
                {
                    "p": {"x": Real(0, 1), "n": Integer(1, 5)},
                    "q": (
                        {"x": Real(0, 1), "sub": Choice({1: {"y": [1, 2, 3]}, 2: {}})},
                        3,
                    ),
                }
            ),
        }
    )
    X = space.snap(np.random.default_rng(seed).random((5, space.n_columns)))
    for x, params in zip(X, space.decode_many(X), strict=True):
        np.testing.assert_allclose(space.encode(params), x, atol=1e-9)
        assert ("n" in params) == (params["kind"] == "p")
        assert ("y" in params) == (params.get("sub") == 1)
    np.testing.assert_array_equal(space.snap(X), X)


def test_values_come_back_as_given() -> None:
    """The same object, not a copy and not another type."""
    estimator, options = SVC(), [1, 2]
    space = SearchSpace({"a": [estimator, None], "b": [options, "x"]})
    found = [space.decode(x) for x in space.points()]
    assert found[0]["a"] is estimator
    assert found[0]["b"] is options


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((1, 10), Integer(1, 10)),
        ((1.0, 10), Real(1.0, 10.0)),
        ((1e-3, 1e3, "log-uniform"), Real(1e-3, 1e3, log=True)),
        ((1, 64, "log-uniform", 2), Integer(1, 64, log=True)),
        (range(1, 4), Categorical([1, 2, 3], ordered=True)),
        ([3, 1, 2], Categorical([1, 2, 3], ordered=True)),
        ((3, 1, 2), Categorical([1, 2, 3], ordered=True)),
        ([True, False, None], Categorical([True, False, None], ordered=False)),
        (np.array([0.5, 1.5]), Categorical([0.5, 1.5], ordered=False)),
        (("a", "b"), Categorical(["a", "b"], ordered=False)),
    ],
)
def test_what_people_write(given: Any, expected: Any) -> None:
    """Lists, ranges, arrays and skopt's tuples."""
    assert as_dimension("x", given) == expected


class FloatDistribution:
    """Looks like Optuna's."""

    def __init__(self, low: float, high: float, log: bool, step: float | None) -> None:
        self.low, self.high, self.log, self.step = low, high, log, step


class IntDistribution(FloatDistribution):
    """Looks like Optuna's."""


class CategoricalDistribution:
    """Looks like Optuna's."""

    choices = ("a", "b", "c")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (FloatDistribution(0.1, 1.0, True, None), Real(0.1, 1.0, log=True)),
        (IntDistribution(1, 9, False, 1), Integer(1, 9)),
        (IntDistribution(1, 9, False, 4), Categorical([1, 5, 9], ordered=True)),
        (CategoricalDistribution(), Categorical(["a", "b", "c"], ordered=False)),
    ],
)
def test_optuna_distributions(given: Any, expected: Any) -> None:
    """By duck typing, so Optuna need not be installed."""
    assert as_dimension("x", given) == expected


class Skopt:
    """The attributes of a dimension of scikit-optimize, which has an rvs as well."""

    transform = rvs = staticmethod(lambda value: value)

    def __init__(self, **attributes: Any) -> None:
        self.__dict__ |= attributes


class SkoptInteger(Skopt):
    """The one whose values are integers is known by its name."""


SkoptInteger.__name__ = "Integer"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (Skopt(low=1e-2, high=1e3, prior="log-uniform"), Real(0.01, 1000, log=True)),
        (Skopt(low=0, high=1, prior="uniform"), Real(0, 1)),
        (SkoptInteger(low=1, high=8, prior="log-uniform"), Integer(1, 8, log=True)),
        (Skopt(categories=("a", "b"), prior=None), Categorical(["a", "b"])),
        (
            Skopt(categories=("a", "b"), prior=[0.2, 0.8]),
            Categorical(["a", "b"], weights=[0.2, 0.8]),
        ),
    ],
)
def test_dimensions_of_skopt(given: Any, expected: Any) -> None:
    """The objects are taken, as the tuples are."""
    assert as_dimension("x", given) == expected


def test_dimensions_work_in_scikit_learn() -> None:
    """ParameterSampler draws from them."""
    space = {"C": Real(0.1, 10, log=True), "n": Integer(1, 5), "k": Categorical([1, 2])}
    drawn = list(ParameterSampler(space, 20, random_state=0))
    assert {type(params["n"]) for params in drawn} == {int}
    assert all(0.1 <= params["C"] <= 10 for params in drawn)
    assert drawn == list(ParameterSampler(space, 20, random_state=0))


@pytest.mark.parametrize(
    "frozen",
    [
        stats.loguniform(1e-3, 1e3),
        stats.norm(3, 2),
        stats.gamma(2.5, scale=3),
        stats.truncnorm(-1, 2),
        stats.poisson(4),
        stats.binom(9, 0.3),
    ],
    ids=lambda frozen: frozen.dist.name,
)
def test_distributions_are_kept_exact(frozen: Any) -> None:
    """A coordinate is a probability: `ppf` decodes it and `cdf` encodes the value."""
    dimension = as_dimension("x", frozen)
    u = np.linspace(0.01, 0.99, 50)
    values = dimension.from_unit(u)
    assert values == frozen.ppf(u).tolist()
    at = np.array([dimension.to_unit(value) for value in values])
    if hasattr(frozen.dist, "pmf"):  # the middle of the step
        np.testing.assert_allclose(at, frozen.cdf(values) - frozen.pmf(values) / 2)
    else:
        np.testing.assert_array_equal(at, frozen.cdf(values))


def test_distributions_are_drawn_exactly() -> None:
    """Uniform coordinates give scipy's own distribution."""
    space = SearchSpace({"x": stats.beta(2, 5), "k": stats.poisson(3)})
    rows = space.decode_many(np.random.default_rng(0).random((4000, 2)))
    assert stats.kstest([row["x"] for row in rows], stats.beta(2, 5).cdf).pvalue > 1e-3
    counts = np.bincount([row["k"] for row in rows]) / 4000
    np.testing.assert_allclose(counts[:6], stats.poisson(3).pmf(range(6)), atol=0.03)


def test_weights_of_branches_and_dicts() -> None:
    """A branch of weight 3 is drawn three times as often."""
    U = np.random.default_rng(0).random((4000, 9))
    for space in (
        {"k": Choice({"a": None, "b": ({"x": Real(0, 1)}, 3)})},
        [{"k": ["a"]}, ({"k": ["b"], "x": Real(0, 1)}, 3)],
    ):
        compiled = SearchSpace(space)
        rows = compiled.decode_many(U[:, : compiled.n_columns])
        assert np.mean([row["k"] == "b" for row in rows]) == pytest.approx(
            0.75, abs=0.03
        )


def test_number_of_active_columns_is_that_of_random_points() -> None:
    """Columns of a single value do not count, branches by their weights."""
    deep = Choice({"p": {"y": Real(0, 1), "z": Real(0, 1)}, "q": {"fixed": [1]}})
    heavy = ({"x": Real(0, 1), "deep": deep}, 3)
    space = SearchSpace({"k": Choice({"a": None, "b": heavy}), "n": Integer(1, 9)})
    U = np.random.default_rng(0).random((20_000, space.n_columns))
    drawn = space.active(U)[:, space.n_values > 1].sum(axis=1).mean()
    assert space.n_active == pytest.approx(drawn, abs=0.03)


def test_equal_dimensions_of_sibling_dicts_share_a_column() -> None:
    """So a surrogate learns about C from all of them."""
    space = SearchSpace([{"C": Real(1, 2), "a": [1, 2]}, {"C": Real(1, 2)}])
    assert [column.name for column in space.columns] == [None, "C", "a"]
    assert space.active(np.array([[0.9, 0.5, 0.5]])).tolist() == [[True, True, False]]


def test_size_and_points() -> None:
    """Finite spaces know their points."""
    space = SearchSpace(
        {"n": [1, 2, 3], "k": Choice({"a": None, "b": {"m": [True, False]}})}
    )
    assert space.size == 9
    rows = space.decode_many(space.points())
    assert rows[:3] == [
        {"n": 1, "k": "a"},
        {"n": 1, "k": "b", "m": True},
        {"n": 1, "k": "b", "m": False},
    ]
    assert len({repr(row) for row in rows}) == 9
    assert SearchSpace({"x": Real(0, 1)}).size == math.inf


@pytest.mark.parametrize(
    ("values", "n_levels", "expected"),
    [
        (Real(0.01, 100, log=True), 5, [0.01, 0.1, 1, 10, 100]),
        (Real(-1, 1), 1, [0]),
        (Integer(1, 3), 5, [1, 2, 3]),
        (Integer(0, 100), 3, [0, 50, 100]),
        (Integer(1, 4, log=True), 4, [1, 2, 3, 4]),
        (Integer(1, 1000, log=True), 4, [1, 10, 100, 1000]),
        ([3, 1], 5, [3, 1]),
        (Categorical(["a", "b", "c"], weights=[1, 1, 8]), 2, ["a", "b", "c"]),
        ((1e-2, 1e2, "log-uniform"), 3, [0.01, 1, 100]),
        (stats.loguniform(0.01, 100), 3, [0.01, 1, 100]),
        (stats.randint(1, 4), 9, [1, 2, 3]),
        (stats.randint(0, 101), 3, [0, 50, 100]),
        (stats.uniform(2, 4), 3, [2, 4, 6]),
        # These fade out: medians of parts of equal probability.
        (stats.norm(3, 2), 3, stats.norm(3, 2).ppf([1 / 6, 1 / 2, 5 / 6])),
        (stats.beta(2, 5), 2, stats.beta(2, 5).ppf([1 / 4, 3 / 4])),
        (stats.poisson(4), 3, stats.poisson(4).ppf([1 / 6, 1 / 2, 5 / 6])),
        (stats.geom(0.9), 9, [1, 2]),
    ],
)
def test_ranges_become_lists_of_quantiles(
    values: Any, n_levels: int, expected: Any
) -> None:
    """Bounds included if there are any; each value once, in ascending order."""
    space = discretize(SearchSpace({"x": values}), n_levels)
    found = [params["x"] for params in space.decode_many(space.points())]
    assert found == (
        expected if isinstance(expected[0], str) else pytest.approx(list(expected))
    )
    assert not any(isinstance(value, np.generic) for value in found)


@given(dimensions, st.integers(1, 9))
def test_levels_are_distinct_values_of_the_dimension(dimension: Any, n: int) -> None:
    """As many as asked for, as far as there are so many."""
    space = discretize(SearchSpace({"x": dimension}), n)
    found = [params["x"] for params in space.decode_many(space.points())]
    for value in found:
        dimension.to_unit(value)
    assert len(found) == len({repr(value) for value in found}) >= 1
    if not isinstance(dimension, Categorical):
        assert len(found) <= n
        assert found == sorted(found)
        if dimension.n_values is not None and dimension.n_values <= n:
            assert len(found) == dimension.n_values


def test_levels_by_name_and_in_branches() -> None:
    """A dict names all ranges, at any depth; conditions and constraints stay."""
    kernel = Choice({"linear": None, "rbf": {"g": Real(0, 1)}})
    space = SearchSpace(
        {"C": Real(1, 2), "kernel": kernel}, lambda params: params.get("g") != 0.5
    )
    finite = discretize(space, {"C": 2, "g": 3})
    rows = finite.decode_many(finite.points())
    assert rows == [
        {"C": C, "kernel": "rbf", "g": g} if g is not None else {"C": C, "kernel": k}
        for C in (1.0, 2.0)
        for k, g in (("linear", None), ("rbf", 0.0), ("rbf", 1.0))
    ]
    assert discretize(finite, 7).subspaces() == finite.subspaces()


def test_complete_keeps_what_it_can() -> None:
    """An estimator's own values become a point of the space."""
    space = SearchSpace(
        {"C": Real(0.1, 0.5), "kernel": ["rbf", "linear"], "n": Integer(2, 9)}
    )
    params = space.decode(
        space.complete({"C": 1.0, "kernel": "linear", "n": None, "z": 0})
    )
    assert params == {"C": 0.5, "kernel": "linear", "n": 6}


@pytest.mark.parametrize("fractions", [Real(0.01, 0.5), stats.uniform(0.01, 0.49)])
def test_complete_takes_counts_for_small_fractions(fractions: Any) -> None:
    """A tree's ``min_samples_split=2`` is next to nothing, not half of the rows."""
    space = SearchSpace({"share": fractions})
    nearest = [
        space.decode(space.complete({"share": value}))["share"]
        for value in (2, 1, 0.2, 0, 1.0, 7.5, -3)
    ]
    assert nearest == pytest.approx([0.01, 0.01, 0.2, 0.01, 0.5, 0.5, 0.01])
    assert Real(0, 3).clip(5) == 3


def test_problems_are_those_of_the_closest_dict() -> None:
    """Not those of the first dict of a list, which was never meant."""
    space = SearchSpace(
        [{"kernel": ["linear"], "C": [1, 2]}, {"kernel": ["rbf"], "gamma": [3, 4]}]
    )
    with pytest.raises(InvalidSpaceError, match=r"space: 5 is not among \[3, 4\]"):
        space.encode({"kernel": "rbf", "gamma": 5})


def test_exceptions_of_constraints_are_explained() -> None:
    """With the name of the predicate and the params."""

    def is_small(params: Any) -> bool:
        return params["y"] < 1

    space = SearchSpace({"x": [1]}, is_small)
    message = r"is_small raised KeyError: 'y', for the params {'x': 1}"
    with pytest.raises(InvalidSpaceError, match=message):
        space.points()


def test_sobol_points_are_uniform_and_continue() -> None:
    """Drawing twice continues the sequence."""
    draw, whole = (SobolSequence(3, np.random.default_rng(0)) for _ in "ab")
    np.testing.assert_array_equal(np.vstack([draw(3), draw(5)]), whole(8))


def test_constraints_filter_samples_and_grids() -> None:
    """Only feasible points are drawn."""
    space = SearchSpace(
        {"a": Integer(0, 9), "b": Integer(0, 9)}, lambda p: p["a"] < p["b"]
    )
    rng = np.random.default_rng(0)
    rows = space.decode_many(space.sample(50, lambda m: rng.random((m, 2))))
    assert all(row["a"] < row["b"] for row in rows)
    assert len(space.points()) == 45


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Real(0, 1, log=True), "must be positive for log=True.*Got 0"),
        (lambda: Real(2, 1), "ascending order. Got low=2 and high=1"),
        (lambda: Real(1, 1), r"must differ. Got 1 twice.*\[1\]"),
        (lambda: Real("a", 1), "'low' bound of Real must be a number. Got 'a'"),
        (lambda: Real(0, math.inf), "'high' bound of Real must be finite"),
        (lambda: Integer(1.5, 3), "'low' bound of Integer must be an integer. Got 1.5"),
        (lambda: Categorical([]), "must not be empty"),
        (lambda: Categorical("abc"), "must be a list. Got 'abc'"),
        (lambda: Categorical([1, 2, 1]), "must be distinct. Got 1 more than once"),
        (lambda: Categorical(["a", "b"], weights=[1]), "must be 2 positive numbers"),
        (lambda: Choice([1, 2]), "Choice takes a dict"),
        (lambda: Choice({}), "at least one value"),
        (lambda: SearchSpace({"x": "rbf"}), r"Parameter 'x'.*Got 'rbf'.*\['rbf'\]"),
        (lambda: SearchSpace({"x": 3}), r"Parameter 'x'.*Got 3 instead; write \[3\]"),
        (lambda: SearchSpace({"x": []}), "Parameter 'x': A list of values must not be"),
        (lambda: SearchSpace({"x": (5, 1)}), "Parameter 'x'.*low=5 and high=1"),
        (
            lambda: SearchSpace({"C": (1e-2, 1e3, "loguniform")}),
            r"Parameter 'C'.*did you mean 'log-uniform'\?.*the list \[0.01, 1000.0",
        ),
        (lambda: SearchSpace({"x": (1, 9, "sqrt")}), "'sqrt' is not known.*none of"),
        (lambda: SearchSpace({"x": stats.loguniform(0, 1)}), "no quantiles"),
        (lambda: SearchSpace({"x": stats.loguniform}), "family of distributions"),
        (lambda: SearchSpace({3: [1]}), "names must be strings. Got 3"),
        (lambda: SearchSpace("x"), "must be a dict"),
        (lambda: SearchSpace([]), "must not be empty"),
        (lambda: SearchSpace([3]), "must be dicts or pairs"),
        (
            lambda: SearchSpace({"x": [1]}, constraints=3),
            "constraint must be a callable",
        ),
        (lambda: SearchSpace({"x": np.zeros((2, 2))}), r"one dimension.*\(2, 2\)"),
        (
            lambda: SearchSpace({"C": [1], "k": Choice({"a": {"C": [2]}})}),
            "Parameter 'C' is named twice",
        ),
        (
            lambda: SearchSpace(
                {
                    "a": Choice({1: {"x": [1, 2]}, 2: None}),
                    "b": Choice({1: {"x": [1, 2]}, 2: None}),
                }
            ),
            "Parameter 'x' is named twice",
        ),
        (
            lambda: SearchSpace({"x": Real(0, 1)}, lambda p: False).sample(
                1, lambda m: np.full((m, 1), 0.5)
            ),
            "No candidate met the constraints in 1",
        ),
        (lambda: SearchSpace({"x": [1, 2]}).encode({"x": 3}), "3 is not among"),
        (
            lambda: discretize(SearchSpace({"x": Real(0, 1)}), 0),
            "'n_levels' must be a positive integer.*Got 0",
        ),
        (
            lambda: discretize(SearchSpace({"x": Real(0, 1)}), {}),
            "'n_levels' has no number for the range 'x'",
        ),
        (
            lambda: discretize(SearchSpace({"x": Real(0, 1)}), {"x": 2, "y": 3}),
            r"a number for 'y', which is no range.*a dict of such for \['x'\]",
        ),
        (lambda: SearchSpace({"x": [1, 2]}).encode({}), "parameter 'x' is missing"),
        (lambda: SearchSpace({"x": [1]}).encode({"x": 1, "y": 2}), "'y' is unknown"),
    ],
)
def test_mistakes_are_named_with_a_remedy(make: Any, message: str) -> None:
    """Every message says which value, and what would do."""
    with pytest.raises(InvalidSpaceError, match=f"(?s){message}"):
        make()


def test_a_space_shows_what_depends_on_what() -> None:
    kinds = Choice({"rbf": {"gamma": Real(0.1, 1)}, "linear": {}})
    shown = repr(SearchSpace({"C": Real(1, 10), "kernel": kinds})).splitlines()
    assert shown[1] == "  C: Real(low=1, high=10, log=False)"
    assert shown[3] == "    gamma: Real(low=0.1, high=1, log=False)  if 'rbf'"


@pytest.mark.parametrize(
    "dimension",
    [
        Categorical(["b", "a"]),
        Categorical([3, 1, 2]),
        Categorical([3, 1, 2], weights=[1, 2, 3]),
        Categorical([SVC(), None], ordered=False),
        Categorical(range(10**6)),
        Categorical(np.arange(5000) / 7),
    ],
    ids=lambda dimension: repr(dimension)[:40],
)
def test_a_list_of_values_is_pickled_as_given(dimension):
    """What follows from it is found again, also in a pickle that has all of it."""
    again = pickle.loads(pickle.dumps(dimension))
    whole = object.__new__(Categorical)
    whole.__setstate__(vars(dimension))
    units = np.linspace(0, 1, 7)
    for other in (again, whole):
        assert repr(other) == repr(dimension)
        assert other.index(units).tolist() == dimension.index(units).tolist()
        assert other.place(other.at(1)) == 1
    assert whole == dimension
    assert set(dimension.__getstate__()) == {"values", "ordered", "weights"}


@pytest.mark.parametrize("values", [["x", "y"], [True, False], [b"x", None, "x"]])
def test_a_scalar_of_numpy_stands_for_the_value_that_it_is(values):
    """Arrays of parameters hold such."""
    listed = Categorical(values)
    for place, value in enumerate(values):
        if value is not None:
            assert listed.place(np.array([value])[0]) == place
    with pytest.raises(InvalidSpaceError, match="is not among"):
        listed.place(np.str_("z"))
    with pytest.raises(InvalidSpaceError, match="is not among"):
        Categorical([0, 1]).place(np.True_)
