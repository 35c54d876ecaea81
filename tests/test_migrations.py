"""The migrations: from nothing to the newest on both databases, without drift, and never into another mode."""

from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import check, upgrade
from sqlalchemy.exc import IntegrityError

from giftshop.app import close_app, create_app
from giftshop.catalog.models import Installation
from giftshop.catalog.practice import get_installation, refuse_other_money
from giftshop.delivery.models import Delivery
from giftshop.errors import WrongDatabaseError
from giftshop.foundation.database import db
from tests.conftest import both_databases, make_settings


@both_databases
def test_the_migrations_make_exactly_what_the_models_say(app: Flask) -> None:
    check()


@both_databases
def test_a_second_upgrade_changes_nothing(app: Flask) -> None:
    stamp = get_installation().instance_id
    db.session.rollback()
    upgrade()
    assert get_installation().instance_id == stamp


def test_a_database_of_simulated_payments_refuses_real_ones(app: Flask, database_url: str) -> None:
    live = create_app(make_settings(database_url, stripe_secret_key="sk_live_0123456789abcdef", stripe_api_base=""))
    with live.app_context(), pytest.raises(WrongDatabaseError, match="simulated"):
        upgrade()
    close_app(live)
    assert db.session.get_one(Installation, 1).mode == "simulated"


def test_a_shop_whose_key_is_for_other_money_than_its_database_does_not_start(app: Flask) -> None:
    refuse_other_money("simulated")
    with pytest.raises(WrongDatabaseError, match="This database belongs to simulated payments, and the Stripe key"):
        refuse_other_money("live")


def test_a_database_that_is_not_there_yet_is_not_judged_and_not_made(tmp_path: Path) -> None:
    fresh = create_app(make_settings(f"sqlite:///{tmp_path}/none.sqlite"))
    with fresh.app_context():
        refuse_other_money("live")
    close_app(fresh)
    assert list(tmp_path.iterdir()) == []


def test_rows_keep_what_they_refer_to_when_a_table_is_copied(tmp_path: Path) -> None:
    old = create_app(make_settings(f"sqlite:///{tmp_path}/old.sqlite"))
    with old.app_context():
        upgrade(revision="0002")
        for statement in (ORDER, DELIVERY):
            db.session.execute(sa.text(statement))
        db.session.commit()
        upgrade()
        assert db.session.execute(sa.text("SELECT id, order_id, kind FROM delivery")).all() == [(7, 3, "receipt")]
        assert db.session.scalar(sa.text('SELECT received_cents FROM "order"')) == 9500
        assert db.session.scalar(sa.text('SELECT received_currency FROM "order"')) == "USD"
        with pytest.raises(IntegrityError):
            db.session.execute(sa.text("UPDATE delivery SET state = 'lost'"))
        db.session.rollback()
        with pytest.raises(IntegrityError):
            db.session.execute(sa.text('DELETE FROM "order"'))
        db.session.rollback()
    close_app(old)


ORDER = """INSERT INTO "order" VALUES (3, 'o_1', x'01', x'02', 'key', x'03', 'simulated', 'fulfilled', '', 'USD', 9500,
    'marko@example.com', NULL, '2026-11-24T00:00:00.000000+00:00', '2026-11-24T00:00:00.000000+00:00')"""
DELIVERY = """INSERT INTO delivery VALUES (7, 'receipt', 3, NULL, 1, 'marko@example.com', x'00', '<1@x>', 'sent',
    '2026-11-24T00:00:00.000000+00:00', 0, 1, '', '2026-11-24T00:00:00.000000+00:00', NULL)"""


def test_what_was_read_out_of_sentences_before_stands_in_columns_after(tmp_path: Path) -> None:
    old = create_app(make_settings(f"sqlite:///{tmp_path}/old.sqlite"))
    with old.app_context():
        upgrade(revision="0006")
        for statement in (ORDER_IN_REVIEW, *REFUNDS, *ALERTS, *LOG):
            db.session.execute(sa.text(statement))
        db.session.commit()
        upgrade()
        rows = db.session.execute(sa.text("SELECT subject, order_id FROM alert ORDER BY id")).all()
        assert dict(rows) == {"cs_9": 3, "pi_9": 3, "evt_1": None, "re_1": 3, "after run 0": None, "o_9.1": None}
        refusals = db.session.execute(sa.text("SELECT refusal_kind, refusal_code FROM refund ORDER BY id")).all()
        assert refusals == [("request", "charge_disputed"), ("key", ""), ("unknown", ""), ("bank", ""), ("", "")]
        paybacks = db.session.execute(sa.text("SELECT order_id, actor, reason, refusals FROM payback")).all()
        assert paybacks == [(3, "staff:2", "asked again", 2)]
        warnings = db.session.execute(sa.text("SELECT warning_id, order_id, noted_at FROM fraud_warning")).all()
        assert warnings == [("issfr_1", 3, MOMENT)]
        db.session.rollback()
    close_app(old)


MOMENT = "2026-11-24T00:00:00.000000+00:00"
ORDER_IN_REVIEW = f"""INSERT INTO "order" (id, public_id, token_lookup, token_enc, request_key, request_sha256, mode,
    state, review_reason, currency, total_cents, buyer_email, payment_intent_id, created_at)
    VALUES (3, 'o_9', x'01', x'02', 'key', x'03', 'simulated', 'in_review', 'the amount differs', 'USD', 9500,
    'marko@example.com', 'pi_9', '{MOMENT}')"""
REFUNDS = [
    f"""INSERT INTO refund (public_id, order_id, amount_cents, state, reason, actor, stripe_refund_id, refusal,
    created_at)
    VALUES ('rf_{number}', 3, 100, 'released', 'asked', 'staff:1', 're_{number}', '{refusal}', '{MOMENT}')"""
    for number, refusal in enumerate(
        [
            "InvalidRequestError charge_disputed req_1",
            "AuthenticationError  req_2",
            "Stripe does not know of it.",
            "The bank did not take it.",
            "",
        ]
    )
]
ALERTS = [
    f"INSERT INTO alert (subject, kind, detail, created_at) VALUES ('{subject}', '{kind}', '{detail}', '{MOMENT}')"
    for subject, kind, detail in [
        ("cs_9", "in_review", "Order G-1003: the amount differs. No certificate was issued."),
        ("pi_9", "paid_twice", "It was paid a second time."),
        ("evt_1", "wrong_mode_event", "An event of the other mode (test or live) arrived."),
        ("re_1", "refund_failed", "The refund for order G-9999 failed."),
        ("after run 0", "reconciliation_overdue", "The books have not been compared with Stripe."),
        ("o_9.1", "checkout_refused", "The payment page could not be opened."),
    ]
]
LOG = [
    f"INSERT INTO trail_event (at, actor, kind, order_id, facts) VALUES ('{MOMENT}', '{actor}', '{kind}', 3, '{facts}')"
    for actor, kind, facts in [
        ("staff:1", "payback_asked", '{"reason": "asked first"}'),
        ("stripe", "payback_refused", '{"reason": "no"}'),
        ("staff:2", "payback_asked", '{"reason": "asked again"}'),
        ("stripe", "payback_refused", '{"reason": "no"}'),
        ("stripe", "fraud_warning", '{"reason": "fraud_warning", "subject": "issfr_1"}'),
        ("stripe", "fraud_warning", '{"reason": "fraud_warning", "subject": "issfr_1"}'),
    ]
]


def test_what_waits_for_its_day_keeps_the_day_from_now_on(tmp_path: Path) -> None:
    old = create_app(make_settings(f"sqlite:///{tmp_path}/old.sqlite"))
    with old.app_context():
        upgrade(revision="0007")
        for statement in (ORDER_IN_REVIEW, GIFT, *WAITING):
            db.session.execute(sa.text(statement))
        db.session.commit()
        upgrade()
        rows = db.session.execute(sa.text("SELECT message_id, send_on, first_turn FROM delivery ORDER BY id")).all()
        assert rows == [
            ("waits", "2027-01-15", 0),
            ("is tried again", None, 0),
            ("sent", None, 0),
            ("for now", None, 0),
            ("a receipt", None, 0),
        ]
        assert (get_installation().zone_rules, db.session.scalar(sa.select(Delivery.send_on))) == (
            "",
            date(2027, 1, 15),
        )
        db.session.rollback()
    close_app(old)


GIFT = """INSERT INTO gift (id, order_id, position, offer_slug, service_name, amount_cents, quantity, recipient_name,
    giver_name, message, design, delivery, recipient_email, deliver_on)
    VALUES (5, 3, 0, 'amount', '', 9500, 1, 'Ana', 'Marko', '', 'stones', 'recipient', 'ana@example.com',
    '2027-01-15')"""
WAITING = [
    f"""INSERT INTO delivery (kind, order_id, gift_id, revision, to_address, facts_enc, message_id, state, send_at,
    turn, attempts, last_error, created_at)
    VALUES ('{kind}', 3, 5, 1, 'ana@example.com', x'00', '{name}', '{state}', '{send_at}', {turn}, 0, '', '{MOMENT}')"""
    for name, kind, state, send_at, turn in [
        ("waits", "gift", "scheduled", "2027-01-15T16:00:00.000000+00:00", 0),
        ("is tried again", "gift", "scheduled", "2027-01-15T16:00:00.000000+00:00", 1),
        ("sent", "gift", "sent", "2027-01-15T16:00:00.000000+00:00", 0),
        ("for now", "gift", "scheduled", MOMENT, 0),
        ("a receipt", "receipt", "scheduled", "2027-01-15T16:00:00.000000+00:00", 0),
    ]
]
