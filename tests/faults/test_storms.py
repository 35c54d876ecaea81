"""The database, the disk, the mail server or every webhook gone for a while: clear answers, nothing lost, and back."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa
from flask import Flask

from giftshop.database import db
from giftshop.settings import Settings
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

ANSWER_SECONDS, BACK_SECONDS, AWAY_SECONDS = 10, 30, 6


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
    over = threading.Event()
    with ThreadPoolExecutor(len(names)) as people:
        running = [people.submit(redeem_until, over, world.desk(), name) for name in names]
        crashing_postgres.crash()
        world.records.count("database crashes")
        time.sleep(AWAY_SECONDS)
        pages = [world.desk().person.try_once("GET", path) for path in ("/redeem", "/gift", "/staff/account")]
        lost = world.records.counts.get("no answer", 0)
        crashing_postgres.come_back()
        monkeypatch.setattr("tests.faults.people.PATIENCE_SECONDS", BACK_SECONDS)
        after = [world.desk().redeem(name, 1_00) for name in names]
        over.set()
        for each in running:
            each.result()
    assert [page is not None and (page.status_code, "Retry-After" in page.headers) for page in pages] == [
        (503, True)
    ] * 3
    assert lost == 0, "every request of these seconds was answered in ten"
    assert {each.outcome for each in after} == {"accepted"}
    assert settle_and_judge(world) == []


def test_a_full_disk_refuses_writes_and_goes_on_reading(world: World) -> None:
    public_id = bought_certificate(world, "disk@example.com", amount_cents=100_00)
    desk = world.desk()
    assert world.shop.web is not None
    with full_disk([world.shop.web.pid, *(keeper.pid for keeper in world.shop.workers)]):
        refused = desk.try_to_redeem(public_id, 10_00)
        page = desk.person.try_once("GET", f"/redeem/{public_id}")
    world.records.count("disk full")
    assert refused is not None
    assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
    assert page is not None
    assert page.status_code == 200
    assert desk.redeem(public_id, 10_00).outcome == "accepted"
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


def test_a_mail_server_that_is_down_costs_no_sale_and_no_message(world: World) -> None:
    poisoned = "poisoned@example.com"
    world.mail.hangs_up, world.mail.poisoned = "at once", poisoned
    came = len(world.mail.arrived)
    bought = [world.buy(f"down{number}@example.com") for number in range(4)]
    world.buy(poisoned)
    assert all(requests.get(page, timeout=60).ok for page in bought)
    assert len(world.mail.arrived) == came
    world.mail.hangs_up = ""
    codes = [world.mailroom.wait_for_code(f"down{number}@example.com", 60) for number in range(4)]
    assert all(codes), "those behind the poisoned message came"
    assert not world.mailroom.wait_for_code(poisoned, 0)
    world.mail.poisoned = ""
    assert world.mailroom.wait_for_code(poisoned, 60)
    assert settle_and_judge(world) == []


def test_one_reconciliation_makes_up_for_an_hour_without_webhooks(world: World) -> None:
    world.shop.workbench.post("/hook", {"drop": -1})
    sessions = [world.pay(f"unheard{number}@example.com") for number in range(6)]
    world.shop.command("orders", "reconcile")
    bench = world.shop.workbench
    bench.post("/refunds", {"session": sessions[0], "amount": 20_00})
    bench.post("/refunds", {"session": sessions[1]})
    for session, ending in ((sessions[2], "won"), (sessions[3], "lost"), (sessions[4], "")):
        dispute_id = bench.post("/disputes", {"session": session})["id"]
        if ending:
            bench.post(f"/disputes/{dispute_id}/close", {"status": ending})
    assert "changed 0" not in world.shop.command("orders", "reconcile")
    assert "changed 0" in world.shop.command("orders", "reconcile")
    assert settle_and_judge(world) == []


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
