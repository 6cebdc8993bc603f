"""Hyperparameter search for scikit-learn users."""

from skhpo._comparison._compare import compare_searches
from skhpo._comparison._comparison import Comparison
from skhpo._public import publish as _publish
from skhpo._recommendation._recommend import recommend_search
from skhpo._recommendation._recommendation import Recommendation
from skhpo._report._compute import report
from skhpo._report._report import Report
from skhpo._version import __version__ as __version__
from skhpo.evaluation import register_path, register_stages
from skhpo.evaluation.gradients._group_scaler import GroupScaler
from skhpo.evaluation.gradients._registry import register_hypergradient
from skhpo.evaluation.incremental import register_incremental
from skhpo.journal import read_journal
from skhpo.schedules import ReduceOnPlateau, ScheduledEstimator, TrainingState
from skhpo.search import (
    BayesSearch,
    GradientSearch,
    GridSearch,
    PBTSearch,
    RandomSearch,
)

__all__ = [
    "BayesSearch",
    "Comparison",
    "GradientSearch",
    "GridSearch",
    "GroupScaler",
    "PBTSearch",
    "RandomSearch",
    "Recommendation",
    "ReduceOnPlateau",
    "Report",
    "ScheduledEstimator",
    "TrainingState",
    "compare_searches",
    "read_journal",
    "recommend_search",
    "register_hypergradient",
    "register_incremental",
    "register_path",
    "register_stages",
    "report",
]

_publish(__name__)
