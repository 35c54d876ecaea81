"""What the shop has kept of what happened, to be compared: messages, alerts, the activity log and the books."""

import json
from collections.abc import Collection
from typing import Any, NamedTuple

import sqlalchemy as sa

from giftshop.certificates import encryption
from giftshop.certificates.status import list_freezes
from giftshop.delivery.models import Delivery
from giftshop.foundation.activity_log import ActivityEvent
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.notifications.models import Alert
from giftshop.orders.models import Order


class Told(NamedTuple):
    """An alert, and the mail about it to the practice."""

    kind: str
    subject: str
    detail: str
    title: str
    office_path: str


class Entry(NamedTuple):
    """A ledger entry as people speak of it."""

    kind: str
    amount_cents: int
    left_cents: int


def facts_of(mail: Delivery) -> dict[str, Any]:
    """What a message will say."""
    found: dict[str, Any] = json.loads(encryption.open_sealed(mail.facts_enc, mail.message_id))
    return found


def messages(order: Order, kind: str) -> list[Delivery]:
    """An order's messages of a kind, oldest first."""
    query = sa.select(Delivery).where(Delivery.order_id == order.id, Delivery.kind == kind)
    return list(db.session.scalars(query.order_by(Delivery.id)))


def message_kinds(order: Order) -> list[str]:
    """The kinds of an order's messages, oldest first."""
    return list(db.session.scalars(sa.select(Delivery.kind).where(Delivery.order_id == order.id).order_by(Delivery.id)))


def owner_was_told() -> list[Told]:
    """Every alert with its mail, oldest first: each of them is one message."""
    alerts = db.session.scalars(sa.select(Alert).order_by(Alert.id))
    mails = db.session.scalars(sa.select(Delivery).where(Delivery.kind == "alert").order_by(Delivery.id))
    told = []
    for alert, mail in zip(alerts, mails, strict=True):
        facts = facts_of(mail)
        assert facts["detail"] == alert.detail
        told.append(Told(alert.kind, alert.subject, alert.detail, facts["title"], facts["office_path"]))
    return told


def trail_of(order: Order) -> list[tuple[str, str, dict[str, Any]]]:
    """What the activity log says of an order, oldest first: kind, actor and facts."""
    query = sa.select(ActivityEvent).where(ActivityEvent.order_id == order.id).order_by(ActivityEvent.id)
    return [(event.kind, event.actor, json.loads(event.facts)) for event in db.session.scalars(query)]


def moves_of(order: Order) -> list[tuple[str, str, str]]:
    """The states an order went through: from, to, by whom."""
    moves = [(facts, actor) for kind, actor, facts in trail_of(order) if kind == "order_moved"]
    return [(facts["before"], facts["after"], actor) for facts, actor in moves]


def entries_of(certificate: Certificate) -> list[Entry]:
    """A certificate's ledger, oldest first."""
    query = sa.select(LedgerEntry).where(LedgerEntry.certificate_id == certificate.id).order_by(LedgerEntry.sequence)
    return [Entry(each.kind, each.amount_cents, each.balance_after_cents) for each in db.session.scalars(query)]


def kinds_of(certificate: Certificate) -> list[str]:
    """What moved on a certificate, oldest first."""
    return [entry.kind for entry in entries_of(certificate)]


def holds_on(certificate: Certificate) -> list[tuple[str, str, str]]:
    """Why a certificate is on hold: because of what, for which reason, by whom."""
    return [(each.subject, each.reason_code, each.actor) for each in list_freezes(certificate.id)]


def standing_of(certificate: Certificate) -> tuple[str, int]:
    """A certificate's status and what is left on it, as the database has it."""
    found = db.session.get_one(Certificate, certificate.id, populate_existing=True)
    return found.status, found.balance_cents


def count_certificates() -> int:
    """How many certificates there are."""
    return db.session.scalars(sa.select(sa.func.count()).select_from(Certificate)).one()


def assert_nothing_was_issued(order: Order, *, but: Collection[str] = ()) -> None:
    """Check that no certificate was issued, nobody told of one (except by kinds `but`), and no payment noted."""
    assert count_certificates() == 0
    assert set(message_kinds(order)) <= {"alert", "payment_failed", *but}
    assert order.paid_at is None
