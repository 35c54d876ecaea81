"""What processes used, from /proc: CPU of a family, peak memory, libraries loaded; for pages.py."""

import os
import re
from pathlib import Path

_MS_PER_TICK = 1000 / os.sysconf("SC_CLK_TCK")


def cpu_ms(root: int) -> float:
    """Return the CPU, user and system, of a process and all below it, with those that ended and were waited for."""
    return sum(_own_cpu_ms(pid) for pid in family(root))


def family(root: int) -> list[int]:
    """Return a process and all below it."""
    return [root, *(below for child in children(root) for below in family(child))]


def children(pid: int) -> list[int]:
    """Return the processes that a process started, from any of its threads."""
    found = (path.read_text(encoding="ascii") for path in Path(f"/proc/{pid}/task").glob("*/children"))
    return [int(child) for text in found for child in text.split()]


def peak_mb(pid: int) -> float:
    """Return the most memory a process ever had in use (VmHWM)."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    return int(found[1]) / 1024 if found else 0.0


def has_mapped(pid: int, *names: str) -> bool:
    """Tell whether a process has a file with one of these in its name mapped into its memory."""
    maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
    return any(name in maps for name in names)


def _own_cpu_ms(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return sum(int(ticks) for ticks in fields[11:15]) * _MS_PER_TICK
