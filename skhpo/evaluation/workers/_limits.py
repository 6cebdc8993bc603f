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


@dataclass(frozen=True)
class Limits:
    """What one evaluation may use; None is as much as it likes.

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
        """Return the limits that a user wants; None without any.

        Raises
        ------
        TypeError, ValueError
            If one cannot be read.
        NotImplementedError
            If the operating system has no means to hold it.
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
            None if memory_limit is None else parse_bytes(memory_limit, "memory_limit"),
        )

    def timeout_error(self) -> FitTimeoutError:
        """Return what to say of a fit that takes too long."""
        message = f"The fit was stopped after {self.seconds:g} s (fit_timeout)."
        return FitTimeoutError(message)

    def memory_error(self) -> FitMemoryError:
        """Return what to say of a fit that asks for too much."""
        return FitMemoryError(f"The fit needs more than {self._memory}.")

    def lost_error(self, what: str) -> FitLostError:
        """Return what to say of a fit whose process ended, in this way."""
        if self.n_bytes is not None:
            what += f" It may have asked for more than {self._memory}."
        elif "SIGKILL" in what:
            what += " If that was for want of memory, memory_limit makes it an error."
        return FitLostError(what)

    @property
    def _memory(self) -> str:
        assert self.n_bytes is not None
        return f"{self.n_bytes / 1e6:g} MB of further memory (memory_limit)"


@contextmanager
def limited_memory(limits: Limits) -> Iterator[None]:
    """Let this process have so much more memory than now, and not more.

    Linux counts what is private and writable (``RLIMIT_DATA``): the heap, anonymous
    maps, the stacks of threads. Address space (``RLIMIT_AS``) would count libraries,
    mapped files and what allocators and CUDA reserve but never touch.

    Raises
    ------
    FitMemoryError
        In the place of a MemoryError.
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
    """Return what Linux counts for this process, in bytes (and its small stack)."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[5]) * os.sysconf("SC_PAGE_SIZE")
