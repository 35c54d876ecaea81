"""The webhook: Stripe tells that something happened; verified first, committed before it is answered."""

import logging

from flask import Blueprint, Response, current_app, request

from giftshop import clock
from giftshop.foundation.database import db
from giftshop.payments.errors import WebhookRefusedError
from giftshop.payments.gateway import StripeGateway
from giftshop.reconciliation.webhook_events import handle_event

blueprint = Blueprint("webhook", __name__)
log = logging.getLogger(__name__)

MOST_BYTES = 1_000_000


@blueprint.post("/webhooks/stripe")
def receive_event() -> Response:
    """Answer 2xx for what is handled, known or not ours, 400 for what is not signed, 5xx when Stripe must try again."""
    request.max_content_length = MOST_BYTES + 1  # a body whose length was not told is cut there, silently
    body = request.get_data()  # raw bytes, before anything touches form or JSON
    if len(body) > MOST_BYTES:
        return Response("too large", 413)
    gateway: StripeGateway = current_app.extensions["stripe_gateway"]
    try:
        event = gateway.read_event(body, request.headers.get("Stripe-Signature"), clock.now())
    except WebhookRefusedError:
        return Response("not a signed event", 400)
    outcome = handle_event(event, gateway)
    db.session.commit()
    log.info("stripe event", extra={"event": event["id"], "type": event["type"], "outcome": outcome})
    return Response("ok", 200, mimetype="text/plain")
