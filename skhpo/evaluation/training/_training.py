"""One member on one split, one generation: continue, score, hand the state back.

States travel as pickles. A worker makes a model of its own of one, so two heirs of one
donor share nothing; and the process that runs the search keeps bytes, which cost
nothing to send on.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from traceback import format_exc
from typing import Any

import numpy as np
from sklearn import config_context
from sklearn.pipeline import Pipeline

from skhpo._sklearn_compat import FitHooks, sees_predictions_only
from skhpo._trial import Evaluation, Params
from skhpo.evaluation.fitting._fit import exits_are_errors, failed_evaluation, score
from skhpo.evaluation.fitting._spec import EvaluationSpec, SlicedSplit, SplitData
from skhpo.evaluation.fitting._verbose import print_end, print_start
from skhpo.evaluation.training._parts import (
    Parts,
    continued,
    fit_prefix,
    take_apart,
    train,
)
from skhpo.evaluation.training._trainers import Training
from skhpo.evaluation.workers._context import WorkerContext
from skhpo.evaluation.workers._orphans import end_with_parent
from skhpo.evaluation.workers._shipping import dumps, unpack

__all__ = [
    "Member",
    "PrefixTask",
    "Prepared",
    "TrainingPlan",
    "TrainingResult",
    "run_packed_training",
    "run_training",
    "split_seed",
]


@dataclass(frozen=True, eq=False)
class TrainingPlan:
    """What all trainings of a search share, beside the evaluation's own.

    Parameters
    ----------
    seed : numpy.random.SeedSequence
        Root of the randomness of the training.
    resource : str or None, default=None
        A size parameter to grow by warm start.
    batch_size : int or None, default=None
        Rows in each ``partial_fit``.
    labels : array or None, default=None
        All labels of a classification problem.
    """

    seed: np.random.SeedSequence
    resource: str | None = None
    batch_size: int | None = None
    labels: np.ndarray | None = None
    _recent: dict[int, SplitData] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def data(self, spec: EvaluationSpec, split: int) -> SplitData:
        """Return a split of the data; that of the last call is at hand."""
        data = self._recent.get(split)
        if data is None:
            data = SlicedSplit(spec, split).for_estimator(spec.estimator)
            # One only: all of them are as large as the data, times the splits.
            self._recent.clear()
            self._recent[split] = data
        return data

    def __getstate__(self) -> dict[str, Any]:
        """Leave the data out: a worker has them already."""
        return {**self.__dict__, "_recent": {}}

    def training(self, X: Any, y: Any, split: int) -> Training:
        """Return the training on some rows: of a split, or all of them (-1)."""
        seed = split_seed(self.seed, split)
        return Training(X, y, seed, batch_size=self.batch_size, classes=self.labels)


def split_seed(root: np.random.SeedSequence, split: int) -> np.random.SeedSequence:
    """Return the root of the randomness on one split; -1 stands for all the data."""
    key = (*root.spawn_key, split + 1)
    return np.random.SeedSequence(root.entropy, spawn_key=key)


@dataclass(frozen=True, eq=False)
class Prepared:
    """Transformers fitted on the train part of a split, and what they made of it.

    Parameters
    ----------
    prefix : Pipeline
        Fitted.
    X_train, X_test : array-like
        Transformed rows, read-only; `X_test` may be None, if it cannot be transformed.
    X_seen : array-like or None
        The train part as it is scored, which may be another one than it is trained on
        (target encoders); None if it is not.
    seconds : float
        What it took.
    """

    prefix: Pipeline
    X_train: Any
    X_test: Any
    X_seen: Any
    seconds: float


@dataclass(frozen=True, eq=False)
class PrefixTask:
    """Fit the transformers of some parameters on a split."""

    split: int
    params: Params


@dataclass(frozen=True, eq=False)
class Member:
    """A candidate on one split, and the state from which it goes on.

    Parameters
    ----------
    number : int
        Id of the candidate.
    split : int
        Number of the split.
    params : mapping of str to object
        Parameters to train with.
    changes : mapping of str to object
        Those among them that the state was not trained with.
    first_step, n_steps : int
        Steps behind it and steps to do.
    state : bytes or None, default=None
        The pickled model, None at birth.
    prepared : Prepared, str or None, default=None
        The transformed rows; the traceback if there are none because it failed;
        None if there are no transformers.
    context : object, default=None
        The callback context, None where nobody listens.
    """

    number: int
    split: int
    params: Params
    changes: Params
    first_step: int
    n_steps: int
    state: bytes | None = None
    prepared: Prepared | str | None = None
    context: Any = None


@dataclass(frozen=True)
class TrainingResult:
    """What came of a member: its evaluation and its state (None if it failed)."""

    evaluation: Evaluation
    state: bytes | None
    stop: bool = False


Task = Member | PrefixTask


def run_training(
    spec: EvaluationSpec,
    plan: TrainingPlan,
    tasks: Sequence[Task],
    config: dict[str, Any] | None = None,
) -> list[Any]:
    """Do some tasks, one after the other.

    Parameters
    ----------
    spec : EvaluationSpec
        What all evaluations share.
    plan : TrainingPlan
        What all trainings share.
    tasks : sequence of Member or PrefixTask
        What to do.
    config : dict, optional
        scikit-learn's configuration; that of the running thread by default.

    Returns
    -------
    list of TrainingResult, Prepared or str
        One for each task.
    """
    if config is not None:
        with config_context(**config):
            return run_training(spec, plan, tasks)
    results: list[Any] = []
    for task in tasks:
        if isinstance(task, PrefixTask):
            results.append(_prepare(spec, plan, task))
        else:
            results.append(_advance(spec, plan, task))
    return results


def run_packed_training(
    tasks: Sequence[Task], context: WorkerContext, *package: Any
) -> list[Any]:
    """Do some tasks in another process, as in the caller's thread."""
    end_with_parent()
    with context.recreated():
        spec, plan, registrations = unpack(*package)
        registrations.adopt()
        results = run_training(spec, plan, tasks)
        return [_sendable(spec, result) for result in results]


def _sendable(spec: EvaluationSpec, result: Any) -> Any:
    """Return a result; the traceback in place of transformers that cannot be sent."""
    if not isinstance(result, Prepared):
        return result
    try:
        dumps(result.prefix)
    except Exception:
        if spec.error_score == "raise":
            raise
        return format_exc()
    return result


def _prepare(
    spec: EvaluationSpec, plan: TrainingPlan, task: PrefixTask
) -> Prepared | str:
    """Fit the transformers; return what they made, or the traceback."""
    parts = take_apart(spec.estimator, task.params, plan.resource)
    assert parts.prefix is not None
    data = SlicedSplit(spec, task.split).for_estimator(parts.whole)
    start = time.perf_counter()
    try:
        fit_params, _ = parts.fit_params_of(data.fit_params)
        training = plan.training(data.X_train, data.y_train, task.split)
        with exits_are_errors():
            prefix, X_train = fit_prefix(parts.prefix, training, fit_params)
    except Exception:
        if spec.error_score == "raise":
            raise
        return format_exc()
    X_test, X_seen = _transformed(spec, parts, task, prefix)
    for rows in (X_train, X_test, X_seen):
        if isinstance(rows, np.ndarray) and rows.base is None:
            rows.flags.writeable = False  # shared by all members
    return Prepared(prefix, X_train, X_test, X_seen, time.perf_counter() - start)


def _transformed(
    spec: EvaluationSpec, parts: Parts, task: PrefixTask, prefix: Pipeline
) -> tuple[Any, Any]:
    """Return the rows to be scored, None for what cannot be transformed.

    That is no failure of the fit: scoring will meet it again, with its name.
    """
    data = SlicedSplit(spec, task.split).for_estimator(parts.whole)
    try:
        with exits_are_errors():
            X_test = prefix.transform(data.X_test)
            if not spec.return_train_score:
                return X_test, None
            return X_test, prefix.transform(data.X_train)
    except Exception:
        return None, None


def _advance(spec: EvaluationSpec, plan: TrainingPlan, task: Member) -> TrainingResult:
    """Train a member a bit more and score it."""
    progress = (task.split + 1, len(spec.splits)), (task.number + 1, spec.n_candidates)
    print_start(spec.verbose, *progress, task.params)
    parts = None  # those of a state are unpickled below, where that may fail
    if task.state is None:
        parts = take_apart(spec.estimator, task.params, plan.resource)
    whole = spec.estimator if parts is None else parts.whole
    data = plan.data(spec, task.split)
    hooks = FitHooks(task.context, spec.caller)
    start = time.perf_counter()
    try:
        with hooks.fitting(whole, data.X_train, data.y_train, data.fit_params):
            parts = parts or _continued(spec, plan, task)
            model = _train(plan, parts, data, task)
    except Exception:
        if spec.error_score == "raise":
            raise
        seconds = time.perf_counter() - start + data.slice_time
        error = format_exc()
        result = TrainingResult(
            failed_evaluation(spec, data.n_test_samples, seconds, error), None
        )
    else:
        seconds = time.perf_counter() - start
        evaluation = _score(spec, parts, data, task, model, seconds)
        result = _keep(spec, evaluation, model)
    finally:
        stop = hooks.end(data.X_train, data.y_train, data.fit_params)
    print_end(spec.verbose, *progress, task.params, result.evaluation)
    return replace(result, stop=stop)


def _continued(spec: EvaluationSpec, plan: TrainingPlan, task: Member) -> Parts:
    assert task.state is not None
    with exits_are_errors():
        model = pickle.loads(task.state)
    return continued(spec.estimator, model, plan.resource)


def _train(plan: TrainingPlan, parts: Parts, data: SplitData, task: Member) -> Any:
    if isinstance(task.prepared, str):
        raise RuntimeError(f"The transformers could not be fitted:\n{task.prepared}")
    X = data.X_train if task.prepared is None else task.prepared.X_train
    _, fit_params = parts.fit_params_of(data.fit_params)
    training = replace(
        plan.training(X, data.y_train, task.split),
        first_step=task.first_step,
        n_steps=task.n_steps,
        fit_params=fit_params,
    )
    changes = parts.own_params(task.changes)
    with exits_are_errors():
        return train(parts.model, parts.entry, changes, training)


def _keep(spec: EvaluationSpec, evaluation: Evaluation, model: Any) -> TrainingResult:
    """Add the state of the model; a model that cannot be kept has failed."""
    try:
        return TrainingResult(evaluation, dumps(model))
    except Exception:
        if spec.error_score == "raise":
            raise
        failed = failed_evaluation(
            spec, evaluation.n_test_samples, evaluation.fit_time, format_exc()
        )
        return TrainingResult(failed, None)


def _score(
    spec: EvaluationSpec,
    parts: Parts,
    data: SplitData,
    task: Member,
    model: Any,
    seconds: float,
) -> Evaluation:
    """Score the model on transformed rows, or the whole where the scorer would see."""
    estimator, prepared = model, task.prepared
    assert not isinstance(prepared, str), "with such transformers nothing is trained"
    if prepared is None:
        estimator = parts.assemble(None, model)
    elif sees_predictions_only(spec.scorer) and prepared.X_test is not None:
        data = replace(data, X_train=prepared.X_seen, X_test=prepared.X_test)
    else:
        estimator = parts.assemble(prepared.prefix, model)
    # A population is scored on the same rows after every generation.
    if not (spec.scorer_is_known and spec.knows(task.params)):
        data = data.private_for_scoring(train=spec.return_train_score)
    return score(spec, data, estimator, seconds)
