"""Refunds that wait because Stripe does not say what becomes of them: its word alone ends what it has made."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from giftshop.errors import CheckoutRefusedError
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.notifications.models import Alert
from giftshop.orders.models import Order, Refund
from giftshop.payments.facts import Refusal
from giftshop.payments.gateway import StripeGateway
from giftshop.reconciliation.run import reconcile
from giftshop.refunds.outcomes import record_refund, release_refund
from giftshop.refunds.requests import pursue_refund
from tests import build
from tests.conftest import both_databases
from tests.orders import told
from tests.orders.kept import Entry, entries_of, kinds_of, messages, owner_was_told, standing_of
from tests.orders.stripe_side import StripeSide


class _Forbids(BaseHTTPRequestHandler):
    """Answers every call as Stripe does when a key lacks a right."""

    def do_GET(self) -> None:
        error = {"error": {"type": "invalid_request_error", "message": "The provided key lacks a permission."}}
        body = json.dumps(error).encode()
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def key_without_a_right() -> Iterator[StripeGateway]:
    """A gateway whose key may do nothing."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Forbids) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_address[1]}"
        yield StripeGateway(secret_key="rk_test_sim_1", api_base=base, webhook_secrets=[])
        server.shutdown()


@contextmanager
def revoked_key(side: StripeSide) -> Iterator[StripeGateway]:
    """A gateway whose key Stripe no longer knows."""
    yield StripeGateway(secret_key="sk_test_sim_revoked", api_base=side.workbench.url, webhook_secrets=[])


@pytest.fixture(params=["revoked", "without a right"])
def bad_key(request: pytest.FixtureRequest, stripe_side: StripeSide) -> Iterator[StripeGateway]:
    """The shop's way to Stripe while its key does not work."""
    with revoked_key(stripe_side) if request.param == "revoked" else key_without_a_right() as gateway:
        yield gateway


def pending(side: StripeSide) -> tuple[Order, Certificate, Refund]:
    """A refund of $20.00 of $50.00 that the bank has not taken yet."""
    side.workbench.post("/refund-status", {"status": "pending"})
    order, certificate = side.sell_one(50_00)
    refund = pursue_refund(told.held(order, certificate, 20_00).id, side.gateway)
    assert (refund.state, bool(refund.stripe_refund_id)) == ("held", True)
    return order, certificate, refund


def open_alerts() -> list[str]:
    return list(db.session.scalars(sa.select(Alert.kind).where(Alert.resolved_at.is_(None)).order_by(Alert.id)))


@both_databases
def test_a_pending_refund_outlives_a_key_that_does_not_work(stripe_side: StripeSide, bad_key: StripeGateway) -> None:
    order, certificate, refund = pending(stripe_side)
    for _ in range(2):
        assert pursue_refund(refund.id, bad_key, patience="job").state == "held"
    assert standing_of(certificate) == ("active", 30_00)
    (alert,) = owner_was_told()
    assert (alert.kind, alert.subject, alert.title) == (
        "refund_key_refused",
        f"refund {refund.id}",
        "Stripe does not accept the shop’s key",
    )
    assert alert.detail == (
        f"Stripe does not accept the shop’s key, so a refund for order {order.number} waits and its money stays held. "
        "Please tell whoever looks after the shop."
    )
    stripe_side.workbench.post(f"/refunds/{refund.stripe_refund_id}/status", {"status": "succeeded"})
    assert stripe_side.tell("refund.updated", refund.stripe_refund_id or "") == "refund settled"
    assert (standing_of(certificate), kinds_of(certificate)[-1]) == (("active", 30_00), "refund_settled")
    assert (refund.refusal, open_alerts(), len(messages(order, "refund"))) == ("", [], 1)


def test_a_refund_that_the_key_may_not_ask_for_goes_out_once_it_works(
    stripe_side: StripeSide, bad_key: StripeGateway
) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    refund = pursue_refund(told.held(order, certificate, 20_00).id, bad_key)
    assert (refund.state, standing_of(certificate), open_alerts()) == (
        "held",
        ("active", 30_00),
        ["refund_key_refused"],
    )
    assert pursue_refund(refund.id, stripe_side.gateway).state == "settled"
    assert (standing_of(certificate), open_alerts(), refund.refusal) == (("active", 30_00), [], "")


def test_a_refund_that_the_key_may_not_look_up_stays_held(stripe_side: StripeSide, bad_key: StripeGateway) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    refund = told.held(order, certificate, 20_00)
    with time_machine.travel(refund.created_at + timedelta(days=2), tick=False):
        assert pursue_refund(refund.id, bad_key).state == "held"
        assert pursue_refund(refund.id, stripe_side.gateway).state == "released"
    assert (standing_of(certificate), open_alerts()) == (("active", 50_00), ["refund_refused"])
    assert refund.refusal == "Stripe does not know of it."


def test_a_refund_that_stripe_had_made_and_knows_no_more_stays_held(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    refund = told.held(order, certificate, 20_00)
    refund.stripe_refund_id = "re_gone"
    db.session.commit()
    pursued = pursue_refund(refund.id, stripe_side.gateway)
    assert (pursued.state, pursued.refusal) == ("held", "Stripe does not know of it.")
    assert (standing_of(certificate), open_alerts()) == (("active", 30_00), ["refund_unclear"])


def test_reconciliation_with_a_key_that_does_not_work_gives_nothing_back(stripe_side: StripeSide) -> None:
    _order, certificate, refund = pending(stripe_side)
    with revoked_key(stripe_side) as gateway, pytest.raises(CheckoutRefusedError):
        list(reconcile(gateway))
    db.session.rollback()
    assert (refund.state, standing_of(certificate)) == ("held", ("active", 30_00))
    assert open_alerts() == ["refund_key_refused"]


@pytest.mark.parametrize("age", [timedelta(0), timedelta(days=2)])
def test_a_refund_that_stripe_made_and_no_longer_knows_stays_held(
    stripe_side: StripeSide, gateway: StripeGateway, age: timedelta
) -> None:
    """So it looks to the key of another account."""
    order, certificate = stripe_side.sell_one(50_00)
    refund = told.held(order, certificate, 20_00)
    refund.stripe_refund_id = "re_of_another_account"
    db.session.commit()
    with time_machine.travel(refund.created_at + age, tick=False):
        assert pursue_refund(refund.id, gateway).state == "held"
    assert standing_of(certificate) == ("active", 30_00)
    (alert,) = owner_was_told()
    assert (alert.kind, alert.title) == ("refund_unclear", "A refund is unclear")
    assert alert.detail == (
        f"Stripe does not say what became of a refund for order {order.number}, so its money stays held. "
        "Please look at it in Stripe’s dashboard."
    )


def test_a_refund_that_stripe_has_made_is_not_released_by_a_refusal(app: Flask) -> None:
    order, certificate = told.sold_one()
    refund = told.held(order, certificate, 20_00)
    record_refund(told.answer_to(refund, "pending"), order.id)
    release_refund(refund.id, Refusal("InvalidRequestError"))
    assert (refund.state, standing_of(certificate), owner_was_told()) == ("held", ("active", 30_00), [])
    record_refund(told.answer_to(refund, "failed"), order.id)
    assert (refund.state, standing_of(certificate)) == ("released", ("active", 50_00))
    db.session.commit()


def test_a_refund_that_ended_while_stripe_was_asked_is_not_left_open(
    stripe_side: StripeSide, bad_key: StripeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, _certificate, refund = pending(stripe_side)
    ask = bad_key.retrieve_refund

    def end_meanwhile(*args: object, **kwargs: object) -> object:
        record_refund(told.answer_to(refund, id=refund.stripe_refund_id), order.id)
        db.session.commit()
        return ask(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(bad_key, "retrieve_refund", end_meanwhile)
    assert pursue_refund(refund.id, bad_key).state == "settled"
    assert (refund.refusal, owner_was_told()) == ("", [])


@both_databases
def test_a_released_refund_that_went_out_after_all_is_taken_off_and_told(app: Flask) -> None:
    order, certificate = told.sold_one()
    refund = told.held(order, certificate, 20_00)
    record_refund(told.answer_to(refund, "failed"), order.id)
    for status in ("pending", "requires_action", "failed"):
        assert record_refund(told.answer_to(refund, status), order.id) == "refund released"
    build.redeem(certificate, 45_00)
    for _ in range(2):
        assert record_refund(told.answer_to(refund), order.id) == "refund settled"
    db.session.commit()
    assert entries_of(certificate)[-2:] == [Entry("refund_external", 5_00, 0), Entry("loss", 15_00, 0)]
    assert len(messages(order, "refund")) == 1
    assert open_alerts() == ["refund_over_balance", "refund_made_after_all"]
    made = owner_was_told()[-1]
    assert (made.subject, made.title) == (f"refund {refund.id}", "A refund went out after all")
    assert made.detail == (
        f"A refund for order {order.number} that had been given up went out after all. "
        "It was taken off the certificate again."
    )
