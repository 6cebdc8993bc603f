"""Arrays of other libraries, with scikit-learn's dispatch: as its own searches.

SciPy must be told before its import (``SCIPY_ARRAY_API=1``); `.ci/run` does.
"""

from __future__ import annotations

import numpy as np
import pytest
import sklearn
from sklearn.datasets import make_classification, make_regression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skhpo import (
    BayesSearch,
    GradientSearch,
    GridSearch,
    PBTSearch,
    RandomSearch,
    report,
)
from skhpo.exceptions import InvalidSpaceError
from skhpo.space import Real, suggest_space

REGRESSION = make_regression(90, 5, noise=20.0, random_state=0)
CLASSES = make_classification(90, 5, random_state=0)
RIDGE = make_pipeline(MinMaxScaler(), Ridge(solver="svd"))
GRID = {"ridge__alpha": [0.01, 0.1, 1.0]}
RANGE = {"ridge__alpha": Real(0.01, 1.0, log=True)}
DISCRIMINANT = LinearDiscriminantAnalysis()
TOLERANCES = {"tol": [1e-4, 0.1]}
MEAN = "mean_test_score"


@pytest.fixture
def strict():
    """A library that has what the standard has, and nothing else."""
    xp = pytest.importorskip("array_api_strict")
    try:
        with sklearn.config_context(array_api_dispatch=True):
            yield xp
    except RuntimeError as error:
        pytest.skip(str(error))  # SciPy was not told


@pytest.fixture(params=["CPU_DEVICE", "device1"])
def moved(request, strict):
    """Data as arrays of that library, on a device which NumPy may not reach."""
    device = strict.Device(request.param)
    return lambda data: tuple(strict.asarray(one, device=device) for one in data)


def assert_same_as_with_numpy(search, data, moved):
    """Candidates and scores, with arrays of both libraries; return the second."""
    numpy = sklearn.clone(search).fit(*data)
    other = sklearn.clone(search).fit(*moved(data))
    assert other.cv_results_["params"] == numpy.cv_results_["params"]
    np.testing.assert_allclose(other.cv_results_[MEAN], numpy.cv_results_[MEAN])
    return other


@pytest.mark.parametrize(
    ("model", "grid", "data"),
    [(RIDGE, GRID, REGRESSION), (DISCRIMINANT, TOLERANCES, CLASSES)],
)
@pytest.mark.parametrize("reuse", [True, False])
def test_a_grid_is_searched_as_by_scikit_learn(model, grid, data, reuse, moved, strict):
    """The same scores, the same kind of predictions, the same tag."""
    options = {"cv": 3, "error_score": "raise", "return_train_score": True}
    ours = GridSearch(model, grid, reuse=reuse, **options).fit(*moved(data))
    theirs = GridSearchCV(model, grid, **options).fit(*moved(data))
    for name in (MEAN, "mean_train_score"):
        np.testing.assert_array_equal(ours.cv_results_[name], theirs.cv_results_[name])
    X = moved(data)[0]
    assert bool(strict.all(ours.predict(X) == theirs.predict(X)))
    assert ours.predict(X).device == X.device
    tags = [one.__sklearn_tags__().array_api_support for one in (ours, theirs)]
    assert tags[0] == tags[1]


OPTIONS = {
    "race": {"race": True},
    "rows": {"resource": "n_samples", "min_resources": 30},
}
OUTSIDE = {"processes": {"n_jobs": 2}, "limit": {"fit_timeout": "1min", "n_iter": 1}}


def with_options(**options):
    options = {"n_iter": 4, "cv": 3, "random_state": 0, **options}
    return RandomSearch(RIDGE, RANGE, error_score="raise", **options)


@pytest.mark.parametrize("name", OPTIONS)
def test_options_mean_the_same_with_any_array(name, moved):
    """Races and halving."""
    assert_same_as_with_numpy(with_options(**OPTIONS[name]), REGRESSION, moved)


@pytest.mark.parametrize("moved", ["device1"], indirect=True)
@pytest.mark.parametrize("name", OUTSIDE)
def test_arrays_are_sent_to_other_processes(name, moved):
    """And scikit-learn's dispatch is on there, too."""
    assert_same_as_with_numpy(with_options(**OUTSIDE[name]), REGRESSION, moved)


def test_a_search_that_learns_tries_the_same(moved):
    """The same scores lead to the same candidates."""
    search = BayesSearch(RIDGE, RANGE, n_iter=5, cv=3, random_state=0)
    assert_same_as_with_numpy(search, REGRESSION, moved)


@pytest.mark.parametrize("moved", ["CPU_DEVICE"], indirect=True)
def test_a_population_is_trained_in_portions(moved):
    """On another device, scikit-learn 1.9 takes no second portion with `classes`."""
    search = PBTSearch(
        GaussianNB(), {"var_smoothing": Real(1e-9, 1, log=True)}, population_size=4,
        n_generations=2, cv=3, random_state=0,
    )  # fmt: skip
    assert_same_as_with_numpy(search, CLASSES, moved)


def test_halving_of_rows_keeps_the_shares_of_classes(moved):
    """It reads the classes as NumPy."""
    search = RandomSearch(
        DISCRIMINANT, {"tol": Real(1e-4, 0.1)}, n_iter=4, cv=3, random_state=0,
        resource="n_samples", min_resources=30,
    )  # fmt: skip
    assert_same_as_with_numpy(search, CLASSES, moved)


def test_out_of_fold_responses_are_of_numpy(moved):
    """So a report is that of the same data in NumPy."""
    search = GridSearch(RIDGE, GRID, cv=3, return_oof=True)
    other = assert_same_as_with_numpy(search, REGRESSION, moved)
    numpy = search.fit(*REGRESSION)
    np.testing.assert_allclose(other.oof_[0], numpy.oof_[0], rtol=1e-5)
    scores = [report(one).corrected_score for one in (other, numpy)]
    assert scores[0] == pytest.approx(scores[1])


def test_a_journal_knows_other_data(moved, tmp_path):
    """Also of a library that it has no words for."""
    X, y = REGRESSION
    for data, n_found in ((X, 0), (X, 9), (X + 1, 0)):
        search = GridSearch(RIDGE, GRID, cv=3, journal=tmp_path / "journal.db")
        search.fit(*moved((data, y)))
        assert search.reuse_.n_found == n_found


def test_gradients_are_computed_with_numpy(moved):
    """So differences take their place; where that is not wanted, it is an error."""
    options = {"bounds": {"alpha": Real(0.1, 10, log=True)}, "cv": 3, "random_state": 0}
    search = GradientSearch(Ridge(solver="svd"), **options).fit(*moved(REGRESSION))
    assert search.method_ == "finite_difference"
    search.set_params(method="implicit")
    with pytest.raises(ValueError, match="array of another library"):
        search.fit(*moved(REGRESSION))


def test_a_space_is_suggested_where_numpy_can_read(moved):
    """And refused where it cannot."""
    X, y = moved(REGRESSION)
    if "CPU" in str(X.device):
        assert dict(suggest_space(Ridge(), X, y)) == dict(
            suggest_space(Ridge(), *REGRESSION)
        )
    else:
        with pytest.raises(InvalidSpaceError, match="a copy of X in NumPy"):
            suggest_space(Ridge(), X, y)
