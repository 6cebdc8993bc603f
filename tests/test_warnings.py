"""Warnings name the line of the user, wherever in skhpo they come from."""

from __future__ import annotations

import ast
import threading
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pbt_estimators import Walker
from scipy.stats import uniform
from sklearn.datasets import make_regression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

import skhpo
from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch
from skhpo._warnings import warn_user
from skhpo.exceptions import SearchInterruptedWarning, SkhpoWarning
from skhpo.search._base import BaseSearch
from skhpo.search._loop import Interrupts

X, Y = make_regression(n_samples=12, n_features=2, random_state=0)
RATE = {"rate": uniform(0, 1)}
SEARCHES: dict[str, Callable[..., Any]] = {
    "grid": lambda **o: GridSearch(Walker(), {"rate": [0.1, 0.2, 0.3]}, **o),
    "random": lambda **o: RandomSearch(Walker(), RATE, **o),
    "anneal": lambda **o: RandomSearch(Walker(), RATE, strategy="anneal", **o),
    "bayes": lambda **o: BayesSearch(Walker(), RATE, n_iter=4, **o),
    "pbt": lambda **o: PBTSearch(Walker(), RATE, population_size=2, **o),
}


def press_ctrl_c(progress: Any) -> None:
    """A rule of `stop` during which the user interrupts."""
    raise KeyboardInterrupt


def lines_of(caught: Any, category: type[Warning]) -> list[tuple[str, str]]:
    """The file and the text of the line that each warning names."""
    return [
        (w.filename, Path(w.filename).read_text().splitlines()[w.lineno - 1].strip())
        for w in caught
        if issubclass(w.category, category)
    ]


@pytest.fixture(autouse=True)
def _no_interrupt_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BaseSearch, "_interrupts", Interrupts(patience=0.0))


@pytest.mark.parametrize("name", SEARCHES)
def test_a_warning_names_the_call_of_fit(name: str, tmp_path: Path) -> None:
    """From before the first fit, and from the depth of the loop."""
    search = SEARCHES[name](cv=2, stop=press_ctrl_c, journal=tmp_path / "journal")
    with pytest.warns(SearchInterruptedWarning) as caught:
        search.fit(X, Y)
    seen = lines_of(caught, SkhpoWarning)
    assert len(seen) == (1 if name == "grid" else 2)  # of random_state=None, too
    assert set(seen) == {(__file__, "search.fit(X, Y)")}


def test_a_warning_names_the_call_around_other_packages() -> None:
    """scikit-learn's cross-validation and joblib are not where the user has erred."""
    search = make_pipeline(SEARCHES["grid"](cv=2, stop=press_ctrl_c))
    with pytest.warns(SearchInterruptedWarning) as caught:
        cross_val_score(search, X, Y, cv=2)
    seen = lines_of(caught, SkhpoWarning)
    assert seen == [(__file__, "cross_val_score(search, X, Y, cv=2)")] * 2


def test_a_warning_is_shown_once_for_each_line_of_the_user() -> None:
    """As others are, by the usual filter."""

    @contextmanager
    def context() -> Any:
        yield
        warn_user("at the end", SkhpoWarning)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(2):
            warn_user("again", SkhpoWarning)
        warn_user("again", SkhpoWarning)
        with context():
            pass
    assert len(caught) == 3
    assert {w.filename for w in caught} == {__file__}


def test_a_thread_without_a_user_warns_in_the_name_of_its_caller() -> None:
    thread = threading.Thread(target=warn_user, args=("alone", SkhpoWarning))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        thread.start()
        thread.join()
    assert [Path(w.filename).name for w in caught] == ["threading.py"]


def test_nobody_counts_frames() -> None:
    """All warnings of skhpo go through one function."""
    package = Path(skhpo.__file__).parent
    found = [
        f"{path.relative_to(package)}:{node.lineno}"
        for path in sorted(package.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "warnings.warn"
    ]
    assert not found
