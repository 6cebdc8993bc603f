"""How the candidates of a search are divided into blocks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from skhpo.evaluation._block import Block, Task

__all__ = ["split_into_blocks"]

# Enough that the last worker to finish keeps the others waiting for about a tenth
# of the time, few enough that the slicing and sending are paid rarely.
BLOCKS_PER_WORKER = 4


def split_into_blocks(
    tasks: Sequence[Task], n_splits: int, n_workers: int, time_slice: float
) -> list[Block]:
    """Divide the candidates among blocks, each on one split.

    Parameters
    ----------
    tasks : sequence of Task
        The candidates, in the order in which to evaluate them.
    n_splits, n_workers : int
        How many there are.
    time_slice : float
        Seconds per block.

    Returns
    -------
    list of Block
        One per split for a single worker, which slices each split once; for
        several, as many as give each worker about four.

    Examples
    --------
    >>> tasks = [Task(number, {}) for number in range(10)]
    >>> blocks = split_into_blocks(tasks, n_splits=2, n_workers=1, time_slice=1.0)
    >>> [(block.split, len(block.tasks)) for block in blocks]
    [(0, 10), (1, 10)]
    >>> blocks = split_into_blocks(tasks, n_splits=2, n_workers=2, time_slice=1.0)
    >>> [len(block.tasks) for block in blocks]
    [3, 3, 2, 2, 3, 3, 2, 2]
    """
    if not tasks or n_splits == 0:
        return []
    n_chunks = 1
    if n_workers > 1:
        n_chunks = math.ceil(BLOCKS_PER_WORKER * n_workers / n_splits)
    return [
        Block(split, chunk, time_slice)
        for chunk in _chunks(tasks, n_chunks)
        for split in range(n_splits)
    ]


def _chunks(tasks: Sequence[Task], n_chunks: int) -> list[tuple[Task, ...]]:
    """Cut into `n_chunks` runs whose lengths differ by one at most; none is empty."""
    n_chunks = min(n_chunks, len(tasks))
    bounds = [-(-len(tasks) * i // n_chunks) for i in range(n_chunks + 1)]
    return [tuple(tasks[a:b]) for a, b in itertools.pairwise(bounds)]
