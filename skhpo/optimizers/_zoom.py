"""A grid in rounds: big steps first, then small ones around the best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from skhpo._keys import structural_key
from skhpo._trial import Candidate, Params, Trial
from skhpo.optimizers._base import Optimizer
from skhpo.space import SearchSpace
from skhpo.space._discretize import discretize, ranges_of
from skhpo.space._space import zoomed
from skhpo.space._spread import is_finite

__all__ = ["ZoomingOptimizer"]

# Numbers that differ by less are the same one, computed in another way.
SAME = 1e-9


class ZoomingOptimizer:
    """Proposes a grid, then grids around the best of all that was tried.

    Parameters
    ----------
    grid : Optimizer
        What proposes the first candidates.
    space : SearchSpace
        Ranges around them.
    n_levels : dict of str to int
        Number of values of each range, by name.
    n_rounds : int
        How many grids follow at the most. There are fewer if one has nothing new: where
        no range can be cut without a loss of candidates that may be the best.
    factor : float, default=2.0
        How many times smaller ranges become.

    Attributes
    ----------
    rounds : list of int
        Of each candidate, how often it was zoomed before.
    space : SearchSpace
        That of the last round.
    """

    def __init__(
        self,
        grid: Optimizer,
        space: SearchSpace,
        n_levels: Mapping[str, int],
        n_rounds: int,
        factor: float = 2.0,
    ) -> None:
        self.rounds: list[int] = []
        self.space = space
        self._grid: Optimizer | None = grid
        self._n_levels = n_levels
        self._n_left = n_rounds
        self._round = 0
        self._factor = factor
        self._queue: list[Params] = []
        self._asked: list[Params] = []
        self._told: dict[int, Trial] = {}

    def ask(self, n: int) -> list[Candidate]:
        """Propose the next candidates of the round.

        Parameters
        ----------
        n : int
            How many at the most.

        Returns
        -------
        list of Candidate
            Empty while a round is to be completed, and after the last one.
        """
        if self._grid is not None:
            found = [candidate.params for candidate in self._grid.ask(n)]
            if not found:
                self._grid = None
        else:
            found = []
        if not found:
            if not self._queue and len(self._told) == len(self._asked):
                self._start_round()
            found, self._queue = self._queue[:n], self._queue[n:]
        first = len(self._asked)
        self._asked += found
        self.rounds += [self._round] * len(found)
        return [Candidate(id, params) for id, params in enumerate(found, first)]

    def tell(self, trials: Sequence[Trial]) -> None:
        """Take note of trials.

        Parameters
        ----------
        trials : sequence of Trial
            In any order; those with a negative id, which were not asked for, are not
            zoomed in on.
        """
        for trial in trials:
            if trial.candidate.id >= 0:
                self._told[trial.candidate.id] = trial

    def _start_round(self) -> None:
        """Queue what is new of the grid around the best; nothing after the last one."""
        known = [self._told[id] for id in sorted(self._told)]
        usable = [trial for trial in known if not (trial.failed or trial.dropped)]
        usable = [t for t in usable if np.isfinite(t.split_scores).all()]
        if not self._n_left or not usable:
            return
        self._n_left -= 1
        self._round += 1
        scores = np.array([trial.split_scores for trial in usable])
        all_params = [trial.candidate.params for trial in usable]
        self.space = zoomed(self.space, all_params, scores, self._factor)
        self._queue = self._new(self._levels())

    def _levels(self) -> list[dict[str, Any]]:
        """Return the grid of the space, with numbers as they were tried before."""
        left = ranges_of(self.space)
        numbers = {name: n for name, n in self._n_levels.items() if name in left}
        grid = discretize(self.space, numbers)
        tried = _Tried(self._asked)
        return [tried.like(params) for params in grid.decode_many(grid.points())]

    def _new(self, all_params: Iterable[dict[str, Any]]) -> list[Params]:
        seen = {_key(params) for params in self._asked}
        found: list[Params] = []
        for params in all_params:
            key = _key(params)
            if key not in seen:
                seen.add(key)
                found.append(params)
        return found


class _Tried:
    """The numbers that were tried, by parameter."""

    def __init__(self, all_params: Sequence[Params]) -> None:
        numbers: dict[str, dict[float, Any]] = {}
        for params in all_params:
            for name, value in params.items():
                if is_finite(value):
                    same = numbers.setdefault(name, {})
                    same[float(value)] = same.get(float(value), value)
        self._numbers = numbers

    def like(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return params with the tried numbers in the place of almost equal ones."""
        return {name: self._nearest(name, value) for name, value in params.items()}

    def _nearest(self, name: str, value: Any) -> Any:
        known = self._numbers.get(name)
        if known is None or not isinstance(value, float):
            return value
        nearest = min(known, key=lambda number: abs(number - value))
        is_same = abs(nearest - value) <= SAME * max(abs(value), abs(nearest))
        return known[nearest] if is_same else value


def _key(params: Params) -> Any:
    """Return what is equal for params that are: 10 and 10.0 are the same number."""
    plain = {n: float(v) if is_finite(v) else v for n, v in sorted(params.items())}
    return structural_key(plain)
