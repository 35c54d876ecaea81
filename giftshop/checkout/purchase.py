"""What a buyer asks for, as the form hands it to `place_order`."""

from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Literal

DeliveryWay = Literal["recipient", "buyer", "print"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftRequest:
    """One gift as typed and checked: `offer` is an offer's slug, or "amount" with `amount_cents` (minor units)."""

    offer: str
    amount_cents: int | None
    recipient_name: str
    giver_name: str
    message: str
    design: str
    delivery: DeliveryWay
    recipient_email: str = ""
    deliver_on: date | None = None
    quantity: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """One order to be: its gifts, and who pays. `replaces` is the token of an unpaid order this one stands in for."""

    gifts: list[GiftRequest] = field(default_factory=list)
    buyer_email: str
    request_key: str
    client_address: str = ""
    replaces: str = ""

    def content(self) -> dict[str, object]:
        """Return what makes two requests the same: everything but the key and where it came from."""
        gifts = [{**asdict(gift), "deliver_on": gift.deliver_on and gift.deliver_on.isoformat()} for gift in self.gifts]
        return {"gifts": gifts, "buyer_email": self.buyer_email}
