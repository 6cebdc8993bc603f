"""The searches: estimators with ``fit``."""

from skhpo._public import publish as _publish
from skhpo.search._bayes import BayesSearch
from skhpo.search._gradient import GradientSearch
from skhpo.search._grid import GridSearch
from skhpo.search._pbt import PBTSearch
from skhpo.search._random import RandomSearch
from skhpo.search._run import Reuse

__all__ = [
    "BayesSearch",
    "GradientSearch",
    "GridSearch",
    "PBTSearch",
    "RandomSearch",
    "Reuse",
]

_publish(__name__)
