"""What is known of the data that a space is for: sizes, and the units of X and y.

Notations: ``n`` rows, ``p`` columns; of long data, 2,000 rows are looked at, of data
with more than 1,000 columns fewer.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.sparsefuncs import mean_variance_axis

from skhpo._arithmetic import Array
from skhpo.exceptions import InvalidSpaceError
from skhpo.space.suggested._categories import most_categories

__all__ = ["DataInfo", "measure", "n_columns", "n_rows", "rows_of", "some_rows"]

# Scales of X and y need no more rows than this.
MAX_ROWS = 2000
# Nor more numbers than this, of 200 rows at the least: a space is made at once.
MAX_NUMBERS = 2_000_000
MIN_ROWS = 200


@dataclass(frozen=True)
class DataInfo:
    """What a suggested space takes from the data.

    Parameters
    ----------
    n_samples : int
        Rows of all the data.
    n_train : int
        Rows that the smallest fit of the search has.
    n_features : int
        Columns that the estimator sees: behind the earlier steps of a pipeline.
    task : {"classification", "regression"} or None
        None without a target.
    n_classes : int
        Number of classes; 0 if there are none. Of several targets, the largest one.
    majority : float
        Share of the most frequent class; 0 if there are none.
    largest_nu : float
        The largest `nu` of a ``NuSVC`` that is feasible with any two of the classes,
        for all targets.
    y_std : float
        Standard deviation of a numeric target, else 1.
    x_variance : float
        Variance of all entries of X, which is what ``gamma="scale"`` goes by.
    column_variance : float
        Mean variance of a column of X.
    correlation : float
        The largest ``|X'y| / n`` of centered data: a Lasso with a larger `alpha` has
        no coefficients.
    impurity : float
        That of the root of a tree: Gini, or the variance of the target.
    is_numeric : bool
        Whether X holds numbers only.
    explicit_scoring : bool
        Whether candidates are compared by a score that the user has named.
    needs_probabilities : bool
        Whether that score asks for ``predict_proba``.
    least_features : int
        Columns that it sees at the least, whatever earlier steps are set to.
    n_categories : int
        The most categories that a column of a categorical dtype has; 0 without one.
    is_sparse : bool
        Whether X is a sparse matrix or array.

    Examples
    --------
    >>> import numpy as np
    >>> from skhpo.space.suggested._data import measure
    >>> X = np.array([[0.0, 1.0], [2.0, 1.0]])
    >>> info = measure(X, np.array([0, 1]), task="classification", n_train=2)
    >>> info.n_features, info.n_classes, info.x_variance
    (2, 2, 0.5)
    """

    n_samples: int
    n_train: int
    n_features: int
    task: str | None = None
    n_classes: int = 0
    majority: float = 0.0
    largest_nu: float = 1.0
    y_std: float = 1.0
    x_variance: float = 1.0
    column_variance: float = 1.0
    correlation: float = 1.0
    impurity: float = 1.0
    is_numeric: bool = True
    explicit_scoring: bool = False
    needs_probabilities: bool = False
    least_features: int = 1
    n_categories: int = 0
    is_sparse: bool = False


def measure(
    X: Any,
    y: Any,
    *,
    task: str | None,
    n_train: int,
    n_samples: int | None = None,
    share_left: float = 1.0,
    **scoring: bool,
) -> DataInfo:
    """Return what is known of data.

    Parameters
    ----------
    X, y : array-like
        Rows, of which some are looked at; `y` may be None.
    task : {"classification", "regression"} or None
        What `y` is.
    n_train : int
        Rows of the smallest fit.
    n_samples : int or None, default=None
        Rows of all the data, if `X` are some of them.
    share_left : float, default=1.0
        Of the columns, if earlier steps may leave fewer.
    **scoring : bool
        ``explicit_scoring`` and ``needs_probabilities``.

    Returns
    -------
    DataInfo
        Sizes and units.
    """
    n = n_rows(X)
    rows, few = _spread(n, MAX_ROWS), _spread(n, _n_rows_of_numbers(X))
    numbers = _numbers(rows_of(X, few))
    target = None if y is None else np.asarray(rows_of(y, rows))
    beside = None if y is None else np.asarray(rows_of(y, few))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of columns that hold NaN only
        return DataInfo(
            n_samples=n if n_samples is None else n_samples,
            n_train=n_train,
            n_features=n_columns(X),
            least_features=max(1, int(share_left * n_columns(X))),
            task=None if y is None else task,
            n_categories=most_categories(X),
            is_sparse=hasattr(X, "toarray"),
            is_numeric=numbers is not None,
            **_of_columns(numbers),
            **_of_target(target, task),
            **_of_both(beside, numbers, task),
            **scoring,
        )


def as_plain(name: str, values: Any) -> Any:
    """Return an array of another library as one of NumPy, and anything else as it is.

    Raises InvalidSpaceError where NumPy cannot reach it.
    """
    if isinstance(values, np.ndarray) or not hasattr(values, "__dlpack__"):
        return values
    try:
        return np.asarray(values)
    except Exception as error:
        raise InvalidSpaceError(
            f"A space is suggested from the numbers in {name}, which NumPy cannot "
            f"read ({error}). Call suggest_space with a copy of {name} in NumPy, and "
            "give the search what it returns."
        ) from error


def some_rows(X: Any, y: Any, n: int) -> tuple[Any, Any]:
    """Return up to `n` rows of data, evenly spread."""
    rows = _spread(n_rows(X), n)
    return rows_of(X, rows), None if y is None else rows_of(y, rows)


def n_rows(X: Any) -> int:
    """Return how many rows data have."""
    shape = getattr(X, "shape", None)
    return int(shape[0]) if shape else len(X)


def n_columns(X: Any) -> int:
    """Return how many columns data have; 1 of what is no table."""
    shape = getattr(X, "shape", None)
    if shape is None:
        shape = np.asarray(X, dtype=object).shape
    return int(shape[1]) if len(shape) > 1 else 1


def _spread(n: int, n_wanted: int) -> Array:
    """Return up to so many row numbers, which are the same for the same data."""
    return np.unique(np.linspace(0, n - 1, min(n, n_wanted)).astype(int))


def _n_rows_of_numbers(X: Any) -> int:
    """Return of how many rows the numbers are looked at."""
    p = 1 if hasattr(X, "toarray") else max(1, n_columns(X))  # sparse ones have few
    return min(max(MAX_NUMBERS // p, MIN_ROWS), MAX_ROWS)


def rows_of(X: Any, rows: Any) -> Any:
    """Return rows of data by their numbers."""
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    if hasattr(X, "tocsr"):
        return X.tocsr()[rows]
    return X[rows] if hasattr(X, "shape") else [X[i] for i in rows]


def _numbers(X: Any) -> Any:
    """Return X as numbers, sparse if it is; None if some columns hold others."""
    if hasattr(X, "toarray"):
        return X.astype(float)
    if not hasattr(X, "iloc") or X.ndim == 1 or _has_plain_numbers(X):
        return _as_floats(X)
    columns = [X.iloc[:, j] for j in range(X.shape[1])]
    found = [numbers for c in columns if (numbers := _as_floats(c)) is not None]
    return np.column_stack(found) if len(found) == len(columns) else None


def _has_plain_numbers(X: Any) -> bool:
    """Whether all columns of a frame are numbers of NumPy: one array, not many."""
    return all(isinstance(d, np.dtype) and d.kind in "iuf" for d in set(X.dtypes))


def _as_floats(values: Any) -> Array | None:
    try:
        if hasattr(values, "iloc") and values.ndim == 1:  # may have the NA of pandas
            return np.asarray(values.to_numpy(dtype=float, na_value=np.nan))
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        return None


def _of_columns(X: Any) -> dict[str, Any]:
    if X is None or not math.prod(X.shape):
        return {}
    if hasattr(X, "toarray"):  # which is not written out: it may be wide
        means, variances = mean_variance_axis(X, axis=0)
        within = float(np.mean(variances))
        whole = within + float(np.var(means))
    elif X.ndim == 2 and np.isfinite(X.sum()):  # in a fraction of the time
        within = X.var(axis=0).mean()
        whole = within + X.mean(axis=0).var()
    else:
        within, whole = np.nanmean(np.nanvar(X, axis=0)), np.nanvar(X)
    return {"x_variance": _positive(whole), "column_variance": _positive(within)}


def _of_target(y: Array | None, task: str | None) -> dict[str, Any]:
    if y is None or not y.size:
        return {}
    if task == "classification":
        return _of_classes(y)
    numbers = _as_floats(y)
    if task != "regression" or numbers is None:
        return {}
    std = _positive(numbers.std(axis=0).mean())
    return {"y_std": std, "impurity": std**2}


def _of_both(y: Array | None, X: Any, task: str | None) -> dict[str, Any]:
    """Return how a numeric target goes with the columns."""
    numbers = None if y is None or task != "regression" else _as_floats(y)
    if numbers is None or X is None or X.ndim != 2 or not math.prod(X.shape):
        return {}
    centered = numbers - numbers.mean(axis=0)
    if not hasattr(X, "toarray"):  # the target is centered, which is enough
        X = np.nan_to_num(X - np.nanmean(X, axis=0))
    return {"correlation": _positive(np.abs(X.T @ centered).max() / len(centered))}


def _of_classes(y: Array) -> dict[str, Any]:
    """Return what is known of classes; of several targets, of the hardest one."""
    targets = y.reshape(len(y), -1).astype(str).T
    counts = [np.sort(np.unique(t, return_counts=True)[1]) for t in targets]
    shares = [c / c.sum() for c in counts]
    return {
        "n_classes": max(map(len, counts)),
        "majority": max(float(s[-1]) for s in shares),
        "impurity": _positive(np.mean([1.0 - (s**2).sum() for s in shares])),
        "largest_nu": min(2.0 * float(s[0] / (s[0] + s[-1])) for s in shares),
    }


def _positive(value: Any) -> float:
    """Return a scale; 1 where the data have none."""
    value = float(value)
    return value if 0 < value < np.inf else 1.0
