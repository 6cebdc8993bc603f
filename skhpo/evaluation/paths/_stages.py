"""Stages: what a fitted model would predict, had it had fewer iterations.

A path (`_path.py`) yields estimators; stages are outputs only, which is less and costs
a fraction: a booster adds one tree after the other to a sum, and each partial sum is
the output of a smaller booster, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

__all__ = ["EachStage", "Growth", "Outputs", "StageFunction", "Stages"]

StageFunction = Callable[[Any, Any, str], Iterator[Any]]


class Outputs(Protocol):
    """A way to get the outputs of all stages."""

    def __call__(
        self, fitted: Any, X: Any, method: str, counts: Sequence[int]
    ) -> Iterator[Any]:
        """Yield what ``fitted.method(X)`` would return, had it so many iterations."""
        ...


class Growth(Protocol):
    """A way to go on from a fit with fewer iterations."""

    def applies(self, estimator: Any) -> bool:
        """Whether it gives, to the bit, what a fit with all of them gives."""
        ...

    def prepare(self, model: Any, count: int) -> None:
        """Have the next fit of a fitted model go on to so many iterations."""
        ...


@dataclass(frozen=True)
class Stages:
    """What is known of the stages of one class.

    Parameters
    ----------
    parameters : tuple of str
        The names that the number of iterations has, usually one.
    outputs : Outputs
        How to get the outputs.
    refuses : callable
        ``refuses(estimator, n_rows)`` says why the stages of an estimator with these
        parameters are no fits with fewer iterations, and what would work; None if
        they are.
    growth : Growth or None, default=None
        How to go on from a fit with fewer iterations; None if there is no exact way.
    """

    parameters: tuple[str, ...]
    outputs: Outputs
    refuses: Callable[[Any, int], str | None]
    growth: Growth | None = None


@dataclass(frozen=True)
class EachStage:
    """Of a function that yields the outputs of all stages, from the first on.

    Parameters
    ----------
    function : callable
        ``function(fitted, X, method)``. If it ends early, the fit had ended, and all
        further stages are equal to the last.
    """

    function: StageFunction

    def __call__(
        self, fitted: Any, X: Any, method: str, counts: Sequence[int]
    ) -> Iterator[Any]:
        """Yield the outputs of some stages."""
        outputs = iter(self.function(fitted, X, method))
        n_done, last = 0, None
        for count in counts:
            for last in islice(outputs, count - n_done):  # noqa: B007
                pass
            if last is None:
                raise RuntimeError(f"{self.function!r} has yielded no stage.")
            n_done = count
            yield last
