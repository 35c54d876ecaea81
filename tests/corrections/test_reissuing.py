"""A new code: what the old one opened is closed to everybody, and no message on its way leaves a dead one behind."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop.certificates.look_up import get_certificate
from giftshop.certificates.requests import Asked
from giftshop.corrections import certificates
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.payments.shares import list_certificates
from tests import build
from tests.conftest import both_databases
from tests.orders.stripe_side import StripeSide
from tests.signing_in import hire, signed_in


def reissue(certificate: Certificate) -> object:
    """Give a new code, as a manager does; return whether a message about it goes out."""
    answer = certificates.reissue(certificate, Asked(actor="staff:2", reason="photographed", key=build.request_key()))
    db.session.commit()
    return answer.facts["told"]


def messages(kind: str) -> list[Delivery]:
    return list(db.session.scalars(sa.select(Delivery).where(Delivery.kind == kind)))


@both_databases
def test_what_was_scanned_under_the_old_code_can_no_longer_be_redeemed(app: Flask) -> None:
    certificate, other = build.certificate(), build.certificate()
    desks = [signed_in(app, hire("staff", f"desk{number}@practice.example")) for number in (1, 2)]
    for desk in desks:
        for each in (certificate, other):
            assert desk.post("/redeem", data={"code": build.code_of(each)}).status_code == 303
    reissue(certificate)
    for desk in desks:
        assert desk.get(f"/redeem/{certificate.public_id}").status_code == 403
        amount = {"amount": "10", "request_key": build.request_key()}
        assert desk.post(f"/redeem/{certificate.public_id}", data=amount).status_code == 403
        assert desk.get(f"/redeem/{other.public_id}").status_code == 200
    assert desks[0].post("/redeem", data={"code": build.code_of(certificate)}).status_code == 303
    assert desks[0].get(f"/redeem/{certificate.public_id}").status_code == 200
    assert get_certificate(certificate.public_id).balance_cents == certificate.face_value_cents


STATES = [("scheduled", False), ("sending", True), ("sent", True), ("failed", False), ("cancelled", False)]


@pytest.mark.parametrize(("state", "is_told"), STATES)
def test_who_may_already_have_the_old_code_is_told_of_the_new_one(
    stripe_side: StripeSide, state: str, is_told: bool
) -> None:
    order = stripe_side.sell()
    (certificate,) = list_certificates(order.id)
    (gift_message,) = messages("gift")
    gift_message.state = state
    db.session.commit()
    assert reissue(certificate) is is_told
    assert [message.to_address for message in messages("reissued")] == ["ana@example.com"] * is_told


@contextmanager
def beginning_to_send(message_id: int) -> Iterator[sa.Connection]:
    """Claim a message on a connection of its own, and commit when the block ends."""
    with db.engine.begin() as connection:
        connection.execute(sa.update(Delivery).where(Delivery.id == message_id).values(state="sending"))
        yield connection


def is_anybody_waiting(connection: sa.Connection) -> bool:
    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    return bool(connection.scalar(waiting))


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_message_that_begins_to_go_out_at_that_moment_is_waited_for(app: Flask, stripe_side: StripeSide) -> None:
    order = stripe_side.sell()
    (certificate,) = list_certificates(order.id)
    public_id, message_id = certificate.public_id, messages("gift")[0].id
    db.session.rollback()
    pause = Event()

    def renew() -> object:
        with app.app_context():
            return reissue(get_certificate(public_id))

    with ThreadPoolExecutor(1) as people:
        with beginning_to_send(message_id) as connection:
            told: Future[object] = people.submit(renew)
            while not (is_anybody_waiting(connection) or told.done()):
                pause.wait(0.05)
        assert told.result() is True
    assert len(messages("reissued")) == 1
