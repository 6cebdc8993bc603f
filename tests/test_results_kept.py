"""Whatever is raised once a candidate is complete, the results are there."""

from __future__ import annotations

import copy
import math
import pickle
import signal
import warnings

import joblib
import numpy as np
import pytest
from fault_estimators import Counted, scores_of
from scipy.stats import uniform
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import make_classification
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.model_selection import ShuffleSplit
from sklearn.utils.validation import check_is_fitted

from skhpo import (
    BayesSearch,
    GridSearch,
    PBTSearch,
    RandomSearch,
    register_incremental,
)
from skhpo._sklearn_compat import HAS_CALLBACKS
from skhpo.evaluation.incremental import PartialFit
from skhpo.exceptions import AllFitsFailedError
from skhpo.search._base import BaseSearch
from skhpo.search._loop import Interrupts
from skhpo.space import Real

X, Y = make_classification(n_samples=60, n_features=5, random_state=0)
LEVELS = [0.1, 0.5, 0.3, 0.9, 0.2, 0.4, 0.6, 0.7]
SEARCHES = {
    "grid": lambda e, **o: GridSearch(e, {"level": LEVELS}, **{"cv": 2, **o}),
    "random": lambda e, **o: RandomSearch(
        e, {"level": uniform(0, 1)}, n_iter=8, random_state=0, **{"cv": 2, **o}
    ),
    "bayes": lambda e, **o: BayesSearch(
        e, {"level": Real(0, 1)}, n_iter=8, random_state=0, **{"cv": 2, **o}
    ),
    "pbt": lambda e, **o: PBTSearch(
        e,
        {"level": uniform(0, 1)},
        population_size=2,
        n_generations=4,
        random_state=0,
        **{"cv": 2, **o},
    ),
}
BACKENDS = [("sequential", 1), ("threading", 2), ("loky", 2)]
# A level that some candidate passes, but not the first.
TOP = {"grid": 0.8, "random": 0.8, "bayes": 0.75, "pbt": 0.7}
ALL = pytest.mark.parametrize("name", SEARCHES)


def in_processes(*fast):
    """Mark a test that ends its processes: of all searches, some are run by default.

    The next search starts new processes, which import scikit-learn.
    """
    cases = [(name, backend, n) for name in SEARCHES for backend, n in BACKENDS]
    return pytest.mark.parametrize(
        ("name", "backend", "n_jobs"),
        [
            pytest.param(
                *case,
                marks=[pytest.mark.slow]
                if case[1] == "loky" and case[0] not in fast
                else [],
            )
            for case in cases
        ],
    )


class CustomExit(BaseException):
    """No `Exception`, and nobody's but the user's."""


class Heavy(Counted):
    """Raises `extra` when it is given all rows."""

    def partial_fit(self, X, y, sample_weight=None, classes=None):
        if len(X) == len(Y) and self.extra is not None:
            raise self.extra("too many rows")
        return super().partial_fit(X, y, sample_weight, classes)


register_incremental(Heavy, PartialFit(), effective=["level"])


@pytest.fixture(autouse=True)
def _no_interrupt_before(monkeypatch):
    monkeypatch.setattr(BaseSearch, "_interrupts", Interrupts())
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def check_kept(search, error, stop_reason, *, has_best=True):
    """What has been set is whole and agrees with itself; a note tells of it."""
    n = len(search.cv_results_["params"])
    assert n >= 1
    (note,) = (text for text in error.__notes__ if "keeps what it has found" in text)
    assert f"{n} candidates: see cv_results_" in note
    assert search.stop_reason_ == stop_reason
    assert search.n_splits_ == 2
    assert not search.multimetric_
    assert callable(search.scorer_)
    assert isinstance(search.failures_, list)
    assert search.reuse_.n_fits >= 1
    assert hasattr(search, "best_index_") == has_best
    if has_best:
        best = search.cv_results_["params"][search.best_index_]
        assert search.best_params_ == best
        assert "best_params_" in note
    assert not hasattr(search, "best_estimator_")
    assert "no best_estimator_" in note
    for use in (check_is_fitted, lambda fitted: fitted.predict(X)):
        with pytest.raises(NotFittedError, match="has results, but no best_estimator_"):
            use(search)
    search = clone_with_results(search)
    again = pickle.loads(pickle.dumps(search))
    assert scores_of(again) == scores_of(search)
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        check_is_fitted(clone(search))
    search._repr_html_()


def clone_with_results(search):
    """Return a copy without the functions of a test, which cannot be pickled."""
    other = copy.copy(search)
    for name in ("stop", "refit", "explore"):
        if callable(getattr(other, name, None)):
            setattr(other, name, None)
    return other


def failed_fit(search, kind, action="ignore"):
    with warnings.catch_warnings():
        warnings.simplefilter(action)
        with pytest.raises(kind) as caught:
            search.fit(X, Y)
    return caught.value


@pytest.mark.parametrize("kind", [MemoryError, KeyboardInterrupt, CustomExit])
@ALL
def test_a_last_fit_that_fails_takes_nothing_along(name, kind):
    """The results are those of a search whose last fit succeeds."""
    search = SEARCHES[name](Heavy(extra=kind))
    check_kept(search, failed_fit(search, kind), "completed")
    plain = SEARCHES[name](Heavy()).fit(X, Y)
    assert scores_of(search) == scores_of(plain)
    for attribute in ("best_index_", "best_params_", "best_score_"):
        assert getattr(search, attribute) == getattr(plain, attribute)


@in_processes("pbt")
def test_a_rule_that_fails_takes_nothing_along(name, backend, n_jobs):
    """Its own exception, and all candidates that are complete by then."""

    def rule(progress):
        if len(progress.trials) == 3:
            raise AttributeError("a mistake of the user's")

    search = SEARCHES[name](Counted(), stop=rule, n_jobs=n_jobs)
    with joblib.parallel_config(backend):
        error = failed_fit(search, AttributeError)
    assert str(error) == "a mistake of the user's"
    check_kept(search, error, "error")
    assert len(search.cv_results_["params"]) >= 3


@ALL
def test_a_choice_that_fails_takes_nothing_along(name):
    def choose(results):
        raise ZeroDivisionError("a mistake of the user's")

    search = SEARCHES[name](Counted(), refit=choose)
    error = failed_fit(search, ZeroDivisionError)
    check_kept(search, error, "completed", has_best=False)
    assert len(search.cv_results_["params"]) == 8


@ALL
def test_a_fit_that_is_to_raise_takes_nothing_along(name, always_cut):
    """With ``error_score="raise"``, the candidates before it are kept."""
    estimator = Counted(fail_above=TOP[name])
    search = SEARCHES[name](estimator, error_score="raise")
    check_kept(search, failed_fit(search, ValueError), "error")
    assert all(p["level"] <= TOP[name] for p in search.cv_results_["params"])


@ALL
def test_an_optimizer_that_fails_takes_nothing_along(name):
    """In a callable of the user's, say: an acquisition, a surrogate, an explorer."""
    search = SEARCHES[name](Counted())
    make_optimizer = search._make_optimizer

    def make(space):
        optimizer = make_optimizer(space)
        tell, told = optimizer.tell, []

        def fail_at_last(trials):
            told.extend(trials)
            if len(told) == 2:
                raise ArithmeticError("a mistake of the user's")
            tell(trials)

        optimizer.tell = fail_at_last
        return optimizer

    search._make_optimizer = make
    error = failed_fit(search, ArithmeticError)
    del search._make_optimizer  # or it could not be pickled
    check_kept(search, error, "error")


def test_an_explorer_that_fails_takes_nothing_along():
    def explore(params, rng, history):
        raise ArithmeticError("a mistake of the user's")

    search = SEARCHES["pbt"](Counted(), explore=explore).set_params(quantile=0.5)
    error = failed_fit(search, ArithmeticError)
    check_kept(search, error, "error")
    assert set(search.cv_results_["generation"]) == {0}


@ALL
def test_a_warning_that_is_an_error_takes_nothing_along(name):
    """Failed fits are warned of at the end; so are scores that are not finite."""
    search = SEARCHES[name](Counted(fail_above=0.55))
    error = failed_fit(search, FitFailedWarning, "error")
    check_kept(search, error, "completed")
    assert search.failures_


@pytest.mark.parametrize("name", ["grid", "random", "bayes"])
def test_all_failures_can_be_looked_at(name):
    """`AllFitsFailedError` says "see failures_"."""
    search = SEARCHES[name](Counted(fail_above=-1.0))
    failed_fit(search, AllFitsFailedError, "error")
    assert sum(failures.n_fits for failures in search.failures_) == 16
    assert not hasattr(search, "best_index_")


@pytest.mark.skipif(not HAS_CALLBACKS, reason="scikit-learn has no callbacks")
@pytest.mark.parametrize("where", ["end", "teardown"])
@ALL
def test_a_callback_that_fails_takes_nothing_along(name, where):
    class Careless:
        """Fails at the end of the search, or of all."""

        n_ended = 0

        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            if where == "teardown":
                raise LookupError("a mistake of the user's")

        def on_fit_task_begin(self, estimator, context, **data):
            pass

        def on_fit_task_end(self, estimator, context, **data):
            if where == "end" and context.task_name == "search":
                raise LookupError("a mistake of the user's")
            return False

    search = SEARCHES[name](Counted())
    search.set_callbacks(Careless())
    with pytest.raises(LookupError):
        search.fit(X, Y)
    assert len(search.cv_results_["params"]) == 8
    assert search.best_params_
    assert search.stop_reason_ == "completed"


@ALL
def test_nothing_of_an_earlier_fit_is_left(name):
    """Neither if the second one fails late, nor if it fails at once."""
    search = SEARCHES[name](Heavy()).fit(X, Y)
    assert hasattr(search, "best_estimator_")
    search.set_params(estimator=Heavy(extra=MemoryError))
    check_kept(search, failed_fit(search, MemoryError), "completed")
    assert not hasattr(search, "refit_time_")
    search.set_params(estimator=Heavy(), stop=["no rule"])
    failed_fit(search, TypeError)
    assert not [attribute for attribute in vars(search) if attribute.endswith("_")]
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        search.predict(X)


def test_what_needs_no_last_fit_is_fitted_without(tmp_path):
    """With ``refit=False``, results are all that there is to be had."""
    search = SEARCHES["grid"](Counted(), refit=False).fit(X, Y)
    check_is_fitted(search)
    with pytest.raises(NotFittedError):
        check_is_fitted(SEARCHES["grid"](Counted(), refit=False))


class Interrupting(Counted):
    """Interrupts, as if the user had pressed Ctrl-C, above a level."""

    def partial_fit(self, X, y, sample_weight=None, classes=None):
        if self.level > self.fail_above:
            raise KeyboardInterrupt
        return super().partial_fit(X, y, sample_weight, classes)


register_incremental(Interrupting, PartialFit(), effective=["level"])


def test_a_second_interrupt_keeps_results_too(always_cut):
    search = SEARCHES["grid"](Interrupting(fail_above=0.8))
    search._interrupts = Interrupts(patience=math.inf)
    search._interrupts.note()  # a moment ago
    check_kept(search, failed_fit(search, KeyboardInterrupt), "interrupted")


# --- what is complete -----------------------------------------------------------------


@pytest.mark.parametrize("n_jobs", [1, 2])
@ALL
def test_a_complete_search_needs_no_time(name, n_jobs, an_hour_each):
    """A budget that ends with the last candidate, or after it, changes nothing."""
    search = SEARCHES[name](Counted(), refit=False, n_jobs=n_jobs)
    search.set_params(time_budget="7.5 h").fit(X, Y)  # over with the last of 8
    assert search.stop_reason_ == "completed"
    assert scores_of(search) == scores_of(SEARCHES[name](Counted()).fit(X, Y))


@ALL
def test_a_complete_journal_needs_no_time(name, tmp_path):
    search = SEARCHES[name](Counted(), refit=False, journal=tmp_path / "a.db")
    plain = clone(search).fit(X, Y)
    search.set_params(time_budget=1e-9).fit(X, Y)
    assert search.stop_reason_ == "completed"
    assert scores_of(search) == scores_of(plain)


def test_one_candidate_less_is_not_complete(an_hour_each, always_cut):
    """The other end: the last candidate is missing."""
    search = SEARCHES["grid"](Counted(), refit=False, cv=ShuffleSplit(1))
    search.set_params(time_budget="6.5 h").fit(X, Y)
    assert search.stop_reason_ == "time_budget"
    assert len(search.cv_results_["params"]) == 7


# --- what fits raise that is no Exception ---------------------------------------------


class Exiting(Counted):
    """Raises what is no `Exception` when a level is above `fail_above`."""

    def partial_fit(self, X, y, sample_weight=None, classes=None):
        if self.level > self.fail_above:
            raise CustomExit("out of here")
        return super().partial_fit(X, y, sample_weight, classes)


register_incremental(Exiting, PartialFit(), effective=["level"])


class Plain(BaseEstimator):
    """Scores its level; cannot be shared."""

    def __init__(self, level=0.0):
        self.level = level

    def fit(self, X, y=None):
        return self


def exiting_score(estimator, X, y=None):
    if estimator.level > 0.8:
        raise CustomExit("out of here")
    return estimator.level


@pytest.mark.parametrize(("backend", "n_jobs"), BACKENDS)
@ALL
def test_a_custom_exit_costs_one_candidate(name, backend, n_jobs):
    """As an exception does: nothing hangs, and the other rows are the same."""
    expected = SEARCHES[name](Counted(fail_above=TOP[name]), refit=False)
    search = SEARCHES[name](Exiting(fail_above=TOP[name]), refit=False, n_jobs=n_jobs)
    with warnings.catch_warnings(), joblib.parallel_config(backend):
        warnings.simplefilter("ignore")
        expected.fit(X, Y)
        search.fit(X, Y)
    assert scores_of(search) == scores_of(expected)
    kinds = {(f.kind, f.message) for f in search.failures_}
    assert kinds == {("FitLostError", "The fit raised CustomExit: out of here")}


@pytest.mark.parametrize(("backend", "n_jobs"), BACKENDS)
def test_a_custom_exit_of_a_scorer_costs_one_candidate(backend, n_jobs):
    search = GridSearch(
        Plain(), {"level": LEVELS}, scoring=exiting_score, n_jobs=n_jobs, cv=2
    )
    with warnings.catch_warnings(), joblib.parallel_config(backend):
        warnings.simplefilter("ignore")
        search.fit(X, Y)
    scores = search.cv_results_["mean_test_score"]
    assert np.isnan(scores).sum() == 1
    assert search.best_params_ == {"level": 0.7}


@in_processes("random")
def test_an_interrupt_of_a_fit_ends_the_search(name, backend, n_jobs, always_cut):
    """Wherever the fit runs; what is complete is kept, and nobody waits for ever."""
    estimator = Interrupting(fail_above=TOP[name])
    search = SEARCHES[name](estimator, refit=False, n_jobs=n_jobs)
    with warnings.catch_warnings(), joblib.parallel_config(backend):
        warnings.simplefilter("ignore")
        try:
            search.fit(X, Y)
        except KeyboardInterrupt:  # before the first candidate was complete
            assert not hasattr(search, "cv_results_")
        else:
            assert search.stop_reason_ == "interrupted"
            assert all(p["level"] <= TOP[name] for p in search.cv_results_["params"])


@pytest.mark.skipif(not HAS_CALLBACKS, reason="scikit-learn has no callbacks")
def test_a_hook_that_exits_in_a_thread_is_heard_of():
    """What is no `Exception` would end joblib's thread, and the search wait."""

    class Leaving:
        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context, **data):
            if context.task_name == "candidate-split-evaluation":
                raise CustomExit("out of here")

        def on_fit_task_end(self, estimator, context, **data):
            return False

    search = SEARCHES["grid"](Counted(), n_jobs=2)
    search.set_callbacks(Leaving())
    with joblib.parallel_config("threading"), pytest.raises(CustomExit):
        search.fit(X, Y)
