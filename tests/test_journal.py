"""The journal: what was evaluated is not evaluated again, and never a wrong number."""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import sqlite3
import tempfile
import threading
import time
import warnings

import numpy as np
import pandas as pd
import pytest
from fault_estimators import Counted, count, scores_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import uniform
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.model_selection import KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch, read_journal
from skhpo._trial import Evaluation
from skhpo.exceptions import JournalError, JournalWarning
from skhpo.journal import Journal, Problem
from skhpo.space import Real

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
        connection.execute("DELETE FROM state")
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


@given(
    test=st.one_of(scores, st.dictionaries(st.text(), scores, min_size=1)),
    train=st.one_of(st.none(), scores),
    times=st.tuples(st.floats(1e-9), st.one_of(st.just(math.nan), st.floats(1e-9))),
    error=st.one_of(st.none(), st.text()),
    split=st.integers(0, 2**40),
)
@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_evaluations_come_back_bit_for_bit(tmp_path, test, train, times, error, split):
    path = tmp_path / "a.db"
    given = Evaluation(test, train, *times, 3, error)
    with Journal(path, PROBLEM) as journal:
        journal.add([("k", {"name": object()}, split, given)])
        assert repr(journal.find("k")[split]) == repr(given)
        assert journal.find("k", resource=1) == journal.find("other") == {}


@pytest.mark.parametrize("how", ["truncate", "overwrite"])
@given(data=st.data())
@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
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
    from skhpo import journal as module

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


def test_states_are_kept_one_at_a_time(tmp_path):
    with Journal(tmp_path / "a.db", PROBLEM) as journal:
        journal.keep_state("first", b"one")
        journal.keep_state("second", b"two")
        assert journal.find_state("first") is None
        assert journal.find_state("second") == b"two"


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
