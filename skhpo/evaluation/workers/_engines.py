"""What each engine under joblib needs beside joblib's verbs.

joblib's plug-ins for dask, Ray and Spark start a task and return its result. Three
things are left to us: that the data of a search travel once and not with every task
(Ray's plug-in sends them each time since joblib 1.4, Spark's always did); that a death
is heard of (with dask's plug-in one waits for ever); and that the other tasks go on
when a worker dies. The private names of the engines are used here only.
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
    # By name: they live in private modules of joblib and loky.
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
        """Return how many tasks should wait behind them, so that no worker does."""
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
        """Whether `error` says that a worker died, not that it could not read."""
        return type(error).__name__ in self.deaths and "un-serialize" not in str(error)

    def look(self) -> str | None:
        """Look whether all workers live; return what happened if not."""
        return None

    def abort(self) -> None:
        """Give up all tasks."""
        if hasattr(self._backend, "abort_everything"):
            self._backend.abort_everything(ensure_ready=False)

    def close(self) -> None:
        """Let go of what was shared."""


class Loky(Engine):
    """Its processes outlive the one that started them."""

    def __init__(self, backend: Any, n_workers: int) -> None:
        super().__init__(backend, n_workers)
        executor: Any = getattr(backend, "_workers", None)
        # Also those that are never given a task. By joblib's option ``initializer``,
        # workers that run already would be ended, and again by who has no such option.
        if getattr(executor, "_initializer", self) is None:
            executor._initializer = end_with_parent

    def is_death(self, error: BaseException) -> bool:
        """Also if joblib makes a RuntimeError of it, which it does when another search
        has ended the workers of both."""
        first = error.__context__
        return super().is_death(error) or (
            first is not None and super().is_death(first)
        )

    def abort(self) -> None:
        """Take back what no worker has yet: loky 3.6 stumbles over it, and ends its
        thread without letting go of its queues."""
        waiting: Any = getattr(self._backend._workers, "_work_ids", None)
        with suppress(queue.Empty):
            while waiting is not None:
                waiting.get_nowait()
        super().abort()


class Multiprocessing(Engine):
    """It replaces a dead process, and forgets its task; and waits for its locks."""

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

        One that waits for a task always has one, and the pool would wait for it.
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
    """Release a lock, whoever has it; Windows needs none for writing."""
    if lock is not None:
        with suppress(ValueError):  # nobody has it
            lock.release()


class Dask(Engine):
    """Threads of worker processes, anywhere."""

    is_cluster = True
    # The first: a task has killed several workers. One that dies of something else is
    # replaced, and its tasks are done again, without a word. The others: what was
    # shared is lost, with the last worker that had it.
    deaths = frozenset(("KilledWorker", "FutureCancelledError", "CancelledError"))

    def __init__(self, backend: Any, n_workers: int) -> None:
        super().__init__(backend, n_workers)
        self._counted = time.monotonic()
        self._running: set[Any] = set()
        self._shared: Any = None

    def count_workers(self) -> int:
        """Ask the scheduler, now and then: workers come and go."""
        if time.monotonic() - self._counted > SECONDS_BETWEEN_COUNTS:
            self._n_workers = max(1, sum(self._backend.client.ncores().values()))
            self._counted = time.monotonic()
        return self._n_workers

    def count_waiting(self) -> int:
        """As many again: an adaptive cluster grows by what waits."""
        return self._n_workers

    def make_call(self, func: Callable[..., Any], args: tuple, shared: Any) -> tuple:
        """Dask puts the parts in the place of the future."""
        if self._shared is None or self._shared.status != "finished":
            self._shared = self._scatter(shared)
        return partial(_call_nested, func, args), (self._shared,)

    def _scatter(self, parts: tuple) -> Any:
        """Give the parts to every worker, which pass them on to each other.

        With joblib's own scattering they lie on a few, and are lost with those.
        """
        client = self._backend.client
        client.wait_for_workers(1)
        (future,) = client.scatter([parts], broadcast=True, hash=False)
        return future

    def submit(self, batch: Any, callback: Callable[[Any], None]) -> Any:
        """Start a task as dask does: joblib's plug-in says nothing when one fails."""
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
        """None: with the actor dies what waits for it, and is not to blame."""
        return 0

    def share(self, parts: tuple) -> Any:
        """Put the parts into the object store, which each machine has."""
        import ray

        return ray.put(parts)

    def make_call(self, func: Callable[..., Any], args: tuple, shared: Any) -> tuple:
        """Let the actor get them from there."""
        return _call_from_store, (func, args, shared)

    def submit(self, batch: Any, callback: Callable[[Any], None]) -> Any:
        """Start a task on an idle actor; the pool would take one after the other."""
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
        """Broadcast the parts, which Spark Connect has no means for."""
        if self._backend._is_spark_connect_mode:
            return parts
        self._shared = self._backend._spark.sparkContext.broadcast(parts)
        return self._shared

    def make_call(self, func: Callable[..., Any], args: tuple, shared: Any) -> tuple:
        """Let the worker read what was broadcast."""
        return _call_on_spark, (func, args, shared)

    def retrieve(self, out: Any, job: Any) -> Any:
        """Raise what a task raised; the plug-in returns it, wrapped by joblib."""
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
        """Spark knows one kind of error, with a long text."""
        text = str(error)
        return (
            "Python worker exited unexpectedly" in text or "ExecutorLostFailure" in text
        )

    def close(self) -> None:
        """Delete what was broadcast, from the disks too."""
        if self._shared is not None:
            self._shared.destroy()


def _call_nested(func: Callable[..., Any], args: tuple, parts: tuple) -> Any:
    """Call a function whose own parallel parts stay where it is.

    As under every other backend; on dask, joblib would make each tree of a forest a
    task of the cluster.
    """
    with joblib.parallel_config("threading", n_jobs=1):
        return func(*args, *parts)


def _call_from_store(func: Callable[..., Any], args: tuple, reference: Any) -> Any:
    import ray

    return func(*args, *ray.get(reference))


def _call_on_spark(func: Callable[..., Any], args: tuple, shared: Any) -> Any:
    """Return a result and no error, or the reverse: Spark would make it a text."""
    try:
        parts = shared if isinstance(shared, tuple) else shared.value
        return func(*args, *parts), None
    except Exception as error:
        return None, error


# By the names of the classes: whoever uses one engine need not have the others.
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
