"""From what people already write to dimensions: lists, scipy, skopt, Optuna, skrub."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

import numpy as np
from scipy.stats import rv_histogram

from skhpo._keys import structural_key
from skhpo.exceptions import InvalidSpaceError
from skhpo.space._categorical import Categorical, Choice
from skhpo.space._dimensions import Array, Dimension, is_number
from skhpo.space._ranges import Integer, Real, nearest
from skhpo.space._skrub import from_skrub
from skhpo.space._values import MAX_NUMBER, Steps, is_numeric

__all__ = [
    "PRIORS",
    "as_dimension",
    "convert",
    "describe",
    "is_skopt",
    "is_tuple_range",
    "long_randint",
]

# Where a support is infinite, the outermost quantiles that are proposed.
_TAIL = 1e-6
# What skopt calls them.
PRIORS = ("uniform", "log-uniform")


# Distributions of SciPy that are ranges, and what they are here.
REALS, INTEGERS = ("uniform", "loguniform", "reciprocal"), ("randint",)


@dataclass(frozen=True)
class Distribution(Dimension):
    """A frozen distribution of scipy, kept exact through ``ppf`` and ``cdf``.

    Parameters
    ----------
    frozen : object with ppf, cdf and rvs
        Such as ``scipy.stats.loguniform(1e-3, 1e3)`` or ``scipy.stats.randint(1, 9)``.
    """

    frozen: Any = field(compare=False)
    _key: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check that the parameters of the distribution make sense."""
        with np.errstate(all="ignore"):
            median = float(self.frozen.ppf(0.5))
        if not np.isfinite(median):
            raise InvalidSpaceError(
                f"{describe(self.frozen)} has no quantiles: its parameters are "
                "outside of what the distribution allows (loguniform, for one, must "
                "start above 0)."
            )
        dist = getattr(self.frozen, "dist", self.frozen)
        args = getattr(self.frozen, "args", id(self.frozen))
        kwds = getattr(self.frozen, "kwds", {})
        key = _kind(dist), structural_key(args), structural_key(kwds)
        object.__setattr__(self, "_key", key)

    def __repr__(self) -> str:
        """Return the name and the parameters of the distribution."""
        return describe(self.frozen)

    @property
    def is_discrete(self) -> bool:
        """Whether the values are integers."""
        return hasattr(getattr(self.frozen, "dist", self.frozen), "pmf")

    @property
    def n_values(self) -> int | None:
        """Number of distinct values, None if there is no end to them."""
        low, high = self.frozen.support()
        if not self.is_discrete:
            return None if low < high else 1
        return int(high) - int(low) + 1 if np.isfinite(high - low) else None

    @property
    def _ends(self) -> tuple[float, float]:
        """The outermost numbers that may be proposed: infinity is no value."""
        low, high = self.frozen.support()
        return max(float(low), -MAX_NUMBER), min(float(high), MAX_NUMBER)

    def _quantiles(self, u: Array) -> Array:
        low, high = self.frozen.support()
        start = _TAIL if np.isinf(low) else 0.0
        stop = 1.0 - _TAIL if np.isinf(high) else 1.0
        # Root finding inside ppf may fail for denormal numbers.
        u = np.where(np.asarray(u) < 1e-12, 0.0, u)
        # ppf(0) of a discrete distribution lies one below its support.
        return np.clip(self.frozen.ppf(np.clip(u, start, stop)), *self._ends)

    def _from_unit(self, u: Array) -> list[Any]:
        values = self._quantiles(np.asarray(u)).tolist()
        if not self.is_discrete:
            return values
        low, high = map(_as_integer, self.frozen.support())
        return [min(max(int(value), low), high) for value in values]

    def _cells(self, u: Array) -> Array:
        return self._quantiles(u) - self._ends[0]

    def _centers(self, cells: Array) -> Array:
        return self._middle(cells + self._ends[0])

    def _middle(self, values: Array) -> Array:
        """Return the center of the cells of the integers `values`."""
        return (self.frozen.cdf(values - 1) + self.frozen.cdf(values)) / 2

    def _to_unit(self, value: object) -> float:
        low, high = self.frozen.support()
        is_integer = isinstance(value, Integral)
        if not is_number(value) or (self.is_discrete and not is_integer):
            raise InvalidSpaceError(f"{value!r} is not a value of {self!r}.")
        if not low <= value <= high:
            raise InvalidSpaceError(f"{value!r} is outside of the support of {self!r}.")
        at = np.array([nearest(value, *self._ends)], dtype=float)
        u = self._middle(at) if self.is_discrete else self.frozen.cdf(at)
        return float(u[0])

    def _snap(self, u: Array) -> Array:
        return self._middle(self._quantiles(u)) if self.is_discrete else u

    def _clip(self, value: object) -> Any:
        if not is_number(value):
            return value
        low, high = self.frozen.support()
        if self.is_discrete:
            return round(min(max(value, low), high))
        return float(nearest(value, low, high))

    def _levels(self, n: int) -> Array:
        low, high = self.frozen.support()
        if self.n_values is not None and self.n_values <= n and self.is_discrete:
            # Snapped, since a value in between may have no probability.
            every = self._middle(np.arange(low, high + 1, dtype=float))
            return np.unique(self.snap(every))
        return super()._levels(n) if self._has_ends else self._medians(n)

    @property
    def _has_ends(self) -> bool:
        """Whether the distribution stops at its bounds; others fade out."""
        bounds = np.array(self.frozen.support(), dtype=float)
        density = self.frozen.pmf if self.is_discrete else self.frozen.pdf
        return bool(np.isfinite(bounds).all() and np.all(density(bounds) > 0))

    def _medians(self, n: int) -> Array:
        """Return the medians of `n` parts of equal probability."""
        return np.unique(self.snap((np.arange(n) + 0.5) / n))


def _as_integer(bound: Any) -> Any:
    """Return a bound of a discrete distribution, which may be infinite."""
    return int(bound) if np.isfinite(bound) else float(bound)


def _kind(dist: object) -> Hashable:
    """Return what two equal distributions have in common, their parameters aside."""
    return structural_key(type(dist) if _is_named(dist) else dist)


def _is_named(dist: object) -> bool:
    """Whether SciPy's class says all of a distribution: no table of values does."""
    named = ("scipy.stats._continuous_distns", "scipy.stats._discrete_distns")
    return type(dist).__module__ in named and type(dist) is not rv_histogram


def _is_family(dist: object) -> bool:
    """Whether a distribution that was not called lacks parameters.

    A table of values, or a distribution of the user's own without shapes, lacks none.
    """
    return _is_named(dist) or getattr(dist, "numargs", 0) > 0


def describe(frozen: Any) -> str:
    """Return a name for a distribution, for messages."""
    dist = getattr(frozen, "dist", frozen)
    if not hasattr(dist, "shapes"):
        return repr(frozen)
    parts = [repr(value) for value in getattr(frozen, "args", ())]
    parts += [f"{key}={value!r}" for key, value in getattr(frozen, "kwds", {}).items()]
    return f"{dist.name}({', '.join(parts)})"


def as_range(dimension: Dimension) -> Dimension:
    """Return a distribution of SciPy that is a range as that range, others as given.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> as_range(Distribution(loguniform(0.1, 10)))
    Real(low=0.1, high=10.0, log=True)
    """
    if not isinstance(dimension, Distribution):
        return dimension
    name = getattr(getattr(dimension.frozen, "dist", None), "name", "")
    if name not in REALS + INTEGERS:
        return dimension
    low, high = dimension.frozen.support()
    try:
        if name in INTEGERS:
            return Integer(int(low), int(high))
        return Real(float(low), float(high), log=name != "uniform")
    except InvalidSpaceError:  # a single value
        return dimension


def as_dimension(name: str, value: object) -> Dimension | Choice:
    """Return the dimension that `value`, given for parameter `name`, stands for.

    Parameters
    ----------
    name : str
        The parameter, for messages.
    value : object
        One of skhpo's dimensions; a frozen scipy distribution; a list, array or
        range of values; ``(low, high)``, ``(low, high, "log-uniform")`` or a
        dimension of skopt; a distribution of Optuna; a choice of skrub.

    Returns
    -------
    Dimension or Choice
        The same values in skhpo's own terms.

    Raises
    ------
    InvalidSpaceError
        If it is nothing of these; names the parameter.

    Examples
    --------
    >>> as_dimension("C", (0.1, 10.0, "log-uniform"))
    Real(low=0.1, high=10.0, log=True)
    """
    dimension = convert(name, value)
    if dimension is not None:
        return dimension
    raise InvalidSpaceError(
        f"Parameter {name!r}: the values must be a list, a frozen scipy distribution "
        f"or a dimension such as Real(low, high). Got {value!r} instead"
        + _remedy(value)
    )


def _remedy(value: object) -> str:
    if _is_scalar(value):
        return f"; write [{value!r}] to fix it."
    if isinstance(value, Mapping):
        return "; a dict of values, each with a space of its own, is a Choice."
    if isinstance(value, Set):
        return "; a set has no order: write a list."
    return "."


def convert(name: str, value: object) -> Dimension | Choice | None:
    """Return the dimension that `value` stands for; None if nobody writes that.

    Raises InvalidSpaceError, with the name of the parameter, if there is a mistake in
    what was written.
    """
    try:
        # skopt's and skrub's have an rvs that is no scipy's, so they go before these.
        for notation in (
            _own,
            _from_skopt,
            from_skrub,
            _from_scipy,
            _from_optuna,
            _from_values,
        ):
            dimension = notation(value)
            if dimension is not None:
                return dimension
    except InvalidSpaceError as error:
        raise InvalidSpaceError(f"Parameter {name!r}: {error}") from None
    except (TypeError, OverflowError) as error:  # of scipy, for numbers of any size
        if not hasattr(value, "rvs"):
            raise
        raise InvalidSpaceError(
            f"Parameter {name!r}: {type(error).__name__} of scipy for the distribution "
            f"{describe(value)}: {error}. Use Real or Integer."
        ) from None
    return None


def _is_scalar(value: object) -> bool:
    return value is None or isinstance(value, str | bytes | bool) or is_number(value)


def _own(value: object) -> Dimension | Choice | None:
    return value if isinstance(value, Dimension | Choice) else None


def _from_scipy(value: Any) -> Dimension | None:
    """Wrap frozen distributions; say what is missing from others."""
    if isinstance(value, type) or not hasattr(value, "rvs"):
        return None
    if hasattr(value, "shapes") and not hasattr(value, "args") and _is_family(value):
        raise InvalidSpaceError(
            f"{value.name} is a family of distributions; give its parameters, as in "
            f"scipy.stats.{value.name}(...)."
        )
    if not all(hasattr(value, attribute) for attribute in ("ppf", "cdf", "support")):
        raise InvalidSpaceError(
            f"{value!r} has rvs but no ppf, cdf and support, which are needed to know "
            "which values are close to each other. Use Real, Integer, Categorical or a "
            "frozen univariate scipy distribution."
        )
    return long_randint(value) or Distribution(value)


def long_randint(frozen: Any) -> Dimension | None:
    """Return the integers of a ``randint`` that floats cannot tell apart, else None.

    Parameters
    ----------
    frozen : object
        Any distribution.

    Returns
    -------
    Integer or None
        The same integers.
    """
    if getattr(getattr(frozen, "dist", None), "name", "") != "randint":
        return None
    places = dict(zip(("low", "high", "loc"), frozen.args, strict=False))
    bounds = {"loc": 0, **places, **frozen.kwds}
    if not all(isinstance(bound, Integral) for bound in bounds.values()):
        return None
    low, high, loc = (int(bounds[name]) for name in ("low", "high", "loc"))
    is_long = max(abs(low + loc), abs(high + loc)) > 2**53 and high - low > 1
    return Integer(low + loc, high + loc - 1) if is_long else None


def _from_optuna(value: Any) -> Dimension | None:
    """Translate Optuna's distributions, known by the names of their attributes."""
    kind = type(value).__name__
    if kind == "CategoricalDistribution" and hasattr(value, "choices"):
        return Categorical(list(value.choices), ordered=False)
    if kind not in ("FloatDistribution", "IntDistribution"):
        return None
    if kind == "IntDistribution" and value.step == 1:
        return Integer(value.low, value.high, log=value.log)
    if kind == "FloatDistribution" and value.step is None:
        return Real(value.low, value.high, log=value.log)
    if kind == "IntDistribution":
        return Categorical(range(value.low, value.high + 1, value.step), ordered=True)
    return Categorical(Steps(value.low, value.high, value.step), ordered=True)


def _from_skopt(value: Any) -> Dimension | None:
    """Translate skopt's dimensions and the tuples that stand for them."""
    if is_skopt(value):
        return _from_skopt_object(value)
    if not is_tuple_range(value):
        return None
    prior = value[2] if len(value) > 2 else "uniform"
    if prior not in PRIORS:
        close = difflib.get_close_matches(prior.lower(), PRIORS, n=1, cutoff=0.4)
        hint = f"did you mean {close[0]!r}?" if close else f"it is none of {PRIORS}."
        raise InvalidSpaceError(
            f"A range ends with its prior, and {prior!r} is not known: {hint} Got "
            f"{value!r}; for these very values, write the list {list(value)!r}."
        )
    low, high, log = value[0], value[1], prior == "log-uniform"
    if isinstance(low, Integral) and isinstance(high, Integral):
        return Integer(int(low), int(high), log=log)
    return Real(float(low), float(high), log=log)


def is_skopt(value: object) -> bool:
    """Whether `value` is a dimension of skopt, known by the names of its attributes."""
    return hasattr(value, "prior") and hasattr(value, "transform")


def is_tuple_range(value: object) -> bool:
    """Whether `value` is ``(low, high)``, or these with a prior (and a base)."""
    if not isinstance(value, tuple) or not all(map(is_number, value[:2])):
        return False
    return len(value) == 2 or (len(value) in (3, 4) and isinstance(value[2], str))


def _from_skopt_object(value: Any) -> Dimension | None:
    """Translate a dimension of skopt."""
    if hasattr(value, "categories"):
        weights = None if value.prior is None else list(value.prior)
        return Categorical(list(value.categories), weights=weights)
    if not hasattr(value, "low") or not hasattr(value, "high"):
        return None
    log = value.prior == "log-uniform"
    if type(value).__name__ == "Integer":
        return Integer(int(value.low), int(value.high), log=log)
    return Real(float(value.low), float(value.high), log=log)


def _from_values(value: Any) -> Dimension | None:
    """Take lists, tuples, ranges and arrays as the values themselves."""
    if isinstance(value, np.ndarray) and value.ndim != 1:
        raise InvalidSpaceError(
            f"An array of values must have one dimension. Got shape {value.shape}."
        )
    is_list = isinstance(value, Sequence | np.ndarray) and not isinstance(
        value, str | bytes
    )
    if is_list:
        return Categorical(value)
    if not hasattr(value, "__array__") or not hasattr(value, "tolist"):
        return None
    array: Any = np.asarray(value)  # of a Series
    return Categorical(array if is_numeric(array) else value.tolist())
