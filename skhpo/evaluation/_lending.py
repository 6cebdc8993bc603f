"""Lend the same data to many fits, none of which may change it for the others.

An estimator may write into what it is given (``Ridge(copy_X=False)`` on a shared
array moved the scores of its siblings by 2.4). So arrays are lent read-only: whoever
wants to write makes a copy, or raises; then the fit is done again on data of its own.
Containers that cannot be locked are copied.
"""

from __future__ import annotations

import copy
import sys
from contextlib import suppress
from typing import Any

import numpy as np
from scipy import sparse

__all__ = ["copies_by_itself", "is_write_refused", "lend"]


def lend(X: Any) -> Any:
    """Return `X` for a fit that must not change it.

    Parameters
    ----------
    X : array-like or None
        Data, or a target.

    Returns
    -------
    array-like or None
        A read-only view of an array or a compressed sparse matrix, without a copy;
        a copy of a data frame (of its frame only, where pandas copies on write) and
        of everything else that knows how to copy itself.

    Examples
    --------
    >>> X = np.zeros(3)
    >>> lend(X).flags.writeable, X.flags.writeable
    (False, True)
    """
    if isinstance(X, np.ndarray):
        return _locked(X)
    if sparse.issparse(X) and getattr(X, "format", "") in ("csr", "csc", "bsr"):
        lent = copy.copy(X)
        for part in ("data", "indices", "indptr"):
            setattr(lent, part, _locked(getattr(X, part)))
        return lent
    if type(X).__module__.partition(".")[0] == "pandas":
        return X.copy(deep=not _pandas_copies_on_write())
    for verb in ("copy", "clone"):
        if hasattr(X, verb):
            return getattr(X, verb)()
    return X


def copies_by_itself(estimator: Any) -> bool:
    """Whether `estimator` is one of scikit-learn's that copy what they are lent.

    Its linear models do so with ``copy_X=True``, their default; but those that ask for
    writable data all the same (such as ``Ridge``) would copy read-only data twice.
    """
    in_linear_model = type(estimator).__module__.startswith("sklearn.linear_model.")
    return in_linear_model and getattr(estimator, "copy_X", False) is True


def is_write_refused(error: BaseException) -> bool:
    """Whether `error` says that somebody tried to write into lent data.

    NumPy and Cython say "read-only", pandas passes it on, and those who try to
    unlock the array hear of the WRITEABLE flag.
    """
    return any(word in str(error) for word in ("read-only", "readonly", "WRITEABLE"))


def _locked(array: np.ndarray) -> np.ndarray:
    # A plain view could be unlocked by whoever is determined to write; one of a
    # read-only buffer cannot. There is none of dates and of classes of their own.
    if type(array) is np.ndarray:
        with suppress(ValueError):
            return np.asarray(array.data.toreadonly())
    view = array.view()
    view.flags.writeable = False
    return view


def _pandas_copies_on_write() -> bool:
    return int(sys.modules["pandas"].__version__.partition(".")[0]) >= 3
