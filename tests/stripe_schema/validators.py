"""The checks themselves: a request, an object, an event, or everything the workbench has recorded."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import stripe.params
import stripe.params.checkout
import stripe.params.radar
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from stripe._object_classes import OBJECT_CLASSES

from tests.stripe_schema.forms import coerce, nest
from tests.stripe_schema.schemas import Schema, list_schema, object_schema, referenced, request_schema


class StripeSchemaError(AssertionError):
    """Something does not have the shape that the SDK declares."""


_ID = r"/\w+"
_SESSIONS = "/v1/checkout/sessions"
_CALLS = [
    ("POST", _SESSIONS, "checkout.SessionCreateParams"),
    ("GET", _SESSIONS, "checkout.SessionListParams"),
    ("GET", _SESSIONS + _ID, "checkout.SessionRetrieveParams"),
    ("POST", f"{_SESSIONS}{_ID}/expire", "checkout.SessionExpireParams"),
    ("GET", f"{_SESSIONS}{_ID}/line_items", "checkout.SessionListLineItemsParams"),
    ("GET", f"/v1/payment_intents{_ID}", "PaymentIntentRetrieveParams"),
    ("GET", "/v1/charges", "ChargeListParams"),
    ("GET", f"/v1/charges{_ID}", "ChargeRetrieveParams"),
    ("GET", f"/v1/radar/early_fraud_warnings{_ID}", "radar.EarlyFraudWarningRetrieveParams"),
    ("POST", "/v1/refunds", "RefundCreateParams"),
    ("GET", "/v1/refunds", "RefundListParams"),
    ("GET", f"/v1/refunds{_ID}", "RefundRetrieveParams"),
    ("GET", "/v1/disputes", "DisputeListParams"),
    ("GET", f"/v1/disputes{_ID}", "DisputeRetrieveParams"),
    ("POST", f"/v1/disputes{_ID}", "DisputeModifyParams"),
    ("POST", f"/v1/disputes{_ID}/close", "DisputeCloseParams"),
    ("GET", "/v1/events", "EventListParams"),
    ("GET", f"/v1/events{_ID}", "EventRetrieveParams"),
]


def validate_request(method: str, path: str, form: Mapping[str, str]) -> None:
    """Raise StripeSchemaError unless the form (or query) fits the SDK's parameters of that call.

    `form` is flat, as it is sent: {"line_items[0][quantity]": "1", …}.
    """
    schema = request_schema(_params_class(method, path))
    validator = _validator(schema)
    _check(validator, coerce(nest(form), schema, validator), f"{method} {path}")


def validate_object(item: Any) -> None:
    """Raise StripeSchemaError unless a dict with an `object` field is what the SDK says such an object is."""
    name = item.get("object") if isinstance(item, dict) else None
    if name == "list":
        _check(_validator(list_schema({})), item, "list")
        for entry in item["data"]:
            validate_object(entry)
        return
    _check(_validator(object_schema(_resource(str(name)))), item, str(name))


def validate_event(event: Any) -> None:
    """Raise StripeSchemaError unless a snapshot event and the object within it have their declared shapes."""
    validate_object(event)
    if event["object"] != "event":
        raise StripeSchemaError(f"not a snapshot event: {event['object']}")
    validate_object(event["data"]["object"])


def validate_recorded(calls: list[dict[str, Any]]) -> None:
    """Check every recorded call of the workbench's /_sim/requests: what was asked and what was answered."""
    for call in calls:
        validate_request(call["method"], call["path"], call["form"])
        if call["status"] == 200 and call["answer"] is not None:
            validate_object(call["answer"])


def _params_class(method: str, path: str) -> Any:
    for known, template, name in _CALLS:
        if known == method and re.fullmatch(template, path, re.ASCII):
            found: Any = stripe.params
            for part in name.split("."):
                found = getattr(found, part)
            return found
    raise StripeSchemaError(f"{method} {path} is not a call the shop makes")


def _resource(name: str) -> Any:
    if name not in OBJECT_CLASSES:
        raise StripeSchemaError(f"the SDK knows no object called {name}")
    module, class_name = OBJECT_CLASSES[name]
    return getattr(__import__(module, fromlist=["_"]), class_name)


def _retrieve(uri: str) -> Resource[Schema]:
    return DRAFT202012.create_resource(referenced(uri))


def _is_integer(_checker: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


# JSON Schema calls 50.0 an integer; money in Stripe's objects never has a point.
_checker = Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer)
_Strict: type[Validator] = extend(Draft202012Validator, type_checker=_checker)  # type: ignore[no-untyped-call]
_registry: Registry[Any] = Registry(retrieve=cache(_retrieve))  # type: ignore[call-arg]


def _validator(schema: Schema) -> Validator:
    return _Strict(schema, registry=_registry)


def _check(validator: Validator, value: Any, what: str) -> None:
    error = best_match(validator.iter_errors(value))
    if error is not None:
        raise StripeSchemaError(f"{what}{error.json_path[1:]}: {error.message[:300]}")
