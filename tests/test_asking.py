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

from skhpo import BayesSearch, PBTSearch
from skhpo._trial import Candidate, Trial
from skhpo.search._asking import Asking


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


class AnyOrder:
    """An evaluator that completes some of its candidates at a time, in any order."""

    stopped = False

    def __init__(self, seed: int) -> None:
        self.rng, self.waiting = np.random.default_rng(seed), []  # type: ignore[var-annotated]

    def add(self, candidates: Any) -> None:
        self.waiting += candidates

    def next(self) -> list[Any]:
        self.rng.shuffle(self.waiting)
        n = int(self.rng.integers(1, 4))
        batch, self.waiting = self.waiting[:n], self.waiting[n:]
        return [(candidate, []) for candidate in batch]


@given(st.integers(0, 999), st.integers(1, 6), st.integers(0, 20), st.booleans())
def test_no_more_are_under_way_than_allowed(
    seed: int, n_pending: int, n: int, in_order: bool
) -> None:
    """All are told once; in order, those up to i - n_pending before i is asked for."""
    spy = Spy(n_candidates=n)
    asking = Asking(spy, AnyOrder(seed), n_pending, in_order=in_order)
    told = []
    for batch in asking.complete():
        for candidate, _ in batch:
            for trial in asking.tell(Trial(candidate, (0.0,))):
                told.append(trial.candidate.id)
                known = {id for id in range(n + 1) if asking.was_told(id)}
                assert known == set(told)
    assert spy.told == told
    assert spy.asked == sorted(told) == list(range(n))
    assert spy.most == min(n_pending, n)
    if in_order:
        assert told == list(range(n))
        before = [list(range(max(0, i + 1 - n_pending))) for i in range(n)]
        assert spy.told_before == before


def test_nobody_is_asked_after_a_stop() -> None:
    """What is under way is told all the same."""
    spy, evaluator = Spy(n_candidates=9), AnyOrder(0)
    asking = Asking(spy, evaluator, 2, in_order=True)
    for batch in asking.complete():
        for candidate, _ in batch:
            for trial in asking.tell(Trial(candidate, (0.0,))):
                evaluator.stopped = trial.candidate.id >= 2
    assert spy.told == spy.asked == [0, 1, 2, 3]


def spied(search: Any) -> Spy:
    """Fit a search; return the spy that stood before its optimizer."""
    spies = []
    make = type(search)._make_optimizer

    class Spied(type(search)):  # type: ignore[misc]
        def _make_optimizer(self) -> Any:
            spies.append(Spy(make(self)))
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
