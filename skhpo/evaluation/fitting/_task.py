"""The records that travel between the search and its workers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from skhpo._trial import Evaluation, Params
from skhpo.evaluation.fitting._layout import StepKey
from skhpo.evaluation.fitting._time_slice import TimeSlice

__all__ = ["Block", "BlockResult", "Task"]


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One candidate in a block.

    Parameters
    ----------
    number : int
        Number of the candidate in the search.
    params : mapping of str to object
        Its parameters.
    steps : tuple of StepKey, default=()
        What it does in each step of the estimator; empty if it shares nothing.
    order : int, default=0
        Its place in the plan.
    context : CallbackContext or None, default=None
        Whom to tell of it.
    """

    number: int
    params: Params
    steps: tuple[StepKey, ...] = ()
    order: int = 0
    context: Any = None


@dataclass(frozen=True, eq=False)
class Block:
    """A split and the candidates to evaluate on it, in the order of the plan.

    Parameters
    ----------
    split : int
        Number of the split.
    tasks : tuple of Task
        The candidates, at least one.
    time_slice : TimeSlice
        After which no further candidate is begun, unless sharing would suffer.
    limit : float, default=inf
        Seconds after which none is begun at any price.
    """

    split: int
    tasks: tuple[Task, ...]
    time_slice: TimeSlice
    limit: float = math.inf


@dataclass(frozen=True)
class BlockResult:
    """What became of a block.

    Parameters
    ----------
    evaluations : tuple of Evaluation
        Of its first tasks, at least one.
    stop : bool
        Whether a callback asks for the search to stop.
    n_fits, n_needed : int
        Fits of steps that were done, and that would have been done without sharing.
    """

    evaluations: tuple[Evaluation, ...]
    stop: bool
    n_fits: int
    n_needed: int
