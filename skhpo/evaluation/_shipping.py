"""Send the data of a search to worker processes once, not with every task.

The object is pickled a single time, its big buffers (arrays, data frame columns,
sparse matrices) out of band. joblib maps arrays over 1 MB into memory once per
array *object*, so the buffers of this one pickle are written to disk once and
shared by all workers, read-only; dask keeps top-level array arguments on its
workers in the same way. A worker unpickles once and remembers the last search.
"""

from __future__ import annotations

import pickle
import uuid
from typing import Any

import numpy as np

from skhpo.evaluation._joblib_compat import cloudpickle

__all__ = ["Package", "unpack"]


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

    def __init__(self, content: Any) -> None:
        buffers: list[pickle.PickleBuffer] = []
        text = cloudpickle.dumps(content, protocol=5, buffer_callback=buffers.append)
        arrays = (np.frombuffer(buffer.raw(), dtype=np.uint8) for buffer in buffers)
        self.parts = (uuid.uuid4().hex, np.frombuffer(text, dtype=np.uint8), *arrays)


# The last package of this process, by token: a search sends many tasks in a row,
# and an old one must not keep its data alive once the next search has begun.
_last: tuple[str, Any] = ("", None)


def unpack(token: str, text: np.ndarray, *buffers: np.ndarray) -> Any:
    """Return the packed object; from memory if it was the last one unpacked here."""
    global _last
    last_token, content = _last
    if token != last_token:
        content = pickle.loads(text.tobytes(), buffers=buffers)
        # A map that is kept keeps its file, and joblib then waits a second for it at
        # the end of the search. Unpacking maps again costs next to nothing.
        if not any(isinstance(part, np.memmap) for part in buffers):
            _last = (token, content)
    return content
