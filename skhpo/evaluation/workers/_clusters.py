"""The engines whose workers may be on other machines.

joblib's plug-ins for dask, Ray and Spark start a task and return its result. Three
things are left to do here: the data of a search travel once and not with every task
(Ray's plug-in sends them each time since joblib 1.4, and Spark's always did); the death
of a worker is noticed (with dask's plug-in the caller waits for ever); and the other
tasks go on when a worker dies.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from functools import partial
from typing import Any
from uuid import uuid4

import joblib
from joblib import Parallel

from skhpo.evaluation.workers import _private
from skhpo.evaluation.workers._engine import Engine

__all__ = ["Dask", "Ray", "Spark"]

# A count of dask's workers is a message to the scheduler and back.
SECONDS_BETWEEN_COUNTS = 1.0


class Dask(Engine):
    """Worker processes of several threads each, on any machine."""

    is_cluster = True

    def __init__(self, backend: Any, n_workers: int, parallel: Parallel) -> None:
        super().__init__(backend, n_workers, parallel)
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

    def submit(self, call: Any, callback: Callable[[Any], None]) -> Any:
        """Start a task with dask's own verb: joblib's plug-in hides failed tasks."""
        key = f"skhpo-{uuid4().hex}"
        future = self._backend.client.submit(
            call.func, *call.args, key=key, **self._backend.submit_kwargs
        )
        self._running.add(future)
        future.add_done_callback(callback)
        return future

    def retrieve(self, out: object, job: Any) -> Any:
        """Fetch a result from its worker."""
        self._running.discard(job)
        return [job.result()]

    def abort(self) -> None:
        """Take the tasks from the scheduler; those that run are not interrupted."""
        self._backend.client.cancel(list(self._running))

    def is_death(self, error: BaseException) -> bool:
        """Whether a task has killed several workers, or the shared parts are lost.

        A worker that dies of something else is replaced by dask, which does its tasks
        again and says nothing. The parts die with the last worker that had them.
        """
        from distributed import KilledWorker

        return isinstance(error, (KilledWorker, CancelledError))


def _call_nested(func: Callable[..., Any], args: tuple, parts: tuple) -> Any:
    """Call a function so that its own parallel parts run in the same worker.

    This is so under every other backend. On dask, joblib would make each tree of a
    forest a task of the cluster.
    """
    with joblib.parallel_config("threading", n_jobs=1):
        return func(*args, *parts)


class Ray(Engine):
    """Actors, one for each worker: that of a dead one is replaced.

    They are started by Ray's own verbs: joblib's plug-in gives tasks to the actors in
    turn, whether they are idle or not.
    """

    is_cluster = True

    def __init__(self, backend: Any, n_workers: int, parallel: Parallel) -> None:
        import ray

        self._backend = backend
        self._n_workers = n_workers
        options = getattr(backend, "ray_remote_args", None) or {}
        self._new_actor = ray.remote(num_cpus=0)(_Actor).options(**options).remote
        self._idle = [self._new_actor() for _ in range(n_workers)]
        self._actors = set(self._idle)

    @staticmethod
    def prepare() -> None:
        """Start Ray here, or connect to where ``RAY_ADDRESS`` says, if nobody has."""
        import ray

        if not ray.is_initialized():
            ray.init()

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

    def submit(self, call: Callable[[], Any], callback: Callable[[Any], None]) -> Any:
        """Start a task on an idle actor; its callback gets a future."""
        actor = self._idle.pop() if self._idle else self._new_actor()
        self._actors.add(actor)

        def finish(future: Any) -> None:
            error = future.exception()
            if error is None or not self.is_death(error):
                self._idle.append(actor)
            callback(future)

        job = actor.run.remote(call).future()
        job.add_done_callback(finish)
        return job

    def retrieve(self, out: Any, job: Any) -> Any:
        """Return the results of a task, or raise its exception, as it was."""
        results, error = out.result()
        if error is not None:
            raise error
        return results

    def is_death(self, error: BaseException) -> bool:
        """Whether an actor died, or Ray has killed it for want of memory."""
        from ray.exceptions import OutOfMemoryError, RayActorError, WorkerCrashedError

        return isinstance(error, (OutOfMemoryError, RayActorError, WorkerCrashedError))

    def abort(self) -> None:
        """Kill the actors, whatever they do."""
        import ray

        for actor in self._actors:
            ray.kill(actor)
        self._actors.clear()

    def close(self) -> None:
        """End the actors."""
        self.abort()


class _Actor:
    """A worker of Ray."""

    def run(self, call: Callable[[], Any]) -> tuple[Any, Exception | None]:
        """Return results and no error, or the reverse: Ray would wrap an error."""
        try:
            return call(), None
        except Exception as error:
            return None, error


def _call_from_store(func: Callable[..., Any], args: tuple, reference: Any) -> Any:
    import ray

    return func(*args, *ray.get(reference))


class Spark(Engine):
    """A Spark job for each task."""

    is_cluster = True

    def __init__(self, backend: Any, n_workers: int, parallel: Parallel) -> None:
        super().__init__(backend, n_workers, parallel)
        self._shared: Any = None

    def share(self, parts: tuple) -> Any:
        """Broadcast the parts; Spark Connect cannot, and sends them with every task."""
        session = _private.SPARK_SESSION.of(self._backend)
        if session is None or _private.SPARK_CONNECT.of(self._backend, True):
            return parts
        self._shared = session.sparkContext.broadcast(parts)
        return self._shared

    def make_call(self, func: Callable[..., Any], args: tuple, shared: Any) -> tuple:
        """Return a task that reads the parts that were broadcast."""
        return _call_on_spark, (func, args, shared)

    def retrieve(self, out: Any, job: Any) -> Any:
        """Return the results of a task, or raise its exception.

        joblib wraps an exception into what becomes the exception when it is unpickled.
        """
        if not isinstance(out, (list, BaseException)):
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
        super().close()


def _call_on_spark(func: Callable[..., Any], args: tuple, shared: Any) -> Any:
    """Return a result and no error, or the reverse: Spark keeps texts of errors."""
    try:
        parts = shared if isinstance(shared, tuple) else shared.value
        return func(*args, *parts), None
    except Exception as error:
        return None, error
