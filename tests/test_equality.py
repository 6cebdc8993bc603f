"""The numbers of scikit-learn: `cv_results_` equal to the bit, on every backend.

A case is a function that makes the arguments of a search and of its `fit` afresh,
since splitters may hold a generator that moves on. What scikit-learn's search made of
a case, sequentially, is the truth for ours, sequentially and in parallel.
"""

import functools
import hashlib
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
from comparing import same
from estimators import Anything, Failing
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import loguniform, randint, uniform
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneOut,
    PredefinedSplit,
    RandomizedSearchCV,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

from skhpo import GridSearch, RandomSearch

pytestmark = pytest.mark.thinned

N_ROWS = 40
_rng = np.random.RandomState(0)
X = np.column_stack([_rng.normal(size=(N_ROWS, 3)), np.arange(N_ROWS)])
Y = (X[:, 0] + _rng.normal(scale=0.5, size=N_ROWS) > 0).astype(int)
TARGET = X[:, 0] - 2 * X[:, 1] + _rng.normal(scale=0.5, size=N_ROWS)


@pytest.fixture(autouse=True)
def one_thread():
    """Sums depend on the number of threads, and that on being a worker process."""
    with threadpool_limits(limits=1):
        yield


# What to compare


def without_frames(message):
    """A warning's text without the lines that tell where in the code it was."""
    return re.sub(r"^ .*\n", "", str(message), flags=re.MULTILINE)


def outcome(search_class, make_case, **changes):
    """What a search makes of a case: its attributes, warnings, or the error."""
    arguments, fit_arguments = make_case()
    space = next(key for key in arguments if key.startswith("param_"))
    search = search_class(
        arguments.pop("estimator"), arguments.pop(space), **arguments, **changes
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            search.fit(**fit_arguments)
        except Exception as error:
            return {"error": type(error), "message": str(error)}
    heard = {(w.category, without_frames(w.message)) for w in caught}
    fitted = {key: value for key, value in vars(search).items() if key[-1] == "_"}
    kept = {key: value for key, value in fitted.items() if "time" not in key}
    scorer = kept.pop("scorer_")
    kept["scorers"] = list(scorer) if isinstance(scorer, dict) else type(scorer)
    results = kept.pop("cv_results_")
    times = {key: results[key] for key in results if key.endswith("_time")}
    for key, column in times.items():
        assert column.dtype == np.float64, key
        assert (column >= 0).all(), key
    return {
        "keys": list(results),
        "results": {key: results[key] for key in results if key not in times},
        "attributes": dict(sorted(kept.items())),
        "warnings": sorted(heard, key=str),
        "has refit time": "refit_time_" in fitted,
    }


def assert_same(mine, theirs):
    """Fail with the first difference between two outcomes."""
    for part in theirs:
        if isinstance(theirs[part], dict):
            assert mine[part].keys() >= theirs[part].keys()  # ours may tell more
            for key, value in theirs[part].items():
                found = mine[part][key]
                assert same(found, value), f"{part} {key}: {found!r} is not {value!r}"
        else:
            assert mine.get(part) == theirs[part], part


# The cases


def plain_score(estimator, X, y=None):
    return accuracy_score(y, estimator.predict(X))


def two_scores(estimator, X, y=None):
    hits = estimator.predict(X) == y
    return {"hits": int(hits.sum()), "misses": float((~hits).sum())}


def nan_score(estimator, X, y=None):
    score = plain_score(estimator, X, y)
    return np.nan if score < 0.7 else score


def raising_score(estimator, X, y=None):
    if getattr(estimator, "level", 0) == 1.0:
        raise ValueError("The scorer does not like level 1")
    return plain_score(estimator, X, y)


def sometimes_raising_scores(estimator, X, y=None):
    return {"score": raising_score(estimator, X, y), "one": 1.0}


SCORERS = {
    "own score": {},
    "name": {"scoring": "balanced_accuracy"},
    "callable": {"scoring": plain_score},
    "scorer": {"scoring": make_scorer(accuracy_score, greater_is_better=False)},
    "list": {"scoring": ["accuracy", "f1"], "refit": "f1"},
    "tuple, no refit": {"scoring": ("accuracy", "f1"), "refit": False},
    "dict": {"scoring": {"b": "f1", "a": plain_score}, "refit": "a"},
    "callable dict": {"scoring": two_scores, "refit": "misses"},
    "callable refit": {
        "scoring": ["accuracy", "f1"],
        "refit": lambda results: int(np.argmin(results["mean_test_f1"])),
    },
}

STEPS = Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())])

CLASSIFIERS = {
    "tree": (
        DecisionTreeClassifier(random_state=0),
        {"max_depth": [1, 2, None], "criterion": ["gini", "entropy"]},
    ),
    "tree with a generator": (
        DecisionTreeClassifier(random_state=np.random.RandomState(0)),
        {"max_features": [1, 2], "max_depth": [2, 2, 1]},
    ),
    "pipeline": (
        make_pipeline(StandardScaler(), PCA(), SVC()),
        {"pca__n_components": [1, 2], "svc__C": np.logspace(-1, 1, 3)},
    ),
    "searched steps": (
        STEPS,
        [
            {"scale": [StandardScaler(), MinMaxScaler(), "passthrough"]},
            {"model": [DecisionTreeClassifier(random_state=0)], "scale": [None]},
            {"model__C": [0.1, 1], "model__class_weight": [None, {0: 1, 1: 2}]},
            {},
        ],
    ),
}

UNSUPERVISED = {
    "density": (
        GaussianMixture(random_state=0),
        {"n_components": range(1, 4), "init_params": ["random", "k-means++"]},
    ),
    "transformer": (PCA(), {"n_components": [1, 2, 0.5], "whiten": [True, False]}),
}

SPLITTERS = {
    "number": lambda: {"cv": 3},
    "KFold": lambda: {"cv": KFold(3)},
    "shuffled": lambda: {
        "cv": KFold(3, shuffle=True, random_state=np.random.RandomState(3))
    },
    "stratified": lambda: {"cv": StratifiedKFold(3, shuffle=True, random_state=1)},
    "groups": lambda: {"cv": GroupKFold(3), "groups": np.arange(N_ROWS) % 7},
    "leave one out": lambda: {"cv": LeaveOneOut(), "step": 4},  # 40 splits are many
    "ShuffleSplit": lambda: {
        "cv": ShuffleSplit(3, test_size=7, random_state=np.random.RandomState(5))
    },
    "iterable": lambda: {"cv": iter(list(KFold(4).split(X)))},
    "predefined": lambda: {"cv": PredefinedSplit(np.arange(N_ROWS) % 4 - 1)},
    "time series": lambda: {"cv": TimeSeriesSplit(3)},
}

LEVELS = {"level": [-1.0, 0.0, 1.0, -2.0, 0.0]}

FAILURES = {
    "some candidates": {"fails": "level"},
    "some splits": {"fails": "split"},
    "all": {"fails": "always"},
    "the scorer": {"scoring": raising_score},
    "the scorer of several": {"scoring": sometimes_raising_scores, "refit": "score"},
    "one of several scorers": {
        "scoring": {"one": plain_score, "two": raising_score},
        "refit": "one",
    },
    "fits under a dict scorer": {
        "scoring": two_scores,
        "refit": "hits",
        "fails": "level",
    },
    "fits under several scorers": {
        "scoring": ["accuracy", "f1"],
        "refit": False,
        "fails": "split",
    },
    "scores are NaN": {"scoring": nan_score},
    "all scores are NaN": {"scoring": lambda estimator, X, y: np.nan},
}

ERROR_SCORES = {"NaN": np.nan, "number": -1.5, "integer": 0, "raise": "raise"}


def case(estimator, space, y=Y, *, param_name="param_grid", **arguments):
    """A function that makes a case from its parts; `cv` may come as a function."""

    def make():
        split = SPLITTERS[arguments.get("splitter", "number")]()
        rest = {key: value for key, value in arguments.items() if key != "splitter"}
        rows = slice(None, None, split.pop("step", None))
        fit = {"X": X[rows], "y": y if y is None else y[rows]}
        if "groups" in split:
            fit["groups"] = split.pop("groups")
        return {"estimator": estimator, param_name: space, **split, **rest}, fit

    return make


def failing_case(failure, error_score):
    arguments = {"error_score": ERROR_SCORES[error_score], **FAILURES[failure]}
    estimator = Failing(fails=arguments.pop("fails", "never"))
    return case(estimator, LEVELS, return_train_score=True, **arguments)


# (estimator, scorer, splitter): in the default run a tree meets each scorer and each
# splitter, and any estimator the kinds of scorers.
KINDS = ["own score", "callable", "list", "callable dict"]
QUICK = [
    *(("tree", scorer, "number") for scorer in SCORERS),
    *((estimator, scorer, "number") for estimator in CLASSIFIERS for scorer in KINDS),
    *(("tree", scorer, cv) for cv in SPLITTERS for scorer in ("name", "callable dict")),
]
FULL = [(e, s, c) for e in CLASSIFIERS for s in SCORERS for c in SPLITTERS]

CASES = {
    **{
        " - ".join(key): case(
            *CLASSIFIERS[key[0]],
            splitter=key[2],
            return_train_score=key[2] != "number",
            **SCORERS[key[1]],
        )
        for key in FULL
    },
    **{f"{key} - no y": case(*UNSUPERVISED[key], None) for key in UNSUPERVISED},
    "regressor": case(Ridge(), {"alpha": [0.1, 1, 10.0]}, TARGET),
    "regressor - scorers": case(
        Ridge(),
        {"alpha": np.array([0.1, 1, 10.0]), "fit_intercept": [True, False]},
        TARGET,
        scoring=["r2", "neg_mean_squared_error"],
        refit="r2",
    ),
    **{
        f"failing: {failure} - {score}": failing_case(failure, score)
        for failure in FAILURES
        for score in ERROR_SCORES
    },
    **{
        f"random - {name}": case(
            make_pipeline(StandardScaler(), SVC()),
            space,
            param_name="param_distributions",
            n_iter=5,
            random_state=3,
        )
        for name, space in {
            "distributions": {"svc__C": loguniform(0.1, 10), "svc__gamma": uniform()},
            "mixed": {"svc__C": loguniform(0.1, 10), "svc__kernel": ["rbf", "linear"]},
            "lists": {"svc__C": np.logspace(-1, 1, 4), "svc__kernel": ["rbf", "poly"]},
            "spaces": [{"svc__C": uniform(1, 2)}, {"svc__degree": randint(1, 4)}],
        }.items()
    },
}
QUICK_NAMES = {" - ".join(key) for key in QUICK}
REST_NAMES = {" - ".join(key) for key in FULL} - QUICK_NAMES


def classes(name):
    return (
        (RandomSearch, RandomizedSearchCV)
        if name.startswith("random")
        else (GridSearch, GridSearchCV)
    )


@functools.cache
def truth(name):
    return outcome(classes(name)[1], CASES[name])


EVERYTHING = re.compile("")
NOTHING = re.compile("(?!)")  # filters are global: threads take them from each other
MAIN_PROCESS = re.compile("fits failed out of|scores are non-finite")


def only_heard(found, pattern):
    """An outcome with the warnings that match."""
    if "error" in found:
        return found
    heard = [(kind, text) for kind, text in found["warnings"] if pattern.search(text)]
    return {**found, "warnings": heard}


def slow_if(is_slow):
    """All cases, some of them for the slow run only."""
    slow = pytest.mark.slow
    return [pytest.param(name, marks=[slow] * is_slow(name)) for name in CASES]


def needs_new_workers(name):
    """Whether a case ends loky's workers, so that the next one has to start others."""
    return name.endswith("raise") and "some candidates" not in name


def is_left_for_the_night(name):
    """Whether a case differs from a neighbor in other things than where it runs."""
    return list(CASES).index(name) % 3 > 0


def error_score_of(name):
    return ERROR_SCORES[name.rpartition(" - ")[2]]


def check(name, heard=EVERYTHING, **changes):
    mine, theirs = outcome(classes(name)[0], CASES[name], **changes), truth(name)
    mine, theirs = only_heard(mine, heard), only_heard(theirs, heard)
    if "not subscriptable" in theirs.get("message", ""):
        # scikit-learn trips over a callable that returns a dict for some candidates and
        # fails for others. Here it costs those that it fails for.
        scores = mine["results"]["mean_test_score"]
        np.testing.assert_array_equal(scores[2], error_score_of(name))
        assert np.isfinite(np.delete(scores, 2)).all()
    elif "error" in theirs:
        assert issubclass(mine["error"], theirs["error"])
        if "always" not in theirs["message"]:  # we group the failures our own way
            assert mine["message"] == theirs["message"]
    else:
        assert_same(mine, theirs)


@pytest.mark.parametrize("name", slow_if(REST_NAMES.__contains__))
def test_same_sequentially(name):
    """Keys, dtypes, masks, scores, ranks, warnings and errors are scikit-learn's."""
    check(name)


@pytest.mark.parametrize(
    "name",
    slow_if(lambda name: name in REST_NAMES or is_left_for_the_night(name)),
)
def test_same_in_threads(name):
    """Two threads change nothing."""
    with joblib.parallel_config("threading"):
        check(name, heard=NOTHING, n_jobs=2)


@pytest.mark.parametrize(
    "name",
    slow_if(
        lambda name: (
            name in REST_NAMES or needs_new_workers(name) or is_left_for_the_night(name)
        )
    ),
)
def test_same_in_processes(name):
    """Two processes change nothing, but for the warnings that stay in them."""
    with joblib.parallel_config("loky"):
        check(name, heard=MAIN_PROCESS, n_jobs=2)


# Any grid


class Same(BaseEstimator):
    """An estimator to be found among the values of a parameter."""

    def __init__(self, depth=1):
        self.depth = depth


numbers = st.one_of(
    st.integers(-3, 3),
    st.floats(-3, 3),
    st.sampled_from([0.0, -0.0, float("inf"), float("nan"), True, False]),
    st.sampled_from([np.float64(1.0), np.float32(1.0), np.int64(1), np.bool_(True)]),
)
scalars = st.one_of(st.none(), numbers, st.text("ab1", max_size=2))
values = st.one_of(
    scalars,
    st.tuples(scalars, scalars),
    st.lists(scalars, max_size=2),
    st.dictionaries(st.sampled_from("xy"), numbers, max_size=2),
    st.builds(Same, depth=st.integers(1, 2)),
    st.just(np.array([1.0, 2.0])),
)
columns = st.one_of(
    st.lists(values, min_size=1, max_size=3),
    st.lists(values, min_size=1, max_size=3).map(tuple),
    st.lists(numbers.map(float), min_size=1, max_size=3).map(np.array),
    st.builds(range, st.integers(1, 3)),
)
grids = st.dictionaries(st.sampled_from("abc"), columns, max_size=2)
distributions = st.sampled_from(
    [uniform(0, 2), loguniform(0.1, 10), randint(0, 5), uniform(-1, 1)]
)
spaces = st.dictionaries(
    st.sampled_from("abc"), st.one_of(columns, distributions), min_size=1, max_size=3
)


def assert_same_for(ours, theirs, make_case):
    expected = outcome(theirs, make_case)
    found = outcome(ours, make_case)
    if "error" in expected:
        assert issubclass(found["error"], expected["error"])
    else:
        assert_same(found, expected)


@given(space=st.one_of(grids, st.lists(grids, min_size=1, max_size=3)))
def test_any_grid(space):
    """Whatever the values are, they come back as given and score as in scikit-learn."""
    assert_same_for(GridSearch, GridSearchCV, case(Anything(), space))


@given(
    space=st.one_of(spaces, st.lists(spaces, min_size=1, max_size=2)),
    n_iter=st.integers(1, 6),
    seed=st.integers(0, 3),
    generator=st.booleans(),
)
def test_any_draw(space, n_iter, seed, generator):
    """The same `random_state` draws the same candidates, in the same order."""

    def make_case():
        arguments, fit = case(Anything(), space, param_name="param_distributions")()
        state = np.random.RandomState(seed) if generator else seed
        return {**arguments, "n_iter": n_iter, "random_state": state}, fit

    assert_same_for(RandomSearch, RandomizedSearchCV, make_case)


# Another process


def digest(names):
    """A text that changes with every bit of what ours make of some cases."""

    def canonical(value):
        if isinstance(value, dict):
            return [(key, canonical(value[key])) for key in value]
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            return np.ma.filled(value, np.nan).tobytes()
        return repr(value)

    content = [outcome(classes(name)[0], CASES[name]) for name in names]
    for found in content:  # on a busy machine, more blocks are cut, and fits repeated
        del found["attributes"]["reuse_"]
    content = [canonical(found) for found in content]
    return hashlib.sha256(repr(content).encode()).hexdigest()


HASHED = [
    "searched steps - dict - number",
    "tree - list - groups",
    "failing: one of several scorers - NaN",
    "random - mixed",
    "random - spaces",
]


def test_same_in_another_process():
    """Nothing depends on the order in which this process hashes strings."""
    here = Path(__file__).parent
    program = f"import test_equality as t; print(t.digest({HASHED!r}))"
    path = [str(here), str(here.parent), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={
            **os.environ,
            "PYTHONHASHSEED": "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2",
            "PYTHONPATH": os.pathsep.join(filter(None, path)),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == digest(HASHED)


def test_the_comparison_sees_a_bit():
    """A last bit, a mask, an order, a type: each is a difference."""
    base = np.ma.MaskedArray([0.1, 0.2], mask=[False, True])
    assert same(base, base.copy())
    assert not same(base, np.ma.MaskedArray([np.nextafter(0.1, 1), 0.2], base.mask))
    assert not same(base, np.ma.MaskedArray([0.1, 0.2], mask=False))
    assert not same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert not same([1], [True])
    assert not same(0.0, -0.0)
    assert not same(Same(1), Same(2))
    assert same([float("nan")], [float("nan")])
    assert without_frames(FitFailedWarning('a\n  File "b"\nc')) == "a\nc"
