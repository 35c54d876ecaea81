"""Addresses that look misspelt: which domains are asked about, and which are left alone."""

import pytest

from giftshop.delivery.addresses import (
    AddressDoubtfulError,
    AddressInvalidError,
    Question,
    read_sure_address,
    suggest_address,
)

MISSPELT = {
    "gmial.com": "gmail.com",
    "gamil.com": "gmail.com",
    "gmil.com": "gmail.com",
    "gmaill.com": "gmail.com",
    "gnail.com": "gmail.com",
    "gmail.con": "gmail.com",
    "gmail.co": "gmail.com",
    "gmail.cm": "gmail.com",
    "gmail.com.com": "gmail.com",
    "gmial.con": "gmail.com",
    "GMIAL.COM": "gmail.com",
    "hotmial.com": "hotmail.com",
    "hotmal.com": "hotmail.com",
    "hotmai.co.uk": "hotmail.co.uk",
    "yaho.co": "yahoo.com",
    "yahooo.com": "yahoo.com",
    "yaho.fr": "yahoo.fr",
    "yahoo.co.ul": "yahoo.co.uk",
    "outlok.com": "outlook.com",
    "outlook.cmo": "outlook.com",
    "iclod.com": "icloud.com",
    "icloud.co": "icloud.com",
    "comcast.ner": "comcast.net",
    "aol.con": "aol.com",
    "spine-and-hand.con": "spine-and-hand.com",
    "somewhere.orgg": "somewhere.org",
    "somewhere.couk": "somewhere.co.uk",
}
RIGHT = [
    *("gmail.com", "googlemail.com", "yahoo.com", "yahoo.co.uk", "yahoo.pt", "hotmail.cl", "outlook.jp", "icloud.com"),
    *(
        "mail.com",
        "ymail.com",
        "email.com",
        "mail.ru",
        "aol.com",
        "me.com",
        "web.de",
        "gmx.at",
        "proton.me",
        "live.com",
    ),
    *(
        "example.com",
        "example.co",
        "roger.com",
        "cloud.com",
        "practice.test",
        "sub.gmail.com",
        "t-online.de",
        "att.net",
    ),
]


@pytest.mark.parametrize(("typed", "meant"), MISSPELT.items())
def test_a_misspelt_domain_is_asked_about(typed: str, meant: str) -> None:
    assert suggest_address(f"Ana.K+x@{typed}") == f"Ana.K+x@{meant}"
    assert suggest_address(f"ana@{meant}") == ""


@pytest.mark.parametrize("domain", RIGHT)
def test_a_domain_that_may_be_right_is_left_alone(domain: str) -> None:
    assert suggest_address(f"ana@{domain}") == ""


def test_nobody_is_asked_twice_and_nothing_is_refused_for_its_spelling() -> None:
    with pytest.raises(AddressDoubtfulError) as asked:
        read_sure_address(" ana@gmial.com ", kept=[])
    question = asked.value.message
    assert isinstance(question, Question)
    assert (str(question), question.typed, question.meant) == (
        "Did you mean ana@gmail.com?",
        "ana@gmial.com",
        "ana@gmail.com",
    )
    assert read_sure_address("ana@gmial.com", kept=["ana@gmial.com"]) == "ana@gmial.com"
    with pytest.raises(AddressInvalidError):
        read_sure_address("ana@gmial", kept=["ana@gmial"])
