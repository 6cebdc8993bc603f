"""The simplest candidate that is good enough, by an order that the user knows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhpo._arithmetic import Array, largest, own_arithmetic
from skhpo.selection._results import (
    check_name,
    check_number,
    mean_scores,
    n_splits_of,
    parameter_of,
    split_scores_of,
)

__all__ = ["OneStandardError", "WithinLoss"]

ROUNDING = 1e-9


@dataclass(frozen=True, init=False)
class OneStandardError:
    """Choose the simplest candidate within one standard error of the best.

    The rule of Breiman et al. [1]_. It gives up some score for a simpler model. On data
    of pure noise that is a gain, on others we have seen losses as well as gains: take
    it where simple models are wanted, and not to get higher scores.

    Parameters
    ----------
    *order : str
        Names of parameters, the most important first. Of each the lowest value is
        the simplest; a minus before a name says that the highest is, as in
        ``"-min_samples_leaf"``.
    se : {"paired", "best"}, default="paired"
        Whose standard error: that of the difference to the best on the same splits, or
        that of the score of the best, as others have it.
    none : {"most", "least"}, default="most"
        How complex a candidate is in which a parameter is None, or does not exist.
    metric : str or None, default=None
        Which of several scores.

    Attributes
    ----------
    order : tuple of str
        The names.

    References
    ----------
    .. [1] L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and
       regression trees", 1984, section 3.4.3.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skhpo.selection import OneStandardError
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> tree = DecisionTreeClassifier(random_state=0)
    >>> grid = {"max_depth": [None, 8, 4, 3, 2, 1]}
    >>> search = GridSearchCV(tree, grid, refit=OneStandardError("max_depth"))
    >>> search.fit(X, y).best_params_
    {'max_depth': 2}
    """

    order: tuple[str, ...]
    se: str
    none: str
    metric: str | None

    def __init__(
        self,
        *order: str,
        se: str = "paired",
        none: str = "most",
        metric: str | None = None,
    ) -> None:
        _set(self, order=order, se=se, none=none, metric=metric)
        _check_order(self, order)
        check_name(self, "se", ("paired", "best"))
        check_name(self, "none", ("most", "least"))

    @own_arithmetic()
    def __call__(self, cv_results: Mapping[str, Any]) -> int:
        """Return the row that is chosen."""
        means = mean_scores(cv_results, self.metric)
        k = n_splits_of(cv_results, self.metric)
        scores = split_scores_of(cv_results, self.metric)
        best = largest(means)
        lost = scores[best] - scores if self.se == "paired" else scores[[best]]
        errors = np.std(lost, axis=1, ddof=1) / math.sqrt(k)
        # What differs on one split is just one error worse, which rounding may hide.
        good = means[best] - means <= errors * (1 + ROUNDING)
        good[best] = True
        return _simplest(cv_results, self.order, self.none, means, good)


@dataclass(frozen=True, init=False)
class WithinLoss:
    """Choose the simplest candidate that gives up little of the best score.

    Parameters
    ----------
    limit : float
        How much lower the mean score may be, in its own unit: 0.01 of an accuracy is a
        row of a hundred.
    *order : str
        Names of parameters, as for `OneStandardError`.
    none : {"most", "least"}, default="most"
        How complex a candidate is in which a parameter is None, or does not exist.
    metric : str or None, default=None
        Which of several scores.

    Attributes
    ----------
    order : tuple of str
        The names.

    Examples
    --------
    >>> from skhpo.selection import WithinLoss
    >>> results = {
    ...     "params": [{"C": 100}, {"C": 10}, {"C": 0.1}],
    ...     "mean_test_score": [0.95, 0.945, 0.90],
    ... }
    >>> WithinLoss(0.01, "C")(results)
    1
    """

    limit: float
    order: tuple[str, ...]
    none: str
    metric: str | None

    def __init__(
        self,
        limit: float,
        *order: str,
        none: str = "most",
        metric: str | None = None,
    ) -> None:
        _set(self, limit=limit, order=order, none=none, metric=metric)
        check_number(self, "limit", 0)
        _check_order(self, order)
        check_name(self, "none", ("most", "least"))

    @own_arithmetic()
    def __call__(self, cv_results: Mapping[str, Any]) -> int:
        """Return the row that is chosen."""
        means = mean_scores(cv_results, self.metric)
        good = np.nanmax(means) - means <= self.limit
        return _simplest(cv_results, self.order, self.none, means, good)


def _set(rule: Any, **attributes: Any) -> None:
    """Set what a frozen rule is made of; its order has any number of names."""
    for name, value in attributes.items():
        object.__setattr__(rule, name, value)


def _check_order(rule: Any, order: tuple[Any, ...]) -> None:
    if not order or not all(isinstance(name, str) for name in order):
        raise ValueError(
            f"{type(rule).__name__} needs the names of parameters in the order of "
            "their importance, such as 'max_depth', with a minus where more is "
            f"simpler. Got {order!r}."
        )


def _simplest(
    results: Mapping[str, Any],
    order: Sequence[str],
    none: str,
    means: Array,
    good: NDArray[np.bool_],
) -> int:
    """Return the simplest of the good rows; of equally simple ones the best, first."""
    keys = [_complexity(results, name, none) for name in order]
    rows = np.flatnonzero(good)
    keyed = [(*(key[row] for key in keys), -means[row]) for row in rows]
    return int(rows[min(range(len(rows)), key=keyed.__getitem__)])


def _complexity(results: Mapping[str, Any], name: str, none: str) -> list[Any]:
    sign = -1 if name.startswith("-") else 1
    values = parameter_of(results, name.removeprefix("-"))
    absent = math.inf if none == "most" else -math.inf
    return [absent if value is None else sign * value for value in values]
