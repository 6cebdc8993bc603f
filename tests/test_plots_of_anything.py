"""Pictures show any text as it is, and are drawn for any score and any value."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import MinMaxScaler

from skhpo import BayesSearch, GridSearch, RandomSearch
from skhpo._candidates._axis import MAX_LABEL, Axis, make_axis, short
from skhpo._fence import drawing_unit, in_unit, lower_fence
from skhpo._printable import printable
from skhpo.space import Real

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402 - after the backend was chosen
from matplotlib.text import Text  # noqa: E402
from matplotlib.ticker import FuncFormatter  # noqa: E402

from skhpo.plots import (  # noqa: E402 - after it is known that they can draw
    ContourDisplay,
    HistoryDisplay,
    ImportanceDisplay,
    ParallelDisplay,
    PopulationDisplay,
    SliceDisplay,
    SplitScoresDisplay,
)

MODELS = [ContourDisplay, ImportanceDisplay]  # they need four candidates
SIMPLE = [
    HistoryDisplay,
    ParallelDisplay,
    PopulationDisplay,
    SliceDisplay,
    SplitScoresDisplay,
]
WITH_VALUES = [ContourDisplay, ParallelDisplay, PopulationDisplay, SliceDisplay]
ODD = [
    *(r"[$%]+\s$", "$x_", "$a$", r"\frac", "a_b^c", "{x}%", "_nolegend_", "a & b"),
    *("\N{GREEK SMALL LETTER ALPHA}", "tab\tand\n", "nul\x00", "lone\ud800", "a" * 99),
    *("", " ", "None", "#~'\""),
]
OBJECTS = [None, True, 1, 1.0, float("nan"), np.sum, (1, "$"), MinMaxScaler(), ODD, 2j]


@pytest.fixture(autouse=True)
def close_figures() -> Any:
    yield
    plt.close("all")


def results(
    params: list[dict], scores: Any, *, metric: str = "score", n_splits: int = 2
) -> dict[str, Any]:
    """``cv_results_`` of a population by hand, with equal scores on all splits."""
    n = len(params)
    scores = np.asarray(scores, dtype=float)
    splits = {f"split{i}_test_{metric}": scores for i in range(n_splits)}
    return {
        "params": params,
        f"mean_test_{metric}": scores,
        **splits,
        "mean_fit_time": np.ones(n),
        "mean_score_time": np.ones(n),
        "n_resources": np.repeat([1, 2], [n - n // 2, n // 2]),
        "parent": np.r_[[-1] * (n - n // 2), np.arange(n // 2)],
        "exploited": np.arange(n) % 3 == 2,
    }


def save(display: Any) -> None:
    """Whatever is wrong with texts, ticks or limits shows here only."""
    display.figure_.canvas.draw()
    for kind in ("png", "svg", "pdf"):
        display.figure_.savefig(io.BytesIO(), format=kind)


def draw(display: Any) -> None:
    """As for a PNG file, which needs half of the time of an SVG or PDF file."""
    display.figure_.canvas.draw()


# Numbers are refused while a picture is laid out, which is the same for all files.
EACH_WAY = pytest.mark.parametrize(
    "make_picture", [draw, pytest.param(save, marks=pytest.mark.slow)]
)


def texts(display: Any) -> dict[str, Text]:
    return {text.get_text(): text for text in display.figure_.findobj(Text)}


# --- texts ----------------------------------------------------------------------------


def in_files(displays: list) -> pytest.MarkDecorator:
    """Each display by itself, and in files by default the slices only.

    Of their texts all displays are made by the same functions.
    """
    rest = [display for display in displays if display is not SliceDisplay]
    return pytest.mark.parametrize(
        ("display", "make_picture"),
        [
            (SliceDisplay, save),
            *((display, draw) for display in rest),
            *(pytest.param(display, save, marks=pytest.mark.slow) for display in rest),
        ],
    )


@pytest.mark.thinned
@pytest.mark.parametrize("values", [ODD[:9], ODD[9:], OBJECTS], ids=["a", "b", "c"])
@in_files(WITH_VALUES)
def test_values_are_shown_as_they_are(
    display: Any, make_picture: Any, values: list
) -> None:
    n = len(values)
    params = [{"value": v, "c": float(i % 3)} for i, v in enumerate(values)] * 2
    drawn = display.from_cv_results(results(params, np.arange(2.0 * n)))
    make_picture(drawn)
    labels = make_axis("value", values).categories
    assert labels is not None
    assert len(set(labels)) == n
    shown = texts(drawn)
    assert set(labels) <= shown.keys()
    for label in labels:
        assert not shown[label].get_parse_math()
    plain = [value for value in values if isinstance(value, str) and value.strip()]
    plain = [value for value in plain if value.isprintable() and len(value) < 15]
    assert set(plain) - {"None"} <= set(labels)


@pytest.mark.thinned
@in_files([*WITH_VALUES, ImportanceDisplay])
def test_names_are_shown_as_they_are(display: Any, make_picture: Any) -> None:
    names = ["$a_1^2$", "_b", r"\c{}", "d%\n", "very__long__" * 9]
    rows = np.random.default_rng(0).random((8, 5))
    params = [dict(zip(names, row, strict=True)) for row in rows.tolist()]
    options = {"params": names} if display is ContourDisplay else {}
    found = results(params, rows.sum(axis=1))
    drawn = display.from_cv_results(found, **options)
    make_picture(drawn)
    shown = texts(drawn)
    (long,) = [text for text in shown if text.startswith("very")]
    assert long.partition("…")[2] in names[-1]
    assert long.endswith("very__long__")
    expected = {"$a_1^2$", "_b", r"\c{}", r"d%\n", long}
    assert expected <= shown.keys()
    assert not any(shown[name].get_parse_math() for name in expected)


METRICS = ["$R^2$", "_f", r"\%", "two\nlines", "m" * 200]


def each_with(displays: list, values: Any, few: Any) -> list:
    """All pairs, of which `few` values are tried by default, and all of the slices.

    Each display writes and scales by the same functions.
    """
    return [
        pytest.param(
            *(display, value),
            marks=[] if display is SliceDisplay or value in few else pytest.mark.slow,
        )
        for display in displays
        for value in values
    ]


@pytest.mark.thinned
@pytest.mark.parametrize(
    ("display", "metric"),
    each_with([*SIMPLE, ContourDisplay], METRICS, ["$R^2$", "m" * 200]),
)
def test_metrics_are_shown_as_they_are(display: Any, metric: str) -> None:
    rows = np.random.default_rng(0).random((6, 2)).tolist()
    params = [{"a": a, "b": b} for a, b in rows]
    found = results(params, np.arange(6.0), metric=metric)
    drawn = display.from_cv_results(found, metric=metric)
    drawn.figure_.canvas.draw()
    expected = printable(metric) if len(metric) < 41 else metric[:39] + "…"
    (mine,) = [text for name, text in texts(drawn).items() if expected in name]
    assert mine.get_text().endswith(f"test {expected}") or "modeled" in mine.get_text()
    assert not mine.get_parse_math()


def numbers_at_ticks(figure: Any) -> set[int]:
    """The texts that matplotlib makes itself."""
    axes = [axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)]
    own = [a for a in axes if not isinstance(a.get_major_formatter(), FuncFormatter)]
    ticks = [
        tick
        for axis in own
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
    ]
    labels = [label for tick in ticks for label in (tick.label1, tick.label2)]
    return {id(text) for text in [*labels, *(a.get_offset_text() for a in axes)]}


@pytest.mark.parametrize("display", [*MODELS, *SIMPLE])
def test_no_text_of_ours_is_read_by_tex(display: Any) -> None:
    """Nor as mathematics, whatever it says; also where all other text is."""
    rows = np.random.default_rng(0).random((9, 2)).tolist()
    params = [{"a": a, "b": b, "c": "xy"[a > 0.5]} for a, b in rows]
    scores = np.array([-1e9, np.nan, *range(7)])
    with matplotlib.rc_context({"text.usetex": True}):
        drawn = display.from_cv_results(results(params, scores))
        theirs = numbers_at_ticks(drawn.figure_)
        ours = [t for t in drawn.figure_.findobj(Text) if id(t) not in theirs]
    written = [text for text in ours if text.get_text()]
    assert len(written) > 2
    for text in written:
        assert not text.get_usetex(), text
        assert not text.get_parse_math(), text


class Fake(ClassifierMixin, BaseEstimator):
    """Needs no data, and scores what it was given."""

    def __init__(self, pattern: str = "", c: float = 1.0) -> None:
        self.pattern = pattern
        self.c = c

    def fit(self, X: Any, y: Any) -> Fake:
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> np.ndarray:
        return np.zeros(len(X), int)

    def score(self, X: Any, y: Any) -> float:
        return float(len(self.pattern) + min(self.c, 10))


PATTERNS = [r"[$%]+\s$", r"\b\w+\b", "$x_", "a_b^c"]
SPACE = {"pattern": PATTERNS, "c": [1.0, 2.0, 3.0]}


@pytest.mark.parametrize(
    "search",
    [
        GridSearch(Fake(), SPACE, cv=2),
        RandomSearch(Fake(), SPACE, n_iter=12, cv=2, random_state=0),
        BayesSearch(Fake(), SPACE, n_iter=12, cv=2, random_state=0),
        GridSearchCV(Fake(), SPACE, cv=2),
    ],
    ids=lambda search: type(search).__name__,
)
def test_regular_expressions_of_any_search_are_shown(search: Any) -> None:
    X, y = np.zeros((20, 1)), np.arange(20) % 2
    search.fit(X, y)
    tried = {params["pattern"] for params in search.cv_results_["params"]}
    for display in (SliceDisplay, ContourDisplay, ParallelDisplay):
        drawn = display.from_search(search)
        drawn.figure_.canvas.draw()
        assert tried <= texts(drawn).keys()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=2) | st.tuples(inner, inner),
    max_leaves=3,
)


@given(anything)
@example(10**5000)
@example(-(10**5000))
def test_what_is_written_for_a_value_is_short_and_printable(value: Any) -> None:
    label = short(value)
    assert label
    assert label.isprintable()
    assert len(label) <= MAX_LABEL
    assert short(value) == label


@given(st.text())
def test_text_that_is_printable_is_shown_to_the_letter(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    if text.isprintable():
        assert shown == text
    if "\\" not in text:
        assert (
            shown.encode("latin-1", "backslashreplace").decode("unicode_escape") == text
        )


@given(st.lists(anything, min_size=1, max_size=12))
@example(["None (1)", None, "None"])
@example([1, 1.0, True, "1", "1 (1)"])
def test_other_values_have_other_labels(values: list) -> None:
    """And equal ones the same place."""
    axis = make_axis("a", [*values, object(), None])
    assert axis.categories is not None
    assert len(set(axis.categories)) == len(axis.categories) == axis.n_values
    again = make_axis("a", [*values, *values, None])
    np.testing.assert_array_equal(*again.positions[:-1].reshape(2, -1))


def test_values_that_only_seem_equal_stand_apart() -> None:
    """Functions of one name, and frozen models with equal parameters."""
    one, other = [eval("lambda: 0") for _ in range(2)]
    axis = make_axis("a", [one, other, one])
    assert axis.positions.tolist() == [0, 1, 0]
    assert axis.categories == ("<lambda> (1)", "<lambda> (2)")
    fitted = [FrozenEstimator(MinMaxScaler().fit([[0], [i]])) for i in (1, 2)]
    axis = make_axis("a", [*fitted, fitted[0]])
    assert axis.positions.tolist() == [0, 1, 0]
    assert len(set(axis.categories)) == 2


def test_where_an_object_lies_in_memory_is_not_shown() -> None:
    """The same picture in each process."""
    axis = make_axis("a", [object(), object()])
    assert axis.categories == ("<object objec… (1)", "<object objec… (2)") or (
        axis.categories == ("<object object> (1)", "<object object> (2)")
    )


# --- numbers --------------------------------------------------------------------------

HUGE = {
    "both ends": [1.5e308, -1.5e308, 0.0, 1.0, -1e308, 1e307],
    "one beside": [1e250, 0.1, 0.2, 0.3, 0.4, 0.5],
    "one below": [-1e308, 0.1, 0.2, 0.3, 0.4, 0.5],
    "not finite": [np.inf, -np.inf, np.nan, 1.7e308, 1.0, 2.0, 3.0, -4.0],
    "tiny": [5e-324, 1e-320, 0.0, -1e-310, 2e-308, 1e-309],
    "large": [1e150, 2e150, -1e150, 3e150, 0.0, 1.0],
}
SINGLE = {"single": [1.7e308], "equal": [-1.7e308] * 4, "zero": [0.0, np.inf]}


def drawn_exactly(
    display: Any, found: Any, make_picture: Callable[[Any], None], **options: Any
) -> Any:
    """Draw, where every doubt of NumPy is an error and every warning too."""
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = display.from_cv_results(found, **options)
    # From here on it is matplotlib that reckons.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make_picture(drawn)
    return drawn


def assert_finite_limits(display: Any) -> None:
    for ax in display.figure_.axes:
        for low, high in (ax.get_xlim(), ax.get_ylim()):
            assert np.isfinite([low, high]).all()
            assert low != high


@pytest.mark.thinned
@EACH_WAY
@pytest.mark.parametrize(
    ("display", "name"),
    each_with([*MODELS, *SIMPLE], HUGE, ["both ends", "not finite", "tiny"]),
)
def test_any_scores_are_drawn(display: Any, name: str, make_picture: Any) -> None:
    scores = HUGE[name]
    rows = np.random.default_rng(0).random((len(scores), 2)).tolist()
    params = [{"a": a, "b": b} for a, b in rows]
    found = results(params, scores)
    assert_finite_limits(drawn_exactly(display, found, make_picture))


@pytest.mark.thinned
@EACH_WAY
@pytest.mark.parametrize("scores", SINGLE.values(), ids=SINGLE)
@pytest.mark.parametrize("display", SIMPLE)
def test_few_or_equal_scores_are_drawn(
    display: Any, scores: list, make_picture: Any
) -> None:
    params = [{"a": i, "b": str(i)} for i in range(len(scores))]
    found = results(params, scores)
    assert_finite_limits(drawn_exactly(display, found, make_picture))


VALUES = {
    "linear": [-1.7e308, 1.7e308, 0.0, 1.0, 1e300, -1e307],
    "logarithmic": [5e-324, 1e-200, 1e-100, 1.0, 1e100, 1.7e308],
    "subnormal": [5e-324, 1e-320, 1e-322, 1e-315, 1e-309, 1e-323],
    "integers": [2**63, 2**64, 2**70, 2**1000, -(2**80), 0],
    "too large": [10**400, 10**5000, 1, 2, 3, -(10**400)],
}


@pytest.mark.thinned
@EACH_WAY
@pytest.mark.parametrize(
    ("display", "log"),
    each_with([*MODELS, *WITH_VALUES[1:]], [None, ["a"], []], [None]),
)
@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_any_values_are_drawn(
    display: Any, values: list, log: Any, make_picture: Any
) -> None:
    params = [{"a": value, "b": i} for i, value in enumerate(values)]
    found = results(params, np.cos(np.arange(len(params))))
    assert_finite_limits(drawn_exactly(display, found, make_picture, log=log))


def test_a_picture_says_in_which_unit_it_is() -> None:
    rows = zip([1e-300, 1.0, 1e300], [-1e308, 0.0, 1e308], strict=True)
    params = [{"a": a, "b": b} for a, b in rows]
    found = results(params, [1.5e308, 0.0, -1e307])
    drawn = SliceDisplay.from_cv_results(found)
    (left, right) = drawn.ax_[0]
    assert left.get_ylabel() == "mean test score / 1e+308"
    assert left.get_xlabel() == "a (log10)"
    assert right.get_xlabel() == "b / 1e+308"
    np.testing.assert_allclose(left.collections[0].get_offsets()[:, 0], [-300, 0, 300])
    np.testing.assert_allclose(left.collections[0].get_offsets()[:, 1], [1.5, 0, -0.1])
    np.testing.assert_array_equal(drawn.scores, [1.5e308, 0.0, -1e307])


def test_the_numbers_of_a_display_are_in_no_unit() -> None:
    """What is said by attributes are scores, not what is drawn for them."""
    found = results([{"a": i, "b": i % 2} for i in range(4)], [1e308, 0, -1e308, 5e307])
    splits = SplitScoresDisplay.from_cv_results(found)
    np.testing.assert_allclose(splits.means, [1e308, 5e307, 0, -1e308])
    np.testing.assert_array_equal(splits.deviations, 0)
    history = HistoryDisplay.from_cv_results(found)
    np.testing.assert_array_equal(history.best_so_far, 1e308)
    mean = ContourDisplay.from_cv_results(found).surfaces["a", "b"].mean
    assert 1e307 < np.nanmax(mean) < np.inf


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(finite, min_size=1, max_size=20))
def test_units_keep_numbers_moderate(values: list[float]) -> None:
    numbers = np.array([*values, np.nan, np.inf])
    with np.errstate(all="raise"):
        unit = drawing_unit(numbers)
        shown = in_unit(numbers, unit)[: len(values)]
        assert lower_fence(numbers) in values
    assert unit == 1 or np.abs(shown).max() < 10
    largest = np.abs(values).max()
    assert np.abs(shown).max() >= 1 or unit == 1 or largest < 1e-306
    assert (unit == 1) == (largest == 0 or 1e-100 <= largest <= 1e100)


@given(st.lists(finite, min_size=1, max_size=9), st.booleans())
@example([5e-324, 1.7e308], True)
@example([-1.7e308, 1.7e308], False)
def test_axes_keep_to_the_unit_interval(values: list[float], is_log: bool) -> None:
    """And what stands there is within their limits."""
    with np.errstate(all="raise"):
        axis = make_axis("a", values, is_log)
        units = axis.to_unit(axis.positions)
        assert ((units >= 0) & (units <= 1 + 1e-12)).all()
        low, high = axis.limits
        back = axis.from_unit(np.linspace(0, 1, 5))
        assert ((low <= back) & (back <= high)).all()
        drawn: Axis = axis.drawable
        assert np.isfinite(drawn.positions).all()
        again = drawn.to_unit(drawn.positions)
    np.testing.assert_allclose(again, units, atol=1e-9)


def test_the_end_of_a_space_decides_the_scale() -> None:
    """Also for ranges whose middle is no float's average."""
    X, y = np.zeros((20, 1)), np.arange(20) % 2
    for space, is_log in [
        ({"c": Real(1e-300, 1e300, log=True)}, True),
        ({"c": [1e308, 1.1e308, 1.7e308, 1.2e308]}, False),
        ({"c": [1, 10**100, 10**200, 10**300]}, True),
    ]:
        with np.errstate(all="raise"):
            search = RandomSearch(Fake(), space, n_iter=4, cv=2, random_state=0)
            found = search.fit(X, y)
            drawn = SliceDisplay.from_search(found)
        drawn.figure_.canvas.draw()
        assert drawn.is_log == {"c": is_log}


@pytest.mark.parametrize("display", MODELS)
def test_a_disaster_beside_equal_scores_is_nothing_to_learn_from(display: Any) -> None:
    """Low outliers count as the lowest of the others, and these are all the same."""
    params = [{"a": i, "b": i % 2} for i in range(9)]
    with pytest.raises(ValueError, match="9 candidates with 1 scores"):
        display.from_cv_results(results(params, [-1e9, *[1.0] * 8]))
