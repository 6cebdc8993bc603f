"""A joblib backend as a search uses it; what an engine under it may do otherwise."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import BrokenExecutor
from typing import Any

from joblib import Parallel

from skhpo.evaluation.workers import _private

try:
    from joblib.externals.loky import process_executor as loky
except ImportError:  # pragma: no cover - a Python without multiprocessing
    loky = None

__all__ = ["Engine"]


class Engine:
    """A joblib backend that runs in this process, or in others on this machine.

    Parameters
    ----------
    backend : joblib.parallel.ParallelBackendBase
        The backend.
    n_workers : int
        How many workers joblib has counted.
    parallel : joblib.Parallel
        With this backend, and the options of the active `joblib.parallel_config`.

    Raises
    ------
    MissingNameError
        If tasks can only be run by `parallel`, which has been entered then.
    """

    # Whether workers may be on other machines: then nothing runs in this process, and
    # a worker that dies takes along nothing but its own tasks.
    is_cluster = False
    # Called when a task is about to be sent.
    before_pickling: Callable[[], None] | None = None

    def __init__(self, backend: Any, n_workers: int, parallel: Parallel) -> None:
        self._backend = backend
        self._n_workers = n_workers
        self._parallel = parallel
        parallel.__enter__()  # calls `configure`
        if getattr(backend, "parallel", parallel) is not parallel:
            raise _private.MissingNameError(
                f"{type(backend).__name__} has put another backend in its place."
            )
        if hasattr(backend, "start_call"):
            backend.start_call()
        verb = "submit" if hasattr(backend, "submit") else "apply_async"
        self._submit = getattr(backend, verb)  # the latter: joblib < 1.5

    @staticmethod
    def prepare() -> None:
        """Do what comes before workers can be counted."""

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

    def submit(self, call: Callable[[], Any], callback: Callable[[Any], None]) -> Any:
        """Start a task; return joblib's handle of it."""
        return self._submit(call, callback=callback)

    def retrieve(self, out: object, job: Any) -> Any:
        """Return the results of a task whose callback was called, or raise."""
        if isinstance(out, BaseException):
            raise out
        if getattr(self._backend, "supports_retrieve_callback", True):
            return self._backend.retrieve_result_callback(out)
        return self._backend.retrieve_result(job)

    def is_death(self, error: BaseException) -> bool:
        """Whether `error` says that a worker died, and not that it cannot unpickle."""
        if loky is None:
            return isinstance(error, BrokenExecutor)
        if isinstance(error, loky.BrokenProcessPool):
            return isinstance(error, loky.TerminatedWorkerError)
        return isinstance(error, (BrokenExecutor, loky.ShutdownExecutorError))

    def abort(self) -> None:
        """Give up all tasks."""
        if hasattr(self._backend, "abort_everything"):
            self._backend.abort_everything(ensure_ready=False)

    def close(self) -> None:
        """Release workers and shared objects."""
        if hasattr(self._backend, "stop_call"):
            self._backend.stop_call()
        self._parallel.__exit__(None, None, None)
