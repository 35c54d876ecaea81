"""A shop of one version in processes of its own, driven from outside only: pages, `flask` commands, processes."""

import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.running import ROOT, RunningShop, free_port
from tests.upgrade.base import RehearsalError
from tests.workbench.running import RunningWorkbench

FROZEN = ROOT / "tests" / "upgrade" / "frozen"
PATIENCE_SECONDS = 240
_WORKER = re.compile(r"worker ([0-9a-f]+-[0-9a-f]+) runs jobs")


@dataclass
class Version(RunningShop):
    """A shop whose program lies in `root`; `name` is what the rehearsal calls it."""

    name: str = "newer"
    root: Path = ROOT

    @property
    def gunicorn_config(self) -> Path:  # type: ignore[override]
        return self.root / "deploy" / "gunicorn.py"

    def run(self, *command: str) -> str:
        """Run a `flask …` command of this version; return what it printed. Raises RehearsalError when it fails."""
        words = [sys.executable, "-m", "flask", "--app", "wsgi", *command]
        told: dict[str, Any] = {"capture_output": True, "text": True, "timeout": PATIENCE_SECONDS}
        done = subprocess.run(words, cwd=self.root, env=self.environment, check=False, **told)
        if done.returncode:
            raise RehearsalError(f"{self.name}: flask {' '.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout

    command = run

    def beside(
        self, *, name: str = "", root: Path | None = None, log: Path | None = None, **environment: str
    ) -> "Version":
        """Return a shop with the same settings but for what is given, answering at a port of its own."""
        told = {**self.environment, **environment}
        home = root or self.root
        told["PYTHONPATH"] = f"{home}{os.pathsep}{FROZEN}"
        url = f"http://127.0.0.1:{free_port()}"
        changed = {"url": url, "environment": told, "web": None, "workers": [], "root": home}
        return replace(self, name=name or self.name, log=log or self.log, **changed)

    def worker_ids(self) -> set[str]:
        """Return the names under which workers of this shop have run jobs, as its log tells."""
        return set(_WORKER.findall(self.log.read_text(errors="replace"))) if self.log.exists() else set()

    def stop_workers(self) -> None:
        """Let the workers end what they have begun, and end."""
        web, self.web = self.web, None
        self.stop()
        self.web = web

    def _start(self, command: Sequence[str], environment: dict[str, str]) -> Any:
        with self.log.open("ab") as log:
            words = [sys.executable, "-m", *command]
            return subprocess.Popen(
                words, cwd=self.root, env=environment, stdout=log, stderr=log, start_new_session=True
            )


def new_version(
    name: str, root: Path, folder: Path, database_url: str, workbench: RunningWorkbench, *, url: str, smtp_url: str
) -> Version:
    """Return a shop that nothing runs of yet, with secrets of its own, whose jobs are left to workers."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("GIFTSHOP_", "STRIPE_"))},
        "GIFTSHOP_BASE_URL": url,
        "GIFTSHOP_PROXY_HOPS": "1",
        "GIFTSHOP_JOBS": "worker",
        "GIFTSHOP_LIMITS": "wide",
        "GIFTSHOP_SECRET_KEY": secrets.token_hex(32),
        "GIFTSHOP_CODE_PEPPER": secrets.token_hex(32),
        "GIFTSHOP_CODE_KEYS": secrets.token_hex(32),
        "DATABASE_URL": database_url,
        "SMTP_URL": smtp_url,
        "STRIPE_API_BASE": workbench.url,
        "STRIPE_SECRET_KEY": workbench.stripe_key,
        "STRIPE_WEBHOOK_SECRET": workbench.webhook_secret,
        "PYTHONPATH": f"{root}{os.pathsep}{FROZEN}",
    }
    return Version(url, environment, workbench, folder / f"{name}.log", name=name, root=root)


def until(is_so: Callable[[], object], what: str, *, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until something is so. Raises RehearsalError when it does not come."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise RehearsalError(f"Not within {seconds:.0f} s: {what}.")
        time.sleep(0.1)
