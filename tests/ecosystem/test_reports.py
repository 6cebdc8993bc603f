"""Libraries that read a fitted search, or the model in it; scores of fairness."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skhpo import (
    BayesSearch,
    GradientSearch,
    GridSearch,
    PBTSearch,
    RandomSearch,
    ScheduledEstimator,
)
from skhpo.selection import OneStandardError
from skhpo.space import Categorical, Choice, Curve, Real, SearchSpace, suggest_space
from skhpo.stopping import NoImprovement

X, Y = load_breast_cancer(return_X_y=True)
X, Y = X[:150, :4], Y[:150]
X_TEST, Y_TEST = X[100:], Y[100:]
GROUP = (X[:, 1] > 18).astype(int)
C = "logisticregression__C"
GRID = {C: [0.01, 1.0, 100.0]}
PIPELINE = make_pipeline(StandardScaler(), LogisticRegression())


def learned(kind=BayesSearch, **options):
    """A search that is to be read, on the first hundred rows."""
    space = {C: Real(0.1, 10, log=True)}
    search = kind(PIPELINE, space, n_iter=3, cv=3, random_state=0, **options)
    return search.fit(X[:100], Y[:100])


# -- skore -----------------------------------------------------------------------------


@pytest.fixture
def skore():
    return pytest.importorskip("skore")


def test_a_report_of_skore_has_the_scores_of_the_search(skore):
    """Of one that is fitted, and of one that the report fits itself."""
    search = learned()
    report = skore.EstimatorReport(search, X_test=X_TEST, y_test=Y_TEST)
    assert report.estimator_ is search
    assert report.metrics.accuracy() == search.score(X_TEST, Y_TEST)
    held_out = {"X_test": X_TEST, "y_test": Y_TEST}
    itself = skore.EstimatorReport(
        sklearn.clone(search), X_train=X[:100], y_train=Y[:100], **held_out
    )
    assert itself.metrics.roc_auc() == report.metrics.roc_auc()
    assert "accuracy" in itself.metrics.summarize().frame().index


def test_skore_compares_searches(skore):
    """Ours with scikit-learn's, which find the same on a grid."""
    held_out = {"X_train": X[:100], "y_train": Y[:100]}
    held_out |= {"X_test": X_TEST, "y_test": Y_TEST}
    reports = {
        kind.__name__: skore.EstimatorReport(kind(PIPELINE, GRID, cv=3), **held_out)
        for kind in (GridSearch, GridSearchCV)
    }
    table = skore.ComparisonReport(reports).metrics.summarize().frame()
    scores = table.drop(index=["fit_time", "predict_time"])
    np.testing.assert_array_equal(scores["GridSearch"], scores["GridSearchCV"])


def test_skore_cross_validates_a_search(skore):
    """Which is nested cross-validation, with the scores that scikit-learn finds."""
    folds, search = KFold(2), GridSearch(PIPELINE, GRID, cv=3)
    report = skore.CrossValidationReport(search, X, Y, splitter=folds)
    means = report.metrics.accuracy()
    expected = cross_val_score(search, X, Y, cv=folds).mean()
    assert means.to_numpy().ravel()[0] == pytest.approx(expected)


# -- fairlearn -------------------------------------------------------------------------


@pytest.fixture
def fairness():
    """A score of fairlearn, which asks for the sensitive features."""
    metrics = pytest.importorskip("fairlearn.metrics")
    with sklearn.config_context(enable_metadata_routing=True):
        yield make_scorer(
            metrics.demographic_parity_difference, greater_is_better=False
        ).set_score_request(sensitive_features=True)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_sensitive_features_are_routed_to_a_score(fairness, n_jobs):
    """As by scikit-learn's search, also with a second score that asks for none."""
    scoring = {"accuracy": "accuracy", "parity": fairness}
    options = {"cv": 3, "scoring": scoring, "refit": "parity", "n_jobs": n_jobs}
    ours, theirs = (
        kind(PIPELINE, GRID, **options).fit(X, Y, sensitive_features=GROUP)
        for kind in (GridSearch, GridSearchCV)
    )
    for name in ("mean_test_accuracy", "mean_test_parity"):
        np.testing.assert_array_equal(ours.cv_results_[name], theirs.cv_results_[name])
    assert ours.best_params_ == theirs.best_params_
    scores = [s.score(X, Y, sensitive_features=GROUP) for s in (ours, theirs)]
    assert scores[0] == scores[1]


def test_a_search_that_learns_takes_them_too(fairness, tmp_path):
    """And a journal knows which they were."""
    journal = tmp_path / "fair.db"
    for features, n_found in ((GROUP, 0), (GROUP, 12), (1 - GROUP, 0)):
        search = BayesSearch(
            PIPELINE, {C: Real(0.1, 10, log=True)}, n_iter=4, cv=3, random_state=0,
            scoring=fairness, journal=journal,
        )  # fmt: skip
        search.fit(X, Y, sensitive_features=features)
        assert search.reuse_.n_found == n_found


def test_parts_of_a_frame_of_metrics_are_scores(fairness):
    """`MetricFrame` in a function of one's own: the worst group counts."""
    from fairlearn.metrics import MetricFrame
    from sklearn.metrics import accuracy_score

    def worst(y, predicted, *, sensitive_features):
        return MetricFrame(
            metrics=accuracy_score, y_true=y, y_pred=predicted,
            sensitive_features=sensitive_features,
        ).group_min()  # fmt: skip

    scoring = make_scorer(worst).set_score_request(sensitive_features=True)
    ours, theirs = (
        kind(PIPELINE, GRID, cv=3, scoring=scoring).fit(X, Y, sensitive_features=GROUP)
        for kind in (GridSearch, GridSearchCV)
    )
    assert ours.best_score_ == theirs.best_score_


def test_reductions_are_estimators_to_be_tuned():
    """Their `fit` takes the sensitive features, which a search hands on."""
    reductions = pytest.importorskip("fairlearn.reductions")
    parity = reductions.DemographicParity()
    fair = reductions.GridSearch(LogisticRegression(), parity, grid_size=3)
    space = {"constraint_weight": [0.2, 0.8], "estimator__C": [0.1, 1.0]}
    ours, theirs = (
        kind(fair, space, cv=2, scoring="accuracy", error_score="raise").fit(
            X, Y, sensitive_features=GROUP
        )
        for kind in (GridSearch, GridSearchCV)
    )
    means = (one.cv_results_["mean_test_score"] for one in (ours, theirs))
    np.testing.assert_array_equal(*means)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


# -- shap ------------------------------------------------------------------------------


@pytest.fixture
def shap():
    return pytest.importorskip("shap")


def test_shap_explains_the_best_estimator(shap):
    """Contributions add up to what the search predicts."""
    forest = RandomForestClassifier(5, random_state=0)
    search = GridSearch(forest, {"max_depth": [2, 3]}, cv=3).fit(X[:100], Y[:100])
    found = shap.TreeExplainer(search.best_estimator_)(X_TEST[:3])
    sums = found.values.sum(axis=1) + found.base_values
    np.testing.assert_allclose(sums, search.predict_proba(X_TEST[:3]))


def test_shap_explains_what_a_search_predicts(shap):
    """Its method is a function as good as any."""
    search = learned()
    explainer = shap.KernelExplainer(search.predict_proba, X[:5], silent=True)
    values = explainer.shap_values(X_TEST[:2], silent=True)
    sums = values.sum(axis=1) + explainer.expected_value
    np.testing.assert_allclose(sums, search.predict_proba(X_TEST[:2]))


# -- ONNX ------------------------------------------------------------------------------


def test_the_best_estimator_as_onnx_predicts_the_same():
    """In the runtime, in single precision."""
    skl2onnx = pytest.importorskip("skl2onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    search, rows = learned(), X_TEST.astype(np.float32)
    options = {"zipmap": False}
    model = skl2onnx.to_onnx(search.best_estimator_, rows[:1], options=options)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    labels, probabilities = session.run(None, {"X": rows})
    np.testing.assert_array_equal(labels, search.predict(X_TEST))
    expected = search.predict_proba(X_TEST)
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)


# -- skops -----------------------------------------------------------------------------

LOGISTIC = LogisticRegression(max_iter=50)
LOG = Real(0.1, 10, log=True)
LINEAR = SGDClassifier(random_state=0)
BOOSTER = HistGradientBoostingClassifier(max_leaf_nodes=3)
BRANCHES = Choice({"lbfgs": None, "saga": {"l1_ratio": Real(0, 1)}})
LISTED = {"C": LOG, "fit_intercept": Categorical([True, False])}
SEARCHES = {
    "grid": GridSearch(PIPELINE, GRID, cv=3, return_oof=True),
    "rule": GridSearch(PIPELINE, GRID, cv=3, refit=OneStandardError(C)),
    "random": RandomSearch(LOGISTIC, {"C": LOG}, n_iter=4, race=True, cv=3),
    "finalists": RandomSearch(LOGISTIC, {"C": LOG}, n_iter=4, finalists=2, cv=2),
    "stopped": RandomSearch(LOGISTIC, {"C": LOG}, stop=NoImprovement(2), cv=2),
    "bayes": BayesSearch(LOGISTIC, LISTED, n_iter=3, cv=2),
    "branches": BayesSearch(LOGISTIC, {"solver": BRANCHES}, n_iter=3, cv=2),
    "space": BayesSearch(LOGISTIC, SearchSpace({"C": LOG}), n_iter=3, cv=2),
    "suggested": BayesSearch(
        LOGISTIC, suggest_space(LOGISTIC, X, Y), n_iter=3, cv=2
    ),
    "curve": RandomSearch(BOOSTER, {"max_iter": Curve(5)}, n_iter=1, cv=2),
    "population": PBTSearch(LINEAR, {"alpha": LOG}, population_size=4, cv=2),
    "gradient": GradientSearch(LOGISTIC, {"C": LOG}, scoring="neg_log_loss", cv=2),
    "schedule": GridSearch(
        ScheduledEstimator(LINEAR, {"alpha": [0.1, 0.01]}, n_steps=2),
        {"estimator__penalty": ["l2", "l1"]},
        cv=2,
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")  # some of so few iterations do not converge
@pytest.mark.parametrize("name", SEARCHES)
def test_a_file_of_skops_has_public_names_only(name):
    """Of ours. What comes back predicts the same, and has all attributes."""
    skops = pytest.importorskip("skops.io")
    search = sklearn.clone(SEARCHES[name])
    if hasattr(search, "random_state"):
        search.set_params(random_state=0)
    search.fit(X, Y)
    file = skops.dumps(search)
    names = skops.get_untrusted_types(data=file)
    ours = [name for name in names if name.startswith("skhpo.")]
    assert f"skhpo.{type(search).__name__}" in ours
    assert not [name for name in ours if "._" in name]
    again = skops.loads(file, trusted=names)
    np.testing.assert_array_equal(again.predict(X), search.predict(X))
    assert vars(again).keys() == vars(search).keys()
    assert again.best_params_ == search.best_params_


# -- scikit-learn's callbacks ----------------------------------------------------------


def monitored(kind, n_jobs):
    """What a monitor of scores on a model heard during the fit of a search."""
    callback = pytest.importorskip("sklearn.callback")
    monitor = callback.ScoringMonitor(scoring="neg_log_loss")
    model = LogisticRegression(max_iter=3).set_callbacks(monitor)
    space = {"C": [0.1, 1.0], "fit_intercept": [True, False]}
    kind(model, space, cv=2, n_jobs=n_jobs).fit(X / X.max(axis=0), Y)
    log = monitor.get_logs().data
    return sorted((row["task_id_path"], row["neg_log_loss"]) for row in log)


@pytest.mark.filterwarnings("ignore")  # three iterations do not converge
@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_callbacks_of_the_model_hear_the_same(n_jobs):
    """Of each iteration of each fit, in clones and other processes too."""
    ours, theirs = (monitored(kind, n_jobs) for kind in (GridSearch, GridSearchCV))
    assert ours == theirs
    assert len(ours) > 8
