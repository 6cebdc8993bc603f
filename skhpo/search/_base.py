"""What all searches are: scikit-learn's search contract around our own evaluation."""

from __future__ import annotations

import inspect
import math
import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import indexable
from sklearn.utils.validation import check_is_fitted

from skhpo import _clock
from skhpo._arithmetic import own_arithmetic
from skhpo._sklearn_compat import (
    BaseSearchCV,
    Interval,
    InvalidParameterError,
    RootHooks,
    check_method_params,
    fit_context,
    is_multimetric,
    num_samples,
)
from skhpo._units import parse_seconds
from skhpo._words import did_you_mean
from skhpo.evaluation._response_store import ResponseStore
from skhpo.evaluation.workers._limits import Limits
from skhpo.optimizers import Optimizer
from skhpo.search._auto import is_auto, suggested_space
from skhpo.search._budget import TimeBudget
from skhpo.search._check import check_against_estimator, check_fit_names
from skhpo.search._curves import (
    StageCurve,
    check_curves,
    check_early_stopping,
    check_no_listed_curves,
    curves_by_metric,
)
from skhpo.search._delegation import Delegation
from skhpo.search._edges import told_of
from skhpo.search._effects import warn_of_no_effect
from skhpo.search._execution import Execution
from skhpo.search._given import given_test
from skhpo.search._meant import meant_by
from skhpo.search._names import check_overrides, hint_of_option, signature_of
from skhpo.search._oof import OutOfFold, collect, response_of, warn_of_missing
from skhpo.search._problem import warn_of_redraws
from skhpo.search._refit import Refit
from skhpo.search._rescue import Rescue
from skhpo.search._results import Record
from skhpo.search._run import Problem, Reuse, Run, Space, subspaces_of
from skhpo.search._scoring import (
    check_score_name,
    warn_of_labels,
    warn_of_metrics,
    warn_of_refit,
)
from skhpo.search._stop import as_rules, check_rules
from skhpo.search.feedback._bar import search_bar
from skhpo.search.feedback._early import check_refit
from skhpo.search.feedback._heartbeat import found_in_journal
from skhpo.search.feedback._summary import Summary
from skhpo.stopping import StopRule

__all__ = ["BaseSearch"]


class BaseSearch(Execution, Refit, Rescue, Delegation, Summary, BaseSearchCV):
    """Base class of the searches; not to be used directly.

    ``fit`` follows scikit-learn's step by step (validation, routing, callbacks,
    refit, attributes, warnings, messages). In between, an optimizer proposes
    candidates and an evaluator fits them, block by block and in parallel.

    What all searches have is described here; `inherit_docs` takes it over into their
    own docstrings.

    Parameters
    ----------
    estimator : estimator object
        What to tune. It has a ``score`` method, or `scoring` is given.
    scoring : str, callable, list, tuple, dict or None, default=None
        How to score a candidate on the test part of a split; greater is better. None
        is the estimator's ``score``; several names, or a dict of names and callables,
        give several scores.
    n_jobs : int or None, default=None
        Number of jobs in parallel; None is 1 unless a ``joblib.parallel_config``
        says otherwise, -1 is all processors. The results do not depend on it.
    refit : bool, str or callable, default=True
        Whether to fit the best candidate on all the data at the end. With several
        scores, the name of the one that decides; or a callable that takes
        ``cv_results_`` and returns the index of the best.
    cv : int, splitter, iterable or None, default=None
        How to split; None is 5 folds, an integer that many (stratified for
        classifiers). The splits are made once and are the same for all candidates.
    verbose : int, default=0
        Above 0, says how many fits there are and, when they take long, how far they
        are; above 1, prints a line for each, above 2 with its scores, above 9 also
        when it starts. With 0, a search that takes longer than some seconds shows a
        progress bar on a terminal and in a notebook, if tqdm is installed; with -1,
        nothing. See :func:`skhpo.progress.progress_bar`.
    pre_dispatch : int or str, default="2*n_jobs"
        An upper bound on the number of tasks that are sent to workers in advance.
    error_score : "raise" or float, default=nan
        What a failed fit scores; the search goes on, and warns at the end. Values that
        the estimator is known to reject are an error before the first fit, unless
        this says what they score: a number other than NaN.
    return_train_score : bool, default=False
        Whether to score the train part of each split too.
    journal : str, path-like or None, default=None
        A file that keeps each finished evaluation. The same call again after a crash
        goes on where it stopped, and a search over a related space takes from it what
        it can; see :func:`skhpo.read_journal`.
    time_budget : float, str or None, default=None
        How long `fit` may take, in seconds or as "10min": no candidate is begun after
        it, and time for the last fit is saved. Complete candidates count.
    stop : callable, list of callable or None, default=None
        Rules that end the search early, such as those of :mod:`skhpo.stopping`.
    fit_timeout : float, str or None, default=None
        Time for one candidate on one split, in seconds or as "30s". What takes longer
        is killed and scores `error_score`. The last fit, on all the data, is not
        limited.
    memory_limit : float, str or None, default=None
        Memory for the same, in bytes or as "2GB", on Linux. With one of these limits,
        fits are done in processes of their own: they share no steps, and none of them
        can end the search.
    return_oof : bool, default=False
        Whether to keep what the deciding score is computed from, on the rows that a
        model was not trained on, in at most 256 MB. Then :func:`skhpo.report` resamples
        rows, which tells more than the scores of a few splits.

    Attributes
    ----------
    cv_results_ : dict of str to ndarray
        A row per candidate: ``params``, ``param_*``, ``split*_test_score``,
        ``mean_test_score``, ``std_test_score``, ``rank_test_score``, and the times
        in seconds, as ``pandas.DataFrame`` takes it.
    best_estimator_ : estimator
        The best candidate, fitted on all the data. If `refit` is not False.
    best_score_ : float
        Its mean test score over the splits. Not if `refit` is a callable.
    best_params_ : dict
        Its parameters.
    best_index_ : int
        Its row in ``cv_results_``.
    scorer_ : callable or dict
        The scorer, or the scorers by name.
    n_splits_ : int
        Number of splits.
    refit_time_ : float
        Seconds that the last fit took.
    multimetric_ : bool
        Whether there were several scores.
    curves_ : list of dict
        Of a space with a :class:`~skhpo.space.Curve`: for each candidate, its scores
        along the number of iterations by name; see `curve_of`. If there is one.
    oof_ : OutOfFold
        With `return_oof`, a sequence of arrays: what each candidate responded to the
        test rows of all splits, ``oof_.rows``; None if it is not known.
    reuse_ : Reuse
        How many fits of steps were done, and how many were saved by sharing; how many
        evaluations were found in the journal.
    failures_ : list of Failures
        Failed fits by what went wrong: ``kind``, ``message``, ``n_fits``,
        ``n_candidates``, their ``rows`` of ``cv_results_``, and of the first one
        ``params``, ``split``, ``traceback``.
    stop_reason_ : str
        Why the search ended: "completed", "time_budget", "interrupted", "callback",
        "error" (an exception; what was complete is kept), or what a rule of `stop`
        said.
    classes_ : ndarray of shape (n_classes,)
        Class labels, of a classifier.
    n_features_in_ : int
        Number of features seen in ``fit``, if the best estimator tells.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, if the best estimator tells.
    offset_ : float
        Offset of the scores, of an outlier detector.
    """

    __signature__: ClassVar[inspect.Signature]
    _parameter_constraints: ClassVar[dict] = {
        **BaseSearchCV._parameter_constraints,
        "verbose": [Interval(Integral, -1, None, closed="left"), "boolean"],
        "journal": [str, os.PathLike, None],
        "time_budget": [Real, str, None],
        "stop": [callable, list, tuple, None],
        "fit_timeout": [Real, str, None],
        "memory_limit": [Real, str, None],
        "return_oof": ["boolean"],
    }

    def __new__(cls, *_: Any, **options: Any) -> Self:
        """Refuse a parameter that does not exist, and say which one is meant.

        A constructor that hands on what it does not name has those of its bases, too.
        """
        named = cls.__signature__.parameters.values()
        if any(one.kind is one.VAR_KEYWORD for one in named):
            return super().__new__(cls)
        for name in options:
            hint = hint_of_option(name, cls._get_param_names())
            if hint is not None:
                raise TypeError(f"{hint} {cls.__name__} has no parameter {name!r}.")
        return super().__new__(cls)

    def __init_subclass__(cls, **options: Any) -> None:
        """Show the parameters of ``__init__``, which ``__new__`` would hide."""
        super().__init_subclass__(**options)
        cls.__signature__ = signature_of(cls)
        check_overrides(cls, BaseSearch)

    def __init__(
        self,
        estimator: Any,
        *,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        error_score: str | float = np.nan,
        return_train_score: bool = False,
        journal: str | os.PathLike[str] | None = None,
        time_budget: float | str | None = None,
        stop: StopRule | Sequence[StopRule] | None = None,
        fit_timeout: float | str | None = None,
        memory_limit: float | str | None = None,
        return_oof: bool = False,
    ) -> None:
        super().__init__(
            estimator=estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.journal = journal
        self.time_budget = time_budget
        self.stop = stop
        self.fit_timeout = fit_timeout
        self.memory_limit = memory_limit
        self.return_oof = return_oof

    @staticmethod
    def _shared(parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return those of all searches, of the parameters of the constructor of one."""
        return {name: parameters[name] for name in BaseSearch._get_param_names()}

    @abstractmethod
    def _compile(self) -> Space:
        """Return the space that is searched, which is compiled here and nowhere else.

        Raises TypeError or ValueError if it is none.
        """

    def _with_space(self, problem: Problem) -> Problem:
        """Return the problem with the space that is searched."""
        if is_auto(getattr(self, "param_distributions", None)):
            self.space_ = suggested_space(self, problem)
        return replace(problem, space=self._compile())

    @property
    def _distributions(self) -> Any:
        """The space as it was given, or suggested."""
        given: Any = self
        return getattr(self, "space_", given.param_distributions)

    @abstractmethod
    def _make_optimizer(self, space: Space) -> Optimizer:
        """Return the algorithm of this search, ready to be asked."""

    def _validate_params(self) -> None:
        """Check the parameters as scikit-learn does, and hint at what is meant."""
        name = type(self).__name__
        check_score_name(name, self.scoring)
        for option in ("refit", "cv"):  # the first would be called after the last fit
            if isinstance(cls := getattr(self, option), type):
                raise TypeError(
                    f"Did you mean {option}={cls.__name__}(...)? The {option!r} "
                    f"parameter of {name} is the class itself."
                )
        try:
            super()._validate_params()
        except InvalidParameterError as error:
            params, allowed = self.get_params(deep=False), self._parameter_constraints
            hint = meant_by(error, params, allowed)
            raise InvalidParameterError(f"{hint}{error}") from None

    @fit_context(prefer_skip_nested_validation=False)  # the inner one is not validated
    def fit(self, X: Any, y: Any = None, **params: Any) -> BaseSearch:
        """Search, then fit the best candidate on all the data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_samples)
            Training data; the second shape is for precomputed kernels and distances.
        y : array-like of shape (n_samples, n_outputs) or (n_samples,), default=None
            Target; None for unsupervised learning.
        **params : dict of str to object
            Parameters for the ``fit`` of the estimator, for the scorer and for the
            splitter, as scikit-learn routes them. Those as long as `X`, such as
            ``sample_weight``, are split with it; ``groups`` goes to the splitter.

        Returns
        -------
        self : object
            The fitted search.

        Raises
        ------
        ValueError
            If the space does not suit the estimator, or the splitter contradicts
            itself: before the first fit.
        AllFitsFailedError
            If no fit succeeded; says why, by kind of failure.
        SearchStoppedError
            If the search was stopped before a single candidate was complete.
        JournalError
            If the file given as `journal` cannot serve as one.

        Notes
        -----
        Whatever is raised once a candidate is complete, by the last fit, a rule of
        `stop`, a callable `refit` or anything else, ``cv_results_`` and what goes with
        it are set before, and a note at the exception says so. Nothing of an earlier
        ``fit`` is left.
        """
        self._forget()
        run = self._start(X, y, params)
        self._check_space(run.problem)
        optimizer = self._make_optimizer(run.problem.space)
        check_rules(run.rules, optimizer, self.n_splits_)
        name, is_seen = type(self).__name__, self.verbose == 0
        with self._nothing_lost(run), search_bar(name, by_default=is_seen) as run.bar:
            self._evaluate(run, optimizer)
            self._report_failures(run)
            self._set_results(run)
            self._evaluate_finalists(run)
            self._set_best(run)
            self._refit_best(run)
            run.hooks.end()
        warn_of_no_effect(run.record, self.cv_results_)
        if self.return_oof:
            warn_of_missing(self.oof_)
        return self

    def curve_of(self, index: int, metric: str | None = None) -> StageCurve:
        """Return the scores of a candidate along its number of iterations.

        Parameters
        ----------
        index : int
            Row in ``cv_results_``, such as ``best_index_``.
        metric : str or None, default=None
            Which of several scores; None for the one that `refit` names.

        Returns
        -------
        stages : ndarray of int, shape (n_stages,)
            The numbers of iterations that were scored.
        scores : ndarray of float, shape (n_splits, n_stages)
            The test scores on each split.
        parameter : str
            The name of the number in the params of the candidate.

        Raises
        ------
        ValueError
            If no parameter of the candidate was a :class:`~skhpo.space.Curve`, or all
            of its fits failed.
        IndexError
            If there is no such row.
        """
        check_is_fitted(self, "cv_results_")
        n_rows = len(self.cv_results_["params"])
        if index not in range(-n_rows, n_rows):
            raise IndexError(
                f"index must be a row of cv_results_, 0 to {n_rows - 1}. Got {index!r}."
            )
        curves = self.curves_[index] if hasattr(self, "curves_") else {}
        if not curves:
            raise ValueError(
                f"Candidate {index} has no curve. One has it if a parameter in its "
                "space is a skhpo.space.Curve, and a fit succeeded."
            )
        default = self.refit if isinstance(self.refit, str) else "score"
        name = next(iter(curves)) if len(curves) == 1 else metric or default
        if name not in curves or metric not in (None, *curves):
            hint = did_you_mean(metric, curves)
            raise ValueError(
                f"{hint}metric must be one of {list(curves)}. Got {metric!r}."
            )
        return curves[name]

    def _check_space(self, problem: Problem) -> None:
        """Check names and values against the estimator.

        Whoever gives a number as `error_score` has said what a rejected value
        scores; NaN, the default, says nothing.
        """
        unsaid = self.error_score == "raise" or np.isnan(self.error_score)
        subspaces = subspaces_of(problem.space)
        check_no_listed_curves(subspaces)
        check_against_estimator(self.estimator, subspaces, check_values=unsaid)
        fit_params = problem.routed.estimator.fit
        check_fit_names(self.estimator, fit_params, list(self.get_params(deep=False)))
        check_early_stopping(self.estimator, subspaces, fit_params, check_values=unsaid)
        check_curves(
            self.estimator,
            subspaces,
            num_samples(problem.X),
            scorers=problem.scorers,
            refit=self.refit,
            fit_params=fit_params,
        )

    def _start(self, X: Any, y: Any, params: dict[str, Any]) -> Run:
        name, start = type(self).__name__, _clock.now()
        budget = TimeBudget(self._seconds("time_budget"), start)
        rules = as_rules(self.stop, name)
        warn_of_redraws(self)
        limits = Limits.parse(self.fit_timeout, self.memory_limit)
        warn_of_metrics(name, self.scoring, y)
        warn_of_labels(name, self.scoring, y)
        warn_of_refit(name, self.scoring, self.refit)
        scorers, refit_metric = self._get_scorers()
        if is_multimetric(scorers):
            self._score_check().check_one(scorers._scorers)
        deciding = responses = None
        if self.return_oof:
            deciding = response_of(scorers, self.refit, self.estimator, name)
        X, y = indexable(X, y)
        params = check_method_params(X, params=params)
        routed = self._get_routed_params_for_fit(params)
        hooks = RootHooks(self, X, y, params)
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        self._checked_cv_orig = cv
        self.n_splits_ = cv.get_n_splits(X, y, **routed.splitter.split)
        estimator = clone(self.estimator)
        problem = Problem(estimator, [], X, y, scorers, refit_metric, routed, cv)
        if self.return_oof:
            responses = ResponseStore(self.n_splits_, given_test(self.estimator))
        return Run(
            self._with_space(problem),
            Record(),
            hooks,
            start,
            budget,
            limits,
            rules,
            response_of=deciding,
            responses=responses,
        )

    def _seconds(self, name: str) -> float:
        """Return a parameter that is a duration, inf for None."""
        value = getattr(self, name)
        return math.inf if value is None else parse_seconds(value, name)

    def _more_results(self, record: Record) -> dict[str, Any]:
        """Return columns of ``cv_results_`` beside those that scikit-learn has."""
        return {}

    def _check_refit_for_multimetric(self, scores: Any) -> None:
        """Raise ValueError as scikit-learn does, and hint at what is meant."""
        check_refit(self, scores)

    def _set_results(self, run: Run) -> None:
        """Set all that does not depend on which candidate is the best."""
        record, scorers, evaluator = run.record, run.problem.scorers, run.evaluator
        assert evaluator is not None, "nothing is complete that was not evaluated"
        evaluations = record.evaluations(self.error_score)
        with own_arithmetic():
            results = self._format_results(
                record.params, self.n_splits_, evaluations, self._more_results(record)
            )
        self.scorer_ = scorers._scorers if is_multimetric(scorers) else scorers
        self.multimetric_ = isinstance(evaluations[0]["test_scores"], dict)
        self.failures_ = record.failures()
        n_saved = evaluator.n_needed - evaluator.n_fits
        self.reuse_ = Reuse(evaluator.n_fits, n_saved, *record.n_evaluations)
        self.stop_reason_ = record.stop_reason
        self.cv_results_ = results
        curves = [curves_by_metric(trial) for trial in record.trials]
        if any(curves):
            self.curves_ = curves
        if run.responses is not None:
            self.oof_ = self._collect_responses(run, run.responses)

    def _collect_responses(self, run: Run, responses: ResponseStore) -> OutOfFold:
        problem = run.problem
        assert run.evaluator is not None, "it has made them"
        assert run.response_of is not None, "they are asked for"
        return collect(
            responses,
            run.record.trials,
            run.evaluator.splits,
            y=problem.y,
            groups=problem.routed.splitter.split.get("groups"),
            score_params=problem.routed.scorer.score,
            scorers=problem.scorers,
            metric=run.response_of,
            estimator=problem.estimator,
        )

    def _remarks(self) -> list[str]:
        """Return what else the HTML says of a fitted search."""
        reuse, results = self.reuse_, self.cv_results_
        means = np.asarray(results[f"mean_test_{self._metric()}"], dtype=float)
        edge = told_of(self, results["params"], means, self.best_index_)
        found = found_in_journal(reuse.n_found, reuse.n_evaluations)
        return [found] * bool(reuse.n_found) + [edge] * bool(edge)


BaseSearch.__signature__ = signature_of(BaseSearch)
