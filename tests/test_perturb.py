"""Perturbations stay inside the support, move, and do not drift."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from skhpo.exceptions import InvalidSpaceError
from skhpo.optimizers._branches import plain_spaces
from skhpo.optimizers._perturb import (
    Category,
    Continuous,
    Discrete,
    LogInteger,
    LogReal,
    Ordered,
    Sampled,
    perturbation_rule,
    reflect,
)
from skhpo.space import Categorical, Choice, Integer, Real
from skhpo.space._convert import as_dimension

FACTORS = st.sampled_from([0.8, 1.25, 0.5, 2.0, 1.001])
SEEDS = st.integers(0, 2**32 - 1)
CONTINUOUS = [
    stats.uniform(-1, 3),
    stats.loguniform(1e-6, 1e2),
    stats.loguniform(1, 10, 2),
    stats.norm(3, 0.1),
    stats.expon(scale=2),
    stats.beta(0.5, 0.5),
    stats.truncnorm(-1, 1),
]
DISCRETE = [
    stats.randint(1, 3),
    stats.randint(-5, 200),
    stats.poisson(2),
    stats.geom(0.3),
    stats.binom(5, 0.5),
]


def walk(rule: Any, seed: int, factors: list[float]) -> list[Any]:
    values = [rule.sample(np.random.default_rng(seed))]
    for factor in factors:
        values.append(rule.perturb(values[-1], factor))
    return values


def test_values_of_a_narrow_range_still_move() -> None:
    """Folded back as often as it takes, and not stuck at a bound."""
    for high in (1.001, 1.1, math.nextafter(1, 2) + 1e-12):
        rule = perturbation_rule("x", Real(1.0, high, log=True))
        values = walk(rule, 0, [1.25, 0.8, 2.0, 1.25, 0.5])
        assert all(1.0 <= value <= high for value in values)
        assert len(set(values)) > 3


@given(st.sampled_from(CONTINUOUS), SEEDS, st.lists(FACTORS, max_size=30))
def test_reals_stay_inside(distribution: Any, seed: int, factors: list[float]) -> None:
    low, high = distribution.support()
    for value in walk(perturbation_rule("x", distribution), seed, factors):
        assert type(value) is float
        assert low <= value <= high
        assert math.isfinite(value)


@given(st.sampled_from(DISCRETE), SEEDS, st.lists(FACTORS, max_size=30))
def test_integers_stay_inside_and_move(
    distribution: Any, seed: int, factors: list[float]
) -> None:
    low, high = distribution.support()
    values = walk(perturbation_rule("x", distribution), seed, factors)
    assert all(type(value) is int and low <= value <= high for value in values)
    assert all(abs(a - b) >= 1 for a, b in itertools.pairwise(values))


@given(st.integers(1, 50), st.integers(0, 500), SEEDS, st.lists(FACTORS, max_size=30))
def test_log_integers_move_by_at_least_one(
    low: int, width: int, seed: int, factors: list[float]
) -> None:
    values = walk(LogInteger(low, low + width), seed, factors)
    assert all(type(v) is int and low <= v <= low + width for v in values)
    if width:
        assert all(a != b for a, b in itertools.pairwise(values))


@given(
    st.lists(st.integers(-9, 9) | st.floats(-9, 9), min_size=1, max_size=8),
    SEEDS,
    st.lists(FACTORS, max_size=20),
)
def test_lists_of_numbers_step_to_a_neighbor(
    entries: list[float], seed: int, factors: list[float]
) -> None:
    ladder = sorted(set(entries))
    places = [
        ladder.index(v) for v in walk(perturbation_rule("x", entries), seed, factors)
    ]
    moves = {abs(a - b) for a, b in itertools.pairwise(places)}
    assert moves <= ({1} if len(ladder) > 1 else {0})


def test_factors_have_no_drift_on_a_log_scale() -> None:
    rule = LogReal(1e-12, 1e12)
    up_and_down = rule.perturb(rule.perturb(1.0, 1.25), 0.8)
    assert up_and_down == pytest.approx(1.0, rel=1e-12)
    assert math.log(1.25) + math.log(0.8) == pytest.approx(0.0, abs=1e-12)


def test_values_at_a_bound_can_leave_it() -> None:
    assert LogReal(1.0, 10.0).perturb(1.0, 0.8) == pytest.approx(1.25)
    assert LogReal(1.0, 10.0).perturb(10.0, 1.25) == pytest.approx(8.0)
    assert LogInteger(1, 9).perturb(1, 0.8) == 2
    assert LogInteger(1, 9).perturb(1, 1.25) == 2
    assert Discrete(stats.randint(0, 2)).perturb(1, 1.25) == 0
    assert Ordered((1, 2, 3)).perturb(3, 1.25) == 2


def test_kinds() -> None:
    class OnlyRvs:
        def rvs(self, random_state: Any = None) -> np.float64:
            return np.float64(random_state.random())

    assert isinstance(perturbation_rule("x", stats.loguniform(1, 2)), LogReal)
    assert isinstance(perturbation_rule("x", stats.loguniform(1, 2, 5)), Continuous)
    assert isinstance(perturbation_rule("x", stats.loguniform(1, 2, loc=5)), Continuous)
    assert isinstance(perturbation_rule("x", stats.norm()), Continuous)
    assert isinstance(perturbation_rule("x", stats.poisson(1)), Discrete)
    assert isinstance(perturbation_rule("x", range(3)), Ordered)
    assert isinstance(perturbation_rule("x", np.array([1.0, 2.0])), Ordered)
    assert isinstance(perturbation_rule("x", [True, False]), Category)
    assert isinstance(perturbation_rule("x", ["l1", "l2"]), Category)
    assert isinstance(perturbation_rule("x", [None, 1]), Category)
    assert isinstance(perturbation_rule("x", OnlyRvs()), Sampled)
    drawn = perturbation_rule("x", OnlyRvs()).sample(np.random.default_rng(0))
    assert type(drawn) is float
    assert perturbation_rule("x", Integer(1, 9, log=True)) == LogInteger(1, 9)
    assert perturbation_rule("x", Real(1, 9, log=True)) == LogReal(1.0, 9.0)
    assert isinstance(perturbation_rule("x", Integer(1, 9)), Discrete)
    assert isinstance(perturbation_rule("x", Real(1, 9)), Continuous)
    wrapped = as_dimension("x", stats.norm())
    assert isinstance(perturbation_rule("x", wrapped), Continuous)
    rule = Category(("a",))
    assert perturbation_rule("x", rule) is rule


def test_listed_dimensions_keep_their_order_and_weights() -> None:
    sizes = perturbation_rule("x", Categorical(["low", "mid", "high"], ordered=True))
    assert [sizes.perturb("mid", f) for f in (0.8, 1.25)] == ["low", "high"]
    assert sizes.perturb("high", 1.25) == "mid"
    kinds = perturbation_rule("x", Categorical(["a", "b"], weights=[1, 1e9]))
    assert kinds.perturb("a", 1.25) == "a"
    assert {kinds.sample(np.random.default_rng(seed)) for seed in range(20)} == {"b"}


def test_conditions_are_written_out() -> None:
    inner = {"c": Choice({"p": None, "q": {"d": (0.1, 1.0, "log-uniform")}})}
    spaces = plain_spaces({"a": [1], "b": Choice({"x": {"e": [2]}, "y": inner})})
    assert [sorted(space) for space in spaces] == [
        ["a", "b", "e"],
        ["a", "b", "c"],
        ["a", "b", "c", "d"],
    ]
    assert spaces[2]["b"] == ["y"]
    assert spaces[2]["d"] == Real(0.1, 1.0, log=True)
    with pytest.raises(InvalidSpaceError, match="'b' has weights"):
        plain_spaces({"b": Choice({"x": ({"e": [2]}, 2.0)})})


def test_categories_come_back_as_given() -> None:
    entries = [(10,), (20, 20)]
    rule = perturbation_rule("hidden_layer_sizes", entries)
    value = rule.sample(np.random.default_rng(0))
    assert any(value is entry for entry in entries)
    assert rule.perturb(value, 1.25) is value


def test_distributions_that_cannot_be_searched_are_named() -> None:
    with pytest.raises(InvalidSpaceError, match=r"'alpha'.*Got 3 instead"):
        perturbation_rule("alpha", 3)
    with pytest.raises(InvalidSpaceError, match=r"'alpha'.*Got 'abc' instead"):
        perturbation_rule("alpha", "abc")
    with pytest.raises(InvalidSpaceError, match=r"'alpha'.*empty"):
        perturbation_rule("alpha", [])


@given(st.floats(-100, 100), st.floats(-3, 3), st.floats(0.001, 5))
def test_reflection_stays_inside(x: float, low: float, width: float) -> None:
    folded = reflect(x, low, low + width)
    assert low - 1e-9 <= folded <= low + width + 1e-9


@pytest.mark.parametrize("factor", [1.25, 1.6])
def test_integers_move_as_far_up_as_down(factor: float) -> None:
    """Seen from the other end of a uniform range, a move is the same one."""
    rule = perturbation_rule("n", Integer(0, 100))
    for value in range(30, 71):
        up, down = rule.perturb(value, factor), rule.perturb(100 - value, 1 / factor)
        assert up - value == 100 - value - down


@pytest.mark.parametrize(("low", "high"), [(0, 2**70), (-(2**70), 0)])
def test_integers_of_a_range_too_wide_for_scipy_move_on_both_sides_of_0(
    low: int, high: int
) -> None:
    """By the same part of the range, and within it."""
    rule, middle = perturbation_rule("n", Integer(low, high)), (low + high) // 2
    assert low <= rule.sample(np.random.default_rng(0)) <= high
    for factor in (1.25, 0.8):
        moved = (rule.perturb(middle, factor) - middle) / 2**70
        assert moved == pytest.approx(math.log(factor) / 2)
