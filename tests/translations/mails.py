"""What each kind of mail can be told to say, as the facts its templates get ("¤" is a sentence made elsewhere)."""

from typing import Any

from giftshop import clock
from giftshop.delivery.messages import compose
from giftshop.delivery.models import Delivery
from tests.translations.reading import lines_of, texts_of

ORDER = {"order_number": "G-1042", "order_path": "/orders/abc"}
NAMES = {"recipient_name": "Ana", "giver_name": "Marko"}
GIFT = {**NAMES, "message": "Your shoulders have carried enough.", "service_text": "", "amount_text": "$120.00"}
LINE = {"title": "¤", "recipient_name": "Ana", "how": "¤", "amount": "$120.00", "quantity": 1}
DAILY = {
    "period": "¤",
    "owed_before": "$1.00",
    "movements": [["¤", "$1.00"]],
    "owed": "$2.00",
    "needs": ["¤"],
    "undone": ["¤"],
    "acts": ["¤"],
    "more": {"needs": 2, "acts": 3},
    "office_path": "/office/",
    "sealed_at": "¤",
    "certificate_count": 1,
    "entry_count": 2,
    "digest": "0" * 64,
    "redeemed": "$1.00",
    "sold": "$2.00",
}
BACK = {**ORDER, "amount": "$50.00"}
USED = {**NAMES, "amount": "$50.00", "left": "$70.00", "when": "¤"}
MAILS: dict[str, tuple[dict[str, Any], ...]] = {
    "receipt": ({**ORDER, "total": "$120.00", "paid_on": "¤", "gifts": [LINE, {**LINE, "quantity": 3}]},),
    "gift": (GIFT, {**GIFT, "service_text": "60-minute massage", "amount_text": "", "message": ""}),
    "certificate": ({**ORDER, **NAMES},),
    "payment_failed": (ORDER,),
    "way_in": (ORDER,),
    "refund": (
        {**BACK, "has_ended": True, "recipient_name": "Ana", "left": ""},
        {**BACK, "has_ended": False, "recipient_name": "Ana", "left": "$5.00"},
        {**BACK, "has_ended": False, "recipient_name": "", "left": ""},
    ),
    "certificate_refunded": (
        {"has_ended": True, "is_several": True, "is_on_hold": False, "left": ""},
        {"has_ended": True, "is_several": False, "is_on_hold": False, "left": ""},
        {"has_ended": False, "is_several": False, "is_on_hold": True, "left": ""},
        {"has_ended": False, "is_several": False, "is_on_hold": False, "left": "$5.00"},
        {"has_ended": False, "is_several": True, "is_on_hold": False, "left": "$5.00"},
        {"has_ended": False, "is_several": True, "is_on_hold": False, "left": ""},
    ),
    "refund_returned": (
        {**BACK, "was_lost": True, "recipient_name": "Ana", "has_value": True, "unsent": ""},
        {**BACK, "was_lost": False, "recipient_name": "Ana", "has_value": True, "unsent": "ana@example.com"},
        {**BACK, "was_lost": False, "recipient_name": "", "has_value": True, "unsent": ""},
        {**BACK, "was_lost": False, "recipient_name": "", "has_value": False, "unsent": ""},
    ),
    "certificate_returned": ({},),
    "reissued": (
        {"recipient_name": "Ana", "left": "$5.00", "is_recipient": True, "is_on_hold": True},
        {"recipient_name": "Ana", "left": "$5.00", "is_recipient": False, "is_on_hold": False},
        {"recipient_name": "Ana", "left": "", "is_recipient": True, "is_on_hold": False},
    ),
    "used": (
        {**USED, "is_used_up": False},
        {**USED, "is_used_up": True, "left": ""},
        {**USED, "is_used_up": False, "amount": ""},
    ),
    "used_undone": (USED, {**USED, "amount": "", "left": ""}),
    "waiting": (
        {**ORDER, "goes": "¤", "gifts": [{"recipient_name": "Ana", "address": "ana@example.com", "when": "¤"}]},
    ),
    "unreached": ({**ORDER, "recipient_name": "Ana", "address": "ana@example.com"},),
    "alert": ({"title": "¤", "detail": "¤", "office_path": "/office/"},),
    "daily": (DAILY, {**DAILY, "needs": [], "undone": [], "acts": [], "more": {"needs": 0, "acts": 0}}),
}


def letter_of(kind: str) -> Delivery:
    """Return a letter of a kind that is stored nowhere."""
    return Delivery(kind=kind, to_address="ana@example.com", message_id="<1@example.com>", send_at=clock.now())


def read_mail(letter: Delivery, facts: dict[str, Any], certificates: list[Any] | None = None) -> list[str]:
    """Return what both parts of a mail say."""
    message = composed(letter, facts, certificates)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    return [*lines_of(text.get_content()), *texts_of(html.get_content())]


def composed(letter: Delivery, facts: dict[str, Any], certificates: list[Any] | None = None) -> Any:
    """Return a mail as it would be sent."""
    return compose(letter, facts, certificates or [], base_url="https://gifts.example", sender="gifts@example.com")
