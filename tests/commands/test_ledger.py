"""`flask ledger verify`: one line that says all is well, or one that names the first row that is not; and progress."""

import io
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask

from giftshop import clock
from giftshop.app import close_app, create_app
from giftshop.foundation import terminal
from giftshop.foundation.database import db
from giftshop.ledger import seals
from tests import build
from tests.conftest import make_settings
from tests.ledger.acts import take


@pytest.fixture
def copy(app: Flask, tmp_path: Path) -> Path:
    """A file with a shop's sealed books, for somebody to work on; the shop itself stays as it is."""
    take(build.certificate().id, 20_00)
    build.certificate()
    db.session.commit()
    db.session.add(seals.build_seal(at=clock.now()))
    db.session.commit()
    db.session.remove()
    shutil.copy(str(db.engine.url.database), tmp_path / "copy.sqlite")
    return tmp_path / "copy.sqlite"


@pytest.fixture
def copied_shop(copy: Path) -> Iterator[Flask]:
    """A shop on the copy."""
    app = create_app(make_settings(f"sqlite:///{copy}"))
    yield app
    close_app(app)


def verify(app: Flask, *options: str) -> tuple[int, str]:
    with app.app_context():  # or the command would run in the app of the test
        done = app.test_cli_runner().invoke(args=["ledger", "verify", *options])
    return done.exit_code, done.output


def change(copy: Path, *statements: str) -> None:
    """Change the file behind the shop's back, without its guards."""
    with closing(sqlite3.connect(copy)) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            database.execute(statement)
        database.commit()


def test_honest_books_are_said_to_verify_with_their_last_seal(copied_shop: Flask, copy: Path) -> None:
    status, said = verify(copied_shop)
    assert status == 0
    assert said.startswith("The ledger verifies: 3 entries; the last seal is ")
    digest = said.rsplit(" ", 1)[1].strip(" .\n")
    assert verify(copied_shop, "--seal", digest) == (0, said)


def test_the_first_bad_row_is_named_on_one_line(copied_shop: Flask, copy: Path) -> None:
    change(copy, "UPDATE ledger_entry SET actor = 'staff:9' WHERE sequence = 2")
    with closing(sqlite3.connect(copy)) as database:
        row = database.execute(
            "SELECT e.id, public_id FROM ledger_entry e JOIN certificate c ON c.id = certificate_id WHERE sequence = 2"
        ).fetchone()
    wrong = f"ledger_entry {row[0]} (certificate {row[1]}): its content does not fit its hash"
    assert verify(copied_shop) == (1, f"Error: The ledger does not verify: {wrong}.\n")


def test_what_only_the_audits_see_is_named_too(copied_shop: Flask, copy: Path) -> None:
    change(copy, "DELETE FROM delivery WHERE kind = 'receipt'")
    status, said = verify(copied_shop)
    assert (status, said.count("\n")) == (1, 1)
    assert "every fulfilled order has its receipt: 2" in said


def test_a_seal_that_is_not_ours_is_refused(copied_shop: Flask) -> None:
    status, said = verify(copied_shop, "--seal", "00" * 32)
    assert (status, "No seal of this ledger has that digest" in said) == (1, True)


def test_progress_is_said_in_plain_lines_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(terminal, "LINE_EVERY_SECONDS", 0)
    assert list(terminal.show_progress([10, 20], total=20, what="Checking entries")) == [10, 20]
    assert capsys.readouterr().err == "Checking entries: 10 of 20\nChecking entries: 20 of 20\n"


def test_progress_is_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    assert list(terminal.show_progress([10, 20], total=20, what="Checking entries")) == [10, 20]
    assert "Checking entries" in screen.getvalue()
    assert "20/20" in screen.getvalue()
