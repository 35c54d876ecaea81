"""The recipient's page and the balance check: true for the right code, one and the same answer for every bad one."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from giftshop import clock
from giftshop.catalog.models import Practice
from giftshop.certificates import codes
from giftshop.certificates import status as standing
from giftshop.certificates.links import link_path, mark_of
from giftshop.errors import (
    CertificateNotFoundError,
    CodeReplacedError,
    ShopError,
    WrongCheckSymbolError,
)
from giftshop.foundation import activity_log
from giftshop.foundation.activity_log import ActivityEvent
from giftshop.foundation.database import db
from giftshop.ledger import posting
from giftshop.ledger.models import Certificate
from giftshop.notifications import watch
from giftshop.notifications.models import Alert
from giftshop.staff import accounts
from giftshop.storefront import lookups
from giftshop.web.limiter import limiter
from tests import build
from tests.conftest import both_databases
from tests.signing_in import hire, signed_in
from tests.statements import count_queries
from tests.storefront.conftest import Visitor, errors_of, heading


def code_of(**values: object) -> str:
    """Sell a certificate and return its code, leaving no transaction open."""
    code = build.code_of(build.certificate(**values))  # type: ignore[arg-type]
    db.session.rollback()
    return code


BAD = [
    "123",
    "not a code",
    "7KQ2-M4XD-9TFP-B3HV",
    "K7M2QX9RTB4DHVWR",
    "ß" * 16,
    "0" * 16,
    "A" * 500,
    "%00",
    "../../etc",
]


def test_the_page_leads_with_what_is_left(visitor: Visitor) -> None:
    page = visitor.open(f"/c/{code_of(face_value_cents=120_00)}")
    assert heading(page) == "Ana, you have $120.00 to spend"
    assert "“Your shoulders have carried enough.”" in page.text
    assert "You’ve used" not in page.text
    assert "Gift from Marko" in page.text


@pytest.mark.parametrize(
    ("name", "is_long"),
    [
        ("Anastasia-Ana", True),
        ("AnastasiaAna", False),
        ("Ana Ana Ana Ana Ana Anas", False),
        ("Ana Ana Ana Ana Ana Anast", True),
        ("👩" * 12, False),
        ("👩" * 13, True),
    ],
)
def test_a_long_name_or_word_stands_one_step_smaller(visitor: Visitor, name: str, is_long: bool) -> None:
    page = visitor.open(f"/c/{code_of(recipient_name=name)}")
    assert ('<p class="name long">' in page.text, '<p class="name">' in page.text) == (is_long, not is_long)


def test_a_part_used_certificate_says_what_was_used_and_never_by_whom(visitor: Visitor) -> None:
    page = visitor.open(f"/c/{code_of(face_value_cents=120_00, balance_cents=25_00)}")
    assert heading(page) == "Ana, you have $25.00 to spend"
    assert "You’ve used $95.00 of $120.00." in page.text
    assert "−$95.00" in page.text
    assert "staff" not in page.text.split("<main")[1].split("</main>")[0].lower()


def test_an_undone_redemption_stands_in_the_history(visitor: Visitor) -> None:
    certificate = build.certificate(face_value_cents=100_00)
    entry = build.redeem(certificate, 40_00)
    cause = build.cause("undo:staff:1", build.request_key(), "staff:1")
    posting.reverse(entry, certificate_id=certificate.id, is_manager=False, cause=cause)
    code = build.code_of(certificate)
    db.session.commit()
    page = visitor.open(f"/c/{code}")
    assert heading(page) == "Ana, you have $100.00 to spend"
    assert page.text.index("Put back") < page.text.index("Used for a visit") < page.text.index("Gift from Marko")


def test_a_used_up_certificate_keeps_its_history_and_offers_to_make_one(visitor: Visitor) -> None:
    code = code_of(face_value_cents=50_00, balance_cents=0)
    page = visitor.open(f"/c/{code}")
    assert heading(page) == "Ana, this one is used up"
    assert "Make one for someone" in page.text
    assert codes.format_code(code) not in page.text


def test_a_frozen_certificate_asks_to_call_in_neutral_words(visitor: Visitor) -> None:
    page = visitor.open(f"/c/{code_of(status='frozen')}")
    assert page.status_code == 200
    assert heading(page) == "Please call us about this certificate"
    assert "(970) 555-0134" in page.text
    assert "dispute" not in page.text


def test_an_expired_certificate_says_until_when_it_was_good(visitor: Visitor) -> None:
    page = visitor.open(f"/c/{code_of(expires_on=date(2026, 2, 1))}")
    assert heading(page) == "Ana, this certificate has expired"
    assert "It could be used until February 1, 2026, and $120.00 was left." in page.text


def test_a_certificate_with_a_last_day_says_so_everywhere_and_never_that_it_has_none(visitor: Visitor) -> None:
    code = code_of(expires_on=date(2126, 2, 1))
    visitor.open("/balance")
    for page in (visitor.send("/balance", {"code": code}), visitor.open(f"/c/{code}")):
        said = page.text.partition("<main")[2].partition("</main>")[0]
        assert "Feb 1, 2126" in said
        assert "never expires" not in said
    assert "It never expires" in visitor.open(f"/c/{code_of()}").text


def test_the_code_is_read_in_any_case_with_or_without_dashes(visitor: Visitor) -> None:
    code = code_of()
    dashed = codes.format_code(code)
    for written in (
        code,
        code.lower(),
        dashed,
        dashed.lower(),
        quote(dashed.replace("-", " ")),
        code.replace("0", "o"),
    ):
        assert visitor.open(f"/c/{written}").status_code == 200
    assert visitor.open(f"/C/{code}").status_code == 200


def test_every_code_that_there_never_was_gets_the_same_bytes(visitor: Visitor) -> None:
    answers = set()
    for bad in [quote(bad, safe="%") for bad in BAD if "/" not in bad and "%00" not in bad] + [codes.new_code()]:
        limiter.reset()
        answer = visitor.open(f"/c/{bad}")
        answers.add((answer.status_code, answer.data, answer.headers["Cache-Control"]))
    assert len(answers) == 1
    assert {status for status, *_ in answers} == {404}


def test_a_personal_page_is_kept_by_nobody_and_named_to_nobody(visitor: Visitor) -> None:
    for path in (f"/c/{code_of()}", "/c/123", "/balance"):
        headers = visitor.open(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Robots-Tag"] == "noindex"
        assert headers["Referrer-Policy"] in ("no-referrer", "same-origin")


def test_the_page_asks_the_database_equally_often_however_long_the_history(visitor: Visitor) -> None:
    short, long = build.certificate(), build.certificate()
    for _ in range(12):
        build.redeem(long, 1_00)
    paths = [f"/c/{build.code_of(certificate)}" for certificate in (short, long)]
    db.session.commit()
    counts = []
    for path in paths:
        with count_queries() as queries:
            visitor.open(path)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_look_at_the_page_never_spends(visitor: Visitor) -> None:
    certificate = build.certificate(face_value_cents=120_00)
    code, certificate_id = build.code_of(certificate), certificate.id
    db.session.commit()
    for _ in range(3):
        visitor.open(f"/c/{code}")
    assert visitor.ask(f"/c/{code}", method="POST").status_code in (403, 405)
    assert db.session.get_one(Certificate, certificate_id).balance_cents == 120_00


def test_booking_carries_the_code_where_the_booking_system_takes_it(visitor: Visitor) -> None:
    practice = db.session.get_one(Practice, 1)
    practice.booking_url = "https://focus.as.me/?certificate={code}"
    db.session.commit()
    code = code_of()
    assert f'href="https://focus.as.me/?certificate={code}"' in visitor.open(f"/c/{code}").text
    assert 'href="https://focus.as.me/?certificate="' in visitor.open("/").text
    practice.booking_url = "https://book.example/?gift={code}"
    db.session.commit()
    page = visitor.open(f"/c/{code}").text
    ref = db.session.query(Certificate).one().public_id
    assert f'href="https://book.example/?gift={ref}"' in page
    assert f"gift={code}" not in page


def test_markup_in_a_message_stays_text(visitor: Visitor) -> None:
    page = visitor.open(f"/c/{code_of(message='<script>alert(1)</script>{{7*7}}', giver_name='<b>M</b>')}")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in page.text
    assert "<b>M</b>" not in page.text


def test_a_typed_code_shows_its_balance(visitor: Visitor) -> None:
    code = code_of(face_value_cents=120_00, balance_cents=25_00)
    visitor.open("/balance")
    answer = visitor.send("/balance", {"code": codes.format_code(code).lower()})
    assert answer.status_code == 200
    assert heading(answer) == "$25.00 left to spend"
    assert "Of $120.00." in answer.text
    assert f'href="/c/{code}"' in answer.text


@pytest.mark.parametrize("bad", [*BAD, "", "\0", "x\r\ny"])
def test_every_bad_typed_code_gets_the_one_answer_and_is_kept(visitor: Visitor, bad: str) -> None:
    visitor.open("/balance")
    answer = visitor.send("/balance", {"code": bad})
    assert answer.status_code == 422
    assert list(errors_of(answer)) == ["code"]
    assert errors_of(answer)["code"].startswith("We can’t find that code.")


def test_after_ten_tries_in_a_minute_a_stranger_waits(visitor: Visitor) -> None:
    code = code_of()
    answers = [visitor.open("/c/123") for _ in range(10)] + [visitor.open(f"/c/{code}")]
    assert [answer.status_code for answer in answers] == [404] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert heading(answers[-1]) == "Please wait a moment"
    visitor.open("/balance")
    assert visitor.send("/balance", {"code": code}).status_code == 429


@both_databases
def test_certificates_that_exist_do_not_count_as_tries(visitor: Visitor) -> None:
    held = [code_of() for _ in range(13)]
    for code in held:
        assert visitor.open(f"/c/{code}").status_code == 200
    visitor.open("/balance")
    for code in held:
        assert visitor.send("/balance", {"code": code}).status_code == 200
    answers = [visitor.open("/c/123").status_code for _ in range(11)]
    assert answers == [404] * 10 + [429]


@both_databases
def test_among_certificates_that_exist_guesses_still_count(visitor: Visitor) -> None:
    code = code_of()
    for _ in range(10):
        assert visitor.open(f"/c/{code}").status_code == 200
        assert visitor.open(f"/c/{codes.new_code()}").status_code == 404
    assert visitor.open(f"/c/{codes.new_code()}").status_code == 429


def test_every_code_in_a_text_is_a_guess_of_its_own(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "BY_ALL_STRANGERS", lookups.RateLimitItemPerHour(9))
    code = code_of()
    visitor.open("/balance")
    guesses = [codes.new_code() for _ in range(7)]
    assert visitor.send("/balance", {"code": " / ".join([code, *guesses])}).status_code == 200
    assert visitor.send("/balance", {"code": " / ".join(guesses)}).status_code == 429
    limiter.reset()
    assert visitor.send("/balance", {"code": " / ".join(codes.new_code() for _ in range(11))}).status_code == 429


def test_of_two_certificates_in_a_text_none_is_shown(visitor: Visitor) -> None:
    visitor.open("/balance")
    assert visitor.send("/balance", {"code": f"{code_of()} {code_of()}"}).status_code == 422


@pytest.mark.parametrize("around", ["{}.", "({})", "Code: {}", "https://gifts.example/c/{}/certificate.pdf", "]Q1{}"])
def test_the_balance_is_shown_wherever_the_code_stands_in_what_was_typed(visitor: Visitor, around: str) -> None:
    visitor.open("/balance")
    assert visitor.send("/balance", {"code": around.format(code_of())}).status_code == 200


def test_many_guesses_at_once_are_not_all_looked_at(app: Flask, visitor: Visitor) -> None:
    db.session.rollback()
    strangers = [Visitor(app.test_client(), visitor.base_url) for _ in range(24)]
    with ThreadPoolExecutor(8) as crowd:
        guesses = [crowd.submit(each.open, f"/c/{codes.new_code()}") for each in strangers]
    answers = sorted(guess.result().status_code for guess in guesses)
    assert answers == [404] * 10 + [429] * 14


def test_when_all_strangers_together_guess_too_much_only_lookups_stop(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "BY_ALL_STRANGERS", lookups.RateLimitItemPerHour(3))
    code = code_of()
    guesses = [visitor.open(f"/c/{codes.new_code()}").status_code for _ in range(4)]
    assert guesses == [404, 404, 404, 429]
    assert visitor.open(f"/c/{code}").status_code == 429
    assert visitor.open("/gift").status_code == 200


def test_while_codes_are_guessed_links_of_ours_and_browsers_that_opened_the_gift_go_on(
    visitor: Visitor, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = code_of()
    assert visitor.open(f"/c/{code}").status_code == 200
    guesser, reader, stranger = (Visitor(app.test_client(), visitor.base_url) for _ in range(3))
    monkeypatch.setattr(lookups, "BY_ALL_STRANGERS", lookups.RateLimitItemPerHour(3))
    monkeypatch.setattr(lookups, "PER_ADDRESS", lookups.RateLimitItemPerMinute(1000))
    assert [guesser.open(f"/c/{codes.new_code()}").status_code for _ in range(4)][-1] == 429
    assert stranger.open(f"/c/{code}").status_code == 429
    assert reader.open(link_path(code)).status_code == 200
    assert reader.open(f"/c/{code}").status_code == 200, "it has opened the gift now"
    assert visitor.open(f"/c/{code}").status_code == 200
    visitor.open("/balance")
    assert visitor.send("/balance", {"code": code}).status_code == 200
    other = codes.new_code()
    assert stranger.open(f"/c/{other}?letter={mark_of(code)}").status_code == 429, "a mark is good for its own code"
    assert visitor.open(f"/c/{other}").status_code == 429
    assert stranger.open(f"/c/{code}?letter={mark_of(code)[:-1]}").status_code == 429


def test_a_link_of_ours_leads_to_the_plain_address_and_the_browser_keeps_its_mark(visitor: Visitor) -> None:
    code = code_of()
    answer = visitor.open(link_path(code))
    assert (answer.status_code, answer.location) == (302, f"/c/{code}")
    assert answer.headers["Set-Cookie"].startswith(f"giftshop-opened={mark_of(code)};")
    assert visitor.open(f"/c/{code}").status_code == 200


def test_the_page_says_how_long_look_ups_are_closed_and_what_goes_on(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "BY_ALL_STRANGERS", lookups.RateLimitItemPerHour(1))
    code = code_of()
    with time_machine.travel(clock.now(), tick=False) as now:
        visitor.open(f"/c/{codes.new_code()}")
        now.shift(20 * 60)
        answer = visitor.open(f"/c/{code}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2400")
    assert "so for 40 minutes we look none up. The link in our email opens your certificate" in answer.text


def test_a_browser_is_told_nothing_to_keep_before_it_has_opened_a_gift(visitor: Visitor) -> None:
    assert "Set-Cookie" not in visitor.open(f"/c/{codes.new_code()}").headers
    code = code_of()
    kept = visitor.open(f"/c/{code}").headers["Set-Cookie"]
    assert kept.startswith("giftshop-opened=")
    assert "HttpOnly" in kept
    assert code not in kept
    assert "Set-Cookie" not in visitor.open(f"/c/{code}").headers, "it knows already"


def test_a_run_of_guesses_is_told_to_the_practice_once(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "GUESSES", 5)
    for _ in range(9):
        visitor.open(f"/c/{codes.new_code()}")
    told = [alert.kind for alert in db.session.query(Alert)]
    db.session.rollback()
    assert told == ["codes_guessed"]


def test_typing_slips_do_not_use_up_what_all_strangers_share(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "BY_ALL_STRANGERS", lookups.RateLimitItemPerHour(3))
    for _ in range(6):
        visitor.open("/c/123")
    assert visitor.open(f"/c/{code_of()}").status_code == 200


@pytest.mark.parametrize("paper", ["letter", "a4", "card"])
def test_the_certificate_is_printed_on_the_paper_asked_for(visitor: Visitor, paper: str) -> None:
    answer = visitor.open(f"/c/{code_of()}/certificate.pdf?paper={paper}")
    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf"
    assert answer.data.startswith(b"%PDF-")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "attachment" not in answer.headers["Content-Disposition"]


@pytest.mark.parametrize("written", [str.upper, str.lower, str.swapcase, str.title])
def test_the_address_of_the_paper_is_read_in_any_case(visitor: Visitor, written: Callable[[str], str]) -> None:
    path = f"/c/{code_of()}/certificate.pdf"
    answer = visitor.open(written(path))
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.headers["Cache-Control"] == "no-store"


def test_nothing_else_is_kept_beside_a_certificate(visitor: Visitor) -> None:
    code = code_of()
    for path in (f"/c/{code}/certificate.css", f"/C/{code}/x", f"/c/{code}/certificate.pdf/x"):
        assert visitor.open(path).status_code == 404


def test_without_a_paper_named_it_is_the_one_people_have_here(visitor: Visitor) -> None:
    code = code_of()
    assert (
        visitor.open(f"/c/{code}/certificate.pdf").data == visitor.open(f"/c/{code}/certificate.pdf?paper=letter").data
    )
    assert visitor.open(f"/c/{code}/certificate.pdf?paper=papyrus").status_code == 404


def test_a_bad_code_prints_nothing(visitor: Visitor) -> None:
    answer = visitor.open("/c/123/certificate.pdf")
    assert answer.status_code == 404
    assert heading(answer) == "We can’t find that certificate"


def test_staff_who_are_signed_in_are_taken_to_redeem_it(visitor: Visitor) -> None:
    accounts.seed_staff()
    email = accounts.SAMPLE_STAFF[0][0]
    certificate = build.certificate()
    code, public_id = build.code_of(certificate), certificate.public_id
    db.session.commit()
    visitor.open("/staff/login")
    visitor.send("/staff/login", {"email": email, "password": accounts.SAMPLE_PASSWORD})
    visitor.open("/staff/second-step")
    second = accounts.code_now(email)
    db.session.rollback()
    assert visitor.send("/staff/second-step", {"code": second}).status_code in (302, 303)
    answer = visitor.open(f"/C/{code}")
    assert (answer.status_code, answer.location) == (303, f"/redeem/{public_id}")
    assert visitor.open(answer.location).status_code == 200
    assert [visitor.open(f"/c/{code}").status_code for _ in range(12)] == [303] * 12


def replaced_code() -> str:
    """Return the code of a certificate that got a newer one."""
    certificate = build.certificate()
    code = build.code_of(certificate)
    standing.reissue(certificate.id, reason_code="lost", actor="staff:3", at=clock.now())
    db.session.commit()
    return code


@pytest.mark.parametrize(
    ("find_code", "reason"),
    [
        (replaced_code, CodeReplacedError),
        (lambda: "K7M2-QX9R-TB4D-HVWS", WrongCheckSymbolError),
        (codes.new_code, CertificateNotFoundError),
    ],
)
def test_staff_who_scan_what_opens_nothing_are_told_why_and_it_is_on_record(
    app: Flask, find_code: Callable[[], str], reason: type[ShopError]
) -> None:
    code = find_code()
    client = signed_in(app, hire("staff"))
    scanned = client.get(f"/C/{code}")
    assert (scanned.status_code, scanned.location) == (303, "/redeem")
    assert f'name="code" value="{code[:100]}"' in client.get("/redeem").text
    told = client.post("/redeem", data={"code": code})
    assert told.status_code == 422
    assert reason is CertificateNotFoundError or reason().message in told.text
    whys = db.session.scalars(sa.select(ActivityEvent.facts).where(ActivityEvent.kind == "scan_failed"))
    assert [json.loads(facts)["why"] for facts in whys] == [reason.__name__] * 2


def test_a_look_at_the_page_is_on_record_once_an_hour(visitor: Visitor) -> None:
    certificate = build.certificate()
    certificate_id, path = certificate.id, f"/c/{build.code_of(certificate)}"
    db.session.rollback()
    for _ in range(3):
        assert visitor.open(path).status_code == 200
    (event,) = activity_log.list_events(certificate_ids=[certificate_id])
    assert (event.kind, event.actor) == ("fetched", "visitor")


@pytest.mark.parametrize(("name", "said"), [("60-minute massage", "a 60-"), ("80-minute massage", "an 80-")])
def test_a_session_has_the_article_with_which_it_is_said(visitor: Visitor, name: str, said: str) -> None:
    page = visitor.open(f"/c/{code_of(service_name=name)}")
    assert f"From Marko, for {said}minute massage at" in page.text


@pytest.mark.parametrize("is_selling", [True, False])
@pytest.mark.parametrize("made", [{"balance_cents": 0}, {"expires_on": date(2026, 2, 1)}])
def test_where_nothing_is_left_to_use_there_is_another_way_on(
    visitor: Visitor, made: dict[str, Any], is_selling: bool
) -> None:
    db.session.get_one(Practice, 1).is_selling = is_selling
    code = build.code_of(build.certificate(**made))
    db.session.commit()
    pages = [visitor.open(f"/c/{code}")]
    visitor.open("/balance")
    for page in (*pages, visitor.send("/balance", {"code": code})):
        ways = page.text.partition("<main")[2].partition("</main>")[0]
        assert "Book a session" in ways
        assert ("Make one for someone" in ways) is is_selling
