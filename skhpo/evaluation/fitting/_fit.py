"""One candidate on one split: clone, set the parameters, fit, score.

In behavior this is scikit-learn's ``_fit_and_score`` (what it catches, what it
warns of, when it calls the hooks, what it prints), on data that is sliced already.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from decimal import Decimal
from functools import partial
from numbers import Integral, Real
from traceback import format_exc
from typing import Any

from sklearn import config_context

from skhpo._sklearn_compat import (
    FitHooks,
    is_multimetric,
    noting_scorer,
    num_samples,
    score_estimator,
    strict_scorer,
)
from skhpo._trial import Evaluation, Params, Scores
from skhpo.evaluation.fitting._lending import private
from skhpo.evaluation.fitting._responses import Responses, stacked
from skhpo.evaluation.fitting._spec import EvaluationSpec, SlicedSplit, SplitData
from skhpo.evaluation.fitting._stages import Plan, make_plan, stage_views
from skhpo.exceptions import FitLostError
from skhpo.space._curve import curve_in

__all__ = [
    "evaluate",
    "exits_are_errors",
    "failed_evaluation",
    "killed_evaluation",
    "score",
    "score_lent",
]


def evaluate(
    spec: EvaluationSpec, split: SlicedSplit, params: Params, hooks: FitHooks
) -> tuple[Evaluation, bool]:
    """Fit and score one candidate on one split.

    Parameters
    ----------
    spec : EvaluationSpec
        What all evaluations share.
    split : SlicedSplit
        The split.
    params : mapping of str to object
        The candidate's parameters.
    hooks : FitHooks
        The callbacks of this evaluation.

    Returns
    -------
    evaluation : Evaluation
        What came of it.
    stop : bool
        Whether a callback asks for the search to stop.

    Raises
    ------
    Exception
        Whatever ``set_params`` raises; what ``fit`` or the scorer raise if
        ``spec.error_score == "raise"``.
    """
    plan = None
    if curve_in(params) is not None:
        plan = make_plan(spec, spec.prototype.make(params), params)
    if plan is not None and plan.fits_each:
        return _evaluate_each(spec, split, params, plan, hooks)
    # Whoever listens hears of an evaluation once, so that it is not tried twice.
    lent = split.lending and not hooks.are_heard and spec.knows(params)
    if lent:
        evaluation = _evaluate_lent(spec, split, params, plan)
        if evaluation is not None:
            return evaluation, False
    estimator = spec.prototype.make(params)
    data = split.for_estimator(estimator, lent=False)
    # A fit may write into its data, and its gradient is that of what it was given.
    untouched = None if spec.gradient is None else data.given(private)
    start = time.perf_counter()
    try:
        with hooks.fitting(estimator, data.X_train, data.y_train, data.fit_params):
            _fit(estimator, data)
    except Exception:
        if spec.error_score == "raise":
            raise
        fit_time = data.slice_time + time.perf_counter() - start
        error = format_exc()
        evaluation = failed_evaluation(spec, data.n_test_samples, fit_time, error)
    else:
        fit_time = data.slice_time + time.perf_counter() - start
        evaluation = score(spec, data, estimator, fit_time, plan, untouched=untouched)
    finally:
        stop = hooks.end(data.X_train, data.y_train, data.fit_params)
    return evaluation, stop


def _evaluate_each(
    spec: EvaluationSpec,
    split: SlicedSplit,
    params: Params,
    plan: Plan,
    hooks: FitHooks,
) -> tuple[Evaluation, bool]:
    """Fit and score each of some stages, for a scorer that may look at all of a model.

    Whoever listens hears of the last one.
    """
    *first, last = [{**params, plan.name: count} for count in plan.counts]
    done = [evaluate(spec, split, one, FitHooks())[0] for one in first]
    evaluation, stop = evaluate(spec, split, last, hooks)
    done.append(evaluation)
    failed = next((one for one in done if one.fit_error is not None), None)
    if failed is not None:
        return failed, stop
    train = None
    if spec.return_train_score:
        train = [one.train_scores for one in done if one.train_scores is not None]
    joined = plan.join(
        replace(
            evaluation,
            fit_time=sum(one.fit_time for one in done),
            score_time=sum(one.score_time for one in done),
            response=stacked([one.response for one in done]),
        ),
        [one.test_scores for one in done],
        train,
        [one.score_error for one in done],
    )
    return joined, stop


def _evaluate_lent(
    spec: EvaluationSpec, split: SlicedSplit, params: Params, plan: Plan | None
) -> Evaluation | None:
    """Fit and score a candidate on lent data; None if its fit has failed.

    Why it failed is for a fit on data of its own to say, since it may be the lock: the
    words of an exception do not tell.
    """
    estimator = spec.prototype.make(params)
    data = split.for_estimator(estimator, lent=True)
    start = time.perf_counter()
    try:
        _fit(estimator, data)
    except Exception:
        return None
    fit_time = data.slice_time + time.perf_counter() - start

    def own() -> SplitData:
        return split.for_scoring(estimator)

    return score_lent(spec, data, own, estimator, fit_time, plan)


def score_lent(
    spec: EvaluationSpec,
    lent: SplitData,
    own: Callable[[], SplitData],
    estimator: Any,
    fit_time: float,
    plan: Plan | None = None,
) -> Evaluation:
    """Score a fitted estimator of known code on lent data, where that will do.

    Parameters
    ----------
    spec : EvaluationSpec
        What all evaluations share.
    lent : SplitData
        The split, as the estimator takes it, locked.
    own : callable
        Returns a copy of it.
    estimator : estimator
        Fitted.
    fit_time : float
        Seconds its fit took, to be noted.
    plan : Plan or None, default=None
        Which of its stages are scored.

    Returns
    -------
    Evaluation
        Its scores. A scorer of the user's own is called once, with copies; one of
        scikit-learn's that fails is called a second time, with copies.
    """
    if spec.scorer_is_known:
        try:
            return score(spec, lent, estimator, fit_time, plan, strict=True)
        except Exception:
            pass  # to be raised, or warned of, below, and not as the cause of another
    return score(spec, own(), estimator, fit_time, plan)


def score(
    spec: EvaluationSpec,
    data: SplitData,
    estimator: Any,
    fit_time: float,
    plan: Plan | None = None,
    *,
    strict: bool = False,
    untouched: SplitData | None = None,
) -> Evaluation:
    """Score a fitted estimator on the test part, and on the train part if asked.

    Parameters
    ----------
    spec : EvaluationSpec
        What all evaluations share.
    data : SplitData
        The split, as the estimator takes it.
    estimator : estimator
        Fitted.
    fit_time : float
        Seconds its fit took, to be noted.
    plan : Plan or None, default=None
        Which of its stages are scored; None for the whole.
    strict : bool, default=False
        Whether a scorer that fails raises, whatever ``spec.error_score``.
    untouched : SplitData or None, default=None
        The split for the gradient, where `data` may have been written into.

    Returns
    -------
    Evaluation
        Its scores.
    """
    whole = data if untouched is None else untouched
    try:
        with exits_are_errors():
            return _scores(spec, data, whole, estimator, fit_time, plan, strict=strict)
    except FitLostError:
        if strict or spec.error_score == "raise":
            raise
        return failed_evaluation(spec, data.n_test_samples, fit_time, format_exc())


def _scores(
    spec: EvaluationSpec,
    data: SplitData,
    untouched: SplitData,
    estimator: Any,
    fit_time: float,
    plan: Plan | None,
    *,
    strict: bool,
) -> Evaluation:
    errors: list[str] = []
    responses = Responses(spec.response_of, spec.scorer, data.n_test_samples)
    make_scorer = strict_scorer if strict else partial(noting_scorer, errors=errors)
    error_score = "raise" if strict else spec.error_score

    def scored(
        scorer: Any, view: Any, X: Any, y: Any, params: dict[str, Any]
    ) -> Scores:
        given = score_estimator(view, X, y, scorer, params, error_score)
        if isinstance(given, dict):
            return {name: _plain(value) for name, value in given.items()}
        return _plain(given)

    def part(
        X: Any, y: Any, params: dict[str, Any], kept: Responses
    ) -> tuple[list[Scores], list]:
        """Return scores and errors, of each stage or of the whole."""
        scorer = make_scorer(kept.scorer)
        views = [estimator] if plan is None else stage_views(estimator, X, plan.counts)
        scores: list[Scores] = []
        noted: list[str | None] = []
        for view in views:
            errors.clear()
            # The next stage has outputs of the same kinds, which metrics need not check
            # once more: a fifth of what log loss costs on 750 rows.
            checked = bool(scores) and not any(noted) and spec.scorer_is_known
            quick = _unchecked() if checked else nullcontext()
            with _said_once(any(noted)), quick, kept.of(view):
                scores.append(scored(scorer, view, X, y, params))
            noted.append(errors[0] if errors else None)
        return scores, noted

    start = time.perf_counter()
    test, noted = part(data.X_test, data.y_test, data.score_params_test, responses)
    gradient = None if spec.gradient is None else spec.gradient(estimator, untouched)
    score_time = time.perf_counter() - start
    if spec.check_scores is not None and isinstance(test[-1], dict):
        spec.check_scores(test[-1])
    train = None
    if spec.return_train_score:
        nothing = Responses(None, spec.scorer, 0)
        train, also = part(data.X_train, data.y_train, data.score_params_train, nothing)
        noted = [one or other for one, other in zip(noted, also, strict=True)]
    evaluation = Evaluation(
        test[-1],
        None if train is None else train[-1],
        fit_time,
        score_time,
        data.n_test_samples,
        score_error=noted[-1],
        response=responses.whole() if plan is None else responses.stages(),
        gradient=gradient,
    )
    return evaluation if plan is None else plan.join(evaluation, test, train, noted)


def _unchecked() -> Any:
    """Return a context in which scikit-learn's functions do not check parameters."""
    return config_context(skip_parameter_validation=True)


def _said_once(is_said: bool) -> Any:
    """Return a context that is silent about what was said: stages would flood."""
    return _silence() if is_said else nullcontext()


@contextmanager
def _silence() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _plain(score: Any) -> Any:
    """Return a score as Python's own number, which can be sent wherever it is from."""
    if type(score) in (bool, int, float):
        return score
    if isinstance(score, Integral):
        return int(score)
    if isinstance(score, Real | Decimal):
        return float(score)
    raise ValueError(f"scoring must return a real number, got {score!r} instead.")


def failed_evaluation(
    spec: EvaluationSpec, n_test_samples: int, fit_time: float, error: str
) -> Evaluation:
    """Return the evaluation of a fit that ended in `error`, usually a traceback.

    For a callable that returns a dict, the names of the metrics are not known here:
    the results are mended when a fit has succeeded.
    """
    assert not isinstance(spec.error_score, str), "'raise' has been handled before"
    scores: Scores = spec.error_score
    if is_multimetric(spec.scorer):
        scores = dict.fromkeys(spec.scorer._scorers, spec.error_score)
    train_scores = scores if spec.return_train_score else None
    return Evaluation(scores, train_scores, fit_time, 0.0, n_test_samples, error)


def killed_evaluation(
    spec: EvaluationSpec, split: int, fit_time: float, error: str
) -> Evaluation:
    """Return the evaluation of a fit that was ended from outside, for this reason."""
    n_test_samples = num_samples(spec.splits[split][1])
    evaluation = failed_evaluation(spec, n_test_samples, fit_time, error)
    return replace(evaluation, ended_from_outside=True)


@contextmanager
def exits_are_errors() -> Iterator[None]:
    """Let ``sys.exit`` in somebody's fit or score be a failure like any other.

    So too whatever else is no `Exception`, but Ctrl-C. It would end a program that is
    in the middle of its search, or silently a thread for which others then wait.

    Raises
    ------
    FitLostError
        In its place.
    """
    try:
        yield
    except (Exception, KeyboardInterrupt):
        raise
    except SystemExit as error:
        raise FitLostError(f"The fit called sys.exit({error.code!r}).") from error
    except BaseException as error:
        kind = type(error).__name__
        raise FitLostError(f"The fit raised {kind}: {error}") from error


def _fit(estimator: Any, data: SplitData) -> None:
    with exits_are_errors():
        if data.y_train is None:
            estimator.fit(data.X_train, **data.fit_params)
        else:
            estimator.fit(data.X_train, data.y_train, **data.fit_params)
