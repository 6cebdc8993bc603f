"""The parallel core: fits and scores candidates on splits, on any joblib backend."""

from skhpo._public import publish as _publish
from skhpo.evaluation._evaluator import Evaluator
from skhpo.evaluation.fitting._spec import EvaluationSpec
from skhpo.evaluation.paths._registry import register_path
from skhpo.evaluation.paths._stage_registry import register_stages

__all__ = ["EvaluationSpec", "Evaluator", "register_path", "register_stages"]

_publish(__name__)
