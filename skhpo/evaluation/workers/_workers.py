"""The only door to joblib's private names: workers that take tasks one by one.

joblib's public ``Parallel`` draws its tasks in a thread of its own, ahead of the
results, and cannot be fed later; ``generator_unordered`` is refused by ray, spark and
multiprocessing, and hangs for ever when a dask worker dies. Every backend, though,
has the verb ``submit(func, callback)`` (``apply_async`` before joblib 1.5), which
`Parallel` itself calls. Calling it from the main thread gives a search that knows
all results when it proposes, needs no lock, and notices a dead worker at once.

Where a name that this needs is missing, tasks run in rounds of plain ``Parallel``.
"""

from __future__ import annotations

import copy
import math
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from types import TracebackType
from typing import Any

import joblib
from joblib import Parallel, delayed
from joblib.parallel import get_active_backend

from skhpo.evaluation.workers._engines import find_engine

try:  # joblib < 1.6 carries its own copy, later ones depend on the package
    from joblib.externals import cloudpickle
except ImportError:
    import cloudpickle

try:
    from joblib.parallel import BatchedCalls
except ImportError:  # pragma: no cover - a joblib that does not exist yet
    BatchedCalls = None

__all__ = [
    "OutOfTimeError",
    "WorkerLostError",
    "Workers",
    "cloudpickle",
    "inner_thread_variables",
]

# The module of the backends that run on this machine.
JOBLIBS_OWN = "joblib._parallel_backends"
# How often to look for workers that died without a word, in seconds.
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


class Workers:
    """The workers of the active joblib backend, given tasks one by one.

    Used as a context manager. All methods are to be called from one thread.

    Parameters
    ----------
    n_jobs : int or None
        As in joblib; None takes the value of the active ``parallel_config``.
    pre_dispatch : int or str
        As in joblib: an upper bound on the tasks in flight.
    as_threads : bool, default=False
        Whether to take threads of this process in place of the backend's workers.

    Attributes
    ----------
    are_here : bool
        Whether tasks run in this thread, one after the other.
    share_memory : bool
        Whether workers see this process's objects (one thread, or many).
    """

    def __init__(
        self,
        n_jobs: int | None,
        pre_dispatch: int | str,
        *,
        as_threads: bool = False,
    ) -> None:
        self._n_jobs = n_jobs
        self._pre_dispatch = pre_dispatch
        self._as_threads = as_threads
        self._pending: dict[int, Any] = {}
        self._count = 0
        self._shared: tuple = ()

    def __enter__(self) -> Workers:
        self._open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close(abort=bool(self._pending))

    def _open(self) -> None:
        config: dict[str, Any] = {"n_jobs": self._n_jobs}
        if self._as_threads:
            config = {"n_jobs": _n_local_jobs(self._n_jobs), "backend": "threading"}
        self._parallel = Parallel(pre_dispatch=self._pre_dispatch, **config)
        _have_own_backend(self._parallel)
        self._parallel.__enter__()
        self._driver = _make_driver(self._parallel)
        self.are_here = isinstance(self._driver, _Here)
        self.share_memory = self._driver.share_memory
        self._driver.share(self._shared)

    def _close(self, *, abort: bool) -> None:
        if abort:
            self._driver.abort()
        self._pending.clear()
        self._driver.close()
        self._parallel.__exit__(None, None, None)

    def share(self, *parts: Any) -> None:
        """Send objects to the workers once: every task has them as last arguments."""
        self._shared = parts
        self._driver.share(parts)

    def restart(self) -> None:
        """Give up all tasks in flight and take new workers."""
        self._close(abort=True)
        self._open()

    def recover(self, error: WorkerLostError) -> list[int]:
        """Have workers again; return the numbers of the tasks that are lost."""
        if error.number is not None:
            del self._pending[error.number]
            return [error.number]
        lost = list(self._pending)
        self.restart()
        return lost

    @property
    def n_workers(self) -> int:
        """How many tasks run at a time; a cluster may grow and shrink."""
        return self._driver.count_workers()

    @property
    def capacity(self) -> int:
        """How many tasks to keep in flight: the workers', and some in waiting, so that
        no worker waits for this thread."""
        n_workers = self.n_workers
        limit = _evaluate_pre_dispatch(self._pre_dispatch, n_workers)
        return max(1, min(n_workers + self._driver.count_waiting(), limit))

    @property
    def n_pending(self) -> int:
        """Number of tasks submitted whose result has not been fetched."""
        return len(self._pending)

    def submit(self, func: Callable[..., Any], *args: Any) -> int:
        """Start a task; return the number by which `fetch` will name it.

        Raises
        ------
        WorkerLostError
            If a worker has died: those in flight are lost, as `fetch` will tell.
        """
        self._count += 1
        try:
            job = self._driver.submit(self._count, func, args)
        except Exception as error:
            if not self._driver.is_death(error):
                raise
            if self._pending:
                raise WorkerLostError(str(error)) from error
            self.restart()  # it died idle, with nothing to lose
            job = self._driver.submit(self._count, func, args)
        self._pending[self._count] = job
        return self._count

    def fetch(self, timeout: float = math.inf) -> tuple[int, Any]:
        """Wait for the next task to finish; return its number and its result.

        Parameters
        ----------
        timeout : float, default=inf
            Seconds to wait, if the tasks run elsewhere.

        Raises
        ------
        OutOfTimeError
            If none has finished by then.
        WorkerLostError
            If a worker died. Call `recover`.
        Exception
            What the task itself raised.
        """
        number, get = self._driver.fetch(self._pending, timeout)
        result = get()
        del self._pending[number]
        return number, result


class _Driver:
    """Runs tasks; this much all have in common."""

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
        """Take what all tasks have in common."""
        self._shared = parts

    def is_death(self, error: BaseException) -> bool:
        """Whether an error of `submit` says that a worker died."""
        return False

    def close(self) -> None:
        """Let go of what was shared."""


class _Here(_Driver):
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


class _Backend(_Driver):
    """Submits tasks to a joblib backend, and collects them in a queue."""

    def __init__(self, parallel: Parallel, n_workers: int) -> None:
        self._parallel = parallel
        self._backend = parallel._backend
        self._done: queue.SimpleQueue = queue.SimpleQueue()
        self.share_memory = bool(getattr(self._backend, "supports_sharedmem", False))
        if hasattr(self._backend, "start_call"):
            self._backend.start_call()
        parallel._calling = True  # so that leaving it calls `stop_call`
        self._engine = find_engine(self._backend)(self._backend, n_workers)
        # A search that is itself a task leaves its place to others while it waits.
        self._waiting = self._backend.retrieval_context()
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
            func, args = _deliver, (func, *args)
        if self._shared is not None:
            func, args = self._engine.make_call(func, args, self._shared)
        nested = self._backend.get_nested_backend()
        batch = BatchedCalls([(func, args, {})], nested, self._reducer(), None)
        return self._engine.submit(batch, lambda out: self._done.put((number, out)))

    def _reducer(self) -> Callable[[], None] | None:
        """Tie memory maps to this call, so that they are deleted with it."""
        workers = getattr(self._backend, "_workers", None)
        folders = getattr(workers, "_temp_folder_manager", None)
        if folders is None:
            return None
        return lambda: folders.set_current_context(self._parallel._id)

    def fetch(
        self, pending: dict[int, Any], timeout: float
    ) -> tuple[int, Callable[[], Any]]:
        end = time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            try:
                number, out = self._done.get(timeout=max(0.0, min(POLL, left)))
            except queue.Empty:
                if death := self._engine.look():
                    raise WorkerLostError(death) from None
                if left <= 0:
                    raise OutOfTimeError from None
            else:
                return number, partial(self._result, number, out, pending[number])

    def _result(self, number: int, out: Any, job: Any) -> Any:
        try:
            result = self._engine.retrieve(out, job)[0]
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


class _Raised:
    """What a task has raised, on its way to the thread that waits for the task."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def _deliver(func: Callable[..., Any], *args: Any) -> Any:
    """Call a function; return what it raises, if that is no `Exception`.

    joblib's threads end by what is no `Exception`, and whoever waits for their results
    waits for ever.
    """
    try:
        return func(*args)
    except Exception:
        raise
    except BaseException as error:
        return _Raised(error)


class _Rounds(_Driver):
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


def _have_own_backend(parallel: Parallel) -> None:
    """Take a copy of the active backend, if it is one of joblib's own.

    Several threads may have the same one, from ``parallel_config(backend)``. Who ends
    its workers would end those of the others, which then wait for ever.
    """
    backend: Any = getattr(parallel, "_backend", None)
    if not type(backend).__module__.startswith(JOBLIBS_OWN):
        return
    own = copy.copy(backend)
    if hasattr(own, "_pool"):
        own._pool = None
    parallel._backend = own


def _make_driver(parallel: Parallel) -> _Here | _Backend | _Rounds:
    try:
        n_workers = parallel._effective_n_jobs()
        backend = parallel._backend
    except AttributeError:
        return _Rounds(parallel, joblib.effective_n_jobs(parallel.n_jobs))
    if n_workers == 1 and not find_engine(backend).is_cluster:
        return _Here()
    usable = BatchedCalls is not None and backend is not None
    return _Backend(parallel, n_workers) if usable else _Rounds(parallel, n_workers)


def _n_local_jobs(n_jobs: int | None) -> int:
    """Return how many workers the active backend would have, all on this machine."""
    backend, _ = get_active_backend()
    if not type(backend).__module__.startswith(JOBLIBS_OWN):
        # Processes of other machines cannot be killed from here, and a limit that
        # nothing holds must not be taken silently.
        raise NotImplementedError(
            "fit_timeout and memory_limit hold for processes of this machine, but the "
            f"active joblib backend is {type(backend).__name__}. Take one of joblib's "
            "own, such as 'loky', or the limits that the other one has."
        )
    return joblib.effective_n_jobs(n_jobs)


@cache  # asked for once or twice per block, which may be a single fit
def _evaluate_pre_dispatch(pre_dispatch: int | str, n_workers: int) -> int:
    if pre_dispatch == "all":
        return n_workers + 2
    if isinstance(pre_dispatch, str):
        from joblib._utils import eval_expr

        pre_dispatch = eval_expr(pre_dispatch.replace("n_jobs", str(n_workers)))
    return int(pre_dispatch)


@contextmanager
def limited_inner_threads(workers: Workers) -> Iterator[None]:
    """Let each of several worker *threads* have its share of the processor only.

    joblib does so for processes; threads would each start as many BLAS and OpenMP
    threads as there are cores, and OpenMP's spinning barriers are ruinous then (a
    factor of 35 was measured). A limit that is lower already stays.
    """
    if workers.are_here or not workers.share_memory:
        yield
        return
    from threadpoolctl import ThreadpoolController

    share = max(1, joblib.cpu_count() // workers.n_workers)
    controller = ThreadpoolController()
    limits = {
        library["prefix"]: min(share, library["num_threads"])
        for library in controller.info()
    }
    with controller.limit(limits=limits):
        yield


def inner_thread_variables(workers: Workers) -> dict[str, str]:
    """Return the environment of processes that share the processor.

    As joblib has it for its own processes: BLAS and OpenMP get a share each, or what
    ``parallel_config(inner_max_num_threads=...)`` says.
    """
    if workers.are_here:
        return {}
    backend, _ = get_active_backend()
    return backend._prepare_worker_env(workers.n_workers)
