"""Books for attempts on the ledger: certificates in every state, and entries posted by hand with one thing wrong."""

import secrets
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from giftshop import clock
from giftshop.certificates import status as standing
from giftshop.foundation.database import db
from giftshop.ledger import hash_chain
from giftshop.ledger.models import Certificate, LedgerEntry, LedgerSeal, MoneyRequest
from tests import build

LIABILITY = "certificate_liability"
ACCOUNTS = {
    "issue": ("stripe_clearing", LIABILITY),
    "promote": ("promotion_expense", LIABILITY),
    "import": ("import_opening", LIABILITY),
    "redeem": (LIABILITY, "service_revenue"),
    "cash_out": (LIABILITY, "cash_paid_out"),
    "escheat": (LIABILITY, "cash_paid_out"),
    "breakage": (LIABILITY, "breakage"),
    "void": (LIABILITY, "cash_paid_out"),
    "reversal": ("service_revenue", LIABILITY),
    "refund_hold": (LIABILITY, "refund_due"),
    "refund_settled": ("refund_due", "stripe_clearing"),
    "refund_released": ("refund_due", LIABILITY),
    "refund_external": (LIABILITY, "stripe_clearing"),
    "refund_returned": ("stripe_clearing", LIABILITY),
    "dispute_hold": (LIABILITY, "dispute_hold"),
    "dispute_lost": ("dispute_hold", "stripe_clearing"),
    "dispute_released": ("dispute_hold", LIABILITY),
    "dispute_recovered": ("stripe_clearing", LIABILITY),
    "loss": ("write_off", "stripe_clearing"),
    "loss_recovered": ("stripe_clearing", "write_off"),
}


@dataclass
class Books:
    """A connection, and the certificates and entries on it by the names attempts use."""

    connection: sa.Connection
    certificates: dict[str, int] = field(default_factory=dict)
    entries: dict[str, int] = field(default_factory=dict)

    def post(self, name: str, kind: str, amount_cents: Any, closes: str | int = "", /, **changes: Any) -> int:
        """Post an entry as the ledger would, except for `changes`: of its columns, `effect`, `step` or `status`."""
        certificate_id = self.certificates[name]
        debit, credit = ACCOUNTS[kind]
        debit, credit = changes.pop("debit_account", debit), changes.pop("credit_account", credit)
        effect = changes.pop("effect", amount_cents * ((credit == LIABILITY) - (debit == LIABILITY)))
        moved = self.move(certificate_id, effect, step=changes.pop("step", 1), status=changes.pop("status", None))
        entry = LedgerEntry(
            **{
                "certificate_id": certificate_id,
                "sequence": moved.last_sequence,
                "kind": kind,
                "debit_account": debit,
                "credit_account": credit,
                "amount_cents": amount_cents,
                "balance_after_cents": moved.balance_cents,
                "actor": "staff:7",
                "reason_code": "",
                "external_ref": None,
                "request_scope": "attempt",
                "request_key": secrets.token_hex(8),
                "reverses_id": self.entries.get(closes, closes or None) if isinstance(closes, str) else closes,
                "created_at": clock.now(),
                "prev_hash": self.last_hash(certificate_id),
                **changes,
            }
        )
        entry.hash = changes.get("hash", b"") or hash_chain.entry_hash(entry)
        return self.insert(entry)

    def move(self, certificate_id: int, effect: Any, *, step: int = 1, status: str | None = None) -> Any:
        """Move a balance without any of the ledger's conditions."""
        statement = (
            sa.update(Certificate)
            .where(Certificate.id == certificate_id)
            .values(balance_cents=Certificate.balance_cents + effect, last_sequence=Certificate.last_sequence + step)
            .returning(Certificate.balance_cents, Certificate.last_sequence)
        )
        return self.connection.execute(statement.values(status=status) if status else statement).one()

    def insert(self, entry: LedgerEntry) -> int:
        """Insert an entry as it is."""
        values = {column.name: getattr(entry, column.name) for column in LedgerEntry.__table__.columns}
        del values["id"]
        return self.connection.execute(sa.insert(LedgerEntry).values(values).returning(LedgerEntry.id)).scalar_one()

    def last_hash(self, certificate_id: int) -> bytes:
        """Return the hash that the next entry continues."""
        query = sa.select(LedgerEntry.hash).where(LedgerEntry.certificate_id == certificate_id)
        found: bytes | None = self.connection.scalar(query.order_by(LedgerEntry.sequence.desc()).limit(1))
        return found or hash_chain.FIRST

    def add_certificate(self, name: str, face_value_cents: Any = 120_00, **changes: Any) -> None:
        """Insert a certificate without its first entry."""
        values = {
            "public_id": secrets.token_hex(5),
            "code_lookup": secrets.token_bytes(32),
            "code_enc": bytes(48),
            "mode": "simulated",
            "currency": "USD",
            "face_value_cents": face_value_cents,
            "offer_slug": "amount",
            "service_name": "",
            "recipient_name": "Ana",
            "giver_name": "Marko",
            "message": "",
            "design": "held",
            "issued_at": clock.now(),
            **changes,
        }
        statement = sa.insert(Certificate).values(values).returning(Certificate.id)
        self.certificates[name] = self.connection.execute(statement).scalar_one()

    def bear_again(self, name: str) -> None:
        """Put a new, empty certificate in the place of one that is there."""
        kept = [column.name for column in Certificate.__table__.columns]
        columns = ", ".join(each for each in kept if each not in ("balance_cents", "last_sequence"))
        self.run(
            f"INSERT OR REPLACE INTO certificate ({columns}) SELECT {columns} FROM certificate WHERE id = <{name}>"
        )

    def answer(self, **changes: Any) -> None:
        """Store the answer to a request."""
        values = {"scope": "redeem", "key": "sixteen-signs-ok", "body_sha256": bytes(32), "status": 200, "answer": "{}"}
        self.connection.execute(sa.insert(MoneyRequest).values({**values, "created_at": clock.now(), **changes}))

    def seal(self, **changes: Any) -> None:
        """Seal the books."""
        values = {"certificates": 1, "entries": 1, "prev_digest": bytes(32), "digest": b"1" * 32}
        self.connection.execute(sa.insert(LedgerSeal).values({**values, "created_at": clock.now(), **changes}))

    def run(self, statement: str) -> None:
        """Run SQL in which `<name>` stands for the id of a certificate, `<entry:name>` for that of an entry."""
        for name, number in self.certificates.items():
            statement = statement.replace(f"<{name}>", str(number))
        for name, number in self.entries.items():
            statement = statement.replace(f"<entry:{name}>", str(number))
        self.connection.exec_driver_sql(statement)


def keep_books() -> Books:
    """Lay out, and commit, what attempts need; every step of it is one that the database must allow."""
    names = ("sold", "fresh", "undone", "held", "settled", "released", "frozen", "lost", "written_off")
    books = Books(db.session.connection(), {name: build.certificate().id for name in names})
    books.connection = db.session.connection()
    post, entries = books.post, books.entries
    entries["sale"] = books.connection.scalar(sa.text("SELECT min(id) FROM ledger_entry"))
    entries["redemption"] = post("sold", "redeem", 20_00, request_key="a-used-key")
    entries["undone"] = post("undone", "redeem", 20_00)
    entries["undo"] = post("undone", "reversal", 20_00, "undone")
    for name in ("held", "settled", "released"):
        entries[f"{name} hold"] = post(name, "refund_hold", 30_00)
    entries["settlement"] = post("settled", "refund_settled", 30_00, "settled hold")
    entries["release"] = post("released", "refund_released", 30_00, "released hold")
    for name in ("frozen", "lost"):
        standing.freeze(
            books.certificates[name], subject="dp_1", reason_code="disputed", actor="stripe", at=clock.now()
        )
    entries["dispute"] = post("lost", "dispute_hold", 120_00, status="frozen")
    entries["lost"] = post("lost", "dispute_lost", 120_00, "dispute")
    entries["recovery"] = post("lost", "dispute_recovered", 120_00, "lost")
    entries["loss"] = post("written_off", "loss", 5_00)
    entries["loss back"] = post("written_off", "loss_recovered", 5_00, "loss")
    for name, kind in (("promoted", "promote"), ("imported", "import")):
        books.add_certificate(name)
        post(name, kind, 120_00)
    books.seal()
    books.answer()
    db.session.commit()
    return books
