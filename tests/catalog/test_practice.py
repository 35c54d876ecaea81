"""What follows from how a practice is set up: the paper of its country."""

import pytest

from giftshop.catalog.models import Practice


@pytest.mark.parametrize(
    ("place", "paper"),
    [("US-CO", "letter"), ("US-CA", "letter"), ("CA-ON", "letter"), ("MX", "letter"), ("DE", "a4"), ("GB-SCT", "a4")],
)
def test_the_paper_is_the_one_people_have_there(place: str, paper: str) -> None:
    assert Practice(place=place).paper == paper
