"""Recovery: make an order again that was paid after the backup this database was restored from.

Stripe still knows what was bought, at which prices, by whom, and the address of the buyer's order page. It does not
know who the gifts were for, the words, the designs and the dates. So every certificate is issued anew and goes to the
buyer, to hand on: nobody who paid is left without. Codes that were mailed before the loss open nothing any more.

Only on request (`flask orders reconcile --since`): a copy of the database that somebody tries things with must not
send mail to buyers by itself.
"""

import logging
import re
import secrets

import sqlalchemy as sa

from giftshop import clock
from giftshop.catalog.models import Installation, Offer, Practice
from giftshop.catalog.offers import FREE_AMOUNT
from giftshop.catalog.practice import get_installation, get_practice
from giftshop.certificates import encryption
from giftshop.checkout.fulfilment import settle
from giftshop.checkout.sessions import name_product
from giftshop.documents.artwork.drawing import DESIGNS
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import wait_for_copies
from giftshop.money import format_amount
from giftshop.notifications.alerts import alert_owner
from giftshop.notifications.announcing import Act, Announcement, Concern, announce
from giftshop.notifications.kinds import AlertKind
from giftshop.orders.look_up import give_token
from giftshop.orders.models import CheckoutAttempt, Gift, Order
from giftshop.orders.states import AttemptState, OrderState
from giftshop.payments.facts import LineFacts, SessionFacts
from giftshop.payments.gateway import StripeGateway
from giftshop.words import N_, SOURCE, _, in_language

log = logging.getLogger(__name__)

GUEST, GIVER = N_("our guest"), N_("someone who cares")
"""The names on a certificate whose own are lost; the buyer hands it on."""
MOST_QUANTITY = 10
_PUBLIC_ID = re.compile(r"o_[0-9a-f]{24}")
_TOKEN = re.compile(r"/orders/([\w-]{16,64})(?:\?|$)", re.ASCII)


def recover_order(session_id: str, gateway: StripeGateway) -> Order | None:
    """Make the order of a paid session again, issue its certificates, and tell buyer and owner; None if it cannot be.

    Ends the open transaction before Stripe is asked; does not commit. Raises CheckoutUnavailableError.
    """
    db.session.rollback()
    session = gateway.retrieve_session(session_id, patience="job")
    obstacle = find_obstacle(session, get_installation(), get_practice()) if session else "Stripe does not know it"
    if session is None or obstacle:
        log.warning("the order of session %s cannot be made again: %s", session_id, obstacle)
        return None
    wait_for_copies("order_recovery", session.id)
    known = _find_order(session)
    order = known or _rebuild_order(session)
    _rebuild_attempt(order, session)
    settle(session)
    if known is None:
        _announce(order, session)
    return order


def alert_lost(session: SessionFacts) -> bool:
    """Keep an alert about a payment without an order; tell whether it is a new one."""
    detail = describe_lost(session)
    return alert_owner(AlertKind.SESSION_WITHOUT_ORDER, session.id, detail)


def describe_lost(session: SessionFacts) -> str:
    """Say which payment belongs to no order, with what a person needs to find it at Stripe."""
    amount = format_amount(session.amount_total, session.currency)
    return _(
        "Payment %(payment)s of %(amount)s (session %(session)s, order %(order)s)"
        " belongs to no order. Was the database restored? `flask orders reconcile --since` with the day of the backup"
        " makes lost orders again; what it cannot make, refund at Stripe or sell again by hand.",
        payment=session.payment_intent_id,
        amount=amount,
        session=session.id,
        order=session.client_reference_id,
    )


def find_obstacle(session: SessionFacts, installation: Installation, practice: Practice) -> str:
    """Say why an order must not be made again from a session; empty when all that is needed is there and fits."""
    checks = {
        "it is another shop's": session.metadata.get("shop") != installation.instance_id,
        "it is not paid": session.status != AttemptState.COMPLETE or not session.is_paid,
        "the mode differs": session.livemode != (installation.mode == "live"),
        "the currency differs": session.currency != practice.currency,
        "it names no order of ours": not _names_an_order(session),
        "it does not say who bought": "@" not in session.buyer_email,
        "its lines do not come to what was paid": not _adds_up(session),
    }
    return next((reason for reason, is_so in checks.items() if is_so), "")


def _names_an_order(session: SessionFacts) -> bool:
    public_id = session.metadata.get("order_id", "")
    number = session.metadata.get("attempt", "")
    is_ours = _PUBLIC_ID.fullmatch(public_id) is not None and session.client_reference_id == public_id
    return is_ours and number.isascii() and number.isdigit() and len(number) < 4


def _adds_up(session: SessionFacts) -> bool:
    total = sum(line.quantity * line.unit_cents for line in session.lines)
    is_sellable = all(1 <= line.quantity <= MOST_QUANTITY and line.unit_cents > 0 for line in session.lines)
    return bool(session.lines) and is_sellable and total == session.amount_total


def _find_order(session: SessionFacts) -> Order | None:
    """Return the order if the backup has it, but not this attempt to pay it."""
    return db.session.scalar(sa.select(Order).where(Order.public_id == session.metadata["order_id"]))


def _rebuild_order(session: SessionFacts) -> Order:
    order = Order(
        public_id=session.metadata["order_id"],
        request_key=f"recovered-{secrets.token_urlsafe(18)}",
        request_sha256=bytes(32),
        mode=get_installation().mode,
        state=OrderState.AWAITING_PAYMENT,
        currency=session.currency,
        total_cents=session.amount_total,
        buyer_email=session.buyer_email,
        created_at=clock.now(),
        gifts=[_rebuild_gift(line, place) for place, line in enumerate(session.lines)],
    )
    token = _TOKEN.search(session.success_url)
    give_token(order, known=token[1] if token else "")
    db.session.add(order)
    db.session.flush()
    return order


def _rebuild_gift(line: LineFacts, position: int) -> Gift:
    """Return a gift of the same worth that goes to the buyer."""
    slug, service = _find_offer(line)
    return Gift(
        position=position,
        offer_slug=slug,
        service_name=service,
        amount_cents=line.unit_cents,
        quantity=line.quantity,
        recipient_name=_(GUEST),
        giver_name=_(GIVER),
        message="",
        design=next(iter(DESIGNS)),
        delivery="buyer",
        recipient_email="",
        deliver_on=None,
    )


def _find_offer(line: LineFacts) -> tuple[str, str]:
    """Return the slug of the offer that was sold and the name it had.

    A session of an older version of the shop has only the name that Stripe's page showed: then it is the offer that
    would be sold under it, or an amount. That version knew English alone.
    """
    if "offer" in line.metadata:
        return line.metadata["offer"], line.metadata.get("service", "")
    offers = db.session.execute(sa.select(Offer.slug, Offer.name).where(Offer.kind == "session"))
    with in_language(SOURCE):
        return next(((slug, name) for slug, name in offers if name_product(name) == line.name), (FREE_AMOUNT, ""))


def _rebuild_attempt(order: Order, session: SessionFacts) -> None:
    """Keep that this session paid the order; the parameters it was made with are Stripe's alone now."""
    number = int(session.metadata["attempt"])
    key = f"{get_installation().instance_id}:order:{order.public_id}:cs:{number}"
    now = clock.now()
    attempt = CheckoutAttempt(
        order=order,
        number=number,
        parameters_enc=encryption.seal("{}", key),
        idempotency_key=key,
        session_id=session.id,
        state=AttemptState.OPEN,
        first_tried_at=now,
        expires_at=now,
    )
    db.session.add(attempt)
    db.session.flush()


def _announce(order: Order, session: SessionFacts) -> None:
    """Keep in the activity log where the order came from, and ask the owner to look at it."""
    was = session.metadata.get("order_number", "")
    facts = {"session": session.id, "was_number": was}
    detail = _(
        "Order %(number)s (before the restore %(was)s, payment %(payment)s) was"
        " made again from what Stripe knows. Its new certificates went to the buyer; codes sent before no longer work."
        " If some of it was used in the days that were lost, take that off by hand.",
        number=order.number,
        was=was or _("another number"),
        payment=session.payment_intent_id,
    )
    announce(
        Announcement(
            order=order,
            acts=[Act(kind=Activity.ORDER_RECOVERED, actor="system", facts=facts)],
            done=[(AlertKind.SESSION_WITHOUT_ORDER, session.id)],
            concerns=[Concern(AlertKind.ORDER_RECOVERED, order.public_id, detail)],
        )
    )
