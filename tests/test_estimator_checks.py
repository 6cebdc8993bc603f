"""scikit-learn's estimator checks over every kind of estimator that a search can hold.

No check of ours is expected to fail. What scikit-learn's own searches fail is written
down beside, and tested, so that "passes more than scikit-learn's" stays a fact.
"""

import functools
import warnings
from unittest import SkipTest

import pytest
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingRegressor, IsolationForest
from sklearn.linear_model import (
    LogisticRegression,
    Ridge,
    SGDClassifier,
    SGDOneClassSVM,
    SGDRegressor,
)
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM
from sklearn.utils.estimator_checks import (
    estimator_checks_generator,
    parametrize_with_checks,
)
from threadpoolctl import threadpool_limits

from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch


class Normality:
    """How normal unseen rows look: outlier detectors have no `score` of their own.

    An object and not a function, so that it is called the same in every process.
    """

    def __call__(self, estimator, X, y=None):
        return estimator.score_samples(X).mean()

    def __repr__(self):
        return "Normality()"


HELD = {
    "classifier": (LogisticRegression(), {"C": [0.1, 1.0]}, None),
    "regressor": (Ridge(), {"alpha": [0.1, 1.0]}, None),
    "transformer": (PCA(n_components=1), {"whiten": [False, True]}, None),
    "clusterer": (
        KMeans(n_clusters=2, n_init=1, random_state=0),
        {"max_iter": [10, 20]},
        None,
    ),
    "forest of outliers": (
        IsolationForest(n_estimators=5, random_state=0),
        {"max_features": [0.5, 1.0]},
        Normality(),
    ),
    "one class": (OneClassSVM(), {"nu": [0.1, 0.5]}, Normality()),
    "pipeline": (
        make_pipeline(StandardScaler(), LogisticRegression()),
        {"logisticregression__C": [0.1, 1.0]},
        None,
    ),
    "pipeline of transformers": (
        make_pipeline(StandardScaler(), PCA(n_components=1)),
        {"pca__whiten": [False, True]},
        None,
    ),
}

REFUSED = "seems to be a Transformer, but the `transformer_tags` tag is not set"
SKLEARN_FAILS = {
    "regressor": {"check_supervised_y_2d"},  # hides that Ridge takes several targets
    "forest of outliers": {
        "check_outliers_train",  # has no offset_
        "check_estimators_nan_inf",  # hides that isolation forests take NaN
    },
    "one class": {"check_outliers_train"},
}

SEARCHES = {
    "grid": GridSearch,
    "random": functools.partial(RandomSearch, n_iter=2, random_state=0),
    "bayes": functools.partial(BayesSearch, n_iter=2, random_state=0),
}


def search_over(name, kind):
    estimator, space, scoring = HELD[kind]
    return SEARCHES[name](estimator, space, scoring=scoring, cv=2)


# Most kinds once, and each search over more than one kind; a forest of outliers takes
# long, and differs for a search from a single class by what it holds only.
ONE_OF_EACH = [
    search_over("grid", "classifier"),
    search_over("bayes", "regressor"),
    search_over("grid", "transformer"),
    search_over("random", "clusterer"),
    search_over("random", "one class"),
    search_over("bayes", "pipeline"),
    search_over("random", "pipeline of transformers"),
]


def population(estimator, space, **options):
    options = {"population_size": 2, "n_generations": 2, "cv": 2, **options}
    return PBTSearch(estimator, space, random_state=0, **options)


# Of what can be trained step by step, each kind that is above (MiniBatchKMeans is a
# transformer, too).
PBT_SEARCHES = [
    population(SGDClassifier(), {"alpha": [1e-4, 1e-2]}),
    population(SGDRegressor(), {"alpha": [1e-4, 1e-2]}),
    population(MiniBatchKMeans(2, n_init=1), {"reassignment_ratio": [0.01, 0.1]}),
    population(
        SGDOneClassSVM(),
        {"nu": [0.1, 0.5]},
        scoring=Normality(),
        steps_per_generation=25,  # before that, nothing looks like an outlier
    ),
    population(
        make_pipeline(StandardScaler(), SGDClassifier()),
        {"sgdclassifier__alpha": [1e-4, 1e-2]},
    ),
    population(
        HistGradientBoostingRegressor(max_leaf_nodes=3, min_samples_leaf=2),
        {"learning_rate": [0.1, 0.5]},
    ),
]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """On ten rows a second thread of BLAS or OpenMP does nothing but wait."""
    with threadpool_limits(limits=1):
        yield


@pytest.mark.thinned
@parametrize_with_checks([*ONE_OF_EACH, PBT_SEARCHES[0], PBT_SEARCHES[2]])
def test_estimator_checks(estimator, check):
    """Our searches pass every check of scikit-learn, whatever they hold."""
    check(estimator)


@pytest.mark.slow
@pytest.mark.parametrize("kind", HELD)
@pytest.mark.parametrize("name", SEARCHES)
def test_estimator_checks_of_every_search_over_every_kind(name, kind):
    """The same, with each search over each kind."""
    assert failed_checks(search_over(name, kind)) == set()


@pytest.mark.slow
@pytest.mark.parametrize("search", PBT_SEARCHES, ids=lambda s: repr(s.estimator))
def test_estimator_checks_of_every_population(search):
    """The same, with whatever can be trained step by step."""
    assert failed_checks(search) == set()


def failed_checks(search):
    """Names of the checks that a search fails."""
    failed = set()
    for estimator, check in estimator_checks_generator(search):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                check(estimator)
            except SkipTest:
                continue
            except Exception:
                failed.add(check.func.__name__)
    return failed


# By default one of each sort, as no fault of ours shows here.
OFTEN = {"one class", "transformer"}


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=[] if kind in OFTEN else [pytest.mark.slow])
        for kind in HELD
    ],
)
def test_what_scikit_learn_fails(kind):
    """The list of what scikit-learn's own search fails is neither long nor stale.

    A line that fails here is good news: scikit-learn mended a check. Take it out.
    """
    estimator, space, scoring = HELD[kind]
    search = GridSearchCV(estimator, space, scoring=scoring, cv=2)
    if hasattr(estimator, "transform"):
        with pytest.raises(RuntimeError, match=REFUSED):
            failed_checks(search)
    else:
        assert failed_checks(search) == SKLEARN_FAILS.get(kind, set())
