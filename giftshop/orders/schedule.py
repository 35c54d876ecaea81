"""What the shop does by the clock: reconciliation every few minutes, on whichever process runs jobs."""

import logging
from typing import Any

from giftshop import jobs
from giftshop.errors import ShopError
from giftshop.orders.reconciliation import Report, reconcile
from giftshop.orders.stripe_gateway import StripeGateway

RECONCILE_MINUTES = 5
log = logging.getLogger(__name__)


def register_jobs(app: Any) -> None:
    """Register the recurring jobs of orders with the gateway of this app."""
    gateway: StripeGateway = app.extensions["stripe_gateway"]

    def reconcile_orders() -> None:
        """Run one reconciliation; what cannot be reached now is tried again at the next tick."""
        report = Report()
        try:
            for so_far in reconcile(gateway):
                report = so_far
        except ShopError as refusal:
            log.warning("reconciliation stopped: %s", refusal.message)
        for line in report.changed + report.problems:
            log.warning("reconciliation: %s", line)

    jobs.every("reconcile_orders", reconcile_orders, minutes=RECONCILE_MINUTES)
