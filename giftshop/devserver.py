"""`make run`: the whole shop on one machine, from an empty folder to printed addresses, stopped by Ctrl-C.

Its processes are forked from this one, which has loaded their modules: to load them takes longer than all the rest.
So this one opens no database and starts no thread; neither would work on the other side of a fork.
"""

import multiprocessing
import os
import runpy
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from types import FrameType

from flask_migrate import upgrade
from sqlalchemy.exc import SQLAlchemyError

from giftshop.errors import ShopError
from giftshop.foundation.settings import ROOT, Settings, read_settings
from giftshop.foundation.terminal import describe_refusal

STOP_SECONDS, LOOK_SECONDS = 15, 0.05
_forking = multiprocessing.get_context("fork")


def main() -> int:
    """Prepare the database, start shop and workbench, wait for Ctrl-C; return the exit status."""
    stopped = _stop_on_signals()
    try:
        port = _port("PORT", "8000")
        settings = _read_settings(port)
        _refuse_taken(port, settings.workbench_port)
    except ShopError as error:
        print(error.message, file=sys.stderr)  # noqa: T201
        return 1
    return _run(settings, port, stopped)


def _port(name: str, default: str) -> int:
    typed = os.environ.get(name) or default
    if not (typed.isascii() and typed.isdigit() and 0 < int(typed) < 65536):
        raise ShopError(f"{name} must be a port, a number from 1 to 65535.")
    return int(typed)


def _read_settings(port: int) -> Settings:
    """Read the settings; the address follows the port, and logs are quiet, unless environment or .env say otherwise."""
    defaults = {"GIFTSHOP_BASE_URL": f"http://127.0.0.1:{port}", "GIFTSHOP_LOG_LEVEL": "WARNING"}
    settings = read_settings(defaults=defaults)
    if settings.is_production:
        raise ShopError("`make run` is for development: it would add people with known passwords.")
    return settings


def _refuse_taken(*ports: int) -> None:
    for port in ports:
        if _answers(port):
            raise ShopError(f"Port {port} is taken. Choose others: make run PORT=8010 WORKBENCH_PORT=8011")


def _run(settings: Settings, port: int, stopped: list[int]) -> int:
    """Prepare, start both, greet, wait; whatever happens, leave no process behind."""
    import giftshop.app  # noqa: F401  # for all that are forked from here

    receiver, sender = _forking.Pipe(duplex=False)
    processes = [_start(_prepare, settings, sender)]
    try:
        _wait_until(lambda: not _all_run(processes), stopped)
        if not stopped and processes.pop().exitcode == 0:
            processes += [_start_workbench(settings), _start_shop(settings, port)]
            if _wait_until_up({port, settings.workbench_port}, stopped, processes):
                print(_greeting(settings, port, receiver.recv()), flush=True)  # noqa: T201
                _wait(stopped, processes)
    finally:
        _stop(processes)
    return 0 if stopped else 1


def _prepare(settings: Settings, sample_sign_ins: Connection) -> None:
    """Migrate and seed the database; send the sample sign-ins, one line each."""
    from giftshop.app import create_app
    from giftshop.catalog.sample import seed_sample
    from giftshop.foundation.database import db
    from giftshop.staff import accounts

    try:
        with create_app(settings).app_context():
            upgrade()
            seed_sample()
            accounts.seed_staff()
            db.session.commit()
            sample_sign_ins.send(accounts.list_sample_sign_ins())
    except (ShopError, SQLAlchemyError) as error:
        if (sentence := describe_refusal(error)) is None:
            raise
        print(sentence, file=sys.stderr)  # noqa: T201
        sys.exit(1)


def _stop_on_signals() -> list[int]:
    """From now on note a signal instead of ending by it, so that children are ended first."""
    stopped: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        stopped.append(number)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    return stopped


def _start_workbench(settings: Settings) -> ForkProcess:
    environment = {
        "WORKBENCH_STATE": str(ROOT / "instance" / "workbench.sqlite"),
        "WORKBENCH_SHOP_URL": settings.base_url,
        "STRIPE_SECRET_KEY": settings.stripe_secret_key,
        "STRIPE_WEBHOOK_SECRET": settings.stripe_webhook_secret,
    }
    return _start(_become, ["giftshop.workbench"], settings, environment)


def _start_shop(settings: Settings, port: int) -> ForkProcess:
    words = ["gunicorn", "-c", str(ROOT / "deploy" / "gunicorn.py")]
    words += ["--bind", f"127.0.0.1:{port}", "--log-level", "warning"]
    words += ["--keep-alive", "5"]  # no proxy here: what a browser opened and never used shall not hold up Ctrl-C
    environment = {"GIFTSHOP_BASE_URL": settings.base_url, "GIFTSHOP_LOG_LEVEL": settings.log_level}
    return _start(_become, words, settings, environment)


def _start(act: Callable[..., None], *arguments: object) -> ForkProcess:
    """Let a child do something in a session of its own, so that Ctrl-C reaches it through us, in order."""
    process = _forking.Process(target=_lead, args=(act, *arguments))
    process.start()
    return process


def _lead(act: Callable[..., None], *arguments: object) -> None:
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    act(*arguments)


def _become(words: list[str], settings: Settings, environment: dict[str, str]) -> None:
    """Run a module as `python -m WORDS…` would."""
    os.chdir(ROOT)
    os.environ.update({"WORKBENCH_PORT": str(settings.workbench_port), **environment})
    sys.argv = words
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)


def _wait_until_up(ports: set[int], stopped: list[int], processes: list[ForkProcess]) -> bool:
    """Wait until all ports are served; False when a signal or the end of a child came first."""
    waiting = set(ports)

    def is_over() -> bool:
        waiting.difference_update([port for port in waiting if _serves(port)])
        return not waiting or not _all_run(processes)

    _wait_until(is_over, stopped)
    return not waiting and not stopped


def _wait(stopped: list[int], processes: list[ForkProcess]) -> None:
    """Sleep until a signal, the end of a child, or the end of who started us."""
    parent = os.getppid()
    _wait_until(lambda: os.getppid() != parent or not _all_run(processes), stopped)


def _wait_until(is_so: Callable[[], bool], stopped: list[int]) -> None:
    while not stopped and not is_so():
        time.sleep(LOOK_SECONDS)


def _all_run(processes: list[ForkProcess]) -> bool:
    return all(process.exitcode is None for process in processes)


def _serves(port: int) -> bool:
    """Tell whether something at this port answers, not only listens."""
    connection = HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return bool(connection.getresponse().status)
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _stop(processes: list[ForkProcess]) -> None:
    """End every child, gently first, and what it may have started."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        process.join(max(0.1, deadline - time.monotonic()))
        if process.pid is not None:
            with suppress(ProcessLookupError):  # mostly nobody of its session is left
                os.killpg(process.pid, signal.SIGKILL)
        process.join()


def _greeting(settings: Settings, port: int, sign_ins: list[str]) -> str:
    shop, workbench = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{settings.workbench_port}"
    lines = [
        "",
        "giftshop is open. Nothing here moves real money.",
        f"  the shop            {settings.base_url}",
        f"  staff sign-in       {settings.base_url}/staff/login",
        f"  captured mail       {workbench}/mailbox",
        f"  simulated Stripe    {workbench}/_sim",
        *([f"  it listens at       {shop}"] if settings.base_url != shop else []),
        "",
        "Sample sign-ins:",
        *(f"  {line}" for line in sign_ins),
        "",
        "Ctrl-C stops everything.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
