"""Booking links: what an owner may write, and where one leads; a code goes only where it is asked for."""

import pytest
from flask import Flask

from giftshop.catalog import booking
from giftshop.catalog.booking import BookingLinkWrongError, fill, link_for, list_leaking, read_link, takes_code
from giftshop.catalog.models import Offer, Practice
from giftshop.catalog.practice import get_practice
from giftshop.foundation.database import db
from tests import build

ACUITY = "https://app.acuityscheduling.com/schedule.php?owner=19&appointmentType=7&certificate={code}"
GOOD = [
    "https://focusedcare.example/book",
    "http://focusedcare.example/book?with={ref}",
    "https://cal.example/focused/{minutes}?metadata[gift]={ref}",
    "https://clinic.janeapp.example/#/staff_member/1/treatment/{offer}?ref={ref}",
    "https://vagaro.example/cl/aGVsbG8=",
    "https://bücher.example/termin",
    ACUITY,
    "https://focus.as.me/?certificate={code}",
    " https://focusedcare.example/book ",
]
WRONG = {
    "focusedcare.example/book": "like",
    "javascript:alert(1)": "like",
    "https://[::1": "like",
    "https://user:password@book.example/": "like",
    "https://book.example:port/": "like",
    "": "like",
    "https://book.example/a b": "without spaces",
    "https://book.example/" + "x" * 500: "without spaces",
    "https://book.example/?c={CODE}": "{CODE}",
    "https://book.example/?c={Ref}": "{Ref}",
    "https://book.example/?c={name}": "{name}",
    "https://book.example/?c={ref": "{ref",
    "https://book.example/?c=ref}": "}",
    "https://{ref}.example/": "name of its site",
    "https://book.example/?gift={code}": "Only Acuity",
    "https://acuityscheduling.com.evil.example/?certificate={code}": "Only Acuity",
    "https://notas.me/?certificate={code}": "Only Acuity",
    "http://focus.as.me/?certificate={code}": "Only Acuity",
    "https://focus.as.me/?field={code}": "Only Acuity",
    "https://focus.as.me/?certificate={code}&again={code}": "Only Acuity",
    "https://focus.as.me/{code}": "Only Acuity",
    "https://focus.as.me/#certificate={code}": "Only Acuity",
}


@pytest.mark.parametrize("link", GOOD)
def test_a_booking_link_is_taken_as_it_is_written(link: str) -> None:
    assert read_link(link) == link.strip()


@pytest.mark.parametrize("link", WRONG)
def test_what_is_no_booking_link_is_refused_with_a_reason(link: str) -> None:
    with pytest.raises(BookingLinkWrongError) as refusal:
        read_link(link)
    assert WRONG[link] in refusal.value.message


@pytest.fixture
def practice(app: Flask) -> Practice:
    """The practice, with a link that names the certificate."""
    found = get_practice()
    found.booking_url = "https://book.example/?ref={ref}&m={minutes}#/{offer}"
    return found


def test_a_certificate_leads_to_its_offers_own_link_else_to_the_practices(practice: Practice) -> None:
    session = build.certificate(offer_slug="60-minutes", service_name="60-minute massage")
    amount, ref = build.certificate(), session.public_id
    assert link_for(session, practice, code="X") == f"https://book.example/?ref={ref}&m=60#/60-minutes"
    assert link_for(amount, practice, code="X") == f"https://book.example/?ref={amount.public_id}&m=#/"
    offer = db.session.query(Offer).filter_by(slug="60-minutes").one()
    offer.booking_link = "https://book.example/hour?{ref}"
    assert link_for(session, practice, code="X") == f"https://book.example/hour?{ref}"
    offer.visibility = "retired"
    assert link_for(session, practice, code="X") == f"https://book.example/hour?{ref}"


def test_a_page_without_a_certificate_leads_there_with_empty_places(practice: Practice) -> None:
    assert practice.booking_address() == "https://book.example/?ref=&m=#/"


def test_a_code_goes_only_to_the_system_that_takes_it() -> None:
    code = "7KQ2M4XD9TFPB3HV"
    assert fill(ACUITY, ref="R1", code=code) == ACUITY.replace("{code}", code)
    for link in (each for each in WRONG if "{code}" in each):
        assert not takes_code(link)
        assert code not in fill(link, ref="R1", code=code)


def test_the_links_of_an_older_version_that_leaked_codes_are_named(practice: Practice) -> None:
    assert list_leaking(practice, []) == []
    practice.booking_url = "https://book.example/?gift={code}"
    offer = Offer(booking_link="https://elsewhere.example/{code}")
    fitting = Offer(booking_link=ACUITY)
    assert list_leaking(practice, [offer, fitting]) == [practice.booking_url, offer.booking_link]


def test_every_placeholder_is_filled_or_emptied() -> None:
    link = "https://book.example/?" + "&".join(booking.PLACEHOLDERS)
    assert "{" not in fill(link, ref="R1")
