"""Mail that does not go out: how long it is tried, what waits, and how it goes as soon as anything goes again."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from blinker import Signal
from sqlalchemy.orm import aliased

from giftshop import clock
from giftshop.delivery.faults import FAULTS, FINAL, OF_THE_ADDRESS, SERVERS, MailFault
from giftshop.delivery.models import Delivery
from giftshop.delivery.states import WAITING, DeliveryState
from giftshop.delivery.timing import enqueue
from giftshop.foundation.database import db

BACK_OFF_MINUTES = (1, 5, 15, 60, 120, 240, 480, 720, 720, 720, 1200)
"""The pauses between the tries of a message, 71 hours in all; with a longer patience the last one again and again."""
MOST_MINUTES_OF_SERVERS = 60
"""While our own mail server is the trouble: at latest after this time mail goes that can go again."""
BLIP, LATE = timedelta(minutes=10), timedelta(minutes=5)
PUT_OFF_LONG = timedelta(hours=1)
"""A greylist lets a message in by then: whatever is put off for longer has another reason."""
MOST_AT_ONCE, MOST_TRIES = 100, 500

mail_stuck = Signal()
"""A message came back because of us (`detail`, one sentence, no address in it); in the open transaction."""
mail_flows = Signal()
"""A message went out, or ended; in the open transaction."""


@dataclass(frozen=True, slots=True)
class MailStanding:
    """What of the mail is not out though it should be: how many wait, the oldest since when, why."""

    waiting: int
    since: datetime | None
    why: str
    is_servers: bool


@dataclass(frozen=True, slots=True)
class MailFigures:
    """The same for machines: how many wait, the oldest since when, and how many were given up."""

    waiting: int
    since: str
    given_up: int


def pause_after(fault: MailFault, tries: int) -> timedelta:
    """Return for how long a message rests that came back for the (tries + 1)th time: longer and longer."""
    minutes = BACK_OFF_MINUTES[min(tries, len(BACK_OFF_MINUTES) - 1)]
    return timedelta(minutes=min(minutes, MOST_MINUTES_OF_SERVERS) if fault in SERVERS else minutes)


def is_given_up(fault: MailFault, *, tries: int, since: datetime, at: datetime) -> bool:
    """Tell whether a message that first came back so at `since` is not tried any more."""
    is_tried_enough = tries >= len(BACK_OFF_MINUTES) and at >= since + _patience(fault)
    return fault in FINAL or is_tried_enough or tries >= MOST_TRIES


def first_troubled(fault: MailFault, *, before: str, since: datetime | None, at: datetime) -> datetime:
    """Return since when a message comes back: what the address is to blame for begins when our server is well again."""
    is_the_same = (fault in SERVERS) == (before in SERVERS)
    return since if since is not None and is_the_same else at


def gives_up_at(message: Delivery) -> datetime | None:
    """Return until when a message that came back is tried; None for one that never did."""
    if message.troubled_at is None or not message.trouble:
        return None
    return message.troubled_at + _patience(MailFault(message.trouble))


def _patience(fault: MailFault) -> timedelta:
    return FAULTS[fault].patience or timedelta(minutes=sum(BACK_OFF_MINUTES))


def is_stuck(at: datetime) -> sa.ColumnElement[bool]:
    """Return the condition on messages that wait, or were given up, because of us; none that was sent again."""
    again = aliased(Delivery)
    is_of_us = sa.or_(
        Delivery.trouble.in_(SERVERS),
        sa.and_(Delivery.trouble == MailFault.PUT_OFF, Delivery.troubled_at <= at - PUT_OFF_LONG),
    )
    is_not_out = Delivery.state.in_((*WAITING, DeliveryState.FAILED))
    return sa.and_(is_of_us, is_not_out, ~sa.exists().where(again.replaces_id == Delivery.id))


def is_any_stuck(at: datetime) -> bool:
    """Tell whether a message is not out because of us."""
    return db.session.scalar(sa.select(Delivery.id).where(is_stuck(at)).limit(1)) is not None


def look_at_mail(at: datetime) -> MailStanding:
    """Count what waits though its time has come."""
    overdue = sa.and_(Delivery.trouble == "", Delivery.send_at < at - LATE)
    waits = (Delivery.state.in_(WAITING), Delivery.send_at <= at, sa.or_(Delivery.trouble != "", overdue))
    count, since = db.session.execute(sa.select(sa.func.count(), sa.func.min(Delivery.send_at)).where(*waits)).one()
    if not count:
        return MailStanding(0, None, "", is_servers=False)
    worst = sa.case((Delivery.trouble.in_(SERVERS), 0), (Delivery.trouble != "", 1), else_=2)
    query = sa.select(Delivery.trouble, Delivery.last_error).where(*waits)
    first = db.session.execute(query.order_by(worst, Delivery.tried_at.desc()).limit(1)).one_or_none()
    is_servers = first is not None and first.trouble in SERVERS
    return MailStanding(count, since, first.last_error if first else "", is_servers)


def tell_machines() -> tuple[dict[str, Any], str]:
    """Return the mail's figures, and what is wrong with it, for whoever watches the shop."""
    mail = look_at_mail(clock.now())
    figures = asdict(MailFigures(mail.waiting, mail.since.isoformat() if mail.since else "", count_given_up()))
    if not mail.waiting:
        return figures, ""
    why = mail.why or "Nobody has tried them: does the worker run?"
    return figures, f"{mail.waiting} emails wait, the oldest since {mail.since:%Y-%m-%d %H:%M} UTC. {why}"


def count_given_up() -> int:
    """Return how many messages were given up and not sent again."""
    return db.session.scalar(sa.select(sa.func.count()).where(*failed_unreplaced())) or 0


def failed_unreplaced() -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions on messages that were given up and not sent again."""
    again = aliased(Delivery)
    return Delivery.state == DeliveryState.FAILED, ~sa.exists().where(again.replaces_id == Delivery.id)


def may_go_out(message: Delivery) -> bool:
    """Tell whether a message that was given up may go out to the same address after all."""
    return message.trouble not in OF_THE_ADDRESS


def wake(at: datetime, *, tried_before: datetime) -> int:
    """Let messages that wait for another try, and had the last before that moment, have it now; return how many.

    Some at once: each that goes out wakes more. The job of the turn before finds another turn in the row.
    """
    waits = sa.select(Delivery).where(
        Delivery.state == DeliveryState.SCHEDULED,
        Delivery.send_at <= at,
        Delivery.trouble.in_((*SERVERS, MailFault.PUT_OFF, MailFault.MAILBOX_FULL)),
        Delivery.tried_at <= tried_before,
    )
    locked = waits.order_by(Delivery.tried_at).limit(MOST_AT_ONCE).with_for_update(skip_locked=True)
    found = list(db.session.scalars(locked.execution_options(populate_existing=True)))
    for message in found:
        message.turn, message.tried_at = message.turn + 1, at
        enqueue(message.id, message.turn, at=at)
    db.session.flush()
    return len(found)
