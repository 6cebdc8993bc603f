"""What cannot work is said before the first fit, or at the first that tells."""

from __future__ import annotations

import itertools
import math
import time
import warnings
from contextlib import suppress
from types import SimpleNamespace

import joblib
import numpy as np
import pytest
from fault_estimators import Counted
from scipy.stats import uniform
from sklearn.datasets import make_classification
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skhpo import (
    BayesSearch,
    GridSearch,
    PBTSearch,
    RandomSearch,
    _clock,
    register_incremental,
)
from skhpo.evaluation import Evaluator
from skhpo.evaluation.incremental import PartialFit
from skhpo.exceptions import SkhpoWarning
from skhpo.optimizers import BayesOptimizer
from skhpo.space import Real
from skhpo.stopping import NoImprovement, RegretBound, TargetScore

X, Y = make_classification(n_samples=60, n_features=5, random_state=0)
GRID = [round(0.02 * i, 2) for i in range(1, 25)]
SEARCHES = {
    "grid": lambda e, **o: GridSearch(e, {"level": GRID}, **{"cv": 2, **o}),
    "random": lambda e, **o: RandomSearch(
        e, {"level": uniform(0, 1)}, n_iter=24, random_state=0, **{"cv": 2, **o}
    ),
    "bayes": lambda e, **o: BayesSearch(
        e, {"level": Real(0, 1)}, n_iter=24, random_state=0, **{"cv": 2, **o}
    ),
    "pbt": lambda e, **o: PBTSearch(
        e,
        {"level": uniform(0, 1)},
        population_size=12,
        n_generations=2,
        random_state=0,
        **{"cv": 2, **o},
    ),
}
ALL = pytest.mark.parametrize("name", SEARCHES)


def count(log):
    return len(log.read_bytes()) if log.exists() else 0


# --- stop rules -----------------------------------------------------------------------


def one_argument_too_many(progress, more):
    return None


@pytest.mark.parametrize(
    ("stop", "error", "message"),
    [
        (lambda: None, TypeError, "called with one argument, a Progress"),
        (one_argument_too_many, TypeError, "missing a required argument: 'more'"),
        ([TargetScore(1), one_argument_too_many], TypeError, "one argument"),
        ((TargetScore(1), 7), TypeError, "must be a rule"),
        ([[TargetScore(1)]], TypeError, "must be a rule"),
        (RegretBound(), TypeError, "needs a search with a Gaussian process"),
        ([TargetScore(1), RegretBound(3)], TypeError, "a Gaussian process"),
    ],
)
@pytest.mark.parametrize("name", ["grid", "random", "pbt"])
def test_a_rule_that_cannot_work_is_refused(name, stop, error, message, tmp_path):
    log = tmp_path / "fits"
    search = SEARCHES[name](Counted(log=log), stop=stop)
    with pytest.raises(error, match=message):
        search.fit(X, Y)
    assert count(log) == 0


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"surrogate": "tpe"}, TypeError),
        ({"cv": ShuffleSplit(1)}, ValueError),
        ({"cv": [(np.arange(30), np.arange(30, 60))]}, ValueError),
    ],
)
def test_a_bound_needs_a_model_and_noise(options, error, tmp_path):
    log = tmp_path / "fits"
    search = SEARCHES["bayes"](Counted(log=log), stop=RegretBound(), **options)
    with pytest.raises(error, match="RegretBound"):
        search.fit(X, Y)
    assert count(log) == 0


@pytest.mark.parametrize("surrogate", ["gp", "forest"])
def test_a_bound_with_a_model_and_noise_is_not_refused(surrogate):
    optimizer = BayesOptimizer({"x": Real(0, 1)}, surrogate=surrogate)
    RegretBound().check(optimizer, 2)


def test_an_error_of_the_model_is_not_mistaken_for_a_missing_one():
    """Whoever has a model with a mistake sees the mistake."""

    def fail():
        raise TypeError("a mistake of the user's")

    progress = SimpleNamespace(
        best=SimpleNamespace(split_scores=(0.1, 0.2)),
        trials=range(20),
        optimizer=SimpleNamespace(regret_bound=fail),
    )
    with pytest.raises(TypeError, match="a mistake of the user's"):
        RegretBound()(progress)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: TargetScore(math.nan), ValueError),
        (lambda: TargetScore(math.inf), ValueError),
        (lambda: TargetScore(-math.inf), ValueError),
        (lambda: TargetScore("0.9"), TypeError),
        (lambda: TargetScore(None), TypeError),
        (lambda: NoImprovement(0), ValueError),
        (lambda: NoImprovement(-3), ValueError),
        (lambda: NoImprovement(2.5), TypeError),
        (lambda: NoImprovement(math.nan), TypeError),
        (lambda: NoImprovement("3"), TypeError),
        (lambda: NoImprovement(3, tol=-0.1), ValueError),
        (lambda: NoImprovement(3, tol=math.nan), ValueError),
        (lambda: NoImprovement(3, tol="0"), TypeError),
        (lambda: RegretBound(0), ValueError),
        (lambda: RegretBound(1.5), TypeError),
    ],
)
def test_a_rule_says_at_once_what_it_cannot_do(make, error):
    with pytest.raises(error, match="Got"):
        make()


def test_numbers_of_numpy_will_do():
    TargetScore(np.float32(0.5))
    NoImprovement(np.int64(3), tol=np.float64(0))
    RegretBound(np.int64(1))


@ALL
def test_two_searches_may_have_the_same_rule(name):
    """Rules hold no state: the second search ends where the first one does."""
    rules = (NoImprovement(4), TargetScore(0.9))
    first, second = (SEARCHES[name](Counted(), stop=rules).fit(X, Y) for _ in range(2))
    assert first.stop_reason_ == second.stop_reason_
    assert first.cv_results_["params"] == second.cv_results_["params"]


# --- scores ---------------------------------------------------------------------------


class FailsFirst(Counted):
    """Fails at low levels; writes a byte at each fit that succeeds."""

    def partial_fit(self, X, y, sample_weight=None, classes=None):
        if self.level < self.offset:
            raise ValueError("too low")
        return super().partial_fit(X, y, sample_weight, classes)


register_incremental(FailsFirst, PartialFit(), effective=["level"])


def two_scores(estimator, X, y=None):
    return {"hits": 0.5, "misses": 0.1}


PLACES = [
    {"refit": True},
    {"n_jobs": 2, "backend": "threading"},
    {"journal": True},
    {"error_score": "raise"},
    {"return_train_score": True},
]
# Where processes must start first.
SLOW_PLACES = [{"n_jobs": 2, "backend": "loky"}, {"fit_timeout": 100}]


@pytest.mark.parametrize("fails_below", [0.0, 0.1])
@pytest.mark.parametrize(
    "options",
    PLACES + [pytest.param(o, marks=pytest.mark.slow) for o in SLOW_PLACES],
    ids=str,
)
@ALL
def test_a_refit_that_no_score_has_is_heard_of_at_once(
    name, options, fails_below, tmp_path
):
    """At the first fit that succeeds, whatever failed before, and wherever it is."""
    options, log = {"refit": "wrong", **options}, tmp_path / "fits"
    if options.get("error_score") == "raise" and fails_below:
        pytest.skip("the first failure ends the search")
    backend = options.pop("backend", "loky")
    if options.pop("journal", False):
        options["journal"] = tmp_path / "a.db"
    estimator = FailsFirst(log=log, offset=fails_below)
    search = SEARCHES[name](estimator, scoring=two_scores, **options)
    with warnings.catch_warnings(), joblib.parallel_config(backend):
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match="refit"):
            search.fit(X, Y)
    # Those that workers have been given meanwhile, at the most; and of a lent array.
    assert 1 <= count(log) <= 4


def test_a_refit_that_no_score_of_a_pipeline_has_is_heard_of_at_once(tmp_path):
    """Where candidates share steps, and are scored on lent data."""
    log = tmp_path / "fits"
    pipe = make_pipeline(StandardScaler(), Counted(log=log))
    search = GridSearch(
        pipe, {"counted__level": GRID}, scoring=two_scores, refit="wrong"
    )
    with pytest.raises(ValueError, match="refit"):
        search.fit(X, Y)
    assert count(log) <= 2


def other_names(estimator, X, y=None):
    if estimator.level > 0.25:
        return {"hits": 0.5}
    return two_scores(estimator, X, y)


def more_names(estimator, X, y=None):
    if estimator.level > 0.25:
        return {**two_scores(estimator, X, y), "more": 1.0}
    return two_scores(estimator, X, y)


def no_names(estimator, X, y=None):
    return 0.5 if estimator.level > 0.25 else two_scores(estimator, X, y)


def names_at_last(estimator, X, y=None):
    return 0.5 if estimator.level < 0.25 else {"score": 0.5}


@pytest.mark.parametrize("scoring", [other_names, more_names, no_names, names_at_last])
@pytest.mark.parametrize("backend", ["sequential", "threading"])
def test_other_scores_than_before_are_heard_of(scoring, backend, always_cut):
    """scikit-learn ends with a KeyError, or drops what the first one did not have."""
    estimator = Counted()
    refit = "score" if scoring is names_at_last else "hits"
    search = SEARCHES["grid"](estimator, scoring=scoring, refit=refit, n_jobs=2)
    message = r"must return the same scores.* and now"
    with joblib.parallel_config(backend), pytest.raises(ValueError, match=message):
        search.fit(X, Y)
    levels = [params["level"] for params in search.cv_results_["params"]]
    # Where one thread is slow with a candidate, the other may hear of it before.
    whole = GRID[: len(levels)] if backend == "sequential" else GRID
    assert levels == [level for level in whole if level in levels]
    assert 1 <= len(levels) <= 12
    assert max(levels) < 0.26


@pytest.mark.parametrize("value", ["0.5", None, [0.5, 0.6], np.ones(2)])
def test_what_is_no_number_is_refused_in_scikit_learns_words(value):
    def scoring(estimator, X, y=None):
        return value

    messages = []
    for kind in (GridSearch, GridSearchCV):
        with pytest.raises(ValueError, match="must return a number") as caught:
            kind(Ridge(), {"alpha": [1.0, 2.0]}, scoring=scoring).fit(X, Y)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: {"a": x, "b": 0.0}])
def test_a_complex_score_is_refused(wrap):
    """scikit-learn goes on, and ranks it somehow."""
    search = GridSearch(
        Ridge(), {"alpha": [1.0]}, scoring=lambda e, X, y: wrap(1j), refit=False
    )
    with pytest.raises(ValueError, match="a real number, got 1j"):
        search.fit(X, Y)


def fails_once(estimator, X, y=None):
    if estimator.level in (GRID[0], GRID[3]):
        raise ZeroDivisionError("cannot score")
    return {"hits": estimator.level, "misses": 0.1}


@pytest.mark.parametrize("return_train_score", [False, True])
def test_a_scorer_of_several_that_fails_costs_its_candidate(return_train_score):
    """scikit-learn ends with a TypeError; also if it is the first one that fails."""
    search = SEARCHES["grid"](
        Counted(),
        scoring=fails_once,
        refit="hits",
        return_train_score=return_train_score,
    )
    with pytest.warns(UserWarning, match="cannot score"):
        search.fit(X, Y)
    for metric in ("hits", "misses"):
        failed = np.isnan(search.cv_results_[f"mean_test_{metric}"])
        assert np.flatnonzero(failed).tolist() == [0, 3]
    assert search.best_params_ == {"level": GRID[-1]}


# --- failures -------------------------------------------------------------------------


def never_scores(estimator, X, y=None):
    raise ZeroDivisionError("cannot score")


def own_score(estimator, X, y=None):
    return estimator.score(X, y)


def no_number(estimator, X, y=None):
    return math.nan


def said(search):
    """What warnings of the first candidates say."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with suppress(ValueError):  # if all fits have failed, that is raised
            search.fit(X, Y)
    texts = [str(w.message) for w in seen if issubclass(w.category, SkhpoWarning)]
    return [text for text in texts if "The first 10 candidates" in text]


@pytest.mark.thinned
@pytest.mark.parametrize("error_score", [math.nan, -1.0])
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"scoring": never_scores}, "the scorer failed with ZeroDivisionError: cannot"),
        (
            {"scoring": {"a": never_scores, "b": never_scores}, "refit": "a"},
            "the scorer failed with ZeroDivisionError: cannot score",
        ),
        ({"scoring": no_number}, "the scorer returned nan"),
        ({"estimator__fail_above": -1.0}, "the fit failed with ValueError: level"),
    ],
    ids=["scorer", "scorers", "nan", "fit"],
)
@ALL
def test_ten_failures_in_a_row_are_said_with_the_cause(
    name, options, reason, error_score
):
    """Once, and not at the end of a night."""
    search = SEARCHES[name](Counted(), error_score=error_score, refit=False)
    (text,) = said(search.set_params(**{"refit": False, **options}))
    assert reason in text
    assert type(search).__name__ in text


@ALL
def test_one_success_is_enough_to_say_nothing(name):
    levels = SEARCHES[name](Counted()).fit(X, Y).cv_results_["params"][:10]
    lowest = min(params["level"] for params in levels)
    assert said(SEARCHES[name](Counted(fail_above=lowest))) == []


@pytest.mark.parametrize("error_score", [np.nan, -1.0])
@ALL
def test_a_further_score_that_fails_is_no_failed_candidate(name, error_score):
    scoring = {"good": own_score, "bad": never_scores}
    options = {"scoring": scoring, "refit": "good", "error_score": error_score}
    assert said(SEARCHES[name](Counted()).set_params(**options)) == []


def test_ten_candidates_or_fewer_end_before():
    """Then the end of the search says all that is to be said."""
    grid = {"level": GRID[:10]}
    assert said(GridSearch(Counted(), grid, scoring=never_scores, refit=False)) == []


def test_the_warning_comes_after_ten_candidates(tmp_path, always_cut):
    """And not after all: as an error, it ends the search there."""
    log = tmp_path / "fits"
    estimator = Counted(log=log)
    search = SEARCHES["grid"](estimator, scoring=never_scores, refit=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", SkhpoWarning)
        with pytest.raises(SkhpoWarning, match="The first 10 candidates"):
            search.fit(X, Y)
    assert count(log) == 20
    assert len(search.cv_results_["params"]) == 10


# --- signs of life --------------------------------------------------------------------


class Clock:
    """Each look at it costs a second, and lets other threads come first."""

    def __init__(self):
        self.seconds = itertools.count(1)

    def look(self):
        now = 1000.0 + next(self.seconds)
        time.sleep(0.001)
        return now


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_what_runs_has_run_since_it_began(n_jobs, monkeypatch):
    """Between 0 and the time since the search began, by any clock."""
    clock, evaluators, seen = Clock(), [], []
    monkeypatch.setattr(_clock, "now", clock.look)

    class Watched(Evaluator):
        def __init__(self, *args, **kwargs):
            evaluators.append(self)
            super().__init__(*args, **kwargs)

    def scoring(estimator, X, y=None):
        now = evaluators[0].running()
        since_the_start = clock.look() - 1000.0
        seen.extend((seconds, since_the_start) for seconds, *_ in now)
        return estimator.level

    monkeypatch.setattr("skhpo.search._execution.Evaluator", Watched)
    search = SEARCHES["grid"](Counted(), scoring=scoring, n_jobs=n_jobs)
    with joblib.parallel_config("threading"):
        search.fit(X, Y)
    assert len(seen) >= 24
    assert all(0 < seconds < since_the_start for seconds, since_the_start in seen)
    assert evaluators[0].running() == []
