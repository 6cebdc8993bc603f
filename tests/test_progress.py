"""Progress bars: tqdm's on every scikit-learn, and scikit-learn's own."""

from __future__ import annotations

import io
import sys
import threading
import time
from contextlib import redirect_stderr

import numpy as np
import pytest
from estimators import Failing, Threshold
from sklearn.model_selection import GridSearchCV

from skhpo import BayesSearch, GridSearch, RandomSearch
from skhpo._sklearn_compat import HAS_CALLBACKS
from skhpo._trial import Candidate, Estimate, Evaluation, Trial
from skhpo.progress import progress_bar
from skhpo.search.feedback import _bar, _heartbeat
from skhpo.search.feedback._bar import Bar, search_bar
from skhpo.space import Real

X = np.random.RandomState(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)
LEVELS = {"level": [0.0, 0.5, 1.0]}


def last_line(search, **options):
    """Return what a bar shows at the end of a search."""
    shown = io.StringIO()
    with progress_bar(file=shown, ascii=True, mininterval=0, **options):
        search.fit(X, Y)
    return shown.getvalue().strip().split("\r")[-1]


@pytest.fixture
def tqdm():
    return pytest.importorskip("tqdm")


SEARCHES = {
    "grid": GridSearch(Threshold(), LEVELS, cv=2),
    "random": RandomSearch(Threshold(), LEVELS, n_iter=3, cv=2, random_state=0),
    "bayes": BayesSearch(
        Threshold(), {"level": Real(0, 1)}, n_iter=3, cv=2, random_state=0
    ),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_the_bar_ends_with_all_candidates_and_the_best_score(name, tqdm):
    """And names the search."""
    search = SEARCHES[name]
    line = last_line(search)
    assert line.startswith(type(search).__name__)
    assert "3/3" in line
    assert f"best score {search.best_score_:.4g}" in line


def test_a_failed_candidate_is_not_the_best(tqdm):
    """Nor does it stop the bar."""
    grid, options = {"level": [-1.0, 0.0]}, {"error_score": 9.0, "refit": False}
    search = GridSearch(Failing(fails="level"), grid, cv=2, **options)
    with pytest.warns(Warning, match="fits failed"):
        line = last_line(search)
    assert "2/2" in line
    assert "best score 9" not in line


def test_one_bar_for_nested_searches(tqdm):
    """The outer one's."""
    shown = io.StringIO()
    inner = GridSearch(Threshold(), LEVELS, cv=2)
    outer = GridSearch(inner, {"estimator__level": [0.0]}, cv=2, refit=False)
    with progress_bar(file=shown):
        outer.fit(X, Y)
    assert "1/1" in shown.getvalue()
    assert "3/3" not in shown.getvalue()


def test_no_bar_unless_asked_for(capsys):
    """Silence is the default, also after the context."""
    pytest.importorskip("tqdm")
    with progress_bar():
        pass
    SEARCHES["grid"].fit(X, Y)
    out, err = capsys.readouterr()
    assert out == err == ""


def until_shown(progress):
    """Wait until there is a bar, so that no time decides what is shown."""
    give_up = time.monotonic() + 20
    while not SHOWN and time.monotonic() < give_up:
        time.sleep(0.005)


class Terminal(io.StringIO):
    """What a person looks at."""

    def isatty(self):
        return True


SHOWN = []


@pytest.fixture
def terminal(monkeypatch, tqdm):
    """A terminal at which a bar comes at once, if one comes."""
    stream, opened = Terminal(), Bar._open

    def note(bar):
        opened(bar)
        SHOWN.append(bar)

    SHOWN.clear()
    monkeypatch.setattr(_bar, "DELAY", 1e-3)
    monkeypatch.setattr(Bar, "_open", note)
    return stream


def test_a_bar_by_default_on_a_terminal(terminal):
    """Without being asked; it ends with all that is known, and no thread is left."""
    threads = set(threading.enumerate())
    search = GridSearch(Threshold(), LEVELS, cv=2, stop=until_shown)
    with redirect_stderr(terminal):
        search.fit(X, Y)
    line = terminal.getvalue().strip().split("\r")[-1]
    assert "3/3" in line
    assert f"best score {search.best_score_:.4g}" in line
    new = set(threading.enumerate()) - threads
    assert all(type(thread).__name__ == "TMonitor" for thread in new)  # of tqdm


def test_the_last_fit_is_said(capsys, monkeypatch):
    """By the bar, and by a line if lines have come before."""
    said = []
    monkeypatch.setattr(Bar, "say", lambda bar, remark: said.append(remark))
    search = GridSearch(Threshold(), LEVELS, cv=2, verbose=1)
    search.fit(X, Y)
    assert said == ["fitting the best on all data"]
    assert said[0] not in capsys.readouterr().out
    monkeypatch.setattr(_heartbeat, "FIRST", 0.0)
    search.fit(X, Y)
    assert f"[GridSearch] {said[0]}" in capsys.readouterr().out


@pytest.mark.parametrize("verbose", [-1, 1])
def test_no_bar_where_verbose_says_otherwise(terminal, verbose, capsys):
    """Lines take its place, or silence."""
    search = GridSearch(Threshold(), LEVELS, cv=2, verbose=verbose)
    with redirect_stderr(terminal):
        search.fit(X, Y)
    assert not SHOWN
    assert terminal.getvalue() == ""
    assert bool(capsys.readouterr().out) == (verbose > 0)


def test_no_bar_within_another_search_or_in_a_thread(terminal):
    """Nor in a worker, which has another name."""
    with redirect_stderr(terminal):
        with search_bar("outer", by_default=True) as bar:
            assert bar._make is not None
            with search_bar("inner", by_default=True) as bar:
                assert bar._make is None
        terminal.truncate(0)
        thread = threading.Thread(target=SEARCHES["grid"].fit, args=(X, Y))
        thread.start()
        thread.join()
    assert "GridSearch" not in terminal.getvalue()


def test_what_was_found_and_dropped_is_told(tqdm):
    """Beside the best score."""
    shown = io.StringIO()
    done = Evaluation(0.5, None, 0.0, 0.0, 1, None, is_found=True)
    with progress_bar(file=shown), search_bar("search", by_default=False) as bar:
        bar.begin(2)
        bar.note(Trial(Candidate(0, {}), [done]))
        bar.note(Trial(Candidate(1, {}), [done], estimate=Estimate(0.1)))
    line = shown.getvalue().strip().split("\r")[-1]
    assert "best score 0.5, 1 dropped, 2 found in the journal" in line


def test_lines_go_above_a_bar(tqdm, capsys):
    """Never on its line: the bar is wiped away, and comes again below."""
    with progress_bar(file=sys.stderr, ascii=True):
        GridSearch(Threshold(), LEVELS, cv=2, verbose=2).fit(X, Y)
    out, err = capsys.readouterr()
    assert sum(line.startswith("[CV] END") for line in out.splitlines()) == 6
    assert "3/3" in err


def test_without_tqdm_the_error_says_what_to_install(monkeypatch):
    """Before the search, not after it."""
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    to_do = "pip install tqdm"
    with pytest.raises(ImportError, match=to_do), progress_bar():
        pass


@pytest.mark.skipif(not HAS_CALLBACKS, reason="this scikit-learn has no callbacks")
@pytest.mark.parametrize("kind", [GridSearch, GridSearchCV])
def test_scikit_learns_own_bar(kind, capsys):
    """It comes to its end through our search as through theirs."""
    pytest.importorskip("rich")
    from sklearn.callback import ProgressBar

    search = kind(Threshold(), LEVELS, cv=2).set_callbacks(ProgressBar())
    search.fit(X, Y)
    shown = capsys.readouterr().out
    assert kind.__name__ in shown
    assert "100%" in shown
