"""The parallel core: fits and scores candidates on splits, on any joblib backend."""

from skhpo.evaluation._evaluator import Evaluator
from skhpo.evaluation._paths import register_path
from skhpo.evaluation._spec import EvaluationSpec

__all__ = ["EvaluationSpec", "Evaluator", "register_path"]
