"""The kinds of messages as one table: what their subjects say, what people call them, and which bring a gift.

The template of a kind has its name (templates/emails/). A new kind is a row here and a template.
"""

from dataclasses import dataclass
from enum import StrEnum, auto


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
    """One row: `subjects` from the fullest to the shortest, for where names are long.

    `brings` says that it brings a gift for the first time, to its recipient or to the buyer.
    """

    label: str
    subjects: tuple[str, ...]
    brings: bool = False


KINDS: dict[MessageKind, Kind] = {
    MessageKind.RECEIPT: Kind("Receipt", ("Your order {order_number} at {short_name}", "Your order {order_number}")),
    MessageKind.GIFT: Kind(
        "Gift message",
        ("{giver_name} sent you a massage at {short_name}", "{giver_name} sent you a massage"),
        brings=True,
    ),
    MessageKind.CERTIFICATE: Kind("Certificate to print", ("Your gift certificate for {recipient_name}",), brings=True),
    MessageKind.PAYMENT_FAILED: Kind("“Payment failed”", ("Your payment for order {order_number} didn't go through",)),
    MessageKind.WAY_IN: Kind(
        "Link to change the order",
        ("Change your order {order_number} at {short_name}", "Change your order {order_number}"),
    ),
    MessageKind.REFUND: Kind("“Money on its way back”", ("{amount} is on its way back",)),
    MessageKind.CERTIFICATE_REFUNDED: Kind(
        "“Certificate refunded”",
        ("Your certificate at {short_name} was refunded", "Your certificate was refunded"),
    ),
    MessageKind.REFUND_RETURNED: Kind("“Could not be paid back”", ("{amount} could not be paid back",)),
    MessageKind.CERTIFICATE_RETURNED: Kind("“Gift has its value again”", ("Your gift has its value again",)),
    MessageKind.REISSUED: Kind("New certificate", ("Your new certificate code",)),
    MessageKind.USED: Kind("“Certificate used”", ("{left} left on your certificate",)),
    MessageKind.USED_UNDONE: Kind("“Amount put back”", ("{amount} is back on your certificate",)),
    MessageKind.WAITING: Kind("“When your gift goes out”", ("{goes}", "When your gift goes out")),
    MessageKind.UNREACHED: Kind(
        "“We couldn’t reach them”", ("We couldn't reach {recipient_name}", "We couldn't deliver your gift")
    ),
    MessageKind.ALERT: Kind("Alert to the practice", ("Needs you: {what}",)),
    MessageKind.DAILY: Kind(
        "Daily report", ("{redeemed} used, {sold} sold: your day at {short_name}", "{redeemed} used, {sold} sold")
    ),
}
BRINGING = tuple(kind for kind, row in KINDS.items() if row.brings)


def name_message(kind: str) -> str:
    """Return what people call a message of this kind."""
    return KINDS[MessageKind(kind)].label
