"""What people hear of a refund: the owner by alerts, the buyer and whoever has the gift by letters, each in true words.

The office's refunds and those made in Stripe's dashboard are told alike.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from giftshop.delivery import deliveries
from giftshop.delivery.kinds import MessageKind
from giftshop.disputes.holds import has_open_dispute
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.ledger.states import CertificateStatus
from giftshop.money import format_amount
from giftshop.notifications.announcing import Act, Announcement, Concern, Letter
from giftshop.notifications.kinds import TITLES, AlertKind
from giftshop.notifications.letters import order_path
from giftshop.orders.look_up import certificates_of
from giftshop.orders.models import Gift, Order, Refund
from giftshop.orders.states import OrderState
from giftshop.payments.facts import RefusalKind
from giftshop.refunds.booking import Outcome, Step

MOST_NAMES = 3
"""More names than these are a number in a sentence."""
WAITING = (AlertKind.REFUND_KEY_REFUSED, AlertKind.REFUND_UNCLEAR)
"""What was said of a refund that waited is over when it is heard of."""
ACTS = {
    Step.SETTLED: Activity.REFUND_SETTLED,
    Step.TAKEN: Activity.REFUND_SETTLED,
    Step.TAKEN_AFTER_ALL: Activity.REFUND_SETTLED,
    Step.RELEASED: Activity.REFUND_REFUSED,
    Step.RETURNED: Activity.REFUND_RETURNED,
}


def announcement_of(outcome: Outcome) -> Announcement:
    """Return what is to be kept and told of a refund's outcome."""
    refund = outcome.refund
    done = [(kind, _name(refund)) for kind in WAITING] if outcome.was_held else []
    if outcome.step is Step.TAKEN_AFTER_ALL:
        done.append((AlertKind.REFUND_REFUSED, _name(refund)))
    return Announcement(
        order=outcome.order,
        acts=[act_of(refund, ACTS[outcome.step])] if outcome.step in ACTS else [],
        done=done,
        concerns=_list_concerns(outcome),
        letters=_list_letters(outcome),
    )


def act_of(refund: Refund, kind: Activity, *, actor: str = "stripe") -> Act:
    """Return the line of the activity log about a refund."""
    facts = {"amount_cents": refund.amount_cents, "reason": refund.reason}
    return Act(kind=kind, actor=actor, certificate_id=refund.certificate_id, facts=facts)


def list_unsent(order: Order, certificates: Sequence[Certificate]) -> list[Gift]:
    """Return the gifts of these certificates whose message to their recipient was cancelled, but not by the buyer."""
    gifts = (gift for gift, _certificates in _gifts_with({each.id for each in certificates}, order))
    return [gift for gift in gifts if gift.delivery == "recipient" and deliveries.was_cancelled(gift.id)]


def _list_concerns(outcome: Outcome) -> list[Concern]:
    """Return what the owner has to look at: refused, waiting, made after all, larger than what was left, or back."""
    tell = {
        Step.RELEASED: _refused,
        Step.LEFT_HELD: _waiting,
        Step.TAKEN_AFTER_ALL: _made_after_all,
        Step.RETURNED: _returned,
    }.get(outcome.step)
    overdrawn = [_overdrawn(outcome)] if outcome.is_overdrawn else []
    return overdrawn + ([tell(outcome)] if tell else [])


def _refused(outcome: Outcome) -> Concern:
    """Say that a refund was refused and what became of its value; on hold where a bank questions the payment."""
    is_questioned = has_open_dispute(outcome.order.id)
    where = "The certificate has its value again"
    where += ", on hold, because a bank questions the payment." if is_questioned else "."
    if outcome.lost_cents:
        where = _tell_lost(outcome)
    detail = f"The refund for order {outcome.order.number} was refused. {where}"
    return Concern(AlertKind.REFUND_REFUSED, _name(outcome.refund), detail)


def _waiting(outcome: Outcome) -> Concern:
    """Say that a refund stays held because of what Stripe answered last, and what to do about it."""
    number = outcome.order.number
    if outcome.refund.refusal_kind == RefusalKind.KEY:
        kind = AlertKind.REFUND_KEY_REFUSED
        detail = f"{TITLES[kind]}, so a refund for order {number} waits and its money stays held. "
        detail += "Please tell whoever looks after the shop."
    else:
        kind = AlertKind.REFUND_UNCLEAR
        detail = f"Stripe does not say what became of a refund for order {number}, so its money stays held. "
        detail += "Please look at it in Stripe's dashboard."
    return Concern(kind, _name(outcome.refund), detail)


def _made_after_all(outcome: Outcome) -> Concern:
    """Say that a refund that was thought to be refused went out, in place of what was said then."""
    detail = f"A refund for order {outcome.order.number} that had been given up went out after all. "
    detail += "It was taken off the certificate again."
    return Concern(AlertKind.REFUND_MADE_AFTER_ALL, _name(outcome.refund), detail)


def _overdrawn(outcome: Outcome) -> Concern:
    """Say that more was paid back at Stripe than was left."""
    detail = f"A refund made at Stripe for order {outcome.order.number} was larger than what was left."
    return Concern(AlertKind.REFUND_OVER_BALANCE, outcome.refund.stripe_refund_id or "", detail)


def _returned(outcome: Outcome) -> Concern:
    """Say that a refund failed after it had gone out, where its money is, and how many gifts' messages that cancelled.

    Nothing came back where no certificate was issued, or all was used.
    """
    order, unsent = outcome.order, len(list_unsent(outcome.order, outcome.returned_to))
    where = " and on the certificate, on hold" if outcome.back_cents else ""
    if order.state == OrderState.IN_REVIEW:
        where = " and no certificate was issued: it is in review again"
    told = [f"The refund for order {order.number} failed: the money is back with you{where}."]
    if outcome.lost_cents:
        told = [f"The refund for order {order.number} failed.", _tell_lost(outcome)]
    if unsent:
        what = "A gift's message was" if unsent == 1 else f"The messages of {unsent} gifts were"
        how = "end the hold, then send it" if unsent == 1 else "end the holds, then send them"
        told.append(f"{what} cancelled with the refund: {how} from the order's page.")
    told.append("The buyer was told that you will be in touch.")
    return Concern(AlertKind.REFUND_FAILED, outcome.refund.stripe_refund_id or "", " ".join(told))


def _tell_lost(outcome: Outcome) -> str:
    """Say how much of the value that came back had gone already, and what is left of it."""
    currency = outcome.order.currency
    told = f"{format_amount(outcome.lost_cents, currency)} of its value had gone already, "
    told += "by a lost dispute or another refund"
    if left_cents := outcome.back_cents - outcome.lost_cents:
        told += f"; {format_amount(left_cents, currency)} of it is on the certificate again"
        told += ", on hold" if outcome.is_on_hold else ""
    return f"{told}."


def _list_letters(outcome: Outcome) -> list[Letter]:
    if outcome.step in (Step.SETTLED, Step.TAKEN, Step.TAKEN_AFTER_ALL):
        return [_letter_of_payback(outcome), *_letters_to_holders(outcome)]
    if outcome.step is Step.RETURNED:
        return [_letter_of_return(outcome), *_letters_of_value(outcome)]
    return []


def _letter_of_payback(outcome: Outcome) -> Letter:
    """Tell the buyer that money is on its way back."""
    refund, order = outcome.refund, outcome.order
    certificate = db.session.get(Certificate, refund.certificate_id) if refund.certificate_id else None
    facts = {
        "order_number": order.number,
        "order_path": order_path(order),
        "amount": format_amount(refund.amount_cents, order.payment_currency),
        "recipient_name": certificate.recipient_name if certificate else "",
        "left": format_amount(certificate.balance_cents, order.currency) if certificate else "",
        "has_ended": certificate is not None and certificate.status == CertificateStatus.VOID,
    }
    return Letter(kind=MessageKind.REFUND, key=_key(refund), to_address=order.buyer_email, facts=facts)


def _letters_to_holders(outcome: Outcome) -> Iterator[Letter]:
    """Tell whoever has a gift that a refund came off what is left of it."""
    for gift, certificates in _gifts_with(set(outcome.taken_from), outcome.order):
        if gift.delivery == "recipient" and deliveries.was_sent(gift.id):
            yield Letter(
                kind=MessageKind.CERTIFICATE_REFUNDED,
                key=f"{_key(outcome.refund)}.{gift.position}",
                to_address=gift.recipient_email,
                facts=_tell_left(certificates, outcome.order.currency),
                gift=gift,
            )


def _letter_of_return(outcome: Outcome) -> Letter:
    """Tell the buyer that a refund did not go through.

    Where some of it was lost, because the money had gone already, only the owner knows who is to be told what: the
    buyer hears no more than that it failed.
    """
    refund, order, returned_to = outcome.refund, outcome.order, outcome.returned_to
    facts = {
        "order_number": order.number,
        "order_path": order_path(order),
        "amount": format_amount(refund.amount_cents, order.payment_currency),
        "was_lost": outcome.lost_cents > 0,
        "recipient_name": returned_to[0].recipient_name if len(returned_to) == 1 else "",
        "has_value": bool(returned_to),
        "unsent": _name_people([gift.recipient_name for gift in list_unsent(order, returned_to)]),
    }
    return Letter(kind=MessageKind.REFUND_RETURNED, key=_key(refund), to_address=order.buyer_email, facts=facts)


def _letters_of_value(outcome: Outcome) -> Iterator[Letter]:
    """Tell whoever was told of a refund that their gift has its value again."""
    returned_to = set() if outcome.lost_cents > 0 else {each.id for each in outcome.returned_to}
    for gift, _certificates in _gifts_with(returned_to, outcome.order):
        if deliveries.was_told(gift.id, MessageKind.CERTIFICATE_REFUNDED):
            key = f"{_key(outcome.refund)}.{gift.position}"
            kind, to_address = MessageKind.CERTIFICATE_RETURNED, gift.recipient_email
            yield Letter(kind=kind, key=key, to_address=to_address, facts={}, gift=gift)


def _name_people(names: list[str]) -> str:
    if len(names) > MOST_NAMES:
        return f"{len(names)} people"
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _gifts_with(certificate_ids: set[int], order: Order) -> Iterator[tuple[Gift, list[Certificate]]]:
    """Yield the gifts that these certificates belong to, each with all of its certificates."""
    issued = certificates_of(order)
    for gift in order.gifts:
        if any(each.id in certificate_ids for each in issued.get(gift.id, [])):
            yield gift, issued[gift.id]


def _tell_left(certificates: list[Certificate], currency: str) -> dict[str, Any]:
    """Return what is left of a gift, as its message says it."""
    alive = [each for each in certificates if each.status != CertificateStatus.VOID]
    return {
        "left": format_amount(sum(each.balance_cents for each in alive), currency),
        "has_ended": not alive,
        "is_several": len(certificates) > 1,
        "is_on_hold": bool(alive) and all(each.status == CertificateStatus.FROZEN for each in alive),
    }


def _key(refund: Refund) -> str:
    return f"refund{refund.id}"


def _name(refund: Refund) -> str:
    return f"refund {refund.id}"
