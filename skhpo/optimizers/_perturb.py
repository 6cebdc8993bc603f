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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from scipy import stats

from skhpo.exceptions import InvalidSpaceError
from skhpo.space import Categorical, Integer, Real
from skhpo.space._convert import Distribution
from skhpo.space._dimensions import Dimension, is_number

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
        moved = value * factor
        # the mirror image of x at a bound b of a log scale is b * b / x
        while not self.low <= moved <= self.high and self.low < self.high:
            bound = self.low if moved < self.low else self.high
            moved = bound / moved * bound
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
        return float(self.distribution.rvs(random_state=rng))

    def perturb(self, value: float, factor: float) -> float:
        """Move by ``log(factor) / 2`` in the cumulative distribution function."""
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
        return int(self.distribution.rvs(random_state=rng))

    def perturb(self, value: int, factor: float) -> int:
        """Move as `Continuous` does, by at least 1."""
        low, high = self.distribution.support()
        below, at = self.distribution.cdf([value - 1, value])
        u = (below + at) / 2 + math.log(factor) / 2
        target = float(self.distribution.ppf(min(max(u, _EDGE), 1.0 - _EDGE)))
        return _nearest_move(int(value), target, factor > 1, low, high)


@dataclass(frozen=True)
class Ordered:
    """A list of numbers; neighbors are the next smaller and the next larger one."""

    values: tuple[Any, ...]  # as the user gave them: may repeat, sets the odds

    def sample(self, rng: np.random.Generator) -> Any:
        """Draw one entry, all with the same probability."""
        return self.values[int(rng.integers(len(self.values)))]

    def perturb(self, value: Any, factor: float) -> Any:
        """Step to the neighbor; at an end, to the only neighbor there is."""
        ladder = sorted(set(self.values))
        if len(ladder) == 1:
            return value
        at = min(range(len(ladder)), key=lambda i: abs(ladder[i] - value))
        place = at + (1 if factor > 1 else -1)
        if not 0 <= place < len(ladder):
            place = at - (1 if factor > 1 else -1)
        return ladder[place]


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
        values, n = self.dimension.values, self.dimension.n_values
        if not self.dimension.ordered or n == 1:
            return value
        at = int(self.dimension.index(np.array([self.dimension.to_unit(value)]))[0])
        place = at + (1 if factor > 1 else -1)
        return values[place if 0 <= place < n else 2 * at - place]


@dataclass(frozen=True)
class Sampled:
    """Anything that can only be sampled (an ``rvs`` method and nothing else)."""

    distribution: Any

    def sample(self, rng: np.random.Generator) -> Any:
        """Draw from the distribution."""
        value = self.distribution.rvs(random_state=rng)
        return value.item() if isinstance(value, np.generic) else value

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
            return LogInteger(spec.low, spec.high)
        return Discrete(stats.randint(spec.low, spec.high + 1))
    if isinstance(spec, Real):
        if spec.log:
            return LogReal(spec.low, spec.high)
        return Continuous(stats.uniform(spec.low, spec.high - spec.low))
    raise InvalidSpaceError(f"Values of {name!r} cannot be moved: {spec!r}.")


def _distribution_rule(spec: Any) -> PerturbationRule:
    if not (hasattr(spec, "ppf") and hasattr(spec, "cdf") and hasattr(spec, "support")):
        return Sampled(spec)
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
