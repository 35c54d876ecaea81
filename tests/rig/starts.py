"""Settings that are wrong: what the start refuses, what it puts right, and what an alert tells of later."""

import secrets
import time
from urllib.parse import urlsplit

import psycopg
import requests

from tests.rig.network import SHOP
from tests.rig.shop import BASE
from tests.rig.stripe_side import KEY
from tests.rig.waiting import wait_for
from tests.rig.world import World

REFUSED = [
    ({"GIFTSHOP_CODE_PEPPER": secrets.token_hex(32)}, "GIFTSHOP_CODE_PEPPER"),
    ({"GIFTSHOP_CODE_KEYS": secrets.token_hex(32)}, "GIFTSHOP_CODE_KEYS"),
    ({"STRIPE_WEBHOOK_SECRET": "foo"}, "STRIPE_WEBHOOK_SECRET is no signing secret"),
    ({"STRIPE_WEBHOOK_SECRET": f'"whsec_{secrets.token_hex(16)}"'}, "STRIPE_WEBHOOK_SECRET stands in quotes"),
    ({"STRIPE_WEBHOOK_SECRET": KEY}, "STRIPE_WEBHOOK_SECRET is an API key"),
    ({"GIFTSHOP_MAIL_FROM": ""}, "GIFTSHOP_MAIL_FROM"),
    ({"SMTP_URL": ""}, "SMTP_URL"),
    ({"DATABASE_URL": ""}, "DATABASE_URL"),
    ({"GIFTSHOP_BASE_URL": f"http://{SHOP}"}, "GIFTSHOP_BASE_URL"),
    ({"GIFTSHOP_ENV": "", "STRIPE_SECRET_KEY": KEY.replace("sk_test_", "sk_live_")}, "STRIPE_SECRET_KEY is a live key"),
]
SAME_PLACE = (f"{BASE}:443", f"{BASE}/", f"https://{SHOP.upper()}", f"https://{SHOP}.", f"HTTPS://{SHOP}:443/")


def what_the_start_refuses(world: World) -> None:
    """Other secrets than the database's, a webhook secret that is none, and what else would go wrong later."""
    for changes, words in REFUSED:
        began = world.shop.starts_with(**changes)
        assert words in began.stdout, (changes.keys(), began.stdout[-1500:])
        assert "(it started)" not in began.stdout, changes.keys()
        assert not any(len(value) > 20 and value in began.stdout for value in changes.values()), "a secret was repeated"


def one_address_in_several_spellings(world: World) -> None:
    """However the base address is written, links, hosts and origins are the same."""
    for written in SAME_PLACE:
        said = world.shop.flask("settings", "check", GIFTSHOP_BASE_URL=written).stdout
        assert BASE in said, (written, said)
        assert written.removesuffix("/") == BASE or written not in said
    said = world.shop.flask("settings", "check", GIFTSHOP_BASE_URL="https://Geschenk-müßig.example").stdout
    assert "https://xn--" in said, said


def the_database_wants_its_password(world: World) -> None:
    """Nobody reads the books who only knows the database's name."""
    right = world.shop.database.replace("postgresql+psycopg://", "postgresql://")
    password = urlsplit(right).password or ""
    try:
        psycopg.connect(right.replace(f":{password}@", ":another@")).close()
    except psycopg.OperationalError as refused:
        assert "password authentication failed" in str(refused)
    else:
        raise AssertionError("another password did as well")


def a_webhook_secret_that_does_not_fit(world: World) -> None:
    """Ten signatures in a row that do not fit are an alert and lines in the log; right ones end it."""
    world.shop.stop()
    world.shop.start(STRIPE_WEBHOOK_SECRET=f"whsec_{secrets.token_hex(20)}")
    for number in range(10):
        signed = {"Stripe-Signature": f"t={int(time.time())},v1={secrets.token_hex(32)}"}
        answer = requests.post(f"{BASE}/webhooks/stripe", data=b'{"id": "evt_%d"}' % number, headers=signed, timeout=20)
        assert answer.status_code == 400, answer.text
    refused = "SELECT count(*) FROM alert WHERE kind = 'webhook_refused' AND resolved_at IS NULL"
    wait_for(lambda: world.ask(refused) == [(1,)], "one alert")
    said = world.shop.log.read_text(errors="replace")
    assert said.count("an event was refused: They are signed with another secret") >= 10
    doctor = world.shop.flask("doctor", fails=True).stdout
    assert any(line.startswith("FAULT") and "webhook secret" in line for line in doctor.splitlines()), doctor
    world.shop.stop()
    world.shop.start()


CHECKS = (
    the_database_wants_its_password,
    what_the_start_refuses,
    one_address_in_several_spellings,
    a_webhook_secret_that_does_not_fit,
)
