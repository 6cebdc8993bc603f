"""What tests compare with."""

import numpy as np
from sklearn.base import BaseEstimator


def same(one, other):
    """Whether two values are the same by type, content and order."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ma.MaskedArray):
        filled = same(one.fill_value, other.fill_value)
        masks = same(np.ma.getmaskarray(one), np.ma.getmaskarray(other))
        return filled and masks and same(one.compressed(), other.compressed())
    if isinstance(one, np.ndarray | np.generic):
        if one.dtype != other.dtype or one.shape != other.shape:
            return False
        if one.dtype == object:
            return all(map(same, one.ravel(), other.ravel()))
        if one.dtype.kind == "f":  # the bits, but any NaN is a NaN
            known = ~np.isnan(one)
            nans = np.array_equal(known, ~np.isnan(other))
            return nans and one[known].tobytes() == other[known].tobytes()
        return one.tobytes() == other.tobytes()
    if isinstance(one, np.random.RandomState):
        return same(one.get_state(), other.get_state())
    if isinstance(one, BaseEstimator):
        return same(one.get_params(), other.get_params())
    if isinstance(one, dict):
        return same(list(one), list(other)) and same([*one.values()], [*other.values()])
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return same(np.float64(one), np.float64(other))
    return one is other or one == other
