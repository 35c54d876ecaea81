"""What Stripe, or whoever pretends to be Stripe, is refused for or refuses."""

from enum import StrEnum, auto

from giftshop.errors import CheckoutRefusedError, ShopError
from giftshop.payments.facts import (
    Refusal,
)


class ParametersChangedError(ShopError):
    """Stripe has this idempotency key with other parameters."""


class RefusedByStripeError(CheckoutRefusedError):
    """Stripe refused it."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.words)
        self.refusal = refusal


class WebhookReason(StrEnum):
    """Why an event was refused: what stands in the log, and what an alert tells people to look at."""

    UNSIGNED = auto()
    MALFORMED = auto()
    FOREIGN = auto()
    LATE = auto()
    EARLY = auto()


class WebhookRefusedError(ShopError):
    """This is not a signed event of ours."""

    def __init__(self, reason: WebhookReason) -> None:
        super().__init__()
        self.reason = reason
