"""`make run`: the whole shop on one machine, from an empty folder to printed addresses, stopped by Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
import time
from types import FrameType

from flask_migrate import upgrade

from giftshop.errors import ShopError
from giftshop.settings import ROOT, Settings, read_settings

STOP_SECONDS = 15


def main() -> int:
    """Prepare the database, start shop and workbench, wait for Ctrl-C; return the exit status."""
    port, workbench_port = os.environ.get("PORT", "8000"), os.environ.get("WORKBENCH_PORT", "8001")
    os.environ.setdefault("GIFTSHOP_BASE_URL", f"http://127.0.0.1:{port}")
    os.environ.setdefault("GIFTSHOP_LOG_LEVEL", "WARNING")
    try:
        settings = read_settings()
        _refuse_taken(port, workbench_port)
        processes = [_start_workbench(settings, workbench_port)]
        sign_ins = _prepare()
    except ShopError as refusal:
        print(refusal.message, file=sys.stderr)  # noqa: T201
        return 1
    processes.append(_start_shop(port))
    stopped = _stop_on_signals()
    if _wait_until_up(port, workbench_port, processes):
        print(_greeting(settings, workbench_port, sign_ins), flush=True)  # noqa: T201
        _wait(stopped, processes)
    return _stop(processes, wanted=bool(stopped))


def _refuse_taken(*ports: str) -> None:
    for port in ports:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(port))) == 0:
                raise ShopError(f"Port {port} is taken. Choose others: make run PORT=8010 WORKBENCH_PORT=8011")


def _start_workbench(settings: Settings, port: str) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "WORKBENCH_PORT": port,
        "WORKBENCH_STATE": str(ROOT / "instance" / "workbench.sqlite"),
        "WORKBENCH_SHOP_URL": settings.base_url,
        "STRIPE_SECRET_KEY": settings.stripe_secret_key,
        "STRIPE_WEBHOOK_SECRET": settings.stripe_webhook_secret,
    }
    return _start([sys.executable, "-m", "giftshop.workbench"], environment)


def _start_shop(port: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "deploy" / "gunicorn.py")]
    return _start([*command, "--bind", f"127.0.0.1:{port}", "--log-level", "warning"], dict(os.environ))


def _start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, so that Ctrl-C reaches it through us, in order."""
    return subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)  # noqa: S603


def _prepare() -> list[str]:
    """Migrate and seed the database; return the sample sign-ins, one line each."""
    from giftshop.app import create_app
    from giftshop.catalog.sample import seed_sample
    from giftshop.database import db
    from giftshop.staff import accounts

    with create_app().app_context():
        upgrade()
        seed_sample()
        accounts.seed_staff()
        db.session.commit()
        db.session.remove()
        return accounts.list_sample_sign_ins()


def _stop_on_signals() -> list[int]:
    stopped: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        stopped.append(number)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    return stopped


def _wait_until_up(port: str, workbench_port: str, processes: list[subprocess.Popen[bytes]]) -> bool:
    """Wait until both answer; False when one of them ended first."""
    waiting = {port, workbench_port}
    while waiting and all(process.poll() is None for process in processes):
        for candidate in list(waiting):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", int(candidate))) == 0:
                    waiting.discard(candidate)
        time.sleep(0.05)
    return not waiting


def _wait(stopped: list[int], processes: list[subprocess.Popen[bytes]]) -> None:
    """Sleep until a signal, the end of a child, or the end of who started us."""
    parent = os.getppid()
    while not stopped and os.getppid() == parent and all(process.poll() is None for process in processes):
        time.sleep(0.2)


def _stop(processes: list[subprocess.Popen[bytes]], *, wanted: bool) -> int:
    """End every child, gently first; return 0 when that was wanted."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
    return 0 if wanted else 1


def _greeting(settings: Settings, workbench_port: str, sign_ins: list[str]) -> str:
    workbench = f"http://127.0.0.1:{workbench_port}"
    lines = [
        "",
        "giftshop is open. Nothing here moves real money.",
        f"  the shop            {settings.base_url}",
        f"  staff sign-in       {settings.base_url}/staff/login",
        f"  captured mail       {workbench}/mailbox",
        f"  simulated Stripe    {workbench}/_sim",
        "",
        "Sample sign-ins:",
        *(f"  {line}" for line in sign_ins),
        "",
        "Ctrl-C stops everything.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
