"""What these tests share: a shop that speaks a pseudo-language too, and a simulated Stripe."""

from collections.abc import Iterator

import pytest
from flask import Flask

from giftshop import words
from giftshop.foundation.settings import Settings
from giftshop.web.limiter import limiter
from tests.conftest import make_settings
from tests.orders.conftest import gateway, stripe_side  # noqa: F401  # fixtures
from tests.translations.pseudo import ALL, PSEUDO
from tests.workbench.running import RunningWorkbench


@pytest.fixture(autouse=True)
def pseudo() -> Iterator[None]:
    """Offer the pseudo-language."""
    words.register(PSEUDO, ALL)
    yield
    words.unregister(PSEUDO)


@pytest.fixture
def settings(database_url: str, workbench: RunningWorkbench, pseudo: None) -> Settings:
    """The settings of a shop that was built while there are two languages, with a simulated Stripe that answers."""
    sender = "words@practice.example"  # or a shop that was built before would be taken, for one language alone
    return make_settings(database_url, **workbench.shop_settings, mail_from=sender)


@pytest.fixture
def said(app: Flask) -> Iterator[None]:
    """Let rules and jobs speak the pseudo-language, nobody's tries counted yet."""
    limiter.reset()
    with words.in_language(PSEUDO):
        yield
