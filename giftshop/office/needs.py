"""What needs a person and what is still open, each one sentence with one way on, for the office's first page."""

import re
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from giftshop import clock
from giftshop.catalog import booking
from giftshop.catalog.models import Practice
from giftshop.catalog.offers import list_kept_offers
from giftshop.dates import write_local_day, write_moment
from giftshop.delivery.deliveries import list_failed
from giftshop.delivery.kinds import name_message
from giftshop.delivery.models import Delivery
from giftshop.delivery.stuck import look_at_mail, may_go_out
from giftshop.foundation.database import db
from giftshop.ledger.open_entries import held_for
from giftshop.money import format_amount
from giftshop.notifications.kinds import AlertKind, page_of
from giftshop.notifications.models import Alert
from giftshop.office.plain import Plain, tell_plainly
from giftshop.orders.labels import name_dispute
from giftshop.orders.models import Dispute, Order, Refund, number_of
from giftshop.orders.states import DISPUTED, ENDED, OrderState, RefundState
from giftshop.reconciliation.models import Reconciliation
from giftshop.reconciliation.run import LATE, find_last_run
from giftshop.words import N_, _, ngettext

MOST = 30


@dataclass(frozen=True, slots=True)
class Need:
    """One sentence, where it leads, and, for an alert, the number by which it is ticked off.

    `whole` is what whoever looks after the shop reads beside it. What is done by one press where it stands has the
    press's name in `press`, and `to` takes the form.
    """

    sentence: str
    link: str
    to: str
    alert_id: int | None = None
    whole: str = ""
    press: str = ""


def list_needs(practice: Practice) -> list[Need]:
    """Return what somebody has to do: alerts that nobody ticked off, and messages that were given up."""
    open_alerts = sa.select(Alert).where(Alert.resolved_at.is_(None)).order_by(Alert.id.desc()).limit(MOST)
    found = list(db.session.scalars(open_alerts))
    alerts = [Need(alert.detail, _("See it"), _place_of(alert), alert.id) for alert in found]
    failed, is_told = list_failed(), any(alert.kind == AlertKind.MAIL_STUCK for alert in found)
    mail = _waiting_mail(practice, sum(map(may_go_out, failed)), is_told=is_told)
    needs = [*alerts, *mail, *(_failed(message) for message in failed[:MOST])]
    return [*_leaking_links(practice), *(_plain(need) for need in needs)]


def _plain(need: Need) -> Need:
    told = tell_plainly(need.sentence)
    return replace(need, sentence=told.sentence, whole=told.whole)


def _waiting_mail(practice: Practice, again: int, *, is_told: bool) -> list[Need]:
    """Return, in one need, how many emails are not out though they should be, and why, unless an alert says that.

    One press tries all of them.
    """
    mail, told = look_at_mail(clock.now()), []
    if mail.since is not None:
        since = write_moment(mail.since, practice.time_zone)
        told.append(
            ngettext(
                "One email waits to go out, since %(since)s.",
                "%(num)s emails wait to go out, the oldest since %(since)s.",
                mail.waiting,
                since=since,
            )
        )
        why = mail.why or _("Nobody has tried them: please tell whoever looks after the shop.")
        told += [] if is_told and mail.is_servers else [why]
    if again:
        told.append(
            ngettext(
                "One email was given up that may go out if it is sent again.",
                "%(num)s emails were given up that may go out if they are sent again.",
                again,
            )
        )
    return [Need(" ".join(told), "", "/office/messages/send-all", press=_("Send all of them now"))] if told else []


def _leaking_links(practice: Practice) -> list[Need]:
    """Return what is wrong with booking links of an older version, in which a code stood that no system asks for."""
    told = N_(
        "The booking link %(link)s asks for certificates’ codes, but only Acuity takes them. We put the certificate’s"
        " number there instead: please write {ref} for it, or take it out."
    )
    links = booking.list_leaking(practice, list_kept_offers())
    return [Need(_(told, link=link), _("See where it leads"), practice.booking_address()) for link in links]


def list_open(practice: Practice) -> list[Need]:
    """Return what waits for somebody else: orders in review, disputes, refunds that Stripe has not ended."""
    return [*_in_review(), *_disputes(practice), *_held(practice)]


def tell_reconciliation(practice: Practice) -> tuple[str, str, list[Plain]]:
    """Return how the last comparison with Stripe went: a tone, a sentence, and its problems by name."""
    last = find_last_run()
    if last is None:
        return "note", _("The books have not been compared with Stripe yet."), []
    when = write_moment(last.finished_at or last.started_at, practice.time_zone)
    if last.problems:
        return "bad", _count_problems(last, when), [tell_plainly(each) for each in last.problems]
    if clock.now() - last.started_at > LATE:
        late = N_("The books were last compared with Stripe on %(when)s. Please tell whoever looks after the shop.")
        return "warn", _(late, when=when), []
    told = [_("The books agree with Stripe, compared on %(when)s.", when=when)]
    if last.changed:
        told.append(_("Put right: %(changes)s.", changes=", ".join(last.changed[:3])))
    return "good", " ".join(told), []


def _count_problems(last: Reconciliation, when: str) -> str:
    return ngettext(
        "One problem when the books were compared with Stripe on %(when)s.",
        "%(num)s problems when the books were compared with Stripe on %(when)s.",
        len(last.problems),
        when=when,
    )


def _place_of(alert: Alert) -> str:
    """Return the page where an alert is best looked at: its order's, else what is found by Stripe's id."""
    if alert.order_id is not None:
        return page_of(AlertKind(alert.kind), alert.order_id)
    is_stripes = re.fullmatch(r"[a-z]{2,}_\w+", alert.subject, re.ASCII)
    return f"/office/orders?q={alert.subject}" if is_stripes else "/office/orders"


def _failed(delivery: Delivery) -> Need:
    name, address = name_message(delivery.kind), delivery.to_address
    if delivery.order_id:
        number, told = number_of(delivery.order_id), N_("%(message)s of order %(number)s didn’t reach %(address)s.")
        sentence = _(told, message=name, number=number, address=address)
    else:
        sentence = _("%(message)s didn’t reach %(address)s.", message=name, address=address)
    return Need(
        f"{sentence} {delivery.last_error}", _("Fix it and send again"), f"/office/messages/{delivery.id}/resend"
    )


def _in_review() -> list[Need]:
    query = sa.select(Order).where(Order.state == OrderState.IN_REVIEW).order_by(Order.created_at.desc()).limit(MOST)
    return [
        _need_of(
            order.id, _("Order %(number)s is in review: %(why)s.", number=order.number, why=_(order.review_reason))
        )
        for order in db.session.scalars(query)
    ]


def _need_of(order_id: int, sentence: str) -> Need:
    return Need(sentence, _("See the order"), f"/office/orders/{order_id}")


def _disputes(practice: Practice) -> list[Need]:
    query = sa.select(Dispute).options(joinedload(Dispute.order)).where(Dispute.status.not_in(ENDED))
    found = list(db.session.scalars(query.order_by(Dispute.evidence_due_at, Dispute.id).limit(MOST)))
    held = held_for([dispute.stripe_dispute_id for dispute in found])
    return [_dispute(dispute, held.get(dispute.stripe_dispute_id, 0), practice) for dispute in found]


def _dispute(dispute: Dispute, held_cents: int, practice: Practice) -> Need:
    sentence = tell_exposure(dispute, held_cents, practice)
    return _need_of(dispute.order_id, _("Order %(number)s: %(told)s", number=dispute.order.number, told=sentence))


def tell_exposure(dispute: Dispute, held_cents: int, practice: Practice) -> str:
    """Say what a dispute is about, what would be lost for good, and until when the bank wants an answer."""
    currency = dispute.order.payment_currency
    amount = format_amount(dispute.amount_cents, currency)
    parts = [_("%(stage)s, %(amount)s.", stage=name_dispute(dispute.status), amount=amount)]
    spent = dispute.amount_cents - held_cents
    if dispute.status in DISPUTED and spent > 0:
        lost = format_amount(spent, currency)
        parts.append(_("%(amount)s of it is spent or paid back already and would be lost.", amount=lost))
    if dispute.evidence_due_at is not None and dispute.closed_at is None:
        parts.append(_("Answer by %(day)s.", day=write_local_day(dispute.evidence_due_at, practice.time_zone)))
    return " ".join(parts)


def _held(practice: Practice) -> list[Need]:
    query = (
        sa.select(Refund).options(joinedload(Refund.order)).where(Refund.state == RefundState.HELD).order_by(Refund.id)
    )
    return [_held_refund(refund, practice) for refund in db.session.scalars(query.limit(MOST))]


def _held_refund(refund: Refund, practice: Practice) -> Need:
    sentence = _(
        "%(amount)s of order %(number)s is held to be paid back since %(when)s; we keep asking Stripe.",
        amount=format_amount(refund.amount_cents, refund.order.payment_currency),
        number=refund.order.number,
        when=write_moment(refund.created_at, practice.time_zone),
    )
    return _need_of(refund.order_id, sentence)
