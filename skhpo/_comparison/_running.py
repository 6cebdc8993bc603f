"""Fit every search on every outer split with every seed, and note how it went."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.metrics import check_scoring

from skhpo._comparison._checks import Splits
from skhpo._comparison._records import SearchRun
from skhpo._comparison._told import space_of, told_by
from skhpo._rng import child_rng
from skhpo._sklearn_compat import check_method_params, safe_split

__all__ = ["Contest", "takes_seed"]


def takes_seed(search: Any) -> bool:
    """Whether a search has a ``random_state``, so that seeds make a difference."""
    return "random_state" in search.get_params(deep=False)


class Contest:
    """All searches on all splits with all seeds, one run after the other.

    Parameters
    ----------
    searches : dict of str to estimator
        The searches by name.
    X, y : array-like
        The data.
    splits : Splits
        The outer ones.
    scoring : str, callable or None
        The outer score.
    params : dict of str to object
        For ``fit``; what is as long as `X` is split with it.
    groups : array-like or None
        For those searches whose own splitter asks for groups.
    n_seeds : int
        Seeds per split.
    root : SeedSequence
        Where the seeds come from.
    """

    def __init__(
        self,
        searches: Mapping[str, Any],
        X: Any,
        y: Any,
        splits: Splits,
        *,
        scoring: Any,
        params: Mapping[str, Any],
        groups: Any,
        n_seeds: int,
        root: np.random.SeedSequence,
    ) -> None:
        self._searches = searches
        self._X, self._y = X, y
        self._splits = splits
        self._scoring = scoring
        self._params = dict(params)
        self._groups = groups
        self._n_seeds = n_seeds
        self._root = root
        self.spaces = {name: space_of(search) for name, search in searches.items()}

    def plan(self) -> Iterator[tuple[str, int, int]]:
        """Yield name, split and seed of each run.

        Each search is first, second, and so on, equally often, so that none of them
        always has the warm caches. A search without a seed does the same each time,
        so it runs once per split.
        """
        names = list(self._searches)
        blocks = [
            (split, seed)
            for split in range(len(self._splits.pairs))
            for seed in range(self._n_seeds)
        ]
        for i, (split, seed) in enumerate(blocks):
            turn = i % len(names)
            for name in names[turn:] + names[:turn]:
                if seed == 0 or takes_seed(self._searches[name]):
                    yield name, split, seed

    def warm_up(self) -> None:
        """Fit each estimator as given once, so that imports are nobody's time."""
        train, _ = self._splits.pairs[0]
        for search in self._searches.values():
            with suppress(Exception):  # a run of the search will tell
                estimator = clone(search.estimator)
                X, y = safe_split(estimator, self._X, self._y, train)
                estimator.fit(*((X,) if y is None else (X, y)))

    def run(self, name: str, split: int, seed: int) -> SearchRun:
        """Fit one search on the train part of one split, and score it on the other."""
        search = clone(self._searches[name])
        if takes_seed(search):
            # Another seed for each split: the same draws on all of them would be luck
            # that no comparison of splits could see. The same for all searches.
            rng = child_rng(self._root, "compare", split, seed)
            search.set_params(random_state=int(rng.integers(2**31 - 1)))
        start, cpu = time.perf_counter(), _cpu_seconds()
        try:
            self._fit(search, split)
        except Exception as error:
            return SearchRun(name, split, seed, failure=_described(error))
        seconds, cpu = time.perf_counter() - start, _cpu_seconds() - cpu
        if getattr(search, "stop_reason_", None) == "interrupted":
            # The search has kept what it had. A comparison cannot go on without it.
            raise KeyboardInterrupt
        score, failure = self._score(search, split)
        return SearchRun(
            name,
            split,
            seed,
            score,
            seconds,
            cpu,
            float(getattr(search, "refit_time_", math.nan)),
            told_by(search, self.spaces[name]),
            failure,
        )

    def _fit(self, search: Any, split: int) -> None:
        train, _ = self._splits.pairs[split]
        X, y = safe_split(search.estimator, self._X, self._y, train)
        params = dict(self._params)
        if self._groups is not None and _asks_for_groups(search.cv):
            params.setdefault("groups", self._groups)
        params = check_method_params(self._X, params=params, indices=train)
        search.fit(*((X,) if y is None else (X, y)), **params)

    def _score(self, search: Any, split: int) -> tuple[float, str | None]:
        """Return the outer score, or NaN and why there is none."""
        train, test = self._splits.pairs[split]
        X, y = safe_split(search.estimator, self._X, self._y, test, train)
        score: Callable[..., Any] = search.score
        if self._scoring is not None:
            scorer = check_scoring(search, scoring=self._scoring)
            score = _bound(scorer, search)
        try:
            value = float(score(X) if y is None else score(X, y))
        except Exception as error:
            return math.nan, _described(error)
        if not math.isfinite(value):
            return math.nan, f"The outer score is {value}."
        return value, None


def _bound(scorer: Any, search: Any) -> Callable[..., Any]:
    return lambda X, y=None: scorer(search, X, y)


def _described(error: Exception) -> str:
    """Return an error on one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _cpu_seconds() -> float:
    times = os.times()
    own = times.user + times.system
    return own + times.children_user + times.children_system


def _asks_for_groups(cv: Any) -> bool:
    """Whether a splitter is one of those that need groups."""
    if not hasattr(cv, "get_metadata_routing"):
        return False
    requests = cv.get_metadata_routing().split.requests
    return bool(requests.get("groups"))
