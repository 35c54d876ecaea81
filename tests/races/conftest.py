"""What races share: on each database one shop with two web processes and a worker, up for all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import _migrate_and_seed as migrate_and_seed
from tests.databases import PostgresServer
from tests.running import RunningShop, running_shop


@pytest.fixture(scope="package")
def shop_on_sqlite(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[RunningShop]:
    """A shop on SQLite."""
    folder = tmp_path_factory.mktemp("races")
    (folder / "shop.sqlite").write_bytes(sqlite_template.read_bytes())
    with running_shop(folder, f"sqlite:///{folder}/shop.sqlite", web_processes=2, workers=1) as shop:
        yield shop


@pytest.fixture(scope="package")
def shop_on_postgresql(tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer) -> Iterator[RunningShop]:
    """A shop on PostgreSQL."""
    url = postgres.new_database(migrate_and_seed)
    with running_shop(tmp_path_factory.mktemp("races"), url, web_processes=2, workers=1) as shop:
        yield shop


@pytest.fixture
def shop(request: pytest.FixtureRequest, database: str) -> Iterator[RunningShop]:
    """The shop on the test's database; what Stripe tells it arrives, and its ledger verifies after each race."""
    found: RunningShop = request.getfixturevalue(f"shop_on_{database}")
    found.workbench.post("/hook", {"drop": 0})
    yield found
    assert "verifies" in found.command("ledger", "verify")
