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

# The limit holds for the process. Searches in several threads (nested cross-validation
# with the threading backend) share one. If each had its own, the first to leave would
# lift that of the others, and the last one restore a limit instead of what was before.
_lock = threading.Lock()
_n_inside = 0
_limiter: Any = None


@functools.cache
def _controller() -> ThreadpoolController:
    """Return the libraries that are loaded; to look for them takes milliseconds."""
    return ThreadpoolController()


def _start_anew() -> None:
    """Forget the threads of the process that was forked, which hold nothing here."""
    global _lock, _n_inside
    _lock, _n_inside = threading.Lock(), 0


if hasattr(os, "register_at_fork"):  # a fit with a limit may hold a search of its own
    os.register_at_fork(after_in_child=_start_anew)


def _take_control() -> None:
    """Let this thread set the limit, and afterwards any other one.

    From 3.8 on, threadpoolctl silently ignores all threads but the first that set it.
    """
    for library in _controller().lib_controllers:
        clear = getattr(library, "clear_controlling_thread", None)
        if clear is not None:
            clear(force=True)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread within this context; also a decorator."""
    global _n_inside, _limiter
    with _lock:
        if _n_inside == 0:
            _take_control()
            _limiter = _controller().limit(limits=1, user_api="blas")
        _n_inside += 1
    try:
        yield
    finally:
        with _lock:
            _n_inside -= 1
            if _n_inside == 0:
                _take_control()
                _limiter.restore_original_limits()
                _take_control()
