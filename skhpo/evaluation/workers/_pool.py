"""Processes of `concurrent.futures` that can be killed, and have large objects at once.

Where Python forks, they see the objects of their parent, and nothing is copied.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

__all__ = ["ProcessPool"]


class ProcessPool:
    """A pool of processes; those that died are replaced when it is asked again.

    Parameters
    ----------
    n_workers : int
        How many processes.
    options : mapping
        ``initializer`` and ``initargs``: what each process calls first.

    Raises
    ------
    ValueError
        If there are other options.
    """

    def __init__(self, n_workers: int, options: Mapping[str, Any]) -> None:
        unknown = sorted({*options} - {"initializer", "initargs"})
        if unknown:
            raise ValueError(
                f"Searches on the backend 'multiprocessing' have no option {unknown[0]}"
                ", but initializer and initargs. Take the backend 'loky'."
            )
        self._n_workers = n_workers
        self._begin = options.get("initializer"), options.get("initargs", ())
        self._parts: tuple = ()
        self._executor: ProcessPoolExecutor | None = None
        # As joblib has it for the pool of this backend.
        method = os.environ.get("JOBLIB_START_METHOD", "").strip() or None
        self._context: Any = _Recording(multiprocessing.get_context(method))

    def share(self, parts: tuple) -> None:
        """Give objects to all processes, which have to be new ones for that."""
        self.close()
        self._parts = parts

    def submit(self, call: Callable[[], Any]) -> Future:
        """Start a task in one of the processes."""
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                self._n_workers,
                self._context,
                initializer=_begin,
                initargs=(self._parts, *self._begin),
            )
        return self._executor.submit(call)

    def kill(self) -> None:
        """Kill the processes, whatever they do."""
        for process in self._context.processes:
            process.kill()
        self._end(wait=False)

    def close(self) -> None:
        """Let the processes end, which must have nothing to do."""
        self._end(wait=True)

    def _end(self, *, wait: bool) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait, cancel_futures=True)
        self._executor = None
        self._context.processes.clear()


class _Recording:
    """A context of `multiprocessing` that knows the processes which it has started."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self.processes: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def Process(self, *args: Any, **kwargs: Any) -> Any:
        process = self._context.Process(*args, **kwargs)
        self.processes.append(process)
        return process


# In a worker: the objects that all tasks have as their last arguments.
_parts: tuple = ()


def _begin(parts: tuple, initializer: Callable[..., Any] | None, args: tuple) -> None:
    """Prepare a worker."""
    global _parts
    _parts = parts
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if initializer is not None:
        initializer(*args)


def _end_with_parent() -> None:
    """End this process with its parent, whose tasks it would await for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def call_with_parts(func: Callable[..., Any], *args: Any) -> Any:
    """Call a function in a worker, with what all tasks have in common."""
    return func(*args, *_parts)
