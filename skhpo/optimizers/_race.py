"""Which splits of which candidates are worth their fits: numbers in, decisions out.

A candidate is evaluated on one split after the other. Before each further one it is
compared with a *rival*, the best candidate that is complete: if its mean over all
splits will hardly be the higher one, it is dropped. Candidates are compared on the
splits that both have, so that a hard split is hard for both.

Nothing here knows of time or of workers. What is decided of a candidate depends on its
scores and on those of the rival, and the rival on the order of the candidates: not on
which evaluation happened to end first.

Notations: ``K`` splits, of which a candidate has ``m``; ``d`` (m,) what it scored more
than the rival; ``D`` their mean; ``alpha`` the probability below which it is dropped.
"""

from __future__ import annotations

import math
import statistics
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from scipy.special import stdtr

from skhpo._arithmetic import Array, largest, own_arithmetic
from skhpo._trial import Estimate

__all__ = ["OrderedRace", "Race", "Rival", "SortedRace", "probability_of_overtaking"]


# The variance of a candidate is shrunk to that of others with so many degrees of
# freedom: after one split there is nothing else to go by.
PRIOR_DOF = 3
# From so many others on.
MIN_OTHERS = 3
# The first wave, all of which is completed if nothing is complete yet; each of the
# others is twice as large as the one before. Completing 4 lost the best more often
# (docs/decisions/race.md).
FIRST_WAVE = 8
# So many candidates have their first split before any goes on; then twice as many. A
# search that is interrupted has complete candidates then, however many it was given.
FIRST_HEAT = 64


# -- the rule --------------------------------------------------------------------------


def pooled_variance(d: Array, prior: float) -> float:
    """Return the variance of the differences, shrunk to that of other candidates.

    Parameters
    ----------
    d : ndarray of shape (m,)
        Differences to the rival, at least one.
    prior : float
        The variance of the differences of other candidates.

    Returns
    -------
    float
        ``(3 prior + (m - 1) var(d)) / (m + 2)``.
    """
    m = len(d)
    own = float(d.var(ddof=1)) if m > 1 else 0.0
    return (PRIOR_DOF * prior + (m - 1) * own) / (PRIOR_DOF + m - 1)


def variance_to_come(variance: float, m: int, n_splits: int) -> float:
    """Return how far the mean over all splits may be from that over m of them, squared.

    Where all splits are known nothing is left to come: the question is which mean over
    these splits is the higher one, not which model generalizes better.
    """
    return variance * (n_splits - m) / (n_splits * m)


def probability_of_overtaking(d: Array, prior: float, n_splits: int) -> float:
    """Return the probability that the mean over all splits will be the higher one.

    Parameters
    ----------
    d : ndarray of shape (m,)
        Differences to the rival on some of the splits, with 0 < m < `n_splits`.
    prior : float
        The variance of the differences of other candidates.
    n_splits : int
        How many there are.

    Returns
    -------
    float
        By Student's distribution with m + 2 degrees of freedom; 1 or 0 if nothing
        varies.

    Examples
    --------
    >>> round(probability_of_overtaking(np.array([-0.02, -0.03]), 1e-4, 5), 4)
    0.0041
    """
    m, mean = len(d), float(d.mean())
    left = variance_to_come(pooled_variance(d, prior), m, n_splits)
    if left == 0 or not math.isfinite(mean):
        return float(not mean < 0)
    return float(stdtr(PRIOR_DOF + m - 1, mean / math.sqrt(left)))


@dataclass(frozen=True, eq=False)
class Rival:
    """A complete candidate, which others are to overtake.

    Parameters
    ----------
    scores : ndarray of shape (K,)
        On all splits, in the order in which they are evaluated.
    prior : float
        The variance that is expected of differences to it.
    alpha : float
        The probability below which a candidate is dropped.
    """

    scores: Array
    prior: float
    alpha: float

    @classmethod
    def among(
        cls, known: Sequence[Sequence[float]], n_splits: int, alpha: float
    ) -> Rival | None:
        """Return the best complete one with what the others tell; None if none is.

        Parameters
        ----------
        known : sequence of sequences of float
            The scores of candidates, of some on some of the splits only. Of equal ones,
            the first is the best.
        n_splits : int
            How many there are.
        alpha : float
            As in the class.

        Returns
        -------
        Rival or None
            The complete one with the highest mean, if that is a number.
        """
        if not known:
            return None
        columns = list(zip_longest(*known, fillvalue=math.nan))
        columns += [(math.nan,) * len(known)] * (n_splits - len(columns))
        S = np.array(columns, dtype=float).T
        means = S.mean(axis=1)  # NaN of those that are not complete
        if np.isnan(means).all():
            return None
        best = largest(means)
        prior = typical_variance(np.delete(S, best, axis=0) - S[best])
        if prior is None:  # too large, as a rule: so nothing is dropped too early
            prior = 2 * float(S[best].var(ddof=1))
        return cls(S[best], prior, alpha)

    def estimate(self, scores: Sequence[float]) -> Estimate:
        """Return what the mean over all splits is expected to be, given some scores.

        Of an infinite rival there is no difference that would tell: then it is the mean
        of these scores, and how far that is from the other one is not known.
        """
        m, n_splits = len(scores), len(self.scores)
        with own_arithmetic():
            mean = float(self.scores.mean())
            if not math.isfinite(mean):
                return Estimate(statistics.mean(map(float, scores)))
            d = np.array(scores) - self.scores[:m]
            left = variance_to_come(pooled_variance(d, self.prior), m, n_splits)
            return Estimate(mean + float(d.mean()), left)

    def beats(self, scores: Sequence[float]) -> bool:
        """Whether a candidate with these scores will hardly overtake."""
        m, n_splits = len(scores), len(self.scores)
        if not 0 < m < n_splits:
            return False
        with own_arithmetic():
            d = np.array(scores) - self.scores[:m]
            return probability_of_overtaking(d, self.prior, n_splits) < self.alpha


def typical_variance(D: Array) -> float | None:
    """Return the median variance of the rows; None if too few have two numbers.

    Parameters
    ----------
    D : ndarray of shape (n, K)
        Differences to a rival, NaN where there are none.
    """
    known = np.isfinite(D)
    m = known.sum(axis=1)
    D, known, m = D[m > 1], known[m > 1], m[m > 1]
    if len(D) < MIN_OTHERS:
        return None
    D = np.where(known, D, 0.0)
    off = np.where(known, D - (D.sum(axis=1) / m)[:, np.newaxis], 0.0)
    return float(np.median((off**2).sum(axis=1) / (m - 1)))


# -- the order -------------------------------------------------------------------------


class Race(ABC):
    """Decides which candidates go on to their next split.

    Parameters
    ----------
    n_splits : int
        How many there are, two or more.
    alpha : float
        The probability below which a candidate is dropped.

    Attributes
    ----------
    scores : dict of int to list of float
        Of each candidate, by id.
    """

    def __init__(self, n_splits: int, alpha: float) -> None:
        self.scores: dict[int, list[float]] = {}
        self._n_splits = n_splits
        self._alpha = alpha
        self._over: set[int] = set()  # ids of those that have ended
        self._next: list[int] = []
        self._ended: list[tuple[int, Estimate | None]] = []

    @property
    def turns(self) -> Sequence[int] | None:
        """Ids in the order in which trials are told, as far as known; None: by id."""
        return None

    @abstractmethod
    def enter(self, ids: Iterable[int]) -> None:
        """Let candidates take part."""

    def ask(self) -> list[int]:
        """Return the candidates that go to their next split; none: wait, or the end."""
        chosen, self._next = self._next, []
        return chosen

    @abstractmethod
    def close(self) -> None:
        """Start nothing new: who is under way goes on, and nobody else."""

    def tell(self, id: int, scores: Sequence[float]) -> None:
        """Take note of what a candidate scores on its splits, one more than before.

        Those of before may have changed, where it is chosen with each split anew how
        many iterations it has.
        """
        self.scores[id] = [*scores]

    def ended(self) -> list[tuple[int, Estimate | None]]:
        """Return who has ended since the last call, with an estimate if dropped."""
        ended, self._ended = self._ended, []
        return ended

    def _advance(self, id: int, rival: Rival | None) -> bool:
        """End a candidate, or send it to its next split; whether it goes on."""
        scores = self.scores[id]
        estimate = None
        if rival is not None and rival.beats(scores):
            estimate = rival.estimate(scores)
        is_over = len(scores) == self._n_splits or _has_failed(scores)
        if is_over or estimate is not None:
            self._over.add(id)
            self._ended.append((id, None if is_over else estimate))
            return False
        self._next.append(id)
        return True

    @own_arithmetic()
    def _rival(self, ids: Collection[int]) -> Rival | None:
        """Return the best complete one of some candidates, which have all ended."""
        known = [self.scores[id] for id in ids if not _has_failed(self.scores[id])]
        return Rival.among(known, self._n_splits, self._alpha)


def _has_failed(scores: Sequence[float]) -> bool:
    """Whether the mean is NaN, whatever else may come."""
    return any(map(math.isnan, scores))


class SortedRace(Race):
    """Of candidates that are all known: the most promising ones first.

    All have their first split, and are sorted by its score. Then waves of 8, 16, 32,
    ... follow, in which each goes split by split, compared with the rival as it was
    before the wave. So the first eight are completed: there is no rival yet. Of very
    many candidates this is done with a part after the other.

    Parameters
    ----------
    n_splits : int
        How many there are, two or more.
    alpha : float
        The probability below which a candidate is dropped.
    """

    def __init__(self, n_splits: int, alpha: float) -> None:
        super().__init__(n_splits, alpha)
        self._waiting: list[int] = []
        self._ranked: list[int] = []
        self._turns: list[int] = []
        self._heat: list[int] = []
        self._running: set[int] = set()
        self._is_first_split = False
        self._against: Rival | None = None
        self._n_heat, self._n_wave = FIRST_HEAT, FIRST_WAVE

    @property
    def turns(self) -> Sequence[int]:
        """Ids in the order in which trials are told, as far as that is known."""
        return self._turns

    def enter(self, ids: Iterable[int]) -> None:
        """Let candidates take part."""
        self._waiting += ids

    def ask(self) -> list[int]:
        """Return the candidates that go to their next split; none: wait, or the end."""
        while not self._running and (self._ranked or self._waiting):
            if self._ranked:
                self._start_wave()
            else:
                self._start_heat()
        return super().ask()

    def close(self) -> None:
        """Start nothing new: the wave goes on to its end."""
        self._waiting, self._ranked = [], []

    def tell(self, id: int, scores: Sequence[float]) -> None:
        """Take note of what a candidate scores on its splits, one more than before."""
        super().tell(id, scores)
        if self._is_first_split:
            self._running.remove(id)
            if not self._running:
                self._rank()
        elif not self._advance(id, self._against):
            self._running.remove(id)

    def _start_heat(self) -> None:
        """Send the next part of the candidates to their first split."""
        heat = self._waiting[: self._n_heat]
        self._waiting = self._waiting[self._n_heat :]
        self._n_heat, self._n_wave = 2 * self._n_heat, FIRST_WAVE
        self.scores |= {id: [] for id in heat}
        self._heat, self._running, self._next = heat, set(heat), list(heat)
        self._is_first_split = True

    def _rank(self) -> None:
        """Sort those of a heat by their first scores; failed ones end here."""
        self._is_first_split = False
        first = {id: self.scores[id][0] for id in self._heat}
        failed = [id for id in sorted(first) if math.isnan(first[id])]
        for id in failed:
            self._advance(id, None)
        alive = first.keys() - set(failed)
        self._ranked = sorted(alive, key=lambda id: (-first[id], id))
        self._turns += [*self._ranked, *failed]

    def _start_wave(self) -> None:
        """Let the next ones of the sorted candidates go on, or drop them at once."""
        wave, self._ranked = self._ranked[: self._n_wave], self._ranked[self._n_wave :]
        self._n_wave *= 2
        self._against = self._rival(sorted(self._over))
        self._running = {id for id in wave if self._advance(id, self._against)}


class OrderedRace(Race):
    """Of candidates that come one after the other, as their optimizer learns.

    Each is compared with the best complete one among those with an id of up to its own
    minus `n_pending`: these have all ended when it is asked for.

    Parameters
    ----------
    n_splits : int
        How many there are, two or more.
    alpha : float
        The probability below which a candidate is dropped.
    n_pending : int
        How many candidates may be asked for and not yet told.
    """

    def __init__(self, n_splits: int, alpha: float, n_pending: int) -> None:
        super().__init__(n_splits, alpha)
        self._n_pending = n_pending
        self._rivals: dict[int, Rival | None] = {}

    def close(self) -> None:
        """Start nothing new: nobody waits here, all who entered are under way."""

    def enter(self, ids: Iterable[int]) -> None:
        """Let candidates take part."""
        for id in ids:
            known = sorted(each for each in self._over if each <= id - self._n_pending)
            self._rivals[id] = self._rival(known)
            self.scores[id] = []
            self._advance(id, None)

    def tell(self, id: int, scores: Sequence[float]) -> None:
        """Take note of what a candidate scores on its splits, one more than before."""
        super().tell(id, scores)
        if not self._advance(id, self._rivals[id]):
            del self._rivals[id]
