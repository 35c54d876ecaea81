"""A shop with as many certificates and entries as one asks for, for measuring; its books are as true as real ones.

Every trigger and key of the database is on and is obeyed. What makes it fast: whole sets move at once. For some
thousand certificates at a time, round by round, a temporary table takes the next entry of each; one UPDATE moves all
their balances by one entry, one INSERT … SELECT appends the entries, and the guards look at each row as always.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from giftshop.certificates import codes, encryption
from giftshop.delivery.models import Delivery
from giftshop.ledger import hash_chain
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.orders.models import Gift, GiftCertificate, Order

AT_ONCE = 5_000
FACE_CENTS, VISIT_CENTS = 100_000, 1_000
START = datetime(2026, 1, 1, tzinfo=UTC)
_COLUMNS = [column for column in LedgerEntry.__table__.columns if column.name != "id"]
_NAMES = ", ".join(column.name for column in _COLUMNS)
_POSTING = sa.Table(
    "posting", sa.MetaData(), *(sa.Column(column.name, column.type) for column in _COLUMNS), prefixes=["TEMPORARY"]
)
_MOVE = sa.text(
    "UPDATE certificate SET balance_cents = posting.balance_after_cents, last_sequence = posting.sequence"
    " FROM posting WHERE certificate.id = posting.certificate_id"
)
_APPEND = sa.text(f"INSERT INTO ledger_entry ({_NAMES}) SELECT {_NAMES} FROM posting ORDER BY certificate_id")


@dataclass
class _Account:
    """How far one certificate's chain has come."""

    certificate_id: int
    balance: int = 0
    hash: bytes = hash_chain.FIRST
    last_id: int = 0


def build_books(engine: sa.Engine, *, certificates: int, rounds: int) -> Iterator[int]:
    """Add certificates sold by paid orders, each with `rounds` entries; yield how many entries there are so far.

    A certificate is issued, then used, used, used and the last use undone, again and again.
    """
    for first in range(0, certificates, AT_ONCE):
        with engine.connect() as connection:
            _POSTING.create(connection)
            accounts = _sell(connection, first, min(AT_ONCE, certificates - first))
            for number in range(1, rounds + 1):
                _post(connection, accounts, number)
            _POSTING.drop(connection)
            connection.commit()
        yield (first + len(accounts)) * rounds


def _sell(connection: sa.Connection, first: int, count: int) -> list[_Account]:
    """Store orders with one gift each, its certificate, and the messages that went out."""
    numbers = range(first, first + count)
    order_ids = _insert(connection, Order, [_order(number) for number in numbers])
    gift_ids = _insert(connection, Gift, [_gift(order_id) for order_id in order_ids])
    certificate_ids = _insert(connection, Certificate, [_certificate() for _ in numbers])
    pairs = zip(gift_ids, certificate_ids, strict=True)
    links = [{"gift_id": gift_id, "number": 1, "certificate_id": each} for gift_id, each in pairs]
    connection.execute(sa.insert(GiftCertificate), links)
    orders = list(zip(order_ids, gift_ids, strict=True))
    connection.execute(sa.insert(Delivery), [_delivery("receipt", order_id, None) for order_id, _ in orders])
    connection.execute(sa.insert(Delivery), [_delivery("certificate", *each) for each in orders])
    return [_Account(each) for each in certificate_ids]


def _insert(connection: sa.Connection, model: Any, rows: list[dict[str, Any]]) -> list[int]:
    return list(connection.scalars(sa.insert(model).returning(model.id, sort_by_parameter_order=True), rows))


def _post(connection: sa.Connection, accounts: list[_Account], number: int) -> None:
    """Give each certificate its entry of this round."""
    connection.execute(sa.delete(_POSTING))
    connection.execute(sa.insert(_POSTING), [_entry(account, number) for account in accounts])
    connection.execute(_MOVE)
    connection.execute(_APPEND)
    first, last = accounts[0].certificate_id, accounts[-1].certificate_id
    of_round = (LedgerEntry.certificate_id.between(first, last), LedgerEntry.sequence == number)
    ids = connection.scalars(sa.select(LedgerEntry.id).where(*of_round).order_by(LedgerEntry.certificate_id))
    for account, entry_id in zip(accounts, ids, strict=True):
        account.last_id = entry_id


def _entry(account: _Account, number: int) -> dict[str, Any]:
    kind, debit, credit, cents, change = _transfer(number)
    account.balance += change
    at = START + timedelta(minutes=number, microseconds=account.certificate_id)
    entry = {
        "certificate_id": account.certificate_id,
        "sequence": number,
        "kind": kind,
        "debit_account": debit,
        "credit_account": credit,
        "amount_cents": cents,
        "balance_after_cents": account.balance,
        "actor": "stripe" if number == 1 else "staff:7",
        "reason_code": "",
        "external_ref": f"pi_bench{account.certificate_id}" if number == 1 else None,
        "request_scope": "order" if number == 1 else "redeem:staff:7",
        "request_key": f"bench:{account.certificate_id}:{number}",
        "reverses_id": account.last_id if kind == "reversal" else None,
        "created_at": at,
        "prev_hash": account.hash,
    }
    values = [entry[name] for name in hash_chain.FIELDS[:-1]]
    account.hash = entry["hash"] = hash_chain.link(account.hash, (*values, at.isoformat(timespec="microseconds")))
    return entry


def _transfer(number: int) -> tuple[str, str, str, int, int]:
    """Return kind, debit, credit, amount and change of a certificate's entry number `number`."""
    if number == 1:
        return "issue", "stripe_clearing", "certificate_liability", FACE_CENTS, FACE_CENTS
    if number % 4 == 1:
        return "reversal", "service_revenue", "certificate_liability", VISIT_CENTS, VISIT_CENTS
    return "redeem", "certificate_liability", "service_revenue", VISIT_CENTS, -VISIT_CENTS


def _order(number: int) -> dict[str, Any]:
    return {
        "public_id": f"o_{secrets.token_hex(12)}",
        "token_lookup": secrets.token_bytes(32),
        "token_enc": encryption.seal(secrets.token_urlsafe(24), "bench"),
        "request_key": secrets.token_urlsafe(18),
        "request_sha256": bytes(32),
        "mode": "simulated",
        "state": "fulfilled",
        "currency": "USD",
        "total_cents": FACE_CENTS,
        "received_cents": FACE_CENTS,
        "buyer_email": f"buyer{number}@example.com",
        "payment_intent_id": f"pi_bench_{secrets.token_hex(8)}",
        "created_at": START,
        "paid_at": START,
    }


def _gift(order_id: int) -> dict[str, Any]:
    delivery = {"delivery": "print", "recipient_email": "", "deliver_on": None}
    return {"order_id": order_id, "position": 0, "amount_cents": FACE_CENTS, "quantity": 1, **_words(), **delivery}


def _certificate() -> dict[str, Any]:
    code, public_id = codes.new_code(), "".join(secrets.choice(codes.ALPHABET) for _ in range(10))
    return {
        "public_id": public_id,
        "code_lookup": encryption.lookup(code),
        "code_enc": encryption.seal(code, public_id),
        "mode": "simulated",
        "currency": "USD",
        "face_value_cents": FACE_CENTS,
        "balance_cents": 0,
        "last_sequence": 0,
        "status": "active",
        "issued_at": START,
        **_words(),
    }


def _words() -> dict[str, Any]:
    return {
        "offer_slug": "amount",
        "service_name": "",
        "recipient_name": "Ana",
        "giver_name": "Marko",
        "message": "Your shoulders have carried enough.",
        "design": "shoulders",
    }


def _delivery(kind: str, order_id: int, gift_id: int | None) -> dict[str, Any]:
    message_id = f"<bench.{order_id}.{kind}@localhost>"
    return {
        "kind": kind,
        "order_id": order_id,
        "gift_id": gift_id,
        "revision": 1,
        "to_address": "buyer@example.com",
        "facts_enc": encryption.seal("{}", message_id),
        "message_id": message_id,
        "state": "sent",
        "send_at": START,
        "turn": 0,
        "attempts": 1,
        "last_error": "",
        "created_at": START,
        "sent_at": START,
    }
