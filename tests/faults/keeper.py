"""Keeps one worker of the rigged shop running, as systemd would: a worker that dies is forked anew at once.

Its modules are loaded once, so that a worker that was killed is back in a moment.
"""

import os
import signal
import sys

import giftshop.app  # noqa: F401
from giftshop.foundation import jobs


def keep() -> None:
    """Fork a worker, wait for its end, fork the next, until SIGTERM; then let the last one end gently."""
    child, is_over = 0, False

    def end(_number: int, _frame: object) -> None:
        nonlocal is_over
        is_over = True
        if child:
            os.kill(child, signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)
    while not is_over:
        child = os.fork()
        if not child:
            _work()
        os.waitpid(child, 0)


def _work() -> None:
    from tests.faults.rigged import app

    jobs.run_worker(app)
    sys.exit()


if __name__ == "__main__":
    keep()
