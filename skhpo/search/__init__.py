"""The searches: estimators with ``fit``; and what a fitted one has as attributes."""

from skhpo._public import publish as _publish
from skhpo._sklearn_compat import ScoreFunction
from skhpo.search._bayes import BayesSearch
from skhpo.search._curves import StageCurve
from skhpo.search._gradient import GradientSearch
from skhpo.search._grid import GridSearch
from skhpo.search._oof import OutOfFold
from skhpo.search._pbt import PBTSearch
from skhpo.search._random import RandomSearch
from skhpo.search._run import Reuse
from skhpo.search.feedback._failures import Failures

__all__ = [
    "BayesSearch",
    "Failures",
    "GradientSearch",
    "GridSearch",
    "OutOfFold",
    "PBTSearch",
    "RandomSearch",
    "Reuse",
    "ScoreFunction",
    "StageCurve",
]

_publish(__name__)
