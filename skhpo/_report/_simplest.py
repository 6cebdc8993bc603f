"""Which of several candidates is the simplest, as far as names of parameters tell."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata

from skhpo._arithmetic import Array
from skhpo.space._dimensions import is_number

__all__ = ["simplest_of"]

# Whether a model gets simpler with less of it (1) or with more (-1).
SIMPLER = {
    **dict.fromkeys(["max_depth", "max_leaf_nodes", "C", "degree", "gamma"], 1),
    **dict.fromkeys(["n_components", "n_knots", "max_iter", "n_estimators"], 1),
    **dict.fromkeys(["min_samples_leaf", "min_samples_split", "ccp_alpha"], -1),
    **dict.fromkeys(["min_weight_fraction_leaf", "min_impurity_decrease"], -1),
    **dict.fromkeys(["alpha", "l2_regularization", "n_neighbors", "epsilon"], -1),
    **dict.fromkeys(["reg_alpha", "reg_lambda", "var_smoothing", "shrinkage"], -1),
}


def simplest_of(params: Sequence[Mapping[str, Any]]) -> int | None:
    """Return the position of the simplest candidate.

    Parameters
    ----------
    params : sequence of mapping
        Those of the candidates.

    Returns
    -------
    int or None
        That of the lowest mean rank over all parameters that are known to limit how
        complex a model may get, the first one of several; None if there is none.

    Examples
    --------
    >>> simplest_of([{"max_depth": None}, {"max_depth": 3}, {"max_depth": 8}])
    1
    >>> simplest_of([{"gamma": "scale"}, {"gamma": 0.1}, {"gamma": 1.0}])
    1
    >>> simplest_of([{"kernel": "rbf"}, {"kernel": "linear"}])
    """
    names = dict.fromkeys(name for candidate in params for name in candidate)
    ranks = [
        _ranks([_complexity(candidate.get(name, ""), sign) for candidate in params])
        for name in names
        if (sign := SIMPLER.get(name.rpartition("__")[2])) is not None
    ]
    if not ranks or not any(np.ptp(rank) for rank in ranks):
        return None
    return int(np.argmin(np.mean(ranks, axis=0)))


def _complexity(value: Any, sign: int) -> float:
    """Return a number that grows with complexity, NaN if that is not known.

    It is high without a limit, None.
    """
    if value is None:
        return math.inf
    return sign * float(value) if is_number(value) else math.nan


def _ranks(complexities: list[float]) -> Array:
    """Return ranks; in the middle of the others where nothing is known."""
    values = np.array(complexities)
    known = ~np.isnan(values)
    ranks = np.zeros(len(values))
    if known.any():
        ranks[known] = rankdata(values[known])
        ranks[~known] = ranks[known].mean()
    return ranks
