"""The journal: finished evaluations in a file, so that nothing is lost and done again.

An SQLite file (standard library; readable by every SQLite tool) with three tables:

- ``problem``: what was evaluated on what, i.e. estimator, data, splits, scoring. A file
  may hold many (nested cross-validation makes one per outer split).
- ``evaluation``: a row per problem, candidate, split and resource.
- ``state``: the trained models of the last generation of a population, pickled. They
  are the only thing in here that is ever unpickled: resume population based training
  from files only that you trust.

Each row carries a seal, a digest of its content, so that a damaged one is noticed: it
counts as unknown, with a warning. Nothing here knows estimators: `Journal` stores and
finds `Evaluation` records by text keys.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from skhpo._trial import Evaluation, Params
from skhpo._warnings import warn_user
from skhpo.exceptions import JournalError, JournalWarning
from skhpo.journal._file import (
    absolute,
    check_file,
    connect,
    connect_to_read,
    create_tables,
    explained,
    identity,
    transaction,
)
from skhpo.journal._rows import (
    COLUMNS,
    param_columns,
    seal_of,
    to_columns,
    to_evaluation,
)

__all__ = ["Journal", "Problem", "read_journal"]

T = TypeVar("T")


class Problem(NamedTuple):
    """What evaluations are of.

    Parameters
    ----------
    fingerprint : str
        Equal for equal estimators, data, splits and scoring.
    estimator, data, scoring : str
        What they are, for people.
    """

    fingerprint: str
    estimator: str
    data: str
    scoring: str


class Journal:
    """A file of finished evaluations, open for one problem; a context manager.

    Reading and writing are safe from several threads and processes at once. If the file
    is gone, or cannot be read or written any more, there is a warning, and the search
    goes on without it: a full disk does not end a night of compute.

    Parameters
    ----------
    path : str or path-like
        The file, ``~`` for the home folder; made if it is missing.
    problem : Problem
        What the evaluations are of.

    Raises
    ------
    JournalError
        If the file is of another kind or of a newer version, damaged, or cannot be
        written. It is left as it is.
    """

    def __init__(self, path: str | os.PathLike[str], problem: Problem) -> None:
        self._path = absolute(path)
        self._problem = problem
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Journal:
        with explained(self._path):
            check_file(self._path)
            self._connection = connect(self._path)
            try:
                self._id = self._register()
            except BaseException:
                self._close()
                raise
        self._identity = identity(self._path)
        return self

    def __exit__(self, *exception: object) -> None:
        self._close()

    def _close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _register(self) -> int:
        """Return the number of the problem in this file."""
        assert self._connection is not None
        with transaction(self._connection) as connection:
            create_tables(connection)
            connection.execute(
                "INSERT OR IGNORE INTO problem VALUES (NULL, ?, ?, ?, ?, ?)",
                (*self._problem, time.time()),
            )
            row = connection.execute(
                "SELECT id FROM problem WHERE fingerprint = ?",
                (self._problem.fingerprint,),
            ).fetchone()
        if row is None or not isinstance(row[0], int):
            raise sqlite3.DatabaseError("the number of a problem is damaged")
        return row[0]

    def find(self, key: str, resource: int = 0) -> dict[int, Evaluation]:
        """Return what is known of a candidate: evaluations by number of the split.

        Parameters
        ----------
        key : str
            Fingerprint of its parameters.
        resource : int, default=0
            How much training it had; 0 where training is not split.

        Returns
        -------
        dict of int to Evaluation
            Empty if nothing is known. Damaged rows are left out, with a warning.
        """
        rows = self._attempt(
            lambda connection: connection.execute(
                f"SELECT seal, split, {COLUMNS} FROM evaluation "
                "WHERE problem = ? AND key = ? AND resource = ?",
                (self._id, key, resource),
            ).fetchall()
        )
        known = {}
        for seal, split, *content in rows or ():
            if seal == self._seal(key, split, resource, *content):
                known[split] = to_evaluation(content)
            else:
                self._warn("holds a damaged evaluation, which is done again")
        return known

    def add(
        self, done: Iterable[tuple[str, Params, int, Evaluation]], resource: int = 0
    ) -> None:
        """Write evaluations, all or none of them.

        Parameters
        ----------
        done : iterable of (key, params, split, Evaluation)
            What to write; it takes the place of what was there.
        resource : int, default=0
            As for `find`.
        """
        rows = []
        for key, params, split, evaluation in done:
            content = to_columns(params, evaluation)
            seal = self._seal(key, split, resource, *content)
            rows.append((self._id, key, split, resource, *content, seal))
        if rows:
            self._write("INSERT OR REPLACE INTO evaluation", rows)

    def find_model(self, key: str, split: int) -> bytes | None:
        """Return a model that was kept, if it is whole.

        Parameters
        ----------
        key : str
            Fingerprint of what led to it.
        split : int
            Number of the split.

        Returns
        -------
        bytes or None
            None if there is no such one any more.
        """
        row = self._attempt(
            lambda connection: connection.execute(
                "SELECT content, seal FROM model "
                "WHERE problem = ? AND key = ? AND split = ?",
                (self._id, key, split),
            ).fetchone()
        )
        if row is None or row[1] != self._seal(key, split, row[0]):
            return None
        return bytes(row[0])

    def keep_models(self, models: Iterable[tuple[str, int, bytes]]) -> None:
        """Write models, all or none of them.

        Parameters
        ----------
        models : iterable of (key, split, bytes)
            As for `find_model`.
        """
        rows = [
            (self._id, key, split, content, self._seal(key, split, content))
            for key, split, content in models
        ]
        if rows:
            self._write("INSERT OR REPLACE INTO model", rows)

    def drop_models(self, keys: Sequence[str]) -> None:
        """Delete models from which nothing will go on.

        Parameters
        ----------
        keys : sequence of str
            As for `find_model`; on all splits.
        """

        def delete(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                connection.executemany(
                    "DELETE FROM model WHERE problem = ? AND key = ?",
                    [(self._id, key) for key in keys],
                )

        if keys:
            self._attempt(delete)

    def _seal(self, *content: Any) -> str:
        return seal_of(self._problem.fingerprint, *content)

    def _write(self, verb: str, rows: Sequence[tuple[Any, ...]]) -> None:
        def write(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                marks = ", ".join("?" * len(rows[0]))
                connection.executemany(f"{verb} VALUES ({marks})", rows)

        self._attempt(write)

    def _attempt(self, action: Callable[[sqlite3.Connection], T]) -> T | None:
        """Do something with the file; give it up, with a warning, if that fails."""
        with self._lock:
            if self._connection is None:
                return None
            try:
                if identity(self._path) != self._identity:
                    raise sqlite3.OperationalError("it was deleted, moved or replaced")
                return action(self._connection)
            except (sqlite3.Error, UnicodeDecodeError) as error:
                self._connection.close()
                self._connection = None
                self._warn(
                    f"cannot be used any more ({error}); the search goes on without "
                    "it, and what it finds from now on is not kept there"
                )
                return None

    def _warn(self, what: str) -> None:
        message = f"The journal {self._path!r} {what}."
        warn_user(message, JournalWarning)


def read_journal(path: str | os.PathLike[str]) -> dict[str, list[Any]]:
    """Return the evaluations in a journal as a table.

    Parameters
    ----------
    path : str or path-like
        The file that was given to a search as `journal`.

    Returns
    -------
    dict of str to list
        Columns of equal length, as ``pandas.DataFrame`` takes them: ``problem`` (a
        digest), ``estimator``, ``data``, ``scoring``, ``params`` (names and values as
        text), ``split``, ``resource``, ``test_scores``, ``train_scores``, ``fit_time``
        and ``score_time`` in seconds, ``n_test_samples``, ``fit_error`` and
        ``finished`` (seconds since 1970), in the order of time. Last, a column
        ``param_<name>`` for each parameter: numbers, booleans, strings and None as
        themselves, other values as text, and None where there is no such parameter.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    JournalError
        If the file is of another kind or of a newer version, or damaged.
    """
    path = absolute(path)
    if not os.path.exists(path):
        raise FileNotFoundError(f"There is no journal {path!r}.")
    columns = ("split", "resource", *COLUMNS.split(", "))
    names = ("problem", "estimator", "data", "scoring", *columns)
    table: dict[str, list[Any]] = {name: [] for name in names}
    with explained(path):
        check_file(path)
        with contextlib.closing(connect_to_read(path)) as connection:
            for row in connection.execute(
                "SELECT fingerprint, estimator, data, scoring, key, seal, "
                f"split, resource, {COLUMNS} FROM evaluation "
                "JOIN problem ON problem.id = evaluation.problem "
                "ORDER BY finished, problem, key, split"
            ):
                *problem, key, seal, split, resource = row[:8]
                content = row[8:]
                if seal != seal_of(problem[0], key, split, resource, *content):
                    raise JournalError(f"The journal {path!r} has damaged rows.")
                for name, value in zip(
                    names, (*problem, split, resource, *content), strict=True
                ):
                    table[name].append(value)
    for name in ("params", "test_scores", "train_scores"):
        table[name] = [json.loads(text) if text else None for text in table[name]]
    return table | param_columns(table["params"])
