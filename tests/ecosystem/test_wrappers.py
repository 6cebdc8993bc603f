"""Libraries that wrap estimators, or look at them, around and inside a search."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    TunedThresholdClassifierCV,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skhpo import BayesSearch, GridSearch, RandomSearch
from skhpo.space import Real

X, Y = make_classification(
    n_samples=160, n_features=6, weights=[0.8], flip_y=0.05, random_state=0
)
GRID = {"C": [0.01, 1.0]}
KINDS = {
    "threshold": partial(TunedThresholdClassifierCV, thresholds=5),
    "calibration": CalibratedClassifierCV,
}


def assert_same_scores(ours, theirs):
    """As scikit-learn's own search has them, bit by bit."""
    mean = "mean_test_score"
    np.testing.assert_array_equal(ours.cv_results_[mean], theirs.cv_results_[mean])


@pytest.mark.parametrize("kind", KINDS)
def test_inside_a_search(kind):
    """The regularization of what is wrapped, and a parameter of the wrapper."""
    space = {"estimator__C": [0.01, 1.0], "cv": [2, 3]}
    wrapper = KINDS[kind](LogisticRegression())
    ours = GridSearch(wrapper, space, cv=3).fit(X, Y)
    assert_same_scores(ours, GridSearchCV(wrapper, space, cv=3).fit(X, Y))


@pytest.mark.parametrize("kind", KINDS)
def test_around_a_search(kind):
    """A search is a classifier: its probabilities are tuned or calibrated."""
    ours = KINDS[kind](GridSearch(LogisticRegression(), GRID, cv=2), cv=2)
    theirs = KINDS[kind](GridSearchCV(LogisticRegression(), GRID, cv=2), cv=2)
    np.testing.assert_array_equal(
        ours.fit(X, Y).predict_proba(X), theirs.fit(X, Y).predict_proba(X)
    )
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


def test_around_a_fitted_search():
    """A search that has been fitted is not fitted again."""
    frozen = pytest.importorskip("sklearn.frozen").FrozenEstimator
    search = GridSearch(LogisticRegression(), GRID, cv=2).fit(X, Y)
    results, best = search.cv_results_, search.best_estimator_
    for kind in KINDS.values():
        around = kind(frozen(search)).fit(X[:80], Y[:80])
        around.predict(X)
        inner = getattr(around, "estimator_", None)
        if inner is None:
            inner = around.calibrated_classifiers_[0].estimator
        assert inner.estimator.cv_results_ is results
        assert inner.estimator.best_estimator_ is best


@pytest.fixture
def sampled():
    """A pipeline of imbalanced-learn, which samples in `fit` only."""
    pipeline = pytest.importorskip("imblearn.pipeline")
    over = pytest.importorskip("imblearn.over_sampling")
    return pipeline.Pipeline(
        [
            ("scale", StandardScaler()),
            ("sample", over.SMOTE(random_state=0)),
            ("model", LogisticRegression()),
        ]
    )


def test_samplers_in_a_pipeline(sampled):
    """Rows are made for training and never for scoring, and shared all the same."""
    space = {"sample__k_neighbors": [2, 3], "model__C": [0.01, 1.0]}
    options = {"cv": StratifiedKFold(3), "scoring": "balanced_accuracy"}
    ours = GridSearch(sampled, space, **options).fit(X, Y)
    assert_same_scores(ours, GridSearchCV(sampled, space, **options).fit(X, Y))
    assert ours.reuse_.n_saved > 0
    parallel = clone(ours).set_params(n_jobs=2).fit(X, Y)
    assert_same_scores(parallel, ours)


def test_a_sampler_that_is_chosen(sampled):
    """A step may be taken out, or be another one."""
    under = pytest.importorskip("imblearn.under_sampling").RandomUnderSampler
    steps = [sampled.named_steps["sample"], under(random_state=0), "passthrough"]
    space = {"sample": steps, "model__C": Real(1e-2, 1e2, log=True)}
    for kind in (RandomSearch, BayesSearch):
        search = kind(sampled, space, n_iter=6, cv=3, random_state=0).fit(X, Y)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_reach_each_step(library):
    """Scores are those of scikit-learn's search, for frames with text in them."""
    frames = pytest.importorskip(library)
    frame = frames.DataFrame({"number": X[:, 0], "text": [f"t{i % 3}" for i in Y]})
    prepare = ColumnTransformer(
        [("number", StandardScaler(), ["number"]), ("text", OneHotEncoder(), ["text"])]
    )
    try:
        clone(prepare).fit(frame)
    except AttributeError:
        pytest.skip(f"this scikit-learn cannot take columns of this {library} by name")
    pipe = Pipeline([("prepare", prepare), ("model", LogisticRegression())])
    space = {"model__C": [0.01, 1.0], "prepare__number__with_mean": [True, False]}
    target = frames.Series(Y)
    ours = GridSearch(pipe, space, cv=3, n_jobs=2).fit(frame, target)
    assert_same_scores(ours, GridSearchCV(pipe, space, cv=3).fit(frame, target))


def test_skorch():
    """A network of torch, its module's and its optimizer's parameters."""
    torch = pytest.importorskip("torch")
    skorch = pytest.importorskip("skorch")

    class Module(torch.nn.Module):
        def __init__(self, n_hidden=4):
            super().__init__()
            self.layers = torch.nn.Sequential(
                torch.nn.Linear(6, n_hidden),
                torch.nn.ReLU(),
                torch.nn.Linear(n_hidden, 2),
            )

        def forward(self, X):
            return torch.softmax(self.layers(X), dim=-1)

    torch.manual_seed(0)
    net = skorch.NeuralNetClassifier(
        Module, max_epochs=2, lr=0.1, train_split=None, verbose=0
    )
    space = {"lr": Real(1e-3, 1, log=True), "module__n_hidden": [2, 4]}
    search = BayesSearch(net, space, n_iter=4, cv=2, random_state=0)
    search.fit(X.astype(np.float32), Y.astype(np.int64))
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert set(search.best_estimator_.history[:, "epoch"]) == {1, 2}
