"""From the runs of a comparison to what they amount to, search by search."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skhpo._arithmetic import Array
from skhpo._comparison._checks import Splits
from skhpo._comparison._metrics import (
    by_split,
    distance_of_places,
    first_within,
    median,
    quality,
    search_luck,
    seeds_by_split,
    tolerance,
)
from skhpo._comparison._records import SearchRun, SearchSummary
from skhpo._comparison._told import options_set, other_packages
from skhpo._split_scores import scored_rows
from skhpo.space import SearchSpace

__all__ = ["Judged", "judge", "summarize"]

Near = dict[tuple[str, int, int], tuple[float, float]]


@dataclass(frozen=True)
class Judged:
    """The outer scores of all searches.

    Parameters
    ----------
    scores : dict of str to list of ndarray
        By name and split, one for each seed.
    means : dict of str to ndarray of shape (n_splits,)
        Their means over the seeds.
    n_rows : int or None
        Of how many rows the scores are proportions, None if they are not.
    ratio, level : float
        As of the comparison.
    """

    scores: dict[str, list[Array]]
    means: dict[str, Array]
    n_rows: int | None
    ratio: float
    level: float


def judge(
    names: Sequence[str] | Mapping[str, Any],
    runs: Sequence[SearchRun],
    splits: Splits,
    level: float,
) -> Judged:
    """Return the outer scores of all runs, in order."""
    n_splits = len(splits.pairs)
    scores = {
        name: seeds_by_split([r for r in runs if r.search == name], n_splits)
        for name in names
    }
    means = {name: by_split(rows) for name, rows in scores.items()}
    columns = [
        np.concatenate([rows[split] for rows in scores.values()])
        for split in range(n_splits)
    ]
    known = [column[np.isfinite(column)] for column in columns]
    rows = [scored_rows(column[:, np.newaxis]) for column in known if column.size]
    is_proportion = bool(rows) and None not in rows
    n_rows = splits.n_tested if is_proportion else None
    return Judged(scores, means, n_rows, splits.ratio, level)


def summarize(
    searches: Mapping[str, Any],
    runs: Sequence[SearchRun],
    judged: Judged,
    spaces: Mapping[str, SearchSpace | None],
    is_comparable: bool,
) -> dict[str, SearchSummary]:
    """Return what all runs of each search amount to.

    Parameters
    ----------
    searches : mapping of str to estimator
        By name.
    runs : sequence of SearchRun
        Of all searches.
    judged : Judged
        Their outer scores.
    spaces : mapping of str to SearchSpace or None
        By name.
    is_comparable : bool
        Whether inner scores of different searches mean the same.
    """
    near = near_the_best(runs, judged) if is_comparable else {}
    return {
        name: _summary(name, search, runs, judged, spaces[name], near)
        for name, search in searches.items()
    }


def near_the_best(runs: Sequence[SearchRun], judged: Judged) -> Near:
    """Return for each run the candidates and seconds until it was near the best.

    That is: until one of its candidates has the best inner score that any search
    reached on this split, but for a standard error of the outer score; infinite if
    none has.
    """
    margin = tolerance([*judged.means.values()], judged.ratio)
    done = [run for run in runs if run.failure is None and run.told.scores.size]
    best: dict[int, float] = {}
    for run in done:
        top = np.nanmax(run.told.scores, initial=-math.inf)
        best[run.split] = max(float(top), best.get(run.split, -math.inf))
    found: Near = {}
    for run in done:
        first = first_within(run.told.scores, best[run.split] - margin)
        n, seconds = math.inf, math.inf
        if first is not None:
            searching = run.seconds - np.nan_to_num(run.refit_seconds)
            n, seconds = first + 1, float(run.told.elapsed[first] * searching)
        found[run.search, run.split, run.seed] = n, seconds
    return found


def _summary(
    name: str,
    search: Any,
    runs: Sequence[SearchRun],
    judged: Judged,
    space: SearchSpace | None,
    near: Near,
) -> SearchSummary:
    own = [run for run in runs if run.search == name]
    done = [run for run in own if run.failure is None]
    means = judged.means[name]
    score, interval = quality(means, judged.ratio, judged.level, judged.n_rows)
    reached = [near[key] for key in near if key[0] == name]

    def middle(value: Callable[[SearchRun], float]) -> float:
        return median([value(run) for run in done])

    excess = [run.told.best_score - run.score for run in done]
    known_means = means[np.isfinite(means)]
    return SearchSummary(
        name=name,
        score=score,
        interval=interval,
        optimism=float(np.mean(excess)) if done else math.nan,
        candidates_to_best=median([n for n, _ in reached]),
        seconds_to_best=median([seconds for _, seconds in reached]),
        n_not_reached=sum(n == math.inf for n, _ in reached),
        n_runs=len(own),
        n_failed=len(own) - len(done),
        n_candidates=middle(lambda run: run.told.n_candidates),
        n_fits=middle(lambda run: run.told.n_fits),
        saved=middle(lambda run: run.told.saved),
        seconds=middle(lambda run: run.seconds),
        cpu_seconds=middle(lambda run: run.cpu_seconds),
        fit_seconds=middle(lambda run: run.told.fit_seconds),
        overhead_seconds=middle(
            lambda run: run.seconds - run.told.fit_seconds - run.refit_seconds
        ),
        sd_seeds=search_luck(judged.scores[name]),
        sd_splits=(
            float(np.std(known_means, ddof=1)) if known_means.size > 1 else math.nan
        ),
        params_distance=_spread(done, space),
        n_options=len(options_set(search)),
        n_dimensions=0 if space is None else _n_dimensions(space),
        packages=other_packages(search),
    )


def _spread(runs: Sequence[SearchRun], space: SearchSpace | None) -> float:
    if space is None:
        return math.nan
    places = [run.told.place for run in runs]
    return distance_of_places(places, space.is_categorical)


def _n_dimensions(space: SearchSpace) -> int:
    return len({column.name for column in space.columns} - {None})
