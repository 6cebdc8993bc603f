"""Patience: the curve that is cut where it ends, however far the fits went.

For each class with stages the search with patience is the one without, cut: whether its
fits go on from fits with fewer iterations, or go to the end.
"""

from __future__ import annotations

import itertools
import re
import warnings

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone, is_classifier
from sklearn.datasets import make_classification, make_regression
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skhpo import BayesSearch, GridSearch, RandomSearch
from skhpo._sklearn_compat import HAS_CALLBACKS
from skhpo._trial import Evaluation, StageScores
from skhpo.evaluation import Evaluator
from skhpo.evaluation._stage import end_of_patience
from skhpo.evaluation.fitting._chunk import can_grow
from skhpo.evaluation.paths._stage_registry import find_stages
from skhpo.exceptions import InvalidSpaceError, SkhpoWarning
from skhpo.search import _patient
from skhpo.search._patient import chunk_ends, join
from skhpo.space import Curve

SEED = {"random_state": 0}
SMALL = {"max_depth": 2, **SEED}
X, Y = make_classification(120, 6, n_informative=4, flip_y=0.3, random_state=0)
X_REG, Y_REG = make_regression(120, 6, noise=100.0, random_state=0)
HIST = HistGradientBoostingClassifier(max_features=0.5, learning_rate=0.5, **SMALL)
CASES = [
    (HIST, X, Y),
    (GradientBoostingClassifier(subsample=0.5, learning_rate=1.0, **SMALL), X, Y),
    (RandomForestClassifier(**SMALL), X, Y),
    (RandomForestClassifier(class_weight="balanced", **SMALL), X, Y),  # to the end
    (BaggingClassifier(SVC(), max_samples=0.5, max_features=0.5, **SEED), X, Y),
    (AdaBoostClassifier(**SEED), X, Y),  # to the end
    (HistGradientBoostingRegressor(loss="absolute_error", **SMALL), X_REG, Y_REG),
    (GradientBoostingRegressor(loss="huber", learning_rate=1.0, **SMALL), X_REG, Y_REG),
    (ExtraTreesRegressor(**SMALL), X_REG, Y_REG),
]
CV = KFold(2)


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch):
    """Have chunks end at 2, 4, 8 and so forth, so that small fits have several."""
    monkeypatch.setattr(_patient, "FIRST_CHUNK", 2)


@pytest.fixture
def asked(monkeypatch):
    """Return the resources that the evaluator is asked for, by request."""
    noted, add = [], Evaluator.add

    def noting(self, candidates, *rows):
        noted.extend(candidates)
        add(self, candidates, *rows)

    monkeypatch.setattr(Evaluator, "add", noting)
    return noted


def fitted(estimator, space, X=X, y=Y, search=GridSearch, **options):
    """Return a fitted search, without the warnings that are not about it."""
    options = {"cv": CV, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkhpoWarning)
        return search(estimator, space, **options).fit(X, y)


def scoring_of(estimator):
    return "neg_log_loss" if is_classifier(estimator) else None


def name_of(estimator):
    """Return the number of iterations of the last step, by its name in the whole."""
    if not hasattr(estimator, "steps"):
        return find_stages(estimator).parameters[0]
    name, last = estimator.steps[-1]
    return f"{name}__{name_of(last)}"


def same_rows(one, other):
    """Whether two searches show the same, but for times."""
    names = [name for name in one.cv_results_ if "_time" not in name]
    for name in names:
        np.testing.assert_array_equal(one.cv_results_[name], other.cv_results_[name])
    for row in range(len(one.cv_results_["params"])):
        for a, b in zip(one.curve_of(row)[:2], other.curve_of(row)[:2], strict=True):
            np.testing.assert_array_equal(a, b)


# --- numbers in, decisions out --------------------------------------------------------


@given(
    scores=st.lists(st.sampled_from([0.0, 1.0, 2.0, np.nan]), min_size=1, max_size=12),
    step=st.integers(1, 3),
    patience=st.integers(1, 7),
)
def test_patience_ends_at_the_first_number_so_far_behind_the_best(
    scores, step, patience
):
    """And nowhere, if there is none; what comes later plays no part."""
    stages = list(range(1, 1 + step * len(scores), step))

    def is_over(i):
        before = [-np.inf if np.isnan(s) else s for s in scores[: i + 1]]
        return stages[i] - stages[int(np.argmax(before))] >= patience

    over = [stage for i, stage in enumerate(stages) if is_over(i)]
    assert end_of_patience(stages, np.array(scores), patience) == (
        over[0] if over else None
    )


@given(
    counts=st.sets(st.integers(1, 300), min_size=2).map(sorted),
    patience=st.integers(1, 90),
)
def test_chunks_ascend_to_the_end(counts, patience):
    """Each ends at a number that is scored; before the first, patience cannot end."""
    ends = chunk_ends(counts, patience)
    assert set(ends) <= set(counts)
    assert list(ends) == sorted(set(ends))
    assert ends[-1] == counts[-1]
    assert ends[0] >= counts[0] + patience or len(ends) == 1
    assert all(b >= 2 * a for a, b in itertools.pairwise(ends[:-1]))


@pytest.mark.parametrize("patience", [0, -1, 2.5, True, "ten"])
def test_patience_is_a_positive_integer(patience):
    """Or None."""
    with pytest.raises(InvalidSpaceError, match="'patience' of a Curve must be a pos"):
        Curve(100, patience=patience)


def test_a_curve_is_written_with_its_patience():
    """As one writes it."""
    assert repr(Curve(100, patience=20)) == "Curve(100, patience=20)"
    assert Curve(100) == Curve(100, patience=None) != Curve(100, patience=20)


# --- the law --------------------------------------------------------------------------


@pytest.mark.thinned
@pytest.mark.parametrize(
    ("estimator", "X", "y", "in_pipeline"),
    [*((*case, False) for case in CASES), (*CASES[0], True), (*CASES[-1], True)],
    ids=lambda value: type(value).__name__,
)
def test_the_result_is_the_curve_that_is_cut(estimator, X, y, in_pipeline):
    """To the bit; and the row is what ``cross_val_score`` gives for its params."""
    scoring, patience = scoring_of(estimator), 2
    if in_pipeline:
        estimator = make_pipeline(StandardScaler(), PCA(3, **SEED), estimator)
    name = name_of(estimator)
    options = {"scoring": scoring, "return_train_score": True}
    whole = fitted(estimator, {name: Curve(13)}, X, y, **options)
    cut = fitted(estimator, {name: Curve(13, patience=patience)}, X, y, **options)
    stages, scores, _ = whole.curve_of(0)
    end = end_of_patience(stages, scores.mean(axis=0), patience)
    known = stages <= (end or 13)
    np.testing.assert_array_equal(cut.curve_of(0)[0], stages[known])
    np.testing.assert_array_equal(cut.curve_of(0)[1], scores[:, known])
    best = stages[known][scores[:, known].mean(axis=0).argmax()]
    assert cut.best_params_ == {name: best}
    chosen = clone(estimator).set_params(**cut.best_params_)
    expected = cross_val_score(chosen, X, y, cv=CV, scoring=scoring)
    found = [cut.cv_results_[f"split{i}_test_score"][0] for i in range(2)]
    assert found == expected.tolist()
    if best == whole.best_params_[name]:
        train = "mean_train_score"
        assert cut.cv_results_[train] == whole.cv_results_[train]


@pytest.mark.thinned
@pytest.mark.parametrize(("estimator", "X", "y"), CASES, ids=lambda c: type(c).__name__)
def test_fits_go_on_where_that_is_exact(estimator, X, y, asked):
    """No further than the chunk in which patience ends; else to the end at once."""
    grows = can_grow(estimator, {})
    name = name_of(estimator)
    scoring = scoring_of(estimator)
    search = fitted(estimator, {name: Curve(40, patience=3)}, X, y, scoring=scoring)
    resources = [candidate.resource for candidate in asked]
    n_shown = search.curve_of(0)[0][-1]
    if not grows:
        assert resources in ([None], [40])
        return
    ends = chunk_ends(range(1, 41), 3)
    assert resources == list(ends[: len(resources)])
    assert ([0, *resources])[-2] < n_shown <= resources[-1]


def test_most_classes_go_on():
    """All of the above but two."""
    assert sum(can_grow(estimator, {}) for estimator, _, _ in CASES) == len(CASES) - 2


def test_what_draws_anew_is_fitted_to_the_end():
    """A transformer without a seed gives other rows the next time."""
    name = "histgradientboostingclassifier__max_iter"
    for pca, grows in ((PCA(3, random_state=None), False), (PCA(3, **SEED), True)):
        assert can_grow(make_pipeline(pca, HIST), {name: Curve(9)}) is grows
    for seed, grows in ((None, True), (np.random.RandomState(0), False)):
        assert can_grow(clone(HIST).set_params(random_state=seed), {}) is grows


SPACE = {"learning_rate": [0.1, 0.5, 1.0, 2.0], "max_iter": Curve(20, patience=3)}


def own_log_loss(estimator, X, y):
    """A scorer of the user's own, which may look at the whole estimator."""
    return -log_loss(y, estimator.predict_proba(X))


def test_own_scorers_are_given_whole_models(asked):
    """Each fitted by itself, with the same result."""
    named = fitted(HIST, SPACE, scoring="neg_log_loss")
    own = fitted(HIST, SPACE, scoring=own_log_loss)
    same_rows(named, own)
    assert {c.resource for c in asked[-4:]} == {20}


@pytest.mark.thinned
@pytest.mark.parametrize(
    "options",
    [
        {"n_jobs": 2},
        {"reuse": False},
        pytest.param({"fit_timeout": 600}, marks=pytest.mark.slow),
        {"pre_dispatch": 1},
        {"scoring": ["neg_log_loss", "accuracy"], "refit": "neg_log_loss"},
    ],
    ids=str,
)
def test_how_it_is_run_does_not_matter(options):
    """On threads; other backends are drawn where options are crossed."""
    scoring = {"scoring": "neg_log_loss"}
    plain = fitted(HIST, SPACE, **scoring)
    with joblib.parallel_config("threading"):
        other = fitted(HIST, SPACE, **{**scoring, **options})
    assert other.best_params_ == plain.best_params_
    if "refit" not in options:
        same_rows(plain, other)


def test_few_are_under_way_at_a_time(monkeypatch):
    """And all of them end."""
    plain = fitted(HIST, SPACE, scoring="neg_log_loss")
    monkeypatch.setattr(_patient, "WIDTH", 1)
    same_rows(plain, fitted(HIST, SPACE, scoring="neg_log_loss"))


def test_equal_candidates_are_each_on_their_own():
    """Also where they are not equally far."""
    space = {**SPACE, "learning_rate": [0.5, 0.1, 0.5]}
    results = fitted(HIST, space, scoring="neg_log_loss").cv_results_
    assert results["mean_test_score"][0] == results["mean_test_score"][2]
    assert results["params"][0] == results["params"][2]


def test_all_searches_take_it():
    """Those that learn, and spaces in which only some candidates have it."""
    pipeline = Pipeline([("scale", StandardScaler()), ("model", HIST)])
    space = {
        "model__max_iter": Curve(12, patience=2),
        "model__learning_rate": [0.1, 0.3, 1.0],
    }
    for make in (RandomSearch, BayesSearch):
        found = fitted(pipeline, space, search=make, n_iter=3, random_state=0)
        assert all(p["model__max_iter"] < 12 for p in found.cv_results_["params"])
    mixed = [space, {"model": [SVC(**SEED)], "model__C": [1.0, 10.0]}]
    found = fitted(pipeline, mixed)
    plain = fitted(pipeline, mixed[1])
    assert (
        found.cv_results_["mean_test_score"][-2:].tolist()
        == plain.cv_results_["mean_test_score"].tolist()
    )


# --- the parts of a curve -------------------------------------------------------------


def part_of_a_fit(first, last, seconds, **curve):
    """Return what comes of a fit that went on from `first` to `last` iterations."""
    stages = range(first, last + 1)
    scores = StageScores("n", tuple(stages), tuple(map(float, stages)), **curve)
    whole = Evaluation(0.0, fit_time=seconds, score_time=2 * seconds, curve=scores)
    return whole.at_stage(last)


def test_the_times_of_the_parts_of_a_fit_add_up():
    """Also where patience has ended before: that was spent all the same."""
    chunks = [part_of_a_fit(1, 2, 1.0), part_of_a_fit(3, 4, 2.0)]
    for cut in (None, 2):
        whole = join(chunks, cut)
        assert (whole.fit_time, whole.score_time) == (3.0, 6.0)


@pytest.mark.parametrize("end", [1, 2, 3, 4])
def test_a_curve_that_is_cut_keeps_its_errors_up_to_the_end(end):
    """The end itself among them: it is what the row may show."""
    errors = [{2: "second"}, {3: "third", 4: "fourth"}]
    chunks = [
        part_of_a_fit(1, 2, 1.0, errors=errors[0]),
        part_of_a_fit(3, 4, 1.0, errors=errors[1]),
    ]
    whole = join(chunks, end)
    known = errors[0] | errors[1]
    assert whole.curve.errors == {n: known[n] for n in known if n <= end}
    assert whole.score_error == known.get(end)


# --- journals, races, failures, warnings ----------------------------------------------


def test_a_journal_knows_what_was_done(tmp_path):
    """The same search again fits nothing; another patience goes on from its chunks."""
    options = {"scoring": "neg_log_loss", "journal": tmp_path / "journal.db"}
    plain = fitted(HIST, SPACE, scoring="neg_log_loss")
    same_rows(plain, fitted(HIST, SPACE, **options))
    again = fitted(HIST, SPACE, **options)
    same_rows(plain, again)
    assert again.reuse_.n_fits == 0


@pytest.mark.parametrize(
    "search", [GridSearch, pytest.param(BayesSearch, marks=pytest.mark.slow)]
)
def test_a_race_finds_all_its_chunks_in_a_journal(search, tmp_path):
    """Splits of a candidate that are unequally far go on, and arrive, together."""
    rates = np.geomspace(0.02, 2, 14)
    space = {"learning_rate": rates, "max_iter": Curve(12, patience=2)}
    options = {"cv": KFold(4), "scoring": "neg_log_loss", "race": 0.2}
    if search is BayesSearch:
        options |= {"n_iter": 10, "random_state": 0}
    model = HistGradientBoostingClassifier(max_depth=2, random_state=0)
    plain, first, again = (
        fitted(model, space, search=search, journal=journal, **options)
        for journal in [None, *[tmp_path / "journal.db"] * 2]
    )
    same_rows(plain, first)
    same_rows(first, again)
    assert again.reuse_.n_fits == 0


@pytest.mark.slow
def test_a_race_cuts_the_curve_of_the_splits_that_it_has():
    """Complete rows are those without a race, and dropped ones are cut, too."""
    space = {
        "learning_rate": np.geomspace(0.01, 5, 14),
        "max_iter": Curve(12, patience=2),
    }
    options = {"cv": KFold(4), "scoring": "neg_log_loss"}
    plain = fitted(HIST, space, **options)
    whole = fitted(HIST, {**space, "max_iter": Curve(12)}, **options)
    raced = fitted(HIST, space, race=0.2, **options)
    results, expected = raced.cv_results_, plain.cv_results_
    dropped = results["dropped"]
    assert 0 < dropped.sum() < 14
    for row in range(14):
        if not dropped[row]:
            assert results["params"][row] == expected["params"][row]
            assert results["mean_test_score"][row] == expected["mean_test_score"][row]
            continue
        stages, scores, _ = whole.curve_of(row)
        known = [not np.isnan(results[f"split{k}_test_score"][row]) for k in range(4)]
        means = scores[known].mean(axis=0)
        end = end_of_patience(stages, means, 2) or 12
        best = stages[means[stages <= end].argmax()]
        assert results["params"][row]["max_iter"] == best


def test_failed_fits_cost_their_candidate():
    """The row shows where the others ended, chunks or not."""
    X_odd = X.copy()
    X_odd[60] = np.inf  # which a forest does not take
    cv = [(np.arange(60), np.arange(20)), (np.arange(120), np.arange(20))]
    space = {"n_estimators": Curve(30, patience=3)}
    options = {"cv": cv, "scoring": "neg_log_loss", "refit": False}
    found = []
    for limit in ({}, {"fit_timeout": 600}):
        search = GridSearch(RandomForestClassifier(**SMALL), space, **options, **limit)
        with pytest.warns(FitFailedWarning):
            search.fit(X_odd, Y)
        found.append(search.cv_results_)
    assert found[0]["params"] == found[1]["params"]
    for name in ("split0_test_score", "split1_test_score"):
        np.testing.assert_array_equal(found[0][name], found[1][name])


def test_little_patience_is_warned_of():
    """A bump of the curve would end it."""
    for patience, n_warnings in ((9, 1), (10, 0)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", SkhpoWarning)
            space = {"max_iter": Curve(15, patience=patience)}
            GridSearch(HIST, space, cv=CV, scoring="neg_log_loss").fit(X, Y)
        text = f"patience={patience} of a Curve is little"
        assert sum(text in str(each.message) for each in caught) == n_warnings


def test_the_largest_number_is_warned_of_where_it_was_reached():
    """And not where patience has ended before."""
    slow, fast = (clone(HIST).set_params(learning_rate=rate) for rate in (0.001, 1.0))
    curve = {"max_iter": Curve(12, patience=11)}
    with pytest.warns(SkhpoWarning, match="the most that its Curve allows"):
        GridSearch(slow, curve, cv=CV, scoring="neg_log_loss").fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        GridSearch(fast, curve, cv=CV, scoring="neg_log_loss").fit(X, Y)


# --- what is heard of it --------------------------------------------------------------


class Heard:
    """A callback that notes the ids of evaluations."""

    max_propagation_depth = 2

    def __init__(self):
        self.ids = []

    def setup(self, *args, **kwargs):
        pass

    teardown = on_fit_begin = on_fit_end = on_fit_task_end = setup

    def on_fit_task_begin(self, estimator, context=None, **kwargs):
        if context.task_name == "candidate-split-evaluation":
            self.ids.append(context.task_id)


RATES = np.linspace(0.1, 1, 10).tolist()
HEARD = {
    "race": {"race": True, "curve": Curve(12)},
    "patience": {"curve": Curve(12, patience=3)},
    "both": {"race": True, "curve": Curve(12, patience=3)},
    "halving": {"resource": "max_iter", "max_resources": 8, "min_resources": 2},
}


def heard_search(curve=None, **options):
    space = {"learning_rate": RATES} | ({"max_iter": curve} if curve else {})
    options = {"cv": CV, "scoring": "neg_log_loss", "refit": False, **options}
    return GridSearch(HIST, space, **options)


def evaluated(results):
    """Return the rows and splits that have a score."""
    scores = [results[f"split{split}_test_score"] for split in range(2)]
    return sorted(zip(*np.nonzero(np.isfinite(np.transpose(scores))), strict=True))


@pytest.mark.thinned
@pytest.mark.skipif(not HAS_CALLBACKS, reason="this scikit-learn has no callbacks")
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", HEARD)
def test_callbacks_hear_of_rows(kind):
    """Of each evaluation once, by candidate * n_splits + split."""
    heard = Heard()
    search = heard_search(**HEARD[kind]).set_callbacks(heard).fit(X, Y)
    expected = [2 * row + split for row, split in evaluated(search.cv_results_)]
    assert sorted(heard.ids) == expected


@pytest.mark.thinned
@pytest.mark.filterwarnings("ignore::skhpo.exceptions.SkhpoWarning")
@pytest.mark.parametrize("kind", HEARD)
def test_lines_tell_of_rows(kind, capsys):
    """Also of each portion that a fit goes on by."""
    search = heard_search(**HEARD[kind], verbose=10).fit(X, Y)
    lines = re.findall(r"CV (.*)/2; (.*?)(?:/\d+)?\] START", capsys.readouterr().out)
    told = {(int(row) - 1, int(split) - 1) for split, row in lines}
    assert sorted(told) == evaluated(search.cv_results_)
