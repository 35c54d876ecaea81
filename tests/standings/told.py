"""What is to be read of a certificate in each of its states: what the pages of all four readers are held to."""

from dataclasses import dataclass, field

PHONE = "(970) 555-0134"
THANKS = "Thank you, Marko. Ana’s massage has been sent."
GOOD = "Ana, you have $95.00 to spend"
CALL = "Please call us about this certificate"
ON_HOLD = "This order is on hold for the moment"


@dataclass(frozen=True)
class Told:
    """What is to be read first, and the sentences that have to stand on the page; `{day}` is today."""

    head: str
    says: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """A state and its four readers."""

    holder: Told
    buyer: Told
    till: Told
    office: Told = field(default_factory=lambda: Told("Good to use"))


ROWS: dict[str, Row] = {
    "paid": Row(
        Told(GOOD),
        Told("Thank you, Marko. Ana’s certificate is ready to print.", ("Ready to print",)),
        Told("$95.00 left", ("Good to use. For Ana, from Marko",)),
    ),
    "waiting": Row(
        Told(GOOD),
        Told("Thank you, Marko. Ana’s massage goes out on the day you chose.", ("Goes to ana@example.com on",)),
        Told("$95.00 left", ("Not sent yet: it goes to Ana on", "Ask how they came by it")),
    ),
    "sent": Row(
        Told(GOOD), Told(THANKS, ("Emailed to ana@example.com on",)), Told("$95.00 left", ("Good to use. For Ana",))
    ),
    "bounced": Row(
        Told(GOOD),
        Told(
            "Thank you, Marko. Ana’s email came back.", ("We couldn’t deliver it to ana@example.com.", "It came back")
        ),
        Told("$95.00 left", ("Its email to Ana came back", "Ask how they came by it")),
    ),
    "part used": Row(
        Told("Ana, you have $55.00 to spend", ("You’ve used $40.00 of $95.00.",)),
        Told(THANKS, ("$40.00 of it was used, the last time on {day}",)),
        Told("$55.00 left", ("Last taken $40.00",)),
        Told("Good to use", ("$40.00 was used, the last of it on {day}.",)),
    ),
    "used up": Row(
        Told("Ana, this one is used up", ("$95.00 have been spent, the last of it on {day}.",)),
        Told("This order is used up", ("All of it was used, $95.00, the last of it on {day}",)),
        Told("Already used up", ("The last $95.00 was taken",)),
        Told("Used up", ("$95.00 was used, the last of it on {day}.",)),
    ),
    "expired": Row(
        Told("Ana, this certificate has expired", ("until February 1, 2026, and $95.00 was left.", PHONE)),
        Told(
            "The last day to use this order is over",
            ("It could be used until February 1, 2026, and $95.00 was left. Call us on (970) 555-0134",),
        ),
        Told("Expired Feb 1, 2026", ("$95.00 was left. The owner can extend it",)),
        Told("Expired", ("It could be used until February 1, 2026.",)),
    ),
    "on hold": Row(
        Told(CALL, ("We put it on hold on {day}; the $95.00 on it stays there.", PHONE)),
        Told(ON_HOLD, ("Please call us on (970) 555-0134. $95.00 has waited on it since {day}",)),
        Told(
            "On hold",
            ("A manager put it on hold on {day}: screenshot went round. $95.00 is on it. Don’t redeem it.",),
        ),
        Told("On hold", ("$95.00 has waited on it since {day}.", "On hold: screenshot went round")),
    ),
    "fraud warning": Row(
        Told(CALL, ("We have a question about its payment. It has been on hold since {day}; the $95.00",)),
        Told(ON_HOLD, ("On hold since {day}: we have a question about the payment. $95.00 waits on it.",)),
        Told("On hold, maybe fraud", ("bank warned on {day} that the payment may be fraud. $95.00 is on it",)),
        Told("On hold, maybe fraud", ("$95.00 has waited on it since {day}.",)),
    ),
    "disputed": Row(
        Told(
            "Ana, this certificate is on hold",
            (
                "Since {day} a bank has been looking into the payment for it.",
                "the $95.00 on it can’t be used.",
                "On hold: a bank looks into the payment −$95.00",
                PHONE,
            ),
        ),
        Told(
            ON_HOLD,
            (
                "A bank is looking into $95.00 of this payment.",
                "On hold while a bank looks into the payment, since {day}: $95.00 waits on it.",
            ),
        ),
        Told(
            "On hold, disputed",
            ("bank has questioned the payment since {day}. $95.00 waits until it has decided. Don’t",),
        ),
        Told("On hold, disputed", ("$95.00 has waited since {day} for the bank to decide about the payment.",)),
    ),
    "lost": Row(
        Told(
            "Ana, this certificate can no longer be used",
            (
                "A bank gave the payment for it back on {day}, and with it the $95.00 that was left.",
                "The bank gave the payment back – $0.00",
                PHONE,
            ),
        ),
        Told("The bank gave this payment back", ("can no longer be used since {day}. $95.00 was left on it then",)),
        Told("Lost to the bank", ("gave the payment back on {day}, and with it the $95.00 that was left",)),
        Told("Lost to the bank", ("on {day}, and with it the $95.00 that was left.",)),
    ),
    "lost after use": Row(
        Told(
            "Ana, this certificate can no longer be used",
            ("on {day}. Nothing was left on it then.", "$95.00 of it had been used before."),
        ),
        Told("The bank gave this payment back", ("The bank gave its payment back on {day}. Nothing was left",)),
        Told("Lost to the bank", ("Nothing was left on it then",)),
        Told("Lost to the bank", ("Nothing was left on it then. $95.00 was used, the last of it on {day}.",)),
    ),
    "won": Row(
        Told(GOOD, ("A bank looked into its payment until {day}. That is over, and it can be used again.",)),
        Told(THANKS, ("A bank looked into $95.00 of this payment until {day}, and left it with us.",)),
        Told("$95.00 left", ("Good to use.", "Bank’s question Ended on {day}, decided for us")),
        Told("Good to use", ("The bank’s question ended on {day}, decided for you.",)),
    ),
    "won while on hold": Row(
        Told(CALL, ("We put it on hold on {day}; the $95.00 on it stays there.",)),
        Told(ON_HOLD, ("A bank looked into $95.00 of this payment until {day}", "$95.00 has waited on it since {day}")),
        Told("On hold", ("A manager put it on hold on {day}: screenshot went round.",)),
        Told("On hold", ("$95.00 has waited on it since {day}.",)),
    ),
    "refund under way": Row(
        Told(
            "Ana, this certificate is being paid back",
            (
                "Since {day}, $95.00 is on its way back",
                "To be paid back to whoever bought it −$95.00",
            ),
        ),
        Told(
            "What was left of this order is on its way back",
            ("$95.00 of it is on its way back to you since {day}, so it can no longer be used",),
        ),
        Told("Being paid back", ("$95.00 is on its way back to the buyer since {day}. Nothing can be taken from it.",)),
        Told("Being paid back", ("$95.00 is held to be paid back since {day}.",)),
    ),
    "refunded in part": Row(
        Told(
            "Ana, you have $55.00 to spend",
            ("$40.00 of it was paid back to whoever bought it, the last of that on",),
        ),
        Told("Part of this order was paid back", ("Of this, $40.00 went back on {day}", "$40.00 went back to")),
        Told("$55.00 left", ("Paid back $40.00, the last of it on {day}",)),
        Told("Good to use", ("$40.00 went back to the buyer, the last of it on {day}.",)),
    ),
    "refunded": Row(
        Told(
            "Ana, this certificate was paid back",
            (
                "$95.00 went back to whoever bought it on {day}, so it can no longer be used.",
                "Paid back to whoever bought it – $0.00",
                PHONE,
            ),
        ),
        Told(
            "This order was paid back",
            ("$95.00 for order G-1001", "$95.00 went back to the card it came from on"),
        ),
        Told("Paid back", ("$95.00 went back to the buyer on {day}. Nothing can be taken from it. Ask a manager",)),
        Told("Paid back", ("$95.00 went back to the buyer, the last of it on {day}.",)),
    ),
    "refund came back": Row(
        Told(CALL, ("Money came back to it, and there is $95.00 on it. It has been on hold since {day}", PHONE)),
        Told(ON_HOLD, ("The bank could not take the $95.00 we paid back.", "$95.00 is on it again.")),
        Told("On hold, money came back", ("$95.00 is on it, on hold since {day} until a manager has looked",)),
        Told("On hold, money came back", ("$95.00 is on it. Look at what happened",)),
    ),
    "paid back too much": Row(
        Told(CALL, ("It has been on hold since {day}, and nothing is left on it.", "$35.00 of it was paid back")),
        Told(
            ON_HOLD,
            ("On hold since {day}, and nothing is left on it.", "$60.00 of it was used", "Of this, $35.00"),
        ),
        Told("On hold, paid back too much", ("On hold since {day}. Nothing is left on it.",)),
        Told("On hold, paid back too much", ("Nothing is left on it. It has been on hold since {day}.",)),
    ),
    "ended": Row(
        Told("Ana, this certificate has ended", ("We ended it on {day}, with $95.00", "Ended by us −$95.00", PHONE)),
        Told("This order has ended", ("We took $95.00 off it on {day}. Is that a surprise? Call us on (970)",)),
        Told("Ended", ("$95.00 was taken off on {day}: paid back in cash. Nothing can be taken from it.",)),
        Told("Ended", ("$95.00 was taken off on {day}: paid back in cash.",)),
    ),
    "replaced": Row(
        Told("This code was replaced", ("A new code took its place on {day}", "Open the newest email about it", PHONE)),
        Told(THANKS, ("New code since {day}: an older email or print of it no longer works",)),
        Told("This code was replaced", ("A new code took its place on {day}",)),
        Told("Good to use", ("New code since {day}.",)),
    ),
    "reissued": Row(
        Told(GOOD, ("New code since {day}: an older email or print of it no longer works.",)),
        Told(THANKS, ("New code since {day}: an older email or print of it no longer works",)),
        Told("$95.00 left", ("Good to use.", "New code since {day}")),
        Told("Good to use", ("New code since {day}.",)),
    ),
    "no longer sold": Row(
        Told(GOOD, ("From Marko, for a 60-minute massage",)), Told(THANKS), Told("$95.00 left", ("no longer sold",))
    ),
}
