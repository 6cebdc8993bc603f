"""Dimensions at the ends of what numbers can hold: inside of their bounds, always."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy import stats

from skhpo.exceptions import InvalidSpaceError
from skhpo.optimizers import BayesOptimizer, GridOptimizer, RandomOptimizer
from skhpo.optimizers._perturb import perturbation_rule
from skhpo.space import Categorical, Integer, Real, SearchSpace
from skhpo.space._convert import as_dimension
from skhpo.space._values import Steps, count, find, nearest_place

ENDS = [0.0, 5e-324, 1e-300, 2.0**-53, 0.5, 1.0 - 2.0**-53, 1.0]
units = st.one_of(st.sampled_from(ENDS), st.floats(0, 1))
floats = st.floats(allow_nan=False, allow_infinity=False)
positive = st.floats(5e-324, allow_infinity=False)


@pytest.fixture(autouse=True)
def strict() -> Iterator[None]:
    """Whoever has NumPy raise for overflow and the like meets no such error here."""
    with np.errstate(all="raise"):
        yield


@st.composite
def reals(draw: Any) -> Real:
    """Draw a range of reals: of any width, as narrow as two neighbors."""
    log = draw(st.booleans())
    low = draw(positive if log else floats)
    widths = st.sampled_from([math.nextafter(low, math.inf), 1.7e308])
    high = draw(st.one_of(positive if log else floats, widths))
    assume(low < high < math.inf)
    return Real(low, high, log=log)


@st.composite
def integers(draw: Any) -> Integer:
    """Draw a range of integers that floats may not tell apart."""
    log = draw(st.booleans())
    low = draw(st.integers(-(10**30), 10**30) | st.sampled_from([1, 2**53 + 1, 2**63]))
    width = st.integers(1, 9) | st.integers(1, 10**30)
    width |= st.sampled_from([2**53, 2**63 - 2, 10**308])
    low = abs(low) + 1 if log else low
    return Integer(low, low + draw(width), log=log)


weighted = st.lists(st.floats(5e-324, 1.7e308), min_size=1, max_size=9).map(
    lambda weights: Categorical(range(len(weights)), weights=weights)
)
distributions = st.sampled_from(
    [
        stats.randint(0, 2**63 - 1),
        stats.randint(-(2**62), 2**62),
        stats.randint(2**53 + 1, 2**53 + 4),
        stats.randint(3, 4),
        stats.poisson(4),
        stats.binom(1000, 0.5),
        stats.norm(),
        stats.cauchy(),
        stats.levy(),
        stats.expon(),
        stats.uniform(1e300, 1e300),
        stats.loguniform(1e-300, 1e300),
        stats.lognorm(200),
        stats.rv_discrete(values=([1, 5, 9], [0.5, 0.25, 0.25])).freeze(),
    ]
).map(lambda frozen: as_dimension("x", frozen))
steps = st.tuples(floats, floats, positive)


def bounds(dimension: Any) -> tuple[Any, Any]:
    """Return the lowest and the highest value of a dimension."""
    if isinstance(dimension, Categorical):
        return 0, dimension.n_values - 1
    if isinstance(dimension, Real | Integer):
        return dimension.low, dimension.high
    return dimension.frozen.support()


@given(reals() | integers() | weighted | distributions, units)
def test_values_are_inside_and_native(dimension: Any, u: float) -> None:
    """At any coordinate, both ends included; they encode to [0, 1]."""
    (value,) = dimension.from_unit(np.array([u]))
    low, high = bounds(dimension)
    assert low <= value <= high
    assert type(value) in (int, float)
    assert math.isfinite(value)
    assert 0 <= dimension.to_unit(value) <= 1
    assert np.all((dimension.levels(3) >= 0) & (dimension.levels(3) <= 1))


@given(reals() | integers())
@example(Integer(1, 2**63, log=True))
@example(Integer(0, 2**53))
@example(Integer(1, 10**308, log=True))
@example(Integer(1, int(1.7e308), log=True))
def test_bounds_are_attained(dimension: Real | Integer) -> None:
    """A range begins at 0 and ends at 1, however narrow or wide it is."""
    ends = [dimension.low, dimension.high]
    assert dimension.from_unit(np.array([0.0, 1.0])) == ends
    assert dimension.from_unit(dimension.snap(np.array([0.0, 1.0]))) == ends
    coordinates = [dimension.to_unit(end) for end in ends]
    assert coordinates == [0, 1] or isinstance(dimension, Integer)
    if isinstance(dimension, Integer) and dimension.n_values < 10**9:
        assert dimension.from_unit(np.array(coordinates)) == ends


@pytest.mark.parametrize("n", [7, 2**53 + 1, 2**53 + 2, 10**20 + 9, 10**30])
def test_long_ranges_end_with_their_last_number(n: int) -> None:
    """Which rounding must not keep from being reached."""
    assert Categorical(range(n)).from_unit(np.array([0.0, 1.0])) == [0, n - 1]


@pytest.mark.parametrize("high", [2**63, 10**30, 10**308, int(1.79e308)])
def test_orders_of_magnitude_are_spread_evenly(high: int) -> None:
    """Over all of a logarithmic range, also where quotients of its bounds overflow."""
    dimension = Integer(1, high, log=True)
    u = np.linspace(0, 1, 2001)
    values = dimension.from_unit(u)
    assert values == sorted(values)
    logs = np.array([math.log(value + 0.5) for value in values])
    expected = u * math.log(2 * high + 1) + math.log(0.5)
    np.testing.assert_allclose(logs[200:], expected[200:], atol=0.3)
    back = [dimension.to_unit(value) for value in values[400:]]
    np.testing.assert_allclose(back, u[400:], atol=1e-5)
    grid = GridOptimizer({"x": dimension}, n_levels=3).ask(3)
    assert [grid[i].params["x"] for i in (0, -1)] == [1, high]


@pytest.mark.parametrize("log", [False, True])
@given(st.data())
def test_integers_decode_to_themselves(log: bool, data: Any) -> None:
    """As long as coordinates can tell them apart, wherever they are."""
    low = data.draw(st.integers(1 if log else -(10**30), 10**30))
    dimension = Integer(low, low + data.draw(st.integers(1, 10**6)), log=log)
    value = data.draw(st.integers(dimension.low, dimension.high))
    u = dimension.to_unit(value)
    assert dimension.from_unit(np.array([u])) == [value]
    assert dimension.snap(np.array([u])) == pytest.approx([u], abs=1e-15)


@given(integers() | weighted, units)
def test_coordinates_of_values_stay(dimension: Any, u: float) -> None:
    """To snap twice is to snap once, and does not change what is meant."""
    once = dimension.snap(np.array([u]))
    assert abs(float(dimension.snap(once)[0]) - float(once[0])) < 1e-13
    (value,), (again,) = dimension.from_unit(np.array([u])), dimension.from_unit(once)
    assert again == pytest.approx(value, rel=1e-9)


@given(weighted)
def test_every_weighted_value_can_be_drawn(dimension: Categorical) -> None:
    """Also the one whose weight is lost beside the others."""
    centers = [dimension.to_unit(value) for value in dimension.values]
    assert dimension.from_unit(np.array(centers)) == list(dimension.values)
    assert dimension.widths.sum() == pytest.approx(1)


def test_integers_close_together_keep_their_distance() -> None:
    """Three integers that no float tells apart are drawn equally often."""
    dimension = Integer(2**53 + 1, 2**53 + 3)
    u = (np.arange(300) + 0.5) / 300
    drawn = dimension.from_unit(u)
    assert [drawn.count(2**53 + i) for i in (1, 2, 3)] == [100, 100, 100]
    log = Integer(2**53 + 1, 2**53 + 3, log=True).from_unit(u)
    assert [log.count(2**53 + i) for i in (1, 2, 3)] == [100, 100, 100]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Integer(0, 10**400), "must be finite, and at most 1.8e308"),
        (lambda: Integer(-int(1.7e308), int(1.7e308)), "at most 1.8e308 values"),
        (lambda: Real(0, 10**400), "must be finite, and at most 1.8e308"),
        (lambda: Real(math.nan, 1), "must be finite"),
        (lambda: Real(-math.inf, 1), "must be finite"),
        (lambda: Real(2**53 + 1, 2**53 + 2), "No two floats lie between"),
        (lambda: Categorical("ab", weights=[1, 2]), "must be a list"),
        (lambda: Categorical([1, 2], weights=[1, 0]), "2 positive numbers"),
        (lambda: Categorical([1, 2], weights=[1, -1]), "2 positive numbers"),
        (lambda: Categorical([1, 2], weights=[1, math.inf]), "2 positive numbers"),
        (lambda: Categorical([1, 2], weights=[1, math.nan]), "2 positive numbers"),
        (lambda: Categorical([1, 2], weights=[1, "x"]), "2 positive numbers"),
        (lambda: Categorical([1, 2], weights=3), "2 positive numbers"),
        (lambda: Categorical(range(10**400)), "how many values"),
        (lambda: Steps(0.0, 1e300, 1e-300), "step 1e-300 is too small"),
    ],
)
def test_what_no_number_holds_is_refused_in_words(make: Any, message: str) -> None:
    """It is no OverflowError, and no division by zero."""
    with pytest.raises(InvalidSpaceError, match=message):
        make()


def test_weights_may_be_an_array() -> None:
    """Of which nobody can ask whether it is true."""
    weights = np.array([1.0, 3.0])
    assert Categorical(["a", "b"], weights=weights).widths.tolist() == [0.25, 0.75]


def test_randint_of_any_size_is_integers() -> None:
    """Where scipy itself gives up."""
    dimension = as_dimension("x", stats.randint(1, 2**70, loc=4))
    assert dimension == Integer(5, 2**70 + 3)
    assert isinstance(as_dimension("x", stats.randint(0, 9)).n_values, int)


def test_gaps_of_a_discrete_distribution_are_no_values() -> None:
    """All values with a probability are listed, each once."""
    gaps = stats.rv_discrete(values=([1, 5, 9], [0.5, 0.25, 0.25])).freeze()
    space = SearchSpace({"x": gaps})
    assert [p["x"] for p in space.decode_many(space.points())] == [1, 5, 9]


class Slope(stats.rv_continuous):
    """A distribution of a user's own, without parameters."""

    def _cdf(self, x: Any) -> Any:
        return x**2


@pytest.mark.parametrize(
    "complete",
    [
        stats.rv_discrete(values=([1, 5, 9], [0.2, 0.5, 0.3])),
        stats.rv_histogram(np.histogram([1.0, 2.0, 2.5, 4.0], bins=3)),
        Slope(a=0.0, b=1.0, name="slope"),
    ],
    ids=["discrete", "histogram", "own"],
)
def test_what_has_all_of_its_parameters_need_not_be_called(complete: Any) -> None:
    """It means what it does when it is, as to scikit-learn, in all searches."""
    u = np.linspace(0, 1, 23)
    dimension, called = as_dimension("x", complete), as_dimension("x", complete())
    assert dimension.from_unit(u) == called.from_unit(u)
    np.testing.assert_array_equal(dimension.snap(u), called.snap(u))
    np.testing.assert_array_equal(dimension.levels(3), called.levels(3))
    assert dimension == as_dimension("x", complete)
    runs = [
        RandomOptimizer({"x": spec}, 4, random_state=0).ask(4)
        for spec in (complete, complete())
    ]
    first, second = [[c.params for c in run] for run in runs]
    assert first == second
    assert BayesOptimizer({"x": complete}, random_state=0).ask(3)
    low, high = complete.support()
    value = perturbation_rule("x", complete).perturb(dimension.from_unit(u)[9], 1.25)
    assert low <= value <= high
    with pytest.raises(InvalidSpaceError, match=r"outside of the support of \w+\(\)"):
        dimension.to_unit(99)


@given(steps)
def test_steps_stay_inside_and_are_found(spec: tuple[float, float, float]) -> None:
    """A stepped range holds its first number and nothing above its last one."""
    low, high, step = spec
    assume(low < high and (high / 2 - low / 2) / step < 1e15)
    values = Steps(low, high, step)
    for place in {0, 1, values.n // 2, values.n - 1} & {*range(min(values.n, 9)), 0}:
        assert low <= values[place] <= high
        found = find(values, values[place])
        assert found is not None
        assert values[found] == values[place]
    assert low <= values[-1] <= high
    assert find(values, math.nan) is None


@given(st.lists(st.integers(-99, 99), min_size=1, unique=True), st.integers(-150, 150))
def test_the_nearest_place_is_the_nearest(numbers: list[int], value: int) -> None:
    """The lower one of two, as a look at all of them says."""
    ladder = sorted(numbers)
    expected = min(range(len(ladder)), key=lambda i: abs(ladder[i] - value))
    assert nearest_place(ladder, value) == expected
    assert (find(ladder, value) is None) == (value not in ladder)


@given(st.integers(-99, 99), st.integers(-99, 99), st.integers(-9, 9).filter(bool))
def test_ranges_are_counted_as_python_does(start: int, stop: int, step: int) -> None:
    """Also backwards."""
    assert count(range(start, stop, step)) == len(range(start, stop, step))


@given(
    reals() | integers() | weighted,
    st.lists(st.sampled_from([0.5, 0.8, 1.25, 2.0]), max_size=9),
)
@example(Real(9.33e307, 9.34e307, log=True), [0.5])
def test_moves_stay_inside(dimension: Any, factors: list[float]) -> None:
    """The rules of a population stay in the range, at its ends too."""
    rule = perturbation_rule("x", dimension)
    low, high = bounds(dimension)
    value = rule.sample(np.random.default_rng(0))
    for factor in factors:
        assert low <= value <= high
        assert type(value) in (int, float)
        value = rule.perturb(value, factor)
    assert low <= value <= high


@pytest.mark.parametrize(
    "dimension",
    [
        Integer(0, 2**60),
        Integer(1, int(1.7e308), log=True),
        Real(-1.7e308, 1.7e308),
        Real(5e-324, 1.7e308, log=True),
    ],
    ids=repr,
)
@pytest.mark.parametrize("factor", [0.25, 1.25, 4.0])
def test_a_value_at_a_bound_leaves_it(dimension: Any, factor: float) -> None:
    """In whichever direction it moves, it comes back inside."""
    rule = perturbation_rule("x", dimension)
    for bound in (dimension.low, dimension.high):
        assert dimension.low <= rule.perturb(bound, factor) <= dimension.high
    at_low, at_high = dimension.low, dimension.high
    assert rule.perturb(at_high, 1.25) < at_high
    assert rule.perturb(at_low, 0.25) > at_low or at_low == 5e-324  # no smaller part


def test_halves_are_rounded_to_even_integers() -> None:
    """Wherever a range begins, so that the middle of one stays where it was."""
    u = np.array([0.25, 0.5, 0.75])
    assert Integer(1, 4).from_unit(u) == [2, 2, 4]
    assert Integer(2, 5).from_unit(u) == [2, 4, 4]
