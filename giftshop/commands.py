"""What every command has in common: a refusal is one clear sentence and a non-zero status."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import click

from giftshop.errors import ShopError

P = ParamSpec("P")


def one_sentence(command: Callable[P, None]) -> Callable[P, None]:
    """Make a refusal leave the command with one clear sentence and a non-zero status."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except ShopError as refusal:
            raise click.ClickException(refusal.message) from None

    return run
