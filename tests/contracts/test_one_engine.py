"""What an optimizer may ask of the evaluator: more training, more splits, in any order.

Two optimizers that no search has, successive halving over training steps and over
splits, are run by the ordinary loop. Nothing in the evaluation knows of them.
"""

from __future__ import annotations

import functools
import math
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import get_scorer
from sklearn.model_selection import KFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skhpo.evaluation import EvaluationSpec, Evaluator
from skhpo.evaluation.fitting._subsets import Subsets
from skhpo.evaluation.training._parts import replay
from skhpo.evaluation.training._training import Train, TrainingPlan
from skhpo.optimizers import Candidate, Trial
from skhpo.search._base import BaseSearch
from skhpo.search._loop import LoopPolicy

X, Y = make_classification(150, 6, n_informative=4, n_classes=3, random_state=0)
SEED = np.random.SeedSequence(0)
CV = KFold(3)
SGD = SGDClassifier(loss="log_loss", random_state=0)
MODELS = {
    "sgd": (SGD, "alpha"),
    "boosting": (
        HistGradientBoostingClassifier(max_iter=10, random_state=0),
        "l2_regularization",
    ),
    "pipeline": (make_pipeline(StandardScaler(), SGD), "sgdclassifier__alpha"),
}
VALUES = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1]


class Halving:
    """The better half goes on from its models, with three times the steps."""

    def __init__(self, candidates: list[dict], rungs: list[Any]) -> None:
        self.rungs, self.rung = rungs, 0
        self.waiting: list[tuple[dict, int | None]] = [(c, None) for c in candidates]
        self.told: list[Trial] = []
        self.n_asked = self.n_pending = self.n_released = 0

    def ask(self, n: int) -> list[Candidate]:
        new, self.waiting = self.waiting[:n], self.waiting[n:]
        asked = [self.candidate(self.n_asked + i, *c) for i, c in enumerate(new)]
        self.n_asked += len(new)
        self.n_pending += len(new)
        return asked

    def candidate(self, id: int, params: dict, origin: int | None) -> Candidate:
        return Candidate(id, params, self.rungs[self.rung], origin)

    def tell(self, trials: list[Trial]) -> None:
        self.told += trials
        self.n_pending -= len(trials)
        if self.waiting or self.n_pending or self.rung + 1 == len(self.rungs):
            return
        self.rung += 1
        ranked = sorted(self.told, key=lambda t: (-t.score, t.candidate.id))
        best = ranked[: math.ceil(len(ranked) / 2)]
        self.waiting = [(t.candidate.params, t.candidate.id) for t in best]
        self.told = []

    def released(self) -> list[int]:
        """All but those from which somebody goes on."""
        kept = {origin for _, origin in self.waiting}
        last = range(self.n_released, 0 if self.n_pending else self.n_asked)
        self.n_released = max(self.n_released, last.stop)
        return [id for id in last if id not in kept]


class SplitHalving(Halving):
    """The better half is evaluated on one more split."""

    def candidate(self, id: int, params: dict, origin: int | None) -> Candidate:
        splits = tuple(range(self.rungs[self.rung]))
        return Candidate(id, params, resume_from=origin, splits=splits)


class HalvingSearch(BaseSearch):
    """Either of them, as a search."""

    def __init__(self, estimator: Any, name: str, over: str, **options: Any) -> None:
        fixed = {"scoring": "neg_log_loss", "cv": CV, "refit": False}
        super().__init__(estimator, **{**fixed, **options})
        self.name, self.over = name, over

    def _policy(self) -> LoopPolicy:
        return LoopPolicy(learns=True)

    def _compile(self) -> list[dict]:
        return [{self.name: VALUES}]

    def _make_optimizer(self, space: Any) -> Halving:
        candidates = [{self.name: value} for value in VALUES]
        kind = Halving if self.over == "steps" else SplitHalving
        return kind(candidates, [1, 2, 3] if self.over == "splits" else [1, 3, 9])

    def _evaluate(self, run: Any, optimizer: Any) -> None:
        if self.over == "steps":
            run.fitter = Train(TrainingPlan(SEED, labels=np.unique(Y)))
        super()._evaluate(run, optimizer)


def halve(model: str, over: str, **options: Any) -> HalvingSearch:
    estimator, name = MODELS[model]
    return HalvingSearch(clone(estimator), name, over, **options).fit(X, Y)


def scores_of(search: HalvingSearch) -> np.ndarray:
    names = [f"split{i}_test_score" for i in range(3)]
    return np.column_stack([search.cv_results_[name] for name in names])


@pytest.mark.parametrize("model", MODELS)
def test_halving_over_steps_gives_what_whole_trainings_give(model: str) -> None:
    """A rung costs only the steps that the last one had not done."""
    search = halve(model, "steps")
    estimator, name = MODELS[model]
    plan, scorer = TrainingPlan(SEED, labels=np.unique(Y)), get_scorer("neg_log_loss")
    params = [p[name] for p in search.cv_results_["params"]]
    assert params[:6] == VALUES
    assert len(params) == 6 + 3 + 2
    for row, n_steps in ((0, 1), (6, 3), (9, 9)):
        for split, (train, test) in enumerate(CV.split(X)):
            training = plan.training(X[train], Y[train], split).portion(0, n_steps)
            whole = replay(estimator, [(0, {name: params[row]})], training)
            assert scores_of(search)[row, split] == scorer(whole, X[test], Y[test])
    assert search.reuse_.n_fits == 3 * (6 + 3 + 2) + (3 if model == "pipeline" else 0)


@pytest.mark.parametrize("model", MODELS)
def test_halving_over_splits_gives_what_cross_validation_gives(model: str) -> None:
    """What is not evaluated is NaN, and never the best; nothing is fitted twice."""
    search = halve(model, "splits")
    estimator, _ = MODELS[model]
    scores = scores_of(search)
    assert (~np.isnan(scores)).sum(axis=1).tolist() == [1] * 6 + [2] * 3 + [3] * 2
    assert search.best_index_ in (9, 10)
    expected = cross_validate(
        clone(estimator).set_params(**search.best_params_),
        X, Y, cv=CV, scoring="neg_log_loss",
    )  # fmt: skip
    np.testing.assert_array_equal(scores[search.best_index_], expected["test_score"])
    n_steps = 2 if model == "pipeline" else 1
    assert search.reuse_.n_fits + search.reuse_.n_saved == n_steps * (6 + 3 + 2)


@pytest.mark.thinned
@pytest.mark.parametrize("over", ["steps", "splits"])
@pytest.mark.parametrize("model", MODELS)
def test_the_workers_change_nothing(model: str, over: str) -> None:
    alone = scores_of(halve(model, over))
    for backend in ("threading", "loky") if model == "pipeline" else ("threading",):
        with joblib.parallel_config(backend, n_jobs=2):
            np.testing.assert_array_equal(scores_of(halve(model, over)), alone)


KILLED = """
    import os, signal, sys
    sys.path[:0] = {path!r}
    from contracts import test_one_engine as this

    n_left = {n_left}
    def count(progress):
        if len(progress.trials) == n_left:
            os.kill(os.getpid(), signal.SIGKILL)

    this.halve({model!r}, {over!r}, journal={journal!r}, stop=count)
"""


# Each kills a new process, which costs some seconds.
@pytest.mark.parametrize(
    ("model", "over"),
    [
        pytest.param(
            *(model, over),
            marks=[] if (model, over) == ("pipeline", "steps") else pytest.mark.slow,
        )
        for over in ("steps", "splits")
        for model in MODELS
    ],
)
def test_a_killed_run_goes_on_from_its_journal(
    model: str, over: str, tmp_path: Path
) -> None:
    """With the models of the last rung: to the same scores, and for the rest only."""
    journal = str(tmp_path / "halving.db")
    path = [str(Path(__file__).parents[1]), *(p for p in sys.path if p)]
    script = textwrap.dedent(KILLED).format(
        path=path, n_left=7, model=model, over=over, journal=journal
    )
    code = subprocess.run([sys.executable, "-c", script], check=False).returncode
    assert code == -signal.SIGKILL
    plain = halve(model, over)
    resumed = halve(model, over, journal=journal)
    np.testing.assert_array_equal(scores_of(resumed), scores_of(plain))
    assert resumed.reuse_.n_fits < plain.reuse_.n_fits
    again = halve(model, over, journal=journal)
    np.testing.assert_array_equal(scores_of(again), scores_of(plain))
    assert again.reuse_.n_fits == 0


# --- what cannot be done is said ------------------------------------------------------


def evaluator(*, trains: bool) -> Evaluator:
    estimator = SGD if trains else LogisticRegression()
    scorer = get_scorer("neg_log_loss")
    spec = EvaluationSpec(estimator, X, Y, list(CV.split(X)), scorer)
    fitter = Train(TrainingPlan(SEED, labels=np.unique(Y))) if trains else None
    return Evaluator(
        spec, n_jobs=1, pre_dispatch=1, fitter=fitter, name="OddSearch"
    )  # fmt: skip


A = {"alpha": 0.1}
C = {"C": 1.0}
REFUSED = {
    "an id for the second time": (True, Candidate(0, A, 1), "another one with this id"),
    "a split too many": (False, Candidate(1, C, splits=(0, 3)), r"0 to 2, and no 3"),
    "a split twice": (False, Candidate(1, C, splits=(0, 0)), "distinct"),
    "no split": (False, Candidate(1, C, splits=()), "one or several"),
    "steps of a fit": (False, Candidate(1, C, 3), "fitted at once"),
    "a fit of steps": (True, Candidate(1, A), "positive integer. Got None"),
    "no steps": (True, Candidate(1, A, 0), "positive integer. Got 0"),
    "an unknown trial": (True, Candidate(1, A, 3, 5), "trial 5, which does not exist"),
    "fewer steps": (True, Candidate(1, {"alpha": 0.2}, 2, 0), "must be more"),
    "a parameter left out": (True, Candidate(1, {}, 3, 0), "Give the same ones"),
    "other parameters": (False, Candidate(1, {"C": 2.0}, None, 0), "other parameters"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_done_is_refused(what: str) -> None:
    """By search and candidate; none of its batch is evaluated, the rest goes on."""
    trains, odd, message = REFUSED[what]
    good = Candidate(0, A if trains else C, 2 if trains else None)
    with evaluator(trains=trains) as engine:
        engine.add([good])
        (first,) = engine.wait()
        other = Candidate(7, dict(good.params), good.resource)
        with pytest.raises(
            ValueError, match=f"OddSearch.*candidate {odd.id}.*{message}"
        ):
            engine.add([other, odd])
        assert engine.wait() == []
        engine.add([other])
        (second,) = engine.wait()
    assert second.split_scores == first.split_scores


@settings(max_examples=5)
@given(st.sets(st.integers(10, len(X)), min_size=1, max_size=3), st.booleans())
def test_a_resource_of_rows_is_a_fit_on_that_part(sizes: Any, shares: bool) -> None:
    """Whatever is asked for together; test rows are all of them."""
    subsets = Subsets(len(X), SEED, Y)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    spec = EvaluationSpec(
        model, X, Y, list(CV.split(X)), get_scorer("neg_log_loss"), subsets=subsets
    )
    amounts = [None, *sizes, *sizes]
    with Evaluator(spec, n_jobs=1, pre_dispatch=1, reuse=shares) as engine:
        engine.add(
            [
                Candidate(id, {"logisticregression__C": 1.0}, n)
                for id, n in enumerate(amounts)
            ]
        )
        trials = []
        while found := engine.wait():
            trials += found
    assert engine.n_needed == 2 * 3 * len(amounts)
    assert engine.n_fits <= 2 * 3 * (len(sizes) + 1) or not shares
    splits = list(CV.split(X))

    @functools.cache
    def expected(n: int, split: int) -> float:
        train, test = splits[split]
        rows = subsets.rows(train, split, n)
        whole = clone(model).set_params(logisticregression__C=1.0)
        return get_scorer("neg_log_loss")(whole.fit(X[rows], Y[rows]), X[test], Y[test])

    for trial in trials:
        n = amounts[trial.candidate.id] or len(X)
        assert trial.split_scores == tuple(expected(n, i) for i in range(3))


@pytest.mark.parametrize("n", [0, len(X) + 1, 1.5])
def test_there_are_as_many_rows_as_there_are(n: Any) -> None:
    spec = EvaluationSpec(
        SGD, X, Y, list(CV.split(X)), get_scorer("neg_log_loss"),
        subsets=Subsets(len(X), SEED),
    )  # fmt: skip
    with (
        Evaluator(spec, n_jobs=1, pre_dispatch=1) as engine,
        pytest.raises(ValueError, match=f"resource is {n}, .* from 1 to 150"),
    ):
        engine.add([Candidate(0, A, n)])


def test_only_a_model_that_is_there_is_continued() -> None:
    """Not one that is being trained, that has failed, or that was released."""
    with evaluator(trains=True) as engine:
        engine.add([Candidate(0, A, 1)])
        with pytest.raises(ValueError, match="trial 0, which is not complete"):
            engine.add([Candidate(1, A, 2, resume_from=0)])
        engine.wait()
        engine.release([0])
        with pytest.raises(ValueError, match="trial 0, whose models were released"):
            engine.add([Candidate(1, A, 2, resume_from=0)])
    odd = Train(TrainingPlan(SEED, labels=np.unique(Y)))
    spec = EvaluationSpec(
        SGD, X, Y, list(CV.split(X)), get_scorer("neg_log_loss"), error_score=math.nan
    )
    with Evaluator(spec, n_jobs=1, pre_dispatch=1, fitter=odd) as engine:
        engine.add([Candidate(0, {"penalty": "none of these"}, 1)])
        (trial,) = engine.wait()
        assert trial.failed
        with pytest.raises(ValueError, match="trial 0, which has failed on split 0"):
            engine.add([Candidate(1, A, 2, resume_from=0)])


@settings(max_examples=15)
@given(st.data())
def test_the_way_to_a_resource_changes_nothing(data: Any) -> None:
    """Split by split, in portions, from a model or from its lineage: the same scores.

    The parameters are the same all the way, so that only the number of steps counts.
    """
    plan = TrainingPlan(SEED, labels=np.unique(Y))
    total = data.draw(st.integers(2, 6))
    cuts = sorted(data.draw(st.sets(st.integers(1, total - 1), max_size=3)))
    with evaluator(trains=True) as engine:
        for id, resource in enumerate([*cuts, total]):
            splits = data.draw(st.sets(st.integers(0, 2), min_size=1))
            last = resource == total
            origin = id - 1 if id else None
            wanted = None if last else tuple(sorted(splits))
            engine.add([Candidate(id, A, resource, origin, wanted)])
            (trial,) = engine.wait()
            assert [e is not None for e in trial.evaluations] == [
                last or split in splits for split in range(3)
            ]
    scorer = get_scorer("neg_log_loss")
    for split, (train, test) in enumerate(CV.split(X)):
        training = plan.training(X[train], Y[train], split).portion(0, total)
        whole = replay(SGD, [(0, A)], training)
        assert trial.split_scores[split] == scorer(whole, X[test], Y[test])
