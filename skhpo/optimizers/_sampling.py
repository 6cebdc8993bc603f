"""Sampling without learning: independent or evenly spread points of any space."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from skhpo._arithmetic import Array
from skhpo._rng import RandomState, child_rng, seed_sequence
from skhpo._trial import Candidate, Params, Trial
from skhpo._words import did_you_mean
from skhpo.exceptions import InvalidSpaceError
from skhpo.optimizers._maximize import point_key
from skhpo.space import SearchSpace
from skhpo.space._dimensions import is_number
from skhpo.space._sampling import SobolSequence

__all__ = ["InitialParams", "NewPoints", "SamplingOptimizer", "given_key"]

# After so many draws in a row that were known, what is left of a space is listed.
MAX_REPEATS = 100
# After so many that were known or forbidden, there is hardly anything left.
MAX_DRAWS = 10_000
# Finite spaces up to this size can be listed, in parts, of which each is checked once.
MAX_LISTED = 2**20
N_PART = 256
# So many draws are made and looked at one by one.
N_SINGLE = 1000


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
    initial_params : sequence of dict, default=()
        What to propose first, as far as the constraints allow it.
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
        initial_params: Sequence[Params] = (),
        random_state: RandomState = None,
    ) -> None:
        if sampling not in ("sobol", "random"):
            raise ValueError(
                f"{did_you_mean(sampling, ['sobol', 'random'])}The 'sampling' "
                "parameter of SamplingOptimizer must be 'sobol' or 'random'. Got "
                f"{sampling!r} instead."
            )
        self.space = SearchSpace(space, constraints)
        root = seed_sequence(random_state)
        rng = child_rng(root, "sampling")
        d = self.space.n_columns
        self._draw = SobolSequence(d, rng) if sampling == "sobol" else Uniform(d, rng)
        self._next_id = 0
        self._new = NewPoints(self.space, child_rng(root, "left"))
        self._initial = InitialParams(initial_params, self._new)

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
            candidates.append(Candidate(self._next_id, proposed[1]))
            self._next_id += 1
        return candidates

    def _drawn(self) -> tuple[Array, Params] | None:
        """Return a new point and its params, None if there is none left."""
        x = self._new.next(self._draw)
        if x is None:
            return None
        self._new.seen.add(point_key(x))
        return x, self.space.decode(x)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn nothing: what comes next does not depend on the trials.

        Parameters
        ----------
        trials : sequence of Trial
            Ignored.
        """


def given_key(x: Array, params: Params) -> Hashable:
    """Return the key of params as given: equal for the same place and equal numbers.

    That of a point does not do. In a wide range it takes numbers that are close to each
    other for one, and these may have been given for that.
    """
    numbers = [(n, params[n]) for n in sorted(params) if is_number(params[n])]
    return x.tobytes(), tuple(numbers)


class InitialParams:
    """Params that are proposed before any others, just as they were given.

    Parameters
    ----------
    given : sequence of dict
        Of those that are equal, or that were told, or that break a constraint, none is
        proposed again.
    new : NewPoints
        Is told of them.
    """

    def __init__(self, given: Sequence[Params], new: NewPoints) -> None:
        self._given = [dict(params) for params in given]
        self._new = new
        self._known: set[Hashable] = set()

    def add_known(self, x: Array, params: Params) -> None:
        """Take note of params, at an encoded point, that are not to be proposed."""
        self._known.add(given_key(x, params))
        self._new.seen.add(point_key(x))

    def next(self) -> tuple[Array, Params] | None:
        """Return the next ones and their point, None if there are none left."""
        space = self._new.space
        while self._given:
            params = self._given.pop(0)
            x = space.encode(params)
            if given_key(x, params) not in self._known and space.allows(params):
                self.add_known(x, params)
                return x, params
        return None


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


class NewPoints:
    """Points of a space that meet its constraints, none of them twice.

    They are drawn. Where too many draws are known or forbidden, what is left of a
    finite space is read from a list, so that all of it is found; a larger one counts
    as exhausted.

    Parameters
    ----------
    space : SearchSpace
        The space with its constraints.
    rng : numpy.random.Generator
        Decides on the order of the list.

    Attributes
    ----------
    space : SearchSpace
        The same.
    seen : set of bytes
        Keys of the points that are known; to be added to by the owner.
    """

    def __init__(self, space: SearchSpace, rng: np.random.Generator) -> None:
        self.seen: set[bytes] = set()
        self.space, self._rng = space, rng
        self._is_exhausted = False
        self._unread: Array | None = None  # the list, as far as it was not checked
        self._allowed: list[Array] = []  # what was allowed in the part checked last

    def next(self, draw: Callable[[int], Array]) -> Array | None:
        """Return a new point, None if there is none left.

        Parameters
        ----------
        draw : callable
            ``draw(m)`` returns m points of the cube.

        Returns
        -------
        ndarray of shape (d,) or None
            The first new point that is drawn, else one from the list.

        Raises
        ------
        InvalidSpaceError
            If none was found and none is known: that is for the user to change.
        """
        if self._is_exhausted:
            return None
        x = self._drawn(draw)
        if x is None:
            is_listed = self.space.size <= MAX_LISTED
            x = self._listed() if is_listed else self._drawn(self._anywhere)
        self._is_exhausted = x is None
        if x is None and not self.seen:
            looked_at = f"{MAX_DRAWS} draws" if self._unread is None else "all of them"
            raise InvalidSpaceError(
                f"No candidate met the constraints in {looked_at}. Relax the "
                "constraints, or shape the space so that more of it is allowed."
            )
        return x

    def _anywhere(self, m: int) -> Array:
        return self._rng.random((m, self.space.n_columns))

    def _drawn(self, draw: Callable[[int], Array]) -> Array | None:
        n_draws = MAX_DRAWS
        if self.space.size <= MAX_LISTED:  # the list costs less, and misses nothing
            n_draws = N_SINGLE if self._unread is None else MAX_REPEATS
        n_drawn = n_repeated = 0
        while n_drawn < n_draws and n_repeated < MAX_REPEATS:
            # Singly at first, since all points of a sequence are to be used.
            n = 1 if n_drawn < N_SINGLE else min(N_PART, n_draws - n_drawn)
            X = self.space.snap(draw(n))
            is_new = np.array([point_key(x) not in self.seen for x in X])
            X = X[is_new]
            allowed = X[self.space.is_feasible(X)]
            if len(allowed):
                return allowed[0].copy()
            n_drawn += n
            n_repeated += n - int(is_new.sum())
        return None

    def _listed(self) -> Array | None:
        if self._unread is None:
            self._unread = self._rng.permutation(self.space.combinations())
        while self._allowed or len(self._unread):
            if not self._allowed:
                part, self._unread = self._unread[:N_PART], self._unread[N_PART:]
                self._allowed = list(part[self.space.is_feasible(part)])
            elif point_key(x := self._allowed.pop()) not in self.seen:
                return x.copy()  # a view would keep all of the part alive
        return None
