"""The responses of candidates on their test parts, in bounded memory."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from skhpo._trial import Params, Trial

__all__ = ["MOST_BYTES", "ResponseStore"]

# Half of them for complete candidates, and half for those that are not.
MOST_BYTES = 2**28
# How much is left of those that are not complete when they are too many.
LEFT = 0.75

Response = NDArray[Any]


class ResponseStore:
    """What scores were computed from, of the best candidates that fit into memory.

    Entries have numbers, and candidates ids: equal candidates are one entry. Complete
    entries are kept by their score, whatever their order. So are those that are not
    complete, by the splits that they have; these are many with one worker, which does
    one split after the other.

    Parameters
    ----------
    n_splits : int
        How many there are.
    is_kept : callable
        ``is_kept(params)`` says whether a candidate is kept at any price.
    n_bytes : int, default=2**28
        How many bytes all of them may have.
    """

    def __init__(
        self,
        n_splits: int,
        is_kept: Callable[[Params], bool],
        n_bytes: int = MOST_BYTES,
    ) -> None:
        self._n_splits = n_splits
        self._is_kept = is_kept
        self._most = n_bytes // 2
        self._numbers: dict[int, int] = {}  # by id
        self._protected: set[int] = set()
        self._gone: set[int] = set()
        self._parts: dict[int, dict[int, Response]] = {}
        self._scores: dict[int, list[float]] = {}  # of those that are not complete
        self._ranked: list[tuple[float, int]] = []  # complete ones, the worst first
        self._complete: set[int] = set()
        self._n_open = self._n_complete = 0  # bytes

    def hold(self, id: int, number: int, params: Params) -> None:
        """Take note of who is whose."""
        self._numbers[id] = number
        if self._is_kept(params):
            self._protected.add(number)

    def keep(self, number: int, split: int, response: Response, score: float) -> None:
        """Keep a response on a split, by which the entry had this score."""
        if number in self._gone or number in self._complete:
            return
        parts = self._parts.setdefault(number, {})
        if split not in parts:
            self._scores.setdefault(number, []).append(score)
            self._n_open += response.nbytes
            parts[split] = response
        if self._n_open > self._most:
            self._thin_out()

    def complete(self, number: int, trial: Trial) -> None:
        """Take note that there is nothing more to come, if all splits are done."""
        if number in self._complete or None in trial.evaluations:
            return
        parts = self._parts.get(number, {})
        if trial.failed or len(parts) < self._n_splits:
            self._forget(number)
            return
        self._n_open -= _size(parts)
        del self._scores[number]
        _choose_stages(parts, trial)
        self._complete.add(number)
        self._n_complete += _size(parts)
        if number not in self._protected:
            score = -math.inf if math.isnan(trial.score) else trial.score
            heapq.heappush(self._ranked, (score, -number))
        while self._n_complete > self._most and self._ranked:
            self._forget(-heapq.heappop(self._ranked)[1])

    def release(self, id: int) -> None:
        """Forget what belongs to this candidate alone, which will not be completed."""
        number = self._numbers.pop(id)
        if number not in self._numbers.values():
            self._forget(number)

    def of(self, id: int) -> list[Response] | None:
        """Return the responses of a candidate on all splits, None if some are missing.

        Parameters
        ----------
        id : int
            Of the candidate.
        """
        parts = self._parts.get(self._numbers.get(id, -1), {})
        if len(parts) < self._n_splits:
            return None
        return [parts[split] for split in range(self._n_splits)]

    def _thin_out(self) -> None:
        """Forget the worst of those that are not complete, by the splits they have."""
        means = {n: math.fsum(s) / len(s) for n, s in self._scores.items()}
        ranks = [(-math.inf if math.isnan(m) else m, -n) for n, m in means.items()]
        for _, negative in sorted(ranks):
            if self._n_open <= LEFT * self._most:
                break
            if -negative not in self._protected:
                self._forget(-negative)

    def _forget(self, number: int) -> None:
        size = _size(self._parts.pop(number, {}))
        if number in self._complete:
            self._n_complete -= size
        else:
            self._scores.pop(number, None)
            self._n_open -= size
        self._gone.add(number)


def _size(parts: dict[int, Response]) -> int:
    return sum(response.nbytes for response in parts.values())


def _choose_stages(parts: dict[int, Response], trial: Trial) -> None:
    """Leave the responses at the number of iterations that was chosen."""
    for split, evaluation in enumerate(trial.done):
        curve = evaluation.curve
        if curve is not None:
            stage = curve.stages.index(trial.candidate.params[curve.name])
            parts[split] = parts[split][stage].copy()
