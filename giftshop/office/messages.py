"""The page on which a message is sent again, to the address it went to or to the right one."""

from flask import abort, redirect, render_template
from flask.typing import ResponseReturnValue

from giftshop import clock
from giftshop.certificates.requests import Answer, answer_once
from giftshop.database import db
from giftshop.delivery.addresses import read_address
from giftshop.delivery.models import Delivery
from giftshop.delivery.resending import MessageNotFoundError, get_message
from giftshop.office.forms import Filled, asked
from giftshop.orders import notices
from giftshop.orders.history_words import MESSAGES
from giftshop.staff.typed import form_key, typed_in


def show_resend(message_id: int) -> ResponseReturnValue:
    """Show where a message went, and ask where it shall go now."""
    return _page(_get_message(message_id))


def resend(message_id: int) -> ResponseReturnValue:
    """Send it again, once."""
    message = _get_message(message_id)
    form = Filled()
    address = form.take("address", read_address, "")
    if form.errors:
        return _page(message, form.errors), 422
    back = f"/office/orders/{message.order_id}?done=resend" if message.order_id else "/office/"
    answer = _send_once(message_id, address)
    db.session.commit()
    if answer.refusal:
        return _page(message, {"address": answer.message}), answer.status
    return redirect(back, 303)


def _get_message(message_id: int) -> Delivery:
    try:
        return get_message(message_id)
    except MessageNotFoundError:
        abort(404)


def _send_once(message_id: int, address: str) -> Answer:
    person = asked()

    def act() -> dict[str, object]:
        again = notices.send_again(message_id, to_address=address, actor=person.actor, at=clock.now())
        return {"message": again.id}

    body = {"act": "resend", "message": message_id, "to": address}
    return answer_once(scope=f"resend:{person.actor}", key=person.key, body=body, act=act)


def _page(message: Delivery, errors: dict[str, str] | None = None) -> str:
    return render_template(
        "office/resend.html",
        message=message,
        name=MESSAGES.get(message.kind, message.kind),
        address=typed_in("address", message.to_address),
        request_key=form_key(),
        errors=errors or {},
    )
