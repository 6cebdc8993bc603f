"""Linear algebra in one thread, so that its last bits depend on nothing else.

How BLAS divides a product among threads decides how it is rounded, and how many there
are depends on the machine, on `n_jobs` and on the backend. One bit is enough for
another candidate to be the most promising.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from threadpoolctl import ThreadpoolController

__all__ = ["one_blas_thread"]


@functools.cache
def _controller() -> ThreadpoolController:
    """Return the libraries that are loaded; to look for them takes milliseconds."""
    return ThreadpoolController()


class BlasLimit:
    """One thread for BLAS in this process, as long as anybody needs it.

    Searches in several threads (nested cross-validation with the threading backend)
    share one of these. If each had a limit of its own, the first to leave would lift
    that of the others, and the last one restore a limit instead of what was before.
    """

    def __init__(self) -> None:
        self._limiter: Any = None
        self.start_anew()

    def start_anew(self) -> None:
        """Forget who needs it: a process that was forked has not their threads."""
        self.lock = threading.Lock()
        self.n_inside = 0

    def enter(self) -> None:
        """Limit BLAS, if nobody does yet."""
        with self.lock:
            if self.n_inside == 0:
                _take_control()
                self._limiter = _controller().limit(limits=1, user_api="blas")
            self.n_inside += 1

    def leave(self) -> None:
        """Lift the limit, if nobody else needs it."""
        with self.lock:
            self.n_inside -= 1
            if self.n_inside == 0:
                _take_control()
                self._limiter.restore_original_limits()
                _take_control()


def _take_control() -> None:
    """Let this thread set the limit, and afterwards any other one.

    From 3.8 on, threadpoolctl silently ignores all threads but the first that set it.
    """
    for library in _controller().lib_controllers:
        clear = getattr(library, "clear_controlling_thread", None)
        if clear is not None:
            clear(force=True)


_limit = BlasLimit()

if hasattr(os, "register_at_fork"):  # a fit with a limit may hold a search of its own
    os.register_at_fork(after_in_child=_limit.start_anew)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread within this context; also a decorator."""
    _limit.enter()
    try:
        yield
    finally:
        _limit.leave()
