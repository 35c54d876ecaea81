"""Waiting for what happens elsewhere, with an end."""

import socket
import subprocess
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(look: Callable[[], T], what: str, seconds: float = 30) -> T:
    """Look again and again until there is something; fail with `what` was waited for."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"waited {seconds:.0f} s in vain: {what}"
        time.sleep(0.2)
    return found


def wait_for_port(address: str, port: int, process: "subprocess.Popen[bytes] | None" = None) -> None:
    """Wait until somebody listens; fail at once when the process that should has ended."""

    def is_listening() -> bool:
        assert process is None or process.poll() is None, f"what should listen at {address}:{port} has ended"
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex((address, port)) == 0

    wait_for(is_listening, f"somebody listens at {address}:{port}")
