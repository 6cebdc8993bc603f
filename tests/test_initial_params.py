"""What is tried first is tried: as it was given, whatever the space has of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.ensemble import AdaBoostClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skhpo import BayesSearch, GridSearch, RandomSearch
from skhpo.exceptions import InvalidSpaceError
from skhpo.space import Choice, Curve, Integer, Real, suggest_space

X, Y = load_iris(return_X_y=True)
TREE = DecisionTreeClassifier(max_depth=3, random_state=0)
VALUES = {"max_depth": [1, 2, 3], "min_samples_leaf": [1, 5], "splitter": ["best"]}
some_params = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) for name, values in VALUES.items()}
)


def assembled(params):
    return repr(clone(TREE).set_params(**params).get_params())


@settings(max_examples=20, deadline=None)
@given(
    initial=st.lists(some_params.filter(bool), min_size=1, max_size=3),
    names=st.sets(st.sampled_from([*VALUES]), min_size=1),
    kind=st.sampled_from([GridSearch, RandomSearch]),
)
def test_each_is_tried_whatever_the_space_lacks(initial, names, kind):
    """Also a value that the space does not list, and of a grid nothing twice for it."""
    space = {name: VALUES[name] for name in names}
    options = {"n_iter": 5, "random_state": 0} if kind is RandomSearch else {}
    search = kind(TREE, space, initial_params=initial, cv=2, refit=False, **options)
    tried = [assembled(params) for params in search.fit(X, Y).cv_results_["params"]]
    assert {assembled(params) for params in initial} <= set(tried)
    if kind is GridSearch:
        grid = GridSearch(TREE, space, cv=2, refit=False).fit(X, Y)
        listed = [assembled(params) for params in grid.cv_results_["params"]]
        assert tried[-len(listed) :] == listed
        assert not set(tried[: -len(listed)]) & set(listed)


BOOST = AdaBoostClassifier(n_estimators=3, random_state=0)
SUGGESTED = {
    "curve": BOOST,
    "listed": make_pipeline(StandardScaler(), SVC()),
    "choice": Choice({"svc": SVC(), "boost": BOOST}),
}


def searches_of(space, grid):
    """Return each search, with its space."""
    options = {"n_iter": 3, "random_state": 0}
    return [
        *((kind, space, options) for kind in (RandomSearch, BayesSearch)),
        (GridSearch, grid, {}),
    ]


@pytest.mark.parametrize("name", SUGGESTED)
def test_the_code_of_a_suggested_space_is_searched_as_the_space_is(name):
    """Also by those that do not begin with the estimator as it is."""
    model = SUGGESTED[name]
    options = {"name": "svc"} if isinstance(model, Choice) else {}
    estimator = model if not options else make_pipeline(SVC())
    space = suggest_space(model, X, Y, **options)
    for kind, given_space, chosen in searches_of(space, space.grid(2)):
        code = {}
        exec(given_space.to_code(), code)
        params = [
            kind(estimator, searched, cv=2, refit=False, **more, **chosen)
            .fit(X, Y)
            .cv_results_["params"]
            for searched, more in (
                (given_space, {}),
                (code["space"], {"initial_params": code["initial_params"]}),
            )
        ]
        assert repr(params[0]) == repr(params[1])


@pytest.mark.parametrize("kind", [GridSearch, RandomSearch, BayesSearch])
@pytest.mark.parametrize(
    "own", [{"n_estimators": Curve(4)}, {"n_estimators": Integer(1, 4)}, {}]
)
def test_a_curve_that_is_tried_first_is_that_of_the_space(kind, own):
    """Another one would escape what is checked of curves."""
    options = {} if kind is GridSearch else {"n_iter": 2}
    if kind is GridSearch and isinstance(own.get("n_estimators"), Integer):
        options["n_levels"] = 2
    first = {"learning_rate": 1.0, "n_estimators": Curve(3)}
    search = kind(
        BOOST, {"learning_rate": [0.1, 1.0], **own}, initial_params=[first], **options
    )
    with pytest.raises(InvalidSpaceError, match=r"Curve\(3\)|'n_estimators'"):
        search.fit(X, Y)


MORE = {
    "jobs": {"n_jobs": 2},
    "race": {"race": True},
    "journal": {"journal": "j.sqlite"},
    "scores": {"scoring": ["accuracy", "neg_log_loss"], "refit": "accuracy"},
    "raise": {"error_score": "raise"},
    "finalists": {"finalists": 2},
}


@pytest.mark.parametrize("more", MORE)
@pytest.mark.parametrize("kind", [GridSearch, RandomSearch, BayesSearch])
def test_a_curve_that_is_tried_first_is_a_row_as_others(kind, more, tmp_path):
    """With its own number and score; and once more, from a journal."""
    options = dict(MORE[more])
    if "journal" in options:
        options["journal"] = str(tmp_path / options["journal"])
    if kind is not GridSearch:
        options |= {"n_iter": 3, "random_state": 0}
    curve = Curve(6)
    alone = GridSearch(BOOST, {"n_estimators": curve, "learning_rate": [0.5]}, cv=3)
    rates = [0.1, 1.0] if kind is GridSearch else Real(0.1, 1.0)
    search = kind(
        BOOST,
        {"n_estimators": curve, "learning_rate": rates},
        initial_params=[{"n_estimators": Curve(6), "learning_rate": 0.5}],
        cv=3,
        **options,
    )
    score = alone.fit(X, Y).best_score_
    column = {"scores": "mean_test_accuracy", "race": "estimated_test_score"}
    for _ in range(2 if more == "journal" else 1):
        results = search.fit(X, Y).cv_results_
        assert results["params"][0] == alone.best_params_
        found = results[column.get(more, "mean_test_score")][0]
        assert found == pytest.approx(score, abs=1e-12)
