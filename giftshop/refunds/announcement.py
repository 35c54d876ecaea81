"""What people hear of a refund: the owner by alerts, the buyer and whoever has the gift by letters, each in true words.

The office's refunds and those made in Stripe's dashboard are told alike.
"""

from collections.abc import Iterator
from typing import Any

from giftshop.delivery import deliveries
from giftshop.delivery.kinds import MessageKind
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.ledger.states import CertificateStatus
from giftshop.money import format_amount
from giftshop.notifications.announcing import Act, Announcement, Letter
from giftshop.notifications.kinds import AlertKind
from giftshop.notifications.letters import order_path
from giftshop.orders.models import Refund
from giftshop.refunds.booking import Outcome, Step
from giftshop.refunds.concerns import gifts_with, list_concerns, list_unsent, name_refund
from giftshop.words import _, ngettext

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
    done = [(kind, name_refund(refund)) for kind in WAITING] if outcome.was_held else []
    if outcome.step is Step.TAKEN_AFTER_ALL:
        done.append((AlertKind.REFUND_REFUSED, name_refund(refund)))
    return Announcement(
        order=outcome.order,
        acts=[act_of(refund, ACTS[outcome.step])] if outcome.step in ACTS else [],
        done=done,
        concerns=list_concerns(outcome),
        letters=_list_letters(outcome),
    )


def act_of(refund: Refund, kind: Activity, *, actor: str = "stripe") -> Act:
    """Return the line of the activity log about a refund."""
    facts = {"amount_cents": refund.amount_cents, "reason": refund.reason}
    return Act(kind=kind, actor=actor, certificate_id=refund.certificate_id, facts=facts)


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
    for gift, certificates in gifts_with(set(outcome.taken_from), outcome.order):
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
    for gift, _certificates in gifts_with(returned_to, outcome.order):
        if deliveries.was_told(gift.id, MessageKind.CERTIFICATE_REFUNDED):
            key = f"{_key(outcome.refund)}.{gift.position}"
            kind, to_address = MessageKind.CERTIFICATE_RETURNED, gift.recipient_email
            yield Letter(kind=kind, key=key, to_address=to_address, facts={}, gift=gift)


def _name_people(names: list[str]) -> str:
    if len(names) > MOST_NAMES:
        return ngettext("%(num)s person", "%(num)s people", len(names))
    if len(names) < 2:
        return "".join(names)
    return _("%(names)s and %(last)s", names=", ".join(names[:-1]), last=names[-1])


def _tell_left(certificates: list[Certificate], currency: str) -> dict[str, Any]:
    """Return what is left of a gift, as its message says it."""
    alive = [each for each in certificates if each.status != CertificateStatus.VOID]
    left_cents = sum(each.balance_cents for each in alive)
    return {
        "left": format_amount(left_cents, currency) if all(each.is_left_told for each in alive) else "",
        "has_ended": not alive,
        "is_several": len(certificates) > 1,
        "is_on_hold": bool(alive) and all(each.status == CertificateStatus.FROZEN for each in alive),
    }


def _key(refund: Refund) -> str:
    return f"refund{refund.id}"
