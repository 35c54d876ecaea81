"""Starts the workbench: `python -m giftshop.workbench`, on this machine only, until Ctrl-C or SIGTERM."""

import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from giftshop.workbench.app import create_app
from giftshop.workbench.configuration import Configuration, ConfigurationError, read_configuration

_THREADS = 24


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn with one process and many threads, on a socket that is already open."""

    def __init__(self, listener: socket.socket, build: Callable[[], Flask]) -> None:
        self._listener, self._build = listener, build
        super().__init__()

    def load_config(self) -> None:
        settings: dict[str, Any] = {
            "bind": f"fd://{self._listener.fileno()}", "workers": 1, "worker_class": "gthread", "threads": _THREADS,
            "timeout": 0, "graceful_timeout": 5, "keepalive": 5, "loglevel": "warning",
            "control_socket_disable": True, "proc_name": "workbench",
            "post_worker_init": _be_quick, "worker_exit": _end,
        }  # fmt: skip
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._build()


def main() -> None:
    """Start, or say in one sentence why not."""
    try:
        config = read_configuration(os.environ)
        listener = _listen(config.port)
    except ConfigurationError as error:
        sys.exit(f"workbench: {error}")
    config = replace(config, port=listener.getsockname()[1])
    _announce(config)
    Server(listener, lambda: create_app(config)).run()


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Without it head and body of an answer leave 40 ms apart.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        raise ConfigurationError(f"Port {port} cannot be used: {error.strerror}. Set WORKBENCH_PORT.") from None
    listener.listen(256)
    return listener


def _be_quick(worker: Any) -> None:
    """Let the process end at once when told, while the one above it grants it time to do so.

    Every signal takes the way of SIGTERM: gunicorn's own way for the others takes a lock within the signal
    handler and now and then waits for itself for ever.
    """
    worker.cfg.set("graceful_timeout", 0)
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, worker.handle_exit)


def _end(_arbiter: Any, worker: Any) -> None:
    """End the process that served, whatever its threads wait for; all they did is committed or undone."""
    if worker.booted and os.getpid() == worker.pid:
        os._exit(0)


def _announce(config: Configuration) -> None:
    sys.stdout.write(f"workbench: {config.url} (simulated Stripe, captured mail)\n")
    if not os.environ.get("WORKBENCH_TOKEN"):
        sys.stdout.write(f"workbench: X-Workbench-Token of this run is {config.token}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
