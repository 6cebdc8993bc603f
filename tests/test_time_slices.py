"""Where a block is cut changes no result, however slow or fast the machine is."""

from __future__ import annotations

import itertools
import re
from types import SimpleNamespace
from typing import Any

import joblib
import numpy as np
import pytest
from estimators import Failing
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.exceptions import FitFailedWarning
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from test_equality import same

from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch
from skhpo._sklearn_compat import HAS_CALLBACKS
from skhpo.evaluation import _evaluator
from skhpo.evaluation.fitting._time_slice import TIME_SLICES, TimeSlice

X, Y = make_classification(60, 6, random_state=0)
MODEL = make_pipeline(
    StandardScaler(),
    SelectKBest(),
    SGDClassifier(loss="log_loss", learning_rate="constant", eta0=0.1, random_state=0),
)
GRID = {"selectkbest__k": [2, 4], "sgdclassifier__alpha": [1e-4, 1e-2, 1.0]}
SPACE = {"sgdclassifier__alpha": loguniform(1e-6, 1), "selectkbest__k": [2, 4]}
STEPS = {"alpha": loguniform(1e-6, 1), "eta0": loguniform(1e-4, 1)}
OPTIONS = {"cv": 3, "random_state": 0}
SEARCHES = {
    "grid": GridSearch(MODEL, GRID, cv=3, return_train_score=True),
    "random": RandomSearch(MODEL, GRID, n_iter=6, **OPTIONS),
    "anneal": RandomSearch(MODEL, SPACE, n_iter=8, strategy="anneal", **OPTIONS),
    "bayes": BayesSearch(MODEL, SPACE, n_iter=8, **OPTIONS),
    "pbt": PBTSearch(MODEL[-1], STEPS, population_size=4, n_generations=3, **OPTIONS),
}
CUT = ["plain", "journal", *(["callback"] if HAS_CALLBACKS else [])]


class Deaf:
    """A callback that asks for nothing; since it is there, blocks are small."""

    def setup(self, estimator: Any, context: Any) -> None:
        """Part of the protocol."""

    def teardown(self, estimator: Any, context: Any) -> None:
        """Part of the protocol."""

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Part of the protocol."""

    def on_fit_task_end(self, estimator: Any, context: Any) -> None:
        """Part of the protocol."""


# What decides how blocks are made, and who says when they are over. A limit starts a
# process, which takes a while; for one search that will do.
OPTIONS_AND_SEARCHES = [
    pytest.param(
        *(name, option),
        marks=[pytest.mark.slow]
        if option == "callback" and name not in ("grid", "pbt")
        else [],
    )
    for option in CUT
    for name in SEARCHES
]
OPTIONS_AND_SEARCHES += [pytest.param("grid", "fit_timeout", marks=pytest.mark.slow)]


@pytest.mark.thinned
@pytest.mark.parametrize(("name", "option"), OPTIONS_AND_SEARCHES)
def test_where_a_block_is_cut_changes_nothing(
    name: str, option: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """Never, or after each fit that can be the last: the same rows, the same winner."""

    def fitted(time_slice: TimeSlice, folder: str) -> Any:
        for kind in TIME_SLICES:
            monkeypatch.setitem(TIME_SLICES, kind, time_slice)
        search = clone(SEARCHES[name])
        if option == "journal":
            search.set_params(journal=tmp_path / f"{folder}.db")
        elif option == "callback":
            search.set_callbacks(Deaf())
        elif option == "fit_timeout" and folder == "cut":  # a process is expensive
            search.set_params(fit_timeout=1000)
        return search.fit(X, Y)

    whole = fitted(TimeSlice(1e9), "whole")
    cut = fitted(TimeSlice(-1, shared=-1, overheads=0), "cut")
    assert_same_results(whole, cut)


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_where_a_block_is_cut_changes_nothing_in_parallel(
    backend: str, always_cut: None
) -> None:
    """In other processes too, which are told by the block."""
    whole = clone(SEARCHES["grid"]).set_params(reuse=False).fit(X, Y)
    with joblib.parallel_config(backend):
        cut = clone(SEARCHES["grid"]).set_params(n_jobs=2).fit(X, Y)
    assert_same_results(whole, cut)


def n_messages(monkeypatch: pytest.MonkeyPatch, search: Any) -> int:
    """Fit a search, and return how many blocks have been sent to its workers."""
    sent = []
    submit = _evaluator.Workers.submit

    def counted(workers: Any, *args: Any) -> int:
        sent.append(args)
        return submit(workers, *args)

    with monkeypatch.context() as patch:
        patch.setattr(_evaluator.Workers, "submit", counted)
        clone(search).fit(X, Y)
    return len(sent)


def test_a_block_is_cut_as_the_slice_says(
    monkeypatch: pytest.MonkeyPatch, always_cut: None
) -> None:
    """The laws above would say nothing if blocks were never cut, or always."""
    search = clone(SEARCHES["grid"]).set_params(reuse=False, refit=False)
    assert n_messages(monkeypatch, search) == 6 * 3  # one for each evaluation
    for kind in TIME_SLICES:
        monkeypatch.setitem(TIME_SLICES, kind, TimeSlice(1e9))
    assert n_messages(monkeypatch, search) == 3  # one for each split


def test_a_slice_lasts_as_long_as_the_longest_of_its_reasons() -> None:
    """The plain one; where fits would be repeated; and twenty times their cost."""
    time_slice = TimeSlice(0.05)
    assert time_slice.patience(0.0) == 0.05
    assert time_slice.patience(0.0, shares=True) == 1.0
    assert time_slice.patience(0.1) == 2.0
    assert time_slice.patience(0.1, shares=True) == 2.0
    assert TimeSlice(3.0).patience(0.1, shares=True) == 3.0


def cut_once(n_before: int) -> Any:
    """Return a time slice that cuts one block, when so many evaluations were done."""
    n_done = itertools.count()

    def patience(*args: Any, **kwargs: Any) -> float:
        return -1.0 if next(n_done) == n_before else 1e9

    return SimpleNamespace(patience=patience)


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_where_a_block_is_cut_changes_no_count_of_failures(
    in_pipeline: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as scikit-learn counts, though what is left of a block may be fitted by
    other code; here, one block is cut."""
    model = Failing(fails="level")
    estimator = make_pipeline(StandardScaler(), model) if in_pipeline else model
    grid = {"failing__level" if in_pipeline else "level": [-1.0, 0.0, -2.0]}

    def counts(kind: Any) -> list[str]:
        with pytest.warns(FitFailedWarning) as heard:
            kind(estimator, grid, cv=3).fit(X, Y)
        (text,) = (str(w.message) for w in heard if "fits failed out" in str(w.message))
        return re.findall(r"^\d+ fits failed .*|^\w*Error.*", text, re.MULTILINE)

    expected = counts(GridSearchCV)
    assert len(expected) == 1 + 2 * 2
    for n_before in range(9):
        time_slice = cut_once(n_before)
        for kind in TIME_SLICES:
            monkeypatch.setitem(TIME_SLICES, kind, time_slice)
        assert counts(GridSearch) == expected


def assert_same_results(one: Any, other: Any) -> None:
    assert list(one.cv_results_) == list(other.cv_results_)
    for column, values in one.cv_results_.items():
        assert "time" in column or same(values, other.cv_results_[column]), column
    assert one.best_params_ == other.best_params_
    np.testing.assert_array_equal(one.predict(X), other.predict(X))
