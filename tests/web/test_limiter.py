"""Limits: counted exactly in the database by every process, by address, and forgotten when their window closes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from limits import RateLimitItemPerMinute
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from giftshop.app import close_app, create_app
from giftshop.foundation.database import db
from giftshop.schedule import forget_closed_limits
from giftshop.storefront.order.limits import may_ask
from giftshop.web.limiter import STORE_LOST, client_address, limiter, may_count
from giftshop.web.limiter_storage import DatabaseStorage, RateLimit
from tests import build
from tests.conftest import both_databases, make_settings
from tests.signing_in import browser, give_password, hire, signed_in

NOON = 1_795_000_000


@pytest.fixture
def storage(database_url: str) -> Iterator[DatabaseStorage]:
    """Counts in the test's database."""
    storage = DatabaseStorage(f"shop+{database_url}")
    yield storage
    storage.close()


@both_databases
def test_hits_at_the_same_time_are_counted_exactly(storage: DatabaseStorage, database_url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: storage.incr("ana", 600), range(80)))
    assert sorted(counts) == list(range(1, 81))
    other = DatabaseStorage(f"shop+{database_url}")  # as another process of the shop has it
    assert other.get("ana") == 80
    other.close()


@both_databases
def test_a_window_closes_and_the_count_begins_anew(storage: DatabaseStorage) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        assert [storage.incr("ana", 60), storage.incr("ana", 60, 3)] == [1, 4]
        clock.shift(59)
        assert (storage.get("ana"), storage.get_expiry("ana")) == (4, NOON + 60)
        clock.shift(1)
        assert (storage.get("ana"), storage.get_expiry("ana")) == (0, NOON + 60)
        assert (storage.incr("ana", 60), storage.get_expiry("ana")) == (1, NOON + 120)


@both_databases
def test_only_closed_windows_are_forgotten_by_the_job(storage: DatabaseStorage, app: Flask) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        storage.incr("ana", 60)
        storage.incr("zoe", 120)
        clock.shift(60)
        forget_closed_limits()
        assert db.session.scalars(sa.select(RateLimit.key)).all() == ["zoe"]


@both_databases
def test_counts_can_be_cleared_one_by_one_and_all_at_once(storage: DatabaseStorage) -> None:
    for key in ("ana", "zoe", "marko"):
        storage.incr(key, 600)
    storage.clear("ana")
    assert [storage.get(key) for key in ("ana", "zoe")] == [0, 1]
    assert storage.reset() == 2
    assert storage.check()


def test_a_limit_lets_through_what_it_says_and_no_more(storage: DatabaseStorage) -> None:
    limiter, five = FixedWindowRateLimiter(storage), RateLimitItemPerMinute(5)
    assert [limiter.hit(five, "ana") for _ in range(7)] == [True] * 5 + [False] * 2
    assert limiter.hit(five, "zoe")


@both_databases
def test_the_storage_is_found_by_its_address(database_url: str) -> None:
    storage = storage_from_string(f"shop+{database_url}")
    assert isinstance(storage, DatabaseStorage)
    storage.close()


def test_a_table_that_is_gone_is_an_error_of_the_storage(storage: DatabaseStorage, app: Flask) -> None:
    RateLimit.__table__.drop(db.engine)  # type: ignore[attr-defined]
    with pytest.raises(storage.base_exceptions):
        storage.check()


@pytest.fixture
def lost_redis(database_url: str) -> Iterator[Flask]:
    """A shop whose counters live in a Redis that does not answer."""
    app = create_app(make_settings(database_url, ratelimit_storage_uri="redis://127.0.0.1:9/0"))
    yield app
    close_app(app)


def test_a_redis_that_does_not_answer_is_known_as_lost_and_asked_again(lost_redis: Flask) -> None:
    for _ in range(2):
        with pytest.raises(STORE_LOST):
            limiter.limiter.hit(RateLimitItemPerMinute(5), "ana")


def test_what_cannot_be_counted_is_not_admitted_and_stripe_not_asked(lost_redis: Flask) -> None:
    item = RateLimitItemPerMinute(5)
    assert [may_count(item, "ana", is_looking=is_looking) for is_looking in (True, False)] == [False, False]
    assert not may_ask("cs_test_1")


def test_nobody_signs_in_past_lost_counters(lost_redis: Flask) -> None:
    with lost_redis.app_context():
        client = browser(lost_redis)
        assert give_password(client, "owner@practice.example").status_code == 503
        assert client.get("/").status_code == 200


@both_databases
def test_without_counters_strangers_are_refused_and_signed_in_staff_go_on(app: Flask) -> None:
    code = build.code_of(build.certificate())
    desk, stranger = signed_in(app, hire("staff")), browser(app)
    RateLimit.__table__.drop(db.engine)  # type: ignore[attr-defined]
    refused = stranger.post("/balance", data={"code": code})
    assert (refused.status_code, "something is wrong on our side" in refused.text) == (503, True)
    assert desk.post("/redeem", data={"code": code}).status_code == 303
    RateLimit.__table__.create(db.engine)  # type: ignore[attr-defined]


ADDRESSES = [
    ("192.0.2.7", "192.0.2.7"),
    ("2001:db8:1:2:aaaa:bbbb:cccc:dddd", "2001:db8:1:2::/64"),
    ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
    ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
    ("nonsense", "unknown"),
    (None, "unknown"),
]


@pytest.mark.parametrize(("remote", "counted"), ADDRESSES)
def test_a_person_is_an_address_or_a_64_of_ipv6(app: Flask, remote: str | None, counted: str) -> None:
    with app.test_request_context(environ_overrides={"REMOTE_ADDR": remote}):
        assert client_address() == counted


def test_strangers_who_try_codes_are_stopped_and_others_are_not(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    form = {"data": {"code": "K7M2-QX9R-TB4D-HVWR"}, "base_url": "http://127.0.0.1:8000"}
    answers = [client.post("/balance", **form).status_code for _ in range(11)]
    assert answers[-1] == 429
    assert 429 not in answers[:-1]
    other = client.post("/balance", **form, environ_overrides={"REMOTE_ADDR": "192.0.2.9"})
    assert other.status_code != 429
    assert db.session.scalar(sa.select(sa.func.count()).select_from(RateLimit)) is not None
