"""The estimator as given: which candidate has just the parameters that it had."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from numbers import Integral
from typing import Any

from skhpo._keys import structural_key
from skhpo.space._dimensions import is_number

__all__ = ["find_given", "given_test", "is_same_candidate", "untried_values"]

# Here scikit-learn takes 1 for one, and 1.0 for all.
COUNT_OR_FRACTION = (
    *("max_features", "max_samples", "min_samples", "min_samples_leaf"),
    *("min_samples_split", "n_components", "n_features_to_select", "min_df", "max_df"),
)


def find_given(estimator: Any, params: Sequence[Mapping[str, Any]]) -> int | None:
    """Return the first candidate that is the estimator as given, None if none is.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> find_given(SVC(C=10), [{"C": 1.0}, {"C": 10.0}])
    1
    """
    own = estimator.get_params(deep=True)
    return next((i for i, one in enumerate(params) if _is_own(own, one)), None)


def untried_values(
    estimator: Any, params: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the values of the estimator, by name, that were searched and not tried.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> untried_values(SVC(), [{"C": 1.0, "gamma": 0.1}, {"C": 2.0, "gamma": 0.2}])
    {'gamma': 'scale'}
    """
    own = estimator.get_params(deep=True)
    names = dict.fromkeys(name for one in params for name in one if name in own)
    return {
        name: own[name]
        for name in names
        if not any(_same(name, own[name], one[name]) for one in params if name in one)
    }


def given_test(estimator: Any) -> Callable[[Mapping[str, Any]], bool]:
    """Return what says whether a candidate is the estimator as given."""
    return partial(_is_own, estimator.get_params(deep=True))


def is_same_candidate(
    own: Mapping[str, Any], one: Mapping[str, Any], other: Mapping[str, Any]
) -> bool:
    """Return whether two candidates make the same estimator, of parameters `own`.

    Examples
    --------
    >>> own = {"C": 1.0, "gamma": "scale"}
    >>> is_same_candidate(own, {"C": 5.0, "gamma": "scale"}, {"C": 5.0})
    True
    >>> is_same_candidate(own, {"C": 5.0, "gamma": 0.1}, {"C": 5.0})
    False
    """
    changed = {n for n, v in one.items() if n not in own or not _same(n, own[n], v)}
    return changed <= other.keys() and _is_own({**own, **one}, other)


def _is_own(own: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
    return all(n in own and _same(n, own[n], value) for n, value in params.items())


def _same(name: str, own: Any, value: Any) -> bool:
    """Whether two values mean the same to an estimator, as 1 and 1.0 do for most."""
    if is_number(own) and is_number(value):
        same_kind = isinstance(own, Integral) == isinstance(value, Integral)
        free = name.rpartition("__")[2] not in COUNT_OR_FRACTION
        return bool(own == value) and (free or same_kind)
    return structural_key(own) == structural_key(value)
