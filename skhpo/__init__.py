"""Hyperparameter search for scikit-learn users."""

from skhpo.evaluation import register_incremental
from skhpo.scheduled import ScheduledEstimator
from skhpo.schedules import ReduceOnPlateau
from skhpo.search import GridSearch, PBTSearch, RandomSearch

__version__ = "0.1.0.dev0"

__all__ = [
    "GridSearch",
    "PBTSearch",
    "RandomSearch",
    "ReduceOnPlateau",
    "ScheduledEstimator",
    "register_incremental",
]
