"""The ways to run tasks one by one: here, in threads, on an engine, or in rounds."""

from __future__ import annotations

import copy
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import joblib
from joblib import Parallel, delayed
from joblib.parallel import ThreadingBackend, get_active_backend

from skhpo.evaluation.workers._engine import Engine
from skhpo.evaluation.workers._engines import find_engine
from skhpo.evaluation.workers._private import MissingNameError

__all__ = ["InProcess", "OutOfTimeError", "WorkerLostError", "make_driver"]

# How often this thread wakes while it waits, in seconds: Ctrl-C does not wake it on
# every system.
POLL = 0.5


class OutOfTimeError(Exception):
    """No task has finished in time. (A TimeoutError may be what a fit has raised.)"""


class WorkerLostError(RuntimeError):
    """A worker process died, and with it the result of at least one task.

    Parameters
    ----------
    message : str
        What happened.
    number : int or None, default=None
        The task that is lost, if the others go on; None if all are.
    """

    def __init__(self, message: str, number: int | None = None) -> None:
        super().__init__(message)
        self.number = number


class _Driver:
    """Runs tasks: what all ways to run them have in common."""

    share_memory = False
    _n_workers = 1
    _shared: Any = ()

    def count_workers(self) -> int:
        """Return how many tasks run at a time."""
        return self._n_workers

    def count_waiting(self) -> int:
        """Return how many tasks should wait behind them."""
        return 2

    def share(self, parts: tuple) -> None:
        """Keep the objects that all tasks have as their last arguments."""
        self._shared = parts

    def is_death(self, error: BaseException) -> bool:
        """Whether an error of `submit` says that a worker died."""
        return False

    def close(self) -> None:
        """Release the shared objects."""


class InProcess(_Driver):
    """Runs tasks in this thread, when their results are fetched."""

    share_memory = True

    def __init__(self) -> None:
        self._tasks: list[tuple[int, Callable[[], Any]]] = []

    def count_waiting(self) -> int:
        return 0

    def submit(self, number: int, func: Callable[..., Any], args: tuple) -> None:
        self._tasks.append((number, lambda: func(*args, *self._shared)))

    def fetch(
        self, pending: dict[int, Any], timeout: float
    ) -> tuple[int, Callable[[], Any]]:
        return self._tasks.pop(0)

    def abort(self) -> None:
        self._tasks.clear()


class _Queued(_Driver, ABC):
    """Collects in a queue what workers have done."""

    def __init__(self, n_workers: int) -> None:
        self._n_workers = n_workers
        self._done: queue.SimpleQueue = queue.SimpleQueue()

    @abstractmethod
    def result(self, number: int, out: object, job: Any) -> Any:
        """Return the result of a task, or raise what it raised."""

    def fetch(
        self, pending: dict[int, Any], timeout: float
    ) -> tuple[int, Callable[[], Any]]:
        end = time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            try:
                number, out = self._done.get(timeout=max(0.0, min(POLL, left)))
            except queue.Empty:
                if left <= 0:
                    raise OutOfTimeError from None
            else:
                return number, partial(self.result, number, out, pending[number])


class _Threads(_Queued):
    """Threads of this process, which do not keep it alive when they are given up."""

    share_memory = True

    def __init__(self, backend: Any, n_workers: int) -> None:
        super().__init__(n_workers)
        self._nested = backend.get_nested_backend()
        self._tasks: queue.SimpleQueue = queue.SimpleQueue()
        for _ in range(n_workers):
            queues = self._tasks, self._done
            threading.Thread(target=_do_tasks, args=queues, daemon=True).start()

    def submit(self, number: int, func: Callable[..., Any], args: tuple) -> None:
        call = _Call(func, (*args, *self._shared), self._nested)
        self._tasks.put((number, call))

    def result(self, number: int, out: object, job: Any) -> Any:
        if isinstance(out, _Raised):
            raise out.error
        return out

    def abort(self) -> None:
        """Give up what no thread has begun, and forget the results of the others."""
        with suppress(queue.Empty):
            while True:
                self._tasks.get_nowait()

    def close(self) -> None:
        for _ in range(self._n_workers):
            self._tasks.put(None)


def _do_tasks(tasks: queue.SimpleQueue, done: queue.SimpleQueue) -> None:
    """Do tasks in a thread, until there is a None; whatever they raise is a result."""
    for number, call in iter(tasks.get, None):
        try:
            (out,) = call()
        except BaseException as error:
            out = _Raised(error)
        done.put((number, out))
        del call, out  # or they would live until the next task


class _BackendQueue(_Queued):
    """Submits tasks to an engine, or to the joblib backend below it."""

    def __init__(self, engine: Engine, backend: Any) -> None:
        super().__init__(engine.count_workers())
        self._engine = engine
        self._backend = backend
        self.share_memory = bool(getattr(backend, "supports_sharedmem", False))
        # A search that is itself a task leaves its place to others while it waits.
        self._waiting = backend.retrieval_context()
        self._waiting.__enter__()

    def count_workers(self) -> int:
        return self._engine.count_workers()

    def count_waiting(self) -> int:
        return self._engine.count_waiting()

    def is_death(self, error: BaseException) -> bool:
        return self._engine.is_death(error)

    def abort(self) -> None:
        self._engine.abort()

    def close(self) -> None:
        self._engine.close()
        self._waiting.__exit__(None, None, None)

    def share(self, parts: tuple) -> None:
        self._shared = self._engine.share(parts) if parts else None

    def submit(self, number: int, func: Callable[..., Any], args: tuple) -> Any:
        if self.share_memory:
            func, args = _call_returning_exits, (func, *args)
        if self._shared is not None:
            func, args = self._engine.make_call(func, args, self._shared)
        nested = self._backend.get_nested_backend()
        call = _Call(func, args, nested, self._engine.before_pickling)
        return self._engine.submit(call, lambda out: self._done.put((number, out)))

    def result(self, number: int, out: object, job: Any) -> Any:
        try:
            (result,) = self._engine.retrieve(out, job)
        except Exception as error:
            self._raise_if_death(number, error)
            raise
        if isinstance(result, _Raised):
            raise result.error
        return result

    def _raise_if_death(self, number: int, error: BaseException) -> None:
        if self._engine.is_death(error):
            lost = number if self._engine.is_cluster else None
            raise WorkerLostError(str(error), lost) from error


class _Call:
    """A task as joblib's backends take it: no arguments, and a list of one result.

    Parameters
    ----------
    func : callable
        What to call.
    args : tuple
        Its arguments.
    nested : tuple or joblib.parallel.ParallelBackendBase
        The backend of calls of ``Parallel`` in the task, and how many workers it has.
    before_pickling : callable or None
        Called when the task is about to be sent.
    """

    def __init__(
        self,
        func: Callable[..., Any],
        args: tuple,
        nested: Any,
        before_pickling: Callable[[], None] | None = None,
    ) -> None:
        self.func = func
        self.args = args
        self.nested = nested if isinstance(nested, tuple) else (nested, None)
        self._before_pickling = before_pickling

    def __call__(self) -> list[Any]:
        backend, n_jobs = self.nested
        with joblib.parallel_config(backend, n_jobs=n_jobs):
            return [self.func(*self.args)]

    def __reduce__(self) -> tuple:
        if self._before_pickling is not None:
            self._before_pickling()
        return _Call, (self.func, self.args, self.nested)


class _Raised:
    """What ended a task, as the result of the task."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def _call_returning_exits(func: Callable[..., Any], *args: Any) -> Any:
    """Call a function; return what it raises, if that is no `Exception`.

    Threads of `multiprocessing.pool` end by what is no `Exception`, and whoever waits
    for their results waits for ever.
    """
    try:
        return func(*args)
    except Exception:
        raise
    except BaseException as error:
        return _Raised(error)


class PlainParallel(_Driver):
    """Runs what has been submitted by plain ``Parallel``, when a result is wanted."""

    def __init__(self, parallel: Parallel, n_workers: int) -> None:
        self._parallel = parallel
        self._n_workers = n_workers
        self._tasks: list[tuple[int, Callable[..., Any], tuple]] = []
        self._results: list[tuple[int, Any]] = []

    def submit(self, number: int, func: Callable[..., Any], args: tuple) -> None:
        self._tasks.append((number, func, (*args, *self._shared)))

    def fetch(
        self, pending: dict[int, Any], timeout: float
    ) -> tuple[int, Callable[[], Any]]:
        if not self._results:
            tasks, self._tasks = self._tasks, []
            outs = self._parallel(delayed(func)(*args) for _, func, args in tasks)
            self._results = [
                (task[0], out) for task, out in zip(tasks, outs, strict=True)
            ]
        number, out = self._results.pop(0)
        return number, lambda: out

    def abort(self) -> None:
        self._tasks.clear()
        self._results.clear()

    def close(self) -> None:
        self._parallel.__exit__(None, None, None)


def make_driver(
    n_jobs: int | None, *, as_threads: bool
) -> InProcess | _Threads | _BackendQueue | PlainParallel:
    """Return the way to run tasks on the active backend."""
    backend, _ = get_active_backend()
    if as_threads:
        n_workers = _n_local_jobs(n_jobs, backend)
        return _Threads(backend, n_workers) if n_workers > 1 else InProcess()
    kind = find_engine(backend)
    kind.prepare()
    if _is_joblibs_own(backend):
        backend = copy.copy(backend)
    # It reads the options of the active backend, and the number of workers.
    parallel = Parallel(n_jobs=n_jobs, backend=backend)
    n_workers = backend.effective_n_jobs(parallel.n_jobs)
    if n_workers == 1 and not kind.is_cluster:
        return InProcess()
    if type(backend) is ThreadingBackend:
        return _Threads(backend, n_workers)
    try:
        return _BackendQueue(kind(backend, n_workers, parallel), backend)
    except MissingNameError:
        return PlainParallel(parallel, n_workers)


def _is_joblibs_own(backend: Any) -> bool:
    """Whether workers are on this machine, and may be had by others at the same time.

    Several threads may have the same backend, from ``parallel_config(backend)``. Who
    ends its workers would end those of the others, which then wait for ever; so each
    search has a copy.
    """
    name = type(backend).__module__
    return name.startswith("joblib.") and not find_engine(backend).is_cluster


def _n_local_jobs(n_jobs: int | None, backend: Any) -> int:
    """Return how many workers a backend would have, all on this machine."""
    if not _is_joblibs_own(backend):
        # Processes of other machines cannot be killed from here, and a limit that
        # nothing holds must not be taken silently.
        raise NotImplementedError(
            "fit_timeout and memory_limit hold for processes of this machine, but the "
            f"active joblib backend is {type(backend).__name__}. Take one of joblib's "
            "own, such as 'loky', or the limits that the other one has."
        )
    return joblib.effective_n_jobs(n_jobs)
