"""Starts a workbench of its own on a free port, for every test that needs a simulated Stripe or a mailbox."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import stripe

ROOT = Path(__file__).resolve().parent.parent.parent
WEBHOOK_SECRET = "whsec_sim_fedcba9876543210fedcba9876543210"
_SECONDS_TO_START = 20


def _session() -> requests.Session:
    """Return a session whose connections serve one call each: a kept one may be closed just as the next call begins."""
    session = requests.Session()
    session.headers["Connection"] = "close"
    return session


@dataclass
class RunningWorkbench:
    """A workbench in a process of its own; also a context manager that stops it."""

    process: subprocess.Popen[str]
    url: str
    token: str
    stripe_key: str
    webhook_secret: str
    log: Path
    http: requests.Session = field(default_factory=_session)

    @property
    def shop_settings(self) -> dict[str, str]:
        """The settings of a shop whose Stripe this is."""
        return {
            "stripe_api_base": self.url,
            "stripe_secret_key": self.stripe_key,
            "stripe_webhook_secret": self.webhook_secret,
        }

    def post(self, path: str, json: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call the control API, e.g. post("/sessions/cs_…/settle", {"outcome": "pay"}); refused calls raise."""
        answer: dict[str, Any] = self._call("POST", path, json or {})
        return answer

    def get(self, path: str) -> Any:
        """Read from the control API, e.g. get("/state")."""
        return self._call("GET", path)

    def mails(self, to: str | None = None) -> list[dict[str, Any]]:
        """Return the captured messages, newest first, of one address or of all."""
        address = f"{self.url}/mailbox/messages.json"
        answer = self.http.get(address, params={"to": to} if to else None, timeout=10)
        found: list[dict[str, Any]] = answer.json()
        return found

    def mails_about_orders(self) -> list[dict[str, Any]]:
        """Return the captured messages about orders, newest first: not the practice's daily mail."""
        return [mail for mail in self.mails() if mail["message_id"].startswith("<o_")]

    def sessions(self) -> list[dict[str, Any]]:
        """Return the Checkout Sessions, newest first."""
        found: list[dict[str, Any]] = self.get("/state")["sessions"]
        return found

    def requests(self) -> list[dict[str, Any]]:
        """Return the recorded API calls, oldest first."""
        found: list[dict[str, Any]] = self.get("/requests")
        return found

    def stop(self) -> None:
        """Stop the process and wait until it is gone."""
        self.http.close()
        self.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> "RunningWorkbench":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _call(self, method: str, path: str, json: Any = None) -> Any:
        headers = {"X-Workbench-Token": self.token}
        answer = self.http.request(method, f"{self.url}/_sim{path}", json=json, headers=headers, timeout=30)
        assert answer.ok, f"{method} /_sim{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()


def start_workbench(
    folder: Path, shop_url: str = "http://127.0.0.1:9", *, root: Path = ROOT, **env: str
) -> RunningWorkbench:
    """Start a workbench whose memory lies in `folder` and wait until it answers.

    `shop_url` is where its events go (changed later with post("/shop", {"url": …})); `root` is where its program
    lies; `env` overrides its environment, e.g. WORKBENCH_PORT="8001" for the same address after a restart.
    """
    names = {
        "STRIPE_SECRET_KEY": "sk_test_sim_0123456789abcdef0123456789abcdef",
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "WORKBENCH_PORT": "0",
        "WORKBENCH_STATE": str(folder / "workbench.sqlite"),
        "WORKBENCH_SHOP_URL": shop_url,
        "WORKBENCH_TOKEN": "token-of-this-test",
        **env,
    }
    log = folder / "workbench.log"
    process = _start({**_inherited(), **names}, log, root)
    url = _address(process, log)
    bench = RunningWorkbench(
        process, url, names["WORKBENCH_TOKEN"], names["STRIPE_SECRET_KEY"],
        names["STRIPE_WEBHOOK_SECRET"].split(",")[0], log,
    )  # fmt: skip
    _wait_until_healthy(bench)
    return bench


def stripe_client(bench: RunningWorkbench, *, retries: int = 0, read: float = 10) -> stripe.StripeClient:
    """Return the real SDK's client for a workbench."""
    stripe.enable_telemetry = False
    return stripe.StripeClient(
        bench.stripe_key, base_addresses={"api": bench.url}, max_network_retries=retries,
        http_client=stripe.RequestsClient(timeout=(2, read)),
    )  # fmt: skip


def _inherited() -> dict[str, str]:
    ours = ("WORKBENCH_", "STRIPE_", "GIFTSHOP_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def _start(environment: dict[str, str], log: Path, root: Path) -> "subprocess.Popen[str]":
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "giftshop.workbench"], cwd=root, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=errors,
        )  # fmt: skip


def _address(process: "subprocess.Popen[str]", log: Path) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    process.stdout.close()
    found = re.search(r"http://127\.0\.0\.1:\d+", line)
    if found is None:
        process.wait(10)
        raise AssertionError(f"the workbench did not start: {log.read_text()}")
    return found[0]


def _wait_until_healthy(bench: RunningWorkbench) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline:
        with suppress(requests.ConnectionError):
            if bench.http.get(f"{bench.url}/healthz", timeout=_SECONDS_TO_START).ok:
                return
        time.sleep(0.02)
    bench.stop()
    raise AssertionError(f"the workbench does not answer: {bench.log.read_text()}")
