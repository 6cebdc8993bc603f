"""Two values are one candidate only if their clones are interchangeable."""

from __future__ import annotations

import datetime
import enum
import warnings

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rv_histogram, uniform
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch
from skhpo._keys import structural_key
from skhpo.exceptions import InvalidSpaceError
from skhpo.plots import SliceDisplay
from skhpo.space import Categorical, Choice
from skhpo.space._convert import Distribution

X = np.random.default_rng(0).normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)
GOOD, BAD = (LogisticRegression().fit(X, y) for y in (Y, 1 - Y))


class Remembering(ClassifierMixin, BaseEstimator):
    """A model whose clones keep what it has learned."""

    def __init__(self, estimator=None):
        self.estimator = estimator

    def __sklearn_clone__(self):
        return self

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.learned.predict(X)


class Passing:
    """A wrapper that passes on all attributes, and so the clone of what it wraps."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        if name == "inner":
            raise AttributeError(name)
        return getattr(self.inner, name)

    def get_params(self, deep=True):
        return {"inner": self.inner}


def remembering(model):
    made = Remembering()
    made.learned = model
    return made


# How a model that is trained already comes into a value.
HOLDERS = {
    "frozen": FrozenEstimator,
    "of its own": remembering,
    "passed on": lambda model: Passing(FrozenEstimator(model)),
    "in a pipeline": lambda model: make_pipeline(
        StandardScaler(with_mean=False, with_std=False), FrozenEstimator(model)
    ),
    "in a list": lambda model: VotingClassifier([("m", FrozenEstimator(model))]),
    "nested": lambda model: make_pipeline(make_pipeline(remembering(model))),
    "frozen pipeline": lambda model: FrozenEstimator(make_pipeline(model)),
    "in a dict": lambda model: {"m": [FrozenEstimator(model)]},
    "in keywords": lambda model: FunctionTransformer(
        kw_args={"m": FrozenEstimator(model)}
    ),
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_models_that_are_kept_are_the_same_only_as_themselves(holder):
    """Equal parameters do not say what they have learned."""
    one, other = HOLDERS[holder](GOOD), HOLDERS[holder](BAD)
    assert repr(one) == repr(other) or holder == "passed on"
    assert structural_key(one) != structural_key(other)
    assert structural_key(one) == structural_key(one)


class Hiding(Passing):
    """A wrapper without parameters, whose clone is one of what it wraps."""

    def get_params(self, deep=True):
        return {}


def test_a_clone_that_is_passed_on_is_one_of_its_own():
    one, other = Hiding(SVC(C=1)), Hiding(SVC(C=2))
    assert clone(one).C != clone(other).C
    assert structural_key(one) != structural_key(other)


def test_models_that_are_trained_anew_are_the_same():
    """What they have learned is forgotten by their clones."""
    assert structural_key(GOOD) == structural_key(BAD)
    assert structural_key(make_pipeline(GOOD)) == structural_key(make_pipeline(BAD))
    assert structural_key([GOOD]) == structural_key([clone(BAD)])


class Number(int):
    """A number with more to it."""


class Scalar(np.float64):
    """A number of NumPy's with more to it."""


class Color(enum.Enum):
    """Two colors."""

    RED = 1
    BLUE = 2


def with_output(kind):
    return StandardScaler().set_output(transform=kind)


def spawned(n):
    rng = np.random.default_rng(0)
    rng.spawn(n) if n and hasattr(rng, "spawn") else None
    return rng


def noted(number, note):
    number.note = note
    return number


DIFFERENT = {
    "zeros": (complex(0, 0.0), complex(0, -0.0)),
    "subclasses": (noted(Number(1), "a"), noted(Number(1), "b")),
    "scalars": (noted(Scalar(1), "a"), noted(Scalar(1), "b")),
    "number and subclass": (1, Number(1)),
    "scalars of other types": (np.float64(1), np.float32(1)),
    "scalar and number": (np.float64(1), 1.0),
    "fields": (np.zeros(2, [("a", "f8")]), np.zeros(2, [("b", "f8")])),
    "units": (np.zeros(2, "M8[s]"), np.zeros(2, "M8[ms]")),
    "strides": tuple(np.ones((4, 4, 2), order=o)[::2, :, :1] for o in "CF"),
    "enums": (Color.RED, Color.BLUE),
    "dates": (datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)),
    "functions": (lambda x: x, lambda x: x),
    "classes": (int, float),
    "outputs": (with_output("pandas"), with_output("default")),
    "generators": (np.random.default_rng(0), np.random.default_rng(1)),
    "kinds of bits": tuple(
        np.random.RandomState(bits(0)) for bits in (np.random.PCG64, np.random.MT19937)
    ),
    "bytes and text": (b"a", "a"),
    "order of a dict": ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_values_that_differ_are_told_apart(name):
    one, other = DIFFERENT[name]
    assert structural_key(one) != structural_key(other)
    assert structural_key(one) == structural_key(one)


def test_generators_that_have_spawned_are_others():
    """Equal states, but what they spawn next is not the same."""
    if not hasattr(np.random.default_rng(0), "spawn"):
        pytest.skip("needs NumPy 1.25")
    assert structural_key(spawned(0)) == structural_key(spawned(0))
    assert structural_key(spawned(0)) != structural_key(spawned(1))


# --- spaces and plots -----------------------------------------------------------------


def test_values_of_a_list_may_be_models_with_equal_parameters():
    """They are distinct; the same one twice is not."""
    one, other = FrozenEstimator(BAD), FrozenEstimator(GOOD)
    dimension = Categorical([one, other])
    assert dimension.to_unit(other) != dimension.to_unit(one)
    assert dimension != Categorical([other, one])
    Choice([(one, None), (other, {"a": [1, 2]})])
    with pytest.raises(InvalidSpaceError, match="distinct"):
        Categorical([one, other, one])


def test_distributions_of_other_tables_are_others():
    """A column of two branches is one only if both draw the same from it."""
    tables = [rv_histogram(np.histogram(X[:, i], bins=4)) for i in (0, 1)]
    assert Distribution(tables[0]()) != Distribution(tables[1]())
    assert Distribution(uniform(0, 1)) == Distribution(uniform(0, 1))
    assert Distribution(uniform(0, 1)) != Distribution(uniform(0, 2))


def test_plots_tell_such_models_apart():
    pytest.importorskip("matplotlib").use("agg")
    grid = {"m": [FrozenEstimator(BAD), FrozenEstimator(GOOD)]}
    pipe = Pipeline([("m", FrozenEstimator(GOOD))])
    search = GridSearch(pipe, grid, cv=3).fit(X, Y)
    display = SliceDisplay.from_search(search)
    assert display.positions["m"].tolist() == [0, 1]
    assert len(set(display.categories["m"])) == 2


# --- searches -------------------------------------------------------------------------


def assert_same(theirs, ours):
    for name, column in theirs.cv_results_.items():
        if "time" not in name and not name.startswith("param"):
            np.testing.assert_array_equal(column, ours.cv_results_[name])
    assert theirs.best_index_ == ours.best_index_
    np.testing.assert_array_equal(theirs.predict(X), ours.predict(X))


MODELS = {
    name: [HOLDERS[name](BAD), HOLDERS[name](GOOD)]
    for name in ("frozen", "of its own", "in a pipeline", "nested", "frozen pipeline")
}
FIRST = [
    FunctionTransformer(),
    FrozenEstimator(StandardScaler().fit(X)),
    FrozenEstimator(StandardScaler().fit(-9 * X - 9)),
    make_pipeline(FrozenEstimator(StandardScaler().fit(X + 5))),
    ColumnTransformer([("a", FrozenEstimator(PCA(3).fit(X * [1, 9, 1])), [0, 1, 2])]),
    ColumnTransformer([("a", FrozenEstimator(PCA(3).fit(X * [9, 1, 1])), [0, 1, 2])]),
]


@settings(max_examples=8)
@given(
    first=st.lists(st.sampled_from(FIRST), min_size=1, max_size=4),
    last=st.sampled_from(sorted(MODELS)).flatmap(lambda n: st.permutations(MODELS[n])),
    trained=st.booleans(),
    # Not in two threads: scikit-learn 1.9 notes on each step who listens to a fit and
    # forgets it afterwards, so that two fits with one frozen step trip over it.
    workers=st.sampled_from([("threading", 1), ("loky", 2)]),
    reuse=st.booleans(),
)
def test_a_grid_of_trained_models_is_what_scikit_learn_makes_of_it(
    first, last, trained, workers, reuse
):
    """In any order, nested, as steps of a pipeline, on all kinds of workers."""
    backend, n_jobs = workers
    last = [LogisticRegression(), SVC()] if trained else last
    pipe = Pipeline([("first", FunctionTransformer()), ("last", LogisticRegression())])
    grid = {"first": first, "last": last}
    options = {"cv": 3, "error_score": -1.0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            theirs = GridSearchCV(pipe, grid, **options).fit(X, Y)
        except ValueError as error:  # all fail
            with pytest.raises(type(error)):
                GridSearch(pipe, grid, reuse=reuse, **options).fit(X, Y)
            return
        with joblib.parallel_config(backend):
            ours = GridSearch(pipe, grid, n_jobs=n_jobs, reuse=reuse, **options)
            ours.fit(X, Y)
    assert_same(theirs, ours)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("holder", MODELS)
@pytest.mark.parametrize(
    "search",
    [
        lambda model, grid, **o: RandomSearch(model, grid, n_iter=2, **o),
        lambda model, grid, **o: RandomSearch(
            model, grid, n_iter=8, strategy="anneal", **o
        ),
        lambda model, grid, **o: BayesSearch(model, grid, n_iter=2, **o),
    ],
    ids=["random", "anneal", "bayes"],
)
def test_searches_find_the_model_that_was_trained_well(search, holder, n_jobs):
    """Among those with equal parameters: both are tried, and each has its score."""
    pipe = Pipeline([("s", FunctionTransformer()), ("m", LogisticRegression())])
    grid = {"m": MODELS[holder]}
    fitted = search(pipe, grid, cv=3, random_state=0, n_jobs=n_jobs).fit(X, Y)
    assert fitted.score(X, Y) > 0.9
    for params, score in zip(
        fitted.cv_results_["params"], fitted.cv_results_["mean_test_score"], strict=True
    ):
        assert (score > 0.5) == (params["m"] is MODELS[holder][1])


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_members_of_a_population_keep_their_transformers(n_jobs):
    """Two trained transformers with equal parameters are two."""
    good, bad = (
        FrozenEstimator(PCA(1).fit(X * scale)) for scale in ([9, 1, 1], [1, 1, 9])
    )
    pipe = Pipeline([("t", good), ("m", SGDClassifier(random_state=0))])
    search = PBTSearch(
        pipe,
        {"t": [bad, good], "m__alpha": [1e-4, 1e-3]},
        population_size=6,
        n_generations=2,
        random_state=0,
        cv=3,
        n_jobs=n_jobs,
    ).fit(X, Y)
    first = [p["t"] for p in search.cv_results_["params"][:6]]
    scores = search.cv_results_["mean_test_score"][:6]
    assert good in first
    assert bad in first
    for transformer, score in zip(first, scores, strict=True):
        assert (score > 0.7) == (transformer is good)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("reuse", [True, False])
def test_without_reuse_equal_candidates_are_fitted_each(reuse, n_jobs):
    """As GridSearchCV fits them; nothing is saved, and nothing shared."""
    grid = {"C": [1.0, 1.0, 2.0], "kernel": ["linear", "linear"]}
    search = GridSearch(SVC(), grid, cv=3, reuse=reuse, n_jobs=n_jobs).fit(X, Y)
    n_distinct, n_all = 2 * 3, 6 * 3
    assert search.reuse_.n_fits == (n_distinct if reuse else n_all)
    assert search.reuse_.n_saved == (n_all - n_distinct if reuse else 0)
    assert_same(GridSearchCV(SVC(), grid, cv=3).fit(X, Y), search)


def test_without_reuse_equal_candidates_draw_each_their_numbers():
    """A model that draws from NumPy's global numbers is another one at each fit."""
    np.random.seed(0)  # noqa: NPY002
    grid = {"alpha": [1e-3] * 6}
    model = SGDClassifier(max_iter=2, tol=None)
    search = GridSearch(model, grid, cv=3, reuse=False).fit(X, Y)
    assert len(np.unique(search.cv_results_["mean_test_score"])) > 1
