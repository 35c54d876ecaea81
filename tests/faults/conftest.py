"""What fault tests share: rigged shops that stay up for many tests, and the parts of scenarios in one process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import _migrate_and_seed as migrate_and_seed
from tests.delivery.mail_servers import MailServer, running_mail_server
from tests.faults.crashing_postgres import CrashingPostgres, running_postgres
from tests.faults.driver import sign_in
from tests.faults.life import World
from tests.faults.mailroom import Mailroom
from tests.faults.shop import running_rigged_shop
from tests.faults.trouble import mend
from tests.workbench.running import RunningWorkbench


@pytest.fixture
def quiet_workbench(workbench: RunningWorkbench) -> RunningWorkbench:
    """The simulated Stripe, of whose webhooks nobody hears."""
    workbench.post("/hook", {"drop": -1})
    return workbench


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A mail server that takes everything until a test tells it otherwise."""
    with running_mail_server() as server:
        yield server


@pytest.fixture(scope="package")
def crashing_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CrashingPostgres]:
    """A PostgreSQL server that may crash without hurting other tests."""
    with running_postgres(tmp_path_factory.mktemp("crashing")) as server:
        yield server


@pytest.fixture(scope="package")
def world_on_sqlite(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[World]:
    """A rigged shop on SQLite; its books are the same for all tests, and judged by each."""
    folder = tmp_path_factory.mktemp("rigged")
    (folder / "shop.sqlite").write_bytes(sqlite_template.read_bytes())
    yield from _world(folder, f"sqlite:///{folder}/shop.sqlite")


@pytest.fixture(scope="package")
def world_on_postgresql(
    tmp_path_factory: pytest.TempPathFactory, crashing_postgres: CrashingPostgres
) -> Iterator[World]:
    """A rigged shop on PostgreSQL."""
    yield from _world(tmp_path_factory.mktemp("rigged"), crashing_postgres.new_database(migrate_and_seed))


@pytest.fixture
def world(request: pytest.FixtureRequest, database: str) -> Iterator[World]:
    """The rigged shop on the test's database, mended afterwards."""
    found: World = request.getfixturevalue(f"world_on_{database}")
    yield found
    mend(found.shop, found.mail)


def _world(folder: Path, url: str) -> Iterator[World]:
    with running_rigged_shop(folder, url, RIGGED_LIMITS="off") as (shop, mail):
        yield World(shop, mail, Mailroom(mail), sign_in(shop))
