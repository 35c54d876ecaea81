"""The webhook: Stripe tells that something happened; verified first, committed before it is answered."""

import logging
from contextlib import suppress

from flask import Blueprint, Response, current_app, request
from limits import RateLimitItemPerDay

from giftshop import clock
from giftshop.catalog.practice import find_practice
from giftshop.errors import CountersLostError
from giftshop.foundation.database import db, may_write
from giftshop.notifications.alerts import alert_owner, resolve_alert
from giftshop.notifications.kinds import AlertKind
from giftshop.payments.errors import WebhookReason, WebhookRefusedError
from giftshop.payments.gateway import StripeGateway
from giftshop.reconciliation.webhook_events import handle_event
from giftshop.web.limiter import count, forget_count, limiter
from giftshop.words import N_, _

blueprint = Blueprint("webhook", __name__)
log = logging.getLogger(__name__)

MOST_BYTES = 1_000_000
UNREMARKABLE = RateLimitItemPerDay(9)
"""Signatures in a row that may fail without anybody being told; the next one is an alert."""
_KEY = "webhook-refused"
WHY = {
    WebhookReason.FOREIGN: N_(
        "They are signed with another secret: STRIPE_WEBHOOK_SECRET is not this endpoint’s, or a stranger sends them."
    ),
    WebhookReason.LATE: N_("They are older than five minutes: this machine’s clock is ahead, or they were held up."),
    WebhookReason.EARLY: N_("They come from the future: this machine’s clock is behind."),
}
"""What a signature that does not fit says, to whoever looks after the shop."""


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
    except WebhookRefusedError as refusal:
        _note_refused(refusal.reason)
        return Response("not a signed event", 400)
    outcome = handle_event(event, gateway)
    db.session.commit()
    _note_taken()
    log.info("stripe event", extra={"event": event["id"], "type": event["type"], "outcome": outcome})
    return Response("ok", 200, mimetype="text/plain")


def _note_refused(reason: WebhookReason) -> None:
    """Log why an event was refused; ten signatures in a row that did not fit are the owner's business, once a day.

    What carries no signature at all is a stranger's, and no sign of anything.
    """
    if reason not in WHY:
        log.info("an event was refused: %s", reason)
        return
    log.warning("an event was refused: %s", WHY[reason])
    with suppress(CountersLostError):
        if count(UNREMARKABLE, _KEY) or find_practice() is None:
            return
        may_write()
        detail = _("Stripe’s events are not believed: the last ten were refused. %(why)s", why=_(WHY[reason]))
        alert_owner(AlertKind.WEBHOOK_REFUSED, clock.now().date().isoformat(), detail)
        db.session.commit()


def count_refused() -> int:
    """Return how many signatures in a row did not fit, as far as they are counted."""
    return int(limiter.limiter.storage.get(UNREMARKABLE.key_for(_KEY)))


def _note_taken() -> None:
    """Begin to count anew, and tick the alert off: this event fitted."""
    if forget_count(UNREMARKABLE, _KEY):
        resolve_alert(AlertKind.WEBHOOK_REFUSED)
        db.session.commit()
