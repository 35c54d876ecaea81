"""Lists, single objects and `expand`, the same for every kind of object; for the API."""

from giftshop.workbench.state import Workbench
from giftshop.workbench.store import Json
from giftshop.workbench.stripe.api_errors import ApiError, no_such
from giftshop.workbench.stripe.webhooks import deliveries

_MONTH = 30 * 86400
_FIRST_LINES = 10
_NO_FIELDS = {
    "limit", "starting_after", "ending_before", "expand", "created", "types", "delivery_success",
}  # fmt: skip
_TESTS = {"gt": int.__gt__, "gte": int.__ge__, "lt": int.__lt__, "lte": int.__le__}


def get_object(bench: Workbench, kind: str, item_id: str) -> Json:
    """Return one object as the API shows it; ApiError (404) when there is none."""
    item = bench.store.find(item_id, kind)
    if item is None:
        raise no_such(kind, item_id)
    return _with_pending(bench, item) if kind == "event" else item


def list_objects(bench: Workbench, kind: str, params: Json) -> Json:
    """Return the page of a kind's objects that the parameters ask for, newest first."""
    items = [item for item in bench.store.all(kind) if _fits(bench, item, params)]
    return page(items, params, url=_URLS[kind])


def list_line_items(bench: Workbench, session_id: str, params: Json) -> Json:
    """Return a page of a session's line items."""
    return page(_lines(bench, session_id), params, url=f"/v1/checkout/sessions/{session_id}/line_items")


def page(items: list[Json], params: Json, *, url: str) -> Json:
    """Cut one page out of a list: `limit` (1–100, else 10), `starting_after`, `ending_before`."""
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise ApiError("The limit must be from 1 to 100.", param="limit")
    if "ending_before" in params:
        before = items[: _place(items, params["ending_before"])]
        return _list(before[-limit:], url=url, has_more=len(before) > limit)
    start = _place(items, params["starting_after"]) + 1 if "starting_after" in params else 0
    return _list(items[start : start + limit], url=url, has_more=len(items) > start + limit)


def expand(bench: Workbench, item: Json, path: str) -> None:
    """Replace the id at a path like `payment_intent.latest_charge` by its object, in place."""
    name, _, rest = path.partition(".")
    if item.get("object") == "list" and name == "data":
        for entry in item["data"]:
            expand(bench, entry, rest)
        return
    if isinstance(item.get(name), str) or name in ("line_items", "refunds"):
        item[name] = _expanded(bench, item, name)
    elif name not in item:
        raise ApiError(f"This property cannot be expanded ({name}).", param="expand")
    if rest and item[name] is not None:
        expand(bench, item[name], rest)


def _list(items: list[Json], *, url: str, has_more: bool) -> Json:
    return {"object": "list", "data": items, "has_more": has_more, "url": url}


def _place(items: list[Json], item_id: str) -> int:
    for place, item in enumerate(items):
        if item["id"] == item_id:
            return place
    raise no_such("object", item_id, param="starting_after")


def _expanded(bench: Workbench, item: Json, name: str) -> Json:
    if name == "line_items" and item["object"] == "checkout.session":
        return list_line_items(bench, item["id"], {"limit": _FIRST_LINES})
    if name == "refunds" and item["object"] == "charge":
        url = f"/v1/charges/{item['id']}/refunds"
        return page(bench.store.all("refund", charge=item["id"]), {}, url=url)
    found = bench.store.find(item.get(name, ""))
    if found is None or found["id"] == item.get("id"):
        raise ApiError(f"This property cannot be expanded ({name}).", param="expand")
    return found


def _lines(bench: Workbench, session_id: str) -> list[Json]:
    lines: list[Json] = bench.store.hidden(session_id)["line_items"]
    return lines


def _fits(bench: Workbench, item: Json, params: Json) -> bool:
    if any(item.get(name) != params[name] for name in params.keys() - _NO_FIELDS):
        return False
    if not _in_time(item["created"], params.get("created")):
        return False
    return item["object"] != "event" or _is_wanted_event(bench, item, params)


def _in_time(created: int, asked: Json | int | None) -> bool:
    if isinstance(asked, dict):
        return all(_TESTS[name](created, moment) for name, moment in asked.items())
    return asked is None or created == asked


def _is_wanted_event(bench: Workbench, event: Json, params: Json) -> bool:
    if event["created"] < bench.now() - _MONTH or event["type"] not in params.get("types", [event["type"]]):
        return False
    delivered = _with_pending(bench, event)["pending_webhooks"] == 0
    return bool(delivered == params.get("delivery_success", delivered))


def _with_pending(bench: Workbench, event: Json) -> Json:
    """Return the event with the number of endpoints (we have one) that have not taken it yet."""
    taken = any(d["state"] == "delivered" for d in deliveries.find_for_event(bench, event["id"]))
    return {**event, "pending_webhooks": 0 if taken else 1}


_URLS = {
    "checkout.session": "/v1/checkout/sessions",
    "charge": "/v1/charges",
    "refund": "/v1/refunds",
    "dispute": "/v1/disputes",
    "event": "/v1/events",
    "payment_intent": "/v1/payment_intents",
}
