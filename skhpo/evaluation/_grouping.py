"""Cut a generation into tasks for the workers."""

from __future__ import annotations

import math
from itertools import pairwise

__all__ = ["TASK_TIME", "group_tasks"]

# What a task should take at least, in seconds: sending one costs 1 to 3 ms.
TASK_TIME = 0.05


def group_tasks(n_tasks: int, n_workers: int, seconds: float) -> list[list[int]]:
    """Group short tasks, so that sending them costs little beside doing them.

    A generation is over when its last task is, so all workers get as many groups, of
    sizes that differ by one at most, the larger ones first.

    Parameters
    ----------
    n_tasks : int
        How many there are.
    n_workers : int
        Who does them.
    seconds : float
        What one takes.

    Returns
    -------
    list of list of int
        Their numbers, in order.

    Examples
    --------
    >>> group_tasks(10, 2, 0.03)
    [[0, 1], [2, 3], [4, 5], [6, 7], [8], [9]]
    """
    if n_tasks == 0:
        return []
    wanted = math.ceil(TASK_TIME / max(seconds, 1e-6))
    share = max(1, n_tasks // (2 * n_workers))  # enough for all to be busy
    n_groups = math.ceil(n_tasks / min(max(wanted, 1), share))
    n_groups = min(math.ceil(n_groups / n_workers) * n_workers, n_tasks)
    size, n_larger = divmod(n_tasks, n_groups)
    starts = [i * size + min(i, n_larger) for i in range(n_groups + 1)]
    return [list(range(start, stop)) for start, stop in pairwise(starts)]
