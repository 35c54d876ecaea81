"""The simulated payment page a buyer is sent to, with one button per outcome; for `app`."""

from flask import Blueprint, Response, abort, current_app, g, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from giftshop.workbench.state import Workbench
from giftshop.workbench.store import Json
from giftshop.workbench.stripe.api_errors import ApiError
from giftshop.workbench.stripe.objects import payments
from giftshop.workbench.stripe.objects.charges import buyer_email
from giftshop.workbench.stripe.webhooks import hooks

blueprint = Blueprint("checkout", __name__)

_PLACEHOLDER = "{CHECKOUT_SESSION_ID}"
_DECLINED = "Your card was declined. Nothing was charged. Try again, or choose another outcome."
_UNKNOWN = "Choose what should happen with this payment."


@blueprint.get("/c/pay/<session_id>")
def show(session_id: str) -> Response:
    """Show what is to be paid, or that the session is over."""
    return _page(_session(session_id))


@blueprint.post("/c/pay/<session_id>")
def pay(session_id: str) -> AnyResponse:
    """Do what the pressed button says and send the buyer where Stripe would."""
    bench, outcome = _bench(), request.form.get("outcome", "")
    _session(session_id)
    if outcome not in payments.OUTCOMES:
        return _page(_session(session_id), error=_UNKNOWN)
    try:
        with bench.store.transaction():
            events = payments.settle(bench, session_id, outcome, after=bench.config.bank_seconds)
    except ApiError:
        return _page(_session(session_id))
    session = _session(session_id)
    if outcome == "decline":
        return _page(session, error=_DECLINED)
    _wait_for_shop(bench, events)
    return _page(session) if outcome == "pay_no_return" else redirect(_way_back(session, outcome), 303)


@blueprint.get("/c/receipt/<charge_id>")
def receipt(charge_id: str) -> Response:
    """Show the receipt Stripe would show."""
    charge = _bench().store.find(charge_id, "charge") or abort(404)
    return make_response(render_template("workbench/receipt.html", charge=charge))


def _bench() -> Workbench:
    bench: Workbench = current_app.extensions["workbench"]
    return bench


def _session(session_id: str) -> Json:
    return _bench().store.find(session_id, "checkout.session") or abort(404)


def _page(session: Json, *, error: str = "") -> Response:
    lines = _bench().store.hidden(session["id"])["line_items"]
    page = render_template(
        "workbench/pay.html", session=session, lines=lines, email=buyer_email(session), error=error,
        back=_way_back(session, "pay" if session["status"] == "complete" else "cancel"),
    )  # fmt: skip
    g.leads_to = [session["success_url"], session["cancel_url"] or ""]
    return make_response(page, 422 if error else 200)


def _wait_for_shop(bench: Workbench, events: list[Json]) -> None:
    """Wait, as Stripe does, until the shop has answered `checkout.session.completed`."""
    if not bench.hook().get("redirect_first"):
        for event in events:
            if event["type"] == "checkout.session.completed":
                hooks.wait_for_first_answer(bench, event["id"])


def _way_back(session: Json, outcome: str) -> str:
    if outcome == "cancel":
        return str(session["cancel_url"] or session["success_url"])
    return str(session["success_url"]).replace(_PLACEHOLDER, session["id"])
