"""The workbench's memory: JSON objects in one SQLite file, for every other module; a restart loses nothing."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_TABLES = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, kind TEXT NOT NULL,
    body TEXT NOT NULL, hidden TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (kind, seq);
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, state TEXT NOT NULL, due_at REAL NOT NULL,
    attempts TEXT NOT NULL, options TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, due_at, seq);
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event);
CREATE TABLE IF NOT EXISTS mails (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, received_at INTEGER NOT NULL, sender TEXT NOT NULL,
    recipients TEXT NOT NULL, raw BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Store:
    """One connection shared by all threads, one thread at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(_TABLES)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep everything inside, or nothing; a transaction within another belongs to the outer one."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """Run one statement and return all its rows."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def put(self, item: Json, *, kind: str = "", hidden: Json | None = None) -> Json:
        """Save an object under its id and return it; `hidden` is what the API never shows, kept when None."""
        extra = None if hidden is None else json.dumps(hidden)
        self.rows(
            "INSERT INTO objects (id, kind, body, hidden) VALUES (?, ?, ?, coalesce(?, '{}'))"
            " ON CONFLICT (id) DO UPDATE SET body = excluded.body, hidden = coalesce(?, hidden)",
            *(item["id"], kind or item["object"], json.dumps(item), extra, extra),
        )
        return item

    def find(self, item_id: str, kind: str = "") -> Json | None:
        """Return a fresh copy of the object, or None."""
        rows = self.rows("SELECT kind, body FROM objects WHERE id = ?", item_id)
        if not rows or kind not in ("", rows[0]["kind"]):
            return None
        return _object(rows[0]["body"])

    def hidden(self, item_id: str) -> Json:
        """Return what is kept beside the object and never shown by the API."""
        rows = self.rows("SELECT hidden FROM objects WHERE id = ?", item_id)
        return _object(rows[0]["hidden"]) if rows else {}

    def all(self, kind: str, **equal: str) -> list[Json]:
        """Return the objects of a kind, newest first, whose top-level fields equal what is given."""
        where = "".join(f" AND json_extract(body, '$.{field}') = ?" for field in equal)
        sql = f"SELECT body FROM objects WHERE kind = ?{where} ORDER BY seq DESC"  # noqa: S608 - our own field names
        return [_object(row["body"]) for row in self.rows(sql, kind, *equal.values())]

    def due(self, kind: str, field: str, moment: int) -> list[Json]:
        """Return the objects of a kind whose field is a moment that has come, oldest first."""
        sql = f"SELECT body FROM objects WHERE kind = ? AND json_extract(body, '$.{field}') <= ? ORDER BY seq"  # noqa: S608
        return [_object(row["body"]) for row in self.rows(sql, kind, moment)]

    def delete(self, item_id: str) -> None:
        self.rows("DELETE FROM objects WHERE id = ?", item_id)

    def setting(self, name: str, default: Any = None) -> Any:
        """Return a saved setting, or the default."""
        rows = self.rows("SELECT value FROM settings WHERE name = ?", name)
        return json.loads(rows[0]["value"]) if rows else default

    def set_setting(self, name: str, value: Any) -> None:
        self.rows(
            "INSERT INTO settings VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            *(name, json.dumps(value)),
        )

    def clear(self) -> None:
        """Forget everything."""
        with self.transaction():
            for table in ("objects", "deliveries", "mails", "settings"):
                self.rows(f"DELETE FROM {table}")  # noqa: S608 - our own table names


def _object(text: str) -> Json:
    value: Json = json.loads(text)
    return value
