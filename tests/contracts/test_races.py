"""What a race promises, in every search that has one.

Whole searches over a model whose scores are given: a table of candidates and splits, so
that what a race must decide is known beforehand.
"""

from __future__ import annotations

import functools
import pickle
import warnings
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from scipy.stats import uniform
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    ShuffleSplit,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch
from skhpo._sklearn_compat import HAS_CALLBACKS
from skhpo.exceptions import AllFitsFailedError, SearchStoppedError
from skhpo.plots import (
    ContourDisplay,
    HistoryDisplay,
    ImportanceDisplay,
    ParallelDisplay,
    SliceDisplay,
    SplitScoresDisplay,
)
from skhpo.search.feedback._heartbeat import Heartbeat
from skhpo.stopping import NoImprovement, TargetScore

pytestmark = pytest.mark.thinned

N_SPLITS = 4
X = np.arange(40.0)[:, np.newaxis]
Y = np.arange(40) % 2
CV = KFold(N_SPLITS)
LEVELS = np.linspace(0, 1, 31)


class Given(ClassifierMixin, BaseEstimator):
    """Its score on a split is its level, with noise of the level and the split.

    Parameters
    ----------
    level : float
        Of the score.
    fail_above : float
        Fits of a higher level raise.
    fail_late : float
        Fits of this level raise on all splits but the first.
    """

    def __init__(self, level=0.5, fail_above=2.0, fail_late=-1.0):
        self.level = level
        self.fail_above = fail_above
        self.fail_late = fail_late

    def fit(self, X, y):
        left_out = np.setdiff1d(np.arange(40), X.ravel())
        self.split_ = int(left_out.min(initial=39)) // 10
        late = self.level == self.fail_late and self.split_ > 0
        if self.level > self.fail_above or late:
            raise ValueError("no fit of this level")
        self.classes_ = np.array([0, 1])
        return self

    def predict(self, X):
        return np.zeros(len(X), int)

    def score(self, X, y):
        seed = int(1e6 * self.level) + 7 * self.split_
        noise = np.random.default_rng(seed).normal(scale=0.02)
        return 1 - abs(self.level - 0.7) + 0.1 * self.split_ + noise


SEARCHES: dict[str, Any] = {
    "grid": lambda **options: GridSearch(Given(), {"level": LEVELS}, **options),
    "random": lambda **options: RandomSearch(
        Given(), {"level": uniform(0, 1)}, n_iter=31, random_state=0, **options
    ),
    "sobol": lambda **options: RandomSearch(
        Given(),
        {"level": uniform(0, 1)},
        **{"n_iter": 20, "sampling": "sobol", "random_state": 0, **options},
    ),
    "anneal": lambda **options: RandomSearch(
        Given(),
        {"level": uniform(0, 1)},
        **{"n_iter": 20, "strategy": "anneal", "random_state": 0, **options},
    ),
    "bayes": lambda **options: BayesSearch(
        Given(), {"level": uniform(0, 1)}, n_iter=12, random_state=0, **options
    ),
}
by_search = pytest.mark.parametrize("name", SEARCHES)
KNOWN = ["grid", "random", "sobol"]  # whose candidates do not depend on scores


def fitted(name: str, **options: Any) -> Any:
    estimator = options.pop("estimator", None)
    search = SEARCHES[name](**{"race": True, "cv": CV, "refit": False, **options})
    if estimator is not None:
        search.set_params(estimator=estimator)
    return search.fit(X, Y)


@functools.cache
def plain(name: str, race: float = True) -> Any:
    return fitted(name, race=race)


def columns(search: Any) -> dict[str, Any]:
    return {
        name: np.ma.getdata(values).tolist()
        for name, values in search.cv_results_.items()
        if "_time" not in name
    }


def assert_same(found: Any, expected: Any) -> None:
    one, other = columns(found), columns(expected)
    assert list(one) == list(other)
    for name, values in other.items():
        np.testing.assert_array_equal(one[name], values, err_msg=name)
    assert found.best_index_ == expected.best_index_
    assert found.stop_reason_ == expected.stop_reason_


def scores_of(results: dict[str, Any], metric: str = "score") -> np.ndarray:
    names = [f"split{i}_test_{metric}" for i in range(N_SPLITS)]
    return np.column_stack([results[name] for name in names])


# --- what is found --------------------------------------------------------------------


@pytest.mark.parametrize("name", KNOWN)
def test_the_same_best_for_fewer_fits(name: str) -> None:
    """What is evaluated has the scores that it has without a race."""
    raced, whole = plain(name), plain(name, race=False)
    assert raced.best_params_ == whole.best_params_
    assert raced.best_score_ == whole.best_score_
    assert raced.reuse_.n_fits < 0.7 * whole.reuse_.n_fits
    saved = raced.reuse_.n_fits + raced.reuse_.n_saved
    assert saved == whole.reuse_.n_fits + whole.reuse_.n_saved
    scores = scores_of(raced.cv_results_)
    done = ~np.isnan(scores)
    assert done.sum() == raced.reuse_.n_fits
    np.testing.assert_array_equal(
        scores[done], scores_of(whole.cv_results_)[done]
    )  # fmt: skip


@by_search
def test_rows_say_what_was_skipped(name: str) -> None:
    """Means of complete rows only; estimates of all; ranks in this order."""
    search = plain(name)
    results, scores = search.cv_results_, scores_of(search.cv_results_)
    n_splits = (~np.isnan(scores)).sum(axis=1)
    dropped = n_splits < N_SPLITS
    assert dropped.any()
    assert results["dropped"].dtype == bool
    np.testing.assert_array_equal(results["dropped"], dropped)
    np.testing.assert_array_equal(results["n_splits"], n_splits)
    for column in ("mean_test_score", "std_test_score"):
        np.testing.assert_array_equal(np.isnan(results[column]), dropped)
    estimated = results["estimated_test_score"]
    means = results["mean_test_score"]
    np.testing.assert_array_equal(estimated[~dropped], means[~dropped])
    assert (estimated[dropped] < search.best_score_).all()
    order = np.lexsort([-estimated, dropped])
    ranks = results["rank_test_score"]
    assert (np.diff(ranks[order]) >= 0).all()
    assert ranks[search.best_index_] == 1
    assert search.best_score_ == np.nanmax(means)
    for column in ("mean_fit_time", "std_score_time"):
        assert np.isfinite(results[column]).all(), "of the fits that were done"


@by_search
def test_without_a_race_nothing_is_new(name: str) -> None:
    """The columns are those of scikit-learn, and no trial is dropped."""
    search = plain(name, race=False)
    grid = GridSearchCV(Given(), {"level": LEVELS}, cv=CV, refit=False).fit(X, Y)
    assert list(search.cv_results_) == list(grid.cv_results_)
    assert not np.isnan(search.cv_results_["mean_test_score"]).any()


def test_true_is_a_probability_of_five_percent() -> None:
    """And a smaller one drops less."""
    assert_same(fitted("grid", race=0.05), plain("grid"))
    assert_same(fitted("grid", race=np.True_), plain("grid"))
    careful = fitted("grid", race=1e-6)
    n_splits = plain("grid").cv_results_["n_splits"]
    assert (careful.cv_results_["n_splits"] >= n_splits).all()
    assert careful.cv_results_["n_splits"].sum() > n_splits.sum()


def test_a_pipeline_shares_its_steps_in_a_race() -> None:
    """Each split has its own transformers, fitted once for all that come together."""
    data = make_classification(120, 6, random_state=0)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    grid = {"logisticregression__C": np.logspace(-6, 2, 20)}
    raced = GridSearch(model, grid, scoring="neg_log_loss", race=True).fit(*data)
    whole = GridSearch(model, grid, scoring="neg_log_loss").fit(*data)
    assert raced.best_params_ == whole.best_params_
    assert sum(raced.cv_results_["n_splits"]) < 100
    total = raced.reuse_.n_fits + raced.reuse_.n_saved
    assert total == whole.reuse_.n_fits + whole.reuse_.n_saved
    assert raced.reuse_.n_fits < whole.reuse_.n_fits


def test_equal_candidates_have_equal_rows() -> None:
    """And the second one costs nothing."""
    for reuse in (True, False):
        once = fitted("grid", reuse=reuse)
        twice = once.set_params(param_grid={"level": np.repeat(LEVELS, 2)}).fit(X, Y)
        scores = scores_of(twice.cv_results_)
        assert twice.reuse_.n_fits + twice.reuse_.n_saved == 2 * 31 * N_SPLITS
        if reuse:
            assert twice.reuse_.n_fits == len(np.unique(scores[~np.isnan(scores)]))
    assert twice.best_params_ == plain("grid").best_params_


def test_the_split_with_the_most_rows_comes_first() -> None:
    """The first one of a time series is small, and tells little."""
    search = LogisticRegression(), {"C": np.logspace(-4, 2, 20)}
    data = make_classification(200, 6, random_state=1)
    raced = GridSearch(*search, cv=TimeSeriesSplit(5), race=True).fit(*data)
    results = raced.cv_results_
    assert not np.isnan(results["split4_test_score"]).any()
    assert np.isnan(results["split0_test_score"]).any()


def test_a_race_can_be_nested() -> None:
    """It is an estimator like any other."""
    search = clone(SEARCHES["grid"](race=True, cv=2))
    assert np.isfinite(cross_val_score(search, X, Y, cv=KFold(2, shuffle=True))).all()


# --- several scores -------------------------------------------------------------------


def two_scores(estimator, X, y):
    score = estimator.score(X, y)
    return {"good": score, "bad": -score}


def test_of_several_scores_the_named_one_decides() -> None:
    """All of them are ranked by what it says."""
    raced = fitted("grid", scoring=two_scores, refit="good")
    results = raced.cv_results_
    expected = plain("grid").cv_results_
    for column in ("n_splits", "dropped"):
        np.testing.assert_array_equal(results[column], expected[column])
    np.testing.assert_array_equal(
        results["estimated_test_good"], expected["estimated_test_score"]
    )
    assert "estimated_test_bad" not in results
    assert np.isnan(results["mean_test_bad"][results["dropped"]]).all()
    lowest = results["rank_test_bad"][~results["dropped"]].max()
    assert (results["rank_test_bad"][results["dropped"]] > lowest).all()


# --- determinism ----------------------------------------------------------------------


@by_search
@pytest.mark.parametrize(
    ("backend", "n_jobs"),
    [
        ("threading", 2),
        ("threading", 4),
        ("loky", 2),
        pytest.param("loky", 4, marks=pytest.mark.slow),
    ],
)
def test_the_workers_change_nothing(name: str, backend: str, n_jobs: int) -> None:
    with joblib.parallel_config(backend, n_jobs=n_jobs):
        assert_same(fitted(name), plain(name))


class Stop(Exception):
    """What ends a search in the middle."""


@by_search
@pytest.mark.parametrize("n_left", [1, 3, 11])
def test_an_interrupted_race_goes_on_from_its_journal(
    name: str, n_left: int, tmp_path: Path
) -> None:
    """To the same end, and without the fits that were done."""

    def stop(progress: Any) -> None:
        if len(progress.trials) == n_left:
            raise Stop

    path = tmp_path / "race.db"
    with pytest.raises(Stop):
        fitted(name, journal=path, stop=stop)
    resumed = fitted(name, journal=path)
    assert_same(resumed, plain(name))
    assert resumed.reuse_.n_fits < plain(name).reuse_.n_fits
    again = fitted(name, journal=path)
    assert_same(again, plain(name))
    assert again.reuse_.n_fits == 0


class Breaking(Given):
    """Ends the process of the search, so to speak, at a fit.

    Parameters
    ----------
    level, fail_above, fail_late : float
        As above.
    """

    n_left = 10**9

    def fit(self, X, y):
        if not Breaking.n_left:
            raise KeyboardInterrupt
        Breaking.n_left -= 1
        return super().fit(X, y)


@pytest.mark.parametrize("name", ["grid", "bayes"])
def test_a_race_may_be_killed_at_any_evaluation(name: str, tmp_path: Path) -> None:
    """Whatever the journal has, the rest leads to the same result."""
    expected = plain(name)
    for k in (1, 5, 17, 31, 33, 34, 40):
        path = tmp_path / f"{k}.db"
        Breaking.n_left = k
        search = SEARCHES[name](race=True, cv=CV, refit=False, journal=path)
        search.set_params(estimator=Breaking())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the interrupt
            try:
                search.fit(X, Y)
            except KeyboardInterrupt:
                assert not hasattr(search, "cv_results_")
            Breaking.n_left = 10**9
            search._interrupts._last = -np.inf  # none of these is a second one
            assert_same(search.fit(X, Y), expected)
        n_left = search.reuse_.n_fits  # what was in a block with the kill is lost
        assert expected.reuse_.n_fits - k <= n_left <= expected.reuse_.n_fits


@pytest.mark.parametrize("name", KNOWN)
def test_a_journal_that_knows_more_changes_nothing(name: str, tmp_path: Path) -> None:
    """Splits that the race would skip are in it, and are not looked at."""
    path = tmp_path / "whole.db"
    fitted(name, race=False, journal=path)
    raced = fitted(name, journal=path)
    assert_same(raced, plain(name))
    assert raced.reuse_.n_fits == 0
    whole = fitted(name, race=False, journal=path)
    assert_same(whole, plain(name, race=False))


# --- failures -------------------------------------------------------------------------


@by_search
def test_a_failed_split_ends_a_row(name: str) -> None:
    """It has failed and was not dropped, is ranked last, and only its fit failed."""
    with pytest.warns(FitFailedWarning, match="out of a total"):
        search = fitted(name, estimator=Given(fail_above=0.8))
    results = search.cv_results_
    levels = np.array([params["level"] for params in results["params"]])
    failed = levels > 0.8
    assert failed.any()
    assert (results["n_splits"][failed] == 1).all()
    assert not results["dropped"][failed].any()
    assert np.isnan(results["estimated_test_score"][failed]).all()
    first = (~failed).sum() + 1
    assert (results["rank_test_score"][failed] == first).all()
    (failures,) = search.failures_
    assert failures.n_fits == failures.n_candidates == failed.sum()


def test_a_split_that_fails_later_ends_a_row_as_well() -> None:
    best = plain("grid").best_params_["level"]
    with pytest.warns(FitFailedWarning):
        search = fitted("grid", estimator=Given(fail_late=best))
    row = list(LEVELS).index(best)
    assert search.cv_results_["n_splits"][row] == 2
    assert not search.cv_results_["dropped"][row]
    assert search.best_index_ != row


def test_a_number_as_error_score_is_a_score_like_any_other() -> None:
    """Such a candidate is dropped as one that has this score."""
    with pytest.warns(FitFailedWarning):
        search = fitted("grid", estimator=Given(fail_above=0.8), error_score=-9.0)
    failed = LEVELS > 0.8
    assert search.cv_results_["dropped"][failed].all()
    assert (search.cv_results_["estimated_test_score"][failed] < -8).all()
    assert search.best_params_ == plain("grid").best_params_


class FailsOn(Given):
    """Its fits fail on one of the splits."""

    def __init__(self, level=0.5, split=0):
        self.level = level
        self.split = split

    def fit(self, X, y):
        self.fail_above, self.fail_late = 2.0, -1.0
        if super().fit(X, y).split_ == self.split:
            raise ValueError("no fit on this split")
        return self


@pytest.mark.parametrize("split", range(1, N_SPLITS))
def test_a_split_on_which_all_fail_leaves_no_best_one(split: int) -> None:
    """It says so, and does not ask for more time or for what a race refuses."""
    search = GridSearch(FailsOn(split=split), {"level": LEVELS}, race=True, cv=CV)
    with (
        pytest.warns((FitFailedWarning, UserWarning)),
        pytest.raises(SearchStoppedError, match="has failed or scored NaN on one"),
    ):
        search.fit(X, Y)
    assert len(search.cv_results_["params"]) == len(LEVELS)
    assert not hasattr(search, "best_index_")


def test_raise_raises() -> None:
    with pytest.raises(ValueError, match="no fit of this level"):
        fitted("grid", estimator=Given(fail_above=0.8), error_score="raise")


def test_if_all_fail_it_says_how_many_fits_there_were() -> None:
    with pytest.raises(AllFitsFailedError, match="All the 31 fits failed"):
        fitted("grid", estimator=Given(fail_above=-1))


@pytest.mark.parametrize("return_train_score", [False, True])
@by_search
def test_dropped_candidates_are_no_news(name: str, return_train_score: bool) -> None:
    """Neither warnings of failed fits nor of scores that are not finite."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search = fitted(name, return_train_score=return_train_score)
    assert search.failures_ == []
    part = "train" if return_train_score else "test"
    assert np.isnan(search.cv_results_[f"mean_{part}_score"]).any()


# --- who is told ----------------------------------------------------------------------


def accuracy_and_nothing(estimator: Any, X: Any, y: Any) -> dict[str, float]:
    return {"right": estimator.score(X, y), "nothing": np.nan}


def test_other_scores_that_are_no_numbers_are_news() -> None:
    """Though the one that decides is a number for all candidates."""
    with pytest.warns(UserWarning, match="test scores are non-finite"):
        fitted("grid", scoring=accuracy_and_nothing, refit="right")


@by_search
def test_rules_hear_of_each_candidate_once(name: str) -> None:
    """Also of dropped ones, which are never the best."""
    heard: list[Any] = []

    def listen(progress: Any) -> None:
        heard.append(progress.trials[-1])
        assert progress.best is None or not progress.best.dropped

    results = fitted(name, stop=listen).cv_results_
    assert sorted(t.candidate.id for t in heard) == list(range(len(heard)))
    for trial in heard:
        row = trial.candidate.id
        assert trial.dropped == results["dropped"][row]
        assert trial.score == pytest.approx(results["estimated_test_score"][row])


@by_search
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_rule_ends_a_race_at_the_same_place(name: str, n_jobs: int) -> None:
    """What was told is kept: the best of the first split come first."""
    rule = TargetScore(1.05), NoImprovement(9)
    with joblib.parallel_config("threading"):
        stopped = fitted(name, stop=list(rule), n_jobs=n_jobs)
    assert stopped.stop_reason_ != "completed"
    assert_same(stopped, fitted(name, stop=list(rule)))


def test_an_interrupt_keeps_complete_candidates() -> None:
    """With those that were dropped; the rest is no row."""
    Breaking.n_left = 31 + 3 * 8 + 2
    try:
        with pytest.warns(UserWarning, match="interrupted"):
            search = fitted("grid", estimator=Breaking(), race=1e-4)
    finally:
        Breaking.n_left = 10**9
        GridSearch._interrupts._last = -np.inf
    assert search.stop_reason_ == "interrupted"
    assert 8 <= len(search.cv_results_["params"]) < 31
    assert search.best_params_ == plain("grid").best_params_


class StopAfter:
    """Asks to stop at the end of evaluation number `n`."""

    def __init__(self, n: int) -> None:
        self.n_left = n

    def setup(self, estimator: Any, context: Any) -> None:
        """Part of the protocol."""

    def teardown(self, estimator: Any, context: Any) -> None:
        """Part of the protocol."""

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Part of the protocol."""

    def on_fit_task_end(self, estimator: Any, context: Any) -> bool:
        self.n_left -= context.task_name == "candidate-split-evaluation"
        return self.n_left <= 0


@pytest.mark.skipif(not HAS_CALLBACKS, reason="this scikit-learn has no callbacks")
@by_search
@pytest.mark.parametrize("n", [1, 7, 26, 33, 45])
def test_a_callback_may_stop_a_race_at_any_evaluation(name: str, n: int) -> None:
    """There is a complete candidate then, and the best one is complete."""
    search = SEARCHES[name](race=True, cv=CV, refit=False)
    search.set_callbacks(StopAfter(n)).fit(X, Y)
    assert search.stop_reason_ in ("callback", "completed")
    assert search.cv_results_["n_splits"][search.best_index_] == N_SPLITS
    best = Given(**search.best_params_)
    assert scores_of(search.cv_results_)[search.best_index_].tolist() == (
        cross_val_score(best, X, Y, cv=CV).tolist()
    )


def test_a_heartbeat_says_how_many_were_dropped(capsys: Any) -> None:
    """And verbose says that the number of fits is the largest possible."""
    trials: list[Any] = []
    fitted("grid", stop=lambda progress: trials.append(progress.trials[-1]), verbose=1)
    assert "totalling at most 124 fits" in capsys.readouterr().out
    heart = Heartbeat("GridSearch", 31, lambda: [])
    for trial in trials:
        heart.note(trial)
    n_dropped = plain("grid").cv_results_["dropped"].sum()
    assert f"{n_dropped} of them dropped" in heart.line()


def test_frames_and_html_show_dropped_rows() -> None:
    pytest.importorskip("pandas")
    search = pickle.loads(pickle.dumps(plain("grid")))
    n_dropped = search.cv_results_["dropped"].sum()
    frame = search.results_
    assert frame["dropped"].sum() == n_dropped
    assert not frame["dropped"].iloc[: 31 - n_dropped].any()
    assert search.split_results()["test_score"].isna().sum() > n_dropped
    assert f"{n_dropped} dropped" in search._repr_html_()


@pytest.mark.parametrize(
    "display",
    [
        HistoryDisplay,
        SliceDisplay,
        SplitScoresDisplay,
        ParallelDisplay,
        ImportanceDisplay,
        ContourDisplay,
    ],
)
def test_pictures_know_dropped_candidates(display: Any) -> None:
    """They stand at what was expected of them, and are not drawn as failed."""
    plt = pytest.importorskip("matplotlib.pyplot")
    search = plain("grid")
    if display is ContourDisplay:
        search = GridSearch(
            Given(),
            {"level": LEVELS[::2], "fail_above": [2.0, 3.0]},
            cv=CV,
            race=True,
        ).fit(X, Y)
    drawn = display.from_search(search)
    if display is HistoryDisplay:
        labels = [t.get_text() for t in drawn.ax_.get_legend().get_texts()]
        n_dropped = search.cv_results_["dropped"].sum()
        assert f"dropped ({n_dropped}), at the expected score" in labels
        assert np.nanmax(drawn.best_so_far) == search.best_score_
    if display is SplitScoresDisplay:
        assert np.isfinite(drawn.split_scores).all()
    plt.close("all")


# --- learning -------------------------------------------------------------------------


def test_a_model_learns_from_the_results_of_a_race() -> None:
    """Dropped rows are estimates, and not failures."""
    first = plain("random")
    options = {"n_iter": 3, "cv": CV, "refit": False, "random_state": 0}
    space = {"level": uniform(0, 1)}
    search = BayesSearch(Given(), space, prior_results=first, **options)
    trials = search._prior_trials(search._compile())
    assert [trial.dropped for trial in trials] == first.cv_results_["dropped"].tolist()
    assert not any(trial.failed for trial in trials)
    assert np.isfinite([trial.score for trial in trials]).all()
    assert search.fit(X, Y).best_score_ > 0.9


@pytest.mark.parametrize("surrogate", ["gp", "forest", "tpe"])
def test_every_surrogate_learns_in_a_race(surrogate: str) -> None:
    search = BayesSearch(
        Given(),
        {"level": uniform(0, 1)},
        surrogate=surrogate,
        n_iter=20,
        cv=CV,
        race=True,
        random_state=0,
    ).fit(X, Y)
    assert search.cv_results_["dropped"].any()
    assert abs(search.best_params_["level"] - 0.7) < 0.1


# --- bad input ------------------------------------------------------------------------


@pytest.mark.parametrize("race", [0, 1, 0.5, 0.9, -0.1, "yes", None, np.nan])
def test_race_is_a_bool_or_a_small_probability(race: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=r"'race'.*\(0"):
        fitted("grid", race=race)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cv": ShuffleSplit(1)}, "cv has 1 split.*race=False"),
        ({"refit": lambda results: 0}, "callable 'refit'.*race=False"),
        ({"scoring": ["accuracy", "f1"]}, "'refit' parameter must be the name"),
        ({"scoring": two_scores}, "'refit' parameter must be the name"),
    ],
)
@by_search
def test_what_cannot_be_raced_is_said(name: str, options: Any, message: str) -> None:
    """With the way out."""
    with pytest.raises(ValueError, match=message):
        fitted(name, **options)


def test_a_population_is_not_raced() -> None:
    """It has a selection of its own."""
    assert "race" not in PBTSearch._get_param_names()
