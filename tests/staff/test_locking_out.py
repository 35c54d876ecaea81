"""Wrong tries are counted: guessers are stopped, the people themselves get in, and many at once are no way round."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from giftshop import clock
from giftshop.foundation.database import db
from giftshop.notifications.models import Alert
from giftshop.staff import sign_in
from giftshop.staff.models import Staff
from giftshop.web.limiter import limiter
from tests.conftest import both_databases
from tests.overlapping import on_postgresql, overlap
from tests.signing_in import PASSWORD, browser, give_password, hire, signed_in

WRONG = "wrong-wrong-wrong"
DEVICE = "giftshop-device"


@pytest.fixture(autouse=True)
def _nobody_has_tried(app: Flask) -> None:
    limiter.reset()


def guess(app: Flask, email: str, times: int = 5, *, address: str = "198.51.100.7") -> list[int]:
    """Try wrong passwords from somewhere else, each time as a browser that has never been here."""
    form = {"email": email, "password": WRONG}
    where = {"REMOTE_ADDR": address}
    return [browser(app).post("/staff/login", data=form, environ_base=where).status_code for _ in range(times)]


def gets_in(client: FlaskClient, email: str) -> bool:
    return bool(give_password(client, email).status_code == 303)


def leave(client: FlaskClient) -> FlaskClient:
    assert client.post("/staff/logout").status_code == 303
    return client


@both_databases
def test_a_stranger_locks_nobody_out_of_a_device_they_know(app: Flask) -> None:
    staff = hire("staff")
    mine = leave(signed_in(app, staff))
    assert guess(app, staff.email) == [422] * 5
    assert gets_in(mine, staff.email)
    assert not gets_in(browser(app), staff.email), "elsewhere the account waits"


def test_a_shared_device_knows_everybody_who_signed_in_on_it(app: Flask) -> None:
    people = [hire("staff", f"{name}@practice.example") for name in ("ann", "ben", "cy")]
    tablet = browser(app)
    for person in people:
        assert gets_in(tablet, person.email)
        tablet.post("/staff/second-step", data={"code": sign_in.code_now(person)})
        leave(tablet)
    for number, person in enumerate(people):
        guess(app, person.email, address=f"198.51.100.{number}")
        assert gets_in(tablet, person.email)


def test_a_device_that_one_person_knows_is_nobody_elses(app: Flask) -> None:
    mine = leave(signed_in(app, hire("staff")))
    other = hire("manager")
    guess(app, other.email)
    assert not gets_in(mine, other.email)


def test_a_device_is_known_after_both_steps_and_not_before(app: Flask) -> None:
    staff, client = hire("staff"), browser(app)
    give_password(client, staff.email)
    assert client.get_cookie(DEVICE, "127.0.0.1") is None
    code = sign_in.code_now(staff)
    answer = client.post("/staff/second-step", data={"code": code})
    (written,) = [each for each in answer.headers.getlist("Set-Cookie") if each.startswith(DEVICE)]
    assert {"HttpOnly", "Path=/", "SameSite=Strict", "Max-Age=15552000"} <= set(written.split("; "))
    assert staff.email not in written


def test_over_tls_the_devices_cookie_is_bound_to_this_host(app: Flask) -> None:
    app.config.update(SESSION_COOKIE_NAME="__Host-giftshop", SESSION_COOKIE_SECURE=True)
    staff, client, base = hire("staff"), browser(app), "https://127.0.0.1:8000"
    client.post("/staff/login", data={"email": staff.email, "password": PASSWORD}, base_url=base)
    code = sign_in.code_now(staff)
    answer = client.post("/staff/second-step", data={"code": code}, base_url=base)
    (written,) = [each for each in answer.headers.getlist("Set-Cookie") if "-device=" in each]
    assert written.startswith("__Host-giftshop-device=")
    assert "Secure" in written.split("; ")
    assert "Domain" not in written


@pytest.mark.parametrize("forged", ["", "nonsense", "WyJkZXZpY2UiLCJtYXJrIl0.aaaaaa.bbbbbb"])
def test_a_cookie_that_the_shop_has_not_signed_makes_no_device_known(app: Flask, forged: str) -> None:
    staff, client = hire("staff"), browser(app)
    client.set_cookie(DEVICE, forged, domain="127.0.0.1")
    guess(app, staff.email)
    assert not gets_in(client, staff.email)


@pytest.mark.parametrize(("days", "is_known"), [(180, True), (181, False)])
def test_a_device_is_forgotten_after_half_a_year(app: Flask, days: int, is_known: bool) -> None:
    staff = hire("staff")
    mine = leave(signed_in(app, staff))
    cookie = mine.get_cookie(DEVICE, "127.0.0.1")
    assert cookie is not None
    with time_machine.travel(clock.now().timestamp() + days * 86_400, tick=False):
        again = browser(app)
        again.set_cookie(DEVICE, cookie.value, domain="127.0.0.1")
        guess(app, staff.email)
        assert gets_in(again, staff.email) == is_known


def test_wrong_tries_on_a_known_device_are_counted_there(app: Flask) -> None:
    staff = hire("staff")
    mine = leave(signed_in(app, staff))
    for _ in range(5):
        assert give_password(mine, staff.email, WRONG).status_code == 422
    assert not gets_in(mine, staff.email)
    assert gets_in(browser(app), staff.email), "the account's own tries are untouched"


def test_an_address_that_has_used_up_its_tries_uses_up_no_more_accounts(app: Flask) -> None:
    staff = hire("staff")
    for number in range(4):
        guess(app, f"nobody{number}@practice.example")
    assert guess(app, staff.email) == [422] * 5
    assert gets_in(browser(app), staff.email)


def count_looked_at(monkeypatch: pytest.MonkeyPatch, together: threading.Barrier | None = None) -> list[bool]:
    """Note for each try whether its password is looked at; all of them wait until every one has come that far."""
    looked_at, is_password = list[bool](), sign_in.is_password

    def noting(staff: Staff | None, password: str) -> bool:
        looked_at.append(staff is not None)
        if together is not None:
            together.wait()
        return is_password(staff, password)

    monkeypatch.setattr(sign_in, "is_password", noting)
    return looked_at


@on_postgresql
def test_of_twelve_tries_at_once_five_are_looked_at(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    email, crowd = hire("staff").email, 12
    looked_at = count_looked_at(monkeypatch, threading.Barrier(crowd))
    form = {"email": email, "password": WRONG}
    app.config["WTF_CSRF_ENABLED"] = False

    def try_one(_: int) -> int:
        return app.test_client().post("/staff/login", data=form, base_url="http://127.0.0.1:8000").status_code

    with ThreadPoolExecutor(crowd) as people:
        assert set(people.map(try_one, range(crowd))) == {422}
    assert sum(looked_at) == 5


def test_a_guesser_with_twenty_addresses_has_five_tries_in_a_quarter_of_an_hour(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    email, looked_at = hire("staff").email, count_looked_at(monkeypatch)
    with time_machine.travel(clock.now(), tick=False) as traveller:
        for quarter in range(4):
            for number in range(5):
                guess(app, email, 4, address=f"198.51.100.{quarter * 5 + number}")
            traveller.shift(900)
    assert sum(looked_at) == 4 * 5, "of eighty tries in an hour"


@both_databases
def test_a_right_password_uses_up_no_tries_however_often_it_is_given(app: Flask) -> None:
    staff = hire("staff")
    for _ in range(31):
        assert gets_in(browser(app), staff.email)
    assert guess(app, staff.email, 4) == [422] * 4
    assert gets_in(browser(app), staff.email)


@both_databases
def test_whoever_is_signed_in_may_sign_in_again(app: Flask) -> None:
    staff = hire("staff")
    client = signed_in(app, staff)
    assert give_password(client, staff.email, WRONG).status_code == 422
    assert gets_in(client, staff.email)


@both_databases
def test_whoever_is_signed_in_has_five_tries_to_confirm_it(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in(app, hire("staff"))
    looked_at = count_looked_at(monkeypatch)
    form = {"password": WRONG, "new_password": "a-new-and-long-one"}
    for _ in range(7):
        answer = client.post("/staff/account", data=form)
        assert (answer.status_code, "too many tries" in answer.text) == (422, True)
    assert client.post("/staff/account", data={**form, "password": PASSWORD}).status_code == 422
    assert looked_at == [True] * 5


def test_new_passwords_that_are_too_weak_use_up_no_tries(app: Flask) -> None:
    client = signed_in(app, hire("staff"))
    for _ in range(6):
        form = {"password": PASSWORD, "new_password": "short"}
        assert client.post("/staff/account", data=form).status_code == 422
    form = {"password": PASSWORD, "new_password": "a-new-and-long-one"}
    assert client.post("/staff/account", data=form).location == "/staff/login"


# --- the second step ---------------------------------------------------------------------------------


def enter(email: str, typed: str, answers: list[bool]) -> None:
    staff = sign_in.find_staff(email)
    assert staff is not None
    answers.append(sign_in.is_second_factor(staff, typed))


def failed(email: str) -> int:
    staff = db.session.query(Staff).filter_by(email=email).populate_existing().one()
    return staff.failed_second_factors


@on_postgresql
def test_wrong_codes_at_once_are_each_counted(app: Flask) -> None:
    email, answers = hire("staff").email, list[bool]()

    def try_one() -> None:
        enter(email, "000000", answers)

    assert overlap(app, try_one, try_one) == ("done", "done")
    assert (answers, failed(email)) == ([False, False], 2)


@on_postgresql
def test_one_code_of_the_app_passes_once_of_two_at_once(app: Flask) -> None:
    staff, answers = hire("staff"), list[bool]()
    email, code = staff.email, sign_in.code_now(staff)

    def try_one() -> None:
        enter(email, code, answers)

    assert overlap(app, try_one, try_one) == ("done", "done")
    assert answers == [True, False]


@on_postgresql
def test_one_recovery_code_passes_once_of_two_at_once(app: Flask) -> None:
    staff, answers = hire("staff"), list[bool]()
    sealed, staff.tf_totp_secret = str(staff.tf_totp_secret), None
    db.session.flush()
    code = sign_in.enrol(staff, sealed, sign_in.code_now(Staff(tf_totp_secret=sealed)))[0]
    db.session.commit()
    email = staff.email

    def try_one() -> None:
        enter(email, code, answers)

    assert overlap(app, try_one, try_one) == ("done", "done")
    assert answers == [True, False]


@on_postgresql
def test_of_two_apps_confirmed_at_once_the_first_is_taken(app: Flask) -> None:
    staff = hire("staff")
    staff.tf_totp_secret = None
    db.session.commit()
    email, codes = staff.email, list[list[str]]()

    def confirm() -> None:
        found, sealed = sign_in.find_staff(email), sign_in.new_secret()
        assert found is not None
        codes.append(sign_in.enrol(found, sealed, sign_in.code_now(Staff(tf_totp_secret=sealed))))

    assert overlap(app, confirm, confirm) == ("done", "done")
    assert [len(each) for each in codes] == [sign_in.RECOVERY_CODES, 0]


STEP = 1_800_000_000
"""A moment at which the app's code changes."""


@pytest.mark.parametrize(
    ("shown_at", "is_good"),
    [(-31, False), (-30, True), (-1, True), (0, True), (29, True), (30, False), (60, False)],
)
@pytest.mark.parametrize("into", [0, 29.9])
def test_the_code_of_this_step_and_of_the_one_before_are_good(
    app: Flask, shown_at: int, is_good: bool, into: float
) -> None:
    staff = hire("staff")
    with time_machine.travel(STEP + shown_at, tick=False):
        code = sign_in.code_now(staff)
    with time_machine.travel(STEP + into, tick=False):
        assert sign_in.is_second_factor(staff, code) == is_good
    db.session.rollback()


def told() -> list[str]:
    """What the practice was told, as kinds; no transaction is left open."""
    kinds = [alert.kind for alert in db.session.query(Alert).order_by(Alert.id)]
    db.session.rollback()
    return kinds


@both_databases
def test_the_practice_is_told_of_a_locked_sign_in_once(app: Flask) -> None:
    staff = hire("staff")
    guess(app, staff.email, times=5)
    assert told() == []
    guess(app, staff.email, times=9, address="198.51.100.8")
    assert told() == ["sign_in_locked"]
    (alert,) = db.session.query(Alert)
    assert f"too many wrong tries to sign in as {staff.name}" in alert.detail
    db.session.rollback()


def test_of_people_we_do_not_know_and_of_a_network_alone_nothing_is_told(app: Flask) -> None:
    guess(app, "nobody@practice.example", times=9)
    for number in range(25):
        guess(app, f"{number}@practice.example", times=1)
    guess(app, hire("staff").email, times=1)
    assert told() == []


def test_a_second_factor_that_is_locked_is_told(app: Flask) -> None:
    staff = hire("staff")
    client = browser(app)
    give_password(client, staff.email)
    for _ in range(sign_in.MOST_WRONG_FACTORS + 2):
        client.post("/staff/second-step", data={"code": "000000"})
    assert told() == ["sign_in_locked"]


def test_a_sign_in_on_a_new_device_is_told_but_not_the_first_nor_one_on_a_device_that_is_known(app: Flask) -> None:
    staff = hire("staff")
    mine, another = browser(app), browser(app)
    start = clock.now()
    for number, (device, so_far) in enumerate([(mine, 0), (mine, 0), (another, 1), (another, 1)]):
        with time_machine.travel(start + timedelta(minutes=number), tick=False):
            assert gets_in(device, staff.email)
            form, named = {"code": sign_in.code_now(staff)}, {"User-Agent": "Firefox\x01"}
            assert device.post("/staff/second-step", data=form, headers=named).status_code == 303
            leave(device)
        assert told() == ["new_device"] * so_far
    (alert,) = db.session.query(Alert)
    assert f"{staff.name} signed in on a device that was not used before (Firefox)" in alert.detail
    db.session.rollback()
