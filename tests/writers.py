"""What writes into all that it is given, and scores what it was given.

A score is a digest of the data that came to `fit` and to the scorer, so that it tells
whether anybody has written into them before.
"""

import ctypes
import zlib

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin

from skhpo._fingerprint import fingerprint


def digest(*things):
    """A number between 0 and 1 that tells data apart."""
    # Of frames the texts: how columns lie in memory is no matter here.
    texts = [t.to_csv() if hasattr(t, "iloc") else t for t in things]
    return zlib.crc32(fingerprint(*texts).encode()) / 2**32


def spoil(thing):
    """Write into a thing of any kind, in place; past locks where there is a way."""
    if sparse.issparse(thing):  # one of them is a dict, too
        parts = spoil_sparse(thing)
    elif isinstance(thing, dict):
        thing["spoiled"] = True
        parts = [value for value in thing.values() if value is not True]
    elif isinstance(thing, tuple):
        parts = thing
    elif isinstance(thing, list):
        parts = [part for part in thing if not isinstance(part, float | int | str)]
        if len(parts) < len(thing):
            thing[0] = thing[0] * 2
    elif isinstance(thing, np.ndarray):
        parts = spoil_array(thing)
    elif hasattr(thing, "iloc"):
        parts = spoil_frame(thing)
    elif hasattr(thing, "to_arrow"):  # polars
        parts = []
        thing[0, *thing.columns[:1]] = 99.0
    else:
        parts = []
    for part in parts:
        spoil(part)


def spoil_array(array):
    if array.dtype.hasobject and array.dtype.kind == "O":
        return [item for item in array.ravel() if not isinstance(item, str | float)]
    if isinstance(array, np.ma.MaskedArray):
        array[0] = np.ma.masked
    if not array.flags.writeable and type(array) is np.ndarray and array.nbytes:
        if array.base is not None and getattr(array.base, "obj", None) is not None:
            ctypes.memset(array.ctypes.data, 1, 1)
            return []
        array.flags.writeable = True
    if array.dtype.kind == "V" and not array.dtype.names:
        array[0] = b"abc"
    elif array.dtype.names:
        array[array.dtype.names[0]] += 1
    elif array.dtype.kind in "US" or array.dtype.kind == "T":
        array[0] = "spoiled"
    else:
        array += np.array(1).astype("m8[D]") if array.dtype.kind == "M" else 1
    return []


def spoil_sparse(matrix):
    if matrix.format in ("lil", "dok"):
        matrix[0, 0] = 99.0
        return []
    return [matrix.data]


def spoil_frame(frame):
    cells = frame.to_numpy().ravel()
    parts = [cell for cell in cells if isinstance(cell, list | dict)]
    if not parts:
        frame.iloc[0] = frame.iloc[0] * 2
    return parts


class Writer(RegressorMixin, BaseEstimator):
    """Spoils what it is given to fit and to score; scores what it was given."""

    def __init__(self, alpha=0.0):
        self.alpha = alpha

    def fit(self, X, y, extra=None, sample_weight=None):
        self.given_ = digest(X, y, extra, sample_weight)
        for thing in (X, y, extra, sample_weight):
            spoil(thing)
        return self

    def predict(self, X):
        return np.full(len(X), self.given_)

    def score(self, X, y, extra=None, sample_weight=None):
        return spoiling_score(self, X, y, extra=extra, sample_weight=sample_weight)


def spoiling_score(estimator, X, y, extra=None, sample_weight=None):
    """A scorer that writes into all that it is given."""
    given = digest(X, y, extra, sample_weight)
    for thing in (X, y, extra, sample_weight):
        spoil(thing)
    return given + getattr(estimator, "given_", 0)
