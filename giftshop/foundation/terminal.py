"""How commands speak: a refusal as one sentence, long work as a bar on a terminal and as plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec

import click
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from giftshop.errors import ShopError

P = ParamSpec("P")
Say = Callable[[int], None]
"""Called with how much is done by now."""
LINE_EVERY_SECONDS = 10


def one_sentence(command: Callable[P, None]) -> Callable[P, None]:
    """Make a refusal, a file or a database that is not there leave the command with one sentence and a status."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (ShopError, OSError, SQLAlchemyError) as error:
            sentence = describe_refusal(error)
            if sentence is None:
                raise
            raise click.ClickException(sentence) from None

    return run


def describe_refusal(error: Exception) -> str | None:
    """Return the sentence for what the person at the terminal can do something about; None for a fault of ours."""
    if isinstance(error, ShopError):
        return error.message
    if isinstance(error, BrokenPipeError):  # whoever read our output has seen enough; click ends quietly
        return None
    if isinstance(error, OSError):
        words = error.strerror or str(error)
        return f"{error.filename}: {words}." if error.filename else f"{words}."
    return _describe_database_error(error)


def _describe_database_error(error: Exception) -> str | None:
    if isinstance(error, ProgrammingError) or (isinstance(error, OperationalError) and "no such " in str(error.orig)):
        return "The database is not at this program's migration. Run `flask db upgrade`."
    if isinstance(error, OperationalError | InterfaceError | PoolTimeoutError):
        reason = str(error.orig).strip().partition("\n")[0] if isinstance(error, DBAPIError) else "it is too busy"
        return f"The database does not answer: {reason}."
    return None


@contextmanager
def progress(what: str, *, total: int | None = None) -> Iterator[Say]:
    """Give a function to call with how much is done, which shows it on standard error; `total` where it is known."""
    if sys.stderr.isatty():
        with _bar(what, total) as say:
            yield say
    else:
        yield _lines(what, total)


def show_progress(done: Iterable[int], *, total: int | None = None, what: str) -> Iterator[int]:
    """Pass on how much is done, and show it: "Checking entries  12000/50000"."""
    with progress(what, total=total) as say:
        for so_far in done:
            say(so_far)
            yield so_far


@contextmanager
def _bar(what: str, total: int | None) -> Iterator[Say]:
    if total is None:
        yield lambda so_far: click.echo(f"\r{what}  {so_far}", err=True, nl=False)
        click.echo(err=True)
        return
    with click.progressbar(length=total, label=what, file=sys.stderr, show_pos=True) as bar:
        yield lambda so_far: bar.update(so_far - bar.pos)


def _lines(what: str, total: int | None) -> Say:
    said_at = time.monotonic()

    def say(so_far: int) -> None:
        nonlocal said_at
        if time.monotonic() - said_at >= LINE_EVERY_SECONDS:
            click.echo(f"{what}: {so_far}" + ("" if total is None else f" of {total}"), err=True)
            said_at = time.monotonic()

    return say
