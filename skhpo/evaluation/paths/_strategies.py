"""The ways to get many fits from one: late, prefix, warm, and what people register.

Each yields pairs of a fitted estimator and the seconds to report as its fit time.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sklearn.base import clone

from skhpo.evaluation.paths._draws import only_seeded_draws

__all__ = [
    "Cumulative",
    "Late",
    "PathFunction",
    "Prefix",
    "Strategy",
    "Warm",
    "timed_fit",
]

PathFunction = Callable[[Any, str, Sequence[Any], Any, Any], Iterator[Any]]


class Strategy(Protocol):
    """A way to get all fits at once: yields pairs (fitted estimator, seconds)."""

    def __call__(
        self, estimator: Any, name: str, values: Sequence[Any], X: Any, y: Any
    ) -> Iterator[tuple[Any, float]]:
        """Yield a fitted estimator per value, and its fit time as if alone."""
        ...


@dataclass(frozen=True)
class Late:
    """The parameter is read after the fit only: fit once, then set it on copies.

    The largest value is fitted: where a fit merely checks the value (as that of
    ``VarianceThreshold`` does), it is the one that the check would refuse first.
    """

    def __call__(
        self, estimator: Any, name: str, values: Sequence[Any], X: Any, y: Any
    ) -> Iterator[tuple[Any, float]]:
        """Yield copies; each is reported with the time of the whole fit."""
        estimator.set_params(**{name: values[-1]})
        with only_seeded_draws():
            seconds = timed_fit(estimator, X, y)
        for value in values:
            yield _with_value(estimator, name, value), seconds


@dataclass(frozen=True)
class Prefix:
    """Members are made one after another: fit the most, then slice what holds them.

    Parameters
    ----------
    members : tuple of str
        The fitted attributes with one entry per member; the first counts them.
    finish : callable, optional
        ``finish(sliced, X)`` sets the attributes that follow from those.
    """

    members: tuple[str, ...]
    finish: Callable[[Any, Any], None] | None = None

    def __call__(
        self, estimator: Any, name: str, values: Sequence[Any], X: Any, y: Any
    ) -> Iterator[tuple[Any, float]]:
        """Yield copies with fewer members; the time is reported by their number."""
        estimator.set_params(**{name: values[-1]})
        with only_seeded_draws():
            seconds = timed_fit(estimator, X, y)
        # Fewer than asked for, if the fit stopped early.
        n_made = len(getattr(estimator, self.members[0]))
        for value in values:
            fitted = _with_value(estimator, name, value)
            for attribute in self.members:
                if attribute in vars(fitted):
                    setattr(fitted, attribute, getattr(fitted, attribute)[:value])
            if self.finish is not None:
                self.finish(fitted, X)
            yield fitted, seconds * min(value, n_made) / n_made


@dataclass(frozen=True)
class Warm:
    """Fits go on from value to value, by ``warm_start``.

    A fit that stopped early must not go on, and whether it would have stopped just
    at the value it was given cannot be seen from outside. So with early stopping the
    largest value is fitted first: those from where it stopped on get that fit, and
    the fits of the smaller ones are known not to stop.

    Parameters
    ----------
    n_done : str
        The fitted attribute that holds how far the fit came.
    stops_early : callable
        ``stops_early(estimator, X)`` says whether the fit may stop early.
    """

    n_done: str
    stops_early: Callable[[Any, Any], bool]

    def __call__(
        self, estimator: Any, name: str, values: Sequence[Any], X: Any, y: Any
    ) -> Iterator[tuple[Any, float]]:
        """Yield the estimator as it is trained on, with the time it took so far."""
        whole, n_whole, seconds_whole = None, float("inf"), 0.0
        if self.stops_early(estimator, X):
            whole = clone(estimator).set_params(**{name: values[-1]})
            seconds_whole = timed_fit(whole, X, y)
            n_whole = getattr(whole, self.n_done)
        seconds = 0.0
        for value in values:
            if value >= n_whole:
                yield _with_value(whole, name, value), seconds_whole
                continue
            estimator.set_params(**{name: value, "warm_start": True})
            seconds += timed_fit(estimator, X, y)
            yield estimator.set_params(warm_start=False), seconds


@dataclass(frozen=True)
class Cumulative:
    """A registered function; each value is reported with the time spent so far."""

    function: PathFunction

    def __call__(
        self, estimator: Any, name: str, values: Sequence[Any], X: Any, y: Any
    ) -> Iterator[tuple[Any, float]]:
        """Yield what the function yields, once per value."""
        start = time.perf_counter()
        fits = iter(self.function(estimator, name, values, X, y))
        seconds = time.perf_counter() - start
        for n_before, _ in enumerate(values):
            start = time.perf_counter()
            with only_seeded_draws():
                fitted = next(fits, None)
            if fitted is None:
                raise RuntimeError(
                    f"The path {self.function!r} yielded {n_before} estimators for "
                    f"{len(values)} values."
                )
            seconds += time.perf_counter() - start
            yield fitted, seconds


def timed_fit(estimator: Any, X: Any, y: Any) -> float:
    """Fit `estimator` as the evaluation does, and return the seconds it took."""
    start = time.perf_counter()
    if y is None:
        estimator.fit(X)
    else:
        estimator.fit(X, y)
    return time.perf_counter() - start


def _with_value(fitted: Any, name: str, value: object) -> Any:
    """Return a shallow copy of `fitted` with one parameter set."""
    return copy.copy(fitted).set_params(**{name: value})
