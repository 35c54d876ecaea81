"""The register: one door for strangers with one answer, one for staff with the true reason."""

import pytest
import sqlalchemy as sa
from flask import Flask

from giftshop.certificates import codes, encryption, look_up
from giftshop.errors import (
    CertificateNotFoundError,
    CertificateVoidError,
    InvalidCodeError,
    ShopError,
    WrongCheckSymbolError,
)
from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from tests import build
from tests.conftest import both_databases


def slipped(code: str) -> str:
    """Return the code with one wrong symbol."""
    return ("1" if code[0] == "0" else "0") + code[1:]


@both_databases
def test_a_certificate_is_found_by_its_code_however_it_is_written(app: Flask) -> None:
    certificate, other = build.certificate(), build.certificate()
    code = build.code_of(certificate)
    for text in (code, code.lower(), codes.format_code(code), f"HTTPS://GIFTS.EXAMPLE/C/{code}"):
        found = look_up.find_by_code(text)
        assert found is certificate
    assert look_up.get_by_code(build.code_of(other)) is other


def test_strangers_get_one_answer_for_every_bad_code_and_staff_the_reason(app: Flask) -> None:
    void = build.certificate(balance_cents=0, status="void")
    dead = encryption.open_sealed(void.code_enc, void.public_id)
    reasons: dict[str, type[ShopError]] = {
        "": InvalidCodeError,
        "not a code": InvalidCodeError,
        slipped(dead): WrongCheckSymbolError,
        codes.new_code(): CertificateNotFoundError,
    }
    for text, reason in reasons.items():
        assert look_up.find_by_code(text) is None
        with pytest.raises(reason):
            look_up.get_by_code(text)
    assert look_up.find_by_code(dead) is void
    assert look_up.get_by_code(dead) is void


@pytest.mark.parametrize("status", ["active", "frozen"])
def test_a_living_certificate_is_found_in_every_state(app: Flask, status: str) -> None:
    certificate = build.certificate(balance_cents=0, status=status)
    assert look_up.find_by_code(build.code_of(certificate)) is certificate


def test_the_code_of_an_ended_certificate_is_shown_to_nobody(app: Flask) -> None:
    with pytest.raises(CertificateVoidError):
        look_up.code_of(build.certificate(balance_cents=0, status="void"))


def test_a_certificate_is_found_by_its_public_id_and_not_by_its_code_there(app: Flask) -> None:
    certificate = build.certificate()
    assert look_up.get_certificate(certificate.public_id) is certificate
    for text in ("", "0000000000", build.code_of(certificate), certificate.public_id.lower() + " "):
        with pytest.raises(CertificateNotFoundError):
            look_up.get_certificate(text)


def test_codes_issued_under_an_old_pepper_and_key_live_on_after_a_rotation(app: Flask, settings: Settings) -> None:
    certificate = build.certificate()
    code = build.code_of(certificate)
    encryption.unlock(
        peppers=[b"new pepper" * 4, *settings.code_pepper_list], keys=[b"\x07" * 32, *settings.code_key_list]
    )
    younger = build.certificate()
    assert look_up.find_by_code(code) is certificate
    assert look_up.code_of(certificate) == code
    assert look_up.find_by_code(build.code_of(younger)) is younger
    encryption.unlock(peppers=[b"new pepper" * 4], keys=[b"\x07" * 32])
    assert look_up.find_by_code(code) is None
    assert look_up.find_by_code(build.code_of(younger)) is younger


@both_databases
def test_the_same_code_is_never_given_out_twice(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    code = build.code_of(build.certificate())
    monkeypatch.setattr(codes, "new_code", lambda: code)
    with pytest.raises(sa.exc.IntegrityError):
        build.certificate()
    db.session.rollback()


def test_public_ids_are_ten_symbols_and_differ() -> None:
    made = {look_up.new_public_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(len(each) == 10 and set(each) <= set(codes.ALPHABET) for each in made)
