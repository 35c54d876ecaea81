"""An address that looks misspelt is asked about once, with one press to take the other and one to keep it."""

import re

from werkzeug.test import TestResponse

from giftshop import clock
from giftshop.orders.look_up import token_of
from tests.orders.stripe_side import StripeSide
from tests.storefront.conftest import Fields, Visitor, errors_of, heading, orders
from tests.storefront.order_buyer import buy, messages, put

WRONG, RIGHT = "ana@gmial.com", "ana@gmail.com"


def buttons(page: TestResponse) -> dict[str, dict[str, str]]:
    """Return what the buttons of a question send, by their words."""
    found = re.findall(r"<button([^>]*)>((?:Use|Keep) [^<]*)</button>", page.text)
    return {words: dict([pressed]) for words, pressed in ((words, _sent(attributes)) for attributes, words in found)}


def _sent(attributes: str) -> tuple[str, str]:
    name, value = re.search(r'name="([^"]*)"', attributes), re.search(r'value="([^"]*)"', attributes)
    return (name[1], value[1]) if name and value else ("", "")


def test_one_press_takes_what_was_meant_and_goes_on_to_payment(paying: Visitor) -> None:
    paying.open("/gift")
    page = paying.send("/gift", paying.fill_gift(recipient_email=WRONG))
    assert page.status_code == 422
    assert errors_of(page) == {"gifts-0-recipient_email": f"Did you mean {RIGHT}?"}
    assert "A question first" in page.text
    assert "Error: Did you" not in page.text
    assert orders() == []
    assert paying.send("/gift", buttons(page)[f"Use {RIGHT}"]).status_code == 303
    assert [gift.recipient_email for gift in orders()[0].gifts] == [RIGHT]


def test_one_press_keeps_what_was_typed_and_nobody_is_asked_again(paying: Visitor) -> None:
    paying.open("/gift")
    page = paying.send("/gift", paying.fill_gift(recipient_email=WRONG, giver_name=""))
    assert errors_of(page) == {
        "gifts-0-recipient_email": f"Did you mean {RIGHT}?",
        "gifts-0-giver_name": "Enter your name",
    }
    assert buttons(page)[f"Keep {WRONG}"] == {"": ""}
    page = paying.send("/gift", buttons(page)[f"Keep {WRONG}"])
    assert errors_of(page) == {"gifts-0-giver_name": "Enter your name"}
    assert paying.send("/gift", {"gifts-0-giver_name": "Marko"}).status_code == 303
    (order,) = orders()
    assert order.gifts[0].recipient_email == WRONG
    paying.open(f"/gift?order={token_of(order)}")
    assert paying.send("/gift", {"gifts-0-message": "Else."}).status_code == 303


def test_the_buyers_own_address_is_asked_about_too_and_each_by_itself(paying: Visitor) -> None:
    paying.open("/gift")
    page = paying.send("/gift", {**paying.fill_gift(recipient_email=WRONG), "buyer_email": "marko@hotmial.con"})
    assert errors_of(page) == {
        "gifts-0-recipient_email": f"Did you mean {RIGHT}?",
        "buyer_email": "Did you mean marko@hotmail.com?",
    }
    page = paying.send("/gift", buttons(page)["Use marko@hotmail.com"])
    assert errors_of(page) == {"gifts-0-recipient_email": f"Did you mean {RIGHT}?"}
    assert paying.send("/gift").status_code == 303
    assert (orders()[0].buyer_email, orders()[0].gifts[0].recipient_email) == ("marko@hotmail.com", WRONG)


def test_a_press_that_only_changes_the_form_is_no_answer(paying: Visitor) -> None:
    paying.open("/gift")
    paying.send("/gift", paying.fill_gift(recipient_email=WRONG))
    paying.send("/gift", {"update_preview": "1"})
    assert errors_of(paying.send("/gift")) == {"gifts-0-recipient_email": f"Did you mean {RIGHT}?"}


def test_another_misspelt_address_is_asked_about_anew(paying: Visitor) -> None:
    paying.open("/gift")
    paying.send("/gift", paying.fill_gift(recipient_email=WRONG))
    page = paying.send("/gift", {"gifts-0-recipient_email": "ana@yaho.co"})
    assert errors_of(page) == {"gifts-0-recipient_email": "Did you mean ana@yahoo.com?"}


def test_what_comes_back_is_put_right_on_the_orders_own_page(visitor: Visitor, stripe_side: StripeSide) -> None:
    buyer = buy(visitor, stripe_side, recipient_email="ana@example.org")
    put(state="failed", attempts=1, ended_at=clock.now(), last_error="The address was refused (550).")
    page = visitor.open(buyer.path)
    assert heading(page) == "Thank you, Marko. Ana’s email came back."
    assert "gets an email" not in page.text
    assert "It came back" in page.text
    assert f'action="{buyer.path}/gifts/1/address"' in page.text
    own = page.text.partition("/gifts/1/address")[2].partition("</form>")[0]  # the page has other forms, too
    question = visitor.send(f"{buyer.path}/gifts/1/address", {**Fields(own).values, "address": WRONG})
    assert errors_of(question) == {"address": f"Did you mean {RIGHT}?"}
    answer = visitor.send(f"{buyer.path}/gifts/1/address", buttons(question)[f"Use {RIGHT}"])
    assert answer.status_code == 303
    assert [each.to_address for each in messages()] == ["ana@example.org", RIGHT]


def test_who_has_not_shown_whose_order_it_is_gets_the_way_to_instead(visitor: Visitor, stripe_side: StripeSide) -> None:
    buyer = buy(visitor, stripe_side)
    put(state="failed", attempts=1, ended_at=clock.now(), last_error="The address was refused (550).")
    stranger = Visitor(visitor.client.application.test_client(), visitor.base_url)
    page = stranger.open(buyer.path)
    assert f'action="{buyer.path}/link"' in page.text
    assert "/gifts/1/address" not in page.text
    assert stranger.send(f"{buyer.path}/link").location == f"{buyer.path}?done=link"


def test_of_several_gifts_the_heading_counts_what_came_back(visitor: Visitor, stripe_side: StripeSide) -> None:
    visitor.open("/gift")
    visitor.send("/gift", {**visitor.fill_gift(), "add_gift": "1"})
    visitor.send("/gift", visitor.fill_gift(1))
    order = orders()[0]
    stripe_side.workbench.post(f"/sessions/{order.attempts[-1].session_id}/settle", {"outcome": "pay"})
    stripe_side.tell("checkout.session.completed", order.attempts[-1].session_id or "")
    put(state="failed", attempts=1, ended_at=clock.now(), last_error="The address was refused (550).")
    page = visitor.open(f"/orders/{token_of(order)}")
    assert heading(page) == "Thank you, Marko. 2 emails were not delivered."
    assert page.text.count("It came back<") == 2
    ids = re.findall(r'id="(address-[0-9])"', page.text)
    assert ids == ["address-1", "address-2"]
