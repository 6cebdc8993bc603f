"""A model of the score over the box of the values that were tried.

It needs no search space: the axes of the pictures are its coordinates, numbers between
the lowest and the highest that was tried, on a logarithmic axis logarithmically, and
categories by Hamming distance. Low outliers count as the lower fence, and failed
candidates are left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import qmc

from skhpo._arithmetic import Array
from skhpo._candidates._axis import Axis
from skhpo._fence import drawing_unit, in_unit, lower_fence, out_of_unit
from skhpo._words import did_you_mean
from skhpo.space import Categorical, Real, SearchSpace
from skhpo.surrogates import GaussianProcess, RandomForest
from skhpo.surrogates._gp import informative_subset

__all__ = ["MIN_CANDIDATES", "ScoreModel", "variance_shares"]

SURROGATES = {"gp": GaussianProcess, "forest": RandomForest}
# With fewer, a model would say more about itself than about the search.
MIN_CANDIDATES = 4
# A Gaussian process costs O(n^3), and a picture should not take minutes.
MAX_CANDIDATES = 400
N_FOLDS = 5


class ScoreModel:
    """A surrogate that has learned the scores of a search.

    Parameters
    ----------
    axes : sequence of Axis
        The parameters; those with one value only are left out.
    scores : ndarray of shape (n,)
        Mean test scores, NaN where a fit failed.
    surrogate : {"gp", "forest"}
        Which model.
    max_candidates : int, default=400
        Of more candidates, it learns from those that tell the most.

    Attributes
    ----------
    axes : list of Axis
        The parameters that vary, d of them.
    X : ndarray of shape (m, d)
        The candidates it has learned from, in the unit cube, NaN where a parameter
        does not exist.
    unit : float
        In which it reckons.
    y : ndarray of shape (m,)
        Their scores, in that unit.

    Raises
    ------
    ValueError
        If `surrogate` is unknown, or there is too little to learn from.
    """

    def __init__(
        self,
        axes: Sequence[Axis],
        scores: Array,
        surrogate: str,
        max_candidates: int = MAX_CANDIDATES,
    ) -> None:
        if surrogate not in SURROGATES:
            raise ValueError(
                f"{did_you_mean(surrogate, SURROGATES)}'surrogate' must be one of "
                f"{list(SURROGATES)}. Got {surrogate!r}."
            )
        seen = np.isfinite(scores)
        scores = np.maximum(scores, lower_fence(scores)) if seen.any() else scores
        self.unit = drawing_unit(scores)
        scores = in_unit(scores, self.unit)
        self.axes = [axis for axis in axes if _n_choices(axis) > 1]
        if seen.sum() < MIN_CANDIDATES or np.ptp(scores[seen]) == 0 or not self.axes:
            raise ValueError(
                f"A model of the score needs {MIN_CANDIDATES} candidates or more, with "
                "different scores, and a parameter that varies. Here are "
                f"{seen.sum()} candidates with {len(np.unique(scores[seen]))} scores, "
                f"and {len(self.axes)} parameters that vary."
            )
        X = np.column_stack([_coordinates(axis) for axis in self.axes])[seen]
        y = scores[seen]
        kept = informative_subset(y, max_candidates)
        self.X, self.y = X[kept], y[kept]
        self.space = SearchSpace({axis.name: _dimension(axis) for axis in self.axes})
        self._make = SURROGATES[surrogate]
        self._model = self._make(self.space).fit(self.X, self.y)

    def predict(self, X: Array) -> Array:
        """Return the expected scores (m,) at points (m, d), both in units."""
        return self._model.predict(X)[0]

    def in_scores(self, predicted: Array) -> Array:
        """Return what was predicted as scores."""
        return out_of_unit(predicted, self.unit)

    def explained(self) -> float:
        """Return the share of the variance of scores that it predicts, unseen.

        R2 of a cross-validation over the candidates: 1 is perfect, and at 0 it knows
        nothing.
        """
        order = np.random.default_rng(0).permutation(len(self.y))
        predicted = np.empty_like(self.y)
        for test in np.array_split(order, min(N_FOLDS, len(order))):
            train = np.setdiff1d(order, test)
            model = self._make(self.space).fit(self.X[train], self.y[train])
            predicted[test] = model.predict(self.X[test])[0]
        return float(1 - np.mean((self.y - predicted) ** 2) / np.var(self.y))

    def points(self, U: Array) -> Array:
        """Return the points of the box that stand for uniform random numbers.

        Parameters
        ----------
        U : ndarray of shape (m, d)
            In [0, 1).

        Returns
        -------
        ndarray of shape (m, d)
            Uniform along each axis; NaN as often as the parameter did not exist.
        """
        absent = np.isnan(self.X).mean(axis=0)
        present = np.where(absent < 1, absent, 0)
        X = self.space.snap(np.maximum(U - present, 0) / (1 - present))
        return np.where(absent > U, np.nan, X)


def variance_shares(model: ScoreModel, n: int) -> tuple[Array, Array]:
    """Return the shares of the variance of the modeled score by parameter.

    With A and B independent random points, and AB_i like A but for coordinate i, which
    is that of B, and V the variance of f,

        main_i  = E[f(B) (f(AB_i) - f(A))] / V      (Saltelli et al. 2010, table 2 b)
        total_i = E[(f(A) - f(AB_i))^2] / (2 V)     (Jansen 1999)

    Parameters
    ----------
    model : ScoreModel
        With d parameters.
    n : int
        Number of points, a power of 2.

    Returns
    -------
    main, total : ndarray of shape (d,)
        What a parameter does alone, and what it does together with others as well.
        Sampling may give slightly less than 0 or more than 1; such are 0 or 1.
    """
    d = len(model.axes)
    U = qmc.Sobol(2 * d, seed=0).random(n)
    A, B = model.points(U[:, :d]), model.points(U[:, d:])
    f_A, f_B = model.predict(A), model.predict(B)
    variance = np.var(np.concatenate([f_A, f_B]))
    main, total = np.zeros((2, d))
    if variance == 0:
        return main, total
    f_B = f_B - f_A.mean()  # changes no expectation, and makes the sum less noisy
    for i in range(d):
        mixed = A.copy()
        mixed[:, i] = B[:, i]
        difference = model.predict(mixed) - f_A
        main[i] = np.mean(f_B * difference) / variance
        total[i] = np.mean(difference**2) / (2 * variance)
    return np.clip(main, 0, 1), np.clip(total, 0, 1)


def _n_choices(axis: Axis) -> int:
    """Number of distinct values, absence being one."""
    return axis.n_values + bool(np.isnan(axis.positions).any())


def _dimension(axis: Axis) -> Categorical | Real:
    if axis.categories is None and axis.n_values > 1:
        return Real(0, 1)
    # Two places for a parameter that has one value or none, or it would be left out.
    n_places = max(2, len(axis.categories or ()))
    return Categorical(range(n_places), ordered=False)


def _coordinates(axis: Axis) -> Array:
    if axis.categories is None and axis.n_values > 1:
        return axis.to_unit(axis.positions)
    if axis.n_values == 1:
        return np.where(np.isnan(axis.positions), np.nan, 0.25)
    return (axis.positions + 0.5) / len(axis.categories or ())
