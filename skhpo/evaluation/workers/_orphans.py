"""Worker processes that end with the process that started them.

loky's workers wait for tasks on a pipe that they hold open themselves, so they do not
notice the death of its other end: after a SIGKILL they stayed for five minutes, loky's
time limit for idle workers, with all their memory. Other backends look after their own.

Linux would kill them by itself (``PR_SET_PDEATHSIG``), but with the *thread* that
started them, while other threads may use the same workers: so they look themselves.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import threading
import time

__all__ = ["end_with_parent"]

# How often to look, in seconds.
PERIOD = 1.0


@functools.cache  # once in each process
def end_with_parent() -> None:
    """In a worker process of loky, begin to watch its parent; else do nothing."""
    parent = multiprocessing.parent_process()
    if parent is not None and multiprocessing.current_process().name.startswith("Loky"):
        # Not `os.getppid()`: the parent may have died while this process started.
        thread = threading.Thread(target=_watch, args=(parent.pid,), daemon=True)
        thread.start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PERIOD)
    os._exit(1)
