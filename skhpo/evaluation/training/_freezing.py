"""Which parameters of a population keep the value of their birth.

Names are those of the whole estimator here; `_mutability` decides about those of the
model that is trained.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from skhpo._trial import Params
from skhpo.evaluation.training._mutability import PROBE_ROWS, Birth, frozen_parameters
from skhpo.evaluation.training._parts import Parts, fit_prefix, take_apart
from skhpo.evaluation.training._trainers import Training

__all__ = ["few_rows", "frozen_in_population"]


def frozen_in_population(
    estimator: Any,
    all_params: Sequence[Params],
    training: Training,
    *,
    resource: str | None = None,
    mutable: str | Collection[str] = "auto",
    frozen: Collection[str] = (),
) -> frozenset[str]:
    """Return the searched parameters that must not change during training.

    Parameters
    ----------
    estimator : estimator
        What is trained, or a pipeline that ends in it.
    all_params : sequence of mapping
        The parameters of each member at birth.
    training : Training
        All the data; a few rows are probed.
    resource : str or None, default=None
        A size parameter to grow by warm start.
    mutable, frozen : see `frozen_parameters`
        By the names of the whole estimator.

    Returns
    -------
    frozenset of str
        Names of the whole estimator.

    Raises
    ------
    ValueError
        As `frozen_parameters`; also if a name is not searched, or if a parameter of a
        transformer is declared mutable.
    """
    members = [take_apart(estimator, params, resource) for params in all_params]
    owned = [p.own_params(own) for p, own in zip(members, all_params, strict=True)]
    searched = {name for params in all_params for name in params}
    _check_names("frozen", frozen, searched)
    trainable = {
        parts.whole_name(name)
        for parts, own in zip(members, owned, strict=True)
        for name in own
    }
    if not isinstance(mutable, str):
        _check_names("mutable", mutable, searched)
        _check_trainable(mutable, trainable, members[0])
    by_model = {id(parts.model): parts for parts in members}
    start = members[0].whole_name("")
    kept = frozen_parameters(
        [
            Birth(parts.model, parts.entry, own)
            for parts, own in zip(members, owned, strict=True)
        ],
        mutable=_strip(mutable, start),
        frozen=_strip(frozen, start),
        training=lambda birth: few_rows(by_model[id(birth.model)], training),
    )
    never = searched - trainable
    return frozenset(never | ({start + name for name in kept} & searched))


def _strip(names: Any, start: str) -> Any:
    """Return the names that the model has for parameters of the whole."""
    if isinstance(names, str):
        return names
    return [name.removeprefix(start) for name in names if name.startswith(start)]


def few_rows(parts: Parts, training: Training) -> Training:
    """Return some rows for probing, transformed as the model would get them."""
    _, own = parts.fit_params_of(training.fit_params)
    weighted = replace(training, fit_params=own).weighted_rows
    order = training.rng().permutation(weighted)
    X, y, params = training.rows(parts.whole, np.sort(order[:PROBE_ROWS]))
    few = replace(training, X=X, y=y, fit_params={})
    of_prefix, of_model = parts.fit_params_of(params)
    if parts.prefix is not None:
        try:
            # A copy: what is fitted here must not be seen by anybody else.
            copy = take_apart(parts.whole)
            assert copy.prefix is not None
            few = replace(few, X=fit_prefix(copy.prefix, few, of_prefix)[1])
        except Exception:
            # The probe stays without an answer; the search meets the same error, and
            # reports it with all that belongs to it.
            return replace(few, X=np.empty((0, 0)))
    return replace(few, fit_params=of_model)


def _check_names(option: str, names: Collection[str], searched: set[str]) -> None:
    unknown = sorted(set(names) - searched)
    if unknown:
        raise ValueError(
            f"{option} names {unknown}, which are not searched: param_distributions "
            f"has {sorted(searched)}."
        )


def _check_trainable(
    mutable: Collection[str], trainable: Collection[str], parts: Parts
) -> None:
    fixed = sorted(set(mutable) - set(trainable))
    if fixed:
        raise ValueError(
            f"{fixed} cannot be mutable: what stands before the last step "
            f"({parts.name!r}) is fitted once, at birth. Leave them out of mutable: "
            "each member then keeps its own values."
        )
