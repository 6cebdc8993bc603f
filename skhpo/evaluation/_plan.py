"""How the candidates of a search are ordered, and divided into blocks.

In tree order, candidates that share their first steps are neighbors. Cutting between
two neighbors costs what they share: once more per split. So a list is cut where the
least is shared, and only as often as it takes to keep all workers busy.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from numbers import Real
from typing import Any

from skhpo.evaluation.fitting._task import Block, Task
from skhpo.evaluation.fitting._time_slice import TimeSlice

__all__ = ["in_tree_order", "split_into_blocks"]

# Enough that workers are not idle at the end (with real fit times of forests and
# support vector machines, 4 left them idle for a tenth of the time, 8 for a
# twentieth, as single fits do), few enough that slicing and sending are paid rarely.
BLOCKS_PER_WORKER = 8


def in_tree_order(tasks: Sequence[Task], start: int) -> list[Task]:
    """Sort tasks so that those that share steps are neighbors; number them.

    Groups come in the order of their first member; along a path, values ascend.

    Parameters
    ----------
    tasks : sequence of Task
        In the order in which they were asked for.
    start : int
        The first place in the plan to give.

    Returns
    -------
    list of Task
        With their `order` set.
    """
    tasks = sorted(tasks, key=lambda task: [_place(step) for step in task.steps])
    return [replace(task, order=order) for order, task in enumerate(tasks, start)]


def _place(step: Any) -> tuple[int, int, float, int]:
    is_number = isinstance(step.value, Real) and not isinstance(step.value, bool)
    value = float(step.value) if is_number else 0.0
    return step.group, not is_number, value, step.variant


def split_into_blocks(
    tasks: Sequence[Task], n_splits: int, n_workers: int, time_slice: TimeSlice
) -> list[Block]:
    """Divide the candidates among blocks, each on one split.

    Parameters
    ----------
    tasks : sequence of Task
        The candidates in tree order.
    n_splits, n_workers : int
        How many there are.
    time_slice : TimeSlice
        Of each block.

    Returns
    -------
    list of Block
        One per split for a single worker, which slices each split once. For several,
        about eight for each worker as long as no fit is shared across a cut; then
        the last blocks are cut at any price, so that no worker goes idle.

    Examples
    --------
    >>> from skhpo.evaluation.fitting._layout import StepKey
    >>> from skhpo.evaluation.fitting._time_slice import TimeSlice
    >>> second = TimeSlice(1)
    >>> tasks = [Task(i, {}, steps=(StepKey(i, i),)) for i in range(10)]
    >>> blocks = split_into_blocks(tasks, n_splits=2, n_workers=1, time_slice=second)
    >>> [(block.split, len(block.tasks)) for block in blocks]
    [(0, 10), (1, 10)]
    >>> blocks = split_into_blocks(tasks, n_splits=4, n_workers=2, time_slice=second)
    >>> [len(block.tasks) for block in blocks][::4]
    [2, 3, 2, 3]
    """
    if not tasks or n_splits == 0:
        return []
    n_runs = 1
    if n_workers > 1:
        n_runs = math.ceil(BLOCKS_PER_WORKER * n_workers / n_splits)
    runs = _cut(list(tasks), n_runs, only_if_free=True)
    blocks = [
        Block(split, tuple(run), time_slice)
        for run in runs
        for split in range(n_splits)
    ]
    if len(runs) >= n_runs:
        return blocks
    n_last = len(blocks) % n_workers
    return blocks[: len(blocks) - n_last] + [
        replace(block, tasks=tuple(part))
        for block in blocks[len(blocks) - n_last :]
        for part in _cut(list(block.tasks), math.ceil(n_workers / n_last))
    ]


def _cut(
    run: list[Task], n_parts: int, *, only_if_free: bool = False
) -> list[list[Task]]:
    """Cut a run into `n_parts` of similar length, or fewer if it can't be."""
    if n_parts <= 1 or len(run) <= 1:
        return [run]
    shared = [_n_shared(a, b) for a, b in itertools.pairwise(run)]
    least = min(shared)
    if only_if_free and least > 0:
        return [run]
    n_left = n_parts // 2 + n_parts % 2
    middle = len(run) * n_left / n_parts
    cuts = [i for i, n in enumerate(shared, start=1) if n == least]
    cut = min(cuts, key=lambda i: abs(i - middle))
    return [
        part
        for half, n in ((run[:cut], n_left), (run[cut:], n_parts - n_left))
        for part in _cut(half, n, only_if_free=only_if_free)
    ]


def _n_shared(a: Task, b: Task) -> float:
    """How much of one task another one saves: number of steps, a path counting most."""
    n = 0
    for mine, other in zip(a.steps, b.steps, strict=False):
        if mine.variant != other.variant:
            return math.inf if mine.group == other.group else n
        n += 1
    return n
