"""The database, the disk, the mail server or every webhook gone for a while: clear answers, nothing lost, and back."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa
from flask import Flask

from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from tests import signing_in
from tests.conftest import make_settings
from tests.databases import PostgresServer
from tests.delivery.mail_servers import MailServer
from tests.faults.crashing_postgres import CrashingPostgres
from tests.faults.disk import can_mount, fill, full_disk, small_disk
from tests.faults.life import World, bought_certificate, live
from tests.faults.people import Desk
from tests.faults.plan import Act, Life
from tests.faults.scene import play
from tests.faults.settling import settle_and_judge
from tests.workbench.running import RunningWorkbench

ANSWER_SECONDS, BACK_SECONDS, AWAY_SECONDS = 10, 30, 14


def redeem_until(over: threading.Event, desk: Desk, public_id: str) -> None:
    """Take a dollar again and again."""
    while not over.is_set():
        desk.redeem(public_id, 1_00)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_database_that_crashes_gets_clear_answers_and_is_found_again(
    world: World, crashing_postgres: CrashingPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.faults.people.ANSWER_SECONDS", ANSWER_SECONDS)
    names = [bought_certificate(world, f"away{n}@example.com", amount_cents=300_00) for n in range(3)]
    desks = [world.desk() for _ in names]
    assert all(desk.redeem(name, 1_00).outcome == "accepted" for desk, name in zip(desks, names, strict=True))
    processes, unheard, over = processes_of(world), count_unheard(world), threading.Event()
    with ThreadPoolExecutor(len(names)) as people, world.records.crash("database crashes"):
        running = [people.submit(redeem_until, over, desk, name) for desk, name in zip(desks, names, strict=True)]
        crashing_postgres.crash()
        went_at = time.monotonic()
        time.sleep(AWAY_SECONDS)
        pages = [world.desk().person.try_once("GET", path) for path in ("/redeem", "/gift", "/staff/account")]
        judged_until, lost = time.monotonic() - ANSWER_SECONDS, count_unheard(world) - unheard
        crashing_postgres.come_back()
        monkeypatch.setattr("tests.faults.people.PATIENCE_SECONDS", BACK_SECONDS)
        after = [world.desk().redeem(name, 1_00) for name in names]
        over.set()
        for each in running:
            each.result()
    assert [page is not None and (page.status_code, "Retry-After" in page.headers) for page in pages] == [
        (503, True)
    ] * 3
    meanwhile = [each for each in world.records.history if went_at < each.sent_at < judged_until]
    assert {each.certificate for each in meanwhile} == set(names), "every till tried"
    assert {each.outcome for each in meanwhile} == {"unknown"}
    assert lost == 0, "every request of these seconds was answered in ten"
    assert {each.outcome for each in after} == {"accepted"}
    assert processes_of(world) == processes, "nobody was started again"
    assert settle_and_judge(world) == []


def processes_of(world: World) -> tuple[set[int], set[int]]:
    """The shop's web and worker processes."""
    return set(world.shop.web_pids()), set(world.shop.worker_pids())


def count_unheard(world: World) -> int:
    """How many requests were not answered in time, or broke off."""
    return sum(world.records.counts.get(name, 0) for name in ("no answer", "dropped connections"))


def test_a_full_disk_refuses_writes_and_goes_on_reading(world: World) -> None:
    public_id = bought_certificate(world, "disk@example.com", amount_cents=100_00)
    desk = world.desk()
    assert world.shop.web is not None
    everybody = [world.shop.web.pid, *(keeper.pid for keeper in world.shop.workers)]
    with world.records.crash("disk full"), full_disk(everybody):
        refused = desk.try_to_redeem(public_id, 10_00)
        page = desk.person.try_once("GET", f"/redeem/{public_id}")
    assert refused is not None
    assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
    assert page is not None
    assert page.status_code == 200
    assert desk.redeem(public_id, 10_00).outcome == "accepted"
    assert read(world, "PRAGMA integrity_check") == [("ok",)]
    assert settle_and_judge(world) == []


@pytest.fixture
def settings_on_small_disk(tmp_path: Path, sqlite_template: Path, quiet_workbench: RunningWorkbench) -> Settings:
    folder = tmp_path / "small"
    (folder / "shop.sqlite").write_bytes(sqlite_template.read_bytes())
    return make_settings(f"sqlite:///{folder}/shop.sqlite", **quiet_workbench.shop_settings)


@pytest.mark.skipif(not can_mount(), reason="this machine mounts nothing for us; the limit above stands in for it")
def test_a_disk_without_a_byte_left_keeps_what_it_has(
    tmp_path: Path, mail_server: MailServer, quiet_workbench: RunningWorkbench, request: pytest.FixtureRequest
) -> None:
    with small_disk(tmp_path / "small", 8) as disk:
        settings = request.getfixturevalue("settings_on_small_disk")
        with play(settings, quiet_workbench, mail_server, tmp_path, bug="") as scene:
            _, certificate = scene.sell(at_till=True)
            name = certificate.public_id
            ballast = fill(disk)
            assert scene.redeem(name, 10_00, key="while-the-disk-is-full").outcome == "unknown"
            assert scene.tills[0].get(f"/redeem/{name}").status_code == 200
            assert [line.rsplit(" ", 1)[1] for line in scene.unclear] == ["503"]
            scene.unclear.clear()
            ballast.unlink()
            assert scene.redeem(name, 10_00, key="while-the-disk-is-full").outcome == "accepted"
            assert scene.judge() == []


def read(world: World, query: str) -> list[tuple[Any, ...]]:
    """Ask the shop's database from outside."""
    engine = sa.create_engine(world.shop.environment["DATABASE_URL"])
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(sa.text(query))]
    engine.dispose()
    return rows


def wait_until_all_were_tried(world: World) -> None:
    """Wait until the sending of every message has failed once, or succeeded."""
    for _ in range(300):
        if not read(world, "SELECT id FROM delivery WHERE state IN ('scheduled', 'sending') AND turn = 0"):
            return
        time.sleep(0.1)
    raise AssertionError("some message was never tried")


def test_a_mail_server_that_is_down_costs_no_sale_and_no_message(world: World) -> None:
    poisoned, friends = "poisoned@example.com", [f"down{number}@example.com" for number in range(4)]
    earlier = bought_certificate(world, "before@example.com", amount_cents=100_00)
    world.mail.shut()
    bought = [world.buy(name) for name in (poisoned, *friends)]
    assert all(requests.get(page, timeout=60).ok for page in bought)
    assert world.desk().redeem(earlier, 10_00).outcome == "accepted"
    wait_until_all_were_tried(world)
    world.mail.poisoned = poisoned
    world.mail.open()
    codes = [world.mailroom.wait_for_code(name, 60) for name in friends]
    assert all(codes), "those behind the poisoned message came"
    assert not world.mailroom.wait_for_code(poisoned, 0)
    assert world.mail.poisonings, "it was tried meanwhile"
    world.mail.poisoned = ""
    assert world.mailroom.wait_for_code(poisoned, 60)
    assert settle_and_judge(world) == []


KEPT = ("order", "certificate", "certificate_freeze", "ledger_entry", "refund", "dispute", "delivery", "alert")


def books_of(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that reconciliation may put right."""
    return {table: read(world, f'SELECT * FROM "{table}" ORDER BY id') for table in KEPT}


def test_one_reconciliation_makes_up_for_webhooks_that_never_came(world: World) -> None:
    bench = world.shop.workbench
    bench.post("/hook", {"drop": -1})
    sessions = [world.pay(f"unheard{number}@example.com") for number in range(6)]
    bench.post("/refunds", {"session": sessions[0], "amount": 20_00})
    bench.post("/refunds", {"session": sessions[1]})
    for session, ending in ((sessions[2], "won"), (sessions[3], "lost"), (sessions[4], "")):
        dispute_id = bench.post("/disputes", {"session": session})["id"]
        if ending:
            bench.post(f"/disputes/{dispute_id}/close", {"status": ending})
    assert "changed 0" not in world.shop.command("orders", "reconcile")
    assert settle_and_judge(world, may_reconcile=False) == []
    books = books_of(world)
    assert "changed 0" in world.shop.command("orders", "reconcile")
    assert books_of(world) == books


def test_lives_go_on_after_all_that(world: World) -> None:
    live(Life(1, 40_00, "pay", (Act("redeem", (10_00,)), Act("undo"))), world)
    assert settle_and_judge(world) == []


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_an_answer_that_is_ready_outlives_its_connection(app: Flask, postgres: PostgresServer) -> None:
    def cut_off() -> str:
        pid = db.session.scalar(sa.text("SELECT pg_backend_pid()"))
        postgres.run(f"SELECT pg_terminate_backend({pid})")
        return "made before the cut"

    app.view_functions["health.is_up"] = cut_off
    assert signing_in.browser(app).get("/healthz").text == "made before the cut"
