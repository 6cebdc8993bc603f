"""What a fitted search shows of itself: data frames, and HTML in notebooks."""

from __future__ import annotations

import builtins
import pickle
import re
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest
import sklearn
from estimators import Failing
from scipy.stats import loguniform
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.linear_model import SGDClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch
from skhpo._printable import printable
from skhpo.search.feedback._frame import candidate_frame
from skhpo.search.feedback._html import history_svg, summary_html

X, y = load_iris(return_X_y=True)
GRID = [
    {"kernel": ["linear"], "C": [0.1, 1.0]},
    {"kernel": ["poly"], "C": [1.0], "degree": [2, 3], "shrinking": [True]},
]


@pytest.fixture(scope="module")
def search() -> Any:
    return GridSearch(SVC(), GRID, cv=3, return_train_score=True).fit(X, y)


@pytest.fixture
def pandas() -> Any:
    return pytest.importorskip("pandas")


def without(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    real = builtins.__import__

    def fake(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == package:
            raise ImportError(f"No module named {name!r}")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", fake)


def test_results_have_a_row_per_candidate_by_rank(search: Any, pandas: Any) -> None:
    frame, found = search.results_, search.cv_results_
    assert frame.index.name == "candidate"
    assert frame["rank_test_score"].is_monotonic_increasing
    assert frame.index[0] == search.best_index_
    for name in frame:
        if not name.startswith("param_"):
            np.testing.assert_array_equal(frame[name], found[name][frame.index])
    for row, params in zip(frame.index, found["params"], strict=False):
        params = found["params"][row]
        for name, value in params.items():
            assert frame.loc[row, f"param_{name}"] == value


def test_columns_have_types(search: Any, pandas: Any) -> None:
    types = search.results_.dtypes
    assert types["rank_test_score"].kind == "i"
    assert types["mean_test_score"] == "float64"
    assert types["param_C"] == "float64"
    assert types["param_degree"] == "Int64"  # not all candidates have it
    assert types["param_shrinking"] == "boolean"
    assert search.results_["param_degree"].isna().sum() == 2
    complete = GridSearch(SVC(), {"degree": [2, 3], "shrinking": [True, False]})
    types = complete.fit(X, y).results_.dtypes
    assert (types["param_degree"], types["param_shrinking"]) == ("int64", "bool")


def test_values_of_several_kinds_stay_themselves(pandas: Any) -> None:
    tree = DecisionTreeClassifier(random_state=0)
    depths = [None, 2, 3]
    frame = GridSearch(tree, {"max_depth": depths}).fit(X, y).results_
    column = frame.sort_index()["param_max_depth"]
    assert column.dtype == object
    assert column.tolist() == depths
    tuples = [{0: 1, 1: 1, 2: 1}, "balanced", None]
    frame = GridSearch(tree, {"class_weight": tuples}).fit(X, y).results_
    assert frame.sort_index()["param_class_weight"].tolist() == tuples


def test_split_results_have_a_row_per_split(search: Any, pandas: Any) -> None:
    frame, found = search.split_results(), search.cv_results_
    assert len(frame) == 4 * 3
    assert frame["rank"].is_monotonic_increasing
    for row in frame.itertuples():
        for part in ("test", "train"):
            expected = found[f"split{row.split}_{part}_score"][row.candidate]
            assert getattr(row, f"{part}_score") == expected
    assert frame.dtypes["param_degree"] == "Int64"


def test_several_scores_are_ordered_by_the_one_that_decides(pandas: Any) -> None:
    scoring = ["accuracy", "neg_log_loss"]
    tree = DecisionTreeClassifier(random_state=0)
    search = GridSearch(
        tree, {"max_depth": [1, 2, 5]}, scoring=scoring, refit="neg_log_loss"
    ).fit(X, y)
    assert search.results_["rank_test_neg_log_loss"].tolist() == [1, 2, 3]
    assert {"test_accuracy", "test_neg_log_loss"} < set(search.split_results())
    search.set_params(refit=False).fit(X, y)
    assert search.results_["rank_test_accuracy"].is_monotonic_increasing


def test_failed_candidates_come_last(pandas: Any) -> None:
    search = GridSearch(Failing(fails="level"), {"level": [-1.0, 1.0]})
    with (
        pytest.warns(FitFailedWarning, match="5 fits failed"),
        pytest.warns(UserWarning, match="non-finite"),
    ):
        frame = search.fit(X, y).results_
    assert frame["param_level"].tolist() == [1.0, -1.0]
    assert np.isnan(frame["mean_test_score"].iloc[1])


def test_all_searches_have_results(pandas: Any) -> None:
    space = {"C": loguniform(0.1, 10)}
    sgd = SGDClassifier(learning_rate="constant", eta0=0.1, random_state=0)
    for search, n in [
        (RandomSearch(SVC(), space, n_iter=3, random_state=0), 3),
        (BayesSearch(SVC(), space, n_iter=3, random_state=0), 3),
        (
            PBTSearch(
                *(sgd, {"eta0": loguniform(1e-3, 1)}),
                population_size=2,
                n_generations=2,
                random_state=0,
            ),
            4,
        ),
    ]:
        assert len(search.fit(X, y).results_) == n
        assert len(search.split_results()) == n * 5
    assert {"generation", "member", "parent"} < set(search.results_)


def test_results_are_no_state(search: Any, pandas: Any) -> None:
    before = pickle.dumps(search)
    _ = search.results_
    assert pickle.dumps(search) == before
    assert not hasattr(GridSearch(SVC(), GRID), "results_")
    with pytest.raises(NotFittedError):
        GridSearch(SVC(), GRID).split_results()


def test_missing_pandas_is_named(search: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "pandas")
    with pytest.raises(AttributeError, match="pip install pandas"):
        _ = search.results_
    with pytest.raises(ImportError, match="pip install pandas"):
        search.split_results()
    assert "best mean test score" in search._repr_html_()  # and it still shows


def test_html_says_what_won(search: Any) -> None:
    html = search._repr_html_()
    assert f"<b>{search.best_score_:.4g}</b>" in html
    assert f"candidate {search.best_index_} of 4 (from 0)" in html
    for name in search.best_params_:
        assert f">{name}</td>" in html
    assert "sk-container" in html  # scikit-learn's diagram is still there
    assert search._repr_mimebundle_()["text/html"].count("best mean test score") == 1


def test_html_has_the_space_that_was_suggested() -> None:
    """With values, reason and source of each parameter, and no markup in them."""
    search = RandomSearch(SVC(), n_iter=2, random_state=0).fit(X, y)
    html = search._repr_html_()
    assert f"suggested space: {len(search.space_.suggestions)} parameters" in html
    table = ET.fromstring(search.space_._repr_html_())
    cells = ["".join(cell.itertext()) for cell in table.iter("td")]
    assert cells == [cell for row in search.space_._cells() for cell in row]
    assert "<td" in html[: html.index("sk-container")]
    assert "suggested space" not in GridSearch(SVC(), GRID).fit(X, y)._repr_html_()


def test_html_of_what_found_nothing_is_the_diagram_alone() -> None:
    unfitted = GridSearch(SVC(), GRID)
    assert "best mean" not in unfitted._repr_html_()
    scoring = ["accuracy", "balanced_accuracy"]
    several = GridSearch(SVC(), GRID, scoring=scoring, refit=False).fit(X, y)
    assert "best mean" not in several._repr_html_()


def test_html_follows_the_setting_of_scikit_learn(search: Any) -> None:
    with sklearn.config_context(display="text"):
        assert not hasattr(search, "_repr_html_")
        assert "text/html" not in search._repr_mimebundle_()


def test_html_escapes_what_users_write() -> None:
    search = GridSearch(SVC(), {"kernel": ["rbf"]}).fit(X, y)
    search.best_params_ = {"<script>": "<b>&"}
    html = search._repr_html_()
    assert "<script>&" not in html
    assert "&lt;script&gt;" in html
    assert "&lt;b&gt;&amp;" in html


@pytest.mark.parametrize("text", ["$R^2$ <b>", "a\nb", "\ud800", "\x00", "'\"&"])
def test_html_shows_any_text_to_the_letter(text: str) -> None:
    """On one line that can be saved, without markup, without mathematics."""
    results = {f"mean_test_{text}": [0.5], f"std_test_{text}": [0.0]}
    html = summary_html(results, text, {text: text}, 0)
    root = ET.fromstring(html.encode("utf-8"))
    assert "mathjax_ignore" in root.get("class")
    shown = [element.text for element in root.iter()]
    assert f"best mean test {printable(text)} " in shown
    assert printable(text) in shown
    assert repr(text) in shown


@pytest.mark.parametrize(
    ("scores", "n_dots", "n_steps"),
    [
        ([0.5], 1, 0),
        ([0.5, 0.5, 0.5], 3, 0),
        ([np.nan, 0.1, 0.3, 0.2, 0.4], 4, 2),
        ([-1e9, *np.linspace(0, 1, 20)], 20, 19),
        ([-1.5e308, 0.0, 1.7e308, 1e308], 4, 2),
        ([0.1, np.inf, -np.inf, 1e250], 2, 1),
    ],
)
def test_small_history_draws_each_score_and_each_rise(
    scores: list, n_dots: int, n_steps: int
) -> None:
    with np.errstate(all="raise"):
        svg = history_svg(np.array(scores))
    root = ET.fromstring(svg)  # well-formed
    width, height = float(root.get("width")), float(root.get("height"))
    dots = [(float(c.get("cx")), float(c.get("cy"))) for c in root.iter("circle")]
    assert len(dots) == n_dots
    assert all(0 < x < width and 0 < y < height for x, y in dots)
    path = root.find("path").get("d")
    assert path.count("V") == n_steps
    heights = [float(v) for v in re.findall(r"(?:M[\d.]+ |V)([\d.]+)", path)]
    assert heights == sorted(heights, reverse=True)  # up is a smaller y
    assert heights[-1] == min(y for _, y in dots)


def test_small_history_of_nothing_is_empty() -> None:
    assert history_svg(np.array([np.nan])) == ""


def test_integers_that_no_column_can_hold_are_still_shown(pandas: Any) -> None:
    """2**63 is one too many for int64; then all are floats."""
    results = {"params": [{"a": 2**63}, {"a": 1}], "rank_test_score": [1, 2]}
    column = candidate_frame(results, "score")["param_a"]
    assert column.tolist() == [2.0**63, 1.0]
