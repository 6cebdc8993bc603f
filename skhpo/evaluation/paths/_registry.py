"""Paths: one fit that serves many values of a parameter, exactly.

A forest of 500 trees contains that of 100. A path knows such a thing about one class:
it fits once (or goes on from value to value) and yields, for each value, a fitted
estimator that equals, bit for bit, the one that a fit of its own would have made.
Where its guard says no, and where anything raises inside it, plain fits are due.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from skhpo.evaluation.paths._strategies import Cumulative, PathFunction, Strategy

__all__ = [
    "Path",
    "adopt_paths",
    "find_path",
    "plainly_seeded",
    "register_path",
    "registered_paths",
]

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


# Of what people register. Keys are classes, or the names they are imported by.
_registered: dict[type | str, Path] = {}


def register_path(
    estimator_class: type | str,
    name: str,
    function: PathFunction,
    applies: Guard | None = None,
) -> None:
    """Let searches fit many values of a parameter of your estimator at once.

    Searches then call `function` once per split for the candidates that differ in
    this parameter only, instead of fitting each of them. Their scores must not change
    by that: **what `function` yields must equal, bit for bit, what plain fits give**.
    Test it, for each option of the estimator that plays a part in its fit.

    Parameters
    ----------
    estimator_class : type or str
        The class, or the name it is imported by (``"package.Class"``), so that a
        package can be spoken of without importing it. Subclasses are not meant: they
        may fit otherwise. A class has one path; a second one replaces the first, and
        also one that comes with this package.
    name : str
        The parameter.
    function : callable
        ``function(estimator, name, values, X, y)`` yields a fitted estimator per
        value. Its contract:

        - `values` are distinct, ascending and at least two; yield in their order.
        - Each estimator equals ``clone(estimator).set_params(**{name: value})``
          after ``fit(X, y)``, in its predictions and in its parameters.
        - `estimator` is unfitted, and yours: fit it and change it as you like.
        - `X` and `y` may be read-only, sparse or data frames. Never write to them.
        - A yielded estimator is used only before the next one is asked for. So the
          same object may be trained on and yielded again.
        - Whatever you raise makes the search fit each value plainly. The same
          happens if numbers are drawn from a global generator, NumPy's or Python's,
          as with ``random_state=None``: plain fits would not have shared them. Draws
          from anywhere else are not seen here.

        The time spent in it so far is reported as the fit time of each value.
    applies : callable, optional
        ``applies(estimator, values, X, y)`` says whether the path is exact for these
        parameters and data; the answer False costs nothing but plain fits. By
        default, it applies unless ``warm_start`` is true or a ``random_state`` is
        None, in the estimator or in any inside it.

    Raises
    ------
    TypeError
        If an argument is not of these kinds.

    Notes
    -----
    What is registered when a search starts is sent to its workers. Register in the
    module of the estimator, and every search knows it.

    Examples
    --------
    The largest value of `k` does not matter before ``predict``, so that one fit is
    enough for all of them:

    >>> from copy import copy
    >>> import numpy as np
    >>> from sklearn.base import BaseEstimator, RegressorMixin
    >>> from skhpo import register_path
    >>> class MeanOfLargest(RegressorMixin, BaseEstimator):
    ...     def __init__(self, k=1):
    ...         self.k = k
    ...     def fit(self, X, y):
    ...         self.sorted_ = np.sort(y)
    ...         return self
    ...     def predict(self, X):
    ...         return np.full(len(X), self.sorted_[-self.k :].mean())
    >>> def fit_once(estimator, name, values, X, y):
    ...     estimator.fit(X, y)
    ...     for value in values:
    ...         yield copy(estimator).set_params(**{name: value})
    >>> register_path(MeanOfLargest, "k", fit_once)
    """
    guard = _safely_seeded if applies is None else applies
    is_name = isinstance(estimator_class, str) and "." in estimator_class
    for valid, sentence, value in (
        (
            isinstance(estimator_class, type) or is_name,
            "estimator_class must be a class or a name like 'package.Class'",
            estimator_class,
        ),
        (isinstance(name, str), "name must be a str", name),
        (callable(function), "function must be callable", function),
        (callable(guard), "applies must be callable or None", applies),
    ):
        if not valid:
            raise TypeError(f"{sentence}. Got {value!r}.")
    _registered[estimator_class] = Path(name, Cumulative(function), guard)


def registered_paths() -> dict[type | str, Path]:
    """Return what people registered in this process, to be adopted in a worker's."""
    return dict(_registered)


def adopt_paths(paths: dict[type | str, Path]) -> None:
    """Know what was registered in the process that sent the work."""
    _registered.update(paths)


def find_path(estimator: Any) -> Path | None:
    """Return the path that is registered for the class of `estimator`, if any.

    Parameters
    ----------
    estimator : object
        Any estimator. Its exact class counts: a subclass may have a fit of its own.

    Returns
    -------
    Path or None
        Whether it applies is another question.
    """
    cls = type(estimator)
    if cls in _registered:
        return _registered[cls]
    for table in (_registered, _built_in()):
        for key, path in table.items():
            if isinstance(key, str) and _is_called(cls, key):
                return path
    return None


def plainly_seeded(estimator: Any) -> bool:
    """Whether no ``random_state`` is None, in `estimator` or in any inside it."""
    return all(
        value is not None
        for name, value in estimator.get_params().items()
        if name.rpartition("__")[2] == "random_state"
    )


def _safely_seeded(estimator: Any, values: Sequence[Any], X: Any, y: Any) -> bool:
    return plainly_seeded(estimator) and not getattr(estimator, "warm_start", False)


def _is_called(cls: type, name: str) -> bool:
    # By the name it is imported by, which for most is not where it is defined; and
    # without importing anything: who has an instance has imported its package.
    module, _, attribute = name.rpartition(".")
    return (
        cls.__name__ == attribute
        and getattr(sys.modules.get(module), attribute, None) is cls
    )


@cache
def _built_in() -> dict[str, Path]:
    # Here, as these modules stand on this one.
    from skhpo.evaluation.paths._boosters import BOOSTER_PATHS
    from skhpo.evaluation.paths._sklearn import SKLEARN_PATHS

    return {**SKLEARN_PATHS, **BOOSTER_PATHS}
