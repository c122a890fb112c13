"""The emulator's state: JSON documents, blobs and counters in one SQLite file.

What was acknowledged is still there after the process was killed (WAL). It is not promised to survive a loss
of power, which SQLite's `synchronous=NORMAL` may cut by the last transactions.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import orjson

SCHEMA = """
CREATE TABLE IF NOT EXISTS docs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    doc BLOB NOT NULL,
    UNIQUE (kind, name)
);
CREATE INDEX IF NOT EXISTS docs_by_age ON docs (kind, seq, name);
CREATE TABLE IF NOT EXISTS blobs (key TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (sequence TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""

# Sorts after every name that begins with the prefix it is appended to.
LAST = "\U0010ffff"
LAST_NUMBER = 2**63 - 1

Document = dict[str, Any]


class Exists(Exception):
    """A document of that kind and name is there already."""


class NotFound(KeyError):
    """No document of that kind and name."""


class Store:
    """Documents by kind and name; safe to use from many threads, which take turns."""

    def __init__(self, path: Path | None) -> None:
        """Opens or creates the file, None keeps everything in memory; raises sqlite3.DatabaseError for another file."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(
            ":memory:" if path is None else path, check_same_thread=False, isolation_level=None
        )
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(SCHEMA)
        except sqlite3.DatabaseError:
            self._db.close()
            raise

    def close(self) -> None:
        """Closes the file; nothing may be called afterwards."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Several verbs atomically: all of them, or none when the block raises. May be nested."""
        with self._lock:
            mark = f"level{self._depth}"
            self._db.execute(f"SAVEPOINT {mark}" if self._depth else "BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                self._db.execute(f"ROLLBACK TO {mark}" if self._depth else "ROLLBACK")
                raise
            self._depth -= 1
            self._db.execute(f"RELEASE {mark}" if self._depth else "COMMIT")

    def create(self, kind: str, name: str, doc: Mapping[str, Any]) -> None:
        """Adds a document; raises `Exists`."""
        row = (kind, name, orjson.dumps(dict(doc)))
        with self._lock:
            try:
                self._db.execute("INSERT INTO docs (kind, name, doc) VALUES (?, ?, ?)", row)
            except sqlite3.IntegrityError as error:
                raise Exists(f"{kind} {name}") from error

    def get(self, kind: str, name: str) -> Document | None:
        """The document, a copy of its own, or None."""
        with self._lock:
            row = self._db.execute(
                "SELECT doc FROM docs WHERE kind = ? AND name = ?", (kind, name)
            ).fetchone()
        return orjson.loads(row[0]) if row else None

    def update(self, kind: str, name: str, change: Callable[[Document], Mapping[str, Any]]) -> Document:
        """Reads, changes and writes a document atomically and returns the new one; raises `NotFound`.

        Whatever `change` raises leaves the document as it was.
        """
        with self.transaction():
            doc = self.get(kind, name)
            if doc is None:
                raise NotFound(f"{kind} {name}")
            new = dict(change(doc))
            row = (orjson.dumps(new), kind, name)
            self._db.execute("UPDATE docs SET doc = ? WHERE kind = ? AND name = ?", row)
            return new

    def delete(self, kind: str, name: str) -> bool:
        """Removes a document; says whether it was there."""
        with self._lock:
            cursor = self._db.execute("DELETE FROM docs WHERE kind = ? AND name = ?", (kind, name))
            return cursor.rowcount > 0

    def list(
        self, kind: str, prefix: str = "", *, order: Literal["name", "created"] = "name"
    ) -> list[tuple[str, Document]]:
        """All documents of a kind whose name begins with `prefix`."""
        column = "name" if order == "name" else "seq"
        # `column` is one of two words of ours, never a caller's text.
        query = f"SELECT name, doc FROM docs WHERE kind = ? AND name >= ? AND name < ? ORDER BY {column}"  # noqa: S608
        with self._lock:
            rows = self._db.execute(query, (kind, prefix, prefix + LAST)).fetchall()
        return [(name, orjson.loads(doc)) for name, doc in rows]

    def newest(
        self, kind: str, prefix: str = "", *, before: int | None = None, limit: int
    ) -> Sequence[tuple[int, Document]]:
        """At most `limit` documents of a kind whose name begins with `prefix`, the newest first, with their numbers.

        Numbers rise in the order of creation and are never used twice; `before` leaves out that number and above.
        The cost is that of the documents returned, not of those there are.
        """
        query = (
            "SELECT seq, doc FROM docs INDEXED BY docs_by_age "
            "WHERE kind = ? AND seq < ? AND name >= ? AND name < ? ORDER BY seq DESC LIMIT ?"
        )
        least = LAST_NUMBER if before is None else min(before, LAST_NUMBER)
        with self._lock:
            rows = self._db.execute(query, (kind, least, prefix, prefix + LAST, limit)).fetchall()
        return [(number, orjson.loads(doc)) for number, doc in rows]

    def count(self, kind: str, prefix: str = "") -> int:
        """How many documents `list` would return."""
        query = "SELECT count(*) FROM docs WHERE kind = ? AND name >= ? AND name < ?"
        with self._lock:
            found: int = self._db.execute(query, (kind, prefix, prefix + LAST)).fetchone()[0]
        return found

    def put_blob(self, key: str, data: bytes) -> None:
        """Stores bytes under a key, replacing what was there."""
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO blobs (key, data) VALUES (?, ?)", (key, data))

    def get_blob(self, key: str) -> bytes | None:
        """The bytes under a key, or None."""
        with self._lock:
            row = self._db.execute("SELECT data FROM blobs WHERE key = ?", (key,)).fetchone()
        return bytes(row[0]) if row else None

    def delete_blob(self, key: str) -> bool:
        """Removes the bytes under a key; says whether there were any."""
        with self._lock:
            return self._db.execute("DELETE FROM blobs WHERE key = ?", (key,)).rowcount > 0

    def next_id(self, sequence: str) -> int:
        """The next number of a durable counter, from 1; a number is never handed out twice."""
        query = (
            "INSERT INTO counters (sequence, value) VALUES (?, 1) "
            "ON CONFLICT (sequence) DO UPDATE SET value = value + 1 RETURNING value"
        )
        with self._lock:
            value: int = self._db.execute(query, (sequence,)).fetchone()[0]
        return value
