"""A PostgreSQL server that can crash and come back, for fault tests; never the one that other tests share."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.databases import PostgresServer


class CrashingPostgres(PostgresServer):
    """One server in a folder of its own."""

    def crash(self) -> None:
        """Stop at once, as a crash does: no checkpoint, every connection cut."""
        server = self._server
        command = [str(server.bin_path / "pg_ctl"), "-m", "immediate", "-w", "-D", str(server.pgdata), "stop"]
        with suppress(subprocess.CalledProcessError):
            subprocess.run(command, user=server.system_user, check=True, capture_output=True)

    def come_back(self) -> None:
        """Start again, with recovery from the log, at the same address."""
        self._server.ensure_postgres_running()


@contextmanager
def running_postgres(folder: Path) -> Iterator[CrashingPostgres]:
    """Run a server of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    server = CrashingPostgres(folder)
    try:
        yield server
    finally:
        server.come_back()
        server.stop()


def crash_for(server: CrashingPostgres, seconds: float) -> None:
    """Crash, stay away, come back."""
    server.crash()
    threading.Event().wait(seconds)
    server.come_back()
