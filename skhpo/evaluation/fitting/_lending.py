"""Hand the same data to many fits, none of which may change it for the others.

An estimator may write into what it is given (``Ridge(copy_X=False)`` on a shared
array moved the scores of its siblings by 2.4). Code that is known (`_known.py`) is
lent the data read-only, which costs nothing; what fails on lent data, in whatever
words, is tried once more on a copy. All other code is given a copy in the first place:
it may write past the lock, or do something else because of it.
"""

from __future__ import annotations

import copy
import pickle
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from skhpo._fingerprint import fingerprint

__all__ = ["copies_by_itself", "detached", "identical", "lend", "private", "unchanged"]

# Nobody can change values of these types, so that they may be shared.
_IMMUTABLE = frozenset(
    {type(None), bool, int, float, complex, str, bytes, type(Ellipsis)}
    | {np.bool_, np.float64, np.float32, np.int64, np.int32, np.str_}
)
_CONTAINERS = (list, tuple, dict)


def lend(data: Any) -> Any:
    """Return `data` for code that must not change it.

    Parameters
    ----------
    data : object
        Data, a target, weights or whatever else travels with them.

    Returns
    -------
    object
        A read-only view of an array or a compressed sparse matrix, without a copy; a
        data frame that copies when it is written to, where pandas can do that; a new
        list, tuple or dict of such; and a copy of everything else.

    Examples
    --------
    >>> X = np.zeros(3)
    >>> lend(X).flags.writeable, X.flags.writeable
    (False, True)
    """
    if data is None:
        return None
    kind = type(data)
    if kind is np.ndarray:
        return _locked(data)
    if kind in _CONTAINERS:
        return _rebuilt(data, lend)
    if sparse.issparse(data) and getattr(data, "format", "") in ("csr", "csc", "bsr"):
        return _locked_sparse(data)
    if _is_of_pandas(data) and _copies_on_write() and not _has_mutable_cells(data):
        return data.copy(deep=False)
    return private(data)


def private(data: Any) -> Any:
    """Return a copy of `data` that shares nothing with it which could be changed.

    What cannot be copied (an open file, a lock) is returned as it is: scikit-learn
    hands the same object to all fits, too.

    Examples
    --------
    >>> rows = [[1, 2], [3, 4]]
    >>> private(rows)[0] is rows[0]
    False
    """
    if data is None:
        return None
    if type(data) is np.ndarray and not data.dtype.hasobject:
        return data.copy(order="K")
    if type(data) in _CONTAINERS:
        return _rebuilt(data, private)
    try:
        if _is_of_pandas(data) and _has_mutable_cells(data):  # which it would share
            return pickle.loads(pickle.dumps(data))
        return copy.deepcopy(data)
    except Exception:
        return data


def detached(part: Any) -> Any:
    """Return rows that were sliced from data, sharing nothing with the whole.

    Slicing copies the numbers of arrays, sparse matrices and frames. It does not copy
    the objects in them, nor the rows of nested lists.
    """
    if isinstance(part, np.ndarray):
        is_copy = not part.dtype.hasobject
    elif _is_of_pandas(part):
        is_copy = not _has_mutable_cells(part)
    else:
        is_copy = part is None or sparse.issparse(part)
    return part if is_copy else private(part)


def unchanged(data: Any) -> Any:
    """Return `data` for the only one to use it."""
    return data


def identical(one: Any, other: Any) -> bool:
    """Whether two objects of data are of one kind and hold the same.

    Examples
    --------
    >>> identical(np.array([1.0, np.nan]), np.array([1.0, np.nan]))
    True
    >>> identical([1.0], [1])
    False
    """
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if type(one) is np.ndarray and one.dtype.kind in "biufcmMSU":
        has_nan = one.dtype.kind in "fcmM"
        return one.dtype == other.dtype and np.array_equal(
            one, other, equal_nan=has_nan
        )
    try:
        return fingerprint(one) == fingerprint(other)
    except Exception:  # whatever it is, nobody can say that it is the same
        return False


def copies_by_itself(estimator: Any) -> bool:
    """Whether `estimator` is one of scikit-learn's that copy what they are given.

    Its linear models do so with ``copy_X=True``, their default; but those that ask for
    writable data all the same (such as ``Ridge``) would copy read-only data twice.
    """
    in_linear_model = type(estimator).__module__.startswith("sklearn.linear_model.")
    return in_linear_model and getattr(estimator, "copy_X", False) is True


def _rebuilt(container: Any, give: Callable[[Any], Any]) -> Any:
    """Return a new list, tuple or dict of what is given for its items."""
    if not container:
        return type(container)()
    if isinstance(container, dict):
        return {key: give(value) for key, value in container.items()}
    plain = _IMMUTABLE.issuperset(map(type, container))
    return type(container)(container if plain else map(give, container))


def _locked(array: np.ndarray) -> np.ndarray:
    """Return a view of a read-only buffer: unlike a plain view, nobody can unlock it.

    There is none of dates, of variable-width strings and of raw bytes, which are
    copied; so are arrays of objects, whose elements no lock would protect.
    """
    if array.dtype.hasobject:
        return private(array)
    try:
        locked = np.asarray(array.data.toreadonly())
    except ValueError:
        return private(array)
    return locked if locked.dtype == array.dtype else private(array)


def _locked_sparse(matrix: Any) -> Any:
    lent = copy.copy(matrix)
    for part in ("data", "indices", "indptr"):
        setattr(lent, part, _locked(getattr(matrix, part)))
    return lent


def _is_of_pandas(data: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(data, pandas.DataFrame | pandas.Series)


def _copies_on_write() -> bool:
    """Whether a shallow copy of pandas is a copy as soon as it is written to."""
    pandas = sys.modules["pandas"]
    if int(pandas.__version__.partition(".")[0]) >= 3:
        return True
    one = pandas.Series([0])  # before that, it is a question of an option
    other = one.copy(deep=False)
    other.iloc[0] = 1
    return bool(one.iloc[0] == 0)


def _has_mutable_cells(data: Any) -> bool:
    """Whether a Series or a frame holds objects that somebody could change."""
    columns = [data]
    if data.ndim == 2:
        columns = [data.iloc[:, i] for i, kind in enumerate(data.dtypes) if kind == "O"]
    return any(
        column.dtype == "O" and not _IMMUTABLE.issuperset(map(type, column))
        for column in columns
    )
