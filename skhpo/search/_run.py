"""What a running search knows, and what it leaves behind of its fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sklearn.utils import Bunch

from skhpo._sklearn_compat import RootHooks
from skhpo.evaluation.workers._limits import Limits
from skhpo.search._budget import TimeBudget

__all__ = ["Reuse", "Run"]


@dataclass
class Run:
    """The state of one running ``fit``. None of it stands on the search itself:
    that is pickled by callbacks while it runs, and by its users afterwards."""

    X: Any
    y: Any
    scorers: Any
    refit_metric: Any
    routed: Bunch
    hooks: RootHooks
    cv: Any
    n_splits: int
    estimator: Any
    start: float
    budget: TimeBudget
    limits: Limits | None
    evaluator: Any = None
    stop_reason: str = "error"  # as long as nothing else is known
    has_chosen: bool = False  # whether the best candidate has been asked for


@dataclass(frozen=True)
class Reuse:
    """What sharing saved.

    Parameters
    ----------
    n_fits : int
        Number of fits that were done, counting each step of a pipeline. A fit that
        was tried again, since it failed on data that it must not change, counts once.
    n_saved : int
        Number of further fits that one by one would have been done.
    """

    n_fits: int
    n_saved: int
