"""How long a shop takes to come back: 100,000 certificates backed up, restored on an empty database, and verified.

`python -m bench.restore [CERTIFICATES] [ENTRIES OF EACH]`.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask

from bench.books import build_books
from bench.databases import fresh_shops
from bench.report import describe_machine, print_table, show_progress
from giftshop import clock
from giftshop.app import close_app, create_app
from giftshop.foundation.database import db
from giftshop.foundation.settings import Settings
from giftshop.ledger import seals


def main(certificates: int = 100_000, rounds: int = 3) -> None:
    """Print one table: minutes of each step on each database."""
    rows = [_rehearse(kind, certificates, rounds) for kind in ("sqlite", "postgresql")]
    head = ("", "backup, min", "MB", "restore, min", "verification, min", "together, min")
    print_table(f"{certificates:,} certificates, {certificates * rounds:,} entries", head, rows)


def _rehearse(kind: str, certificates: int, rounds: int) -> tuple[str, ...]:
    with fresh_shops(kind) as (app, settings, other_url), tempfile.TemporaryDirectory() as folder:
        for entries in build_books(db.engine, certificates=certificates, rounds=rounds):
            show_progress(f"{entries} entries")
        db.session.add(seals.build_seal(at=clock.now()))
        db.session.commit()
        path = Path(folder) / "shop.backup"
        backup = _time(lambda: _run(app, "backup", str(path)))
        size = path.stat().st_size / 1e6
        restore, verification = _restore(path, settings, other_url)
    minutes = [f"{seconds / 60:.2f}" for seconds in (backup, restore, verification, restore + verification)]
    return kind, minutes[0], f"{size:.0f}", *minutes[1:]


def _restore(path: Path, settings: Settings, other_url: str) -> tuple[float, float]:
    other = create_app(settings.model_copy(update={"database_url": other_url}))
    with other.app_context():
        restore = _time(lambda: _run(other, "restore", str(path)))
        verification = _time(lambda: _run(other, "ledger", "verify"))
    close_app(other)
    return restore, verification


def _time(act: Callable[[], None]) -> float:
    started = time.monotonic()
    act()
    return time.monotonic() - started


def _run(app: Flask, *command: str) -> None:
    show_progress(" ".join(command[:2]))
    db.session.remove()
    done = app.test_cli_runner().invoke(args=command)
    assert done.exit_code == 0, done.output


if __name__ == "__main__":
    print(describe_machine())
    main(*(int(number) for number in sys.argv[1:]))
