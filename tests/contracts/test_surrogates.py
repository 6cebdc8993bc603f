"""What every surrogate promises, checked for all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF

from skhpo._trial import Candidate, Trial
from skhpo.optimizers import BayesOptimizer
from skhpo.space import Choice, Integer, Real, SearchSpace
from skhpo.surrogates import (
    GaussianProcess,
    ParzenEstimator,
    RandomForest,
    _hyperparameters,
)
from skhpo.surrogates._base import make_surrogate
from skhpo.surrogates._covariance import column_distances, matern52, matern52_gradient
from skhpo.surrogates._embedding import Embedding
from skhpo.surrogates._forest import BLOCK
from skhpo.surrogates._hyperparameters import Prior, negative_log_posterior
from skhpo.surrogates._warp import independent_log_likelihood, warp

SPACE = SearchSpace(
    {
        "x": Real(0, 1),
        "n": Integer(1, 50),
        "c": ["a", "b", "c"],
        "k": Choice({"p": None, "q": {"y": Real(0, 1), "z": ["u", "v"]}}),
    }
)
SURROGATES = [GaussianProcess, RandomForest, ParzenEstimator]


def points(n: int, seed: int = 0, space: SearchSpace = SPACE) -> Any:
    """Return random encoded points."""
    rng = np.random.default_rng(seed)
    return space.sample(n, lambda m: rng.random((m, space.n_columns)))


def values(X: Any) -> Any:
    """Return a function of all columns."""
    return np.sin(4 * X[:, 0]) + X[:, 2] + np.nan_to_num(X[:, 4], nan=0.7) ** 2


@pytest.mark.parametrize("kind", SURROGATES)
@pytest.mark.parametrize("n", [1, 2, 3, 40])
def test_predicts_finite_means_and_deviations(kind: Any, n: int) -> None:
    """Whatever the number of observations, and wherever one asks."""
    X = points(n)
    mean, std = kind(SPACE).fit(X, values(X)).predict(points(25, seed=1))
    assert mean.shape == std.shape == (25,)
    assert np.isfinite(mean).all()
    assert np.isfinite(std).all()
    assert (std >= 0).all()


@pytest.mark.parametrize("kind", SURROGATES)
def test_points_are_predicted_each_for_itself(kind: Any) -> None:
    """However many are asked for at once, none included."""
    X, Z = points(30), points(600, seed=1)
    surrogate = kind(SPACE).fit(X, values(X))
    together = surrogate.predict(Z)
    for one in (0, 255, 256, 599):
        alone = surrogate.predict(Z[[one]])
        np.testing.assert_allclose([t[one] for t in together], np.ravel(alone))
    assert [part.shape for part in surrogate.predict(Z[:0])] == [(0,), (0,)]


@pytest.mark.parametrize("kind", SURROGATES)
def test_constant_scores_and_repeated_points(kind: Any) -> None:
    """Neither breaks a fit."""
    X = np.repeat(points(4), 5, axis=0)
    mean, std = kind(SPACE).fit(X, np.zeros(20)).predict(points(10, seed=1))
    assert np.isfinite(mean).all()
    assert np.isfinite(std).all()


@pytest.mark.parametrize("kind", SURROGATES)
def test_learns_the_order_of_scores(kind: Any) -> None:
    """Points never seen are ranked better than by chance."""
    X, Z = points(80), points(80, seed=1)
    mean, _ = kind(SPACE).fit(X, values(X)).predict(Z)
    good = values(Z) > np.quantile(values(Z), 0.9)
    assert mean[good].mean() > mean[~good].mean()


@pytest.mark.parametrize("kind", SURROGATES)
def test_fit_is_deterministic_and_mutates_nothing(kind: Any) -> None:
    """Two fits agree; the arrays are as before."""
    X, Z = points(30), points(10, seed=1)
    y = values(X)
    X_before, y_before = X.copy(), y.copy()
    first, second = (kind(SPACE).fit(X, y).predict(Z) for _ in "ab")
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(X, X_before)
    np.testing.assert_array_equal(y, y_before)


@pytest.mark.parametrize("kind", SURROGATES)
def test_spaces_of_one_point(kind: Any) -> None:
    """A space without any varying column has one prediction."""
    space = SearchSpace({"a": [1]})
    X = points(3, space=space)
    mean, std = kind(space).fit(X, np.array([1.0, 2.0, 3.0])).predict(X)
    assert np.isfinite(mean).all()
    assert np.isfinite(std).all()


def test_objects_with_fit_and_predict_are_surrogates() -> None:
    """They are copied, and see -1 where a parameter does not exist."""

    class Mean:
        def fit(self, X: Any, y: Any) -> None:
            assert np.isfinite(X).all()
            assert X.min() == -1
            self.mean = y.mean()

        def predict(self, X: Any) -> Any:
            return np.full(len(X), self.mean), np.ones(len(X))

    own = Mean()
    surrogate = make_surrogate(own, SPACE)
    X = points(20)
    surrogate.fit(X, values(X))
    assert surrogate.predict(X)[0][0] == pytest.approx(values(X).mean())
    assert not hasattr(own, "mean")


def test_a_model_may_have_any_other_method() -> None:
    """One called `sample` makes it no ratio of densities: only what it says does."""

    class Sampling:
        def fit(self, X: Any, y: Any) -> None: ...

        def predict(self, X: Any) -> Any:
            return X[:, 0], np.ones(len(X))

        def sample(self, m: int, rng: Any) -> Any:
            raise AssertionError("nobody asked for that")

    class Ranking(Sampling):
        ranks_directly = True

        def sample(self, m: int, rng: Any) -> Any:
            return np.full((m, 1), 0.25) + 0.01 * rng.random((m, 1))

    def ask(surrogate: Any, **options: Any) -> Any:
        optimizer = BayesOptimizer(
            {"x": Real(0, 1)},
            surrogate=surrogate,
            random_state=0,
            n_initial=2,
            **options,
        )
        for x in np.linspace(0, 1, 9):
            optimizer.tell([Trial.from_scores(Candidate(-1, {"x": float(x)}), (x,))])
        return optimizer, [c.params["x"] for c in optimizer.ask(6)]

    optimizer, _ = ask(Sampling(), acquisition="ucb")
    assert np.isfinite(optimizer.regret_bound())
    optimizer, asked = ask(Ranking())
    assert sum(0.25 <= x <= 0.26 for x in asked) >= 3
    with pytest.raises(TypeError, match="no bound"):
        optimizer.regret_bound()
    with pytest.raises(ValueError, match=r"ranks_directly=True.*'acquisition' must be"):
        ask(Ranking(), acquisition="ucb")


class Drawing:
    """Ranks directly; a function says what it draws."""

    ranks_directly = True

    def __init__(self, draw: Any) -> None:
        self.draw = draw

    def fit(self, X: Any, y: Any) -> None:
        self.best_ = X[np.argmax(y)]

    def predict(self, X: Any) -> Any:
        return -np.abs(X - self.best_).sum(axis=1), np.zeros(len(X))

    def sample(self, m: int, rng: Any) -> Any:
        return self.draw(self.best_, m, rng)


def proposals(space: Any, draw: Any, n: int = 25) -> list[Any]:
    """Return what is asked for with such a surrogate."""
    optimizer, asked = BayesOptimizer(space, surrogate=Drawing(draw), n_initial=3), []
    for _ in range(n):
        (candidate,) = optimizer.ask(1)
        asked.append(candidate.params)
        optimizer.tell([Trial.from_scores(candidate, (len(repr(asked[-1])),))])
    return asked


CELLS: dict[str, Any] = {"b": Integer(1, 100), "c": [str(i) for i in range(100)]}
BRANCHES: dict[str, Any] = {"k": Choice({"p": None, "q": {"x": Real(0, 1)}})}


@pytest.mark.parametrize("space", [CELLS, CELLS | BRANCHES], ids=["cells", "branches"])
@pytest.mark.parametrize("spread", [1e-3, 1e3])
def test_points_that_a_surrogate_draws_become_points_of_the_space(
    space: Any, spread: float
) -> None:
    """Nothing twice and nothing outside, wherever in a cell or beside it they are."""

    def draw(best: Any, m: int, rng: Any) -> Any:
        return best + spread * rng.standard_normal((m, len(best)))

    asked = proposals(space, draw)
    assert len({repr(params) for params in asked}) == len(asked)
    for params in asked:
        assert ("x" in params) == (params.get("k") == "q")
        SearchSpace(space).encode(params)


@pytest.mark.parametrize(
    "draw",
    [
        lambda best, m, rng: rng.random((m, 1)),
        lambda best, m, rng: rng.random((m - 1, 2)),
        lambda best, m, rng: rng.random(m),
        lambda best, m, rng: None,
        lambda best, m, rng: [["a", "b"]] * m,
        lambda best, m, rng: [[0.1, 0.2]] * (m - 1) + [[0.1]],
    ],
)
def test_what_is_drawn_are_points_of_the_cube(draw: Any) -> None:
    with pytest.raises(TypeError, match=r"'sample' .*Drawing.* shape \(24, 2\)"):
        proposals({"x": Real(0, 1), "y": Real(0, 1)}, draw)


def test_what_ranks_directly_must_draw_candidates() -> None:
    """It is said at once what is missing."""

    class Ranking:
        ranks_directly = True
        fit = predict = print

    with pytest.raises(ValueError, match=r"must have a method sample\(m, rng\)"):
        make_surrogate(Ranking(), SPACE)


UNSURE = {
    "gp": lambda space: make_surrogate("gp", space),
    "forest": lambda space: make_surrogate("forest", space),
    "own": lambda space: make_surrogate(
        GaussianProcessRegressor(RBF(0.1), optimizer=None, normalize_y=True), space
    ),
}


@pytest.mark.parametrize("make", UNSURE.values(), ids=UNSURE)
def test_what_is_far_from_the_data_is_less_sure(make: Any) -> None:
    """Deviations are larger in a gap than at the data, and have the unit of these."""
    space = SearchSpace({"x": Real(0, 1)})
    X = np.concatenate([np.linspace(0, 0.25, 8), np.linspace(0.75, 1, 8)])[:, None]
    gap = np.array([[0.4], [0.5], [0.6]])
    y = 2.0 * (X[:, 0] > 0.5) + 0.1 * np.sin(9 * X[:, 0])
    surrogate = make(space).fit(X, y)
    at_data, far = surrogate.predict(X)[1], surrogate.predict(gap)[1]
    assert far.min() > 2 * np.median(at_data)
    assert far.min() > 0.02 * y.std()
    for a in (1e-3, 1e3):
        mean, std = make(space).fit(X, a * y).predict(gap)
        np.testing.assert_allclose(std, a * far, rtol=1e-3)
        np.testing.assert_allclose(mean, a * surrogate.predict(gap)[0], rtol=1e-3)


def test_a_forest_is_unsure_where_scores_differ_and_where_trees_do() -> None:
    """The variance within the leaves, and that between the trees."""
    space, half = SearchSpace({"x": Real(0, 1)}), np.full((1, 1), 0.5)
    scores = np.tile([-1.0, 1.0], 20)
    forest = RandomForest(space).fit(np.full((40, 1), 0.5), scores)
    mean, std = forest.predict(half)
    assert abs(mean[0]) < 0.1
    assert std[0] == pytest.approx(1, abs=0.1)
    X = np.repeat([[0.0], [1.0]], 20, axis=0)
    mean, std = RandomForest(space).fit(X, 2 * X[:, 0]).predict(half)
    assert mean[0] == pytest.approx(1, abs=0.5)
    assert std[0] == pytest.approx(1, abs=0.15)


def test_a_forest_predicts_each_of_many_points() -> None:
    """Also at the borders of the blocks in which it takes them."""
    space, X = SearchSpace({"x": Real(0, 1)}), np.linspace(0, 1, 6)[:, np.newaxis]
    forest = RandomForest(space, n_trees=3).fit(X, X[:, 0])
    Z = np.random.default_rng(0).random((2 * BLOCK + 3, 1))
    backwards = [part[::-1] for part in forest.predict(Z[::-1])]
    np.testing.assert_array_equal(forest.predict(Z), backwards)


@pytest.mark.parametrize("power", [-1000, -600, 600, 1000])
def test_gp_learns_values_whose_squares_are_no_floats(power: int) -> None:
    """The same, in another unit."""
    X, Z = points(20), points(5, seed=1)
    y = values(X)
    plain = np.array(GaussianProcess(SPACE).fit(X, y).predict(Z))
    gp = GaussianProcess(SPACE).fit(X, np.ldexp(y, power))
    np.testing.assert_array_equal(gp.predict(Z), np.ldexp(plain, power))


def test_unknown_surrogate_is_named() -> None:
    """The message lists what there is."""
    with pytest.raises(ValueError, match=r"one of \['gp', 'forest', 'tpe'\].*'svm'"):
        make_surrogate("svm", SPACE)


# -- the Gaussian process ------------------------------------------------------


def test_likelihood_gradient_is_the_finite_difference() -> None:
    """Of all parameters: length-scales, signal, noise."""
    X = points(25)
    gp = GaussianProcess(SPACE).fit(X, values(X))
    D = column_distances(gp._F, gp.embedding.group, gp.embedding.n_groups)
    v = np.linspace(0.5, 2, 25)
    theta = gp.prior.mean + 0.3 * np.arange(len(gp.prior.mean))

    def f(theta: Any) -> Any:
        return negative_log_posterior(theta, D, gp._y, v, gp.prior)

    numeric = approx_fprime(theta, lambda t: f(t)[0], 1e-6)
    np.testing.assert_allclose(f(theta)[1], numeric, rtol=1e-4, atol=1e-4)


class NumPyWithLogsBehind:
    """NumPy where the result of a logarithm lies in memory just behind its argument."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def log(self, x: Any) -> Any:
        step, n = x.strides[0] // x.itemsize, len(x)
        memory = np.empty(step * (n - 1) + 3 + n)  # 2 numbers for the allocator between
        argument, result = memory[: -n - 2 : step], memory[-n:]
        argument[:] = x
        return np.log(argument, out=result)


def test_the_place_in_memory_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy 1.24 chooses among its loops also by where a result will lie."""
    X, embedding = points(40), Embedding(SPACE)
    D = column_distances(embedding(X), embedding.group, embedding.n_groups)
    prior = Prior.for_columns(embedding.n_groups, SPACE.n_active)

    def f(theta: Any) -> float:
        y, v = values(X), np.ones(len(X))
        return negative_log_posterior(theta, D, y, v, prior)[0]

    rng = np.random.default_rng(0)
    thetas = prior.mean + rng.normal(size=(20, len(prior.mean)))
    anywhere = [f(theta) for theta in thetas]
    monkeypatch.setattr(_hyperparameters, "np", NumPyWithLogsBehind())
    assert [f(theta) for theta in thetas] == anywhere


@pytest.mark.parametrize("seed", [0, 1])
def test_comparing_values_leaves_no_trace(seed: int) -> None:
    """A fit is the same after it, be it to these points, moved in place, or not."""
    X, Z = points(30), points(30, seed)
    gp = GaussianProcess(SPACE)
    gp.profile_log_likelihood(X, values(X)[:, np.newaxis])
    X[:] = Z  # the array is its owner's
    told = gp.fit(X, values(Z)).predict(Z[:5])
    fresh = GaussianProcess(SPACE).fit(Z, values(Z)).predict(Z[:5])
    np.testing.assert_array_equal(told, fresh)


def test_kernel_and_its_derivative() -> None:
    """Both functions mean one kernel, by its formula; 1 at distance 0."""
    r2 = np.array([0.0, 1e-6, 0.1, 1.0, 9.0])
    s = np.sqrt(5 * r2)
    k, dk = matern52_gradient(r2)
    np.testing.assert_array_equal(k, matern52(r2))
    np.testing.assert_allclose(k, (1 + s + s**2 / 3) * np.exp(-s))
    step = 1e-6
    difference = matern52(r2 + step) - k
    np.testing.assert_allclose(dk, difference / step, rtol=1e-2)


def test_posterior_gradient_is_the_finite_difference() -> None:
    """Of mean and deviation, along numeric columns; elsewhere it is zero."""
    X, Z, h = points(25), points(12, seed=1), 1e-6
    gp = GaussianProcess(SPACE).fit(X, values(X))
    mean, std, d_mean, d_std = gp.predict_gradient(Z)
    np.testing.assert_allclose((mean, std), gp.predict(Z), rtol=1e-8)
    for j in (0, 1, 4):
        step = np.zeros(Z.shape[1])
        step[j] = h
        up, down = gp.predict(Z + step), gp.predict(Z - step)
        expected = (np.array(up) - np.array(down)) / (2 * h)
        np.testing.assert_allclose((d_mean[:, j], d_std[:, j]), expected, atol=1e-5)
    assert not d_mean[:, [2, 3, 5]].any()


def test_gp_interpolates_without_noise_and_averages_with_it() -> None:
    """The posterior follows exact observations, and smooths noisy ones."""
    space = SearchSpace({"x": Real(0, 1)})
    X = np.linspace(0, 1, 30)[:, np.newaxis]
    exact = np.sin(6 * X[:, 0])
    mean, std = GaussianProcess(space).fit(X, exact).predict(X)
    np.testing.assert_allclose(mean, exact, atol=1e-3)
    assert std.max() < 0.05
    noise = 0.5 * np.random.default_rng(0).standard_normal(30)
    mean, _ = GaussianProcess(space).fit(X, exact + noise).predict(X)
    assert np.abs(mean - exact).mean() < np.abs(noise).mean()


def test_gp_trusts_observations_by_their_noise() -> None:
    """Of two contradicting observations the less noisy one wins."""
    space = SearchSpace({"x": Real(0, 1)})
    X = np.array([[0.5], [0.5], [0.0], [1.0]] * 3)
    y = np.array([1.0, -1.0, 0.0, 0.0] * 3)
    v = np.array([0.1, 10.0, 1.0, 1.0] * 3)
    mean, _ = GaussianProcess(space).fit(X, y, v).predict(X[:1])
    assert mean[0] > 0.5


def test_distances_of_inactive_columns() -> None:
    """Zero between inactive ones, 1/6 on average to active ones."""
    space = SearchSpace({"k": Choice({"p": None, "q": {"y": Real(0, 1)}})})
    X = space.snap(np.array([[0.2, 0.1], [0.3, 0.9], [0.8, 0.1]]))
    gp = GaussianProcess(space)
    F = gp.embedding(X)
    D = column_distances(F, gp.embedding.group, 2)
    # Pairs (0, 1), (0, 2), (1, 2); rows: column k, column y.
    np.testing.assert_allclose(D[0], [0, 1, 1])
    np.testing.assert_allclose(D[1], [0, 0.16 + 1 / 12, 0.16 + 1 / 12])


def test_more_branches_do_not_make_a_branch_smoother() -> None:
    """A point's neighborhood is that of its branch, however many others there are."""

    def branches(n: int) -> SearchSpace:
        return SearchSpace({"k": Choice({i: {f"x{i}": Real(0, 1)} for i in range(n)})})

    few, many = branches(2), branches(9)
    prior_of_few, prior_of_many = (
        GaussianProcess(few).prior,
        GaussianProcess(many).prior,
    )
    assert prior_of_few.mean[0] == pytest.approx(prior_of_many.mean[0])
    X = np.zeros((5, 3)), np.zeros((5, 10))
    bandwidth = [
        ParzenEstimator(space).fit(x, np.arange(5.0))._bad.bandwidth[-1]
        for space, x in zip((few, many), X, strict=True)
    ]
    assert bandwidth[0] == pytest.approx(bandwidth[1])


# -- output warping --------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_warping_keeps_the_order_whatever_the_scale(scale: float) -> None:
    """Monotone, standardized, with the derivative it says."""
    y = -np.exp(3 * np.random.default_rng(0).standard_normal(40)) * scale
    t, slope = warp(y, independent_log_likelihood)
    np.testing.assert_array_equal(np.argsort(y), np.argsort(t))
    assert t.mean() == pytest.approx(0, abs=1e-9)
    assert t.std() == pytest.approx(1)
    assert (slope > 0).all()


def test_warping_undoes_an_exploding_loss() -> None:
    """Losses over thirty decades end within a few deviations."""
    t, _ = warp(-np.logspace(-3, 27, 50), independent_log_likelihood)
    assert np.abs(t).max() < 4


def test_warping_leaves_normal_and_constant_scores_alone() -> None:
    """The identity is in the family."""
    y = np.random.default_rng(0).standard_normal(30)
    t, _ = warp(y, independent_log_likelihood)
    assert np.corrcoef(t, y)[0, 1] > 0.97
    np.testing.assert_array_equal(warp(np.ones(5), independent_log_likelihood)[0], 0)


# -- Parzen estimator ------------------------------------------------------------


def test_parzen_density_integrates_to_one() -> None:
    """Over reals and categories."""
    space = SearchSpace({"x": Real(0, 1), "c": ["a", "b", "c"]})
    X = points(12, space=space)
    tpe = ParzenEstimator(space).fit(X, X[:, 0])
    Z = points(100_000, seed=1, space=space)
    assert np.exp(tpe._bad.log_density(Z)).mean() == pytest.approx(1, abs=0.02)
