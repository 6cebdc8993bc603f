"""Workers that take tasks one by one, of whichever backend joblib has active.

joblib's public ``Parallel`` draws its tasks in a thread of its own, ahead of the
results, and cannot be fed later; ``generator_unordered`` is refused by ray, spark and
multiprocessing, and hangs for ever when a dask worker dies. Every backend, though,
has the verb ``submit(func, callback)`` (``apply_async`` before joblib 1.5), which
`Parallel` itself calls. Calling it from the main thread gives a search that knows
all results when it proposes, needs no lock, and notices a dead worker at once.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import joblib
from joblib.parallel import get_active_backend

from skhpo.evaluation.workers._drivers import (
    InProcess,
    OutOfTimeError,
    WorkerLostError,
    make_driver,
)
from skhpo.evaluation.workers._pre_dispatch import evaluate_pre_dispatch

__all__ = [
    "OutOfTimeError",
    "WorkerLostError",
    "Workers",
    "inner_thread_variables",
    "limited_inner_threads",
]


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

    def __exit__(self, *exception: object) -> None:
        self._close(abort=bool(self._pending))

    def _open(self) -> None:
        self._driver = make_driver(self._n_jobs, as_threads=self._as_threads)
        self.are_here = isinstance(self._driver, InProcess)
        self.share_memory = self._driver.share_memory
        self._driver.share(self._shared)

    def _close(self, *, abort: bool) -> None:
        if abort:
            self._driver.abort()
        self._pending.clear()
        self._driver.close()

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
        limit = evaluate_pre_dispatch(self._pre_dispatch, n_workers)
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
    share = max(1, joblib.cpu_count() // workers.n_workers)
    n_threads = getattr(backend, "inner_max_num_threads", None)
    return {
        **{
            variable: str(n_threads or os.environ.get(variable, share))
            for variable in backend.MAX_NUM_THREADS_VARS
        },
        # Schedulers of TBB in several processes then agree on the number of threads.
        "ENABLE_IPC": os.environ.get("ENABLE_IPC", "1"),
    }
