"""After the storm: wait until nothing is under way any more, reconcile, and judge; for the long run and scenarios."""

import time
from collections import Counter

import sqlalchemy as sa

from giftshop import clock
from giftshop.app import close_app, create_app
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.foundation.settings import read_settings
from giftshop.notifications import news
from tests.faults.checker import Finding
from tests.faults.failpoints import IN_WORKERS
from tests.faults.life import World
from tests.faults.records import Crash
from tests.faults.shop import RiggedShop
from tests.faults.verdict import Witnesses, find_violations

SETTLE_SECONDS = 240
_DEADLY = ("kill", "raise")


def settle_and_judge(world: World, *, may_reconcile: bool = True) -> list[Finding]:
    """Wait until nothing is under way, reconcile twice unless that is what is tested, wait again, compare the books.

    May be called again for the same shop: what clients complained of is judged once.
    """
    app = create_app(read_settings({**world.shop.environment, "GIFTSHOP_LOG_LEVEL": "WARNING"}))
    with app.app_context():
        found = [*_settle(world.shop, may_reconcile=may_reconcile), *find_violations(_witnesses(world))]
    close_app(app)
    return found


def _settle(shop: RiggedShop, *, may_reconcile: bool) -> list[Finding]:
    found = []
    if not _wait_until_quiet(shop):
        found.append(Finding("not settled", f"after {SETTLE_SECONDS} s messages or webhooks are under way"))
    if may_reconcile:
        shop.command("orders", "reconcile")
        if "changed 0" not in (second := shop.command("orders", "reconcile")):
            found.append(Finding("reconciliation is never done", second))
    news.queue_news(at=clock.now())  # what the clock would tell while the books are compared
    db.session.commit()
    _wait_until_quiet(shop)
    return found


def _wait_until_quiet(shop: RiggedShop) -> bool:
    """Wait until no message is to be sent and no webhook to be delivered; False when that takes too long."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        messages = db.session.scalar(sa.select(sa.func.count()).where(Delivery.state.in_(("scheduled", "sending"))))
        db.session.rollback()
        webhooks = shop.workbench.get("/state")["deliveries"]
        if not messages and all(each["state"] in ("delivered", "failed", "lost") for each in webhooks):
            return True
        time.sleep(0.5)
    return False


def _witnesses(world: World) -> Witnesses:
    records, arrived = world.records, world.mailroom.arrivals()
    fired = [each for each in world.shop.armoury.fired() if each.action in _DEADLY]
    figures = {"mails": len(arrived), "extra mails": len(arrived) - len({message_id for message_id, _ in arrived})}
    points = Counter(each.point for each in fired)
    records.counts |= figures | {f"failpoint: {point}": count for point, count in points.items()}
    of_workers = [Crash(each.at, each.at) for each in fired if each.point.partition(".")[0] in IN_WORKERS]
    crashes = [*records.crashes, *of_workers]
    unclear, records.unclear = records.unclear, []
    return Witnesses(world.shop.workbench.get("/state"), arrived, crashes, records.history, records.refunds, unclear)
