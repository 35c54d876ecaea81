"""Every state the counter can be in, each reached as people reach it; the page is left in that state."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

import time_machine
from playwright.sync_api import Route, expect

from giftshop import clock
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.staff import accounts, sessions
from tests import build
from tests.counter import Counter
from tests.journeys.browser import sign_in as sign_in_by_pages
from tests.redemption.scanner import Scanner
from tests.signing_in import PASSWORD, fresh_code

SLIP, NOBODYS = "K7M2-QX9R-TB4D-HVWA", "K7M2-QX9R-TB4D-HVWR"
LONG = "Żaneta Đorđević-Łukaszewska von der Wolkenstein"


def idle(counter: Counter) -> None:
    counter.sign_in()
    counter.open("/redeem")


def typed(text: str, counter: Counter, *, role: str = "staff") -> None:
    counter.sign_in(role)
    counter.type_code(text)
    counter.page.wait_for_selector("#summary")


def photo_of_nothing(counter: Counter) -> None:
    idle(counter)
    counter.page.set_input_files("#photo", {"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": b"no code"})
    counter.page.wait_for_selector("#summary")


def search_results(counter: Counter) -> None:
    counter.sign_in("manager")
    for left, giver in ((25_00, "Marko"), (0, LONG), (None, "The whole team at Ridgeline Physical Therapy")):
        build.certificate(recipient_name=LONG, giver_name=giver, balance_cents=left)
    counter.type_code(LONG)
    counter.page.wait_for_selector(".results")


def found(counter: Counter, *, says: str = "left", **made: Any) -> None:
    counter.sign_in()
    counter.find(build.certificate(**made))
    expect(counter.page.locator(".verdict b")).to_contain_text(says)


def reissued(counter: Counter, *, role: str = "staff") -> None:
    certificate = build.certificate()
    old = build.code_of(certificate)
    build.reissue(certificate)
    typed(old, counter, role=role)
    expect(counter.page.locator("#summary b")).to_have_text("This code was replaced")
    expect(counter.page.locator("#summary")).not_to_contain_text("one of ours")


def void(counter: Counter) -> None:
    found(counter, balance_cents=0, says="You just took $120.00")
    db.session.query(Certificate).one().status = "void"
    db.session.commit()
    counter.page.reload()
    expect(counter.page.locator(".verdict b")).to_have_text("Ended")
    assert counter.page.locator(".undo").count() == 0


def taken(amount: str, counter: Counter, **made: Any) -> None:
    found(counter, **made)
    counter.take(amount)
    expect(counter.page.locator(".verdict")).to_contain_text("Took")


def just_redeemed(counter: Counter) -> None:
    counter.sign_in()
    certificate = build.certificate()
    counter.find(certificate)
    counter.take("95")
    expect(counter.page.locator(".verdict")).to_contain_text("Took")
    counter.find(certificate)
    expect(counter.page.locator(".verdict")).to_contain_text("You just took")


def redeemed_long_ago(counter: Counter, *, role: str = "staff", amount_cents: int = 95_00, **made: Any) -> None:
    identity = counter.sign_in(role)
    certificate = build.certificate(**made)
    build.redeem(certificate, amount_cents, actor=f"staff:{identity}", at=clock.now() - timedelta(minutes=20))
    db.session.commit()
    counter.find(certificate)


def not_sent_yet(counter: Counter) -> None:
    counter.sign_in()
    certificate = build.certificate(recipient_name=LONG)
    build.keep_back(certificate, until=clock.now() + timedelta(days=7))
    counter.find(certificate)
    expect(counter.page.locator(".verdict")).to_contain_text("Not sent yet")


def too_many_undos(counter: Counter, *, role: str = "staff") -> None:
    identity = counter.sign_in(role)
    certificate = build.certificate()
    for _ in range(3):
        build.undo(certificate, build.redeem(certificate, 1_00, actor=f"staff:{identity}"), actor=f"staff:{identity}")
    db.session.commit()
    counter.find(certificate)
    counter.take("95")
    expect(counter.page.locator(".verdict")).to_contain_text("Took $95.00")
    expect(counter.page.locator(".undo")).to_contain_text(
        "Why is it undone?" if role == "manager" else "A manager has to"
    )


def used_up(counter: Counter) -> None:
    redeemed_long_ago(counter, amount_cents=120_00)
    expect(counter.page.locator(".verdict b")).to_have_text("Already used up")


def undone(counter: Counter) -> None:
    taken("95", counter)
    counter.undo()
    expect(counter.page.locator(".verdict")).to_contain_text("Undone")


def undone_too_late(counter: Counter) -> None:
    taken("95", counter)
    with time_machine.travel(clock.now() + timedelta(minutes=16), tick=True):
        counter.undo()
        counter.page.wait_for_selector("#summary")


def undone_for_no_reason(counter: Counter) -> None:
    redeemed_long_ago(counter, role="manager")
    counter.undo()
    counter.page.wait_for_selector("#summary")


def refused(amount: str, counter: Counter) -> None:
    found(counter)
    counter.page.click("text=Add a note")
    counter.page.fill("#note", "couples’ massage")
    counter.take(amount)
    counter.page.wait_for_selector("#summary")
    assert counter.page.input_value("#note") == "couples’ massage"


def changed_meanwhile(counter: Counter) -> None:
    counter.sign_in()
    certificate = build.certificate()
    counter.find(certificate)
    build.redeem(certificate, 100_00, actor="staff:99")
    db.session.commit()
    counter.page.click("#take")
    counter.page.wait_for_selector("#summary")


def signed_out_meanwhile(counter: Counter) -> None:
    found(counter)
    end_sign_ins()
    counter.take("40")
    expect(counter.page.get_by_role("heading", level=1)).to_have_text("Sign in")
    code = fresh_code(accounts.get_staff("staff@practice.example"))
    sign_in_by_pages(counter.page, counter.url, "staff@practice.example", PASSWORD, code)
    expect(counter.page.get_by_text("Find it once more")).to_be_visible()


def end_sign_ins() -> None:
    sessions.close_sessions_of(accounts.get_staff("staff@practice.example"))
    db.session.commit()


def out_of_date(counter: Counter) -> None:
    found(counter)
    counter.let_in(accounts.get_staff("staff@practice.example"))
    counter.take("40")
    expect(counter.page.get_by_role("heading", level=1)).to_have_text("Please send that once more")


def not_confirmed(counter: Counter) -> None:
    found(counter)
    answer_with_foreign_pages(counter)
    counter.take("40")
    expect(counter.page.get_by_text("Not confirmed yet – checking")).to_be_visible()


def finding_not_confirmed(counter: Counter) -> None:
    idle(counter)
    answer_with_foreign_pages(counter)
    counter.page.fill("#code", NOBODYS)
    counter.page.press("#code", "Enter")
    expect(counter.page.get_by_text("Not confirmed yet – checking")).to_be_visible()


def answer_with_foreign_pages(counter: Counter) -> None:
    def answer(route: Route) -> None:
        if route.request.method == "POST":
            route.fulfill(content_type="text/html", body="<p>Welcome to our network</p>")
        else:
            route.continue_()

    counter.page.route("**/redeem**", answer)


def scanned_meanwhile(counter: Counter) -> None:
    found(counter)
    counter.page.fill("#other_amount", "40")
    Scanner().scan(counter.page, NOBODYS)
    expect(counter.page.get_by_text("Another certificate was scanned")).to_be_visible()


STATES: dict[str, Callable[[Counter], None]] = {
    "idle": idle,
    "check symbol wrong": partial(typed, SLIP),
    "unknown code": partial(typed, NOBODYS),
    "not our address": partial(typed, "https://menu.example/c/today"),
    "nothing typed": partial(typed, ""),
    "words nothing fits": partial(typed, "Zoë Quill", role="manager"),
    "photo without a code": photo_of_nothing,
    "search results": search_results,
    "good, full": found,
    "good, part used": partial(redeemed_long_ago, recipient_name=LONG, giver_name=LONG),
    "session promise": partial(found, service_name="60-minute massage", offer_slug="60-minutes"),
    "short balance": partial(found, face_value_cents=25_00),
    "just redeemed": just_redeemed,
    "used up": used_up,
    "expired": partial(found, expires_on=date(2020, 11, 1), says="Expired Nov 1, 2020"),
    "frozen": partial(found, status="frozen", says="On hold"),
    "void": void,
    "reissued": reissued,
    "reissued, for a manager": partial(reissued, role="manager"),
    "test certificate": partial(found, mode="test", says="A test certificate"),
    "dearer since it was sold": partial(
        found, face_value_cents=85_00, service_name="60-minute massage", offer_slug="60-minutes"
    ),
    "not sent yet": not_sent_yet,
    "too many undos": too_many_undos,
    "too many undos, for a manager": partial(too_many_undos, role="manager"),
    "redeemed long ago, for a manager": partial(redeemed_long_ago, role="manager"),
    "done": partial(taken, "95"),
    "done, nothing left": partial(taken, "120"),
    "undone": undone,
    "too late to undo": undone_too_late,
    "undone for no reason": undone_for_no_reason,
    "amount unreadable": partial(refused, "1e400"),
    "amount over what is left": partial(refused, "120.01"),
    "changed meanwhile": changed_meanwhile,
    "signed out meanwhile": signed_out_meanwhile,
    "out of date": out_of_date,
    "not confirmed yet": not_confirmed,
    "finding not confirmed yet": finding_not_confirmed,
    "scanned meanwhile": scanned_meanwhile,
}
