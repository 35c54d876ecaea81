"""Python programs in processes of their own, forked from one that has the shop's modules loaded already.

To load them anew takes longer than most tests, and fault tests start hundreds of processes.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload(
    ["gunicorn.app.wsgiapp", "gunicorn.workers.gthread", "giftshop.web.arrival.gunicorn_worker", "giftshop.app", "dbos"]
)


class Program:
    """`python -m NAME ARGUMENTS…` at the head of a process group, as subprocess.Popen would run it."""

    def __init__(self, words: Sequence[str], *, folder: Path, environment: dict[str, str], log: Path) -> None:
        self._process = _forking.Process(target=_become, args=(list(words), str(folder), environment, str(log)))
        self._process.start()
        self._wait_for_its_group()

    @property
    def pid(self) -> int:
        """The number of the process and of its group."""
        return self._process.pid or 0

    def poll(self) -> int | None:
        """Return how it ended; None while it runs."""
        return self._process.exitcode

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def wait(self, seconds: float | None = None) -> int:
        """Wait for its end and return its status. Raises subprocess.TimeoutExpired."""
        self._process.join(seconds)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("python", seconds or 0)
        return self._process.exitcode

    def _wait_for_its_group(self) -> None:
        with suppress(ProcessLookupError):
            while os.getpgid(self.pid) != self.pid:
                time.sleep(0.005)


def _become(words: list[str], folder: str, environment: dict[str, str], log: str) -> None:
    os.setsid()
    with open(log, "ab") as written:
        os.dup2(written.fileno(), 1)
        os.dup2(written.fileno(), 2)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = words
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)
