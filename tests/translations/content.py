"""What may stand in plain English on a page in any language, each with its reason: it is somebody's content or a fact.

Whatever is not listed here and in no catalogue is a sentence that nobody can translate.
"""

import re
from functools import cache

from giftshop.catalog.law import _data
from giftshop.catalog.models import Offer, Practice
from giftshop.certificates.codes import last_four
from giftshop.certificates.look_up import code_of
from giftshop.foundation.database import db
from giftshop.foundation.settings import ROOT
from giftshop.ledger.models import Certificate, CertificateFreeze
from giftshop.orders.models import Gift, Order, Refund
from giftshop.orders.notes import OrderNote
from giftshop.staff.models import Staff
from giftshop.storefront.articles import ARTICLES
from tests.translations.pseudo import plain_words
from tests.translations.reading import texts_of

ALWAYS = (
    "Your shoulders have carried enough.",  # the giver's words in these tests
    "Ana",  # whom the certificate on the home page is for, and who gives it
    "Marko",
    "60-minute massage",  # what an offer was called before its name was changed
    "dollars",  # what Babel calls a currency, in a locale that is fixed
    "euros",
    "USD",
)
_PLACES = re.compile(r"\{[{%].*?[%}]\}")
"""Where a template says something of its own."""
_DATE = r"(?:\d{1,2} )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*(?: \d{1,2},)? \d{4}"
FACTS = re.compile(
    "|".join(
        (
            _DATE,  # days and hours go through Babel with a locale of their own
            r"\d{1,2}(?::\d\d)?\W[AP]M",
            r"\bDenver\b",  # whose clock it is, and how far from UTC
            r"\bUTC(?:[−+]\d{1,2}(?::\d\d)?)?",
            r"\d{4}-(?:[A-Z][a-z]+|\d\d)-\d\d",  # Esperanto's dates on paper
            r"[\w.+-]+@[\w.-]+",  # addresses of mail
            r"(?:https?://|www\.)\S+|[\w.-]+\.example\S*|127\.0\.0\.1\S*",  # addresses of pages
            r"(?:[0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}",  # codes
            r"\b[0-9A-HJKMNP-TV-Z]{16}\b",
            r"\b[0-9a-f]{4}(?:-[0-9a-f]{4}){2}\b",  # recovery codes
            r"\b(?:cs|pi|re|dp|du|ch|evt|o|c)_\w+",  # ids, Stripe's and ours
            r"\b[CG]-[0-9A-Z-]+",  # numbers of orders and certificates
            r"[A-Z2-7]{32}",  # the secret for an authenticator app
            r"\{\w+\}",  # places that scripts fill in
            r"\bflask [a-z -]+--seal \S+|\b[0-9a-f]{64}\b",  # what engineers type; a seal
        )
    )
)
"""Facts that are written the same in every language, or by Babel in one that is fixed."""


def contents() -> list[str]:
    """Return the practice's own data and what people typed, the longest first, as it is stored now."""
    practice = db.session.get_one(Practice, 1)
    offers = db.session.query(Offer).all()
    people = [
        *(
            name
            for gift in db.session.query(Gift)
            for name in (gift.recipient_name, gift.giver_name, gift.service_name)
        ),
        *(name for each in db.session.query(Certificate) for name in (each.recipient_name, each.giver_name)),
        *(last_four(code_of(each)) for each in db.session.query(Certificate).filter(Certificate.status != "void")),
        *(each.public_id for each in db.session.query(Certificate)),
        *(each.name for each in db.session.query(Staff)),
        *(each.buyer_email for each in db.session.query(Order)),
    ]
    written = [
        *(each.text for each in db.session.query(OrderNote)),
        *(each.reason for each in db.session.query(Refund).filter(Refund.actor.startswith("staff:"))),
        *(each.reason_code for each in db.session.query(CertificateFreeze) if each.actor.startswith("staff:")),
    ]
    own = [getattr(practice, name) for name in ("name", "short_name", "legal_name", "address", "phone", "email")]
    sold = [text for offer in offers for text in (offer.name, offer.description)]
    places = _data()["places"].values()
    db.session.rollback()
    return sorted({*own, *sold, *people, *places, *written, *_written(), *ALWAYS} - {""}, key=len, reverse=True)


@cache
def _written() -> frozenset[str]:
    """Return what stands in articles, and how other pages name them."""
    named = [text for each in ARTICLES.values() for text in (each.title, each.teaser)]
    within = [title[0].lower() + title[1:] for title, *_rest in ARTICLES.values()]
    files = [ROOT / "templates" / "storefront" / "articles" / f"{slug}.html" for slug in ARTICLES]
    sources = [_PLACES.sub("<br>", file.read_text(encoding="utf-8")) for file in files]
    return frozenset([*named, *within, *(text for source in sources for text in texts_of(source))])


def without_content(text: str, known: list[str]) -> str:
    """Return a text without what may stand there in plain English."""
    text = FACTS.sub(" ", text.replace("\u200b", ""))  # what keeps mail programs from making links
    for content in known:
        text = re.sub(rf"(?<!\w){re.escape(content)}(?!\w)", " ", text)
    return text


def plain_english(texts: list[str]) -> list[str]:
    """Return the texts in which something stands that no catalogue has touched."""
    known = contents()
    return [text for text in texts if plain_words(without_content(text, known))]
