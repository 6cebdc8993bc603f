"""How many categories the columns of a data frame have."""

from __future__ import annotations

from typing import Any

__all__ = ["most_categories"]


def most_categories(X: Any) -> int:
    """Return the most categories that a column of a categorical dtype has, 0 if none.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"a": [1, 2, 3], "b": pd.Categorical(["x", "y", "x"])})
    >>> most_categories(frame)
    2
    """
    if not hasattr(X, "columns"):
        return 0
    return max((_categories(X[name]) for name in X.columns), default=0)


def _categories(column: Any) -> int:
    """Return the number of categories of a column of pandas or polars."""
    dtype: Any = getattr(column, "dtype", None)
    if not hasattr(dtype, "categories"):
        return 0
    return len(dtype.categories) if hasattr(column, "iloc") else column.n_unique()
