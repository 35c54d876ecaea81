"""Sends events to the shop, freshly signed, and keeps trying as Stripe does; for `app` and the control API."""

import hmac
import json
import threading
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from giftshop.workbench.state import Workbench
from giftshop.workbench.store import Json
from giftshop.workbench.stripe.webhooks import deliveries

PATH = "/webhooks/stripe"
_PATIENCE = 10
_SENDERS = 12


def start_senders(bench: Workbench) -> None:
    """Start the threads that deliver events; what a stopped process left over goes first."""
    deliveries.resume(bench)
    for number in range(_SENDERS):
        threading.Thread(target=_send_for_ever, args=(bench,), name=f"sender-{number}", daemon=True).start()


def wait_for_first_answer(bench: Workbench, event_id: str) -> None:
    """Wait until the shop has answered the event's first delivery, or it failed, but no more than 10 seconds."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        since = bench.bell.rung
        found = deliveries.find_for_event(bench, event_id)
        if not found or found[0]["attempts"] or found[0]["state"] == "lost":
            return
        bench.bell.wait(since, deadline - time.monotonic())


def sign(bench: Workbench, body: bytes, *, secret: str = "", age: float = 0) -> str:
    """Return the Stripe-Signature header for a body, made `age` seconds ago (negative: in the future).

    Scheme v1 of Stripe's documentation: HMAC-SHA-256 over the time, a full stop and the bytes as sent.
    """
    stamp = int(time.time() - age)
    key = (secret or bench.config.webhook_secrets[0]).encode()
    digest = hmac.new(key, f"{stamp}.".encode() + body, "sha256").hexdigest()
    return f"t={stamp},v1={digest}"


def post(bench: Workbench, body: bytes, signature: str | None) -> Json:
    """Post a body to the shop's webhook; return {at, code, error, text}, the code None without an answer."""
    answer: Json = {"at": int(time.time()), "code": None, "error": None, "text": ""}
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Stripe/1.0 (simulated)"}
    if signature is not None:
        headers["Stripe-Signature"] = signature
    try:
        return answer | _exchange(bench.shop_url(), body, headers)
    except (OSError, HTTPException) as error:
        return answer | {"error": str(error) or type(error).__name__}


def _exchange(shop_url: str, body: bytes, headers: dict[str, str]) -> Json:
    parts = urlsplit(shop_url + PATH)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.netloc, timeout=_PATIENCE)
    try:
        connection.request("POST", parts.path, body, headers)
        response = connection.getresponse()
        return {"code": response.status, "text": response.read(2000).decode("utf-8", "replace")}
    finally:
        connection.close()


def _send_for_ever(bench: Workbench) -> None:
    while True:
        since = bench.bell.rung
        delivery = deliveries.claim(bench)
        if delivery:
            deliveries.record(bench, delivery, _attempt(bench, delivery))
        else:
            bench.bell.wait(since, deliveries.seconds_to_next(bench))


def _attempt(bench: Workbench, delivery: Json) -> Json:
    options = delivery["options"]
    if len(delivery["attempts"]) < options.get("drop", 0):
        return {"at": int(time.time()), "code": None, "error": "dropped", "text": ""}
    body = _body(bench, delivery)
    secret = "whsec_sim_wrong" if options.get("wrong_secret") else ""
    signature = sign(bench, body, secret=secret, age=options.get("stale", 0))
    return post(bench, body, signature)


def _body(bench: Workbench, delivery: Json) -> bytes:
    """Return the event as it goes over the wire, altered as the knobs say; the saved one stays as it is."""
    options = delivery["options"]
    event = bench.store.find(delivery["event"], "event") or {}
    for name in ("api_version", "livemode"):
        if name in options:
            event[name] = options[name]
    if options.get("foreign_metadata"):
        event["data"]["object"]["metadata"] = {"shop": "another-shop", "order_id": "1"}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
