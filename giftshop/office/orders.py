"""The list of orders: those that were paid, or what words, state and month find, page by page."""

import re
from dataclasses import dataclass
from datetime import date, datetime

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from giftshop import clock
from giftshop.catalog.models import Practice
from giftshop.catalog.practice import get_practice
from giftshop.dates import write_short_day
from giftshop.delivery.models import Delivery
from giftshop.delivery.states import WAITING, DeliveryState
from giftshop.delivery.timing import due_at
from giftshop.foundation.database import db
from giftshop.office.forms import number_in
from giftshop.orders.finding import ANY, MOST_COUNTED, UNPAID, FoundPage, Wanted, find_orders, first_order_at
from giftshop.orders.models import Order
from giftshop.orders.search import find_exactly
from giftshop.orders.states import OrderState
from giftshop.words import N_, _, ngettext

MOST_MONTHS = 36
STATES = {
    OrderState.FULFILLED: ("good", N_("Sold")),
    OrderState.AWAITING_PAYMENT: ("note", N_("Not paid yet")),
    OrderState.PROCESSING: ("warn", N_("Bank confirming")),
    OrderState.PAID: ("warn", N_("Being issued")),
    OrderState.IN_REVIEW: ("bad", N_("In review")),
    OrderState.REFUNDED: ("note", N_("Refunded")),
    OrderState.FAILED: ("warn", N_("Payment failed")),
    OrderState.EXPIRED: ("note", N_("Not paid")),
}
"""Each state of an order as the list shows it: a tone and a word."""
GROUPS = {"": N_("All that were paid"), UNPAID: N_("Never paid"), ANY: N_("Paid or not")}
"""What may be asked for beside one state."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    order: Order
    day: str
    who: str
    tone: str
    word: str


def show_orders() -> ResponseReturnValue:
    """Show the orders that fit; a number or one of Stripe's ids leads straight to its order."""
    words, practice = request.args.get("q", "")[:200], get_practice()
    order_id = find_exactly(words) if words else None
    if order_id is not None:
        return redirect(f"/office/orders/{order_id}", 303)
    state, month = request.args.get("state", ""), request.args.get("month", "")
    state = state if state in STATES or state in GROUPS else ""
    found = find_orders(_wanted(words, state, month, practice))
    return render_template(
        "office/orders.html",
        words=words,
        state=state,
        month=month,
        rows=_rows(found, practice),
        groups=GROUPS,
        states=STATES,
        are_near=found.are_near,
        unpaid=_say_unpaid(found.unpaid),
        unpaid_state=UNPAID,
        months=_list_months(practice),
        last=found.orders[-1].id if found.has_more else None,
        is_filtered=bool(words.strip() or state or month),
    )


def _wanted(words: str, state: str, month: str, practice: Practice) -> Wanted:
    start, end = _span(month, practice.time_zone)
    before = number_in(request.args.get("before", ""))
    return Wanted(
        words=words,
        state=state,
        start=start,
        end=end,
        before=db.session.get(Order, before) if before is not None else None,
    )


def _say_unpaid(count: int) -> str:
    """Say how many more there are that nobody has paid; nothing for none."""
    if count >= MOST_COUNTED:
        return _("%(count)s or more that were never paid", count=MOST_COUNTED)
    return ngettext("One that was never paid", "%(num)s that were never paid", count) if count else ""


def _span(month: str, time_zone: str) -> tuple[datetime | None, datetime | None]:
    """Return the moments between which it is that month ("2026-11") at the practice; none for anything else."""
    if not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", month, re.ASCII):
        return None, None
    first = date.fromisoformat(f"{month}-01")
    after = _month_after(first)
    return (
        clock.local_moment(first, hour=0, time_zone=time_zone),
        clock.local_moment(after, hour=0, time_zone=time_zone),
    )


def _month_after(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _list_months(practice: Practice) -> list[date]:
    """Return the first days of the months in which something may have been ordered, newest first."""
    first_at = first_order_at()
    this = clock.today(practice.time_zone).replace(day=1)
    month = clock.local(first_at, practice.time_zone).date().replace(day=1) if first_at else this
    months = [month]
    while months[-1] < this:
        months.append(_month_after(months[-1]))
    return months[::-1][:MOST_MONTHS]


def _rows(found: FoundPage, practice: Practice) -> list[Row]:
    return [
        Row(
            order,
            _short_day(order.created_at, practice),
            _who(order),
            *_status(order, found.messages.get(order.id, []), practice),
        )
        for order in found.orders
    ]


def _short_day(moment: datetime, practice: Practice) -> str:
    return write_short_day(clock.local(moment, practice.time_zone).date())


def _who(order: Order) -> str:
    """Say from whom to whom, and how many more gifts there are."""
    gift = order.gifts[0]
    more = sum(each.quantity for each in order.gifts) - 1
    if not more:
        return f"{gift.giver_name} → {gift.recipient_name}"
    names = {"giver": gift.giver_name, "name": gift.recipient_name}
    return ngettext("%(giver)s → %(name)s, %(num)s more", "%(giver)s → %(name)s, %(num)s more", more, **names)


def _status(order: Order, messages: list[Delivery], practice: Practice) -> tuple[str, str]:
    """Return what a paid order's messages have come to, else the order's own state."""
    if order.state != OrderState.FULFILLED or not messages:
        tone, word = STATES[OrderState(order.state)]
        return tone, _(word)
    states = {message.state for message in messages}
    waiting = [due_at(message, practice) for message in messages if message.state == DeliveryState.SCHEDULED]
    if any(message.trouble and message.state in WAITING for message in messages):
        return "warn", _("Email waits")
    if DeliveryState.FAILED in states:
        return "bad", _("Email failed")
    if waiting and min(waiting) > clock.now():
        return "note", _("Sends %(day)s", day=_short_day(min(waiting), practice))
    return ("note", _("Sending")) if waiting or DeliveryState.SENDING in states else ("good", _("Sent"))
