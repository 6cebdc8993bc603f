"""Options that cross: what must not decide a result does not, whatever does decide it.

A problem is what may decide the result of a search: estimator, scoring, weights, what a
failure scores, what is fitted at the end. A way is how it is run: jobs, backend,
limits, a journal that holds all or half of it, reuse. Every way gives what the plain
run gives: the same rows, the same best, the same predictions, failures and errors.

Most faults of a search lie where two options meet that were each tested alone, so
hypothesis draws pairs of them. The plain run of `GridSearch` is that of scikit-learn.
"""

import contextlib
import functools
import io
import sqlite3
import tempfile
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from comparing import same
from estimators import Growing, Overwriting, OverwritingGrowing, Touchy, growth
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, KFold, ShuffleSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skhpo import (
    BayesSearch,
    GradientSearch,
    GridSearch,
    PBTSearch,
    RandomSearch,
    register_stages,
)
from skhpo.evaluation.gradients._registry import GRADIENTS
from skhpo.evaluation.paths._sklearn_stages import WarmStart
from skhpo.evaluation.paths._stage_registry import STAGES
from skhpo.optimizers import _trial_log
from skhpo.search import _patient
from skhpo.space import Categorical, Curve, Suggested, register_space
from skhpo.space.suggested._registry import SPACES

_rng = np.random.default_rng(0)
X = _rng.normal(size=(60, 3))
Y = (X[:, 0] + _rng.normal(scale=0.5, size=60) > 0).astype(int)
WEIGHTS = _rng.integers(0, 4, 60).astype(float)
ALPHAS = [1e-4, 1e-3, 1e-2, 1e-1, 1.0]

SEARCHES = {
    "grid": GridSearch,
    "random": functools.partial(RandomSearch, n_iter=5, random_state=0),
    "bayes": functools.partial(BayesSearch, n_iter=4, random_state=0),
    "pbt": functools.partial(
        PBTSearch, population_size=4, n_generations=3, random_state=0
    ),
    "gradient": functools.partial(
        GradientSearch, n_restarts=2, max_iter=3, random_state=0
    ),
}
RACING = ("grid", "random", "bayes")  # with races, curves, reuse and finalists


# What may decide the result


def hits(estimator, X, y):
    """A scorer of the user's own, which sees the whole estimator."""
    return accuracy_score(y, estimator.predict(X))


def two_scores(estimator, X, y):
    found = estimator.predict(X) == y
    return {"hits": int(found.sum()), "share": float(found.mean())}


def alpha_of(estimator):
    return getattr(estimator, "steps", [("", estimator)])[-1][1].alpha


def raising(estimator, X, y):
    if alpha_of(estimator) == 1e-2:
        raise ValueError("no score for an alpha of 0.01")
    return hits(estimator, X, y)


def huge(estimator, X, y):
    return -1.5e308 if alpha_of(estimator) == 1e-2 else hits(estimator, X, y)


def overwriting(estimator, X, y):
    score = hits(estimator, X, y)
    y[:] = 0
    X[:] = 0
    return score


def last_but_one(results):
    return len(results["params"]) - 2


def in_a_pipeline(model):
    return Pipeline([("scale", StandardScaler()), ("model", model)])


ESTIMATORS = {
    "plain": Touchy(),
    "pipeline": in_a_pipeline(Touchy()),
    "failing": Touchy(fails_at=1e-3),
    "failing in a pipeline": in_a_pipeline(Touchy(fails_at=1e-3)),
    "overwriting": Overwriting(),
    "overwriting in a pipeline": in_a_pipeline(Overwriting()),
}
# The same, with a number of steps that one fit tells of.
CURVED = {
    "plain": Growing(),
    "pipeline": in_a_pipeline(Growing()),
    "failing": Growing(fails_at=1e-3),
    "failing in a pipeline": in_a_pipeline(Growing(fails_at=1e-3)),
    "overwriting": OverwritingGrowing(),
    "overwriting in a pipeline": in_a_pipeline(OverwritingGrowing()),
}


def seconds_by_params(trial):
    """Return what a trial would have taken, in all and on one split."""
    alpha = next(v for name, v in trial.candidate.params.items() if "alpha" in name)
    return len(trial.done) * (1 + 100 * alpha), 1 + 100 * alpha


class Sloping(LogisticRegression):
    """A model with a gradient; it fails where `C` is above `fails_above`."""

    def __init__(self, C=1.0, fails_above=np.inf):
        super().__init__(C=C)
        self.fails_above = fails_above

    def fit(self, X, y, sample_weight=None):
        if self.fails_above < self.C:
            raise ValueError(f"C is {self.C}")
        return super().fit(X, y, sample_weight)


class OverwritingSloping(Sloping):
    """The same, and then writes into all that it was given."""

    def fit(self, X, y, sample_weight=None):
        fitted = super().fit(X, y, sample_weight)
        return Overwriting._overwrite(self, fitted, X, y, sample_weight)


# The same, with a slope of the score.
SLOPING = {
    "plain": Sloping(),
    "pipeline": in_a_pipeline(Sloping()),
    "failing": Sloping(fails_above=10),
    "failing in a pipeline": in_a_pipeline(Sloping(fails_above=10)),
    "overwriting": OverwritingSloping(),
    "overwriting in a pipeline": in_a_pipeline(OverwritingSloping()),
}


@pytest.fixture(autouse=True, scope="module")
def slopes():
    """Register those of the classes above, and forget them at the end."""
    known = GRADIENTS.find(LogisticRegression)
    for cls in (Sloping, OverwritingSloping):
        GRADIENTS.add(cls, known)
    yield
    for cls in (Sloping, OverwritingSloping):
        del GRADIENTS.added[cls]


@pytest.fixture(autouse=True, scope="module")
def stages():
    """Register those of the classes above, and forget them at the end.

    Their fits go on from fits with fewer steps, as those of many classes do, though
    nobody knows their code.
    """
    for cls in (Growing, OverwritingGrowing):
        register_stages(cls, "n_steps", growth)
        STAGES.added[cls] = replace(STAGES.added[cls], growth=WarmStart("n_steps"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_patient, "FIRST_CHUNK", 2)
        patch.setattr(_patient.PatientEvaluator, "_knows", lambda self, params: True)
        # Recorded times differ from run to run; these depend on the parameters only.
        patch.setattr(_trial_log, "seconds_of", seconds_by_params)
        yield
    for cls in (Growing, OverwritingGrowing):
        del STAGES.added[cls]


@pytest.fixture(autouse=True, scope="module")
def suggestions():
    """Suggest values for the classes above, and forget them at the end."""
    alphas = Suggested("alpha", Categorical(ALPHAS, ordered=True), why="a test")
    classes = (Touchy, Overwriting, Growing, OverwritingGrowing)
    for cls in classes:
        register_space(cls, lambda estimator, data: [alphas])
    yield
    for cls in classes:
        del SPACES.added[cls]


SCORINGS = {
    "own": {},
    "name": {"scoring": "balanced_accuracy"},
    "callable": {"scoring": hits},
    "several": {"scoring": ["accuracy", "f1"], "refit": "f1"},
    "several of both kinds": {"scoring": {"a": "f1", "b": hits}, "refit": "b"},
    "dict": {"scoring": two_scores, "refit": "share"},
    "raising": {"scoring": raising},
    "huge": {"scoring": huge},
    "overwriting": {"scoring": overwriting},
}


def smooth(estimator, X, y):
    """The same of a score with a slope, which is then found by differences."""
    return -log_loss(y, estimator.predict_proba(X))


def raising_above(estimator, X, y):
    if C_of(estimator) > 10:
        raise ValueError("no score for a C above 10")
    return smooth(estimator, X, y)


def huge_above(estimator, X, y):
    return -1.5e308 if C_of(estimator) > 10 else smooth(estimator, X, y)


def overwriting_smooth(estimator, X, y):
    score = smooth(estimator, X, y)
    y[:] = 0
    X[:] = 0
    return score


def C_of(estimator):
    return getattr(estimator, "steps", [("", estimator)])[-1][1].C


# The same, with a slope.
SMOOTH = {
    "own": {"scoring": "neg_log_loss"},
    "name": {"scoring": "neg_log_loss", "method": "finite_difference"},
    "callable": {"scoring": smooth},
    "several": {"scoring": ["accuracy", "neg_log_loss"], "refit": "neg_log_loss"},
    "several of both kinds": {
        "scoring": {"a": "neg_log_loss", "b": hits},
        "refit": "a",
    },
    "dict": {"scoring": two_scores, "refit": "share"},
    "raising": {"scoring": raising_above},
    "huge": {"scoring": huge_above},
    "overwriting": {"scoring": overwriting_smooth},
}
PROBLEMS = {
    "estimator": list(ESTIMATORS),
    "scoring": list(SCORINGS),
    "weights": ["none", "array", "series", "list"],
    "refit": ["as scored", False, last_but_one, "weights"],
    "error_score": [np.nan, -1.0, "raise"],
    "train": [False, True],
    "race": [False, True, 0.2],
    "curve": [None, Curve(3), Curve(7, patience=2)],
    "halving": [None, "rows", "brackets", "steps"],
    "oof": [False, True],
    "zoom": [0, 2],
    "finalists": [0, 2],
    "cost": [False, True],
    "auto": [False, True],
}
OURS = ("race", "curve", "halving", "oof", "zoom", "finalists", "cost", "auto")
OF_SCIKIT_LEARN = {name: PROBLEMS[name] for name in PROBLEMS if name not in OURS}


@dataclass(frozen=True)
class Problem:
    """What may decide the result; each option by its name, or as it is."""

    search: str
    estimator: str = "plain"
    scoring: str = "own"
    weights: str = "none"
    refit: object = "as scored"
    error_score: float | str = np.nan
    train: bool = False
    race: float = False
    curve: Curve | None = None
    halving: str | None = None
    oof: bool = False
    zoom: int = 0
    finalists: int = 0
    shuffled: bool = False
    cost: bool = False
    auto: bool = False

    def make(self, search=None, **way):
        """Return the search, unfitted."""
        options = {
            "cv": self.cv,
            "error_score": self.error_score,
            "return_train_score": self.train,
            **(SMOOTH if self.search == "gradient" else SCORINGS)[self.scoring],
        }
        if self.refit == "weights" and self.search == "pbt":
            options["cv"] = ShuffleSplit(1, random_state=0)  # as it asks for
        if self.refit not in ("as scored", "weights" if self.search != "pbt" else ""):
            options["refit"] = self.refit
        if self.race and self.search in RACING:
            options["race"] = self.race
        if self.oof:
            options["return_oof"] = True
        if self.zoom and self.search == "grid":
            options["zoom"] = self.zoom
        if self.finalists and self.search in RACING:
            options |= {"finalists": self.finalists, "finalist_repeats": 2}
        if self.cost and self.search == "bayes":
            options |= {"cost_aware": True, "n_initial": 2}
        curved = self.curve is not None and self.search in RACING  # others refuse it
        halved = self.halving if self.search in ("grid", "random") else None
        known = CURVED if curved or halved == "steps" else ESTIMATORS
        known = SLOPING if self.search == "gradient" else known
        estimator = clone(known[self.estimator])
        prefix = "model__" if hasattr(estimator, "steps") else ""
        if halved == "steps":
            options |= {"resource": f"{prefix}n_steps", "max_resources": 3}
        elif halved:
            n_brackets = 2 if halved == "brackets" else 1
            options |= {"resource": "n_samples", "n_brackets": n_brackets}
            options |= {"min_resources": 20, "factor": 2}
        search = search or SEARCHES[self.search]
        # A grid and a random search take a value twice; each has its row then.
        values = ALPHAS if self.search in ("bayes", "pbt") else [*ALPHAS, 1e-3]
        space = {f"{prefix}alpha": values}
        if self.search == "gradient":
            space = {f"{prefix}C": (1e-2, 1e3)}
        if curved:
            space[f"{prefix}n_steps"] = self.curve
        elif self.auto and self.search in ("random", "bayes", "pbt"):
            space = "auto"
        return search(estimator, space, **options, **way)

    @property
    def cv(self):
        """The splitter, which shuffles where others like it are asked for."""
        if self.finalists or self.shuffled:
            return KFold(3, shuffle=True, random_state=0)
        return KFold(3)

    @property
    def says_which_score(self):
        return "refit" not in SCORINGS[self.scoring] or self.refit == "as scored"

    def fit_params(self):
        """Return what is passed to ``fit`` with the data, each time anew."""
        if self.weights == "none":
            return {}
        name = (
            "model__sample_weight" if "pipeline" in self.estimator else "sample_weight"
        )
        containers = {"array": np.array, "series": pd.Series, "list": np.ndarray.tolist}
        return {name: containers[self.weights](WEIGHTS.copy())}


# What must not


def never(progress):
    """A rule that ends no search."""


WAYS = {
    "jobs": [(1, "loky"), (2, "loky"), (2, "threading"), (2, "multiprocessing")],
    "journal": [None, "fresh", "whole", "half", "no models"],
    "reuse": [True, False],
    "limits": [{}, {"fit_timeout": 600}, {"memory_limit": "16GB"}],
    "more": [
        {},
        {"time_budget": "9h"},
        {"stop": never},
        {"pre_dispatch": "all"},
        {"pre_dispatch": 1},
        {"verbose": 3},
        {"verbose": -1},
    ],
}


def lose(part, path):
    """Leave in a journal what a kill or a disk would have left."""
    with contextlib.closing(sqlite3.connect(path)) as file, file:
        if part == "half":
            file.execute(
                "DELETE FROM evaluation WHERE finished > (SELECT avg(finished) "
                "FROM evaluation)"
            )
        if part in ("half", "no models"):
            file.execute("DELETE FROM model")


def run(problem, *, jobs=(1, "loky"), journal=None, reuse=True, limits=(), more=()):
    """Return what comes of a problem when it is done in this way."""
    way = {"n_jobs": jobs[0], **dict(limits), **dict(more)}
    if problem.search in RACING:
        way["reuse"] = reuse
    if journal is None:
        return outcome(problem, problem.make(**way), jobs[1])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "journal.db")
        if journal != "fresh":
            first = outcome(problem, problem.make(journal=path))
            if "error" not in first:
                lose(journal, path)
        return outcome(problem, problem.make(journal=path, **way), jobs[1])


def outcome(problem, search, backend="loky"):
    """Return all that a search gives, but for times."""
    data = X.copy(), Y.copy()
    with (
        warnings.catch_warnings(),
        threadpool_limits(1),  # sums depend on the number of threads
        joblib.parallel_config(backend),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        try:
            search.fit(*data, **problem.fit_params())
        except Exception as error:
            return {"error": type(error).__name__}
    fitted = {name: getattr(search, name, None) for name in SHOWN}
    results = {k: v for k, v in search.cv_results_.items() if "_time" not in k}
    failures = getattr(search, "failures_", ())
    return {
        **fitted,
        **results,
        "predictions": search.predict(X) if problem.refit is not False else None,
        "n_fits": getattr(search, "reuse_", None) and search.reuse_.n_fits,
        "oof": list(getattr(search, "oof_", ())),
        "failures": [(f.kind, f.message, f.n_fits, f.n_candidates) for f in failures],
    }


def is_of_rows(name):
    """Whether it does not depend on which candidate is the best, nor on finalists."""
    return name not in (*SHOWN, "predictions", "failures")


SHOWN = ("best_index_", "best_params_", "best_score_", "multimetric_", "n_splits_")


@functools.cache
def plain(problem):
    """Return what comes of a problem that is done as it stands."""
    expected = run(problem)
    expected.pop("n_fits", None)  # a way may save some, and should
    return expected


def assert_equal(found, expected):
    """Fail with the first part that differs, to the bit."""
    for name, value in expected.items():
        assert name in found, f"{name} is missing: {found.get('error')}"
        found_here = found[name]
        assert same(found_here, value), f"{name}: {found_here!r} and not {value!r}"


@st.composite
def deviations(draw, options, most):
    """Draw values of some options; the others are as always."""
    names = draw(st.lists(st.sampled_from(list(options)), max_size=most, unique=True))
    return {name: draw(st.sampled_from(options[name][1:])) for name in names}


def check(search, problem, way):
    """Fail if a way of doing a problem gives another result than the plain one."""
    assert "error" not in plain(Problem(search)), "else there is nothing to compare"
    problem = Problem(search, **problem)
    # A rule looks at one score, and says so where it is left open which one.
    assume("stop" not in way.get("more", ()) or problem.says_which_score)
    # How much time counts follows the budget: it is a part of the problem then.
    assume(not (problem.cost and "time_budget" in way.get("more", ())))
    found = run(problem, **way)
    assert_equal(found, plain(problem))
    assert ("error" in found) == ("error" in plain(problem))
    if problem.oof and "error" not in found:
        without = {**plain(replace(problem, oof=False))}
        without.pop("oof")
        assert_equal(found, without)
    if problem.auto:
        assert "error" not in plain(Problem(search, auto=True))
    if problem.finalists and "error" not in found:
        without = plain(replace(problem, finalists=0, shuffled=True))
        assert_equal(found, {k: v for k, v in without.items() if is_of_rows(k)})
    # Under limits, fits do not go on from each other, and are others to a journal.
    is_cut = problem.curve is not None and problem.curve.patience is not None
    if way.get("journal") == "whole" and not (is_cut and way.get("limits")):
        assert not found.get("n_fits"), "what the journal knows is done again"


# Examples are small as they are: to look for smaller ones would take minutes.
quickly = settings(phases=[Phase.explicit, Phase.reuse, Phase.generate])
crossed = given(problem=deviations(PROBLEMS, 2), way=deviations(WAYS, 3))


@pytest.mark.parametrize("search", SEARCHES)
@settings(quickly, max_examples=3)
@crossed
def test_how_a_search_is_run_does_not_decide_its_result(search, problem, way):
    """The result of a search depends on its problem only."""
    check(search, problem, way)


@pytest.mark.slow
@pytest.mark.parametrize("search", SEARCHES)
@settings(quickly, max_examples=300)
@crossed
def test_how_a_search_is_run_does_not_decide_its_result_at_length(search, problem, way):
    """The same with more examples."""
    check(search, problem, way)


@settings(quickly, max_examples=10)
@given(problem=deviations(OF_SCIKIT_LEARN, 2))
def test_the_plain_run_is_that_of_scikit_learn(problem):
    """Whatever two options meet, a grid gives what `GridSearchCV` gives."""
    check_plain(problem)


@pytest.mark.slow
@settings(quickly, max_examples=200)
@given(problem=deviations(OF_SCIKIT_LEARN, 2))
def test_the_plain_run_is_that_of_scikit_learn_at_length(problem):
    """The same with more examples."""
    check_plain(problem)


def check_plain(problem):
    """Fail if a grid gives another result than scikit-learn's."""
    problem = Problem("grid", **problem)
    theirs = outcome(problem, problem.make(GridSearchCV))
    for ours_only in ("n_fits", "failures", "oof"):
        theirs.pop(ours_only, None)
    assert_equal(plain(problem), theirs)
    assert ("error" in theirs) == ("error" in plain(problem))
