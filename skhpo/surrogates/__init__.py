"""Surrogates: models of the score over a search space."""

from skhpo.surrogates._base import Surrogate, make_surrogate
from skhpo.surrogates._forest import RandomForest
from skhpo.surrogates._gp import GaussianProcess, informative_subset
from skhpo.surrogates._tpe import ParzenEstimator
from skhpo.surrogates._warp import warp

__all__ = [
    "GaussianProcess",
    "ParzenEstimator",
    "RandomForest",
    "Surrogate",
    "informative_subset",
    "make_surrogate",
    "warp",
]
