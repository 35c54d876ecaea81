"""What every test stands on: a real database, migrated once and copied, and the audit after each test."""

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade

from giftshop.app import close_app, create_app
from giftshop.catalog.sample import seed_sample
from giftshop.documents.worker import press
from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from giftshop.ledger import integrity
from giftshop.money import be_at_home_in
from giftshop.orders import integrity as orders_audit
from giftshop.web.limiter import limiter
from giftshop.web.opening import insist_on_practice
from tests.databases import PostgresServer
from tests.ledger.whole_ledger import find_forged_entry
from tests.memory import write_to_memory
from tests.scheduling import ByPlace
from tests.seeds import SEED, fix_seeds
from tests.shops import open_shop

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.counter import Counter
    from tests.workbench.running import RunningWorkbench

both_databases = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)


SECRETS = {name: secrets.token_hex(32) for name in ("secret_key", "code_pepper", "code_keys")}


def make_settings(database_url: str, **changes: Any) -> Settings:
    """Return settings for a test's own shop; nothing answers at its Stripe unless the test says where."""
    values: dict[str, Any] = {
        **SECRETS,
        "stripe_secret_key": "sk_test_sim_0123456789abcdef",
        "stripe_webhook_secret": "whsec_sim_0123456789abcdef",
        "stripe_api_base": "http://127.0.0.1:9",
        "database_url": database_url,
        "log_level": "WARNING",
        "limits": "wide",  # one browser buys for a whole test; tests of limits ask for the real ones
    }
    return Settings(**{**values, **changes})


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Settle what chance begins with, and where this process and those it starts write, before any of them does."""
    fix_seeds(config)
    write_to_memory()


def pytest_report_header() -> str:
    """Say what chance began with."""
    return f"seed {SEED} (SEED={SEED + 1} for another order, other examples, other moments)"


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist, without which a test may run too
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByPlace:
    """Tell pytest-xdist how tests are handed out to its processes."""
    return ByPlace(config, log)


@pytest.fixture(scope="session", autouse=True)
def _stop_the_press() -> Iterator[None]:
    """End the child that printed certificates for this process's tests."""
    yield
    press.stop()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A real PostgreSQL server, started when the first test asks for it."""
    server = PostgresServer(tmp_path_factory.mktemp("postgres"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def running_workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator["RunningWorkbench"]:
    """One simulated Stripe for all tests of this process."""
    from tests.workbench.running import start_workbench

    with start_workbench(tmp_path_factory.mktemp("workbench")) as bench:
        yield bench


@pytest.fixture
def workbench(running_workbench: "RunningWorkbench") -> "RunningWorkbench":
    """A simulated Stripe that answers, and knows nothing of the tests before."""
    running_workbench.post("/reset")
    return running_workbench


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated and seeded SQLite file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite"
    _migrate_and_seed(f"sqlite:///{path}")
    return path


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """The kind of database a test runs on: "sqlite" unless it is marked with `both_databases`."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def database_url(database: str, request: pytest.FixtureRequest) -> str:
    """A fresh database of its own for one test, migrated, with the sample practice."""
    if database == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        path = template.with_name("shop.sqlite")
        for left in (path, path.with_name(f"{path.name}-journal")):
            left.unlink(missing_ok=True)  # a file of its own: what the test before may still read holds no lock on it
        shutil.copy(template, path)
        return f"sqlite:///{path}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.renewed_database(_migrate_and_seed)


@pytest.fixture
def empty_url(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database in which there is nothing yet."""
    if database == "sqlite":
        return f"sqlite:///{tmp_path}/empty.sqlite"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.empty_database()


@pytest.fixture
def settings(database_url: str) -> Settings:
    """The settings of the test's shop."""
    return make_settings(database_url)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The shop on the test's database; its books are audited when the test is over."""
    app = open_shop(settings)
    be_at_home_in("US-CO")  # as the sample practice is; a test before may have moved it
    with app.app_context():
        insist_on_practice()  # once in a process; tests that count queries see what comes after
        yield app
        db.session.rollback()
        assert integrity.list_broken_invariants() == []
        assert orders_audit.list_broken_invariants() == []
        assert find_forged_entry() is None
    close_app(app)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without a window."""
    return app.test_client()


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """A Chromium for a module of the "browser" group: an open Playwright keeps an event loop in its process."""
    from tests.browsing import chromium

    with chromium() as opened:
        yield opened


@pytest.fixture
def shop(app: Flask, settings: Settings) -> Iterator[str]:
    """The address of the test's shop, answering on its own port (`settings_on_a_port`), nobody's tries counted yet."""
    from tests.browsing import serving

    limiter.reset()
    with serving(app, settings) as address:
        yield address


@pytest.fixture(scope="module")
def _phone(browser: "Browser") -> Iterator["Page"]:
    """A page that stays open: those opened beside it need no process, and no memory of how to draw, of their own."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


@pytest.fixture
def page(_phone: "Page") -> Iterator["Page"]:
    """A phone that has never seen the shop: what it kept of the test before is forgotten."""
    from tests.browsing import forget

    opened = _phone.context.new_page()
    yield opened
    forget(opened)
    opened.close()


@pytest.fixture
def counter(app: Flask, shop: str, page: "Page") -> "Counter":
    """The front desk in a browser in which nobody has signed in."""
    from tests.counter import Counter

    return Counter(app, page, shop)


def _migrate_and_seed(database_url: str) -> None:
    app = create_app(make_settings(database_url))
    with app.app_context():
        upgrade()
        seed_sample()
        db.session.commit()
    close_app(app)
