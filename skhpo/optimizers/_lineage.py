"""The records of a population, and the schedules that can be read off them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from skhpo._keys import changed
from skhpo._trial import Params

__all__ = ["MemberRecord", "Schedule", "schedule_from_lineage"]

Schedule = list[tuple[int, dict[str, Any]]]


@dataclass(frozen=True, eq=False)
class MemberRecord:
    """One member in one generation: a trial and its place in the lineage.

    Parameters
    ----------
    id : int
        Id of the trial.
    generation, member : int
        Its place in the population.
    parent : int
        Id of the trial whose state it continues, -1 at birth.
    n_resources : int
        Training steps behind the member after this generation.
    exploited : bool
        Whether the state came from another member.
    params : mapping of str to object
        The parameters used *during* this generation.
    score : float
        What the generation ended with; NaN for a failed trial and until told.
    """

    id: int
    generation: int
    member: int
    parent: int
    n_resources: int
    exploited: bool
    params: Params
    score: float = math.nan


def schedule_from_lineage(records: Sequence[MemberRecord], row: int) -> Schedule:
    """Return the parameters over time of the training that led to one row.

    Parameters
    ----------
    records : sequence of MemberRecord
        One per row.
    row : int
        Where the schedule ends.

    Returns
    -------
    list of (int, dict)
        ``(start_step, {name: value})``, the first with all parameters, each later
        one with those that changed at that step.
    """
    line = [records[row]]
    while line[-1].parent >= 0:
        line.append(records[line[-1].parent])
    schedule: Schedule = []
    start, current = 0, dict[str, Any]()
    for record in reversed(line):
        if changes := changed(record.params, current):
            schedule.append((start, changes))
        start, current = record.n_resources, dict(record.params)
    return schedule
