"""Mistakes of those who come new, or from other libraries: messages say what works."""

import inspect
import pickle
import warnings
from functools import partial

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor

from skhpo import (
    BayesSearch,
    GradientSearch,
    GridSearch,
    PBTSearch,
    RandomSearch,
    report,
)
from skhpo._sklearn_compat import InvalidParameterError, StrOptions
from skhpo.exceptions import InvalidSpaceError, JournalError, SkhpoWarning
from skhpo.optimizers import BayesOptimizer
from skhpo.optimizers._sampling import SamplingOptimizer
from skhpo.schedules._forms import complete_form
from skhpo.search.feedback._failures import Failures, summarize
from skhpo.search.feedback._heartbeat import found_in_journal
from skhpo.selection import Constrained
from skhpo.space import Choice, Curve, Integer, Real, SearchSpace, suggest_space

X, y = np.arange(20.0)[:, np.newaxis], np.arange(20.0)
SPACE = {"quantile": [0.1, 0.5], "strategy": ["quantile"]}


@pytest.mark.parametrize(
    ("search", "option", "value", "meant"),
    [
        (GridSearch, "initial_params", {"quantile": 0.3}, "[{'quantile': 0.3}]"),
        (BayesSearch, "initial_params", {"quantile": 0.3}, "[{'quantile': 0.3}]"),
        (RandomSearch, "initial_params", "default", "'defaults'"),
        (RandomSearch, "n_iter", "10", "10"),
        (RandomSearch, "n_iter", 10.0, "10"),
        (RandomSearch, "sampling", "Sobol", "'sobol'"),
        (BayesSearch, "acquisition", "EI", "'ei'"),
        (GridSearch, "cv", "5", "5"),
        (GridSearch, "n_jobs", "all", "-1"),
        (GridSearch, "stop", 10, "NoImprovement(n_candidates=10, tol=0.0)"),
    ],
)
def test_a_value_of_the_wrong_kind_names_one_that_works(search, option, value, meant):
    """First, and then scikit-learn's sentence."""
    made = search(DummyRegressor(), SPACE, **{option: value})
    with pytest.raises(InvalidParameterError) as raised:
        made.fit(X, y)
    first, _, rest = str(raised.value).partition("? ")
    assert first == f"Did you mean {option}={meant}"
    assert rest.startswith(f"The {option!r} parameter of {search.__name__} must be")


ALL = (GridSearch, RandomSearch, BayesSearch, PBTSearch, GradientSearch)
LISTED = [
    (search, name, value)
    for search in ALL
    for name, allowed in search._parameter_constraints.items()
    for one in (allowed if isinstance(allowed, list) else ())
    if isinstance(one, StrOptions) and name != "scoring"  # of which there are many
    for value in sorted(one.options)
]


@pytest.mark.parametrize(("search", "option", "value"), LISTED)
def test_a_misspelt_value_of_any_option_is_met_with_the_one_that_is_meant(
    search, option, value
):
    """However it is misspelt: in capitals, with a letter too many, with two swapped."""
    swapped = value[:-2] + value[-1] + value[-2] if len(value) > 3 else value.upper()
    for misspelt in (value.title(), f"{value}{value[-1]}", swapped):
        made = search(DummyRegressor(), SPACE).set_params(**{option: misspelt})
        with pytest.raises(InvalidParameterError) as raised:
            made._validate_params()
        assert str(raised.value).startswith(f"Did you mean {option}={value!r}? The ")


def a_curve():
    booster = HistGradientBoostingRegressor(min_samples_leaf=1)
    return GridSearch(booster, {"max_iter": Curve(3)}, cv=2).fit(X, y)


def of_several(search, refit="r2"):
    names = ["r2", "neg_mean_absolute_error"]
    made = search(DummyRegressor(), SPACE, scoring=names, refit=refit, cv=2)
    return made.fit(X, y)


def of_one(refit="r2"):
    return GridSearch(DummyRegressor(), SPACE, scoring="r2", refit=refit, cv=2)


@pytest.mark.parametrize(
    ("act", "meant"),
    [
        *(
            (partial(of_several, search, "R_2"), "refit='r2'")
            for search in (GridSearch, RandomSearch, BayesSearch)
        ),
        (lambda: of_one("r2").set_params(refit="R2").fit(X, y), "refit='r2'"),
        (lambda: of_one("acuracy").fit(X, y), "scoring='accuracy'"),
        (
            lambda: of_one().set_params(resource="n_sample", max_resources=9).fit(X, y),
            "'n_samples'",
        ),
        (
            lambda: (
                of_one().set_params(resource="constantt", max_resources=9).fit(X, y)
            ),
            "'constant'",
        ),
        (lambda: a_curve().curve_of(0, metric="scores"), "'score'"),
        (lambda: report(of_several(GridSearch), metric="R2"), "'r2'"),
        (
            lambda: Constrained("mean_score_time", "<=", 9, metric="R2")(
                of_several(GridSearch).cv_results_
            ),
            "'r2'",
        ),
        (lambda: suggest_space(DummyRegressor(), X, y, effort="autoo"), "'auto'"),
        (lambda: BayesOptimizer(SPACE, surrogate="forrest"), "'forest'"),
        (lambda: BayesOptimizer(SPACE, acquisition="logei"), "'log_ei'"),
        (lambda: BayesOptimizer(SPACE, n_initial="autoo"), "'auto'"),
        (lambda: SamplingOptimizer(SPACE, sampling="sobbol"), "'sobol'"),
        (lambda: complete_form("linearr", own=1.0), "'linear'"),
    ],
)
def test_a_misspelt_value_is_met_with_the_one_that_is_meant(act, meant):
    """Wherever a value is one of some names, those of scores among them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Did you mean")
        with pytest.raises(
            (ValueError, SkhpoWarning), match=rf"^Did you mean {meant}\? "
        ):
            act()


@pytest.mark.parametrize(("option", "value"), [("n_iter", 0), ("sampling", "abc")])
def test_nothing_is_guessed_where_nothing_is_near(option, value):
    made = RandomSearch(DummyRegressor(), SPACE, **{option: value})
    with pytest.raises(InvalidParameterError, match=rf"^The '{option}' parameter"):
        made.fit(X, y)


@pytest.mark.parametrize(
    ("make", "hint"),
    [
        (lambda: Integer(0.5, 3), r"Got 0\.5 instead; .* Real\(0\.5, 3\)"),
        (lambda: Integer(1e3, 1e5), "write 1000 and 100000"),
        (lambda: Integer("1", 3), "write 1 and 3"),
        (lambda: Real("0.1", 1), "write 0.1 and 1"),
        (lambda: Real(9, 1), "swap them"),
        (lambda: SearchSpace({"C": {1.0, 2.0}}), "write a list"),
        (lambda: SearchSpace({"C": {"a": {}}}), "is a Choice"),
        (lambda: SearchSpace({"C": (1, 9, "log")}), "did you mean 'log-uniform'"),
        (lambda: SearchSpace({"C": [1]}, constraints="C < 2"), "Got 'C < 2' instead"),
        (lambda: Choice(["a", "b"]), "are a list"),
    ],
)
def test_what_is_no_space_says_what_to_write(make, hint):
    with pytest.raises(InvalidSpaceError, match=hint):
        make()


@pytest.mark.parametrize(
    ("make", "hint"),
    [
        (lambda: Real(1, 10, prior="log-uniform"), "log=True .*'prior'"),
        (lambda: Real(1, 10, "log-uniform"), "log=True"),
        (lambda: Integer(1, 9, step=2), r"list\(range\(low, high \+ 1, step\)\)"),
        (lambda: Integer([1, 2, 3]), "Integer needs both bounds"),
        (lambda: Curve(1, 10), r"Write Curve\(high, low=\.\.\.\)"),
        (lambda: Real(1, 2, nonsense=3), "^Real.* 'nonsense'"),
    ],
)
def test_arguments_of_other_libraries_are_known(make, hint):
    with pytest.raises(TypeError, match=hint):
        make()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("sampel_weight", "Did you mean 'sample_weight'? The fit of DummyRegressor "),
        ("callback", "Did you mean 'stop'? That is given to the search when it is "),
        ("nothing_like_it", "The fit of DummyRegressor has no parameter "),
    ],
)
@pytest.mark.parametrize("make", [GridSearch, RandomSearch, BayesSearch])
def test_what_fit_cannot_take_is_said_before_the_first_fit(make, name, hint):
    search = make(DummyRegressor(), SPACE)
    with pytest.raises(InvalidParameterError) as raised:
        search.fit(X, y, **{name: np.ones(len(X))})
    assert str(raised.value).startswith(hint)


class TakesAnything(DummyRegressor):
    def fit(self, X, y, **params):
        self.given_ = sorted(params)
        return super().fit(X, y)


def test_a_fit_that_takes_anything_is_given_it():
    search = GridSearch(TakesAnything(), SPACE).fit(X, y, callback=print)
    assert search.best_estimator_.given_ == ["callback"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"journal": "{}"}, "Did you mean '{}.journal.db'. It is a folder"),
        ({"memory_limit": 4}, "Did you mean '4MB' or '4GB'. memory_limit must be"),
        ({"memory_limit": "10kB"}, "memory_limit must be at least 1 MB"),
    ],
)
def test_values_that_nobody_can_mean_are_met_with_those_that_work(
    change, message, tmp_path
):
    if "journal" in change:
        change = {"journal": str(tmp_path)}
    with pytest.raises((ValueError, JournalError), match=message.format(tmp_path)):
        GridSearch(DummyRegressor(), SPACE, **change).fit(X, y)


@pytest.mark.parametrize("values", [{0.5, 0.1}, frozenset([0.5, 0.1])])
def test_a_set_has_no_order_and_is_met_with_a_list(values):
    with pytest.raises(TypeError, match=r"Did you mean a list, \[0.1, 0.5\]\?"):
        GridSearch(DummyRegressor(strategy="quantile"), {"quantile": values}).fit(X, y)


def test_a_search_without_a_model_says_so():
    space = {"quantile": Real(0, 1), "strategy": ["quantile"]}
    search = BayesSearch(DummyRegressor(), space, n_iter=3, n_initial=3, cv=2)
    with pytest.warns(SkhpoWarning, match="n_initial=3 is not less than n_iter=3"):
        search.fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error", SkhpoWarning)
        search.set_params(n_initial=2).fit(X, y)
        search.set_params(n_initial=5, prior_results=search.cv_results_).fit(X, y)


@pytest.mark.parametrize("same", [True, False])
def test_results_of_another_score_are_not_learned_from_silently(same):
    space = {"quantile": Real(0, 1), "strategy": ["quantile"]}
    before = BayesSearch(DummyRegressor(), space, n_iter=3, cv=2, scoring="r2")
    before.fit(X, y)
    scoring = "r2" if same else "neg_mean_absolute_error"
    now = clone(before).set_params(scoring=scoring, prior_results=before)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        now.fit(X, y)
    told = [str(w.message) for w in caught if "scoring='r2'" in str(w.message)]
    assert len(told) == (not same)


def test_hints_leave_dimensions_what_they_are():
    assert [*inspect.signature(Real).parameters] == ["low", "high", "log"]
    assert pickle.loads(pickle.dumps(Integer(1, 2, log=True))) == Integer(
        1, 2, log=True
    )


def test_one_of_something_is_no_plural():
    failure = Failures("Error", "", 1, 1, {}, 0, "")
    assert summarize([failure]).startswith("1 fit of 1 candidate: Error")
    assert found_in_journal(1, 1) == "1 of 1 evaluation found in the journal"
    search = GridSearch(DummyRegressor(), {"quantile": [0.1]}, cv=2).fit(X, y)
    with pytest.raises(InvalidSpaceError, match="Not even the only candidate is in"):
        SearchSpace({"constant": [1.0]}).zoom(search)
