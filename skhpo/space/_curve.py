"""A number of iterations that one fit tells of: the value of a size parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from numbers import Integral
from typing import Any

import numpy as np

from skhpo._rng import RandomState
from skhpo.exceptions import InvalidSpaceError
from skhpo.space._dimensions import Array, Dimension
from skhpo.space._hints import with_hints

__all__ = ["Curve", "curve_in", "with_listed_curves"]


@with_hints
@dataclass(frozen=True)
class Curve(Dimension):
    """All numbers of iterations up to `high`, of which one fit tells the best.

    The value of a parameter such as ``n_estimators`` or ``max_iter`` in the space of a
    search. The search fits `high` iterations once per split and scores the model after
    each of them on the held-out rows. The number with the best *mean* score over the
    splits (of equal ones the smallest) is written into the ``params`` of the row, with
    the scores that it has, and is what the last fit is done with. It is early stopping
    for every booster, inside a pipeline, too.

    Which parameters of which classes have such stages, :func:`skhpo.register_stages`
    tells; it also teaches others.

    Parameters
    ----------
    high : int
        The largest number, to which all fits go.
    low : int, default=1
        The smallest number.
    step : int, default=1
        Every how many iterations the model is scored, from `low` on; `high` always is.
    patience : int or None, default=None
        Stop once the mean score over the splits has not risen above its best for so
        many iterations; None goes to `high`. The result is that of the curve which is
        cut where patience ends. scikit-learn's gradient boosting, forests and bagging
        are trained in portions that double, and save what comes after; all others are
        fitted to `high`, and their curve is cut. Below 10 there is a warning.

    Notes
    -----
    What chooses candidates never sees the parameter: it is no dimension of the
    problem. So constraints cannot speak of it, and who asks one of
    :mod:`skhpo.optimizers` finds the curve itself in the ``params`` of candidates,
    and may tell of any number in it.

    On many rows, up to 200 numbers are scored, which are dense where they are small.
    Rows times numbers decide that, at five million. A scorer that is neither a name nor
    of ``make_scorer`` may look at all of the estimator: it gets up to 25 models,
    each fitted by itself.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> from skhpo import GridSearch
    >>> from skhpo.space import Curve
    >>> X, y = load_iris(return_X_y=True)
    >>> search = GridSearch(
    ...     HistGradientBoostingClassifier(max_leaf_nodes=3, random_state=0),
    ...     {"learning_rate": [0.3, 1.0], "max_iter": Curve(10)},
    ...     scoring="neg_log_loss",
    ...     cv=2,
    ... ).fit(X, y)
    >>> search.best_params_
    {'learning_rate': 0.3, 'max_iter': 6}
    >>> stages, scores, _ = search.curve_of(search.best_index_)
    >>> int(stages[scores.mean(axis=0).argmax()])
    6
    """

    high: int
    _: KW_ONLY
    low: int = 1
    step: int = 1
    patience: int | None = None

    def __post_init__(self) -> None:
        """Check that there are numbers to choose from."""
        for name in ("high", "low", "step", "patience"):
            value = getattr(self, name)
            if name == "patience" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
                raise InvalidSpaceError(
                    f"The {name!r} of a Curve must be a positive integer. Got "
                    f"{value!r} instead."
                )
            object.__setattr__(self, name, int(value))
        if self.low >= self.high:
            raise InvalidSpaceError(
                f"The 'low' of a Curve must be below 'high'. Got low={self.low} and "
                f"high={self.high}; to fix the number, write the list [{self.high}]."
            )

    def __repr__(self) -> str:
        """Return the curve as one writes it."""
        rest = "" if self.low == 1 else f", low={self.low}"
        rest += "" if self.step == 1 else f", step={self.step}"
        rest += "" if self.patience is None else f", patience={self.patience}"
        return f"Curve({self.high}{rest})"

    @property
    def counts(self) -> list[int]:
        """The numbers of iterations to choose from, ascending."""
        counts = list(range(self.low, self.high, self.step))
        return [*counts, self.high]

    @property
    def n_values(self) -> int:
        """One: to what chooses candidates, the curve is a constant."""
        return 1

    def rvs(self, size: int | None = None, random_state: RandomState = None) -> Any:
        """Return the curve itself; draws nothing.

        Parameters
        ----------
        size : int or None, default=None
            How often; None for once and not in a list.
        random_state : int, RandomState, Generator or None, default=None
            Not used.

        Returns
        -------
        Curve or list
            The curve, or a list that holds it `size` times.
        """
        return self if size is None else [self] * size

    def _from_unit(self, u: Array) -> list[Any]:
        return [self] * len(u)

    def _to_unit(self, value: Any) -> float:
        is_count = isinstance(value, Integral) and not isinstance(value, bool)
        if value == self or (is_count and self.low <= value <= self.high):
            return 0.5
        raise InvalidSpaceError(f"{value!r} is not a value of {self!r}.")

    def _cells(self, u: Array) -> Array:
        return np.zeros_like(u)

    def _centers(self, cells: Array) -> Array:
        return np.full_like(cells, 0.5)

    def _snap(self, u: Array) -> Array:
        return np.full_like(u, 0.5)

    def _clip(self, value: Any) -> Any:
        return self


def curve_in(params: Mapping[str, Any]) -> tuple[str, Curve] | None:
    """Return the parameter of a candidate that is a curve, and the curve, if any.

    Raises InvalidSpaceError if there are two.
    """
    curves = [(name, v) for name, v in params.items() if isinstance(v, Curve)]
    if len(curves) > 1:
        raise InvalidSpaceError(
            f"Parameters {curves[0][0]!r} and {curves[1][0]!r} are both a Curve, and "
            "one fit tells of one number of iterations only: list values of the other."
        )
    return curves[0] if curves else None


def with_listed_curves(space: Any) -> Any:
    """Return a space of dicts, as scikit-learn takes it, in which curves are values.

    Examples
    --------
    >>> with_listed_curves({"max_iter": Curve(100), "max_depth": [2, 3]})
    {'max_iter': [Curve(100)], 'max_depth': [2, 3]}
    """
    if isinstance(space, Mapping):
        return {
            name: [values] if isinstance(values, Curve) else values
            for name, values in space.items()
        }
    return [with_listed_curves(subspace) for subspace in space]
