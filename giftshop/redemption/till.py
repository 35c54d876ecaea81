"""The till: what one certificate's page needs, and the two acts done there, each answered once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial

import sqlalchemy as sa

from giftshop import clock
from giftshop.catalog.models import Offer, PromiseRule
from giftshop.catalog.offers import find_offer, list_public_offers
from giftshop.certificates import look_up
from giftshop.certificates.status import version_of
from giftshop.errors import InvalidAmountError, InvalidCodeError, ShopError
from giftshop.foundation.database import db
from giftshop.ledger import posting
from giftshop.ledger.idempotency import Answer, answer_once, refuse_changed, seen_at
from giftshop.ledger.kinds import EntryKind
from giftshop.ledger.models import Certificate, HonouredSession, LedgerEntry
from giftshop.ledger.open_entries import is_open
from giftshop.money import format_choice, format_plain, parse_amount
from giftshop.redemption.promises import Promise, find_promise
from giftshop.words import _

SESSION, OTHER = "session", "other"
"""What the form sends in the place of figures: all of it for the session that was promised, or what is typed."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An amount to take with one tap: what it is called, and its figures as the form sends them, or SESSION."""

    label: str
    detail: str
    amount: str
    amount_cents: int


class NotOurAddressError(InvalidCodeError):
    """That QR code leads somewhere else. It isn’t on one of our certificates."""


class NothingTypedError(InvalidCodeError):
    """Type the code that is on the certificate, or scan it."""


class NothingFitsError(InvalidCodeError):
    """Nothing fits these words. Check the spelling, or type the code."""


class TwoAmountsError(InvalidAmountError):
    """You chose one amount and typed another. Look which one is right, then press Redeem again."""


class ChooseFirstError(InvalidAmountError):
    """Choose first: the session that was promised, or what was paid for it."""


class NothingPromisedError(ShopError):
    """The session’s price or the rule for it has changed meanwhile. Look what is offered now."""


def find_by_scan(typed: str) -> Certificate:
    """Return the certificate whose code, or address with the code in it, was typed or scanned.

    Raises InvalidCodeError or a subclass that says more, CertificateNotFoundError.
    """
    try:
        return look_up.get_by_scan(typed)
    except InvalidCodeError as refusal:
        if type(refusal) is not InvalidCodeError:
            raise
        if not typed.strip():
            raise NothingTypedError from None
        raise (NotOurAddressError if "://" in typed else InvalidCodeError) from None


def find_usual_offer(certificate: Certificate) -> Offer | None:
    """Return the session that was bought, or the usual one, at today's price."""
    bought = find_offer(certificate.offer_slug) if certificate.service_name else None
    if bought is not None and bought.visibility == "retired":
        bought = None
    offers = [offer for offer in list_public_offers() if offer.kind == "session"]
    return bought or next((offer for offer in offers if offer.minutes == 60), offers[0] if offers else None)


def list_choices(certificate: Certificate, usual: Offer | None, promise: Promise | None) -> list[Choice]:
    """Return what to offer: the session, as promised or if enough is left for it, then all that is left."""
    left, currency = certificate.balance_cents, certificate.currency
    if promise is not None and promise.may_be_honoured:
        as_promised = _("%(session)s, as promised", session=promise.name)
        is_asked = promise.rule == PromiseRule.ASK
        as_money = _("All of it, as its value") if is_asked else _("All of it, for something else")
        return [
            Choice(format_choice(left, currency), as_promised, SESSION, left),
            _choice(left, as_money, currency),
        ]
    choices = []
    if usual is not None and usual.price_cents < left:
        choices.append(_choice(usual.price_cents, usual.name, currency))
    return [*choices, _choice(left, _("All of it"), currency)]


def must_choose(certificate: Certificate) -> bool:
    """Tell whether the owner wants to be asked before the promised session is given, so that nothing is preselected."""
    promise = find_promise(certificate)
    return promise is not None and promise.is_dearer and promise.rule == PromiseRule.ASK


def find_last_redemption(certificate: Certificate) -> LedgerEntry | None:
    """Return the newest redemption that was not undone, or None."""
    query = (
        sa.select(LedgerEntry)
        .where(LedgerEntry.certificate_id == certificate.id, LedgerEntry.kind == EntryKind.REDEEM)
        .where(is_open())
        .order_by(LedgerEntry.sequence.desc())
        .limit(1)
    )
    return db.session.scalar(query)


def redeem(
    certificate: Certificate, amount_cents: int, *, note: str, staff_id: int, request_key: str, mode: str, on: date
) -> Answer:
    """Take an amount off once, however often the form arrives. The caller commits."""
    actor = f"staff:{staff_id}"
    cause = posting.Cause(actor=actor, scope=f"redeem:{actor}", key=request_key, at=clock.now())

    def act() -> dict[str, object]:
        found = version_of(posting.lock_certificate(certificate.id)) if seen_at(request_key) else ()
        entry = posting.redeem(certificate.id, amount_cents, on=on, mode=mode, cause=cause, note=note)
        refuse_changed(request_key, *found)  # after what says more; what was taken is put back with it
        return _facts(entry)

    body = _body("redeem", certificate, amount=amount_cents)
    return answer_once(scope=cause.scope, key=request_key, body=body, act=act)


def honour(certificate: Certificate, *, note: str, staff_id: int, request_key: str, mode: str, on: date) -> Answer:
    """Give the session that was promised for all that is left, once; what it costs more today stands beside it.

    The caller commits.
    """
    actor = f"staff:{staff_id}"
    cause = posting.Cause(actor=actor, scope=f"redeem:{actor}", key=request_key, at=clock.now())

    def act() -> dict[str, object]:
        # Another till may be at it: what is read once the row is locked stays so.
        locked = posting.lock_certificate(certificate.id)
        refuse_changed(request_key, *version_of(locked))
        promise = find_promise(locked)
        if promise is None or not promise.may_be_honoured:
            raise NothingPromisedError
        all_of_it = promise.left_cents or promise.paid_cents  # of an empty one the ledger says why it is refused
        entry = posting.redeem(certificate.id, all_of_it, on=on, mode=mode, cause=cause, note=note)
        db.session.add(
            HonouredSession(
                entry_id=entry.id,
                service_name=promise.name,
                promised_cents=promise.paid_cents,
                price_cents=promise.today_cents,
            )
        )
        return _facts(entry)

    body = _body("honour", certificate)
    return answer_once(scope=cause.scope, key=request_key, body=body, act=act)


def take_back(
    certificate: Certificate, entry_id: int, *, reason: str, staff_id: int, is_manager: bool, request_key: str
) -> Answer:
    """Undo a redemption once; `reason` as `read_reason` gives it, empty for one's own. The caller commits."""
    actor = f"staff:{staff_id}"
    cause = posting.Cause(actor=actor, scope=f"undo:{actor}", key=request_key, at=clock.now(), reason_code=reason)

    def act() -> dict[str, object]:
        return _facts(posting.reverse(entry_id, certificate_id=certificate.id, is_manager=is_manager, cause=cause))

    body = _body("undo", certificate, entry=entry_id)
    return answer_once(scope=cause.scope, key=request_key, body=body, act=act)


def read_amount(chosen: str, typed: str, currency: str) -> int:
    """Read the amount to take: a choice's figures, or what was typed beside "other".

    Raises InvalidAmountError, TwoAmountsError: without a script, typing does not move the choice.
    """
    if typed.strip() and chosen not in ("", OTHER):
        raise TwoAmountsError
    amount_cents = parse_amount(typed if chosen in ("", OTHER) else chosen, currency)
    if amount_cents <= 0:
        raise InvalidAmountError
    return amount_cents


def _choice(amount_cents: int, detail: str, currency: str) -> Choice:
    return Choice(format_choice(amount_cents, currency), detail, format_plain(amount_cents, currency), amount_cents)


def _body(act: str, certificate: Certificate, **more: object) -> dict[str, object]:
    """Return what tells one request from another under the same key."""
    return {"act": act, "certificate": certificate.public_id, **more}


def _facts(entry: LedgerEntry) -> dict[str, object]:
    return {
        "entry": entry.id,
        "version": entry.sequence,
        "balance_after": entry.balance_after_cents,
        "taken": entry.amount_cents,
    }


def read_taking(certificate: Certificate, chosen: str, typed: str) -> Callable[..., Answer]:
    """Return what is to be done by what was chosen: give the promised session, or take an amount."""
    if chosen == SESSION and not typed.strip():
        return partial(honour, certificate)
    if not (chosen or typed.strip()) and must_choose(certificate):
        raise ChooseFirstError
    return partial(redeem, certificate, read_amount(chosen, typed, certificate.currency))
