"""New, unfitted estimators, as many as there are evaluations.

`clone` and `set_params` inspect a signature each, and copy every parameter, however
plain: 35 to 100 us for each evaluation, where the fit of a small model takes 500.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from sklearn.base import BaseEstimator, clone

from skhpo._trial import Params
from skhpo.evaluation.fitting._chunk import chunk_in
from skhpo.space._curve import Curve

__all__ = ["Prototype"]

# Values that nobody can change, so that estimators may share them.
PLAIN = (type(None), bool, int, float, str, bytes)

# A class with another one of these methods may do more than to set attributes.
METHODS = (
    *("__new__", "__setattr__", "__getattribute__", "__sklearn_clone__"),
    *("get_params", "set_params"),
)


class Prototype:
    """Makes what ``clone(estimator).set_params(**params)`` returns.

    Parameters
    ----------
    estimator : estimator
        Fitted or not. It must not change any more.
    """

    def __init__(self, estimator: Any) -> None:
        self._estimator = estimator

    def make(self, params: Params) -> Any:
        """Return a new estimator.

        Parameters
        ----------
        params : mapping of str to object
            The parameters that differ. Values are cloned as well: they may be
            estimators, and would share what they learn (scikit-learn PR 26786). Of a
            curve, the largest number is set; of a chunk, the last step goes on.

        Raises
        ------
        ValueError
            If there is no such parameter.
        """
        chunk = chunk_in(params)
        made = self._make(
            {
                name: value.high if isinstance(value, Curve) else value
                for name, value in params.items()
            }
        )
        return made if chunk is None else chunk.put_into(made)

    def _make(self, params: Params) -> Any:
        state = self._plain_state
        if state is None or not params.keys() <= state.keys():
            made = clone(self._estimator, safe=False)
            if params:
                made = made.set_params(**clone(dict(params), safe=False))
            return made
        made = object.__new__(type(self._estimator))
        made.__dict__.update(state)
        for name, value in params.items():
            setattr(made, name, clone(value, safe=False))
        return made

    @cached_property
    def _plain_state(self) -> dict[str, Any] | None:
        """All that a new estimator consists of, if it is parameters with plain values.

        None if there is more to it: nested estimators, random number generators,
        routed metadata, callbacks, or methods that are not scikit-learn's.
        """
        kind = type(self._estimator)
        if any(
            getattr(kind, m, None) is not getattr(BaseEstimator, m) for m in METHODS
        ):
            return None
        made = clone(self._estimator)
        state = dict(vars(made))
        is_plain = all(type(value) in PLAIN for value in state.values())
        is_complete = state.keys() == made.get_params(deep=False).keys()
        return state if is_plain and is_complete else None
