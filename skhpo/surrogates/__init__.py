"""Surrogates: models of the score over a search space."""

from skhpo._public import publish as _publish
from skhpo.surrogates._base import Surrogate
from skhpo.surrogates._forest import RandomForest
from skhpo.surrogates._gp import GaussianProcess
from skhpo.surrogates._tpe import ParzenEstimator

__all__ = ["GaussianProcess", "ParzenEstimator", "RandomForest", "Surrogate"]

_publish(__name__)
