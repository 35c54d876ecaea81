"""A copy of the program in a folder of its own: with its own `.env` and its own `instance/`, as on a fresh machine."""

import os
import shutil
from pathlib import Path

from tests.running import ROOT

PARTS = ("giftshop", "templates", "static", "migrations", "deploy", "wsgi.py")


def copy_program(folder: Path) -> Path:
    """Copy what runs the shop; return the copy's root."""
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part)
        else:
            shutil.copy2(source, folder / part)
    return folder


def bare_environment(root: Path, **settings: str) -> dict[str, str]:
    """Return an environment in which nothing of the shop is set but `settings`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GIFTSHOP_", "STRIPE_", "SMTP_", "WORKBENCH_", "DATABASE_", "FLASK_", "COVERAGE_"))
    }
    return {**kept, "PYTHONPATH": str(root), **settings}
