"""How the shop is served: what gunicorn writes and where it listens, and starts that are refused in one sentence."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests
import sqlalchemy as sa

from tests.conftest import SECRETS, both_databases
from tests.running import ROOT, RunningShop, running_shop

CODE, TOKEN = "K7M2-QX9R-TB4D-HVWR", "kX9vQ2mT7bR4dH8wK7M2QX"


@pytest.fixture
def talkative(tmp_path: Path, database_url: str) -> Iterator[RunningShop]:
    """A shop whose gunicorn writes all it can."""
    words = "--log-level debug --access-logfile -"
    with running_shop(tmp_path, database_url, GUNICORN_CMD_ARGS=words, GIFTSHOP_LOG_LEVEL="DEBUG") as shop:
        yield shop


def test_at_its_most_talkative_gunicorn_writes_no_code_and_no_token(talkative: RunningShop) -> None:
    secret = (CODE, CODE.lower(), CODE.replace("-", ""), TOKEN)
    for path in (f"/c/{CODE}", f"/C/{secret[1]}/certificate.pdf", f"/c%2F{secret[2]}", f"/orders/{TOKEN}", "/gift"):
        answer = requests.get(talkative.url + path, params={"order": TOKEN}, timeout=20)
        assert answer.status_code in (200, 404, 503)
    requests.get(f"{talkative.url}/", headers={"Referer": f"{talkative.url}/c/{CODE}"}, timeout=20)
    written = talkative.log.read_text()
    assert "GET /c/…" in written  # it did write them
    assert [each for each in secret if each in written] == []


def test_each_shop_has_a_control_socket_of_its_own(talkative: RunningShop) -> None:
    assert talkative.web is not None
    sockets = {each.laddr for each in psutil.Process(talkative.web.pid).net_connections("unix")}
    assert any(each.endswith(f"/giftshop-{talkative.web.pid}.ctl") for each in sockets), sockets


def start(database_url: str, **changes: str) -> tuple[int, str]:
    """Start what gunicorn would start in a web process; return how it ended and what it said."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("GIFTSHOP_", "STRIPE_"))},
        **{f"GIFTSHOP_{name.upper()}": value for name, value in SECRETS.items()},
        "DATABASE_URL": database_url,
        "STRIPE_SECRET_KEY": "sk_test_sim_0123456789abcdef",
        **changes,
    }
    done = subprocess.run(
        [sys.executable, "-c", "import wsgi"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


@both_databases
def test_a_web_process_starts_on_its_own_database(database_url: str) -> None:
    assert start(database_url) == (0, "")


@both_databases
def test_a_database_that_is_not_migrated_refuses_the_start(empty_url: str, database: str) -> None:
    if database == "sqlite":
        sa.create_engine(empty_url).connect().close()  # an empty file
    status, said = start(empty_url)
    assert (status, said.count("\n")) == (3, 1)
    assert said.startswith("The database is at migration None, the program at ")
    assert "Run `flask db upgrade`" in said


@pytest.mark.parametrize(("at", "advice"), [("0007", "Run `flask db upgrade`"), ("9999", "A newer giftshop")])
@both_databases
def test_a_database_of_another_migration_refuses_the_start(database_url: str, at: str, advice: str) -> None:
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :at"), {"at": at})
    engine.dispose()
    status, said = start(database_url)
    assert (status, said.count("\n")) == (3, 1)
    assert f"at migration {at}" in said
    assert advice in said


@pytest.mark.parametrize(("at", "status"), [("0007", 3), ("9999", 0)])
def test_a_process_that_takes_anothers_place_may_find_the_database_ahead(
    database_url: str, at: str, status: int
) -> None:
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :at"), {"at": at})
    engine.dispose()
    assert start(database_url, GIFTSHOP_IS_REPLACEMENT="1")[0] == status


@pytest.mark.parametrize("name", ["GIFTSHOP_CODE_PEPPER", "GIFTSHOP_CODE_KEYS"])
@both_databases
def test_other_secrets_than_the_databases_own_refuse_the_start_and_are_named(database_url: str, name: str) -> None:
    other = secrets.token_hex(32)
    status, said = start(database_url, **{name: other})
    assert (status, said.count("\n"), other in said) == (3, 1, False)
    assert said.startswith(f"{name}: not what this database was made with.")
    own = SECRETS[name.removeprefix("GIFTSHOP_").lower()]
    assert start(database_url, **{name: f"{other},{own}"}) == (0, "")


def test_a_database_that_does_not_answer_is_waited_for(tmp_path: Path) -> None:
    assert start("postgresql+psycopg://nobody@127.0.0.1:9/none")[0] == 0
    assert start(f"sqlite:///{tmp_path}/none.sqlite")[0] == 0
    assert list(tmp_path.iterdir()) == []
