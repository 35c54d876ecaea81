"""Cases 1, 4, 6, 7, 8 and 37: buyers who pay and return, return first, never return, or only pretend."""

import requests

from tests import buyer
from tests.stripe_cases.purchases import Purchase, heading
from tests.stripe_cases.scene import Scene, until
from tests.stripe_cases.verdicts import assert_issued_once, assert_nothing_issued, assert_page_says

NOT_PAID = "Not paid yet"


def test_case_01_a_paid_session_makes_one_certificate_and_a_page_that_says_so(order: Purchase, scene: Scene) -> None:
    session_id = order.session_id
    back = buyer.pay(order.session()["url"])
    assert back == f"{order.address}?session_id={session_id}"
    assert order.state == "fulfilled", "Stripe's page waits for the webhook before it leads back"
    webhooks = [answer for answer in scene.answered() if answer.route == "/webhooks/stripe"]
    assert {answer.status for answer in webhooks} == {200}
    assert max(answer.milliseconds for answer in webhooks) < 2000
    assert heading(requests.get(back, timeout=30)).startswith("Thank you, Marko. Ana’s massage ")
    assert_issued_once(order)
    (gift,) = order.mails()[1]
    (code,) = set(buyer.codes_in(gift))
    received = requests.get(f"{scene.shop.url}/c/{code}", timeout=30)
    assert heading(received) == "Ana, you have $50.00 to spend"


def test_case_01_stripe_is_asked_for_exactly_what_the_order_says(order: Purchase, scene: Scene) -> None:
    (call,) = order.created()
    metadata = {"shop": scene.records.instance_id(), "order_id": order.public_id, "attempt": "1"}
    expected = {
        "mode": "payment",
        "client_reference_id": order.public_id,
        "customer_email": order.buyer_email,
        "cancel_url": f"{scene.shop.url}/gift?order={order.token}",
        "allowed_payment_method_types[0]": "card",
        "adaptive_pricing[enabled]": "false",
        "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": "usd",
        "line_items[0][price_data][unit_amount]": "5000",
        **{f"metadata[{name}]": value for name, value in metadata.items()},
        **{f"payment_intent_data[metadata][{name}]": value for name, value in metadata.items()},
    }
    assert expected.items() <= call["form"].items()
    assert call["idempotency_key"] == f"{metadata['shop']}:order:{order.public_id}:cs:1"
    assert "line_items[1][quantity]" not in call["form"]
    assert "allow_promotion_codes" not in call["form"]


def test_case_04_the_order_page_itself_fulfils_when_the_webhook_is_late(order: Purchase, scene: Scene) -> None:
    event = order.settle_untold()
    assert order.state == "awaiting_payment"
    assert heading(order.open()).startswith("Thank you, Marko.")
    assert_issued_once(order)
    before = order.everything()
    scene.redeliver(event)
    assert order.everything() == before
    assert_issued_once(order)


def test_case_06_a_buyer_who_never_returns_has_paid_all_the_same(order: Purchase, scene: Scene) -> None:
    stays = requests.post(order.session()["url"], data={"outcome": "pay_no_return"}, timeout=30, allow_redirects=False)
    assert stays.status_code == 200
    until(lambda: order.state == "fulfilled", "the webhook alone")
    order.wait_until_mailed()
    assert [len(mails) for mails in order.mails()] == [1, 1]
    assert "/orders/<token>" not in {answer.route for answer in scene.answered()}
    assert_issued_once(order)


def test_case_07_reconciliation_finds_a_payment_whose_webhooks_are_lost_for_ever(order: Purchase, scene: Scene) -> None:
    event = order.settle_untold()
    assert_nothing_issued(order)
    scene.reconcile()
    assert_issued_once(order)
    before = order.everything()
    scene.reconcile()
    assert order.everything() == before
    assert scene.tell(event).status_code == 200
    assert order.everything() == before
    assert_issued_once(order)


def test_case_08_an_address_cannot_claim_a_payment(order: Purchase, scene: Scene) -> None:
    untold, told = Purchase(scene).place(), Purchase(scene).place(**{"gifts-0-delivery": "print"})
    untold.settle_untold()
    told.pay()
    assert "/c/" in told.open().text, "what is to be stolen"
    others = [untold.session_id, told.session_id]
    calls = len(scene.bench.requests())
    for claim in [order.session_id, *others, "../../v1/refunds", "cs_test_unknown", "{CHECKOUT_SESSION_ID}", ""]:
        assert_page_says(order, NOT_PAID, query=f"?session_id={claim}")
        assert scene.browser().get(f"{scene.shop.url}/orders/unknown?session_id={claim}").status_code == 404
    assert_page_says(order, NOT_PAID)
    asked = {call["path"] for call in scene.bench.requests()[calls:]}
    assert asked <= {f"/v1/checkout/sessions/{order.session_id}"}
    assert_nothing_issued(order)
    assert_nothing_issued(untold)
    assert order.session()["status"] == "open"


def test_case_37_the_placeholder_reaches_stripe_as_it_is_and_comes_back_filled(order: Purchase) -> None:
    (call,) = order.created()
    assert call["form"]["success_url"] == f"{order.address}?session_id={{CHECKOUT_SESSION_ID}}"
    assert "%7BCHECKOUT_SESSION_ID%7D" in call["body"], "encoded once, by the form"
    assert "%257B" not in call["body"]
    session_id = order.session_id
    assert buyer.pay(order.session()["url"]).endswith(f"?session_id={session_id}")
