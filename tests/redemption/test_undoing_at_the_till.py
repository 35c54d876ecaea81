"""Undoing at the till: how often, with which words, and on which certificates; what is refused is said on the page."""

from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from giftshop import clock
from giftshop.certificates import status
from giftshop.certificates.codes import format_code
from giftshop.foundation.database import db
from giftshop.ledger import refund_entries
from giftshop.ledger.idempotency import MoneyRequest
from giftshop.ledger.models import Certificate, LedgerEntry, RedemptionNote
from tests import build
from tests.conftest import both_databases
from tests.signing_in import hire, signed_in

JSON = {"Accept": "application/json"}


@dataclass
class Till:
    """A till at which one certificate was found by its code."""

    client: FlaskClient
    certificate: Certificate

    @property
    def path(self) -> str:
        return f"/redeem/{self.certificate.public_id}"

    def find(self, certificate: Certificate) -> "Till":
        self.client.post("/redeem", data={"code": build.code_of(certificate)})
        return Till(self.client, certificate)

    def take(self, amount: str = "10", **fields: str) -> TestResponse:
        form = {"amount": amount, "request_key": build.request_key(), **fields}
        return self.client.post(self.path, data=form, headers=JSON)

    def undo(self, entry: int, **fields: str) -> TestResponse:
        form = {"entry": entry, "request_key": build.request_key(), **fields}
        return self.client.post(f"{self.path}/undo", data=form)


def till_of(app: Flask, role: str) -> Till:
    certificate = build.certificate()
    return Till(signed_in(app, hire(role)), certificate).find(certificate)


@pytest.fixture
def desk(app: Flask) -> Till:
    return till_of(app, "staff")


@pytest.fixture
def manager(app: Flask) -> Till:
    return till_of(app, "manager")


@both_databases
def test_the_fourth_undo_of_a_day_is_forbidden_also_when_it_is_sent_again(desk: Till) -> None:
    answers = [desk.undo(desk.take().json["entry"]).status_code for _ in range(3)]
    entry, key = desk.take().json["entry"], build.request_key()
    fourth = [desk.undo(entry, request_key=key) for _ in range(2)]
    assert answers + [each.status_code for each in fourth] == [303, 303, 303, 403, 403]
    assert "A manager has to confirm the next one" in fourth[0].text
    assert fourth[1].headers["Idempotent-Replayed"] == "true"
    assert desk.certificate.balance_cents == 110_00


TELLING = [
    ("lost K7M2-QX9R-TB4D-HVWR", "Leave codes and e-mail addresses out"),
    ("k7m2 qx9r tb4d hvwr", "Leave codes and e-mail addresses out"),
    ("for ana@example.com", "Leave codes and e-mail addresses out"),
    ("x" * 41, "at most 40 characters"),
]


@pytest.mark.parametrize(("reason", "sentence"), TELLING)
def test_a_reason_that_tells_too_much_is_refused_and_kept_nowhere(manager: Till, reason: str, sentence: str) -> None:
    entry = build.redeem(manager.certificate, 10_00, actor="staff:99")
    db.session.commit()
    refused = manager.undo(entry, reason=reason)
    assert (refused.status_code, sentence in refused.text, reason in refused.text) == (422, True, True)
    assert manager.certificate.balance_cents == 110_00
    assert db.session.query(MoneyRequest).count() == 0


@pytest.mark.parametrize("reason", ["rang twice", "Überbucht – Zoë’s Fehler", "x" * 40])
def test_a_reason_is_kept_as_it_was_typed(manager: Till, reason: str) -> None:
    entry = build.redeem(manager.certificate, 10_00, actor="staff:99")
    db.session.commit()
    assert manager.undo(entry, reason=f"  {reason}\r\n").status_code == 303
    assert manager.certificate.entries[-1].reason_code == reason


def test_a_note_with_a_code_is_refused_and_nothing_is_taken(desk: Till) -> None:
    code = format_code(build.code_of(build.certificate()))
    refused = desk.client.post(
        desk.path, data={"amount": "10", "note": f"rest of {code}", "request_key": build.request_key()}
    )
    assert (refused.status_code, "code out of the note" in refused.text) == (422, True)
    assert desk.certificate.balance_cents == 120_00
    assert db.session.query(RedemptionNote).count() == 0


def test_after_a_refund_took_the_rest_the_mistake_can_be_undone_from_the_page(app: Flask, desk: Till) -> None:
    entry = desk.take("20").json["entry"]
    refund_entries.take_foreign_refund(desk.certificate.id, 100_00, stripe_refund_id="re_1", at=clock.now())
    db.session.commit()
    page = desk.client.get(desk.path).text
    assert "Paid back" in page
    assert "Undo $20.00" in page
    done = desk.client.get(desk.undo(entry).location or "").text
    assert "$20.00 left" in done
    assert desk.certificate.status == "active"


def test_what_a_person_ended_offers_no_undo(desk: Till) -> None:
    desk.take("20")
    status.void(
        desk.certificate.id, reason_code="cash", request_key=build.request_key(), actor="staff:3", at=clock.now()
    )
    db.session.commit()
    assert "Undo $20.00" not in desk.client.get(desk.path).text
    assert db.session.scalar(sa.select(sa.func.count()).select_from(LedgerEntry)) == 3
