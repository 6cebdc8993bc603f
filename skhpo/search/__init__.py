"""The searches: estimators with ``fit``."""

from skhpo.search._bayes import BayesSearch
from skhpo.search._gradient import GradientSearch
from skhpo.search._grid import GridSearch
from skhpo.search._pbt import PBTSearch
from skhpo.search._random import RandomSearch

__all__ = ["BayesSearch", "GradientSearch", "GridSearch", "PBTSearch", "RandomSearch"]
