"""Reads the test's own database, for cases that ask what the shop has kept: orders, certificates, messages, alerts."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

Row = dict[str, Any]

_CERTIFICATES = """
    SELECT c.* FROM certificate c JOIN gift_certificate x ON x.certificate_id = c.id
      JOIN gift g ON g.id = x.gift_id JOIN "order" o ON o.id = g.order_id WHERE o.public_id = ? ORDER BY c.id"""
_ENTRIES = f"SELECT e.* FROM ledger_entry e WHERE e.certificate_id IN (SELECT id FROM ({_CERTIFICATES})) ORDER BY e.id"
_OF_ORDER = 'SELECT x.* FROM {} x JOIN "order" o ON o.id = x.order_id WHERE o.public_id = ? ORDER BY x.id'
_UNBALANCED = """
    SELECT c.id, c.balance_cents, coalesce(sum(CASE 'certificate_liability' WHEN e.credit_account THEN e.amount_cents
      WHEN e.debit_account THEN -e.amount_cents ELSE 0 END), 0) AS total
    FROM certificate c LEFT JOIN ledger_entry e ON e.certificate_id = c.id GROUP BY c.id
    HAVING total <> c.balance_cents OR total < 0"""
_CLEARED = """
    SELECT o.payment_intent_id, sum(CASE 'stripe_clearing' WHEN e.debit_account THEN e.amount_cents
      WHEN e.credit_account THEN -e.amount_cents ELSE 0 END) AS cents FROM ledger_entry e
      JOIN gift_certificate x ON x.certificate_id = e.certificate_id JOIN gift g ON g.id = x.gift_id
      JOIN "order" o ON o.id = g.order_id GROUP BY o.id"""


class Records:
    """One SQLite file, opened for reading each time, so that it never stands in the shop's way."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def order_of(self, buyer_email: str) -> Row:
        """Return the newest order of this buyer."""
        return self.ask('SELECT * FROM "order" WHERE buyer_email = ? ORDER BY id DESC LIMIT 1', buyer_email)[0]

    def order(self, public_id: str) -> Row:
        return self.ask('SELECT * FROM "order" WHERE public_id = ?', public_id)[0]

    def gifts(self, public_id: str) -> list[Row]:
        return self.ask(_OF_ORDER.format("gift"), public_id)

    def certificates(self, public_id: str) -> list[Row]:
        return self.ask(_CERTIFICATES, public_id)

    def entries(self, public_id: str) -> list[Row]:
        return self.ask(_ENTRIES, public_id)

    def messages(self, public_id: str) -> list[Row]:
        return self.ask(_OF_ORDER.format("delivery"), public_id)

    def attempts(self, public_id: str) -> list[Row]:
        return self.ask(_OF_ORDER.format("checkout_attempt"), public_id)

    def alerts(self, subject: str) -> list[Row]:
        return self.ask("SELECT * FROM alert WHERE subject = ?", subject)

    def events(self, event_id: str) -> list[Row]:
        """Return what is kept of one of Stripe's events: one row when it was handled, none when it was refused."""
        return self.ask("SELECT * FROM stripe_event WHERE event_id = ?", event_id)

    def instance_id(self) -> str:
        found: str = self.ask("SELECT instance_id FROM installation")[0]["instance_id"]
        return found

    def unbalanced(self) -> list[Row]:
        """Return every certificate whose entries do not add up to its balance, or to less than nothing."""
        return self.ask(_UNBALANCED)

    def cleared_by_payment(self) -> dict[str, int]:
        """Return what the books say that Stripe holds of each payment intent that certificates were sold with."""
        return {row["payment_intent_id"]: row["cents"] for row in self.ask(_CLEARED)}

    def everything_about(self, public_id: str) -> dict[str, list[Row]]:
        """Return all there is about an order, to be compared: what "nothing changes" means."""
        attempts = self.attempts(public_id)
        alerts = [self.alerts(row["session_id"]) for row in attempts if row["session_id"]]
        return {
            "order": [self.order(public_id)],
            "attempts": attempts,
            "certificates": self.certificates(public_id),
            "entries": self.entries(public_id),
            "messages": self.messages(public_id),
            "alerts": [row for rows in alerts for row in rows],
        }

    def ask(self, query: str, *values: str) -> list[Row]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=30)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]


def change(path: Path, *statements: str) -> None:
    """Do to a test's own database what only time, an owner or a thief could do to it."""
    with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


@contextmanager
def write_lock(path: Path) -> Iterator[None]:
    """Hold SQLite's lock for writing, as a stuck backup program would."""
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
