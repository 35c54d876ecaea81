"""One shop with its simulated Stripe for most cases, others on demand, and what must hold after each case."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.running import running_shop
from tests.stripe_cases.aftermath import assert_all_is_well
from tests.stripe_cases.counter import Practice
from tests.stripe_cases.purchases import Purchase
from tests.stripe_cases.records import Records, change
from tests.stripe_cases.scene import Scene
from tests.workbench.running import WEBHOOK_SECRET

OpenScene = Callable[..., Scene]

NEWER_SECRET = "whsec_sim_0000000000000000newer"
WIDE_BOUNDS = "UPDATE practice SET minimum_cents = 1, maximum_cents = 999999999, buyer_day_limit_cents = 200000"
"""An owner's widest choice, so that what refuses an amount is the shop's own rule."""


@pytest.fixture(scope="package")
def shared(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Scene]:
    """The shop that cases share; between two webhook secrets, and with an owner who sells any amount."""
    folder = tmp_path_factory.mktemp("stripe_cases")
    secrets = f"{NEWER_SECRET},{WEBHOOK_SECRET}"
    unhurried = "tests.stripe_cases.unhurried:app"
    with opened(folder, sqlite_template, WIDE_BOUNDS, wsgi_app=unhurried, STRIPE_WEBHOOK_SECRET=secrets) as scene:
        yield scene
        assert "verifies" in scene.shop.command("ledger", "verify")
        assert_all_is_well(scene)


@pytest.fixture(scope="package")
def staffed(shared: Scene) -> Practice:
    """Who works at the shared shop."""
    return Practice.of(shared)


@pytest.fixture
def practice(staffed: Practice, scene: Scene) -> Practice:
    """The practice of the shared shop."""
    return staffed


@pytest.fixture
def used() -> list[Scene]:
    """The shops that this case has used."""
    return []


@pytest.fixture
def scene(shared: Scene, used: list[Scene]) -> Scene:
    """The shared shop, with a fresh page in its log."""
    shared.begin()
    used.append(shared)
    return shared


@pytest.fixture
def open_scene(used: list[Scene], tmp_path: Path, sqlite_template: Path) -> Iterator[OpenScene]:
    """Open a shop of the case's own: on a database changed by statements, with other settings."""
    with ExitStack() as shops:

        def open_one(*statements: str, workers: int = 0, wsgi_app: str = "wsgi:app", **settings: str) -> Scene:
            one = opened(tmp_path, sqlite_template, *statements, workers=workers, wsgi_app=wsgi_app, **settings)
            used.append(shops.enter_context(one))
            return used[-1]

        yield open_one


@pytest.fixture(autouse=True)
def aftermath(used: list[Scene], open_scene: OpenScene) -> Iterator[None]:
    """Check what must hold after every case, while its shops still run."""
    yield
    for scene in used:
        assert_all_is_well(scene)
        while scene.browsers:
            scene.browsers.pop().close()


@pytest.fixture
def order(scene: Scene) -> Purchase:
    """An order of $50.00 whose buyer stands on Stripe's page."""
    return Purchase(scene).place()


@contextmanager
def opened(
    folder: Path, template: Path, *statements: str, workers: int = 0, wsgi_app: str = "wsgi:app", **settings: str
) -> Iterator[Scene]:
    """Run a shop on a copy of the migrated database; it is killed in the end, for nothing is left to lose."""
    path = folder / "shop.sqlite"
    shutil.copy(template, path)
    change(path, *statements)
    with running_shop(folder, f"sqlite:///{path}", workers=workers, wsgi_app=wsgi_app, **settings) as shop:
        yield Scene(shop, Records(path))
        shop.kill_web()
        shop.kill_workers()
