"""What a report knows of a fitted search: split scores, the winner, who is compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skhpo._arithmetic import Array
from skhpo._candidates._axis import Axis
from skhpo._candidates._read import number_tried, read, read_search
from skhpo._report._splitting import Splitting, splitting_of
from skhpo._words import counted, did_you_mean, none_of
from skhpo.exceptions import AllFitsFailedError
from skhpo.search._given import find_given

__all__ = ["Compared", "Reading", "read_fitted"]


HALVED = (
    "Only the candidates of the last iteration are compared: the others were dropped "
    "by the same splits before, which no correction from these scores can see. Nor do "
    "they tell whether more candidates would help."
)
SUGGESTED = "The space was suggested by skhpo: see search.space_."
POPULATION = (
    "The members of the population were exploited by their scores on all splits, which "
    "no correction from these scores can see: take best_score_ for more optimistic "
    "than is said here."
)

FINALISTS = (
    "The winner was chosen of {} finalists by the mean over ordinary and fresh splits. "
    "The correction is that of the highest mean on the ordinary ones, and costs are "
    "without the fresh ones. What finalists score there is too high as well: the rows "
    "are those by which they became finalists."
)


@dataclass(frozen=True, eq=False)
class Compared:
    """What a report keeps of the candidates.

    Parameters
    ----------
    params : list of dict
        Those of all rows of ``cv_results_``.
    axes : list of Axis
        The parameters of the rows that are compared.
    means : ndarray of shape (m,)
        Their mean test scores.
    """

    params: list[dict[str, Any]] = field(default_factory=list)
    axes: list[Axis] = field(default_factory=list)
    means: Array = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True)
class Reading:
    """A fitted search, as far as its report needs it.

    Parameters
    ----------
    results : mapping of str to array
        ``cv_results_``.
    metric : str
        The score that decides, as in the names of columns.
    scores : ndarray of shape (n, k)
        Test scores on each split, of all rows.
    means : ndarray of shape (n,)
        Mean test scores; of candidates that a race dropped, what was expected of them.
    seconds : ndarray of shape (n,)
        Of fitting and scoring a candidate on the splits that it was evaluated on.
    axes : list of Axis
        The parameters.
    rows : ndarray of shape (m,)
        The rows that are compared: those with a score on every split.
    winner : int
        The row that was chosen.
    given : int or None
        The row of the estimator as given, if it is compared.
    splitting : Splitting
        The kind of the splits.
    rule : callable or None
        What chose the winner, if it was not the highest mean.
    n_tried : int
        How many candidates there were, with those that are not compared.
    selected : bool
        Whether `rows` are what others were dropped for, so that some of them are not
        what a smaller search would have had.
    curves : list of ndarray or None
        For each of `rows`, the scores (n_stages, k) of all the numbers of iterations
        of which one was chosen; None if none was.
    n_failed : int
        Rows without a score on some split, unless they were dropped.
    notes : list of str
        What is to be said of all this.
    """

    results: Mapping[str, Any]
    metric: str
    scores: Array
    means: Array
    seconds: Array
    axes: list[Axis]
    rows: NDArray[np.intp]
    winner: int
    given: int | None
    splitting: Splitting
    rule: Callable[..., Any] | None
    n_tried: int
    selected: bool
    curves: list[Array] | None
    n_failed: int
    notes: list[str] = field(default_factory=list)

    def alternatives(self, positions: NDArray[np.intp]) -> Array:
        """Return all scores (any number, k) that some of `rows` could have had."""
        if self.curves is None:
            return self.scores[self.rows[positions]]
        return np.concatenate([self.curves[i] for i in positions])


def read_fitted(search: Any, metric: str | None) -> Reading:
    """Return what a report needs of a fitted search.

    Raises
    ------
    NotFittedError
        If it is not fitted.
    AllFitsFailedError
        If no candidate has a score on every split.
    ValueError
        If it is not known which score decides, or the chosen candidate has none.
    """
    if isinstance(search, Mapping):
        raise TypeError(
            "A report is of a fitted search, and not of its cv_results_: write "
            "report(search)."
        )
    check_is_fitted(
        search,
        "cv_results_",
        msg="%(name)s has no 'cv_results_': a report is of a search after its 'fit'.",
    )
    metric = _deciding(search, metric)
    results = search.cv_results_
    names = read_search(search, metric)
    if not np.isfinite(np.asarray(results[f"mean_test_{metric}"], float)).any():
        raise AllFitsFailedError(
            f"{none_of(len(results['params']), 'candidate')} has a score: there is "
            "nothing to report. What went wrong is in the warnings of 'fit'."
        )
    found = read(**names)
    notes = [SUGGESTED] if hasattr(search, "space_") else []
    complete: NDArray[np.bool_] = np.all(np.isfinite(found.split_scores), axis=1)
    n_dropped, n_failed = _note_incomplete(results, complete, notes)
    comparable = _comparable(results, notes)
    rows = np.flatnonzero(complete & comparable)
    if not rows.size:
        raise AllFitsFailedError(
            f"{none_of(len(complete), 'candidate')} has a score on every split, so "
            "no two of them can be compared."
        )
    other = _other_decided(search, metric)
    if other:
        notes.append(
            f"The search has chosen by {search.refit!r}. This is about the highest "
            f"mean of {metric!r} instead, which is not the 'best_score_' of the search."
        )
    winner, rule = _winner(search, other, found.scores, rows)
    pooled = np.asarray(results.get(f"pooled_mean_test_{metric}", np.nan), float)
    if not other and np.isfinite(pooled).any():
        notes.append(FINALISTS.format(np.isfinite(pooled).sum()))
    n_splits = found.split_scores.shape[1]
    return Reading(
        results=results,
        metric=metric,
        scores=found.split_scores,
        means=found.scores,
        seconds=found.seconds,
        axes=found.axes,
        rows=rows,
        winner=winner,
        given=_given(search, results, rows),
        splitting=splitting_of(getattr(search, "cv", None), n_splits),
        rule=rule,
        n_tried=number_tried(results),
        selected=n_dropped > 0 or not comparable.all(),
        curves=None if other else _curves(search, metric, found.split_scores, rows),
        n_failed=n_failed,
        notes=notes,
    )


def _deciding(search: Any, metric: str | None) -> str:
    """Return the score that decides, or raise ValueError."""
    start = "mean_test_"
    known = [n.removeprefix(start) for n in search.cv_results_ if n.startswith(start)]
    refit = getattr(search, "refit", None)
    if metric is None and len(known) == 1:
        return known[0]
    if metric is None and isinstance(refit, str) and refit in known:
        return refit
    if metric in known:
        return str(metric)
    if metric is None:
        raise ValueError(
            f"{type(search).__name__} has several scores, and 'refit' names none of "
            f"them: say which one decides, as metric={known[0]!r} or another of "
            f"{known}."
        )
    hint = did_you_mean(metric, known)
    raise ValueError(f"{hint}'metric' must be one of {known}. Got {metric!r} instead.")


def _note_incomplete(
    results: Mapping[str, Any], complete: NDArray[np.bool_], notes: list[str]
) -> tuple[int, int]:
    """Return how many rows were dropped, and how many failed; note both."""
    dropped = np.asarray(results.get("dropped", np.zeros(len(complete))), bool)
    n_dropped = int((~complete & dropped).sum())
    n_failed = int((~complete & ~dropped).sum())
    candidates = counted(len(complete), "candidate")
    if n_dropped:
        notes.append(
            f"{n_dropped} of {candidates}, dropped before having a score on every "
            "split, are left out of what needs all splits: the "
            "correction takes them for candidates that could not have won, and is too "
            "small where candidates hardly differ. Whether more of them would help "
            "cannot be said."
        )
    if n_failed:
        notes.append(
            f"Left out, having no finite score on some split: {n_failed} of "
            f"{candidates}."
        )
    return n_dropped, n_failed


def _comparable(results: Mapping[str, Any], notes: list[str]) -> NDArray[np.bool_]:
    """Return which rows were chosen from, at the end."""
    everyone = np.ones(len(results["params"]), bool)
    if "generation" in results:
        notes.append(POPULATION)
        return everyone
    if "iter" not in results:
        return everyone
    iteration = np.asarray(results["iter"])
    last = iteration == iteration.max()
    if not last.all():
        notes.append(HALVED)
    return last


def _other_decided(search: Any, metric: str) -> bool:
    """Whether the search has chosen by another one of several scores."""
    refit = getattr(search, "refit", None)
    return bool(isinstance(refit, str) and search.multimetric_ and refit != metric)


def _winner(
    search: Any, other_decided: bool, means: Array, rows: NDArray[np.intp]
) -> tuple[int, Callable[..., Any] | None]:
    """Return the row that was chosen, and the rule if it was not the highest mean."""
    refit = getattr(search, "refit", None)
    rule = refit if callable(refit) else None
    best = getattr(search, "best_index_", None)
    if best is None or other_decided:
        return int(rows[np.argmax(means[rows])]), None
    if best not in rows:
        raise ValueError(
            f"The chosen candidate, row {best} of 'cv_results_', has no finite score "
            "on some split: what it is worth cannot be said."
        )
    return int(best), rule


def _curves(
    search: Any, metric: str, scores: Array, rows: NDArray[np.intp]
) -> list[Array] | None:
    """Return the scores along the numbers of iterations, of which one was chosen."""
    curves = getattr(search, "curves_", None)
    if curves is None or callable(search.refit):
        return None
    found = []
    for row in rows:
        curve = curves[row].get(metric)
        stages = scores[[row]] if curve is None else curve.scores.T
        found.append(stages[np.all(np.isfinite(stages), axis=1)])
    return found


def _given(
    search: Any, results: Mapping[str, Any], rows: NDArray[np.intp]
) -> int | None:
    """Return the row of the estimator as given, among those that are compared."""
    if "generation" in results:  # members are trained by steps
        return None
    found = find_given(search.estimator, [results["params"][row] for row in rows])
    return None if found is None else int(rows[found])
