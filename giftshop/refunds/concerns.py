"""What the owner has to look at after a refund: refused, waiting, made after all, too large, or back; in true words."""

from collections.abc import Iterator, Sequence

from giftshop.delivery import deliveries
from giftshop.disputes.holds import has_open_dispute
from giftshop.ledger.models import Certificate
from giftshop.money import format_amount
from giftshop.notifications.announcing import Concern
from giftshop.notifications.kinds import AlertKind
from giftshop.orders.look_up import certificates_of
from giftshop.orders.models import Gift, Order, Refund
from giftshop.orders.states import OrderState
from giftshop.payments.facts import RefusalKind
from giftshop.refunds.booking import Outcome, Step
from giftshop.words import _, ngettext


def list_concerns(outcome: Outcome) -> list[Concern]:
    """Return what the owner has to look at: refused, waiting, made after all, larger than what was left, or back."""
    tell = {
        Step.RELEASED: _refused,
        Step.LEFT_HELD: _waiting,
        Step.TAKEN_AFTER_ALL: _made_after_all,
        Step.RETURNED: _returned,
    }.get(outcome.step)
    overdrawn = [_overdrawn(outcome)] if outcome.is_overdrawn else []
    return overdrawn + ([tell(outcome)] if tell else [])


def list_unsent(order: Order, certificates: Sequence[Certificate]) -> list[Gift]:
    """Return the gifts of these certificates whose message to their recipient was cancelled, but not by the buyer."""
    gifts = (gift for gift, _certificates in gifts_with({each.id for each in certificates}, order))
    return [gift for gift in gifts if gift.delivery == "recipient" and deliveries.was_cancelled(gift.id)]


def gifts_with(certificate_ids: set[int], order: Order) -> Iterator[tuple[Gift, list[Certificate]]]:
    """Yield the gifts that these certificates belong to, each with all of its certificates."""
    issued = certificates_of(order)
    for gift in order.gifts:
        if any(each.id in certificate_ids for each in issued.get(gift.id, [])):
            yield gift, issued[gift.id]


def name_refund(refund: Refund) -> str:
    """Return by which subject alerts are about a refund that has no id at Stripe."""
    return f"refund {refund.id}"


def _refused(outcome: Outcome) -> Concern:
    """Say that a refund was refused and what became of its value; on hold where a bank questions the payment."""
    where = _("The certificate has its value again.")
    if has_open_dispute(outcome.order.id):
        where = _("The certificate has its value again, on hold, because a bank questions the payment.")
    if outcome.lost_cents:
        where = _tell_lost(outcome)
    refused = _("The refund for order %(number)s was refused.", number=outcome.order.number)
    return Concern(AlertKind.REFUND_REFUSED, name_refund(outcome.refund), f"{refused} {where}")


def _waiting(outcome: Outcome) -> Concern:
    """Say that a refund stays held because of what Stripe answered last, and what to do about it."""
    number = outcome.order.number
    if outcome.refund.refusal_kind == RefusalKind.KEY:
        kind = AlertKind.REFUND_KEY_REFUSED
        detail = _(
            "Stripe does not accept the shop’s key, so a refund for order %(number)s waits and its money stays held. "
            "Please tell whoever looks after the shop.",
            number=number,
        )
    else:
        kind = AlertKind.REFUND_UNCLEAR
        detail = _(
            "Stripe does not say what became of a refund for order %(number)s, so its money stays held. "
            "Please look at it in Stripe’s dashboard.",
            number=number,
        )
    return Concern(kind, name_refund(outcome.refund), detail)


def _made_after_all(outcome: Outcome) -> Concern:
    """Say that a refund that was thought to be refused went out, in place of what was said then."""
    detail = _(
        "A refund for order %(number)s that had been given up went out after all. "
        "It was taken off the certificate again.",
        number=outcome.order.number,
    )
    return Concern(AlertKind.REFUND_MADE_AFTER_ALL, name_refund(outcome.refund), detail)


def _overdrawn(outcome: Outcome) -> Concern:
    """Say that more was paid back at Stripe than was left."""
    detail = _(
        "A refund made at Stripe for order %(number)s was larger than what was left.", number=outcome.order.number
    )
    return Concern(AlertKind.REFUND_OVER_BALANCE, outcome.refund.stripe_refund_id or "", detail)


def _returned(outcome: Outcome) -> Concern:
    """Say that a refund failed after it had gone out, where its money is, and which messages that cancelled."""
    told = _tell_back(outcome)
    if unsent := len(list_unsent(outcome.order, outcome.returned_to)):
        told.append(
            ngettext(
                "A gift’s message was cancelled with the refund: end the hold, then send it from the order’s page.",
                "The messages of %(num)s gifts were cancelled with the refund: end the holds, then send them from the"
                " order’s page.",
                unsent,
            )
        )
    told.append(_("The buyer was told that you will be in touch."))
    return Concern(AlertKind.REFUND_FAILED, outcome.refund.stripe_refund_id or "", " ".join(told))


def _tell_back(outcome: Outcome) -> list[str]:
    """Say where the money of a failed refund is; nothing came back where no certificate was issued, or all was used."""
    order = outcome.order
    if outcome.lost_cents:
        return [_("The refund for order %(number)s failed.", number=order.number), _tell_lost(outcome)]
    if order.state == OrderState.IN_REVIEW:
        told = _(
            "The refund for order %(number)s failed: the money is back with you and no certificate was issued: "
            "it is in review again.",
            number=order.number,
        )
    elif outcome.back_cents:
        told = _(
            "The refund for order %(number)s failed: the money is back with you and on the certificate, on hold.",
            number=order.number,
        )
    else:
        told = _("The refund for order %(number)s failed: the money is back with you.", number=order.number)
    return [told]


def _tell_lost(outcome: Outcome) -> str:
    """Say how much of the value that came back had gone already, and what is left of it."""
    currency, left_cents = outcome.order.currency, outcome.back_cents - outcome.lost_cents
    lost, left = format_amount(outcome.lost_cents, currency), format_amount(left_cents, currency)
    if not left_cents:
        told = _("%(lost)s of its value had gone already, by a lost dispute or another refund.", lost=lost)
    elif outcome.is_on_hold:
        told = _(
            "%(lost)s of its value had gone already, by a lost dispute or another refund; "
            "%(left)s of it is on the certificate again, on hold.",
            lost=lost,
            left=left,
        )
    else:
        told = _(
            "%(lost)s of its value had gone already, by a lost dispute or another refund; "
            "%(left)s of it is on the certificate again.",
            lost=lost,
            left=left,
        )
    return told
