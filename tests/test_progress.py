"""Progress bars: tqdm's on every scikit-learn, and scikit-learn's own."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from estimators import Failing, Threshold
from sklearn.model_selection import GridSearchCV

from skhpo import BayesSearch, GridSearch, RandomSearch
from skhpo._sklearn_compat import HAS_CALLBACKS
from skhpo.progress import progress_bar
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


def test_without_tqdm_the_error_says_what_to_install(monkeypatch):
    """Before the search, not after it."""
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    to_do = r"pip install 'skhpo\[progress\]'"
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
