"""What a surrogate is, and how any regressor with a deviation becomes one."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from inspect import signature
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from skhpo.space import SearchSpace
from skhpo.surrogates._forest import RandomForest
from skhpo.surrogates._gp import GaussianProcess
from skhpo.surrogates._tpe import ParzenEstimator
from skhpo.surrogates._warp import independent_log_likelihood

__all__ = ["Surrogate", "make_surrogate"]

Array = NDArray[np.float64]

SURROGATES: dict[str, Callable[[SearchSpace], Any]] = {
    "gp": GaussianProcess,
    "forest": RandomForest,
    "tpe": ParzenEstimator,
}


class Surrogate(Protocol):
    """A model of the score on the points of a space.

    A surrogate that can do more says so by having the method: ``predict_gradient(X)``
    (derivatives of mean and deviation) lets the acquisition be climbed, and
    ``sample(m, rng)`` has candidates drawn from the model instead of the whole space.
    """

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


class Regressor:
    """A surrogate made of an object with ``fit(X, y)`` and ``predict(X)``.

    Parameters
    ----------
    model : object
        ``predict`` must return mean and standard deviation, both of shape (m,); it is
        called with ``return_std=True`` if it has that parameter.
    inactive : float, default=nan
        What stands for the coordinates of parameters that do not exist.
    """

    def __init__(self, model: Any, inactive: float = np.nan) -> None:
        self.model, self.inactive = model, inactive
        parameters = signature(model.predict).parameters
        # Regressors of scikit-learn return the deviation when told to.
        self._options = {"return_std": True} if "return_std" in parameters else {}
        if hasattr(model, "sample"):
            self.sample = model.sample

    def _filled(self, X: Array) -> Array:
        return np.where(np.isnan(X), self.inactive, X)

    def fit(
        self, X: Array, y: Array, v: Array | None = None, *, keep_theta: bool = False
    ) -> Regressor:
        """Fit the model; noise and earlier parameters are of no use to it."""
        del v, keep_theta
        self.model.fit(self._filled(X), y)
        return self

    def predict(self, X: Array) -> tuple[Array, Array]:
        """Return mean and standard deviation at `X`, both (m,)."""
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
        An object must have ``fit`` and ``predict``, and is copied; it sees -1 in place
        of the coordinates of inactive parameters.
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
            f"The 'surrogate' parameter must be one of {list(SURROGATES)} or an object "
            "with fit(X, y) and predict(X) -> mean, std. Got "
            f"{surrogate!r} instead."
        )
    return Regressor(deepcopy(surrogate), inactive=-1.0)
