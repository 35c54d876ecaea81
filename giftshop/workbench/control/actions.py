"""What the control API and the dashboard can do, by name; `control` describes each to those who call it."""

from collections.abc import Callable

from giftshop.workbench import schedule
from giftshop.workbench.state import Workbench
from giftshop.workbench.store import Json
from giftshop.workbench.stripe import faults
from giftshop.workbench.stripe.api_errors import ApiError, no_such
from giftshop.workbench.stripe.objects import disputes, payments, refunds, sessions
from giftshop.workbench.stripe.webhooks import deliveries
from giftshop.workbench.stripe.webhooks.forged_events import post_event

Action = Callable[[Workbench, str, Json], Json]


def run_action(bench: Workbench, name: str, item_id: str, body: Json) -> Json:
    """Do one of ACTIONS, all of it or nothing; ApiError when it cannot be done."""
    if name == "events":  # talks to the shop, so nothing may be locked meanwhile
        return post_event(bench, body)
    with bench.store.transaction():
        return ACTIONS[name](bench, item_id, body)


def _settle(bench: Workbench, item_id: str, body: Json) -> Json:
    outcome, hook, after = body.get("outcome", "pay"), body.get("hook"), body.get("after")
    events = payments.settle(bench, item_id, outcome, hook=hook, after=after)
    return {"session": sessions.get_session(bench, item_id), "events": events}


def _arrive(bench: Workbench, item_id: str, body: Json) -> Json:
    events = payments.arrive(bench, item_id, body.get("outcome", "ok"), hook=body.get("hook"))
    return {"session": sessions.get_session(bench, item_id), "events": events}


def _set_object(bench: Workbench, item_id: str, body: Json) -> Json:
    item = bench.store.find(item_id)
    if item is None:
        raise no_such("object", item_id)
    return bench.store.put({**item, **body})


def _refund(bench: Workbench, _id: str, body: Json) -> Json:
    return refunds.create_refund(bench, body, hook=body.get("hook"))


def _refund_status(bench: Workbench, _id: str, body: Json) -> Json:
    if body.get("status") not in refunds.STATUSES:
        raise ApiError(f"The status must be one of {', '.join(refunds.STATUSES)}.", param="status")
    bench.store.set_setting("refund_status", body["status"])
    return body


def _dispute(bench: Workbench, _id: str, body: Json) -> Json:
    charge = refunds.get_charge(bench, body)
    given = {name: body[name] for name in ("amount", "reason", "status", "hook") if name in body}
    return disputes.open_dispute(bench, charge, **given)


def _change_dispute(bench: Workbench, item_id: str, body: Json) -> Json:
    return disputes.change_dispute(bench, item_id, body.get("status", ""), hook=body.get("hook"))


def _warn(bench: Workbench, _id: str, body: Json) -> Json:
    return disputes.warn_of_fraud(bench, refunds.get_charge(bench, body), hook=body.get("hook"))


def _redeliver(bench: Workbench, item_id: str, body: Json) -> Json:
    event = bench.store.find(item_id, "event")
    if event is None:
        raise no_such("event", item_id)
    deliveries.enqueue(bench, [event], body.get("hook") or {})
    return event


def _set_hook(bench: Workbench, _id: str, body: Json) -> Json:
    bench.store.set_setting("hook", body)
    return body


def _add_fault(bench: Workbench, _id: str, body: Json) -> Json:
    return {"faults": faults.add_fault(bench, body)}


def _clear_faults(bench: Workbench, _id: str, _body: Json) -> Json:
    bench.store.set_setting("faults", [])
    return {"faults": []}


def _set_mail_fault(bench: Workbench, _id: str, body: Json) -> Json:
    bench.store.set_setting("mail_fault", int(body.get("times", 1)))
    return body


def _advance_clock(bench: Workbench, _id: str, body: Json) -> Json:
    bench.store.set_setting("clock", bench.store.setting("clock", 0) + int(body.get("advance", 0)))
    schedule.run_due(bench)
    return {"clock": bench.now()}


def _set_shop(bench: Workbench, _id: str, body: Json) -> Json:
    bench.store.set_setting("shop_url", str(body.get("url", "")).rstrip("/"))
    return {"shop_url": bench.shop_url()}


def _set_endpoint(bench: Workbench, _id: str, body: Json) -> Json:
    bench.store.set_setting("endpoint", body)
    return body


def _reset(bench: Workbench, _id: str, body: Json) -> Json:
    bench.reset()
    return body


ACTIONS: dict[str, Action] = {
    "clock": _advance_clock,
    "disputes": _dispute,
    "disputes/close": _change_dispute,
    "disputes/status": _change_dispute,
    "endpoint": _set_endpoint,
    "events": lambda bench, _, body: post_event(bench, body),
    "events/redeliver": _redeliver,
    "faults": _add_fault,
    "faults/clear": _clear_faults,
    "hook": _set_hook,
    "mail-fault": _set_mail_fault,
    "objects": _set_object,
    "refund-status": _refund_status,
    "refunds": _refund,
    "refunds/fail": lambda bench, item_id, body: refunds.change_refund(bench, item_id, "failed", hook=body.get("hook")),
    "refunds/status": lambda bench, item_id, body: refunds.change_refund(
        bench, item_id, body.get("status", ""), hook=body.get("hook")
    ),
    "reset": _reset,
    "sessions/arrive": _arrive,
    "sessions/expire": lambda bench, item_id, body: sessions.expire_session(bench, item_id, hook=body.get("hook")),
    "sessions/settle": _settle,
    "shop": _set_shop,
    "warnings": _warn,
}
