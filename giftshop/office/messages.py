"""The page on which a message is sent again, or after all, to the address it had or to the right one."""

from datetime import date, datetime, timedelta

import sqlalchemy as sa
from flask import abort, redirect, render_template
from flask.typing import ResponseReturnValue

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.dates import write_appointment
from giftshop.delivery import deliveries, stuck, timing
from giftshop.delivery.addresses import read_sure_address
from giftshop.delivery.kinds import BRINGING, MessageKind, name_message
from giftshop.delivery.models import Delivery, DeliveryCertificate
from giftshop.delivery.resending import (
    MessageNotFoundError,
    MessageUnderWayError,
    SentAgainError,
    get_message,
    lock_message,
    version_of,
)
from giftshop.delivery.states import DeliveryState
from giftshop.errors import CertificateVoidError, ChangedMeanwhileError
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import Answer, answer_once, refuse_changed
from giftshop.ledger.models import Certificate
from giftshop.ledger.states import CertificateStatus
from giftshop.notifications import letters
from giftshop.office.forms import Filled, actor, asked
from giftshop.orders.labels import tell_delivery
from giftshop.orders.models import Gift
from giftshop.web.form_state import form_key, kept_addresses, typed_in
from giftshop.words import _

ONE_PRESS, MOST_AT_ONCE = timedelta(seconds=20), 100
"""What was tried this short a time ago is not tried anew by another press."""


def show_resend(message_id: int) -> ResponseReturnValue:
    """Show where a message went, and ask where it shall go now."""
    return _page(_get_message(message_id))


def resend(message_id: int) -> ResponseReturnValue:
    """Send it again, once."""
    message = _get_message(message_id)
    form = Filled()
    address = form.take("address", lambda text: read_sure_address(text, kept_addresses()), "")
    if form.errors:
        return _page(message, form.errors), 422
    done = "send_after_all" if message.state == DeliveryState.CANCELLED else "resend"
    back = f"/office/orders/{message.order_id}?done={done}" if message.order_id else "/office/"
    answer = _send_once(message_id, address)
    db.session.commit()
    if answer.refusal:
        return _page(message, _errors_of(answer, message), is_answered=True), answer.status
    return redirect(back, 303)


def send_all() -> ResponseReturnValue:
    """Send now what waits for another try, and again what was given up though its address was not refused.

    A second press finds nothing: what was sent again has its successor, what was woken was tried a moment ago.
    """
    at, person = clock.now(), actor()
    stuck.wake(at, tried_before=at - ONE_PRESS)
    given_up = [message for message in deliveries.list_failed() if stuck.may_go_out(message)]
    for message in given_up[:MOST_AT_ONCE]:
        try:
            letters.send_again(message.id, to_address=message.to_address, actor=person, at=at)
        except (CertificateVoidError, SentAgainError, MessageUnderWayError):
            continue  # it has ended, or somebody else was faster
    db.session.commit()
    return redirect("/office/", 303)


def list_cancelled(messages: list[Delivery]) -> dict[int, list[str]]:
    """Return which of these messages were cancelled and may bring their gift after all, with what to know before."""
    cancelled = {each.id: each for each in messages if each.state == DeliveryState.CANCELLED and each.kind in BRINGING}
    if not cancelled:
        return {}
    carried = (
        sa.select(DeliveryCertificate.delivery_id, Certificate.status)
        .join(Certificate, Certificate.id == DeliveryCertificate.certificate_id)
        .where(DeliveryCertificate.delivery_id.in_(cancelled), Certificate.status != CertificateStatus.VOID)
    )
    statuses: dict[int, set[str]] = {}
    for message_id, status in db.session.execute(carried):
        statuses.setdefault(message_id, set()).add(status)
    return {
        each: _tell_before(cancelled[each], is_held=CertificateStatus.ACTIVE not in found)
        for each, found in statuses.items()
    }


def _tell_before(message: Delivery, *, is_held: bool) -> list[str]:
    """Say what to know before a cancelled message is sent: a hold, the buyer's wish, and when it goes out."""
    gift, when, zone = db.session.get(Gift, message.gift_id), _own_time(message), get_practice().time_zone
    told = {
        _("Its certificate is on hold: end the hold first, or it can’t be used when it arrives."): is_held,
        _("The buyer chose not to have it sent."): message.kind == MessageKind.GIFT
        and gift
        and gift.delivery != "recipient",
        _("It goes out on its day, %(when)s.", when=write_appointment(when, zone)) if when else "": when,
    }
    return [sentence for sentence, is_so in told.items() if is_so]


def _own_time(message: Delivery) -> datetime | None:
    """Return when a cancelled gift goes out: at the hour of its day; None for at once."""
    day = _own_day(message)
    return timing.moment_of(day, get_practice()) if day else None


def _own_day(message: Delivery) -> date | None:
    """Return the day on which a cancelled gift goes out: that its buyer chose, while its hour is to come."""
    gift = db.session.get(Gift, message.gift_id) if message.gift_id else None
    if (
        gift is None
        or gift.deliver_on is None
        or message.kind != MessageKind.GIFT
        or message.state != DeliveryState.CANCELLED
    ):
        return None
    return gift.deliver_on if timing.moment_of(gift.deliver_on, get_practice()) > clock.now() else None


def _get_message(message_id: int) -> Delivery:
    try:
        return get_message(message_id)
    except MessageNotFoundError:
        abort(404)


def _send_once(message_id: int, address: str) -> Answer:
    person = asked()

    def act() -> dict[str, object]:
        message = lock_message(message_id)
        day, found = _own_day(message), version_of(message)
        again = letters.send_again(
            message_id,
            to_address=address,
            actor=person.actor,
            at=clock.now(),
            send_at=timing.moment_of(day, get_practice()) if day else None,
            send_on=day,
        )
        refuse_changed(person.key, *found)
        return {"message": again.id}

    body = {"act": "resend", "message": message_id, "to": address}
    return answer_once(scope=f"resend:{person.actor}", key=person.key, body=body, act=act)


def _errors_of(answer: Answer, message: Delivery) -> dict[str, str]:
    """Return why a message was not sent again; where it has gone on meanwhile, also how far it has come."""
    if answer.refusal != ChangedMeanwhileError.__name__:
        return {"address": answer.message}
    *_before, (_at, told) = tell_delivery(message, get_practice())
    return {"": " ".join([answer.message, _("Meanwhile: %(what)s.", what=f"{told.what}, {told.detail}")])}


def _page(message: Delivery, errors: dict[str, str] | None = None, *, is_answered: bool = False) -> str:
    return render_template(
        "office/resend.html",
        message=message,
        before=list_cancelled([message]).get(message.id, []),
        own_time=_own_time(message),
        name=name_message(message.kind),
        address=typed_in("address", message.to_address),
        kept=kept_addresses(),
        request_key=form_key(*version_of(message), is_answered=is_answered),
        errors=errors or {},
    )
