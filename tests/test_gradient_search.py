"""GradientSearch: where it ends, and what all searches promise."""

import math
import pickle
import warnings

import joblib
import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge
from sklearn.metrics import get_scorer, hinge_loss, make_scorer, mean_squared_error
from sklearn.model_selection import KFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from skhpo import (
    GradientSearch,
    GridSearch,
    GroupScaler,
    read_journal,
    register_hypergradient,
)
from skhpo.evaluation.gradients._registry import GRADIENTS
from skhpo.exceptions import (
    InvalidSpaceError,
    SearchInterruptedWarning,
    SkhpoWarning,
)
from skhpo.optimizers import Evaluation, Gradient, GradientOptimizer, Trial
from skhpo.space import Real

pytestmark = pytest.mark.thinned

_rng = np.random.default_rng(0)
X = _rng.normal(size=(60, 6))
Y = X @ [2.0, 1.0, 0.5, 0.0, 0.0, 0.0] + 2 * _rng.normal(size=60)
CLASSES = np.digitize(Y, [-1, 1])
HINGE = make_scorer(
    hinge_loss, greater_is_better=False, response_method="decision_function"
)
BOUNDS = {"alpha": (1e-3, 1e3)}


def search_of(estimator=None, bounds=None, **options):
    """Return a search of Ridge, unfitted."""
    options = {"cv": KFold(3), "random_state": 0, "n_restarts": 2, **options}
    estimator = Ridge() if estimator is None else estimator
    return GradientSearch(estimator, bounds or BOUNDS, **options)


# Where it ends


def test_the_first_candidate_is_the_estimator_as_given():
    """Its own values to the last digit, within the bounds."""
    for alpha, first in ((1.0, 1.0), (0.3, 0.3), (1e6, 1e3)):
        search = search_of(Ridge(alpha), max_iter=1).fit(X, Y)
        assert search.cv_results_["params"][0] == {"alpha": first}


def test_one_penalty_is_that_of_a_fine_grid():
    """With far fewer fits, and a gradient of 0 where it ends."""
    search = search_of(scoring="neg_mean_squared_error").fit(X, Y)
    grid = GridSearch(
        Ridge(),
        {"alpha": np.geomspace(1e-3, 1e3, 60)},
        scoring="neg_mean_squared_error",
        cv=KFold(3),
    ).fit(X, Y)
    assert search.method_ == "implicit"
    assert search.best_score_ >= grid.best_score_ - 1e-4
    assert len(search.cv_results_["params"]) <= 50
    norm = search.cv_results_["gradient_norm"][search.best_index_]
    assert norm <= 1e-4 * abs(search.best_score_)


@pytest.mark.parametrize(
    ("model", "bounds", "scoring", "y"),
    [
        (
            KernelRidge(kernel="rbf"),
            {"alpha": (1e-3, 1e2), "gamma": (1e-3, 10)},
            *("r2", Y),
        ),
        (
            ElasticNet(tol=1e-8),
            {"alpha": (1e-3, 10), "l1_ratio": (0.05, 1.0)},
            *("neg_mean_squared_error", Y),
        ),
        (
            LogisticRegression(tol=1e-8),
            {"C": (1e-3, 1e3)},
            *("neg_log_loss", CLASSES),
        ),
        (
            LinearSVC(tol=1e-8, dual=False),
            {"C": (1e-4, 1e2)},
            *(HINGE, CLASSES),
        ),
    ],
)
def test_the_best_one_is_a_maximum(model, bounds, scoring, y):
    """No neighbor, a twentieth of the way in any direction, has a better score."""
    search = search_of(model, bounds, scoring=scoring).fit(X, y)
    best, cv = search.best_params_, KFold(3)
    for name, (low, high) in bounds.items():
        for factor in (1 / 1.05, 1.05):
            value = float(np.clip(best[name] * factor, low, high))
            neighbor = clone(model).set_params(**{**best, name: value})
            score = cross_val_score(neighbor, X, y, scoring=scoring, cv=cv).mean()
            assert search.best_score_ >= score - 1e-5 * abs(score)


def test_a_row_is_an_ordinary_evaluation():
    """Its scores are those of cross_val_score, and gradient_norm stands beside them."""
    search = search_of(scoring="r2", return_train_score=True).fit(X, Y)
    results = search.cv_results_
    row = len(results["params"]) // 2
    model = Ridge(**results["params"][row])
    scores = cross_val_score(model, X, Y, cv=KFold(3), scoring="r2")
    assert [results[f"split{k}_test_score"][row] for k in range(3)] == list(scores)
    assert len(results["gradient_norm"]) == len(results["params"])
    assert "mean_train_score" in results
    step, alpha = 1e-4, results["params"][row]["alpha"]
    up, down = (
        cross_val_score(Ridge(alpha * np.exp(s)), X, Y, cv=KFold(3)).mean()
        for s in (step, -step)
    )
    difference = abs(up - down) / (2 * step)
    assert results["gradient_norm"][row] == pytest.approx(difference, rel=1e-4)


def test_a_penalty_per_group_beats_one_for_all():
    """Where half of the columns are noise, in fewer candidates than a grid would be."""
    groups = {"signal": range(3), "noise": range(3, 6)}
    model = make_pipeline(StandardScaler(), GroupScaler(groups), Ridge())
    several = search_of(
        model, {"groupscaler__log_scale": (-5, 5)}, scoring="neg_mean_squared_error"
    ).fit(X, Y)
    single = search_of(scoring="neg_mean_squared_error").fit(X, Y)
    logs = several.best_estimator_["groupscaler"].log_scale
    assert several.best_score_ > single.best_score_
    assert logs["signal"] > logs["noise"]


def test_other_models_go_by_finite_differences():
    """Their points are candidates as others are."""
    search = search_of(
        make_pipeline(StandardScaler(), Ridge(solver="lsqr", tol=1e-10)),
        {"ridge__alpha": (1e-3, 1e3)},
        scoring=make_scorer(lambda y, p: -mean_squared_error(y, p)),
    ).fit(X, Y)
    assert search.method_ == "finite_difference"
    exact = search_of(
        make_pipeline(StandardScaler(), Ridge()),
        {"ridge__alpha": (1e-3, 1e3)},
        scoring="neg_mean_squared_error",
    ).fit(X, Y)
    assert search.best_score_ == pytest.approx(exact.best_score_, rel=1e-4)
    assert np.isnan(search.cv_results_["gradient_norm"]).all()


class Touchy(Ridge):
    """Its fit fails where the penalty is high; as a subclass, it has no gradient."""

    def fit(self, X, y, sample_weight=None):
        if self.alpha > 3:
            raise ValueError("alpha is above 3")
        return super().fit(X, y, sample_weight)


def test_failed_fits_cost_their_candidates():
    """The best one is where fits succeed; with error_score="raise", one ends it all."""
    bounds = {"alpha": (1e-3, 1e3)}
    with pytest.warns(match="alpha is above 3"):
        search = search_of(Touchy(), bounds, n_restarts=4).fit(X, Y)
    assert search.best_params_["alpha"] <= 3
    with pytest.raises(ValueError, match="alpha is above 3"):
        search_of(Touchy(), bounds, n_restarts=4, error_score="raise").fit(X, Y)


def test_parameters_without_effect_have_no_gradient():
    """A kernel that has no gamma has no slope by it."""
    bounds = {"alpha": (0.1, 10), "gamma": (0.1, 1)}
    with pytest.warns(SkhpoWarning, match=r"gamma'\] have no effect"):
        search_of(KernelRidge(kernel="linear"), bounds).fit(X, Y)


@pytest.mark.parametrize("refit", [False, lambda results: 1])
def test_refit_chooses_a_row_as_elsewhere(refit):
    """None, or that of a callable."""
    search = search_of(refit=refit).fit(X, Y)
    assert hasattr(search, "best_estimator_") == bool(refit)
    assert not callable(refit) or search.best_index_ == 1


def test_lines_that_meet_end():
    """All starting points lead to the one maximum, and one of them goes the way."""
    optimizer = GradientOptimizer({"x": Real(1e-3, 1e3, log=True)}, random_state=0)
    told = 0
    while asked := optimizer.ask(9):
        for candidate in asked:
            z = np.log(candidate.params["x"]) - 1
            slopes = {"x": -2 * z / candidate.params["x"]}
            evaluation = Evaluation(-1 - z**2, gradient=Gradient(slopes))
            optimizer.tell([Trial(candidate, [evaluation])])
            told += 1
    assert optimizer.best_params["x"] == pytest.approx(np.e, rel=1e-3)
    assert told < 25


def climb(function, space, **options):
    """Return the optimizer and the number of points, by a function of all params."""
    optimizer, told = GradientOptimizer(space, **options), 0
    while asked := optimizer.ask(9):
        for candidate in asked:
            value, slopes = function(**candidate.params)
            evaluation = Evaluation(value, gradient=Gradient(slopes))
            optimizer.tell([Trial(candidate, [evaluation])])
            told += 1
    return optimizer, told


def test_a_line_ends_at_a_kink():
    """No slope is near 0 there; points that gain nothing are few."""

    def roof(x, y):
        return -1 - abs(x) - y**2, {"x": -1.0 if x > 0 else 1.0, "y": -2 * y}

    space = {"x": Real(-1, 2), "y": Real(-1, 2)}
    optimizer, told = climb(roof, space, n_restarts=1, random_state=0)
    assert optimizer.best_params["x"] == pytest.approx(0, abs=1e-4)
    assert told < 30


def test_a_line_that_is_too_slow_for_the_best_one_ends():
    """At its pace, the second hill would take longer than it has points left."""

    def hills(x):
        if x > 0:
            return -1 - (x - 1) ** 2, {"x": -2 * (x - 1)}
        return -9 - 1e-4 * (x + 2) ** 4, {"x": -4e-4 * (x + 2) ** 3}

    starts = [{"x": -3.0}, {"x": 1.0}]
    options = {"initial_params": starts, "n_restarts": 2, "tol": 1e-12}
    optimizer, told = climb(hills, {"x": Real(-4, 4)}, **options)
    assert optimizer.best_params["x"] == pytest.approx(1, abs=1e-6)
    assert told < 12


@pytest.mark.parametrize("n", [2, 10, 30])
def test_a_bent_valley_is_followed(n):
    """Rosenbrock's function, whose maximum is at 1 in each variable, is climbed."""
    space = {f"x{i}": Real(-2, 2.5) for i in range(n)}
    optimizer = GradientOptimizer(
        space, max_iter=400, n_restarts=1, tol=1e-9, random_state=1
    )
    while asked := optimizer.ask(9):
        for candidate in asked:
            x = np.array([*candidate.params.values()])
            bend = x[1:] - x[:-1] ** 2
            slopes = np.zeros(n)
            slopes[:-1] += 2 * (1 - x[:-1]) + 400 * x[:-1] * bend
            slopes[1:] -= 200 * bend
            value = -1e-3 - np.sum(100 * bend**2 + (1 - x[:-1]) ** 2)
            gradient = Gradient(dict(zip(space, slopes.tolist(), strict=True)))
            optimizer.tell([Trial(candidate, [Evaluation(value, gradient=gradient)])])
    np.testing.assert_allclose([*optimizer.best_params.values()], 1, atol=1e-3)


def test_what_failed_is_a_step_too_far():
    """A line goes on nearer to where it was, and ends if its start has failed."""
    optimizer = GradientOptimizer({"x": Real(0, 1)}, initial_params=[{"x": 0.2}])
    first, *others = optimizer.ask(9)
    for other in others:
        optimizer.tell([Trial.from_scores(other, [0.0], failed=True)])
    optimizer.tell([Trial(first, [Evaluation(-1.0, gradient=Gradient({"x": 1.0}))])])
    [step] = optimizer.ask(9)
    optimizer.tell([Trial.from_scores(step, [0.0], failed=True)])
    [nearer] = optimizer.ask(9)
    assert 0.2 < nearer.params["x"] < step.params["x"]


@pytest.mark.parametrize("k", [-330, -240, -7, 240, 330])
def test_the_unit_of_the_target_changes_no_decision(k):
    """A power of two changes no digit of it, though squares of scores overflow."""
    options = {"scoring": "neg_mean_squared_error", "n_restarts": 2}
    bounds = {"alpha": (1e-3, 1e3), "gamma": (1e-3, 10)}
    plain = search_of(KernelRidge(kernel="rbf"), bounds, **options).fit(X, Y)
    other = search_of(KernelRidge(kernel="rbf"), bounds, **options).fit(
        X, np.ldexp(Y, k)
    )
    assert other.method_ == plain.method_ == "implicit"
    assert other.cv_results_["params"] == plain.cv_results_["params"]
    assert len(plain.cv_results_["params"]) > 6
    for name in ("mean_test_score", "gradient_norm"):
        np.testing.assert_array_equal(
            other.cv_results_[name], np.ldexp(plain.cv_results_[name], 2 * k)
        )


@pytest.mark.parametrize("k", [-900, -330, 330, 900])
def test_the_unit_of_the_score_changes_no_decision(k):
    """Also where gradients are differences, or of several parameters."""

    def hill(x, y):
        value = -3 - (x - 0.3) ** 2 - 2 * (y + x) ** 2
        slopes = {"x": -2 * (x - 0.3) - 4 * (y + x), "y": -4 * (y + x)}
        return value, slopes

    def scaled(x, y):
        value, slopes = hill(x, y)
        return math.ldexp(value, k), {n: math.ldexp(s, k) for n, s in slopes.items()}

    space = {"x": Real(-1, 2), "y": Real(-1, 2)}
    for differences in (False, True):
        options = {"differences": differences, "random_state": 0}
        optimizer, told = climb(hill, space, **options)
        other, n = climb(scaled, space, **options)
        assert (other.best_params, n) == (optimizer.best_params, told)


def test_slopes_that_grow_beyond_the_unit_end_nothing():
    """A model that has left the floats is begun anew."""

    def cliff(x):
        return (-1 - x, {"x": -1.0}) if x > 0.5 else (-1e-9, {"x": 1e300})

    with np.errstate(all="raise"):
        optimizer, told = climb(cliff, {"x": Real(0, 1)}, random_state=0)
    assert optimizer.best_params["x"] <= 0.5
    assert told > 3


# What all searches promise


SMALL = {"n_restarts": 1, "max_iter": 2}


@parametrize_with_checks([GradientSearch(Ridge(), {"alpha": (0.1, 1.0)}, **SMALL)])
def test_it_passes_the_checks_of_scikit_learn(estimator, check):
    """As an estimator like any other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [
        GradientSearch(
            LogisticRegression(), {"C": (0.1, 1.0)}, scoring="neg_log_loss", **SMALL
        )
    ]
)
def test_it_passes_the_checks_of_classifiers(estimator, check):
    """With a score that is smooth."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


def test_the_result_is_the_same_in_any_number_of_workers():
    """Bit for bit: candidates, scores and gradients."""
    plain = search_of(scoring="r2").fit(X, Y)
    with joblib.parallel_config("threading"):
        parallel = search_of(scoring="r2", n_jobs=3).fit(X, Y)
    assert_same(plain, parallel)


@pytest.mark.slow
@pytest.mark.parametrize(
    "way",
    [{"n_jobs": 2}, {"fit_timeout": 60.0, "n_jobs": 2}, {"memory_limit": "4GB"}],
)
def test_the_result_is_the_same_in_processes(way):
    """Also where each fit has a process of its own."""
    groups = {"a": [0, 1], "b": [4]}
    model = make_pipeline(GroupScaler(groups), Ridge())
    bounds = {"groupscaler__log_scale": (-2, 2), "ridge__alpha": (0.1, 10)}
    assert_same(
        search_of(model, bounds, scoring="r2").fit(X, Y),
        search_of(model, bounds, scoring="r2", **way).fit(X, Y),
    )


def assert_same(one, other):
    times = [name for name in one.cv_results_ if "time" in name]
    a, b = (
        {k: v for k, v in search.cv_results_.items() if k not in times}
        for search in (one, other)
    )
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    assert one.best_params_ == other.best_params_


@pytest.mark.parametrize("method", ["implicit", "finite_difference"])
def test_a_killed_run_goes_on_from_its_journal(tmp_path, method):
    """It decides as before, since gradients are kept with the scores."""
    path = tmp_path / "run.journal"
    options = {"scoring": "r2", "method": method}
    whole = search_of(**options).fit(X, Y)

    class Enough:
        n = 0

        def __call__(self, *_):
            self.n += 1
            if self.n >= 5:
                raise RuntimeError("killed")

    first = search_of(journal=path, **options)
    with pytest.raises(RuntimeError, match="killed"):
        first.set_params(stop=Enough()).fit(X, Y)
    assert len(first.cv_results_["params"]) < len(whole.cv_results_["params"])
    resumed = search_of(journal=path, **options).fit(X, Y)
    assert_same(whole, resumed)
    again = search_of(journal=path, **options).fit(X, Y)
    assert_same(whole, again)
    assert again.reuse_.n_fits == 0


def test_fits_that_write_into_their_data_have_the_same_gradient():
    """The data are what was given, not what a fit or a transform has made of them."""
    careful = make_pipeline(StandardScaler(), Ridge(5.0))
    careless = make_pipeline(StandardScaler(copy=False), Ridge(5.0, copy_X=False))
    options = {"scoring": "r2", "max_iter": 3}
    one, other = (
        search_of(model, {"ridge__alpha": BOUNDS["alpha"]}, **options).fit(X + 3, Y)
        for model in (careful, careless)
    )
    for name in ("mean_test_score", "gradient_norm"):
        np.testing.assert_allclose(one.cv_results_[name], other.cv_results_[name])


def test_responses_are_kept_beside_gradients():
    """They are what the best candidate predicts of the rows it was not trained on."""
    search = search_of(scoring="r2", return_oof=True).fit(X, Y)
    best = Ridge(**search.best_params_)
    expected = cross_val_predict(best, X, Y, cv=KFold(3))
    found = np.ravel(search.oof_[search.best_index_])
    rows = np.ravel(search.oof_.rows)  # single precision is kept
    np.testing.assert_allclose(found, expected[rows], rtol=1e-6)


def test_ctrl_c_keeps_what_is_complete():
    """The best of it is fitted."""

    class Interrupting:
        n = 0

        def __call__(self, *_):
            self.n += 1
            if self.n == 4:
                raise KeyboardInterrupt

    with pytest.warns(SearchInterruptedWarning, match="was interrupted"):
        search = search_of(scoring="r2", stop=Interrupting()).fit(X, Y)
    assert search.stop_reason_ == "interrupted"
    assert len(search.cv_results_["params"]) >= 4
    assert search.predict(X).shape == Y.shape


def test_scores_of_other_searches_in_a_journal_are_not_enough(tmp_path):
    """Without a gradient, an evaluation is done again, and both stay readable."""
    path = tmp_path / "shared.journal"
    options = {"scoring": "r2", "cv": KFold(3), "journal": path}
    GridSearch(Ridge(), {"alpha": [1.0]}, **options).fit(X, Y)
    kept = search_of(**options).fit(X, Y)
    assert_same(search_of(scoring="r2").fit(X, Y), kept)
    grid = GridSearch(Ridge(), {"alpha": [1.0]}, **options).fit(X, Y)
    assert grid.reuse_.n_fits == 0
    assert grid.best_score_ == kept.cv_results_["mean_test_score"][0]
    scores = read_journal(path)["test_scores"]
    assert any(isinstance(s, dict) and "gradient" in s for s in scores)


def test_of_several_scores_refit_names_the_one_to_climb():
    """The others are measured too."""
    one = search_of(scoring="r2").fit(X, Y)
    both = search_of(scoring=["neg_mean_squared_error", "r2"], refit="r2").fit(X, Y)
    assert both.best_params_ == one.best_params_
    assert "mean_test_neg_mean_squared_error" in both.cv_results_


def test_it_is_cloned_pickled_and_nested():
    """Fitted or not; and inside of cross_val_score."""
    search = search_of(scoring="r2", max_iter=4)
    assert vars(clone(search)).keys() == search.get_params(deep=False).keys()
    fitted = pickle.loads(pickle.dumps(clone(search).fit(X, Y)))
    np.testing.assert_array_equal(
        fitted.predict(X), pickle.loads(pickle.dumps(search)).fit(X, Y).predict(X)
    )
    assert np.isfinite(cross_val_score(search, X, Y, cv=2)).all()


def test_an_optimizer_is_pickled_in_mid_run():
    """And goes on as if nothing had happened."""
    one = GradientOptimizer({"x": Real(-1, 1), "y": Real(-1, 1)}, random_state=3)

    def tell(optimizer):
        for candidate in (asked := optimizer.ask(9)):
            x, y = candidate.params["x"], candidate.params["y"]
            gradient = Gradient({"x": -2 * x, "y": -4 * y})
            value = -1 - x**2 - 2 * y**2
            optimizer.tell([Trial(candidate, [Evaluation(value, gradient=gradient)])])
        return [dict(c.params) for c in asked]

    for _ in range(3):
        tell(one)
    other = pickle.loads(pickle.dumps(one))
    assert [tell(one) for _ in range(3)] == [tell(other) for _ in range(3)]


def test_weights_and_metadata_routing():
    """Weights of rows are split, and reach fit, gradient and score as routed."""
    weights = np.arange(1.0, 61.0)
    plain = search_of(scoring="r2").fit(X, Y, sample_weight=weights)
    # Without routing, weights reach the scorer from scikit-learn 1.7 on.
    first = plain.cv_results_["split0_test_score"][0]
    train, test = next(KFold(3).split(X))
    model = Ridge().fit(X[train], Y[train], weights[train])
    is_scored = model.score(X[test], Y[test], weights[test]) == pytest.approx(first)
    with config_context(enable_metadata_routing=True):
        model = make_pipeline(
            StandardScaler(with_mean=False, with_std=False).set_fit_request(
                sample_weight=False
            ),
            Ridge().set_fit_request(sample_weight=True),
        )
        r2 = get_scorer("r2").set_score_request(sample_weight=is_scored)
        routed = search_of(model, {"ridge__alpha": BOUNDS["alpha"]}, scoring=r2)
        routed.fit(X, Y, sample_weight=weights)
    assert routed.method_ == "implicit"
    assert routed.best_score_ == pytest.approx(plain.best_score_, rel=1e-6)


def test_a_registered_class_is_searched():
    """By the derivative that its author gives."""

    class Shrunk(RegressorMixin, BaseEstimator):
        def __init__(self, alpha=1.0):
            self.alpha = alpha

        def fit(self, X, y):
            self.sum_, self.n_ = np.sum(y), len(y)
            return self

        def predict(self, X):
            return np.full(len(X), self.sum_ / (self.n_ + self.alpha))

    def slopes(model, fold):
        by_prediction = fold.score_slopes(model.predict(fold.X_test)).sum()
        return {"alpha": -by_prediction * model.sum_ / (model.n_ + model.alpha) ** 2}

    register_hypergradient(Shrunk, {"alpha": True}, slopes)
    try:
        search = search_of(Shrunk(), scoring="neg_mean_squared_error").fit(X, Y)
    finally:
        del GRADIENTS.added[Shrunk]
    fine = [
        cross_val_score(
            Shrunk(a), X, Y, cv=KFold(3), scoring="neg_mean_squared_error"
        ).mean()
        for a in np.geomspace(1e-3, 1e3, 50)
    ]
    assert search.method_ == "implicit"
    assert search.best_score_ >= max(fine) - 1e-6


# Bad input


@pytest.mark.parametrize(
    ("search", "y", "message"),
    [
        (
            search_of(LogisticRegression(), {"C": (0.1, 1)}),
            *(CLASSES, "needs a score with a slope.*neg_log_loss"),
        ),
        (
            search_of(LogisticRegression(), {"C": (0.1, 1)}, scoring="roc_auc_ovr"),
            *(CLASSES, "roc_auc_score, which sees the order"),
        ),
        (
            search_of(
                RandomForestClassifier(),
                {"max_features": (0.1, 1.0)},
                scoring="neg_log_loss",
                method="implicit",
            ),
            *(CLASSES, "RandomForestClassifier has no gradient. Classes .*'Ridge'"),
        ),
        (
            search_of(
                SVC(probability=True),
                dict.fromkeys(["C", "gamma", "coef0", "tol"], (0.1, 1)),
                scoring="neg_log_loss",
            ),
            *(CLASSES, "at most 3 parameters"),
        ),
        (
            search_of(LinearSVC(), {"C": (0.1, 1)}),
            *(CLASSES, "needs a score with a slope.*make_scorer.hinge_loss"),
        ),
        (
            search_of(LinearSVC(), {"C": (0.1, 1)}, scoring="neg_log_loss"),
            *(CLASSES, "needs predict_proba, and LinearSVC has none.*hinge_loss"),
        ),
        (
            search_of(GaussianProcessRegressor(), method="implicit"),
            *(
                Y,
                "GaussianProcessRegressor has no gradient: its fit climbs the marginal",
            ),
        ),
        (
            search_of(Ridge(), {"tol": (1e-4, 1e-2)}, method="implicit"),
            *(
                Y,
                r"\['tol'\] cannot be differentiated by. Here, these can: \['alpha'\]",
            ),
        ),
        (
            search_of(Ridge(), method="implicit", scoring="neg_mean_absolute_error"),
            *(Y, "derivative of the score .*mean_absolute_error.* is not known"),
        ),
        (
            search_of(Ridge(positive=True), method="implicit"),
            *(Y, "positive=True has no gradient"),
        ),
        (search_of(Ridge(), {"alpha": (1.0, 0.1)}), Y, "lower and a higher one"),
        (search_of(Ridge(), {"alpha": (1.0, 1.0)}), Y, "lower and a higher one"),
        (search_of(Ridge(), {"alpha": (0.0, 1.0)}), Y, "must be above 0"),
        (search_of(Ridge(), {"alpha": [1, 2, 3]}), Y, "must be a pair of numbers"),
        (search_of(Ridge(), {"alpha": (1, np.nan)}), Y, "alpha"),
        (search_of(Ridge(), {"alhpa": (1, 2)}), Y, "alhpa"),
        (search_of(Ridge(), {"alpha": Real(-1.0, 1.0)}), Y, "alpha"),
        (search_of(Ridge(), method="exact"), Y, "method"),
        (search_of(Ridge(), n_restarts=0), Y, "n_restarts"),
        (search_of(Ridge(), tol=-1.0), Y, "tol"),
    ],
)
def test_bad_input_is_refused_before_the_first_fit(search, y, message):
    """With what was wrong, and what would work."""
    with pytest.raises(ValueError, match=message):
        search.fit(X, y)
    assert not hasattr(search, "cv_results_")


def test_no_bounds_are_an_error():
    with pytest.raises(InvalidSpaceError, match="must name a parameter"):
        GradientSearch(Ridge(), {}).fit(X, Y)


def test_bounds_of_a_group_and_of_all_groups_are_one_too_many():
    model = make_pipeline(GroupScaler([[0], [1]]), Ridge())
    bounds = {
        "groupscaler__log_scale": (-1, 1),
        "groupscaler__log_scale__0": (-1, 1),
    }
    with pytest.raises(InvalidSpaceError, match=r"twice.*log_scale__0"):
        search_of(model, bounds).fit(X, Y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_fits_that_do_not_converge_are_said():
    """Their rows stay, without a gradient, and the search goes no further there."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1))
    search = search_of(
        model, {"logisticregression__C": (1e2, 1e4)}, scoring="neg_log_loss"
    )
    with pytest.warns(SkhpoWarning, match="no gradient that can be trusted.*minimum"):
        search.fit(X, CLASSES)
    assert np.isnan(search.cv_results_["gradient_norm"]).any()
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
