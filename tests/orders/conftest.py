"""What the tests of orders share: the shop beside a simulated Stripe that answers, and orders paid there."""

import pytest
from flask import Flask

from giftshop.foundation.settings import Settings
from giftshop.payments.gateway import StripeGateway
from tests.conftest import make_settings
from tests.orders.stripe_side import StripeSide
from tests.workbench.running import RunningWorkbench


@pytest.fixture
def settings(database_url: str, workbench: RunningWorkbench) -> Settings:
    """The settings of a shop whose Stripe is the workbench."""
    return make_settings(database_url, **workbench.shop_settings)


@pytest.fixture
def gateway(app: Flask) -> StripeGateway:
    """The shop's way to Stripe."""
    found: StripeGateway = app.extensions["stripe_gateway"]
    return found


@pytest.fixture
def stripe_side(app: Flask, gateway: StripeGateway, workbench: RunningWorkbench) -> StripeSide:
    """What happens at Stripe and telling the shop of it: nobody hears the webhooks."""
    workbench.post("/hook", {"drop": -1})
    return StripeSide(workbench, gateway)
