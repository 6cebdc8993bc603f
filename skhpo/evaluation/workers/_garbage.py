"""Worker processes that leave what they have imported out of garbage collections.

Where psutil is not installed, loky collects garbage in each of its workers once a
second. What scikit-learn, SciPy and pandas consist of is looked through each time, and
none of it ever becomes garbage: 50 to 100 ms, a tenth or twentieth of all the time.
"""

from __future__ import annotations

import functools
import gc
import multiprocessing

__all__ = ["exempt_imports"]


@functools.cache
def exempt_imports() -> None:
    """In a worker process of loky, exempt what is there from collections; once.

    It is freed all the same when nothing refers to it any more.
    """
    # Were its processes named otherwise, they would collect as before, and no more.
    if multiprocessing.current_process().name.startswith("Loky"):
        gc.collect()  # what is garbage already would stay for ever
        gc.freeze()
