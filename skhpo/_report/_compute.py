"""From a fitted search to its report."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skhpo import _split_scores as split_scores
from skhpo._arithmetic import Array, own_arithmetic
from skhpo._report._choice import rule_choice
from skhpo._report._edges import edges_of
from skhpo._report._gap import gap_of
from skhpo._report._given import find_given
from skhpo._report._reading import Compared, Reading, read_fitted
from skhpo._report._report import Report
from skhpo._report._simplest import simplest_of
from skhpo._rng import seed_sequence
from skhpo.space._dimensions import is_number

__all__ = ["report"]

Index = NDArray[np.intp]

SHARES = (0.25, 0.5, 1.0)
# A grid has no order, so its history is that of grids in random orders.
N_ORDERS, MOST_CHOICES = 20, 2000
NOT_TRIED = "The estimator as given is not among the candidates"
# A rise of less than this many standard errors of the score itself is none.
LEAST_RISE = 0.1


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
    from the scores of the splits; nothing is fitted.

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
        Seed of the orders in which the candidates of a grid are taken for
        `corrected_history`.

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
    scores on splits that share train rows; those of proportions, such as accuracies,
    are never narrower than that of so many rows. A split that is left out was not used
    to choose, but models were trained on fewer rows than the refitted one: where more
    rows help, the truth is somewhat better than the corrected score. :doc:`/worth`
    shows how far these numbers can be trusted.

    References
    ----------
    .. [1] C. Nadeau and Y. Bengio, "Inference for the generalization error", Machine
       Learning 52, 239-281, 2003.

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
    if start.n_splits < 2:
        start.notes.append(
            "There is one split only: nothing can be left out, so neither the luck of "
            "the winner nor any doubt can be computed. Use more splits."
        )
        return start
    return _compared(search, start, reading, random_state)


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
    if find_given(search.estimator, reading.results["params"]) is not None:
        start, how = "The estimator as given was tried, but is not compared", ""
    elif hasattr(search, "param_grid"):
        start, how = NOT_TRIED, "add its own values to the grid, or "
    else:
        start, how = NOT_TRIED, ""
    return (
        f"{start}, so a gain over it cannot be shown: {how}see what "
        "cross_val_score(search.estimator, X, y) gives on the same splits."
    )


def _compared(
    search: Any, start: Report, reading: Reading, random_state: Any
) -> Report:
    """Return what can be said of two splits or more."""
    splitting, level, rows = reading.splitting, start.level, reading.rows
    ratio = splitting.ratio
    scores = reading.scores[rows]
    own = reading.scores[reading.winner]
    sets = split_scores.leave_out_sets(
        start.n_splits, n_repeats=splitting.n_repeats, in_time=splitting.in_time
    )
    notes = [*start.notes, *splitting.notes, *_notes_of_size(start, reading)]
    if len(rows) == 1 and reading.curves is None:
        corrected, optimism = own, 0.0
    else:
        left_out = _left_out(reading, sets, notes)
        corrected, optimism = split_scores.correction(own, left_out)
    n_rows = split_scores.scored_rows(scores)
    score = start.best_score - optimism
    floor = split_scores.proportion_floor(score, n_rows)
    error, half = split_scores.half_width(corrected, ratio, level, floor)
    position = int(np.flatnonzero(rows == reading.winner)[0])
    equal = split_scores.not_worse(scores, position, ratio, level, n_rows)
    similar = rows[equal]
    history, rising = _history(search, reading, sets, score, random_state)
    simplest = simplest_of([start.params(row) for row in similar])
    found = replace(
        start,
        corrected_score=score,
        optimism=optimism,
        interval=(score - half, score + half),
        indistinguishable=similar.tolist(),
        simplest=None if simplest is None else int(similar[simplest]),
        fastest=_fastest(similar, reading.seconds),
        corrected_history=history,
        still_rising=rising,
        gap=gap_of(reading, score, error),
        split_share=_split_share(scores),
        outlying_splits=split_scores.outlying_splits(scores),
        method=_method(splitting.in_time, len(sets), start.n_splits, splitting),
        notes=notes,
    )
    return _with_gain(found, reading, corrected, n_rows)


def _left_out(reading: Reading, sets: split_scores.Sets, notes: list[str]) -> Array:
    """Return the scores on splits left out, chosen as the search has chosen."""
    everyone = np.arange(len(reading.rows))
    if reading.rule is None:
        return _by_mean(reading, everyone, sets)
    scores = reading.scores[reading.rows]
    by_rule = rule_choice(reading.rule, reading.results, reading.rows)
    try:
        return split_scores.left_out_scores(scores, sets, by_rule)
    except Exception as error:  # the rule is the user's, and knows other results only
        notes.append(
            "The callable 'refit' cannot choose on fewer splits "
            f"({type(error).__name__}: {error}). The correction is that of the highest "
            "mean instead."
        )
        return _by_mean(reading, everyone, sets)


def _by_mean(reading: Reading, positions: Index, sets: split_scores.Sets) -> Array:
    """Return the scores on splits left out of the highest means of some candidates."""
    scores = reading.alternatives(positions)
    return split_scores.left_out_scores(scores, sets, split_scores.best_rows(scores))


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


def _method(in_time: bool, n_sets: int, n_splits: int, splitting: Any) -> str:
    if in_time:
        left_out = "Candidates were chosen on the splits before one of the later half"
    elif n_splits // splitting.n_repeats < 4:
        left_out = f"One split of {n_splits} was left out in turn"
    else:
        left_out = f"Two splits of {n_splits} were left out, {n_sets} times"
    return (
        f"{left_out}; intervals by Nadeau and Bengio with a ratio of test to train "
        f"rows of {splitting.ratio:.3g} ({splitting.origin})."
    )


def _with_gain(
    found: Report, reading: Reading, corrected: Array, n_rows: int | None
) -> Report:
    """Return the report with what is known of the estimator as given."""
    if reading.given is None or found.default_score is None:
        return found
    ratio, level = reading.splitting.ratio, found.level
    default = reading.scores[reading.given]
    floor = split_scores.proportion_floor(found.default_score, n_rows)
    _, half = split_scores.half_width(default, ratio, level, floor)
    gain = float(np.mean(corrected - default))
    floor = split_scores.gain_floor(gain, n_rows)
    _, doubt = split_scores.half_width(corrected - default, ratio, level, floor)
    return replace(
        found,
        default_interval=(found.default_score - half, found.default_score + half),
        gain=gain,
        gain_interval=(gain - doubt, gain + doubt),
        gain_shown=gain - doubt > found.rope,
    )


def _fastest(rows: Index, seconds: Array) -> int | None:
    known = np.where(np.isfinite(seconds[rows]), seconds[rows], np.inf)
    return int(rows[np.argmin(known)]) if np.isfinite(known).any() else None


def _split_share(scores: Array) -> float | None:
    if np.ptp(scores) == 0:
        return None
    return float(np.var(scores.mean(axis=0)) / np.var(scores))


def _history(
    search: Any,
    reading: Reading,
    sets: split_scores.Sets,
    corrected: float,
    random_state: Any,
) -> tuple[list[tuple[int, float]], bool | None]:
    """Return the corrected scores with fewer candidates, and whether they still rise.

    Candidates are taken in their order, those of a grid in random ones.
    """
    m = len(reading.rows)
    numbers = sorted({math.ceil(share * m) for share in SHARES})
    if len(numbers) < len(SHARES) or reading.selected or reading.rule is not None:
        return [], None
    orders = [np.arange(m)]
    if hasattr(search, "param_grid"):
        rng = np.random.default_rng(seed_sequence(random_state))
        n_orders = max(1, min(N_ORDERS, MOST_CHOICES // len(sets)))
        orders = [rng.permutation(m) for _ in range(n_orders)]
    by_split = [
        np.mean([_by_mean(reading, order[:n], sets) for order in orders], axis=0)
        for n in numbers
    ]
    means = [float(np.nanmean(values)) for values in by_split]
    rise = (by_split[-1] - by_split[-2])[~np.isnan(by_split[-1])]
    rising = None
    if len(rise) > 1:
        ratio = reading.splitting.ratio
        error = float(split_scores.standard_error(rise, ratio))
        doubt = float(split_scores.standard_error(by_split[-1][-len(rise) :], ratio))
        rising = bool(rise.mean() > max(error, LEAST_RISE * doubt))
    if reading.splitting.in_time:  # the mean of all splits, and not of the later half
        means = [mean - means[-1] + corrected for mean in means]
    return list(zip(numbers, means, strict=True)), rising
