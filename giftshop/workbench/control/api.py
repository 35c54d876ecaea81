"""The control API: everything a test can make the simulated Stripe do, as JSON under /_sim; for `app`.

Every call carries the run's token in X-Workbench-Token; POST bodies are JSON objects, answers too.
`hook` below is a set of delivery knobs for the events of that call alone (see POST /_sim/hook).

GET  /_sim/state                      sessions, payment_intents, charges, refunds, disputes, events, deliveries,
                                      clock, hook, faults, shop_url
GET  /_sim/requests                   API calls as they came, oldest first: method, path, form, body, idempotency_key,
                                      version, authorized, fault, replayed, status, answer
GET  /_sim/objects/ID                 one object
POST /_sim/objects/ID                 {field: value, …} overwrites fields (a value of null stays a null)
POST /_sim/sessions/ID/settle         {outcome, hook?, after?} outcome: pay, decline, pay_later_ok, pay_later_fail,
                                      pay_then_dispute, cancel, pay_no_return; see payments.settle
POST /_sim/sessions/ID/arrive         {outcome: ok|fail, hook?} the bank's answer to a delayed payment
POST /_sim/sessions/ID/expire         {hook?}
POST /_sim/refunds                    {session|payment_intent|charge, amount?, hook?} a refund from the dashboard
POST /_sim/refunds/ID/status          {status, hook?} succeeded, failed, canceled, …
POST /_sim/refunds/ID/fail            {hook?}
POST /_sim/refund-status              {status} what new refunds start as: succeeded, pending, requires_action
POST /_sim/disputes                   {session|payment_intent|charge, amount?, reason?, status?, hook?}
POST /_sim/disputes/ID/status         {status, hook?} needs_response, under_review, appeal_…, won, lost, …
POST /_sim/disputes/ID/close          {status: won|lost|warning_closed|prevented, hook?}
POST /_sim/warnings                   {session|payment_intent|charge, hook?} an early fraud warning
POST /_sim/events                     {type, object?, event?, sign?, copies?, raw?, raw_base64?} posts an event now and
                                      answers {event, answers: [{code, text, error}]}; see forged_events
POST /_sim/events/ID/redeliver        {hook?} queues the event once more
POST /_sim/hook                       {delay, dup, drop, reorder, redirect_first, wrong_secret, stale, api_version,
                                      livemode, foreign_metadata, types, pace} replaces the delivery knobs:
                                      delay s · dup extra copies · drop the first n tries (-1: all, for ever) ·
                                      reorder within s · redirect before the event is answered · sign with another
                                      secret · signed s ago · other api_version · livemode true · metadata of another
                                      shop · only for these types · factor on the pauses between tries
POST /_sim/faults                     {do, method?, path?, times?, probability?, seconds?, made?, saved?} adds a fault;
                                      see faults.add_fault
POST /_sim/faults/clear               {} removes them all
POST /_sim/mail-fault                 {times} the mailbox refuses that many messages with 503
POST /_sim/clock                      {advance: seconds} moves the simulated clock; what is due happens at once
POST /_sim/endpoint                   {url, status, enabled_events} replaces what the list of endpoints says of ours
POST /_sim/shop                       {url} where events go from now on
POST /_sim/reset                      {} forgets everything, knobs and mails too
"""

import hmac

from flask import Blueprint, Response, current_app, jsonify, request

from giftshop.workbench.control.actions import ACTIONS, run_action
from giftshop.workbench.state import Workbench
from giftshop.workbench.store import Json
from giftshop.workbench.stripe.api_errors import ApiError, no_such
from giftshop.workbench.stripe.webhooks import deliveries

blueprint = Blueprint("control", __name__, url_prefix="/_sim")

_KINDS = {
    "sessions": "checkout.session", "payment_intents": "payment_intent", "charges": "charge", "refunds": "refund",
    "disputes": "dispute", "events": "event",
}  # fmt: skip


@blueprint.before_request
def check_token() -> Response | None:
    """Let nobody in without the run's token."""
    shown = request.headers.get("X-Workbench-Token", "")
    if hmac.compare_digest(shown.encode(), _bench().config.token.encode()):
        return None
    return _answer({"error": {"message": "X-Workbench-Token is missing or wrong."}}, 401)


@blueprint.get("/state")
def state() -> Response:
    """Answer with everything there is, newest first."""
    bench = _bench()
    with bench.store.transaction():
        found: Json = {name: bench.store.all(kind) for name, kind in _KINDS.items()}
        found |= {"deliveries": deliveries.newest(bench), "clock": bench.now(), "hook": bench.hook()}
        found |= {"faults": bench.store.setting("faults", bench.config.faults), "shop_url": bench.shop_url()}
    return jsonify(found)


@blueprint.get("/requests")
def requests() -> Response:
    """Answer with the recorded API calls, oldest first."""
    return jsonify(_bench().store.all("request")[::-1])


@blueprint.get("/objects/<item_id>")
def show_object(item_id: str) -> Response:
    """Answer with one object."""
    item = _bench().store.find(item_id)
    return jsonify(item) if item else _answer(no_such("object", item_id).body, 404)


@blueprint.post("/<noun>")
@blueprint.post("/<noun>/<second>")
@blueprint.post("/<noun>/<second>/<verb>")
def act(noun: str, second: str = "", verb: str = "") -> Response:
    """Do what the address names: a noun, noun/verb, noun/ID or noun/ID/verb."""
    name, item_id = (f"{noun}/{verb}", second) if verb else (noun, second)
    if f"{noun}/{second}" in ACTIONS and not verb:
        name, item_id = f"{noun}/{second}", ""
    body = request.get_json(silent=True)
    if name not in ACTIONS or not isinstance(body, dict):
        return _answer({"error": {"message": f"There is no action {name}, or the body is no JSON object."}}, 404)
    try:
        return _answer(run_action(_bench(), name, item_id, body), 200)
    except ApiError as error:
        return _answer(error.body, error.status)


def _bench() -> Workbench:
    bench: Workbench = current_app.extensions["workbench"]
    return bench


def _answer(body: Json, status: int) -> Response:
    response = jsonify(body)
    response.status_code = status
    return response
