"""The captured mailbox: takes the shop's messages instead of a mail server and shows them; for `app` and tests."""

import re
import time
from typing import Any

from flask import Blueprint, Response, abort, current_app, jsonify, render_template, request

from giftshop.workbench.mailbox.parts import get_attachment, html_with_pictures, read_mail
from giftshop.workbench.state import Workbench
from giftshop.workbench.store import Json
from giftshop.workbench.stripe.api import bearer

blueprint = Blueprint("mailbox", __name__, url_prefix="/mailbox")

# A message may be anything: it gets no script, no form, no fetch; its links open in a new tab.
_MAIL_CSP = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none';"
    " frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


@blueprint.post("/messages")
def receive() -> tuple[Response, int]:
    """Take one message: RFC 822 bytes as body, X-Envelope-From, X-Envelope-To with commas, the key as bearer."""
    bench = _bench()
    if bearer() != bench.config.stripe_key:
        return jsonify({"error": "wrong key"}), 401
    if _refuses(bench):
        return jsonify({"error": "mail is refused for now"}), 503
    recipients = [part.strip() for part in request.headers.get("X-Envelope-To", "").split(",") if part.strip()]
    content = request.get_data()
    if not content or not recipients:
        return jsonify({"error": "a body and X-Envelope-To are needed"}), 400
    sql = "INSERT INTO mails (received_at, sender, recipients, raw) VALUES (?, ?, ?, ?) RETURNING seq"
    sender = request.headers.get("X-Envelope-From", "")
    rows = bench.store.rows(sql, int(time.time()), sender, ",".join(recipients), content)
    return jsonify({"id": rows[0]["seq"]}), 201


@blueprint.get("/messages.json")
def messages() -> Response:
    """Answer with every message, newest first; `?to=` keeps those for one address."""
    mails = _mails(request.args.get("to", ""))
    return jsonify([{name: value for name, value in mail.items() if name != "headers"} for mail in mails])


@blueprint.get("")
def inbox() -> str:
    """List the messages, newest first."""
    wanted = request.args.get("to", "")
    return render_template("workbench/mailbox.html", mails=_mails(wanted), wanted=wanted)


@blueprint.get("/<int:mail_id>")
def show(mail_id: int) -> str:
    """Show one message with its parts."""
    return render_template("workbench/message.html", mail=read_mail(_row(mail_id)))


@blueprint.get("/<int:mail_id>/html")
def show_html(mail_id: int) -> Response:
    """Answer with the HTML part as written and the pictures that came with it, locked up."""
    html = html_with_pictures(_row(mail_id)) or abort(404)
    opened = re.sub(r"(<head[^>]*>)", r'\1<base target="_blank">', html, count=1)
    return Response(opened, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": _MAIL_CSP})


@blueprint.get("/<int:mail_id>/attachments/<int:number>")
def show_attachment(mail_id: int, number: int) -> Response:
    """Answer with an attachment under its own name and type; anything a browser could run is downloaded."""
    try:
        name, content_type, content = get_attachment(_row(mail_id), number)
    except IndexError:
        abort(404)
    shown = content_type in ("application/pdf", "image/png", "image/jpeg", "text/plain", "text/calendar")
    response = Response(content, content_type=content_type if shown else "application/octet-stream")
    if shown:  # a browser's own viewer of such files needs its styles
        response.headers["Content-Security-Policy"] = "script-src 'none'; frame-ancestors 'none'"
    response.headers.set("Content-Disposition", "inline" if shown else "attachment", filename=name)
    return response


@blueprint.get("/<int:mail_id>/raw")
def show_raw(mail_id: int) -> Response:
    """Answer with the message as it came in."""
    return Response(_row(mail_id)["raw"], content_type="text/plain; charset=utf-8")


def _bench() -> Workbench:
    bench: Workbench = current_app.extensions["workbench"]
    return bench


def _refuses(bench: Workbench) -> bool:
    with bench.store.transaction():
        left: int = bench.store.setting("mail_fault", 0)
        bench.store.set_setting("mail_fault", max(left - 1, 0))
    return left > 0


def _mails(wanted: str) -> list[Json]:
    sql = "SELECT * FROM mails WHERE ? IN ('', recipients) OR instr(',' || recipients || ',', ',' || ? || ',')"
    return [read_mail(row) for row in _bench().store.rows(f"{sql} ORDER BY seq DESC", wanted, wanted)]


def _row(mail_id: int) -> Any:
    rows = _bench().store.rows("SELECT * FROM mails WHERE seq = ?", mail_id)
    return rows[0] if rows else abort(404)
