"""Notice draws of random numbers that nobody has seeded.

A fit that draws from a generator which the whole process shares gets other numbers the
next time, so it cannot stand for another fit.
"""

from __future__ import annotations

import pickle
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sklearn.utils import check_random_state

__all__ = ["GlobalDraws", "only_seeded_draws"]


class GlobalDraws:
    """Notices draws from the global generators of NumPy and of Python.

    Examples
    --------
    >>> draws = GlobalDraws()
    >>> draws.were_made(), random.random() < 1, draws.were_made()
    (False, True, True)
    """

    def __init__(self) -> None:
        self._before = _state()

    def were_made(self) -> bool:
        """Whether somebody has drawn since this object was made."""
        return _state() != self._before


def _state() -> tuple[Any, ...]:
    # The whole state: every second normal number is kept ready, so that the position
    # in the stream alone does not tell.
    numpy_state = check_random_state(None).get_state(legacy=False)
    return pickle.dumps(numpy_state), random.getstate()


@contextmanager
def only_seeded_draws() -> Iterator[None]:
    """Raise if the block draws from a global generator.

    Guards refuse the open seeds that they see. Other open seeds hide in functions and
    in nested objects, as in ``SelectKBest(lambda X, y: mutual_info_classif(X, y))``.
    """
    draws = GlobalDraws()
    yield
    if draws.were_made():
        raise RuntimeError(
            "The fit has drawn from a global random generator, so that plain fits "
            "would not have been equal to it."
        )
