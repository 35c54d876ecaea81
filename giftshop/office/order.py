"""The page of one order: what was bought, paid, sent and used, what may be done about it, and its whole history."""

import logging

import sqlalchemy as sa
from flask import abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.delivery.kinds import BRINGING, name_message
from giftshop.delivery.states import DeliveryState
from giftshop.delivery.timing import due_at
from giftshop.errors import NoteRefusedError
from giftshop.foundation.database import db
from giftshop.foundation.sightings import record_sighting
from giftshop.ledger.idempotency import key_for
from giftshop.ledger.models import ReplacedCode
from giftshop.ledger.open_entries import held_for
from giftshop.office.dossier import Dossier, open_dossier
from giftshop.office.forms import actor, asked
from giftshop.office.messages import list_cancelled
from giftshop.office.needs import tell_exposure
from giftshop.office.orders import STATES
from giftshop.office.refund import tell_refund
from giftshop.office.standings import tell_standing
from giftshop.orders import labels, notes
from giftshop.orders.look_up import get_order
from giftshop.orders.models import Dispute, Refund
from giftshop.orders.states import OrderState
from giftshop.reconciliation.review import is_warned, version_of
from giftshop.refunds.requests import refund_limit
from giftshop.staff.rights import has_role
from giftshop.web.form_state import form_key, typed_in
from giftshop.words import N_, _

log = logging.getLogger(__name__)

DONE = {
    "freeze": N_("It is on hold. Nobody can use it until the hold is ended."),
    "unfreeze": N_("The hold is over. It can be used again."),
    "void": N_("It has ended. Nothing is left on it."),
    "reissue": N_("It has a new code, and the old one no longer works. The new certificate is on its way."),
    "reissue_quietly": N_(
        "It has a new code, and the old one no longer works. The message that is still to come brings it."
    ),
    "reissue_unsent": N_(
        "It has a new code, and the old one no longer works. Nobody has the new one: its message did not go out. "
        "Send it below, under Messages."
    ),
    "resend": N_("The message goes out again."),
    "send_after_all": N_("The message goes out after all."),
    OrderState.FULFILLED: N_("The order is accepted. Its certificates are on their way."),
    OrderState.REFUNDED: N_("All of the payment goes back to the buyer."),
    OrderState.IN_REVIEW: N_("Stripe could not pay it back. It is still in review."),
    "note": N_("The note is kept."),
    "blank": N_("The words of the note are gone."),
}
"""What is said first after something was done here."""


def show_order(order_id: int) -> str:
    """Show an order, and keep on record that this person looked, at most once an hour."""
    page, who = build_page(order_id), actor()
    record_sighting(who, order_id=order_id)
    return page


def build_page(order_id: int, errors: dict[str, str] | None = None) -> str:
    """Return the page of an order; `errors` maps the fields of its forms to sentences."""
    dossier = open_dossier(get_order(order_id), get_practice())
    return render_template(
        "office/order.html",
        dossier=dossier,
        order=dossier.order,
        states=STATES,
        labels=labels,
        tell_standing=tell_standing,
        name_message=name_message,
        due_at=due_at,
        replaced={message.replaces_id for message in dossier.deliveries},
        disputes=_list_exposed(dossier),
        refunds=[(each, tell_refund(each)) for each in dossier.refunds],
        newest_refund=_find_newest(dossier.refunds),
        cancelled=list_cancelled(dossier.deliveries),
        is_warned=is_warned(dossier.order),
        done=_tell_done(request.args.get("done", ""), dossier),
        may_refund=refund_limit(dossier.practice, is_owner=has_role("owner")) != 0,
        is_owner=has_role("owner"),
        request_key=form_key(),
        review_key=key_for(*version_of(dossier.order)),
        errors=errors or {},
        typed=typed_in("text"),
        reason=typed_in("reason"),
    )


def _list_exposed(dossier: Dossier) -> list[tuple[Dispute, str]]:
    """Return each dispute with what may be lost by it."""
    held = held_for([each.stripe_dispute_id for each in dossier.disputes])
    return [
        (each, tell_exposure(each, held.get(each.stripe_dispute_id, 0), dossier.practice)) for each in dossier.disputes
    ]


def _find_newest(refunds: list[Refund]) -> Refund | None:
    """Return the refund that was just asked for here."""
    return next((each for each in refunds if each.public_id == request.args.get("refund", "")), None)


def _tell_done(name: str, dossier: Dossier) -> str:
    """Say what was done; of a new code also whether no message is to come that brings it."""
    if name == "reissue_quietly" and _is_newest_code_unsent(dossier):
        name = "reissue_unsent"
    return _(DONE.get(name, ""))


def _is_newest_code_unsent(dossier: Dossier) -> bool:
    """Tell whether the message failed or was cancelled that brings the certificate which got a new code last."""
    gifts = {each.certificate.id: each.gift.id for each in dossier.sold}
    renewed = sa.select(ReplacedCode.certificate_id).where(ReplacedCode.certificate_id.in_(gifts))
    newest = db.session.scalar(renewed.order_by(ReplacedCode.replaced_at.desc()).limit(1))
    states = [
        each.state
        for each in dossier.deliveries
        if newest is not None and each.gift_id == gifts[newest] and each.kind in BRINGING
    ]
    return states[-1:] in ([DeliveryState.FAILED], [DeliveryState.CANCELLED])


def write_note(order_id: int) -> ResponseReturnValue:
    """Keep a note on an order."""
    typed = request.form.get("text", "")
    try:
        notes.write_note(get_order(order_id).id, typed, actor=actor(), key=asked().key, at=clock.now())
    except NoteRefusedError as refusal:
        db.session.rollback()
        return build_page(order_id, {"text": refusal.message}), 422
    db.session.commit()
    return redirect(f"/office/orders/{order_id}?done=note", 303)


def blank_note(note_id: int) -> ResponseReturnValue:
    """Take the words of a note away."""
    try:
        order_id = notes.blank_note(note_id, actor=actor(), at=clock.now()).order_id
    except notes.NoteNotFoundError:
        abort(404)
    db.session.commit()
    return redirect(f"/office/orders/{order_id}?done=blank", 303)
