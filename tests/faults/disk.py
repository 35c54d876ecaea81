"""A disk that is full for a while, without a disk of its own: no process of the shop may write to a file.

The limit on a file's size is set on running processes from outside (RLIMIT_FSIZE by prlimit), so it works as any
user and ends without a restart. Writing then fails with EFBIG where a full disk says ENOSPC; a real small disk
(tmpfs) is used as well where this machine lets us mount one.
"""

import functools
import resource
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

_FREE = resource.RLIM_INFINITY


@contextmanager
def full_disk(pids: list[int]) -> Iterator[None]:
    """Let these processes and their children write to no file."""
    found = [process for pid in pids for process in _family(pid)]
    _limit(found, 0)
    try:
        yield
    finally:
        _limit([process for pid in pids for process in _family(pid)], _FREE)


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Path]:
    """Mount a small disk at a folder."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder)]
    subprocess.run(command, capture_output=True, check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@functools.cache
def can_mount() -> bool:
    """Tell whether this machine lets us mount a small disk."""
    try:
        with tempfile.TemporaryDirectory() as folder, small_disk(Path(folder) / "disk", 1):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


def fill(folder: Path) -> Path:
    """Fill a small disk to its last byte; return the file to delete."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        for size in (1 << 16, 1 << 12, 1 << 9, 1):
            with suppress(OSError):
                while file.write(bytes(size)):
                    pass
    return ballast


def _family(pid: int) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []


def _limit(processes: list[psutil.Process], most: int) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, _FREE))
