"""Bayesian optimization: its links, one by one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import loguniform
from sklearn.datasets import load_iris
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import Ridge
from sklearn.svm import SVC

from skhpo import BayesSearch
from skhpo.acquisition import (
    ACQUISITIONS,
    NumericalAcquisition,
    log_expected_improvement,
    upper_confidence_bound,
)
from skhpo.exceptions import InvalidSpaceError
from skhpo.optimizers import AnnealOptimizer, BayesOptimizer, Candidate, Trial
from skhpo.optimizers._belief import (
    Observations,
    objective,
    relative_noise,
    repeated_share,
    targets,
)
from skhpo.optimizers._maximize import Objective, maximize, perturb, point_key
from skhpo.search._bayes import _as_given
from skhpo.space import Choice, Integer, Real, SearchSpace
from skhpo.surrogates import GaussianProcess
from skhpo.surrogates._base import make_surrogate

SPACE = SearchSpace(
    {
        "x": Real(0, 1),
        "n": Integer(0, 99),
        "c": ["a", "b", "c"],
        "k": Choice({"p": None, "q": {"y": Real(0, 1)}}),
    }
)
# x = 0.3, n = 70 (center of cell 70 of 100), c = "b", k = "q", y = 0.9
BEST = np.array([0.3, 0.705, 0.5, 0.75, 0.9])


def bump(X: Any) -> Any:
    """Return a function with its maximum 0 at BEST, and 1 less without y."""
    gap = (X[:, :2] - BEST[:2]) ** 2
    value = -gap.sum(axis=1) - 0.3 * (X[:, 2] != BEST[2])
    return value - np.where(np.isnan(X[:, 4]), 1.0, (X[:, 4] - BEST[4]) ** 2)


def bump_gradient(X: Any) -> Any:
    """Return values and derivatives of `bump`."""
    gradient = np.zeros(X.shape)
    gradient[:, :2] = -2 * (X[:, :2] - BEST[:2])
    gradient[:, 4] = np.nan_to_num(-2 * (X[:, 4] - BEST[4]))
    return bump(X), gradient


@pytest.mark.parametrize("gradient", [bump_gradient, None])
def test_maximum_over_a_mixed_conditional_space(gradient: Any) -> None:
    """All kinds of columns end at the best point; without gradients nearly."""
    rng = np.random.default_rng(0)
    start = SPACE.sample(5, lambda m: rng.random((m, SPACE.n_columns)))
    x = maximize(Objective(bump, gradient), SPACE, start, set(), rng)
    np.testing.assert_allclose(x, BEST, atol=1e-3 if gradient else 0.15)


def test_maximum_is_never_a_seen_or_forbidden_point() -> None:
    """The second best is returned once the best was seen."""
    space = SearchSpace({"n": Integer(0, 9)}, lambda params: params["n"] != 7)
    objective = Objective(lambda X: -np.abs(X[:, 0] - 0.75))
    seen: set[bytes] = set()
    found = []
    for _ in range(9):
        rng = np.random.default_rng(len(seen))
        x = maximize(objective, space, space.points()[:2], seen, rng)
        assert x is not None
        seen.add(point_key(x))
        found.append(space.decode(x)["n"])
    assert found[:3] == [6, 8, 5] or found[:3] == [6, 8, 9]
    assert sorted(found) == [0, 1, 2, 3, 4, 5, 6, 8, 9]
    assert maximize(objective, space, space.points()[:2], seen, rng) is None


def test_perturbations_change_one_to_three_columns() -> None:
    """And what becomes active by it."""
    rng = np.random.default_rng(0)
    flat = SearchSpace({f"x{i}": Real(0, 1) for i in range(6)})
    Z = perturb(np.full((1, 6), 0.5), 200, flat, rng)
    changed = (Z != 0.5).sum(axis=1)
    assert set(changed) == {1, 2, 3}
    mixed = perturb(SPACE.center()[np.newaxis], 200, SPACE, rng)
    np.testing.assert_array_equal(SPACE.snap(mixed), mixed)


def test_noise_is_what_splits_disagree_about() -> None:
    """What a split adds to all candidates is no noise."""
    rng = np.random.default_rng(0)
    level = np.array([0.01] * 10 + [0.1] * 10)[:, np.newaxis]
    S = rng.random((20, 1)) + 5 * rng.random((1, 8))
    S += level * rng.standard_normal((20, 8))
    noise = relative_noise(S)
    assert noise[10:].mean() > 5 * noise[:10].mean()
    np.testing.assert_array_equal(relative_noise(S[:, :1]), 1.0)
    S[3] = np.nan
    assert relative_noise(S)[3] == 1.0


def test_failures_come_slightly_below_the_worst() -> None:
    """Whatever the scale of the scores."""
    rng = np.random.default_rng(0)
    X = rng.random((10, 1))
    scores = 1e6 * rng.random(10)
    scores[[2, 5]] = np.nan
    space = SearchSpace({"x": Real(0, 1)})
    y, v = targets(Observations(X, scores, np.ones(10)), GaussianProcess(space))
    ok = np.isfinite(scores)
    assert (y[~ok] < y[ok].min()).all()
    assert (y[~ok] > y[ok].min() - 0.5).all()
    np.testing.assert_array_equal(np.argsort(y[ok]), np.argsort(scores[ok]))
    np.testing.assert_array_equal(v, 1.0)


def test_given_params_come_first_then_the_center() -> None:
    """Repetitions among them are left out."""
    space = {"x": Real(0, 1), "k": ["a", "b"]}
    given = [{"x": 0.25, "k": "b"}, {"x": 0.25, "k": "b"}, {"x": 1.0, "k": "a"}]
    optimizer = BayesOptimizer(space, initial_params=given, random_state=0)
    assert [c.params for c in optimizer.ask(2)] == [given[0], given[2]]
    (center,) = BayesOptimizer(space, random_state=0).ask(1)
    assert center.params["x"] == 0.5


@pytest.mark.parametrize(
    "C", [Real(0.1, 10, log=True), loguniform(0.1, 10)], ids=["log", "loguniform"]
)
def test_values_come_back_as_given(C: Any) -> None:
    """Neither rounded by the way to the cube and back, nor of another type."""
    given = [{"C": 1.0}, {"C": 2}, {"C": 0.3}]
    optimizer = BayesOptimizer({"C": C}, initial_params=given, random_state=0)
    candidates = optimizer.ask(3)
    assert [repr(c.params) for c in candidates] == [repr(params) for params in given]
    optimizer.tell(
        [Trial.from_scores(c, (-abs(c.params["C"] - 2),)) for c in candidates]
    )
    assert repr(optimizer.best_params) == "{'C': 2}"


def test_defaults_are_those_of_the_estimator() -> None:
    """To the last bit; what lies outside is moved, and lists keep their values."""
    space = {"C": Real(0.1, 10, log=True), "tol": Real(0.1, 1), "degree": [3.0, 4.0]}
    search = BayesSearch(SVC(), space)
    (params,) = search._initial_candidates(search._compile())
    assert repr(params) == "{'C': 1.0, 'tol': 0.1, 'degree': 3.0}"


def test_where_the_estimator_stands_takes_work_in_proportion_to_the_columns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each column is placed by itself, and after those that it depends on."""
    n_snapped = 0

    def counting(dimension: Any, u: Any, snap: Any = Real.snap) -> Any:
        nonlocal n_snapped
        n_snapped += 1
        return snap(dimension, u)

    monkeypatch.setattr(Real, "snap", counting)
    work = []
    for n in (5, 50):
        branches = [(i, {f"x{i}": Real(0.1, 10, log=True)}) for i in range(n)]
        flat = {f"y{i}": Real(0.1, 10, log=True) for i in range(n)}
        space = SearchSpace({**flat, "k": Choice(branches)})
        own = {**dict.fromkeys(flat, 1.0), "k": 3, "x3": 2.0}
        n_snapped = 0
        assert _as_given(space, space.complete(own), own) == own
        work.append(n_snapped)
    assert work[1] <= 10 * work[0]


def test_given_params_must_meet_the_constraints() -> None:
    """Those that the user gives; the estimator's own are left out."""

    def is_large(params: Any) -> bool:
        return params["C"] > 2

    space = {"C": Real(0.1, 10)}
    with pytest.raises(InvalidSpaceError, match=r"{'C': 1.0} do not meet the constr"):
        BayesOptimizer(space, initial_params=[{"C": 1.0}], constraints=is_large)
    search = BayesSearch(SVC(), space, constraints=is_large)
    assert search._initial_candidates(search._compile()) == []


@pytest.mark.parametrize("kind", [BayesOptimizer, AnnealOptimizer])
@pytest.mark.parametrize(
    "told", [[{"x": 0.5}], Trial.from_scores(Candidate(0, {}), (1.0,))]
)
def test_tell_takes_trials(kind: Any, told: Any) -> None:
    """Anything else is refused, with how to make one."""
    with pytest.raises(TypeError, match=r"tell\(\[Trial.from_scores\(candidate, \(sc"):
        kind({"x": Real(0, 1)}).tell(told)


def test_earlier_trials_count_as_observations() -> None:
    """They are neither proposed again nor forgotten."""
    optimizer = BayesOptimizer({"n": Integer(0, 30)}, n_initial=3, random_state=0)
    earlier = [Candidate(-1 - n, {"n": n}) for n in range(0, 31, 3)]
    optimizer.tell(
        [Trial.from_scores(c, (-abs(c.params["n"] - 17.0),)) for c in earlier]
    )
    assert optimizer.best_params == {"n": 18}
    asked = []
    for _ in range(4):
        (candidate,) = optimizer.ask(1)
        asked.append(candidate.params["n"])
        optimizer.tell([Trial.from_scores(candidate, (-abs(asked[-1] - 17.0),))])
    assert not set(asked) & set(range(0, 31, 3))
    assert optimizer.best_params == {"n": 17}


def test_a_callable_acquisition_is_maximized() -> None:
    """Pure exploration spreads the candidates out."""
    optimizer = BayesOptimizer(
        {"x": Real(0, 1)}, acquisition=lambda mean, std, best: std, random_state=1
    )
    xs = []
    for _ in range(14):
        (candidate,) = optimizer.ask(1)
        xs.append(candidate.params["x"])
        optimizer.tell([Trial.from_scores(candidate, (0.1 * xs[-1],))])
    assert np.diff(np.sort([0.0, *xs, 1.0])).max() < 0.25


class TwoPlaces:
    """A model that is sure of 0.01 more at x > 1/2, and knows little elsewhere."""

    def fit(self, X: Any, y: Any) -> TwoPlaces:
        """Remember the best score."""
        self.best = np.max(y)
        return self

    def predict(self, X: Any) -> Any:
        """Return mean and deviation."""
        sure = X[:, 0] > 0.5
        gain = np.where(sure, 0.01 * (X[:, 0] < 0.9), -0.1)
        return self.best + gain, np.where(sure, 1e-3, 0.05)


@pytest.mark.parametrize("name", ["pi", "ei"])
@pytest.mark.parametrize(
    ("scores", "repeated"),
    [
        ([0.0, 0.5, 0.9, 1.0], False),
        ([0.0, 1.0, 1.0, 1.0], True),
        ([np.nan, np.nan, np.nan, 1.0], False),  # failures are no scores
    ],
)
def test_repeated_scores_ask_for_a_larger_gain(
    name: str, scores: list[float], repeated: bool
) -> None:
    """A sure gain is preferred to a chance of more, unless scores repeat themselves."""
    X = np.array([[0.92], [0.94], [0.96], [0.98]])
    seen = Observations(X, np.array(scores), np.ones(4))
    space = SearchSpace({"x": Real(0, 1)})
    model = make_surrogate(TwoPlaces(), space)
    draw = lambda noise: ACQUISITIONS[name]  # noqa: E731
    promise, _ = objective(model, draw, seen, np.empty((0, 1)))
    sure, unsure = promise.value(np.array([[0.7], [0.3]]))
    assert (sure > unsure) == (not repeated)


def test_repeated_share() -> None:
    """Nothing repeats itself among different scores, however close."""
    assert repeated_share(np.array([])) == 0.0
    assert repeated_share(np.array([3.0, 1.0, 2.0])) == 0.0
    assert repeated_share(np.array([3.0, 1.0, 3.0, 1.0])) == 0.5
    assert repeated_share(np.array([1.0, 1.0 + 1e-15])) == 0.0


FAILING = SearchSpace({"x": Real(0, 1)})
X_FAILING = np.linspace(0, 1, 21)[:, np.newaxis]
# Better to the right, where beyond 0.7 everything fails.
SCORES = np.where(X_FAILING[:, 0] > 0.7, np.nan, 0.1 * X_FAILING[:, 0])


def promise(surrogate: str, acquisition: Any, pending: Any = ()) -> Objective:
    """Return what is maximized after the observations above."""
    seen = Observations(X_FAILING, SCORES, np.ones(len(SCORES)))
    pending = np.array(pending, dtype=float).reshape(-1, 1)
    model = make_surrogate(surrogate, FAILING)
    return objective(model, lambda noise: acquisition, seen, pending)[0]


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("offset", [-1.0, 0.0, 1.0])
def test_failures_weigh_the_same_whatever_the_scale(
    scale: float, offset: float
) -> None:
    """An acquisition times a number, or plus one, ranks the candidates as before."""

    def scaled(mean: Any, std: Any, best: float) -> Any:
        return scale * (upper_confidence_bound(mean, std, best).value + offset)

    plain = promise("gp", upper_confidence_bound)
    other = promise("gp", NumericalAcquisition(scaled))
    Z = np.linspace(0, 1, 50)[:, np.newaxis]
    expected = scale * (plain.value(Z) + offset)
    np.testing.assert_allclose(other.value(Z), expected, atol=1e-8 * scale)


@pytest.mark.parametrize(
    "acquisition", [upper_confidence_bound, log_expected_improvement]
)
def test_weighing_by_success_has_the_gradient_it_says(acquisition: Any) -> None:
    """The finite difference, where success is neither sure nor hopeless."""
    promised = promise("gp", acquisition)
    assert promised.gradient is not None
    for x in (0.33, 0.68, 0.72):
        numeric = approx_fprime([x], lambda z: promised.value(z[np.newaxis])[0], 1e-7)
        value, slope = promised.gradient(np.array([[x]]))
        np.testing.assert_allclose(value, promised.value(np.array([[x]])))
        np.testing.assert_allclose(slope[0], numeric, rtol=1e-3, atol=1e-4)


def test_parzen_estimator_takes_pending_ones_and_failures_as_bad() -> None:
    """It has no expectation to believe in, and its ratio is no probability."""
    x = np.array([[0.65]])
    alone = promise("tpe", upper_confidence_bound)
    beside = promise("tpe", upper_confidence_bound, pending=[0.64, 0.65, 0.66])
    assert beside.value(x) < alone.value(x)
    X = np.concatenate([X_FAILING[14:15], np.linspace(0.8, 1, 60)[:, np.newaxis]])
    tpe = make_surrogate("tpe", FAILING)
    tpe.fit(X, np.array([1.0] + [0.0] * 60))
    assert tpe.model._good.X.tolist() == X[:1].tolist()  # type: ignore[attr-defined]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_regressors_of_scikit_learn_are_surrogates() -> None:
    """Those that return a deviation when told to; others are told what is missing."""
    X, y = load_iris(return_X_y=True)
    space = {"C": loguniform(1e-2, 1e2)}
    options = {"n_iter": 8, "n_initial": 4, "cv": 3, "random_state": 0}
    search = BayesSearch(SVC(), space, surrogate=GaussianProcessRegressor(), **options)
    assert search.fit(X, y).best_score_ > 0.9
    search.set_params(surrogate=Ridge())
    with pytest.raises(TypeError, match=r"'predict' of the surrogate Ridge\(\) must"):
        search.fit(X, y)


@pytest.mark.parametrize("acquisition", ["ei", "log_ei", "pi", "ucb"])
def test_every_acquisition_finds_a_smooth_maximum(acquisition: str) -> None:
    """Of one variable, within 15 candidates."""
    optimizer = BayesOptimizer(
        {"x": Real(0, 1)}, acquisition=acquisition, random_state=0
    )
    for _ in range(15):
        (candidate,) = optimizer.ask(1)
        score = -((candidate.params["x"] - 0.6180) ** 2)
        optimizer.tell([Trial.from_scores(candidate, (score,))])
    assert optimizer.best_params["x"] == pytest.approx(0.618, abs=0.02)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"acquisition": "thompson"}, "'acquisition' parameter.*Got 'thompson'"),
        ({"acquisition": "ei", "surrogate": "tpe"}, "must be 'auto' with it. Got 'ei'"),
        ({"surrogate": "svm"}, "'surrogate' parameter.*Got 'svm'"),
        ({"n_initial": 0}, "'n_initial' parameter.*positive integer. Got 0"),
        ({"initial_params": [{"x": 2.0}]}, "not in the search space: 2.0"),
    ],
)
def test_mistakes_are_named(options: dict[str, Any], message: str) -> None:
    """With the value and what is allowed."""
    with pytest.raises(ValueError, match=message):
        BayesOptimizer({"x": Real(0, 1)}, **options)


def test_unsatisfiable_constraints_end_in_an_error() -> None:
    """After a bounded number of draws."""
    optimizer = BayesOptimizer({"x": Real(0, 1)}, constraints=lambda params: False)
    with pytest.raises(InvalidSpaceError, match="No candidate met the constraints"):
        optimizer.ask(1)


def test_no_score_no_best() -> None:
    """And that is said."""
    optimizer = BayesOptimizer({"x": Real(0, 1)}, random_state=0)
    (candidate,) = optimizer.ask(1)
    optimizer.tell([Trial.from_scores(candidate, (math.nan,), failed=True)])
    with pytest.raises(ValueError, match="No trial with a finite score"):
        _ = optimizer.best_params


def test_an_earlier_search_is_learned_from() -> None:
    """As a search or as its results; what it tried is not tried again."""
    X, y = load_iris(return_X_y=True)
    options = {"n_iter": 6, "cv": 3, "random_state": 0, "initial_params": None}
    space = {"C": Integer(1, 40)}
    first = BayesSearch(SVC(), space, **options).fit(X, y)
    tried = [params["C"] for params in first.cv_results_["params"]]
    afresh = BayesSearch(SVC(), space, **options).fit(X, y)
    for earlier in (first, first.cv_results_):
        search = BayesSearch(SVC(), space, prior_results=earlier, **options).fit(X, y)
        found = [params["C"] for params in search.cv_results_["params"]]
        assert len(set(found) | set(tried)) == 12
        assert found != [params["C"] for params in afresh.cv_results_["params"]]
    means = {name: first.cv_results_[name] for name in ("params", "mean_test_score")}
    search = BayesSearch(SVC(), space, prior_results=means, **options).fit(X, y)
    found = [params["C"] for params in search.cv_results_["params"]]
    assert len(set(found) | set(tried)) == 12
