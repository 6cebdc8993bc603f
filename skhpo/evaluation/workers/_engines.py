"""The engines of this machine, and which one a joblib backend has."""

from __future__ import annotations

import queue
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from joblib import Parallel

from skhpo.evaluation.workers import _private
from skhpo.evaluation.workers._clusters import Dask, Ray, Spark
from skhpo.evaluation.workers._engine import Engine
from skhpo.evaluation.workers._orphans import end_with_parent
from skhpo.evaluation.workers._pool import ProcessPool, call_with_parts

__all__ = ["find_engine"]


class Loky(Engine):
    """joblib's default: its processes outlive the process that started them."""

    def __init__(self, backend: Any, n_workers: int, parallel: Parallel) -> None:
        super().__init__(backend, n_workers, parallel)
        self._executor = _private.LOKY_EXECUTOR.needed_of(backend)
        folders = _private.LOKY_FOLDERS.needed_of(self._executor)
        call_id = _private.CALL_ID.needed_of(parallel)
        # Tie memory maps to this call, so that they are deleted with it.
        self.before_pickling = partial(folders.set_current_context, call_id)
        # Workers that are never given a task must end with their parent too.
        if _private.LOKY_INITIALIZER.of(self._executor, self) is None:
            _private.LOKY_INITIALIZER.put(self._executor, end_with_parent)

    def is_death(self, error: BaseException) -> bool:
        """Whether a worker died, also if joblib made a RuntimeError of the death.

        joblib does so when another search has ended the workers of both searches.
        """
        first = error.__context__
        return super().is_death(error) or (
            first is not None and super().is_death(first)
        )

    def abort(self) -> None:
        """Give up all tasks, but take back those that no worker has yet.

        loky 3.6 fails on such tasks, and ends its thread without closing its queues.
        """
        waiting = _private.LOKY_WAITING.of(self._executor)
        with suppress(queue.Empty):
            while waiting is not None:
                waiting.get_nowait()
        super().abort()


class Multiprocessing(Engine):
    """Processes as Python starts them, which is by a fork on most systems.

    They are those of `concurrent.futures`: joblib's own pool replaces a dead process
    without a word, loses its task and waits for ever for the locks that it had.
    """

    def __init__(self, backend: Any, n_workers: int, parallel: Parallel) -> None:
        self._backend = backend
        self._n_workers = n_workers
        self._pool = ProcessPool(n_workers, getattr(backend, "backend_kwargs", {}))

    def share(self, parts: tuple) -> Any:
        """Have processes that have the parts; those that are forked share them."""
        self._pool.share(parts)
        return parts

    def make_call(self, func: Callable[..., Any], args: tuple, shared: Any) -> tuple:
        """Return a task without the parts, which its process has."""
        return call_with_parts, (func, *args)

    def submit(self, call: Callable[[], Any], callback: Callable[[Any], None]) -> Any:
        """Start a task; its callback gets a future."""
        future = self._pool.submit(call)
        future.add_done_callback(callback)
        return future

    def retrieve(self, out: Any, job: Any) -> Any:
        """Return the results of a task, or raise its exception."""
        return out.result()

    def abort(self) -> None:
        """Kill the processes."""
        self._pool.kill()

    def close(self) -> None:
        """End the processes."""
        self._pool.close()


# By the names of the backends' classes, so that no engine has to be installed.
_ENGINES: dict[str, type[Engine]] = {
    "LokyBackend": Loky,
    "MultiprocessingBackend": Multiprocessing,
    "DaskDistributedBackend": Dask,
    "RayBackend": Ray,
    "SparkDistributedBackend": Spark,
}


def find_engine(backend: Any) -> type[Engine]:
    """Return the engine of a joblib backend."""
    names = (kind.__name__ for kind in type(backend).__mro__)
    return next((_ENGINES[name] for name in names if name in _ENGINES), Engine)
