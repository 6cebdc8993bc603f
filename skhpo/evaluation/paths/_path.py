"""Paths: one fit that serves many values of a parameter, exactly.

A forest of 500 trees contains the forest of 100. A path knows such a thing about one
class: it fits once (or goes on from value to value) and yields, for each value, a
fitted estimator that equals, bit for bit, what a fit with this value would have made.
Where the guard of the path refuses, or the path raises, each value is fitted plainly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from skhpo.evaluation.paths._strategies import Cumulative, Strategy

__all__ = ["Guard", "Path", "plainly_seeded"]

Guard = Callable[[Any, Sequence[Any], Any, Any], bool]


@dataclass(frozen=True)
class Path:
    """What is known about the fits of one class along one parameter.

    Parameters
    ----------
    name : str
        The parameter.
    strategy : Strategy
        How to get the fits.
    guard : callable
        ``guard(estimator, values, X, y)`` says whether the strategy is exact here.
    """

    name: str
    strategy: Strategy
    guard: Guard

    @property
    def is_vouched_for(self) -> bool:
        """Whether somebody has registered it for their own code."""
        return isinstance(self.strategy, Cumulative)

    def applies(
        self, estimator: Any, values: Sequence[Any], X: Any, y: Any = None
    ) -> bool:
        """Whether the path gives exactly what plain fits give.

        Parameters
        ----------
        estimator : estimator
            Unfitted, with all its parameters set but for that of the path.
        values : sequence
            The values of the parameter: ascending, distinct.
        X, y : array-like
            The training data.

        Returns
        -------
        bool
            False asks for plain fits.
        """
        return len(values) >= 2 and self.guard(estimator, values, X, y)

    def fit(
        self, estimator: Any, values: Sequence[Any], X: Any, y: Any = None
    ) -> Iterator[tuple[Any, float]]:
        """Yield a fitted estimator for each value, in their order.

        Parameters
        ----------
        estimator : estimator
            Unfitted and private to the path, which may fit and change it.
        values : sequence
            The values of the parameter: ascending, distinct, at least two.
        X, y : array-like
            The training data, which may be read-only.

        Yields
        ------
        fitted : estimator
            To be used only before the next one is asked for, and not to be changed.
        seconds : float
            The fit time to report: that of a fit for this value alone, an estimate.

        Raises
        ------
        Exception
            Anything: it asks for plain fits of each value.
        """
        return self.strategy(estimator, self.name, values, X, y)


def plainly_seeded(estimator: Any) -> bool:
    """Whether no ``random_state`` is None, in `estimator` or in any inside it."""
    return all(
        value is not None
        for name, value in estimator.get_params().items()
        if name.rpartition("__")[2] == "random_state"
    )
