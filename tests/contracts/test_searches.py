"""What every search promises, whatever its algorithm.

To put another search under the contract, add a line to `SEARCHES`: a function of an
estimator, a dict of lists of values and keywords, that returns the search unfitted.
What is searched can be trained step by step, for the sake of `PBTSearch`.
"""

import inspect
import pickle
import re

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from estimators import Recording, Threshold, Uneven
from scipy import sparse
from sklearn import config_context
from sklearn.base import (
    clone,
    is_classifier,
    is_clusterer,
    is_outlier_detector,
    is_regressor,
)
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA, IncrementalPCA
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch
from skhpo.evaluation import Evaluator
from skhpo.space import Real

SEARCHES = {
    "grid": GridSearch,
    "random": lambda estimator, space, **keywords: RandomSearch(
        estimator, space, **{"n_iter": 2, "random_state": 0, **keywords}
    ),
    "anneal": lambda estimator, space, **keywords: RandomSearch(
        estimator,
        space,
        **{"n_iter": 2, "random_state": 0, "strategy": "anneal", **keywords},
    ),
    "bayes": lambda estimator, space, **keywords: BayesSearch(
        estimator, space, **{"n_iter": 2, "random_state": 0, **keywords}
    ),
    "pbt": lambda estimator, space, **keywords: PBTSearch(
        estimator,
        space,
        **{"population_size": 3, "n_generations": 2, "random_state": 0, **keywords},
    ),
}
RANDOM = ["random", "anneal", "bayes", "pbt"]  # those with a `random_state`
LEARNING = ["anneal", "bayes"]  # those that learn from one trial after the other
SET_BY_THE_FACTORY = {
    *("param_distributions", "n_iter", "random_state", "strategy"),
    *("population_size", "n_generations"),
}

MODEL = (
    SGDClassifier(loss="log_loss", random_state=0),
    {"alpha": [1e-4, 1e-2, 1.0]},
)


def final(results):
    """Rows among which the best is chosen: all, or those of the last generation."""
    generations = results.get("generation", np.zeros(len(results["params"])))
    return np.flatnonzero(generations == generations.max())


@pytest.fixture(
    params=[
        # Its candidates come from another optimizer; all else is that of "random".
        pytest.param(name, marks=pytest.mark.slow if name == "anneal" else [])
        for name in SEARCHES
    ]
)
def make(request):
    return SEARCHES[request.param]


@pytest.fixture
def search(make):
    return make(*MODEL, cv=3)


@pytest.fixture
def data(classification_data):
    return classification_data


# An estimator like any other


def test_the_constructor_stores_what_it_is_given(make):
    """Every argument comes back as the same object, also an invalid one."""
    space, cv, scoring = {"alpha": [1.0]}, KFold(2), ["accuracy"]
    search = make(MODEL[0], space, cv=cv, scoring=scoring, n_jobs="many")
    params = search.get_params(deep=False)
    assert params["estimator"] is MODEL[0]
    assert any(value is space for value in params.values())
    assert params["cv"] is cv
    assert params["scoring"] is scoring
    assert params["n_jobs"] == "many"
    assert vars(search).keys() == params.keys()
    plain = make(*MODEL)
    for name, parameter in inspect.signature(type(plain)).parameters.items():
        if parameter.default is not parameter.empty and name not in SET_BY_THE_FACTORY:
            assert getattr(plain, name) is parameter.default, name


def test_parameters_round_trip(search):
    """`set_params` reaches the search and the estimator within."""
    search.set_params(cv=4, estimator__alpha=7.0)
    params = search.get_params()
    assert params["cv"] == 4
    assert params["estimator__alpha"] == search.estimator.alpha == 7.0
    assert type(search)(**search.get_params(deep=False)).get_params().keys() == (
        params.keys()
    )


def test_clone_forgets_the_fit(search, data):
    """A clone has the parameters and nothing else."""
    copy = clone(search.fit(*data))
    assert vars(copy).keys() == copy.get_params(deep=False).keys()
    assert copy.estimator is not search.estimator
    with pytest.raises(NotFittedError):
        check_is_fitted(copy)


@pytest.mark.parametrize("fitted", [False, True])
def test_pickle(search, data, fitted):
    """A search travels between processes, fitted or not."""
    X, y = data
    if fitted:
        search.fit(X, y)
    copy = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(
        (copy if fitted else copy.fit(X, y)).predict(X),
        (search if fitted else search.fit(X, y)).predict(X),
    )


def test_fit_leaves_parameters_alone(search, data):
    """Fitting changes no parameter, nor the estimator that was passed."""
    before = joblib.hash(search.get_params())
    search.fit(*data)
    assert joblib.hash(search.get_params()) == before
    assert not hasattr(search.estimator, "coef_")


def test_nothing_of_the_run_stays(search, data):
    """A fit leaves scikit-learn's attributes, and no other that is not documented."""
    search.fit(*data)
    left = vars(search).keys() - search.get_params(deep=False).keys()
    described = inspect.getdoc(type(search))
    documented = set(re.findall(r"^(\w+_) : ", described, re.MULTILINE))
    assert left - documented <= {"_checked_cv_orig"}
    assert left >= {
        *("best_estimator_", "best_index_", "best_params_", "best_score_"),
        *("cv_results_", "multimetric_", "n_splits_", "refit_time_", "scorer_"),
    }
    assert len(pickle.dumps(search)) < 100_000


def test_a_second_fit_starts_afresh(search, data):
    """Fitting twice is as fitting once."""
    X, y = data
    twice = clone(search).fit(X[:60], y[:60]).fit(X, y)
    once = search.fit(X, y)
    scores = "mean_test_score"
    np.testing.assert_array_equal(twice.cv_results_[scores], once.cv_results_[scores])


def test_repr_html(search, data):
    """A notebook shows the estimator within, before and after the fit."""
    assert "SGDClassifier" in search._repr_html_()
    assert "best_estimator_" in search.fit(*data)._repr_html_()


def test_tags(make):
    """A search is what it searches over."""
    score = {"scoring": lambda estimator, X, y=None: 0.0}
    assert is_classifier(make(LogisticRegression(), {}))
    assert is_regressor(make(Ridge(), {}))
    assert is_clusterer(make(KMeans(), {}))
    assert is_outlier_detector(make(IsolationForest(), {}, **score))
    assert get_tags(make(PCA(), {})).transformer_tags is not None
    assert get_tags(make(Ridge(), {})).transformer_tags is None
    assert get_tags(make(Ridge(), {})).target_tags.multi_output
    assert get_tags(make(HistGradientBoostingClassifier(), {})).input_tags.allow_nan
    assert not get_tags(make(LogisticRegression(), {})).input_tags.allow_nan


def test_methods_come_and_go(make, data):
    """A search has the methods that its estimator has, and no others."""
    X, y = data
    models = make(*MODEL)
    assert hasattr(models, "predict_proba")
    assert not hasattr(models, "transform")
    assert not hasattr(models, "fit_transform")
    assert not hasattr(models, "get_feature_names_out")
    components = make(PCA(), {"n_components": [1, 2]})
    assert hasattr(components, "inverse_transform")
    assert not hasattr(components, "predict")
    unrefitted = models.set_params(refit=False).fit(X, y)
    assert not hasattr(unrefitted, "predict")
    with pytest.raises(AttributeError) as caught:
        unrefitted.predict  # noqa: B018
    assert "refit=False" in str(caught.value.__cause__)
    components.set_params(refit=False)
    assert not hasattr(components, "transform")
    assert not hasattr(components, "fit_transform")


# Within others


def test_nested_cross_validation(search, data):
    """A search is tuned anew on each outer training part."""
    X, y = data
    scores = cross_val_score(search, X, y, cv=KFold(3))
    expected = [
        clone(search).fit(X[train], y[train]).score(X[test], y[test])
        for train, test in KFold(3).split(X)
    ]
    np.testing.assert_array_equal(scores, expected)


def test_a_search_within_a_search(make, data):
    """Searches nest, as anything nests that is an estimator."""
    inner = make(*MODEL, cv=2)
    make_outer = GridSearch if make is SEARCHES["pbt"] else make  # has no steps
    outer = make_outer(inner, {"estimator__penalty": ["l2", "l1"]}, cv=2)
    outer.fit(*data)
    assert set(outer.best_params_) == {"estimator__penalty"}
    assert set(outer.best_estimator_.best_params_) == {"alpha"}


def test_a_step_under_set_output(make, data):
    """A search over transformers is a step that passes its column names on."""
    X, y = data
    frame = pd.DataFrame(X, columns=list("abcdef"))
    reduce = make(IncrementalPCA(), {"n_components": [2, 3]}, cv=3, scoring=no_score)
    pipe = make_pipeline(StandardScaler(), reduce, LogisticRegression())
    pipe.set_output(transform="pandas").fit(frame, y)
    names = list(pipe[1].get_feature_names_out())
    n_components = pipe[1].best_params_["n_components"]
    assert names == [f"incrementalpca{i}" for i in range(n_components)]
    assert list(pipe[:-1].transform(frame).columns) == names
    assert list(pipe[:-1].get_feature_names_out()) == names
    assert list(pipe[-1].feature_names_in_) == names


def test_set_output_after_the_fit(make, data):
    """The container can be chosen when the search is fitted already."""
    X, _ = data
    search = make(IncrementalPCA(), {"n_components": [2, 3]}, scoring=no_score)
    search.fit(X)
    assert isinstance(search.transform(X), np.ndarray)
    assert isinstance(search.set_output(transform="polars").transform(X), pl.DataFrame)
    assert isinstance(clone(search).fit_transform(X), pl.DataFrame)


def no_score(estimator, X, y=None):
    return 0.0


# Data of all kinds


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_frames(make, data, frame):
    """Frames of pandas and polars reach the estimator whole."""
    X, y = data
    named = frame({f"column {i}": X[:, i] for i in range(X.shape[1])})
    search, plain = make(*MODEL, cv=3), make(*MODEL, cv=3)
    search.fit(named, pd.Series(y) if frame is pd.DataFrame else pl.Series(y))
    plain.fit(X, y)
    known = getattr(clone(MODEL[0]).fit(named, y), "feature_names_in_", "not known")
    assert list(getattr(search, "feature_names_in_", "not known")) == list(known)
    assert search.n_features_in_ == X.shape[1]
    np.testing.assert_array_equal(search.predict(named), plain.predict(X))
    assert search.best_score_ == plain.best_score_


@pytest.mark.thinned
@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.coo_array])
def test_sparse(make, data, container):
    """Sparse input of any format gives the scores of the dense one."""
    X, y = data
    dense = (X > 0.5).astype(float)
    forest = RandomForestClassifier(5, random_state=0)
    search = make(forest, {"max_depth": [2, 4]}).fit(container(dense), y)
    plain = make(forest, {"max_depth": [2, 4]}).fit(dense, y)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"]
    )


def test_lists_and_no_target(make, data):
    """Nested lists will do, and a missing target where none is needed."""
    X, _ = data
    search = make(MiniBatchKMeans(random_state=0), {"n_clusters": [2, 3]})
    assert search.fit(X.tolist()).best_params_ in [{"n_clusters": 2}, {"n_clusters": 3}]
    assert search.predict(X).shape == (len(X),)


def test_adult(make, data_dir):
    """Mixed columns with missing values, through ColumnTransformer, as people do."""
    frame = pd.read_csv(
        data_dir / "adult-train.csv",
        header=None,
        nrows=1500,
        na_values="?",
        skipinitialspace=True,
    )
    X, y = frame.iloc[:, :-1].rename(columns=str), frame.iloc[:, -1]
    assert X.isna().any().any()
    numbers = X.columns[[pd.api.types.is_numeric_dtype(X[name]) for name in X]]
    categories = X.columns.difference(numbers)
    prepare = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (
            make_pipeline(
                SimpleImputer(strategy="most_frequent"),
                OneHotEncoder(handle_unknown="ignore"),
            ),
            categories,
        ),
    )
    pipe = Pipeline([("prepare", prepare), ("model", MODEL[0])])
    space = {
        "prepare__pipeline-1__simpleimputer__strategy": ["mean", "median"],
        "model__alpha": [1e-3, 1e-1],
    }
    search = make(pipe, space, cv=3).fit(X[:1000], y[:1000])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    majority = (y[1000:] == y.mode()[0]).mean()
    assert search.score(X[1000:], y[1000:]) > majority


# What is routed


@pytest.fixture
def recorded():
    Recording.seen.clear()
    return Recording.seen


def test_sample_weight_reaches_every_fit(make, data, recorded):
    """Each fit gets the weights of its own training rows, the refit gets all."""
    X, y = data
    y, weights = (y > 0).astype(int), np.arange(len(X)) + 1.0
    make(Recording(), {"level": [0.0, 1.0]}, cv=KFold(4)).fit(
        X, y, sample_weight=weights
    )
    fits = [weight for kind, _, weight in recorded if kind == "fit"]
    trains = [train for train, _ in KFold(4).split(X)] + [np.arange(len(X))]
    assert set(map(frozenset, fits)) == {frozenset(weights[rows]) for rows in trains}


def test_routed_weights_reach_fits_and_scores(make, data, recorded):
    """With routing, the scorer gets the weights of the test rows as well."""
    X, y = data
    y, weights = (y > 0).astype(int), np.arange(len(X)) + 1.0
    with config_context(enable_metadata_routing=True):
        estimator = Recording().set_fit_request(sample_weight=True)
        estimator.set_score_request(sample_weight=True)
        search = make(estimator, {"level": [0.0, 1.0]}, cv=KFold(4))
        search.fit(X, y, sample_weight=weights)
        scorer = make_scorer(accuracy_score).set_score_request(sample_weight=True)
        explicit = clone(search).set_params(scoring=scorer)
        explicit.fit(X, y, sample_weight=weights)
    scores = [weight for kind, _, weight in recorded if kind == "score"]
    tests = [test for _, test in KFold(4).split(X)]
    assert set(map(frozenset, scores)) == {frozenset(weights[rows]) for rows in tests}
    fits = [weight for kind, _, weight in recorded if kind == "fit"]
    assert len(fits) > 2 * 4
    assert all(weight is not None for weight in fits)
    for name in ("split0_test_score", "mean_test_score"):
        np.testing.assert_array_equal(
            search.cv_results_[name], explicit.cv_results_[name]
        )


def test_routing_refuses_what_nobody_asked_for(make, data):
    """Weights that are passed and not requested are an error, as in scikit-learn."""
    X, y = data
    with config_context(enable_metadata_routing=True):
        search = make(Threshold(), {"level": [0.0]}, n_jobs=None)
        with pytest.raises(ValueError, match="not explicitly set as requested or not"):
            search.fit(X, (y > 0).astype(int), sample_weight=np.ones(len(X)))


@pytest.mark.parametrize("routing", [False, True])
def test_groups_stay_together(make, data, routing):
    """Groups reach the splitter, of the search and, with routing, of a nested one."""
    _, y = data
    groups = np.arange(len(y)) % 12
    X = np.column_stack([groups, data[0]])
    with config_context(enable_metadata_routing=routing):
        search = make(*MODEL, cv=GroupKFold(4), scoring=n_groups)
        results = search.fit(X, y, groups=groups).cv_results_
        assert (results["mean_test_score"] == 12 / 4).all()
        if routing:
            params = {"groups": groups}
            scores = cross_val_score(search, X, y, cv=GroupKFold(3), params=params)
            assert (scores == 12 / 3).all()


def n_groups(estimator, X, y=None):
    return len(set(X[:, 0]))


# Scores


def test_several_scores(make, data):
    """Each score has its columns; `refit` names the one that decides."""
    X, y = data
    scoring = ["accuracy", "balanced_accuracy"]
    search = make(*MODEL, scoring=scoring, refit="balanced_accuracy").fit(X, y)
    ranks = search.cv_results_["rank_test_balanced_accuracy"]
    assert ranks[search.best_index_] == ranks[final(search.cv_results_)].min()
    assert search.multimetric_
    assert set(search.scorer_) == set(scoring)
    expected = search.scorer_["balanced_accuracy"](search.best_estimator_, X, y)
    assert search.score(X, y) == expected


def test_refit_by_a_callable(make, data):
    """A callable chooses from the results; there is no single best score then."""
    search = make(*MODEL, refit=lambda results: len(results["params"]) - 1)
    search.fit(*data)
    assert search.best_index_ == len(search.cv_results_["params"]) - 1
    assert search.best_params_ == search.cv_results_["params"][-1]
    assert not hasattr(search, "best_score_")


def test_no_refit(make, data):
    """Without refit there are results, and the best of a single score."""
    single = make(*MODEL, refit=False).fit(*data)
    assert single.best_params_ == single.cv_results_["params"][single.best_index_]
    assert not hasattr(single, "best_estimator_")
    several = make(*MODEL, refit=False, scoring=["accuracy"]).fit(*data)
    assert not hasattr(several, "best_params_")


def test_one_callable_for_several_scores(make, data):
    """A callable may return a dict; its names are known after the first fit."""

    def scoring(estimator, X, y):
        accuracy = accuracy_score(y, estimator.predict(X))
        return {"hits": accuracy, "misses": 1 - accuracy}

    search = make(*MODEL, scoring=scoring, refit="hits").fit(*data)
    results = search.cv_results_
    total = results["mean_test_hits"] + results["mean_test_misses"]
    np.testing.assert_allclose(total, 1)


@pytest.mark.parametrize("wanted", [False, True])
def test_train_scores(make, data, wanted):
    """Scores on the training parts come if asked for, and only then."""
    search = make(*MODEL, return_train_score=wanted).fit(*data)
    columns = [name for name in search.cv_results_ if "train_score" in name]
    assert bool(columns) == wanted
    if wanted:
        assert search.cv_results_["mean_train_score"].max() > search.best_score_


# Randomness


def test_the_splits_are_made_once(make, data):
    """All candidates meet the same splits, also those of a splitter that moves on."""
    cv = ShuffleSplit(2, random_state=np.random.RandomState(0))
    same = {"n_jobs": [1, 2, 3]}
    results = make(MODEL[0], same, cv=cv).fit(*data).cv_results_
    assert len(set(results["mean_test_score"][final(results)])) == 1


@pytest.mark.parametrize("name", RANDOM)
def test_random_state(name, data):
    """An int gives the same candidates at each fit, a generator goes on."""
    space = {"alpha": np.geomspace(1e-5, 1, 200).tolist()}

    def drawn(search):
        return search.fit(*data).cv_results_["params"]

    fixed = SEARCHES[name](MODEL[0], space, random_state=3, cv=2)
    assert drawn(fixed) == drawn(fixed) == drawn(clone(fixed))
    generator = np.random.RandomState(3)
    moving = SEARCHES[name](MODEL[0], space, random_state=generator, cv=2)
    assert drawn(moving) != drawn(moving)
    other = SEARCHES[name](MODEL[0], space, random_state=4, cv=2)
    assert drawn(other) != drawn(fixed)


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_the_number_of_workers_changes_nothing(make, data, backend):
    """One worker or two, threads or processes: the same results."""
    alone = make(*MODEL, cv=3).fit(*data)
    with joblib.parallel_config(backend):
        together = make(*MODEL, cv=3, n_jobs=2).fit(*data)
    assert together.cv_results_["params"] == alone.cv_results_["params"]
    for name in ("mean_test_score", "std_test_score", "rank_test_score"):
        np.testing.assert_array_equal(
            together.cv_results_[name], alone.cv_results_[name]
        )


def learned(name, backend="loky", **keywords):
    """What a search that learns makes of fits that take unequal time."""
    X = np.random.default_rng(0).normal(size=(30, 1))
    y = (X[:, 0] > 0).astype(int)
    space = {"level": Real(-1, 1)}
    with joblib.parallel_config(backend):
        search = SEARCHES[name](
            Uneven(), space, n_iter=14, n_pending=4, cv=2, **keywords
        ).fit(X, y)
    results = search.cv_results_
    scores = [results[key].tolist() for key in results if "test_score" in key]
    return results["params"], scores, search.best_index_


@pytest.mark.parametrize("name", LEARNING)
def test_who_finishes_first_changes_nothing(name):
    """Whatever the number of workers, and whether they are threads or processes."""
    alone = learned(name, n_jobs=1)
    for backend, n_jobs in (("threading", 4), ("loky", 2)):
        assert learned(name, backend, n_jobs=n_jobs) == alone


class Backwards(Evaluator):
    """Waits until all that is under way is complete, and hands out the last first."""

    def wait(self):
        complete = []
        while more := super().wait():
            complete += more
        return complete[::-1]


@pytest.mark.parametrize("name", LEARNING)
def test_trials_are_told_in_the_order_of_candidates(name, monkeypatch):
    """Also if the last one is complete first; unless the user waives it."""
    alone = learned(name)
    monkeypatch.setattr("skhpo.search._execution.Evaluator", Backwards)
    assert learned(name) == alone
    if name == "bayes":
        assert learned(name, asynchronous=True) != alone
