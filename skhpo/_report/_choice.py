"""How a search would have chosen, had it seen fewer splits."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from skhpo._words import counted
from skhpo.selection._results import taken

__all__ = ["reduced_results", "rule_choice"]

Index = NDArray[np.intp]

_SPLIT = re.compile(r"split(\d+)_(test|train)_(.*)", re.DOTALL)


def reduced_results(
    results: Mapping[str, Any], rows: Index, splits: Index
) -> dict[str, Any]:
    """Return what ``cv_results_`` were with some of the candidates and the splits.

    Splits are numbered from 0 on; means, deviations and ranks are computed anew.

    Parameters
    ----------
    results : mapping of str to array
        ``cv_results_``.
    rows : ndarray of int
        The candidates to keep.
    splits : ndarray of int
        The splits to keep.

    Returns
    -------
    dict
        With the same keys, but for those of the last splits.
    """
    place = {int(split): i for i, split in enumerate(splits)}
    found: dict[str, Any] = {}
    parts: dict[str, list[Any]] = {}
    for key, column in results.items():
        match = _SPLIT.fullmatch(key)
        if match is None:
            found[key] = taken(column, rows)
        elif int(match[1]) in place:
            scores = np.asarray(column, float)[rows]
            found[f"split{place[int(match[1])]}_{match[2]}_{match[3]}"] = scores
            parts.setdefault(f"{match[2]}_{match[3]}", []).append(scores)
    for name, columns in parts.items():
        means = np.mean(columns, axis=0)
        found[f"mean_{name}"], found[f"std_{name}"] = means, np.std(columns, axis=0)
        if f"rank_{name}" in results:
            found[f"rank_{name}"] = rankdata(-means, method="min").astype(np.int32)
    return found


def rule_choice(
    rule: Callable[..., Any], results: Mapping[str, Any], rows: Index
) -> Callable[[Index], Index]:
    """Return what chooses by a callable `refit`; positions are those among `rows`."""

    def choose(splits: Index) -> Index:
        best = int(rule(reduced_results(results, rows, splits)))
        if not 0 <= best < len(rows):
            raise IndexError(f"{rule!r} returned {best} of {counted(len(rows), 'row')}")
        return np.array([best])

    return choose
