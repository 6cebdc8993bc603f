"""Which candidates are the finalists of a search, and what has come of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from skhpo._arithmetic import own_arithmetic
from skhpo._keys import params_key
from skhpo._trial import Trial

__all__ = ["Final", "best_rows", "fresh_columns"]


@dataclass(eq=False)
class Final:
    """What has come of the finalists so far.

    Parameters
    ----------
    n_splits : int
        How many ordinary splits there are.
    trials : dict of int to (Trial, Trial)
        Of each row that was evaluated: the trial on the fresh splits alone, numbered
        on, and the one on all splits.
    reason : str or None
        Why some of them are missing.
    n_fits, n_needed : int
        Fits of steps that were done, and that would have been done without sharing.
    """

    n_splits: int
    trials: dict[int, tuple[Trial, Trial]] = field(default_factory=dict)
    reason: str | None = None
    n_fits: int = 0
    n_needed: int = 0

    def add(self, row: int, ordinary: Trial, fresh: Trial) -> None:
        """Take note of a trial on the fresh splits."""
        missing = [None] * self.n_splits
        self.trials[row] = (
            replace(ordinary, evaluations=[*missing, *fresh.evaluations]),
            replace(ordinary, evaluations=[*ordinary.evaluations, *fresh.evaluations]),
        )


def best_rows(results: Mapping[str, Any], metric: str, most: int) -> list[int]:
    """Return the rows of the best distinct candidates, best first.

    Parameters
    ----------
    results : mapping of str to array
        ``cv_results_``. Those without a mean score are left out, and so is, after
        halving, who has had fewer resources than others.
    metric : str
        The score that decides.
    most : int
        How many at the most.

    Returns
    -------
    list of int
        Of equal candidates, the first row.

    Examples
    --------
    >>> results = {
    ...     "params": [{"C": 1}, {"C": 2}, {"C": 1}, {"C": 3}],
    ...     "mean_test_score": [0.9, 0.7, 0.9, 0.8],
    ...     "rank_test_score": [1, 4, 1, 3],
    ... }
    >>> best_rows(results, "score", 2)
    [0, 3]
    """
    eligible = ~np.isnan(np.asarray(results[f"mean_test_{metric}"], float))
    if "iter" in results:
        eligible &= np.asarray(results["iter"]) == np.max(results["iter"])
    chosen: dict[Any, int] = {}
    for row in np.argsort(results[f"rank_test_{metric}"], kind="stable").tolist():
        if len(chosen) == most:
            break
        if eligible[row]:
            chosen.setdefault(params_key(results["params"][row]), row)
    return list(chosen.values())


@own_arithmetic()
def fresh_columns(
    metric: str,
    trials: Mapping[int, tuple[Trial, Trial]],
    n_rows: int,
    n_splits: int,
    n_repeats: int,
) -> dict[str, Any]:
    """Return columns of ``cv_results_``, NaN in rows without trials.

    Parameters
    ----------
    metric : str
        Of which score.
    trials : mapping of int to (Trial, Trial)
        By row, the one on the fresh splits and the one on all.
    n_rows, n_splits, n_repeats : int
        Of ``cv_results_``, of the splitter, and how many seeds it was given.
    """
    scores = np.full((n_repeats * n_splits, n_rows), np.nan)
    mean, std, pooled = np.full((3, n_rows), np.nan)
    for row, of_row in trials.items():
        fresh, whole = (replace(trial, objective=metric) for trial in of_row)
        scores[:, row] = fresh.split_scores
        mean[row], pooled[row] = fresh.score, whole.score
        std[row] = np.std(scores[:, row])
    columns = {
        f"fresh{i // n_splits}_split{i % n_splits}_test_{metric}": column
        for i, column in enumerate(scores)
    }
    return columns | {
        f"fresh_mean_test_{metric}": mean,
        f"fresh_std_test_{metric}": std,
        f"pooled_mean_test_{metric}": pooled,
    }
