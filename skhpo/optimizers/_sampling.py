"""Sampling without learning: independent or evenly spread points of any space."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhpo._rng import RandomState, child_rng, seed_sequence
from skhpo._trial import Candidate, Trial
from skhpo.optimizers._maximize import point_key
from skhpo.space import SearchSpace
from skhpo.space._sampling import SobolSequence

__all__ = ["SamplingOptimizer"]

Array = NDArray[np.float64]

# After so many repetitions in a row, what is left of a small space is looked up.
MAX_REPEATS = 100
MAX_ENUMERATED = 2**16


class SamplingOptimizer:
    """Propose points that do not depend on the scores, and none of them twice.

    Parameters
    ----------
    space : mapping, sequence of mappings, or SearchSpace
        Parameter names and their values; see :class:`skhpo.space.SearchSpace`.
    sampling : {"sobol", "random"}, default="sobol"
        "sobol" spreads the candidates evenly (a randomly shifted Sobol sequence),
        "random" draws them independently.
    constraints : callable or sequence of callables, default=None
        Predicates on the params of a candidate.
    random_state : int, RandomState, Generator or None, default=None
        The source of randomness.

    Examples
    --------
    >>> from skhpo.optimizers import SamplingOptimizer
    >>> from skhpo.space import Integer
    >>> optimizer = SamplingOptimizer({"n": Integer(1, 4)}, random_state=0)
    >>> sorted(candidate.params["n"] for candidate in optimizer.ask(10))
    [1, 2, 3, 4]
    """

    def __init__(
        self,
        space: Mapping[str, Any] | Sequence[Any] | SearchSpace,
        *,
        sampling: str = "sobol",
        constraints: Any = None,
        random_state: RandomState = None,
    ) -> None:
        if sampling not in ("sobol", "random"):
            raise ValueError(
                "The 'sampling' parameter of SamplingOptimizer must be 'sobol' or "
                f"'random'. Got {sampling!r} instead."
            )
        self.space = SearchSpace(space, constraints)
        rng = child_rng(seed_sequence(random_state), "sampling")
        d = self.space.n_columns
        self._draw = SobolSequence(d, rng) if sampling == "sobol" else Uniform(d, rng)
        self._next_id = 0
        self._seen: set[bytes] = set()

    def ask(self, n: int) -> list[Candidate]:
        """Propose up to `n` candidates, with consecutive ids.

        Parameters
        ----------
        n : int
            How many at the most.

        Returns
        -------
        list of Candidate
            Fewer than `n` if the space is exhausted.
        """
        candidates = []
        for _ in range(n):
            x = first_unseen(self.space, self._draw, self._seen, MAX_REPEATS)
            if x is None:
                break
            self._seen.add(point_key(x))
            candidates.append(Candidate(self._next_id, self.space.decode(x)))
            self._next_id += 1
        return candidates

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn nothing: what comes next does not depend on the trials.

        Parameters
        ----------
        trials : sequence of Trial
            Ignored.
        """


class Uniform:
    """Independent uniform points of the cube, drawn as from a `SobolSequence`.

    Parameters
    ----------
    d : int
        Number of dimensions.
    rng : numpy.random.Generator
        The source of randomness.
    """

    def __init__(self, d: int, rng: np.random.Generator) -> None:
        self._d, self._rng = d, rng

    def __call__(self, n: int) -> Array:
        """Return the next `n` points, shape (n, d)."""
        return self._rng.random((n, self._d))


def first_unseen(
    space: SearchSpace,
    draw: Callable[[int], Array],
    seen: set[bytes],
    max_repeats: int,
) -> Array | None:
    """Return a point that is new; None if a space is exhausted.

    It is the first such point drawn, or after too many repetitions one of those that
    are left. Larger spaces than can be enumerated count as exhausted then.
    """
    for _ in range(max_repeats):
        x: Array = space.sample(1, draw)[0]
        if point_key(x) not in seen:
            return x
    if space.size > MAX_ENUMERATED:
        return None
    left = [x for x in space.points() if point_key(x) not in seen]
    return left[int(draw(1)[0, 0] * len(left))].copy() if left else None
