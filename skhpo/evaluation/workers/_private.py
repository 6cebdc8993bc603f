"""The private names of other libraries, beside scikit-learn's, in one list.

Each serves a promise that its library does not make with a public verb. Nothing else
in skhpo reads such names, and a test takes each of them away in turn: the search then
does what is said here, and never hangs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["MissingNameError", "PrivateName"]


class MissingNameError(AttributeError):
    """A library has renamed what it never promised."""


@dataclass(frozen=True)
class PrivateName:
    """An attribute that may be gone in the next version of its library.

    Parameters
    ----------
    owner : str
        The module or class that has it.
    attribute : str
        Its name.
    purpose : str
        What skhpo needs it for.
    without : str
        What happens where it is missing.
    """

    owner: str
    attribute: str
    purpose: str
    without: str

    def of(self, holder: object, default: Any = None) -> Any:
        """Return the attribute of `holder`, or `default` where it is missing."""
        return getattr(holder, self.attribute, default)

    def needed_of(self, holder: object) -> Any:
        """Return the attribute of `holder`.

        Raises
        ------
        MissingNameError
            If it is missing. Who calls must have another way.
        """
        try:
            return getattr(holder, self.attribute)
        except AttributeError:
            message = f"{self.owner}.{self.attribute} is missing. {self.without}"
            raise MissingNameError(message) from None

    def put(self, holder: object, value: object) -> None:
        """Set the attribute of `holder`."""
        setattr(holder, self.attribute, value)


ROUNDS = "Tasks run in rounds of plain Parallel, which waits for the slowest each time."

# A pool of our own from loky's public `get_reusable_executor` would end the processes
# that joblib shares between all who use it, and joblib would end ours: each time, all
# processes import everything anew, which takes seconds. So loky is used by joblib's
# backend. The first three names keep the memory maps of a search from being deleted
# by another call of `Parallel` that ends before the search does.
LOKY_EXECUTOR = PrivateName(
    "joblib.parallel.LokyBackend",
    "_workers",
    "the executor that joblib shares between all calls",
    ROUNDS,
)
LOKY_FOLDERS = PrivateName(
    "joblib.executor.MemmappingExecutor",
    "_temp_folder_manager",
    "says to which call a memory map belongs, with which it is deleted",
    ROUNDS,
)
CALL_ID = PrivateName(
    "joblib.Parallel",
    "_id",
    "the name of the call, for the folder of its memory maps",
    ROUNDS,
)
LOKY_INITIALIZER = PrivateName(
    "loky.ProcessPoolExecutor",
    "_initializer",
    "lets workers that are never given a task watch their parent; the public option "
    "would end the workers that run, and end them again for the next caller",
    "If the parent is killed, such workers live for five more minutes.",
)
LOKY_WAITING = PrivateName(
    "loky.ProcessPoolExecutor",
    "_work_ids",
    "takes back the tasks that no worker has, for which loky's thread fails when its "
    "workers are killed (loky 3.6)",
    "The traceback of that thread may be printed when a search is given up.",
)

# Known without asking Spark, which may be far away; both are set when joblib's backend
# is made.
SPARK_CONNECT = PrivateName(
    "joblibspark.backend.SparkDistributedBackend",
    "_is_spark_connect_mode",
    "whether the session cannot broadcast",
    "The data travel with each task.",
)
SPARK_SESSION = PrivateName(
    "joblibspark.backend.SparkDistributedBackend",
    "_spark",
    "the session whose workers run the tasks, to broadcast the data",
    "The data travel with each task.",
)

WARNING_FILTERS = PrivateName(
    "warnings",
    "_get_filters",
    "the filters of this context, which Python 3.14 can keep apart from the global",
    "The global filters hold in workers, as before Python 3.14.",
)
