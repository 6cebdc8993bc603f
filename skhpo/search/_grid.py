"""Exhaustive search: every combination of listed values."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, ClassVar

import numpy as np

from skhpo._docstrings import inherit_docs
from skhpo._sklearn_compat import Interval, StrOptions
from skhpo._warnings import warn_user
from skhpo.exceptions import SkhpoWarning
from skhpo.optimizers import GridOptimizer, Optimizer
from skhpo.optimizers._enumerated import grid_space, ranges_of_grid
from skhpo.optimizers._starting import StartingOptimizer
from skhpo.optimizers._zoom import ZoomingOptimizer
from skhpo.search._auto import is_auto
from skhpo.search._base import BaseSearch
from skhpo.search._finalists import FinalistSearch
from skhpo.search._halving import HalvingSearch
from skhpo.search._initial import initial_candidates, without_known
from skhpo.search._race import RacingSearch
from skhpo.search._run import Run, Space
from skhpo.space import SearchSpace
from skhpo.space._check import check_space
from skhpo.space._discretize import ranges_of
from skhpo.stopping import StopRule

__all__ = ["GridSearch"]


@inherit_docs(BaseSearch)
@inherit_docs(FinalistSearch)
@inherit_docs(RacingSearch)
@inherit_docs(HalvingSearch)
class GridSearch(HalvingSearch):
    """Exhaustive search: fit and score every combination of parameter values.

    A drop-in replacement of :class:`~sklearn.model_selection.GridSearchCV`: the same
    parameters, the same ``cv_results_``. Take it when the combinations are few enough
    to try them all, and when you want to be sure to have tried them; with many
    parameters, :class:`RandomSearch` finds more for the same number of fits.

    Parameters
    ----------
    param_grid : dict, list of dict, or SearchSpace
        The values to try, a list or array for each parameter name, as ``set_params``
        takes it (``"svc__C"`` in a pipeline). Several dicts are searched one after
        the other; an empty dict is the estimator as it is. Equal combinations are
        fitted once, and each keeps its row in the results. Ranges, distributions and
        conditions, as :class:`BayesSearch` takes them, are written out as lists; but
        a tuple of two numbers is two values. Weights mean nothing to a grid.
    n_levels : int or dict of str to int, default=5
        Number of values of a range or distribution, for all of them or by name: evenly
        spread quantiles, bounds included if it has any. There are fewer if there are
        not so many integers.
    constraints : callable or list of callables, default=None
        Predicates on the params of a candidate; only those that meet all are tried.
    initial_params : "defaults", list of dict, or None, default=None
        What to try before the grid, unless it is in there. "defaults" is the estimator
        as given, which :func:`skhpo.report` compares the best with.
    zoom : int, default=0
        How often to zoom in: big steps first, then small ones. After the grid, a finer
        one follows around the candidates within one standard error of the best, by the
        rules of :meth:`skhpo.space.SearchSpace.zoom`, and so on. Ranges are halved each
        time, and have as many values as before; three or more listed numbers are a
        range, too, and two stay what they are. A round costs as much as the grid, less
        what is known, and the search ends early if there is nothing new.
        ``cv_results_["round"]`` tells the rounds.
    reuse : bool, default=True
        Whether candidates share the fits that they have in common: the first steps of
        a pipeline, and values that one fit serves (such as ``n_estimators`` of a
        forest). The scores are the same, bit for bit, and the times are reported as
        if each candidate had been fitted alone.

    See Also
    --------
    RandomSearch : Random draws in place of all combinations.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skhpo import GridSearch
    >>> X, y = load_iris(return_X_y=True)
    >>> search = GridSearch(SVC(), {"C": [0.1, 1, 10], "kernel": ["linear", "rbf"]})
    >>> search.fit(X, y).best_params_
    {'C': 1, 'kernel': 'linear'}
    >>> search.predict(X[:3])
    array([0, 0, 0])

    Of a range, the quantiles are tried:

    >>> from skhpo.space import Real
    >>> search = GridSearch(SVC(), {"C": Real(0.01, 100, log=True)}, n_levels=3)
    >>> [round(params["C"], 2) for params in search.fit(X, y).cv_results_["params"]]
    [0.01, 1.0, 100.0]

    First in big steps, then in smaller ones around the best:

    >>> search = GridSearch(SVC(), {"gamma": [1e-4, 1e-2, 1]}, zoom=2).fit(X, y)
    >>> [round(params["gamma"], 4) for params in search.cv_results_["params"]]
    [0.0001, 0.01, 1, 0.1, 0.3162]
    """

    _parameter_constraints: ClassVar[dict] = {
        **HalvingSearch._parameter_constraints,
        "param_grid": [StrOptions({"auto"}), Mapping, list, tuple, SearchSpace],
        "n_levels": [Interval(Integral, 1, None, closed="left"), Mapping],
        "constraints": [callable, list, tuple, None],
        "initial_params": [StrOptions({"defaults"}), list, tuple, None],
        "zoom": [Interval(Integral, 0, None, closed="left")],
        "reuse": ["boolean"],
    }

    def __init__(
        self,
        estimator: Any,
        param_grid: Mapping[str, Any] | Sequence[Any] | SearchSpace,
        *,
        n_levels: int | Mapping[str, int] = 5,
        constraints: Any = None,
        initial_params: str | Sequence[Mapping[str, Any]] | None = None,
        zoom: int = 0,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        error_score: str | float = np.nan,
        return_train_score: bool = False,
        reuse: bool = True,
        race: bool | float = False,
        resource: str | None = None,
        min_resources: int | str = "auto",
        max_resources: int | str = "auto",
        factor: float | str = "auto",
        aggressive_elimination: bool = False,
        n_brackets: int = 1,
        journal: str | os.PathLike[str] | None = None,
        time_budget: float | str | None = None,
        stop: StopRule | Sequence[StopRule] | None = None,
        fit_timeout: float | str | None = None,
        memory_limit: float | str | None = None,
        return_oof: bool = False,
        finalists: int = 0,
        finalist_repeats: int = 3,
    ) -> None:
        super().__init__(**self._shared(locals()))
        self.param_grid = param_grid
        self.n_levels = n_levels
        self.constraints = constraints
        self.initial_params = initial_params
        self.zoom = zoom
        self.reuse = reuse
        self.race = race
        self.finalists = finalists
        self.finalist_repeats = finalist_repeats
        self.resource = resource
        self.min_resources = min_resources
        self.max_resources = max_resources
        self.factor = factor
        self.aggressive_elimination = aggressive_elimination
        self.n_brackets = n_brackets

    def _compile(self) -> Space:
        if is_auto(self.param_grid):
            raise ValueError(
                "GridSearch tries every combination, so what these are is for you to "
                "see and to decide. Take a few values of each parameter of a suggested "
                "space: GridSearch(estimator, suggest_space(estimator, X, y).grid(3)), "
                "with suggest_space of skhpo.space. RandomSearch, BayesSearch and "
                "PBTSearch take 'auto'."
            )
        subspaces = check_space(self.param_grid, name="param_grid", distributions=False)
        space = grid_space(self.param_grid, self.n_levels)
        return subspaces if space is None else space

    def _make_optimizer(self, space: Space) -> Optimizer:
        grid = GridOptimizer(space, constraints=self.constraints)
        initial = initial_candidates(
            self.initial_params, self.estimator, space, self.constraints
        )
        new = without_known(initial, grid.all_params, self.estimator)
        optimizer = StartingOptimizer(grid, new) if new else grid
        if not self.zoom:
            return optimizer
        ranges, n_levels = ranges_of_grid(self.param_grid, self.n_levels)
        ranges = SearchSpace(ranges, constraints=self.constraints)
        if not ranges_of(ranges):
            warn_user(
                f"zoom={self.zoom} changes nothing: a range can be cut, that is a "
                "Real, an Integer, a distribution or a list of three numbers, and "
                "there is none. List a number between two, or set zoom=0.",
                SkhpoWarning,
            )
        return ZoomingOptimizer(optimizer, ranges, n_levels, self.zoom)

    def _start(self, X: Any, y: Any, params: dict[str, Any]) -> Run:
        run = super()._start(X, y, params)
        if self.zoom and self.resource is not None:
            raise ValueError(
                "The iterations of halving leave few candidates that have had "
                "everything, and zooming needs those of a whole grid. Set zoom=0, or "
                f"resource=None. Got zoom={self.zoom} and resource={self.resource!r}."
            )
        return run

    def _why_one_score(self) -> str | None:
        reason = super()._why_one_score()
        return "with 'zoom' compares" if reason is None and self.zoom else reason

    def _evaluate(self, run: Run, optimizer: Optimizer) -> None:
        if isinstance(optimizer, ZoomingOptimizer):
            run.rounds = optimizer.rounds
        super()._evaluate(run, optimizer)

    def _set_results(self, run: Run) -> None:
        super()._set_results(run)
        if run.rounds is not None:
            ids = [trial.candidate.id for trial in run.record.trials]
            self.cv_results_["round"] = np.array(run.rounds)[ids]
