"""Hyperparameter search for scikit-learn users."""

from skhpo.evaluation import register_path
from skhpo.search import BayesSearch, GridSearch, RandomSearch

__version__ = "0.1.0.dev0"

__all__ = ["BayesSearch", "GridSearch", "RandomSearch", "register_path"]
