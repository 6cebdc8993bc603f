"""Send the data of a search to worker processes once, not with every task.

The object is pickled a single time, its big buffers (arrays, data frame columns,
sparse matrices) out of band. joblib maps arrays over 1 MB into memory once per
array *object*, so the buffers of this one pickle are written to disk once and
shared by all workers, read-only; dask keeps top-level array arguments on its
workers in the same way. A worker unpickles once and remembers the last search.
"""

from __future__ import annotations

import mmap
import pickle
import tempfile
import uuid
from typing import IO, Any, ClassVar

import numpy as np

try:  # joblib < 1.6 carries its own copy, later ones depend on the package
    from joblib.externals import cloudpickle
except ImportError:
    import cloudpickle

__all__ = ["Package", "dumps", "load", "store"]

# Of buffers in a file, in bytes: that of NumPy's own big arrays.
ALIGNMENT = 64


def dumps(content: object) -> bytes:
    """Pickle an object; by value what is defined in a script, which costs more."""
    try:
        return pickle.dumps(content, protocol=5)
    except Exception:
        return cloudpickle.dumps(content, protocol=5)


class Package:
    """An object, pickled once, as plain arrays that travel well.

    Parameters
    ----------
    content : object
        What to send. It must not change any more.

    Attributes
    ----------
    parts : tuple
        Arguments for `unpack`: a token, the pickle, and its buffers.
    """

    # What this process unpacked last, by token: a search sends many tasks in a row, and
    # an old one must not keep its data alive once the next search has begun.
    _last: ClassVar[tuple[str, Any]] = ("", None)

    def __init__(self, content: object) -> None:
        arrays = (np.frombuffer(part, dtype=np.uint8) for part in _parts(content))
        self.parts = (uuid.uuid4().hex, *arrays)

    @classmethod
    def unpack(cls, token: str, text: np.ndarray, *buffers: np.ndarray) -> Any:
        """Return the packed object; from memory if it was the last one here."""
        last_token, content = cls._last
        if token != last_token:
            content = pickle.loads(text.tobytes(), buffers=buffers)
            # A map that is kept keeps its file, and joblib then waits a second for it
            # at the end of the search. Unpacking maps again costs next to nothing.
            if not any(isinstance(part, np.memmap) for part in buffers):
                cls._last = (token, content)
        return content


def _parts(content: object) -> list[Any]:
    """Return the pickle of an object, and its big buffers."""
    buffers: list[pickle.PickleBuffer] = []
    text = cloudpickle.dumps(content, protocol=5, buffer_callback=buffers.append)
    return [text, *(buffer.raw() for buffer in buffers)]


def store(content: object) -> IO[bytes]:
    """Write an object into a file without a name, to be mapped by child processes.

    The file is gone when its last descriptor is closed, however the process ends.

    Parameters
    ----------
    content : object
        What to send. It must not change any more.

    Returns
    -------
    file
        Open; its descriptor is for `load`.
    """
    parts = _parts(content)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    spans = []
    for part in parts:
        start = -(-file.tell() // ALIGNMENT) * ALIGNMENT
        file.seek(start)
        file.write(part)
        spans.append((start, file.tell()))
    index = pickle.dumps(spans)
    file.write(index + len(index).to_bytes(8, "little"))
    file.flush()
    return file


def load(descriptor: int) -> Any:
    """Return the object in a file written by `store`.

    Its big buffers stay in the file, shared by all processes that map it. They can be
    written to, as if they were not: whoever does so has a copy of the page.
    """
    view = memoryview(mmap.mmap(descriptor, 0, access=mmap.ACCESS_COPY))
    size = int.from_bytes(view[-8:], "little")
    spans = pickle.loads(view[-8 - size : -8])
    text, *buffers = (view[start:end] for start, end in spans)
    return pickle.loads(text, buffers=buffers)
