"""`flask doctor`: in production it finds each thing that keeps a live shop from working, and says what to do."""

import os
import re
import secrets
import subprocess
import sys
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from giftshop import clock
from giftshop.app import close_app, create_app
from giftshop.catalog.models import Practice
from giftshop.catalog.practice import get_installation
from giftshop.checkout.limits import Visitor
from giftshop.checkout.placing import place_order
from giftshop.checkout.sessions import open_checkout
from giftshop.foundation import heartbeats
from giftshop.foundation.database import db, may_write
from giftshop.foundation.settings import ROOT, Settings
from giftshop.reconciliation.models import Reconciliation
from giftshop.web.limiter import limiter
from tests import build
from tests.conftest import SECRETS, both_databases, make_settings
from tests.delivery.mail_servers import MailServer, running_mail_server
from tests.foundation.test_settings import PRODUCTION
from tests.running import free_port, running_shop
from tests.signing_in import hire
from tests.workbench.running import RunningWorkbench

BASE = "https://gifts.example.invalid"
WARN, FAULT = "warning", "FAULT"


@pytest.fixture
def mail() -> Iterator[MailServer]:
    """A mail server that takes everything."""
    with running_mail_server() as server:
        yield server


@pytest.fixture
def settings(database_url: str, workbench: RunningWorkbench, mail: MailServer) -> Settings:
    """Settings of a shop in production; only its Stripe is a simulated one."""
    workbench.post("/shop", {"url": BASE})
    return make_settings(
        database_url,
        env="production",
        base_url=BASE,
        proxy_hops=1,
        smtp_url=mail.url,
        mail_from="gifts@practice.example",
        **workbench.shop_settings,
    )


@pytest.fixture
def well(app: Flask) -> Flask:
    """A shop in which nothing is wrong but that nobody serves it, and that this machine may have old zone rules."""
    limiter.reset()
    hire("owner")
    heartbeats.beat_once("somewhere", at=clock.now())
    db.session.add(Reconciliation(started_at=clock.now(), finished_at=clock.now()))
    db.session.commit()
    return app


def examine(app: Flask) -> tuple[int, dict[str, list[tuple[str, str]]]]:
    """Run the doctor; return its exit status and its lines by what they are about: tone and words."""
    db.session.remove()
    done = app.test_cli_runner().invoke(args=["doctor"])
    lines: dict[str, list[tuple[str, str]]] = {}
    for line in done.output.splitlines()[:-1]:
        found = re.fullmatch(r"(ok|warning|FAULT) +([a-z ]+): (.*)", line)
        assert found is not None, line
        lines.setdefault(found[2], []).append((found[1], found[3]))
    return done.exit_code, lines


def tones(lines: dict[str, list[tuple[str, str]]], what: str) -> list[str]:
    return [tone for tone, _words in lines.get(what, [])]


def fault_of(app: Flask, what: str) -> str:
    """Return the words of the one fault about something; the doctor must end with an error."""
    status, lines = examine(app)
    assert status == 1, lines
    (words,) = [words for tone, words in lines[what] if tone == FAULT]
    return words


@pytest.fixture
def new_rules(tmp_path: Path) -> Iterator[None]:
    """A machine whose system has no rules of its own, so that the newest installed ones are used."""
    zoneinfo.reset_tzpath(to=())
    yield
    zoneinfo.reset_tzpath()


@pytest.mark.usefixtures("new_rules")
@both_databases
def test_a_shop_in_which_all_is_well_has_no_fault(well: Flask, database: str) -> None:
    status, lines = examine(well)
    faults = {what: found for what, found in lines.items() if FAULT in tones(lines, what)}
    assert (status, faults) == (0, {})
    warned = {what for what in lines if WARN in tones(lines, what)}
    wanted = {"backup", "address"} | ({"settings"} if database == "sqlite" else set())
    assert warned - {"disk", "versions"} == wanted
    assert lines["stripe"] == [("ok", "The simulated Stripe answers in simulated mode")]
    assert lines["webhooks"] == [("ok", f"{BASE}/webhooks/stripe gets every event that is needed")]
    assert tones(lines, "mail") == tones(lines, "secrets") == tones(lines, "migrations") == ["ok"]


def test_the_doctor_changes_nothing_at_stripe_and_sends_no_mail(
    well: Flask, workbench: RunningWorkbench, mail: MailServer
) -> None:
    examine(well)
    assert workbench.sessions() == []
    assert mail.arrived == []
    assert {call["status"] for call in workbench.requests() if call["method"] == "POST"} == {400}


# --- what it must find, one by one ---------------------------------------------------------------------------------


def test_old_zone_rules(well: Flask, tmp_path: Path) -> None:
    (tmp_path / "tzdata.zi").write_text("# version 2024a\nR d 1916\n")
    zoneinfo.reset_tzpath(to=[str(tmp_path)])
    try:
        words = fault_of(well, "time zones")
    finally:
        zoneinfo.reset_tzpath()
    assert words.startswith("The rules of 2024a are used, and those of 20")


def test_rules_that_nobody_brought_up_to_date(well: Flask, new_rules: None) -> None:
    with time_machine.travel(datetime(2028, 6, 1, tzinfo=UTC), tick=False):
        assert "Update tzdata" in fault_of(well, "time zones")


def run(*command: str, **environment: str) -> tuple[int, str]:
    """Run `flask …` in a process of its own; return its status and what it said."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("GIFTSHOP_", "STRIPE_"))}
    inherited.pop("DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *command],
        cwd=ROOT,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_missing_fonts(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "fonts.conf").write_text('<?xml version="1.0"?><fontconfig></fontconfig>')
    development = {f"GIFTSHOP_{name.upper()}": value for name, value in SECRETS.items()}
    stripe = {"STRIPE_SECRET_KEY": "sk_test_sim_0123456789abcdef", "WORKBENCH_PORT": str(free_port())}
    here = {"DATABASE_URL": database_url, "FONTCONFIG_FILE": str(tmp_path / "fonts.conf"), **development, **stripe}
    status, said = run("doctor", **here)
    assert status == 1
    assert "FAULT    fonts: No font here has Chinese, Japanese, Korean" in said
    assert "fonts-noto-cjk" in said


@pytest.mark.parametrize("name", ["GIFTSHOP_SECRET_KEY", "GIFTSHOP_CODE_PEPPER"])
def test_weak_keys(name: str) -> None:
    status, said = run("doctor", **{**PRODUCTION, name: "k" * 64})
    assert (status, said.strip().splitlines()) == (3, [said.strip()])
    assert said.startswith(f"{name} is easy to guess.")


def test_sqlite_by_accident() -> None:
    status, said = run("doctor", **{name: value for name, value in PRODUCTION.items() if name != "DATABASE_URL"})
    assert (status, said.startswith("DATABASE_URL is missing. If one file is meant, say so")) == (3, True)


def test_sqlite_on_purpose_is_a_warning(well: Flask) -> None:
    _status, lines = examine(well)
    assert any(tone == WARN and words.startswith("DATABASE_URL is one file") for tone, words in lines["settings"])


def test_no_proxy_hops(settings: Settings) -> None:
    forgotten = settings.model_dump(exclude={"proxy_hops"}, exclude_unset=True)
    app = create_app(Settings(**forgotten))
    try:
        with app.app_context():
            assert fault_of(app, "settings").startswith("GIFTSHOP_PROXY_HOPS is not set.")
    finally:
        close_app(app)


def test_a_number_of_proxies_that_does_not_fit_the_way_in(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    through_one = requests.get

    def by_a_proxy(address: str, **options: Any) -> requests.Response:
        return through_one(address, headers={"X-Forwarded-For": "198.51.100.7"}, **options)

    monkeypatch.setattr(requests, "get", by_a_proxy)
    with running_shop(tmp_path, database_url) as shop:
        app = create_app(make_settings(database_url, base_url=shop.url, **shop.workbench.shop_settings))
        try:
            with app.app_context():
                words = fault_of(app, "proxies")
                _status, lines = examine(app)
        finally:
            close_app(app)
    assert words == f"A request to {shop.url} came through 1 proxies; GIFTSHOP_PROXY_HOPS says 0."
    assert lines["running shop"][0][1].startswith("A proxy stands before the shop")


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        ({"refused": "hello@focusedcare.example"}, "The server does not take mail to the practice's own address: 550"),
        ({"to_address": "554 5.7.1 Relay access denied"}, "address: 554 5.7.1 Relay access denied"),
        ({"to_address": "553 5.7.1 Sender address not owned"}, "address: 553 5.7.1 Sender address not owned"),
    ],
)
def test_mail_that_is_refused(well: Flask, mail: MailServer, refused: dict[str, str], words: str) -> None:
    practice = db.session.get_one(Practice, 1)
    practice.email = "hello@focusedcare.example"
    db.session.commit()
    for name, value in refused.items():
        setattr(mail, name, value)
    assert words in fault_of(well, "mail")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("smtp://127.0.0.1:9", "The server of SMTP_URL could not be reached: Connection refused"),
        ("smtp://user:wrong@127.0.0.1:{port}", "The server offers no encryption or no sign-in"),
        ("smtps://127.0.0.1:{port}", "Encryption failed (smtps:// is for port 465, smtp:// for 587)"),
    ],
)
def test_a_mail_server_that_is_not_what_the_setting_says(
    settings: Settings, mail: MailServer, url: str, words: str
) -> None:
    app = create_app(settings.model_copy(update={"smtp_url": url.format(port=mail.port)}))
    try:
        with app.app_context():
            assert words in fault_of(app, "mail")
    finally:
        close_app(app)


def test_a_webhook_secret_that_does_not_fit(well: Flask, client: FlaskClient, workbench: RunningWorkbench) -> None:
    event = {"id": "evt_1", "object": "event", "type": "refund.created"}
    well.extensions["stripe_gateway"]._secrets = ["whsec_another0123456789"]
    for _ in range(3):
        stamp = int(clock.now().timestamp())
        header = f"t={stamp},v1={secrets.token_hex(32)}"
        answer = client.post("/webhooks/stripe", json=event, headers={"Stripe-Signature": header}, base_url=BASE)
        assert answer.status_code == 400
    words = fault_of(well, "webhook secret")
    assert "3 in a row were refused here. Is STRIPE_WEBHOOK_SECRET the signing secret of this very endpoint?" in words


def test_events_that_stripe_could_not_deliver(well: Flask, workbench: RunningWorkbench) -> None:
    workbench.post("/hook", {"drop": -1})
    order = place_order(build.purchase(), mode="simulated", at=clock.now())
    db.session.commit()
    gateway = well.extensions["stripe_gateway"]
    open_checkout(order.id, gateway, base_url=BASE, visitor=Visitor(address="192.0.2.1"))
    gateway.expire_session(workbench.sessions()[0]["id"])
    (event,) = workbench.get("/state")["events"]
    workbench.post(f"/objects/{event['id']}", {"created": int(clock.now().timestamp()) - 3600})
    words = fault_of(well, "webhook secret")
    assert words.startswith("Stripe could not deliver 1 of its last events")


@pytest.mark.parametrize("at", ["0007", "9999"])
@both_databases
def test_another_migration(well: Flask, at: str) -> None:
    newest = db.session.scalar(sa.text("SELECT version_num FROM alembic_version"))
    _set_migration(at)
    try:
        words = fault_of(well, "migrations")
    finally:
        _set_migration(str(newest))
    assert words.startswith(f"The database is at migration {at}, the program at ")


def _set_migration(at: str) -> None:
    may_write()
    db.session.execute(sa.text("UPDATE alembic_version SET version_num = :at"), {"at": at})
    db.session.commit()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("off", [timedelta(hours=1), timedelta(minutes=-5)])
def test_a_clock_that_is_off_against_the_database(well: Flask, off: timedelta) -> None:
    with time_machine.travel(clock.now() + off, tick=True):
        _status, lines = examine(well)
    words = [words for tone, words in lines["clock"] if tone == FAULT]
    assert any("database server's clock" in each for each in words)
    assert any("Stripe's clock" in each for each in words) or "stripe" in lines


@both_databases
def test_something_that_is_dated_in_the_future(well: Flask) -> None:
    may_write()
    build.certificate()
    later = clock.now() + timedelta(days=300)
    db.session.add(Reconciliation(started_at=later, finished_at=later))
    db.session.commit()
    assert "which is still to come" in fault_of(well, "clock")


# --- more of what a live shop needs --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ({"url": "https://old.example/webhooks/stripe"}, "No endpoint is registered for"),
        ({"status": "disabled"}, "The endpoint is disabled"),
        ({"enabled_events": ["checkout.session.completed"]}, "The endpoint does not get charge.dispute.closed"),
    ],
)
def test_an_endpoint_that_does_not_fit(
    well: Flask, workbench: RunningWorkbench, endpoint: dict[str, Any], words: str
) -> None:
    workbench.post("/endpoint", endpoint)
    assert fault_of(well, "webhooks").startswith(words)


def test_a_key_that_stripe_does_not_know(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"stripe_secret_key": "sk_test_sim_another0123456789"}))
    try:
        with app.app_context():
            assert fault_of(app, "stripe").startswith("Not this key: AuthenticationError")
    finally:
        close_app(app)


def test_other_secrets_than_the_databases_own(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"code_pepper": secrets.token_hex(32)}))
    try:
        with app.app_context():
            assert fault_of(app, "secrets").startswith("GIFTSHOP_CODE_PEPPER: not what this database was made with")
    finally:
        close_app(app)


def test_nobody_who_runs_jobs_and_no_practice(app: Flask) -> None:
    assert "Start the web process" in fault_of(app, "jobs")
    assert fault_of(app, "owner").startswith("Nobody can sign in as owner")


def test_the_age_of_the_last_backup(well: Flask, tmp_path: Path) -> None:
    assert "None was made" in examine(well)[1]["backup"][0][1]
    done = well.test_cli_runner().invoke(args=["backup", str(tmp_path / "shop.backup")])
    assert done.exit_code == 0, done.output
    assert examine(well)[1]["backup"][0][0] == "ok"
    with time_machine.travel(clock.now() + timedelta(days=2), tick=True):
        assert "The last one is of" in examine(well)[1]["backup"][0][1]


def test_a_database_that_does_not_answer_is_a_fault_and_the_rest_is_looked_at(settings: Settings) -> None:
    gone = settings.model_copy(update={"database_url": "postgresql+psycopg://nobody@127.0.0.1:9/none"})
    app = create_app(gone)
    try:
        with app.app_context():
            status, lines = examine(app)
    finally:
        close_app(app)
    assert (status, tones(lines, "database"), tones(lines, "stripe")) == (1, [FAULT], ["ok"])
    assert lines["fonts"]


def test_no_secret_is_ever_said(well: Flask, settings: Settings) -> None:
    done = well.test_cli_runner().invoke(args=["doctor"])
    for secret in (settings.secret_key, settings.code_pepper, settings.code_keys, settings.stripe_secret_key):
        assert secret not in done.output
    assert settings.stripe_webhook_secret not in done.output
    assert get_installation().mode == "simulated"
