"""The sentences a holder reads in each state of a certificate, and what each movement is called, as tables."""

from dataclasses import dataclass

from giftshop.ledger.kinds import EntryKind
from giftshop.orders.standings import HELD, Standing
from giftshop.words import N_


@dataclass(frozen=True, slots=True)
class Words:
    """What a holder reads in one state: a heading with the name, one without, and a sentence, if there is more."""

    heading: str
    bare: str
    sentence: str = ""


_CALL = N_("Please call us about this certificate")
_ON_HOLD = N_("This certificate is on hold")
WORDS = {
    Standing.FULL: Words(N_("%(name)s, you have %(left)s to spend"), N_("%(left)s left to spend")),
    Standing.PART_USED: Words(
        N_("%(name)s, you have %(left)s to spend"),
        N_("%(left)s left to spend"),
        N_("You’ve used %(spent)s of %(face)s."),
    ),
    Standing.USED_UP: Words(
        N_("%(name)s, this one is used up"),
        N_("This certificate is used up"),
        N_("%(spent)s have been spent, the last of it on %(day)s. We hope they did you good."),
    ),
    Standing.EXPIRED: Words(
        N_("%(name)s, this certificate has expired"),
        N_("This certificate has expired"),
        N_("It could be used until %(last_day)s, and %(left)s was left. Call %(phone)s; we’ll see what we can do."),
    ),
    Standing.ON_HOLD: Words(
        _CALL,
        _CALL,
        N_(
            "We’d like a word before it is used. We put it on hold on %(day)s; the %(amount)s on it stays there. "
            "Call %(phone)s and have this page open; it takes a minute."
        ),
    ),
    Standing.WARNED: Words(
        _CALL,
        _CALL,
        N_(
            "We have a question about its payment. It has been on hold since %(day)s; the %(amount)s on it stays "
            "there. Call %(phone)s and have this page open; it takes a minute."
        ),
    ),
    Standing.DISPUTED: Words(
        N_("%(name)s, this certificate is on hold"),
        _ON_HOLD,
        N_(
            "Since %(day)s a bank has been looking into the payment for it. Until the bank has decided, the "
            "%(amount)s on it can’t be used. There is nothing you have to do. Call %(phone)s before you come."
        ),
    ),
    Standing.RETURNED: Words(
        _CALL,
        _CALL,
        N_(
            "Money came back to it, and there is %(amount)s on it. It has been on hold since %(day)s, until we have "
            "looked at that. Call %(phone)s before you come."
        ),
    ),
    Standing.OVERDRAWN: Words(
        _CALL,
        _CALL,
        N_(
            "Money was paid back to whoever bought it. It has been on hold since %(day)s, with %(amount)s on it, until "
            "we have looked at that. Call %(phone)s before you come."
        ),
    ),
    Standing.BEING_REFUNDED: Words(
        N_("%(name)s, this certificate is being paid back"),
        N_("This certificate is being paid back"),
        N_(
            "Since %(day)s, %(amount)s is on its way back to whoever bought it, so it can’t be used. Is that a "
            "surprise? Call %(phone)s and we will look together."
        ),
    ),
    Standing.REFUNDED: Words(
        N_("%(name)s, this certificate was paid back"),
        N_("This certificate was paid back"),
        N_(
            "%(amount)s went back to whoever bought it on %(day)s, so it can no longer be used. Is that a surprise? "
            "Call %(phone)s and we will look together."
        ),
    ),
    Standing.LOST: Words(
        N_("%(name)s, this certificate can no longer be used"),
        N_("This certificate can no longer be used"),
        N_(
            "A bank gave the payment for it back on %(day)s, and with it the %(amount)s that was left. Is that a "
            "surprise? Call %(phone)s and we will look together."
        ),
    ),
    Standing.ENDED: Words(
        N_("%(name)s, this certificate has ended"),
        N_("This certificate has ended"),
        N_(
            "We ended it on %(day)s, with %(amount)s on it, so it can no longer be used. Is that a surprise? Call "
            "%(phone)s and we will look together."
        ),
    ),
}
EMPTY = {
    **dict.fromkeys(
        HELD, N_("It has been on hold since %(day)s, and nothing is left on it. Call %(phone)s before you come.")
    ),
    Standing.LOST: N_("A bank gave the payment for it back on %(day)s. Nothing was left on it then."),
    Standing.ENDED: N_("It can no longer be used. Is that a surprise? Call %(phone)s and we will look together."),
}
"""The sentence of a state where there is no amount to name."""
MOVEMENTS: dict[EntryKind, str] = {
    EntryKind.ISSUE: N_("Gift from %(giver)s"),
    EntryKind.PROMOTE: N_("Given by us"),
    EntryKind.IMPORT: N_("Taken over from an earlier certificate"),
    EntryKind.REDEEM: N_("Used for a visit"),
    EntryKind.REVERSAL: N_("Put back"),
    EntryKind.CASH_OUT: N_("Paid out"),
    EntryKind.ESCHEAT: N_("Handed to the state, as the law asks"),
    EntryKind.BREAKAGE: N_("Written off by us"),
    EntryKind.VOID: N_("Ended by us"),
    EntryKind.REFUND_HOLD: N_("To be paid back to whoever bought it"),
    EntryKind.REFUND_SETTLED: N_("Paid back to whoever bought it"),
    EntryKind.REFUND_RELEASED: N_("Not paid back after all"),
    EntryKind.REFUND_EXTERNAL: N_("Paid back to whoever bought it"),
    EntryKind.REFUND_RETURNED: N_("Came back: the bank didn’t take it"),
    EntryKind.DISPUTE_HOLD: N_("On hold: a bank looks into the payment"),
    EntryKind.DISPUTE_LOST: N_("The bank gave the payment back"),
    EntryKind.DISPUTE_RELEASED: N_("No longer on hold for the bank"),
    EntryKind.DISPUTE_RECOVERED: N_("The bank decided for us after all"),
    EntryKind.LOSS: "",
    EntryKind.LOSS_RECOVERED: "",
}
"""What each movement is called in the history; the shop's own losses are none of a holder's."""

_WAITS = N_("It has been on hold since %(day)s, and what is on it stays there. Call %(phone)s before you come.")
UNPRICED: dict[Standing, Words] = {
    Standing.FULL: Words(
        N_("%(name)s, %(a_session)s is waiting for you"),
        N_("There is %(a_session)s on it"),
        N_("Its price was left out. We see it when you come, and take off what your visit costs."),
    ),
    Standing.PART_USED: Words(
        WORDS[Standing.PART_USED].heading, WORDS[Standing.PART_USED].bare, N_("You’ve used some of it.")
    ),
    Standing.USED_UP: Words("", "", N_("The last of it was used on %(day)s. We hope it did you good.")),
    Standing.EXPIRED: Words(
        "", "", N_("It could be used until %(last_day)s. Call %(phone)s; we’ll see what we can do.")
    ),
    **dict.fromkeys(HELD, Words("", "", _WAITS)),
    Standing.BEING_REFUNDED: Words(
        "",
        "",
        N_(
            "It has been on its way back to whoever bought it since %(day)s, so it can’t be used. Is that a surprise? "
            "Call %(phone)s and we will look together."
        ),
    ),
    Standing.REFUNDED: Words(
        "",
        "",
        N_(
            "It went back to whoever bought it on %(day)s, so it can no longer be used. Is that a surprise? "
            "Call %(phone)s and we will look together."
        ),
    ),
    Standing.LOST: Words(
        "",
        "",
        N_(
            "A bank gave the payment for it back on %(day)s. Is that a surprise? Call %(phone)s and we will look "
            "together."
        ),
    ),
    Standing.ENDED: Words(
        "",
        "",
        N_(
            "We ended it on %(day)s, so it can no longer be used. Is that a surprise? Call %(phone)s and we will look "
            "together."
        ),
    ),
}
"""The same where the buyer left the price out: nothing tells it. Where no heading stands, it is the usual one."""
