"""Which path the fits of a class have: built in, or registered by users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skhpo._registry import Registry, check_registration
from skhpo.evaluation.paths._boosters import BOOSTER_PATHS
from skhpo.evaluation.paths._path import Guard, Path, plainly_seeded
from skhpo.evaluation.paths._sklearn import SKLEARN_PATHS
from skhpo.evaluation.paths._strategies import Cumulative, PathFunction

__all__ = ["PATHS", "find_path", "register_path"]

PATHS: Registry[Path] = Registry("paths", {**SKLEARN_PATHS, **BOOSTER_PATHS})


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
    check_registration(
        estimator_class,
        (isinstance(name, str), "name must be a str", name),
        (callable(function), "function must be callable", function),
        (callable(guard), "applies must be callable or None", applies),
    )
    PATHS.add(estimator_class, Path(name, Cumulative(function), guard))


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
    return PATHS.find(type(estimator))


def _safely_seeded(estimator: Any, values: Sequence[Any], X: Any, y: Any) -> bool:
    return plainly_seeded(estimator) and not getattr(estimator, "warm_start", False)
