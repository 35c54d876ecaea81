"""Makes trouble as planned: processes die; Stripe, the mail server, the disk and the database fail for a while."""

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tests.delivery.mail_servers import MailServer
from tests.faults.crashing_postgres import CrashingPostgres, crash_for
from tests.faults.disk import full_disk
from tests.faults.plan import Trouble
from tests.faults.records import Records
from tests.faults.shop import RiggedShop

_HOOKS = {"drop": {"drop": 2}, "dup": {"dup": 4}, "delay": {"delay": 2}, "reorder": {"reorder": 2}}
_CLOCK_STEP = 240
"""In seconds, forward and back: a Checkout Session's end must be 30 minutes ahead by Stripe's clock, we set 40."""


@dataclass
class Troublemaker:
    """Breaks one thing at a time and mends it again."""

    shop: RiggedShop
    mail: MailServer
    postgres: CrashingPostgres | None
    records: Records
    chance: random.Random
    is_clock_ahead: bool = False

    def make(self, trouble: Trouble) -> None:
        """Make one trouble and wait until it is over (failpoints and Stripe's faults wait for somebody to step in)."""
        makers: dict[str, Callable[[Trouble], None]] = {
            "kill a web process": lambda _: self._kill(self.shop.web_pids(), "web process"),
            "kill a worker": lambda _: self._kill(self.shop.worker_pids(), "worker"),
            "kill all web processes": lambda _: self._kill_all_web(),
            "failpoint": lambda each: self.shop.armoury.arm(each.point, each.action),
            "Stripe": self._spoil_stripe,
            "webhooks": self._spoil_webhooks,
            "mail": self._spoil_mail,
            "clock": lambda _: self._move_clock(),
            "disk full": self._fill_disk,
            "database crash": self._crash_database,
        }
        makers[trouble.kind](trouble)

    def _kill(self, pids: list[int], what: str) -> None:
        sends_no_mail = what == "web process"
        if pids:
            with suppress(ProcessLookupError), self.records.crash(f"killed: {what}", is_harmless=sends_no_mail):
                os.kill(self.chance.choice(pids), signal.SIGKILL)

    def _kill_all_web(self) -> None:
        self.shop.kill_web()
        self.shop.start_web()
        self.records.count("killed: all web processes")

    def _spoil_stripe(self, trouble: Trouble) -> None:
        fault = {"do": trouble.action, "times": self.chance.randrange(1, 4), "seconds": 4, "made": trouble.figure > 1}
        self.shop.workbench.post("/faults", fault)
        self.records.count(f"Stripe: {trouble.action}")

    def _spoil_webhooks(self, trouble: Trouble) -> None:
        self.shop.workbench.post("/hook", _HOOKS[trouble.action])
        time.sleep(trouble.figure)
        self.shop.workbench.post("/hook", {})
        self.records.count(f"webhooks: {trouble.action}")

    def _spoil_mail(self, trouble: Trouble) -> None:
        self.mail.to_data = "451 try again later" if trouble.action == "later" else ""
        self.mail.hangs_up = "after DATA" if trouble.action == "hang up after DATA" else ""
        self.mail.slowness = trouble.figure if trouble.action == "slow" else 0
        with self.records.crash(f"mail: {trouble.action}", is_harmless=trouble.action != "hang up after DATA"):
            if trouble.action == "refuse":
                self.mail.shut()
            time.sleep(trouble.figure)
            if trouble.action == "refuse":
                self.mail.open()
            self.mail.to_data, self.mail.hangs_up, self.mail.slowness = "", "", 0

    def _move_clock(self) -> None:
        self.shop.workbench.post("/clock", {"advance": -_CLOCK_STEP if self.is_clock_ahead else _CLOCK_STEP})
        self.is_clock_ahead = not self.is_clock_ahead
        self.records.count("clock moved")

    def _fill_disk(self, trouble: Trouble) -> None:
        masters = [self.shop.web.pid] if self.shop.web else []
        everybody = [*masters, *(keeper.pid for keeper in self.shop.workers)]
        with self.records.crash("disk full"), full_disk(everybody):
            time.sleep(trouble.figure)

    def _crash_database(self, trouble: Trouble) -> None:
        if self.postgres:
            with self.records.crash("database crashes"):
                crash_for(self.postgres, trouble.figure)


def mend(shop: RiggedShop, mail: MailServer) -> None:
    """End every trouble that waits for somebody."""
    shop.armoury.disarm()
    shop.workbench.post("/faults/clear")
    shop.workbench.post("/hook", {})
    mail.to_data, mail.hangs_up, mail.poisoned, mail.slowness = "", "", "", 0
