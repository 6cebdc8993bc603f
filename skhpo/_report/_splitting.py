"""What is known of the splits of a fitted search: of which kind they are, how large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
)

from skhpo.evaluation.fitting._rows import row_numbers

__all__ = ["Splitting", "splitting_of"]

FOLDS = (
    *(KFold, StratifiedKFold, GroupKFold, StratifiedGroupKFold),
    *(LeaveOneOut, LeaveOneGroupOut, PredefinedSplit),
)
REPEATED = (RepeatedKFold, RepeatedStratifiedKFold)
SHUFFLED = (ShuffleSplit, StratifiedShuffleSplit, GroupShuffleSplit)

IN_TIME = (
    "The splits follow each other in time: candidates were chosen on the earlier ones "
    "and scored on the later half. The intervals do not know how the splits depend on "
    "each other, nor where the trend goes."
)
REPEATED_FOLDS = (
    "Repeated folds hold the same rows again, so candidates were chosen and scored "
    "within one repeat at a time; the search itself chose on all of them."
)
OVERLAP = (
    "The same rows are in the test parts of several splits: what was left out was "
    "partly seen, and the correction is too small."
)


@dataclass(frozen=True)
class Splitting:
    """The splits of a search.

    Parameters
    ----------
    ratio : float
        Test rows over train rows of a split.
    origin : str
        How that is known.
    n_repeats : int
        How often all rows were split.
    in_time : bool
        Whether each split comes after those before it.
    notes : tuple of str
        What cannot be known with such splits.
    """

    ratio: float
    origin: str = "folds of equal size"
    n_repeats: int = 1
    in_time: bool = False
    notes: tuple[str, ...] = ()


def splitting_of(cv: Any, n_splits: int) -> Splitting:
    """Return what is known of splits.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        The parameter of the search.
    n_splits : int
        How many splits there were.

    Returns
    -------
    Splitting
        The ratio is that of folds, ``1 / (n_splits - 1)``, if nothing better is known,
        with a note.
    """
    folds = 1 / max(n_splits - 1, 1)
    if cv is None or isinstance(cv, (Integral, *FOLDS)):
        return Splitting(folds)
    if isinstance(cv, REPEATED):
        n_folds = n_splits // cv.n_repeats
        notes = (REPEATED_FOLDS,) if cv.n_repeats > 1 else ()
        return Splitting(1 / (n_folds - 1), n_repeats=cv.n_repeats, notes=notes)
    if isinstance(cv, TimeSeriesSplit):
        # The k-th of them trains on k parts, unless it was told otherwise.
        origin = "parts of equal size"
        return Splitting(2 / (n_splits + 1), origin, in_time=True, notes=(IN_TIME,))
    if isinstance(cv, SHUFFLED):
        return _of_sizes(cv, folds)
    if isinstance(cv, list | tuple):
        return _of_list(cv)
    return Splitting(folds, "assumed", notes=(_unknown(cv, folds),))


def _unknown(cv: Any, ratio: float) -> str:
    return (
        f"How large the parts of the splits were is not known of {type(cv).__name__}: "
        f"the intervals take them for folds (test over train rows {ratio:.3g})."
    )


def _of_sizes(cv: Any, folds: float) -> Splitting:
    """Return what is known of splits drawn at random."""
    notes = (OVERLAP,) if cv.n_splits > 1 else ()
    usual = 0.2 if isinstance(cv, GroupShuffleSplit) else 0.1
    test, train = cv.test_size, cv.train_size
    if test is None:
        test = usual if train is None else 1 - train
    if train is None:
        train = 1 - test
    if train <= 0 or (isinstance(test, Integral) != isinstance(train, Integral)):
        return Splitting(folds, "assumed", notes=(*notes, _unknown(cv, folds)))
    return Splitting(float(test / train), "sizes that were asked for", notes=notes)


def _of_list(cv: Sequence[Any]) -> Splitting:
    """Return what is known of splits that were given as such: all there is to know."""
    trained = [row_numbers(train) for train, _ in cv]
    tested = [row_numbers(test) for _, test in cv]
    n_tested = sum(map(len, tested))
    ratio = n_tested / sum(map(len, trained))
    origin = "the splits as given"
    if len(np.unique(np.concatenate(tested))) < n_tested:
        return Splitting(ratio, origin, notes=(OVERLAP,))
    if _follow_each_other(trained, tested):
        return Splitting(ratio, origin, in_time=True, notes=(IN_TIME,))
    return Splitting(ratio, origin)


def _follow_each_other(trained: list[np.ndarray], tested: list[np.ndarray]) -> bool:
    """Whether all rows of a test part come after those it was trained on, in order."""
    firsts = [test.min() for test in tested]
    pairs = zip(trained, firsts, strict=True)
    return firsts == sorted(firsts) and all(train.max() < end for train, end in pairs)
