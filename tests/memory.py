"""Where tests write: in memory, where the machine has room there.

Databases wait for the disk after every commit (17 ms of a disk, 0.1 ms of memory), and so they should: durability stays
switched on. But tests kill processes, never the machine, so nothing they prove needs a disk. `TMPDIR=/tmp make test`
is how it was on one.
"""

import os
import shutil
import tempfile
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
MOST_BYTES = 3 * 1024**3
"""More than all processes of a run hold at once."""


def write_to_memory() -> None:
    """Let this process and those it starts keep their temporary files in memory, unless somebody chose a place."""
    if "TMPDIR" not in os.environ and _has_room(SHARED_MEMORY):
        os.environ["TMPDIR"] = tempfile.tempdir = str(SHARED_MEMORY)


def _has_room(folder: Path) -> bool:
    """Tell whether files of that many bytes may be written here, and programs among them be run."""
    try:
        may_run = not os.statvfs(folder).f_flag & os.ST_NOEXEC
        return may_run and os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > MOST_BYTES
    except OSError:
        return False
