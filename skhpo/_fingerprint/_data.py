"""Feed what holds data: containers, arrays, sparse matrices, data frames."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from skhpo._fingerprint._code import add_class
from skhpo._fingerprint._digest import Digest, add_attributes, add_put_on

# What sparse matrices note about themselves.
_SPARSE_PARTS = ("data", "indices", "indptr", "row", "col", "offsets", "rows")
_NOTED_BY_SPARSE = {
    *(*_SPARSE_PARTS, "coords", "dtype", "maxprint", "_shape", "_dict"),
    *("has_canonical_format", "_has_canonical_format"),
    *("has_sorted_indices", "_has_sorted_indices"),
}


def add_items(digest: Digest, value: Sequence[Any], cloned: bool = False) -> None:
    digest.put(type(value).__name__, str(len(value)))
    for item in value:
        name = item[0] if type(item) is tuple and item else None
        if isinstance(name, str):  # a step, as scikit-learn writes them
            digest.add_named(f"step {name!r}", item, cloned)
        else:
            digest.add(item, cloned)


def add_set(digest: Digest, value: set, cloned: bool = False) -> None:
    """Feed the digests of the items, in an order that is that of no hash seed.

    A function in a set may look up the set itself, which is then something read before.
    """
    if digest.is_again(value):
        return
    digests = sorted(digest.of_item(item, cloned) for item in value)
    digest.forget(value)
    digest.put(type(value).__name__, str(len(value)))
    for one in digests:
        digest.add(one)


def add_dict(digest: Digest, value: Mapping, cloned: bool = False) -> None:
    digest.put("dict", str(len(value)))
    for key, item in value.items():
        digest.add(key)
        digest.add_named(repr(key) if type(key) is str else "", item, cloned)


def add_scalar(digest: Digest, value: np.generic) -> None:
    if value.dtype.kind in "OV":
        add_array(digest, np.asarray(value))
    else:
        digest.put(f"scalar {value.dtype.str}", value.tobytes())


def add_array(digest: Digest, array: np.ndarray) -> None:
    # The memory order is part of it: BLAS sums in another order for another layout.
    flags = array.flags.c_contiguous, array.flags.f_contiguous
    order = flags if any(flags) else np.argsort(np.abs(array.strides)).tolist()
    digest.put("array", f"{array.dtype!r}{array.shape}{order}")
    if array.dtype.names is not None:  # between the fields may be anything
        for name in array.dtype.names:
            add_array(digest, array[name])
    elif array.dtype.hasobject:
        digest.add_all("items", array.ravel().tolist())
    else:
        content = array.T if array.flags.f_contiguous else array
        digest.put("buffer", np.ascontiguousarray(content).view(np.uint8).data)


def add_sparse(digest: Digest, value: Any) -> None:
    """Feed a sparse matrix: its arrays, and not what it has noted about them."""
    add_class(digest, type(value))
    digest.put("shape", str(value.shape))
    parts = value if value.format != "dok" else value.tocoo()
    for name in _SPARSE_PARTS:
        digest.add(getattr(parts, name, None))
    add_put_on(digest, value, _NOTED_BY_SPARSE)


def is_frame(value: object) -> bool:
    """Whether it is a data frame of pandas or polars, as far as these are imported."""
    frames = (_imported(package, "DataFrame") for package in ("pandas", "polars"))
    return any(frame is not None and isinstance(value, frame) for frame in frames)


def _imported(package: str, name: str) -> Any:
    return getattr(sys.modules.get(package), name, None)


def add_frame(digest: Digest, frame: Any) -> None:
    """Feed a data frame column by column: how pandas keeps them together may change."""
    add_class(digest, type(frame))
    digest.add_all("columns", list(frame.columns))
    for dtype in frame.dtypes:
        _add_dtype(digest, dtype)
    if isinstance(frame, _imported("pandas", "DataFrame") or ()):
        _add_index(digest, frame.index)
        _add_index(digest, frame.columns)
        state = frame.__getstate__()  # with attrs, and what subclasses pickle
        add_attributes(digest, {name: state[name] for name in {*state} - {"_mgr"}})
    for name in frame.columns:
        digest.add(np.asarray(frame[name]))


def _add_dtype(digest: Digest, dtype: Any) -> None:
    digest.put("dtype", str(dtype))
    categories: Any = getattr(dtype, "categories", None)
    if hasattr(categories, "__len__"):
        digest.add_all("categories", list(categories))
        digest.put("ordered", str(getattr(dtype, "ordered", None)))


def _add_index(digest: Digest, index: Any) -> None:
    """Feed the labels of a data frame of pandas, with their names and levels."""
    _add_dtype(digest, index.dtype)
    digest.add_all("names", index.names)
    digest.put("frequency", str(getattr(index, "freq", None)))
    digest.add(np.asarray(index))
    for level in getattr(index, "levels", ()):
        _add_index(digest, level)
