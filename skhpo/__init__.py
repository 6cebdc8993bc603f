"""Hyperparameter search for scikit-learn users."""

from skhpo.evaluation import register_incremental
from skhpo.search import GridSearch, PBTSearch, RandomSearch

__version__ = "0.1.0.dev0"

__all__ = ["GridSearch", "PBTSearch", "RandomSearch", "register_incremental"]
