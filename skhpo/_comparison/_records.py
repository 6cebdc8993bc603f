"""The records of a comparison: a run of a search, and what all its runs amount to."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from skhpo._arithmetic import Array

__all__ = ["Pair", "SearchRun", "SearchSummary", "Told"]


@dataclass(frozen=True)
class Told:
    """What a fitted search tells of its way; NaN and empty where it tells nothing.

    Parameters
    ----------
    best_score : float
        ``best_score_``.
    n_candidates : float
        Rows of ``cv_results_``.
    n_fits : float
        Candidates times splits that were evaluated.
    saved : float
        The share of all fits that was saved, by sharing or by a race.
    fit_seconds : float
        Of fitting and scoring, as if each had been done alone.
    scores : ndarray of shape (n_candidates,)
        Mean scores that could have won, NaN elsewhere.
    elapsed : ndarray of shape (n_candidates,)
        The share of `fit_seconds` that had gone by after each candidate.
    place : ndarray of shape (d,) or None
        The best candidate in the unit cube of the space.
    """

    best_score: float = math.nan
    n_candidates: float = math.nan
    n_fits: float = math.nan
    saved: float = math.nan
    fit_seconds: float = math.nan
    scores: Array = field(default_factory=lambda: np.empty(0))
    elapsed: Array = field(default_factory=lambda: np.empty(0))
    place: Array | None = None


@dataclass(frozen=True)
class SearchRun:
    """One search, fitted on the train part of one split, with one seed.

    Parameters
    ----------
    search : str
        Its name.
    split : int
        The outer split.
    seed : int
        Which of the seeds, from 0 on.
    score : float
        What the refitted model scores on the test part; NaN if the run failed.
    seconds : float
        Of the clock, that ``fit`` took.
    cpu_seconds : float
        Of the processor, in this process and in those that it has ended.
    refit_seconds : float
        Of the last fit of the best candidate; NaN if the search does not tell.
    told : Told
        What the search tells of its way.
    failure : str or None
        Why there is no score.
    """

    search: str
    split: int
    seed: int
    score: float = math.nan
    seconds: float = math.nan
    cpu_seconds: float = math.nan
    refit_seconds: float = math.nan
    told: Told = field(default_factory=Told, repr=False)
    failure: str | None = None


@dataclass(frozen=True)
class SearchSummary:
    """What all runs of a search amount to; NaN is what is not known.

    Counts and times are medians over the runs.

    Parameters
    ----------
    name : str
        Of the search.
    score : float
        Mean outer score over the splits, of means over the seeds.
    interval : (float, float)
        Where the true mean may be.
    optimism : float
        By how much ``best_score_`` was higher than the outer score, in the mean.
    candidates_to_best : float
        Candidates until the search was as good as any was on the same split, but for
        a standard error; infinite if most runs never were.
    seconds_to_best : float
        Seconds until then.
    n_not_reached : int
        Runs that never were.
    n_runs : int
        Number of runs.
    n_failed : int
        Runs without an outer score.
    n_candidates : float
        Candidates of a run.
    n_fits : float
        Candidates times inner splits that were evaluated.
    saved : float
        Share of fits that sharing or a race has saved.
    seconds : float
        Of the clock, for a whole ``fit``.
    cpu_seconds : float
        Of the processor, without workers in other processes.
    fit_seconds : float
        Of all fits and scores, as if each had been done alone.
    overhead_seconds : float
        `seconds` less `fit_seconds` and the last fit: what the search itself took;
        below 0 where sharing or workers saved more than that.
    sd_seeds : float
        Deviation of the outer score over the seeds, on the same split: the luck of the
        search.
    sd_splits : float
        Deviation over the splits: the luck of the data.
    params_distance : float
        Mean distance of two chosen candidates in the unit cube, 0 to 1; 0 if all runs
        chose the same.
    n_options : int
        Parameters of the search that were set to other values than their defaults.
    n_dimensions : int
        Parameters in its space.
    packages : list of str
        What has to be installed beside scikit-learn and skhpo.
    """

    name: str
    score: float
    interval: tuple[float, float]
    optimism: float
    candidates_to_best: float
    seconds_to_best: float
    n_not_reached: int
    n_runs: int
    n_failed: int
    n_candidates: float
    n_fits: float
    saved: float
    seconds: float
    cpu_seconds: float
    fit_seconds: float
    overhead_seconds: float
    sd_seeds: float
    sd_splits: float
    params_distance: float
    n_options: int
    n_dimensions: int
    packages: list[str]


@dataclass(frozen=True)
class Pair:
    """Two searches compared.

    Parameters
    ----------
    first, second : str
        Their names.
    difference : float
        Mean outer score of the first less that of the second.
    interval : (float, float)
        Where the true one is, with the probability of the level.
    better, same, worse : float
        Probabilities that the first is better by more than `rope`, as good, and worse;
        NaN if they have fewer than two splits in common.
    """

    first: str
    second: str
    difference: float
    interval: tuple[float, float]
    better: float
    same: float
    worse: float
