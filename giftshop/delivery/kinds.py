"""The kinds of messages as one table: what their subjects say, what people call them, and which bring a gift.

The template of a kind has its name (templates/emails/). A new kind is a row here and a template.
"""

from dataclasses import dataclass
from enum import StrEnum, auto

from giftshop.words import N_, _


class MessageKind(StrEnum):
    """What a message is about; the name of its template."""

    RECEIPT = auto()
    GIFT = auto()
    CERTIFICATE = auto()
    PAYMENT_FAILED = auto()
    WAY_IN = auto()
    REFUND = auto()
    CERTIFICATE_REFUNDED = auto()
    REFUND_RETURNED = auto()
    CERTIFICATE_RETURNED = auto()
    REISSUED = auto()
    USED = auto()
    USED_UNDONE = auto()
    WAITING = auto()
    UNREACHED = auto()
    ALERT = auto()
    DAILY = auto()


@dataclass(frozen=True, slots=True)
class Kind:
    """One row: `subjects` from the fullest to the shortest, each with facts as its values, for where names are long
    or where a fact is not to be told and therefore empty.

    `brings` says that it brings a gift for the first time, to its recipient or to the buyer.
    """

    label: str
    subjects: tuple[str, ...]
    brings: bool = False


KINDS: dict[MessageKind, Kind] = {
    MessageKind.RECEIPT: Kind(
        N_("Receipt"), (N_("Your order %(order_number)s at %(short_name)s"), N_("Your order %(order_number)s"))
    ),
    MessageKind.GIFT: Kind(
        N_("Gift message"),
        (N_("%(giver_name)s sent you a massage at %(short_name)s"), N_("%(giver_name)s sent you a massage")),
        brings=True,
    ),
    MessageKind.CERTIFICATE: Kind(
        N_("Certificate to print"), (N_("Your gift certificate for %(recipient_name)s"),), brings=True
    ),
    MessageKind.PAYMENT_FAILED: Kind(
        N_("“Payment failed”"), (N_("Your payment for order %(order_number)s didn’t go through"),)
    ),
    MessageKind.WAY_IN: Kind(
        N_("Link to change the order"),
        (N_("Change your order %(order_number)s at %(short_name)s"), N_("Change your order %(order_number)s")),
    ),
    MessageKind.REFUND: Kind(N_("“Money on its way back”"), (N_("%(amount)s is on its way back"),)),
    MessageKind.CERTIFICATE_REFUNDED: Kind(
        N_("“Certificate refunded”"),
        (N_("Your certificate at %(short_name)s was refunded"), N_("Your certificate was refunded")),
    ),
    MessageKind.REFUND_RETURNED: Kind(N_("“Could not be paid back”"), (N_("%(amount)s could not be paid back"),)),
    MessageKind.CERTIFICATE_RETURNED: Kind(N_("“Gift has its value again”"), (N_("Your gift has its value again"),)),
    MessageKind.REISSUED: Kind(N_("New certificate"), (N_("Your new certificate code"),)),
    MessageKind.USED: Kind(
        N_("“Certificate used”"), (N_("%(left)s left on your certificate"), N_("Your certificate is used up"))
    ),
    MessageKind.USED_UNDONE: Kind(
        N_("“Amount put back”"),
        (N_("%(amount)s is back on your certificate"), N_("What was taken off your certificate is back")),
    ),
    MessageKind.WAITING: Kind(N_("“When your gift goes out”"), ("%(goes)s", N_("When your gift goes out"))),
    MessageKind.UNREACHED: Kind(
        N_("“We couldn’t reach them”"),
        (N_("We couldn’t reach %(recipient_name)s"), N_("We couldn’t deliver your gift")),
    ),
    MessageKind.ALERT: Kind(N_("Alert to the practice"), (N_("Needs you: %(what)s"),)),
    MessageKind.DAILY: Kind(
        N_("Daily report"),
        (N_("%(redeemed)s used, %(sold)s sold: your day at %(short_name)s"), N_("%(redeemed)s used, %(sold)s sold")),
    ),
}
BRINGING = tuple(kind for kind, row in KINDS.items() if row.brings)


def name_message(kind: str) -> str:
    """Return what people call a message of this kind."""
    return _(KINDS[MessageKind(kind)].label)
