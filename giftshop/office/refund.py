"""The page that pays back: full or part, never more than is left, and what Stripe answered."""

from flask import abort, current_app, redirect, render_template
from flask.typing import ResponseReturnValue

from giftshop.catalog.practice import get_practice
from giftshop.certificates.look_up import get_certificate
from giftshop.certificates.reasons import read_reason
from giftshop.certificates.requests import Asked
from giftshop.certificates.status import version_of
from giftshop.errors import InvalidAmountError, NothingToRefundError, ShopError
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import Answer
from giftshop.ledger.models import Certificate
from giftshop.ledger.states import CertificateStatus
from giftshop.money import format_amount, format_plain, parse_amount
from giftshop.office.acts import errors_of
from giftshop.office.forms import Filled, asked
from giftshop.orders.look_up import find_gift, get_order
from giftshop.orders.models import Order, Refund
from giftshop.orders.states import OrderState, RefundState
from giftshop.payments.facts import RefusalKind
from giftshop.payments.shares import cleared_by_certificate
from giftshop.refunds.outcomes import came_back_to_certificates
from giftshop.refunds.requests import (
    ask_refund,
    list_refundable,
    list_unanswered,
    list_wishes,
    pursue,
    refund_limit,
    refuse_too_much,
)
from giftshop.refunds.wishes import REASON
from giftshop.staff.rights import has_role
from giftshop.web.form_state import form_key, typed_in
from giftshop.words import N_, _

REFUSALS = {
    "charge_disputed": N_("the buyer’s bank disputes the payment and decides about it now"),
    "charge_already_refunded": N_("this payment was paid back already"),
}
"""What Stripe's own codes for a definite no mean to people."""


def show_refund(public_id: str) -> ResponseReturnValue:
    """Show how much of a certificate can be paid back, and ask how much and why."""
    return _page(get_certificate(public_id))


def refund(public_id: str) -> ResponseReturnValue:
    """Pay back once: hold the money, ask Stripe, and lead to what came of it."""
    certificate = get_certificate(public_id)
    order, limit_cents = _order_of(certificate), get_limit()
    form = Filled()
    amount_cents = form.take("amount", lambda typed: _read_amount(typed, certificate.currency), 0)
    reason = form.take("reason", read_reason, "")
    if form.errors:
        return _page(certificate, {**_too_much(order, certificate, amount_cents), **form.errors}), 422
    answer = ask_refund(order.id, certificate, amount_cents, asked(reason), limit_cents=limit_cents)
    order_id = order.id
    db.session.commit()
    if answer.refusal:
        return _page(certificate, errors_of(answer, certificate, "amount"), is_answered=True), answer.status
    refund_id = _made(answer)
    pursue(refund_id, current_app.extensions["stripe_gateway"])
    return redirect(f"/office/orders/{order_id}?refund={refund_id}", 303)


def _too_much(order: Order, certificate: Certificate, amount_cents: int) -> dict[str, str]:
    """Return why an amount would be refused, beside what is wrong with the rest of its form."""
    try:
        refuse_too_much(order, certificate.id, amount_cents, get_limit())
    except ShopError as refusal:
        return {"amount": refusal.message}
    return {}


def show_asked_back(order_id: int) -> ResponseReturnValue:
    """Show what the buyer of an order asks back, to be paid back by one press."""
    return _asked_page(get_order(order_id))


def pay_asked_back(order_id: int) -> ResponseReturnValue:
    """Pay back what the buyer asked for: each certificate once, held first, then asked of Stripe."""
    order, limit_cents, who = get_order(order_id), get_limit(), asked(REASON)
    wanted = [(each.certificate, each.most_cents) for each in list_unanswered(order)]
    answers = []
    for certificate, most_cents in wanted:
        mine = Asked(actor=who.actor, reason=who.reason, key=f"{who.key}.{certificate.public_id}")
        answers.append(ask_refund(order_id, certificate, most_cents, mine, limit_cents=limit_cents))
        db.session.commit()
    refunds = [_made(answer) for answer in answers if not answer.refusal]
    for refund_id in refunds:
        pursue(refund_id, current_app.extensions["stripe_gateway"])
    for answer in answers:
        if answer.refusal:
            return _asked_page(get_order(order_id), answer.message), answer.status
    return redirect(f"/office/orders/{order_id}" + (f"?refund={refunds[-1]}" if refunds else ""), 303)


def _made(answer: Answer) -> str:
    """Return the public id of the refund that was held."""
    return str(answer.facts["refund"])


def _asked_page(order: Order, refusal: str = "") -> str:
    get_limit()
    return render_template(
        "office/asked_back.html",
        order=order,
        found=list_unanswered(order),
        wishes=list_wishes(order),
        request_key=form_key(),
        errors={"": refusal} if refusal else {},
    )


_WORDS = {
    RefundState.HELD: ("note", N_("%(amount)s is held")),
    RefundState.SETTLED: ("good", N_("%(amount)s is paid back")),
    RefundState.RELEASED: ("bad", N_("%(amount)s was not paid back")),
    RefundState.RETURNED: ("bad", N_("%(amount)s came back")),
}


def tell_refund(refund: Refund) -> tuple[str, str, str]:
    """Return what became of a refund: a tone, a word and a sentence."""
    tone, heading = _WORDS[RefundState(refund.state)]
    amount = format_amount(refund.amount_cents, refund.order.payment_currency)
    return tone, _(heading, amount=amount), _tell_more(refund)


def _tell_more(refund: Refund) -> str:
    if refund.state == RefundState.HELD:
        return _tell_waiting(refund)
    if refund.state == RefundState.SETTLED:
        return _("It is on its way to the buyer’s card. Banks need 5 to 10 days to show it.")
    if refund.state == RefundState.RELEASED:
        return " ".join([_("Stripe refused: %(why)s.", why=_why(refund)), _tell_standing(refund)])
    return " ".join([_("The buyer’s bank didn’t take it."), _tell_where(refund)])


def _tell_waiting(refund: Refund) -> str:
    """Say why a refund is still held, and who can help where it does not end by itself."""
    if refund.refusal_kind == RefusalKind.KEY:
        return _(
            "Stripe doesn’t accept the shop’s key. The money is held; we keep asking. "
            "Please tell whoever looks after the shop."
        )
    if refund.refusal_kind:
        return _(
            "Stripe doesn’t say what became of it. The money is held; we keep asking. "
            "Please look at it in Stripe’s dashboard."
        )
    return _("Stripe hasn’t said yet whether it went out. The money is held; we keep asking.")


def _tell_standing(refund: Refund) -> str:
    certificate = db.session.get(Certificate, refund.certificate_id) if refund.certificate_id else None
    if certificate is not None and certificate.status == CertificateStatus.VOID:
        return _("The certificate has ended: the order’s history says why.")
    return _("The certificate has its value again.")


def _tell_where(refund: Refund) -> str:
    """Say where the money of a refund that came back is."""
    if refund.order.state == OrderState.IN_REVIEW:
        return _("The money is with you. No certificate was issued: the order is in review.")
    if sum(cleared_by_certificate(refund.order_id).values()) < refund.amount_cents:
        return _("Its money had gone already: the order’s history says how.")
    if came_back_to_certificates(refund):
        return _("The money is with you, and back on the certificate, which was put on hold.")
    return _("The money is with you.")


def _why(refund: Refund) -> str:
    return _(REFUSALS.get(refund.refusal_code) or refund.refusal).rstrip(".")


def _page(certificate: Certificate, errors: dict[str, str] | None = None, *, is_answered: bool = False) -> str:
    order = _order_of(certificate)
    most = next(each.most_cents for each in list_refundable(order) if each.certificate.id == certificate.id)
    limit_cents = get_limit()
    allowed = most if limit_cents is None else min(most, limit_cents)
    return render_template(
        "office/refund.html",
        certificate=certificate,
        order=order,
        most_cents=most,
        allowed_cents=allowed,
        nothing=NothingToRefundError().message,
        amount=typed_in("amount", format_plain(allowed, certificate.currency)),
        reason=typed_in("reason"),
        request_key=form_key(*version_of(certificate), is_answered=is_answered),
        errors=errors or {},
    )


def _order_of(certificate: Certificate) -> Order:
    """Return the order a certificate was bought in; one that was not bought here was paid elsewhere."""
    gift = find_gift(certificate.id)
    if gift is None:
        abort(404)
    return gift.order


def get_limit() -> int | None:
    """Return the most this person may pay back at once; refuse those who may not at all."""
    limit_cents = refund_limit(get_practice(), is_owner=has_role("owner"))
    if limit_cents == 0:
        abort(403)
    return limit_cents


def _read_amount(typed: str, currency: str) -> int:
    amount_cents = parse_amount(typed, currency)
    if amount_cents <= 0:
        raise InvalidAmountError
    return amount_cents
