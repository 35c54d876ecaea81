"""Where each gift of an order is: a state, a sentence and what may still be changed, for the buyer's page."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from giftshop import clock, dates
from giftshop.catalog.models import Practice
from giftshop.certificates.look_up import code_of
from giftshop.corrections.gifts import list_ways, version_of
from giftshop.delivery.faults import MailFault, is_ours
from giftshop.delivery.kinds import MessageKind
from giftshop.delivery.models import Delivery
from giftshop.delivery.states import WAITING, DeliveryState
from giftshop.delivery.stuck import gives_up_at
from giftshop.delivery.timing import due_at, moment_of
from giftshop.ledger.models import Certificate
from giftshop.orders.models import Gift
from giftshop.orders.standings import USABLE
from giftshop.orders.states import OrderState
from giftshop.storefront.order.affairs import Affairs
from giftshop.storefront.order.standing_words import first_standing, list_notes, tell_standing
from giftshop.web.form_state import form_key
from giftshop.words import N_, _

_CHANGES = {
    DeliveryState.SCHEDULED: N_("Change the address or the day, or cancel"),
    DeliveryState.SENT: N_("Wrong address? Change it"),
    DeliveryState.CANCELLED: N_("Email it to them after all"),
}
"""What the way to change a gift is called, by the state of its message; of one that came back the form is here."""
LATE = timedelta(hours=1)
"""What goes out by this much after its promised moment is said to be late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """Where one gift is: a state to style by, sentences, the codes its buyer may see, the way to change it.

    Of one that was given up `mend_key` is the request key of the form that takes another address, on the page itself;
    `trouble` says why its email is not out, where it was tried in vain (delivery/faults.py).
    """

    gift: Gift
    state: str
    sentence: str
    notes: list[str]
    codes: list[str]
    change: str
    mend_key: str
    trouble: str

    @property
    def is_our_fault(self) -> bool:
        """Whether its email never got as far as the recipient's mail server."""
        return is_ours(self.trouble)


def list_fates(affairs: Affairs) -> list[Fate]:
    """Say for each gift of an order where it is; a code only where it came to the buyer and can be used."""
    return [_tell_fate(gift, affairs) for gift in affairs.order.gifts]


def tell_where(gift: Gift, affairs: Affairs) -> str:
    """Say where one gift is, in one sentence."""
    return _whereabouts(gift, affairs.messages.get(gift.id), affairs)[1]


def _tell_fate(gift: Gift, affairs: Affairs) -> Fate:
    certificates, message = affairs.of_gift(gift), affairs.messages.get(gift.id)
    state, sentence = _whereabouts(gift, message, affairs)
    in_hand = [] if gift.delivery == "recipient" else affairs.list_situations(gift)
    return Fate(
        gift=gift,
        state=state,
        sentence=sentence,
        notes=list_notes(affairs.list_situations(gift), affairs.practice),
        codes=[code_of(each.certificate) for each in in_hand if each.standing in USABLE],
        change=_name_change(message, certificates),
        mend_key=_mend_key(gift, message, certificates) if state == DeliveryState.FAILED else "",
        trouble=message.trouble if message else "",
    )


def _mend_key(gift: Gift, message: Delivery | None, certificates: list[Certificate]) -> str:
    """Return a request key for sending a gift that came back to another address; none where that cannot be."""
    if message is None or "address" not in list_ways(message, certificates):
        return ""
    return form_key(*version_of(gift, message, certificates))


def _name_change(message: Delivery | None, certificates: list[Certificate]) -> str:
    ways = list_ways(message, certificates)
    if message is None or not ways:
        return ""
    return _("Email it to me again") if "copy" in ways else _(_CHANGES.get(DeliveryState(message.state), ""))


def _whereabouts(gift: Gift, message: Delivery | None, affairs: Affairs) -> tuple[str, str]:
    """Return a gift's state and the sentence that tells it."""
    situations = affairs.list_situations(gift)
    standing = first_standing(situations)
    if standing is not None:
        return standing, tell_standing(standing, situations, affairs.practice)
    if affairs.order.state != OrderState.FULFILLED or message is None:
        return "open", _intention(gift, affairs.practice)
    is_mailed = gift.delivery == "recipient"
    return message.state, _tell_mailed(message, affairs.practice) if is_mailed else _tell_in_hand(message)


def _tell_mailed(message: Delivery, practice: Practice) -> str:
    address = message.to_address
    due = due_at(message, practice)
    if message.state == DeliveryState.SCHEDULED and due > clock.now():
        return _goes_later(address, due, practice)
    if message.trouble or message.state == DeliveryState.FAILED:
        return _tell_trouble(message, practice)
    moment = dates.write_zoned_moment(message.sent_at or message.ended_at or message.send_at, practice.time_zone)
    sentences = {
        DeliveryState.SENT: _tell_sent(message, moment, practice),
        DeliveryState.CANCELLED: _("The email was cancelled"),
    }
    return sentences.get(DeliveryState(message.state), _("On its way to %(address)s", address=address))


def _tell_sent(message: Delivery, moment: str, practice: Practice) -> str:
    """Say when a gift went out; and when it should have, where that was long before."""
    if message.sent_at is None or message.sent_at < message.send_at + LATE:
        return _("Emailed to %(address)s on %(moment)s", address=message.to_address, moment=moment)
    return _(
        "Emailed to %(address)s on %(moment)s, later than it should have been (%(due)s): the email was held up",
        address=message.to_address,
        moment=moment,
        due=dates.write_zoned_moment(message.send_at, practice.time_zone),
    )


def _tell_trouble(message: Delivery, practice: Practice) -> str:
    """Say why a gift's email is not out yet, or was given up: whose fault it is, and what happens now."""
    waits, ends_at = message.state in WAITING, gives_up_at(message) or message.send_at
    at = ends_at if waits else message.ended_at or ends_at
    said = _WAITS if waits else _GIVEN_UP
    kind = MailFault.REFUSED if is_ours(message.trouble) else message.trouble
    return _(
        said.get(MailFault(kind or MailFault.NO_SUCH_MAILBOX), said[MailFault.NO_SUCH_MAILBOX]),
        address=message.to_address,
        due=dates.write_zoned_moment(message.send_at, practice.time_zone),
        moment=dates.write_zoned_moment(at, practice.time_zone),
    )


_WAITS = {
    MailFault.REFUSED: N_(
        "Late: it should have gone to %(address)s on %(due)s. Our emails don’t go out at the moment; it is not because "
        "of the address. We keep trying until %(moment)s"
    ),
    MailFault.PUT_OFF: N_(
        "Not there yet: the mail server asks us to try %(address)s again later. We keep trying until %(moment)s"
    ),
    MailFault.MAILBOX_FULL: N_(
        "Not there yet: the mailbox of %(address)s is full. We keep trying until %(moment)s, or change the address"
    ),
    MailFault.NO_SUCH_MAILBOX: N_("On its way to %(address)s"),
}
"""What is said of a message that is tried again: by our own fault (whichever it is), and by what the address has."""
_GIVEN_UP = {
    MailFault.REFUSED: N_(
        "We couldn’t send it to %(address)s: that is our fault, not the address’s. Nothing is lost: send it again, or "
        "call us. We stopped trying on %(moment)s"
    ),
    MailFault.PUT_OFF: N_(
        "We couldn’t deliver it to %(address)s: the mail server put it off for days. Nothing is lost: send it again, "
        "there or to another address. We stopped trying on %(moment)s"
    ),
    MailFault.MAILBOX_FULL: N_(
        "We couldn’t deliver it to %(address)s: the mailbox stayed full. Nothing is lost: send it again, there or to "
        "another address. We stopped trying on %(moment)s"
    ),
    MailFault.NO_SUCH_MAILBOX: N_(
        "We couldn’t deliver it to %(address)s. Nothing is lost: with the right address it goes out again. "
        "It came back on %(moment)s"
    ),
}


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
