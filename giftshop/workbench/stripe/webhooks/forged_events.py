"""Posts any event, rightly or wrongly signed, and reports the shop's answers; for the control API.

{type, object} makes an event about an object: an id the workbench knows, or the object itself; `event`
overwrites fields of the event (livemode, api_version, account, id, …). `raw` or `raw_base64` is posted as it
is instead. `sign` says how: {secret: another one, age: seconds ago (negative: ahead), header: the literal header,
null for none}; without it the first secret signs now. `copies` go out at the same time.
"""

import base64
import json
from concurrent.futures import ThreadPoolExecutor

from giftshop.workbench.state import Workbench
from giftshop.workbench.store import Json
from giftshop.workbench.stripe.api_errors import ApiError, no_such
from giftshop.workbench.stripe.webhooks import deliveries, hooks
from giftshop.workbench.stripe.webhooks.events import Fact, build_event


def post_event(bench: Workbench, body: Json) -> Json:
    """Post what the body describes; return {event, answers: one {code, error, text} per copy}."""
    event = None if "raw" in body or "raw_base64" in body else _event(bench, body)
    content = _raw(body) if event is None else json.dumps(event).encode()
    copies = int(body.get("copies", 1))
    with ThreadPoolExecutor(max_workers=max(copies, 1)) as pool:
        sent = [pool.submit(hooks.post, bench, content, _header(bench, body, content)) for _ in range(copies)]
    answers = [each.result() for each in sent]
    if event is not None:
        deliveries.note(bench, event, answers)
    return {"event": event, "answers": answers}


def _event(bench: Workbench, body: Json) -> Json:
    """Return the event, saved so that the API knows it, unless it is no longer a snapshot event."""
    if "type" not in body:
        raise ApiError("Missing required param: type.", code="parameter_missing", param="type")
    about = body.get("object", {})
    found = bench.store.find(about) if isinstance(about, str) else about
    if found is None:
        raise no_such("object", about)
    event = {**build_event(bench, Fact(body["type"], found)), **body.get("event", {})}
    if event["object"] == "event":
        bench.store.put(event)
    return event


def _raw(body: Json) -> bytes:
    if "raw_base64" in body:
        return base64.b64decode(body["raw_base64"])
    return str(body["raw"]).encode()


def _header(bench: Workbench, body: Json, content: bytes) -> str | None:
    """Return the signature header as asked for."""
    asked = body.get("sign", {})
    if "header" in asked:
        header: str | None = asked["header"]
        return header
    return hooks.sign(bench, content, secret=asked.get("secret", ""), age=asked.get("age", 0))
