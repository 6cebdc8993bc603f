"""Ask the stop rules after each trial."""

from __future__ import annotations

import math
from collections.abc import Sequence
from inspect import signature
from typing import Any

from skhpo import _clock
from skhpo._trial import Trial
from skhpo.optimizers import Optimizer
from skhpo.stopping import Progress, StopRule

__all__ = ["StopRules", "as_rules", "check_rules"]


def as_rules(stop: Any, owner: str) -> list[StopRule]:
    """Return the rules that a user gave: None, a rule, or a list of rules."""
    rules = [] if stop is None else stop
    rules = list(rules) if isinstance(rules, (list, tuple)) else [rules]
    for rule in rules:
        if not callable(rule) or isinstance(rule, type):
            raise TypeError(
                f"The 'stop' parameter of {owner} must be a rule of skhpo.stopping, "
                "such as NoImprovement(20), a function progress -> str or None, or a "
                f"list of these. Got {rule!r} instead."
            )
        _check_signature(rule, owner)
    return rules


def _check_signature(rule: Any, owner: str) -> None:
    """Raise if a rule cannot be called with one argument."""
    try:
        parameters = signature(rule)
    except (TypeError, ValueError):  # of some that are written in C
        return
    try:
        parameters.bind(None)
    except TypeError as error:
        raise TypeError(
            f"A rule in the 'stop' parameter of {owner} is called with one argument, "
            f"a Progress, and {rule!r} cannot be: {error}."
        ) from None


def check_rules(rules: Sequence[StopRule], optimizer: Optimizer, n_splits: int) -> None:
    """Let each rule say that it cannot work in this search.

    Raises
    ------
    Exception
        What the rule's own method ``check`` raises, if it has one.
    """
    for rule in rules:
        check = getattr(rule, "check", None)
        if callable(check):
            check(optimizer, n_splits)


class StopRules:
    """Rules, and what they are asked about.

    Parameters
    ----------
    rules : sequence of callable
        Each takes a `Progress` and returns why to stop, or None.
    optimizer : Optimizer
        What proposes candidates.
    start : float
        When the search began, by `skhpo._clock`.
    """

    def __init__(
        self, rules: Sequence[StopRule], optimizer: Optimizer, start: float
    ) -> None:
        self._rules = rules
        self._optimizer = optimizer
        self._start = start
        self._trials: list[Trial] = []
        self._best: Trial | None = None
        self._best_scores: list[float] = []

    def reason_after(self, trial: Trial) -> str | None:
        """Return why to stop after this trial, None to go on."""
        if not self._rules:
            return None
        self._trials.append(trial)
        scored = not trial.failed and trial.score > -math.inf  # not NaN, either
        scored = scored and not trial.dropped
        if scored and (self._best is None or trial.score > self._best.score):
            self._best = trial
        self._best_scores.append(-math.inf if self._best is None else self._best.score)
        seconds = _clock.now() - self._start
        progress = Progress(
            self._trials, self._best, self._best_scores, seconds, self._optimizer
        )
        for rule in self._rules:
            reason = rule(progress)
            if reason:
                return reason if isinstance(reason, str) else _name(rule)
        return None


def _name(rule: Any) -> str:
    return getattr(rule, "__name__", type(rule).__name__)
