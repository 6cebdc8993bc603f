"""What each engine under joblib needs beside joblib's verbs.

joblib's plug-ins for dask, Ray and Spark start a task and return its result. Three
things are left to do here: the data of a search travel once and not with every task
(Ray's plug-in sends them each time since joblib 1.4, and Spark's always did); the death
of a worker is noticed (with dask's plug-in the caller waits for ever); and the other
tasks go on when a worker dies. The private names of the engines are used here only.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import uuid4

import joblib

from skhpo.evaluation.workers._orphans import end_with_parent

__all__ = ["Engine", "find_engine"]

# A count of dask's workers is a message to the scheduler and back.
SECONDS_BETWEEN_COUNTS = 1.0
# How long the end of a pool may take before somebody dead is held responsible.
SECONDS_TO_END = 1.0


class Engine:
    """A joblib backend that runs in this process, or in others on this machine.

    Parameters
    ----------
    backend : joblib.parallel.ParallelBackendBase
        The backend, ready for a call.
    n_workers : int
        How many workers joblib has counted.
    """

    # Whether workers may be on other machines: then nothing runs in this process, and
    # a worker that dies takes along nothing but its own tasks.
    is_cluster = False
    # By name, since these classes live in private modules of joblib and loky.
    deaths = frozenset(
        ("TerminatedWorkerError", "BrokenProcessPool", "ShutdownExecutorError")
    )

    def __init__(self, backend: Any, n_workers: int) -> None:
        self._backend = backend
        self._n_workers = n_workers
        verb = "submit" if hasattr(backend, "submit") else "apply_async"
        self._submit = getattr(backend, verb)  # the latter: joblib < 1.5

    def count_workers(self) -> int:
        """Return how many tasks run at a time."""
        return self._n_workers

    def count_waiting(self) -> int:
        """Return how many more tasks to submit, so that no worker waits for a task."""
        return 2

    def share(self, parts: tuple) -> Any:
        """Send objects to the workers; return what stands for them in a task."""
        return parts

    def make_call(self, func: Callable[..., Any], args: tuple, shared: Any) -> tuple:
        """Return function and arguments of a task: `args`, then the shared parts."""
        return func, (*args, *shared)

    def submit(self, batch: Any, callback: Callable[[Any], None]) -> Any:
        """Start a task; return joblib's handle of it."""
        return self._submit(batch, callback=callback)

    def retrieve(self, out: Any, job: Any) -> Any:
        """Return the results of a task whose callback was called, or raise."""
        if isinstance(out, BaseException):
            raise out
        if getattr(self._backend, "supports_retrieve_callback", True):
            return self._backend.retrieve_result_callback(out)
        return self._backend.retrieve_result(job)

    def is_death(self, error: BaseException) -> bool:
        """Whether `error` says that a worker died, and not that it cannot unpickle."""
        return type(error).__name__ in self.deaths and "un-serialize" not in str(error)

    def look(self) -> str | None:
        """Look whether all workers live; return what happened if not."""
        return None

    def abort(self) -> None:
        """Give up all tasks."""
        if hasattr(self._backend, "abort_everything"):
            self._backend.abort_everything(ensure_ready=False)

    def close(self) -> None:
        """Release the shared objects."""


class Loky(Engine):
    """joblib's default: its processes outlive the process that started them."""

    def __init__(self, backend: Any, n_workers: int) -> None:
        super().__init__(backend, n_workers)
        executor: Any = getattr(backend, "_workers", None)
        # Workers that are never given a task must end with their parent too. With
        # joblib's option ``initializer``, loky would end the workers that run already,
        # and end them again for the next caller, who has no such option.
        if getattr(executor, "_initializer", self) is None:
            executor._initializer = end_with_parent

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
        waiting: Any = getattr(self._backend._workers, "_work_ids", None)
        with suppress(queue.Empty):
            while waiting is not None:
                waiting.get_nowait()
        super().abort()


class Multiprocessing(Engine):
    """A pool that replaces a dead process, loses its task and waits for its locks."""

    def __init__(self, backend: Any, n_workers: int) -> None:
        super().__init__(backend, n_workers)
        self._processes = self._process_ids()

    def _process_ids(self) -> list[int]:
        return [worker.pid for worker in self._backend._pool._pool]

    def look(self) -> str | None:
        """Compare the processes with those at the start."""
        if self._process_ids() == self._processes:
            return None
        return "A worker process of the multiprocessing pool died."

    def abort(self) -> None:
        """End the pool, also if a worker died with one of its locks.

        A worker that waits for a task always holds a lock, for which the pool would
        wait if that worker died.
        """
        pool = self._backend._pool
        if pool is None:
            return
        ending = threading.Thread(target=super().abort, daemon=True)
        ending.start()
        for _ in range(10):
            ending.join(SECONDS_TO_END)
            if not ending.is_alive():
                return
            _release(getattr(pool._inqueue, "_rlock", None))
            _release(getattr(pool._outqueue, "_wlock", None))
        for worker in pool._pool:  # half of a message is in a pipe
            worker.kill()

    def close(self) -> None:
        """End the pool in the same way."""
        self.abort()


def _release(lock: Any) -> None:
    """Release a lock, whoever holds it; on Windows there is no lock for writing."""
    if lock is not None:
        with suppress(ValueError):  # nobody has it
            lock.release()


class Dask(Engine):
    """Worker processes of several threads each, on any machine."""

    is_cluster = True
    # KilledWorker: a task has killed several workers. A worker that dies of something
    # else is replaced by dask, which does its tasks again and says nothing. The other
    # two: the shared data are lost, with the last worker that had them.
    deaths = frozenset(("KilledWorker", "FutureCancelledError", "CancelledError"))

    def __init__(self, backend: Any, n_workers: int) -> None:
        super().__init__(backend, n_workers)
        self._counted = time.monotonic()
        self._running: set[Any] = set()
        self._shared: Any = None

    def count_workers(self) -> int:
        """Return how many tasks run at a time, asking the scheduler now and then."""
        if time.monotonic() - self._counted > SECONDS_BETWEEN_COUNTS:
            self._n_workers = max(1, sum(self._backend.client.ncores().values()))
            self._counted = time.monotonic()
        return self._n_workers

    def count_waiting(self) -> int:
        """Return as many as run: an adaptive cluster grows when tasks are waiting."""
        return self._n_workers

    def make_call(self, func: Callable[..., Any], args: tuple, shared: Any) -> tuple:
        """Return a task whose last argument dask replaces by the shared parts."""
        if self._shared is None or self._shared.status != "finished":
            self._shared = self._scatter(shared)
        return partial(_call_nested, func, args), (self._shared,)

    def _scatter(self, parts: tuple) -> Any:
        """Give the parts to every worker; the workers pass them on to each other.

        With joblib's own scattering only a few workers have the parts, and the parts
        are lost when these workers die.
        """
        client = self._backend.client
        client.wait_for_workers(1)
        (future,) = client.scatter([parts], broadcast=True, hash=False)
        return future

    def submit(self, batch: Any, callback: Callable[[Any], None]) -> Any:
        """Start a task with dask's own verb: joblib's plug-in hides failed tasks."""
        ((func, args, _),) = batch.items
        future = self._backend.client.submit(
            func, *args, key=f"skhpo-{uuid4().hex}", **self._backend.submit_kwargs
        )
        self._running.add(future)
        future.add_done_callback(callback)
        return future

    def retrieve(self, out: Any, job: Any) -> Any:
        """Fetch a result from its worker."""
        self._running.discard(job)
        return [job.result()]

    def abort(self) -> None:
        """Take the tasks from the scheduler; those that run are not interrupted."""
        self._backend.client.cancel(list(self._running))


class Ray(Engine):
    """A pool of actors."""

    is_cluster = True
    deaths = frozenset(
        ("RayActorError", "ActorDiedError", "WorkerCrashedError", "OutOfMemoryError")
    )

    def __init__(self, backend: Any, n_workers: int) -> None:
        super().__init__(backend, n_workers)
        self._pool = backend._get_pool()
        self._idle = list(range(n_workers))

    def count_waiting(self) -> int:
        """Return 0: tasks that wait for an actor would be lost when the actor dies."""
        return 0

    def share(self, parts: tuple) -> Any:
        """Put the parts into the object store, which each machine has."""
        import ray

        return ray.put(parts)

    def make_call(self, func: Callable[..., Any], args: tuple, shared: Any) -> tuple:
        """Return a task that gets the shared parts from the object store."""
        return _call_from_store, (func, args, shared)

    def submit(self, batch: Any, callback: Callable[[Any], None]) -> Any:
        """Start a task on an idle actor; the pool itself would take any, in turn."""
        index = self._idle.pop()
        self._pool._current_index = (index - 1) % self._n_workers

        def finish(out: Any) -> None:
            if isinstance(out, Exception) and self.is_death(out):
                self._pool._actor_pool[index] = self._pool._new_actor_entry()
            self._idle.append(index)
            callback(out)

        return super().submit(batch, finish)


class Spark(Engine):
    """A Spark job for each task."""

    is_cluster = True

    def __init__(self, backend: Any, n_workers: int) -> None:
        super().__init__(backend, n_workers)
        self._shared: Any = None

    def share(self, parts: tuple) -> Any:
        """Broadcast the parts; Spark Connect cannot, and sends them with every task."""
        if self._backend._is_spark_connect_mode:
            return parts
        self._shared = self._backend._spark.sparkContext.broadcast(parts)
        return self._shared

    def make_call(self, func: Callable[..., Any], args: tuple, shared: Any) -> tuple:
        """Return a task that reads the parts that were broadcast."""
        return _call_on_spark, (func, args, shared)

    def retrieve(self, out: Any, job: Any) -> Any:
        """Return the results of a task, or raise its exception, which joblib wraps."""
        if type(out).__name__ == "_ExceptionWithTraceback":
            rebuild, args = out.__reduce__()
            out = rebuild(*args)
        if isinstance(out, BaseException):
            raise out
        ((result, error),) = out
        if error is not None:
            raise error
        return [result]

    def is_death(self, error: BaseException) -> bool:
        """Whether the text says so: Spark has one class for all errors of tasks."""
        text = str(error)
        return (
            "Python worker exited unexpectedly" in text or "ExecutorLostFailure" in text
        )

    def close(self) -> None:
        """Delete the parts that were broadcast, from the disks too."""
        if self._shared is not None:
            self._shared.destroy()


def _call_nested(func: Callable[..., Any], args: tuple, parts: tuple) -> Any:
    """Call a function so that its own parallel parts run in the same worker.

    This is so under every other backend. On dask, joblib would make each tree of a
    forest a task of the cluster.
    """
    with joblib.parallel_config("threading", n_jobs=1):
        return func(*args, *parts)


def _call_from_store(func: Callable[..., Any], args: tuple, reference: Any) -> Any:
    import ray

    return func(*args, *ray.get(reference))


def _call_on_spark(func: Callable[..., Any], args: tuple, shared: Any) -> Any:
    """Return a result and no error, or the reverse: Spark keeps texts of errors."""
    try:
        parts = shared if isinstance(shared, tuple) else shared.value
        return func(*args, *parts), None
    except Exception as error:
        return None, error


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
