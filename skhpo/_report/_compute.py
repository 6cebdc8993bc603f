"""From a fitted search to its report."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhpo import _split_scores as split_scores
from skhpo._arithmetic import Array, own_arithmetic
from skhpo._candidates._axis import short
from skhpo._report._by_rows import by_rows
from skhpo._report._by_splits import by_splits
from skhpo._report._correction import Correction, history_of
from skhpo._report._gap import gap_of
from skhpo._report._reading import Compared, Reading, read_fitted
from skhpo._report._report import Report
from skhpo._report._simplest import simplest_of
from skhpo._rng import seed_sequence
from skhpo.search._edges import edges_of
from skhpo.search._given import find_given, untried_values
from skhpo.space._dimensions import is_number

__all__ = ["report"]

Index = NDArray[np.intp]

NOT_TRIED = "The estimator as given is not among the candidates"
ONE_SPLIT = (
    "There is one split only: nothing can be left out, so neither the luck of the "
    "winner nor any doubt can be computed. Use more splits, or return_oof=True."
)


@own_arithmetic()
def report(
    search: Any,
    *,
    metric: str | None = None,
    rope: float = 0.0,
    level: float = 0.95,
    random_state: Any = 0,
) -> Report:
    """Return what the result of a fitted search is worth.

    ``best_score_`` is the highest of many scores and was chosen for being so: it is
    too high, the more candidates the more. The report chooses again with some of the
    splits left out, and looks at what is chosen on these. It says how much of
    ``best_score_`` is luck, whether tuning has gained anything, which candidates are as
    good as the winner, and whether more of them would help. All of it is computed
    from the scores of the splits; nothing is fitted. If the search has kept responses
    (``return_oof=True``), rows are left out instead of splits, which tells more.

    Parameters
    ----------
    search : estimator
        A fitted search, of skhpo or of scikit-learn.
    metric : str or None, default=None
        Which of several scores decides; None for the one that `refit` names.
    rope : float, default=0.0
        A gain that is not higher counts as none.
    level : float, default=0.95
        Of the intervals, from 0.5 to 0.9999.
    random_state : int, RandomState, Generator or None, default=0
        Seed of the rows that are drawn, and of the orders in which the candidates of a
        grid are taken for `corrected_history`.

    Returns
    -------
    Report
        ``print`` it, or take its attributes.

    Raises
    ------
    NotFittedError
        If the search is not fitted.
    AllFitsFailedError
        If no candidate has a score on every split.
    ValueError
        If it is not known which score decides, or a parameter is out of its range.

    Notes
    -----
    With 4 splits or more, all pairs of them are left out in turn, otherwise single
    ones. Intervals are Student's, with the variance of Nadeau and Bengio [1]_ for
    scores on splits that share train rows. None is narrower than the doubt of what was
    taken away, together with that of a proportion, such as an accuracy, of so many
    rows. A split that is left out was not used to choose, but models were trained on
    fewer rows than the refitted one: where more rows help, the truth is somewhat better
    than the corrected score. :doc:`/worth` shows how far these numbers can be trusted.

    With responses, rows are drawn with replacement [2]_ (groups as a whole): of each
    draw, the best on the rows drawn is scored on the others. Intervals are those of
    these scores. Responses do not help with splits in time, a callable `refit`, or a
    :class:`~skhpo.space.Curve`; the report says so.

    References
    ----------
    .. [1] C. Nadeau and Y. Bengio, "Inference for the generalization error", Machine
       Learning 52, 239-281, 2003.
    .. [2] I. Tsamardinos, E. Greasidou and G. Borboudakis, "Bootstrapping the
       out-of-sample predictions for efficient and accurate cross-validation", Machine
       Learning 107, 1895-1922, 2018.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.model_selection import RandomizedSearchCV
    >>> from sklearn.svm import SVC
    >>> from skhpo import report
    >>> X, y = load_wine(return_X_y=True)
    >>> space = {"C": loguniform(1e-1, 1e3), "gamma": loguniform(1e-6, 1e-2)}
    >>> search = RandomizedSearchCV(SVC(), space, n_iter=30, random_state=0).fit(X, y)
    >>> found = report(search)
    >>> bool(found.corrected_score < search.best_score_)
    True
    """
    _check_number("rope", rope, 0, math.inf)
    _check_number("level", level, 0.5, 0.9999)
    reading = read_fitted(search, metric)
    start = _start(search, reading, float(rope), float(level))
    rng = np.random.default_rng(seed_sequence(random_state))
    history = history_of(reading, is_grid=hasattr(search, "param_grid"), rng=rng)
    correction = by_rows(search, reading, start, history, rng)
    if correction is None and start.n_splits > 1:
        correction = by_splits(reading, start, history)
    if correction is None:
        start.notes.append(ONE_SPLIT)
        return start
    return _compared(start, reading, correction)


def _check_number(name: str, value: Any, low: float, high: float) -> None:
    if not is_number(value) or not low <= value <= high:
        raise ValueError(
            f"{name!r} must be a number from {low} to {high}. Got {value!r} instead."
        )


def _start(search: Any, reading: Reading, rope: float, level: float) -> Report:
    """Return what can be said of any number of splits."""
    params = list(reading.results["params"])
    rows, means, winner = reading.rows, reading.means, reading.winner
    given = reading.given
    if given is None:
        reading.notes.append(_how_to_get_given(search, reading))
    position = int(np.flatnonzero(rows == winner)[0])
    axes = [replace(axis, positions=axis.positions[rows]) for axis in reading.axes]
    scoring = getattr(search, "scoring", None)
    named = scoring if isinstance(scoring, str) else "score"
    return Report(
        search=type(search).__name__,
        metric=named if reading.metric == "score" else reading.metric,
        n_candidates=len(rows),
        n_tried=reading.n_tried,
        n_splits=reading.scores.shape[1],
        level=level,
        rope=rope,
        best_index=winner,
        best_params=params[winner],
        best_score=float(means[winner]),
        default_index=given,
        default_score=None if given is None else float(means[given]),
        at_edge=edges_of(search, [params[i] for i in rows], means[rows], position),
        n_failed=reading.n_failed,
        seconds=float(np.nansum(reading.seconds)),
        seconds_per_candidate=float(np.nanmedian(reading.seconds)),
        chosen_by=None if reading.rule is None else repr(reading.rule),
        notes=reading.notes,
        candidates=Compared(params, axes, means[rows]),
    )


def _how_to_get_given(search: Any, reading: Reading) -> str:
    if "generation" in reading.results:
        return (
            "Whether the population gained anything over the estimator as given is not "
            "known: cross_val_score(search.estimator, X, y) on the same splits tells."
        )
    params = reading.results["params"]
    absent = untried_values(search.estimator, params)
    listed = ", ".join(f"{name}={short(value)}" for name, value in absent.items())
    start, how = NOT_TRIED, ""
    if find_given(search.estimator, params) is not None:
        start = "The estimator as given was tried, but is not compared"
    elif getattr(search, "initial_params", None) == "defaults":
        start += f" (none has {listed})" * bool(absent)
        how = "let the space have its own values, or "
    elif hasattr(search, "initial_params"):
        how = "set initial_params='defaults', or "
    elif hasattr(search, "param_grid"):
        start += f" (none has {listed})" * bool(absent)
        how = "add its own values to the grid, or "
    return (
        f"{start}, so a gain over it cannot be shown: {how}see what "
        "cross_val_score(search.estimator, X, y) gives on the same splits."
    )


def _compared(start: Report, reading: Reading, correction: Correction) -> Report:
    """Return what can be said once it is known what was luck."""
    rows, scores = reading.rows, reading.scores[reading.rows]
    similar = rows
    if start.n_splits > 1:
        position = int(np.flatnonzero(rows == reading.winner)[0])
        n_rows = split_scores.scored_rows(scores)
        ratio = reading.splitting.ratio
        similar = rows[
            split_scores.not_worse(scores, position, ratio, start.level, n_rows)
        ]
    simplest = simplest_of([start.params(row) for row in similar])
    gain_interval = correction.gain_interval
    return replace(
        start,
        corrected_score=correction.score,
        optimism=start.best_score - correction.score,
        interval=correction.interval,
        default_interval=correction.default_interval,
        gain=correction.gain,
        gain_interval=gain_interval,
        gain_shown=gain_interval is not None and gain_interval[0] > start.rope,
        indistinguishable=similar.tolist() if start.n_splits > 1 else [],
        simplest=None if simplest is None else int(similar[simplest]),
        fastest=_fastest(similar, reading.seconds),
        corrected_history=correction.history,
        still_rising=correction.rising,
        gap=gap_of(reading, correction.score, correction.error),
        split_share=_split_share(scores),
        outlying_splits=split_scores.outlying_splits(scores),
        method=correction.method,
        notes=[*start.notes, *correction.notes, *_notes_of_size(start, reading)],
    )


def _notes_of_size(start: Report, reading: Reading) -> list[str]:
    notes = []
    if start.n_candidates == 1 and reading.curves is None:
        notes.append(
            "There is one candidate only: nothing was chosen, so nothing is corrected."
        )
    if start.n_splits == 2:
        notes.append(
            "Two splits say next to nothing about doubt: the intervals are as wide as "
            "that."
        )
    return notes


def _fastest(rows: Index, seconds: Array) -> int | None:
    known = np.where(np.isfinite(seconds[rows]), seconds[rows], np.inf)
    return int(rows[np.argmin(known)]) if np.isfinite(known).any() else None


def _split_share(scores: Array) -> float | None:
    if np.ptp(scores) == 0:
        return None
    return float(np.var(scores.mean(axis=0)) / np.var(scores))
