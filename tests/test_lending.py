"""Whatever a fit or a scorer writes into changes nothing for any other."""

import copy
import sys
import warnings
from contextlib import contextmanager
from types import SimpleNamespace
from typing import ClassVar

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, check_scoring, make_scorer
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from writers import Writer, spoiling_score

from skhpo import BayesSearch, GridSearch, RandomSearch
from skhpo._fingerprint import fingerprint
from skhpo._sklearn_compat import HAS_CALLBACKS
from skhpo.evaluation import EvaluationSpec
from skhpo.evaluation.fitting import _lending
from skhpo.evaluation.fitting._fit import evaluate
from skhpo.evaluation.fitting._known import is_known
from skhpo.evaluation.fitting._lending import detached, identical, lend, private
from skhpo.evaluation.fitting._spec import SlicedSplit

pytestmark = pytest.mark.thinned

rng = np.random.RandomState(0)
N = 24
X = rng.normal(size=(N, 3))
Y = rng.normal(size=N)
LABELS = (X[:, 0] > 0).astype(int)
SPLITS = list(KFold(3).split(X))
DATES = np.datetime64("2020-01-01") + np.arange(N)
DENSE = np.where(np.abs(X) > 0.5, X, 0)
SPARSE = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")


def objects(rows):
    """An array whose elements can be changed."""
    array = np.empty(len(rows), dtype=object)
    array[:] = rows
    return array


ROWS = {
    "array": lambda: X.copy(),
    "fortran": lambda: np.asfortranarray(X),
    "list of lists": lambda: X.tolist(),
    "objects": lambda: objects(X.tolist()).reshape(-1, 1),
    "frame": lambda: pd.DataFrame(X, columns=list("abc")),
    "frame of lists": lambda: pd.DataFrame({"a": X.tolist()}),
    "polars": lambda: pl.DataFrame(X, schema=list("abc")),
    "matrix": lambda: X.view(np.matrix),
    "dates": lambda: np.column_stack([DATES, DATES]),
    **{
        f"{form} {kind}": lambda form=form, kind=kind: getattr(
            sparse, f"{form}_{kind}"
        )(DENSE)
        for form in SPARSE
        for kind in ("matrix", "array")
    },
}
LINES = {
    "array": lambda: np.arange(1.0, N + 1),
    "list": lambda: np.arange(1.0, N + 1).tolist(),
    "Series": lambda: pd.Series(np.arange(1.0, N + 1)),
    "Series of lists": lambda: pd.Series(X.tolist()),
    "masked": lambda: np.ma.masked_less(np.arange(1.0, N + 1), 3),
    "structured": lambda: np.array([(i, 1.0) for i in range(N)], "i8,f8"),
    "recarray": lambda: np.rec.array([(i, 1.0) for i in range(N)], "i8,f8"),
    "dates": lambda: DATES.copy(),
    "texts": lambda: np.array(["text"] * N),
    "raw bytes": lambda: np.zeros(N, "V3"),
    "list of dicts": lambda: [{"a": [i]} for i in range(N)],
    "csr": lambda: sparse.csr_matrix(DENSE),
    "frame": lambda: pd.DataFrame(X, columns=list("abc")),
}
if hasattr(np, "dtypes") and hasattr(np.dtypes, "StringDType"):
    LINES["long texts"] = lambda: np.array(
        [f"text {i}" for i in range(N)], np.dtypes.StringDType()
    )
WHOLE = {
    "dict of arrays": lambda: {"a": np.ones(2), "b": [np.zeros(3)]},
    "pair of arrays": lambda: (np.ones((2, 2)), np.zeros(2)),
    "list of lists": lambda: [[1.0], [2.0, 3.0]],
    "array": lambda: np.ones(2),
    "dates": lambda: DATES[:2].copy(),
    "objects": lambda: objects([[1.0], [2.0]]),
    "masked": lambda: np.ma.masked_less(np.arange(5.0), 3),
    "Series": lambda: pd.Series([1.0, 2.0]),
    "frame": lambda: pd.DataFrame({"a": [1.0, 2.0]}),
    "frame of lists": lambda: pd.DataFrame({"a": [[1.0], [2.0]]}),
    **{
        form: lambda form=form: getattr(sparse, f"{form}_matrix")(DENSE[:5])
        for form in SPARSE
    },
}
ALPHAS = [0.0, 1.0, 2.0, 3.0]


def expected_scores(estimator, name, X, y, params, **options):
    """Those of one candidate on each split, by scikit-learn and on data of its own."""
    means = []
    for split in SPLITS:
        data = copy.deepcopy((X, y, params))
        data = [private(part) for part in data[:2]], private(data[2])
        search = GridSearchCV(
            estimator, {name: [0.0]}, cv=[split], refit=False, **options
        )
        search.fit(*data[0], **data[1])
        means.append(search.cv_results_["split0_test_score"][0])
    return np.array(means)


def assert_nobody_is_spoiled(
    estimator, X, y, params=None, *, make=GridSearch, n_jobs=1, name="alpha", **options
):
    """All candidates score alike, as a single one does; the caller's data stay."""
    params = params or {}
    options.setdefault("error_score", "raise")
    before = fingerprint(X, y, params)
    expected = expected_scores(
        estimator,
        name,
        X,
        y,
        params,
        **{k: v for k, v in options.items() if k in ("scoring", "error_score")},
    )
    search = make(
        estimator, {name: ALPHAS}, cv=SPLITS, refit=False, n_jobs=n_jobs, **options
    )
    with joblib.parallel_config("threading"):
        search.fit(X, y, **params)
    for i, score in enumerate(expected):
        found = search.cv_results_[f"split{i}_test_score"]
        assert_array_equal(found, np.full(len(found), score))
    assert fingerprint(X, y, params) == before


JOBS = st.sampled_from([1, 2])


@settings(max_examples=15)
@given(
    st.sampled_from(sorted(ROWS)),
    st.sampled_from(sorted(LINES)),
    st.sampled_from(sorted(WHOLE)),
    st.booleans(),
    JOBS,
)
def test_a_fit_writes_for_itself_only(rows, line, whole, reuse, n_jobs):
    """Into rows, targets, what is sliced with them, and what is passed whole."""
    params = {"sample_weight": LINES[line](), "extra": WHOLE[whole]()}
    options = {"reuse": reuse, "n_jobs": n_jobs, "scoring": spoiling_score}
    assert_nobody_is_spoiled(Writer(), ROWS[rows](), Y.copy(), params, **options)
    assert_nobody_is_spoiled(Writer(), X.copy(), LINES[line](), {}, **options)


@pytest.mark.parametrize("kind", sorted(ROWS))
def test_a_fit_that_writes_into_rows_of_any_kind(kind):
    """Each kind by itself, for no example may miss one."""
    assert_nobody_is_spoiled(Writer(), ROWS[kind](), Y.copy(), scoring=spoiling_score)


@pytest.mark.parametrize("kind", sorted(LINES))
def test_a_fit_that_writes_into_targets_and_weights_of_any_kind(kind):
    """Both as long as the rows, and sliced with them."""
    params = {"sample_weight": LINES[kind]()}
    options = {"scoring": spoiling_score}
    assert_nobody_is_spoiled(Writer(), X.copy(), Y.copy(), params, **options)
    assert_nobody_is_spoiled(Writer(), X.copy(), LINES[kind](), **options)


@pytest.mark.parametrize("kind", sorted(WHOLE))
def test_a_fit_that_writes_into_what_is_passed_whole(kind):
    """scikit-learn passes one and the same object to all fits."""
    params = {"extra": WHOLE[kind]()}
    assert_nobody_is_spoiled(
        Writer(), X.copy(), Y.copy(), params, scoring=spoiling_score
    )


@pytest.mark.parametrize("kind", sorted(ROWS))
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_scorer_writes_for_itself_only(kind, n_jobs):
    """Also where the estimator is known and shares its data with others."""
    estimator = DummyRegressor(strategy="constant", constant=0.0)
    options = {"scoring": spoiling_score, "n_jobs": n_jobs, "name": "constant"}
    assert_nobody_is_spoiled(estimator, ROWS[kind](), Y.copy(), **options)


def spoiling_metric(y_true, y_pred):
    """A metric that writes into its targets."""
    mean = float(np.mean(y_true))
    y_true[:] = 9
    return mean


def test_a_scorer_writes_for_itself_only_into_the_train_part_too():
    """It is given that as well, if train scores are wanted."""
    estimator = DummyRegressor(strategy="constant")
    search = GridSearch(
        estimator,
        {"constant": ALPHAS},
        cv=3,
        scoring=spoiling_score,
        return_train_score=True,
        refit=False,
    ).fit(X, Y)
    for i in range(3):
        assert len(np.unique(search.cv_results_[f"split{i}_train_score"])) == 1


@pytest.mark.parametrize("steps", [1, 2])
def test_a_metric_writes_for_itself_only(steps):
    """Behind a shared step or not."""
    estimator = make_pipeline(
        *[StandardScaler()] * (steps - 1), DummyRegressor(strategy="constant")
    )
    options = {
        "scoring": make_scorer(spoiling_metric),
        "name": "dummyregressor__constant",
    }
    assert_nobody_is_spoiled(estimator, X.copy(), Y.copy(), **options)


MAKERS = {
    "grid": GridSearch,
    "random": lambda e, space, **k: RandomSearch(e, space, n_iter=4, **k),
    "bayes": lambda e, space, **k: BayesSearch(e, space, n_iter=4, n_initial=2, **k),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_no_search_lets_a_fit_spoil_another(make, n_jobs):
    """Whoever proposes the candidates."""
    params = {"sample_weight": pd.Series(np.ones(N)), "extra": {"a": np.ones(3)}}
    assert_nobody_is_spoiled(
        Writer(),
        X.tolist(),
        Y.tolist(),
        params,
        make=make,
        n_jobs=n_jobs,
        scoring=spoiling_score,
    )


class InPlace(TransformerMixin, BaseEstimator):
    """Writes into the rows, and into the targets if `targets`."""

    def __init__(self, targets=False, ask=True):
        self.targets = targets
        self.ask = ask

    def fit(self, X, y=None):
        if self.targets:
            y[:] = y + X[:, 0]
        return self

    def transform(self, X):
        X *= 2
        return X


@pytest.mark.parametrize("targets", [False, True])
@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("n_alphas", [1, 3])
def test_a_step_that_writes_is_as_in_a_plain_pipeline(targets, place, n_alphas):
    """Down to the train scores, which see what the fit has left of the train part."""
    steps = [StandardScaler(), Ridge()]
    steps.insert(place, InPlace(targets))
    pipeline = make_pipeline(*steps)
    grid = {"ridge__alpha": ALPHAS[:n_alphas]}
    scoring = {"r2": "r2", "mae": "neg_mean_absolute_error"}
    options = {"cv": 3, "refit": False, "return_train_score": True, "scoring": scoring}
    ours = GridSearch(pipeline, grid, **options).fit(X, Y)
    theirs = GridSearchCV(pipeline, grid, **options).fit(X, Y)
    for name, values in theirs.cv_results_.items():
        if "time" not in name and name.startswith(("split", "mean", "std")):
            assert_array_equal(ours.cv_results_[name], values, err_msg=name)
    assert ours.reuse_.n_saved >= 0


@pytest.mark.parametrize("n_alphas", [1, 3])
@pytest.mark.parametrize("wrapped", [False, True])
def test_known_classes_that_are_told_to_write(n_alphas, wrapped):
    """They would make a copy of what is locked, and not leave its traces."""
    ridge = Ridge(copy_X=False, alpha=1.0)
    pipeline = make_pipeline(StandardScaler(), ridge) if wrapped else ridge
    grid = {"ridge__alpha" if wrapped else "alpha": ALPHAS[:n_alphas]}
    options = {"cv": 3, "refit": False, "return_train_score": True}
    data = X + 3.0
    ours = GridSearch(pipeline, grid, **options).fit(data.copy(), Y)
    theirs = GridSearchCV(pipeline, grid, **options).fit(data.copy(), Y)
    for name in ("mean_train_score", "mean_test_score"):
        assert_array_equal(ours.cv_results_[name], theirs.cv_results_[name])


# What fails on lent data, in whatever words


class OddlyRefused(Exception):
    """No word of it tells of locks."""


class Stubborn(RegressorMixin, TransformerMixin, BaseEstimator):
    """Passes for a class that is known; refuses locked data at one place."""

    __module__ = "sklearn.stubborn"

    def __init__(self, place="fit", error=OddlyRefused, alpha=0.0):
        self.place = place
        self.error = error
        self.alpha = alpha

    def _look_at(self, X, place):
        if place == self.place and not X.flags.writeable:
            raise ERRORS[self.error]
        return X

    def fit(self, X, y=None):
        self._look_at(X, "fit")
        if self.place == "targets":
            self._look_at(y, "targets")
        self.coef_ = X.sum() / (1 + self.alpha)
        return self

    def transform(self, X):
        return self._look_at(X, "transform") * 2.0

    def predict(self, X):
        return self._look_at(X, "predict") @ np.ones(X.shape[1]) * self.coef_


ERRORS = {
    "odd": OddlyRefused("no words"),
    "exit": SystemExit(3),
    "type": TypeError("a buffer is wanted"),
}


@pytest.fixture
def stubborn_is_known(monkeypatch):
    """A module of a known package has the class."""
    module = SimpleNamespace(Stubborn=Stubborn)
    monkeypatch.setitem(sys.modules, "sklearn.stubborn", module)


@pytest.mark.usefixtures("stubborn_is_known", "never_cut")
@pytest.mark.parametrize("error_score", ["raise", np.nan])
@pytest.mark.parametrize("place", ["fit", "targets", "transform", "predict"])
@pytest.mark.parametrize(
    ("n_steps", "error"),
    [
        pytest.param(
            *(n_steps, error),
            marks=[] if n_steps == 1 or error == "odd" else pytest.mark.slow,
        )
        for n_steps in (1, 2)
        for error in sorted(ERRORS)
    ],
)
def test_what_fails_on_lent_data_is_tried_on_its_own(
    error, error_score, place, n_steps
):
    """Whatever it raises; and what is shared stays shared."""
    stubborn = Stubborn(place, error)
    steps = [stubborn, Ridge()] if place == "transform" else [stubborn]
    pipeline = make_pipeline(*[StandardScaler()] * (n_steps - 1), *steps)
    last = pipeline.steps[-1][0]
    grid = {f"{last}__alpha": [0.5, 1.0, 2.0]}
    options = {"cv": 3, "refit": False, "error_score": error_score}
    ours = GridSearch(pipeline, grid, **options).fit(X, Y)
    theirs = GridSearchCV(pipeline, grid, **options).fit(X, Y)
    assert not np.isnan(ours.cv_results_["mean_test_score"]).any()
    assert_array_equal(
        ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"]
    )
    shared = len(pipeline.steps) - 1
    assert ours.reuse_.n_saved == 2 * shared * 3


@pytest.mark.usefixtures("stubborn_is_known")
def test_a_failure_is_told_once_and_as_that_of_its_own_data():
    """Nobody reads of a first attempt that only failed because of a lock."""
    stubborn = Stubborn("fit", "odd")
    for estimator in (stubborn, make_pipeline(StandardScaler(), stubborn)):
        prefix = "" if isinstance(estimator, Stubborn) else "stubborn__"
        grid = {f"{prefix}place": ["fit"], f"{prefix}alpha": ["text", "more text"]}
        search = GridSearch(estimator, grid, cv=3)
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            with pytest.raises(ValueError, match="All the 6 fits") as raised:
                search.fit(X, Y)
        told = str(raised.value) + "".join(str(w.message) for w in heard)
        assert "TypeError" in told
        assert "OddlyRefused" not in told


@pytest.mark.usefixtures("stubborn_is_known")
@pytest.mark.skipif(not HAS_CALLBACKS, reason="this scikit-learn has no callbacks")
@pytest.mark.parametrize("place", ["fit", "nowhere"])
def test_callbacks_hear_of_each_fit_once(place):
    """Of those that would fail on lent data, and of those that would not."""

    class Listening:
        heard: ClassVar[list] = []

        def setup(self, estimator, context):
            """Part of the protocol."""

        def teardown(self, estimator, context):
            """Part of the protocol."""

        def on_fit_task_begin(self, estimator, context):
            self.heard.append(context.task_name)

        def on_fit_task_end(self, estimator, context):
            """Part of the protocol."""

    Listening.heard.clear()
    grid = {"alpha": [0.0, 1.0]}
    search = GridSearch(Stubborn(place, "odd"), grid, cv=3, refit=False)
    search.set_callbacks(Listening()).fit(X, Y)
    assert Listening.heard.count("candidate-split-evaluation") == 6


class Hooks:
    """Callbacks of one evaluation that note what they hear."""

    def __init__(self, are_heard):
        self.are_heard = are_heard
        self.heard = []

    @contextmanager
    def fitting(self, estimator, X, y, params):
        self.heard.append("begin")
        yield

    def end(self, X, y, params):
        self.heard.append("end")
        return True


@pytest.mark.parametrize("place", ["fit", "nowhere"])
@pytest.mark.usefixtures("stubborn_is_known")
def test_whoever_listens_hears_of_a_fit_on_lent_data(place):
    """As several of a block are lent, in the processes that a backend sends them to."""
    scorer = check_scoring(Ridge(), "r2")
    spec = EvaluationSpec(Stubborn(place, "odd"), X, Y, SPLITS, scorer)
    assert spec.knows({"alpha": 1.0})
    scores = []
    for are_heard in (True, False):
        split, hooks = SlicedSplit(spec, 0, lending=True), Hooks(are_heard)
        evaluation, stop = evaluate(spec, split, {"alpha": 1.0}, hooks)
        scores.append(evaluation.test_scores)
        if are_heard:
            assert (hooks.heard, stop) == (["begin", "end"], True)
    assert scores[0] == scores[1]


# A scorer that raises


@pytest.mark.parametrize("kind", ["callable", "metric", "several"])
@pytest.mark.parametrize("n_alphas", [1, 3])
@pytest.mark.parametrize("error_score", [-1.0, np.nan])
@pytest.mark.parametrize("n_steps", [1, 2])
def test_a_scorer_of_ones_own_that_raises_is_called_once(
    kind, n_alphas, error_score, n_steps
):
    """For each candidate on each split."""
    calls = []

    def metric(y_true, y_pred):
        calls.append(1)
        raise RuntimeError("no score today")

    scoring = {
        "callable": lambda estimator, X, y: metric(y, None),
        "metric": make_scorer(metric),
        "several": {"own": make_scorer(metric), "r2": "r2"},
    }[kind]
    pipeline = make_pipeline(*[StandardScaler()] * (n_steps - 1), Ridge())
    search = GridSearch(
        pipeline,
        {"ridge__alpha": ALPHAS[:n_alphas]},
        cv=3,
        scoring=scoring,
        error_score=error_score,
        refit=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, Y)
    assert len(calls) == 3 * n_alphas


# What is lent


@pytest.mark.parametrize("kind", ["matrix", "array"])
@pytest.mark.parametrize("form", ["csr", "csc", "bsr"])
def test_compressed_matrices_are_lent_without_a_copy(form, kind):
    """And refuse to be written into."""
    matrix = getattr(sparse, f"{form}_{kind}")(DENSE)
    lent = lend(matrix)
    assert type(lent) is type(matrix)
    for part in ("data", "indices", "indptr"):
        assert np.shares_memory(getattr(lent, part), getattr(matrix, part))
        with pytest.raises(ValueError, match="read-only"):
            getattr(lent, part)[:] = 0
    assert matrix.data.flags.writeable


@pytest.mark.parametrize("kind", ["matrix", "array"])
@pytest.mark.parametrize("form", SPARSE)
def test_any_sparse_format_between_two_steps(form, kind, never_cut):
    """Gives the scores of plain fits, and is shared."""
    convert = FunctionTransformer(getattr(sparse, f"{form}_{kind}"))
    pipeline = make_pipeline(StandardScaler(), convert, LogisticRegression())
    grid = {"logisticregression__C": [0.1, 1.0, 10.0]}
    options = {"cv": 3, "refit": False, "return_train_score": True}
    ours = GridSearch(pipeline, grid, **options).fit(X, LABELS)
    theirs = GridSearchCV(pipeline, grid, **options).fit(X, LABELS)
    for name in ("mean_train_score", "mean_test_score"):
        assert_array_equal(ours.cv_results_[name], theirs.cv_results_[name])
    assert ours.reuse_.n_saved > 0


KINDS = {**ROWS, **LINES, **WHOLE, "none": lambda: None, "text": lambda: "text"}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_lent_and_copied_data_are_the_same_data(kind):
    """Of the same kind, down to the last bit."""
    data = KINDS[kind]()
    for other in (lend(data), private(data), detached(data)):
        assert type(other) is type(data)
        assert identical(other, data)
        assert fingerprint(other) == fingerprint(data)


def test_of_what_nobody_can_read_no_two_are_the_same():
    one, other = (iter([i]) for i in range(2)), (iter([i]) for i in range(2))
    assert identical(one, one)
    assert not identical(one, other)


@pytest.mark.parametrize("make", [LINES["array"], *LINES.values()])
def test_no_array_can_be_unlocked(make):
    """Dates and texts of any length are copied, since there is no lock for them."""
    data = make()
    if not isinstance(data, np.ndarray):
        return
    lent = lend(data)
    if np.shares_memory(lent, data):
        with pytest.raises(ValueError, match="WRITEABLE"):
            lent.flags.writeable = True
        assert not isinstance(lent.base, np.ndarray)
    else:
        assert lent.flags.writeable


def test_frames_are_copied_unless_pandas_does_it(monkeypatch):
    """Before pandas 3, what a shallow copy shares can be written into."""
    frame = pd.DataFrame({"a": [1.0, 2.0]})
    monkeypatch.setattr(_lending, "_copies_on_write", lambda: False)
    lent = lend(frame)
    assert not np.shares_memory(lent["a"].to_numpy(), frame["a"].to_numpy())


def test_whether_pandas_copies_on_write_is_tried():
    """It is a question of an option, before it became the rule."""
    if int(pd.__version__.partition(".")[0]) >= 3:
        assert _lending._copies_on_write()
        return
    for option in (True, False):
        with pd.option_context("mode.copy_on_write", option):
            assert _lending._copies_on_write() == option
            frame = pd.DataFrame({"a": [1.0, 2.0]})
            lend(frame).iloc[0] = 9.0
            assert frame["a"].tolist() == [1.0, 2.0]


def test_what_cannot_be_copied_is_passed_on():
    """As scikit-learn does with everything."""
    module = sys.modules[__name__]
    lock = {"lock": joblib.parallel_config, "module": module}
    assert lend(module) is module
    assert private(lock)["lock"] is joblib.parallel_config


# What is known


class OwnRidge(Ridge):
    """Of a class that nobody knows."""


@pytest.mark.parametrize(
    ("value", "known"),
    [
        (Ridge(), True),
        (OwnRidge(), False),
        (make_pipeline(StandardScaler(), Ridge()), True),
        (make_pipeline(StandardScaler(), OwnRidge()), False),
        (Ridge(copy_X=False), False),
        (make_pipeline(StandardScaler(copy=False), Ridge()), False),
        (FunctionTransformer(np.log1p), True),
        (FunctionTransformer(abs), True),
        (FunctionTransformer(lambda X: X), False),
        (FunctionTransformer(kw_args={"a": lambda X: X}), False),
        (make_scorer(accuracy_score), True),
        (make_scorer(spoiling_metric), False),
        ([1, {"a": (2.0, "b")}], True),
        ([1, {"a": (2.0, OwnRidge)}], False),
        (objects([Ridge(), Ridge()]), False),
        (np.random.RandomState(0).normal, False),
        (__import__("random").random, False),
        (__import__("time").time, False),
    ],
)
def test_code_of_ones_own_is_not_known(value, known):
    """Wherever inside of an object it is."""
    assert is_known(value) is known


class WritesToPredict(LogisticRegression):
    """Spoils the rows that it is asked about."""

    def predict(self, X):
        prediction = super().predict(X)
        X *= -1
        return prediction

    def predict_proba(self, X):
        return super().predict_proba(X)


@pytest.mark.parametrize("n_values", [1, 3])
def test_a_last_step_that_writes_is_as_in_a_plain_pipeline(n_values):
    """There the rows are transformed anew for each method that a metric calls."""
    pipeline = make_pipeline(StandardScaler(), WritesToPredict())
    grid = {"writestopredict__C": [0.1, 1.0, 10.0][:n_values]}
    options = {"cv": 3, "refit": False, "return_train_score": True}
    options["scoring"] = {"accuracy": "accuracy", "loss": "neg_log_loss"}
    ours = GridSearch(pipeline, grid, **options).fit(X, LABELS)
    theirs = GridSearchCV(pipeline, grid, **options).fit(X, LABELS)
    for name, values in theirs.cv_results_.items():
        if "time" not in name and name.startswith(("split", "mean", "std")):
            assert_array_equal(ours.cv_results_[name], values, err_msg=name)
