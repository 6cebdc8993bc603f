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
import hashlib
import json
import math
import os
import sqlite3
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

from skhpo._trial import Evaluation, Params, Scores
from skhpo.exceptions import JournalError, JournalWarning

__all__ = ["Journal", "Problem", "read_journal"]

T = TypeVar("T")

# "skhp", in the header of every file: how a journal is told from other databases.
APPLICATION_ID = 0x736B6870
VERSION = 1
# How long to wait for another process that writes, in seconds.
PATIENCE = 30.0

SCHEMA = """
CREATE TABLE problem (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    estimator TEXT NOT NULL,
    data TEXT NOT NULL,
    scoring TEXT NOT NULL,
    begun REAL NOT NULL
);
CREATE TABLE evaluation (
    problem INTEGER NOT NULL REFERENCES problem (id),
    key TEXT NOT NULL,
    split INTEGER NOT NULL,
    resource INTEGER NOT NULL,
    params TEXT NOT NULL,
    test_scores TEXT NOT NULL,
    train_scores TEXT,
    fit_time REAL,
    score_time REAL,
    n_test_samples INTEGER NOT NULL,
    fit_error TEXT,
    finished REAL NOT NULL,
    seal TEXT NOT NULL,
    PRIMARY KEY (problem, key, split, resource)
) WITHOUT ROWID;
CREATE TABLE state (
    problem INTEGER NOT NULL REFERENCES problem (id),
    key TEXT NOT NULL,
    content BLOB NOT NULL,
    seal TEXT NOT NULL,
    PRIMARY KEY (problem)
);
"""
COLUMNS = (
    "params, test_scores, train_scores, fit_time, score_time, n_test_samples, "
    "fit_error, finished"
)


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
    cannot be read or written any more, there is a warning, and the search goes on
    without it: a full disk does not end a night of compute.

    Parameters
    ----------
    path : str or path-like
        The file; made if it is missing.
    problem : Problem
        What the evaluations are of.

    Raises
    ------
    JournalError
        If the file is of another kind or of a newer version, damaged, or cannot be
        written. It is left as it is.
    """

    def __init__(self, path: str | os.PathLike[str], problem: Problem) -> None:
        self._path = os.fspath(path)
        self._problem = problem
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Journal:
        with _explained(self._path):
            _check_file(self._path)
            self._connection = _connect(self._path)
            try:
                self._id = self._register()
            except BaseException:
                self._close()
                raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _register(self) -> int:
        """Return the number of the problem in this file."""
        assert self._connection is not None
        with _transaction(self._connection) as connection:
            _create_tables(connection)
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
                known[split] = _to_evaluation(content)
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
            content = _to_columns(params, evaluation)
            seal = self._seal(key, split, resource, *content)
            rows.append((self._id, key, split, resource, *content, seal))
        if rows:
            self._write("INSERT OR REPLACE INTO evaluation", rows)

    def find_state(self, key: str) -> bytes | None:
        """Return the state that was kept last, if this is its key and it is whole.

        Parameters
        ----------
        key : str
            By which it was kept.

        Returns
        -------
        bytes or None
            None if there is no such one any more.
        """
        row = self._attempt(
            lambda connection: connection.execute(
                "SELECT content, seal FROM state WHERE problem = ? AND key = ?",
                (self._id, key),
            ).fetchone()
        )
        if row is None or row[1] != self._seal(key, row[0]):
            return None
        return bytes(row[0])

    def keep_state(self, key: str, content: bytes) -> None:
        """Keep a state in the place of the one before.

        Parameters
        ----------
        key : str
            By which it will be found.
        content : bytes
            The state.
        """
        row = (self._id, key, content, self._seal(key, content))
        self._write("INSERT OR REPLACE INTO state", [row])

    def _seal(self, *content: Any) -> str:
        return _seal(self._problem.fingerprint, *content)

    def _write(self, verb: str, rows: Sequence[tuple[Any, ...]]) -> None:
        def write(connection: sqlite3.Connection) -> None:
            with _transaction(connection):
                marks = ", ".join("?" * len(rows[0]))
                connection.executemany(f"{verb} VALUES ({marks})", rows)

        self._attempt(write)

    def _attempt(self, action: Callable[[sqlite3.Connection], T]) -> T | None:
        """Do something with the file; give it up, with a warning, if that fails."""
        with self._lock:
            if self._connection is None:
                return None
            try:
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
        warnings.warn(message, JournalWarning, stacklevel=2)


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
        ``finished`` (seconds since 1970), in the order of time.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    JournalError
        If the file is of another kind or of a newer version, or damaged.
    """
    path = os.fspath(path)
    if not os.path.exists(path):
        raise FileNotFoundError(f"There is no journal {path!r}.")
    columns = ("split", "resource", *COLUMNS.split(", "))
    names = ("problem", "estimator", "data", "scoring", *columns)
    table: dict[str, list[Any]] = {name: [] for name in names}
    with _explained(path):
        _check_file(path)
        with contextlib.closing(_connect_to_read(path)) as connection:
            for row in connection.execute(
                "SELECT fingerprint, estimator, data, scoring, key, seal, "
                f"split, resource, {COLUMNS} FROM evaluation "
                "JOIN problem ON problem.id = evaluation.problem "
                "ORDER BY finished, problem, key, split"
            ):
                *problem, key, seal, split, resource = row[:8]
                content = row[8:]
                if seal != _seal(problem[0], key, split, resource, *content):
                    raise JournalError(f"The journal {path!r} has damaged rows.")
                for name, value in zip(
                    names, (*problem, split, resource, *content), strict=True
                ):
                    table[name].append(value)
    for name in ("params", "test_scores", "train_scores"):
        table[name] = [json.loads(text) if text else None for text in table[name]]
    return table


# -- rows ------------------------------------------------------------------------------


def _to_columns(params: Params, evaluation: Evaluation) -> tuple[Any, ...]:
    train, error = evaluation.train_scores, evaluation.fit_error
    if error is not None:  # what SQLite cannot encode is written as "\\udc80"
        error = error.encode("utf-8", "backslashreplace").decode()
    return (
        json.dumps({name: repr(params[name]) for name in sorted(params)}),
        _scores_as_text(evaluation.test_scores),
        None if train is None else _scores_as_text(train),
        _number(evaluation.fit_time),
        _number(evaluation.score_time),
        int(evaluation.n_test_samples),
        error,
        time.time(),
    )


def _scores_as_text(scores: Scores) -> str:
    """Return scores so that they come back bit for bit: JSON, with Python's NaN."""
    return json.dumps(scores, default=lambda number: number.item())


def _to_evaluation(content: Sequence[Any]) -> Evaluation:
    _, test, train, fit_time, score_time, n_test_samples, fit_error, _ = content
    train_scores: Scores | None = None if train is None else json.loads(train)
    return Evaluation(
        json.loads(test),
        train_scores,
        math.nan if fit_time is None else fit_time,
        math.nan if score_time is None else score_time,
        n_test_samples,
        fit_error,
    )


def _number(value: float) -> float | None:
    """SQLite has no NaN, which is stored as NULL, and no -0.0."""
    return None if math.isnan(value) else float(value) + 0.0


def _seal(*content: Any) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for part in content:
        data = part if isinstance(part, bytes) else repr(part).encode()
        digest.update(b"%d;" % len(data))
        digest.update(data)
    return digest.hexdigest()


# -- the file --------------------------------------------------------------------------


@contextlib.contextmanager
def _explained(path: str) -> Iterator[None]:
    """Say what to do where SQLite says only what is wrong."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise JournalError(
            f"The journal {path!r} cannot be opened: {error}. It must be a file in a "
            "folder that exists and can be written, on a disk of this machine."
        ) from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise JournalError(
            f"The file {path!r} is no journal, or a damaged one: {error}. Nothing was "
            "changed. Give another path; or try sqlite3's command .recover on it."
        ) from error


def _check_file(path: str) -> None:
    """Raise if there is a file that is not a whole journal of a known version."""
    if not os.path.exists(path) or os.path.getsize(path) == 0:
        return
    with contextlib.closing(_connect_to_read(path)) as connection:
        # One look at all of it: another process may be making it into a journal.
        connection.execute("BEGIN")
        (kind,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if kind != APPLICATION_ID and (kind or version or tables[0]):
            raise JournalError(
                f"The file {path!r} is an SQLite database, but not a journal. Nothing "
                "was changed. Give another path."
            )
        if version > VERSION:
            raise JournalError(
                f"The journal {path!r} has format {version}, and this version of skhpo "
                f"knows formats up to {VERSION}. Update skhpo, or give another path."
            )
        (state,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if state != "ok":
            raise sqlite3.DatabaseError(state)


def _connect_to_read(path: str) -> sqlite3.Connection:
    uri = f"{Path(path).absolute().as_uri()}?mode=ro"
    return _readable(sqlite3.connect(uri, uri=True, timeout=PATIENCE))


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
    )
    # Write-ahead: a killed process leaves whole transactions. The files are synced at
    # checkpoints only; what a power failure can take is the last few evaluations.
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    return _readable(connection)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Set the mode, which SQLite does not wait for while another process looks."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


def _readable(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Let damaged text come through: its row's seal tells that it is damaged."""
    connection.text_factory = lambda text: text.decode("utf-8", "backslashreplace")
    return connection


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # it may be rolled back already
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _create_tables(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == VERSION:
        return
    for statement in SCHEMA.split(";"):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
