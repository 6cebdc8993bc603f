"""Call a function in a process of its own, which is killed when it takes too long.

Whatever a call does to its process (hang with signals blocked, eat memory, crash),
this process is left with an exception and goes on. The processes serve call after
call: one costs well under a millisecond, and a new process a few.
"""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.spawn import get_executable
from typing import IO, Any

from skhpo.evaluation.workers._context import WorkerContext
from skhpo.evaluation.workers._limits import Limits
from skhpo.evaluation.workers._runner import ANSWER, FORK, LOST, ORDER, RAISED, REAP
from skhpo.evaluation.workers._shipping import dumps, store
from skhpo.exceptions import FitLostError, SearchStoppedError

__all__ = ["LimitedProcesses"]

SERVER = """
import sys
sys.path[:] = sys.argv[3:]
from skhpo.evaluation.workers._runner import serve
serve(int(sys.argv[1]), int(sys.argv[2]))
"""

OVER = "The search is over."


class LimitedProcesses:
    """Processes that run one function, and the limits of each call.

    Used as a context manager; called from as many threads as one likes, each call in
    a process that runs no other at the time.

    Parameters
    ----------
    function : callable
        What to call. It is sent to the processes once, and so must be picklable.
    limits : Limits
        For each call. The function itself has to keep the limit of memory.
    context : WorkerContext
        The settings that a call finds in its process.
    environment : mapping of str to str, default={}
        Environment variables of the processes beside this one's.

    Attributes
    ----------
    limits : Limits
        As given.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        limits: Limits,
        context: WorkerContext,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._content = function, context
        self.limits = limits
        self._environment = {**os.environ, **(environment or {})}
        self._idle: list[_Runner] = []
        self._runners: set[_Runner] = set()
        self._lock = threading.Lock()
        self._server: _ForkServer | None = None

    def __enter__(self) -> LimitedProcesses:
        try:
            self._package = store(self._content)
        except Exception as error:
            error.add_note(
                "With fit_timeout or memory_limit, fits run in other processes, so the "
                "estimator, the data and the scorer must be picklable."
            )
            raise
        self._server = _ForkServer(self._package, self._environment)
        return self

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            server, self._server = self._server, None
            runners, self._runners = self._runners, set()
            if server is None:
                return
            for runner in runners:
                runner.kill()
            for runner in runners:
                server.reap(runner.pid)
            server.close()
        for runner in self._idle:  # whoever waits for another one closes that
            runner.connection.close()
        self._package.close()

    def __call__(self, *arguments: Any) -> Any:
        """Call the function.

        Parameters
        ----------
        *arguments : object
            The arguments of the function.

        Returns
        -------
        object
            What the function returns.

        Raises
        ------
        FitTimeoutError
            If it took too long.
        FitLostError
            If its process died, or its result cannot be pickled.
        SearchStoppedError
            If another thread has left the context of these processes.
        Exception
            What the function raised.
        """
        request = dumps(arguments)
        runner = self._take()
        try:
            runner.connection.send_bytes(request)
            if not runner.connection.poll(self.limits.seconds):
                raise self.limits.timeout_error()
            answer = runner.connection.recv_bytes()
        except (EOFError, ConnectionError):
            death = self._end(runner)
            if self._server is None:
                raise SearchStoppedError(OVER) from None
            raise self.limits.lost_error(death) from None
        except BaseException:  # of Ctrl-C too: what comes next would be this answer
            self._end(runner)
            raise
        with self._lock:
            self._idle.append(runner)
        return _read(answer)

    def _take(self) -> _Runner:
        """Return a runner that waits for a call."""
        while True:
            with self._lock:
                if not self._idle:
                    break
                runner = self._idle.pop()
            if runner.is_alive:
                return runner
            self._end(runner)  # it was killed from outside, and nothing is lost
        return self._start()

    def _start(self) -> _Runner:
        """Return a new runner, ready for its first call."""
        with self._lock:
            if self._server is None:
                raise SearchStoppedError(OVER)
            try:
                runner = _Runner(self._server)
            except ConnectionError:  # somebody has killed the server
                self._server.close()
                self._server = _ForkServer(self._package, self._environment)
                runner = _Runner(self._server)
            self._runners.add(runner)
        try:
            _read(runner.connection.recv_bytes())
        except (EOFError, ConnectionError):
            death = self._end(runner)
            raise RuntimeError(f"A process for fits could not start. {death}") from None
        return runner

    def _end(self, runner: _Runner) -> str:
        """Kill a runner; return how it ended, if it had ended before."""
        with self._lock:
            runner.connection.close()
            if self._server is None or runner not in self._runners:
                return OVER
            self._runners.remove(runner)
            runner.kill()
            return _describe(self._server.reap(runner.pid))


class _ForkServer:
    """The process that forks runners; see `skhpo.evaluation.workers._runner`."""

    def __init__(self, package: IO[bytes], environment: Mapping[str, str]) -> None:
        self._control, theirs = socket.socketpair()
        descriptors = theirs.fileno(), package.fileno()
        path = [entry for entry in sys.path if isinstance(entry, str)]
        command = [get_executable(), "-c", SERVER, *map(str, descriptors), *path]
        with theirs:
            self._process = subprocess.Popen(
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                pass_fds=descriptors,
                start_new_session=True,  # Ctrl-C is for this process to handle
            )

    def fork(self, descriptor: int) -> int:
        """Start a runner that is asked through `descriptor`; return its process id."""
        socket.send_fds(self._control, [ORDER.pack(FORK, 0)], [descriptor])
        return self._answer()

    def reap(self, pid: int) -> int | None:
        """Return how a runner ended, as `os.waitpid` says it; None if unknown."""
        try:
            self._control.sendall(ORDER.pack(REAP, pid))
            return self._answer()
        except OSError:  # the server itself was killed
            return None

    def close(self) -> None:
        self._control.close()
        self._process.kill()
        self._process.wait()

    def _answer(self) -> int:
        answer = self._control.recv(ANSWER.size, socket.MSG_WAITALL)
        if len(answer) < ANSWER.size:
            raise ConnectionResetError("The process that forks others has died.")
        return ANSWER.unpack(answer)[0]


class _Runner:
    """A process that executes call after call."""

    def __init__(self, server: _ForkServer) -> None:
        self.connection, theirs = Pipe()
        with theirs:
            self.pid = server.fork(theirs.fileno())

    @property
    def is_alive(self) -> bool:
        """Whether the process lives; ask only while it has no call to answer."""
        return not self.connection.poll()

    def kill(self) -> None:
        """End the process, and the processes that it has started.

        SIGTERM spares joblib's resource tracker, which then deletes its memory maps.
        """
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
            os.killpg(self.pid, signal.SIGTERM)


def _read(answer: bytes) -> Any:
    """Return the result in the answer of a runner, or raise what it raised."""
    kind, blob, text = pickle.loads(answer)
    if kind == LOST:
        raise FitLostError(text)
    try:
        value = pickle.loads(blob)
    except Exception as error:
        detail = text or f"{type(error).__name__}: {error}"
        raise FitLostError(f"What came of it cannot be unpickled.\n{detail}") from None
    if kind == RAISED:
        value.add_note(f"In the process of the fit:\n{text}")
        raise value
    return value


def _describe(status: int | None) -> str:
    """Say how a process ended."""
    if status is None:
        return "The process of the fit died."
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"The fit ended its process with exit code {code}."
    return f"The process of the fit was killed by {signal.Signals(-code).name}."
