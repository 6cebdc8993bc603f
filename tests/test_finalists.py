"""Finalists are scored as scikit-learn would on fresh splits; the best of all wins."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sqlite3
import warnings
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from comparing import same
from sklearn.base import BaseEstimator
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch, report
from skhpo._rng import seed_sequence
from skhpo._sklearn_compat import HAS_CALLBACKS
from skhpo._trial import Candidate, Evaluation, Trial
from skhpo.exceptions import SearchInterruptedWarning, SkhpoWarning
from skhpo.search._base import BaseSearch
from skhpo.search._budget import TimeBudget
from skhpo.search._finalists import _draw
from skhpo.search._fresh import reseeded
from skhpo.search._loop import Interrupts
from skhpo.selection import LowerBound
from skhpo.space import Curve

pytestmark = pytest.mark.thinned

X, y = make_classification(90, n_informative=4, flip_y=0.2, random_state=0)
GROUPS = np.arange(90) // 5
WEIGHTS = np.random.default_rng(0).uniform(0.5, 2, 90)
TREE = DecisionTreeClassifier(max_features=3, random_state=0)
GRID = {"max_depth": [None, 1, 2, 3, 5, 8]}
SHUFFLED = StratifiedKFold(3, shuffle=True, random_state=1)
SEARCHES = {"grid": GridSearch, "random": RandomSearch, "bayes": BayesSearch}


def make(name: str = "grid", estimator: Any = TREE, space: Any = GRID, **options: Any):
    if name != "grid":
        options = {"random_state": 0, "n_iter": 6, **options}
    options = {"cv": 3, "finalists": 3, "finalist_repeats": 2, **options}
    if not options["finalists"]:
        del options["finalist_repeats"]
    return SEARCHES[name](estimator, space, **options)


def results_of(search: Any) -> dict[str, Any]:
    """Return ``cv_results_`` without times."""
    return {k: v for k, v in search.cv_results_.items() if "_time" not in k}


def is_more(name: str) -> bool:
    return name.startswith(("fresh", "pooled"))


def finalists_of(search: Any, metric: str = "score") -> list[int]:
    fresh = search.cv_results_[f"fresh_mean_test_{metric}"]
    return np.flatnonzero(~np.isnan(fresh)).tolist()


def fresh_splitters(search: Any, cv: Any) -> list[Any]:
    """Return the splitters that a search must have taken for its finalists."""
    root = seed_sequence(getattr(search, "random_state", 0))
    n = search.finalist_repeats
    return [reseeded(cv, search.cv, _draw(root, repeat)) for repeat in range(n)]


def check_scores(search: Any, cv: Any, scoring: Any = None, **fit: Any) -> None:
    """Fail unless the fresh scores are those of scikit-learn's own search."""
    results, metric = search.cv_results_, scoring or "score"
    rows = finalists_of(search, metric)
    grid = [{k: [v] for k, v in results["params"][row].items()} for row in rows]
    for repeat, splitter in enumerate(fresh_splitters(search, cv)):
        own = GridSearchCV(search.estimator, grid, cv=splitter, scoring=scoring)
        expected = own.set_params(refit=False).fit(X, y, **fit).cv_results_
        for split in range(own.n_splits_):
            found = results[f"fresh{repeat}_split{split}_test_{metric}"][rows]
            np.testing.assert_array_equal(found, expected[f"split{split}_test_score"])


SPLITTERS = {
    "number": (3, StratifiedKFold(3)),
    "folds": (SHUFFLED, SHUFFLED),
    "one split": (ShuffleSplit(1, random_state=0),) * 2,
    "repeated": (RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=0),) * 2,
    "grouped": (StratifiedGroupKFold(3, shuffle=True, random_state=0),) * 2,
}


@pytest.mark.parametrize("kind", SPLITTERS)
def test_fresh_scores_are_those_of_scikit_learn_on_the_splitter_with_other_seeds(kind):
    """Group by group, too, and with one split only."""
    given, cv = SPLITTERS[kind]
    groups = GROUPS if kind == "grouped" else None
    search = make(cv=given).fit(X, y, groups=groups)
    assert len(finalists_of(search)) == 3
    assert search.n_splits_ == cv.get_n_splits(X, y, groups)
    check_scores(search, cv, groups=groups)


def test_a_finalist_gets_the_parameters_of_the_fit_as_before():
    """Weights go to the fit, sliced by the fresh splits."""
    search = make().fit(X, y, sample_weight=WEIGHTS)
    check_scores(search, StratifiedKFold(3), sample_weight=WEIGHTS)


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize(
    "more", [{}, {"return_oof": True}, {"return_train_score": True}]
)
def test_what_there_was_without_finalists_stays_to_the_last_bit(name, more):
    """Also where the seed is a generator, of which no more is drawn."""
    if name != "grid":
        more = {**more, "random_state": np.random.RandomState(3)}
    with_finalists = make(name, **clone_of(more)).fit(X, y)
    without = make(name, finalists=0, **clone_of(more)).fit(X, y)
    found = results_of(with_finalists)
    assert same({k: found[k] for k in found if not is_more(k)}, results_of(without))
    assert sum(map(is_more, found)) == 2 * 3 + 3
    for one, other in zip(
        getattr(with_finalists, "oof_", []), getattr(without, "oof_", []), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    if name != "grid":
        one, other = (s.random_state.randint(2**31) for s in (with_finalists, without))
        assert one == other


def test_what_was_fitted_and_what_was_saved_is_all_that_was_needed():
    """The fits of all candidates and finalists, of which the pipeline shares some."""
    steps = make_pipeline(StandardScaler(), TREE)
    grid = {"decisiontreeclassifier__max_depth": [1, 2, 3, 4]}
    search = GridSearch(steps, grid, cv=3, finalists=3, finalist_repeats=2).fit(X, y)
    n_evaluations = 4 * 3 + 3 * 3 * 2
    assert search.reuse_.n_saved > 0
    assert search.reuse_.n_fits + search.reuse_.n_saved == 2 * n_evaluations
    assert search.reuse_.n_evaluations == n_evaluations


def clone_of(options: dict[str, Any]) -> dict[str, Any]:
    states = {k: v for k, v in options.items() if isinstance(v, np.random.RandomState)}
    copies = {}
    for name, state in states.items():
        copies[name] = np.random.RandomState()
        copies[name].set_state(state.get_state())
    return {**options, **copies}


@pytest.mark.parametrize("name", SEARCHES)
def test_the_best_of_all_splits_together_is_chosen_among_the_best(name):
    """``best_score_`` is what scikit-learn says it is: the mean of its own splits."""
    search = make(name, finalists=4).fit(X, y)
    results, rows = search.cv_results_, finalists_of(search)
    means = results["mean_test_score"]
    fresh = [f"fresh{r}_split{k}_test_score" for r in range(2) for k in range(3)]
    own = [f"split{k}_test_score" for k in range(3)]
    every = np.array([results[column] for column in own + fresh])
    pooled, first = every.mean(axis=0), every[3:]
    np.testing.assert_allclose(results["pooled_mean_test_score"], pooled)
    np.testing.assert_allclose(results["fresh_mean_test_score"], first.mean(axis=0))
    np.testing.assert_allclose(results["fresh_std_test_score"], first.std(axis=0))
    assert min(means[rows]) >= max(np.delete(means, rows))
    assert search.best_index_ == max(rows, key=lambda row: pooled[row])
    assert search.best_score_ == means[search.best_index_]
    assert search.best_params_ == results["params"][search.best_index_]
    assert search.best_estimator_.get_params().items() >= search.best_params_.items()
    assert search.reuse_.n_evaluations == 3 * len(means) + 4 * 6


def test_finalists_are_distinct_and_as_many_as_there_are():
    """A value that is listed twice takes the place of no other candidate."""
    space = {"max_depth": [2, 2, 1, 3]}
    search = make(space=space, finalists=9).fit(X, y)
    assert finalists_of(search) == [0, 2, 3]


class Level(BaseEstimator):
    """Its score is its level, less on shuffled rows if it is told so."""

    def __init__(self, level=0.0, shuffled=0.0, fault=None):
        self.level, self.shuffled, self.fault = level, shuffled, fault

    def fit(self, X, y=None):
        """See whether the rows are in two runs, as without shuffling."""
        self.is_shuffled_ = np.sum(np.diff(X[:, 0]) > 1) > 1
        if self.is_shuffled_ and self.fault:
            self.fault(self.level)
        return self

    def score(self, X, y=None):
        """Return the level."""
        return self.level + (self.shuffled if self.is_shuffled_ else 0)


ROWS = np.arange(24.0)[:, np.newaxis]
ALTERNATIVES = [
    {"level": [0.8], "shuffled": [-0.3, -0.1]},
    {"level": [0.7], "shuffled": [0.2, 0.0]},
    {"level": [0.1], "shuffled": [9.0]},
]


def test_who_is_the_best_is_known():
    """One who was lucky on the ordinary splits loses; one who was no finalist, too."""
    search = GridSearch(Level(), ALTERNATIVES, finalists=4).fit(ROWS)
    assert search.best_params_ == {"level": 0.7, "shuffled": 0.2}
    pooled = search.cv_results_["pooled_mean_test_score"]
    np.testing.assert_allclose(pooled, [0.575, 0.725, 0.85, 0.7, np.nan])
    assert search.best_score_ == pytest.approx(0.7)
    assert GridSearch(Level(), ALTERNATIVES).fit(ROWS).best_index_ == 0
    assert "chosen of 4 finalists by the mean over 5 ordinary and 15" in (
        search._repr_html_()
    )


def test_of_equal_finalists_the_one_that_was_better_before_is_chosen():
    """And the first of those that were equal before."""
    space = {"level": [0.5, 0.9, 0.7]}
    search = GridSearch(Level(shuffled=math.inf), space, finalists=3)
    assert search.fit(ROWS).best_index_ == 1


class Lucky(BaseEstimator):
    """Its score is its level and the luck of the test rows, which is known."""

    def __init__(self, level=0.0):
        self.level = level

    def fit(self, X, y=None):
        """Do nothing."""
        return self

    def score(self, X, y=None):
        """Return the level, with noise."""
        key = int(np.sum(np.square(X[:, 0])) * 7 + 1e4 * self.level)
        return self.level + 0.05 * np.random.default_rng(key).standard_normal()


def test_more_splits_find_better_candidates_where_luck_decides():
    """On a dozen data sets, where levels differ less than scores on splits."""
    space = {"level": np.linspace(0, 0.05, 8)}
    gained = []
    for start in range(12):
        rows = ROWS + 100 * start
        plain = GridSearch(Lucky(), space, cv=2).fit(rows)
        search = GridSearch(Lucky(), space, cv=2, finalists=6).fit(rows)
        gained.append(search.best_params_["level"] - plain.best_params_["level"])
    assert np.mean(gained) > 0.003


# How it is run


@pytest.mark.parametrize("name", SEARCHES)
def test_the_number_of_workers_does_not_matter(name):
    """Nor whether candidates share fits."""
    expected = make(name).fit(X, y)
    with joblib.parallel_config("threading"):
        found = make(name, n_jobs=2).fit(X, y)
    assert same(results_of(found), results_of(expected))
    assert found.best_index_ == expected.best_index_
    apart = make(name, reuse=False).fit(X, y)
    assert same(results_of(apart), results_of(expected))


def test_other_seeds_give_other_splits_and_the_same_the_same():
    """Those of a grid are always the same, as its candidates are."""

    def fresh(name, seed):
        seed = {"random_state": seed} if name == "random" else {}
        results = make(name, finalists=1, space={"max_depth": [2]}, **seed, **one(name))
        return results.fit(X, y).cv_results_["fresh_mean_test_score"][0]

    def one(name):
        return {"n_iter": 1} if name == "random" else {}

    assert fresh("grid", None) == fresh("grid", None)
    assert fresh("random", 0) == fresh("random", 0)
    assert len({fresh("random", seed) for seed in range(4)}) > 1


@pytest.mark.parametrize("kept", [0, 10, 25, 35])
def test_finalists_are_found_in_a_journal(tmp_path: Path, kept: int):
    """As far as they are in there; ordinary evaluations are others."""
    path = tmp_path / "journal.db"
    expected = make(journal=path).fit(X, y)
    with contextlib.closing(sqlite3.connect(path)) as file, file:
        n = file.execute("SELECT count(*) FROM evaluation").fetchone()[0]
        assert n == expected.reuse_.n_evaluations == 18 + 18
        finished = sorted(file.execute("SELECT finished FROM evaluation"))
        file.execute("DELETE FROM evaluation WHERE finished >= ?", finished[kept])
        kept = file.execute("SELECT count(*) FROM evaluation").fetchone()[0]
    found = make(journal=path).fit(X, y)
    assert found.reuse_.n_found == kept
    assert same(results_of(found), results_of(expected))
    # Those without finalists are what the same file has of the ordinary splits.
    plain = make(finalists=0, journal=path).fit(X, y)
    assert plain.reuse_.n_fits == 0


@pytest.mark.parametrize("train", [False, True])
def test_train_scores_and_responses_are_those_of_the_ordinary_splits(tmp_path, train):
    """What is in the journal without them is found, all the same."""
    options = {"return_train_score": train, "return_oof": True}
    path = tmp_path / "journal.db"
    make(journal=path, **options).fit(X, y)
    search = make(journal=path, **options).fit(X, y)
    assert search.reuse_.n_fits == 0
    assert search.oof_[0].shape == (90,)
    assert not any("fresh" in k and "train" in k for k in search.cv_results_)
    assert "Rows were drawn" in report(search).method


# What else there is


def test_dropped_candidates_are_no_finalists():
    """They have no mean, and all others are complete."""
    space = {"min_samples_leaf": [1, 2, 4, 6, 8, 10, 14, 18, 24, 29]}
    search = make(space=space, finalists=10, race=0.4, cv=SHUFFLED).fit(X, y)
    dropped = np.flatnonzero(search.cv_results_["dropped"])
    assert dropped.size
    assert set(finalists_of(search)) == {*range(10)} - {*dropped.tolist()}
    check_scores(search, SHUFFLED)


def test_after_halving_those_are_finalists_who_have_had_everything():
    """Rows or iterations; on fresh splits they get as much of them."""
    halved = {"resource": "n_samples", "min_resources": 22, "factor": 2}
    search = make(finalists=4, **halved).fit(X, y)
    last = search.cv_results_["iter"] == search.cv_results_["iter"].max()
    assert set(finalists_of(search)) == set(np.flatnonzero(last)[:4].tolist())
    check_scores(search, StratifiedKFold(3))


def test_after_halving_of_a_part_of_the_rows_finalists_get_such_a_part():
    """Of the train rows of each fresh split."""
    halved = {"resource": "n_samples", "min_resources": 22, "max_resources": 44}
    estimator = Counting()
    search = make("grid", estimator, {"level": range(6)}, factor=2, **halved)
    search.fit(X, y)
    assert (
        search.cv_results_["fresh_mean_test_score"][search.best_index_] == 60 * 44 // 90
    )


class Counting(Level):
    """Its score is how many rows it was fitted on."""

    def fit(self, X, y=None):
        """Count them."""
        self.n_rows_ = len(X)
        return super().fit(X, y)

    def score(self, X, y=None):
        """Return the number."""
        return self.n_rows_


@pytest.mark.parametrize("of", ["curve", "patience", "iterations"])
def test_finalists_have_the_number_of_iterations_that_was_chosen(of):
    """Their own curves do not choose another one."""
    model = GradientBoostingClassifier(max_depth=1, random_state=0)
    space: dict[str, Any] = {"learning_rate": [0.1, 0.5, 1.0]}
    options: dict[str, Any] = {}
    if of == "iterations":
        options = {"resource": "n_estimators", "max_resources": 8, "min_resources": 2}
    else:
        space["n_estimators"] = Curve(8, patience=3 if of == "patience" else None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search = make("grid", model, space, **options).fit(X, y)
        assert finalists_of(search)
        assert all(1 <= p["n_estimators"] <= 8 for p in search.cv_results_["params"])
        check_scores(search, StratifiedKFold(3))


def test_finalists_of_a_zoom_come_from_all_rounds():
    """Those of the grid, and those around them."""
    search = make("grid", TREE, {"min_samples_leaf": [1, 8, 30]}, zoom=1, finalists=9)
    search.fit(X, y)
    assert len(finalists_of(search)) == len(search.cv_results_["params"]) > 3


def test_of_several_scores_the_one_that_refit_names_decides():
    """And all of them are there."""
    search = make(scoring=["accuracy", "roc_auc"], refit="roc_auc", finalists=2)
    results = search.fit(X, y).cv_results_
    rows = finalists_of(search, "roc_auc")
    best = sorted(range(6), key=lambda i: -results["mean_test_roc_auc"][i])
    assert sorted(best[:2]) == rows == finalists_of(search, "accuracy")
    assert search.best_index_ in rows
    assert search.best_score_ == results["mean_test_roc_auc"][search.best_index_]
    for metric in ("accuracy", "roc_auc"):
        check_scores(search, StratifiedKFold(3), metric)


def two_scores(estimator, X, y=None):
    return {"one": estimator.level, "two": -estimator.level}


def test_of_a_callable_for_several_scores_failed_fits_have_each():
    """A float in place of a dict, as everywhere else."""

    def fault(level):
        raise ValueError("shuffled")

    search = GridSearch(
        Level(fault=fault),
        {"level": [0.1, 0.2]},
        scoring=two_scores,
        refit="two",
        finalists=2,
        error_score=-7.0,
    )
    with pytest.warns(FitFailedWarning, match="On fresh splits, 30 fits of finalists"):
        search.fit(ROWS)
    assert search.cv_results_["fresh_mean_test_one"].tolist() == [-7, -7]
    assert search.best_index_ == 0


def test_without_a_last_fit_the_best_is_chosen_all_the_same():
    """And so are its params."""
    search = GridSearch(Level(), ALTERNATIVES, finalists=4, refit=False)
    assert search.fit(ROWS).best_params_ == {"level": 0.7, "shuffled": 0.2}


def test_readers_of_results_see_the_ordinary_splits():
    """Frames, rules and reports; the report says who chose."""
    pytest.importorskip("pandas")
    search = make().fit(X, y)
    plain = make(finalists=0).fit(X, y)
    added = set(search.results_) - set(plain.results_)
    assert added == {n for n in search.cv_results_ if is_more(n) and "split" not in n}
    assert len(search.split_results()) == len(plain.split_results())
    assert LowerBound()(search.cv_results_) == LowerBound()(plain.cv_results_)
    found = report(search)
    assert found.n_splits == 3
    assert found.best_index == search.best_index_
    assert any("chosen of 3 finalists" in note for note in found.notes)
    assert not any("finalists" in note for note in report(plain).notes)


def test_what_is_printed(capsys):
    """How many fits there are more."""
    make(verbose=1).fit(X, y)
    printed = capsys.readouterr().out
    assert "Fitting 6 fresh folds for each of 3 finalists, totalling 18 fits" in printed
    make(verbose=-1).fit(X, y)
    assert not capsys.readouterr().out


@pytest.mark.skipif(not HAS_CALLBACKS, reason="scikit-learn is too old")
def test_callbacks_hear_of_finalists():
    """Each evaluation is a task, beside those of the ordinary splits."""
    heard = []

    class Listening:
        def setup(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context, **data):
            heard.append(context.task_name)

        def on_fit_task_end(self, estimator, context, **data):
            return False

        def teardown(self, estimator, context):
            pass

    make().set_callbacks(Listening()).fit(X, y)
    assert heard.count("finalists") == 1
    assert heard.count("candidate-split-evaluation") == 18 + 18


# What goes wrong


class Unsplit:
    """A splitter that has a seed, and does not heed it."""

    random_state = 0

    def split(self, X, y=None, groups=None):
        """Yield one split."""
        yield np.arange(60), np.arange(60, len(X))

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return how many there are."""
        return 1


NOT_SHUFFLED = {
    "StratifiedKFold": StratifiedKFold(3),
    "KFold": KFold(3),
    "GroupKFold": GroupKFold(3),
    "TimeSeriesSplit": TimeSeriesSplit(3),
    "LeaveOneOut": LeaveOneOut(),
    "PredefinedSplit": PredefinedSplit(np.arange(90) % 3),
    "a list of splits": [(np.arange(60), np.arange(60, 90))],
    "Unsplit": Unsplit(),
}


def refuse(level):
    raise AssertionError("nothing may be fitted")


class Unfittable(Level):
    """It is not to be fitted."""

    def fit(self, X, y=None):
        """Fail in a way that ends a search."""
        raise KeyboardInterrupt


@pytest.mark.parametrize("name", NOT_SHUFFLED)
def test_a_splitter_that_draws_nothing_is_refused_before_the_first_fit(name):
    """And it is said which ones draw."""
    cv = NOT_SHUFFLED[name]
    search = GridSearch(Unfittable(), {"level": [1, 2]}, cv=cv, finalists=2)
    with pytest.raises(ValueError, match=r"StratifiedKFold\(5, shuffle=True\)") as info:
        search.fit(X, y, groups=GROUPS if name == "GroupKFold" else None)
    assert name in str(info.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"finalists": -1}, "'finalists' parameter of GridSearch must be an int"),
        ({"finalists": 1.5}, "'finalists' parameter of GridSearch must be an int"),
        ({"finalist_repeats": 0}, "'finalist_repeats' parameter of GridSearch must be"),
        ({"finalists": 0, "finalist_repeats": 4}, "Set finalists to a number"),
        ({"refit": LowerBound()}, "a callable 'refit' chooses in its own way"),
        ({"scoring": ["accuracy", "f1"], "refit": False}, "'finalists' compares one"),
    ],
)
def test_bad_values_are_refused_before_the_first_fit(options, message):
    """In the words of other parameters."""
    options = {"finalists": 2, **options}
    with pytest.raises(ValueError, match=message):
        GridSearch(Unfittable(), {"level": [1, 2]}, cv=2, **options).fit(X, y)


def test_searches_of_populations_have_no_finalists():
    """A member is trained by steps, and its parameters change."""
    assert "finalists" not in PBTSearch._get_param_names()


def of_level(level, act):
    """Return a fault of one level."""
    return lambda own: act() if own == level else None


def fail():
    raise ValueError("told to fail")


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def one_by_one(monkeypatch):
    """No interrupt is the second in a row, however fast the tests are."""
    monkeypatch.setattr(BaseSearch, "_interrupts", Interrupts(patience=-math.inf))
    # A shell starts what runs in its background with the signal ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_finalist_that_fails_is_not_chosen():
    """Its failures are counted with those of all."""
    estimator = Level(fault=of_level(0.9, fail))
    search = GridSearch(estimator, {"level": [0.9, 0.8, 0.7]}, finalists=2)
    with pytest.warns(FitFailedWarning, match="15 fits of finalists failed out of a"):
        search.fit(ROWS)
    assert search.best_params_ == {"level": 0.8}
    assert [(f.n_fits, f.n_candidates, f.split) for f in search.failures_] == [
        (15, 1, 5)
    ]


def test_if_all_finalists_fail_the_best_is_that_of_the_ordinary_splits():
    """It is said."""
    estimator = Level(fault=lambda level: fail())
    search = GridSearch(estimator, {"level": [0.9, 0.8, 0.7]}, finalists=2)
    with (
        pytest.warns(FitFailedWarning),
        pytest.warns(SkhpoWarning, match="None of the 2 finalists"),
    ):
        search.fit(ROWS)
    assert search.best_index_ == 0
    assert not search._remarks()


def test_what_a_finalist_raises_ends_the_search_and_loses_nothing():
    """The candidates are there, and who is the best without finalists."""
    estimator = Level(fault=of_level(0.8, fail))
    space = {"level": [0.9, 0.8, 0.7]}
    search = GridSearch(estimator, space, finalists=2, error_score="raise")
    with pytest.raises(ValueError, match="told to fail") as info:
        search.fit(ROWS)
    assert "keeps what it has found, 3 candidates" in str(info.value.__notes__)
    assert search.stop_reason_ == "error"
    assert search.best_params_ == {"level": 0.9}
    assert search.cv_results_["mean_test_score"].tolist() == [0.9, 0.8, 0.7]


def test_an_interrupt_among_finalists_keeps_the_best_without_them(one_by_one):
    """What is complete is kept, and not compared with what is not."""
    estimator = Level(fault=of_level(0.7, interrupt))
    search = GridSearch(estimator, ALTERNATIVES, finalists=4)
    with pytest.warns(SkhpoWarning, match=r"ended \(interrupted\) before all 4 finali"):
        search.fit(ROWS)
    assert search.stop_reason_ == "interrupted"
    assert search.best_index_ == 0
    assert np.isnan(search.cv_results_["pooled_mean_test_score"]).all()
    assert not search._remarks()
    assert hasattr(search, "best_estimator_")


class Interrupting(Level):
    """It interrupts on any rows."""

    def fit(self, X, y=None):
        """Interrupt at one level."""
        if self.level == 0.7:
            interrupt()
        return super().fit(X, y)


def test_after_an_interrupt_there_are_no_finalists(always_cut, one_by_one):
    """The user wants an end."""
    search = GridSearch(Interrupting(), ALTERNATIVES, finalists=4)
    with (
        pytest.warns(SearchInterruptedWarning),
        pytest.warns(SkhpoWarning, match="before all 2 finalists"),
    ):
        search.fit(ROWS)
    assert not finalists_of(search)
    assert search.best_index_ == 0


def test_a_rule_that_ends_the_search_leaves_finalists_to_be_evaluated():
    """It ends the proposals only."""
    space = {"level": [0.1, 0.2, 0.3, 0.4]}
    search = GridSearch(Level(), space, finalists=4, pre_dispatch=1)
    search.set_params(stop=lambda progress: len(progress.trials) == 2)
    search.fit(ROWS)
    assert 2 <= len(finalists_of(search)) < 4
    assert search.stop_reason_ not in ("completed", "error")


def test_finalists_have_their_time_after_the_candidates(clock):
    """It is saved, for as many as there are."""
    clock.seconds = 0.0
    budget = TimeBudget(100.0, start=0.0)
    budget.growth, budget.n_finalists, budget.n_more = 1.0, 2, 1.5
    for n, left in enumerate([100, 90 - 18, 90 - 36, 90 - 36]):
        assert budget.remaining() == left
        score = Evaluation(0.5, None, 10.0, 2.0, 10)
        budget.note(Trial(Candidate(n, {}), [score] * 2))
    budget.n_finalists = 0
    assert budget.remaining() == 90


class Timed(Level):
    """Its fits take a second by the clock of the search."""

    clock: Any = None

    def fit(self, X, y=None):
        """Let time pass."""
        self.clock.seconds += 1
        return super().fit(X, y)


@pytest.mark.parametrize("seconds", [80, 50, 30])
def test_a_search_that_is_out_of_time_in_its_finals_says_so(
    clock, monkeypatch, seconds
):
    """The best is that of the ordinary splits then, as it is if there is no time."""
    monkeypatch.setattr(Timed, "clock", clock)
    # Five candidates on five splits, and four finalists on fifteen.
    search = GridSearch(Timed(), ALTERNATIVES, finalists=4, time_budget=seconds)
    with pytest.warns(SkhpoWarning, match=r"\(time_budget\) before all 4 finalists"):
        search.fit(ROWS)
    assert search.stop_reason_ == "time_budget"
    assert search.best_index_ == 0
    assert len(search.cv_results_["params"]) == 5
    assert np.isnan(search.cv_results_["pooled_mean_test_score"]).all()
    enough = GridSearch(Timed(), ALTERNATIVES, finalists=4, time_budget=90)
    clock.seconds = 0.0
    assert enough.fit(ROWS).stop_reason_ == "completed"
    assert enough.best_index_ == 2
