"""Booking links: what may be written in one, and where it leads from a certificate.

Of all booking systems only Acuity takes the code of a certificate in its address (help.acuityscheduling.com, filling in
the appointment form beforehand: `certificate=`; read November 2026). Anywhere else a code in a link is the money
itself in a stranger's address bar and logs, so there a link gets `{ref}`, the number that opens nothing.
"""

import re
from urllib.parse import SplitResult, parse_qsl, quote, urlsplit

from giftshop.catalog.models import Offer, Practice
from giftshop.catalog.offers import find_offer
from giftshop.errors import ShopError
from giftshop.ledger.models import Certificate
from giftshop.words import N_, _

PLACEHOLDERS = ("{ref}", "{minutes}", "{offer}", "{code}")
LONGEST = 500
_TAKES_CODES = ("acuityscheduling.com", "as.me")
_CODE_FIELD = ("certificate", "{code}")


class BookingLinkWrongError(ShopError):
    """That is no booking link."""


def read_link(text: str) -> str:
    """Read a booking link as the owner wrote it. Raises BookingLinkWrongError with what to write instead."""
    link = text.strip()
    parts = _split(link)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise BookingLinkWrongError(_('must be an address like "https://example.com/book".'))
    if len(link) > LONGEST or re.search(r"\s", link) or not link.isprintable():
        raise BookingLinkWrongError(_("must be one address without spaces."))
    if "{" in parts.netloc:
        raise BookingLinkWrongError(_("has a placeholder in the name of its site."))
    _check_placeholders(link)
    return link


def takes_code(link: str) -> bool:
    """Tell whether a link leads to the one system that takes a code, in the field it takes it in and nowhere else."""
    parts = _split(link)
    if parts is None or parts.scheme != "https" or link.count("{code}") != 1:
        return False
    host = (parts.hostname or "").lower()
    is_theirs = any(host == known or host.endswith(f".{known}") for known in _TAKES_CODES)
    return is_theirs and _CODE_FIELD in parse_qsl(parts.query)


def link_for(certificate: Certificate, practice: Practice, *, code: str) -> str:
    """Return where a certificate's holder books: its offer's own link, else the practice's, filled in."""
    offer = find_offer(certificate.offer_slug) if certificate.offer_slug else None
    link = (offer.booking_link if offer is not None else "") or practice.booking_url
    return fill(link, ref=certificate.public_id, offer=offer, code=code)


def fill(link: str, *, ref: str = "", offer: Offer | None = None, code: str = "") -> str:
    """Return a link with what is known in its places; a code only where the booking system takes it.

    An older version let any site have the code: there its place gets the number instead.
    """
    values = {
        "{ref}": ref,
        "{minutes}": str(offer.minutes) if offer is not None and offer.minutes else "",
        "{offer}": offer.slug if offer is not None else "",
        "{code}": code if takes_code(link) else ref,
    }
    return re.sub(r"\{[a-z]+\}", lambda found: quote(values.get(found[0], ""), safe=""), link)


def list_leaking(practice: Practice, offers: list[Offer]) -> list[str]:
    """Return the links in which a code was asked for by a site that takes none; the owner is told of them."""
    links = [practice.booking_url, *(offer.booking_link for offer in offers)]
    return [link for link in links if "{code}" in link and not takes_code(link)]


def _check_placeholders(link: str) -> None:
    for wrong in re.findall(r"\{[^}]*\}?|\}", link):
        if wrong not in PLACEHOLDERS:
            told = N_("holds %(wrong)s, which stands for nothing; %(known)s do.")
            raise BookingLinkWrongError(_(told, wrong=wrong, known=", ".join(PLACEHOLDERS[:-1])))
    if "{code}" in link and not takes_code(link):
        told = N_(
            "would hand every certificate’s code, which is its money, to that site and its logs. Only Acuity takes"
            " codes, as certificate={code}; write {ref} for the certificate’s number instead."
        )
        raise BookingLinkWrongError(_(told))


def _split(link: str) -> SplitResult | None:
    """Return an address in its parts, or None for what is none; placeholders may stand anywhere in it."""
    try:
        parts = urlsplit(link)
        return parts if parts.port != 0 else None
    except ValueError:
        return None
