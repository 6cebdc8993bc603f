"""What a running search knows, and what it leaves behind of its fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sklearn.utils import Bunch

from skhpo._sklearn_compat import RootHooks
from skhpo.evaluation import EvaluationSpec, Evaluator
from skhpo.evaluation._response_store import ResponseStore
from skhpo.evaluation.fitting._subsets import Subsets
from skhpo.evaluation.fitting._task import Fitter
from skhpo.evaluation.workers._limits import Limits
from skhpo.optimizers._halving import HalvingOptimizer
from skhpo.search._budget import TimeBudget
from skhpo.search._patient import PatientEvaluator
from skhpo.search._raced import RacingEvaluator
from skhpo.search._results import Record
from skhpo.search.feedback._bar import Bar
from skhpo.space import SearchSpace
from skhpo.stopping import StopRule

__all__ = ["Problem", "Reuse", "Run", "Space", "subspaces_of"]

# Compiled, or the dicts of one that is searched as scikit-learn has it.
Space = SearchSpace | Sequence[Mapping[str, Any]]


def subspaces_of(space: Space) -> Sequence[Mapping[str, Any]]:
    """Return the dicts of a space, each with the values by name."""
    return space.subspaces() if isinstance(space, SearchSpace) else space


@dataclass(frozen=True, eq=False)
class Problem:
    """What a ``fit`` was given, checked: the estimator is to be scored on the splits
    of these data. The types of scikit-learn are not known to mypy."""

    estimator: Any
    space: Space
    X: Any
    y: Any
    scorers: Any
    refit_metric: str
    routed: Bunch
    cv: Any


@dataclass(eq=False)
class Run:
    """How far a ``fit`` is. None of it stands on the search itself: that is pickled by
    callbacks while it runs, and by its users afterwards."""

    problem: Problem
    record: Record
    hooks: RootHooks
    start: float  # by `skhpo._clock`
    budget: TimeBudget
    limits: Limits | None
    rules: Sequence[StopRule]
    halving: HalvingOptimizer | None = None  # None: all have all resources
    rounds: list[int] | None = None  # of each candidate; None: there is one only
    subsets: Subsets | None = None  # if these are rows
    fitter: Fitter | None = None  # None: each candidate by `fit`
    fresh: Sequence[tuple[Any, Any]] = ()  # the splits of finalists
    finalists: Sequence[int] = ()  # the rows that have a score on all of these
    # Once there is a task.
    spec: EvaluationSpec | None = None
    evaluator: Evaluator | PatientEvaluator | RacingEvaluator | None = None
    response_of: str | None = None  # the score, if its responses are to be kept
    responses: ResponseStore | None = None
    model: Any = None  # fitted during the search, to be kept as the best
    bar: Bar = field(default_factory=Bar)
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
    n_found : int, default=0
        Number of evaluations (candidates on splits) that were found in the journal.
    n_evaluations : int, default=0
        Number of all evaluations.
    """

    n_fits: int
    n_saved: int
    n_found: int = 0
    n_evaluations: int = 0
