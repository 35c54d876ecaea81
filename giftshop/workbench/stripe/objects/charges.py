"""Payment intents and charges in each of their states, and the session they complete; for `payments`."""

from stripe import Charge, PaymentIntent
from stripe.checkout import Session

from giftshop.workbench.state import Workbench
from giftshop.workbench.store import Json
from giftshop.workbench.stripe.objects.skeletons import build

_ADDRESS = {"city": None, "country": "US", "line1": None, "line2": None, "postal_code": "81301", "state": None}
_NOT_FOUND: Json = {}


def intent_and_charge(bench: Workbench, session: Json) -> tuple[Json, Json]:
    """Return the payment intent and the newest charge of a session that someone tried to pay."""
    intent = bench.store.find(bench.store.hidden(session["id"])["payment_intent"]) or _NOT_FOUND
    return intent, bench.store.find(intent["latest_charge"]) or _NOT_FOUND


def build_intent(bench: Workbench, session: Json) -> Json:
    """Return the session's payment intent: a new one, or the one an earlier declined try left."""
    hidden = bench.store.hidden(session["id"])
    if "payment_intent" in hidden:
        return bench.store.find(hidden["payment_intent"]) or _NOT_FOUND
    data = hidden["payment_intent_data"]
    given = {name: data[name] for name in data.keys() & PaymentIntent.__annotations__.keys()}
    intent_id = bench.new_id("pi_3")
    intent = build(
        PaymentIntent, **{"metadata": {}} | given, id=intent_id, amount=session["amount_total"],
        capture_method="automatic_async", client_secret=bench.new_id(f"{intent_id}_secret_"), created=bench.now(),
        currency=session["currency"], payment_method=bench.new_id("pm_1"), payment_method_options={},
        payment_method_types=["card"], status="requires_payment_method",
    )  # fmt: skip
    bench.store.put(intent)
    bench.store.put(session, hidden={**hidden, "payment_intent": intent_id})
    return intent


def build_charge(bench: Workbench, session: Json, intent: Json, *, status: str) -> Json:
    """Return a new charge that succeeded, failed or is pending."""
    paid = status == "succeeded"
    charge_id = bench.new_id("ch_3")
    copied = ("amount", "currency", "description", "metadata", "receipt_email", "statement_descriptor_suffix")
    return build(
        Charge, **{name: intent[name] for name in copied}, id=charge_id, created=bench.now(), status=status,
        amount_captured=intent["amount"] if paid else 0, captured=paid, paid=paid,
        balance_transaction=bench.new_id("txn_3") if paid else None, billing_details=_billing(session),
        calculated_statement_descriptor="GIFTSHOP", fraud_details={}, outcome=_outcome(status),
        payment_intent=intent["id"], payment_method=intent["payment_method"],
        payment_method_details=_bank() if status == "pending" else _card(),
        receipt_url=f"{bench.config.url}/c/receipt/{charge_id}",
    )  # fmt: skip


def complete_session(session: Json, intent: Json, payment_status: str) -> Json:
    """Return the session as it is after the buyer is done with the page: paid, or unpaid with money on its way."""
    details = build(Session.CustomerDetails, address=_ADDRESS, email=buyer_email(session), name="Sample Buyer")
    return session | {
        "status": "complete", "payment_status": payment_status, "payment_intent": intent["id"], "url": None,
        "customer_details": {**details, "tax_exempt": "none", "tax_ids": []},
    }  # fmt: skip


def buyer_email(session: Json) -> str:
    """Return the address the shop prefilled, or the sample buyer's."""
    email: str = session["customer_email"] or "buyer@example.com"
    return email


def last_error(charge: Json) -> Json:
    """Return what a payment intent says about its failed charge."""
    return build(
        PaymentIntent.LastPaymentError, type="card_error", code=charge["failure_code"], charge=charge["id"],
        message=charge["failure_message"], decline_code="generic_decline",
    )  # fmt: skip


def _billing(session: Json) -> Json:
    return build(Charge.BillingDetails, address=_ADDRESS, email=buyer_email(session), name="Sample Buyer")


def _outcome(status: str) -> Json:
    declined = status == "failed"
    return build(
        Charge.Outcome, network_status="declined_by_network" if declined else "approved_by_network",
        reason="generic_decline" if declined else None, risk_level="normal", risk_score=20,
        seller_message="The bank declined the payment." if declined else "Payment complete.",
        type="issuer_declined" if declined else "authorized",
    )  # fmt: skip


def _card() -> Json:
    card = build(
        Charge.PaymentMethodDetails.Card, brand="visa", country="US", exp_month=12, exp_year=2034, funding="credit",
        last4="4242", network="visa",
        checks=build(Charge.PaymentMethodDetails.Card.Checks, address_postal_code_check="pass", cvc_check="pass"),
    )  # fmt: skip
    return {"type": "card", "card": card}


def _bank() -> Json:
    bank = build(Charge.PaymentMethodDetails.UsBankAccount, bank_name="SIMULATED BANK", last4="6789")
    return {"type": "us_bank_account", "us_bank_account": bank}
