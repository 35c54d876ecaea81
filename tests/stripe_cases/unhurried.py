"""The shop whose clock never reconciles by itself, for cases in which nobody but the order's page may ask Stripe."""

from giftshop import schedule
from wsgi import app

schedule.reconcile = lambda _gateway: iter(())  # type: ignore[assignment]

__all__ = ["app"]
