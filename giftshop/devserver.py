"""`make run`: the whole shop on one machine, from an empty folder to printed addresses, stopped by Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from types import FrameType

from flask_migrate import upgrade
from sqlalchemy.exc import SQLAlchemyError

from giftshop.errors import ShopError
from giftshop.settings import ROOT, Settings, read_settings
from giftshop.terminal import describe_refusal

STOP_SECONDS = 15
Process = subprocess.Popen[bytes]


def main() -> int:
    """Prepare the database, start shop and workbench, wait for Ctrl-C; return the exit status."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells have it ignored by what they start with "&"
    try:
        port = _port("PORT", "8000")
        settings = _read_settings(port)
        _refuse_taken(port, settings.workbench_port)
        sign_ins = _prepare(settings)
    except (ShopError, SQLAlchemyError) as error:
        if (sentence := describe_refusal(error)) is None:
            raise
        print(sentence, file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:  # nothing has been started yet that would go on
        return 0
    return _run(settings, port, sign_ins)


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


def _prepare(settings: Settings) -> list[str]:
    """Migrate and seed the database; return the sample sign-ins, one line each."""
    from giftshop.app import create_app
    from giftshop.catalog.sample import seed_sample
    from giftshop.database import db
    from giftshop.staff import accounts

    with create_app(settings).app_context():
        upgrade()
        seed_sample()
        accounts.seed_staff()
        db.session.commit()
        db.session.remove()
        return accounts.list_sample_sign_ins()


def _run(settings: Settings, port: int, sign_ins: list[str]) -> int:
    """Start both, greet, wait; whatever happens, leave none of their processes behind."""
    stopped = _stop_on_signals()
    processes: list[Process] = []
    try:
        processes.append(_start_workbench(settings))
        processes.append(_start_shop(settings, port))
        if _wait_until_up({port, settings.workbench_port}, stopped, processes):
            print(_greeting(settings, port, sign_ins), flush=True)  # noqa: T201
            _wait(stopped, processes)
    finally:
        _stop(processes)
    return 0 if stopped else 1


def _stop_on_signals() -> list[int]:
    """From now on note a signal instead of ending by it, so that children are ended first."""
    stopped: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        stopped.append(number)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    return stopped


def _start_workbench(settings: Settings) -> Process:
    environment = {
        "WORKBENCH_STATE": str(ROOT / "instance" / "workbench.sqlite"),
        "WORKBENCH_SHOP_URL": settings.base_url,
        "STRIPE_SECRET_KEY": settings.stripe_secret_key,
        "STRIPE_WEBHOOK_SECRET": settings.stripe_webhook_secret,
    }
    return _start([sys.executable, "-m", "giftshop.workbench"], settings, environment)


def _start_shop(settings: Settings, port: int) -> Process:
    command = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "deploy" / "gunicorn.py")]
    environment = {"GIFTSHOP_BASE_URL": settings.base_url, "GIFTSHOP_LOG_LEVEL": settings.log_level}
    return _start([*command, "--bind", f"127.0.0.1:{port}", "--log-level", "warning"], settings, environment)


def _start(command: list[str], settings: Settings, environment: dict[str, str]) -> Process:
    """Start a child in a session of its own, so that Ctrl-C reaches it through us, in order."""
    environment = {**os.environ, "WORKBENCH_PORT": str(settings.workbench_port), **environment}
    return subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)  # noqa: S603


def _wait_until_up(ports: set[int], stopped: list[int], processes: list[Process]) -> bool:
    """Wait until all ports answer; False when a signal or the end of a child came first."""
    waiting = set(ports)
    while waiting and not stopped and _all_run(processes):
        waiting = {port for port in waiting if not _answers(port)}
        time.sleep(0.05)
    return not waiting


def _wait(stopped: list[int], processes: list[Process]) -> None:
    """Sleep until a signal, the end of a child, or the end of who started us."""
    parent = os.getppid()
    while not stopped and os.getppid() == parent and _all_run(processes):
        time.sleep(0.2)


def _all_run(processes: list[Process]) -> bool:
    return all(process.poll() is None for process in processes)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _stop(processes: list[Process]) -> None:
    """End every child, gently first, and what it may have started."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.1, deadline - time.monotonic()))
        with suppress(ProcessLookupError):  # mostly nobody of its session is left
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


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
