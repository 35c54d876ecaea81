"""The pages on which a certificate is put on hold, released, ended or given a new code: each one form and a reason."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import abort, redirect, render_template
from flask.typing import ResponseReturnValue

from giftshop.catalog.practice import get_practice
from giftshop.certificates.look_up import get_certificate
from giftshop.certificates.reasons import read_reason
from giftshop.certificates.requests import Asked
from giftshop.certificates.status import version_of
from giftshop.corrections import certificates
from giftshop.errors import ChangedMeanwhileError
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import Answer
from giftshop.ledger.models import Certificate
from giftshop.office.forms import Filled, asked
from giftshop.orders.history import tell_meanwhile
from giftshop.orders.look_up import find_gift
from giftshop.web.form_state import form_key, typed_in
from giftshop.words import N_


@dataclass(frozen=True, slots=True)
class Act:
    """What can be done to a certificate: its words on the page, and the rule that does it."""

    title: str
    explained: str
    button: str
    run: Callable[[Certificate, Asked], Answer]


ACTS = {
    "freeze": Act(
        N_("Put it on hold"),
        N_(
            "Nobody can use it until the hold is ended. The code stays the same, nothing is taken off, "
            "and whoever holds it is asked to call you."
        ),
        N_("Put it on hold"),
        certificates.freeze,
    ),
    "unfreeze": Act(
        N_("End the hold"),
        N_("It can be used again at once. While a bank is deciding about the payment, the hold stays."),
        N_("End the hold"),
        certificates.unfreeze,
    ),
    "reissue": Act(
        N_("Give it a new code"),
        N_(
            "The old code stops working at once, on paper too. What is left stays on it, and the new certificate is "
            "sent to whoever got the old one."
        ),
        N_("Give it a new code"),
        certificates.reissue,
    ),
    "void": Act(
        N_("End it for good"),
        N_(
            "What is left is taken off and its code stops working. No money goes back to the buyer’s card: refund it "
            "instead, unless you paid it out another way. It cannot be taken back."
        ),
        N_("End it for good"),
        certificates.void,
    ),
}


def show_act(name: str, public_id: str) -> ResponseReturnValue:
    """Show what an act does to a certificate, and ask why."""
    return _page(name, get_certificate(public_id))


def send_act(name: str, public_id: str) -> ResponseReturnValue:
    """Do it once, and lead back to the order."""
    certificate = get_certificate(public_id)
    form = Filled()
    reason = form.take("reason", read_reason, "")
    if form.errors:
        return _page(name, certificate, form.errors), 422
    order_id = _order_id(certificate)
    answer = ACTS[name].run(certificate, asked(reason))
    db.session.commit()
    if answer.refusal:
        return _page(name, certificate, errors_of(answer, certificate), is_answered=True), answer.status
    done = "reissue_quietly" if answer.facts.get("told") is False else name
    return redirect(f"/office/orders/{order_id}?done={done}", 303)


def errors_of(answer: Answer, certificate: Certificate, field: str = "reason") -> dict[str, str]:
    """Return why an act on a certificate was refused, by field; what changed meanwhile stands above all of them."""
    if answer.refusal != ChangedMeanwhileError.__name__:
        return {field: answer.message}
    practice, key = get_practice(), typed_in("request_key")
    return {"": " ".join([answer.message, tell_meanwhile(certificate, key, practice)])}


def _page(
    name: str, certificate: Certificate, errors: dict[str, str] | None = None, *, is_answered: bool = False
) -> str:
    return render_template(
        "office/act.html",
        act=ACTS[name],
        name=name,
        certificate=certificate,
        order_id=_order_id(certificate),
        reason=typed_in("reason"),
        request_key=form_key(*version_of(certificate), is_answered=is_answered),
        errors=errors or {},
    )


def _order_id(certificate: Certificate) -> int:
    gift = find_gift(certificate.id)
    if gift is None:
        abort(404)
    return gift.order_id
