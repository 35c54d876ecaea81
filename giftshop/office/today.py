"""The office's first page: what needs you, what is still open, and what is owed as an equation that adds up."""

from flask import abort, current_app, redirect, render_template
from flask.typing import ResponseReturnValue

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.foundation import activity_log
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.database import db
from giftshop.ledger.liability import read_equation
from giftshop.notifications.models import Alert
from giftshop.office import needs
from giftshop.office.forms import actor


def show_today() -> str:
    """Show what needs a person today, and the books."""
    practice = get_practice()
    month = clock.today(practice.time_zone).replace(day=1)
    tone, told, problems = needs.tell_reconciliation(practice)
    return render_template(
        "office/today.html",
        owed=read_equation(clock.local_moment(month, hour=0, time_zone=practice.time_zone)),
        month=month,
        needs=needs.list_needs(practice),
        still_open=needs.list_open(practice),
        reconciliation={"tone": tone, "told": told, "problems": problems},
        shop_address=current_app.config["SHOP_SETTINGS"].base_url + "/gift",
    )


def tick_alert(alert_id: int) -> ResponseReturnValue:
    """Tick an alert off; a second press changes nothing."""
    alert = db.session.get(Alert, alert_id)
    if alert is None:
        abort(404)
    if alert.resolved_at is None:
        alert.resolved_at = clock.now()
        activity_log.note(Activity.ALERT_DONE, actor=actor(), alert=alert.kind, subject=alert.subject)
    db.session.commit()
    return redirect("/office/", 303)
