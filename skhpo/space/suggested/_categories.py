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
    if hasattr(X, "iloc"):  # a column each would take long, and names may be repeated
        dtypes: Any = set(X.dtypes) if X.ndim == 2 else ()
        return max((len(getattr(d, "categories", ())) for d in dtypes), default=0)
    columns = [X[name] for name in X.columns]
    kinds = [one for one in columns if hasattr(one.dtype, "categories")]
    return max((one.n_unique() for one in kinds), default=0)
