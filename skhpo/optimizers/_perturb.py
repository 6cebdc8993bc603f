"""How one value moves: the perturbation rule of each kind of dimension.

A rule draws a first value and moves a given one a little, inside the support of
the distribution it was made from. One knob says how far: a *factor* such as 1.25
or 0.8. Where values live on a log scale the factor multiplies; everywhere else the
value moves by half the logarithm of the factor in the cumulative distribution
function, so by 11 % of the probability mass for 1.25. A rule that would leave the
support is reflected at the boundary: a value at a bound can always leave it again.

================== ==================================================================
kind               move by a factor *f*
================== ==================================================================
`LogReal`          ``value * f``
`LogInteger`       ``value * f``, rounded away from `value`: by at least 1
`Continuous`       ``ppf(cdf(value) + log(f) / 2)``
`Discrete`         the same, by at least 1
`Placed`           by ``log(f) / 2`` of a range that is too wide for SciPy
`Ordered`          one place up (f > 1) or down in the list of sorted numbers
`Listed`           the same for a `Categorical`, in its own order
`Category`         none: a category is only ever drawn anew
================== ==================================================================

The factors of the original paper [1]_, 0.8 and 1.2, pull every value down by 2 % per
move in the mean of the logarithm; 0.8 and 1.25 do not.

References
----------
.. [1] M. Jaderberg et al., "Population Based Training of Neural Networks",
   arXiv:1711.09846 (2017).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from scipy import stats

from skhpo._rng import draw_below
from skhpo.exceptions import InvalidSpaceError
from skhpo.space import Categorical, Integer, Real
from skhpo.space._convert import Distribution, long_randint
from skhpo.space._dimensions import Dimension, is_number
from skhpo.space._values import LONG, MAX_NUMBER, count, is_numeric, nearest_place

__all__ = [
    "Category",
    "Continuous",
    "Discrete",
    "LogInteger",
    "LogReal",
    "Ordered",
    "PerturbationRule",
    "perturbation_rule",
    "reflect",
]

# Away from 0 and 1, where the ppf of a distribution without bounds is infinite.
_EDGE = 1e-9
_TINY = math.ulp(0.0)


@runtime_checkable
class PerturbationRule(Protocol):
    """What draws and moves the values of one dimension."""

    def sample(self, rng: np.random.Generator) -> Any:
        """Draw a value as at birth."""
        ...

    def perturb(self, value: Any, factor: float) -> Any:
        """Move `value` up (``factor > 1``) or down, without leaving the support."""
        ...


def reflect(x: float, low: float, high: float) -> float:
    """Fold `x` back into ``[low, high]``, as a mirror at each bound would.

    Examples
    --------
    >>> reflect(1.25, 0.0, 1.0), reflect(-0.5, 0.0, 1.0), reflect(0.3, 0.0, 1.0)
    (0.75, 0.5, 0.3)
    """
    if low <= x <= high:
        return x
    width = high - low
    if width <= 0:
        return low
    offset = math.fmod(x - low, 2 * width)
    offset += 2 * width if offset < 0 else 0.0
    return low + (offset if offset <= width else 2 * width - offset)


def _nearest_move(value: int, target: float, up: bool, low: float, high: float) -> int:
    """Round `target` away from `value` by at least 1; at a bound, turn around."""
    target = min(max(target, low - 1), high + 1)  # which may be infinite
    moved = max(value + 1, round(target)) if up else min(value - 1, round(target))
    if low <= moved <= high:
        return moved
    turned = value - 1 if up else value + 1
    bound = high if up else low
    inside = bound if bound != value else turned
    return int(inside) if low <= inside <= high else value


@dataclass(frozen=True)
class LogReal:
    """Positive reals between two bounds, uniform in the logarithm."""

    low: float
    high: float

    def sample(self, rng: np.random.Generator) -> float:
        """Draw log-uniformly."""
        log_value = rng.uniform(math.log(self.low), math.log(self.high))
        return self._clip(math.exp(log_value))

    def perturb(self, value: float, factor: float) -> float:
        """Multiply by `factor`, reflected at the bounds in the logarithm."""
        moved = min(max(value * factor, _TINY), MAX_NUMBER)
        if not self.low <= moved <= self.high:
            # the mirror image of x at a bound b of a log scale is b * b / x
            bound = self.low if moved < self.low else self.high
            moved = min(max(bound / moved * bound, _TINY), MAX_NUMBER)
        if not self.low <= moved <= self.high:  # a range narrower than the move
            width = math.log(self.high) - math.log(self.low)
            part = reflect(math.log(moved) - math.log(self.low), 0.0, width)
            moved = self.low * math.exp(part)
        return self._clip(moved)

    def _clip(self, value: float) -> float:
        # exp(log(high)) may exceed high by one unit in the last place
        return float(min(max(value, self.low), self.high))


@dataclass(frozen=True)
class LogInteger:
    """Positive integers between two bounds (both included), on a log scale."""

    low: int
    high: int

    def sample(self, rng: np.random.Generator) -> int:
        """Draw log-uniformly among the intervals of half a unit around each integer."""
        bounds = math.log(self.low - 0.5), math.log(self.high + 0.5)
        return min(max(round(math.exp(rng.uniform(*bounds))), self.low), self.high)

    def perturb(self, value: int, factor: float) -> int:
        """Multiply by `factor` and round, by at least 1 away from `value`."""
        return _nearest_move(
            int(value), value * factor, factor > 1, self.low, self.high
        )


@dataclass(frozen=True)
class Continuous:
    """A frozen continuous distribution of SciPy."""

    distribution: Any

    def sample(self, rng: np.random.Generator) -> float:
        """Draw from the distribution."""
        with np.errstate(all="ignore"):
            return float(self.distribution.rvs(random_state=rng))

    def perturb(self, value: float, factor: float) -> float:
        """Move by ``log(factor) / 2`` in the cumulative distribution function."""
        with np.errstate(all="ignore"):
            low, high = self.distribution.support()
            u = float(self.distribution.cdf(value)) + math.log(factor) / 2
            u = min(max(reflect(u, 0.0, 1.0), _EDGE), 1.0 - _EDGE)
            return float(min(max(float(self.distribution.ppf(u)), low), high))


@dataclass(frozen=True)
class Discrete:
    """A frozen discrete distribution of SciPy, such as ``randint(1, 10)``."""

    distribution: Any

    def sample(self, rng: np.random.Generator) -> int:
        """Draw from the distribution."""
        with np.errstate(all="ignore"):
            return int(self.distribution.rvs(random_state=rng))

    def perturb(self, value: int, factor: float) -> int:
        """Move as `Continuous` does, by at least 1."""
        with np.errstate(all="ignore"):
            low, high = self.distribution.support()
            below, at = self.distribution.cdf([value - 1, value])
            u = (below + at) / 2 + math.log(factor) / 2
            target = float(self.distribution.ppf(min(max(u, _EDGE), 1.0 - _EDGE)))
        return _nearest_move(int(value), target, factor > 1, low, high)


@dataclass(frozen=True)
class Placed:
    """A range too wide for SciPy: values move by their coordinates in [0, 1]."""

    dimension: Dimension

    def sample(self, rng: np.random.Generator) -> Any:
        """Draw a coordinate uniformly."""
        return self.dimension.from_unit(rng.random(1))[0]

    def perturb(self, value: Any, factor: float) -> Any:
        """Move by ``log(factor) / 2`` of the range."""
        u = self.dimension.to_unit(value) + math.log(factor) / 2
        return self.dimension.from_unit(np.array([reflect(u, 0.0, 1.0)]))[0]


@dataclass(frozen=True)
class Ordered:
    """A list of numbers; neighbors are the next smaller and the next larger one."""

    values: Any  # as the user gave them: may repeat, sets the odds
    ladder: Any = field(init=False, repr=False, compare=False)  # each once, ascending

    def __post_init__(self) -> None:
        """Put the numbers in order, once."""
        object.__setattr__(self, "ladder", _ascending(self.values))

    def sample(self, rng: np.random.Generator) -> Any:
        """Draw one entry, all with the same probability."""
        return _native(self.values[_draw_place(self.values, rng)])

    def perturb(self, value: Any, factor: float) -> Any:
        """Step to the neighbor; at an end, to the only neighbor there is."""
        n = count(self.ladder)
        if n == 1:
            return value
        at = nearest_place(self.ladder, value)
        return _native(self.ladder[_next_place(at, n, factor)])


def _ascending(values: Any) -> Any:
    """Return the distinct numbers of a list in ascending order."""
    if isinstance(values, range):
        return values[::-1] if values.step < 0 else values
    return np.unique(values) if isinstance(values, np.ndarray) else sorted(set(values))


def _draw_place(values: Any, rng: np.random.Generator) -> int:
    n = count(values)
    return int(rng.integers(n)) if n <= sys.maxsize else draw_below(n, rng)


def _next_place(at: int, n: int, factor: float) -> int:
    """Return the place of a neighbor among `n`; at an end, of the only one there is."""
    place = at + (1 if factor > 1 else -1)
    return place if 0 <= place < n else 2 * at - place


def _native(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


@dataclass(frozen=True)
class Category:
    """Values without an order: drawn at birth, later only drawn anew."""

    values: tuple[Any, ...]

    def sample(self, rng: np.random.Generator) -> Any:
        """Draw one entry, all with the same probability."""
        return self.values[int(rng.integers(len(self.values)))]

    def perturb(self, value: Any, factor: float) -> Any:
        """Return `value`: there is no step between categories."""
        return value


@dataclass(frozen=True)
class Listed:
    """A `Categorical` of the user's: with an order as `Ordered`, else a `Category`."""

    dimension: Categorical

    def sample(self, rng: np.random.Generator) -> Any:
        """Draw one entry, by the weights."""
        return self.dimension.from_unit(rng.random(1))[0]

    def perturb(self, value: Any, factor: float) -> Any:
        """Step to the neighbor in the list, if it has an order."""
        n = self.dimension.n_values
        if not self.dimension.ordered or n == 1:
            return value
        return self.dimension.at(_next_place(self.dimension.place(value), n, factor))


@dataclass(frozen=True)
class Sampled:
    """Anything that can only be sampled (an ``rvs`` method and nothing else)."""

    distribution: Any

    def sample(self, rng: np.random.Generator) -> Any:
        """Draw from the distribution."""
        return _native(self.distribution.rvs(random_state=rng))

    def perturb(self, value: Any, factor: float) -> Any:
        """Return `value`: the distribution does not say what is near it."""
        return value


def perturbation_rule(name: str, spec: Any) -> PerturbationRule:
    """Return the rule for one entry of ``param_distributions``.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message of an error.
    spec : object
        A frozen SciPy distribution, a list, range or one-dimensional array of values,
        a dimension such as ``Real(0.1, 10, log=True)``, or a `PerturbationRule`.

    Returns
    -------
    PerturbationRule
        `Ordered` for a list of numbers (bools are categories), `Category` for any
        other list.

    Raises
    ------
    InvalidSpaceError
        If `spec` is none of these, or holds no value.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> rule = perturbation_rule("alpha", loguniform(1e-4, 1e-1))
    >>> rule.perturb(1e-2, 1.25), round(rule.perturb(1e-1, 1.25), 6)
    (0.0125, 0.08)
    >>> perturbation_rule("batch_size", [16, 32, 64]).perturb(32, 0.8)
    16
    """
    if isinstance(spec, PerturbationRule):
        return spec
    if isinstance(spec, Dimension):
        return _dimension_rule(name, spec)
    if hasattr(spec, "rvs"):
        return _distribution_rule(spec)
    if isinstance(spec, Sequence | np.ndarray) and not isinstance(spec, str):
        return _list_rule(name, spec)
    raise InvalidSpaceError(
        f"The entry {name!r} of param_distributions must be a list of values or a "
        f"distribution with an 'rvs' method. Got {spec!r} instead."
    )


def _list_rule(name: str, values: Sequence[Any] | np.ndarray) -> PerturbationRule:
    if is_numeric(values) and count(values) > LONG:
        return Ordered(values if isinstance(values, range) else np.array(values))
    entries = tuple(values.tolist() if isinstance(values, np.ndarray) else values)
    if not entries:
        raise InvalidSpaceError(
            f"The entry {name!r} of param_distributions is empty. Give at least one "
            "value."
        )
    numbers = all(map(is_number, entries))
    return Ordered(entries) if numbers else Category(entries)


def _dimension_rule(name: str, spec: Dimension) -> PerturbationRule:
    """Return the rule for one of skhpo's own dimensions."""
    if isinstance(spec, Distribution):
        return _distribution_rule(spec.frozen)
    if isinstance(spec, Categorical):
        return Listed(spec)
    if isinstance(spec, Integer):
        if spec.log:
            return LogInteger(int(spec.low), int(spec.high))
        if max(abs(int(spec.low)), abs(int(spec.high))) >= 2**53:
            return Placed(spec)
        return Discrete(stats.randint(spec.low, spec.high + 1))
    if isinstance(spec, Real):
        if spec.log:
            return LogReal(spec.low, spec.high)
        if math.isinf(float(spec.high) - float(spec.low)):
            return Placed(spec)
        return Continuous(stats.uniform(spec.low, spec.high - spec.low))
    raise InvalidSpaceError(f"Values of {name!r} cannot be moved: {spec!r}.")


def _distribution_rule(spec: Any) -> PerturbationRule:
    if not (hasattr(spec, "ppf") and hasattr(spec, "cdf") and hasattr(spec, "support")):
        return Sampled(spec)
    if (wide := long_randint(spec)) is not None:
        return Placed(wide)
    name = getattr(getattr(spec, "dist", None), "name", "")
    low, high = spec.support()
    if name in {"loguniform", "reciprocal"} and not _has_location(spec):
        return LogReal(float(low), float(high))
    # Only discrete distributions have a mass function; continuous ones a density.
    discrete = hasattr(getattr(spec, "dist", spec), "pmf")
    return Discrete(spec) if discrete else Continuous(spec)


def _has_location(spec: Any) -> bool:
    """Whether a frozen log-uniform distribution is shifted: then it is not one."""
    keywords: Mapping[str, Any] = spec.kwds
    shift = spec.args[2] if len(spec.args) > 2 else keywords.get("loc", 0)
    return bool(shift != 0)
