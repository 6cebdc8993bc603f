"""From told scores to what a model learns: noise, units, failures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from skhpo._trial import Candidate, Trial
from skhpo.acquisition import log_expected_improvement, upper_confidence_bound
from skhpo.optimizers import BayesOptimizer
from skhpo.optimizers._belief import (
    FAILURE_GAP,
    MAX_SCORE,
    objective,
    observe,
    off_model_factor,
    relative_noise,
    repeated_share,
    targets,
)
from skhpo.space import Real, SearchSpace
from skhpo.surrogates import GaussianProcess
from skhpo.surrogates._base import make_surrogate

SPACE = SearchSpace({"x": Real(0, 1)})
SPLITS = np.array([-1.0, 3.0, 0.0, -2.0])  # what noise adds to the splits: in sum, 0


def observed(x: Any, scores: Any, noise: Any) -> Any:
    """Return observations whose splits differ by so much from their means."""
    X, scores = np.asarray(x)[:, np.newaxis], np.asarray(scores, dtype=float)
    rng = np.random.default_rng(0)  # what is the same for all of them is no noise
    R = np.array([rng.permutation(SPLITS) for _ in scores])
    S = scores[:, np.newaxis] + np.asarray(noise)[:, np.newaxis] * R
    return observe(X, scores, S)


def test_of_contradicting_scores_the_less_noisy_one_is_believed() -> None:
    """By the model that has learned the targets, whichever of them it is."""
    x = np.concatenate([[0.5, 0.5], np.linspace(0, 1, 12)])
    scores = np.concatenate([[0.3, -0.3], np.sin(9 * x[2:])])
    means = []
    for pair in ([0.01, 0.6], [0.6, 0.01]):
        seen = observed(x, scores, [*pair, *[0.1] * 12])
        gp = GaussianProcess(SPACE)
        y, v = targets(seen, gp)
        assert (v[0] < v[1]) == (pair[0] < pair[1])
        mean, _ = gp.fit(seen.X, y, v).predict(np.array([[0.5]]))
        means.append(float(mean[0]))
    assert means[0] > means[1]


def test_noise_is_on_the_scale_of_what_is_learned() -> None:
    """Losses of many decades, each uncertain by a tenth: equally so in logarithms."""
    loss = np.logspace(-3, 5, 25)
    seen = observed(np.linspace(0, 1, 25), -loss, loss / 10)
    y, v = targets(seen, GaussianProcess(SPACE))
    assert np.corrcoef(y, -np.log(loss))[0, 1] > 0.95
    assert np.median(v) == pytest.approx(1)
    # Below the median, the shrinkage says more noise; above 1000 times it, no more.
    assert v[13:22].max() < 1.5 * v[13:22].min()


@pytest.mark.parametrize("k", [1, 4])
def test_unknown_noise_is_equal_for_all(k: int) -> None:
    """With one split, or splits that all agree, also if the scores are transformed."""
    scores = -np.logspace(-3, 5, 25)
    X = np.linspace(0, 1, 25)[:, np.newaxis]
    seen = observe(X, scores, np.tile(scores[:, np.newaxis], k))
    y, v = targets(seen, GaussianProcess(SPACE))
    assert np.corrcoef(y, scores)[0, 1] < 0.9
    np.testing.assert_array_equal(v, 1)


def test_relative_noise_is_the_shrunk_variance_over_the_splits() -> None:
    """By its formula; what a split adds to all scores is none."""
    sd = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    R = sd[:, np.newaxis] * np.array([[-1, 1, 2, -2.0]])
    R -= np.median(R, axis=0)
    ratio = (R**2).sum(axis=1) / np.median((R**2).sum(axis=1))
    S = np.full((6, 4), np.nan)
    S[:5] = sd[:, np.newaxis] * np.array([[-1, 1, 2, -2.0]]) + [5.0, -7.0, 0.0, 1.0]
    noise = relative_noise(S)
    np.testing.assert_allclose(noise, [*((3 * ratio + 4) / 7), 1.0])
    np.testing.assert_array_equal(relative_noise(S[:2]), 1)
    np.testing.assert_array_equal(relative_noise(S[:, :1]), 1)


def test_failures_are_slightly_worse_than_the_worst() -> None:
    """And as noisy as a typical trial."""
    seen = observed([0, 0.2, 0.4, 0.6, 0.8], [1, 2, np.nan, 3, 4.5], [1, 2, 3, 4, 5.0])
    y, v = targets(seen, GaussianProcess(SPACE))
    assert y[2] == y[[0, 1, 3, 4]].min() - FAILURE_GAP
    assert v[2] == 1


def test_what_no_number_can_say_beside_the_others_is_a_failure() -> None:
    """Infinite scores, and finite ones that are too bad; huge ones are the best."""
    scores = [-1e250, 0.5, 0.75, 1.5, 1e250, math.inf, -math.inf, math.nan, -1e99]
    seen = observed(np.linspace(0, 1, 9), scores, np.zeros(9))
    assert seen.unit == 1.0
    known = np.array(scores)[seen.ok]
    np.testing.assert_array_equal(known, [0.5, 0.75, 1.5, 1e250, -1e99])
    expected = [0.5, 0.75, 1.5, MAX_SCORE, -1e99]
    np.testing.assert_array_equal(seen.scores[seen.ok], expected)


def test_the_unit_is_that_of_the_better_half() -> None:
    """Unless all of it is 0: then the others have one."""
    for scores, unit in (
        ([-1e250, -1e249, 5.0, 6.0, 4.5], 4.0),
        ([0.0, 0.0, 0.0, -24.0], 16.0),
        ([0.0, 0.0], 1.0),
        ([math.nan, -math.inf], 1.0),
    ):
        n = len(scores)
        assert observed(np.zeros(n), scores, np.zeros(n)).unit == unit


def test_repeated_scores_ask_for_a_margin() -> None:
    """It is the share of scores that had come before."""
    assert repeated_share(np.array([1.0, 1.0, 2.0, 1.0])) == 0.5
    assert repeated_share(np.array([1.0, 2.0])) == 0
    assert repeated_share(np.array([])) == 0


@pytest.mark.parametrize(
    ("scores", "factor"),
    [
        (np.arange(50.0), 0.2),
        (np.zeros(10), 1.0),
        ([0.0] * 20 + list(range(1, 21)), 0.2),
        ([*range(-20, 0), *range(19), 18.0], 0.5),
        ([*range(-20, 0), *range(18), 17.0, 17.0], 1.0),
        ([math.nan, math.nan, -math.inf, 1.0, 2.0], 0.2),
        ([], 0.2),
    ],
    ids=[
        "distinct",
        "constant",
        "bad repeat",
        "one of 20",
        "two of 20",
        "failures",
        "none",
    ],
)
def test_repeats_among_the_better_scores_ask_for_steps_off_the_model(
    scores: Any, factor: float
) -> None:
    """All of them where a tenth of the better half repeats, a fifth where none does."""
    assert off_model_factor(np.array(scores, dtype=float)) == factor


def test_steps_off_the_model_do_not_depend_on_order_or_scale() -> None:
    """Nor on the worse half: they are told by the ties among the better scores."""
    rng = np.random.default_rng(0)
    scores = np.round(rng.random(80), 2)
    factor = off_model_factor(scores)
    assert 0.2 < factor <= 1
    assert off_model_factor(rng.permutation(scores)) == factor
    assert off_model_factor(scores * 4.0 - 8.0) == factor


def test_the_score_to_improve_on_is_the_best_expected_one_and_the_margin() -> None:
    """Of the points that did not fail, whatever the model expects of the others."""
    asked_of = []

    def acquisition(mean: Any, std: Any, best: float) -> Any:
        asked_of.append(best)
        return upper_confidence_bound(mean, std)

    x, scores = np.linspace(0, 1, 8), np.array([0, 1, 1, 2, 2, 3, 4.0, np.nan])
    seen, gp = observed(x, scores, np.zeros(8)), GaussianProcess(SPACE)
    objective(gp, lambda noise: acquisition, seen, np.empty((0, 1)))
    mean, _ = gp.predict(seen.X)
    assert asked_of[0] == pytest.approx(mean[seen.ok].max() + 2 / 7)


@pytest.mark.parametrize(
    "acquisition", [log_expected_improvement, upper_confidence_bound]
)
def test_gradients_are_those_of_what_is_maximized(acquisition: Any) -> None:
    """Also where it is weighed by the probability of success."""
    x = np.linspace(0, 1, 9)
    scores = np.where((x > 0.2) & (x < 0.5), np.nan, np.sin(5 * x))
    for y in (scores, np.sin(5 * x)):
        seen = observed(x, y, np.zeros(9))
        promise, _ = objective(
            GaussianProcess(SPACE), lambda noise: acquisition, seen, np.empty((0, 1))
        )
        Z, h = np.linspace(0.03, 0.97, 23)[:, np.newaxis], 1e-6
        assert promise.gradient is not None
        value, gradient = promise.gradient(Z)
        np.testing.assert_allclose(value, promise.value(Z), rtol=1e-6, atol=1e-9)
        difference = (promise.value(Z + h) - promise.value(Z - h)) / (2 * h)
        np.testing.assert_allclose(gradient[:, 0], difference, rtol=2e-3, atol=1e-3)


def test_a_risk_makes_what_is_promising_less_so() -> None:
    """Nothing that is below the typical value gets better by it."""
    x = np.linspace(0, 1, 12)
    scores = np.where(x > 0.6, np.nan, x)
    seen = observed(x, scores, np.zeros(12))
    gp = GaussianProcess(SPACE)
    promise, ranked = objective(
        gp, lambda noise: upper_confidence_bound, seen, np.empty((0, 1))
    )
    Z = np.linspace(0, 1, 50)[:, np.newaxis]
    plain = upper_confidence_bound(*gp.predict(Z)).value
    weighed = promise.value(Z)
    assert (weighed <= plain + 1e-12).all()
    assert (weighed[Z[:, 0] > 0.7] < plain[Z[:, 0] > 0.7]).any()
    np.testing.assert_array_equal(ranked[0], x[seen.ok][-1:])


def test_pending_candidates_are_believed_to_score_as_expected() -> None:
    """So the next one is elsewhere, and the expectation stays as it was."""
    x = np.linspace(0, 1, 7)
    seen = observed(x, np.sin(4 * x), np.zeros(7))
    Z = np.array([[0.43], [0.9]])
    gp = GaussianProcess(SPACE)
    objective(gp, lambda noise: upper_confidence_bound, seen, Z[:0])
    mean, std = gp.predict(Z)
    gp = GaussianProcess(SPACE)
    objective(gp, lambda noise: upper_confidence_bound, seen, Z[:1])
    with_pending, less = gp.predict(Z)
    np.testing.assert_allclose(with_pending, mean, atol=0.02)
    assert less[0] < 0.9 * std[0]


@pytest.mark.parametrize("place", [0.0, 0.2, 1.0])
def test_pending_candidates_are_bad_ones_to_a_ratio_of_densities(place: float) -> None:
    """So that it does not propose the same place again, of which it knows nothing."""
    x = np.linspace(0, 1, 32)  # a tenth, rounded up, of as many and of one more is 4
    seen, Z = observed(x, -((x - 0.5) ** 2), np.zeros(32)), np.array([[place]])
    promises = []
    for pending in (Z[:0], Z):
        model = make_surrogate("tpe", SPACE)
        promise, _ = objective(model, lambda _: upper_confidence_bound, seen, pending)
        promises.append(promise.value(Z)[0])
    assert promises[1] < promises[0]


def test_the_best_params_are_of_the_best_score_infinite_or_not() -> None:
    """As scikit-learn ranks them; the first of several."""
    optimizer = BayesOptimizer({"x": Real(0, 1)}, random_state=0)
    for x, score in ((0.1, 0.5), (0.2, math.nan), (0.3, 0.9), (0.4, 0.9), (0.5, -1.0)):
        optimizer.tell([Trial.from_scores(Candidate(-1, {"x": x}), (score,))])
    assert optimizer.best_params == {"x": 0.3}
    optimizer.tell(
        [Trial.from_scores(Candidate(-1, {"x": 0.6}), (math.inf,), failed=True)]
    )
    assert optimizer.best_params == {"x": 0.3}
    optimizer.tell([Trial.from_scores(Candidate(-1, {"x": 0.7}), (math.inf,))])
    assert optimizer.best_params == {"x": 0.7}
