"""Pages left open while somebody else acts: a clear answer that names what happened, and one press more does it."""

import re

from flask import Flask

from giftshop.delivery.models import Delivery
from giftshop.foundation.activity_log import ActivityEvent
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate, ReplacedCode
from giftshop.notifications.alerts import alert_owner
from giftshop.notifications.kinds import AlertKind
from giftshop.notifications.models import Alert
from giftshop.orders.models import Order, Refund
from tests import build
from tests.conftest import both_databases
from tests.ledger.acts import all_at_once
from tests.office.conftest import Desk, path_of, words_of
from tests.orders.stripe_side import StripeSide
from tests.reconciliation.test_review import put_in_review
from tests.signing_in import hire, signed_in

CHANGED = "This has changed since you opened the page."


def key_in(html: str, action: str = "") -> str:
    """Return the request key of a page's form, of the first one after `action`."""
    found = re.search(r'name="request_key" value="([^"]+)"', html[html.index(action) :])
    assert found is not None
    return found[1]


def mark_sent(order: Order) -> None:
    for message in db.session.query(Delivery).filter(Delivery.order_id == order.id):
        message.state = "sent"
    db.session.commit()


def codes_given() -> int:
    return db.session.query(ReplacedCode).count()


@both_databases
def test_eight_pages_of_a_new_code_give_one_and_the_others_are_told_what_happened(
    manager: Desk, stripe_side: StripeSide
) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    mark_sent(order)
    path = f"/office/certificates/{certificate.public_id}/reissue"
    keys = [key_in(manager.open(path).text) for _ in range(8)]
    answers = [manager.act(certificate, "reissue", request_key=key, reason="lost her phone") for key in keys]
    assert [each.status_code for each in answers] == [303] + [409] * 7
    assert (codes_given(), db.session.query(Delivery).filter_by(kind="reissued").count()) == (1, 1)
    for each in answers[1:]:
        words = words_of(each.text)
        assert CHANGED in words
        assert "Meanwhile: Given a new code; the old one no longer works, Manager, " in words
    again = manager.act(certificate, "reissue", request_key=key_in(answers[-1].text))
    assert (again.status_code, codes_given()) == (303, 2)


def test_a_double_click_leads_both_times_to_what_was_done(manager: Desk, stripe_side: StripeSide) -> None:
    _order, certificate = stripe_side.sell_one(50_00)
    key = key_in(manager.open(f"/office/certificates/{certificate.public_id}/reissue").text)
    answers = [manager.act(certificate, "reissue", request_key=key) for _ in range(2)]
    assert [each.status_code for each in answers] == [303, 303]
    assert answers[0].location == answers[1].location
    assert codes_given() == 1


def test_a_form_that_lacked_its_reason_still_says_what_was_seen(manager: Desk, stripe_side: StripeSide) -> None:
    _order, certificate = stripe_side.sell_one(50_00)
    key = key_in(manager.open(f"/office/certificates/{certificate.public_id}/reissue").text)
    build.reissue(certificate)
    without = manager.act(certificate, "reissue", request_key=key, reason="")
    assert without.status_code == 422
    assert manager.act(certificate, "reissue", request_key=key_in(without.text)).status_code == 409
    assert codes_given() == 1


def test_a_refund_page_from_before_a_visit_pays_nothing_back(owner: Desk, stripe_side: StripeSide) -> None:
    _order, certificate = stripe_side.sell_one(50_00)
    path = f"/office/certificates/{certificate.public_id}/refund"
    key = key_in(owner.open(path).text)
    build.redeem(certificate, 10_00, actor=owner.actor)
    db.session.commit()
    answer = owner.send(path, request_key=key, amount="20", reason="they asked")
    assert answer.status_code == 409
    assert "Meanwhile: Redeemed $10.00, Owner, " in words_of(answer.text)
    assert db.session.query(Refund).count() == 0
    assert owner.send(path, request_key=key_in(answer.text), amount="20", reason="they asked").status_code == 303
    assert [each.state for each in db.session.query(Refund)] == ["settled"]


def test_a_message_that_went_out_meanwhile_is_not_sent_twice(manager: Desk, stripe_side: StripeSide) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    message = db.session.query(Delivery).filter(Delivery.kind == "gift").one()
    path = f"/office/messages/{message.id}/resend"
    key = key_in(manager.open(path).text)
    mark_sent(order)
    message.sent_at = message.send_at
    db.session.commit()
    answer = manager.send(path, request_key=key, address="ana@example.org")
    assert answer.status_code == 409
    words = words_of(answer.text)
    assert CHANGED in words
    assert "sent, to ana@example.com." in words
    assert db.session.query(Delivery).filter(Delivery.replaces_id == message.id).count() == 0
    assert manager.send(path, request_key=key_in(answer.text), address="ana@example.org").status_code == 303


@both_databases
def test_an_order_in_review_is_decided_once_and_a_double_click_is_told_so_twice(
    owner: Desk, stripe_side: StripeSide
) -> None:
    order = put_in_review(stripe_side, client_reference_id="o_another")
    path = path_of(order)
    first, other = (key_in(owner.open(path).text, "/pay-back") for _ in range(2))
    answers = [owner.send(f"{path}/pay-back", request_key=first, reason="they rang") for _ in range(2)]
    assert [(each.status_code, each.location) for each in answers] == [(303, f"{path}?done=refunded")] * 2
    assert owner.send(f"{path}/accept", request_key=other, reason="fine").status_code == 409
    assert (order.state, db.session.query(Refund).count()) == ("refunded", 1)


def test_who_saw_an_order_in_review_before_stripe_refused_looks_again(owner: Desk, stripe_side: StripeSide) -> None:
    order = put_in_review(stripe_side, client_reference_id="o_another")
    path = path_of(order)
    first, other = (key_in(owner.open(path).text, "/pay-back") for _ in range(2))
    stripe_side.dispute(order)  # Stripe pays no disputed charge back
    assert owner.send(f"{path}/pay-back", request_key=first, reason="they rang").status_code == 409
    stale = owner.send(f"{path}/pay-back", request_key=other, reason="they rang")
    assert (stale.status_code, CHANGED in stale.text) == (409, True)
    assert owner.send(f"{path}/pay-back", request_key="", reason="they rang").status_code == 400


@both_databases
def test_an_alert_is_ticked_off_once_however_many_press(app: Flask, stripe_side: StripeSide) -> None:
    order, _certificate = stripe_side.sell_one(50_00)
    alert_owner(AlertKind.FRAUD_WARNING, "issfr_1", "The card's bank warns.", order=order)
    db.session.commit()
    alert_id = db.session.query(Alert.id).scalar()
    desks = [signed_in(app, hire("manager", f"m{number}@practice.example")) for number in range(4)]
    assert all_at_once(app, 4, lambda number: desks[number].post(f"/office/alerts/{alert_id}/done")) == {"done": 4}
    assert db.session.query(ActivityEvent).filter(ActivityEvent.kind == "alert_done").count() == 1


def test_a_redemption_from_a_page_that_is_out_of_date_takes_nothing(app: Flask) -> None:
    certificate = build.certificate(face_value_cents=120_00)
    tills = [signed_in(app, hire("staff", f"desk{number}@practice.example")) for number in (1, 2)]
    paths = [till.post("/redeem", data={"code": build.code_of(certificate)}).location or "" for till in tills]
    keys = [key_in(till.get(path).text) for till, path in zip(tills, paths, strict=True)]
    assert tills[0].post(paths[0], data={"amount": "40", "request_key": keys[0]}).status_code == 303
    answer = tills[1].post(paths[1], data={"amount": "40", "request_key": keys[1]})
    words = words_of(answer.text)
    assert answer.status_code == 409
    assert CHANGED in words
    assert "Meanwhile: Redeemed $40.00, Staff, " in words
    assert balance_of(certificate) == 80_00
    again = {"amount": "40", "request_key": key_in(answer.text)}
    assert tills[1].post(paths[1], data=again).status_code == 303
    assert balance_of(certificate) == 40_00


def balance_of(certificate: Certificate) -> int:
    db.session.refresh(certificate)
    return certificate.balance_cents
