"""Libraries that prepare tables, as steps of what is tuned; ranges of skrub."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.datasets import make_regression
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline

from skhpo import BayesSearch, GridSearch, PBTSearch, RandomSearch, report
from skhpo.exceptions import InvalidSpaceError
from skhpo.space import Choice, Integer, Real, SearchSpace

X, Y = make_regression(n_samples=90, n_features=4, noise=20.0, random_state=0)
MEAN = "mean_test_score"


@pytest.fixture
def skrub():
    return pytest.importorskip("skrub")


@pytest.fixture
def table():
    """A table with numbers, a category and missing values, and its target."""
    pd = pytest.importorskip("pandas")
    rng = np.random.RandomState(0)
    city = rng.choice(["Oslo", "Rome", "Lima"], 90)
    size = np.where(rng.rand(90) < 0.1, np.nan, rng.rand(90))
    target = (city == "Oslo") + np.nan_to_num(size) + 0.1 * rng.normal(size=90)
    return pd.DataFrame({"city": city.astype(object), "size": size}), target


def assert_same_scores(kind, theirs, *arguments, data=(X, Y), **options):
    """As scikit-learn's own search has them, bit by bit; return ours."""
    ours = kind(*arguments, cv=3, **options).fit(*data)
    theirs = theirs(*arguments, cv=3, **options).fit(*data)
    assert ours.cv_results_["params"] == theirs.cv_results_["params"]
    np.testing.assert_array_equal(ours.cv_results_[MEAN], theirs.cv_results_[MEAN])
    return ours


@pytest.fixture
def choices(skrub):
    return {
        "alpha": skrub.choose_float(1e-3, 1e3, log=True, name="alpha"),
        "max_iter": skrub.choose_int(10, 20),
        "tol": skrub.choose_float(1e-5, 1e-3, log=True, n_steps=3),
        "positive": skrub.choose_bool(),
        "solver": skrub.choose_from({"any": "auto", "one": "lbfgs"}),
    }


def test_a_choice_of_skrub_is_the_same_range(skrub, choices):
    """As ours, with and without logarithms, and with its values in order."""
    columns = {column.name: column for column in SearchSpace(choices).columns}
    assert columns["alpha"].dimension == Real(1e-3, 1e3, log=True)
    assert columns["max_iter"].dimension == Integer(10, 20)
    assert columns["tol"].dimension.ordered
    assert columns["tol"].dimension.values == pytest.approx((1e-5, 1e-4, 1e-3))
    assert columns["positive"].dimension.values == (True, False)
    assert columns["solver"].dimension.values == ("auto", "lbfgs")
    assert SearchSpace({"a": skrub.optional(3)}).columns[0].dimension.n_values == 2


SEARCHES = {
    "random": lambda **o: RandomSearch(n_iter=4, random_state=0, **o),
    "sobol": lambda **o: RandomSearch(n_iter=4, sampling="sobol", random_state=0, **o),
    "bayes": lambda **o: BayesSearch(n_iter=12, random_state=0, **o),
    "tpe": lambda **o: BayesSearch(n_iter=12, surrogate="tpe", random_state=0, **o),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_every_search_takes_choices(name, choices):
    """And none leaves the range."""
    choices["positive"] = [True]
    choices["solver"] = choices["solver"].outcomes[:1]
    search = SEARCHES[name](estimator=Ridge(), param_distributions=choices, cv=2)
    for params in search.fit(X, Y).cv_results_["params"]:
        SearchSpace(choices).encode({k: _native(v) for k, v in params.items()})


def _native(value):
    return getattr(value, "item", lambda: value)()


def test_an_outcome_is_a_value(skrub):
    """Of a journal and a report, too, and of a branch."""
    space = {
        "fit_intercept": skrub.choose_bool(),
        "solver": Choice({"auto": {"alpha": skrub.choose_float(0.1, 1.0)}}),
    }
    search = BayesSearch(Ridge(), space, n_iter=6, cv=4, random_state=0).fit(X, Y)
    assert search.best_params_["fit_intercept"] in (True, False)
    assert "alpha" in str(report(search))


def test_a_grid_has_the_quantiles(skrub):
    """And the steps, as scikit-learn's grid has them."""
    space = {"alpha": skrub.choose_float(0.01, 100, log=True)}
    search = GridSearch(Ridge(), space, n_levels=3, cv=2).fit(X, Y)
    tried = [params["alpha"] for params in search.cv_results_["params"]]
    assert tried == pytest.approx([0.01, 1.0, 100.0])
    space = {"alpha": skrub.choose_float(0.01, 100, log=True, n_steps=4)}
    assert_same_scores(GridSearch, GridSearchCV, Ridge(), space)


def test_draws_are_those_of_scikit_learn(skrub):
    """Of ranges, to which scikit-learn's search is used as well."""
    space = {
        "alpha": skrub.choose_float(1e-3, 1e3, log=True),
        "max_iter": skrub.choose_int(10, 20, n_steps=3),
        "tol": loguniform(1e-5, 1e-3),
    }
    options = {"n_iter": 5, "random_state": 3}
    assert_same_scores(RandomSearch, RandomizedSearchCV, Ridge(), space, **options)


def test_a_population_moves_within_a_choice(skrub):
    """It is perturbed, and not drawn anew only."""
    from sklearn.linear_model import SGDRegressor

    space = {"alpha": skrub.choose_float(1e-5, 1e-1, log=True)}
    search = PBTSearch(
        SGDRegressor(), space, population_size=4, n_generations=3, cv=2, random_state=0
    ).fit(X, Y)
    tried = {params["alpha"] for params in search.cv_results_["params"]}
    assert len(tried) > 4
    assert all(1e-5 <= alpha <= 1e-1 for alpha in tried)


def test_a_choice_within_a_choice_is_named(skrub):
    """Since it would be given to the estimator as it is."""
    space = {"alpha": skrub.choose_from([skrub.choose_float(0.1, 1.0), 5.0])}
    with pytest.raises(InvalidSpaceError, match=r"'alpha'.*as an outcome"):
        GridSearch(Ridge(), space).fit(X, Y)


def test_steps_of_a_tabular_pipeline_are_shared(skrub, table):
    """Tables are not encoded for each candidate, and the scores are the same."""
    pipeline = skrub.tabular_pipeline(Ridge())
    space = {"ridge__alpha": [0.01, 0.1, 1.0, 10.0]}
    ours = assert_same_scores(GridSearch, GridSearchCV, pipeline, space, data=table)
    assert ours.reuse_.n_saved > ours.reuse_.n_fits


def test_category_encoders(table):
    """An encoder that sees the target, and its smoothing."""
    encoders = pytest.importorskip("category_encoders")
    frame, target = table
    encoder = encoders.TargetEncoder(cols=["city"])
    pipeline = make_pipeline(encoder, Ridge())
    space = {"targetencoder__smoothing": [1.0, 20.0], "ridge__alpha": [0.1, 1.0]}
    data = frame.fillna(0.0), target
    assert_same_scores(GridSearch, GridSearchCV, pipeline, space, data=data)


def test_feature_engine(table):
    """A transformer whose output is a frame."""
    imputation = pytest.importorskip("feature_engine.imputation")
    encoding = pytest.importorskip("feature_engine.encoding")
    imputer = imputation.MeanMedianImputer(variables=["size"])
    pipeline = make_pipeline(imputer, encoding.OneHotEncoder(), Ridge())
    name = "meanmedianimputer__imputation_method"
    space = {name: ["mean", "median"], "ridge__alpha": [0.1, 1.0]}
    assert_same_scores(GridSearch, GridSearchCV, pipeline, space, data=table)


def test_mapie_around_a_search():
    """Conformal intervals of a model that is a search."""
    regression = pytest.importorskip("mapie.regression")
    ours = GridSearch(Ridge(), {"alpha": [0.1, 10.0]}, cv=2)
    theirs = GridSearchCV(Ridge(), {"alpha": [0.1, 10.0]}, cv=2)

    def intervals(search):
        model = regression.CrossConformalRegressor(search, cv=3, random_state=0)
        return model.fit_conformalize(X, Y).predict_interval(X[:5])

    for found, expected in zip(intervals(ours), intervals(theirs), strict=True):
        np.testing.assert_array_equal(found, expected)
