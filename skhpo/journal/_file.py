"""The file of a journal: how it is told from others, opened, and made."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from skhpo.exceptions import JournalError

__all__ = [
    "absolute",
    "check_file",
    "connect",
    "connect_to_read",
    "create_tables",
    "explained",
    "identity",
    "transaction",
]

# "skhp", in the header of every file: how a journal is told from other databases.
APPLICATION_ID = 0x736B6870
VERSION = 2
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
"""
# Since format 2. Format 1 had a table "state", of one generation of a population.
MODELS = """
CREATE TABLE model (
    problem INTEGER NOT NULL REFERENCES problem (id),
    key TEXT NOT NULL,
    split INTEGER NOT NULL,
    content BLOB NOT NULL,
    seal TEXT NOT NULL,
    PRIMARY KEY (problem, key, split)
);
DROP TABLE IF EXISTS state
"""


def absolute(path: str | os.PathLike[str]) -> str:
    """Return which file a user means; ``~`` is the home folder.

    It is absolute, since SQLite takes '' and ':memory:' for what is not kept at all.
    """
    return os.path.abspath(os.path.expanduser(path))


@contextlib.contextmanager
def explained(path: str) -> Iterator[None]:
    """Say what to do where SQLite says only what is wrong."""
    try:
        yield
    except sqlite3.OperationalError as error:
        inside = os.path.join(path, "journal.db")
        meant = f"Did you mean {inside!r}? It is a folder. " * os.path.isdir(path)
        raise JournalError(
            f"{meant}The journal {path!r} cannot be opened: {error}. It must be a file "
            "in a folder that exists and can be written, on a disk of this machine."
        ) from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise JournalError(
            f"The file {path!r} is no journal, or a damaged one: {error}. Nothing was "
            "changed. Give another path; or try sqlite3's command .recover on it."
        ) from error


def check_file(path: str) -> None:
    """Raise if there is a file that is not a whole journal of a known version."""
    if not os.path.exists(path) or os.path.getsize(path) == 0:
        return
    with contextlib.closing(connect_to_read(path)) as connection:
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


def identity(path: str) -> tuple[int, int] | None:
    """Return what tells a file from one that took its place; None if there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def connect_to_read(path: str) -> sqlite3.Connection:
    """Open a file that exists, and change nothing in it."""
    uri = f"{Path(path).absolute().as_uri()}?mode=ro"
    return _readable(sqlite3.connect(uri, uri=True, timeout=PATIENCE))


def connect(path: str) -> sqlite3.Connection:
    """Open or make a file, to be written from any thread."""
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
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Write all of what is written inside, or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # it may be rolled back already
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def create_tables(connection: sqlite3.Connection) -> None:
    """Make a journal of an empty file, or of one of format 1; in a transaction."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == VERSION:
        return
    schema = MODELS if version == 1 else SCHEMA + MODELS
    for statement in schema.split(";"):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
