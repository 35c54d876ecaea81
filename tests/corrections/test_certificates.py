"""Corrections: what is done to a sold certificate, once for each form, with a reason that tells no secret."""

from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask

from giftshop.catalog.practice import get_practice
from giftshop.certificates import status
from giftshop.certificates.codes import format_code
from giftshop.certificates.reasons import MOST_REASON, ReasonTellsTooMuchError, ReasonTooLongError, read_reason
from giftshop.certificates.requests import Asked
from giftshop.corrections import certificates
from giftshop.errors import ReasonMissingError, RequestKeyReusedError
from giftshop.foundation.database import db
from giftshop.ledger.idempotency import Answer
from giftshop.ledger.models import Certificate
from giftshop.orders.models import Order, Refund
from giftshop.payments.shares import list_certificates
from giftshop.refunds import requests
from tests import build
from tests.conftest import both_databases
from tests.orders import told
from tests.orders.kept import holds_on, kinds_of, message_kinds, standing_of
from tests.orders.stripe_side import StripeSide

DONE, REFUSED = 200, 409


def asked(key: str = "", *, reason: str = "reported lost") -> Asked:
    return Asked(actor="staff:7", reason=reason, key=key or build.request_key())


def ask_refund(order: Order, certificate: Certificate, cents: int, by: Asked, limit_cents: int | None = None) -> Answer:
    return requests.ask_refund(order.id, certificate, cents, by, limit_cents=limit_cents)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("reported lost", "reported lost"),
        ("  changed\n their  mind\t", "changed their mind"),
        ("x" * MOST_REASON, "x" * MOST_REASON),
        ("0123-4567-8901-2345", "0123-4567-8901-2345"),
        ("twenty-four hours past", "twenty-four hours past"),
    ],
)
def test_a_reason_is_one_line(typed: str, reason: str) -> None:
    assert read_reason(typed) == reason


def test_a_reason_tells_no_code_and_no_address_however_they_are_written(app: Flask) -> None:
    code = build.code_of(build.certificate())
    written = [code, code.lower(), format_code(code), format_code(code).replace("-", " "), f"lost {code}!", f"xx{code}"]
    for secret in [*written, "for ana@example.com", "@"]:
        with pytest.raises(ReasonTellsTooMuchError):
            read_reason(secret)


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [("", ReasonMissingError), (" \n\x00", ReasonMissingError), ("x" * (MOST_REASON + 1), ReasonTooLongError)],
)
def test_a_reason_that_says_nothing_or_too_much_is_refused(typed: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        read_reason(typed)


@both_databases
def test_a_hold_is_put_on_and_ended_once(app: Flask) -> None:
    _order, certificate = told.sold_one()
    form = asked()
    answers = [certificates.freeze(certificate, form) for _ in range(2)]
    assert [(each.status, each.facts, each.is_replayed) for each in answers] == [(DONE, {}, False), (DONE, {}, True)]
    assert holds_on(certificate) == [(status.BY_HAND, "reported lost", "staff:7")]
    assert certificates.unfreeze(certificate, asked()).facts == {"lifted": 1}
    assert (standing_of(certificate), holds_on(certificate)) == (("active", 50_00), [])


def test_a_certificate_is_ended_once_with_what_was_left(app: Flask) -> None:
    _order, certificate = told.sold_one()
    build.redeem(certificate, 20_00)
    form = asked()
    first, copy = (certificates.void(certificate, form) for _ in range(2))
    assert (first.facts["taken"], copy.facts) == (30_00, first.facts)
    assert (standing_of(certificate), kinds_of(certificate)) == (("void", 0), ["issue", "redeem", "void"])


@pytest.mark.parametrize(
    ("gift", "is_told"),
    [({"delivery": "print"}, True), ({"deliver_on": date(2099, 12, 24)}, False)],
)
def test_a_new_code_kills_the_old_one_and_says_whether_anybody_hears_of_it(
    app: Flask, gift: dict[str, object], is_told: bool
) -> None:
    order = told.sold(build.gift_request(**gift))
    certificate = list_certificates(order.id)[0]
    old = build.code_of(certificate)
    answer = certificates.reissue(certificate, asked())
    assert (answer.facts, message_kinds(order).count("reissued")) == ({"told": is_told}, int(is_told))
    assert build.code_of(certificate) != old


Act = Callable[[Certificate, Asked], Answer]


@pytest.mark.parametrize("act", [certificates.freeze, certificates.unfreeze, certificates.void, certificates.reissue])
def test_what_has_ended_is_refused_once_and_for_all(app: Flask, act: Act) -> None:
    _order, certificate = told.sold_one()
    certificates.void(certificate, asked())
    db.session.commit()
    form = asked()
    answers = [act(certificate, form) for _ in range(2)]
    assert {(each.status, each.refusal) for each in answers} == {(REFUSED, "CertificateVoidError")}
    assert [each.is_replayed for each in answers] == [False, True]
    assert kinds_of(certificate) == ["issue", "void"]


@pytest.mark.parametrize("act", [certificates.freeze, certificates.void, certificates.reissue])
def test_one_form_cannot_say_two_things(app: Flask, act: Act) -> None:
    _order, certificate = told.sold_one()
    form = asked()
    act(certificate, form)
    with pytest.raises(RequestKeyReusedError):
        act(certificate, asked(form.key, reason="something else"))


@both_databases
def test_a_refund_is_held_once_for_each_form(app: Flask) -> None:
    order, certificate = told.sold_one()
    form = asked()
    first, copy = (ask_refund(order, certificate, 20_00, form) for _ in range(2))
    refund = db.session.query(Refund).one()
    assert (first.facts, copy.facts) == ({"refund": refund.public_id},) * 2
    assert (refund.amount_cents, refund.reason, refund.actor) == (20_00, "reported lost", "staff:7")
    assert standing_of(certificate) == ("active", 30_00)
    with pytest.raises(RequestKeyReusedError):
        ask_refund(order, certificate, 21_00, form)


@pytest.mark.parametrize(
    ("cents", "limit_cents", "refusal"),
    [(50_01, None, "RefundTooLargeError"), (20_01, 20_00, "RefundNotAllowedError")],
)
def test_a_refund_that_is_refused_is_kept_and_has_moved_nothing(
    app: Flask, cents: int, limit_cents: int | None, refusal: str
) -> None:
    order, certificate = told.sold_one()
    answer = ask_refund(order, certificate, cents, asked(), limit_cents)
    db.session.commit()
    assert (answer.status, answer.refusal) == (REFUSED, refusal)
    assert (standing_of(certificate), db.session.query(Refund).count()) == (("active", 50_00), 0)


def test_a_held_refund_is_pursued_by_its_public_id(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    refund = told.held(order, certificate, 20_00)
    assert requests.pursue(refund.public_id, stripe_side.gateway) is refund
    assert (refund.state, standing_of(certificate)) == ("settled", ("active", 30_00))


def test_while_stripe_is_away_the_money_stays_held(stripe_side: StripeSide) -> None:
    order, certificate = stripe_side.sell_one(50_00)
    refund = told.held(order, certificate, 20_00)
    stripe_side.workbench.post("/faults", {"do": "500", "times": -1})
    assert requests.pursue(refund.public_id, stripe_side.gateway).state == "held"
    assert standing_of(certificate) == ("active", 30_00)


def test_the_owner_has_no_limit_and_managers_have_the_practices(app: Flask) -> None:
    practice = get_practice()
    practice.manager_refund_limit_cents = 75_00
    assert requests.refund_limit(practice, is_owner=True) is None
    assert requests.refund_limit(practice, is_owner=False) == 75_00
    db.session.rollback()
