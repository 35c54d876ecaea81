"""`make run`: from an empty folder to a shop that answers, and no process of it left when it is stopped."""

import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest
import requests

from tests.foundation.test_settings import PRODUCTION
from tests.own_copy import bare_environment, copy_program
from tests.running import free_port

PATIENCE_SECONDS = 120


class Started:
    """A `make run` in a folder of its own; what it says goes to a file."""

    def __init__(self, root: Path, **settings: str) -> None:
        self.root, self.said_at = root, root / "said.txt"
        with self.said_at.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "giftshop.devserver"],
                cwd=root,
                env=bare_environment(root, **settings),
                stdout=said,
                stderr=said,
            )

    @property
    def said(self) -> str:
        return self.said_at.read_text()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds; fail when the process ends before."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)

    def interrupt(self, number: int = signal.SIGINT) -> int:
        """Send a signal, as Ctrl-C does; return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)

    def left(self) -> list[psutil.Process]:
        """Return the processes that run in this folder still."""
        return [each for each in psutil.process_iter(["cwd"]) if each.info["cwd"] == str(self.root)]


def has_table(file: Path, name: str) -> bool:
    """Tell whether a database has come so far as to have this table."""
    if not file.exists():
        return False
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)) as database:
        return bool(database.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone())


@contextmanager
def started(root: Path, **settings: str) -> Iterator[Started]:
    """Start it, and leave nothing behind whatever the test found."""
    running = Started(root, **settings)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()
        for process in running.left():
            process.kill()


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The program as on a fresh machine."""
    return copy_program(tmp_path)


@pytest.fixture
def ports() -> dict[str, str]:
    """Two ports nobody uses."""
    return {"PORT": str(free_port()), "WORKBENCH_PORT": str(free_port())}


def test_from_an_empty_folder_to_an_open_shop_and_back_by_ctrl_c(program: Path, ports: dict[str, str]) -> None:
    with started(program, **ports) as running:
        running.wait_for(lambda: "Ctrl-C stops everything." in running.said)
        shop, workbench = (f"http://127.0.0.1:{port}" for port in ports.values())
        assert "Focused Care" in requests.get(shop, timeout=60).text
        assert requests.get(f"{workbench}/mailbox", timeout=60).ok
        for line in (shop, f"{shop}/staff/login", f"{workbench}/mailbox", f"{workbench}/_sim", "owner@"):
            assert line in running.said
        assert len(running.left()) >= 4  # this one, the workbench's and the shop's two at least
        assert (program / "instance" / "workbench.sqlite").exists()
        assert running.interrupt() == 0
        assert running.left() == []
        assert "Traceback" not in running.said


def test_what_dot_env_says_is_not_overridden(program: Path, ports: dict[str, str]) -> None:
    address = f"http://localhost:{ports['PORT']}"
    (program / ".env").write_text(
        f"GIFTSHOP_BASE_URL={address}\nGIFTSHOP_LOG_LEVEL=INFO\nWORKBENCH_PORT={ports['WORKBENCH_PORT']}\n"
    )
    with started(program, PORT=ports["PORT"]) as running:
        running.wait_for(lambda: "Ctrl-C stops everything." in running.said)
        assert f"{address}/staff/login" in running.said
        assert f"http://127.0.0.1:{ports['WORKBENCH_PORT']}/mailbox" in running.said
        assert requests.get(f"{address}/articles", timeout=60).ok
        running.wait_for(lambda: "giftshop.access" in running.said)
        assert running.interrupt(signal.SIGTERM) == 0
        assert running.left() == []


@pytest.mark.parametrize("table", ["", "alembic_version", "workflow_status"])
def test_ctrl_c_while_it_prepares_leaves_nothing_behind(program: Path, ports: dict[str, str], table: str) -> None:
    instance = program / "instance"
    with started(program, **ports) as running:
        running.wait_for(lambda: has_table(instance / "giftshop.sqlite", table) if table else instance.exists())
        assert running.interrupt() == 0
        assert running.left() == []
        assert "Traceback" not in running.said
        assert "giftshop is open" not in running.said


def test_what_was_interrupted_while_it_migrated_is_taken_up_again(program: Path, ports: dict[str, str]) -> None:
    with started(program, **ports) as running:
        running.wait_for(lambda: has_table(program / "instance" / "giftshop.sqlite", "alembic_version"))
        running.interrupt()
    with started(program, **ports) as again:
        again.wait_for(lambda: "giftshop is open" in again.said)
        again.interrupt()


@pytest.mark.parametrize("taken", ["PORT", "WORKBENCH_PORT"])
def test_a_port_that_is_taken_is_said_in_one_sentence(program: Path, ports: dict[str, str], taken: str) -> None:
    with socket.create_server(("127.0.0.1", int(ports[taken]))), started(program, **ports) as running:
        assert running.process.wait(PATIENCE_SECONDS) == 1
        assert running.said == f"Port {ports[taken]} is taken. Choose others: make run PORT=8010 WORKBENCH_PORT=8011\n"
        assert running.left() == []


REFUSED = [
    ({"PORT": "many"}, "PORT must be a port"),
    ({"PORT": "65536"}, "PORT must be a port"),
    ({"WORKBENCH_PORT": "0"}, "WORKBENCH_PORT"),
    ({"GIFTSHOP_JOBS": "sometimes"}, "GIFTSHOP_JOBS"),
    ({"DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:9/none"}, "The database does not answer: "),
    ({"DATABASE_URL": "sqlite:////nowhere/shop.sqlite"}, "The database does not answer: unable to open"),
]


@pytest.mark.parametrize(("settings", "sentence"), REFUSED)
def test_what_is_wrong_is_said_in_one_sentence(
    program: Path, ports: dict[str, str], settings: dict[str, str], sentence: str
) -> None:
    with started(program, **{**ports, **settings}) as running:
        assert running.process.wait(PATIENCE_SECONDS) == 1
        assert (sentence in running.said, running.said.count("\n")) == (True, 1)
        assert running.left() == []


def test_a_child_that_cannot_start_ends_all_of_it(program: Path, ports: dict[str, str]) -> None:
    (program / "wsgi.py").write_text("raise SystemExit(3)\n")
    with started(program, **ports) as running:
        assert running.process.wait(PATIENCE_SECONDS) == 1
        assert running.left() == []


def test_it_ends_with_whoever_started_it(program: Path, ports: dict[str, str]) -> None:
    script = "import subprocess, sys; subprocess.run([sys.executable, '-m', 'giftshop.devserver'])"
    with (program / "said.txt").open("wb") as said:
        parent = subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=program,
            env=bare_environment(program, **ports),
            stdout=said,
            stderr=said,
        )
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "giftshop is open" not in (program / "said.txt").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        parent.kill()
        parent.wait()
    _, alive = psutil.wait_procs(
        [each for each in psutil.process_iter(["cwd"]) if each.info["cwd"] == str(program)], PATIENCE_SECONDS
    )
    assert alive == []


def test_production_is_refused(program: Path, ports: dict[str, str]) -> None:
    with started(program, **PRODUCTION, **ports) as running:
        assert running.process.wait(PATIENCE_SECONDS) == 1
        assert running.said == "`make run` is for development: it would add people with known passwords.\n"
        assert running.left() == []
