"""Gradient search: penalties and kernel parameters, down the slope of the score."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Integral
from numbers import Real as RealNumber
from typing import Any, ClassVar

import numpy as np
from sklearn.base import clone

from skhpo._arithmetic import Array, own_arithmetic, unit_of
from skhpo._docstrings import inherit_docs
from skhpo._sklearn_compat import (
    Interval,
    StrOptions,
    is_foreign_array,
    is_multimetric,
)
from skhpo._warnings import warn_user
from skhpo.evaluation import EvaluationSpec
from skhpo.evaluation.gradients._hypergradient import (
    Hypergradient,
    differentiable,
    last_step,
    why_no_gradient,
)
from skhpo.evaluation.gradients._registry import GRADIENTS, find_adapter
from skhpo.evaluation.gradients._scores import (
    find_smooth_score,
    missing_method,
    smooth_names,
    why_flat,
)
from skhpo.exceptions import InvalidSpaceError, SkhpoWarning
from skhpo.optimizers import GradientOptimizer
from skhpo.optimizers._gradient import mean_slopes
from skhpo.search._base import BaseSearch
from skhpo.search._loop import LoopPolicy
from skhpo.search._results import Record
from skhpo.search._run import Problem, Run, Space
from skhpo.space import Real, SearchSpace
from skhpo.space._dimensions import is_number
from skhpo.space._name import check_name
from skhpo.stopping import StopRule

__all__ = ["GradientSearch"]

MAX_DIFFERENCES = 3  # parameters for which differences are worth their fits


@inherit_docs(BaseSearch)
class GradientSearch(BaseSearch):
    """Gradient search: penalties of smooth models, down the slope of the score.

    For models whose fit is the minimum of a smooth function, the derivative of the
    score on the test part by every hyperparameter follows from one fit, by the implicit
    function theorem [1]_ [2]_, at about the cost of one more linear solve. So ten
    penalties, one for each group of columns, are as easily tuned as one: see
    :class:`GroupScaler`. From several starting points, quasi-Newton steps go uphill.

    It is for continuous hyperparameters of :class:`~sklearn.linear_model.Ridge`,
    :class:`~sklearn.linear_model.Lasso`, :class:`~sklearn.linear_model.ElasticNet`,
    :class:`~sklearn.linear_model.LogisticRegression`,
    :class:`~sklearn.linear_model.PoissonRegressor`,
    :class:`~sklearn.linear_model.GammaRegressor`,
    :class:`~sklearn.linear_model.TweedieRegressor`,
    :class:`~sklearn.linear_model.RidgeClassifier`,
    :class:`~sklearn.svm.LinearSVC` and :class:`~sklearn.svm.LinearSVR` with squared
    losses, :class:`~sklearn.kernel_ridge.KernelRidge`, and what
    `register_hypergradient` adds; of any other model, for at most three by finite
    differences. The score must be smooth, such as "neg_log_loss". This search is
    experimental.

    Parameters
    ----------
    bounds : dict
        For each parameter name, as ``set_params`` takes it, a pair of numbers or a
        :class:`~skhpo.space.Real`. A pair is on a logarithmic scale, unless the
        parameter is one without: ``l1_ratio``, ``coef0``, and the ``log_scale`` of a
        `GroupScaler`, which is a logarithm already. The ``log_scale`` of a
        `GroupScaler` with groups stands for those of all its groups.
    method : {"auto", "implicit", "finite_difference"}, default="auto"
        Where gradients come from: the implicit function theorem, or scores a small step
        beside each point, which are rows of ``cv_results_`` as others are. "auto" is
        the former where it is known for all of `bounds` and for the score, and else the
        latter.
    n_restarts : int, default=3
        Number of starting points. The first one is the estimator's own values, within
        the bounds; the others are random. They go on side by side. Where two come
        close, the worse one ends, as does one that would not reach the best one at its
        pace.
    max_iter : int, default=50
        The most candidates of each starting point, not counting those for differences.
    tol : float, default=1e-4
        A line ends where a change of a parameter by a factor e (by 1, on a linear
        scale) would change the score by less than `tol` times it, by its slope.
    random_state : int, RandomState, Generator or None, default=None
        Seed of the starting points; an int gives the same candidates at every ``fit``.

    Attributes
    ----------
    method_ : str
        Where gradients came from.
    n_iter_ : int
        Number of candidates.

    See Also
    --------
    BayesSearch : For any parameter and any score.
    GroupScaler : A penalty per group of columns.

    Notes
    -----
    ``cv_results_`` has the column ``gradient_norm``: of the mean test score, by the
    logarithm of each parameter where its scale is logarithmic; NaN where there is no
    gradient.

    The gradient is that of the exact minimum, to which the fitted coefficients are
    brought by a few Newton steps. Of a fit that has ended far from it, the gradient is
    not used, and there is a warning.

    Many penalties on few rows fit the splits themselves: compare with an outer
    cross-validation what they gain.

    References
    ----------
    .. [1] Y. Bengio, "Gradient-based optimization of hyperparameters", Neural
       Computation 12, 1889-1900, 2000.
    .. [2] F. Pedregosa, "Hyperparameter optimization with approximate gradient",
       ICML 2016.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skhpo import GradientSearch, GroupScaler
    >>> X, y = load_diabetes(return_X_y=True)
    >>> groups = {"body": range(4), "blood": range(4, 10)}
    >>> model = make_pipeline(StandardScaler(), GroupScaler(groups), Ridge())
    >>> search = GradientSearch(
    ...     model,
    ...     {"groupscaler__log_scale": (-5, 5)},
    ...     scoring="neg_mean_squared_error",
    ...     random_state=0,
    ... ).fit(X, y)
    >>> sorted(search.best_params_)
    ['groupscaler__log_scale__blood', 'groupscaler__log_scale__body']
    >>> bool(search.best_score_ > -3000)
    True
    """

    reuse = False  # no two candidates have a step in common that is worth it
    _parameter_constraints: ClassVar[dict] = {
        **BaseSearch._parameter_constraints,
        "bounds": [Mapping],
        "method": [StrOptions({"auto", "implicit", "finite_difference"})],
        "n_restarts": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(RealNumber, 0, None, closed="left")],
        "random_state": ["random_state", np.random.Generator],
    }

    def __init__(
        self,
        estimator: Any,
        bounds: Mapping[str, Any],
        *,
        method: str = "auto",
        n_restarts: int = 3,
        max_iter: int = 50,
        tol: float = 1e-4,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        random_state: Any = None,
        error_score: str | float = np.nan,
        return_train_score: bool = False,
        return_oof: bool = False,
        journal: str | os.PathLike[str] | None = None,
        time_budget: float | str | None = None,
        stop: StopRule | Sequence[StopRule] | None = None,
        fit_timeout: float | str | None = None,
        memory_limit: float | str | None = None,
    ) -> None:
        super().__init__(**self._shared(locals()))
        self.bounds = bounds
        self.method = method
        self.n_restarts = n_restarts
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def _policy(self) -> LoopPolicy:
        # As many as the lines can want at a time; differences are one per parameter.
        return LoopPolicy(learns=True, n_pending=self.n_restarts * MAX_DIFFERENCES)

    def _compile(self) -> SearchSpace:
        if not self.bounds:
            raise InvalidSpaceError("bounds must name a parameter. Got none.")
        scales = _known_scales(self.estimator)
        named = _one_by_one(self.bounds, self.estimator)
        return SearchSpace(
            {name: _as_range(name, b, scales.get(name, True)) for name, b in named}
        )

    def _check_space(self, problem: Problem) -> None:
        super()._check_space(problem)
        names = [str(column.name) for column in _columns(problem.space)]
        scorer = _objective(problem.scorers, self.refit)
        reason = _why_not_implicit(problem.estimator, names)
        if is_foreign_array(problem.X):
            reason = "it is computed with NumPy, and X is an array of another library"
        self.method_ = _choose_method(
            self.method, problem.estimator, scorer, names, reason
        )

    def _make_optimizer(self, space: Space) -> GradientOptimizer:
        assert isinstance(space, SearchSpace), "it was compiled so"
        return GradientOptimizer(
            space,
            n_restarts=self.n_restarts,
            max_iter=self.max_iter,
            tol=self.tol,
            differences=self.method_ == "finite_difference",
            initial_params=[_own_values(self.estimator, space)],
            random_state=self.random_state,
        )

    def _make_spec(self, run: Run, n_candidates: int | None) -> EvaluationSpec:
        spec = super()._make_spec(run, n_candidates)
        if self.method_ == "finite_difference":
            return spec
        problem = run.problem
        model = last_step(problem.estimator)
        score = find_smooth_score(_objective(problem.scorers, self.refit), model)
        assert score is not None, "the method was chosen so"
        names = tuple(str(column.name) for column in _columns(problem.space))
        adapter = find_adapter(model)
        added = adapter if adapter in GRADIENTS.added.values() else None
        return replace(spec, gradient=Hypergradient(score, names, added))

    def _more_results(self, record: Record) -> dict[str, Any]:
        if self.method_ == "finite_difference":
            return {"gradient_norm": np.full(record.n_candidates, np.nan)}
        scales = {c.name: c.dimension.log for c in _columns(self._compile())}
        norms = []
        for trial in record.trials:
            params = trial.candidate.params
            slopes = [
                value * (params[name] if scales[name] else 1.0)
                for name, value in mean_slopes(trial).items()
            ]
            norms.append(_norm(np.array(slopes, dtype=float)) if slopes else np.nan)
        return {"gradient_norm": np.array(norms)}

    def _set_results(self, run: Run) -> None:
        super()._set_results(run)
        self.n_iter_ = run.record.n_candidates
        problems = [
            evaluation.gradient.problem
            for trial in run.record.trials
            for evaluation in trial.done
            if evaluation.gradient is not None and evaluation.gradient.problem
        ]
        if problems:
            warn_user(
                f"{len(problems)} of {run.record.n_candidates * self.n_splits_} fits "
                "have no gradient that can be trusted; the search has gone no further "
                f"there. The first of them: {problems[0]}",
                SkhpoWarning,
            )


@own_arithmetic()
def _norm(slopes: Array) -> float:
    """Return the length of a gradient, also where squares leave the floats."""
    unit = unit_of(np.array([np.abs(slopes).max()]))
    return float(unit * np.linalg.norm(slopes / unit))


def _columns(space: Any) -> list[Any]:
    assert isinstance(space, SearchSpace), "it was compiled so"
    return space.columns


def _known_scales(estimator: Any) -> dict[str, bool]:
    """Return which parameters are known to have a logarithmic scale, or none."""
    return {} if why_no_gradient(estimator) else differentiable(estimator)


def _one_by_one(bounds: Mapping[str, Any], estimator: Any) -> list[tuple[str, Any]]:
    """Return the bounds of each parameter; those of groups by themselves."""
    named: list[tuple[str, Any]] = []
    known = estimator.get_params(deep=True)
    for name, given in bounds.items():
        check_name(name)
        is_common = name == "log_scale" or name.endswith("__log_scale")
        groups = [k for k in known if is_common and k.startswith(name + "__")]
        named += [(k, given) for k in groups or [name]]
    names = [name for name, _ in named]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidSpaceError(f"bounds name these twice: {twice}.")
    return named


def _as_range(name: str, given: Any, is_log: bool) -> Real:
    """Return bounds as a range of numbers."""
    if isinstance(given, Real):
        return given
    is_pair = isinstance(given, tuple | list) and len(given) == 2
    if not is_pair or not all(map(is_number, given)):
        raise InvalidSpaceError(
            f"The bounds of {name!r} must be a pair of numbers or a skhpo.space.Real: "
            "gradients lead from one number to another. Got "
            f"{given!r}; BayesSearch takes other values."
        )
    low, high = given
    if not low < high:
        raise InvalidSpaceError(
            f"The bounds of {name!r} must be a lower and a higher one. Got {given!r}."
        )
    if is_log and low <= 0:
        raise InvalidSpaceError(
            f"The bounds of {name!r} are on a logarithmic scale and must be above 0. "
            f"Got {given!r}; Real({low!r}, {high!r}) is a linear scale."
        )
    return Real(low, high, log=is_log)


def _own_values(estimator: Any, space: SearchSpace) -> dict[str, Any]:
    """Return the estimator's own values, the nearest bound for those outside."""
    own = estimator.get_params(deep=True)
    params = space.decode(np.full(space.n_columns, 0.5))
    for column in space.columns:
        value, dimension = own.get(str(column.name)), column.dimension
        if is_number(value):
            params[str(column.name)] = dimension.clip(value)
    return params


def _objective(scorers: Any, refit: Any) -> Any:
    """Return the scorer that decides, of several that of `refit`."""
    if not is_multimetric(scorers):
        return scorers
    return scorers._scorers.get(refit, scorers) if isinstance(refit, str) else scorers


def _choose_method(
    method: str, estimator: Any, scorer: Any, names: Sequence[str], reason: str | None
) -> str:
    """Return where gradients come from: a `reason` says why not from one fit.

    Raises ValueError if there is no way, or not the one that is wanted.
    """
    model = last_step(estimator)
    flat = why_flat(scorer, model)
    if flat is not None:
        raise ValueError(
            f"GradientSearch needs a score with a slope, and has {flat}: almost "
            "everywhere, a small change of a parameter does not change it. Set scoring "
            f"to one of {list(smooth_names(model))}, or take BayesSearch."
        )
    method_asked = missing_method(scorer, model)
    if method_asked is not None and find_adapter(model) is not None:
        raise ValueError(
            f"The score {scorer!r} needs {method_asked}, and {type(model).__name__} "
            f"has none. Set scoring to one of {list(smooth_names(model))}."
        )
    if reason is None and find_smooth_score(scorer, model) is None:
        reason = (
            f"the derivative of the score {scorer!r} is not known; it is of "
            f"{list(smooth_names(model))}"
        )
    if method != "finite_difference" and reason is None:
        return "implicit"
    if method == "implicit":
        raise ValueError(
            f"method='implicit' is not possible: {reason}. With at most "
            f"{MAX_DIFFERENCES} parameters, method='finite_difference' is."
        )
    if len(names) > MAX_DIFFERENCES:
        why = "" if reason is None else f" And without them: {reason}."
        raise ValueError(
            f"Finite differences are for at most {MAX_DIFFERENCES} parameters, as they "
            f"cost a candidate for each at every step. Got {len(names)}: "
            f"{list(names)}.{why} BayesSearch needs no gradients."
        )
    return "finite_difference"


def _why_not_implicit(estimator: Any, names: Sequence[str]) -> str | None:
    """Return why the implicit function theorem does not help, None if it does."""
    reason = why_no_gradient(estimator)
    if reason is not None:
        known = GRADIENTS.class_names()
        return f"{reason}. Classes with one are {known}"
    known_names = differentiable(clone(estimator))
    others = [name for name in names if name not in known_names]
    if others:
        return (
            f"{others} cannot be differentiated by. Here, these can: "
            f"{sorted(known_names)}"
        )
    return None
