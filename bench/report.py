"""How measurements are shown: one table per topic, and progress on a terminal or as plain lines elsewhere."""

import os
import statistics
import sys
from collections.abc import Sequence


def show_progress(step: str) -> None:
    """Say what is being measured: on a terminal in one line that the next step overwrites, else in a line each."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{step} …" if step else "\r\x1b[K")
    elif step:
        sys.stderr.write(f"{step} …\n")
    sys.stderr.flush()


def print_table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], *notes: str) -> None:
    """Print a table: first column to the left, figures to the right, notes below."""
    show_progress("")
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    print(f"\n{title}\n")
    for row in (head, ["-" * width for width in widths], *rows):
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        print("  " + "  ".join(cells).rstrip())
    for note in notes:
        print(f"  {note}")
    sys.stdout.flush()


def describe_machine() -> str:
    """Return what the figures depend on: processors and how busy they were before."""
    python = sys.version.split(maxsplit=1)[0]
    return f"{os.cpu_count()} processors, load average {os.getloadavg()[0]:.1f} before the run, Python {python}"


def spread(values: Sequence[float]) -> str:
    """Return the range that holds four fifths of the values."""
    tenths = statistics.quantiles(values, n=10)
    return f"{tenths[0]:.1f}–{tenths[-1]:.1f}"
