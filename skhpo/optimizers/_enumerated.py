"""Optimizers whose candidates are known from the start: grid and random search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sklearn.model_selection import ParameterGrid, ParameterSampler

from skhpo._rng import RandomState
from skhpo._trial import Candidate, Params, Trial
from skhpo.exceptions import InvalidSpaceError
from skhpo.space import SearchSpace
from skhpo.space._constraints import Constraints
from skhpo.space._discretize import discretize
from skhpo.space._plain import is_plain, with_listed_tuples

__all__ = ["GridOptimizer", "RandomOptimizer"]


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
            grid = ParameterGrid(param_grid)
        else:
            grid = space.decode_many(space.points())
        predicates = Constraints(constraints)
        super().__init__(params for params in grid if predicates.allow(params))
        if not self.n_candidates:
            raise InvalidSpaceError(
                "No combination of the grid meets the constraints. Relax them, or list "
                "other values."
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


class RandomOptimizer(EnumeratedOptimizer):
    """Proposes random draws: the same as ``RandomizedSearchCV`` for the same seed.

    All draws are made here, since the order in which a shared ``RandomState`` is
    consumed (candidates first, then splits) decides what is drawn.

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
        super().__init__(
            ParameterSampler(param_distributions, n_iter, random_state=random_state)
        )
