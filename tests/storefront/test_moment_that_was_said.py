"""Whatever zone, hour, rules or change between: page, mail and sending say the same moment, that of the day promised.

What is read is the words alone, as a stranger far away would read them: "January 15, 2027 at 9:00 AM Vancouver time
(UTC−7)" is one moment. What it should be is found without the shop's clock: the first moment at which the zone's own
file shows the hour of that day, or a later one where that is skipped.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from hypothesis import HealthCheck, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from giftshop import clock, schedule
from giftshop.catalog.practice import get_installation, get_practice
from giftshop.checkout.fulfilment import settle
from giftshop.checkout.placing import place_order
from giftshop.delivery import deliveries
from giftshop.delivery.mailer import Mailer
from giftshop.delivery.models import Delivery
from giftshop.foundation.database import db
from giftshop.notifications.news import SOON
from giftshop.office.dossier import open_dossier
from giftshop.orders.look_up import token_of
from giftshop.orders.models import Order
from giftshop.payments.shares import list_certificates
from giftshop.redemption.promises import find_send_at
from giftshop.web.limiter import limiter
from tests import build
from tests.delivery.conftest import mail_server  # noqa: F401  # a fixture
from tests.delivery.mail_servers import MailServer
from tests.office.conftest import words_of
from tests.orders import told
from tests.orders.mailed import said_in
from tests.storefront.conftest import Visitor
from tests.zone_rules import OLD, going_by

ZONES = ["America/Vancouver", "America/Winnipeg", "America/Phoenix", "Pacific/Auckland", "Africa/Casablanca"]
CHANGES_OF_CLOCKS = [
    date(2026, 9, 20),  # Casablanca goes back for good, by the newer rules
    date(2026, 9, 27),  # Auckland forward
    date(2026, 11, 1),  # America back; Vancouver and Winnipeg not any more
    date(2027, 2, 7),  # Casablanca by the older rules, before Ramadan and after it
    date(2027, 3, 14),  # America forward
    date(2027, 4, 4),  # Auckland back
    date(2027, 9, 26),
    date(2027, 11, 7),
]
DAYS = st.one_of(
    st.builds(
        lambda day, more: day + timedelta(days=more), st.sampled_from(CHANGES_OF_CLOCKS), st.sampled_from([-1, 0, 1])
    ),
    st.dates(date(2026, 9, 1), date(2027, 12, 31)),
)
CHANGES = st.one_of(
    st.tuples(st.just("time_zone"), st.sampled_from(ZONES)),
    st.tuples(st.just("delivery_hour"), st.integers(0, 23)),
    st.tuples(st.just("rules"), st.just("newest")),
)
JANUARY = date(2027, 1, 15)
APPOINTMENT = re.compile(
    r"on ([A-Z][a-z]+ [0-9]{1,2}, [0-9]{4}) at ([0-9]{1,2}:[0-9]{2}) ([AP]M) (?:[A-Z][A-Za-z ]+ time \()?"
    r"UTC(?:([−+])([0-9]{1,2})(?::([0-9]{2}))?)?"
)
DELAY = "SELECT delay_until_epoch_ms FROM workflow_status WHERE workflow_uuid = :key"
_numbers = count(1)


def moments_in(text: str) -> list[datetime]:
    """Return every moment that a text names with its distance from UTC, read from the words alone."""
    return [_read(*found.groups()) for found in APPOINTMENT.finditer(text.replace("\u202f", " "))]


def _read(day: str, hour: str, half: str, sign: str | None, hours: str | None, minutes: str | None) -> datetime:
    month, rest = day.split(" ", 1)  # whole on appointments, shortened elsewhere
    offset = f"{'-' if sign == '−' else '+'}{int(hours or 0):02}{minutes or '00'}"
    moment = datetime.strptime(f"{month[:3]} {rest} {hour} {half} {offset}", "%b %d, %Y %I:%M %p %z")
    return moment.astimezone(UTC)


@cache
def open_zone(name: str, is_old: bool) -> ZoneInfo:
    """Open a zone's file by itself, past the shop's clock and Python's search for it."""
    root = Path(OLD.folder) if is_old else resources.files("tzdata") / "zoneinfo"
    with root.joinpath(name).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def first_moment(zone: ZoneInfo, day: date, hour: int) -> datetime:
    """Return the first moment at which a clock shows the hour of a day, or a later one."""
    wall = datetime.combine(day, time(hour))
    start = wall.replace(tzinfo=UTC) - timedelta(hours=15)
    quarters = (start + timedelta(minutes=15 * number) for number in range(200))
    return next(moment for moment in quarters if moment.astimezone(zone).replace(tzinfo=None) >= wall)


@dataclass(frozen=True)
class Story:
    """A gift for a day, bought so many days before at a practice somewhere, by old rules or new; and what changes."""

    zone: str
    hour: int
    day: date
    days: int
    is_old: bool
    changes: list[tuple[str, str | int]]


STORIES = st.builds(
    Story,
    zone=st.sampled_from(ZONES),
    hour=st.integers(0, 23),
    day=DAYS,
    days=st.integers(1, 20),
    is_old=st.booleans(),
    changes=st.lists(CHANGES, max_size=3),
)


@dataclass
class Shop:
    """The shop with one gift sold for a day, and everything that says or decides when it goes out."""

    app: Flask
    visitor: Visitor
    server: MailServer
    folder: Path
    rules: ExitStack = field(default_factory=ExitStack)
    is_old: bool = False
    day: date = JANUARY
    order_id: int = 0
    path: str = ""

    def begin(self, story: Story) -> None:
        """Be another shop: where the story says, by its rules, with nothing known of newer ones and nothing to send."""
        self.day, self.is_old = story.day, story.is_old
        db.session.rollback()
        limiter.reset()
        db.session.execute(sa.update(Delivery).where(Delivery.state == "scheduled").values(state="cancelled"))
        practice = get_practice()
        practice.time_zone, practice.delivery_hour, get_installation().zone_rules = story.zone, story.hour, ""
        db.session.commit()
        self.server.arrived.clear()
        if self.is_old:
            self.rules.enter_context(going_by(OLD))

    def sell(self) -> None:
        """Sell a gift for the day."""
        number = next(_numbers)
        wanted = build.purchase(build.gift_request(deliver_on=self.day), buyer_email=f"buyer{number}@example.com")
        order = place_order(wanted, mode="simulated", at=clock.now())
        told.attempt(order, 1, session_id=f"cs_{number}x")
        settle(told.session_of(order, id=f"cs_{number}x", payment_intent_id=f"pi_{number}x"))
        self.order_id, self.path = order.id, f"/orders/{token_of(order)}"
        db.session.commit()

    def change(self, name: str, value: str | int) -> None:
        """Set the practice's zone or hour as its owner does, or install newer rules."""
        if name == "rules":
            self.rules.close()
            self.is_old = False
            return
        runner, file = self.app.test_cli_runner(), self.folder / "practice.toml"
        shown = runner.invoke(args=["practice", "show"]).output
        written = f'"{value}"' if isinstance(value, str) else str(value)
        file.write_text(re.sub(rf"(?m)^{name} = .*$", f"{name} = {written}", shown))
        done = runner.invoke(args=["practice", "set", str(file)])
        assert done.exit_code == 0, done.output

    def expected(self) -> datetime:
        """Return the moment of the day promised, by the zone's file."""
        practice = get_practice()
        zone, hour = practice.time_zone, practice.delivery_hour
        db.session.rollback()
        return first_moment(open_zone(zone, self.is_old), self.day, hour)

    def message(self, kind: str = "gift") -> Delivery:
        """Return the newest message of a kind, as it is now."""
        query = sa.select(Delivery).where(Delivery.order_id == self.order_id, Delivery.kind == kind)
        found = db.session.scalars(query.order_by(Delivery.id.desc()).execution_options(populate_existing=True))
        return next(iter(found))

    def buyer_reads(self) -> list[datetime]:
        """Return what the order's page says."""
        return moments_in(words_of(self.visitor.open(self.path).text))

    def office_reads(self) -> list[datetime]:
        """Return what the order's history in the office says, and what the counter knows."""
        order, practice = db.session.get_one(Order, self.order_id), get_practice()
        said = [line.detail for line in open_dossier(order, practice).happenings]
        (certificate,) = list_certificates(order.id)
        at_counter = find_send_at(certificate)
        db.session.rollback()
        return [*moments_in("\n".join(said)), *filter(None, [at_counter])]

    def in_mail(self, kind: str) -> list[datetime]:
        """Return what both parts of the newest message of a kind say."""
        said = [moment for part in said_in(self.message(kind))[1:] for moment in moments_in(part)]
        db.session.rollback()
        return said

    def job_wakes(self) -> datetime:
        """Return when the job that may send the gift now is started."""
        message = self.message()
        key = f"deliver:{message.id}:{message.turn}"
        delay = db.session.scalar(sa.text(DELAY), {"key": key})
        db.session.rollback()
        return datetime.fromtimestamp(delay / 1000, UTC)

    def run_job(self, turn: int | None = None) -> str:
        """Run the job of a turn, the message's own unless said otherwise; return what state the message is in."""
        message = self.message()
        message_id, own = message.id, message.turn
        db.session.rollback()
        mailer = Mailer(sender="gifts@practice.example", smtp_url=self.server.url, mailbox_url="", mailbox_key="")
        deliveries.deliver(message_id, own if turn is None else turn, mailer, base_url="http://127.0.0.1:8000")
        state = self.message().state
        db.session.rollback()
        return state


def says_only(moments: list[datetime], expected: datetime, *, least: int) -> bool:
    return len(moments) >= least and set(moments) == {expected}


def check_promise(shop: Shop) -> None:
    """Check that everything that speaks of the gift to come names its moment, or that it is about to go."""
    expected = shop.expected()
    if expected <= clock.now():
        assert shop.buyer_reads() == []
        return
    assert says_only(shop.buyer_reads(), expected, least=1)
    assert says_only(shop.office_reads(), expected, least=2)


def check_news(shop: Shop) -> None:
    """Check that the last the buyer heard by mail of when the gift goes out is still so."""
    schedule.queue_news()
    if shop.expected() > clock.now() + SOON:
        assert says_only(shop.in_mail("waiting"), shop.expected(), least=2)


def check_sending(shop: Shop) -> None:
    """Check that the gift goes out at its moment and not before, once, and that this is what is said from then on."""
    due = max(shop.expected(), clock.now())
    if due > clock.now():
        assert shop.job_wakes() == due
        with time_machine.travel(due - timedelta(seconds=1), tick=False):
            for turn in range(shop.message().turn + 1):
                assert shop.run_job(turn) == "scheduled"
        assert shop.server.arrived == []
    with time_machine.travel(due, tick=False):
        assert shop.run_job() == "sent"
        (arrived,) = shop.server.arrived
        assert datetime.strptime(arrived.message["Date"], "%a, %d %b %Y %H:%M:%S %z") == due
        assert says_only(shop.buyer_reads(), due, least=1)


@pytest.fixture
def shop(app: Flask, visitor: Visitor, mail_server: MailServer, tmp_path: Path) -> Iterator[Shop]:  # noqa: F811
    """The shop, a stranger who has the order's address, and a mail server."""
    made = Shop(app, visitor, mail_server, tmp_path)
    with made.rules:
        yield made


@examples(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@example(Story("America/Vancouver", 9, JANUARY, 20, True, [("rules", "newest")]))
@example(Story("America/Winnipeg", 2, date(2027, 3, 14), 5, True, [("rules", "newest")]))
@example(Story("America/Phoenix", 9, date(2026, 12, 24), 9, False, [("time_zone", "Pacific/Auckland")]))
@example(Story("Africa/Casablanca", 2, date(2027, 2, 7), 3, True, [("rules", "newest")]))
@example(Story("Pacific/Auckland", 2, date(2027, 4, 4), 3, False, [("delivery_hour", 3)]))
@given(STORIES)
def test_page_mail_and_sending_say_the_same_moment(shop: Shop, story: Story) -> None:
    bought_at = datetime.combine(story.day, time(story.hour), UTC) - timedelta(days=story.days, minutes=7)
    with shop.rules, time_machine.travel(bought_at, tick=False) as traveller:
        shop.begin(story)
        shop.sell()
        if shop.expected() > clock.now():
            assert says_only(shop.in_mail("receipt"), shop.expected(), least=2)
        check_promise(shop)
        check_news(shop)
        for name, value in story.changes:
            traveller.shift(timedelta(minutes=3))
            shop.change(name, value)
            check_promise(shop)
            schedule.follow_days()
            check_promise(shop)
            check_news(shop)
        check_sending(shop)


@pytest.mark.parametrize(("zone", "is_moved"), [("Vancouver", True), ("Winnipeg", True), ("Phoenix", False)])
def test_the_two_sets_of_rules_are_two(zone: str, is_moved: bool) -> None:
    old, new = (first_moment(open_zone(f"America/{zone}", each), JANUARY, 9) for each in (True, False))
    assert (old != new) is is_moved
