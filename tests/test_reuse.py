"""Nothing is fitted twice, and nobody can tell from the scores."""

import copy
import inspect
import itertools
import time
import warnings
from typing import ClassVar

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import (
    BaseEstimator,
    RegressorMixin,
    TransformerMixin,
    clone,
    is_classifier,
)
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, StandardScaler, TargetEncoder
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.discovery import all_estimators
from test_equality import same

from skhpo import GridSearch, RandomSearch, register_path
from skhpo.evaluation.fitting._lending import copies_by_itself

pytestmark = pytest.mark.thinned

rng = np.random.RandomState(0)
X = rng.normal(size=(60, 6))
Y = (X[:, 0] + X[:, 1] * X[:, 2] + rng.normal(scale=0.3, size=60) > 0).astype(int)


class Scale(TransformerMixin, BaseEstimator):
    """Multiplies by `factor`; counts its fits; fails for a negative factor; writes
    into what it is given if `in_place`; draws from the global generator if `lucky`."""

    n_fits: ClassVar[int] = 0

    def __init__(self, factor=1.0, in_place=False, lucky=False, seconds=0.0):
        self.factor = factor
        self.in_place = in_place
        self.lucky = lucky
        self.seconds = seconds

    def fit(self, X, y=None):
        type(self).n_fits += 1
        time.sleep(self.seconds)
        if self.factor < 0:
            raise ValueError(f"no factor below 0: {self.factor}")
        if self.lucky:
            np.random.normal()  # noqa: NPY002 - what `random_state=None` does
        return self

    def transform(self, X):
        if not self.in_place:
            return X * self.factor
        if self.in_place == "by force":
            X.flags.writeable = True
        X *= self.factor
        return X


class OwnPipeline(Pipeline):
    """A pipeline with a class of its own may do anything in `fit`."""


@pytest.fixture(autouse=True)
def no_fits_yet(never_cut):
    """Counts from nothing in each test, and the same on a machine of any speed."""
    Scale.n_fits = 0


def differences(theirs, ours):
    """The columns of two results that are not the same, times aside."""
    assert list(theirs) == list(ours)
    return [k for k in theirs if "time" not in k and not same(theirs[k], ours[k])]


def assert_same(search, grid, estimator, *, X=X, y=Y, other=GridSearchCV, **options):
    """Both searches give the same numbers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = other(estimator, grid, **options).fit(X, y)
        ours = search.fit(X, y)
    assert not differences(theirs.cv_results_, ours.cv_results_)


# The same scores

STEPS = {
    "scale": st.sampled_from([Scale(), StandardScaler(), "passthrough"]),
    "mid": st.sampled_from(
        [
            PCA(random_state=0),
            SelectKBest(k=3),
            TruncatedSVD(random_state=np.random.RandomState(3)),
            TargetEncoder(random_state=0),
            make_pipeline(KBinsDiscretizer(3), SelectKBest(k=4)),
            "passthrough",
        ]
    ),
    "last": st.sampled_from(
        [
            LogisticRegression(C=0.5),
            KNeighborsClassifier(),
            RandomForestClassifier(3, random_state=0),
            GradientBoostingClassifier(n_estimators=3, random_state=0),
        ]
    ),
}
VALUES = {
    "scale__factor": [1.0, 2.0, -1.0],
    "scale__in_place": [False, True],
    "scale__with_mean": [True, False],
    "mid__n_components": [2, 3, 50],
    "mid__k": [1, 3, "all"],
    "mid__selectkbest__k": [1, 2, 5],
    "last__C": [0.1, 1.0],
    "last__n_neighbors": [1, 2, 5, 40, 500],
    "last__n_estimators": [1, 4, 7],
    "last__max_depth": [1, 2],
    "scale": [Scale(), StandardScaler(), None, "passthrough"],
}


@st.composite
def pipelines_and_grids(draw):
    """A pipeline of three steps, and one or two grids over what these steps have."""
    pipeline = Pipeline([(name, draw(step)) for name, step in STEPS.items()])
    names = [name for name in VALUES if name in pipeline.get_params()]
    if not isinstance(pipeline.named_steps["scale"], str):
        names.remove("scale")  # its parameters would belong to one of the values only

    def grid():
        chosen = draw(st.lists(st.sampled_from(names), unique=True, max_size=3))
        return {
            name: draw(st.lists(st.sampled_from(VALUES[name]), min_size=1, max_size=3))
            for name in chosen
        }

    return pipeline, [grid() for _ in range(draw(st.integers(1, 2)))]


SCORINGS = [
    {},
    {"scoring": "f1", "return_train_score": True},
    {"scoring": ["accuracy", "neg_log_loss"], "refit": "accuracy"},
    {"scoring": make_scorer(accuracy_score), "return_train_score": True},
]


WORKERS = [
    *itertools.product(["sequential", "loky", "threading", "multiprocessing"], [1]),
    *itertools.product(["loky", "threading", "multiprocessing"], [2]),
]


ANY_SEARCH = given(
    pipelines_and_grids(), st.sampled_from(SCORINGS), st.sampled_from(WORKERS)
)


@settings(max_examples=4)
@ANY_SEARCH
def test_same_scores_as_one_by_one(drawn, options, workers):
    """Sharing shows in no score, in no failure, in no order of the columns."""
    check_same_scores(drawn, options, workers)


@pytest.mark.slow
@settings(max_examples=50)
@ANY_SEARCH
def test_same_scores_as_one_by_one_at_length(drawn, options, workers):
    """The same with more examples."""
    check_same_scores(drawn, options, workers)


def check_same_scores(drawn, options, workers):
    """Compare with a search that shares nothing, and with scikit-learn's."""
    backend, n_jobs = workers
    pipeline, grid = drawn
    options = {"cv": 3, "error_score": -7.0, **options}

    def fit(search):
        return search.fit(X.copy(), Y)  # the best may write into X when it is refitted

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            apart = fit(GridSearch(pipeline, grid, reuse=False, **options))
        except ValueError as error:  # every candidate failed
            with pytest.raises(type(error)), joblib.parallel_config(backend):
                fit(GridSearch(pipeline, grid, n_jobs=n_jobs, **options))
            return
        with joblib.parallel_config(backend):
            together = fit(GridSearch(pipeline, grid, n_jobs=n_jobs, **options))
        theirs = fit(GridSearchCV(pipeline, grid, **options))
    assert not differences(apart.cv_results_, together.cv_results_)
    assert not differences(theirs.cv_results_, together.cv_results_)


PIPELINE = Pipeline(
    [("scale", Scale()), ("select", SelectKBest()), ("last", LogisticRegression())]
)
GRID = {
    "scale__factor": [1.0, -1.0, 2.0],
    "select__k": [2, 4],
    "last__C": [0.1, 1.0, 10.0],
}


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_same_scores_in_parallel(backend):
    """Blocks are cut differently for other numbers of workers; nobody can tell."""
    options = {"cv": 3, "return_train_score": True, "error_score": 0.0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one = GridSearch(PIPELINE, GRID, **options).fit(X, Y)
        with joblib.parallel_config(backend):
            two = GridSearch(PIPELINE, GRID, n_jobs=2, **options).fit(X, Y)
        theirs = GridSearchCV(PIPELINE, GRID, **options).fit(X, Y)
    assert not differences(one.cv_results_, two.cv_results_)
    assert not differences(theirs.cv_results_, two.cv_results_)


@pytest.mark.parametrize("container", ["array", "csr", "frame", "frame of columns"])
def test_same_scores_for_any_container(container):
    """Arrays, sparse matrices and frames are lent to several candidates."""
    pd = pytest.importorskip("pandas")
    data = {
        "array": X,
        "csr": sparse.csr_matrix(np.where(np.abs(X) > 0.5, X, 0)),
        "frame": pd.DataFrame(X, columns=list("abcdef")),
        "frame of columns": pd.DataFrame({c: X[:, i] for i, c in enumerate("abcdef")}),
    }[container]
    pipeline = make_pipeline(Scale(in_place=container == "array"), PIPELINE[1:])
    grid = {"pipeline__select__k": [2, 4], "pipeline__last__C": [0.1, 1.0]}
    assert_same(GridSearch(pipeline, grid), grid, pipeline, X=data)


def test_random_search_shares_too():
    """Draws from lists meet again."""
    space = {"scale__factor": [1.0, 2.0], "select__k": [2, 4], "last__C": [0.1, 1, 10]}
    search = RandomSearch(PIPELINE, space, n_iter=10, random_state=0, cv=3).fit(X, Y)
    assert search.reuse_.n_saved >= 10


# Nothing twice


def test_each_distinct_prefix_is_fitted_once():
    """Of 12 candidates on 3 splits, 2 differ in the first step, and 4 in the second."""
    grid = {**GRID, "scale__factor": [1.0, 2.0]}
    search = GridSearch(PIPELINE, grid, cv=3, refit=False).fit(X, Y)
    # Each of the 2 settings of a class that is not known is fitted a second time once.
    assert Scale.n_fits == 2 * 3 + 2
    # The second step has a path: one fit for each value of the first serves both k.
    assert search.reuse_.n_fits == (2 + 2 + 12) * 3 + 2
    assert search.reuse_.n_saved == 12 * 3 * 3 - search.reuse_.n_fits


def test_equal_candidates_are_evaluated_once():
    """Each has its row; 1 and 1.0 are not equal."""
    search = GridSearch(Scale(), {"factor": [2.0, 2.0, 2, 2.0]}, cv=2, refit=False)
    search.set_params(scoring=lambda *_: 0.0).fit(X)
    assert Scale.n_fits == 2 * 2
    assert len(search.cv_results_["params"]) == 4


def test_what_fails_a_prefix_fails_once():
    """All who share the step fail with it."""
    search = GridSearch(PIPELINE, GRID, cv=3, error_score=-1.0, refit=False)
    with pytest.warns(FitFailedWarning, match=r"18 fits failed out of a total of 54"):
        search.fit(X, Y)
    assert Scale.n_fits == 3 * 3 + 3  # once more each, to see whether it repeats


def test_times_are_those_of_a_fit_alone():
    """A candidate is not cheap because another one paid for the first step."""
    pipeline = clone(PIPELINE).set_params(scale__seconds=0.02)
    search = GridSearch(pipeline, {"last__C": [0.1, 1.0, 10.0]}, cv=2, refit=False)
    assert (search.fit(X, Y).cv_results_["mean_fit_time"] >= 0.02).all()


def test_one_fit_of_an_ensemble_serves_all_its_sizes():
    """And a path goes on at any depth."""
    forest = make_pipeline(Scale(), RandomForestClassifier(random_state=0))
    grid = {"randomforestclassifier__n_estimators": [5, 1, 3]}
    search = GridSearch(forest, grid, cv=3)
    assert_same(search, grid, forest, cv=3)
    assert search.reuse_.n_fits == 2 * 3 + 1  # `Scale` once more


# Exact, or not at all


def plain_path(estimator, grid, n_candidates, **options):
    """Fit a search, and say whether its first step was fitted for each candidate."""
    fit_params = options.pop("fit_params", {})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        GridSearch(estimator, grid, cv=2, refit=False, **options).fit(
            X, Y, **fit_params
        )
    assert Scale.n_fits in (2 + 1, 2 * n_candidates)  # once more, to see if it repeats
    return Scale.n_fits == 2 * n_candidates


SMALL = {"last__C": [0.1, 1.0, 10.0]}


def test_small_grid_shares():
    """The other tests of this section can fail."""
    assert not plain_path(PIPELINE, SMALL, 3)


@pytest.mark.parametrize(
    ("estimator", "options"),
    [
        (PIPELINE, {"scoring": lambda estimator, X, y: estimator.score(X, y)}),
        (PIPELINE, {"fit_params": {"last__sample_weight": np.ones(len(X))}}),
        (OwnPipeline(PIPELINE.steps), {}),
        (Pipeline(PIPELINE.steps, verbose=True), {}),
        (PIPELINE, {"reuse": False}),
    ],
    ids=["callable scoring", "fit params", "own class", "verbose", "reuse=False"],
)
def test_left_alone(estimator, options):
    """What could tell a shared step from its own gets its own."""
    assert plain_path(estimator, SMALL, 3, **options)


def test_cached_pipelines_are_left_alone(tmp_path):
    """`memory=` does its own sharing, and keeps doing it."""
    pipeline = Pipeline(PIPELINE.steps, memory=str(tmp_path))
    assert_same(GridSearch(pipeline, SMALL), SMALL, pipeline)
    assert any(tmp_path.iterdir())


def test_luck_is_not_shared():
    """A step that draws from the global generator draws for every candidate."""
    lucky = Pipeline([("scale", Scale(lucky=True)), *PIPELINE.steps[1:]])
    assert plain_path(lucky, SMALL, 3)


def test_equal_generators_are_shared():
    """A RandomState is copied for each candidate, so all draw the same."""
    svd = TruncatedSVD(2, random_state=np.random.RandomState(0))
    pipeline = make_pipeline(svd, GaussianNB())
    grid = {"gaussiannb__var_smoothing": [1e-9, 1e-3]}
    search = GridSearch(pipeline, grid, cv=3)
    assert_same(search, grid, pipeline, cv=3)
    assert search.reuse_.n_saved == 3


@pytest.mark.parametrize("in_place", [True, "by force"])
def test_a_sibling_that_writes_spoils_nothing(in_place):
    """Measured before arrays were lent read-only: scores off by 2.4."""
    grid = {"copy_X": [False, True], "alpha": [0.1, 1.0], "fit_intercept": [True]}
    target = X[:, 0] + 3.0
    options = {"cv": KFold(3), "refit": False}  # the best would write into X itself
    search = GridSearch(Ridge(), grid, **options)
    assert_same(search, grid, Ridge(), y=target, **options)
    pipeline = make_pipeline(Scale(), Scale(2.0, in_place), Ridge())
    grid = {"ridge__copy_X": [False, True], "ridge__alpha": [0.1, 1.0]}
    grid["scale-2__factor"] = [2.0, 3.0]
    search = GridSearch(pipeline, grid, **options)
    assert_same(search, grid, pipeline, y=target, **options)


@pytest.mark.parametrize("option", [{"warm_start": True}, {"oob_score": True}])
def test_options_that_break_a_path(option):
    """Their fits depend on more than the largest value; each has its own."""
    forest = RandomForestClassifier(bootstrap=True, random_state=0, **option)
    grid = {"n_estimators": [12, 15]}
    search = GridSearch(forest, grid, cv=2)
    assert_same(search, grid, forest, cv=2)
    assert search.reuse_.n_saved == 0


def test_imblearn_pipelines():
    """Samplers act on the train part only, and are shared like any step."""
    imblearn = pytest.importorskip("imblearn")
    pipeline = imblearn.pipeline.Pipeline(
        [
            ("scale", Scale()),
            ("sample", imblearn.under_sampling.RandomUnderSampler(random_state=0)),
            ("last", DecisionTreeClassifier(random_state=0)),
        ]
    )
    grid = {"last__max_depth": [1, 2, 3], "last__criterion": ["gini", "entropy"]}
    search = GridSearch(pipeline, grid, cv=3, return_train_score=True)
    assert_same(search, grid, pipeline, cv=3, return_train_score=True)
    assert search.reuse_.n_saved == 2 * 5 * 3 - 1  # `Scale` is fitted once more


def test_verbose_lines_are_complete(capsys):
    """One line for each evaluation, whatever was shared."""
    GridSearch(PIPELINE, SMALL, cv=2, verbose=3, refit=False).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    ends = [line for line in lines if " END " in line]
    for split, value in itertools.product([1, 2], SMALL["last__C"]):
        head = f"[CV {split}/2] END"
        assert sum(e.startswith(head) and f"C={value};" in e for e in ends) == 1


class MeanOfLargest(RegressorMixin, BaseEstimator):
    """Predicts the mean of the `k` largest targets."""

    def __init__(self, k=1):
        self.k = k

    def fit(self, X, y):
        self.largest_ = np.sort(y)[::-1]
        return self

    def predict(self, X):
        return np.full(len(X), self.largest_[: self.k].mean())


def sort_once(estimator, name, values, X, y):
    """One sort serves every `k`."""
    estimator.fit(X, y)
    for value in values:
        yield copy.copy(estimator).set_params(**{name: value})


@pytest.mark.parametrize("backend", ["sequential", "threading", "loky"])
def test_registered_paths_reach_the_workers(backend):
    """A path of one's own is as good as ours, in every process."""
    register_path(MeanOfLargest, "k", sort_once)
    grid = {"k": [1, 10, 30, 5]}
    with joblib.parallel_config(backend):
        search = GridSearch(MeanOfLargest(), grid, cv=4, n_jobs=2)
        assert_same(search, grid, MeanOfLargest(), y=X[:, 0], cv=4)
    assert search.reuse_.n_fits == 4


LINEAR = [
    (name, cls)
    for name, cls in all_estimators()
    if cls.__module__.startswith("sklearn.linear_model")
    and getattr(inspect.signature(cls).parameters.get("copy_X"), "default", 0) is True
]


@pytest.mark.parametrize(("name", "cls"), LINEAR, ids=[name for name, _ in LINEAR])
@pytest.mark.parametrize("order", ["C", "F", "csr"])
def test_those_who_copy_by_themselves_do(name, cls, order):
    """They get writable data, to spare a second copy, and must not write to it."""
    data = sparse.csr_matrix(X) if order == "csr" else np.array(X, order=order)
    target = X[:, :2].copy() if name.startswith("MultiTask") else X[:, 0] + 1.0
    target = target > 1.0 if is_classifier(cls()) else target
    before = data.toarray() if order == "csr" else data.copy()
    kept = target.copy()
    estimator = cls()
    assert copies_by_itself(estimator)
    assert not copies_by_itself(cls(copy_X=False))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator.fit(data, target)
    except TypeError:  # no sparse matrices for this one
        assert order == "csr"
    after = data.toarray() if order == "csr" else data
    np.testing.assert_array_equal(after, before)
    np.testing.assert_array_equal(target, kept)
