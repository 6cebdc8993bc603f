"""What one evaluation may use: time and memory, and how memory is limited."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from skhpo._units import parse_bytes, parse_seconds
from skhpo.exceptions import FitLostError, FitMemoryError, FitTimeoutError

__all__ = ["Limits", "limited_memory"]

# A number of megabytes or gigabytes is below, what a fit can do with is not.
LEAST_BYTES = 10**6


@dataclass(frozen=True)
class Limits:
    """How much time and memory one evaluation may use; None is without limit.

    Parameters
    ----------
    seconds : float or None
        Time for the fit and the scores of a candidate on one split.
    n_bytes : int or None
        Memory beyond what its process has at the start.
    """

    seconds: float | None
    n_bytes: int | None

    @classmethod
    def parse(
        cls, fit_timeout: float | str | None, memory_limit: float | str | None
    ) -> Limits | None:
        """Return the limits that a user wants; None if there are none.

        Raises
        ------
        TypeError, ValueError
            If a limit cannot be read.
        NotImplementedError
            If the operating system has no means to hold a process to a limit.
        """
        if fit_timeout is None and memory_limit is None:
            return None
        # As the standard library has it for what a platform lacks (`os.chmod` with
        # ``follow_symlinks=False``). A limit that nothing holds is not taken silently.
        if sys.platform == "win32":
            raise NotImplementedError(
                "fit_timeout and memory_limit need a system that can fork: Linux or "
                "macOS, not Windows."
            )
        if memory_limit is not None and sys.platform != "linux":
            raise NotImplementedError(
                "memory_limit needs Linux: other systems do not hold a process to it."
            )
        return cls(
            None if fit_timeout is None else parse_seconds(fit_timeout, "fit_timeout"),
            None if memory_limit is None else _enough_bytes(memory_limit),
        )

    def timeout_error(self) -> FitTimeoutError:
        """Return the error of a fit that takes too long."""
        message = f"The fit was stopped after {self.seconds:g} s (fit_timeout)."
        return FitTimeoutError(message)

    def memory_error(self) -> FitMemoryError:
        """Return the error of a fit that asks for too much memory."""
        return FitMemoryError(f"The fit needs more than {self._memory}.")

    def lost_error(self, what: str) -> FitLostError:
        """Return the error of a fit whose process ended, as `what` says."""
        if self.n_bytes is not None:
            what += f" It may have asked for more than {self._memory}."
        elif "SIGKILL" in what:
            what += " If that was for want of memory, memory_limit makes it an error."
        return FitLostError(what)

    @property
    def _memory(self) -> str:
        assert self.n_bytes is not None
        return f"{self.n_bytes / 1e6:g} MB of further memory (memory_limit)"


def _enough_bytes(memory_limit: float | str) -> int:
    """Return a limit in bytes; raise if no fit could do with so few."""
    n_bytes = parse_bytes(memory_limit, "memory_limit")
    if n_bytes < LEAST_BYTES:
        meant = ""
        if not isinstance(memory_limit, str):
            in_units = [f"{memory_limit:g}{unit}" for unit in ("MB", "GB")]
            meant = "Did you mean {!r} or {!r}? ".format(*in_units)
        raise ValueError(
            f"{meant}memory_limit must be at least 1 MB for a fit. A number without a "
            f"unit is in bytes. Got {memory_limit!r}."
        )
    return n_bytes


@contextmanager
def limited_memory(limits: Limits) -> Iterator[None]:
    """Limit the memory that this process may have beyond what it has now.

    Linux counts what is private and writable (``RLIMIT_DATA``): the heap, anonymous
    maps, the stacks of threads. Address space (``RLIMIT_AS``) would count libraries,
    mapped files and what allocators and CUDA reserve but never touch.

    Raises
    ------
    FitMemoryError
        If Python raises a MemoryError.
    """
    if limits.n_bytes is None:
        yield
        return
    import resource  # not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = _data_size() + limits.n_bytes
    if soft != resource.RLIM_INFINITY:
        limit = min(limit, soft)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    try:
        yield
    except MemoryError as error:
        raise limits.memory_error() from error
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_size() -> int:
    """Return the bytes that Linux counts for this process (and its small stack)."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[5]) * os.sysconf("SC_PAGE_SIZE")
