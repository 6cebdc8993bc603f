"""The clock by which a search decides: when a block, a budget or patience is over.

Times that are only reported are measured with `time.perf_counter`. Whoever decides by
the time asks this module, at each time anew, so that a test can put another function
in its place and no longer depends on how fast the machine is.
"""

from __future__ import annotations

import time

__all__ = ["now"]


def now() -> float:
    """Return seconds since some moment; they never fall."""
    return time.perf_counter()
