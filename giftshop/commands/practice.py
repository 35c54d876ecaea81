"""`flask practice`: show the practice and its offers as a file, and set them by one."""

from pathlib import Path

import click
import sqlalchemy as sa
from flask.cli import AppGroup

from giftshop import clock
from giftshop.catalog.editing import set_practice
from giftshop.catalog.models import Practice
from giftshop.catalog.offers import list_kept_offers
from giftshop.catalog.practice import find_practice, get_practice
from giftshop.delivery import timing
from giftshop.errors import ShopError
from giftshop.foundation import activity_log
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.database import db
from giftshop.foundation.terminal import one_sentence
from giftshop.ledger.models import Certificate
from giftshop.orders.models import Order
from giftshop.practice_file.reading import PracticeFileError, read_practice
from giftshop.practice_file.writing import write_form, write_practice

TIMING = frozenset({"practice.time_zone", "practice.delivery_hour"})
"""What the moments follow at which gifts go out that wait for their day."""
practice = AppGroup("practice", help="The practice and what it sells.")


class CurrencyFixedError(ShopError):
    """The currency cannot change any more: there are orders or certificates in the old one."""


@practice.command("show")
@one_sentence
def show() -> None:
    """Print the practice and its offers as a file for `set`; a form to fill in while there is none."""
    standing = find_practice()
    click.echo(write_form() if standing is None else write_practice(standing, list_kept_offers()), nl=False)


@practice.command("set")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@one_sentence
def set_by_file(file: Path) -> None:
    """Make the practice and its offers what FILE says; when a line of it is wrong, nothing is changed."""
    try:
        wanted = read_practice(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise PracticeFileError("This is not a TOML file: it is not written in UTF-8.") from None
    _refuse_other_currency(find_practice(), wanted.facts["currency"])
    changed = set_practice(wanted.facts, wanted.offers)
    is_retimed = not TIMING.isdisjoint(changed)
    moved = timing.follow(get_practice(), at=clock.now()) if is_retimed else timing.Moved()
    if changed:
        activity_log.note(Activity.PRACTICE_SET, actor="system", changed=changed, moved=moved.count)
    db.session.commit()
    if not wanted.offers:
        click.echo("The file names no offers: those that are there stay as they are.")
    click.echo("\n".join(["Changed:", *changed]) if changed else "Nothing to change: all of it stands already.")
    if is_retimed:
        click.echo(_tell_moved(moved))


def _tell_moved(moved: timing.Moved) -> str:
    """Say how many gifts that wait for their day go out at another moment from now on."""
    gifts = "1 gift that waits goes" if moved.count == 1 else f"{moved.count or 'No'} gifts that wait go"
    at_once = f", {moved.at_once} of them now: the hour of that day has passed" if moved.at_once else ""
    told = " The buyers get an email that says when." if moved.count > moved.at_once else ""
    return f"{gifts} out at another moment{at_once}.{told}"


def _refuse_other_currency(standing: Practice | None, currency: str) -> None:
    """Keep the currency once something was sold in it: sums of two currencies cannot be added."""
    if standing is None or standing.currency == currency:
        return
    if any(db.session.scalar(sa.select(table.id).limit(1)) for table in (Order, Certificate)):
        raise CurrencyFixedError
