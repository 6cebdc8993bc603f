"""Bayesian optimization: a model of the score decides what to try next."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhpo._rng import RandomState, child_rng, seed_sequence
from skhpo._trial import Candidate, Trial
from skhpo.acquisition import (
    ACQUISITIONS,
    Acquisition,
    numerical,
)
from skhpo.optimizers._maximize import Objective, best_unseen, maximize, point_key
from skhpo.space import SearchSpace, SobolSequence
from skhpo.surrogates import GaussianProcess, informative_subset
from skhpo.surrogates._warp import warp

__all__ = ["BayesOptimizer"]

Array = NDArray[np.float64]

# Finite spaces up to this size are enumerated instead of searched for a maximum.
MAX_ENUMERATED = 4096
# A Gaussian process costs O(n^3): it sees at most so many observations.
MAX_OBSERVATIONS = 500
# Share of proposals drawn at random, against a model that is wrong about a region.
EXPLORATION = 0.1
# "auto": one of these, drawn at every step.
MIXTURE = ("log_ei", "ucb", "pi")


class BayesOptimizer:
    """Propose the candidates that a surrogate model finds most promising.

    Parameters
    ----------
    space : mapping, sequence of mappings, or SearchSpace
        Parameter names and their values; see :class:`skhpo.space.SearchSpace`.
    surrogate : {"gp"} or object, default="gp"
        The model of the score: a Gaussian process, or any object with
        ``fit(X, y)`` and ``predict(X) -> mean, std``, on points of the unit cube
        (inactive coordinates are -1).
    acquisition : {"auto", "log_ei", "ei", "pi", "ucb"} or callable, default="auto"
        What "promising" means; a callable takes ``(mean, std, best)``, arrays of shape
        (n,) and a number, and returns values to be maximized. "auto" draws one of
        LogEI, UCB and PI at every step.
    n_initial : int or "auto", default="auto"
        Number of candidates before the model is used, `initial_params` included.
    initial_params : sequence of mappings, default=None
        What to try first.
    constraints : callable or sequence of callables, default=None
        Predicates on the params of a candidate; only those that meet all of them are
        proposed.
    random_state : int, RandomState, Generator or None, default=None
        The source of randomness.

    Examples
    --------
    Whoever owns the loop asks for candidates and tells their scores, the higher the
    better:

    >>> from skhpo import Trial
    >>> from skhpo.optimizers import BayesOptimizer
    >>> from skhpo.space import Real
    >>> optimizer = BayesOptimizer({"x": Real(-2, 2)}, random_state=0)
    >>> for _ in range(15):
    ...     for candidate in optimizer.ask(1):
    ...         score = -((candidate.params["x"] - 1) ** 2)
    ...         optimizer.tell([Trial(candidate, (score,))])
    >>> abs(optimizer.best_params["x"] - 1) < 0.05
    True
    """

    def __init__(
        self,
        space: Mapping[str, Any] | Sequence[Any] | SearchSpace,
        *,
        surrogate: Any = "gp",
        acquisition: str | Callable[..., Array] = "auto",
        n_initial: int | str = "auto",
        initial_params: Sequence[Mapping[str, Any]] | None = None,
        constraints: Any = None,
        random_state: RandomState = None,
    ) -> None:
        self.space = SearchSpace(space, constraints)
        self.surrogate = surrogate
        self.acquisitions = _check_acquisition(acquisition)
        self._root = seed_sequence(random_state)
        self._initial = [self.space.encode(params) for params in initial_params or ()]
        self.n_initial = _check_n_initial(n_initial, self.space.n_columns)
        self._design = SobolSequence(
            self.space.n_columns, child_rng(self._root, "design")
        )
        self._model = GaussianProcess(self.space)
        self._n_fitted = 0
        self._next_id = 0
        self._seen: set[bytes] = set()
        self._pending: dict[int, Array] = {}
        self._X: list[Array] = []
        self._scores: list[float] = []
        self._points = (
            self.space.points() if self.space.size <= MAX_ENUMERATED else None
        )

    # -- the protocol ----------------------------------------------------------

    def ask(self, n: int) -> list[Candidate]:
        """Propose up to `n` candidates; see :class:`skhpo.optimizers.Optimizer`."""
        candidates = []
        for _ in range(n):
            x = self._propose(child_rng(self._root, "ask", self._next_id))
            if x is None:
                break
            params = self.space.decode(x)
            candidates.append(Candidate(self._next_id, params))
            self._pending[self._next_id] = x
            self._seen.add(point_key(x))
            self._next_id += 1
        return candidates

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn from trials; also from such that were not asked for.

        Parameters
        ----------
        trials : sequence of Trial
            In the order of their ids. Trials of other origin must have params inside
            of the space.
        """
        for trial in trials:
            x = self._pending.pop(trial.candidate.id, None)
            if x is None:
                x = self.space.encode(trial.candidate.params)
                self._seen.add(point_key(x))
            self._X.append(x)
            self._scores.append(math.nan if trial.failed else trial.score)

    @property
    def best_params(self) -> dict[str, Any]:
        """The params of the best trial told so far."""
        scores = np.array(self._scores)
        if not np.isfinite(scores).any():
            raise ValueError("No trial with a finite score has been told yet.")
        best = int(np.argmax(np.where(np.isfinite(scores), scores, -np.inf)))
        return self.space.decode(self._X[best])

    # -- one proposal ----------------------------------------------------------

    def _propose(self, rng: np.random.Generator) -> Array | None:
        """Return the next point, None if all points of the space were proposed."""
        while self._initial:
            x = self._initial.pop(0)
            if point_key(x) not in self._seen:
                return x
        n_known = len(self._X) + len(self._pending)
        if n_known < self.n_initial:
            return self._initial_point()
        if rng.random() < EXPLORATION or not self._X:
            return self._random_point(rng)
        objective, best = self._objective(rng)
        if self._points is not None:
            return best_unseen(
                self._points, objective.value(self._points), self.space, self._seen
            )
        x = maximize(objective, self.space, best, self._seen, rng)
        return self._random_point(rng) if x is None else x

    def _initial_point(self) -> Array | None:
        center = self.space.center()
        if not self._seen and self.space.is_feasible(center[np.newaxis])[0]:
            return center
        return self._unseen(self._design)

    def _random_point(self, rng: np.random.Generator) -> Array | None:
        return self._unseen(lambda m: rng.random((m, self.space.n_columns)))

    def _unseen(self, draw: Callable[[int], Array]) -> Array | None:
        """Return the first drawn point that is new; None if there is none left."""
        for _ in range(100):
            x = self.space.sample(1, draw)[0]
            if point_key(x) not in self._seen:
                return x
        if self._points is None:
            return x
        return best_unseen(
            self._points, np.zeros(len(self._points)), self.space, self._seen
        )

    # -- the model -------------------------------------------------------------

    def _objective(self, rng: np.random.Generator) -> tuple[Objective, Array]:
        """Fit the surrogate; return the acquisition and the best observations."""
        scores = np.array(self._scores)
        X, ok = np.array(self._X), np.isfinite(scores)
        model, y = self._model, np.zeros(len(X))
        if ok.any():
            chosen = informative_subset(np.where(ok, scores, -np.inf), MAX_OBSERVATIONS)
            X, ok, scores = X[chosen], ok[chosen], scores[chosen]
            y = np.zeros(len(X))
            y[ok], _ = warp(
                scores[ok], lambda Y: model.profile_log_likelihood(X[ok], Y)
            )
            y[~ok] = y[ok].min() - 0.1
        is_fresh = len(self._X) < self._n_fitted + max(1, len(self._X) // 50)
        model.fit(X, y, keep_theta=is_fresh)
        if not is_fresh:
            self._n_fitted = len(self._X)
        mean, _ = model.predict(X)
        incumbent = float(mean[ok].max()) if ok.any() else 0.0
        order = np.argsort(-np.where(ok, y, -np.inf), kind="stable")
        if self._pending:
            P = np.array(list(self._pending.values()))
            fantasy, _ = model.predict(P)
            X, y = np.concatenate([X, P]), np.concatenate([y, fantasy])
            model.fit(X, y, keep_theta=True)
        acquisition = self.acquisitions[int(rng.integers(len(self.acquisitions)))]
        return _acquired(model, acquisition, incumbent), X[order[:5]]


def _acquired(
    model: GaussianProcess, acquisition: Acquisition, best: float
) -> Objective:
    """Return the acquisition as a function of points, by the chain rule."""

    def value(X: Array) -> Array:
        return acquisition(*model.predict(X), best).value

    def gradient(X: Array) -> tuple[Array, Array]:
        mean, std, d_mean, d_std = model.predict_gradient(X)
        a = acquisition(mean, std, best)
        by_x = a.d_mean[:, np.newaxis] * d_mean + a.d_std[:, np.newaxis] * d_std
        return a.value, by_x

    return Objective(value, gradient)


def _check_acquisition(acquisition: Any) -> list[Acquisition]:
    """Return the acquisitions to draw from."""
    if callable(acquisition):
        return [numerical(acquisition)]
    if acquisition == "auto":
        return [ACQUISITIONS[name] for name in MIXTURE]
    if acquisition not in ACQUISITIONS:
        names = ["auto", *ACQUISITIONS]
        raise ValueError(
            f"The 'acquisition' parameter of BayesOptimizer must be one of {names} or "
            f"a callable. Got {acquisition!r} instead."
        )
    return [ACQUISITIONS[acquisition]]


def _check_n_initial(n_initial: Any, d: int) -> int:
    """Return the number of initial candidates in a space of `d` columns."""
    if n_initial == "auto":
        return max(5, min(d + 2, 10))
    if isinstance(n_initial, bool) or not isinstance(n_initial, int) or n_initial < 1:
        raise ValueError(
            "The 'n_initial' parameter of BayesOptimizer must be 'auto' or a positive "
            f"integer. Got {n_initial!r} instead."
        )
    return n_initial
