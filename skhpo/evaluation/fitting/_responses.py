"""What a scorer computes a score from, kept while it does so.

Nothing is predicted twice for it, and no score changes: a scorer of scikit-learn asks
for a response by a function that is given to it, and the ``score`` of an estimator by
its method ``predict``. Both are noted on their way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhpo._sklearn_compat import (
    as_numpy,
    asks_for_score,
    deciding_scorer,
    noting_responses,
)
from skhpo.evaluation.fitting._stages import final_step

__all__ = ["Responses", "compact"]

# Of all stages of one fit; more are not kept.
MOST_STAGE_BYTES = 2**24
NARROW = (np.int8, np.int16, np.int32)


class Responses:
    """What one of several scores is computed from, of each stage or of the whole.

    Parameters
    ----------
    name : str or None
        Of the score; None to keep nothing.
    scorer : callable
        That of the search.
    n_rows : int
        How many rows are scored.
    """

    def __init__(self, name: str | None, scorer: Any, n_rows: int) -> None:
        self._n_rows = n_rows
        self._name = name
        self._of_score = False
        self._last: Any = None
        self._kept: list[NDArray[Any] | None] = []
        self._n_bytes = 0
        self.scorer = scorer
        if name is not None:
            self._of_score = asks_for_score(deciding_scorer(scorer, name))
            self.scorer = noting_responses(scorer, name, self._note)

    def _note(self, response: Any, _: str) -> None:
        self._last = response

    @contextmanager
    def of(self, estimator: Any) -> Iterator[None]:
        """Keep what the score of an estimator is computed from meanwhile."""
        if self._name is None:
            yield
            return
        self._last = None
        _, final = final_step(estimator)
        with _noted_predictions(final, self._note if self._of_score else None):
            yield
        kept = None
        if self._last is not None and self._n_bytes <= MOST_STAGE_BYTES:
            kept = compact(self._last, self._n_rows)
        self._n_bytes += 0 if kept is None else kept.nbytes
        self._kept.append(kept)

    def whole(self) -> NDArray[Any] | None:
        """Return the response of the only estimator; None if there is none."""
        return self._kept[-1] if self._kept else None

    def stages(self) -> NDArray[Any] | None:
        """Return the responses of all stages; None if they are too many."""
        return stacked(self._kept)


def stacked(responses: list[NDArray[Any] | None]) -> NDArray[Any] | None:
    """Return the responses of all stages as one array; None if one is missing."""
    known = [response for response in responses if response is not None]
    n_bytes = sum(response.nbytes for response in known)
    if not known or len(known) < len(responses) or n_bytes > MOST_STAGE_BYTES:
        return None
    return np.stack(known)


def compact(response: Any, n_rows: int) -> NDArray[Any] | None:
    """Return a response in as few bytes as it needs, to the last bit.

    Single precision would do for sums, but it makes ties: of 30 decision values of a
    support vector machine up to three were lost, and half a percent of the area under
    the curve with them.

    Parameters
    ----------
    response : array-like
        What an estimator has returned.
    n_rows : int
        For how many rows.

    Returns
    -------
    ndarray or None
        A copy; None if there is no entry for each row.

    Examples
    --------
    >>> compact([0.25, 0.5], 2).dtype, compact([0.1, 0.2], 2).dtype
    (dtype('float32'), dtype('float64'))
    >>> compact([3, 7], 2).dtype
    dtype('int8')
    """
    try:
        given = np.array(as_numpy(response))
    except ValueError:  # a list of arrays that differ
        return None
    if given.ndim == 0 or len(given) != n_rows:
        return None
    if given.dtype.kind == "f":
        with np.errstate(over="ignore"):
            narrow = given.astype(np.float32)
        return narrow if np.array_equal(narrow, given, equal_nan=True) else given
    if given.dtype.kind in "iu" and given.size:
        low, high = given.min(), given.max()
        for kind in NARROW:
            if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
                return given.astype(kind)
    if given.dtype.kind == "O" and all(type(one) is str for one in given.ravel()):
        return given.astype(str)
    return given


@contextmanager
def _noted_predictions(final: Any, note: Any) -> Iterator[None]:
    """Note what an estimator predicts, when its own ``score`` asks for it."""
    if note is None:
        yield
        return
    predict = final.predict

    def noting(X: Any, *args: Any, **kwargs: Any) -> Any:
        response = predict(X, *args, **kwargs)
        note(response, "predict")
        return response

    try:
        final.predict = noting
    except AttributeError:  # an estimator that takes no attributes
        yield
        return
    try:
        yield
    finally:
        with suppress(AttributeError):
            del final.predict
