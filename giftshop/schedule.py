"""What the shop does by the clock: news every minute, reconciliation, the seal and its mail once a day, tidying."""

import logging
from datetime import timedelta
from typing import Any

from giftshop import clock
from giftshop.catalog.practice import find_practice, get_installation
from giftshop.certificates import look_up
from giftshop.checkout import purging
from giftshop.dates import write_moment
from giftshop.delivery import timing
from giftshop.delivery.waking import wake_stuck
from giftshop.errors import CheckoutRefusedError, ShopError
from giftshop.foundation import activity_log, jobs
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.database import db, find_latest_stamp
from giftshop.notifications import daily_report, news, watch
from giftshop.notifications.alerts import alert_owner
from giftshop.notifications.failed_scans import forget_failed_scans
from giftshop.notifications.kinds import AlertKind
from giftshop.payments.gateway import StripeGateway
from giftshop.reconciliation.models import Reconciliation
from giftshop.reconciliation.run import LATE, Report, find_last_run, reconcile
from giftshop.staff import sessions
from giftshop.web import limiter_storage
from giftshop.words import N_, _

NEWS_MINUTES, FOLLOW_MINUTES, RECONCILE_MINUTES, DIGEST_MINUTES, FORGET_MINUTES = 1, 1, 5, 15, 60
"""How often the jobs look whether there is something to do; the mail is due once a day."""
CODE_ENDS_AT_ONCE = 500
SIGN_INS_KEPT = timedelta(days=30)
log = logging.getLogger(__name__)


def register_jobs(app: Any) -> None:
    """Register the recurring jobs of orders with the gateway of this app."""
    gateway: StripeGateway = app.extensions["stripe_gateway"]

    def reconcile_orders() -> None:
        """Run one reconciliation; what cannot be reached now is tried again at the next tick."""
        report, last = Report(), find_last_run()
        try:
            for so_far in reconcile(gateway):
                report = so_far
        except ShopError as refusal:
            log.warning("reconciliation stopped: %s", refusal.message)
            _alert_overdue(last, refusal)
            db.session.commit()
        for line in report.changed + report.problems:
            log.warning("reconciliation: %s", line)

    jobs.every("tell_news", queue_news, minutes=NEWS_MINUTES)
    jobs.every("follow_days", follow_days, minutes=FOLLOW_MINUTES)
    jobs.every("reconcile_orders", reconcile_orders, minutes=RECONCILE_MINUTES)
    jobs.every("seal_ledger", seal_ledger, minutes=DIGEST_MINUTES)
    jobs.every("watch_clock", watch_clock, minutes=DIGEST_MINUTES)
    jobs.every("forget_closed_limits", forget_closed_limits, minutes=FORGET_MINUTES)
    jobs.every("purge_unpaid", purge_unpaid, minutes=FORGET_MINUTES)
    jobs.every("purge_sign_ins", purge_sign_ins, minutes=FORGET_MINUTES)
    jobs.every("fill_code_ends", fill_code_ends, minutes=NEWS_MINUTES)


def _alert_overdue(last: Reconciliation | None, refusal: ShopError) -> None:
    """Tell the owner, once each time, that the books wait to be compared with Stripe, and why."""
    since, practice = last.started_at if last else get_installation().created_at, find_practice()
    if practice is None or clock.now() - since <= LATE:
        return
    why = _("Stripe could not be reached.")
    if isinstance(refusal, CheckoutRefusedError):
        why = _(
            "Stripe refuses what the shop asks: please tell whoever looks after the shop that its key may have changed."
        )
    when = write_moment(since, practice.time_zone)
    detail = " ".join([_("The books have not been compared with Stripe since %(when)s.", when=when), why])
    alert_owner(AlertKind.RECONCILIATION_OVERDUE, f"after run {last.id if last else 0}", detail)


def queue_news() -> None:
    """Tell people what happened to their certificates and gifts since the last look; end what is over."""
    news.queue_news(at=clock.now())
    watch.settle_mail(at=clock.now())
    db.session.commit()


def follow_days() -> None:
    """Let the gifts that wait for a day go out at its hour by the newest time zone rules."""
    moved = timing.follow_rules(at=clock.now())
    if moved.count:
        log.warning(
            "%s gifts go out at another moment by time zone rules %s", moved.count, clock.rules_in_use().version
        )
    db.session.commit()


def seal_ledger() -> None:
    """Seal the ledger and tell the owner, if today's seal is still to be made."""
    seal = daily_report.seal_and_report(at=clock.now())
    if seal is not None:
        log.info("sealed %s entries: %s", seal.entries, seal.digest.hex())
    db.session.commit()


def watch_clock() -> None:
    """Tell the owner, once, that something is dated in the future, and send what has waited since for that day."""
    at, latest, practice = clock.now(), find_latest_stamp(), find_practice()
    if latest is not None and practice is not None and latest > at + clock.SKEW:
        told = N_(
            "Something here is dated %(when)s, which is still to come: the clock of the shop’s machine was ahead then,"
            " or is behind now. Please tell whoever looks after the shop. What was sold then is good; only its date is"
            " wrong."
        )
        detail = _(told, when=write_moment(latest, practice.time_zone))
        alert_owner(AlertKind.CLOCK_WAS_AHEAD, latest.date().isoformat(), detail)
    if woken := wake_stuck(at=at):
        log.warning("%s messages had been put off by a clock that was ahead", woken)
    db.session.commit()


def forget_closed_limits() -> None:
    """Delete what was counted and is no longer asked for: these tables would grow with every visitor and slip."""
    limiter_storage.forget_closed()
    forget_failed_scans(at=clock.now())
    db.session.commit()


def purge_unpaid() -> None:
    """Forget who placed orders that nobody has paid for weeks."""
    if count := purging.purge_unpaid(at=clock.now()):
        log.info("forgot %s unpaid orders", count)
    db.session.commit()


def purge_sign_ins() -> None:
    """Delete sign-ins that ended long ago."""
    now = clock.now()
    if count := sessions.forget(before=now - SIGN_INS_KEPT):
        activity_log.note(Activity.PURGED, actor="system", at=now, sign_ins=count)
    db.session.commit()


def fill_code_ends() -> None:
    """Let certificates of an older version be found by the end of their codes, some at a time."""
    if look_up.fill_code_ends(most=CODE_ENDS_AT_ONCE):
        db.session.commit()
