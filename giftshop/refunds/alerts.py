"""What the owner is told about refunds: refused, waiting, made after all, larger than what was left, or back again."""

from dataclasses import dataclass

from giftshop.money import format_amount
from giftshop.notifications.alerts import alert_owner, resolve_alert
from giftshop.orders.models import Order, Refund
from giftshop.payments.facts import RefundFacts

_REFUSED, _KEY_REFUSED, _UNCLEAR = "refund_refused", "refund_key_refused", "refund_unclear"


@dataclass(frozen=True, slots=True)
class Back:
    """What of a refund that did not go through came back to certificates, and what of that had gone already.

    In minor units. `is_on_hold` says whether what stayed is on hold.
    """

    amount_cents: int
    lost_cents: int
    is_on_hold: bool


def alert_refused(refund: Refund, order: Order, back: Back, *, is_questioned: bool) -> None:
    """Say that a refund was refused and what became of its value; on hold where a bank questions the payment."""
    where = "The certificate has its value again"
    where += ", on hold, because a bank questions the payment." if is_questioned else "."
    if back.lost_cents:
        where = _tell_lost(back, order)
    detail = f"The refund for order {order.number} was refused. {where}"
    alert_owner(_REFUSED, _name(refund), "A refund was refused", detail, order=order)


def alert_waiting(refund: Refund, order: Order) -> None:
    """Say that a refund stays held because of what Stripe answered last, and what to do about it."""
    if is_about_key(refund.refusal):
        kind, title = _KEY_REFUSED, "Stripe does not accept the shop's key"
        detail = f"{title}, so a refund for order {order.number} waits and its money stays held. "
        detail += "Please tell whoever looks after the shop."
    else:
        kind, title = _UNCLEAR, "A refund is unclear"
        detail = f"Stripe does not say what became of a refund for order {order.number}, so its money stays held. "
        detail += "Please look at it in Stripe's dashboard."
    alert_owner(kind, _name(refund), title, detail, order=order)


def end_waiting(refund: Refund) -> None:
    """Tick off what was said of a refund that waited."""
    for kind in (_KEY_REFUSED, _UNCLEAR):
        resolve_alert(kind, _name(refund))


def is_about_key(refusal: str) -> bool:
    """Tell whether Stripe refused the shop's key or its rights, which says nothing about the refund."""
    return refusal.startswith(("AuthenticationError", "PermissionError"))


def alert_made_after_all(refund: Refund, order: Order) -> None:
    """Say that a refund that was thought to be refused went out, in place of what was said then."""
    resolve_alert(_REFUSED, _name(refund))
    detail = f"A refund for order {order.number} that had been given up went out after all. "
    detail += "It was taken off the certificate again."
    alert_owner("refund_made_after_all", _name(refund), "A refund went out after all", detail, order=order)


def alert_overdrawn(facts: RefundFacts, order: Order) -> None:
    """Say that more was paid back at Stripe than was left."""
    detail = f"A refund made at Stripe for order {order.number} was larger than what was left."
    alert_owner("refund_over_balance", facts.id, "A refund was larger than the balance", detail, order=order)


def alert_returned(facts: RefundFacts, order: Order, back: Back, *, unsent: int) -> None:
    """Say that a refund failed after it had gone out, where its money is, and how many gifts' messages that cancelled.

    Nothing came `back` where no certificate was issued, or all was used.
    """
    where = " and on the certificate, on hold" if back.amount_cents else ""
    if order.state == "in_review":
        where = " and no certificate was issued: it is in review again"
    told = [f"The refund for order {order.number} failed: the money is back with you{where}."]
    if back.lost_cents:
        told = [f"The refund for order {order.number} failed.", _tell_lost(back, order)]
    if unsent:
        what = "A gift's message was" if unsent == 1 else f"The messages of {unsent} gifts were"
        how = "end the hold, then send it" if unsent == 1 else "end the holds, then send them"
        told.append(f"{what} cancelled with the refund: {how} from the order's page.")
    told.append("The buyer was told that you will be in touch.")
    alert_owner("refund_failed", facts.id, "A refund failed", " ".join(told), order=order)


def _tell_lost(back: Back, order: Order) -> str:
    """Say how much of the value that came back had gone already, and what is left of it."""
    told = f"{format_amount(back.lost_cents, order.currency)} of its value had gone already, "
    told += "by a lost dispute or another refund"
    if left_cents := back.amount_cents - back.lost_cents:
        told += f"; {format_amount(left_cents, order.currency)} of it is on the certificate again"
        told += ", on hold" if back.is_on_hold else ""
    return f"{told}."


def _name(refund: Refund) -> str:
    return f"refund {refund.id}"
