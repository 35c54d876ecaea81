"""The kinds of alerts as one table: the title under which each is mailed to the practice.

A new kind is a row here; what is to be said of the case, whoever raises it says.
"""

from enum import StrEnum, auto

from giftshop.words import N_


class AlertKind(StrEnum):
    """What a person has to look at."""

    IN_REVIEW = auto()
    PAID_TWICE = auto()
    CHECKOUT_REFUSED = auto()
    WRONG_MODE_EVENT = auto()
    DISPUTE_INQUIRY = auto()
    DISPUTE_OPENED = auto()
    DISPUTE_APPEALED = auto()
    DISPUTE_LOST = auto()
    DISPUTE_RECOVERED = auto()
    ENDED_HAS_VALUE = auto()
    FRAUD_WARNING = auto()
    REFUND_REFUSED = auto()
    REFUND_KEY_REFUSED = auto()
    REFUND_UNCLEAR = auto()
    REFUND_MADE_AFTER_ALL = auto()
    REFUND_OVER_BALANCE = auto()
    REFUND_FAILED = auto()
    SESSION_WITHOUT_ORDER = auto()
    ORDER_RECOVERED = auto()
    RECONCILIATION_OVERDUE = auto()
    MANY_FAILED_SCANS = auto()
    WEBHOOK_REFUSED = auto()
    CLOCK_WAS_AHEAD = auto()
    UNPRINTABLE = auto()
    CODES_GUESSED = auto()
    UNPAID_FLOOD = auto()
    SIGN_IN_LOCKED = auto()
    NEW_DEVICE = auto()
    REFUND_WISHED = auto()
    MAIL_STUCK = auto()


TITLES: dict[AlertKind, str] = {
    AlertKind.IN_REVIEW: N_("An order needs your review"),
    AlertKind.PAID_TWICE: N_("An order was paid twice"),
    AlertKind.CHECKOUT_REFUSED: N_("A buyer could not pay"),
    AlertKind.WRONG_MODE_EVENT: N_("An event of the other mode arrived"),
    AlertKind.DISPUTE_INQUIRY: N_("A bank asks about a payment"),
    AlertKind.DISPUTE_OPENED: N_("A payment is disputed"),
    AlertKind.DISPUTE_APPEALED: N_("A lost dispute goes on"),
    AlertKind.DISPUTE_LOST: N_("A dispute was lost"),
    AlertKind.DISPUTE_RECOVERED: N_("A lost dispute was won"),
    AlertKind.ENDED_HAS_VALUE: N_("A certificate that had ended has value"),
    AlertKind.FRAUD_WARNING: N_("A payment may be fraud"),
    AlertKind.REFUND_REFUSED: N_("A refund was refused"),
    AlertKind.REFUND_KEY_REFUSED: N_("Stripe does not accept the shop’s key"),
    AlertKind.REFUND_UNCLEAR: N_("A refund is unclear"),
    AlertKind.REFUND_MADE_AFTER_ALL: N_("A refund went out after all"),
    AlertKind.REFUND_OVER_BALANCE: N_("A refund was larger than the balance"),
    AlertKind.REFUND_FAILED: N_("A refund failed"),
    AlertKind.SESSION_WITHOUT_ORDER: N_("A payment without an order"),
    AlertKind.ORDER_RECOVERED: N_("An order came back after a restore"),
    AlertKind.RECONCILIATION_OVERDUE: N_("The books wait for Stripe"),
    AlertKind.MANY_FAILED_SCANS: N_("Many wrong codes at the counter"),
    AlertKind.WEBHOOK_REFUSED: N_("Stripe’s messages are not believed"),
    AlertKind.CLOCK_WAS_AHEAD: N_("The shop’s clock was wrong"),
    AlertKind.UNPRINTABLE: N_("A certificate cannot be printed"),
    AlertKind.CODES_GUESSED: N_("Somebody is guessing codes"),
    AlertKind.UNPAID_FLOOD: N_("Many orders that nobody pays"),
    AlertKind.SIGN_IN_LOCKED: N_("A sign-in is locked"),
    AlertKind.NEW_DEVICE: N_("A sign-in on a new device"),
    AlertKind.REFUND_WISHED: N_("A buyer asks for the money back"),
    AlertKind.MAIL_STUCK: N_("Mail does not go out"),
}
PAGES: dict[AlertKind, str] = {
    AlertKind.REFUND_WISHED: "/office/orders/{order_id}/asked-back",
}
"""Where an alert about an order is answered, other than on the order's own page."""


def page_of(kind: AlertKind, order_id: int | None) -> str:
    """Return the office's page on which an alert is best looked at."""
    if order_id is None:
        return "/office/"
    return PAGES.get(kind, "/office/orders/{order_id}").format(order_id=order_id)
