"""Who may what in the office: every address for every role, and no form without its token or from another site."""

import pytest
from flask import Flask
from werkzeug.routing import Rule

from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.orders.notes import OrderNote
from giftshop.staff.rights import RIGHTS
from tests import build
from tests.orders.stripe_side import StripeSide
from tests.signing_in import browser, hire, signed_in

MAY = {
    None: set(),
    "staff": set(),
    "manager": {name for name, role in RIGHTS.items() if name.startswith("office.") and role == "manager"},
    "owner": {name for name in RIGHTS if name.startswith("office.")},
}
OWNERS_ALONE = {"office.accept", "office.show_void", "office.void", "office.evidence"}


def office_rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("office.")]


def address(rule: Rule, values: dict[str, object]) -> str:
    """Return a rule's address with real things in it."""
    filled = {name: values[name] for name in rule.arguments if name in values}
    built = rule.build({**filled, **(rule.defaults or {})}, append_unknown=False)
    assert built is not None
    return built[1]


PAYS_BACK = (
    *("office.show_refund", "office.refund"),
    *("office.show_asked_back", "office.pay_asked_back", "office.pay_back"),
)


@pytest.mark.parametrize("role", list(MAY))
def test_every_address_of_the_office_is_open_to_its_roles_alone(
    app: Flask, stripe_side: StripeSide, role: str | None
) -> None:
    values = real_things(stripe_side)
    client = signed_in(app, hire(role)) if role else browser(app)
    for rule in office_rules(app):
        method = "POST" if "POST" in (rule.methods or ()) else "GET"
        answer = client.open(address(rule, values), method=method)
        is_open = answer.status_code not in (401, 403) and answer.location != "/staff/login"
        may = rule.endpoint in MAY[role]
        if rule.endpoint in PAYS_BACK and role == "manager":
            may = False  # the practice lets managers refund nothing unless the owner says so
        assert is_open == may, (rule.endpoint, answer.status)


def test_only_the_owner_ends_certificates_and_answers_banks() -> None:
    assert {name for name, role in RIGHTS.items() if role == "owner"} == OWNERS_ALONE


def test_no_form_of_the_office_works_without_its_token_or_from_another_site(
    app: Flask, stripe_side: StripeSide
) -> None:
    values, client = real_things(stripe_side), signed_in(app, hire("owner"))
    data = {"reason": "x", "amount": "1", "text": "x", "address": "a@example.com", "request_key": build.request_key()}
    posts = [address(rule, values) for rule in office_rules(app) if "POST" in (rule.methods or ())]
    assert len(posts) == 13
    for path in posts:
        assert client.post(path, data=data, headers={"Origin": "https://evil.example"}).status_code == 403, path
    app.config["WTF_CSRF_ENABLED"] = True
    for path in posts:
        assert client.post(path, data=data).status_code == 403, path
    assert db.session.query(OrderNote).filter(OrderNote.text == "x").count() == 0


def test_the_bar_shows_each_person_where_they_may_go(app: Flask) -> None:
    for role, links in (("staff", 0), ("manager", 2), ("owner", 2)):
        page = signed_in(app, hire(role)).get("/redeem").text
        assert page.count('href="/office/') == links + (links > 0), role


def real_things(stripe_side: StripeSide) -> dict[str, object]:
    """Return the ids of things that exist, by the names that addresses give them."""
    order, certificate = stripe_side.sell_one(50_00)
    stripe_side.tell("charge.dispute.created", stripe_side.dispute(order))
    note = OrderNote(order_id=order.id, text="a note", actor="staff:1", written_at=order.created_at)
    db.session.add(note)
    db.session.commit()
    message = db.session.query(Delivery).filter(Delivery.kind == "gift").one()
    numbers = {"order_id": order.id, "alert_id": 1, "note_id": note.id, "message_id": message.id, "dispute_id": 1}
    return {**numbers, "public_id": certificate.public_id}
