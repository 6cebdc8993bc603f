"""Annealing: random search that closes in on the best trials.

hyperopt's method of that name: no temperature and no acceptance, but samples around one
of the best trials from a neighborhood that shrinks, parameter by parameter. It costs
nothing, and takes any space.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from skhpo._arithmetic import Array
from skhpo._rng import RandomState, child_rng, seed_sequence
from skhpo._trial import Candidate, Params, Trial
from skhpo.optimizers._base import check_trials
from skhpo.optimizers._maximize import point_key
from skhpo.optimizers._sampling import InitialParams, NewPoints
from skhpo.space import SearchSpace

__all__ = ["AnnealOptimizer"]


class AnnealOptimizer:
    """Sample around the best trials, ever closer.

    With T trials told, the trial of rank r (from 0, the best) is the center with
    probability proportional to (1 - 1 / mean_rank)^r. Numeric coordinates are drawn
    uniformly from an interval of width 1 / (1 + shrink * T) around it, moved into
    [0, 1]; categorical ones are kept, or drawn anew with that probability.

    Parameters
    ----------
    space : mapping, sequence of mappings, or SearchSpace
        Parameter names and their values; see :class:`skhpo.space.SearchSpace`.
    mean_rank : float, default=2.0
        Larger values choose worse centers more often; greater than 1.
    shrink : float, default=0.1
        How fast the neighborhood shrinks.
    constraints : callable or sequence of callables, default=None
        Predicates on the params of a candidate.
    initial_params : sequence of dict, default=()
        What to propose first, as far as the constraints allow it.
    random_state : int, RandomState, Generator or None, default=None
        The source of randomness.

    References
    ----------
    J. Bergstra, D. Yamins, D. D. Cox: Making a Science of Model Search, ICML 2013
    (the package hyperopt, module ``anneal``).

    Examples
    --------
    >>> from skhpo.optimizers import AnnealOptimizer, Trial
    >>> from skhpo.space import Real
    >>> optimizer = AnnealOptimizer({"x": Real(-2, 2)}, random_state=0)
    >>> scores = []
    >>> for _ in range(60):
    ...     (candidate,) = optimizer.ask(1)
    ...     scores.append(-((candidate.params["x"] - 1) ** 2))
    ...     optimizer.tell([Trial.from_scores(candidate, (scores[-1],))])
    >>> max(scores) > -0.01
    True
    """

    def __init__(
        self,
        space: Mapping[str, Any] | Sequence[Any] | SearchSpace,
        *,
        mean_rank: float = 2.0,
        shrink: float = 0.1,
        constraints: Any = None,
        initial_params: Sequence[Params] = (),
        random_state: RandomState = None,
    ) -> None:
        if not mean_rank > 1:
            raise ValueError(
                "The 'mean_rank' parameter of AnnealOptimizer must be greater than 1. "
                f"Got {mean_rank!r} instead."
            )
        if not shrink >= 0:
            raise ValueError(
                "The 'shrink' parameter of AnnealOptimizer must be 0 or greater. Got "
                f"{shrink!r} instead."
            )
        self.space = SearchSpace(space, constraints)
        self.mean_rank, self.shrink = mean_rank, shrink
        self._root = seed_sequence(random_state)
        self._next_id = 0
        self._new = NewPoints(self.space, child_rng(self._root, "left"))
        self._initial = InitialParams(initial_params, self._new)
        self._pending: dict[int, Array] = {}
        self._told: list[tuple[float, int, Array]] = []

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
            proposed = self._initial.next() or self._drawn()
            if proposed is None:
                break
            self._pending[self._next_id], params = proposed
            candidates.append(Candidate(self._next_id, params))
            self._next_id += 1
        return candidates

    def _drawn(self) -> tuple[Array, Params] | None:
        """Return a new point and its params, None if there is none left."""
        rng = child_rng(self._root, "ask", self._next_id)
        x = self._new.next(partial(self._draw, rng=rng))
        if x is None:
            return None
        self._new.seen.add(point_key(x))
        return x, self.space.decode(x)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn from trials; failed ones are forgotten.

        Parameters
        ----------
        trials : sequence of Trial
            In the order of their ids.
        """
        for trial in check_trials(trials):
            x = self._pending.pop(trial.candidate.id, None)
            if x is None:
                params = trial.candidate.params
                x = self.space.encode(params)
                self._initial.add_known(x, params)
            if not trial.failed and math.isfinite(trial.score):
                self._told.append((-trial.score, len(self._told), x))
        self._told.sort(key=lambda told: told[:2])

    def _draw(self, m: int, rng: np.random.Generator) -> Array:
        """Return `m` points of the cube around centers chosen by rank."""
        U = rng.random((m, self.space.n_columns))
        if not self._told:
            return U
        rank = rng.geometric(1.0 / self.mean_rank, size=m) - 1
        centers = np.array([self._told[r % len(self._told)][2] for r in rank])
        width = 1.0 / (1.0 + self.shrink * len(self._told))
        low = np.clip(centers - width / 2, 0.0, 1.0 - width)
        kept = self.space.is_categorical & (rng.random(U.shape) >= width)
        near = np.where(kept, centers, low + width * U)
        anew = np.isnan(centers) | (self.space.is_categorical & ~kept)
        return np.where(anew, U, near)
