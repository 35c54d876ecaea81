"""A rigged shop in processes of its own: its processes can be killed one by one and at failpoints, and come back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.delivery.mail_servers import MailServer, running_mail_server
from tests.faults.failpoints import Armoury
from tests.running import ROOT, RunningShop, running_shop


class RiggedShop(RunningShop):
    """A shop with failpoints; whoever kills its processes need not start them again."""

    gunicorn_config = ROOT / "tests" / "faults" / "gunicorn_conf.py"
    worker_command = ("tests.faults.keeper",)

    def stop(self) -> None:
        """Stop at once: these processes are used to it."""
        self.kill_web()
        self.kill_workers()

    @property
    def armoury(self) -> Armoury:
        return Armoury(Path(self.environment["FAILPOINTS"]))

    def web_pids(self) -> list[int]:
        """Return the web processes that answer now."""
        return _children(self.web.pid) if self.web else []

    def worker_pids(self) -> list[int]:
        """Return the worker processes that run jobs now."""
        return [pid for keeper in self.workers for pid in _children(keeper.pid)]


@contextmanager
def running_rigged_shop(
    folder: Path, database_url: str, *, web_processes: int = 2, workers: int = 1, **extra: str
) -> Iterator[tuple[RiggedShop, MailServer]]:
    """Run a rigged shop with workers and a real mail server."""
    armoury = Armoury(folder / "failpoints")
    with (
        running_mail_server() as mail,
        running_shop(
            folder,
            database_url,
            kind=RiggedShop,
            web_processes=web_processes,
            workers=workers,
            wsgi_app="tests.faults.rigged:app",
            FAILPOINTS=str(armoury.folder),
            SMTP_URL=mail.url,
            **extra,
        ) as shop,
    ):
        assert isinstance(shop, RiggedShop)
        yield shop, mail


def _children(pid: int) -> list[int]:
    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.NoSuchProcess:
        return []
