"""What follows from how a practice is set up: the paper of its country."""

import pytest
from flask import Flask

from giftshop.catalog.models import Practice
from giftshop.catalog.practice import get_practice, refuse_other_money
from giftshop.foundation.database import db
from giftshop.money import be_at_home_in, format_amount
from tests.conftest import both_databases


@pytest.mark.parametrize(
    ("place", "paper"),
    [("US-CO", "letter"), ("US-CA", "letter"), ("CA-ON", "letter"), ("MX", "letter"), ("DE", "a4"), ("GB-SCT", "a4")],
)
def test_the_paper_is_the_one_people_have_there(place: str, paper: str) -> None:
    assert Practice(place=place).paper == paper


@both_databases
def test_a_process_writes_the_home_sign_from_its_first_amount_on(app: Flask) -> None:
    practice = get_practice()
    practice.place, practice.currency = "CA-ON", "CAD"
    db.session.commit()
    be_at_home_in("")
    assert format_amount(95_00, "CAD") == "CA$95.00"
    refuse_other_money("simulated")  # as every process begins
    assert format_amount(95_00, "CAD") == "$95.00"
