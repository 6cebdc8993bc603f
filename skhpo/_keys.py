"""Structural keys: when are two parameter values the same value?

Two values with equal keys have interchangeable clones, and clones are what is fitted:
numbers of the same type and value (``1``, ``1.0`` and ``True`` stay apart), arrays
with the same bytes, estimators of the same class with the same parameters, as long as
`sklearn.base.clone` keeps nothing but these. A class that has a clone of its own, such
as ``FrozenEstimator``, decides itself what is kept. Such an estimator, and whatever
else cannot be looked into, is the same only as itself, so a doubt costs a repeated fit
and never a wrong score.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

__all__ = [
    "CLONED_ATTRIBUTES",
    "changed",
    "has_own_clone",
    "is_estimator",
    "params_key",
    "structural_key",
]

# What `sklearn.base.clone` carries over beside the constructor's parameters.
CLONED_ATTRIBUTES = ("_sklearn_output_config", "_metadata_request", "_skl_callbacks")


class _Identity:
    """Equal to itself only; keeps the object alive, so that its id stays its own."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and self._value is other._value

    def __hash__(self) -> int:
        return id(self._value)


def params_key(params: Mapping[str, Any]) -> Hashable:
    """Return the key of a candidate's parameters; the order of names is irrelevant.

    Examples
    --------
    >>> params_key({"a": 1, "b": [2]}) == params_key({"b": [2], "a": 1})
    True
    >>> params_key({"a": 1}) == params_key({"a": 1.0})
    False
    """
    return tuple((name, structural_key(params[name])) for name in sorted(params))


def structural_key(value: Any, *, cloned: bool = True) -> Hashable:
    """Return a hashable key that is equal for interchangeable values.

    Parameters
    ----------
    value : object
        A parameter value of any kind.
    cloned : bool, default=True
        Whether `sklearn.base.clone` makes estimators in it anew. Those in an array, or
        among the keys of a dict, stay as they are: they may be fitted.

    Returns
    -------
    hashable
        Type and content; for objects that cannot be looked into, their identity.

    Examples
    --------
    >>> structural_key(float("nan")) == structural_key(float("nan"))
    True
    >>> structural_key([1, 2]) == structural_key((1, 2))
    False
    """
    kind = type(value)
    if value is None or kind in (bool, int, str, bytes):
        return kind, value
    if kind is float:
        # As it is, which takes no memory of its own, where equality tells all values
        # apart: -0.0 equals 0.0, and NaN not even itself.
        return kind, value if value == value and value else value.hex()
    if kind is complex:
        return kind, value.real.hex(), value.imag.hex()
    if kind in (list, tuple):
        return kind, tuple(structural_key(item, cloned=cloned) for item in value)
    if kind is dict:
        items = value.items()
        return kind, tuple(
            (structural_key(k, cloned=False), structural_key(v, cloned=cloned))
            for k, v in items
        )
    if kind in (set, frozenset):
        return kind, frozenset(structural_key(item, cloned=cloned) for item in value)
    if isinstance(value, np.generic):
        return _scalar_key(value)
    if kind is np.ndarray:
        return _array_key(value)
    if kind is np.random.RandomState:
        return kind, structural_key(value.get_state(legacy=False))
    if kind is np.random.Generator:
        return _generator_key(value)
    if is_estimator(value) and cloned and not has_own_clone(value):
        return _estimator_key(value)
    return _Identity(value)


def changed(params: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Return those parameters whose values are others than before."""
    return {
        name: value
        for name, value in params.items()
        if name not in before or structural_key(value) != structural_key(before[name])
    }


def is_estimator(value: object) -> bool:
    """Whether a value is an estimator, and not a class of estimators."""
    return hasattr(value, "get_params") and not isinstance(value, type)


def has_own_clone(estimator: Any) -> bool:
    """Whether `sklearn.base.clone` leaves it to the estimator what a clone keeps.

    Examples
    --------
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sklearn.svm import SVC
    >>> has_own_clone(SVC()), has_own_clone(FrozenEstimator(SVC()))
    (False, True)
    """
    # Asked of the object, as `clone` does: a wrapper may pass on all attributes.
    method: Any = getattr(estimator, "__sklearn_clone__", None)
    is_plain = (
        getattr(method, "__func__", None) is BaseEstimator.__sklearn_clone__
        and method.__self__ is estimator
    )
    return method is not None and not is_plain


def _scalar_key(value: np.generic) -> Hashable:
    kind = type(value)
    if kind is not value.dtype.type or value.dtype.hasobject:  # or has more to it
        return _Identity(value)
    return kind, value.dtype, value.tobytes()


def _array_key(array: np.ndarray) -> Hashable:
    if array.dtype.kind == "O":
        items = array.ravel()
        content: Hashable = tuple(structural_key(item, cloned=False) for item in items)
    elif array.dtype.hasobject:
        return _Identity(array)
    else:
        content = hashlib.blake2b(np.ascontiguousarray(array).tobytes()).digest()
    # The memory order is part of it: BLAS sums in another order for another layout.
    flags = array.flags.c_contiguous, array.flags.f_contiguous
    layout = flags if any(flags) else array.strides
    return np.ndarray, array.dtype, array.shape, layout, content


def _generator_key(generator: np.random.Generator) -> Hashable:
    bits = generator.bit_generator
    seed = getattr(bits, "seed_seq", None)  # what `spawn` goes on from
    if type(seed) is np.random.SeedSequence:
        seed = seed.state
    return np.random.Generator, type(bits), structural_key([bits.state, seed])


def _estimator_key(estimator: Any) -> Hashable:
    carried = tuple(
        structural_key(getattr(estimator, name, None)) for name in CLONED_ATTRIBUTES
    )
    return type(estimator), params_key(estimator.get_params(deep=False)), carried
