"""A door for refunds that takes no sign-in, for fault tests: it does what the owner's page does, answered in JSON."""

from flask import Blueprint, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from giftshop.certificates.register import get_certificate
from giftshop.certificates.requests import answer_once
from giftshop.database import db
from giftshop.orders.refunds import hold_refund, pursue_refund
from giftshop.orders.register import find_gift

blueprint = Blueprint("rig", __name__, url_prefix="/rig")
SCOPE = "refund:rig"


@blueprint.post("/refund")
def refund() -> ResponseReturnValue:
    """Hold money, commit, ask Stripe; the same key goes on with the refund that it began."""
    form = request.form
    certificate = get_certificate(form["certificate"])
    amount_cents, gift = int(form["amount_cents"]), find_gift(certificate.id)
    assert gift is not None
    order_id, certificate_id = gift.order_id, certificate.id

    def act() -> dict[str, object]:
        asked = {"reason": "fault test", "actor": "system", "limit_cents": None}
        return {"refund": hold_refund(order_id, certificate_id, amount_cents, **asked).id}  # type: ignore[arg-type]

    body = {"act": "refund", "certificate": certificate.public_id, "amount": amount_cents}
    answer = answer_once(scope=SCOPE, key=form["request_key"], body=body, act=act)
    db.session.commit()
    if answer.refusal:
        return jsonify({"error": answer.message}), answer.status
    found = pursue_refund(int(str(answer.facts["refund"])), current_app.extensions["stripe_gateway"])
    return jsonify({"refund": found.public_id, "state": found.state})
