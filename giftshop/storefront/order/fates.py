"""What became of each gift of an order: a state, a sentence and what may still be changed, for the buyer's page."""

from dataclasses import dataclass
from datetime import datetime

from giftshop import clock, dates
from giftshop.catalog.models import Practice
from giftshop.certificates.look_up import code_of
from giftshop.corrections.gifts import list_ways
from giftshop.delivery.kinds import MessageKind
from giftshop.delivery.models import Delivery
from giftshop.delivery.states import DeliveryState
from giftshop.delivery.timing import due_at, moment_of
from giftshop.ledger.kinds import EntryKind
from giftshop.ledger.models import Certificate, LedgerEntry
from giftshop.ledger.states import CertificateStatus
from giftshop.money import format_amount
from giftshop.orders.models import Gift
from giftshop.orders.states import OrderState, RefundState
from giftshop.storefront.order.affairs import Affairs
from giftshop.words import N_, _

_CHANGES = {
    DeliveryState.SCHEDULED: N_("Change the address or the day, or cancel"),
    DeliveryState.SENT: N_("Wrong address? Change it"),
    DeliveryState.FAILED: N_("Fix the address and send it again"),
    DeliveryState.CANCELLED: N_("Email it to them after all"),
}
"""What the way to change a gift is called, by the state of its message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of one gift: a state to style by, sentences, the codes its buyer may see, the way to change it."""

    gift: Gift
    state: str
    sentence: str
    notes: list[str]
    codes: list[str]
    change: str


def list_fates(affairs: Affairs) -> list[Fate]:
    """Say for each gift of an order where it is; a code only where it came to the buyer and can be used."""
    return [_tell_fate(gift, affairs) for gift in affairs.order.gifts]


def _tell_fate(gift: Gift, affairs: Affairs) -> Fate:
    certificates, message = affairs.of_gift(gift), affairs.messages.get(gift.id)
    state, sentence = _whereabouts(gift, message, affairs)
    in_hand = [] if gift.delivery == "recipient" else certificates
    return Fate(
        gift=gift,
        state=state,
        sentence=sentence,
        notes=_notes(certificates, affairs) if certificates else [],
        codes=[code_of(certificate) for certificate in in_hand if certificate.status == CertificateStatus.ACTIVE],
        change=_name_change(message, certificates),
    )


def _name_change(message: Delivery | None, certificates: list[Certificate]) -> str:
    ways = list_ways(message, certificates)
    if message is None or not ways:
        return ""
    return _("Email it to me again") if "copy" in ways else _(_CHANGES[DeliveryState(message.state)])


def _whereabouts(gift: Gift, message: Delivery | None, affairs: Affairs) -> tuple[str, str]:
    """Return a gift's state and the sentence that tells it."""
    certificates = affairs.of_gift(gift)
    alive = [certificate for certificate in certificates if certificate.status != CertificateStatus.VOID]
    if certificates and not alive:
        return "ended", _tell_end(certificates, affairs)
    if alive and all(certificate.status == CertificateStatus.FROZEN for certificate in alive):
        return "held", _tell_hold(affairs)
    if affairs.order.state != OrderState.FULFILLED or message is None:
        return "open", _intention(gift, affairs.practice)
    is_mailed = gift.delivery == "recipient"
    return message.state, _tell_mailed(message, affairs.practice) if is_mailed else _tell_in_hand(message)


def _tell_end(certificates: list[Certificate], affairs: Affairs) -> str:
    back = _went_back(certificates, affairs)
    if any(entry.kind == EntryKind.DISPUTE_LOST for entry in back):
        return _("The bank gave its payment back, so it can no longer be used")
    if len(back) > 1:
        pattern = N_("%(amount)s went back, the last of it on %(day)s, so it can no longer be used")
        return _(pattern, **_sum_up(back, affairs))
    if back:
        return _("%(amount)s went back on %(day)s, so it can no longer be used", **_sum_up(back, affairs))
    return _(
        "It has ended and can no longer be used. Is that a surprise? Call us on %(phone)s",
        phone=affairs.practice.phone,
    )


def _tell_hold(affairs: Affairs) -> str:
    if affairs.is_questioned:
        return _("On hold while a bank looks into the payment")
    return _("On hold for the moment. Please call us on %(phone)s", phone=affairs.practice.phone)


def _notes(certificates: list[Certificate], affairs: Affairs) -> list[str]:
    """Say what else happened to a gift that is still good for something."""
    alive = [certificate for certificate in certificates if certificate.status != CertificateStatus.VOID]
    held, count = sum(certificate.status == CertificateStatus.FROZEN for certificate in alive), len(certificates)
    on_hold = _(
        "%(held)s of %(count)s on hold. Please call us on %(phone)s",
        held=held,
        count=count,
        phone=affairs.practice.phone,
    )
    notes = {
        _tell_part(_went_back(certificates, affairs), affairs): True,
        _("%(alive)s of %(count)s can still be used", alive=len(alive), count=count): len(alive) < count,
        on_hold: 0 < held < len(alive),
        _tell_coming(alive, affairs): True,
        _tell_renewal(alive, affairs): True,
    }
    return [note for note, is_so in notes.items() if alive and is_so and note]


def _tell_coming(certificates: list[Certificate], affairs: Affairs) -> str:
    ids = {certificate.id for certificate in certificates}
    held = [each for each in affairs.refunds if each.state == RefundState.HELD and each.certificate_id in ids]
    amount = format_amount(sum(each.amount_cents for each in held), affairs.order.currency)
    return _("%(amount)s of it is on its way back to you", amount=amount) if held else ""


def _tell_renewal(certificates: list[Certificate], affairs: Affairs) -> str:
    ids = {certificate.id for certificate in certificates}
    moments = [each.replaced_at for each in affairs.replaced if each.certificate_id in ids]
    if not moments:
        return ""
    day = dates.write_local_day(max(moments), affairs.practice.time_zone)
    return _("New code since %(day)s: an older email or print of it no longer works", day=day)


def _went_back(certificates: list[Certificate], affairs: Affairs) -> list[LedgerEntry]:
    mine = {certificate.id for certificate in certificates}
    return [entry for entry in affairs.went_back if entry.certificate_id in mine]


def _tell_part(back: list[LedgerEntry], affairs: Affairs) -> str:
    if len(back) > 1:
        return _("Of this, %(amount)s went back, the last of it on %(day)s", **_sum_up(back, affairs))
    return _("Of this, %(amount)s went back on %(day)s", **_sum_up(back, affairs)) if back else ""


def _sum_up(entries: list[LedgerEntry], affairs: Affairs) -> dict[str, str]:
    """Return what a sentence about money that went back names: how much in all, and the day of the last of it."""
    amount = format_amount(sum(entry.amount_cents for entry in entries), affairs.order.currency)
    day = dates.write_local_day(entries[-1].created_at, affairs.practice.time_zone)
    return {"amount": amount, "day": day}


def _tell_mailed(message: Delivery, practice: Practice) -> str:
    address = message.to_address
    due = due_at(message, practice)
    if message.state == DeliveryState.SCHEDULED and due > clock.now():
        return _goes_later(address, due, practice)
    moment = dates.write_zoned_moment(message.sent_at or message.send_at, practice.time_zone)
    sentences = {
        DeliveryState.SENT: _("Emailed to %(address)s on %(moment)s", address=address, moment=moment),
        DeliveryState.FAILED: _(
            "We couldn’t deliver it to %(address)s. Nothing is lost: with the right address it goes out again",
            address=address,
        ),
        DeliveryState.CANCELLED: _("The email was cancelled"),
    }
    return sentences.get(DeliveryState(message.state), _("On its way to %(address)s", address=address))


def _tell_in_hand(message: Delivery) -> str:
    if message.kind == MessageKind.GIFT:
        return _("Ready to print. The email to them was cancelled, as you asked")
    address = message.to_address
    sentences = {
        DeliveryState.SENT: _("Ready to print. A copy was emailed to %(address)s", address=address),
        DeliveryState.FAILED: _("Ready to print. The copy for %(address)s couldn’t be delivered", address=address),
        DeliveryState.CANCELLED: _("Ready to print"),
    }
    return sentences.get(
        DeliveryState(message.state), _("Ready to print. A copy is on its way to %(address)s", address=address)
    )


def _intention(gift: Gift, practice: Practice) -> str:
    """Say what will happen to a gift once it is paid."""
    if gift.delivery == "print":
        return _("To print at home")
    if gift.delivery == "buyer":
        return _("Comes to you by email")
    due = moment_of(gift.deliver_on, practice) if gift.deliver_on else None
    if due is None or due <= clock.now():
        return _("Goes to %(address)s right after payment", address=gift.recipient_email)
    return _goes_later(gift.recipient_email, due, practice)


def _goes_later(address: str, at: datetime, practice: Practice) -> str:
    moment = dates.write_appointment(at, practice.time_zone)
    return _("Goes to %(address)s on %(moment)s", address=address, moment=moment)
