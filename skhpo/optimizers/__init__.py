"""Search algorithms as ask and tell."""

from skhpo.optimizers._anneal import AnnealOptimizer
from skhpo.optimizers._base import Optimizer
from skhpo.optimizers._bayes import BayesOptimizer

__all__ = ["AnnealOptimizer", "BayesOptimizer", "Optimizer"]
