"""What a surrogate is, and how any regressor with a deviation becomes one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from copy import deepcopy
from inspect import signature
from typing import Any, Protocol, runtime_checkable

import numpy as np

from skhpo._arithmetic import Array, users_arithmetic
from skhpo._words import did_you_mean
from skhpo.space import SearchSpace
from skhpo.surrogates._forest import RandomForest
from skhpo.surrogates._gp import GaussianProcess
from skhpo.surrogates._tpe import ParzenEstimator
from skhpo.surrogates._warp import independent_log_likelihood

__all__ = [
    "DifferentiableSurrogate",
    "Regressor",
    "Surrogate",
    "make_surrogate",
]

SURROGATES: dict[str, Callable[[SearchSpace], Any]] = {
    "gp": GaussianProcess,
    "forest": RandomForest,
    "tpe": ParzenEstimator,
}


class Surrogate(Protocol):
    """A model of the score on the points of a space.

    If it has a method ``predict_gradient(X)``, for the derivatives of mean and
    deviation, its acquisition is climbed.

    Attributes
    ----------
    ranks_directly : bool
        Whether the mean is neither a score nor has a deviation, and just ranks
        candidates, as a ratio of densities does. There is no acquisition then, and
        candidates are drawn by a method ``sample(m, rng)``: (m, d) points of the cube,
        of which each stands for the nearest one of the space.
    """

    ranks_directly: bool

    def fit(
        self, X: Array, y: Array, v: Array | None = None, *, keep_theta: bool = False
    ) -> Any:
        """Learn from observations.

        Parameters
        ----------
        X : ndarray of shape (n, d)
            Encoded points, NaN where inactive.
        y : ndarray of shape (n,)
            Their values.
        v : ndarray of shape (n,) or None, default=None
            Relative noise variances.
        keep_theta : bool, default=False
            Whether to keep the parameters of the last fit.

        Returns
        -------
        object
            The surrogate.
        """
        ...

    def predict(self, X: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation at some points.

        Parameters
        ----------
        X : ndarray of shape (m, d)
            Encoded points, NaN where inactive.

        Returns
        -------
        mean, std : ndarray of shape (m,)
            Mean and standard deviation of the value.
        """
        ...

    def profile_log_likelihood(self, X: Array, Y: Array) -> Array:
        """Return the log likelihoods of alternative values.

        Parameters
        ----------
        X : ndarray of shape (n, d)
            Encoded points, NaN where inactive.
        Y : ndarray of shape (n, c)
            Alternatives, one per column.

        Returns
        -------
        ndarray of shape (c,)
            One log likelihood for each.
        """
        ...


@runtime_checkable
class DifferentiableSurrogate(Surrogate, Protocol):
    """A surrogate whose predictions have derivatives."""

    def predict_gradient(self, X: Array) -> tuple[Array, Array, Array, Array]:
        """Return mean and deviation, both (m,), and their derivatives, (m, d)."""
        ...


class Regressor:
    """A surrogate made of an object with ``fit(X, y)`` and ``predict(X)``.

    Parameters
    ----------
    model : object
        ``predict`` must return mean and standard deviation, both of shape (m,); it is
        called with ``return_std=True`` if it has that parameter. If it has an attribute
        ``ranks_directly`` that is true, it also has ``sample(m, rng)``.
    is_users : bool, default=False
        Whether it is the user's: then it sees -1 for the coordinates of inactive
        parameters, and meets floating-point errors as the user has set NumPy to treat
        them.
    """

    def __init__(self, model: Any, *, is_users: bool = False) -> None:
        self.model, self.is_users = model, is_users
        parameters = signature(model.predict).parameters
        # Regressors of scikit-learn return the deviation when told to.
        self._options = {"return_std": True} if "return_std" in parameters else {}
        self.ranks_directly = bool(getattr(model, "ranks_directly", False))
        self._arithmetic = users_arithmetic if is_users else nullcontext
        self._inactive = -1.0 if is_users else np.nan
        self._n_columns = 0

    def _filled(self, X: Array) -> Array:
        """Return the points as the model is to see them."""
        return np.where(np.isnan(X), self._inactive, X)

    def fit(
        self, X: Array, y: Array, v: Array | None = None, *, keep_theta: bool = False
    ) -> Regressor:
        """Fit the model; noise and earlier parameters are of no use to it."""
        del v, keep_theta
        self._n_columns = X.shape[1]
        with self._arithmetic():
            self.model.fit(self._filled(X), y)
        return self

    def sample(self, m: int, rng: np.random.Generator) -> Array:
        """Return `m` points drawn by the model, (m, d); only if it ranks directly."""
        with self._arithmetic():
            given = self.model.sample(m, rng)
        try:
            points = np.array(given, dtype=float)
        except (TypeError, ValueError):  # no numbers, or rows of several lengths
            points = np.empty(0)
        if points.shape != (m, self._n_columns):
            raise TypeError(
                f"The 'sample' of the surrogate {self.model!r} must return m points of "
                f"the unit cube, here an array of shape {(m, self._n_columns)}. Got "
                f"{given!r} instead."
            )
        return points

    def predict(self, X: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation at `X`, both (m,)."""
        with self._arithmetic():
            result = self.model.predict(self._filled(X), **self._options)
        if len(result) != 2 or any(np.shape(part) != (len(X),) for part in result):
            raise TypeError(
                f"The 'predict' of the surrogate {self.model!r} must return a pair "
                "(mean, std) of arrays of one number per row of X, here of shape "
                f"({len(X)},). Got {result!r} instead."
            )
        mean, std = result
        return np.asarray(mean, dtype=float), np.asarray(std, dtype=float)

    def profile_log_likelihood(self, X: Array, Y: Array) -> Array:
        """Return the log likelihoods of independent observations."""
        del X
        return independent_log_likelihood(Y)


def make_surrogate(surrogate: Any, space: SearchSpace) -> Surrogate:
    """Return the surrogate that a name or an object stands for.

    Parameters
    ----------
    surrogate : {"gp", "forest", "tpe"} or object
        An object must have ``fit`` and ``predict``, and is copied.
    space : SearchSpace
        Where the points come from.

    Returns
    -------
    Surrogate
        Not yet fitted.
    """
    if isinstance(surrogate, str) and surrogate in SURROGATES:
        model = SURROGATES[surrogate](space)
        return model if surrogate == "gp" else Regressor(model)
    if not hasattr(surrogate, "fit") or not hasattr(surrogate, "predict"):
        raise ValueError(
            f"{did_you_mean(surrogate, SURROGATES)}The 'surrogate' parameter must be "
            f"one of {list(SURROGATES)} or an object with fit(X, y) and predict(X) -> "
            f"mean, std. Got {surrogate!r} instead."
        )
    if getattr(surrogate, "ranks_directly", False) and not hasattr(surrogate, "sample"):
        raise ValueError(
            "A surrogate with ranks_directly=True must have a method sample(m, rng), "
            f"which draws m candidates. Got {surrogate!r} instead."
        )
    return Regressor(deepcopy(surrogate), is_users=True)
