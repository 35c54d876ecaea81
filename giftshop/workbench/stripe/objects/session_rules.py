"""What Stripe refuses when a Checkout Session is made, beyond the types of its parameters, for `sessions`.

The SDK's types carry no lengths and no limits; these are from Stripe's documentation.
"""

import re
from collections.abc import Mapping

from giftshop.workbench.store import Json
from giftshop.workbench.stripe.api_errors import ApiError
from giftshop.workbench.stripe.currencies import check_currency, check_step, check_total

_SOONEST, _LATEST = 30 * 60, 24 * 60 * 60


def check_session(params: Json, *, now: int) -> None:
    """Raise ApiError (400) for parameters that Stripe's rules refuse; `now` in seconds since 1970."""
    _check_kind(params)
    _check_addresses(params)
    _check_lengths(params)
    _check_expiry(params, now)
    check_metadata(params.get("metadata", {}), "metadata")
    intent = params.get("payment_intent_data", {})
    check_metadata(intent.get("metadata", {}), "payment_intent_data[metadata]")


def check_metadata(metadata: Mapping[str, str] | str, name: str) -> None:
    """Raise ApiError for more than 50 keys, keys over 40 or values over 500 characters."""
    if not isinstance(metadata, dict):
        return
    if len(metadata) > 50:
        raise ApiError("Metadata can have up to 50 keys.", param=name)
    for key, value in metadata.items():
        check_length(key, most=40, param=f"{name}[{key}]")
        check_length(value, most=500, param=f"{name}[{key}]")


def check_length(text: str, *, most: int, param: str) -> None:
    """Raise ApiError when the text is longer than Stripe takes."""
    if len(text) > most:
        message = f"Invalid string: {text[:20]}…; must be at most {most} characters"
        raise ApiError(message, code="parameter_invalid_string_too_long", param=param)


def check_items(items: list[Json]) -> None:
    """Raise ApiError for line items of several currencies, or of none, or a total Stripe does not take."""
    if len({item["currency"] for item in items}) > 1:
        raise ApiError("All line items must have the same currency.", param="line_items")
    code = items[0]["currency"]
    check_currency(code, param="line_items[0][price_data][currency]")
    for number, item in enumerate(items):
        check_step(item["price"]["unit_amount"], code, param=f"line_items[{number}][price_data][unit_amount]")
    check_total(sum(item["amount_total"] for item in items), code, param="line_items")


def _check_kind(params: Json) -> None:
    if params.get("mode", "payment") != "payment":
        raise ApiError("The simulated Stripe knows mode `payment` only.", param="mode")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise ApiError("The simulated Stripe knows ui_mode `hosted_page` only.", param="ui_mode")
    if not params.get("line_items"):
        raise ApiError("Missing required param: line_items.", code="parameter_missing", param="line_items")
    if len(params["line_items"]) > 100:
        raise ApiError("There can be at most 100 line items.", param="line_items")


def _check_addresses(params: Json) -> None:
    if "success_url" not in params:
        raise ApiError("Missing required param: success_url.", code="parameter_missing", param="success_url")
    for name in ("success_url", "cancel_url"):
        if name in params and not re.match(r"https?://[^\s/]", params[name]):
            raise ApiError("Not a valid URL", code="url_invalid", param=name)
    email = params.get("customer_email", "a@b")
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise ApiError(f"Invalid email address: {email}", code="email_invalid", param="customer_email")


def _check_lengths(params: Json) -> None:
    check_length(params.get("client_reference_id", ""), most=200, param="client_reference_id")
    suffix = params.get("payment_intent_data", {}).get("statement_descriptor_suffix", "GIFT")
    check_length(suffix, most=22, param="payment_intent_data[statement_descriptor_suffix]")
    if not re.search("[A-Za-z]", suffix) or re.search(r"[<>\\'\"*]", suffix):
        param = "payment_intent_data[statement_descriptor_suffix]"
        raise ApiError("The descriptor needs a letter and no < > \\ ' \" *.", param=param)
    for name, text in (params.get("custom_text") or {}).items():
        if isinstance(text, dict):
            check_length(text["message"], most=1200, param=f"custom_text[{name}][message]")


def _check_expiry(params: Json, now: int) -> None:
    ahead = params.get("expires_at", now + _LATEST) - now
    if not _SOONEST <= ahead <= _LATEST:
        raise ApiError("The `expires_at` timestamp must be 30 minutes to 24 hours from now.", param="expires_at")
