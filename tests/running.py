"""A whole shop in processes of its own, as it runs for real: gunicorn, workers, the workbench beside it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import requests

from giftshop.app import close_app, create_app
from giftshop.foundation.settings import read_settings
from tests.conftest import SECRETS
from tests.forked import Program
from tests.workbench.running import RunningWorkbench, start_workbench

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60


@dataclass
class RunningShop:
    """A shop that answers at `url`; its processes can be stopped, killed and started again."""

    url: str
    environment: dict[str, str]
    workbench: RunningWorkbench
    log: Path
    web_processes: int = 1
    wsgi_app: str = "wsgi:app"
    web: Program | None = None
    workers: list[Program] = field(default_factory=list)

    gunicorn_config: ClassVar[Path] = ROOT / "deploy" / "gunicorn.py"
    worker_command: ClassVar[tuple[str, ...]] = ("flask", "--app", "wsgi", "worker")

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def start_web(self) -> None:
        """Start gunicorn and wait until it answers."""
        command = ["gunicorn", "-c", str(self.gunicorn_config), self.wsgi_app]
        environment = {**self.environment, "WEB_CONCURRENCY": str(self.web_processes)}
        self.web = self._start([*command, "--bind", f"127.0.0.1:{self.port}"], environment)
        self._wait_until_up()

    def start_worker(self) -> None:
        """Start one more `flask worker`."""
        self.workers.append(self._start(list(self.worker_command), self.environment))

    def run(self, *command: str) -> str:
        """Run a `flask …` command beside the shop and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *command],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"flask {' '.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def command(self, *words: str) -> str:
        """Run a `flask …` command on the shop's database in this process, which has loaded the program already.

        Starting it anew takes longer than most commands do. Raises RuntimeError like `run`.
        """
        app = create_app(read_settings({**self.environment, "GIFTSHOP_LOG_LEVEL": "WARNING"}))
        try:
            with app.app_context():
                done = app.test_cli_runner().invoke(args=words)
        finally:
            close_app(app)
        if done.exit_code:
            raise RuntimeError(f"flask {' '.join(words)} ended with {done.exit_code}: {done.output}{done.exception}")
        return done.stdout

    def kill_web(self) -> None:
        """kill -9 gunicorn and its workers."""
        _kill(self.web)
        self.web = None

    def kill_workers(self) -> None:
        """kill -9 every `flask worker`."""
        for worker in self.workers:
            _kill(worker)
        self.workers.clear()

    def stop(self) -> None:
        """Stop everything gently, and hard what does not listen."""
        for process in filter(None, [self.web, *self.workers]):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                _kill(process)
        self.web = None
        self.workers.clear()

    def _start(self, command: list[str], environment: dict[str, str]) -> Program:
        return Program(command, folder=ROOT, environment=environment, log=self.log)

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                if requests.get(f"{self.url}/healthz", timeout=5).ok:
                    return
            except requests.RequestException:  # not listening yet, or too busy starting to answer
                time.sleep(0.1)
            if self.web is not None and self.web.poll() is not None:
                break
        raise RuntimeError(f"the shop did not start:\n{self.log.read_text(errors='replace')[-4000:]}")


@contextmanager
def running_shop(
    folder: Path,
    database_url: str,
    *,
    web_processes: int = 1,
    workers: int = 0,
    wsgi_app: str = "wsgi:app",
    kind: type[RunningShop] = RunningShop,
    **extra: str,
) -> Iterator[RunningShop]:
    """Run a shop on a migrated database with a workbench of its own; `workers` > 0 leaves jobs to them."""
    url = f"http://127.0.0.1:{free_port()}"
    workbench = start_workbench(folder, url)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("GIFTSHOP_", "STRIPE_"))},
        "GIFTSHOP_BASE_URL": url,
        "DATABASE_URL": database_url,
        **{f"GIFTSHOP_{name.upper()}": value for name, value in SECRETS.items()},  # the test's database has their marks
        "STRIPE_SECRET_KEY": workbench.stripe_key,
        "STRIPE_WEBHOOK_SECRET": workbench.webhook_secret,
        "STRIPE_API_BASE": workbench.url,
        "GIFTSHOP_JOBS": "worker" if workers else "embedded",
        "GIFTSHOP_LIMITS": "wide",  # one machine is a whole town of buyers
        "PYTHONPATH": str(ROOT),
        **extra,
    }
    shop = kind(url, environment, workbench, folder / "shop.log", web_processes, wsgi_app)
    try:
        shop.command("seed")
        shop.start_web()
        for _ in range(workers):
            shop.start_worker()
        yield shop
    finally:
        shop.stop()
        shop.workbench.stop()


def free_port() -> int:
    """Return a port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _kill(process: Program | None) -> None:
    if process is not None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        process.wait()
