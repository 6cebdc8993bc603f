"""Search algorithms as ask/tell, without estimators, data or workers."""

from skhpo._public import publish as _publish
from skhpo._trial import Candidate, Estimate, Evaluation, Gradient, Trial
from skhpo.optimizers._anneal import AnnealOptimizer
from skhpo.optimizers._base import Optimizer, ResumingOptimizer
from skhpo.optimizers._bayes import BayesOptimizer
from skhpo.optimizers._enumerated import GridOptimizer, RandomOptimizer
from skhpo.optimizers._gradient import GradientOptimizer
from skhpo.optimizers._limited import LimitedOptimizer
from skhpo.optimizers._pbt import PBTOptimizer
from skhpo.optimizers._sampling import SamplingOptimizer

__all__ = [
    "AnnealOptimizer",
    "BayesOptimizer",
    "Candidate",
    "Estimate",
    "Evaluation",
    "Gradient",
    "GradientOptimizer",
    "GridOptimizer",
    "LimitedOptimizer",
    "Optimizer",
    "PBTOptimizer",
    "RandomOptimizer",
    "ResumingOptimizer",
    "SamplingOptimizer",
    "Trial",
]

_publish(__name__)
