"""How many candidates are under way, whoever evaluates them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joblib import parallel_config
from pbt_estimators import Walker
from sklearn.datasets import make_regression

from skhpo import BayesSearch, PBTSearch, _clock
from skhpo._trial import Candidate, Evaluation, Trial
from skhpo.optimizers import BayesOptimizer
from skhpo.search._loop import Interrupts, Loop, LoopPolicy
from skhpo.search._results import Record
from skhpo.search._stop import StopRules
from skhpo.space import Real


class Spy:
    """An optimizer that notes how many candidates are asked for and not told."""

    def __init__(self, optimizer: Any = None, n_candidates: int = 0) -> None:
        self.optimizer, self.n_candidates = optimizer, n_candidates
        self.asked: list[int] = []
        self.told: list[int] = []
        self.told_before: list[list[int]] = []  # when each candidate was asked for
        self.most = 0

    def ask(self, n: int) -> list[Candidate]:
        if self.optimizer is None:
            left = range(len(self.asked), self.n_candidates)
            candidates = [Candidate(i, {}) for i in left[:n]]
        else:
            candidates = self.optimizer.ask(n)
        self.asked += [candidate.id for candidate in candidates]
        self.told_before += [list(self.told) for _ in candidates]
        self.most = max(self.most, len(self.asked) - len(self.told))
        return candidates

    def tell(self, trials: Any) -> None:
        self.told += [trial.candidate.id for trial in trials]
        if self.optimizer is not None:
            self.optimizer.tell(trials)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.optimizer, name)


EVALUATION = Evaluation(0.0, None, 0.0, 0.0, 1)


class AnyOrder:
    """An evaluator that completes some of its candidates at a time, in any order."""

    stopped = out_of_time = False
    turns = None  # trials are told by their ids

    def __init__(self, seed: int) -> None:
        self.rng, self.waiting = np.random.default_rng(seed), []  # type: ignore[var-annotated]

    def add(self, candidates: Any) -> None:
        self.waiting += candidates

    def wait(self) -> list[Any]:
        self.rng.shuffle(self.waiting)
        n = int(self.rng.integers(1, 4))
        batch, self.waiting = self.waiting[:n], self.waiting[n:]
        return [Trial(candidate, [EVALUATION]) for candidate in batch]


def run_loop(
    optimizer: Any, evaluator: Any, policy: LoopPolicy, rules: Any = ()
) -> Record:
    """Run the loop that all searches have; return what it has recorded."""
    record, interrupts = Record(), Interrupts()
    rules = StopRules(rules, optimizer, start=0.0)
    Loop(optimizer, evaluator, record, rules, [], policy, interrupts).run()
    return record


@given(st.integers(0, 999), st.integers(1, 6), st.integers(0, 20), st.booleans())
def test_no_more_are_under_way_than_allowed(
    seed: int, n_pending: int, n: int, in_order: bool
) -> None:
    """All are told once; in order, those up to i - n_pending before i is asked for."""
    spy = Spy(n_candidates=n)
    policy = LoopPolicy(n_pending=n_pending, in_order=in_order)
    record = run_loop(spy, AnyOrder(seed), policy)
    assert record.stop_reason == "completed"
    assert [candidate.id for candidate in record.candidates] == list(range(n))
    assert spy.asked == sorted(spy.told) == list(range(n))
    assert spy.most == min(n_pending, n)
    if in_order:
        assert spy.told == list(range(n))
        before = [list(range(max(0, i + 1 - n_pending))) for i in range(n)]
        assert spy.told_before == before


@given(st.integers(0, 999), st.integers(1, 6), st.integers(1, 20), st.booleans())
def test_a_rule_keeps_what_was_told(
    seed: int, n_pending: int, n_told: int, in_order: bool
) -> None:
    """And what is complete beside it only if the search wants it."""

    def after_some(progress: Any) -> str | None:
        return "enough" if len(progress.trials) == n_told else None

    n_recorded = []
    for whole_batches in (False, True):
        spy = Spy(n_candidates=30)
        policy = LoopPolicy(True, n_pending, in_order, whole_batches)
        record = run_loop(spy, AnyOrder(seed), policy, [after_some])
        assert record.stop_reason == "enough"
        assert len(spy.told) == n_told
        kept = {candidate.id for candidate in record.candidates}
        assert kept == set(spy.told) if not whole_batches else kept >= set(spy.told)
        n_recorded.append(len(kept))
    assert n_recorded[0] <= n_recorded[1] <= n_told + n_pending


@pytest.mark.parametrize("in_order", [True, False])
@pytest.mark.parametrize("n_pending", [1, 3])
def test_an_optimizer_without_an_end_is_asked_for_no_more(
    n_pending: int, in_order: bool
) -> None:
    """However many are complete at a time; a rule ends it."""
    spy = Spy(BayesOptimizer({"x": Real(0, 1)}, random_state=0))
    policy = LoopPolicy(n_pending=n_pending, in_order=in_order)
    run_loop(spy, AnyOrder(0), policy, [lambda _: len(spy.told) > 8 and "enough"])
    assert spy.most == n_pending


def test_interrupts_are_two_within_the_patience(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second in a row, not one after a while, and whichever search asks."""
    interrupts = Interrupts(patience=3.0)
    seen = []
    for now in (0.0, 2.9, 5.8, 8.9, 9.0):
        monkeypatch.setattr(_clock, "now", lambda now=now: now)
        seen.append(interrupts.note())
    assert seen == [False, True, True, False, True]


def test_nobody_is_asked_after_a_stop() -> None:
    """What is under way is told all the same."""
    spy, evaluator = Spy(n_candidates=9), AnyOrder(0)

    def stop(progress: Any) -> None:
        evaluator.stopped = len(progress.trials) > 2

    run_loop(spy, evaluator, LoopPolicy(n_pending=2), [stop])
    assert spy.told == spy.asked == [0, 1, 2, 3]


def spied(search: Any) -> Spy:
    """Fit a search; return the spy that stood before its optimizer."""
    spies = []
    make = type(search)._make_optimizer

    class Spied(type(search)):  # type: ignore[misc]
        def _make_optimizer(self, space: Any) -> Any:
            spies.append(Spy(make(self, space)))
            return spies[-1]

    search.__class__ = Spied
    X, y = make_regression(n_samples=12, n_features=2, random_state=0)
    with parallel_config("threading"):
        search.fit(X, y)
    return spies[0]


RATES = {"rate": np.linspace(0.1, 0.9, 9).tolist()}


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("n_pending", [1, 3])
def test_bayes_search_has_n_pending_under_way(
    n_jobs: int, asynchronous: bool, n_pending: int
) -> None:
    """Neither more, nor always less."""
    spy = spied(
        BayesSearch(
            Walker(),
            RATES,
            n_iter=9,
            n_pending=n_pending,
            asynchronous=asynchronous,
            n_jobs=n_jobs,
            cv=2,
            random_state=0,
        )
    )
    assert spy.most == n_pending
    assert sorted(spy.told) == list(range(9))
    if not asynchronous:
        assert spy.told == list(range(9))


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_population_is_asked_for_when_the_last_one_is_told(n_jobs: int) -> None:
    """A generation at once, after all of those before it."""
    spy = spied(
        PBTSearch(
            Walker(),
            RATES,
            population_size=4,
            n_generations=3,
            n_jobs=n_jobs,
            cv=2,
            random_state=0,
        )
    )
    assert spy.most == 4
    assert [len(told) for told in spy.told_before] == [0] * 4 + [4] * 4 + [8] * 4
