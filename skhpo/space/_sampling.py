"""Low-discrepancy points of the unit cube."""

from __future__ import annotations

import numpy as np
from scipy.stats import qmc

from skhpo._arithmetic import Array

__all__ = ["SobolSequence"]


class SobolSequence:
    """A randomly shifted Sobol sequence, drawn from bit by bit.

    The shift (modulo 1; Cranley & Patterson 1976) makes every point uniform, and keeps
    the even spread of the whole.

    Parameters
    ----------
    d : int
        Number of dimensions.
    rng : numpy.random.Generator
        Draws the shift.

    Examples
    --------
    >>> import numpy as np
    >>> draw = SobolSequence(2, np.random.default_rng(0))
    >>> X = draw(8)
    >>> np.bincount((X[:, 0] * 8).astype(int)).tolist()  # one in each eighth
    [1, 1, 1, 1, 1, 1, 1, 1]
    """

    def __init__(self, d: int, rng: np.random.Generator) -> None:
        self._shift = rng.random(d)
        self._engine = qmc.Sobol(d, scramble=False) if d else None

    def __call__(self, n: int) -> Array:
        """Return the next `n` points, shape (n, d)."""
        if self._engine is None or n == 0:
            return np.empty((n, len(self._shift)))
        # Drawn singly: the engine warns of sizes that are no power of 2.
        points = [self._engine.random(1) for _ in range(n)] if n < 64 else []
        X = np.concatenate(points) if points else self._engine.random(n)
        return (X + self._shift) % 1.0
