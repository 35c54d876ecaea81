"""Backup and restore, rehearsed on both databases: whole or not at all, with the right keys, and all verifies."""

import json
import os
import re
import secrets
import sqlite3
import stat
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import upgrade

from giftshop import clock
from giftshop.app import close_app, create_app
from giftshop.backups import backup, backup_file, postgres_programs, restore, sqlite_copy
from giftshop.catalog.practice import get_installation
from giftshop.certificates import encryption
from giftshop.delivery import deliveries
from giftshop.delivery.models import Delivery
from giftshop.foundation import jobs
from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from giftshop.ledger import seals
from giftshop.ledger.models import Certificate, LedgerEntry
from tests import build
from tests.conftest import both_databases, make_settings
from tests.databases import PostgresServer
from tests.ledger.acts import give_back, take


@pytest.fixture
def sold(app: Flask) -> list[str]:
    """A shop with three certificates, used and sealed; their codes."""
    certificates = [build.certificate() for _ in range(3)]
    give_back(take(certificates[0].id, 10_00))
    take(certificates[1].id, 20_00)
    db.session.commit()
    db.session.add(seals.build_seal(at=clock.now()))
    db.session.commit()
    codes = [build.code_of(each) for each in certificates]
    db.session.rollback()
    return codes


@pytest.fixture
def other_url(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database on another machine."""
    if database == "sqlite":
        return f"sqlite:///{tmp_path}/other/shop.sqlite"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.empty_database()


def flask(app: Flask, *command: str) -> tuple[int, str]:
    """Run a `flask …` command in the app; return its exit status and what it said."""
    db.session.remove()
    done = app.test_cli_runner().invoke(args=command)
    return done.exit_code, done.output


@contextmanager
def shop_at(url: str, settings: Settings, **changes: str) -> Iterator[Flask]:
    """A shop on another database, with the keys of the first unless they are changed."""
    keys = {name: getattr(settings, name) for name in ("code_pepper", "code_keys", "secret_key")}
    app = create_app(make_settings(url, **{**keys, **changes}))
    try:
        with app.app_context():
            yield app
    finally:
        close_app(app)
        encryption.unlock(peppers=settings.code_pepper_list, keys=settings.code_key_list)


def balances() -> list[tuple[str, int]]:
    query = sa.select(Certificate.public_id, Certificate.balance_cents).order_by(Certificate.id)
    return [(row.public_id, row.balance_cents) for row in db.session.execute(query)]


@both_databases
def test_a_shop_is_restored_on_an_empty_database_and_verified(
    app: Flask, settings: Settings, sold: list[str], other_url: str, tmp_path: Path
) -> None:
    path, before = tmp_path / "shop.backup", balances()
    status, said = flask(app, "backup", str(path))
    assert status == 0, said
    assert "3 certificate rows, 6 ledger entry rows" in said
    with shop_at(other_url, settings) as other:
        status, said = flask(other, "restore", str(path), "--verify")
        assert status == 0, said
        assert "The ledger verifies: 6 entries" in said
        assert re.search(r"flask orders reconcile --since \d{4}-\d\d-\d\d", said)
        assert balances() == before
        in_order = sa.select(Certificate).order_by(Certificate.id)
        assert [build.code_of(each) for each in db.session.scalars(in_order)] == sold


@pytest.mark.parametrize("used_by", ["nobody", "an owner"])
@both_databases
def test_a_migrated_database_that_nobody_used_counts_as_empty(
    app: Flask, settings: Settings, sold: list[str], other_url: str, tmp_path: Path, used_by: str
) -> None:
    backup.back_up(db.engine, tmp_path / "shop.backup")
    jobs.disconnect()
    with shop_at(other_url, settings) as other:
        (tmp_path / "other").mkdir(exist_ok=True)
        upgrade()
        if used_by == "an owner":
            assert flask(other, "staff", "add", "owner@example.com", "--role", "owner")[0] == 0
        status, said = flask(other, "restore", str(tmp_path / "shop.backup"), "--verify")
        assert (status, "holds something already" in said) == ((0, False) if used_by == "nobody" else (1, True)), said


@both_databases
def test_a_restored_shop_goes_on_selling_and_keeps_its_guards(
    app: Flask, settings: Settings, sold: list[str], other_url: str, tmp_path: Path
) -> None:
    backup.back_up(db.engine, tmp_path / "shop.backup")
    with shop_at(other_url, settings) as other:
        assert flask(other, "restore", str(tmp_path / "shop.backup"))[0] == 0
        take(build.certificate().id, 1_00)
        db.session.commit()
        with pytest.raises(sa.exc.IntegrityError):
            db.session.execute(sa.update(LedgerEntry).values(amount_cents=1))
        db.session.rollback()
        status, said = flask(other, "ledger", "verify")
        assert (status, "8 entries" in said) == (0, True), said


@both_databases
def test_mail_that_was_scheduled_still_goes_out_after_a_restore(
    app: Flask, settings: Settings, other_url: str, tmp_path: Path
) -> None:
    certificate = build.certificate()
    delivery = deliveries.schedule(
        "alert",
        order_id=None,
        gift_id=None,
        to_address="owner@example.com",
        facts={"title": "x", "detail": "y"},
        certificate_ids=[],
        send_at=clock.now() + timedelta(seconds=2),
        message_key=f"alert.{certificate.public_id}",
    )
    db.session.commit()
    delivery_id = delivery.id
    db.session.rollback()
    backup.back_up(db.engine, tmp_path / "shop.backup")
    jobs.disconnect()
    with shop_at(other_url, settings) as other:
        assert flask(other, "restore", str(tmp_path / "shop.backup"))[0] == 0
        tried, found = threading.Event(), []

        def note(row_id: int, _turn: int) -> None:
            found.append(row_id)
            tried.set()

        jobs.register(deliveries.JOB, note)
        jobs.start(other)
        try:
            assert tried.wait(30)
        finally:
            jobs.stop()
        assert found == [delivery_id]
        assert db.session.get_one(Delivery, delivery_id).state == "scheduled"


@both_databases
def test_a_database_that_holds_something_is_replaced_only_when_told_so(
    app: Flask, sold: list[str], tmp_path: Path
) -> None:
    path = str(tmp_path / "shop.backup")
    assert flask(app, "backup", path)[0] == 0
    later = build.certificate().public_id
    status, said = flask(app, "restore", path)
    assert (status, "holds something already" in said) == (1, True), said
    assert later in dict(balances())
    status, said = flask(app, "restore", path, "--replace", "--verify")
    assert status == 0, said
    assert later not in dict(balances())
    assert len(balances()) == 3


def test_a_backup_is_private_and_holds_no_key_and_no_code(
    app: Flask, settings: Settings, sold: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "shop.backup"
    manifest = backup.back_up(db.engine, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with zipfile.ZipFile(path) as archive:
        content = archive.read("database") + archive.read("manifest.json")
    for secret in (settings.secret_key, settings.code_pepper, settings.code_keys, settings.stripe_secret_key, *sold):
        assert secret.encode() not in content
    assert manifest.seal == db.session.scalar(sa.text("SELECT lower(hex(digest)) FROM ledger_seal"))
    assert (manifest.mode, manifest.counts["ledger_entry"]) == ("simulated", 6)


@pytest.mark.parametrize("changed", ["code_keys", "code_pepper"])
@both_databases
def test_a_restore_without_the_right_keys_is_refused_and_changes_nothing(
    app: Flask, settings: Settings, sold: list[str], other_url: str, tmp_path: Path, changed: str
) -> None:
    backup.back_up(db.engine, tmp_path / "shop.backup")
    with shop_at(other_url, settings, **{changed: secrets.token_hex(32)}) as other:
        status, said = flask(other, "restore", str(tmp_path / "shop.backup"))
        assert status == 1
        assert "GIFTSHOP_CODE_PEPPER and GIFTSHOP_CODE_KEYS" in said
        (tmp_path / "other").mkdir()
        assert sa.inspect(db.engine).get_table_names() == []


def test_a_shop_that_has_sold_nothing_asks_for_its_keys_too(app: Flask, settings: Settings, tmp_path: Path) -> None:
    manifest = backup.back_up(db.engine, tmp_path / "shop.backup")
    refuse_unfit(manifest)
    encryption.unlock(peppers=[b"another pepper"], keys=settings.code_key_list)
    with pytest.raises(restore.KeysMissingError):
        refuse_unfit(manifest)
    encryption.unlock(peppers=settings.code_pepper_list, keys=settings.code_key_list)


def test_every_key_in_use_is_asked_for(app: Flask, settings: Settings, tmp_path: Path) -> None:
    build.certificate()
    encryption.unlock(peppers=settings.code_pepper_list, keys=[b"n" * 32, *settings.code_key_list])
    build.certificate()
    encryption.unlock(peppers=settings.code_pepper_list, keys=settings.code_key_list)
    manifest = backup.back_up(db.engine, tmp_path / "shop.backup")
    assert len(manifest.key_samples) == 3
    with pytest.raises(restore.KeysMissingError):
        refuse_unfit(manifest)


def refuse_unfit(manifest: backup_file.Manifest) -> None:
    restore.refuse_unfit(manifest, dialect="sqlite", mode="simulated", revisions={manifest.revision})


UNFIT = {
    "of postgresql": {"dialect": "postgresql"},
    "of live payments": {"mode": "live"},
    "made by a newer giftshop": {"revision": "9999"},
}


@pytest.mark.parametrize(("sentence", "changes"), UNFIT.items())
def test_a_backup_that_does_not_belong_here_is_refused(
    app: Flask, tmp_path: Path, sentence: str, changes: dict[str, str]
) -> None:
    manifest = backup.back_up(db.engine, tmp_path / "shop.backup")
    refuse_unfit(manifest)
    with pytest.raises(restore.ShopError, match=sentence):
        restore.refuse_unfit(
            replace(manifest, **changes), dialect="sqlite", mode="simulated", revisions={manifest.revision}
        )


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def change_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def exchange_the_database(path: Path) -> None:
    """Write another database under the same manifest: the ZIP's own checksums fit."""
    with zipfile.ZipFile(path) as archive:
        manifest = archive.read("manifest.json")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("database", b"another database")
        archive.writestr("manifest.json", manifest)


def write_nonsense(path: Path) -> None:
    path.write_bytes(b"not a backup")


def say_another_format(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", json.dumps({"format": 2}))


DAMAGE = [cut_short, change_a_byte, exchange_the_database, write_nonsense, say_another_format]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_backup_is_refused_and_nothing_is_changed(
    app: Flask, sold: list[str], tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    path, before = tmp_path / "shop.backup", balances()
    db.session.rollback()
    backup.back_up(db.engine, path)
    damage(path)
    status, said = flask(app, "restore", str(path), "--replace")
    assert status == 1
    assert "backup" in said
    assert balances() == before
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".restore")] == []


def test_a_backup_never_takes_the_place_of_another(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "shop.backup"
    path.write_text("yesterday's")
    status, said = flask(app, "backup", str(path))
    assert (status, "exists already" in said) == (1, True)
    assert path.read_text() == "yesterday's"


@both_databases
def test_a_backup_that_breaks_off_leaves_nothing_behind(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_the_disk(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    folder = tmp_path / "backups"
    folder.mkdir()
    monkeypatch.setattr(backup_file, "write_manifest", fill_the_disk)
    status, said = flask(app, "backup", str(folder / "shop.backup"))
    assert (status, "No space left on device" in said) == (1, True), said
    assert list(folder.iterdir()) == []


def test_a_restore_of_nothing_says_so(app: Flask, tmp_path: Path) -> None:
    status, said = flask(app, "restore", str(tmp_path / "none.backup"), "--replace")
    assert (status, "cannot be read" in said) == (1, True)


def test_an_unmigrated_database_is_no_shop_to_back_up(settings: Settings, tmp_path: Path) -> None:
    with shop_at(f"sqlite:///{tmp_path}/new.sqlite", settings) as app:
        status, said = flask(app, "backup", str(tmp_path / "shop.backup"))
    assert (status, "holds no shop yet" in said) == (1, True)


def test_missing_programs_of_postgresql_are_named(
    app: Flask, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = sa.create_engine(postgres.address("postgres"))
    assert (postgres_programs.find_folder(engine) / "pg_dump").exists()
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(postgres_programs, "_SERVER_WHEEL", "no_such_wheel")
    with pytest.raises(postgres_programs.ProgramsMissingError, match="Install postgresql-client"):
        postgres_programs.find_folder(engine)
    engine.dispose()


def test_a_dump_that_breaks_off_changes_nothing_in_postgresql(
    settings: Settings, postgres: PostgresServer, tmp_path: Path
) -> None:
    name = f"kept_{secrets.token_hex(4)}"
    postgres.run(f"CREATE DATABASE {name}")
    engine = sa.create_engine(postgres.address(name))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE kept (id integer)")
    (tmp_path / "dump").write_bytes(b"PGDMP and then nothing")
    with pytest.raises(postgres_programs.ProgramFailedError, match="pg_restore ended with an error"):
        postgres_programs.load(engine, tmp_path / "dump")
    assert sa.inspect(engine).get_table_names() == ["kept"]
    engine.dispose()


def fail_beside_a_program_that_ended() -> None:
    with postgres_programs._running(["true"], {}, stdin=subprocess.PIPE) as psql:
        assert psql.stdin is not None
        psql.stdin.write(b"BEGIN;")
        psql.wait()
        raise postgres_programs.ProgramFailedError("pg_restore ended with an error")


def test_what_went_wrong_is_said_although_the_program_beside_it_reads_no_more() -> None:
    with pytest.raises(postgres_programs.ProgramFailedError, match="pg_restore"):
        fail_beside_a_program_that_ended()


@both_databases
def test_a_backup_made_while_people_redeem_is_of_one_instant(
    app: Flask, settings: Settings, other_url: str, tmp_path: Path
) -> None:
    ids = [build.certificate(face_value_cents=1000_00).id for _ in range(2)]
    db.session.rollback()
    over, taken = threading.Event(), threading.Event()

    def redeem_on_and_on(certificate_id: int) -> None:
        with app.app_context():
            while not over.is_set():
                take(certificate_id, 1)
                db.session.commit()
                taken.set()

    people = [threading.Thread(target=redeem_on_and_on, args=(number,)) for number in ids]
    for person in people:
        person.start()
    taken.wait(20)
    manifest = backup.back_up(db.engine, tmp_path / "shop.backup")
    over.set()
    for person in people:
        person.join()
    assert manifest.counts["ledger_entry"] > len(ids)
    with shop_at(other_url, settings) as other:
        status, said = flask(other, "restore", str(tmp_path / "shop.backup"), "--verify")
        assert status == 0, said


def test_a_file_that_keeps_changing_is_copied_in_one_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_copy, "PAGES_AT_ONCE", 1)
    monkeypatch.setattr(sqlite_copy, "MOST_RESTARTS", 2)
    source = tmp_path / "source.sqlite"
    with closing(sqlite3.connect(source)) as shop, shop:
        shop.execute("CREATE TABLE entry (text TEXT)")
        shop.executemany("INSERT INTO entry VALUES (?)", [("x" * 2000,)] * 50)
    original = sqlite_copy._Patience.__call__

    def write_meanwhile(self: sqlite_copy._Patience, status: int, left: int, total: int) -> None:
        with closing(sqlite3.connect(source)) as shop, shop:
            shop.execute("INSERT INTO entry VALUES (?)", ("y" * 4000,))
        original(self, status, left, total)

    monkeypatch.setattr(sqlite_copy._Patience, "__call__", write_meanwhile)
    sqlite_copy.copy_out(source, tmp_path / "copy.sqlite")
    with closing(sqlite3.connect(tmp_path / "copy.sqlite")) as copy, closing(sqlite3.connect(source)) as shop:
        count = "SELECT count(*) FROM entry"
        assert copy.execute(count).fetchone() == shop.execute(count).fetchone()


def test_a_backup_of_an_older_revision_is_migrated_forward(app: Flask, settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "old.backup"
    with shop_at(f"sqlite:///{tmp_path}/old.sqlite", settings):
        upgrade(revision="0002")
        stamp = "INSERT INTO installation VALUES (1, 'shop_old', 'simulated', '2026-01-01T00:00:00.000000+00:00')"
        db.session.execute(sa.text(stamp))
        db.session.commit()
        assert backup.back_up(db.engine, path).revision == "0002"
    with shop_at(f"sqlite:///{tmp_path}/new.sqlite", settings) as new:
        status, said = flask(new, "restore", str(path), "--verify")
        assert status == 0, said
        assert sa.inspect(db.engine).has_table("trail_event")
        assert get_installation().instance_id == "shop_old"
