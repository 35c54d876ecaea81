"""Another name of the same server: people are told where the shop is, and nothing is done under that name."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from giftshop.app import close_app, create_app
from tests.conftest import make_settings

BASE = "https://gifts.example"


@pytest.fixture
def shop(database_url: str) -> Iterator[FlaskClient]:
    """A shop at its own https address."""
    app: Flask = create_app(make_settings(database_url, base_url=BASE))
    yield app.test_client()
    close_app(app)


@pytest.mark.parametrize("host", ["www.gifts.example", "gifts.example.", "203.0.113.9", "gifts.example:8443.evil"])
def test_a_visitor_by_another_name_is_led_to_the_same_page(shop: FlaskClient, host: str) -> None:
    answer = shop.get("/gift?offer=60-minutes", headers={"Host": host})
    assert answer.status_code == 400
    assert f'href="{BASE}/gift?offer=60-minutes"' in answer.text
    assert "The shop is at https://gifts.example" in answer.text
    assert "not readable" not in answer.text
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("host", ["gifts.example", "GIFTS.EXAMPLE", "Gifts.Example", "gifts.example:443"])
def test_its_own_name_is_its_own_however_it_is_written(shop: FlaskClient, host: str) -> None:
    assert shop.get("/gift", headers={"Host": host}).status_code == 200


def test_what_machines_post_under_another_name_is_answered_in_plain_words(shop: FlaskClient) -> None:
    answer = shop.post("/webhooks/stripe", data=b"{}", headers={"Host": "www.gifts.example"})
    assert (answer.status_code, answer.mimetype) == (400, "text/plain")
    assert answer.text == "You came by another name of this server. The shop is at https://gifts.example."


def test_a_form_posted_under_another_name_leads_to_the_start_page(shop: FlaskClient) -> None:
    answer = shop.post("/balance", data={"code": "K7M2"}, headers={"Host": "www.gifts.example"})
    assert (answer.status_code, f'href="{BASE}/"' in answer.text) == (400, True)


def test_no_address_of_a_stranger_gets_into_the_page(shop: FlaskClient) -> None:
    answer = shop.get('/"><script>x</script>?a="><u>', headers={"Host": 'x"><i>'})
    assert "<script>x" not in answer.text
    assert "<i>" not in answer.text
    assert "<u>" not in answer.text


@pytest.mark.parametrize(
    ("base_url", "host"),
    [
        ("https://xn--mller-kva.example", "xn--mller-kva.example"),
        ("https://gifts.example:8443", "gifts.example:8443"),
    ],
)
def test_names_of_other_forms_are_own_names_too(database_url: str, base_url: str, host: str) -> None:
    app = create_app(make_settings(database_url, base_url=base_url))
    assert app.test_client().get("/gift", headers={"Host": host}).status_code == 200
    close_app(app)
