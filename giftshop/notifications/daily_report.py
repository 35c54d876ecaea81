"""The daily mail: once a day the ledger is sealed, and the owner gets the seal with what happened since the last one.

The mail is the seal's safe: it lies where nobody who owns the database can reach it. Seal and mail are one commit.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from giftshop import clock
from giftshop.catalog.models import Practice
from giftshop.catalog.practice import find_practice, get_installation, get_practice
from giftshop.dates import write_day, write_moment
from giftshop.delivery import deliveries
from giftshop.delivery.kinds import MessageKind
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.ledger import seals
from giftshop.ledger.idempotency import wait_for_copies
from giftshop.ledger.kinds import EntryKind, Figure
from giftshop.ledger.liability import Term, read_equation
from giftshop.ledger.models import Certificate, LedgerEntry, LedgerSeal
from giftshop.money import format_amount
from giftshop.notifications.daily_report_acts import list_acts, with_reason
from giftshop.notifications.models import Alert
from giftshop.orders.actors import name_staff
from giftshop.words import N_, _

HOUR = 5
"""The hour of the practice's day from which on the day before is told: the owner finds it in the morning."""
MOST_LINES = 40
"""How many lines a list has at most, but for what nobody may hide in a crowd: undos and grave acts."""


def seal_and_report(*, at: datetime) -> LedgerSeal | None:
    """Seal the ledger and schedule the owner's mail, if today's is still to be made; return the seal.

    Ends the open transaction; the caller commits.
    """
    practice = find_practice()
    if practice is None or not _is_due(practice, at):
        return None
    seal = seals.build_seal(at=at)
    wait_for_copies("ledger_seal", seal.prev_digest.hex())
    practice = get_practice()
    if not _is_due(practice, at):
        return None
    first_day = _first_day(practice, at)
    db.session.add(seal)
    db.session.flush()
    _queue(seal, practice, first_day, clock.local(at, practice.time_zone).date())
    return seal


def build_facts(seal: LedgerSeal, practice: Practice, first_day: date, today: date) -> dict[str, Any]:
    """Return what the mail says of the days from `first_day` to the one before `today`."""
    start, end = (clock.local_moment(day, hour=0, time_zone=practice.time_zone) for day in (first_day, today))
    last_day = today - timedelta(days=1)
    undone, needs = _list_undos(practice, start, end), _list_needs()
    grave, slight = list_acts(practice, start, end)
    return {
        "period": _period(first_day, last_day),
        **_figures(practice, start, end),
        "undone": undone,
        "acts": grave + slight[:MOST_LINES],
        "needs": needs[:MOST_LINES],
        "more": {"acts": _left(slight), "needs": _left(needs)},
        "digest": seal.digest.hex(),
        "certificate_count": seal.certificates,
        "entry_count": seal.entries,
        "sealed_at": write_moment(seal.created_at, practice.time_zone),
        "office_path": "/office/",
    }


def _period(first_day: date, last_day: date) -> str:
    if first_day >= last_day:
        return write_day(last_day)
    return _("%(first)s to %(last)s", first=write_day(first_day), last=write_day(last_day))


def _is_due(practice: Practice, at: datetime) -> bool:
    """Tell whether it is late enough in the practice's day, and no seal was made in it."""
    now = clock.local(at, practice.time_zone)
    last = seals.find_last_seal(until=at)  # a seal from the future would put off every other one until then
    is_made = last is not None and clock.local(last.created_at, practice.time_zone).date() >= now.date()
    return now.hour >= HOUR and not is_made


def _first_day(practice: Practice, at: datetime) -> date:
    """Return the first day no mail has told of: yesterday, or further back when the shop stood still."""
    last = seals.find_last_seal(until=at)
    if last is None:
        return clock.local(at, practice.time_zone).date() - timedelta(days=1)
    return clock.local(last.created_at, practice.time_zone).date()


def _queue(seal: LedgerSeal, practice: Practice, first_day: date, today: date) -> None:
    deliveries.schedule(
        MessageKind.DAILY,
        order_id=None,
        gift_id=None,
        to_address=practice.email,
        facts=build_facts(seal, practice, first_day, today),
        certificate_ids=[],
        send_at=seal.created_at,
        message_key=_free_key(f"{get_installation().instance_id}.daily.{today.isoformat()}", seal),
    )


def _free_key(key: str, seal: LedgerSeal) -> str:
    """Return the day's key; where a clock that was ahead has mailed for this day already, with the seal's number."""
    is_taken = sa.select(Delivery.id).where(Delivery.message_id == deliveries.message_id(key))
    return key if db.session.scalar(is_taken) is None else f"{key}.{seal.id}"


def _figures(practice: Practice, start: datetime, end: datetime) -> dict[str, Any]:
    """Return what was owed before, each figure of the period, and what was owed after, which they add up to."""
    equation, write = read_equation(start, end), _writer(practice)
    return {
        "owed_before": write(equation.before_cents),
        "movements": [[_name(term, write), _signed(term.change_cents, write)] for term in equation.terms],
        "owed": write(equation.after_cents),
        "sold": write(equation.of(Figure.SOLD)),
        "redeemed": write(-equation.of(Figure.REDEEMED)),
    }


def _name(term: Term, write: Callable[[int], str]) -> str:
    """Return a figure's word, with what was undone of it beside it."""
    if term.undone_cents:
        return _("%(figure)s (%(amount)s undone)", figure=_(term.figure), amount=write(term.undone_cents))
    return _(term.figure)


def _list_undos(practice: Practice, start: datetime, end: datetime) -> list[str]:
    """Return a line for each redemption that was undone: when, by whom, whose redemption, how much, why."""
    undo, undone = aliased(LedgerEntry), aliased(LedgerEntry)
    query = (
        sa.select(undo, undone.actor, Certificate.public_id)
        .join(undone, undone.id == undo.reverses_id)
        .join(Certificate, Certificate.id == undo.certificate_id)
        .where(undo.kind == EntryKind.REVERSAL, undo.created_at >= start, undo.created_at < end)
        .order_by(undo.id)
    )
    names, write = name_staff(), _writer(practice)
    told = N_("%(when)s: %(who)s gave %(amount)s back to %(certificate)s that %(other)s had taken")
    return [
        with_reason(
            _(
                told,
                when=write_moment(entry.created_at, practice.time_zone),
                who=names(entry.actor),
                amount=write(entry.amount_cents),
                certificate=public_id,
                other=names(actor),
            ),
            entry.reason_code,
        )
        for entry, actor, public_id in db.session.execute(query)
    ]


def _list_needs() -> list[str]:
    """Return a line for each thing that waits for a person, oldest first."""
    alerts = db.session.scalars(sa.select(Alert.detail).where(Alert.resolved_at.is_(None)).order_by(Alert.id))
    told = N_("A message (%(kind)s) could not be delivered: %(why)s")
    return [*alerts, *(_(told, kind=each.kind, why=each.last_error) for each in deliveries.list_failed())]


def _writer(practice: Practice) -> Callable[[int], str]:
    return lambda cents: format_amount(cents, practice.currency)


def _signed(cents: int, write: Callable[[int], str]) -> str:
    return f"{'−' if cents < 0 else '+'} {write(abs(cents))}"


def _left(lines: Iterable[str]) -> int:
    return max(0, len(list(lines)) - MOST_LINES)
