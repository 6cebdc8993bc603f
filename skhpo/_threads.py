"""Linear algebra in one thread, so that its last bits depend on nothing else.

How BLAS divides a product among threads decides how it is rounded, and how many there
are depends on the machine, on `n_jobs` and on the backend. One bit is enough for
another candidate to be the most promising.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController

__all__ = ["one_blas_thread"]


@functools.cache
def _controller() -> ThreadpoolController:
    """Return the libraries that are loaded; to look for them takes milliseconds."""
    return ThreadpoolController()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread within this context; also a decorator."""
    with _controller().limit(limits=1, user_api="blas"):
        yield
