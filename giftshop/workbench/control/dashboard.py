"""The dashboard at /_sim for people: what the simulated Stripe holds, with buttons; for `app`."""

import hmac
import secrets

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from giftshop.workbench.control.actions import ACTIONS, run_action
from giftshop.workbench.state import Workbench
from giftshop.workbench.store import Json
from giftshop.workbench.stripe.api_errors import ApiError
from giftshop.workbench.stripe.webhooks import deliveries

blueprint = Blueprint("dashboard", __name__)

# Made per run: a form on another page cannot know it, so it cannot press a button here.
FORM_TOKEN = secrets.token_urlsafe(24)
_SHOWN = 25
_NUMBERS = ("amount", "advance", "times")


@blueprint.get("/_sim")
def show() -> Response:
    """Show everything, newest first."""
    return _page()


@blueprint.post("/_sim")
def press() -> AnyResponse:
    """Do what the pressed button says, then show the dashboard again."""
    form = dict(request.form)
    if not hmac.compare_digest(form.pop("form_token", "").encode(), FORM_TOKEN.encode()):
        return _page(error="This page is from an earlier run. Please press the button again.", status=403)
    name, item_id = form.pop("do", ""), form.pop("id", "")
    try:
        if name not in ACTIONS:
            raise ApiError(f"There is no action {name}.")
        run_action(_bench(), name, item_id, _typed(form))
    except ApiError as error:
        return _page(error=str(error), status=422)
    return redirect("/_sim", 303)


def _bench() -> Workbench:
    bench: Workbench = current_app.extensions["workbench"]
    return bench


def _typed(form: dict[str, str]) -> Json:
    """Return the filled-in fields, whole numbers as numbers."""
    body: Json = {name: value.strip() for name, value in form.items() if value.strip()}
    for name in _NUMBERS:
        if name in body:
            body[name] = _number(name, body[name])
    return body


def _number(name: str, text: str) -> int:
    if not text.isascii() or not text.lstrip("-").isdigit():
        raise ApiError(f"{name} must be a whole number (of cents, where it is money).", param=name)
    return int(text)


def _page(*, error: str = "", status: int = 200) -> Response:
    bench = _bench()
    events = bench.store.all("event")[:_SHOWN]
    page = render_template(
        "workbench/dashboard.html", error=error, form_token=FORM_TOKEN, hook=bench.hook(), clock=bench.now(),
        sessions=bench.store.all("checkout.session")[:_SHOWN], charges=bench.store.all("charge")[:_SHOWN],
        refunds=bench.store.all("refund")[:_SHOWN], disputes=bench.store.all("dispute")[:_SHOWN],
        events=[(event, deliveries.find_for_event(bench, event["id"])) for event in events],
        faults=bench.store.setting("faults", bench.config.faults), shop_url=bench.shop_url(),
    )  # fmt: skip
    return make_response(page, status)
