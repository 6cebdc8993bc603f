"""A number of iterations that one fit tells of: `Curve` in the space of a search."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import loguniform
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
)
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import KFold, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch, read_journal
from skhpo._trial import Candidate, Evaluation, StageScores, Trial
from skhpo.evaluation._stage import at_best_stage
from skhpo.evaluation.fitting._stages import MAX_OUTPUTS, counts_to_score
from skhpo.exceptions import InvalidSpaceError, SkhpoWarning
from skhpo.optimizers import (
    BayesOptimizer,
    GridOptimizer,
    PBTOptimizer,
    RandomOptimizer,
)
from skhpo.plots import CurveDisplay
from skhpo.search._curves import curves_by_metric, warn_of_highest
from skhpo.space import Choice, Curve, Real, SearchSpace

pytestmark = pytest.mark.thinned

X, Y = make_classification(120, 6, n_informative=4, flip_y=0.2, random_state=0)
CV = KFold(3)
STUMP = DecisionTreeClassifier(max_depth=1, random_state=0)
BOOST = AdaBoostClassifier(STUMP, random_state=0)
# The best number of iterations is inside of it, for all of these.
SPACE = {"learning_rate": [0.5, 2.0], "n_estimators": Curve(8)}


def search(estimator=BOOST, space=SPACE, fit_params=None, **params):
    """Return a fitted grid search on the same splits as all others here."""
    params = {"scoring": "neg_log_loss", "cv": CV, **params}
    return GridSearch(estimator, space, **params).fit(X, Y, **(fit_params or {}))


def without_times(results):
    """Return the columns of ``cv_results_`` that do not depend on the clock."""
    return {name: results[name] for name in results if "_time" not in name}


def assert_same_results(one, other):
    """All that two searches have found is equal, bit for bit."""
    np.testing.assert_equal(
        without_times(one.cv_results_), without_times(other.cv_results_)
    )
    np.testing.assert_equal(one.curves_, other.curves_)


# --- which number ---------------------------------------------------------------------


def trial_of(*scores, objective="score", fails=False):
    """Return a trial with these curves, one per split."""
    evaluations = []
    for column in scores:
        n = len(next(iter(column.values())) if isinstance(column, dict) else column)
        curve = StageScores("n", range(1, n + 1), column)
        evaluations.append(Evaluation(0.0, curve=curve).at_stage(n))
    if fails:
        evaluations[0] = Evaluation(math.nan, fit_error="it failed")
    return Trial(Candidate(0, {"n": Curve(n)}), evaluations, objective)


@pytest.mark.parametrize(
    ("scores", "stage"),
    [
        (([0.0, 2.0, 1.0], [0.0, 1.0, 1.0]), 2),
        (([3.0, 0.0, 2.0], [0.0, 3.0, 2.0]), 3),  # best on no split, and in the mean
        (([1.0, 2.0, 2.0], [1.0, 1.0, 1.0]), 2),  # of equal ones, the fewest
        (([math.nan, 1.0, 2.0], [9.0, 1.0, math.nan]), 2),
        (([math.nan] * 3, [1.0, 1.0, 1.0]), 3),
        (([-math.inf, 1.0, 0.0], [1.0, 1.0, 1.0]), 2),
    ],
)
def test_the_best_in_the_mean_is_chosen(scores, stage):
    """Not the best of each split, nor its mean."""
    told = at_best_stage(trial_of(*scores))
    assert told.candidate.params == {"n": stage}
    np.testing.assert_equal(told.split_scores, tuple(s[stage - 1] for s in scores))


def test_of_several_scores_the_objective_decides():
    """And the others are those at the same number."""
    columns = [{"a": [1.0, 2.0], "b": [5.0, 4.0]}, {"a": [1.0, 3.0], "b": [6.0, 7.0]}]
    told = at_best_stage(trial_of(*columns, objective="a"))
    scores = [evaluation.test_scores for evaluation in told.evaluations]
    assert scores == [{"a": 2.0, "b": 4.0}, {"a": 3.0, "b": 7.0}]
    with pytest.raises(ValueError, match="name it as 'refit'"):
        at_best_stage(trial_of(*columns))


def test_what_failed_has_the_number_that_it_was_fitted_with():
    """On one split is enough: the row says what has failed."""
    told = at_best_stage(trial_of([2.0, 1.0], [2.0, 1.0], fails=True))
    assert told.candidate.params == {"n": 2}
    np.testing.assert_equal(told.split_scores, (math.nan, 1.0))


def test_what_failed_has_not_chosen_the_largest_number():
    """So there is nothing to warn of, as there is where it was the best."""
    told = at_best_stage(trial_of([1.0, 2.0], [1.0, 2.0]))
    with pytest.warns(SkhpoWarning, match="n=2, the most that its Curve allows"):
        warn_of_highest(told)
    failed = at_best_stage(trial_of([1.0, 2.0], [1.0, 2.0], fails=True))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_highest(failed)


def test_a_split_that_a_race_has_skipped_has_no_scores():
    """No zeros, which would be scores; a failed one has what a failure scores."""
    trial = trial_of([1.0, 2.0], [3.0, 4.0], [5.0, 6.0], fails=True)
    first, second, _ = trial.evaluations
    raced = replace(trial, evaluations=[replace(first, test_scores=-9.0), second, None])
    curve = curves_by_metric(raced)["score"]
    nan = math.nan
    np.testing.assert_equal(curve.scores, [[-9.0, -9.0], [3.0, 4.0], [nan, nan]])


@given(
    st.integers(1, 50), st.integers(1, 3000), st.integers(1, 7),
    st.integers(1, 10**6), st.none() | st.integers(2, 30),
)  # fmt: skip
def test_numbers_to_score_are_some_of_those_asked_for(low, n, step, n_rows, n_fits):
    """Ascending, with both ends, all of them where that is little work."""
    curve = Curve(low + n, low=low, step=step)
    counts = counts_to_score(curve, n_rows, n_fits)
    assert set(counts) <= set(curve.counts)
    assert list(counts) == sorted(set(counts))
    assert (counts[0], counts[-1]) == (low, low + n)
    if n_fits is not None:
        assert len(counts) <= n_fits
    elif n_rows * len(curve.counts) <= MAX_OUTPUTS:
        assert list(counts) == curve.counts
    else:
        assert len(counts) <= 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "'high' of a Curve must be a positive integer. Got 0"),
        ((2.5,), "'high' of a Curve must be a positive integer. Got 2.5"),
        ((True,), "must be a positive integer. Got True"),
        ((10, 10), r"write the list \[10\]"),
        ((10, 20), "'low' of a Curve must be below 'high'"),
        ((10, 1, 0), "'step' of a Curve"),
    ],
)
def test_no_curve_of_nothing(arguments, message):
    """Errors say what would work."""
    names = ("high", "low", "step")
    high, *others = arguments
    with pytest.raises(InvalidSpaceError, match=message):
        Curve(high, **dict(zip(names[1:], others, strict=False)))


# --- what chooses candidates does not see it ------------------------------------------


def test_random_candidates_are_those_without_it():
    """It draws nothing, from distributions and from lists."""
    for space in ({"a": loguniform(1, 9)}, {"a": [1, 2, 3], "b": [4, 5]}):
        plain = [c.params for c in RandomOptimizer(space, 5, 0).ask(5)]
        curved = RandomOptimizer({**space, "n": Curve(9)}, 5, 0).ask(5)
        assert [{**params, "n": Curve(9)} for params in plain] == [
            candidate.params for candidate in curved
        ]


def test_a_grid_has_the_order_that_it_has_without():
    """That of scikit-learn, which sorts names."""
    grid = {"b": [1, 2], "a": [3, 4]}
    plain = [c.params for c in GridOptimizer(grid).ask(9)]
    curved = [c.params for c in GridOptimizer({"c": Curve(9), **grid}).ask(9)]
    assert [{**params, "c": Curve(9)} for params in plain] == curved


def test_an_optimizer_is_told_of_the_number():
    """It asks for the curve, and takes any number in it for an answer."""
    optimizer = BayesOptimizer({"a": Real(0, 1), "n": Curve(9)}, random_state=0)
    for _ in range(12):
        (asked,) = optimizer.ask(1)
        assert asked.params["n"] == Curve(9)
        params = {**asked.params, "n": 4}
        optimizer.tell([Trial.from_scores(Candidate(asked.id, params), [params["a"]])])
    space = SearchSpace({"n": Curve(9, low=2)})
    assert space.size == 1
    assert space.encode({"n": 5}) == space.encode({"n": Curve(9, low=2)}) == [0.5]
    for odd in (1, 10, 2.5, True, Curve(9)):
        with pytest.raises(InvalidSpaceError):
            space.encode({"n": odd})


@pytest.mark.parametrize(
    "make",
    [
        lambda space: RandomSearch(BOOST, space, n_iter=3, random_state=0),
        lambda space: RandomSearch(
            BOOST, space, n_iter=3, sampling="sobol", random_state=0
        ),
        lambda space: RandomSearch(
            BOOST, space, n_iter=3, strategy="anneal", random_state=0
        ),
        lambda space: BayesSearch(BOOST, space, n_iter=3, random_state=0),
        lambda space: GridSearch(BOOST, space, n_levels={"learning_rate": 3}),
    ],
    ids=["random", "sobol", "anneal", "bayes", "grid"],
)
def test_all_searches_take_it(make):
    """Each row has a number, and one fit per split told of it."""
    space = {"learning_rate": Real(0.1, 2.0), "n_estimators": Curve(8)}
    fitted = make(space).set_params(cv=CV, scoring="neg_log_loss").fit(X, Y)
    numbers = fitted.cv_results_["param_n_estimators"]
    assert all(1 <= number <= 8 for number in numbers)
    assert fitted.reuse_.n_fits == 9
    assert (
        len(fitted.best_estimator_.estimators_) <= fitted.best_params_["n_estimators"]
    )


def test_only_some_candidates_may_have_it():
    """Of a list of dicts, or below a choice; the others are as ever."""
    listed = [{"n_estimators": [3, 5]}, {"n_estimators": Curve(8)}]
    both = search(space=listed)
    assert [bool(curve) for curve in both.curves_] == [False, False, True]
    with pytest.raises(ValueError, match="Candidate 0 has no curve"):
        both.curve_of(0)
    pipeline = Pipeline([("model", BOOST)])
    below = Choice(
        [(BOOST, {"model__n_estimators": Curve(8)}), (LogisticRegression(), None)]
    )
    chosen = search(pipeline, {"model": below})
    assert [bool(curve) for curve in chosen.curves_] == [True, False]
    alone = search(space={"n_estimators": Curve(8)})
    assert chosen.cv_results_["mean_test_score"][0] == alone.best_score_


def test_earlier_results_are_learned_from():
    """A search with a curve reads the numbers of one that had it, or had none."""
    first = search()
    space = {"learning_rate": Real(0.1, 3.0), "n_estimators": Curve(8)}
    later = BayesSearch(
        BOOST, space, n_iter=2, prior_results=first, cv=CV, random_state=0
    )
    assert len(later.fit(X, Y).curves_) == 2


@pytest.mark.parametrize("number", [3, Curve(8)])
def test_what_is_tried_first_has_its_curve(number):
    """As the same values do that are proposed; none of them is tried without."""
    space = {"learning_rate": Real(0.1, 3.0), "n_estimators": Curve(8)}
    first = {"learning_rate": 0.5, "n_estimators": number}
    found = BayesSearch(
        BOOST, space, n_iter=1, initial_params=[first], cv=CV, scoring="neg_log_loss"
    ).fit(X, Y)
    row = search(space={**SPACE, "learning_rate": [0.5]})
    assert found.best_params_ == row.best_params_
    np.testing.assert_equal(found.curves_, row.curves_)


# --- the row --------------------------------------------------------------------------


def own_loss(y, predicted):
    """Return a metric of the user's own."""
    return float(np.abs(y - predicted).mean())


def looks_inside(estimator, X, y):
    """Return a score that needs the estimator itself."""
    return estimator.score(X, y) - 0.001 * len(estimator.estimators_)


SCORERS = ["roc_auc", "accuracy", None, make_scorer(own_loss), looks_inside]


@pytest.mark.parametrize(
    ("scoring", "options"),
    [
        *((scoring, {}) for scoring in SCORERS),
        *(
            pytest.param(
                *(scoring, {"reuse": False}),
                marks=[] if scoring in ("roc_auc", looks_inside) else pytest.mark.slow,
            )
            for scoring in SCORERS
        ),
        pytest.param("roc_auc", {"fit_timeout": 60}, marks=pytest.mark.slow),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_row_is_what_cross_validation_gives(scoring, options):
    """For all kinds of scorers, on the test part and on the train part."""
    found = search(scoring=scoring, return_train_score=True, **options)
    for row, params in enumerate(found.cv_results_["params"]):
        chosen = clone(BOOST).set_params(**params)
        expected = cross_validate(
            chosen, X, Y, cv=CV, scoring=scoring, return_train_score=True
        )
        for part in ("test", "train"):
            names = [f"split{split}_{part}_score" for split in range(3)]
            scores = [found.cv_results_[name][row] for name in names]
            assert scores == expected[f"{part}_score"].tolist()
        stages, curve, _ = found.curve_of(row)
        chosen = curve[:, list(stages).index(params["n_estimators"])]
        assert chosen.tolist() == expected["test_score"].tolist()


def test_weights_go_along():
    """To the fits and to the scorer, of each split its own."""
    weights = np.linspace(0.1, 3, len(X))
    with config_context(enable_metadata_routing=True):
        boost = GradientBoostingClassifier(max_depth=1, random_state=0)
        boost.set_fit_request(sample_weight=True)
        boost.set_score_request(sample_weight=True)
        found = search(boost, scoring=None, fit_params={"sample_weight": weights})
        expected = cross_validate(
            clone(boost).set_params(**found.best_params_), X, Y, cv=CV,
            params={"sample_weight": weights},
        )  # fmt: skip
    assert found.best_score_ == expected["test_score"].mean()


def test_several_scores_are_those_at_one_number():
    """`refit` names what decides on it."""
    scoring = ["accuracy", "neg_log_loss"]
    found = search(scoring=scoring, refit="accuracy")
    for row, params in enumerate(found.cv_results_["params"]):
        chosen = clone(BOOST).set_params(**params)
        expected = cross_validate(chosen, X, Y, cv=CV, scoring=scoring)
        for name in scoring:
            mean = found.cv_results_[f"mean_test_{name}"][row]
            assert mean == expected[f"test_{name}"].mean()
    stages, accuracy, _ = found.curve_of(0)
    assert accuracy.shape == (3, len(stages))
    assert (
        stages[accuracy.mean(axis=0).argmax()]
        == (found.cv_results_["params"][0]["n_estimators"])
    )
    assert (found.curve_of(0, "neg_log_loss").scores < 0).all()
    with pytest.raises(ValueError, match="metric must be one of"):
        found.curve_of(0, "r2")
    for refit in (False, lambda results: 0):
        with pytest.raises(ValueError, match="set 'refit' to its name"):
            search(scoring=scoring, refit=refit)


def test_the_picture_of_a_dropped_candidate():
    """It has the mean of the splits before, by which the number was chosen."""
    pytest.importorskip("matplotlib")
    rates = np.geomspace(0.001, 2, 14).tolist()
    space = {"learning_rate": rates, "n_estimators": Curve(8)}
    raced = search(space=space, race=0.3)
    row = int(np.flatnonzero(raced.cv_results_["dropped"])[0])
    display = CurveDisplay.from_search(raced, row)
    assert len(display.scores) == raced.cv_results_["n_splits"][row] < CV.n_splits
    assert display.stages[np.argmax(display.means)] == display.chosen


@pytest.mark.parametrize("space", [SPACE, {"learning_rate": [0.5, 2.0]}])
def test_the_curve_of_no_row(space):
    """It is not said of a row that is not there that it has no curve."""
    found = search(space=space)
    for row in (2, 99, -3, 0.5):
        with pytest.raises(IndexError, match=f"0 to 1. Got {row}"):
            found.curve_of(row)


@pytest.mark.parametrize(
    "options",
    [
        {"param_grid": {"n_estimators": Curve(50, patience=20)}},
        {"param_grid": {"max_depth": [1, 2]}, "resource": "n_estimators"},
    ],
)
def test_a_monitor_is_refused(options):
    """It would end a fit that goes on in another round than a whole one."""
    more = {"max_resources": 48} if "resource" in options else {}
    found = GridSearch(GradientBoostingClassifier(), cv=CV, **options, **more)
    with pytest.raises(ValueError, match="'monitor' lets the estimator choose"):
        found.fit(X, Y, monitor=lambda i, estimator, frame: i >= 4)


def test_a_callable_refit_chooses_among_rows():
    """Each of which has its number."""
    found = search(refit=lambda results: 1)
    assert found.best_params_ == found.cv_results_["params"][1]
    assert found.best_estimator_.get_params()["learning_rate"] == 2.0


def test_a_pipeline_transforms_once():
    """Its first steps are shared by all candidates, and by all stages."""
    pipeline = make_pipeline(StandardScaler(), BOOST)
    space = {f"adaboostclassifier__{name}": values for name, values in SPACE.items()}
    found = search(pipeline, space)
    assert found.reuse_.n_fits == 3 + 6
    alone = search()
    numbers = [p["n_estimators"] for p in alone.cv_results_["params"]]
    assert [*found.cv_results_["param_adaboostclassifier__n_estimators"]] == numbers


class Reversing(Pipeline):
    """A pipeline with a predict of its own."""

    def predict(self, X, **params):
        return 1 - super().predict(X, **params)


def test_a_pipeline_of_another_class_is_fitted_for_each_number():
    """What it makes of the stages, nobody can know."""
    pipeline = Reversing([("scale", StandardScaler()), ("model", BOOST)])
    found = search(pipeline, {"model__n_estimators": Curve(4)}, scoring="accuracy")
    assert found.reuse_.n_fits == 4 * 3
    chosen = clone(pipeline).set_params(**found.best_params_)
    expected = cross_validate(chosen, X, Y, cv=CV, scoring="accuracy")
    assert found.best_score_ == expected["test_score"].mean()


# --- what may go wrong ----------------------------------------------------------------


def test_failed_fits_cost_their_candidate():
    """Their row has the number that was fitted, and a failure on all its splits."""
    space = {"max_depth": [2, "none"], "n_estimators": Curve(4)}
    boosting = GradientBoostingClassifier(random_state=0)
    with pytest.warns(FitFailedWarning, match="3 fits failed"):
        found = search(boosting, space, error_score=-9.0)
    assert found.cv_results_["params"][1] == {"max_depth": "none", "n_estimators": 4}
    assert found.cv_results_["mean_test_score"][1] == -9.0
    assert found.curves_[1] == {}


def test_stages_that_cannot_be_scored_are_not_chosen():
    """Here predictions become negative, where the deviance has no value."""
    X, y = make_regression(60, 4, random_state=0)
    y = np.abs(y) / 10
    boosting = GradientBoostingRegressor(learning_rate=1.9, max_depth=1)
    scoring = "neg_mean_poisson_deviance"
    found = GridSearch(boosting, {"n_estimators": Curve(30)}, scoring=scoring, cv=2)
    with pytest.warns(UserWarning, match="Scoring failed") as caught:
        found.fit(X, y)
    assert np.isnan(found.curve_of(0).scores).any()
    assert np.isfinite(found.best_score_)
    n_said = sum("Scoring failed" in str(warning.message) for warning in caught)
    assert n_said <= 2  # and not once for each stage


def test_the_largest_number_is_warned_of():
    """If it is the best of the best candidate: more may be better."""
    with pytest.warns(SkhpoWarning, match="n_estimators=2, the most that its Curve"):
        search(space={"n_estimators": Curve(2), "learning_rate": [0.1]})


HIST = HistGradientBoostingClassifier()


@pytest.mark.parametrize(
    ("estimator", "space", "message"),
    [
        (BOOST, {"learning_rate": Curve(3)}, "has no stages along it"),
        (LogisticRegression(), {"max_iter": Curve(3)}, "LogisticRegression has no"),
        (BOOST, {"estimator__max_depth": Curve(3)}, "no parameter of the last step"),
        (BOOST, {"n_estimators": Curve(3), "learning_rate": Curve(3)}, "both a Curve"),
        (
            GradientBoostingClassifier(n_iter_no_change=2),
            {"n_estimators": Curve(3)},
            "Set n_iter_no_change=None",
        ),
        (
            GradientBoostingClassifier(),
            {"n_estimators": Curve(3), "n_iter_no_change": [None, 3]},
            "Set n_iter_no_change=None",
        ),
        (
            GradientBoostingClassifier(warm_start=True),
            {"n_estimators": Curve(3)},
            "Set it to False",
        ),
        (
            clone(HIST).set_params(early_stopping=True),
            {"max_iter": Curve(3)},
            "Set early_stopping=False",
        ),
    ],
)
def test_what_one_fit_cannot_tell_is_refused(estimator, space, message):
    """Before the first fit, in words that say what would work."""
    with pytest.raises(InvalidSpaceError, match=message):
        search(estimator, space)


@pytest.mark.parametrize("values", [[Curve(3)], [Curve(3), 5], np.array([Curve(3), 5])])
@pytest.mark.parametrize("options", [{}, {"error_score": 0.0}])
@pytest.mark.parametrize("make", [GridSearch, RandomSearch, BayesSearch])
def test_a_curve_is_no_value_in_a_list(make, values, options):
    """Else it would escape all that is checked of a curve."""
    found = make(BOOST, {"n_estimators": values}, cv=CV, **options)
    with pytest.raises(InvalidSpaceError, match="A Curve is no value in a list"):
        found.fit(X, Y)


def test_own_early_stopping_by_size_is_refused():
    """As that of HistGradientBoosting above 10000 rows."""
    rows = np.zeros((10_001, 1)), np.arange(10_001) % 2
    with pytest.raises(InvalidSpaceError, match="early_stopping='auto'"):
        GridSearch(HIST, {"max_iter": Curve(3)}).fit(*rows)


def test_rows_to_stop_by_are_refused_behind_a_pipeline_as_well():
    """The name of a step before them changes nothing."""
    pipeline = make_pipeline(StandardScaler(), HIST)
    name = "histgradientboostingclassifier"
    rows = {f"{name}__X_val": X, f"{name}__y_val": Y}
    with pytest.raises(ValueError, match=f"{name}__X_val' lets the estimator choose"):
        search(pipeline, {f"{name}__max_iter": Curve(3)}, fit_params=rows)


def test_two_curves_in_different_choices_are_found():
    """Nobody sees them together before a candidate has both."""
    space = {
        "learning_rate": Choice([(0.5, {"n_estimators": Curve(3)})]),
        "random_state": Choice([(0, {"estimator__max_depth": Curve(3)})]),
    }
    with pytest.raises(InvalidSpaceError):
        search(space=space)


@pytest.mark.parametrize("make", [GridSearch, RandomSearch, BayesSearch])
@pytest.mark.parametrize(
    "constraint",
    [
        lambda params: params["n_estimators"] < 5,
        lambda params: params["n_estimators"] * params["learning_rate"] < 5,
        lambda params: np.log(params["n_estimators"]) < 5,
        lambda params: math.sqrt(params["n_estimators"]) < 5,
        lambda params: params["n_estimators"].bit_length() < 5,
        # These would be true, or false, for all candidates, without a word.
        lambda params: params["n_estimators"] != 5,
        lambda params: params["n_estimators"] not in (4, 5.0, np.int64(6)),
    ],
)
def test_a_constraint_cannot_speak_of_it(make, constraint):
    """Its number is not chosen yet; an error says what would work."""
    hint = r"^Leave 'n_estimators' out .* Curve\(8\).*list numbers: .*\[1, 8\]"
    with pytest.raises(InvalidSpaceError, match=hint) as caught:
        make(BOOST, SPACE, constraints=constraint, cv=CV).fit(X, Y)
    assert "_OpenCurve" not in str(caught.value)


def test_a_constraint_may_tell_a_curve_from_numbers():
    """And stumble over anything else in its own words."""
    space = [{"n_estimators": Curve(8)}, {"n_estimators": [10, 20]}]

    def is_known(params):
        given = params["n_estimators"]
        assert repr(given) in ("Curve(8)", "10", "20")
        return given in {Curve(8)} if isinstance(given, Curve) else given < 15

    found = [*GridOptimizer(space, constraints=is_known).ask(3)]
    assert [c.params["n_estimators"] for c in found] == [Curve(8), 10]
    assert type(found[0].params["n_estimators"]) is Curve
    with pytest.raises(InvalidSpaceError, match=r"^The constraint .* raised KeyError"):
        GridOptimizer(space, constraints=lambda params: params["rate"] < 1).ask(3)


def test_populations_refuse_it():
    """Their number of iterations is the resource."""
    space = {"learning_rate": Real(0.1, 1), "n_estimators": Curve(3)}
    with pytest.raises(InvalidSpaceError, match="cannot be a Curve in a population"):
        PBTSearch(BOOST, space).fit(X, Y)
    with pytest.raises(InvalidSpaceError, match="cannot be a Curve in a population"):
        PBTOptimizer(space, np.random.SeedSequence(0))


def test_no_curve_without_one_in_the_space():
    """And no attribute that says so."""
    found = search(space={"n_estimators": [2, 3]})
    assert not hasattr(found, "curves_")
    with pytest.raises(ValueError, match=r"skhpo\.space\.Curve"):
        found.curve_of(0)


# --- workers and journals -------------------------------------------------------------


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_results_do_not_depend_on_workers(backend):
    """All of them, curves included."""
    alone = search()
    with joblib.parallel_config(backend):
        assert_same_results(alone, search(n_jobs=2))


@pytest.mark.parametrize("scoring", ["neg_log_loss", ["accuracy", "neg_log_loss"]])
def test_a_journal_knows_whole_curves(tmp_path, scoring):
    """The same search again does nothing, and finds the same."""
    options = {"scoring": scoring, "journal": tmp_path / "j.db"}
    options["refit"] = "accuracy" if isinstance(scoring, list) else True
    options["return_train_score"] = True
    first = search(**options)
    again = search(**options)
    assert again.reuse_.n_fits == 0
    assert_same_results(first, again)
    without = search(**{**options, "return_train_score": False})
    assert without.reuse_.n_fits == 0
    assert not any("train" in name for name in without.cv_results_)
    rows = read_journal(tmp_path / "j.db")
    assert {tuple(row["stages"]) for row in rows["test_scores"]} == {(*range(1, 9),)}
    assert rows["params"][0]["n_estimators"] == "Curve(8)"


def test_a_journal_tells_curves_apart(tmp_path):
    """Another range is another evaluation."""
    search(journal=tmp_path / "j.db")
    more = search(space={**SPACE, "n_estimators": Curve(9)}, journal=tmp_path / "j.db")
    assert more.reuse_.n_fits == 6


# --- the picture ----------------------------------------------------------------------


@pytest.fixture
def plots():
    """The room of the displays, drawn nowhere."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from skhpo import plots

    yield plots
    plt.close("all")


def test_the_picture_shows_the_curve(plots):
    """Each split, their mean, and the chosen number."""
    found = search()
    display = plots.CurveDisplay.from_search(found, 1)
    stages, scores, name = found.curve_of(1)
    *splits, mean, chosen = display.ax_.lines
    for line, row in zip(splits, scores, strict=True):
        np.testing.assert_array_equal(line.get_xydata(), np.c_[stages, row])
    np.testing.assert_allclose(mean.get_ydata(), scores.mean(axis=0), rtol=1e-12)
    np.testing.assert_array_equal(display.means, mean.get_ydata())
    assert display.ax_.get_xlabel() == name == "n_estimators"
    number = found.cv_results_["params"][1]["n_estimators"]
    assert (chosen.get_xdata(), display.chosen) == ([number], number)
    assert display.means.max() == chosen.get_ydata()
    with pytest.raises(ValueError, match="has no curve"):
        plots.CurveDisplay.from_search(search(space={"n_estimators": [2]}))


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, 1.7e308, -1.7e308, 5e-324])
def test_any_score_can_be_drawn(plots, odd):
    """Also under `numpy.errstate`, with any text, and on axes that are given."""
    scores = np.array([[0.1, 0.2, odd], [odd, 0.3, odd]])
    ax = plots.CurveDisplay(np.arange(1, 2), np.zeros((1, 1)), 1).plot().ax_
    ax.clear()
    with np.errstate(all="raise"):
        display = plots.CurveDisplay(np.arange(1, 4), scores, 2, "$a_{", "$\n").plot(ax)
        display.figure_.canvas.draw()
    assert display.ax_ is ax
    nothing = plots.CurveDisplay(np.arange(1, 4), np.full((2, 3), odd), 1).plot()
    nothing.figure_.canvas.draw()


# --- with a race ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def without_a_race():
    """The search that is raced below."""
    return search(space=RACED, cv=KFold(5), refit=False)


RACED = {"learning_rate": np.geomspace(0.01, 5, 14), "n_estimators": Curve(4)}


@pytest.mark.parametrize("n_jobs", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_a_race_compares_numbers_that_are_best_so_far(n_jobs, without_a_race):
    """Complete rows are those without a race; dropped ones have a number, too."""
    plain = without_a_race
    with joblib.parallel_config("threading"):
        raced = search(space=RACED, race=0.2, n_jobs=n_jobs, cv=KFold(5), refit=False)
    results, whole = raced.cv_results_, plain.cv_results_
    dropped = results["dropped"]
    assert 0 < dropped.sum() < 14
    assert raced.best_index_ == plain.best_index_
    for row in range(14):
        assert isinstance(results["params"][row]["n_estimators"], int)
        if not dropped[row]:
            assert results["params"][row] == whole["params"][row]
            assert results["mean_test_score"][row] == whole["mean_test_score"][row]
            continue
        # The best in the mean of the splits that it has.
        stages, scores, _ = plain.curve_of(row)
        known = [not math.isnan(results[f"split{k}_test_score"][row]) for k in range(5)]
        best = stages[np.argmax(scores[known].mean(axis=0))]
        assert results["params"][row]["n_estimators"] == best
