"""CPU, queries and memory of pages served by two processes on PostgreSQL, beside a bare Flask page served alike."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import requests

from tests import buyer
from tests.conftest import _migrate_and_seed
from tests.databases import PostgresServer
from tests.running import RunningShop, free_port, running_shop

ROUNDS = 200
BARE = "import flask; app = flask.Flask('bare'); app.add_url_rule('/', view_func=lambda: 'Hello')"


def main() -> None:
    """Print a line for each page: CPU of the server's processes per request, and its ratio to the bare page."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = PostgresServer(folder / "postgres")
        try:
            with running_shop(folder, server.new_database(_migrate_and_seed), web_processes=2, workers=1) as shop:
                _measure(shop, _bare_cpu(folder))
        finally:
            server.stop()


def _measure(shop: RunningShop, bare_ms: float) -> None:
    print(f"bare Flask page: {bare_ms:.2f} ms CPU")
    till, public_id, token = _till(shop)
    session = requests.Session()
    numbers = iter(range(10**6))

    def redeem() -> None:
        till.redeem(public_id, "0.01", key=f"bench-redemption-{next(numbers):08}", token=token)

    acts: dict[str, Callable[[], object]] = {
        "home": lambda: session.get(f"{shop.url}/"),
        "builder": lambda: session.get(f"{shop.url}/gift"),
        "balance check": lambda: session.get(f"{shop.url}/balance"),
        "redemption": redeem,
    }
    web = shop.web.pid if shop.web else 0
    for name, act in acts.items():
        cpu = _cpu_per_call(web, act)
        print(f"{name}: {cpu:.2f} ms CPU, {cpu / bare_ms:.1f} times the bare page")
    print(f"peak memory of a web process: {max(_peak_mb(pid) for pid in _children(web)):.0f} MB; {_loaded(web)}")
    _print_start(shop)


def _print_start(shop: RunningShop) -> None:
    """Start the web processes anew and print how long the first page takes."""
    shop.kill_web()
    started = time.monotonic()
    shop.start_web()
    requests.get(f"{shop.url}/", timeout=60)
    cpu = sum(_cpu_ms(pid) for pid in _family(shop.web.pid if shop.web else 0))
    print(f"start to first page: {time.monotonic() - started:.1f} s, {cpu / 1000:.1f} s CPU in all processes")


def _till(shop: RunningShop) -> tuple[buyer.Till, str, str]:
    buyer.buy(shop)
    while not (mails := shop.workbench.mails("ana@example.com")):
        time.sleep(0.2)
    till = buyer.Till(shop)
    public_id = till.find(buyer.codes_in(mails[0])[0])
    return till, public_id, till.token(public_id)


def _bare_cpu(folder: Path) -> float:
    (folder / "bare.py").write_text(BARE, encoding="utf-8")
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "bare:app", "-k", "gthread", "--threads", "8", "-w", "2"]
    with subprocess.Popen([*command, "-b", f"127.0.0.1:{port}"], cwd=folder, stderr=subprocess.DEVNULL) as process:
        session = requests.Session()
        _wait_for(f"http://127.0.0.1:{port}/")
        cpu = _cpu_per_call(process.pid, lambda: session.get(f"http://127.0.0.1:{port}/"))
        process.terminate()
    return cpu


def _wait_for(url: str) -> None:
    for _ in range(100):
        try:
            requests.get(url, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return


def _cpu_per_call(pid: int, act: Callable[[], object]) -> float:
    """Return the CPU all processes below `pid` used per call, in milliseconds."""
    for _ in range(10):
        act()
    before = sum(_cpu_ms(each) for each in _family(pid))
    for _ in range(ROUNDS):
        act()
    return (sum(_cpu_ms(each) for each in _family(pid)) - before) / ROUNDS


def _family(pid: int) -> list[int]:
    return [pid, *(below for child in _children(pid) for below in _family(child))]


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text(encoding="ascii").split()]


def _cpu_ms(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def _loaded(pid: int) -> str:
    maps = "".join(Path(f"/proc/{child}/maps").read_text(encoding="utf-8") for child in _children(pid))
    return "WeasyPrint's libraries are loaded" if "libpango" in maps else "WeasyPrint's libraries are not loaded"
