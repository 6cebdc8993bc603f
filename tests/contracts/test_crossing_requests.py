"""What an optimizer asks for, crossed with how its search is run.

A *script* is a list of waves of requests: a candidate on some splits, more splits for
an earlier trial, or more training for its models. No search asks so; all of them rest
on this. Whatever the options, each row of ``cv_results_`` holds what whole runs of the
same request give, done by scikit-learn or by a training from the beginning; NaN
where nobody has asked; and no fit is done twice.
"""

import contextlib
import functools
import io
import os
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
from estimators import Touchy
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.stats import rankdata
from sklearn.base import clone
from sklearn.metrics import accuracy_score, check_scoring
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, ShuffleSplit
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.utils import _safe_indexing
from threadpoolctl import threadpool_limits

from skhpo import PBTSearch, read_journal
from skhpo.evaluation import EvaluationSpec, Evaluator
from skhpo.evaluation.training._parts import replay
from skhpo.evaluation.training._training import Train, TrainingPlan
from skhpo.exceptions import AllFitsFailedError, JournalWarning, SearchStoppedError
from skhpo.optimizers import Candidate, Evaluation
from skhpo.search._base import BaseSearch
from skhpo.search._loop import Interrupts, LoopPolicy

_rng = np.random.default_rng(0)
X = _rng.normal(size=(60, 3))
Y = (X[:, 0] + _rng.normal(scale=0.5, size=60) > 0).astype(int)
WEIGHTS = _rng.integers(0, 4, 60).astype(float)
GROUPS = np.repeat(np.arange(20), 3)
ALPHAS = [1e-4, 1e-2, 1.0]
N_SPLITS = 3
PLAN = TrainingPlan(np.random.SeedSequence(0), labels=np.unique(Y))


# --- what is asked for ----------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """A candidate of a script; `origin` is the number of a request before it."""

    value: float
    splits: tuple[int, ...] | None
    resource: int | None = None
    origin: int | None = None

    @property
    def all_splits(self):
        return frozenset(range(N_SPLITS) if self.splits is None else self.splits)


@dataclass(frozen=True)
class Script:
    """Waves of requests; each is asked for when those before it have been told."""

    waves: tuple[tuple[Request, ...], ...]
    trains: bool = False
    releases: bool = True

    @property
    def requests(self):
        return [request for wave in self.waves for request in wave]

    def adds_splits(self, request):
        if request.origin is None:
            return False
        origin = self.requests[request.origin]
        return (request.value, request.resource) == (origin.value, origin.resource)

    def new_splits(self, request):
        """Return the splits on which a request has evaluations of its own."""
        if not self.adds_splits(request):
            return request.all_splits
        return request.all_splits - self.requests[request.origin].all_splits

    def lineage(self, request):
        """Return the requests that a training goes through, the first one first."""
        before = []
        if request.origin is not None:
            before = self.lineage(self.requests[request.origin])
        return [*(before[:-1] if self.adds_splits(request) else before), request]


SPLITS = st.sets(st.integers(0, N_SPLITS - 1), min_size=1).map(
    lambda found: None if len(found) == N_SPLITS else tuple(sorted(found))
)


@st.composite
def scripts(draw, trains=None):
    if trains is None:
        trains = draw(st.booleans())
    waves, before = [], []
    for _ in range(draw(st.integers(1, 3))):
        wave = []
        for _ in range(draw(st.integers(1, 3))):
            kinds = ["fresh", "splits", *(["training"] if trains else [])]
            kind = draw(st.sampled_from(kinds if before else kinds[:1]))
            value = draw(st.sampled_from(ALPHAS))
            if kind == "fresh":
                resource = draw(st.integers(1, 2)) if trains else None
                wave.append(Request(value, draw(SPLITS), resource))
                continue
            number = draw(st.integers(0, len(before) - 1))
            origin = before[number]
            if kind == "splits":
                more = Request(value, draw(SPLITS)).all_splits | origin.all_splits
                splits = None if len(more) == N_SPLITS else tuple(sorted(more))
                wave.append(replace(origin, splits=splits, origin=number))
            else:
                resource = origin.resource + draw(st.integers(1, 2))
                wave.append(Request(value, draw(SPLITS), resource, number))
        waves.append(tuple(wave))
        before += wave
    return Script(tuple(waves), trains, draw(st.booleans()))


class Asking:
    """Asks for what a script says, but for trainings of what has failed."""

    def __init__(self, script, name):
        self.script, self.name = script, name
        self.left = [list(enumerate(wave)) for wave in self._numbered()]
        self.ids, self.trials, self.gone = {}, {}, set()

    def _numbered(self):
        numbers = iter(range(len(self.script.requests)))
        return [[(next(numbers), r) for r in wave] for wave in self.script.waves]

    @property
    def n_pending(self):
        return len(self.ids) - len(self.trials)

    def ask(self, n):
        if self.left and not self.left[0] and not self.n_pending:
            self.left.pop(0)
        asked = []
        while self.left and self.left[0] and len(asked) < n:
            _, (number, request) = self.left[0].pop(0)
            if not self._is_possible(request):
                continue
            origin = None if request.origin is None else self.ids[request.origin]
            id = self.ids[number] = len(self.ids)
            params = {self.name: request.value}
            asked.append(
                Candidate(id, params, request.resource, origin, request.splits)
            )
        if not asked and self.left and not self.n_pending:
            return self.ask(n)
        return asked

    def _is_possible(self, request):
        if request.origin is None:
            return True
        if request.origin not in self.ids:
            return False
        if not self.script.trains or self.script.adds_splits(request):
            return True
        return not self.trials[self.ids[request.origin]].failed

    def tell(self, trials):
        for trial in trials:
            self.trials[trial.candidate.id] = trial

    def released(self):
        if not self.script.releases:
            return []
        wanted = {r.origin for wave in self.left for _, (_, r) in wave}
        free = {id for n, id in self.ids.items() if n not in wanted}
        new = (free & set(self.trials)) - self.gone
        self.gone |= new
        return sorted(new)

    @property
    def asked_for(self):
        """The requests by id."""
        requests = self.script.requests
        return {id: requests[number] for number, id in self.ids.items()}


class AskingSearch(BaseSearch):
    """A search that asks for what a script says."""

    def __init__(self, estimator, script, n_pending=None, in_order=True, **options):
        super().__init__(estimator, **options)
        self.script, self.n_pending, self.in_order = script, n_pending, in_order

    @property
    def name(self):
        return "model__alpha" if hasattr(self.estimator, "steps") else "alpha"

    def _policy(self):
        # Whoever releases models must have been told of those before.
        return LoopPolicy(n_pending=self.n_pending, in_order=self.in_order)

    def _compile(self):
        return [{self.name: ALPHAS}]

    def _make_optimizer(self, space):
        self.optimizer = Asking(self.script, self.name)
        return self.optimizer

    def _evaluate(self, run, optimizer):
        if self.script.trains:
            run.fitter = Train(replace(PLAN))  # it keeps the rows of a search
        super()._evaluate(run, optimizer)

    def _set_results(self, run):
        super()._set_results(run)
        self.ids = [candidate.id for candidate in run.record.candidates]

    @property
    def rows(self):
        """The requests whose rows there are."""
        return [self.optimizer.asked_for[id] for id in self.ids]


# --- what may decide the result -------------------------------------------------------


def hits(estimator, X, y, sample_weight=None):
    return accuracy_score(y, estimator.predict(X), sample_weight=sample_weight)


def two_scores(estimator, X, y):
    found = estimator.predict(X) == y
    return {"hits": int(found.sum()), "share": float(found.mean())}


def alpha_of(estimator):
    return getattr(estimator, "steps", [("", estimator)])[-1][1].alpha


def raising(estimator, X, y):
    if alpha_of(estimator) == 1e-2:
        raise ValueError("no score for an alpha of 0.01")
    return hits(estimator, X, y)


def two_raising(estimator, X, y):
    raising(estimator, X, y)
    return two_scores(estimator, X, y)


def last(results):
    return len(results["params"]) - 1


def in_a_pipeline(model):
    return Pipeline([("scale", MaxAbsScaler()), ("model", model)])


ESTIMATORS = {
    "plain": Touchy(),
    "pipeline": in_a_pipeline(Touchy()),
    "failing": Touchy(fails_at=1e-2),
    "failing in a pipeline": in_a_pipeline(Touchy(fails_at=1e-2)),
}
SCORINGS = {
    "own": {},
    "name": {"scoring": "neg_log_loss"},
    "callable": {"scoring": hits},
    "several": {"scoring": ["accuracy", "f1"], "refit": "f1"},
    "one of several raises": {"scoring": {"a": "f1", "b": raising}, "refit": "a"},
    "dict": {"scoring": two_scores, "refit": "share"},
    "raising": {"scoring": raising},
    "dict or raising": {"scoring": two_raising, "refit": "share"},
}
DATA = {
    "array": X,
    "frame": pd.DataFrame(X, columns=["a", "b", "c"]),
    "sparse": csr_array(X),
}
PROBLEMS = {
    "estimator": list(ESTIMATORS),
    "scoring": list(SCORINGS),
    "weights": ["none", "array", "series", "list"],
    "data": list(DATA),
    "groups": [False, True],
    "refit": ["as scored", False, last],
    "error_score": [np.nan, -1.0, "raise"],
    "train": [False, True],
}


@dataclass(frozen=True)
class Problem:
    """What may decide the result; each option by its name, or as it is."""

    estimator: str = "plain"
    scoring: str = "own"
    weights: str = "none"
    data: str = "array"
    groups: bool = False
    refit: object = "as scored"
    error_score: float | str = np.nan
    train: bool = False

    @property
    def cv(self):
        return GroupKFold(N_SPLITS) if self.groups else KFold(N_SPLITS)

    def make(self, script, **way):
        """Return the search, unfitted."""
        options = dict(SCORINGS[self.scoring])
        if self.refit != "as scored":
            options["refit"] = self.refit
        return AskingSearch(
            clone(ESTIMATORS[self.estimator]),
            script,
            cv=self.cv,
            error_score=self.error_score,
            return_train_score=self.train,
            **options,
            **way,
        )

    @property
    def weight_name(self):
        return (
            "model__sample_weight" if "pipeline" in self.estimator else "sample_weight"
        )

    def fit_params(self):
        """Return what is passed to ``fit`` with the data."""
        given = {"groups": GROUPS} if self.groups else {}
        containers = {"array": np.array, "series": pd.Series, "list": np.ndarray.tolist}
        if self.weights != "none":
            given[self.weight_name] = containers[self.weights](WEIGHTS)
        return given


# --- the same by whole runs -----------------------------------------------------------


@functools.cache
def whole(problem, value):
    """Return what scikit-learn gives for a candidate, by the name of the column."""
    estimator = clone(ESTIMATORS[problem.estimator])
    name = "model__alpha" if hasattr(estimator, "steps") else "alpha"
    search = GridSearchCV(
        estimator,
        {name: [value]},
        cv=problem.cv,
        scoring=SCORINGS[problem.scoring].get("scoring"),
        refit=False,
        return_train_score=True,
    )
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        try:
            search.fit(DATA[problem.data], Y, **problem.fit_params())
            return {name: column[0] for name, column in search.cv_results_.items()}
        except ValueError:  # as all fits have failed
            return {}


@functools.cache
def trained(problem, steps, split):
    """Return the scores of a training from its beginning, on a split.

    `steps` holds the value and the resource of each request that leads there.
    """
    estimator = clone(ESTIMATORS[problem.estimator])
    name = "model__alpha" if hasattr(estimator, "steps") else "alpha"
    groups = GROUPS if problem.groups else None
    rows = list(problem.cv.split(X, Y, groups))[split]
    data = DATA[problem.data]
    parts = [(_safe_indexing(data, r), Y[r]) for r in rows]
    X_train, y_train = parts[0]
    training = PLAN.training(X_train, y_train, split)
    if problem.weights != "none":
        weights = {problem.weight_name: WEIGHTS[rows[0]]}
        training = replace(training, fit_params=weights)
    scoring = SCORINGS[problem.scoring].get("scoring")
    routed = GridSearchCV(estimator, {}, scoring=scoring)._get_routed_params_for_fit(
        {} if problem.weights == "none" else {problem.weight_name: WEIGHTS}
    )
    to_score = routed.scorer.score  # from 1.8 on, weights are passed to scorers
    starts = [0, *(resource for _, resource in steps[:-1])]
    schedule = [
        (start, {name: value}) for start, (value, _) in zip(starts, steps, strict=True)
    ]
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        try:
            model = replay(estimator, schedule, training.portion(0, steps[-1][1]))
        except ValueError:
            return None
        scores = {}
        for part, r, (Xs, ys) in zip(("train", "test"), rows, parts, strict=True):
            try:
                scorer = check_scoring(model, scoring, raise_exc=False)
                found = scorer(model, Xs, ys, **{k: v[r] for k, v in to_score.items()})
            except ValueError:  # of a scorer that raises
                continue
            named = found if isinstance(found, dict) else {"score": found}
            for metric, score in named.items():
                known = not isinstance(score, str)  # the traceback of one of several
                scores[f"{part}_{metric}"] = score if known else np.nan
    return scores


def expected(problem, script, request, split, column):
    """Return the score that a row should have; None for one that nobody knows."""
    if script.trains:
        steps = tuple((r.value, r.resource) for r in script.lineage(request))
        scores = trained(problem, steps, split)
        return np.nan if scores is None else scores.get(column, np.nan)
    return whole(problem, request.value).get(f"split{split}_{column}", np.nan)


# --- how it is run --------------------------------------------------------------------


def never(progress):
    """A rule that ends no search."""


WAYS = {
    "jobs": [(1, "loky"), (2, "loky"), (2, "threading")],
    "journal": [None, "fresh", "whole", "half", "no models", "more", "others"],
    "reuse": [True, False],
    "limits": [{}, {"fit_timeout": 600}, {"memory_limit": "16GB"}],
    "more": [
        {},
        {"n_pending": 1},
        {"n_pending": 2},
        {"in_order": False},
        {"time_budget": "9h"},
        {"stop": never},
        {"pre_dispatch": "all"},
        {"verbose": 3},
    ],
    "callbacks": [False, True],
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


EVERYTHING = Script((tuple(Request(alpha, None) for alpha in ALPHAS),))
OTHERS = Script(
    (
        tuple(Request(alpha, (1,), 1) for alpha in ALPHAS),
        tuple(Request(ALPHAS[0], None, 2, n) for n in range(3)),
    ),
    trains=True,
)


def run(
    problem, script, *, jobs=(1, "loky"), journal=None, reuse=True, limits=(), more=(),
    callbacks=False,
):  # fmt: skip
    """Return what comes of a script when it is done in this way."""
    way = {"n_jobs": jobs[0], **dict(limits), **dict(more)}

    def outcome(script, **way):
        search = problem.make(script, **way)
        search.reuse = reuse
        if callbacks and hasattr(search, "set_callbacks"):
            search.set_callbacks(Listening())
        return result(problem, search, jobs[1])

    if journal is None:
        return outcome(script, **way)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "journal.db")
        if journal in ("whole", "half", "no models"):
            outcome(script, journal=path)
            lose(journal, path)
        elif journal == "more":
            outcome(EVERYTHING, journal=path)
        elif journal == "others":
            outcome(OTHERS, journal=path)
        return outcome(script, journal=path, **way)


class Listening:
    """A callback that asks for nothing."""

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, **kwargs):
        pass

    def on_fit_task_end(self, estimator, context, **kwargs):
        return False

    def teardown(self, estimator, context):
        pass


def result(problem, search, backend="loky"):
    """Fit a search; return it, or the error."""
    with (
        warnings.catch_warnings(),
        threadpool_limits(1),
        joblib.parallel_config(backend),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        try:
            return search.fit(DATA[problem.data], Y, **problem.fit_params())
        except Exception as error:
            search.error = error
            return search


def table(search):
    """Return the rows of a search by id, without times."""
    names = [n for n in search.cv_results_ if "_time" not in n and "rank" not in n]
    return {n: search.cv_results_[n] for n in names}


# --- laws -----------------------------------------------------------------------------


def check_rows(problem, script, search):
    """Fail unless each row holds what whole runs give, and NaN elsewhere."""
    results = search.cv_results_
    columns = {n.split("_", 1)[1] for n in results if n.startswith("split")}
    for row, request in enumerate(search.rows):
        for column in columns:
            for split in range(N_SPLITS):
                found = results[f"split{split}_{column}"][row]
                if split not in request.all_splits:
                    assert np.isnan(found), (row, column, split)
                    continue
                wanted = expected(problem, script, request, split, column)
                if np.isnan(wanted):
                    wanted = problem.error_score
                np.testing.assert_array_equal(found, wanted, f"{row} {column} {split}")


def check_summary(search):
    """Fail unless means, ranks and the best row follow from the scores."""
    results = search.cv_results_
    is_whole = np.array([len(r.all_splits) == N_SPLITS for r in search.rows])
    for name in [n for n in results if n.startswith("mean_test")]:
        metric = name.removeprefix("mean_test_")
        scores = np.stack([results[f"split{s}_test_{metric}"] for s in range(N_SPLITS)])
        means = results[name]
        np.testing.assert_array_equal(np.isnan(means), np.isnan(scores).any(axis=0))
        assert np.isnan(means[~is_whole]).all()
        ranks = results[f"rank_test_{metric}"]
        known = ~np.isnan(means)
        if known.any():
            expected_ranks = rankdata(-means[known], method="min")
            np.testing.assert_array_equal(ranks[known], expected_ranks)
            assert (ranks[~known] > ranks[known].max()).all()
    if hasattr(search, "best_index_") and not callable(search.refit):
        known = ~np.isnan(results[f"mean_test_{_metric(search)}"])
        if known.any():
            assert is_whole[search.best_index_]


def _metric(search):
    return search.refit if isinstance(search.refit, str) else "score"


def check_counts(problem, script, search):
    """Fail unless what was done and what was saved is what one by one is done."""
    requests = search.rows
    n_fits = sum(len(script.new_splits(r)) for r in requests)
    assert search.reuse_.n_saved >= 0
    if not script.trains:
        # Where steps cannot be shared, the fit of a whole pipeline counts as one.
        n_steps = len(getattr(search.estimator, "steps", "1"))
        n_needed = search.reuse_.n_fits + search.reuse_.n_saved
        assert n_needed in (n_fits, n_steps * n_fits)
    failed = 0
    if "failing" in problem.estimator:
        bad = [r for r in requests if r.value == ALPHAS[1]]
        failed = sum(len(script.new_splits(r)) for r in bad)
    assert sum(f.n_fits for f in search.failures_) == failed


# Examples are small as they are: to look for smaller ones would take minutes.
quickly = settings(phases=[Phase.explicit, Phase.reuse, Phase.generate])


@st.composite
def deviations(draw, options, most):
    """Draw values of some options; the others are as always."""
    names = draw(st.lists(st.sampled_from(list(options)), max_size=most, unique=True))
    return {name: draw(st.sampled_from(options[name][1:])) for name in names}


def fails(problem, request):
    """Return whether the fits of a request fail, whether their scoring does."""
    if request.value != ALPHAS[1]:
        return False, False
    return "failing" in problem.estimator, "raising" in problem.scoring


def check_error(problem, script, search):
    """Fail unless a search has ended with the error that it should end with."""
    asked = list(search.optimizer.asked_for.values())
    error = vars(search).get("error")
    failed = [fails(problem, request) for request in asked]
    if problem.error_score == "raise" and any(map(any, failed)):
        assert "alpha" in str(error)
        return
    if all(fit for fit, _ in failed):
        assert isinstance(error, AllFitsFailedError)
        return
    results = search.cv_results_
    if not any(len(r.all_splits) == N_SPLITS for r in asked) and problem.refit != last:
        assert not hasattr(search, "best_index_")
        if search.refit:
            assert isinstance(error, SearchStoppedError)
            assert "all 3 splits" in str(error)
            return
    elif search.refit:
        best = results["params"][search.best_index_][search.name]
        if fails(problem, Request(best, None))[0]:
            assert f"alpha is {best}" in str(error)
            return
    if error is not None:
        raise error


def check_plain(script, problem):
    problem = Problem(**problem)
    search = run(problem, script)
    check_error(problem, script, search)
    if problem.error_score != "raise" or not hasattr(search, "error"):
        check_rows(problem, script, search)
        check_counts(problem, script, search)
        check_summary(search)


whole_runs = given(script=scripts(), problem=deviations(PROBLEMS, 2))


@settings(quickly, max_examples=6)
@whole_runs
def test_rows_hold_what_whole_runs_give(script, problem):
    """NaN where nobody has asked, and failures where whole runs fail."""
    check_plain(script, problem)


@pytest.mark.slow
@settings(quickly, max_examples=600)
@whole_runs
def test_rows_hold_what_whole_runs_give_at_length(script, problem):
    """The same with more examples."""
    check_plain(script, problem)


# --- how it is run changes nothing ----------------------------------------------------


def check_way(script, problem, way):
    """Fail if a way of running a script gives another result than the plain one."""
    problem = Problem(**problem)
    plain = run(problem, script)
    search = run(problem, script, **way)
    assert type(vars(search).get("error")) is type(vars(plain).get("error"))
    if not hasattr(plain, "cv_results_"):
        return
    shown = ("best_index_", "best_params_", "best_score_", "multimetric_")
    if not hasattr(plain, "error"):
        assert same(table(search), table(plain))
        for name in shown:
            assert same(getattr(search, name, None), getattr(plain, name, None)), name
        failures = [
            [(f.kind, f.message, f.n_fits, f.n_candidates) for f in s.failures_]
            for s in (search, plain)
        ]
        assert failures[0] == failures[1]
        check_summary(search)
        assert search.reuse_.n_saved >= 0 or way.get("callbacks")
    if way.get("journal") == "whole" and not hasattr(plain, "error"):
        assert search.reuse_.n_fits == 0
    more = way.get("journal") == "more" and not script.trains
    if more and problem.error_score != "raise":
        assert search.reuse_.n_fits == 0


ways = given(script=scripts(), problem=deviations(PROBLEMS, 2), way=deviations(WAYS, 3))


@settings(quickly, max_examples=6)
@ways
def test_how_it_is_run_changes_nothing(script, problem, way):
    """The rows, the best, the failures and the error are those of the plain run."""
    check_way(script, problem, way)


@pytest.mark.slow
@settings(quickly, max_examples=200)
@ways
def test_how_it_is_run_changes_nothing_at_length(script, problem, way):
    """The same with more examples."""
    check_way(script, problem, way)


# --- where it ends early --------------------------------------------------------------


class Ending:
    """A stop rule that ends a search in one way or another after some trials."""

    def __init__(self, how, n):
        self.how, self.n = how, n

    def __call__(self, progress):
        if len(progress.trials) < self.n:
            return None
        if self.how == "error":
            raise RuntimeError("a rule with a mistake")
        if self.how == "interrupt":
            raise KeyboardInterrupt
        return "enough"


ends = given(
    script=scripts(),
    how=st.sampled_from(["rule", "error", "interrupt"]),
    n=st.integers(1, 5),
    n_jobs=st.sampled_from([(1, "loky"), (2, "threading")]),
    problem=deviations({"estimator": list(ESTIMATORS), "train": [False, True]}, 2),
)


@settings(quickly, max_examples=6)
@ends
def test_what_ends_early_is_kept(script, how, n, n_jobs, problem):
    """In the middle of a wave, too; and it goes on from its journal."""
    check_end(script, how, n, n_jobs, problem)


@pytest.mark.slow
@settings(quickly, max_examples=200)
@ends
def test_what_ends_early_is_kept_at_length(script, how, n, n_jobs, problem):
    """The same with more examples."""
    check_end(script, how, n, n_jobs, problem)


def check_end(script, how, n, n_jobs, problem):
    """Fail unless complete rows are those of the whole, and the rest is caught up."""
    problem = Problem(refit=False, **problem)
    plain = run(problem, script)
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder, "journal.db")
        search = problem.make(
            script, journal=journal, stop=Ending(how, n), n_jobs=n_jobs[0]
        )
        search._interrupts = Interrupts(patience=-1)  # none is the second in a row
        result(problem, search, n_jobs[1])
        resumed = result(problem, problem.make(script, journal=journal))
    if hasattr(search, "cv_results_") and hasattr(plain, "cv_results_"):
        check_part(search, plain)
        check_summary(search)
    assert hasattr(resumed, "cv_results_") == hasattr(plain, "cv_results_")
    if hasattr(plain, "cv_results_"):
        assert same(table(resumed), table(plain))
        assert resumed.reuse_.n_fits <= plain.reuse_.n_fits


def check_part(search, whole):
    """Fail unless the rows of a search are some of those of another."""
    found, wanted = table(search), table(whole)
    assert found["params"] == [wanted["params"][id] for id in search.ids]
    for name in [name for name in found if name != "params"]:
        assert same(found[name], wanted[name][search.ids]), name


# --- known answers --------------------------------------------------------------------


def asked(*waves, trains=False, releases=True, **options):
    """Return the search over a script, fitted or with its error."""
    script = Script(waves, trains, releases)
    problem = Problem(**{k: options.pop(k) for k in list(options) if k in PROBLEMS})
    return result(problem, problem.make(script, **options))


def test_a_failure_counts_once_however_many_trials_carry_it():
    """More splits for a candidate that has failed fail once each."""
    first = Request(1e-2, (0,))
    search = asked(
        (first, Request(1.0, None)),
        (replace(first, splits=(0, 1), origin=0),),
        (replace(first, splits=None, origin=2),),
        estimator="failing",
    )
    (failures,) = search.failures_
    assert (failures.n_fits, failures.n_candidates) == (3, 3)
    assert search.best_params_ == {"alpha": 1.0}


def test_all_fits_have_failed_also_where_some_were_not_asked_for():
    search = asked((Request(1e-2, (0,)),), estimator="failing")
    assert isinstance(search.error, AllFitsFailedError)
    assert "All the 1 fits failed" in str(search.error)
    assert np.isnan(search.cv_results_["split1_test_score"]).all()


def test_no_candidate_is_the_best_on_a_part_of_the_splits():
    """Whether it is to be fitted or not; a callable may still choose one."""
    parts = [Request(alpha, (0, 1)) for alpha in ALPHAS]
    search = asked(tuple(parts))
    assert isinstance(search.error, SearchStoppedError)
    assert "(completed) before one candidate was complete on all 3 splits" in str(
        search.error
    )
    assert len(search.cv_results_["params"]) == 3
    plain = asked(tuple(parts), refit=False)
    assert not hasattr(plain, "best_index_")
    assert asked(tuple(parts), refit=last).best_index_ == 2


def test_equal_candidates_are_released_each_for_itself():
    """They share evaluations and, in a journal, models: the other one goes on."""
    one = Request(1.0, (0,))
    more = replace(one, splits=None, origin=1)
    search = asked((one, one), (more,), (replace(more, origin=2),))
    assert not hasattr(search, "error")
    assert (search.reuse_.n_fits, search.reuse_.n_saved) == (3, 1)


def test_a_released_trial_may_still_be_asked_for_more_splits():
    """Its evaluations are all that is needed of it."""
    with engine() as evaluator:
        evaluator.add([Candidate(0, {"alpha": 1.0}, splits=(0,))])
        evaluator.wait()
        evaluator.release([0])
        evaluator.add([Candidate(1, {"alpha": 1.0}, resume_from=0)])
        (trial,) = evaluator.wait()
    assert len(trial.done) == 3
    assert evaluator.n_fits == 3


def test_splits_that_a_trial_has_are_not_left_out():
    """A trial carries all that is known of its candidate, so it asks for all of it."""
    with engine() as evaluator:
        evaluator.add([Candidate(0, {"alpha": 1.0}, splits=(2, 0))])
        evaluator.wait()
        more = Candidate(1, {"alpha": 1.0}, resume_from=0, splits=(1,))
        with pytest.raises(ValueError, match=r"splits \[0, 2\] must be among .*\[1\]"):
            evaluator.add([more])
        evaluator.add([replace(more, splits=(2, 0, 1))])
        (trial,) = evaluator.wait()
    assert len(trial.done) == 3


def engine(**options):
    """Return an evaluator without a search."""
    splits = list(KFold(N_SPLITS).split(X))
    spec = EvaluationSpec(Touchy(), X, Y, splits, check_scoring(Touchy()))
    return Evaluator(spec, n_jobs=1, pre_dispatch=1, name="OddSearch", **options)


def test_only_complete_trials_are_released():
    """Else the optimizer has a mistake, and is told so by name."""
    with engine() as evaluator:
        evaluator.add([Candidate(0, {"alpha": 1.0})])
        for odd, what in ((0, "is not complete"), (5, "does not exist")):
            with pytest.raises(ValueError, match=f"OddSearch .* trial {odd}.*{what}"):
                evaluator.release([odd])
        evaluator.wait()
        evaluator.release([0])


def test_a_model_that_is_trained_again_is_known_by_its_resource(tmp_path):
    """So that a journal has each evaluation once."""
    journal = tmp_path / "journal.db"
    search = PBTSearch(
        Touchy(), {"alpha": ALPHAS}, population_size=4, n_generations=2,
        cv=ShuffleSplit(1, random_state=0), refit="weights", journal=journal,
        random_state=0,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        search.fit(X, Y)
        before = read_journal(journal)
        lose("no models", journal)
        search.fit(X, Y)
    assert read_journal(journal)["resource"] == before["resource"]


MISTAKES = {
    "an unknown split": Request(1.0, (0, 3)),
    "steps of a fit": Request(1.0, None, 3),
    "splits left out": Request(1.0, (1,), None, 1),
    "other parameters": Request(1e-2, None, None, 1),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_of_an_optimizer_keeps_what_was_done(what):
    """Its message names the search and the candidate; the rows before it are kept."""
    first = Request(1.0, None), Request(1.0, (0, 2))
    search = asked(first, (MISTAKES[what],))
    assert isinstance(search.error, ValueError)
    assert "AskingSearch cannot evaluate candidate 2" in str(search.error)
    assert "keeps what it has found, 2 candidates" in search.error.__notes__[0]
    assert search.stop_reason_ == "error"
    assert (search.best_index_, len(search.cv_results_["params"])) == (0, 2)


def two_waves(trains):
    """All values on a split, and then on all splits."""
    wave = tuple(Request(alpha, (0,), 1 if trains else None) for alpha in ALPHAS)
    return wave, tuple(replace(r, splits=None, origin=i) for i, r in enumerate(wave))


@pytest.mark.parametrize("trains", [False, True])
def test_a_budget_that_ends_in_a_wave_keeps_what_is_complete(trains, an_hour_each):
    waves, options = two_waves(trains), {"n_pending": 1, "time_budget": "3.5h"}
    search = asked(*waves, trains=trains, refit=False, **options)
    assert search.stop_reason_ == "time_budget"
    assert search.ids == [0, 1, 2, 3]
    check_rows(Problem(), search.script, search)
    check_counts(Problem(), search.script, search)


class Deadly(Touchy):
    """Takes its process down at one alpha where it is trained on the first row.

    The process `spared` survives.
    """

    def __init__(self, alpha=1e-4, fails_at=None, random_state=0, spared=None):
        super().__init__(alpha, fails_at, random_state)
        self.spared = spared

    def fit(self, X, y, sample_weight=None):
        self._die_of(X)
        return super().fit(X, y, sample_weight=sample_weight)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        self._die_of(X)
        return super().partial_fit(X, y, classes, sample_weight)

    def _die_of(self, rows):
        is_first = (rows == X[0]).all(axis=1).any()
        if is_first and self.alpha == 1e-2 and os.getpid() != self.spared:
            os._exit(1)


@pytest.mark.slow  # as it starts new workers
@pytest.mark.parametrize("trains", [False, True])
def test_a_worker_that_dies_costs_one_candidate(trains, tmp_path):
    """In the second wave: on the first split, all is well with it."""
    script = Script(two_waves(trains), trains)
    journal = tmp_path / "journal.db"

    def outcome(n_jobs):
        search = Problem(refit=False).make(script, n_jobs=n_jobs, journal=journal)
        search.estimator = Deadly(spared=os.getpid())
        return result(Problem(), search)

    search = outcome(2)
    (failures,) = search.failures_
    assert failures.n_fits == 2  # the first row is in the train part of two splits
    plain = asked(*two_waves(trains), trains=trains, refit=False)
    for row, request in enumerate(search.rows):
        for split in range(N_SPLITS):
            name = f"split{split}_test_score"
            wanted = plain.cv_results_[name][row]
            if request.value == 1e-2 and split > 0:
                wanted = np.nan
            np.testing.assert_array_equal(search.cv_results_[name][row], wanted)
    assert same(table(outcome(1)), table(plain))


def test_models_that_were_released_are_not_missed():
    """What was forgotten on purpose is trained again, without a warning."""
    with warnings.catch_warnings(), engine(fitter=Train(replace(PLAN))) as evaluator:
        warnings.simplefilter("error", JournalWarning)
        evaluator.add([Candidate(0, {"alpha": 1.0}, 1)])
        evaluator.wait()
        evaluator.add([Candidate(1, {"alpha": 1.0}, 2, resume_from=0, splits=(0,))])
        evaluator.wait()
        evaluator.release([0])
        evaluator.add([Candidate(2, {"alpha": 1.0}, 3, resume_from=1)])
        (trial,) = evaluator.wait()
    assert len(trial.done) == 3


class Empty:
    """A memory that knows the evaluations of the first trial, and no model."""

    def __init__(self):
        self.asked, self.dropped = [], []

    def key(self, candidate, before, how=None):
        return f"{before}-{candidate.params}-{candidate.resource}"

    def known(self, key, resource):
        return {s: Evaluation(0.5) for s in range(N_SPLITS)} if resource == 1 else {}

    def keep(self, split, done):
        pass

    def state(self, key, split):
        self.asked.append((key, split))

    def release(self, keys):
        self.dropped += keys


def test_a_journal_keeps_a_model_as_long_as_one_of_equal_trials_may_be_resumed():
    memory = Empty()
    with engine(fitter=Train(replace(PLAN)), memory=memory) as evaluator:
        evaluator.add([Candidate(id, {"alpha": 1.0}, 1) for id in range(2)])
        evaluator.release([1, 1])
        assert memory.dropped == []
        evaluator.release([0])
        assert len(memory.dropped) == 1


def test_a_journal_is_asked_once_for_a_model_that_is_lost():
    memory = Empty()
    first = Candidate(0, {"alpha": 1.0}, 1)
    heirs = [
        Candidate(1 + i, {"alpha": alpha}, 2, resume_from=0)
        for i, alpha in enumerate(ALPHAS)
    ]
    with engine(fitter=Train(replace(PLAN)), memory=memory) as evaluator:
        evaluator.add([first])
        evaluator.wait()
        evaluator.add(heirs)
        with pytest.warns(JournalWarning, match="trial 0 are not in the journal"):
            trials = [*evaluator.wait(), *evaluator.wait(), *evaluator.wait()]
    assert len(trials) == len(heirs)
    assert len(memory.asked) == len(set(memory.asked)) == N_SPLITS
