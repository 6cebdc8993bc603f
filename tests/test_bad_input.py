"""Bad input gets a clear error before the first fit, with what would work.

Each test gives a search something wrong, reads in the message what was wrong and what
would work, and sees that nothing was fitted.
"""

import functools
import inspect
import re
import warnings

import numpy as np
import pytest
from estimators import Counting, Failing
from scipy.stats import loguniform, randint, uniform
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.metrics import fbeta_score, get_scorer, get_scorer_names, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    RandomizedSearchCV,
    ShuffleSplit,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skhpo import (
    BayesSearch,
    GradientSearch,
    GridSearch,
    PBTSearch,
    RandomSearch,
)
from skhpo.exceptions import InvalidSpaceError, JournalWarning, SkhpoWarning
from skhpo.search._scoring import warn_of_labels
from skhpo.selection import OneStandardError
from skhpo.space import Categorical, Choice, Curve, Integer, Real

BOTH = pytest.mark.parametrize("search_class", [GridSearch, RandomSearch])
LEVELS = {"level": [0.0, 1.0]}


@pytest.fixture
def data(classification_data):
    X, y = classification_data
    return X, (y > 0).astype(int)


@pytest.fixture
def fitted(monkeypatch):
    """A list that grows with every fit of the estimators in this module."""
    fits = []

    def count(cls):
        plain = cls.fit

        @functools.wraps(plain)
        def fit(self, *args, **kwargs):
            fits.append(cls)
            return plain(self, *args, **kwargs)

        monkeypatch.setattr(cls, "fit", fit)

    counted = [LogisticRegression, Ridge, RandomForestClassifier, StandardScaler]
    for cls in [*counted, Counting, Failing, SVC, DecisionTreeClassifier]:
        count(cls)
    return fits


@pytest.fixture
def refused(data, fitted):
    """A function that fits a search, expects an error, and returns its message."""

    def message_of(search, *, error=ValueError, X=None, y=None):
        X, y = data if X is None else (X, y)
        with pytest.raises(error) as caught:
            search.fit(X, y)
        assert fitted == [], "fitted before the error"
        return str(caught.value)

    return message_of


def test_the_counter_counts(data, fitted):
    """The proof that nothing was fitted is one: a good search is seen to fit."""
    GridSearch(Counting(), LEVELS, cv=2).fit(*data)
    assert len(fitted) == 2 * 2 + 1


# Names


@BOTH
def test_unknown_parameter(search_class, refused):
    """scikit-learn's sentence, and the nearest valid name."""
    message = refused(search_class(LogisticRegression(), {"max_itr": [10]}))
    sentence = "Invalid parameter 'max_itr' for estimator LogisticRegression()"
    assert message.startswith("Did you mean")
    assert sentence in message
    assert "'max_iter'" in message.partition("Valid")[2]
    assert re.search(r"Did you mean.*'max_iter'", message)


@BOTH
def test_unknown_parameter_by_its_case(search_class, refused):
    """A small letter for a capital one is the same name to a human."""
    assert "Did you mean 'C'?" in refused(search_class(SVC(), {"c": [1.0]}))


@BOTH
def test_unknown_parameter_in_a_pipeline(search_class, refused):
    """A name without its step finds the step that has it."""
    pipe = make_pipeline(StandardScaler(), SVC())
    message = refused(search_class(pipe, {"C": [1.0]}))
    assert "Invalid parameter 'C' for estimator Pipeline" in message
    assert re.search(r"Did you mean.*'svc__C'", message)
    message = refused(search_class(pipe, {"svc__gama": [1.0]}))
    assert "Invalid parameter 'gama' for estimator SVC()" in message
    assert re.search(r"Did you mean.*'svc__gamma'", message)


@BOTH
def test_a_parameter_of_other_estimators(search_class, refused):
    """A name that other estimators have says which ones."""
    message = refused(search_class(RandomForestClassifier(), {"learning_rate": [0.1]}))
    assert "Invalid parameter 'learning_rate' for estimator RandomForest" in message
    assert "GradientBoostingClassifier" in message
    assert "GradientBoostingRegressor" not in message


@BOTH
def test_unknown_parameter_of_one_space_of_several(search_class, refused):
    """All the dicts of a list are read before the first one is searched."""
    space = [{"C": [1.0]}, {"c": [1.0]}]
    message = refused(search_class(LogisticRegression(), space))
    assert "Invalid parameter 'c' for estimator" in message
    assert "'C'" in message


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        (None, None),
        (3, None),
        ((), None),
        (("C", 1), None),
        (b"C", "C"),
        (("svc", "C"), "svc__C"),
    ],
)
@pytest.mark.parametrize(
    "search_class", [GridSearch, RandomSearch, BayesSearch, PBTSearch, GradientSearch]
)
def test_a_name_that_is_no_string(search_class, name, meant, refused):
    """All searches name it; scikit-learn's say only that keywords must be strings."""
    message = refused(search_class(LogisticRegression(), {name: (0.1, 1.0)}))
    hint = "" if meant is None else f"Did you mean {meant!r}? "
    wanted = "Parameter names must be strings."
    assert message == f"{hint}{wanted} Got {name!r} instead."


def test_a_name_of_a_first_candidate_that_is_no_string(refused):
    """It is met with the name that is meant, as in the space."""
    first = [{("svc", "C"): 1.0}]
    search = RandomSearch(SVC(), {"C": Real(0.1, 9)}, initial_params=first)
    assert refused(search).startswith("Did you mean 'svc__C'? Parameter names must be")


def test_names_of_a_searched_component(data, refused, fitted):
    """Names are checked with the estimators that the same space puts in place."""
    pipe = make_pipeline(StandardScaler(), LogisticRegression())
    space = {"logisticregression": [DecisionTreeClassifier()]}
    bad = {**space, "logisticregression__C": [1.0]}
    message = refused(GridSearch(pipe, bad))
    assert "Invalid parameter 'C' for estimator DecisionTreeClassifier" in message
    good = {**space, "logisticregression__max_depth": [1, 2]}
    GridSearch(pipe, good, cv=2).fit(*data)
    assert fitted


# Values


@BOTH
@pytest.mark.parametrize(
    ("estimator", "space", "sentence"),
    [
        (
            RandomForestClassifier(),
            {"n_estimators": [5, 10.0]},
            r"The 'n_estimators' parameter of RandomForestClassifier must be an int in "
            r"the range \[1, inf\). Got 10.0 instead.",
        ),
        (
            make_pipeline(StandardScaler(), LogisticRegression()),
            {"logisticregression__C": [1.0, -1.0]},
            r"The 'C' parameter of LogisticRegression must be a float in the range .*"
            r"Got -1.0 instead.",
        ),
        (
            DecisionTreeClassifier(),
            {"criterion": ["gini", "ginny"]},
            r"The 'criterion' parameter of DecisionTreeClassifier must be a str among "
            r".*'gini'.* Got 'ginny' instead.",
        ),
    ],
    ids=["float for int", "out of range", "unknown option"],
)
def test_a_value_that_the_estimator_rejects(
    search_class, estimator, space, sentence, refused
):
    """The estimator's own sentence: its parameter, what it may be, what it was."""
    message = refused(search_class(estimator, space))
    assert re.search(sentence, message, flags=re.DOTALL)


def test_a_distribution_of_rejected_values(refused):
    """A distribution of floats for an integer is seen without fitting either."""
    search = RandomSearch(RandomForestClassifier(), {"n_estimators": uniform(5, 10)})
    message = refused(search)
    assert "The 'n_estimators' parameter of RandomForestClassifier must be" in message


@pytest.mark.parametrize(
    "C",
    [Real(-1, 10), Real(0, 1), Integer(0, 3), uniform(-0.5, 9), randint(-1, 9)],
    ids=["negative", "zero", "integer", "uniform", "randint"],
)
@pytest.mark.parametrize("search_class", [RandomSearch, BayesSearch])
def test_a_range_whose_bound_is_rejected(search_class, C, refused):
    """Both ends are checked: most of the range would have been accepted."""
    message = refused(search_class(LogisticRegression(), {"C": C}))
    assert "'C' parameter of LogisticRegression must be" in message


@pytest.mark.parametrize("search_class", [RandomSearch, BayesSearch])
def test_a_bound_that_is_never_drawn(search_class, data):
    """uniform(0, 1) has a bound that the estimator rejects, and no draw that is 0."""
    search = search_class(
        LogisticRegression(), {"C": uniform(0, 1)}, n_iter=3, cv=2, random_state=0
    )
    assert search.fit(*data).best_score_ > 0


def test_rejected_values_that_have_a_score(data):
    """Whoever says what a failed fit scores gets that score, as in scikit-learn."""
    space = {"max_depth": [1, -1]}
    search = GridSearch(DecisionTreeClassifier(), space, error_score=0.0, cv=2)
    with pytest.warns(FitFailedWarning, match="fits failed"):
        search.fit(*data)
    assert search.cv_results_["mean_test_score"][1] == 0.0


# Spaces


@pytest.mark.parametrize(
    ("space", "error", "essentials"),
    [
        ([], ValueError, ["param", "[]"]),
        ({"C": []}, ValueError, ["'C'", "non-empty"]),
        ({"C": np.array([])}, ValueError, ["'C'", "non-empty"]),
        ({"penalty": "l2"}, TypeError, ["'penalty'", "'l2'", "list"]),
        ({"C": 1.0}, TypeError, ["'C'", "1.0", "float", "list"]),
        ({"C": None}, TypeError, ["'C'", "None", "list"]),
        ({"C": {1.0, 2.0}}, TypeError, ["'C'", "set", "list"]),
        ({"C": np.ones((2, 2))}, ValueError, ["'C'", "one-dimensional", "(2, 2)"]),
        ([{"C": [1.0]}, "C"], TypeError, ["'C'", "dict"]),
    ],
    ids=lambda value: str(value).replace("\n", "") if isinstance(value, dict) else "",
)
@BOTH
def test_a_space_that_is_none(search_class, space, error, essentials, refused):
    """Nothing to choose from, or no list: what it was, and what it should be."""
    message = refused(search_class(LogisticRegression(), space), error=error)
    for essential in essentials:
        assert essential in message, message


@BOTH
@pytest.mark.parametrize("space", ["C", 3, None])
def test_a_space_of_the_wrong_type(search_class, space, refused):
    """scikit-learn's sentence names the parameter of the search."""
    message = refused(search_class(LogisticRegression(), space), error=(ValueError))
    assert re.search(r"The 'param_\w+' parameter of \w+Search must be", message)
    assert f"Got {space!r} instead" in message


@pytest.mark.parametrize(
    ("n_levels", "essentials"),
    [
        (0, ["The 'n_levels' parameter of GridSearch must be", "Got 0 instead"]),
        (2.5, ["The 'n_levels' parameter of GridSearch must be", "Got 2.5 instead"]),
        ({"C": 0}, ["'n_levels' must be a positive integer", "Got 0"]),
        ({}, ["'n_levels' has no number for the range 'C'"]),
        ({"C": 3, "penalty": 2}, ["has a number for 'penalty'", "no range", "['C']"]),
    ],
)
def test_a_number_of_levels_that_is_none(n_levels, essentials, refused):
    """A positive integer, or one by name of a range."""
    space = {"C": loguniform(0.1, 1), "penalty": ["l2"]}
    message = refused(GridSearch(LogisticRegression(), space, n_levels=n_levels))
    for essential in essentials:
        assert essential in message, message


def test_levels_of_a_grid_without_ranges(refused):
    """Lists give all of their values, whatever is asked for."""
    search = GridSearch(LogisticRegression(), {"C": [1.0, 2.0]}, n_levels={"C": 2})
    assert "has a number for 'C', which is no range" in refused(search)


def test_a_bound_in_a_grid_that_is_rejected(refused):
    """Nobody draws the bound of uniform(0, 1); a grid would try it."""
    message = refused(GridSearch(LogisticRegression(), {"C": uniform(0, 1)}))
    assert "'C' parameter of LogisticRegression must be" in message
    assert "Got 0.0 instead" in message


class Drawn:
    """A distribution of which nothing is known but draws."""

    def rvs(self, random_state=None):
        return 1.0


@pytest.mark.parametrize(
    "search",
    [
        GridSearch(LogisticRegression(), {"C": Drawn()}),
        RandomSearch(LogisticRegression(), {"C": Drawn()}, sampling="sobol"),
        RandomSearch(LogisticRegression(), {"C": Drawn()}, strategy="anneal"),
        BayesSearch(LogisticRegression(), {"C": Drawn()}),
    ],
    ids=["grid", "sobol", "anneal", "bayes"],
)
def test_a_distribution_without_quantiles(search, refused):
    """Its place in [0, 1] is needed by all but plain draws."""
    message = refused(search)
    assert "Parameter 'C'" in message
    assert "no ppf, cdf and support" in message


RICH = {"kernel": Choice({"rbf": {"gamma": Real(0.1, 1)}}), "gamma": [0.1]}


@pytest.mark.parametrize("search_class", [GridSearch, RandomSearch, BayesSearch])
@pytest.mark.parametrize(
    ("space", "essentials"),
    [
        (RICH, ["'gamma' is named twice", "Choice 'kernel'"]),
        ({"C": (1.0, 0.1, "uniform")}, ["'C'", "ascending", "swap"]),
        ({"C": (0.0, 1.0, "log-uniform")}, ["'C'", "positive for log=True", "0.0"]),
        ({"k": Choice({"a": None})}, ["Invalid parameter 'k' for estimator SVC()"]),
        ({"C": Choice({-1.0: None})}, ["The 'C' parameter of SVC", "Got -1.0"]),
        ([({"C": [1.0]}, -2), {"degree": [2]}], ["positive numbers"]),
    ],
    ids=["twice", "reversed", "log from 0", "unknown", "rejected", "weight"],
)
def test_mistakes_in_what_only_we_take(search_class, space, essentials, refused):
    """Every search that takes more than scikit-learn says what is wrong with it."""
    message = refused(search_class(SVC(), space))
    for essential in essentials:
        assert essential in message, message


EARLIER = {"params": [{"C": 1.0}], "mean_test_score": [0.5]}


@pytest.mark.parametrize(
    ("prior_results", "essentials"),
    [
        ({**EARLIER, "params": [{"C": 50.0}]}, ["another search space", "50.0"]),
        (
            {**EARLIER, "params": [{"gamma": 1.0}]},
            ["another search space", "'C' is mi"],
        ),
        ({**EARLIER, "params": [3]}, ["another search space", "Got 3"]),
        ({"mean_test_score": [0.5]}, ["'params'", "have ['mean_test_score'] only"]),
        (
            {"params": [{"C": 1.0}], "mean_test_f1": [0.5]},
            ["'mean_test_score'", "have ['params', 'mean_test_f1'] only"],
        ),
        (GridSearch(SVC(), {"C": [1.0]}), ["GridSearch that is not fitted", "Clones"]),
        ([{"C": 1.0}], ["must be a fitted search or its cv_results_", "Got [{'C'"]),
    ],
    ids=["outside", "other names", "no dict", "no params", "other", "unfitted", "list"],
)
def test_results_of_another_search(prior_results, essentials, refused):
    """Of other parameters, of another score, or none at all."""
    search = BayesSearch(SVC(), {"C": Real(0.1, 9)}, prior_results=prior_results)
    message = refused(search)
    for essential in essentials:
        assert essential in message, message


@pytest.mark.parametrize(
    ("initial_params", "essential"),
    [
        ([{"C": 50.0}], "50.0 is not a value of Real(low=0.1, high=9"),
        ([{}], "parameter 'C' is missing"),
        ([{"C": 1.0, "gamma": 1.0}], "parameter 'gamma' is unknown"),
        ([1.0], "must be a dict of names and values. Got 1.0"),
        ({"C": 1.0}, "'initial_params' parameter of BayesSearch must be"),
        ("default", "'initial_params' parameter of BayesSearch must be"),
    ],
)
def test_first_candidates_that_are_none(initial_params, essential, refused):
    """Each is a dict of all parameters that exist together."""
    space = {"C": Real(0.1, 9)}
    search = BayesSearch(SVC(), space, initial_params=initial_params)
    assert essential in refused(search)


@pytest.mark.parametrize(
    "space",
    [[({"alpha": [1.0]}, 2.0)], {"penalty": Choice({"l1": ({"alpha": [1.0]}, 2.0)})}],
    ids=["dict", "branch"],
)
def test_weights_in_a_population(space, refused):
    """Members are spread over all branches; a weight is not dropped silently."""
    message = refused(PBTSearch(SGDClassifier(), space))
    assert re.search("ha(s a weight|s weights), and a population draws all", message)


@pytest.mark.parametrize("search_class", [GridSearch, RandomSearch, BayesSearch])
def test_constraints_that_nothing_meets(search_class, refused):
    """A bounded number of draws, and then an error."""
    space = {"C": Real(0.1, 1)}
    search = search_class(SVC(), space, constraints=lambda params: params["C"] > 2)
    assert re.search(r"No (candidate|combination).* constraints", refused(search))


@pytest.mark.parametrize("search_class", [GridSearch, RandomSearch, BayesSearch])
def test_constraints_that_are_none(search_class, refused):
    """They are callables, which is said; so is what one raised."""
    message = refused(search_class(SVC(), {"C": [1.0]}, constraints=["C < 1"]))
    assert "A constraint must be a callable" in message
    assert "'C < 1'" in message
    search = search_class(SVC(), {"C": [1.0]}, constraints=lambda params: params["c"])
    assert re.search(r"The constraint .*<lambda> raised KeyError: 'c'", refused(search))


def test_an_even_spread_around_the_best(refused):
    """What is drawn around the best candidates cannot be spread over the space."""
    search = RandomSearch(SVC(), {"C": [1.0]}, strategy="anneal", sampling="sobol")
    message = refused(search)
    assert "'sampling' parameter of RandomSearch must be 'random' with str" in message
    assert "Got 'sobol'" in message


@pytest.mark.parametrize(
    "learning",
    [
        BayesSearch(SVC(), {"C": [1.0, 2.0]}),
        RandomSearch(SVC(), {"C": [1.0, 2.0]}, strategy="anneal"),
    ],
    ids=["bayes", "anneal"],
)
@pytest.mark.parametrize("refit", [False, len])
def test_several_scores_and_none_to_learn_from(learning, refit, refused):
    """What learns from one score says which ones there are."""
    search = learning.set_params(scoring=["accuracy", "f1"], refit=refit)
    message = refused(search)
    assert f"{type(search).__name__} learns from one score" in message
    assert "['accuracy', 'f1']" in message
    assert f"Got {refit!r}" in message


@pytest.mark.parametrize(
    ("distribution", "essentials"),
    [
        (loguniform(0, 1), ["loguniform", "0", "1"]),
        (loguniform(2, 1), ["loguniform", "2", "1"]),
        (randint(5, 5), ["randint", "5"]),
        (uniform(0, -1), ["uniform", "-1"]),
    ],
    ids=["log from 0", "reversed", "empty", "negative width"],
)
def test_a_distribution_without_values(distribution, essentials, refused):
    """scipy says "domain error in arguments" at a draw; we say whose and why."""
    search = RandomSearch(LogisticRegression(), {"C": distribution})
    message = refused(search)
    for essential in ["'C'", *essentials]:
        assert essential in message, message


def test_more_iterations_than_candidates(data):
    """A finite space is searched whole, with a warning that says its size."""
    search = RandomSearch(Counting(), LEVELS, n_iter=5, cv=2, random_state=0)
    with pytest.warns(
        UserWarning, match=r"space of parameters 2 is smaller .*n_iter=5"
    ):
        search.fit(*data)
    assert sorted(search.cv_results_["param_level"]) == [0.0, 1.0]


def test_more_iterations_than_points(data):
    """The same for a space that only we take."""
    space = {"level": Choice({0.0: {"fails": ["never"]}, 1.0: None})}
    search = RandomSearch(Failing(), space, n_iter=5, cv=2, random_state=0)
    with pytest.warns(SkhpoWarning, match=r"n_iter=5 is more than .* candidates, 2"):
        search.fit(*data)
    assert sorted(search.cv_results_["param_level"]) == [0.0, 1.0]


@pytest.mark.parametrize("n_iter", [0, -1, 2.5, "ten"])
def test_a_number_of_iterations_that_is_none(n_iter, refused):
    """`n_iter` counts."""
    message = refused(RandomSearch(Counting(), LEVELS, n_iter=n_iter))
    assert "The 'n_iter' parameter of RandomSearch must be" in message
    assert repr(n_iter) in message


# Scores and splits


@BOTH
@pytest.mark.parametrize("scoring", ["acuracy", ["accuracy", "acuracy"]])
def test_an_unknown_scorer(search_class, scoring, refused):
    """The name that is unknown, and where to find those that are not."""
    search = search_class(Counting(), LEVELS, scoring=scoring, refit=False)
    message = refused(search)
    assert "'acuracy'" in message
    assert "'accuracy'" in message or "get_scorer_names" in message


@BOTH
@pytest.mark.parametrize("refit", [True, "f1", 3])
def test_several_scores_and_none_that_decides(search_class, refit, refused):
    """One of the names is wanted: which ones there are."""
    scoring = {"accuracy": "accuracy", "roc": "roc_auc"}
    message = refused(search_class(Counting(), LEVELS, scoring=scoring, refit=refit))
    assert "refit" in message


@BOTH
def test_no_score_at_all(search_class, refused):
    """An estimator without `score` needs a scorer."""

    class Scoreless(Counting):
        score = property()

    message = refused(search_class(Scoreless(), LEVELS), error=TypeError)
    assert "no scoring" in message
    assert "score" in message


class Lying(KFold):
    """Announces one split more than it makes."""

    def get_n_splits(self, X=None, y=None, groups=None):
        return super().get_n_splits() + 1


@BOTH
def test_a_splitter_that_contradicts_itself(search_class, refused):
    """How many splits were announced, and how many came."""
    message = refused(search_class(Counting(), LEVELS, cv=Lying(3)))
    assert re.search(r"cv.split and cv.get_n_splits return(ed)? inconsistent", message)
    assert "Expected 4 splits, got 3" in message


@BOTH
def test_more_splits_than_rows(search_class, data, refused):
    """Too few rows are the splitter's own error."""
    X, y = data
    search = search_class(Counting(), LEVELS, cv=KFold(7))
    assert "n_splits=7" in refused(search, X=X[:5], y=y[:5])


@BOTH
def test_no_splits(search_class, refused):
    """No split is no search: nothing is chosen silently."""
    message = refused(search_class(Counting(), LEVELS, cv=iter([])))
    assert "No fits were performed" in message


@BOTH
@pytest.mark.parametrize(
    ("name", "value"),
    [("error_score", "ignore"), ("verbose", -2), ("n_jobs", 1.5), ("refit", 2.5)],
)
def test_a_wrong_argument_of_the_search(search_class, name, value, refused):
    """The search's own arguments are checked in `fit`, by scikit-learn's sentence."""
    message = refused(search_class(Counting(), LEVELS, **{name: value}))
    assert f"The '{name}' parameter of {search_class.__name__} must be" in message
    assert f"Got {value!r} instead" in message


# All fits failed


@BOTH
def test_all_fits_failed(search_class, data):
    """No model by default: an error that groups the failures and counts them."""
    X, y = data
    X = np.column_stack([X, np.ones(len(X))])
    space = [{"level": [-1.0], "fails": ["level"]}, {"fails": ["split", "always"]}]
    search = search_class(Failing(), space, cv=3)
    with pytest.raises(ValueError, match="9 fits failed") as caught:
        search.fit(X, y)
    message = str(caught.value)
    kinds = "ValueError: No level", "RuntimeError: The first", "ValueError: It always"
    assert [message.count(kind) for kind in kinds] == [1, 1, 1]
    assert len(re.findall(r"\b3 fits failed", message)) == 3
    assert not hasattr(search, "best_estimator_")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(GridSearch, GridSearchCV), (RandomSearch, RandomizedSearchCV)],
)
def test_what_scikit_learn_catches_is_still_caught(ours, theirs, data):
    """Code that catches scikit-learn's errors catches ours."""
    wrong = [{"C": []}, {"C": 1.0}, {"wrong": [1]}, [], {"solver": ["unknown"]}]
    for space in wrong:
        searches = [cls(LogisticRegression(), space, cv=2) for cls in (theirs, ours)]
        their_error, our_error = (type(error_of(search, data)) for search in searches)
        assert issubclass(our_error, their_error), space


def error_of(search, data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            search.fit(*data)
        except Exception as error:
            return error
    return None


@pytest.mark.parametrize(
    ("name", "ours"),
    [("n_trials", "n_iter"), ("n_calls", "n_iter"), ("timeout", "time_budget")],
)
def test_parameters_of_other_libraries_are_known(name, ours):
    """So that who comes from Optuna or scikit-optimize reads the name to use."""
    with pytest.raises(TypeError, match=f"^Did you mean {ours!r}.*{name!r}"):
        RandomSearch(Counting(), LEVELS, **{name: 3})
    with pytest.raises(TypeError, match="nonsense"):
        RandomSearch(Counting(), LEVELS, nonsense=3)


def test_the_signature_of_a_search_is_that_of_its_constructor():
    """Although names of other libraries are looked for before."""

    class Own(RandomSearch):
        def __init__(self, estimator, space, n_trials=3):
            super().__init__(estimator, space)
            self.n_trials = n_trials

    assert [*inspect.signature(Own).parameters] == ["estimator", "space", "n_trials"]
    assert Own(Counting(), LEVELS, n_trials=4).n_trials == 4


def test_a_search_of_ones_own_may_hand_parameters_on():
    """Those that its constructor does not name are its bases', however they sound."""

    class Own(RandomSearch):
        def __init__(self, estimator, script, **options):
            super().__init__(estimator, LEVELS, **options)
            self.script = script

    own = Own(Counting(), "words", scoring="accuracy", n_jobs=2)
    assert (own.script, own.scoring, own.n_jobs) == ("words", "accuracy", 2)
    assert "n_iter" in inspect.signature(RandomSearch).parameters


@pytest.mark.parametrize(
    "search", [GridSearch, RandomSearch, BayesSearch, PBTSearch, GradientSearch]
)
@pytest.mark.parametrize("method", ["_run_search", "_generate_candidate_params"])
@pytest.mark.parametrize("is_mixed_in", [False, True])
def test_what_is_never_called_is_not_overridden(search, method, is_mixed_in):
    """The candidates of scikit-learn's hook would be left out without a word."""
    own = {method: lambda self, *args: None}
    bases = (type("Mixin", (), own), search) if is_mixed_in else (search,)
    with pytest.raises(
        TypeError, match=f"^Override _make_optimizer.* Own has.*{method}"
    ):
        type("Own", bases, {} if is_mixed_in else own)


def test_the_hint_comes_first_and_the_estimator_is_cut():
    """A pipeline of many lines hides no remedy."""
    steps = [(f"step{i}", Counting(level=0.123456789)) for i in range(20)]
    with pytest.raises(ValueError, match=r"^Did you mean 'step3__level'") as caught:
        GridSearch(Pipeline(steps), {"step3_level": [0.0]}).fit([[0]], [0])
    assert "step19" not in str(caught.value).split("Valid parameters")[0]


# -- meant otherwise -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("search", "given", "meant"),
    [
        (PBTSearch, "n_iter", "n_generations"),
        (PBTSearch, "n_trials", "n_generations"),
        (GridSearch, "njobs", "n_jobs"),
        (BayesSearch, "n_calls", "n_iter"),
        (GridSearch, "param_distributions", "param_grid"),
        (RandomSearch, "param_grid", "param_distributions"),
        (RandomSearch, "n_workers", "n_jobs"),
        (RandomSearch, "metric", "scoring"),
        (RandomSearch, "folds", "cv"),
        (RandomSearch, "checkpoint", "journal"),
        (RandomSearch, "patience", "stop"),
        (RandomSearch, "space", "param_distributions"),
        (GridSearch, "params", "param_grid"),
        (BayesSearch, "rng", "random_state"),
        (RandomSearch, "halving", "resource"),
        (BayesSearch, "resource", "race"),
        (BayesSearch, "pruner", "race"),
        (RandomSearch, "resume", "journal"),
        (BayesSearch, "x0", "initial_params"),
        (BayesSearch, "n_startup_trials", "n_initial"),
        (BayesSearch, "sampler", "surrogate"),
        (RandomSearch, "sampler", "sampling"),
    ],
)
def test_a_parameter_that_does_not_exist_is_met_with_the_one_that_does(
    search, given, meant
):
    with pytest.raises(TypeError, match=f"^Did you mean '{meant}'"):
        search(SVC(), **{given: 1})


@pytest.mark.parametrize(
    ("scoring", "hint"),
    [
        ("rmse", "neg_root_mean_squared_error"),
        ("roc-auc", "roc_auc"),
        ("auc", "roc_auc"),
    ],
)
def test_a_score_of_no_name_is_met_with_its_name(scoring, hint, data):
    """And with none twice."""
    with pytest.raises(ValueError, match=f"^Did you mean '{hint}'") as caught:
        GridSearch(SVC(), {"C": [1, 2]}, scoring=scoring).fit(*data)
    assert str(caught.value).count(f"'{hint}'") == 1


@pytest.mark.thinned
@pytest.mark.parametrize("classes", [["no", "yes"], [0, 2]])
@pytest.mark.parametrize("several", [False, True])
def test_scores_that_look_for_a_class_1_are_told_of_before_they_fail(classes, several):
    """Those, by name, that give no score if neither class is 1, and no others."""
    X, truth = make_classification(60, random_state=0)
    y = np.array(classes)[truth]
    good = LogisticRegression().fit(X, truth)
    for name in get_scorer_names():
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            warn_of_labels("GridSearch", [name] if several else name, y)
            assert not has_score(name, good, X, y) or not seen
        if classes == [0, 2]:  # regression scores do not fail by their labels
            able = has_score(name, good, X, truth)
            model = LogisticRegression().fit(X, y)
            assert bool(seen) == (able and not has_score(name, model, X, y))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for fine in (truth, truth == 1, 2 * truth - 1, np.arange(60) / 3, None):
            warn_of_labels("GridSearch", "f1", fine)


@pytest.mark.parametrize("several", [False, True])
def test_scores_of_two_classes_are_told_of_where_there_are_more(several):
    """And what is meant gives a score."""
    X, y = make_classification(90, n_classes=3, n_informative=4, random_state=0)
    model = LogisticRegression().fit(X, y)
    found = {}
    for name in get_scorer_names():
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            warn_of_labels("GridSearch", [name] if several else name, y)
        for warning in seen:
            found[name] = str(warning.message).split("'")[1]
            assert not has_score(name, model, X, y)
            assert has_score(found[name], model, X, y)
    assert set(found) == {"f1", "jaccard", "precision", "recall", "roc_auc"}


def has_score(name, model, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            get_scorer(name)(model, X, y)
        except (ValueError, TypeError, AttributeError):
            return False
    return True


@pytest.mark.parametrize("cv", [KFold(3, shuffle=True), ShuffleSplit(2)])
def test_splits_that_no_journal_can_know_again_are_told_of(cv, data, tmp_path):
    search = GridSearch(SVC(), {"C": [1]}, cv=cv, journal=tmp_path / "journal.db")
    with pytest.warns(JournalWarning, match="splits in another way at every fit"):
        search.fit(*data)
    cv.random_state = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error", JournalWarning)
        search.fit(*data)
        search.set_params(cv=cv, journal=None).fit(*data)


def test_a_search_tells_of_labels_before_its_fits():
    X, truth = make_classification(60, random_state=0)
    search = GridSearch(SVC(), {"C": [1]}, scoring="recall", refit=False)
    with pytest.warns(SkhpoWarning, match=r"^Did you mean make_scorer\(recall_score"):
        search.fit(X, np.array(["no", "yes"])[truth])


@pytest.mark.parametrize("search", [GridSearch, RandomSearch])
@pytest.mark.parametrize("made", [Real, Integer, Categorical, Choice, Curve])
def test_a_class_in_the_place_of_what_it_makes_is_met_with_that(search, made, data):
    with pytest.raises(InvalidSpaceError, match=f"^Did you mean {made.__name__}"):
        search(SVC(), {"C": made}).fit(*data)


def test_a_family_of_scipy_is_asked_for_its_parameters(data):
    """Unless it has none, as `uniform`: then scikit-learn draws from it, too."""
    with pytest.raises(InvalidSpaceError, match=r"stats\.loguniform\(\.\.\.\)"):
        RandomSearch(SVC(), {"C": loguniform}).fit(*data)
    RandomSearch(SVC(), {"C": uniform}, n_iter=1, random_state=0).fit(*data)


@pytest.mark.parametrize("search", [GridSearch, RandomSearch, BayesSearch])
def test_a_tuple_that_was_to_be_one_value_is_met_with_the_list(search, data):
    space = {"ngram_range": (1, 2)}
    with pytest.raises(ValueError, match=r"^Did you mean \[\(1, 2\)\]"):
        search(TfidfVectorizer(), space, scoring=lambda *_: 1.0).fit(*data)


def test_a_misspelt_prior_is_met_with_the_right_one(data):
    with pytest.raises(ValueError, match=r"^Did you mean \(0\.1, 9, 'log-uniform'\)"):
        RandomSearch(SVC(), {"C": (0.1, 9, "log")}).fit(*data)


def test_a_curve_of_another_parameter_is_met_with_the_one_that_can(data):
    booster = HistGradientBoostingClassifier()
    with pytest.raises(InvalidSpaceError, match=r"^Did you mean 'max_iter'"):
        RandomSearch(booster, {"max_leaf_nodes": Curve(50)}).fit(*data)


@pytest.mark.parametrize("scoring", [None, "accuracy"])
def test_the_name_of_no_score_decides_nothing_and_it_is_said(scoring, data):
    """It is taken for True, as in scikit-learn's searches."""
    search = GridSearch(SVC(), {"C": [1, 2]}, scoring=scoring, refit="roc_auc")
    with pytest.warns(SkhpoWarning, match=r"^Did you mean scoring='roc_auc'"):
        search.fit(*data)
    with pytest.warns(SkhpoWarning, match=r"^The 'refit' of GridSearch is 'OneStan"):
        search.set_params(refit="OneStandardError").fit(*data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search.set_params(scoring="roc_auc", refit="roc_auc").fit(*data)
        search.set_params(scoring=["accuracy", "roc_auc"]).fit(*data)


@pytest.mark.parametrize("search", [RandomSearch, BayesSearch])
def test_first_candidates_that_find_no_place_are_told_of(search, data):
    first = [{"C": 2.0}, {"C": 3.0}, {"C": 4.0}]
    few = search(SVC(), {"C": Real(1.0, 9.0)}, n_iter=2, initial_params=first)
    with pytest.warns(SkhpoWarning, match="does not try the last 1"):
        few.fit(*data)
    assert few.cv_results_["params"] == first[:2]
    with warnings.catch_warnings():
        warnings.simplefilter("error", SkhpoWarning)
        few.set_params(n_iter=3).fit(*data)


def test_the_class_of_a_splitter_is_no_splitter(data):
    search = GridSearch(SVC(), {"C": [1, 2]}, cv=KFold)
    with pytest.raises(TypeError, match=r"^Did you mean cv=KFold\("):
        search.fit(*data)


def test_splits_that_are_used_up_leave_nothing_to_be_seen(data):
    search = GridSearch(SVC(), {"C": [1, 2]}, cv=KFold(3).split(data[0]))
    search.fit(*data)
    with pytest.raises(ValueError, match="Was the CV iterator empty") as caught:
        search.fit(*data)
    assert not getattr(caught.value, "__notes__", [])


def test_the_class_of_a_rule_is_no_rule(data):
    """It is said before the first fit, and not after the last one."""
    search = GridSearch(SVC(), {"C": [1, 2]}, refit=OneStandardError)
    with pytest.raises(TypeError, match=r"^Did you mean refit=OneStandardError\("):
        search.fit(*data)
    assert not hasattr(search, "cv_results_")


@pytest.mark.parametrize("search", [GridSearch, RandomSearch, BayesSearch])
def test_a_metric_is_no_scorer(search, data):
    """It fails for every candidate, and that is said before the first."""
    metric = lambda true, said: 1.0  # noqa: E731
    for given in (metric, {"a": metric}):
        with pytest.warns(SkhpoWarning, match=r"^Did you mean make_scorer\("):
            search(SVC(), {"C": [1, 2]}, scoring=given, refit=False).fit(*data)


@pytest.mark.parametrize("search", [GridSearch, RandomSearch, BayesSearch])
def test_parameters_of_a_metric_are_checked_as_scikit_learn_checks_them(search, data):
    """Without its check, this metric would give a number."""
    scoring = make_scorer(fbeta_score, beta=-1.0)
    made = search(SVC(), {"C": [1, 2]}, scoring=scoring, error_score="raise")
    with pytest.raises(ValueError, match="The 'beta' parameter of fbeta_score must be"):
        made.fit(*data)


def test_names_of_the_same_thing_are_near(data):
    boosting = HistGradientBoostingClassifier()
    with pytest.raises(ValueError, match=r"^Did you mean 'max_iter'\? "):
        GridSearch(boosting, {"n_estimators": [1, 2]}).fit(*data)
