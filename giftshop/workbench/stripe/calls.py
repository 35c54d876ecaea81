"""Which calls the simulated API knows, with their parameter types and rules; for `api`."""

import re
from collections.abc import Callable
from typing import NamedTuple

from giftshop.workbench.state import Workbench
from giftshop.workbench.store import Json
from giftshop.workbench.stripe import lists, triggers
from giftshop.workbench.stripe.api_errors import ApiError
from giftshop.workbench.stripe.objects import account, disputes, refunds, sessions

Rule = Callable[..., Json]


class Route(NamedTuple):
    """The rule that answers a call, the SDK's class of its parameters, and the ids in its address."""

    params: str
    rule: Rule
    ids: tuple[str, ...] = ()


def find_route(method: str, path: str) -> Route:
    """Return the route of a call; ApiError (404) for an address or a method the API does not have."""
    for known, template, params, rule in _ROUTES:
        match = re.fullmatch(template, path)
        if match and known == method:
            return Route(params, rule, match.groups())
    raise ApiError(f"Unrecognized request URL ({method}: {path}).", status=404, code="url_invalid")


def _one(kind: str) -> Rule:
    def get(bench: Workbench, _params: Json, item_id: str) -> Json:
        return lists.get_object(bench, kind, item_id)

    return get


def _many(kind: str) -> Rule:
    def list_all(bench: Workbench, params: Json) -> Json:
        return lists.list_objects(bench, kind, params)

    return list_all


def _line_items(bench: Workbench, params: Json, session_id: str) -> Json:
    sessions.get_session(bench, session_id)
    return lists.list_line_items(bench, session_id, params)


def _expire(bench: Workbench, _params: Json, session_id: str) -> Json:
    return sessions.expire_session(bench, session_id)


def _update_dispute(bench: Workbench, params: Json, dispute_id: str) -> Json:
    return disputes.update_dispute(bench, dispute_id, params)


def _close_dispute(bench: Workbench, _params: Json, dispute_id: str) -> Json:
    return disputes.close_dispute(bench, dispute_id)


_ID = r"/(\w+)"
_SESSIONS = "/v1/checkout/sessions"
_ROUTES: list[tuple[str, str, str, Rule]] = [
    ("POST", _SESSIONS, "checkout.SessionCreateParams", sessions.create_session),
    ("GET", _SESSIONS, "checkout.SessionListParams", _many("checkout.session")),
    ("GET", _SESSIONS + _ID, "checkout.SessionRetrieveParams", _one("checkout.session")),
    ("POST", f"{_SESSIONS}{_ID}/expire", "checkout.SessionExpireParams", _expire),
    ("GET", f"{_SESSIONS}{_ID}/line_items", "checkout.SessionListLineItemsParams", _line_items),
    ("GET", "/v1/account", "", account.get_account),
    ("GET", "/v1/webhook_endpoints", "WebhookEndpointListParams", account.list_endpoints),
    ("GET", "/v1/payment_intents", "PaymentIntentListParams", _many("payment_intent")),
    ("GET", f"/v1/payment_intents{_ID}", "PaymentIntentRetrieveParams", _one("payment_intent")),
    ("GET", "/v1/charges", "ChargeListParams", _many("charge")),
    ("GET", f"/v1/charges{_ID}", "ChargeRetrieveParams", _one("charge")),
    ("POST", "/v1/refunds", "RefundCreateParams", refunds.create_refund),
    ("GET", "/v1/refunds", "RefundListParams", _many("refund")),
    ("GET", f"/v1/refunds{_ID}", "RefundRetrieveParams", _one("refund")),
    ("GET", "/v1/disputes", "DisputeListParams", _many("dispute")),
    ("GET", f"/v1/disputes{_ID}", "DisputeRetrieveParams", _one("dispute")),
    ("POST", f"/v1/disputes{_ID}", "DisputeModifyParams", _update_dispute),
    ("POST", f"/v1/disputes{_ID}/close", "DisputeCloseParams", _close_dispute),
    (
        "GET",
        f"/v1/radar/early_fraud_warnings{_ID}",
        "radar.EarlyFraudWarningRetrieveParams",
        _one("radar.early_fraud_warning"),
    ),
    ("GET", "/v1/events", "EventListParams", _many("event")),
    ("GET", f"/v1/events{_ID}", "EventRetrieveParams", _one("event")),
    *triggers.ROUTES,
]
