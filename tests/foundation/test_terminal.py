"""Commands: a bad word, a missing folder or a silent database is one sentence and a status, never a traceback."""

import io
import sys
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from giftshop.app import close_app, create_app
from giftshop.foundation import terminal
from giftshop.foundation.database import db
from tests import build
from tests.conftest import both_databases, make_settings

COMMANDS = [
    "seed",
    "db upgrade",
    "practice show",
    "practice set {folder}/practice.toml",
    "staff add ana@example.com --role owner",
    "staff reset-mfa ana@example.com",
    "orders reconcile",
    "orders close 2026-01-01 2026-01-31",
    "certificates render c_0 --out {folder}/c.pdf",
    "ledger verify",
    "backup {folder}/shop.backup",
]


def run(app: Flask, command: str, **places: Path) -> Result:
    """Run a command as an operator types it."""
    db.session.remove()
    with app.app_context():
        return app.test_cli_runner().invoke(args=[word.format(**places) for word in command.split()])


def assert_one_sentence(done: Result) -> None:
    assert done.exit_code != 0
    assert isinstance(done.exception, SystemExit)
    assert done.output.count("\n") <= 1


@pytest.mark.parametrize("command", COMMANDS)
def test_a_silent_database_is_one_sentence(app: Flask, tmp_path: Path, command: str) -> None:
    (tmp_path / "practice.toml").write_text(run(app, "practice show").output)
    silent = create_app(make_settings("postgresql+psycopg://nobody@127.0.0.1:9/none"))
    done = run(silent, command, folder=tmp_path)
    close_app(silent)
    assert_one_sentence(done)
    assert "The database does not answer: " in done.output or command == "db upgrade"  # that one logs it


@pytest.mark.parametrize("command", [each for each in COMMANDS if each not in ("db upgrade",)])
@both_databases
def test_an_unmigrated_database_is_one_sentence(app: Flask, empty_url: str, tmp_path: Path, command: str) -> None:
    (tmp_path / "practice.toml").write_text(run(app, "practice show").output)
    unmigrated = create_app(make_settings(empty_url))
    done = run(unmigrated, command, folder=tmp_path)
    close_app(unmigrated)
    assert_one_sentence(done)
    assert "Run `flask db upgrade`." in done.output


@pytest.mark.parametrize("target", ["missing/c.pdf", "file/c.pdf"])
def test_a_certificate_that_cannot_be_written_there_is_one_sentence(app: Flask, tmp_path: Path, target: str) -> None:
    (tmp_path / "file").touch()
    public_id = build.certificate().public_id
    done = run(app, f"certificates render {public_id} --out {{folder}}/{target}", folder=tmp_path)
    assert_one_sentence(done)
    assert str(tmp_path / target) in done.output


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    @terminal.one_sentence
    def broken() -> None:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        broken()


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def test_work_without_a_known_end_counts_up_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    with terminal.progress("Asking Stripe") as say:
        say(7)
        say(12)
    assert screen.getvalue() == "\rAsking Stripe  7\rAsking Stripe  12\n"


def test_work_without_a_known_end_is_plain_lines_elsewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(terminal, "LINE_EVERY_SECONDS", 0)
    with terminal.progress("Asking Stripe") as say:
        say(7)
    assert capsys.readouterr().err == "Asking Stripe: 7\n"
