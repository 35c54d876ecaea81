"""The watch: what the practice is told of attacks, once for each run of them and not for each of its events.

A run is over when nothing of it was noted for two hours: what comes then is a new one. The caller commits.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.dates import write_moment
from giftshop.delivery.stuck import is_any_stuck, mail_flows, mail_stuck
from giftshop.foundation.database import db
from giftshop.notifications.alerts import alert_owner, raise_alert, resolve_alert
from giftshop.notifications.kinds import AlertKind
from giftshop.notifications.models import Alert, AlertRun
from giftshop.orders.models import CheckoutAttempt
from giftshop.orders.states import AttemptState
from giftshop.staff.notices import locked_out, signed_in_anew
from giftshop.words import _

QUIET, AN_HOUR = timedelta(hours=2), timedelta(hours=1)
GUESSES = 100
"""Well-formed codes that don't exist, in an hour: slips of the pen are found by their check symbol."""
FLOOD, TO_EACH_PAID = 30, 3
"""Unpaid orders in an hour at Stripe's page, and that many to each that is paid: then nobody is shopping."""
_LONGEST_DEVICE = 80


def note_guesses(count: int, *, at: datetime) -> None:
    """Note how many wrong codes strangers have tried in this hour; from a hundred on the practice is told."""
    if count < GUESSES:
        return
    detail = _(
        "Somebody tries codes that do not exist, more than %(count)s within an hour. That finds none. "
        "If it goes on, strangers’ codes are not looked up for the rest of the hour; our emails’ links go on.",
        count=GUESSES,
    )
    note_run(AlertKind.CODES_GUESSED, "codes", detail, at=at)


def note_unpaid(*, at: datetime) -> None:
    """Look whether the unpaid orders of the last hour at Stripe's page are a flood; then the practice is told."""
    is_paid = sa.case((CheckoutAttempt.state == AttemptState.COMPLETE, 1), else_=0)
    query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(is_paid), 0))
    tried, paid = db.session.execute(query.where(CheckoutAttempt.first_tried_at > at - AN_HOUR)).one()
    if tried - paid < FLOOD or tried - paid < TO_EACH_PAID * paid:
        return
    detail = _(
        "More than %(count)s orders within an hour went to the payment page and nobody paid. "
        "It may be a machine that tries cards: look at Stripe’s dashboard.",
        count=FLOOD,
    )
    note_run(AlertKind.UNPAID_FLOOD, "orders", detail, at=at)


def note_run(
    kind: AlertKind,
    subject: str,
    detail: str,
    *,
    at: datetime,
    tell: Callable[[AlertKind, str, str], bool] = alert_owner,
) -> bool:
    """Note that something goes on; tell whether that is a new run of it, which is then an alert, mailed as a rule.

    One upsert decides, so that of two at once only one begins a run.
    """
    is_over = AlertRun.last_at < at - QUIET
    dialect = sqlite if db.engine.dialect.name == "sqlite" else postgresql
    noted = (
        dialect.insert(AlertRun)
        .values(kind=kind, subject=subject, began_at=at, last_at=at)
        .on_conflict_do_update(
            index_elements=["kind", "subject"],
            set_={"began_at": sa.case((is_over, at), else_=AlertRun.began_at), "last_at": at},
        )
        .returning(AlertRun.began_at)
        .execution_options(populate_existing=True)
    )
    began_at = db.session.execute(noted).scalar_one()
    is_new = began_at == at
    return is_new and tell(kind, f"{subject}.{at.timestamp():.6f}", detail)


def settle_mail(*, at: datetime) -> None:
    """End the alert that mail does not go out, once nothing waits because of us; what comes then is a new run."""
    of_mail = (Alert.kind == AlertKind.MAIL_STUCK, Alert.resolved_at.is_(None))
    goes_on = sa.select(AlertRun.kind).where(AlertRun.kind == AlertKind.MAIL_STUCK)
    is_told = db.session.scalar(sa.select(sa.or_(sa.exists().where(*of_mail), goes_on.exists())))
    if is_told and not is_any_stuck(at):
        db.session.execute(sa.delete(AlertRun).where(AlertRun.kind == AlertKind.MAIL_STUCK))
        resolve_alert(AlertKind.MAIL_STUCK)


@mail_stuck.connect
def _note_stuck(_sender: object, *, detail: str) -> None:
    """Keep one alert, which says what the mail server said last. It is not mailed: that is what does not work."""
    said = _(
        "Emails do not go out. %(why)s We try again by ourselves, and all of them go as soon as one does.", why=detail
    )
    is_open = (Alert.kind == AlertKind.MAIL_STUCK, Alert.resolved_at.is_(None))
    known = db.session.execute(sa.update(Alert).where(*is_open).values(detail=said).returning(Alert.id))
    at = clock.now()
    if not known.all():
        note_run(AlertKind.MAIL_STUCK, "mail", said, at=at, tell=raise_alert)
    else:
        db.session.execute(sa.update(AlertRun).where(AlertRun.kind == AlertKind.MAIL_STUCK).values(last_at=at))


@mail_flows.connect
def _note_flow(_sender: object) -> None:
    settle_mail(at=clock.now())


@locked_out.connect
def _note_locked(_sender: object, *, staff_id: int, name: str) -> None:
    detail = _(
        "There were too many wrong tries to sign in as %(name)s, so more are not looked at for a while. "
        "Ask whether it was them; on a device they have used before they can go on.",
        name=name,
    )
    note_run(AlertKind.SIGN_IN_LOCKED, f"staff-{staff_id}", detail, at=clock.now())


@signed_in_anew.connect
def _note_new_device(_sender: object, *, staff_id: int, name: str, device: str) -> None:
    now = clock.now()
    detail = _(
        "%(name)s signed in on a device that was not used before (%(device)s) on %(when)s. If that was somebody else, "
        "take their access away and give them a new password.",
        name=name,
        device="".join(sign for sign in device if sign.isprintable())[:_LONGEST_DEVICE] or _("unknown"),
        when=write_moment(now, get_practice().time_zone),
    )
    alert_owner(AlertKind.NEW_DEVICE, f"staff-{staff_id}.{now.timestamp():.6f}", detail)
