"""Which estimators can be trained a bit more: built in, or registered by users."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from skhpo._registry import Registry
from skhpo.evaluation.training._entries import ENTRIES
from skhpo.evaluation.training._rules import Effect, Incremental, Rule
from skhpo.evaluation.training._trainers import PartialFit, Trainer, WarmStart

__all__ = [
    "INCREMENTAL",
    "find_incremental",
    "goes_on_exactly",
    "register_incremental",
]

INCREMENTAL: Registry[Incremental] = Registry("incremental", ENTRIES, inherited=True)


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
    >>> from skhpo.evaluation.incremental import WarmStart, register_incremental
    >>> register_incremental(BaggingClassifier, WarmStart("n_estimators"))
    """
    if not isinstance(estimator_class, type):
        raise TypeError(f"estimator_class must be a class. Got {estimator_class!r}.")
    if not callable(trainer):
        raise TypeError(f"trainer must be callable. Got {trainer!r} instead.")
    rule = (Rule(Effect.FROZEN, "It was registered so."),)
    rules = dict.fromkeys(frozen, rule)
    entry = Incremental(trainer, frozenset(effective), rules, mutate)
    INCREMENTAL.add(estimator_class, entry)


def find_incremental(model: Any, resource: str | None = None) -> Incremental | None:
    """Return how to train an estimator a bit more, None if it cannot be.

    Parameters
    ----------
    model : estimator
        The last step of a pipeline, or the estimator itself.
    resource : str or None, default=None
        A size parameter to grow by warm start, which goes before the registry.
    """
    known = INCREMENTAL.find(type(model))
    if resource is not None:
        return _by_resource(model, resource, known)
    if known is None and hasattr(model, "partial_fit"):
        return Incremental(PartialFit())
    return known


def goes_on_exactly(model: Any, parameter: str) -> bool:
    """Whether training in portions gives, bit for bit, what one fit gives.

    Parameters
    ----------
    model : estimator
        The last step of a pipeline, or the estimator itself.
    parameter : str
        The number of iterations.

    Returns
    -------
    bool
        True of warm starts that come with this package, and are tested to be so.
    """
    entry = INCREMENTAL.find(type(model))
    is_own = any(entry is known for known in ENTRIES.values())
    if entry is None or not is_own or not isinstance(entry.trainer, WarmStart):
        return False
    return entry.trainer.resource == parameter


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
