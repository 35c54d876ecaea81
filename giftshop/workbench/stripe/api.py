"""The simulated API over HTTP: who calls, which rule answers, what is remembered and recorded; for `app`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from flask import Blueprint, Response, current_app, request

from giftshop.workbench.state import Workbench
from giftshop.workbench.store import Json
from giftshop.workbench.stripe import faults, idempotency
from giftshop.workbench.stripe.api_errors import ApiError
from giftshop.workbench.stripe.calls import Route, find_route
from giftshop.workbench.stripe.lists import expand
from giftshop.workbench.stripe.objects.session_rules import check_length
from giftshop.workbench.stripe.parameters import read
from giftshop.workbench.stripe.webhooks.events import API_VERSION, calling

blueprint = Blueprint("api", __name__)

_RECORDED = 5000


@dataclass(frozen=True)
class Call:
    """One call as it came in; `pairs` are its form or query, decoded but not typed."""

    id: str
    method: str
    path: str
    body: str
    pairs: list[tuple[str, str]]
    key: str
    version: str


@blueprint.route("/v1/<path:_path>", methods=["GET", "POST", "DELETE"])
def answer(_path: str) -> Response:
    """Answer one call of the API and record it."""
    bench: Workbench = current_app.extensions["workbench"]
    call, fault, run = _incoming(bench), None, bench.halt
    try:
        _check_caller(bench, call)
        fault = faults.take_fault(bench, call.method, call.path)
        response = _spoiled(bench, call, fault) if fault else _made(bench, call)
    except ApiError as error:
        response = _response(call, error.status, error.body)
    if bench.halt is run:  # not reset meanwhile
        _record(bench, call, response, fault)
    if isinstance(response, faults.NoAnswer):
        response.hang_up()
    return response


def bearer() -> str:
    """Return the key the caller shows."""
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


def _incoming(bench: Workbench) -> Call:
    text = (request.query_string if request.method == "GET" else request.get_data()).decode("utf-8", "replace")
    return Call(
        id=bench.new_id("req_", 14), method=request.method, path=request.path, body=text,
        pairs=parse_qsl(text, keep_blank_values=True), version=request.headers.get("Stripe-Version", ""),
        key=request.headers.get("Idempotency-Key", "") if request.method == "POST" else "",
    )  # fmt: skip


def _check_caller(bench: Workbench, call: Call) -> None:
    if bearer() != bench.config.stripe_key:
        raise ApiError(f"Invalid API Key provided: {bearer()[:8]}***", status=401)
    check_length(call.key, most=255, param="Idempotency-Key")


def _spoiled(bench: Workbench, call: Call, fault: Json) -> Response:
    failure = faults.error_of(fault) if fault["saved"] else None
    seconds = fault["seconds"] if fault["do"] == "timeout" else 0
    return faults.strike(bench, fault, lambda: _made(bench, call, failure, seconds))


def _made(bench: Workbench, call: Call, failure: ApiError | None = None, seconds: float = 0) -> Response:
    """Make the call, once per key, and take so many seconds; `failure` is what goes wrong while it is made."""
    route = find_route(call.method, call.path)
    if not call.key:
        return _response(call, 200, _run(bench, call, route, failure))
    print_ = idempotency.fingerprint(call.method, call.path, call.pairs)
    with idempotency.in_flight(bench, call.key):
        saved = idempotency.find_answer(bench, call.key, print_)
        if saved:
            return _response(call, saved["status"], saved["body"], original=saved["request_id"])
        answer = _answer_to_keep(lambda: _run(bench, call, route, failure))
        idempotency.save_answer(bench, call.key, print_, {**answer, "request_id": call.id})
        bench.pause(seconds)
        return _response(call, answer["status"], answer["body"])


def _answer_to_keep(run: Callable[[], Json]) -> Json:
    try:
        return {"status": 200, "body": run()}
    except ApiError as error:
        if not error.is_decided:
            raise
        return {"status": error.status, "body": error.body}


def _run(bench: Workbench, call: Call, route: Route, failure: ApiError | None) -> Json:
    """Run the rule of a route: all of it or nothing."""
    token = calling.set({"id": call.id, "idempotency_key": call.key or None})
    try:
        with bench.store.transaction():
            params = read(call.pairs, route.params, strict=call.version == API_VERSION)
            if failure:
                raise failure
            item = route.rule(bench, params, *route.ids)
            for path in params.get("expand", []):
                expand(bench, item, path)
            return item
    finally:
        calling.reset(token)


def _response(call: Call, status: int, body: Json, *, original: str = "") -> Response:
    response = Response(json.dumps(body, indent=2), status=status, content_type="application/json")
    response.headers["Request-Id"] = call.id
    response.headers["Stripe-Version"] = call.version or API_VERSION
    if call.key:
        response.headers["Idempotency-Key"] = call.key
    if original:
        response.headers["Original-Request"] = original
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _record(bench: Workbench, call: Call, response: Response, fault: Json | None) -> None:
    """Keep what was asked and answered, without the key, for the validators and the curious."""
    item = {
        "id": call.id, "at": bench.now(), "method": call.method, "path": call.path, "body": call.body,
        "form": dict(call.pairs), "idempotency_key": call.key or None, "version": call.version,
        "authorized": bearer() == bench.config.stripe_key, "user_agent": request.headers.get("User-Agent", ""),
        "fault": fault and fault["do"], "replayed": "Idempotent-Replayed" in response.headers,
        "status": response.status_code, "answer": response.get_json() if response.is_json else None,
    }  # fmt: skip
    with bench.store.transaction():
        bench.store.put(item, kind="request")
        bench.store.rows(
            "DELETE FROM objects WHERE kind = 'request' AND seq < (SELECT seq FROM objects WHERE id = ?) - ?",
            *(call.id, _RECORDED),
        )
