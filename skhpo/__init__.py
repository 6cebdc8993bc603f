"""Hyperparameter search for scikit-learn users."""

from skhpo.search import GridSearch, RandomSearch

__version__ = "0.1.0.dev0"

__all__ = ["GridSearch", "RandomSearch"]
