"""The few calls beyond the shop's own with which Stripe's command line tool sets off events; for `calls`.

Its triggers make a product, a price and a session and confirm the payment page, or confirm a payment intent
with one of Stripe's test payment methods, whose name says what becomes of the payment.
"""

from collections.abc import Callable

import stripe

from giftshop.workbench.state import Workbench
from giftshop.workbench.store import Json
from giftshop.workbench.stripe.api_errors import no_such
from giftshop.workbench.stripe.objects import charges
from giftshop.workbench.stripe.objects.disputes import open_dispute
from giftshop.workbench.stripe.objects.line_items import build_price
from giftshop.workbench.stripe.objects.payments import arrive, settle
from giftshop.workbench.stripe.objects.sessions import get_session
from giftshop.workbench.stripe.objects.skeletons import build
from giftshop.workbench.stripe.webhooks.events import Fact, emit

_NOBODY: Json = {"customer_email": None}
_DISPUTES = {"pm_card_createDispute": "needs_response", "pm_card_createDisputeInquiry": "warning_needs_response"}
# Stripe's test bank accounts whose payments fail in the end.
_FAILING = ("33333335", "000111111116", "AT861904300235473202")


def create_product(bench: Workbench, params: Json) -> Json:
    """Make a product."""
    product = build(
        stripe.Product, id=bench.new_id("prod_", 14), active=True, created=bench.now(), name=params["name"],
        description=params.get("description"), type="service", updated=bench.now(),
    )  # fmt: skip
    return bench.store.put(product)


def create_price(bench: Workbench, params: Json) -> Json:
    """Make a one-time price of a product."""
    unit_amount, product = params["unit_amount"], params["product"]
    price = build_price(bench, currency=params["currency"], unit_amount=unit_amount, product=product)
    return bench.store.put(price)


def create_payment_method(bench: Workbench, params: Json) -> Json:
    """Make a payment method; which bank account it names decides later whether its payment fails."""
    details = build(stripe.PaymentMethod.BillingDetails)
    method = build(
        stripe.PaymentMethod, id=bench.new_id("pm_1"), billing_details=details, created=bench.now(),
        metadata={}, type=params.get("type", "card"),
    )  # fmt: skip
    return bench.store.put(method, hidden={"fails": any(account in str(params) for account in _FAILING)})


def create_payment_intent(bench: Workbench, params: Json) -> Json:
    """Make a payment intent and, when asked to confirm, its charge; a dispute follows for some test cards."""
    method = params.get("payment_method")
    intent = build(
        stripe.PaymentIntent, id=bench.new_id("pi_3"), amount=params["amount"], created=bench.now(),
        currency=params["currency"], description=params.get("description"), metadata=params.get("metadata") or {},
        payment_method=method, payment_method_types=["card"], status="requires_payment_method",
    )  # fmt: skip
    bench.store.put(intent)
    emit(bench, [Fact("payment_intent.created", intent)])
    return _confirmed(bench, intent, method or "") if params.get("confirm") else intent


def get_payment_page(bench: Workbench, _params: Json, session_id: str) -> Json:
    """Return what the payment page of a session knows."""
    return get_session(bench, session_id)


def confirm_payment_page(bench: Workbench, params: Json, session_id: str) -> Json:
    """Pay a session as its page would: at once by card, a moment later by bank."""
    method = bench.store.find(params.get("payment_method", ""), "payment_method")
    if method is None:
        raise no_such("payment_method", params.get("payment_method", ""), param="payment_method")
    if method["type"] == "card":
        settle(bench, session_id, "pay")
    else:
        settle(bench, session_id, "pay_later_ok")
        arrive(bench, session_id, "fail" if bench.store.hidden(method["id"])["fails"] else "ok")
    return get_session(bench, session_id)


def _confirmed(bench: Workbench, intent: Json, method: str) -> Json:
    charge = charges.build_charge(bench, _NOBODY, intent, status="succeeded")
    intent |= {"status": "succeeded", "amount_received": intent["amount"], "latest_charge": charge["id"]}
    bench.store.put(charge)
    bench.store.put(intent)
    emit(bench, [Fact("payment_intent.succeeded", intent), Fact("charge.succeeded", charge)])
    if method in _DISPUTES:
        open_dispute(bench, charge, status=_DISPUTES[method])
    return intent


ROUTES: list[tuple[str, str, str, Callable[..., Json]]] = [
    ("POST", "/v1/products", "ProductCreateParams", create_product),
    ("POST", "/v1/prices", "PriceCreateParams", create_price),
    ("POST", "/v1/payment_methods", "", create_payment_method),
    ("POST", "/v1/payment_intents", "PaymentIntentCreateParams", create_payment_intent),
    ("GET", r"/v1/payment_pages/(\w+)", "", get_payment_page),
    ("POST", r"/v1/payment_pages/(\w+)/confirm", "", confirm_payment_page),
]
