"""When messages go out: the jobs that send them, and the days they were promised for.

What a buyer is promised is a day, at the practice's hour on the practice's clock. The moment follows from it and is
computed anew when zone, hour or the world's time zone rules change (docs/decisions/0029-the-moment-that-was-said.md).
"""

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from giftshop import clock
from giftshop.catalog.models import Practice
from giftshop.catalog.practice import find_practice, get_installation
from giftshop.delivery.models import Delivery
from giftshop.delivery.states import DeliveryState
from giftshop.foundation import jobs
from giftshop.foundation.database import db

JOB = "deliver"
UNTRIED = (Delivery.state == DeliveryState.SCHEDULED, Delivery.turn == Delivery.first_turn)
"""What waits for its moment, and not for another try."""
_PROMISED = (*UNTRIED, Delivery.send_on.is_not(None))


@dataclass(frozen=True, slots=True)
class Moved:
    """How many messages go out at another moment than before, and how many of them at once: their hour has passed."""

    count: int = 0
    at_once: int = 0


def enqueue(delivery_id: int, turn: int, *, at: datetime) -> None:
    """Enqueue the job that may send a message in this turn, in the open transaction."""
    jobs.enqueue(JOB, delivery_id, key=f"{JOB}:{delivery_id}:{turn}", at=at, turn=turn)


def moment_of(day: date, practice: Practice) -> datetime:
    """Return when the practice's clock shows its delivery hour on a day."""
    return clock.local_moment(day, hour=practice.delivery_hour, time_zone=practice.time_zone)


def due_at(message: Delivery, practice: Practice) -> datetime:
    """Return when a message goes out, or was to: what is promised, also before its moment was computed anew."""
    is_untried = message.state == DeliveryState.SCHEDULED and message.turn == message.first_turn
    if message.send_on is None or not is_untried:
        return message.send_at
    promised = moment_of(message.send_on, practice)
    return promised if promised > clock.now() else min(promised, message.send_at)


def follow(practice: Practice, *, at: datetime) -> Moved:
    """Let every message that waits for a day go out when the practice's clock shows its hour then.

    One whose hour has passed by now goes out at once. Each that moves gets another turn, and with it another job: the
    one before finds that it is not its turn. Does not commit.
    """
    waiting = db.session.execute(sa.select(Delivery.id, Delivery.send_on, Delivery.send_at).where(*_PROMISED)).all()
    count = at_once = 0
    for delivery_id, day, send_at in waiting:
        promised = moment_of(day, practice) if day else send_at
        wanted = promised if promised > at else min(send_at, at)
        if wanted != send_at and _move(delivery_id, wanted, before=send_at, at=at):
            count, at_once = count + 1, at_once + (promised <= at)
    return Moved(count, at_once)


def follow_rules(*, at: datetime) -> Moved:
    """Follow what this process's time zone rules say, unless another process went by newer ones before."""
    practice = find_practice()
    if practice is None or not _may_judge():
        return Moved()
    get_installation().zone_rules = clock.rules_in_use().version
    return follow(practice, at=at)


def put_off(delivery_id: int, turn: int, *, at: datetime) -> bool:
    """Let a message wait on whose job came before the hour of its day; tell whether it does. Does not commit.

    The job was enqueued for what the moment was then, and rules or zone may have changed since.
    """
    mine = (Delivery.id == delivery_id, Delivery.turn == turn)
    row = db.session.execute(sa.select(Delivery.send_on, Delivery.send_at).where(*_PROMISED, *mine)).one_or_none()
    practice = find_practice() if row else None
    if row is None or practice is None or not _may_judge():
        return False
    promised = moment_of(row.send_on, practice)
    return promised > at and _move(delivery_id, promised, before=row.send_at, at=at)


def _may_judge() -> bool:
    """Tell whether no process with newer time zone rules than this one's has computed the moments."""
    newest = clock.Rules(get_installation().zone_rules)
    return clock.rules_in_use().rank >= newest.rank


def _move(delivery_id: int, moment: datetime, *, before: datetime, at: datetime) -> bool:
    """Give an untried message another moment and another job; tell whether nobody sent or moved it meanwhile."""
    next_turn = Delivery.turn + 1
    moved = (
        sa.update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.send_at == before, *_PROMISED)
        .values(send_at=moment, turn=next_turn, first_turn=next_turn, moved_at=at)
        .returning(Delivery.turn)
        .execution_options(synchronize_session=False)
    )
    turn = db.session.execute(moved).scalar_one_or_none()
    if turn is None:
        return False
    enqueue(delivery_id, turn, at=moment)
    return True
