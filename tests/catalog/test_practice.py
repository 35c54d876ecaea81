"""What follows from how a practice is set up: the paper of its country, and the way to its booking system."""

import pytest

from giftshop.catalog.models import Practice


@pytest.mark.parametrize(
    ("place", "paper"),
    [("US-CO", "letter"), ("US-CA", "letter"), ("CA-ON", "letter"), ("MX", "letter"), ("DE", "a4"), ("GB-SCT", "a4")],
)
def test_the_paper_is_the_one_people_have_there(place: str, paper: str) -> None:
    assert Practice(place=place).paper == paper


@pytest.mark.parametrize(
    ("booking_url", "with_code", "without"),
    [
        ("https://book.example/", "https://book.example/", "https://book.example/"),
        (
            "https://book.example/?gift={code}",
            "https://book.example/?gift=7KQ2M4XD9TFPB3HV",
            "https://book.example/?gift=",
        ),
        ("https://book.example/{code}/new", "https://book.example/7KQ2M4XD9TFPB3HV/new", "https://book.example//new"),
    ],
)
def test_the_code_stands_where_the_booking_system_takes_it(booking_url: str, with_code: str, without: str) -> None:
    practice = Practice(booking_url=booking_url)
    assert practice.booking_address("7KQ2M4XD9TFPB3HV") == with_code
    assert practice.booking_address() == without
