"""Search algorithms as ask/tell, without estimators, data or workers."""

from skhpo.optimizers._base import Optimizer
from skhpo.optimizers._enumerated import GridOptimizer, RandomOptimizer
from skhpo.optimizers._pbt import PBTOptimizer

__all__ = ["GridOptimizer", "Optimizer", "PBTOptimizer", "RandomOptimizer"]
