"""How the estimators of one class are trained a bit more, and what may change."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from skhpo._trial import Params
from skhpo.evaluation.training._trainers import Trainer

__all__ = ["Effect", "Incremental", "Refusal", "Rule"]


class Effect(Enum):
    """What a change of a parameter does to a half-trained model."""

    EFFECTIVE = "takes effect from the next step on"
    NONE = "has no effect"
    RETROACTIVE = "changes what has been learned already"
    FROZEN = "cannot change after the first step"


@dataclass(frozen=True)
class Rule:
    """The effect of a parameter, and why; the text completes an error message.

    Parameters
    ----------
    effect : Effect
        What a change does.
    reason : str
        A sentence.
    remedy : str, default=""
        Another one: what would work.
    when : callable or None, default=None
        ``when(params) -> bool``: the settings of the estimator (with those of the
        candidate) under which the rule holds; None for all.
    """

    effect: Effect
    reason: str
    remedy: str = ""
    when: Callable[[Params], bool] | None = None


@dataclass(frozen=True)
class Refusal:
    """A setting with which estimators of a class are not trained step by step.

    Parameters
    ----------
    setting : str
        As users write it; begins the error message.
    reason : str
        What would happen; ends the sentence.
    remedy : str
        Another one: what would work.
    when : callable
        ``when(params) -> bool``: whether the estimator has this setting.
    """

    setting: str
    reason: str
    remedy: str
    when: Callable[[Params], bool]


@dataclass(frozen=True)
class Incremental:
    """How to train the estimators of one class a bit more.

    Parameters
    ----------
    trainer : Trainer
        Adds steps to a model.
    effective : frozenset of str, default=frozenset()
        Parameters whose change acts from the next step on, and on that only.
    rules : mapping of str to tuple of Rule, default={}
        What is known about others; the first rule that holds decides.
    mutate : callable or None, default=None
        ``mutate(model, names)`` is called after ``set_params`` with the names of the
        parameters that changed.
    refusals : tuple of Refusal, default=()
        Settings with which it is not.
    """

    trainer: Trainer
    effective: frozenset[str] = frozenset()
    rules: Mapping[str, tuple[Rule, ...]] | None = None
    mutate: Callable[[Any, Collection[str]], None] | None = None
    refusals: tuple[Refusal, ...] = ()

    def check(self, model: Any) -> None:
        """Raise ValueError if the settings of an estimator rule out training by steps.

        Before the first fit; else every member would fail, or be trained for fewer
        steps than it says.
        """
        params = model.get_params(deep=False)
        for refusal in self.refusals:
            if refusal.when(params):
                raise ValueError(
                    f"{type(model).__name__} with {refusal.setting} is not trained "
                    f"step by step: {refusal.reason}. {refusal.remedy}"
                )

    def rule(self, name: str, params: Params) -> Rule | None:
        """Return what is known about a parameter, None if nothing is."""
        for rule in (self.rules or {}).get(name, ()):
            if rule.when is None or rule.when(params):
                return rule
        if name in self.effective:
            return Rule(Effect.EFFECTIVE, "")
        return None
