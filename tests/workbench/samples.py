"""Parameters like the shop's own, for the tests of the workbench."""

import time
from collections.abc import Callable, Mapping
from typing import Any

MakeSession = Callable[..., Any]


def headers_of(answered: Any) -> Mapping[str, str]:
    """The headers of the answer an object of the SDK came in."""
    found: Mapping[str, str] = answered.last_response.headers
    return found


def session_params() -> Any:
    """Parameters like the shop's, for one certificate of 5000 usd."""
    about = {"order_id": "17", "shop": "test", "attempt": "1"}
    return {
        "mode": "payment",
        "success_url": "http://127.0.0.1:8000/orders/abc?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://127.0.0.1:8000/orders/abc",
        "client_reference_id": "17",
        "customer_email": "ana@example.com",
        "expires_at": int(time.time()) + 40 * 60,
        "allowed_payment_method_types": ["card"],
        "adaptive_pricing": {"enabled": False},
        "metadata": about,
        "payment_intent_data": {"metadata": about, "description": "A gift", "statement_descriptor_suffix": "GIFT"},
        "line_items": [line(5000)],
    }


def line(unit_amount: Any, *, currency: str = "usd", quantity: int = 1) -> dict[str, Any]:
    product = {"name": "Gift certificate"}
    return {
        "quantity": quantity,
        "price_data": {"currency": currency, "unit_amount": unit_amount, "product_data": product},
    }


def priced(**data: Any) -> dict[str, Any]:
    """A line of 5000 whose price says only this."""
    return {"quantity": 1, "price_data": {"unit_amount": 5000, **data}}
