"""Where tests write: in memory, where the machine has room there.

Databases wait for the disk after every commit (17 ms of a disk, 0.1 ms of memory), and so they should: durability stays
switched on. But tests kill processes, never the machine, so nothing they prove needs a disk. `TMPDIR=/tmp make test`
is how it was on one.
"""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
MOST_BYTES = 3 * 1024**3
"""More than all processes of a run hold at once."""
_NAME = "giftshop-tests-"


def write_to_memory() -> None:
    """Let this process and those it starts keep their temporary files in memory, unless somebody chose a place.

    Each run has a folder of its own: pytest closes the one it shares between runs to other users, PostgreSQL's among
    them, whenever the next run begins. What a run left, because tests failed, goes when the next one begins.
    """
    if "TMPDIR" in os.environ or not _has_room(SHARED_MEMORY):
        return
    for left in SHARED_MEMORY.glob(f"{_NAME}*"):
        if not Path(f"/proc/{left.name.removeprefix(_NAME)}").exists():
            shutil.rmtree(left, ignore_errors=True)
    folder = SHARED_MEMORY / f"{_NAME}{os.getpid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)


def _has_room(folder: Path) -> bool:
    """Tell whether files of that many bytes may be written here, and programs among them be run."""
    try:
        may_run = not os.statvfs(folder).f_flag & os.ST_NOEXEC
        return may_run and os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > MOST_BYTES
    except OSError:
        return False
