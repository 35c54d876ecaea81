"""What the tests of states share: a shop that is served for real, whose Stripe answers, and a stranger before it."""

import pytest

from giftshop.foundation.settings import Settings
from tests.browsing import settings_on_a_port
from tests.orders.conftest import gateway, stripe_side  # noqa: F401  # fixtures
from tests.storefront.conftest import visitor  # noqa: F401  # fixture
from tests.workbench.running import RunningWorkbench


@pytest.fixture
def settings(database_url: str, workbench: RunningWorkbench) -> Settings:
    """Settings of a shop that can be served, with a simulated Stripe that answers."""
    return settings_on_a_port(database_url, **workbench.shop_settings)
