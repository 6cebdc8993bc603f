"""Bayesian optimization: a model of the score decides what to try next."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np

from skhpo._arithmetic import Array, own_arithmetic, users_arithmetic
from skhpo._rng import RandomState, child_rng, seed_sequence
from skhpo._threads import one_blas_thread
from skhpo._trial import Candidate, Params, Trial
from skhpo._words import did_you_mean
from skhpo.acquisition import (
    ACQUISITIONS,
    Acquisition,
    CostExponent,
    NumericalAcquisition,
    upper_confidence_bound,
)
from skhpo.exceptions import InvalidSpaceError
from skhpo.optimizers._base import check_trials
from skhpo.optimizers._belief import (
    MAX_OBSERVATIONS,
    Weighing,
    objective,
    off_model_factor,
)
from skhpo.optimizers._cost import Price, TimeModel, check_exponent
from skhpo.optimizers._maximize import Objective, best_unseen, maximize, point_key
from skhpo.optimizers._pending import Pending
from skhpo.optimizers._regret import draw_points, regret_bound
from skhpo.optimizers._sampling import NewPoints, given_key
from skhpo.optimizers._trial_log import TrialLog
from skhpo.space import Curve, SearchSpace
from skhpo.space._sampling import SobolSequence
from skhpo.surrogates import ParzenEstimator, Surrogate
from skhpo.surrogates._base import Regressor, make_surrogate

__all__ = ["BayesOptimizer"]

# Finite spaces up to this size are enumerated instead of searched for a maximum.
MAX_ENUMERATED = 4096
# Share of proposals drawn at random, against a model that is wrong about a region; like
# the next one, it is multiplied by `off_model_factor`.
EXPLORATION = 0.1
# "auto": share of the others that a Parzen estimator makes. On plateaus and cliffs,
# such as those of decision trees, a Gaussian process is too sure of itself.
PARZEN = 0.2
# With a larger share of noise, EI and PI try the incumbent's surroundings again and
# again; UCB does not.
MAX_NOISE = 0.02
# Candidates drawn from a surrogate that has a density of good ones, as Optuna does.
N_SAMPLES = 24
# "auto": one of these, drawn at every step.
MIXTURE = ("log_ei", "ucb", "pi")


class BayesOptimizer:
    """Propose the candidates that a surrogate model finds most promising.

    Parameters
    ----------
    space : mapping, sequence of mappings, or SearchSpace
        Parameter names and their values; see :class:`skhpo.space.SearchSpace`.
    surrogate : {"gp", "forest", "tpe"} or object, default="gp"
        The model of the score: a Gaussian process, a random forest, a tree-structured
        Parzen estimator, or any object with ``fit(X, y)`` and ``predict(X) -> mean,
        std``, on points of the unit cube (inactive coordinates are -1).
    acquisition : {"auto", "log_ei", "ei", "pi", "ucb"} or callable, default="auto"
        What "promising" means; a callable takes ``(mean, std, best)``, arrays of shape
        (n,) and a number, and returns values to be maximized. "auto" draws one of
        EI, UCB and PI at every step (UCB where scores are noisy), and leaves up to a
        fifth of the steps to a Parzen estimator: all of these where a tenth of the
        better scores repeat others, a fifth of them where none does. EI and PI are
        maximized through their logarithms, so "ei" is "log_ei". Once there were
        failures, EI and PI are multiplied by the probability p of success (their
        logarithms get log p added); values a of others above w, their median among
        the trials, become p a + (1 - p) w: a failure is worth as much as a typical
        trial.
    n_initial : int or "auto", default="auto"
        Number of candidates before the model is used, `initial_params` included.
    initial_params : sequence of mappings, default=None
        What to try first; each must be in the space and meet the constraints.
    constraints : callable or sequence of callables, default=None
        Predicates on the params of a candidate; only those that meet all of them are
        proposed.
    random_state : int, RandomState, Generator or None, default=None
        The source of randomness.
    cost_exponent : float or callable, default=0.0
        How much time counts: EI and PI are divided by the expected time to the power of
        this number, which is not negative. 0 leaves time out, 1 is improvement per
        second. A callable is asked before each proposal, and takes the seconds that
        each trial took, in the order in which they were told, and the number of those
        that were initial; see :class:`~skhpo.acquisition.Cooling`. What a candidate
        takes is learned from `fit_time` and `score_time` of the evaluations told; 0 and
        NaN stand for times that are not known.

    Examples
    --------
    Whoever owns the loop asks for candidates and tells their scores, the higher the
    better:

    >>> from skhpo.optimizers import BayesOptimizer, Trial
    >>> from skhpo.space import Real
    >>> optimizer = BayesOptimizer({"x": Real(-2, 2)}, random_state=0)
    >>> for _ in range(15):
    ...     for candidate in optimizer.ask(1):
    ...         score = -((candidate.params["x"] - 1) ** 2)
    ...         optimizer.tell([Trial.from_scores(candidate, (score,))])
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
        initial_params: Sequence[Params] | None = None,
        constraints: Any = None,
        random_state: RandomState = None,
        cost_exponent: float | CostExponent = 0.0,
    ) -> None:
        self.space = SearchSpace(space, constraints)
        self._model = make_surrogate(surrogate, self.space)
        self._is_auto = isinstance(acquisition, str) and acquisition == "auto"
        # What `off_model_factor` does was measured of this combination only.
        self._is_measured = self._is_auto and (
            isinstance(surrogate, str) and surrogate == "gp"
        )
        self._acquisitions = _check_acquisition(acquisition, self._model)
        self._root = seed_sequence(random_state)
        self._given = [
            _place_given(self.space, params) for params in initial_params or ()
        ]
        self.n_initial = _check_n_initial(n_initial, self.space.n_columns)
        self._design = SobolSequence(
            self.space.n_columns, child_rng(self._root, "design")
        )
        self._n_fitted = 0
        self._new = NewPoints(self.space, child_rng(self._root, "left"))
        self._seen = self._new.seen
        self._known: set[Hashable] = set()  # params that need not be tried as given
        self._pending = Pending()
        self._told = TrialLog()
        if not callable(cost_exponent):
            what = "The 'cost_exponent' parameter of BayesOptimizer, if not a callable,"
            cost_exponent = check_exponent(cost_exponent, what)
        self._cost_exponent = cost_exponent
        self._times = TimeModel(self.space)
        self._points = (
            self.space.points() if self.space.size <= MAX_ENUMERATED else None
        )

    # -- the protocol ----------------------------------------------------------

    @own_arithmetic()
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
            x, params = self._next_given()
            if x is None:
                x = self._propose(child_rng(self._root, "ask", self._pending.next_id))
            if x is None:
                break
            params = self.space.decode(x) if params is None else params
            candidates.append(self._pending.add(x, params))
            self._seen.add(point_key(x))
        return candidates

    @own_arithmetic()
    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn from trials; also from such that were not asked for.

        The model takes a score that is infinite or NaN for a failure. The estimate of
        a dropped candidate is a score with more noise, by its variance.

        Parameters
        ----------
        trials : sequence of Trial
            What is proposed next depends on their order. Trials of other origin must
            have params inside of the space.

        Raises
        ------
        ValueError
            If a trial of a candidate that was asked for has other params, or was told
            before: names it, and learns nothing.
        """
        self._pending.check(check_trials(trials))
        for trial in trials:
            asked = self._pending.take(trial.candidate.id)
            if asked is not None:
                x, params = asked
            else:
                params = dict(trial.candidate.params)
                x = self.space.encode(params)
                self._seen.add(point_key(x))
                self._known.add(given_key(x, params))
            self._told.add(x, params, trial, asked=asked is not None)

    @property
    def best_params(self) -> dict[str, Any]:
        """The params of the best trial told so far."""
        return self._told.best_params

    @own_arithmetic()
    def regret_bound(self) -> float:
        """Return by how much any point may be better than the best one, at most.

        Returns
        -------
        float
            In units of the score; see `skhpo.stopping.RegretBound`. Infinite as long as
            the model knows too little.

        Raises
        ------
        TypeError
            If the surrogate expects no scores: "tpe" is a ratio of densities.
        """
        if self._model.ranks_directly:
            raise TypeError("A regret has no bound with surrogate='tpe': take 'gp'.")
        if not self._n_fitted or not np.isfinite(self._told.scores).any():
            return math.inf
        seen = self._told.observations()
        points = self._points
        if points is None:
            rng = child_rng(self._root, "regret", len(self._told.X))
            points = draw_points(seen, self.space, rng)
        points = points[self.space.is_feasible(points)]
        return regret_bound(self._model, seen.subset(MAX_OBSERVATIONS), points)

    # -- one proposal ----------------------------------------------------------

    def _next_given(self) -> tuple[Array | None, dict[str, Any] | None]:
        """Return the next given point with its params as given, Nones if none is left.

        Decoding would round: 1.0 on a logarithmic range comes back as 1 - 6e-16.
        """
        while self._given:
            x, params = self._given.pop(0)
            if given_key(x, params) not in self._known:
                self._known.add(given_key(x, params))
                return x, params
        return None, None

    @one_blas_thread()
    def _propose(self, rng: np.random.Generator) -> Array | None:
        """Return the next point, None if all points of the space were proposed."""
        told = self._told
        if len(told.X) + len(self._pending.points) < self.n_initial:
            return self._initial_point()
        factor = off_model_factor(np.array(told.scores)) if self._is_measured else 1.0
        if not told.X or rng.random() < factor * EXPLORATION:
            return self._random_point(rng)
        if self._is_auto and rng.random() < factor * PARZEN:
            x = self._parzen_point(rng)
        else:
            promise, ranked = self._objective(rng)
            x = self._most_promising(promise, ranked, rng)
        return self._random_point(rng) if x is None else x

    def _most_promising(
        self, promise: Objective, ranked: Array, rng: np.random.Generator
    ) -> Array | None:
        """Return the unseen point of highest value, None if none was found."""
        X = self._points
        if X is None and self._model.ranks_directly:
            assert isinstance(self._model, Regressor), "it was made so"
            X = self.space.snap(self._model.sample(N_SAMPLES, rng))
        if X is None:
            x = maximize(promise, self.space, ranked[:5], self._seen, rng)
        else:
            x = best_unseen(X, promise.value(X), self.space, self._seen)
        if x is not None:
            self._check_promise(promise, x[np.newaxis])
        return x

    def _check_promise(self, promise: Objective, best: Array) -> None:
        """Raise if the user's acquisition or surrogate said NaN of all candidates.

        NaN comes last: all of them have it if the best one has.
        """
        own, model = self._acquisitions[0], self._model
        is_own = isinstance(model, Regressor) and model.is_users
        if not (is_own or isinstance(own, NumericalAcquisition)):
            return
        if not np.isnan(promise.value(best)).all():
            return
        known = np.vstack([best, *self._told.X])
        is_predicted = np.isfinite(model.predict(known)).all()
        if isinstance(own, NumericalAcquisition) and is_predicted:
            raise ValueError(
                f"The acquisition {own.function!r} must return numbers. Got NaN for "
                "all candidates that were looked at; -inf means that one has no chance."
            )
        if isinstance(model, Regressor) and is_own:
            raise ValueError(
                f"The 'predict' of the surrogate {model.model!r} must return numbers: "
                "a mean and a standard deviation that are not NaN. Got NaN for the "
                "candidates that it was fitted to, or for all others."
            )

    def _price(self) -> Price | None:
        """Return what weighs promise against time, None if time does not count."""
        alpha, told = self._cost_exponent, self._told
        if callable(alpha):
            with users_arithmetic():
                alpha = alpha(*told.spent(self.n_initial))
            alpha = check_exponent(alpha, "What 'cost_exponent' returns")
        if not alpha or not self._times.fit(np.array(told.X), np.array(told.seconds)):
            return None
        return Price(self._times, alpha)

    def _parzen_point(self, rng: np.random.Generator) -> Array | None:
        """Return the proposal of a tree-structured Parzen estimator."""
        told, scores = np.array(self._told.X), np.array(self._told.scores)
        scores = np.where(np.isfinite(scores), scores, -np.inf)
        tpe = ParzenEstimator(self.space).fit(told, scores)
        X = tpe.sample(N_SAMPLES, rng)
        values, price = tpe.predict(X)[0], self._price()
        if price is not None:
            ratios = tpe.predict(told)[0]
            values = Weighing([price], ratios).value(values, X)
        return best_unseen(X, values, self.space, self._seen)

    def _initial_point(self) -> Array | None:
        center = self.space.center()
        if not self._seen and self.space.is_feasible(center[np.newaxis])[0]:
            return center
        return self._new.next(self._design)

    def _random_point(self, rng: np.random.Generator) -> Array | None:
        return self._new.next(lambda m: rng.random((m, self.space.n_columns)))

    # -- the model -------------------------------------------------------------

    def _objective(self, rng: np.random.Generator) -> tuple[Objective, Array]:
        """Fit the surrogate; return what to maximize, and observations by rank."""
        n = len(self._told.X)
        # Refitting at each step would cost the most where it changes the least.
        keep_theta = n < self._n_fitted + max(1, n // 50)
        self._n_fitted = self._n_fitted if keep_theta else n
        pending = np.array(self._pending.points).reshape(-1, self.space.n_columns)

        def draw(noise: float) -> Acquisition:
            if self._is_auto and noise > MAX_NOISE:
                return upper_confidence_bound
            return self._acquisitions[int(rng.integers(len(self._acquisitions)))]

        seen = self._told.observations()
        return objective(
            self._model, draw, seen, pending, keep_theta=keep_theta, price=self._price()
        )


def _place_given(
    space: SearchSpace, params: Mapping[str, Any]
) -> tuple[Array, dict[str, Any]]:
    """Return the encoded point of params that must meet the constraints, and these.

    A number on a curve is tried with the whole curve: others at this point are.
    """
    x = space.encode(params)
    if not space.allows(params):
        raise InvalidSpaceError(
            f"The 'initial_params' {dict(params)!r} do not meet the constraints. "
            "Change them, or leave them out."
        )
    decoded = space.decode(x).items()
    curves = {name: value for name, value in decoded if isinstance(value, Curve)}
    return x, {**params, **curves}


def _check_acquisition(acquisition: Any, model: Surrogate) -> list[Acquisition]:
    """Return the acquisitions to draw from."""
    if model.ranks_directly:  # its own acquisition
        if acquisition != "auto":
            raise ValueError(
                "A surrogate with ranks_directly=True, such as 'tpe', ranks candidates "
                "by itself: 'acquisition' must be 'auto' with it. Got "
                f"{acquisition!r} instead."
            )
        return [upper_confidence_bound]
    if callable(acquisition):
        return [NumericalAcquisition(acquisition)]
    if acquisition == "auto":
        return [ACQUISITIONS[name] for name in MIXTURE]
    if acquisition not in ACQUISITIONS:
        names = ["auto", *ACQUISITIONS]
        raise ValueError(
            f"{did_you_mean(acquisition, names)}The 'acquisition' parameter of "
            f"BayesOptimizer must be one of {names} or a callable. Got "
            f"{acquisition!r} instead."
        )
    return [ACQUISITIONS[acquisition]]


def _check_n_initial(n_initial: Any, d: int) -> int:
    """Return the number of initial candidates in a space of `d` columns."""
    if n_initial == "auto":
        return max(5, min(d + 2, 10))
    is_count = isinstance(n_initial, Integral) and not isinstance(n_initial, bool)
    if not is_count or n_initial < 1:
        raise ValueError(
            f"{did_you_mean(n_initial, ['auto'])}The 'n_initial' parameter of "
            "BayesOptimizer must be 'auto' or a positive integer. Got "
            f"{n_initial!r} instead."
        )
    return int(n_initial)
