"""The journal: what was evaluated is not evaluated again, and never a wrong number."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
import time
import types
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fault_estimators import Counted, count, scores_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import uniform
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import KFold, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skhpo import (
    BayesSearch,
    GridSearch,
    PBTSearch,
    RandomSearch,
    read_journal,
    register_incremental,
    register_path,
)
from skhpo._trial import Candidate, Evaluation
from skhpo.evaluation.fitting._task import Task
from skhpo.evaluation.incremental import PartialFit
from skhpo.evaluation.paths._registry import PATHS
from skhpo.exceptions import JournalError, JournalWarning
from skhpo.journal import Journal, Problem
from skhpo.journal._memory import JournalMemory
from skhpo.journal._rows import param_columns
from skhpo.space import Real

pytestmark = pytest.mark.thinned

X, Y = make_classification(n_samples=60, n_features=5, random_state=0)
SPACE = {"level": uniform(0, 1)}
SEARCHES = {
    "grid": lambda estimator, **o: GridSearch(
        estimator, {"level": [0.1, 0.2, 0.3, 0.4]}, **o
    ),
    "random": lambda estimator, **o: RandomSearch(
        estimator, SPACE, n_iter=6, random_state=0, **o
    ),
    "bayes": lambda estimator, **o: BayesSearch(
        estimator, {"level": Real(0, 1)}, n_iter=8, random_state=0, **o
    ),
    "pbt": lambda estimator, **o: PBTSearch(
        estimator,
        SPACE,
        population_size=3,
        n_generations=3,
        random_state=0,
        **{**o, "cv": 3},
    ),
}


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "search.db"


@pytest.fixture
def log(tmp_path):
    """A file that counts fits, in whatever process they are done."""
    path = tmp_path / "fits"
    path.touch()
    return str(path)


# --- a search with a journal ----------------------------------------------------------


@pytest.mark.parametrize("backend", ["sequential", "threading", "loky"])
@pytest.mark.parametrize("name", SEARCHES)
def test_the_same_call_again_fits_nothing_but_the_best(name, backend, journal, log):
    """And ends with the same results as without a journal."""
    import joblib

    with joblib.parallel_config(backend, n_jobs=2):
        plain = SEARCHES[name](Counted(log=log), cv=3).fit(X, Y)
        before = count(log)
        first = SEARCHES[name](Counted(log=log), cv=3, journal=journal).fit(X, Y)
        n_fits = count(log) - before
        before = count(log)
        again = SEARCHES[name](Counted(log=log), cv=3, journal=journal).fit(X, Y)
    n_refit = 3 if name == "pbt" else 1  # the steps of the schedule
    assert count(log) - before == n_refit < n_fits
    assert scores_of(plain) == scores_of(first) == scores_of(again)
    np.testing.assert_array_equal(plain.predict(X), again.predict(X))


def test_a_larger_search_goes_on(journal, log):
    def search(n_iter):
        return RandomSearch(
            Counted(log=log),
            SPACE,
            n_iter=n_iter,
            random_state=0,
            journal=journal,
            cv=3,
        )

    search(4).fit(X, Y)
    before = count(log)
    larger = search(9).fit(X, Y)
    assert count(log) - before == 5 * 3 + 1
    plain = search(9).set_params(journal=None).fit(X, Y)
    assert scores_of(larger) == scores_of(plain)


def test_a_related_space_takes_what_it_shares(journal, log):
    """Also a candidate of which only some splits are known."""
    GridSearch(Counted(log=log), {"level": [0.1, 0.2]}, journal=journal, cv=3).fit(X, Y)
    with contextlib.closing(sqlite3.connect(journal)) as connection, connection:
        connection.execute(
            "DELETE FROM evaluation WHERE split = 1 AND params LIKE '%0.2%'"
        )
    before = count(log)
    grid = {"level": [0.3, 0.2, 0.1]}
    search = GridSearch(Counted(log=log), grid, journal=journal, cv=3).fit(X, Y)
    assert count(log) - before == 3 + 1 + 1
    assert scores_of(search) == scores_of(
        GridSearch(Counted(log=log), grid, cv=3).fit(X, Y)
    )


def test_pbt_goes_on_with_more_generations(journal, log):
    def search(n_generations, **options):
        return PBTSearch(
            make_pipeline(StandardScaler(), Counted(log=log)),
            {"counted__level": uniform(0, 1)},
            population_size=3,
            n_generations=n_generations,
            random_state=0,
            cv=2,
            refit=False,
            **options,
        )

    search(3, journal=journal).fit(X, Y)
    before = count(log)
    longer = search(5, journal=journal).fit(X, Y)
    assert count(log) - before == 2 * 3 * 2
    assert scores_of(longer) == scores_of(search(5).fit(X, Y))
    # The models of the fourth generation are gone: they are trained once more.
    before = count(log)
    with contextlib.closing(sqlite3.connect(journal)) as connection, connection:
        connection.execute("DELETE FROM model")
    with pytest.warns(JournalWarning, match="trained once more"):
        longest = search(6, journal=journal).fit(X, Y)
    assert count(log) - before == 6 * 3 * 2
    assert scores_of(longest) == scores_of(search(6).fit(X, Y))


def other_scorer(estimator, X, y):
    return 1.0 - estimator.score(X, y)


@pytest.mark.parametrize(
    "change",
    [
        {"estimator": Counted(offset=1.0)},
        {"cv": KFold(3, shuffle=True, random_state=1)},
        {"scoring": other_scorer},
        {"error_score": 0.0},
        {"X": X + 1e-12},
        {"y": 1 - Y},
        {"fit_params": {"sample_weight": np.ones(len(X))}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_makes_another_problem(change, journal, log):
    def fit(estimator=None, X=X, y=Y, fit_params=None, **options):
        options = {"cv": 3, **options}
        grid = {"level": [0.1, 0.2]}
        search = GridSearch(
            clone(estimator or Counted()).set_params(log=log),
            grid,
            journal=journal,
            **options,
        )
        return search.fit(X, y, **(fit_params or {}))

    fit()
    before = count(log)
    fit(**change)
    assert count(log) - before == 2 * 3 + 1


def test_a_changed_scorer_of_the_same_name_is_another_one(journal, log):
    def make(factor):
        def scorer(estimator, X, y):
            return factor * estimator.score(X, y)

        return scorer

    for factor in (1.0, 2.0):
        before = count(log)
        search = GridSearch(
            Counted(log=log),
            {"level": [0.1]},
            scoring=make(factor),
            cv=3,
            journal=journal,
        ).fit(X, Y)
        assert count(log) - before == 3 + 1
        assert search.best_score_ == pytest.approx(factor * 0.1)


@pytest.mark.parametrize("first", [True, False])
def test_train_scores_are_had_if_they_are_wanted(first, journal):
    def search(train, **options):
        return GridSearch(
            Counted(), {"level": [0.1, 0.2]}, cv=3, return_train_score=train, **options
        ).fit(X, Y)

    search(first, journal=journal)
    assert scores_of(search(not first, journal=journal)) == scores_of(search(not first))


def test_nested_cross_validation_shares_one_file(journal, log):
    search = SEARCHES["random"](Counted(log=log), cv=3, journal=journal)
    first = cross_validate(search, X, Y, cv=2, n_jobs=2)["test_score"]
    before = count(log)
    again = cross_validate(search, X, Y, cv=2)["test_score"]
    assert count(log) - before == 2
    assert list(first) == list(again)


def test_failures_are_remembered_with_their_reason(journal):
    def search(**options):
        return GridSearch(
            Counted(fail_above=0.25), {"level": [0.1, 0.2, 0.3]}, cv=3, **options
        )

    for options in ({"journal": journal}, {"journal": journal}, {}):
        with pytest.warns(Warning, match="3 fits failed"):
            fitted = search(**options).fit(X, Y)
        assert np.isnan(fitted.cv_results_["mean_test_score"][2])
        (failures,) = fitted.failures_
        assert (failures.kind, failures.n_fits) == ("ValueError", 3)


def test_what_cannot_be_recognized_is_evaluated_again_with_a_warning(journal, log):
    class Opaque:
        def __deepcopy__(self, memo):
            return self

        def __reduce__(self):
            raise TypeError("cannot be pickled")

    grid = {"level": [0.1], "extra": [Opaque()]}
    search = GridSearch(Counted(log=log), grid, cv=3, journal=journal)
    for _ in range(2):
        before = count(log)
        with pytest.warns(JournalWarning, match="could not recognize"):
            search.fit(X, Y)
        assert count(log) - before == 3 + 1


class Unlucky(Counted):
    """Does not come to an end at its first fits, but when `lucky` is a file."""

    def __init__(self, level=0.5, log=None, fault="wait", lucky=None):
        super().__init__(level=level, log=log)
        self.fault = fault
        self.lucky = lucky

    def partial_fit(self, X, y, sample_weight=None, classes=None):
        if self.level > 0.3 and not os.path.exists(self.lucky):
            if self.fault == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            memory = [np.ones(10**8) for _ in range(9)] if self.fault == "eat" else []
            time.sleep(600 + len(memory))
        return super().partial_fit(X, y, sample_weight)


register_incremental(Unlucky, PartialFit(), effective=["level"])
FROM_OUTSIDE = {
    "wait": {"fit_timeout": 3.0},
    "eat": {"memory_limit": "1GB", "fit_timeout": "10min"},
    "die": {"fit_timeout": "10min"},
    "die in a worker": {"n_jobs": 2},
}


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory need Linux")
@pytest.mark.parametrize(
    ("name", "how"),
    [
        pytest.param(*case, marks=[] if case == ("grid", "die") else pytest.mark.slow)
        for case in itertools.product(["grid", "pbt"], FROM_OUTSIDE)
    ],
)
def test_what_ended_from_outside_is_evaluated_again(name, how, journal, tmp_path):
    """A limit or a death is no property of a candidate: it may do well next time."""
    lucky = tmp_path / "lucky"
    model = Unlucky(fault=how.split()[0], lucky=str(lucky))
    space = {"level": [0.1, 0.6]}
    searches = {
        "grid": lambda **o: GridSearch(model, space, **o),
        "pbt": lambda **o: PBTSearch(
            model,
            space,
            population_size=2,
            n_generations=1,
            initial_params=[{"level": 0.1}, {"level": 0.6}],
            random_state=0,
            **o,
        ),
    }

    def search(**options):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return searches[name](cv=2, refit=False, **options).fit(X, Y)

    first = search(journal=journal, **FROM_OUTSIDE[how])
    assert np.isnan(first.cv_results_["mean_test_score"]).any()
    lucky.touch()
    again = search(journal=journal)
    assert not np.isnan(again.cv_results_["mean_test_score"]).any()
    assert scores_of(again) == scores_of(search())


@pytest.mark.parametrize("resource", [None, 3])
def test_what_ended_from_outside_is_not_written(resource, tmp_path):
    """Of an ordinary fit, or of a training, which is done again then."""
    ended = replace(evaluation(1), ended_from_outside=True)
    with Journal(tmp_path / "a.db", PROBLEM) as journal:
        memory = JournalMemory(journal, train_scores=False, training="a seed")
        done = []
        for i, what in enumerate([evaluation(1), ended]):
            candidate = Candidate(i, {"a": i}, resource)
            key = memory.key(candidate, None)
            done.append((Task(i, {"a": i}, key=key, resource=resource), what, b"model"))
        memory.keep(0, done)
        known = [memory.known(task.key, resource) for task, *_ in done]
        models = [memory.state(task.key, 0) for task, *_ in done]
    assert known[0]
    assert not known[1]
    assert models == [b"model", None]


EDITS = {
    "a helper of the scorer": """
def error(right, f={}): return f * right
def scorer(est, X, y): return sum([error(r) for r in est.predict(X) == y])
""",
    "a constant of the class": """
class Model(Counted):
    FACTOR = {}
    def score(self, X, y=None): return self.FACTOR * super().score(X, y)
""",
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("name", SEARCHES)
def test_edited_code_is_run_again(name, edit, journal):
    """No score of the code before the edit is served for the code after it."""

    def search(number, **options):
        module = types.ModuleType("edited")
        module.Counted = Counted
        exec(EDITS[edit].format(number), module.__dict__)
        model = getattr(module, "Model", Counted)()
        scoring = getattr(module, "scorer", None)
        return SEARCHES[name](model, scoring=scoring, cv=3, **options).fit(X, Y)

    first = scores_of(search(1, journal=journal))
    assert scores_of(search(1, journal=journal)) == first
    again = scores_of(search(100, journal=journal))
    assert again == scores_of(search(100)) != first


class Steps(Counted):
    """Is trained in a way that is registered."""


def test_an_edited_way_of_training_is_another_one(journal):
    """What ``register_incremental`` was told decides the scores of a population."""

    def search(number, **options):
        module = types.ModuleType("edited")
        exec(TRAINER.format(number), module.__dict__)
        register_incremental(Steps, module.trainer, effective=["level"])
        return SEARCHES["pbt"](Steps(), **options).fit(X, Y)

    first = scores_of(search(1, journal=journal))
    again = scores_of(search(2, journal=journal))
    assert again == scores_of(search(2)) != first


TRAINER = """
def trainer(model, training):
    for _ in range({} * training.n_steps):
        model.partial_fit(training.X, training.y)
    return model
"""


class Held(RegressorMixin, BaseEstimator):
    """Has a path that is registered."""

    def __init__(self, k=1):
        self.k = k

    def fit(self, X, y):
        self.value_ = np.mean(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.value_ * self.k)


PATH = """
def path(estimator, name, values, X, y):
    estimator.fit(X, y)
    estimator.value_ *= {}
    for value in values:
        yield estimator.set_params(**{{name: value}})
"""


@pytest.mark.parametrize("in_space", [False, True])
def test_an_edited_path_is_another_one(in_space, journal, monkeypatch):
    """What ``register_path`` was told decides scores, also of a step in the space."""
    monkeypatch.setattr(PATHS, "added", {})
    first = "passthrough" if in_space else Held()
    model = Pipeline([("model", first)])
    space = {"model": [Held()], "model__k": [1, 2]}
    if not in_space:
        del space["model"]

    def search(number, **options):
        module = types.ModuleType("edited")
        exec(PATH.format(number), module.__dict__)
        register_path(Held, "k", module.path)
        search = GridSearch(model, space, scoring="r2", cv=3, **options).fit(X, Y + 1.0)
        return scores_of(search)

    first = search(1, journal=journal)
    again = search(2, journal=journal)
    assert again == search(2) != first
    assert search(1, journal=journal) == first


@pytest.mark.parametrize("name", SEARCHES)
def test_a_held_model_that_was_trained_again_is_another_one(name, journal):
    """What a step holds counts with all that it has learned."""

    def search(scale, **options):
        held = FrozenEstimator(PCA(1).fit(X * scale))
        model = make_pipeline(held, SGDClassifier(random_state=0))
        return SEARCHES[name](model, cv=3, **options)

    space = {"sgdclassifier__alpha": [1e-4, 1e-3, 1e-2, 1e-1]}
    results = []
    for scale in ([9, 1, 1, 1, 1], [1, 1, 1, 1, 9]):
        pair = [search(scale, journal=j) for j in (journal, None)]
        for one in pair:
            key = "param_grid" if name == "grid" else "param_distributions"
            one.set_params(**{key: space}).fit(X, Y)
        assert scores_of(pair[0]) == scores_of(pair[1])
        results.append(scores_of(pair[0]))
    assert results[0] != results[1]


def test_what_cannot_be_recognized_is_refused_by_its_name(journal):
    """Rather than to guess whether it is the same."""
    step = FunctionTransformer(np.frompyfunc(abs, 1, 1))
    search = GridSearch(
        make_pipeline(step, Counted()), {"counted__level": [0.1]}, journal=journal
    )
    way = "step 'functiontransformer', parameter 'func': the code of <ufunc"
    with pytest.raises(JournalError, match=way):
        search.fit(X, Y)


def test_a_population_that_cannot_be_recognized_is_trained_again(journal):
    """With a warning, and with the results of a search without a journal."""

    def search(extra, **options):
        space = {"level": [0.1, 0.2, 0.3], "extra": [extra]}
        return PBTSearch(
            Counted(),
            space,
            population_size=3,
            n_generations=2,
            random_state=0,
            cv=2,
            refit=False,
            frozen=["extra"],
            **options,
        )

    with open(os.devnull) as file:
        extra = Holder(file)
        plain = search(extra).fit(X, Y)
        for _ in range(2):
            with pytest.warns(JournalWarning, match="'extra'.*could not recognize"):
                kept = search(extra, journal=journal).fit(X, Y)
            assert (
                scores_of(kept)["mean_test_score"]
                == scores_of(plain)["mean_test_score"]
            )
    assert read_journal(journal)["split"] == []


def test_a_training_is_known_by_all_that_led_to_it(tmp_path):
    """By what it goes on from, its own parameters and its steps, the seed of all."""
    memory = JournalMemory(None, train_scores=False, training="a seed")
    other = JournalMemory(None, train_scores=False, training="another seed")
    candidate = Candidate(2, {"level": 0.1}, 3)
    keys = {
        memory.key(candidate, "before"),
        memory.key(candidate, "something else"),
        memory.key(candidate, None),
        memory.key(Candidate(2, {"level": 0.1}, 4), "before"),
        memory.key(Candidate(2, {"level": 0.2}, 3), "before"),
        memory.key(Candidate(2, {"level": 0.1}), None),
        other.key(candidate, None),
    }
    assert len(keys) == 7
    assert memory.key(Candidate(5, {"level": 0.1}, 3), "before") in keys
    with open(os.devnull) as file, pytest.warns(JournalWarning, match="recognize"):
        assert memory.key(Candidate(3, {"level": file}, 1, 0), "before") is None


def test_nothing_that_follows_the_unrecognized_is_written(journal):
    """Whatever it is: the same parameters may have come from others."""
    members = [{"level": 0.1, "extra": 1}, {"level": 0.2, "extra": 2}]
    with open(os.devnull) as file:
        members[1]["extra"] = Holder(file)
        space = {"level": [0.1, 0.2], "extra": [1, members[1]["extra"]]}
        search = PBTSearch(
            Counted(), space, population_size=2, n_generations=3, cv=2, refit=False,
            initial_params=members, frozen=["extra"], journal=journal, random_state=0,
            exploit=lambda scores, rng: [0, 1],
        )  # fmt: skip
        with pytest.warns(JournalWarning, match="recognize"):
            search.fit(X, Y)
    written = [params["extra"] for params in read_journal(journal)["params"]]
    assert written == ["1"] * 2 * 3


@pytest.mark.parametrize("n_known", [0, 2, 3])
def test_what_the_journal_knows_counts_as_saved(n_known, journal):
    """Whole candidates, some that come twice, and those of which a split is known."""
    pipe = make_pipeline(StandardScaler(), Counted())
    grid = {"counted__level": [0.1, 0.2, 0.3, 0.1]}
    search = GridSearch(pipe, grid, cv=2, refit=False, journal=journal)
    plain = scores_of(clone(search).set_params(journal=None).fit(X, Y))
    first = {"counted__level": [0.1, 0.2, 0.3][:n_known]}
    if n_known:
        clone(search).set_params(param_grid=first).fit(X, Y)
        with contextlib.closing(sqlite3.connect(journal)) as connection, connection:
            connection.execute(
                "DELETE FROM evaluation WHERE split = 0 AND params LIKE '%0.1%'"
            )
    assert scores_of(search.fit(X, Y)) == plain
    reuse = search.reuse_
    assert reuse.n_fits + reuse.n_saved == 4 * 2 * 2
    assert reuse.n_saved >= max(2 * 2, (2 * n_known - 1) * 2)
    again = clone(search).fit(X, Y).reuse_
    assert (again.n_fits, again.n_saved) == (0, 4 * 2 * 2)


class Holder:
    """Holds something, and is not copied."""

    def __init__(self, held):
        self.held = held

    def __deepcopy__(self, memo):
        return self

    def __repr__(self):
        return "Holder()"


def test_a_population_with_functions_as_values_goes_on(journal, log):
    """What cannot be pickled is known by its code, and its models are made again."""

    def search(n_generations, **options):
        space = {"level": uniform(0, 1), "extra": [lambda x: x, lambda x: 2 * x]}
        return PBTSearch(
            Counted(log=log),
            space,
            population_size=3,
            n_generations=n_generations,
            random_state=0,
            cv=2,
            refit=False,
            frozen=["extra"],
            **options,
        )

    plain = search(3).fit(X, Y).cv_results_["mean_test_score"]
    search(2, journal=journal).fit(X, Y)
    longer = search(3, journal=journal).fit(X, Y)
    np.testing.assert_array_equal(longer.cv_results_["mean_test_score"], plain)
    before = count(log)
    search(3, journal=journal).fit(X, Y)
    assert count(log) == before


def test_the_order_of_names_changes_no_key(journal, log):
    """Whoever wrote the names in another order asks for the same."""

    def search(first):
        return BayesSearch(
            Counted(log=log),
            {"level": Real(0, 1), "offset": Real(0, 1)},
            n_iter=1,
            initial_params=[first],
            random_state=0,
            cv=2,
            refit=False,
            journal=journal,
        ).fit(X, Y)

    search({"level": 0.25, "offset": 0.5})
    before = count(log)
    search({"offset": 0.5, "level": 0.25})
    assert count(log) == before


def test_candidates_that_change_from_run_to_run_are_warned_of(journal):
    search = RandomSearch(Counted(), SPACE, n_iter=2, cv=2, journal=journal)
    with pytest.warns(JournalWarning, match="random_state"):
        search.fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error", JournalWarning)
        GridSearch(Counted(), {"level": [0.1]}, cv=2, journal=journal).fit(X, Y)


def test_the_journal_can_be_read_as_a_table(journal):
    """By skhpo, by pandas, and by anything that reads SQLite."""
    SEARCHES["grid"](Counted(), cv=3, journal=journal).fit(X, Y)
    table = pd.DataFrame(read_journal(journal))
    assert len(table) == 4 * 3
    assert set(table["split"]) == {0, 1, 2}
    assert table["params"].iloc[0] == {"level": "0.1"}
    assert (table["estimator"] == "Counted()").all()
    assert table["data"][0] == "X ndarray (60, 5), y ndarray (60,), 3 splits"
    assert table["test_scores"].between(0, 1).all()
    with contextlib.closing(sqlite3.connect(journal)) as connection:
        rows = connection.execute("SELECT params FROM evaluation").fetchall()
    assert ('{"level": "0.1"}',) in rows


# --- files that are no journals -------------------------------------------------------


def write_text(path):
    path.write_text("C,score\n1,0.9\n" * 100)


def write_database(path):
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE mine (x)")


def write_newer(path):
    fill(path, 2)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (write_text, "no journal"),
        (write_database, "not a journal"),
        (write_newer, "format 99"),
    ],
)
def test_other_files_are_refused_and_left_alone(write, message, journal):
    write(journal)
    content = journal.read_bytes()
    with pytest.raises(JournalError, match=message):
        SEARCHES["grid"](Counted(), cv=3, journal=journal).fit(X, Y)
    with pytest.raises(JournalError, match=message):
        read_journal(journal)
    assert journal.read_bytes() == content


def test_places_where_nothing_can_be_written(tmp_path):
    with pytest.raises(JournalError, match="folder that exists"):
        SEARCHES["grid"](Counted(), cv=3, journal=tmp_path / "missing" / "a.db").fit(
            X, Y
        )
    with pytest.raises(FileNotFoundError, match="no journal"):
        read_journal(tmp_path / "missing.db")
    with pytest.raises(JournalError):
        SEARCHES["grid"](Counted(), cv=3, journal=tmp_path).fit(X, Y)


@contextlib.contextmanager
def as_nobody():
    """Root may write anywhere, and so becomes somebody else."""
    if os.geteuid() != 0:
        yield
        return
    try:
        os.seteuid(65534)
    except OSError:
        pytest.skip("root cannot become anybody else here")
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has other rights")
def test_a_read_only_folder_is_a_clear_error(tmp_path):
    SEARCHES["grid"](Counted(), cv=3, journal=tmp_path / "a.db").fit(X, Y)
    with tempfile.TemporaryDirectory() as folder:  # nobody may look into `tmp_path`
        os.chmod(folder, 0o555)
        search = SEARCHES["grid"](Counted(), cv=3, journal=f"{folder}/a.db")
        with as_nobody(), pytest.raises(JournalError, match="can be written"):
            search.fit(X, Y)
        assert not os.listdir(folder)
        os.chmod(folder, 0o755)


@pytest.mark.parametrize("options", [{"journal": 3}, {"journal": True}])
def test_a_journal_is_a_path(options):
    with pytest.raises(ValueError, match="journal"):
        SEARCHES["grid"](Counted(), **options).fit(X, Y)


# --- the file itself ------------------------------------------------------------------

PROBLEM = Problem("0" * 32, "an estimator", "some data", "a scorer")


def evaluation(i, split=0):
    return Evaluation(i + split / 8, None, 0.1 + i, 0.2, 10, None)


def fill(path, n, n_splits=2):
    with Journal(path, PROBLEM) as journal:
        for i in range(n):
            params = {"C": i, "kernel": "rbf"}
            journal.add(
                (f"key{i}", params, s, evaluation(i, s)) for s in range(n_splits)
            )


def check_nothing_is_wrong(path, n):
    """Every evaluation is as written, or missing; or there is a clear error."""
    n_found = 0
    with contextlib.suppress(JournalError), Journal(path, PROBLEM) as journal:
        for i in range(n):
            for split, found in journal.find(f"key{i}").items():
                assert found == evaluation(i, split)
                n_found += 1
        journal.add([("new", {}, 0, evaluation(7))])
        assert journal.find("new") in ({}, {0: evaluation(7)})
    return n_found


scores = st.one_of(st.floats(), st.integers(-(2**70), 2**70))
UNCHECKED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@given(
    test=st.one_of(scores, st.dictionaries(st.text(), scores, min_size=1)),
    train=st.one_of(st.none(), scores),
    times=st.tuples(st.floats(1e-9), st.one_of(st.just(math.nan), st.floats(1e-9))),
    error=st.one_of(st.none(), st.text()),
    split=st.integers(0, 2**40),
)
@settings(suppress_health_check=UNCHECKED)
def test_evaluations_come_back_bit_for_bit(tmp_path, test, train, times, error, split):
    path = tmp_path / "a.db"
    given = Evaluation(test, train, *times, 3, error)
    with Journal(path, PROBLEM) as journal:
        journal.add([("k", {"name": object()}, split, given)])
        found = replace(given, is_found=True)
        assert repr(journal.find("k")[split]) == repr(found)
        assert journal.find("k", resource=1) == journal.find("other") == {}


def test_a_time_of_minus_0_comes_back_as_0_and_is_not_damaged(tmp_path):
    """SQLite has no such number, and the seal is of what it has."""
    with Journal(tmp_path / "a.db", PROBLEM) as journal:
        journal.add([("k", {}, 0, Evaluation(0.5, fit_time=-0.0))])
        assert repr(journal.find("k")[0].fit_time) == "0.0"


@pytest.mark.parametrize("how", ["truncate", "overwrite"])
@given(data=st.data())
@settings(suppress_health_check=UNCHECKED)
def test_a_damaged_file_never_gives_a_wrong_number(tmp_path, how, data):
    """Cut anywhere, or with bytes overwritten: known, unknown, or a clear error."""
    whole = tmp_path / "whole.db"
    if not whole.exists():
        fill(whole, 40)
    content = bytearray(whole.read_bytes())
    if how == "truncate":
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        for _ in range(data.draw(st.integers(1, 20))):
            place = data.draw(st.integers(0, len(content) - 1))
            content[place] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.db"
    for old in tmp_path.glob("damaged.db*"):
        old.unlink()
    path.write_bytes(bytes(content))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", JournalWarning)
        check_nothing_is_wrong(path, 40)


@pytest.mark.slow
def test_truncated_at_every_byte_of_its_last_page(tmp_path):
    """The last page of the database, and of the write-ahead log of a killed process."""
    whole = tmp_path / "whole.db"
    journal = Journal(whole, PROBLEM)
    journal.__enter__()
    for i in range(30):
        journal.add([(f"key{i}", {"C": i}, 0, evaluation(i))])
    copy = tmp_path / "copy.db"
    log = whole.with_name("whole.db-wal").read_bytes()
    for length in range(len(log) - 4096 - 24, len(log) + 1):
        shutil.copy(whole, copy)
        copy.with_name("copy.db-shm").unlink(missing_ok=True)
        copy.with_name("copy.db-wal").write_bytes(log[:length])
        # One transaction each: all but the last one are there.
        assert check_nothing_is_wrong(copy, 30) >= 29
    journal.__exit__(None, None, None)
    content = whole.read_bytes()
    for length in range(len(content) - 4096, len(content)):
        for old in tmp_path.glob("copy.db*"):
            old.unlink()
        copy.write_bytes(content[:length])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", JournalWarning)
            check_nothing_is_wrong(copy, 30)


def test_a_damaged_row_counts_as_unknown(tmp_path):
    path = tmp_path / "a.db"
    fill(path, 3)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "UPDATE evaluation SET test_scores = '9' WHERE key = 'key1' AND split = 0"
        )
    with Journal(path, PROBLEM) as journal:
        with pytest.warns(JournalWarning, match="damaged evaluation"):
            assert journal.find("key1") == {1: evaluation(1, 1)}
        journal.add([("key1", {}, 0, evaluation(1))])
        assert len(journal.find("key1")) == 2


def test_a_full_disk_ends_the_journal_and_not_the_search(journal, log, monkeypatch):
    """What is in the file stays good."""
    from skhpo.journal import _journal as module

    connect = module.connect

    def connect_small(path):
        connection = connect(path)
        connection.execute("PRAGMA max_page_count = 12")
        return connection

    monkeypatch.setattr(module, "connect", connect_small)
    grid = {"level": list(np.linspace(0, 1, 200))}
    search = GridSearch(Counted(log=log), grid, cv=2, journal=journal)
    with pytest.warns(JournalWarning, match="full.*goes on without"):
        search.fit(X, Y)
    monkeypatch.undo()
    plain = GridSearch(Counted(log=log), grid, cv=2).fit(X, Y)
    assert scores_of(search) == scores_of(plain)
    n_kept = len(read_journal(journal)["split"])
    assert 0 < n_kept < 400
    before = count(log)
    again = GridSearch(Counted(log=log), grid, cv=2, journal=journal).fit(X, Y)
    assert count(log) - before == 400 - n_kept + 1
    assert scores_of(again) == scores_of(plain)


class Breaking:
    """A connection that works, until it has been asked so often."""

    def __init__(self, connection, n_most=math.inf):
        self._connection = connection
        self._n_most = n_most
        self.n_asked = 0

    def execute(self, statement, *parameters):
        self.n_asked += 1
        if self.n_asked > self._n_most and statement != "ROLLBACK":
            raise sqlite3.OperationalError("disk I/O error")
        return self._connection.execute(statement, *parameters)

    def __getattr__(self, name):
        return getattr(self._connection, name)


ASKING = {
    **SEARCHES,
    "anneal": lambda estimator, **o: RandomSearch(
        estimator, SPACE, n_iter=6, strategy="anneal", random_state=0, **o
    ),
}


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.99])
@pytest.mark.parametrize("name", ASKING)
def test_a_journal_that_breaks_half_way_changes_no_result(
    name, share, journal, tmp_path, monkeypatch, never_cut
):
    """Also of searches that look up and write by turns; what was written stays good."""
    from skhpo.journal import _journal as module

    plain = ASKING[name](Counted(), cv=3).fit(X, Y)
    connect, made = module.connect, []

    def connect_to(n_most):
        def connected(path):
            made.append(Breaking(connect(path), n_most))
            return made[-1]

        monkeypatch.setattr(module, "connect", connected)

    connect_to(math.inf)
    with Journal(tmp_path / "empty.db", PROBLEM):
        n_opening = made[0].n_asked
    ASKING[name](Counted(), cv=3, journal=tmp_path / "whole.db").fit(X, Y)
    n_rest = made[1].n_asked - n_opening
    connect_to(n_opening + int(share * n_rest))
    with pytest.warns(JournalWarning, match="disk I/O error.*goes on without"):
        broken = ASKING[name](Counted(), cv=3, journal=journal).fit(X, Y)
    monkeypatch.undo()
    again = ASKING[name](Counted(), cv=3, journal=journal).fit(X, Y)
    assert scores_of(plain) == scores_of(broken) == scores_of(again)


def test_a_journal_that_was_given_up_knows_nothing_and_takes_everything(
    tmp_path, monkeypatch
):
    """It goes on as an empty one that forgets."""
    with Journal(tmp_path / "a.db", PROBLEM) as journal:
        journal.add([("k", {}, 0, evaluation(1))])
        journal.keep_models([("k", 0, b"state")])
        journal._connection = Breaking(journal._connection, n_most=0)
        with pytest.warns(JournalWarning, match="disk I/O error"):
            assert journal.find("k") == {}
        assert journal.find("k") == {}
        assert journal.find_model("k", 0) is None
        journal.add([("k", {}, 1, evaluation(1))])
        journal.keep_models([("k", 0, b"other")])
        journal.drop_models(["k"])
    with Journal(tmp_path / "a.db", PROBLEM) as journal:
        assert journal.find("k") == {0: evaluation(1)}
        assert journal.find_model("k", 0) == b"state"


@pytest.mark.parametrize("successor", [None, "other.db"])
@pytest.mark.parametrize("name", ASKING)
def test_a_journal_that_is_gone_is_told_of(
    name, successor, journal, tmp_path, monkeypatch
):
    """What SQLite writes into a file without a name is lost, and it does not say so."""
    plain = ASKING[name](Counted(), cv=3).fit(X, Y)
    write = Journal.add

    def lose_and_write(self, *args, **keywords):
        monkeypatch.setattr(Journal, "add", write)
        os.rename(journal, tmp_path / "moved.db")
        if successor is not None:
            with Journal(tmp_path / successor, PROBLEM):
                pass
            os.rename(tmp_path / successor, journal)
        self.add(*args, **keywords)

    monkeypatch.setattr(Journal, "add", lose_and_write)
    with pytest.warns(JournalWarning, match="deleted, moved or replaced.*goes on"):
        search = ASKING[name](Counted(), cv=3, journal=journal).fit(X, Y)
    assert scores_of(search) == scores_of(plain)


@pytest.mark.parametrize("name", ["search.db", ":memory:", "file:a.db?mode=memory"])
def test_a_name_without_a_folder_is_a_file(name, log, tmp_path, monkeypatch):
    """Also one that means something else to SQLite, which would forget it all."""
    monkeypatch.chdir(tmp_path)
    SEARCHES["random"](Counted(log=log), cv=3, journal=name).fit(X, Y)
    before = count(log)
    search = SEARCHES["random"](Counted(log=log), cv=3, journal=name).fit(X, Y)
    assert count(log) - before == 1
    assert search.reuse_.n_found == len(read_journal(name)["split"]) == 18


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("name", SEARCHES)
def test_a_tilde_is_the_home_folder(name, kind, tmp_path, monkeypatch):
    """As in a shell; SQLite would look for a folder of that name."""
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    for folder in (home, elsewhere):
        folder.mkdir()
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(home))
    monkeypatch.chdir(elsewhere)
    SEARCHES[name](Counted(), cv=2, journal=kind("~/search.db")).fit(X, Y)
    assert [*elsewhere.iterdir()] == []
    rows = read_journal(kind("~/search.db"))
    assert rows == read_journal(home / "search.db")
    assert rows["split"]


def test_no_name_is_met_with_one(tmp_path, monkeypatch):
    """As an empty variable of the environment leaves it."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(JournalError, match=r"Did you mean .*journal\.db.*a folder"):
        SEARCHES["grid"](Counted(), cv=3, journal="").fit(X, Y)


def test_two_writers_at_once(tmp_path):
    path = tmp_path / "a.db"
    errors = []

    def write(first):
        try:
            with Journal(path, PROBLEM) as journal:
                for i in range(first, first + 60):
                    journal.add([(f"key{i}", {"C": i}, 0, evaluation(i))])
        except Exception as error:  # to be seen by the test
            errors.append(error)

    threads = [threading.Thread(target=write, args=(n,)) for n in (0, 30, 60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert check_nothing_is_wrong(path, 120) == 120


def test_models_are_kept_until_they_are_dropped(tmp_path):
    """Each for its own training and split; damage costs the damaged one."""
    with Journal(tmp_path / "a.db", PROBLEM) as journal:
        models = {(key, split): b"%d" % split for key in "ab" for split in (0, 1)}
        journal.keep_models((*place, model) for place, model in models.items())
        assert all(journal.find_model(*place) == m for place, m in models.items())
        journal.keep_models([("a", 0, b"another")])
        assert journal.find_model("a", 0) == b"another"
        journal.drop_models(["a"])
        assert [journal.find_model("a", split) for split in (0, 1)] == [None, None]
        journal._connection.execute("UPDATE model SET content = x'00' WHERE split = 0")
        assert journal.find_model("b", 0) is None
        assert journal.find_model("b", 1) == b"1"


def test_a_journal_of_format_1_is_brought_up_to_date(tmp_path):
    """It keeps its evaluations; models were kept in another way then."""
    path = tmp_path / "a.db"
    with Journal(path, PROBLEM) as journal:
        journal.add([("k", {}, 0, evaluation(1))])
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "DROP TABLE model; CREATE TABLE state (problem INTEGER, key TEXT); "
            "PRAGMA user_version = 1"
        )
    with Journal(path, PROBLEM) as journal:
        assert journal.find("k") == {0: evaluation(1)}
        journal.keep_models([("k", 0, b"model")])
        assert journal.find_model("k", 0) == b"model"


def test_lookups_stay_fast_and_the_file_small(tmp_path):
    """A lookup reads a path of a tree, not the table: as few pages at 10,000 rows."""
    path = tmp_path / "a.db"
    with Journal(path, PROBLEM) as journal:
        journal.add(
            (f"key{i:05}", {"C": i}, s, evaluation(i, s))
            for i in range(5000)
            for s in range(2)
        )
        plan = journal._connection.execute(
            "EXPLAIN QUERY PLAN SELECT * FROM evaluation "
            "WHERE problem = 1 AND key = 'key00001' AND resource = 0"
        ).fetchall()
        assert "SEARCH" in str(plan)
        assert "SCAN" not in str(plan)
    assert os.path.getsize(path) < 10_000 * 600


def test_nan_times_and_infinite_scores_survive(tmp_path):
    with Journal(tmp_path / "a.db", PROBLEM) as journal:
        journal.add([("k", {}, 0, Evaluation(-math.inf, None, math.nan, 0.0, 1))])
        found = journal.find("k")[0]
    assert found.test_scores == -math.inf
    assert math.isnan(found.fit_time)


def test_rows_say_when_they_were_finished(tmp_path):
    before = time.time()
    fill(tmp_path / "a.db", 3)
    finished = read_journal(tmp_path / "a.db")["finished"]
    assert before <= min(finished) <= max(finished) <= time.time()


def test_the_table_has_typed_columns_of_parameters(tmp_path):
    """Numbers are numbers, text is text, and other values are what Python writes."""
    path = tmp_path / "journal"
    grid = [{"alpha": [np.float64(0.5), 1]}, {"penalty": ["l1"]}]
    GridSearch(SGDClassifier(random_state=0), grid, cv=2, journal=path).fit(X, Y)
    table = read_journal(path)
    assert table["param_alpha"].count(0.5) == table["param_alpha"].count(1) == 2
    assert {type(value) for value in table["param_alpha"]} == {float, int, type(None)}
    assert sorted(map(str, table["param_penalty"])) == ["None"] * 4 + ["l1"] * 2
    assert param_columns([{"a": "None"}, {"a": "SVC()"}, {"a": "(1, 2)"}]) == {
        "param_a": [None, "SVC()", "(1, 2)"]
    }
