"""The states of pages for people at work, each reached by the forms as a program sends them; the last answer counts."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from giftshop import clock
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.staff import accounts, sessions
from tests import build
from tests.redemption.desk import find
from tests.redemption.states import NOBODYS, SLIP
from tests.signing_in import PASSWORD, Browser, enrol, fresh_code, give_password, hire, signed_in

FOREIGN = "https://menu.example/c/today"


@dataclass
class AtWork:
    """Somebody at the counter, who reads pages in the language `header` asks for."""

    app: Flask
    header: str
    client: FlaskClient = field(init=False)
    actor: str = ""

    def sign_in(self, role: str = "staff") -> None:
        """Sign a person of this role in."""
        staff = hire(role)
        self.actor = f"staff:{staff.id}"
        self.client = self.speaking(signed_in(self.app, staff))

    def stranger(self) -> FlaskClient:
        """Return a browser in which nobody has signed in."""
        self.app.config["WTF_CSRF_ENABLED"] = False
        return self.speaking(Browser(self.app, self.app.response_class, use_cookies=True))

    def speaking(self, client: FlaskClient) -> FlaskClient:
        """Let a browser ask for the language."""
        client.environ_base["HTTP_ACCEPT_LANGUAGE"] = self.header
        return client

    def found(self, *, again: str = "", **made: Any) -> TestResponse:
        """Find a certificate, and look at it."""
        path = find(self.client, build.certificate(**made))
        return self.client.get(path + again)

    def take(self, path: str, amount: str = "other", typed: str = "", **fields: Any) -> TestResponse:
        """Redeem, and see what comes of it."""
        data = {"amount": amount, "other_amount": typed, "request_key": build.request_key(), **fields}
        return self.follow(self.client.post(path, data=data))

    def follow(self, answer: TestResponse) -> TestResponse:
        """Return the page that an answer leads to."""
        return self.client.get(answer.location) if answer.location else answer


State = Callable[[AtWork], TestResponse]


def typed(text: str, at: AtWork, *, role: str = "staff") -> TestResponse:
    at.sign_in(role)
    return at.client.post("/redeem", data={"code": text})


def photo(name: str, at: AtWork) -> TestResponse:
    at.sign_in()
    return at.client.post("/redeem", data={"photo": (io.BytesIO(b"no code"), name)})


def search(at: AtWork) -> TestResponse:
    at.sign_in("manager")
    build.certificate(recipient_name="Vera")
    return at.client.post("/redeem", data={"code": "Vera"})


def reissued(at: AtWork) -> TestResponse:
    certificate = build.certificate()
    old = build.code_of(certificate)
    build.reissue(certificate)
    return typed(old, at, role="manager")


def looked_at(at: AtWork, *, role: str = "staff", **made: Any) -> TestResponse:
    at.sign_in(role)
    return at.found(**made)


def redeemed(at: AtWork, *, minutes: int, amount_cents: int = 95_00, by: str = "", role: str = "staff") -> TestResponse:
    at.sign_in(role)
    certificate = build.certificate()
    if by:
        by = f"staff:{hire('owner', f'{by}@practice.example').id}" if by == "colleague" else by
    build.redeem(certificate, amount_cents, actor=by or at.actor, at=clock.now() - timedelta(minutes=minutes))
    db.session.commit()
    return at.client.get(find(at.client, certificate))


def not_sent_yet(at: AtWork) -> TestResponse:
    at.sign_in()
    certificate = build.certificate()
    build.keep_back(certificate, until=clock.now() + timedelta(days=7))
    return at.client.get(find(at.client, certificate))


def void(at: AtWork) -> TestResponse:
    at.sign_in()
    certificate = build.certificate(balance_cents=0)
    path = find(at.client, certificate)
    db.session.get_one(Certificate, certificate.id).status = "void"
    db.session.commit()
    return at.client.get(path)


def taken(amount: str, at: AtWork, *, chosen: str = "other", **fields: Any) -> TestResponse:
    at.sign_in()
    return at.take(find(at.client, build.certificate()), chosen, amount, **fields)


def undone(at: AtWork, *, minutes: int = 0, role: str = "staff", reason: str = "", twice: bool = False) -> TestResponse:
    at.sign_in(role)
    certificate = build.certificate()
    entry = build.redeem(certificate, 40_00, actor=at.actor, at=clock.now() - timedelta(minutes=minutes))
    db.session.commit()
    path = find(at.client, certificate)
    data = {"entry": entry, "reason": reason, "request_key": build.request_key()}
    answer = at.client.post(f"{path}/undo", data=data)
    if twice:
        return at.client.get(f"{path}?done={entry}")
    return at.follow(answer)


def too_many_undos(at: AtWork) -> TestResponse:
    at.sign_in()
    certificate = build.certificate()
    for _ in range(3):
        build.undo(certificate, build.redeem(certificate, 1_00, actor=at.actor), actor=at.actor)
    db.session.commit()
    return at.take(find(at.client, certificate), "other", "95")


def kept_form(at: AtWork) -> TestResponse:
    """Come back to the counter after the sign-in had ended while an amount was typed in."""
    at.sign_in()
    path = find(at.client, build.certificate())
    staff = accounts.get_staff("staff@practice.example")
    sessions.close_sessions_of(staff)
    db.session.commit()
    at.client.post(path, data={"amount": "95", "note": "window seat", "request_key": build.request_key()})
    give_password(at.client, "staff@practice.example")
    staff = accounts.get_staff("staff@practice.example")
    at.client.post("/staff/second-step", data={"code": fresh_code(staff)})
    return at.client.get("/redeem")


def without_a_token(at: AtWork) -> TestResponse:
    at.sign_in()
    path = find(at.client, build.certificate())
    at.app.config["WTF_CSRF_ENABLED"] = True
    return at.client.post(path, data={"amount": "95"})


def not_found_by_code(at: AtWork) -> TestResponse:
    at.sign_in()
    return at.client.get(f"/redeem/{build.certificate().public_id}")


def opened(path: str, at: AtWork) -> TestResponse:
    at.sign_in()
    return at.client.get(path)


def at_the_door(path: str, at: AtWork) -> TestResponse:
    return at.stranger().get(path)


def wrong_password(at: AtWork) -> TestResponse:
    return at.stranger().post("/staff/login", data={"email": "nobody@practice.example", "password": "wrong"})


def second_step(at: AtWork, *, code: str = "") -> TestResponse:
    client = at.stranger()
    give_password(client, hire("staff").email)
    return client.post("/staff/second-step", data={"code": code}) if code else client.get("/staff/second-step")


def enrolling(at: AtWork, *, code: str = "") -> TestResponse:
    client, staff = at.stranger(), hire("staff")
    staff.tf_totp_secret = None
    db.session.commit()
    give_password(client, staff.email)
    shown = client.get("/staff/enrol")
    return client.post("/staff/enrol", data={"code": code}) if code else shown


def recovery_codes(at: AtWork) -> TestResponse:
    client, staff = at.stranger(), hire("staff")
    staff.tf_totp_secret = None
    db.session.commit()
    give_password(client, staff.email)
    answer: TestResponse = enrol(client)
    return answer


def account(at: AtWork, *, is_given: bool = False, **fields: str) -> TestResponse:
    at.sign_in()
    if is_given:
        accounts.get_staff("staff@practice.example").password_was_given = True
        db.session.commit()
    return at.client.post("/staff/account", data=fields) if fields else at.client.get("/staff/account")


STATES: dict[str, State] = {
    "counter": partial(opened, "/redeem"),
    "counter, for a manager": lambda at: typed("", at, role="manager"),
    "check symbol wrong": partial(typed, SLIP),
    "unknown code": partial(typed, NOBODYS),
    "not our address": partial(typed, FOREIGN),
    "nothing typed": partial(typed, ""),
    "no code at all": partial(typed, "K7M2"),
    "words nothing fits": partial(typed, "Zoë Quill", role="manager"),
    "photo without a code": partial(photo, "cat.jpg"),
    "no photo": partial(photo, ""),
    "search results": search,
    "reissued": reissued,
    "good, full": looked_at,
    "session promise": partial(looked_at, service_name="60-minute massage", offer_slug="60-minutes"),
    "session no longer sold": partial(looked_at, service_name="60-minute massage", offer_slug="gone"),
    "dearer since it was sold": partial(
        looked_at, face_value_cents=85_00, service_name="60-minute massage", offer_slug="60-minutes"
    ),
    "short balance": partial(looked_at, face_value_cents=25_00),
    "other currency": partial(looked_at, currency="EUR"),
    "expired": partial(looked_at, expires_on=date(2020, 11, 1)),
    "frozen": partial(looked_at, status="frozen"),
    "void": void,
    "test certificate": partial(looked_at, mode="test"),
    "not sent yet": not_sent_yet,
    "just redeemed": partial(redeemed, minutes=0),
    "just redeemed by a colleague": partial(redeemed, minutes=0, by="colleague"),
    "just redeemed by nobody of ours": partial(redeemed, minutes=0, by="staff:999"),
    "part used": partial(redeemed, minutes=5),
    "redeemed long ago, for a manager": partial(redeemed, minutes=20, role="manager"),
    "used up": partial(redeemed, minutes=20, amount_cents=120_00),
    "never had any value": partial(looked_at, balance_cents=120_00),
    "done": partial(taken, "95"),
    "done, nothing left": partial(taken, "120"),
    "amount unreadable": partial(taken, "1e400"),
    "amount over what is left": partial(taken, "120.01"),
    "two amounts": partial(taken, "40", chosen="95.00"),
    "note too long": partial(taken, "40", note="x" * 141),
    "note with a code": partial(taken, "40", note=NOBODYS),
    "undone": undone,
    "undone, looked at again": partial(undone, twice=True),
    "undone too late": partial(undone, minutes=20),
    "undone for no reason": partial(undone, minutes=20, role="manager"),
    "undone for a long reason": partial(undone, minutes=20, role="manager", reason="x" * 41),
    "too many undos": too_many_undos,
    "signed out meanwhile": kept_form,
    "out of date": without_a_token,
    "not found by its code": not_found_by_code,
    "no such page at work": partial(opened, "/redeem/unknown"),
    "not open to staff": partial(opened, "/office/"),
    "sign-in": partial(at_the_door, "/staff/login"),
    "sign-in, wrong": wrong_password,
    "second step": second_step,
    "second step, wrong": partial(second_step, code="000000"),
    "enrolling": enrolling,
    "enrolling, wrong": partial(enrolling, code="000000"),
    "recovery codes": recovery_codes,
    "account": account,
    "account, given password": partial(account, is_given=True),
    "account, wrong password": partial(account, password="wrong", new_password="x"),
    "account, weak password": partial(account, password=PASSWORD, new_password="short"),
    "account, same password": partial(account, password=PASSWORD, new_password=PASSWORD),
}
