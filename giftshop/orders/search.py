"""The one search, for the counter and the office: what words find, by all that people remember of a sale.

An order's number however it is written; one of Stripe's ids; a certificate's public id or the end of its code; names
and e-mail addresses, or parts of them, without regard to case, accents and spaces. Never a whole code, and for managers
only. Everything is read through an index (orders/search_index.py), whole words before parts of words; where nothing
fits, what differs by one slip in a word is offered.
"""

import re
import unicodedata
from dataclasses import dataclass

import sqlalchemy as sa

from giftshop.certificates import codes, look_up
from giftshop.foundation.database import db
from giftshop.ledger.models import Certificate
from giftshop.orders.models import NUMBERED_FROM, CheckoutAttempt, Dispute, Gift, GiftCertificate, Order, Refund
from giftshop.orders.search_index import (
    LONGEST_KEY,
    SearchKey,
    SearchPlace,
    SearchWord,
    fold,
    fold_address,
    slips_of,
)

MOST_RESULTS = 20
MOST_WORDS = 6
_LAST = "\U0010ffff"
Query = sa.Select[int] | sa.CompoundSelect[int]


@dataclass(frozen=True, slots=True)
class Found:
    """A certificate that fits the words, and the number of its order; never its code."""

    certificate: Certificate
    order_number: str


@dataclass(frozen=True, slots=True)
class Results:
    """The certificates that fit, best and newest first; `are_near` when nothing fits and these differ by a slip."""

    found: list[Found]
    are_near: bool = False


def search_certificates(words: str) -> Results:
    """Return the certificates of the gifts that fit: those with the very words first, then those with parts of them."""
    found: dict[int, Found] = {}
    for query in (_wholly(words), _partly(words)):
        if query is not None and len(found) < MOST_RESULTS:
            found |= _read(query, without=found, most=MOST_RESULTS - len(found))
    if found or (near := _nearly(words)) is None:
        return Results(list(found.values()))
    return Results(list(_read(near, without={}, most=MOST_RESULTS).values()), are_near=True)


def find_exactly(words: str) -> int | None:
    """Return the id of the one order that a number or one of Stripe's ids names, or None."""
    one = _named_by(_tidy(words))
    return None if one is None else db.session.scalar(sa.select(Order.id).where(one, Order.purged_at.is_(None)))


def select_gifts(words: str) -> tuple[Query, bool]:
    """Return the query for the ids of the gifts that fit the words (none for no words), and whether they nearly do."""
    fitting = _partly(words)
    if fitting is None:
        return sa.select(Gift.id).where(sa.false()), False
    is_there = db.session.scalar(sa.select(sa.literal(1)).where(sa.exists(fitting.subquery().select())))
    near = None if is_there else _nearly(words)
    return (fitting, False) if near is None else (near, True)


def _read(query: Query, *, without: dict[int, Found], most: int) -> dict[int, Found]:
    rows = db.session.execute(
        sa.select(Certificate, Order)
        .join(GiftCertificate, GiftCertificate.certificate_id == Certificate.id)
        .join(Gift, Gift.id == GiftCertificate.gift_id)
        .join(Order, Order.id == Gift.order_id)
        .where(GiftCertificate.gift_id.in_(query), Certificate.id.not_in(without))
        .order_by(Certificate.id.desc())
        .limit(most)
    )
    return {certificate.id: Found(certificate, order.number) for certificate, order in rows}


def _wholly(words: str) -> Query | None:
    """Return the gifts in which all these words stand as they are."""
    if _named_by(_tidy(words)) is not None or "@" in words:
        return None
    folded = fold(words)[:MOST_WORDS]
    return sa.intersect(*[_holding(SearchWord.word == word, SearchWord) for word in folded]) if folded else None


def _partly(words: str) -> Query | None:
    """Return the gifts that the words name, or in which all of them stand, as parts of words too; None for no words."""
    words = _tidy(words)
    named, folded = _named_by(words), fold(words)[:MOST_WORDS]
    ways: list[Query] = list(_by_certificate(words))
    if named is not None:
        ways.append(sa.select(Gift.id).join(Order, Order.id == Gift.order_id).where(named))
    elif "@" in words:
        ways.append(_beginning(fold_address(words)))
    elif folded:
        ways.append(sa.intersect(*map(_beginning, folded)))
    return _any_of(ways)


def _nearly(words: str) -> Query | None:
    """Return the gifts in which all these words stand with at most one slip each, or written together or apart."""
    words = _tidy(words)
    folded = fold(words.rpartition("@")[0] if "@" in words else words)[:MOST_WORDS]
    if _named_by(words) is not None or not folded:
        return None
    ways: list[Query] = [sa.intersect(*map(_almost, folded))]
    ways += [
        sa.intersect(*map(_beginning, [*folded[:at], folded[at] + folded[at + 1], *folded[at + 2 :]]))
        for at in range(len(folded) - 1)
    ]
    if len(folded) == 1:
        ways += [
            sa.intersect(*[_holding(SearchWord.word == part, SearchWord) for part in (folded[0][:at], folded[0][at:])])
            for at in range(2, min(len(folded[0]) - 1, LONGEST_KEY))
        ]
    return _any_of(ways)


def _any_of(ways: list[Query]) -> Query | None:
    """Return the gifts that one of these queries finds; each stands by itself, as SQLite takes no brackets."""
    if not ways:
        return None
    return sa.union(*[sa.select(each.subquery().c[0]) for each in ways])


def _holding(condition: sa.ColumnElement[bool], by: type[SearchWord] | type[SearchKey]) -> sa.Select[int]:
    word_id = SearchWord.id if by is SearchWord else SearchKey.word_id
    return sa.select(SearchPlace.gift_id).join(by, word_id == SearchPlace.word_id).where(condition)


def _beginning(word: str) -> sa.Select[int]:
    """Return the gifts with a word, or the end of one, that begins so."""
    begun = word if "@" in word else word[:LONGEST_KEY]
    return _holding(sa.and_(SearchKey.key >= begun, SearchKey.key < begun + _LAST), SearchKey)


def _almost(word: str) -> sa.Select[int]:
    """Return the gifts with a word that begins so or differs by one slip."""
    is_slip, is_begun = SearchKey.key.in_(slips_of(word)), sa.and_(SearchKey.key >= word, SearchKey.key < word + _LAST)
    return _holding(sa.or_(is_slip, is_begun), SearchKey)


def _tidy(words: str) -> str:
    return unicodedata.normalize("NFKC", words).strip()


def _named_by(words: str) -> sa.ColumnElement[bool] | None:
    """Return the condition for words that name one order: its number, or the id of something of it at Stripe."""
    if number := _NUMBER.fullmatch(words):
        return Order.id == int(number[1]) - NUMBERED_FROM
    if words.startswith("pi_"):
        return Order.payment_intent_id == words
    named = {
        "cs_": sa.select(CheckoutAttempt.order_id).where(CheckoutAttempt.session_id == words),
        "re_": sa.select(Refund.order_id).where(Refund.stripe_refund_id == words),
        "dp_": sa.select(Dispute.order_id).where(Dispute.stripe_dispute_id == words),
    }
    named["du_"] = named["dp_"]
    return Order.id.in_(named[words[:3]]) if words[:3] in named else None


def _by_certificate(words: str) -> list[Query]:
    """Return the gifts of the certificate with that public id, and of those whose codes end so ("…QX9R", "qx9r")."""
    gifts = sa.select(GiftCertificate.gift_id).join(Certificate, Certificate.id == GiftCertificate.certificate_id)
    ways: list[Query] = []
    if re.fullmatch(r"[0-9A-Za-z]{10}", words):
        ways.append(gifts.where(Certificate.public_id == words.upper()))
    if (end := codes.read_end(re.sub(r"^[.…*•x\s-]+(?=.{4}$)", "", words))) is not None:
        ways.append(gifts.where(look_up.code_ends_with(end)))
    return ways


_NUMBER = re.compile(
    r"(?:order|number|no|nr|n°|nº|№|#|[\s.:])*(?:g[\s\-\u2010-\u2015\u2212]*)?([0-9]{4,12})", re.ASCII | re.IGNORECASE
)
