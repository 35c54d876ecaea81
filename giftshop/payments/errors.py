"""What Stripe, or whoever pretends to be Stripe, is refused for or refuses."""

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


class WebhookRefusedError(ShopError):
    """This is not a signed event of ours."""
