"""The shop beside a simulated Stripe that answers, as the tests of orders have it."""

from tests.orders.conftest import gateway, settings, stripe_side  # noqa: F401  # fixtures
