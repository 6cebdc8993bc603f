"""The rows of each split, small enough to be sent along with big data.

Five folds of a million rows are 40 MB of row numbers, a quarter of 20 columns of
numbers, and every worker has them in memory. In ascending order, as most splitters
give them, they are as many bits as there are rows: 1.3 MB.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

__all__ = ["PackedSplits", "row_numbers"]


def row_numbers(part: Any) -> np.ndarray:
    """Return the rows of a part of a split, which may be given by a mask."""
    part = np.asarray(part)
    return np.flatnonzero(part) if part.dtype == bool else part


class PackedSplits(Sequence):
    """Splits that are packed, and unpacked one at a time when they are asked for.

    Parameters
    ----------
    splits : iterable of (train, test)
        Row numbers. What is no array of integers stays as it is.

    Examples
    --------
    >>> import numpy as np
    >>> from skhpo.evaluation.fitting._rows import PackedSplits
    >>> splits = PackedSplits([(np.array([0, 2, 3]), np.array([4, 1]))])
    >>> splits[0]
    (array([0, 2, 3]), array([4, 1]))
    """

    def __init__(self, splits: Iterable[tuple[Any, Any]]) -> None:
        self._packed = [(_pack(train), _pack(test)) for train, test in splits]

    def __len__(self) -> int:
        return len(self._packed)

    def __getitem__(self, number: Any) -> Any:
        train, test = self._packed[number]
        return _unpack(train), _unpack(test)


class _Bits:
    """Ascending row numbers, a bit for each row."""

    def __init__(self, rows: np.ndarray) -> None:
        self._dtype = rows.dtype
        mask = np.zeros(int(rows[-1]) + 1, dtype=bool)
        mask[rows] = True
        self._bits = np.packbits(mask)

    def unpack(self) -> np.ndarray:
        return np.flatnonzero(np.unpackbits(self._bits)).astype(self._dtype, copy=False)


class _Narrow:
    """Row numbers in any order, as the smallest integers that hold them."""

    def __init__(self, rows: np.ndarray) -> None:
        self._dtype = rows.dtype
        self._rows = rows.astype(np.min_scalar_type(int(rows.max())))

    def unpack(self) -> np.ndarray:
        return self._rows.astype(self._dtype)


def _pack(rows: Any) -> Any:
    if not (
        isinstance(rows, np.ndarray) and rows.dtype.kind in "iu" and rows.ndim == 1
    ):
        return rows
    if not rows.size or rows.min() < 0:
        return rows
    is_dense = rows.nbytes > rows[-1] // 8
    if is_dense and (rows[1:] > rows[:-1]).all():
        return _Bits(rows)
    return _Narrow(rows)


def _unpack(rows: Any) -> Any:
    return rows.unpack() if isinstance(rows, (_Bits, _Narrow)) else rows
