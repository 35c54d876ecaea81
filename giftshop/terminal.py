"""How commands speak: a refusal as one sentence, long work as a bar on a terminal and as plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import ParamSpec

import click

from giftshop.errors import ShopError

P = ParamSpec("P")
LINE_EVERY_SECONDS = 10


def one_sentence(command: Callable[P, None]) -> Callable[P, None]:
    """Make a refusal leave the command with one clear sentence and a non-zero status."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except ShopError as refusal:
            raise click.ClickException(refusal.message) from None

    return run


def show_progress(done: Iterable[int], *, total: int, what: str) -> Iterator[int]:
    """Pass on how much is done, and show it on standard error: "Checking entries  12000/50000"."""
    if sys.stderr.isatty():
        yield from _show_bar(done, total, what)
    else:
        yield from _write_lines(done, total, what)


def _show_bar(done: Iterable[int], total: int, what: str) -> Iterator[int]:
    with click.progressbar(length=total, label=what, file=sys.stderr, show_pos=True) as bar:
        for so_far in done:
            bar.update(so_far - bar.pos)
            yield so_far


def _write_lines(done: Iterable[int], total: int, what: str) -> Iterator[int]:
    said_at = time.monotonic()
    for so_far in done:
        if time.monotonic() - said_at >= LINE_EVERY_SECONDS:
            click.echo(f"{what}: {so_far} of {total}", err=True)
            said_at = time.monotonic()
        yield so_far
