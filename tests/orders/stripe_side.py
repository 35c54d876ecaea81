"""What happens at Stripe in a test: buyers pay, banks dispute, owners refund in the dashboard; and telling the shop."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from giftshop import clock
from giftshop.checkout.placing import GiftRequest, place_order
from giftshop.checkout.sessions import open_checkout
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.orders.models import Order
from giftshop.payments.gateway import StripeGateway
from giftshop.payments.shares import list_certificates
from giftshop.reconciliation.webhook_events import handle_event
from tests import build
from tests.workbench.running import RunningWorkbench

BASE = "http://127.0.0.1:8000"


@dataclass
class StripeSide:
    """A simulated Stripe, and the shop's handlers to tell of its events."""

    workbench: RunningWorkbench
    gateway: StripeGateway

    def place(self, *gifts: GiftRequest, **changes: Any) -> Order:
        """Place an order and open its payment page."""
        order = place_order(build.purchase(*gifts, **changes), mode="simulated", at=clock.now())
        db.session.commit()
        open_checkout(order.id, self.gateway, base_url=BASE, visitor=build.visitor("192.0.2.1"))
        return order

    def pay(self, order: Order, outcome: str = "pay") -> str:
        """Let the buyer press a button of the order's newest payment page; return the session's id."""
        session_id = order.attempts[-1].session_id or ""
        self.workbench.post(f"/sessions/{session_id}/settle", {"outcome": outcome})
        return session_id

    def sell(self, *gifts: GiftRequest, **changes: Any) -> Order:
        """Sell an order: placed, paid, and told to the shop."""
        order = self.place(*gifts, **changes)
        session_id = self.pay(order)
        self.tell("checkout.session.completed", session_id)
        assert order.state == "fulfilled"
        return order

    def sell_one(self, amount_cents: int = 50_00) -> tuple[Order, Certificate]:
        """Sell one certificate of an amount; return its order and it."""
        order = self.sell(build.gift_request(offer="amount", amount_cents=amount_cents))
        (certificate,) = list_certificates(order.id)
        return order, certificate

    def tell(self, kind: str, object_id: str, *, event_id: str = "") -> str:
        """Tell the shop that something happened to one of Stripe's objects; return what came of it."""
        return tell(kind, object_id, self.gateway, event_id=event_id)

    def refund(self, order: Order, amount_cents: int) -> str:
        """Pay back in Stripe's dashboard; return the refund's id. The shop is not told."""
        asked = {"payment_intent": order.payment_intent_id, "amount": amount_cents}
        refund_id: str = self.workbench.post("/refunds", asked)["id"]
        return refund_id

    def dispute(self, order: Order, amount_cents: int | None = None, *, status: str = "needs_response") -> str:
        """Let the buyer's bank question the payment; return the dispute's id. The shop is not told."""
        asked = {"payment_intent": order.payment_intent_id, "status": status}
        asked |= {"amount": amount_cents} if amount_cents else {}
        dispute_id: str = self.workbench.post("/disputes", asked)["id"]
        return dispute_id

    def decide(self, dispute_id: str, status: str) -> None:
        """Let the bank move a dispute to another status. The shop is not told."""
        self.workbench.post(f"/disputes/{dispute_id}/status", {"status": status})


def tell(kind: str, object_id: str, gateway: StripeGateway, *, event_id: str = "") -> str:
    """Handle an event as the webhook does once its signature is checked."""
    event = {
        "id": event_id or f"evt_{build.request_key().replace('-', '_')}",
        "type": kind,
        "livemode": False,
        "data": {"object": {"id": object_id}},
    }
    outcome = handle_event(event, gateway)
    db.session.commit()
    return outcome


class Remembered:
    """A gateway that has asked Stripe everything once: for many orders of events about things that change no more."""

    def __init__(self, gateway: StripeGateway) -> None:
        self._gateway, self._known = gateway, dict[Any, Any]()

    def __getattr__(self, name: str) -> Any:
        def ask(*args: Any, **kwargs: Any) -> Any:
            asked = (name, args, tuple(sorted(kwargs.items())))
            if asked not in self._known:
                answer = getattr(self._gateway, name)(*args, **kwargs)
                self._known[asked] = list(answer) if isinstance(answer, Iterator) else answer
            return self._known[asked]

        return ask


class Question(NamedTuple):
    """What Stripe was asked, with how much patience, and whether a transaction was open meanwhile."""

    name: str
    patience: Any
    in_transaction: bool


class Watched:
    """A gateway whose questions are noted."""

    def __init__(self, gateway: StripeGateway) -> None:
        self._gateway, self.asked = gateway, list[Question]()

    @property
    def gateway(self) -> StripeGateway:
        """The same gateway, as the shop calls it."""
        return cast(StripeGateway, self)

    def __getattr__(self, name: str) -> Any:
        def ask(*args: Any, **kwargs: Any) -> Any:
            self.asked.append(Question(name, kwargs.get("patience"), db.session().in_transaction()))
            return getattr(self._gateway, name)(*args, **kwargs)

        return ask
