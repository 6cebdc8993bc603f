"""``cv_results_`` as data frames of pandas, with a type for every column."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

from skhpo._trial import Params

__all__ = ["candidate_frame", "split_frame"]

SPLIT = re.compile(r"split(\d+)_(test|train)_(.+)")
OF_FRESH_SPLIT = re.compile(r"fresh\d+_split.+")
FIRST = (
    *("rank_test_", "mean_test_", "estimated_test_", "pooled_mean_test_"),
    *("std_test_", "fresh_mean_test_", "fresh_std_test_"),
    *("dropped", "n_splits", "mean_train_", "std_train_"),
)


def candidate_frame(results: Mapping[str, Any], metric: str) -> Any:
    """Return a data frame with a row per candidate, best first.

    Parameters
    ----------
    results : mapping of str to array-like
        ``cv_results_``.
    metric : str
        The score whose rank they are ordered by.

    Returns
    -------
    pandas.DataFrame
        Indexed by the row of ``cv_results_``, with its columns but for ``params`` and
        the scores of single splits.
    """
    import pandas as pd

    params = _param_columns(pd, results["params"])
    plain = {
        name: np.asarray(results[name])
        for name in results
        if name != "params" and name not in params and not _is_of_split(name)
    }
    first = [name for start in FIRST for name in plain if name.startswith(start)]
    columns = {name: plain.pop(name) for name in first} | params | plain
    frame = pd.DataFrame(columns)
    frame.index.name = "candidate"
    return frame.sort_values(f"rank_test_{metric}", kind="stable")


def split_frame(results: Mapping[str, Any], metric: str) -> Any:
    """Return a data frame with a row per candidate and split.

    Parameters
    ----------
    results : mapping of str to array-like
        ``cv_results_``.
    metric : str
        The score whose rank they are ordered by.

    Returns
    -------
    pandas.DataFrame
        Columns ``candidate`` (the row of ``cv_results_``), ``rank``, ``split``, one for
        each parameter, ``test_<metric>`` and, where there are train scores,
        ``train_<metric>``.
    """
    import pandas as pd

    rank = np.asarray(results[f"rank_test_{metric}"])
    scores: dict[int, dict[str, Any]] = {}
    for name in results:
        if match := SPLIT.fullmatch(name):
            split, part, of = match.groups()
            scores.setdefault(int(split), {})[f"{part}_{of}"] = results[name]
    params = _param_columns(pd, results["params"])
    head = {"candidate": np.arange(len(rank)), "rank": rank}
    parts = [
        pd.DataFrame(head | {"split": split} | params | columns)
        for split, columns in sorted(scores.items())
    ]
    order = ["rank", "candidate", "split"]
    return pd.concat(parts).sort_values(order).reset_index(drop=True)


def _is_of_split(name: str) -> bool:
    """Whether a column has the scores of a single split, ordinary or fresh."""
    return bool(SPLIT.fullmatch(name) or OF_FRESH_SPLIT.fullmatch(name))


def _param_columns(pd: Any, params: Sequence[Params]) -> dict[str, Any]:
    """Return a column for each parameter, in the order in which they appear."""
    names = dict.fromkeys(name for row in params for name in row)
    return {f"param_{name}": _typed(pd, name, params) for name in names}


def _typed(pd: Any, name: str, params: Sequence[Params]) -> Any:
    """Return a column with the type that all values have in common.

    Where some candidates do not have the parameter, integers and booleans get the types
    of pandas that have a place for it; None stays a value like any other.
    """
    values = [row.get(name, np.nan) for row in params]
    present = [row[name] for row in params if name in row]
    complete = len(present) == len(values)
    if all(isinstance(value, bool | np.bool_) for value in present):
        return pd.array(values, dtype="bool" if complete else "boolean")
    if any(isinstance(value, bool | np.bool_) for value in present):
        return pd.Series(values, dtype=object)
    if all(isinstance(value, Integral) and _is_int64(value) for value in present):
        return pd.array(values, dtype="int64" if complete else "Int64")
    if all(isinstance(value, Real) for value in present):
        return pd.array(values, dtype="float64")
    is_text = all(isinstance(value, str) for value in present)
    return pd.Series(values, dtype=None if is_text else object)


def _is_int64(value: Any) -> bool:
    return -(2**63) <= int(value) < 2**63
