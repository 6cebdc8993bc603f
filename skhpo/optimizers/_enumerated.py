"""Optimizers whose candidates are known from the start: grid and random search."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.model_selection import ParameterGrid, ParameterSampler
from sklearn.utils import check_random_state

from skhpo._keys import structural_key
from skhpo._rng import RandomState, draw_below
from skhpo._trial import Candidate, Params, Trial
from skhpo.exceptions import InvalidSpaceError
from skhpo.space import SearchSpace
from skhpo.space._constraints import Constraints
from skhpo.space._cube import Cube
from skhpo.space._curve import with_listed_curves
from skhpo.space._discretize import discretize, numbers_of_levels, ranges_of
from skhpo.space._plain import is_distribution, is_plain, with_listed_tuples
from skhpo.space._values import count
from skhpo.space._zoom import as_ranges

__all__ = ["GridOptimizer", "RandomOptimizer"]

# A grid of more combinations would fill the memory before the first fit.
MAX_COMBINATIONS = 10**7


class EnumeratedOptimizer:
    """Proposes a fixed list of parameters, one after the other; learns nothing.

    Parameters
    ----------
    all_params : iterable of mapping
        What to propose.
    """

    def __init__(self, all_params: Iterable[Params]) -> None:
        self._all_params = list(all_params)
        self._n_asked = 0

    @property
    def n_candidates(self) -> int:
        """How many candidates there are in all."""
        return len(self._all_params)

    @property
    def all_params(self) -> Sequence[Params]:
        """Their params."""
        return self._all_params

    def ask(self, n: int) -> list[Candidate]:
        """Propose the next candidates of the list.

        Parameters
        ----------
        n : int
            How many at the most.

        Returns
        -------
        list of Candidate
            What is left of the list, if that is less.
        """
        start = self._n_asked
        chosen = self._all_params[start : start + n]
        self._n_asked += len(chosen)
        return [Candidate(id, params) for id, params in enumerate(chosen, start)]

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn nothing: what comes next does not depend on the trials.

        Parameters
        ----------
        trials : sequence of Trial
            Ignored.
        """


class GridOptimizer(EnumeratedOptimizer):
    """Proposes every combination of listed values, in scikit-learn's order.

    Parameters
    ----------
    param_grid : dict, list of dict, or SearchSpace
        Values to try by parameter name; a list is a union of grids. Lists of values,
        as scikit-learn takes them, or anything that
        :class:`skhpo.space.SearchSpace` takes.
    n_levels : int or dict of str to int, default=5
        Number of values of each range or distribution, for all of them or by name.
    constraints : callable or sequence of callables, default=None
        Predicates on the params of a candidate; only those that meet all of them are
        proposed.

    Examples
    --------
    >>> from skhpo.optimizers import GridOptimizer
    >>> from skhpo.space import Integer
    >>> optimizer = GridOptimizer({"a": [1, 2], "b": [True]})
    >>> [candidate.params for candidate in optimizer.ask(10)]
    [{'a': 1, 'b': True}, {'a': 2, 'b': True}]
    >>> optimizer.ask(10)
    []
    >>> optimizer = GridOptimizer({"n": Integer(0, 100)}, n_levels=3)
    >>> [candidate.params["n"] for candidate in optimizer.ask(10)]
    [0, 50, 100]
    """

    def __init__(
        self,
        param_grid: Any,
        *,
        n_levels: int | Mapping[str, int] = 5,
        constraints: Any = None,
    ) -> None:
        space = grid_space(param_grid, n_levels)
        grid: Iterable[Params]
        if space is None:
            param_grid = with_listed_curves(param_grid)
            _check_size(sum(map(_n_combinations, _as_list(param_grid))))
            grid = ParameterGrid(param_grid)
        else:
            _check_size(space.size)
            grid = space.decode_many(space.points())
        predicates = Constraints(constraints)
        super().__init__(params for params in grid if predicates.allow(params))
        if not self.n_candidates:
            raise InvalidSpaceError(
                "No combination of the grid meets the constraints. Relax them, or list "
                "other values."
            )


def _as_list(space: Any) -> list[Mapping[str, Any]]:
    """Return the dicts of a space that scikit-learn takes."""
    return [space] if isinstance(space, Mapping) else list(space)


def _n_combinations(lists: Mapping[str, Any]) -> int:
    return math.prod(map(count, lists.values()))


def _check_size(n_combinations: float) -> None:
    if n_combinations > MAX_COMBINATIONS:
        raise InvalidSpaceError(
            f"The grid has {n_combinations} combinations, and at most "
            f"{MAX_COMBINATIONS} are listed. RandomSearch and BayesSearch take such a "
            "space as it is; or list fewer values, and give ranges as Real or Integer, "
            "of which n_levels values are tried."
        )


def grid_space(
    param_grid: Any, n_levels: int | Mapping[str, int]
) -> SearchSpace | None:
    """Return the finite space of a grid; None if it is lists that scikit-learn takes.

    The latter are left to scikit-learn: values may be there twice, and come in the
    order that they were given.
    """
    all_by_one = not isinstance(n_levels, Mapping)
    if all_by_one and is_plain(param_grid, distributions=False):
        return None
    return discretize(SearchSpace(with_listed_tuples(param_grid)), n_levels)


def ranges_of_grid(
    param_grid: Any, n_levels: int | Mapping[str, int]
) -> tuple[SearchSpace, dict[str, int]]:
    """Return the space of a grid with ranges for listed numbers, and their lengths."""
    space = SearchSpace(_without_repetitions(with_listed_tuples(param_grid)))
    numbers = numbers_of_levels(n_levels, ranges_of(space))
    columns, lengths = as_ranges(space.columns)
    Cube.__init__(space, columns)
    return space, numbers | lengths


def _without_repetitions(param_grid: Any) -> Any:
    """Return a grid whose lists have each value once: it can be listed twice."""
    if isinstance(param_grid, list | tuple):
        return type(param_grid)(map(_without_repetitions, param_grid))
    if not isinstance(param_grid, Mapping):
        return param_grid
    return {
        name: list({structural_key(value): value for value in values}.values())
        if isinstance(values, list)
        else values
        for name, values in param_grid.items()
    }


class RandomOptimizer(EnumeratedOptimizer):
    """Proposes random draws: the same as ``RandomizedSearchCV`` for the same seed.

    All draws are made here, since the order in which a shared ``RandomState`` is
    consumed (candidates first, then splits) decides what is drawn. Where scikit-learn
    cannot draw, because there are more values or combinations than `sys.maxsize`, the
    draws are our own: one index for each parameter, no combination twice.

    Parameters
    ----------
    param_distributions : dict or list of dict
        By parameter name, a list (drawn uniformly) or an object with ``rvs``; of a
        list of dicts, one is drawn for each candidate. Lists alone are drawn
        without replacement.
    n_iter : int
        Number of candidates.
    random_state : int, RandomState or None, default=None
        As in scikit-learn.

    Examples
    --------
    >>> from skhpo.optimizers import RandomOptimizer
    >>> optimizer = RandomOptimizer({"a": [1, 2, 3]}, n_iter=2, random_state=0)
    >>> [candidate.params for candidate in optimizer.ask(2)]
    [{'a': 3}, {'a': 2}]
    """

    def __init__(
        self,
        param_distributions: Any,
        n_iter: int,
        random_state: RandomState = None,
    ) -> None:
        param_distributions = with_listed_curves(param_distributions)
        spaces = _as_list(param_distributions)
        draws: Iterable[Params]
        if any(map(_is_too_large, spaces)) or _n_lists(spaces) > sys.maxsize:
            draws = _draw(spaces, n_iter, check_random_state(random_state))
        else:
            draws = ParameterSampler(
                param_distributions, n_iter, random_state=random_state
            )
        super().__init__(draws)


def _is_too_large(space: Mapping[str, Any]) -> bool:
    """Whether a list of values is longer than scikit-learn can say."""
    lists = (values for values in space.values() if not is_distribution(values))
    return any(count(values) > sys.maxsize for values in lists)


def _n_lists(spaces: Sequence[Mapping[str, Any]]) -> int:
    """Return how many combinations there are of lists alone; 0 with a distribution."""
    if any(is_distribution(values) for space in spaces for values in space.values()):
        return 0
    return sum(map(_n_combinations, spaces))


def _draw(
    spaces: Sequence[Mapping[str, Any]], n: int, rng: np.random.RandomState
) -> Iterator[Params]:
    """Yield `n` draws; of lists alone, without replacement, all combinations alike."""
    n_lists = _n_lists(spaces)
    weights = list(map(_n_combinations, spaces)) if n_lists else [1] * len(spaces)
    seen: set[tuple[int, ...]] = set()
    while n:
        which = _draw_weighted(weights, rng)
        names = sorted(spaces[which])
        columns = [spaces[which][name] for name in names]
        places = tuple(
            -1 if is_distribution(values) else draw_below(count(values), rng)
            for values in columns
        )
        if n_lists and (which, *places) in seen:
            continue
        seen.add((which, *places))
        n -= 1
        drawn = zip(names, columns, places, strict=True)
        yield {
            name: values.rvs(random_state=rng) if place < 0 else values[place]
            for name, values, place in drawn
        }


def _draw_weighted(weights: Sequence[int], rng: np.random.RandomState) -> int:
    """Return a position, with a probability in proportion to its weight."""
    place = draw_below(sum(weights), rng)
    which = 0
    while place >= weights[which]:
        place -= weights[which]
        which += 1
    return which
