"""Which estimators can be trained a bit more, how, and what may change meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from skhpo.evaluation.training._trainers import PartialFit, Trainer, WarmStart

__all__ = [
    "Effect",
    "Incremental",
    "Refusal",
    "Rule",
    "add_entry",
    "adopt_incremental",
    "find_incremental",
    "incremental_names",
    "register_incremental",
    "registered_incremental",
]


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
    when: Callable[[Mapping[str, Any]], bool] | None = None


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
    when: Callable[[Mapping[str, Any]], bool]


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

    def rule(self, name: str, params: Mapping[str, Any]) -> Rule | None:
        """Return what is known about a parameter, None if nothing is."""
        for rule in (self.rules or {}).get(name, ()):
            if rule.when is None or rule.when(params):
                return rule
        if name in self.effective:
            return Rule(Effect.EFFECTIVE, "")
        return None


_by_users: dict[type, Incremental] = {}  # goes before what is built in
# By top-level package and class name: these classes are not imported before they are
# used.
_built_in: dict[tuple[str, str], Incremental] = {}


def register_incremental(
    estimator_class: type,
    trainer: Trainer,
    *,
    effective: Collection[str] = (),
    frozen: Collection[str] = (),
    mutate: Callable[[Any, Collection[str]], None] | None = None,
) -> None:
    """Teach skhpo how to train estimators of a class (and its subclasses) a bit more.

    Classes with a ``partial_fit`` method need no entry, unless something special has
    to be done for a changed parameter to take effect.

    Parameters
    ----------
    estimator_class : type
        The class.
    trainer : callable
        ``trainer(model, training) -> model`` adds ``training.n_steps`` steps to
        `model`, which has ``training.first_step`` steps behind it (0: it is not
        fitted). ``training.X``, ``training.y`` and ``training.fit_params`` are the
        data; ``training.rng(step)`` is the generator to draw from.
    effective : collection of str, default=()
        Parameters that may change between steps. Others are probed.
    frozen : collection of str, default=()
        Parameters that fix the shape of the model and never change.
    mutate : callable or None, default=None
        ``mutate(model, names)``, called after ``set_params`` on a half-trained model.

    Examples
    --------
    >>> from sklearn.ensemble import BaggingClassifier
    >>> from skhpo.evaluation.training._parts import WarmStart, register_incremental
    >>> register_incremental(BaggingClassifier, WarmStart("n_estimators"))
    """
    if not isinstance(estimator_class, type):
        raise TypeError(f"estimator_class must be a class. Got {estimator_class!r}.")
    if not callable(trainer):
        raise TypeError(f"trainer must be callable. Got {trainer!r} instead.")
    rule = (Rule(Effect.FROZEN, "It was registered so."),)
    rules = dict.fromkeys(frozen, rule)
    entry = Incremental(trainer, frozenset(effective), rules, mutate)
    _by_users[estimator_class] = entry


def registered_incremental() -> dict[type, Incremental]:
    """Return what users registered in this process, to be adopted in a worker's."""
    return dict(_by_users)


def adopt_incremental(entries: Mapping[type, Incremental]) -> None:
    """Know what was registered in the process that sent the work."""
    _by_users.update(entries)


def add_entry(package: str, class_name: str, entry: Incremental) -> None:
    """Add a class of a package, and its subclasses, to what is built in."""
    _built_in[package, class_name] = entry


def find_incremental(model: Any, resource: str | None = None) -> Incremental | None:
    """Return how to train an estimator a bit more, None if it cannot be.

    Parameters
    ----------
    model : estimator
        The last step of a pipeline, or the estimator itself.
    resource : str or None, default=None
        A size parameter to grow by warm start, which goes before the registry.
    """
    known = _registered(type(model))
    if resource is not None:
        return _by_resource(model, resource, known)
    if known is None and hasattr(model, "partial_fit"):
        return Incremental(PartialFit())
    return known


def _registered(estimator_class: type) -> Incremental | None:
    for base in estimator_class.__mro__:
        if base in _by_users:
            return _by_users[base]
        key = (base.__module__.partition(".")[0], base.__name__)
        if key in _built_in:
            return _built_in[key]
    return None


def _by_resource(
    model: Any, resource: str, known: Incremental | None
) -> Incremental | None:
    if known is not None and getattr(known.trainer, "resource", None) == resource:
        return known
    if known is not None and isinstance(known.trainer, PartialFit):
        return None  # a warm fit of SGD or of a network begins a new training
    params = model.get_params(deep=False)
    if "warm_start" not in params or resource not in params:
        return None
    return Incremental(WarmStart(resource))


def incremental_names() -> list[str]:
    """Return the names of the classes that are known to work."""
    names = {cls.__name__ for cls in _by_users}
    return sorted(names | {name for _, name in _built_in})
