"""Surrogates: models of the score over a search space."""

from skhpo.surrogates._base import Surrogate
from skhpo.surrogates._forest import RandomForest
from skhpo.surrogates._gp import GaussianProcess
from skhpo.surrogates._tpe import ParzenEstimator

__all__ = ["GaussianProcess", "ParzenEstimator", "RandomForest", "Surrogate"]
