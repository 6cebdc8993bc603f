"""What Bayesian optimization keeps account of, between its model and its trials."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest

from skhpo.acquisition import ACQUISITIONS
from skhpo.optimizers import BayesOptimizer, Candidate, Trial
from skhpo.optimizers._bayes import EXPLORATION, MAX_NOISE, MIXTURE, PARZEN
from skhpo.space import Integer, Real


class Exploring:
    """An acquisition of the user's, that notes when it is used."""

    def __init__(self) -> None:
        self.n_calls = 0

    def __call__(self, mean: Any, std: Any, best: float) -> Any:
        self.n_calls += 1
        return std


def trials_at(params: list[dict[str, Any]], scores: Any) -> list[Trial]:
    """Return trials that nobody has asked for."""
    return [
        Trial.from_scores(Candidate(-1 - i, p), tuple(np.atleast_1d(s)))
        for i, (p, s) in enumerate(zip(params, scores, strict=True))
    ]


def test_the_model_is_used_once_the_initial_candidates_are_asked_for() -> None:
    """Not before, and whether they have been told of or not."""
    own = Exploring()
    optimizer = BayesOptimizer(
        {"x": Real(0, 1)}, acquisition=own, n_initial=4, random_state=0
    )
    first, *_ = optimizer.ask(4)
    optimizer.tell([Trial.from_scores(first, (0.0,))])
    assert own.n_calls == 0
    optimizer.ask(5)
    assert own.n_calls > 0


def test_an_acquisition_of_the_users_is_kept_where_scores_are_noise() -> None:
    """Only "auto" takes another one there."""
    own = Exploring()
    optimizer = BayesOptimizer({"x": Real(0, 1)}, acquisition=own, random_state=0)
    scores = np.random.default_rng(0).normal(size=12)
    optimizer.tell(trials_at([{"x": i % 3 / 3} for i in range(12)], scores))
    optimizer.ask(5)
    assert optimizer._model.noise_share_ > MAX_NOISE  # type: ignore[attr-defined]
    assert own.n_calls > 0


def in_place(mean: Any, std: Any, best: float) -> Any:
    """Return the mean plus three deviations, and leave nothing as it was."""
    std *= 3
    mean += std
    std[:] = 0
    return mean


BUFFER: dict[int, Any] = {}


def in_a_buffer(mean: Any, std: Any, best: float) -> Any:
    """Return the same, in the same array as before."""
    buffer = BUFFER.setdefault(len(mean), np.empty(len(mean)))
    return np.add(mean, 3 * std, out=buffer)


def asked_with(acquisition: Any, n: int = 12) -> list[Any]:
    """Return what is asked for with an acquisition."""
    space = {"x": Real(0, 1), "y": Real(0, 1)}
    optimizer = BayesOptimizer(space, acquisition=acquisition, random_state=0)
    asked = []
    for _ in range(n):
        (candidate,) = optimizer.ask(1)
        asked.append(candidate.params)
        score = -sum((value - 0.3) ** 2 for value in asked[-1].values())
        optimizer.tell([Trial.from_scores(candidate, (score,))])
    return asked


@pytest.mark.parametrize(
    "same",
    [
        in_place,
        in_a_buffer,
        lambda mean, std, best: [m + 3 * s for m, s in zip(mean, std, strict=True)],
    ],
)
def test_how_an_acquisition_computes_its_values_is_its_own_affair(same: Any) -> None:
    """In place, in an array of its own or in a list: what counts are the values."""
    assert asked_with(same) == asked_with(lambda mean, std, best: mean + 3 * std)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda mean, std, best: 1.0,
        lambda mean, std, best: mean[:, np.newaxis],
        lambda mean, std, best: mean[1:],
        lambda mean, std, best: None,
        lambda mean, std, best: ["a"] * len(mean),
    ],
)
def test_an_acquisition_returns_a_number_for_each_candidate(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"The acquisition <function .*shape \("):
        asked_with(wrong)


def test_an_acquisition_that_knows_nothing_anywhere_is_named() -> None:
    """While one that has no value for some candidates leaves these."""
    with pytest.raises(ValueError, match=r"The acquisition <function .* Got NaN for"):
        asked_with(lambda mean, std, best: np.nan * mean)
    asked_with(lambda mean, std, best: np.where(mean > best, np.nan, mean + std))


class Blind:
    """A surrogate that knows nothing of some points, or of their deviation."""

    def __init__(self, mean: Any = None, std: Any = None) -> None:
        self.is_hidden = {"mean": mean, "std": std}

    def fit(self, X: Any, y: Any) -> Any:
        if not np.isfinite(y).all():
            raise ValueError("y has NaN")
        self.X, self.y = X, y
        return self

    def predict(self, X: Any) -> Any:
        distances = np.linalg.norm(X[:, np.newaxis] - self.X, axis=2)
        told = {"mean": self.y[distances.argmin(axis=1)], "std": distances.min(axis=1)}
        seen = told["std"] == 0
        for part, is_hidden in self.is_hidden.items():
            if is_hidden is not None:
                told[part] = np.where(is_hidden(X, seen), np.nan, told[part])
        return told["mean"], told["std"]


def everywhere(X: Any, seen: Any) -> Any:
    return np.ones(len(X), dtype=bool)


def where_seen(X: Any, seen: Any) -> Any:
    return seen


def where_not_seen(X: Any, seen: Any) -> Any:
    return ~seen


def on_the_left(X: Any, seen: Any) -> Any:
    return (X[:, 0] < 0.5) & ~seen


def asked_of(surrogate: Any, acquisition: Any, *, fails: bool = False) -> list[Any]:
    """Return what is asked for of a surrogate, two candidates at a time."""
    space = {"x": Real(0, 1), "y": Real(0, 1)}
    options: dict[str, Any] = {"surrogate": surrogate, "acquisition": acquisition}
    optimizer = BayesOptimizer(space, n_initial=4, random_state=0, **options)
    asked = []
    for _ in range(6):
        candidates = optimizer.ask(1)
        candidates += optimizer.ask(1)
        asked += [candidate.params for candidate in candidates]
        scores = [sum(params.values()) for params in asked[-2:]]
        if fails and len(asked) < 4:
            scores[0] = math.nan
        told = [
            Trial.from_scores(candidate, (score,), failed=math.isnan(score))
            for candidate, score in zip(candidates, scores, strict=True)
        ]
        optimizer.tell(told)
    return asked


EACH = ["auto", *ACQUISITIONS, lambda mean, std, best: mean + std]


@pytest.mark.parametrize("acquisition", EACH)
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize(
    "surrogate",
    [
        Blind(everywhere, everywhere),
        Blind(everywhere),
        Blind(None, everywhere),
        Blind(where_not_seen),
        Blind(None, where_not_seen),
    ],
)
def test_a_surrogate_that_knows_nothing_is_named(
    surrogate: Any, fails: bool, acquisition: Any
) -> None:
    """What it lets promise is NaN for all candidates: the search would be random."""
    with pytest.raises(ValueError, match=r"^The 'predict' of the surrogate <.*Got NaN"):
        asked_of(surrogate, acquisition, fails=fails)


@pytest.mark.parametrize("acquisition", ["ei", "log_ei", "pi"])
def test_a_surrogate_that_knows_no_best_is_named(acquisition: str) -> None:
    """There is nothing to improve on."""
    with pytest.raises(ValueError, match=r"^The 'predict' of the surrogate <.*Got NaN"):
        asked_of(Blind(where_seen), acquisition)


@pytest.mark.parametrize("acquisition", EACH)
@pytest.mark.parametrize("fails", [False, True])
def test_a_surrogate_need_not_know_everything(fails: bool, acquisition: Any) -> None:
    """Where it says NaN, candidates come last."""
    asked = asked_of(Blind(on_the_left), acquisition, fails=fails)
    assert len(asked) == 12


def test_truth_values_are_values_of_an_acquisition() -> None:
    assert asked_with(lambda mean, std, best: mean > best) == asked_with(
        lambda mean, std, best: (mean > best).astype(float)
    )


def test_a_failure_does_not_hide_how_noisy_the_others_are() -> None:
    optimizer = BayesOptimizer({"x": Real(0, 1)}, random_state=0)
    splits = [(0.1, 0.2, 0.3), (0.9, 0.1, 0.2), (0.5, 0.5, 0.4), (math.nan,) * 3]
    optimizer.tell(trials_at([{"x": i / 3} for i in range(4)], splits))
    noise = optimizer._told.observations().noise
    assert noise[1] > noise[0]
    assert noise[3] == 1


def test_as_long_as_all_have_failed_a_regret_has_no_bound() -> None:
    optimizer = BayesOptimizer({"x": Real(0, 1)}, n_initial=1, random_state=0)
    optimizer.tell(trials_at([{"x": i / 4} for i in range(4)], [math.nan] * 4))
    optimizer.ask(4)
    assert optimizer._n_fitted > 0
    assert optimizer.regret_bound() == math.inf


@pytest.mark.parametrize("n", [Integer(0, 30), Real(0, 30)], ids=["whole", "real"])
def test_what_is_forbidden_is_no_regret(n: Any) -> None:
    """Where scores rise towards what the constraints forbid, and all else is known."""

    def bound(constraints: Any) -> float:
        optimizer = BayesOptimizer(
            {"n": n},
            acquisition="ucb",
            constraints=constraints,
            n_initial=1,
            random_state=0,
        )
        optimizer.tell(trials_at([{"n": n} for n in range(10)], np.arange(10.0)))
        optimizer.ask(2)
        return optimizer.regret_bound()

    assert bound(lambda params: params["n"] < 10) < 0.5 * bound(None)


class Flat:
    """A model that knows nothing."""

    def fit(self, X: Any, y: Any) -> Flat:
        return self

    def predict(self, X: Any) -> Any:
        return np.zeros(len(X)), np.ones(len(X))


def test_the_model_is_learned_anew_as_observations_come() -> None:
    """With each of them, from a hundred on with every second one, and not without."""
    optimizer = BayesOptimizer(
        {"n": Integer(0, 3000)},
        surrogate=Flat(),
        acquisition="ucb",
        n_initial=1,
        random_state=0,
    )
    fit, anew = optimizer._model.fit, []

    def noting(X: Any, y: Any, v: Any = None, *, keep_theta: bool = False) -> Any:
        if not keep_theta:
            anew.append(len(X))
        return fit(X, y, v, keep_theta=keep_theta)

    optimizer._model.fit = noting  # type: ignore[method-assign]
    params = [{"n": n} for n in range(105)]
    for first, last in [(0, 1), (1, 2), (2, 98), *((n, n + 1) for n in range(98, 105))]:
        optimizer.tell(trials_at(params[first:last], [0.0] * (last - first)))
        optimizer.ask(4)
    assert anew == [1, 2, 98, 99, 101, 103, 105]


@pytest.mark.parametrize(
    ("scores", "factor"), [((0.0, 0.0), 1.0), ((0.0, 1.0), 0.2)], ids=["ties", "none"]
)
def test_each_step_draws_how_it_proposes(scores: Any, factor: float) -> None:
    """Some at random, some by densities, and the others by each of the acquisitions."""
    used: Counter[str] = Counter()

    class Noting(BayesOptimizer):
        def _random_point(self, rng: Any) -> Any:
            used["random"] += 1
            return super()._random_point(rng)

        def _parzen_point(self, rng: Any) -> Any:
            used["parzen"] += 1
            return super()._parzen_point(rng)

    def noting(name: str) -> Any:
        def acquisition(mean: Any, std: Any, best: float) -> Any:
            used[name] += len(mean) > 1  # one is looked at again: is it a number?
            return ACQUISITIONS[name](mean, std, best)

        return acquisition

    n = 120
    space = {"n": Integer(0, 3000)}
    optimizer = Noting(space, surrogate=Flat(), n_initial=1, random_state=0)
    optimizer._acquisitions = [noting(name) for name in MIXTURE]
    optimizer._is_measured = True  # as with the Gaussian process
    told = trials_at([{"n": 500 * i} for i in range(4)], [-2.0, -1.0, *scores])
    optimizer.tell(told)
    optimizer.ask(n)
    random, parzen = factor * EXPLORATION, factor * PARZEN
    share = (1 - random) * (1 - parzen) / len(MIXTURE)
    expected = {"random": random, "parzen": (1 - random) * parzen}
    expected |= dict.fromkeys(MIXTURE, share)
    assert used.keys() == expected.keys()
    for what, p in expected.items():
        assert abs(used[what] / n - p) <= 4 * math.sqrt(p * (1 - p) / n)


@pytest.mark.parametrize("surrogate", ["gp", Flat()], ids=["gp", "flat"])
def test_a_small_space_is_tried_to_its_end(surrogate: Any) -> None:
    """Nothing twice, nothing left out, also where only what is known is promising."""
    n = 12 if surrogate == "gp" else 60
    optimizer = BayesOptimizer(
        {"n": Integer(1, n)}, surrogate=surrogate, n_initial=3, random_state=0
    )
    tried = []
    while candidates := optimizer.ask(1):
        tried += [c.params["n"] for c in candidates]
        optimizer.tell([Trial.from_scores(c, (1 / c.params["n"],)) for c in candidates])
    assert sorted(tried) == list(range(1, n + 1))


def told_of(optimizer: BayesOptimizer) -> Any:
    """Return all that it has learned from."""
    told, pending = optimizer._told, optimizer._pending.points
    return repr([told.params, told.scores, pending])


def test_a_candidate_is_told_with_what_it_was_asked_for_with() -> None:
    """Else its score would count for what nobody has tried; nothing is learned."""
    space = {"x": Real(0, 1), "c": ["a", "b"]}
    optimizer = BayesOptimizer(space, random_state=0)
    good, bad = optimizer.ask(2)
    for other in ({**bad.params, "x": 0.123}, {**bad.params, "c": "z"}, {"x": 0.5}):
        before = told_of(optimizer)
        trials = [good, Candidate(bad.id, other)]
        with pytest.raises(ValueError, match=r"1 was asked for .* Candidate\(-1, par"):
            optimizer.tell([Trial.from_scores(one, (1.0,)) for one in trials])
        assert told_of(optimizer) == before
    copied = Candidate(bad.id, dict(bad.params))
    optimizer.tell([Trial.from_scores(one, (1.0,)) for one in (good, copied)])
    assert optimizer._told.params == [good.params, bad.params]


@pytest.mark.parametrize("at_once", [True, False])
def test_a_candidate_is_told_once(at_once: bool) -> None:
    """While params of one's own may be told again: noise is learned from that."""
    optimizer = BayesOptimizer({"x": Real(0, 1)}, random_state=0)
    (candidate,) = optimizer.ask(1)
    trial = Trial.from_scores(candidate, (1.0,))
    if not at_once:
        optimizer.tell([trial])
    with pytest.raises(ValueError, match="Candidate 0 was told before"):
        optimizer.tell([trial, trial])
    assert len(optimizer._told.scores) == (0 if at_once else 1)
    own = Trial.from_scores(Candidate(-1, {"x": 0.25}), (1.0,))
    optimizer.tell([own, own])
    assert optimizer._told.params[-2:] == [{"x": 0.25}] * 2


@pytest.mark.parametrize("kind", [int, np.int64, np.uint8])
def test_a_number_of_candidates_is_any_integer(kind: Any) -> None:
    optimizer = BayesOptimizer({"x": Real(0, 1)}, n_initial=kind(3), random_state=0)
    assert type(optimizer.n_initial) is int
    for wrong in (True, np.True_, 3.0, kind(0)):
        with pytest.raises(ValueError, match="must be 'auto' or a positive"):
            BayesOptimizer({"x": Real(0, 1)}, n_initial=wrong)


@pytest.mark.parametrize("scores", [0.5, np.float64(0.5), np.array(0.5), None])
def test_scores_of_a_trial_are_a_sequence(scores: Any) -> None:
    with pytest.raises(TypeError, match=r"must be a sequence of numbers, one per sp"):
        Trial.from_scores(Candidate(0, {"x": 0.5}), scores)
