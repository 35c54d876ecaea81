"""What the rehearsal finds, and how it is told: a change that stands on many pages is told once."""

from collections.abc import Iterator
from typing import NamedTuple

import click

PLACES = 3
"""In how many places a change is shown."""


class Finding(NamedTuple):
    """Something that is not as it was, or not as it must be: where, what, and for words the change alone."""

    where: str
    what: str
    change: str = ""


def tell(findings: Iterator[Finding]) -> int:
    """Print all findings when they are known, alike ones together; return how many different ones there are.

    What was found before the rehearsal broke off is told, too.
    """
    alike: dict[str, list[Finding]] = {}
    try:
        for each in findings:
            alike.setdefault(each.change or f"{each.where}: {each.what}", []).append(each)
    finally:
        _print(alike)
    return len(alike)


def _print(alike: dict[str, list[Finding]]) -> None:
    for name, places in alike.items():
        click.echo(f"  ! {name}" + (f" ({len(places)} times)" if len(places) > 1 else ""))
        for each in places[:PLACES] if places[0].change else []:
            click.echo(f"      {each.where}: {each.what}")
