"""The correction from split scores: choose on some splits, score on those left out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from skhpo import _split_scores as split_scores
from skhpo._arithmetic import Array
from skhpo._report._choice import rule_choice
from skhpo._report._correction import LEAST_RISE, Correction, History, Index
from skhpo._report._reading import Reading
from skhpo._report._report import Report

__all__ = ["by_splits"]

# Choices for a history; of a grid, there are fewer orders with many splits.
MOST_CHOICES = 2000


def by_splits(reading: Reading, start: Report, history: History) -> Correction:
    """Return the correction from the scores of two splits or more.

    Parameters
    ----------
    reading : Reading
        The search.
    start : Report
        What is known without a correction.
    history : History
        Which candidates came first.
    """
    splitting, level, rows = reading.splitting, start.level, reading.rows
    ratio, own = splitting.ratio, reading.scores[reading.winner]
    sets = split_scores.leave_out_sets(
        start.n_splits, n_repeats=splitting.n_repeats, in_time=splitting.in_time
    )
    notes = list(splitting.notes)
    corrected, optimism = own, 0.0
    if len(rows) > 1 or reading.curves is not None:
        corrected, optimism = split_scores.correction(
            own, _left_out(reading, sets, notes)
        )
    n_rows = split_scores.scored_rows(reading.scores[rows])
    score = start.best_score - optimism
    # Corrected scores that happen to be equal say little of both parts of the doubt:
    # that of a proportion of so many rows, and that of what was taken away.
    of_luck = float(split_scores.standard_error(own - corrected, ratio))
    floor = math.hypot(split_scores.proportion_floor(score, n_rows), of_luck)
    error, half = split_scores.half_width(corrected, ratio, level, floor)
    numbers, rising = _history(reading, sets, history, score)
    return Correction(
        score,
        (score - half, score + half),
        error,
        numbers,
        rising,
        _method(splitting.in_time, len(sets), start.n_splits, splitting),
        notes=notes,
        **_gain(reading, start, corrected, n_rows),
    )


def _gain(
    reading: Reading, start: Report, corrected: Array, n_rows: int | None
) -> dict[str, Any]:
    """Return what is known of the estimator as given."""
    if reading.given is None or start.default_score is None:
        return {}
    ratio, level = reading.splitting.ratio, start.level
    default, given = start.default_score, reading.scores[reading.given]
    floor = split_scores.proportion_floor(default, n_rows)
    _, half = split_scores.half_width(given, ratio, level, floor)
    gain = float(np.mean(corrected - given))
    floor = split_scores.gain_floor(gain, n_rows)
    _, doubt = split_scores.half_width(corrected - given, ratio, level, floor)
    return {
        "default_interval": (default - half, default + half),
        "gain": gain,
        "gain_interval": (gain - doubt, gain + doubt),
    }


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


def _history(
    reading: Reading, sets: split_scores.Sets, history: History, corrected: float
) -> tuple[list[tuple[int, float]], bool | None]:
    """Return the corrected scores with fewer candidates; whether they still rise."""
    if not history.numbers:
        return [], None
    most = MOST_CHOICES // len(sets)
    by_split = [
        np.mean(
            [_by_mean(reading, first, sets) for first in history.first(n, most)], axis=0
        )
        for n in history.numbers
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
    return list(zip(history.numbers, means, strict=True)), rising
