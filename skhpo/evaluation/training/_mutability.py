"""Which parameters may change while a model is trained: asked, known, or probed.

In this order: what the user says (`frozen`, `mutable`), what the registry knows about
the class, and a probe that trains twice on a few rows. A change that would be ignored
or that reinterprets what has been learned is an error that names the remedy: a search
that goes on as if it had changed something would report a schedule that never was.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import clone

from skhpo._keys import changed, structural_key
from skhpo._trial import Params
from skhpo._warnings import warn_user
from skhpo.evaluation.training._rules import Effect, Incremental, Rule
from skhpo.evaluation.training._trainers import Training, grow
from skhpo.exceptions import SkhpoWarning

__all__ = ["Birth", "apply_params", "frozen_parameters", "probe"]

PROBE_ROWS = 200
_PROBE_STEPS = 3
_PROBE_VALUES = 2


@dataclass(frozen=True)
class Birth:
    """One member at its birth.

    Parameters
    ----------
    model : estimator
        What is trained, unfitted, with the member's parameters.
    entry : Incremental
        How it is trained.
    params : mapping of str to object
        Those parameters of the member that belong to the model, by its own names.
    """

    model: Any
    entry: Incremental
    params: Params


def apply_params(model: Any, entry: Incremental, params: Params) -> None:
    """Set those parameters of a half-trained model that differ, with all it takes."""
    changes = changed(params, model.get_params()) if params else {}
    if not changes:
        return
    changes = clone(changes, safe=False)
    model.set_params(**changes)
    if entry.mutate is not None:
        entry.mutate(model, changes)


def frozen_parameters(
    births: Sequence[Birth],
    *,
    mutable: str | Collection[str] = "auto",
    frozen: Collection[str] = (),
    training: Callable[[Birth], Training] | None = None,
) -> frozenset[str]:
    """Return the parameters that must keep their value from birth on.

    Parameters
    ----------
    births : sequence of Birth
        The members of the first generation.
    mutable : "auto" or collection of str, default="auto"
        Parameters that the user wants to change; with "auto", all that can.
    frozen : collection of str, default=()
        Those that the user wants to keep.
    training : callable or None, default=None
        ``training(birth)`` returns a few rows for probing; None not to probe.

    Returns
    -------
    frozenset of str
        The others may change.

    Raises
    ------
    ValueError
        If a parameter that would be changed has no effect, or acts on what has been
        learned already, or is declared mutable and cannot be.
    """
    kept = set(frozen)
    for name in sorted({name for birth in births for name in birth.params}):
        if name in kept or not (mutable == "auto" or name in mutable):
            kept.add(name)
            continue
        having = [birth for birth in births if name in birth.params]
        rule = _known_rule(name, having)
        if rule is None and training is not None:
            rule = _probed_rule(name, having, training)
        if rule is not None and _must_freeze(name, having[0], rule, mutable != "auto"):
            kept.add(name)
    return frozenset(kept)


def _known_rule(name: str, births: Sequence[Birth]) -> Rule | None:
    """Return the rule of the registry that decides about a parameter.

    What acts backwards for one member is a mistake; what has no effect is one only if
    this is so for all members, since other parameters may decide about it.
    """
    rules = [
        birth.entry.rule(name, birth.model.get_params(deep=False)) for birth in births
    ]
    known = [rule for rule in rules if rule is not None]
    if len(known) < len(rules):
        return None
    order = (Effect.RETROACTIVE, Effect.FROZEN, Effect.EFFECTIVE, Effect.NONE)
    return min(known, key=lambda rule: order.index(rule.effect))


def _must_freeze(name: str, birth: Birth, rule: Rule, explicit: bool) -> bool:
    if rule.effect is Effect.EFFECTIVE:
        return False
    if rule.effect is Effect.FROZEN and not explicit:
        return True
    raise ValueError(
        f"A change of {name!r} of {type(birth.model).__name__} while it is trained "
        f"{rule.effect.value}. {rule.reason} {rule.remedy}".rstrip()
    )


# --- the probe ------------------------------------------------------------------------


def _probed_rule(
    name: str, births: Sequence[Birth], training: Callable[[Birth], Training]
) -> Rule | None:
    """Probe a parameter on the first member that has it; None to let it pass."""
    birth = births[0]
    values = _other_values(name, births)
    if not values:
        return None
    effect = probe(birth, name, values, training(birth))
    if effect is Effect.FROZEN:
        warn_user(
            f"{name!r} of {type(birth.model).__name__} cannot change after the first "
            "step: each member keeps the value of its birth. Declare it in "
            "frozen=[...] to say that this is what you want.",
            SkhpoWarning,
        )
        return Rule(effect, "A model that is half trained refused another value.")
    if effect is Effect.NONE:
        # A few steps on a few rows do not prove that there is never an effect.
        warn_user(
            f"A change of {name!r} of {type(birth.model).__name__} had no effect "
            f"on {_PROBE_STEPS} training steps after it. If it is read at the first "
            "step only, declare it in frozen=[...].",
            SkhpoWarning,
        )
        return None
    if effect is Effect.RETROACTIVE:
        reason = "Predictions changed before any further training."
        remedy = "Declare it in frozen=[...], so that each member keeps one value."
        return Rule(effect, reason, remedy)
    return None


def _other_values(name: str, births: Sequence[Birth]) -> list[Any]:
    """Return up to two values of other members that differ from the first one's."""
    seen = {structural_key(births[0].params[name])}
    values = []
    for birth in births[1:]:
        key = structural_key(birth.params[name])
        if key not in seen:
            seen.add(key)
            values.append(birth.params[name])
    return values[:_PROBE_VALUES]


def probe(
    birth: Birth, name: str, values: Sequence[Any], training: Training
) -> Effect | None:
    """Find out what a change of a parameter does, by training with and without it.

    Parameters
    ----------
    birth : Birth
        The model and its parameters.
    name : str
        The parameter.
    values : sequence of object
        Other values for it.
    training : Training
        A few rows.

    Returns
    -------
    Effect or None
        None if the model cannot be trained on these rows in the first place.
    """
    first = training.portion(0, _PROBE_STEPS)
    second = training.portion(_PROBE_STEPS, _PROBE_STEPS)
    trainer = partial(grow, birth.entry.trainer)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # short trainings do not converge
        try:
            model = trainer(clone(birth.model), first)
            before = _predictions(model, training.X)
            unchanged = _predictions(trainer(copy.deepcopy(model), second), training.X)
        except Exception:
            return None  # the search will meet the same error, and report it in full
        effects = []
        for value in values:
            changed = copy.deepcopy(model)
            try:
                apply_params(changed, birth.entry, {name: value})
                if not _equal(before, _predictions(changed, training.X)):
                    return Effect.RETROACTIVE
                after = _predictions(trainer(changed, second), training.X)
            except Exception:
                return Effect.FROZEN
            effects.append(not _equal(unchanged, after))
    return Effect.EFFECTIVE if any(effects) else Effect.NONE


def _predictions(model: Any, X: Any) -> np.ndarray:
    """Return the most sensitive output that the model has."""
    for name in ("decision_function", "predict_proba", "transform", "predict"):
        method = getattr(model, name, None)
        if method is not None:
            output = method(copy.deepcopy(X))
            output = output.toarray() if hasattr(output, "toarray") else output
            return np.asarray(output)
    return np.empty(0)


def _equal(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
