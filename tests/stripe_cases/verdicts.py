"""What "issued" and "nothing issued" mean: buyer's page, mail, ledger and Stripe all say the same, for every case."""

import re

from tests import buyer
from tests.stripe_cases.purchases import Purchase, heading, words


def assert_issued_once(order: Purchase, *, cents: int = 50_00) -> None:
    """The order is paid and led to one certificate, one entry, one receipt and one gift, wherever one looks."""
    assert order.state == "fulfilled"
    order.wait_until_mailed()
    assert_booked_once(order, cents=cents)
    _assert_page_says_paid(order, cents=cents)
    _assert_mailed_once(order)
    _assert_charged_once(order, cents=cents)


def assert_booked_once(order: Purchase, *, cents: int = 50_00) -> None:
    """The ledger holds one certificate of this value for the order, issued by one entry."""
    (certificate,) = order.scene.records.certificates(order.public_id)
    (entry,) = order.scene.records.entries(order.public_id)
    facts = (certificate["face_value_cents"], certificate["balance_cents"], certificate["status"])
    assert facts == (cents, cents, "active")
    assert (entry["kind"], entry["amount_cents"], entry["balance_after_cents"]) == ("issue", cents, cents)
    assert entry["external_ref"] == order.row["payment_intent_id"]


def assert_nothing_issued(order: Purchase) -> None:
    """The order has no certificate, no entry, and no message that would tell of one; nobody got any."""
    records, public_id = order.scene.records, order.public_id
    assert records.certificates(public_id) == []
    assert records.entries(public_id) == []
    assert {row["kind"] for row in records.messages(public_id)} <= {"payment_failed", "alert"}
    to_buyer, to_recipient = order.mails()
    assert to_recipient == []
    assert [link for mail in to_buyer for link in mail["links"] if "/c/" in link] == []
    assert order.row["paid_at"] is None


def assert_page_says(order: Purchase, title: str, *, query: str = "") -> None:
    """The order's page says this first, whatever its address claims, and shows no code and no trace of a program."""
    page = order.open(query)
    assert page.status_code == 200
    assert heading(page) == title
    assert "/c/" not in page.text
    assert "Traceback" not in page.text


def _assert_page_says_paid(order: Purchase, *, cents: int) -> None:
    page = order.open()
    assert page.status_code == 200
    assert heading(page) == "Thank you, Marko. Ana’s massage has been sent."
    assert re.search(rf"{re.escape(money(cents))} paid on [^.]+\. Order {order.number}\.", words(page))
    assert f"Emailed to {order.recipient_email} on " in words(page)
    assert "/c/" not in page.text, "the code went to Ana, not to Marko"


def _assert_mailed_once(order: Purchase) -> None:
    to_buyer, to_recipient = order.mails()
    receipts = [mail for mail in to_buyer if mail["subject"] == f"Your order {order.number} at Focused Care"]
    assert len(receipts) == 1
    (gift,) = to_recipient
    assert gift["subject"] == "Marko sent you a massage at Focused Care"
    assert len(set(buyer.codes_in(gift))) == 1
    assert len(gift["attachments"]) == 1


def _assert_charged_once(order: Purchase, *, cents: int) -> None:
    intent = order.scene.bench.get(f"/objects/{order.row['payment_intent_id']}")
    charge = order.scene.bench.get(f"/objects/{intent['latest_charge']}")
    assert (intent["status"], intent["amount_received"], intent["currency"]) == ("succeeded", cents, "usd")
    assert intent["metadata"]["order_id"] == order.public_id
    assert (charge["amount"], charge["amount_refunded"], charge["disputed"]) == (cents, 0, False)


def money(cents: int) -> str:
    """Write an amount as the shop does."""
    return f"${cents / 100:,.2f}"
