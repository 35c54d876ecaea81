"""The evidence for a disputed payment, as a PDF that Stripe can be sent: what was bought, delivered, seen and used."""

from datetime import datetime

from flask import Response, abort
from flask.typing import ResponseReturnValue

from giftshop import clock
from giftshop.catalog.models import Practice
from giftshop.catalog.practice import get_practice
from giftshop.catalog.terms import certificate_terms, short_terms
from giftshop.dates import write_moment, write_zone
from giftshop.delivery.kinds import MessageKind, name_message
from giftshop.delivery.states import DeliveryState
from giftshop.delivery.timing import due_at
from giftshop.documents.reports import Report, Section
from giftshop.documents.worker import press
from giftshop.foundation import activity_log
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.database import db
from giftshop.money import format_amount
from giftshop.office.dossier import Dossier, Sold, open_dossier
from giftshop.office.refund import tell_refund
from giftshop.orders.labels import is_fetch, name_dispute_reason, tell_entry
from giftshop.orders.models import Dispute, Gift
from giftshop.words import N_, _

Lines = list[tuple[str, str]]
BOUGHT = {
    "recipient": N_("%(quantity)s × %(what)s, %(amount)s, for %(name)s from %(giver)s, e-mailed to the recipient"),
    "buyer": N_("%(quantity)s × %(what)s, %(amount)s, for %(name)s from %(giver)s, e-mailed to the buyer"),
    "print": N_("%(quantity)s × %(what)s, %(amount)s, for %(name)s from %(giver)s, to print at home"),
}
"""A gift as it was bought, by the way it goes."""
DELIVERED = {
    DeliveryState.SCHEDULED: N_("%(message)s to %(address)s: scheduled"),
    DeliveryState.SENDING: N_("%(message)s to %(address)s: sending"),
    DeliveryState.SENT: N_("%(message)s to %(address)s: sent"),
    DeliveryState.FAILED: N_("%(message)s to %(address)s: failed"),
    DeliveryState.CANCELLED: N_("%(message)s to %(address)s: cancelled"),
}
"""What became of a message."""
OPENED = N_("The certificate’s page was opened in a browser by whoever holds its code")
FETCHED = N_("The certificate’s page was fetched with its code, by a person or by a program that checks links")
"""What is known of a look at a certificate's page, and no more."""


def send_evidence(dispute_id: int) -> ResponseReturnValue:
    """Answer with the evidence for a dispute."""
    dispute = db.session.get(Dispute, dispute_id)
    if dispute is None:
        abort(404)
    report = build_report(dispute, open_dossier(dispute.order, get_practice()))
    number = dispute.order.number
    db.session.rollback()  # printing takes a while, and on SQLite a reader keeps writers waiting
    answer = Response(press.print_report(report), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="evidence-{number}.pdf"'
    return answer


def build_report(dispute: Dispute, dossier: Dossier) -> Report:
    """Return what is known about a disputed payment; of a certificate's code only the end."""
    practice = dossier.practice
    sections = {
        _("The dispute"): _dispute(dispute, dossier),
        _("The order and its payment"): _order(dossier),
        _("What was bought"): [("", _bought(gift, dossier)) for gift in dossier.gifts],
        _("How it was delivered"): _delivered(dossier),
        _("How it was used"): [line for sold in dossier.sold for line in _used(sold, dossier)],
        _("What was paid back"): _paid_back(dossier),
        _("Terms shown before payment and on the certificate"): [("", each) for each in _terms(dossier)],
    }
    return Report(
        title=_("Evidence for order %(number)s", number=dossier.order.number),
        author=f"{practice.name} ({practice.legal_name}), {practice.address}",
        made_on=clock.today(practice.time_zone),
        paper=practice.paper,
        sections=tuple(Section(title, tuple(lines)) for title, lines in sections.items() if lines),
    )


def _dispute(dispute: Dispute, dossier: Dossier) -> Lines:
    zone = dossier.practice.time_zone
    return [
        (_("Dispute"), dispute.stripe_dispute_id),
        (_("Amount"), format_amount(dispute.amount_cents, dossier.order.payment_currency)),
        (_("Reason given"), name_dispute_reason(dispute.reason) or _("none")),
        (_("Times"), _("All times are %(zone)s, %(name)s.", zone=write_zone(zone), name=zone)),
    ]


def _order(dossier: Dossier) -> Lines:
    order = dossier.order
    pages = [(_("Payment page"), each.session_id) for each in dossier.attempts if each.session_id]
    networks = [(_("Buyer’s network address"), each.client_address) for each in dossier.attempts if each.client_address]
    paid = [(_("Paid"), _at(order.paid_at, dossier.practice))] if order.paid_at else []
    return [
        (_("Order"), order.number),
        (_("Buyer’s e-mail address"), order.buyer_email),
        *dict.fromkeys(networks),
        (_("Ordered"), _at(order.created_at, dossier.practice)),
        *paid,
        (_("Total"), f"{format_amount(order.total_cents, order.currency)} {order.currency}"),
        (_("Payment at Stripe"), order.payment_intent_id or _("none")),
        *pages,
    ]


def _bought(gift: Gift, dossier: Dossier) -> str:
    session = gift.service_name
    return _(
        BOUGHT[gift.delivery],
        quantity=gift.quantity,
        what=_("Gift certificate, %(session)s", session=session) if session else _("Gift certificate"),
        amount=format_amount(gift.amount_cents, dossier.order.currency),
        name=gift.recipient_name,
        giver=gift.giver_name,
    )


def _delivered(dossier: Dossier) -> Lines:
    told = [each for each in dossier.deliveries if each.kind != MessageKind.ALERT]
    return [
        (
            _at(each.sent_at or each.ended_at or due_at(each, dossier.practice), dossier.practice),
            _(DELIVERED[DeliveryState(each.state)], message=name_message(each.kind), address=each.to_address),
        )
        for each in told
    ]


def _used(sold: Sold, dossier: Dossier) -> Lines:
    """List what happened to one certificate: every movement with its balance, and every look at its page."""
    certificate, practice = sold.certificate, dossier.practice
    moved = [(entry.created_at, tell_entry(entry, certificate.currency, "")) for entry in certificate.entries]
    lines = [(at, _("%(moved)s, %(left)s", moved=told.what, left=told.detail)) for at, told in moved]
    seen = activity_log.list_events(certificate_ids=[certificate.id])
    lines += [(event.at, _(OPENED)) for event in seen if event.kind == Activity.OPENED]
    lines += [(event.at, _(FETCHED)) for event in seen if is_fetch(event)]
    return [("", _head(sold)), *((_at(at, practice), told) for at, told in sorted(lines))]


def _head(sold: Sold) -> str:
    """Name a certificate, with the end of its code while it has one."""
    number, name = sold.certificate.public_id, sold.certificate.recipient_name
    if not sold.code_end:
        return _("Certificate %(number)s for %(name)s", number=number, name=name)
    told = N_("Certificate %(number)s for %(name)s, code ending in %(end)s")
    return _(told, number=number, name=name, end=sold.code_end)


def _paid_back(dossier: Dossier) -> Lines:
    return [
        (
            _at(each.created_at, dossier.practice),
            _("%(refund)s (%(where)s)", refund=tell_refund(each)[1], where=each.stripe_refund_id or _("not at Stripe")),
        )
        for each in dossier.refunds
    ]


def _terms(dossier: Dossier) -> list[str]:
    ordered_on = clock.local(dossier.order.created_at, dossier.practice.time_zone).date()
    return [" ".join(short_terms(dossier.practice)), *certificate_terms(dossier.practice, on=ordered_on)]


def _at(moment: datetime, practice: Practice) -> str:
    return write_moment(moment, practice.time_zone)
