"""Train along a schedule, or as a policy says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.metrics import check_scoring
from sklearn.model_selection import train_test_split

from skhpo._rng import child_rng
from skhpo._sklearn_compat import num_samples
from skhpo._trial import Params
from skhpo.evaluation.fitting._known import is_known
from skhpo.evaluation.fitting._lending import private
from skhpo.evaluation.training._freezing import frozen_in_population
from skhpo.evaluation.training._parts import replay
from skhpo.evaluation.training._trainers import Training
from skhpo.schedules._policies import TrainingState

__all__ = ["ScheduleRun"]

ChangePoints = list[tuple[int, dict[str, Any]]]


class ScheduleRun:
    """One training that follows a schedule, or asks a policy after each step.

    Parameters
    ----------
    estimator : estimator
        What to train; cloned.
    training : Training
        Rows and steps.
    schedule : list of (int, dict)
        Change points; empty if there is a policy.
    policy : callable or None, default=None
        ``policy(state) -> params``.
    resource : str or None, default=None
        A size parameter to grow by warm start.
    scoring : str, callable or None, default=None
        What the policy sees as the score.
    validation_fraction : float or None, default=None
        Share of the rows set apart for it.

    Attributes
    ----------
    schedule : list of (int, dict)
        The change points, also those that the policy made.
    """

    def __init__(
        self,
        estimator: Any,
        training: Training,
        schedule: ChangePoints,
        *,
        policy: Callable[[TrainingState], Params] | None = None,
        resource: str | None = None,
        scoring: Any = None,
        validation_fraction: float | None = None,
    ) -> None:
        self.schedule = schedule
        self._estimator = estimator
        self._policy = policy
        self._resource = resource
        self._scoring = scoring
        self._training = training
        self._apart: tuple[Any, Any] | None = None
        self._checked: set[str] = set()
        if policy is not None and validation_fraction is not None:
            self._set_apart(validation_fraction)

    def _set_apart(self, fraction: float) -> None:
        """Keep some rows for the scores that the policy sees."""
        full = self._training
        seed = int(child_rng(full.seed, "validation").integers(2**31 - 1))
        rows, apart = train_test_split(
            np.arange(num_samples(full.X)),
            test_size=fraction,
            random_state=seed,
            stratify=full.y if is_classifier(self._estimator) else None,
        )
        X, y, fit_params = full.rows(self._estimator, np.sort(rows))
        self._training = replace(full, X=X, y=y, fit_params=fit_params)
        self._apart = full.rows(self._estimator, np.sort(apart))[:2]

    def train(self) -> Any:
        """Return the trained estimator."""
        self._check(self.schedule)
        if self._policy is None:
            return replay(
                self._estimator,
                self.schedule,
                self._training,
                resource=self._resource,
            )
        self._scorer = check_scoring(self._estimator, scoring=self._scoring)
        params = MappingProxyType(self._estimator.get_params())
        n_steps = self._training.n_steps
        self._state = TrainingState(0, n_steps, -np.inf, None, -np.inf, 0, params)
        return replay(
            self._estimator,
            [],
            self._training,
            resource=self._resource,
            portion=1,
            after_step=self._react,
        )

    def _react(self, fitted: Any, n_steps: int) -> Params:
        """Tell the policy how the training stands, and return what it changes."""
        train_score = self._score(fitted, self._training.X, self._training.y)
        val_score = None if self._apart is None else self._score(fitted, *self._apart)
        self._state = self._state.after(train_score, val_score, fitted.get_params())
        assert self._policy is not None
        changes = dict(self._policy(self._state) or {})
        if n_steps == self._state.n_steps:
            return {}
        unseen = {n: v for n, v in changes.items() if n not in self._checked}
        if unseen:
            own = self._state.params
            self._check([(0, {n: own.get(n) for n in unseen}), (n_steps, unseen)])
        if changes:
            self.schedule.append((n_steps, changes))
        return changes

    def _score(self, fitted: Any, X: Any, y: Any) -> float:
        """Return a score, on copies where the next step would see what is written."""
        if not (is_known(self._estimator) and is_known(self._scorer)):
            X, y = private(X), private(y)
        return self._scorer(fitted, X, y)

    def _check(self, schedule: Sequence[tuple[int, Params]]) -> None:
        """Raise if a change would be ignored, or would act on what is learned."""
        changing = {name for step, params in schedule for name in params if step > 0}
        if not changing:
            return
        own = self._estimator.get_params()
        current = {name: own.get(name) for _, params in schedule for name in params}
        stages: list[dict[str, Any]] = []
        for _, params in schedule:
            current = {**current, **params}
            stages.append(current)
        frozen_in_population(
            self._estimator,
            stages,
            self._training,
            resource=self._resource,
            mutable=sorted(changing),
        )
        self._checked |= changing
