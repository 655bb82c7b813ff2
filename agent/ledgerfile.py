"""The ledger's file: its format and its migrations, the lock of the one process that may write, and errors in plain words."""

import fcntl
import os
import shutil
import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ..executor.errors import LedgerError

SCHEMA_VERSION = 4
NOTHING_YET = "this study has no results yet"
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE plans (
    version TEXT, round INTEGER, hash TEXT NOT NULL, document TEXT NOT NULL, sealed_at REAL NOT NULL,
    PRIMARY KEY (version, round)
) WITHOUT ROWID;
CREATE TABLE checks (key TEXT PRIMARY KEY, version TEXT NOT NULL, arm TEXT NOT NULL, outcome TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE trials (
    key TEXT PRIMARY KEY, version TEXT NOT NULL, arm TEXT NOT NULL, mode TEXT NOT NULL, seed INTEGER NOT NULL,
    status TEXT NOT NULL, reason TEXT, attempts INTEGER NOT NULL DEFAULT 0, limits TEXT, started_at REAL, finished_at REAL,
    metrics TEXT, fingerprint TEXT, changed INTEGER, wall_seconds REAL, cpu_seconds REAL, peak_memory INTEGER,
    parameters INTEGER, sandbox TEXT, facts TEXT
);
CREATE INDEX trials_of_arm ON trials (version, arm, seed);
CREATE TABLE details (key TEXT PRIMARY KEY, traceback TEXT, output TEXT, proofs TEXT, examples TEXT,
    curves TEXT, parts TEXT) WITHOUT ROWID;
CREATE TABLE attempts (key TEXT, status TEXT NOT NULL, message TEXT, wall_seconds REAL, finished_at REAL);
"""
LOOKS = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Seconds between tries for the lock."""
MIGRATIONS = {
    1: "ALTER TABLE trials ADD COLUMN facts TEXT;",
    2: "ALTER TABLE details ADD COLUMN curves TEXT;",
    3: "ALTER TABLE details ADD COLUMN parts TEXT;",
}
"""What takes a file of an older format to the next one."""


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """An open ledger in this version's format. Raises `LedgerError` where it is newer, or empty and not to be written."""
    where, uri = (path.absolute().as_uri() + "?mode=ro&immutable=1", True) if _is_frozen(path, write) else (path, False)
    database = sqlite3.connect(where, isolation_level=None, timeout=30, uri=uri)
    try:
        _prepare(database, path.parent, write)
    except BaseException:
        database.close()
        raise
    return database


def _is_frozen(path: Path, write: bool) -> bool:
    """Whether it lies where nobody here may write, with nothing beside it that is still to be taken in: SQLite is told so, or it fails."""
    log = path.with_name(f"{path.name}-wal")
    return not write and not os.access(path.parent, os.W_OK) and not (log.exists() and log.stat().st_size)


def _prepare(database: sqlite3.Connection, folder: Path, write: bool) -> None:
    found = database.execute("PRAGMA user_version").fetchone()[0]
    if found > SCHEMA_VERSION:
        raise LedgerError(
            f"this state folder was written by a newer version of lesion (format {found}, this one knows {SCHEMA_VERSION})",
            where=str(folder),
            to_do="upgrade lesion, or name another folder with --state",
        )
    if not write and found == 0:
        raise nothing_yet(folder)
    for version in range(found, SCHEMA_VERSION) if found else ():
        database.executescript(f"BEGIN; {MIGRATIONS[version]} PRAGMA user_version = {version + 1}; COMMIT;")
    if write:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        if found == 0:
            database.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")


def nothing_yet(folder: Path) -> LedgerError:
    """The error of reading a study that has never run."""
    return LedgerError(NOTHING_YET, where=str(folder), to_do="start it with `lesion run`")


@contextmanager
def explained(path: Path) -> Generator[None]:
    """Turn what a disk or SQLite says into a `LedgerError` with advice."""
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.DatabaseError, OSError) as error:
        raise LedgerError(f"the ledger cannot be used: {error}", where=str(path), to_do=_advice(error, path)) from error


def _advice(error: Exception, path: Path) -> str:
    text = str(error).lower()
    if "full" in text or "no space" in text or _is_full(path.parent):
        return "free some disk space; every finished trial is kept, and `lesion run` goes on where it stopped"
    if "readonly" in text or "read-only" in text or "permission" in text or "unable to open" in text:
        return "make the folder writable, or name another one with --state DIR"
    if "not a directory" in text or "file exists" in text:
        return "a file is in the way: move it, or name another folder with --state DIR"
    return "see that the disk works; a copy of ledger.db can be opened with sqlite3"


def _is_full(folder: Path) -> bool:
    """Whether there is no room for a page: SQLite calls some of what follows a disk I/O error."""
    try:
        return shutil.disk_usage(folder).free < 1 << 16
    except OSError:
        return False


def lock(path: Path) -> int:
    """Hold the study for this process; the kernel lets go when the process dies."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    if not _taken(descriptor):
        holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise LedgerError(
            f"another process is running this study (pid {holder})",
            where=str(path.parent),
            to_do="wait for it, or stop it; `lesion status` shows how far it is",
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def _taken(descriptor: int) -> bool:
    """Whether the lock is ours now; whoever only looks who holds it does so for a moment, which is waited for."""
    for wait in (0.0, *LOOKS):
        time.sleep(wait)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return True
    return False


def holder(path: Path) -> str | None:
    """The process that holds the lock, None where none does."""
    try:
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read(32).strip() or "unknown"
    except OSError:
        return None
    return None
