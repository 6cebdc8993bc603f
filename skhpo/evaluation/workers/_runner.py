"""What runs in the processes that are made for fits with limits.

A *fork server* is a new interpreter that imports what fits need, and never fits. It
forks *runners*, which fit and may be killed. A new one takes milliseconds; it has no
thread of anybody's behind it, so OpenMP, which hangs in forks of processes that have
used it, works.
"""

from __future__ import annotations

import ctypes
import gc
import os
import pickle
import signal
import socket
import struct
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from traceback import format_exc
from typing import Any

import numpy as np

from skhpo.evaluation.workers._shipping import dumps, load

__all__ = ["ANSWER", "FORK", "LOST", "ORDER", "RAISED", "REAP", "RESULT", "serve"]

# To the fork server: a verb and a process id; with the first, a descriptor comes along.
ORDER = struct.Struct("!ci")
FORK, REAP = b"f", b"r"
# From it: the process id, or how the process ended, as `os.waitpid` says it.
ANSWER = struct.Struct("!i")

# How a runner answers a call: with a result, with the exception that the call raised,
# or with a text, if neither can be sent.
RESULT, RAISED, LOST = "result", "raised", "lost"

PR_SET_PDEATHSIG = 1


def serve(control_descriptor: int, package_descriptor: int) -> None:
    """Fork and reap runners until nobody wants any.

    Parameters
    ----------
    control_descriptor : int
        Of the socket that orders come from.
    package_descriptor : int
        Of the file with the function, and what a call finds around it.
    """
    _die_with_parent()
    gc.freeze()  # or the runners' collections would copy what they share
    # Python warns of the threads that OpenBLAS starts at import, and ends in a fork.
    warnings.simplefilter("ignore", DeprecationWarning)
    with socket.socket(fileno=control_descriptor) as control:
        while True:
            order, descriptors, *_ = socket.recv_fds(control, ORDER.size, 1)
            if not order:
                return
            verb, pid = ORDER.unpack(order)
            if verb == FORK:
                answer = _fork(control, descriptors[0], package_descriptor)
            else:
                answer = os.waitpid(pid, 0)[1]
            control.sendall(ANSWER.pack(answer))


def _fork(control: socket.socket, descriptor: int, package_descriptor: int) -> int:
    """Start a runner; return its process id."""
    pid = os.fork()
    if pid:
        os.close(descriptor)
        return pid
    status = 1
    try:
        control.close()
        os.setsid()  # so that it can be ended along with the processes that it starts
        _die_with_parent()
        np.random.seed()  # noqa: NPY002 - or all runners would draw the same
        _run(Connection(descriptor), package_descriptor)
        status = 0
    finally:
        os._exit(status)  # not up the stack, which is the server's


def _run(connection: Connection, package_descriptor: int) -> None:
    """Call the function as often as it is wanted."""
    try:
        function, context = load(package_descriptor)
    except Exception as error:
        _send(connection, RAISED, error, format_exc())
        return
    _send(connection, RESULT, None)
    with context.recreated():
        while True:
            try:
                request = connection.recv_bytes()
            except EOFError:
                return
            _send(connection, *_call(function, request))


def _call(function: Callable[..., Any], request: bytes) -> tuple[str, Any, str]:
    """Return what became of a call: its kind, the result or exception, a text."""
    try:
        return RESULT, function(*pickle.loads(request)), ""
    except Exception as error:
        return RAISED, error, format_exc()
    except BaseException as error:
        # Raised by the caller, it would end the program, or a thread that others
        # wait for.
        return LOST, None, f"It raised {type(error).__name__}: {error}"
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):  # the fit may have closed it
                stream.flush()


def _send(connection: Connection, kind: str, value: object, text: str = "") -> None:
    """Answer; an exception that cannot be pickled goes as a text."""
    try:
        blob = dumps(value)
    except Exception as error:
        blob = b""
        if kind == RESULT:
            kind = LOST
            text = f"Its result cannot be pickled: {type(error).__name__}: {error}"
    connection.send_bytes(pickle.dumps((kind, blob, text), protocol=5))


def _die_with_parent() -> None:
    """Ask to be killed when the parent ends; without Linux, the next read tells."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
