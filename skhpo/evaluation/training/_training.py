"""Train a candidate a bit more on one split, score it, hand the model back.

Models travel as pickles. A worker makes one of its own of them, so two candidates that
go on from the same trial share nothing; and the process that runs the search keeps
bytes, which cost nothing to send on.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from traceback import format_exc
from typing import Any, ClassVar

import numpy as np
from sklearn.pipeline import Pipeline

from skhpo._keys import params_key
from skhpo._sklearn_compat import FitHooks, sees_predictions_only
from skhpo._trial import Evaluation, Params
from skhpo.evaluation.fitting._fit import exits_are_errors, failed_evaluation, score
from skhpo.evaluation.fitting._spec import EvaluationSpec, SlicedSplit, SplitData
from skhpo.evaluation.fitting._stages import make_plan
from skhpo.evaluation.fitting._task import Fitter, Outcome, Task
from skhpo.evaluation.training._parts import (
    Parts,
    continued,
    fit_prefix,
    take_apart,
    train,
)
from skhpo.evaluation.training._trainers import Training
from skhpo.evaluation.workers._shipping import dumps

__all__ = [
    "Continuation",
    "Portion",
    "Prepared",
    "Train",
    "TrainingPlan",
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
    """

    prefix: Pipeline
    X_train: Any
    X_test: Any
    X_seen: Any


@dataclass(frozen=True, eq=False)
class Portion:
    """A part of a training with the same parameters.

    Parameters
    ----------
    changes : mapping of str to object
        Parameters that are others than those before; all of them at the beginning.
    first_step, n_steps : int
        Steps behind it and steps to do.
    """

    changes: Params
    first_step: int
    n_steps: int


@dataclass(frozen=True, eq=False)
class Continuation:
    """From which model a training goes on, and how.

    Parameters
    ----------
    state : bytes or None
        The pickled model, None at the beginning.
    portions : tuple of Portion
        What to do, one after the other: more than one where models that had been
        trained already are lost.
    prepared : Prepared, str or None
        The transformed rows; the traceback if there are none because it failed; None
        if there are no transformers.
    """

    state: bytes | None
    portions: tuple[Portion, ...]
    prepared: Prepared | str | None


@dataclass(frozen=True, eq=False)
class Train(Fitter):
    """The fitter of candidates that are trained step by step, from a given model.

    Parameters
    ----------
    plan : TrainingPlan
        What all trainings share.
    """

    plan: TrainingPlan
    continues: ClassVar[bool] = True
    n_steps: int = 1

    @property
    def identity(self) -> Any:
        """What decides a training beside its parameters and the data."""
        seed = self.plan.seed
        return repr(
            (seed.entropy, seed.spawn_key, self.plan.resource, self.plan.batch_size)
        )

    def begin(
        self, spec: EvaluationSpec, split: int, tasks: Sequence[Task]
    ) -> Trainings:
        """Return what trains these tasks on a split."""
        with suppress(Exception):  # to be raised where it will be handled
            self.plan.data(spec, split)  # not at the expense of the first
        return Trainings(spec, self.plan, split)

    def prefix_key(self, spec: EvaluationSpec, params: Params) -> Hashable:
        """Return what tells the transformers of a candidate; None if it has none."""
        if not isinstance(spec.estimator, Pipeline):
            return None
        parts = take_apart(spec.estimator, params, self.plan.resource)
        if parts.prefix is None:
            return None
        own = f"{parts.name}__"
        return params_key({n: v for n, v in params.items() if not n.startswith(own)})

    def prepare(self, spec: EvaluationSpec, split: int, task: Task) -> Prepared | str:
        """Fit the transformers; return what they made, or the traceback."""
        parts = take_apart(spec.estimator, task.params, self.plan.resource)
        assert parts.prefix is not None
        data = SlicedSplit(spec, split).for_estimator(parts.whole)
        try:
            fit_params, _ = parts.fit_params_of(data.fit_params)
            training = self.plan.training(data.X_train, data.y_train, split)
            with exits_are_errors():
                prefix, X_train = fit_prefix(parts.prefix, training, fit_params)
        except Exception:
            if spec.error_score == "raise":
                raise
            return format_exc()
        X_test, X_seen = _transformed(spec, parts, split, prefix)
        for rows in (X_train, X_test, X_seen):
            if isinstance(rows, np.ndarray) and rows.base is None:
                rows.flags.writeable = False  # shared by all candidates
        return Prepared(prefix, X_train, X_test, X_seen)

    def assemble(
        self, spec: EvaluationSpec, state: bytes, prefix: Pipeline | None
    ) -> Any:
        """Return the fitted estimator, from its model and its fitted transformers."""
        parts = take_apart(spec.estimator, resource=self.plan.resource)
        return parts.assemble(prefix, pickle.loads(state))


def _transformed(
    spec: EvaluationSpec, parts: Parts, split: int, prefix: Pipeline
) -> tuple[Any, Any]:
    """Return the rows to be scored, None for what cannot be transformed.

    That is no failure of the fit: scoring will meet it again, with its name.
    """
    data = SlicedSplit(spec, split).for_estimator(parts.whole)
    try:
        with exits_are_errors():
            X_test = prefix.transform(data.X_test)
            if not spec.return_train_score:
                return X_test, None
            return X_test, prefix.transform(data.X_train)
    except Exception:
        return None, None


class Trainings:
    """Trains candidates a bit more on one split, and scores them.

    Parameters
    ----------
    spec : EvaluationSpec
        What all evaluations share.
    plan : TrainingPlan
        What all trainings share.
    split : int
        Number of the split.
    """

    def __init__(self, spec: EvaluationSpec, plan: TrainingPlan, split: int) -> None:
        self._spec = spec
        self._plan = plan
        self._split = split
        self.n_fits = self.n_needed = 0

    def walk(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        """Yield the outcomes of tasks, in their order."""
        for task in tasks:
            n_portions = len(task.continuation.portions)
            self.n_fits += n_portions
            self.n_needed += n_portions
            yield self._advance(task)

    def _advance(self, task: Task) -> Outcome:
        """Train a candidate a bit more and score it."""
        spec, work = self._spec, task.continuation
        parts = None  # those of a state are unpickled below, where that may fail
        if work.state is None:
            birth = work.portions[0].changes
            parts = take_apart(spec.estimator, birth, self._plan.resource)
        whole = spec.estimator if parts is None else parts.whole
        data = self._plan.data(spec, self._split)
        hooks = FitHooks(task.context, spec.caller)
        start = time.perf_counter()
        try:
            with hooks.fitting(whole, data.X_train, data.y_train, data.fit_params):
                parts = parts or _continued(spec, self._plan, work.state)
                model = self._train(parts, data, work)
        except Exception:
            if spec.error_score == "raise":
                raise
            seconds = time.perf_counter() - start + data.slice_time
            failed = failed_evaluation(spec, data.n_test_samples, seconds, format_exc())
            outcome = Outcome(failed)
        else:
            seconds = time.perf_counter() - start
            evaluation = _score(spec, parts, data, task, model, seconds)
            outcome = _with_state(spec, evaluation, model)
        finally:
            stop = hooks.end(data.X_train, data.y_train, data.fit_params)
        return replace(outcome, overhead=data.slice_time, stop=stop)

    def _train(self, parts: Parts, data: SplitData, work: Continuation) -> Any:
        if isinstance(work.prepared, str):
            raise RuntimeError(
                f"The transformers could not be fitted:\n{work.prepared}"
            )
        X = data.X_train if work.prepared is None else work.prepared.X_train
        _, fit_params = parts.fit_params_of(data.fit_params)
        whole = self._plan.training(X, data.y_train, self._split)
        whole = replace(whole, fit_params=fit_params)
        model = parts.model
        with exits_are_errors():
            for portion in work.portions:
                training = whole.portion(portion.first_step, portion.n_steps)
                changes = parts.own_params(portion.changes)
                changes.pop(self._plan.resource or "", None)  # which is what grows
                model = train(model, parts.entry, changes, training)
        return model


def _continued(spec: EvaluationSpec, plan: TrainingPlan, state: bytes) -> Parts:
    with exits_are_errors():
        model = pickle.loads(state)
    return continued(spec.estimator, model, plan.resource)


def _with_state(spec: EvaluationSpec, evaluation: Evaluation, model: Any) -> Outcome:
    """Add the state of the model; a model that cannot be kept has failed."""
    try:
        return Outcome(evaluation, state=dumps(model))
    except Exception:
        if spec.error_score == "raise":
            raise
        failed = failed_evaluation(
            spec, evaluation.n_test_samples, evaluation.fit_time, format_exc()
        )
        return Outcome(failed)


def _score(
    spec: EvaluationSpec,
    parts: Parts,
    data: SplitData,
    task: Task,
    model: Any,
    seconds: float,
) -> Evaluation:
    """Score the model on transformed rows, or the whole where the scorer would see."""
    estimator, prepared = model, task.continuation.prepared
    assert not isinstance(prepared, str), "with such transformers nothing is trained"
    if prepared is None:
        estimator = parts.assemble(None, model)
    elif sees_predictions_only(spec.scorer) and prepared.X_test is not None:
        data = replace(data, X_train=prepared.X_seen, X_test=prepared.X_test)
    else:
        estimator = parts.assemble(prepared.prefix, model)
    # Models are scored on the same rows after each of their trainings.
    if not (spec.scorer_is_known and spec.knows(task.params)):
        data = data.private_for_scoring(train=spec.return_train_score)
    plan = make_plan(spec, estimator, task.params)
    return score(spec, data, estimator, seconds, plan)
