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
from giftshop.documents.reports import Report, Section
from giftshop.documents.worker import press
from giftshop.foundation import activity_log
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.database import db
from giftshop.foundation.sightings import HOLDER
from giftshop.money import format_amount
from giftshop.office.dossier import Dossier, Sold, open_dossier
from giftshop.office.refund import tell_refund
from giftshop.orders.labels import tell_entry
from giftshop.orders.models import Dispute, Gift

Lines = list[tuple[str, str]]
WAYS = {"recipient": "e-mailed to the recipient", "buyer": "e-mailed to the buyer", "print": "to print at home"}


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
        "The dispute": _dispute(dispute, dossier),
        "The order and its payment": _order(dossier),
        "What was bought": [("", _bought(gift, dossier)) for gift in dossier.gifts],
        "How it was delivered": _delivered(dossier),
        "How it was used": [line for sold in dossier.sold for line in _used(sold, dossier)],
        "What was paid back": _paid_back(dossier),
        "Terms shown before payment and on the certificate": [("", each) for each in _terms(dossier)],
    }
    return Report(
        title=f"Evidence for order {dossier.order.number}",
        author=f"{practice.name} ({practice.legal_name}), {practice.address}",
        made_on=clock.today(practice.time_zone),
        paper=practice.paper,
        sections=tuple(Section(title, tuple(lines)) for title, lines in sections.items() if lines),
    )


def _dispute(dispute: Dispute, dossier: Dossier) -> Lines:
    return [
        ("Dispute", dispute.stripe_dispute_id),
        ("Amount", format_amount(dispute.amount_cents, dossier.order.payment_currency)),
        ("Reason given", dispute.reason.replace("_", " ") or "none"),
        ("Times", f"All times are {write_zone(dossier.practice.time_zone)}, {dossier.practice.time_zone}."),
    ]


def _order(dossier: Dossier) -> Lines:
    order = dossier.order
    pages = [("Payment page", each.session_id) for each in dossier.attempts if each.session_id]
    networks = [("Buyer’s network address", each.client_address) for each in dossier.attempts if each.client_address]
    paid = [("Paid", _at(order.paid_at, dossier.practice))] if order.paid_at else []
    return [
        ("Order", order.number),
        ("Buyer’s e-mail address", order.buyer_email),
        *dict.fromkeys(networks),
        ("Ordered", _at(order.created_at, dossier.practice)),
        *paid,
        ("Total", f"{format_amount(order.total_cents, order.currency)} {order.currency}"),
        ("Payment at Stripe", order.payment_intent_id or "none"),
        *pages,
    ]


def _bought(gift: Gift, dossier: Dossier) -> str:
    title = f"Gift certificate, {gift.service_name}" if gift.service_name else "Gift certificate"
    amount = format_amount(gift.amount_cents, dossier.order.currency)
    return (
        f"{gift.quantity} × {title}, {amount}, for {gift.recipient_name} from {gift.giver_name}, {WAYS[gift.delivery]}"
    )


def _delivered(dossier: Dossier) -> Lines:
    told = [each for each in dossier.deliveries if each.kind != MessageKind.ALERT]
    return [
        (
            _at(each.sent_at or each.ended_at or each.send_at, dossier.practice),
            f"{name_message(each.kind)} to {each.to_address}: {each.state}",
        )
        for each in told
    ]


def _used(sold: Sold, dossier: Dossier) -> Lines:
    """List what happened to one certificate: every movement with its balance, and every look at its page."""
    certificate, practice = sold.certificate, dossier.practice
    code = f", code ending in {sold.code_end}" if sold.code_end else ""
    moved = [(entry.created_at, tell_entry(entry, certificate.currency, "")) for entry in certificate.entries]
    lines = [(at, f"{told.what}, {told.detail}") for at, told in moved]
    seen = activity_log.list_events(certificate_ids=[certificate.id])
    lines += [
        (event.at, "The certificate’s page was opened by whoever holds its code")
        for event in seen
        if event.kind == Activity.VIEWED and event.actor == HOLDER
    ]
    head = f"Certificate {certificate.public_id} for {certificate.recipient_name}{code}"
    return [("", head), *((_at(at, practice), told) for at, told in sorted(lines))]


def _paid_back(dossier: Dossier) -> Lines:
    return [
        (_at(each.created_at, dossier.practice), f"{tell_refund(each)[1]} ({each.stripe_refund_id or 'not at Stripe'})")
        for each in dossier.refunds
    ]


def _terms(dossier: Dossier) -> list[str]:
    ordered_on = clock.local(dossier.order.created_at, dossier.practice.time_zone).date()
    return [" ".join(short_terms(dossier.practice)), *certificate_terms(dossier.practice, on=ordered_on)]


def _at(moment: datetime, practice: Practice) -> str:
    return write_moment(moment, practice.time_zone)
