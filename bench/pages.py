"""What pages cost, served by two processes on PostgreSQL: CPU, queries, start, memory; beside a bare Flask page."""

import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from bench.processes import children, cpu_ms, has_mapped, peak_mb
from bench.report import print_table, show_progress
from bench.visitors import CONNECTIONS, Act, prepare_acts
from tests.conftest import _migrate_and_seed
from tests.databases import PostgresServer
from tests.running import ROOT, RunningShop, free_port, running_shop

PROCESSES = 2
CALLS, WARM_UP, BARE_CALLS = 300, 12, 2000
MOST_QUERIES = {"home": 3, "redemption": 10}
LIBRARIES = ("libpango", "libharfbuzz-subset")
"""What WeasyPrint maps into a process that loads it."""
SERVE_BARE = ["-m", "gunicorn", "bench.bare:app", "-k", "gthread", "--threads", "8", "--keep-alive", "5"]


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU in milliseconds that one request costs the server's processes and the database's."""

    web: float
    database: float

    @property
    def total(self) -> float:
        return self.web + self.database


@dataclass(frozen=True, slots=True)
class Start:
    """How a server started: seconds and CPU until its first page, and the most memory a process had later."""

    seconds: float
    cpu_seconds: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen inside the processes: every page's statements, and the processes that hold WeasyPrint."""

    statements: dict[str, list[str]]
    processes: set[str]
    with_weasyprint: set[str]


class MeasuredShop(RunningShop):
    """A shop whose processes load their modules anew, as on a practice's server, and not as tests save time."""

    def _start(self, command: list[str], environment: dict[str, str]) -> Any:
        with self.log.open("ab") as log:
            words = [sys.executable, "-m", *command]
            return subprocess.Popen(words, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)


def main() -> None:
    """Print what pages cost, then how the shop starts; end with an error when one holds WeasyPrint."""
    bare, bare_start = _measure_bare()
    with tempfile.TemporaryDirectory() as name, _database(Path(name) / "postgres") as (server, postmaster):
        show_progress("pages, making the database")
        address = server.new_database(_migrate_and_seed)
        with running_shop(Path(name), address, kind=MeasuredShop, web_processes=PROCESSES, workers=1) as shop:
            show_progress("pages, buying a certificate and signing in")
            acts, code = prepare_acts(shop)
            shop.kill_workers()  # they ask the database now and then, which is not what a page costs
            costs = {each: _measure(shop, acts[each], postmaster, each) for each in acts}
            start = _restart(shop, _peak_mb(_web(shop)))
            seen = _observe(shop, acts, code)
    _print_pages(bare, costs, seen)
    _print_start(bare_start, start, seen)
    if seen.with_weasyprint:
        raise SystemExit("a web process has loaded WeasyPrint")


def _measure_bare() -> tuple[Cost, Start]:
    """Serve the bare page as the shop is served: workers, threads, kept connections."""
    show_progress("pages, bare Flask page")
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    command = [sys.executable, *SERVE_BARE, "-w", str(PROCESSES), "--bind", f"127.0.0.1:{port}"]
    started = time.monotonic()
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(url)
            seconds, used = time.monotonic() - started, cpu_ms(process.pid) / 1000
            sessions = itertools.cycle([requests.Session() for _ in range(CONNECTIONS)])
            web = _cpu_per_call(process.pid, lambda: next(sessions).get(url), BARE_CALLS)
            peak = _peak_mb(children(process.pid))
        finally:
            process.terminate()
    return Cost(web, 0.0), Start(seconds, used, peak)


@contextmanager
def _database(folder: Path) -> Iterator[tuple[PostgresServer, int]]:
    """Run a PostgreSQL server; give it and the number of its first process."""
    server = PostgresServer(folder)
    try:
        yield server, int((folder / "postmaster.pid").read_text(encoding="ascii").split()[0])
    finally:
        server.stop()


def _measure(shop: RunningShop, act: Act, postmaster: int, name: str) -> Cost:
    show_progress(f"pages, {name}")
    for _ in range(WARM_UP):
        act()
    before = cpu_ms(postmaster)
    web = _cpu_per_call(_pid(shop), act, CALLS)
    return Cost(web, (cpu_ms(postmaster) - before) / CALLS)


def _cpu_per_call(pid: int, act: Callable[[], object], calls: int) -> float:
    before = cpu_ms(pid)
    for _ in range(calls):
        act()
    return (cpu_ms(pid) - before) / calls


def _restart(shop: RunningShop, peak: float) -> Start:
    """Start the server's processes anew; return how long the first page takes."""
    show_progress("pages, starting the shop")
    shop.kill_web()
    started = time.monotonic()
    shop.start_web()
    requests.get(f"{shop.url}/", timeout=60).raise_for_status()
    return Start(time.monotonic() - started, cpu_ms(_pid(shop)) / 1000, peak)


def _observe(shop: RunningShop, acts: dict[str, Act], code: str) -> Seen:
    """Serve the shop with its observer and do everything again, and print a certificate, which a child must do."""
    show_progress("pages, counting queries")
    shop.kill_web()
    shop.wsgi_app = "bench.observed:app"
    shop.start_web()
    seen = Seen({}, set(), set())

    def print_certificate() -> requests.Response:
        return requests.get(f"{shop.url}/c/{code}/certificate.pdf", timeout=60)

    everything = [*acts.items(), ("certificate", print_certificate), *acts.items()]
    for name, act in everything:  # the second time every process has met every page before
        for _ in range(CONNECTIONS):
            _note(seen, name, act())
    mapping = {str(pid) for pid in _web(shop) if has_mapped(pid, *LIBRARIES)}
    return Seen(seen.statements, seen.processes, seen.with_weasyprint | mapping)


def _note(seen: Seen, name: str, answer: requests.Response) -> None:
    answer.raise_for_status()
    seen.statements[name] = json.loads(answer.headers["X-Asked"])
    seen.processes.add(answer.headers["X-Process"])
    if answer.headers["X-Has-WeasyPrint"] == "True":
        seen.with_weasyprint.add(answer.headers["X-Process"])


def _print_pages(bare: Cost, costs: dict[str, Cost], seen: Seen) -> None:
    everything = sum(cost.total for cost in costs.values())
    rows = [["bare Flask page", f"{bare.web:.2f}", "", f"{bare.web:.2f}", "", "1.0×", "0"]]
    for name, cost in costs.items():
        most = f" (≤ {MOST_QUERIES[name]})" if name in MOST_QUERIES else ""
        figures = [f"{value:.2f}" for value in (cost.web, cost.database, cost.total)]
        ratios = [f"{cost.total / everything:.0%}", f"{cost.total / bare.total:.1f}×"]
        rows.append([name, *figures, *ratios, f"{len(seen.statements[name])}{most}"])
    print_table(
        f"Pages, {PROCESSES} server processes on PostgreSQL: CPU ms per request",
        ["page", "server", "database", "together", "share", "× bare", "queries"],
        rows,
        f"{CALLS} requests each, {BARE_CALLS} to the bare page, over kept connections.",
        "Share: of the four pages together. The database's CPU is its own processes'.",
        *_over(seen),
    )


def _print_start(bare: Start, shop: Start, seen: Seen) -> None:
    rows = [
        [name, f"{start.seconds:.1f} s", f"{start.cpu_seconds:.1f} s", f"{start.peak_mb:.0f} MB"]
        for name, start in (("bare Flask page", bare), ("shop", shop))
    ]
    found = "is loaded, which it must not be" if seen.with_weasyprint else "is in none of them: no module, no library"
    print_table(
        f"From process start to first page, {PROCESSES} processes, and the most memory one ever had",
        ["", "time", "CPU", "peak memory"],
        rows,
        f"WeasyPrint, looked for in {len(seen.processes)} web processes after a certificate was printed, {found}.",
    )


def _over(seen: Seen) -> Iterator[str]:
    """Yield the statements of the pages that ask more than they may."""
    for name, most in MOST_QUERIES.items():
        if len(seen.statements[name]) > most:
            yield f"{name.capitalize()} asks the database more than {most} times:"
            yield from (f"  {number}. {text[:110]}" for number, text in enumerate(seen.statements[name], 1))


def _peak_mb(pids: list[int]) -> float:
    return max(peak_mb(pid) for pid in pids)


def _web(shop: RunningShop) -> list[int]:
    return children(_pid(shop))


def _pid(shop: RunningShop) -> int:
    if shop.web is None:
        raise RuntimeError("the shop does not run")
    return shop.web.pid


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            requests.get(url, timeout=5).raise_for_status()
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"nothing answers at {url}")


if __name__ == "__main__":
    main()
