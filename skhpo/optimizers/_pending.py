"""Candidates that were asked for and not told yet."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

from skhpo._arithmetic import Array
from skhpo._trial import Candidate, Params, Trial

__all__ = ["Pending"]


class Pending:
    """Gives candidates their ids, and knows those that were not told yet.

    Attributes
    ----------
    next_id : int
        Of the candidate that comes next.
    """

    def __init__(self) -> None:
        self.next_id = 0
        # Where they are, with what they were asked for, and what was returned, of which
        # callers may have changed the params.
        self._asked: dict[int, tuple[Array, dict[str, Any], Candidate]] = {}

    @property
    def points(self) -> list[Array]:
        """Where they are, encoded."""
        return [x for x, *_ in self._asked.values()]

    def add(self, x: Array, params: dict[str, Any]) -> Candidate:
        """Return a candidate at a point, which is pending from now on."""
        candidate = Candidate(self.next_id, params)
        self._asked[self.next_id] = x, dict(params), candidate
        self.next_id += 1
        return candidate

    def take(self, id: int) -> tuple[Array, dict[str, Any]] | None:
        """Return point and params of one that is told, None if it was not asked for."""
        asked = self._asked.pop(id, None)
        return None if asked is None else asked[:2]

    def check(self, trials: Sequence[Trial]) -> None:
        """Raise if a trial is that of a candidate told before, or of other params."""
        told: set[int] = set()
        others = "Trials of your own have a negative id, as Candidate(-1, params)."
        for candidate in (trial.candidate for trial in trials):
            id = candidate.id
            if not 0 <= id < self.next_id:
                continue
            if id in told or id not in self._asked:
                raise ValueError(f"Candidate {id} was told before. {others}")
            _, params, asked = self._asked[id]
            if candidate is not asked and _are_others(candidate.params, params):
                raise ValueError(
                    f"Candidate {id} was asked for with the params {params!r}, and is "
                    f"told with {dict(candidate.params)!r}. {others}"
                )
            told.add(id)


def _are_others(params: Params, asked: Params) -> bool:
    """Whether params are others than those asked for, as far as that is certain.

    Objects that have been to another process and back are not the same any more.
    """
    if params.keys() != asked.keys():
        return True
    pairs = [(params[name], asked[name]) for name in asked]
    plain = [pair for pair in pairs if all(isinstance(v, Real | str) for v in pair)]
    return any(a != b and (a == a or b == b) for a, b in plain)  # NaN is itself
