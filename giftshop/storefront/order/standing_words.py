"""How the certificates of a gift stand, in the words of whoever bought them: one sentence, and what else happened."""

from giftshop import dates
from giftshop.catalog.models import Practice
from giftshop.money import format_amount
from giftshop.orders.standings import HELD, OVER, USABLE, Situation, Standing, Sum
from giftshop.words import N_, _

WORDS = {
    Standing.USED_UP: N_("All of it was used, %(spent)s, the last of it on %(day)s"),
    Standing.EXPIRED: N_(
        "It could be used until %(last_day)s, and %(left)s was left. Call us on %(phone)s; we’ll see what we can do"
    ),
    Standing.ON_HOLD: N_(
        "On hold for the moment. Please call us on %(phone)s. %(amount)s has waited on it since %(day)s"
    ),
    Standing.WARNED: N_(
        "On hold since %(day)s: we have a question about the payment. %(amount)s waits on it. Call us on %(phone)s"
    ),
    Standing.DISPUTED: N_(
        "On hold while a bank looks into the payment, since %(day)s: %(amount)s waits on it. Call us on %(phone)s"
    ),
    Standing.RETURNED: N_(
        "%(amount)s is on it again. It has been on hold since %(day)s until we have looked. Call us on %(phone)s"
    ),
    Standing.OVERDRAWN: N_(
        "More was paid back than was left. It has been on hold since %(day)s, with %(amount)s. Call us on %(phone)s"
    ),
    Standing.BEING_REFUNDED: N_(
        "%(amount)s of it is on its way back to you since %(day)s, so it can no longer be used"
    ),
    Standing.REFUNDED: N_("%(amount)s went back on %(day)s, so it can no longer be used"),
    Standing.LOST: N_(
        "The bank gave its payment back, so it can no longer be used since %(day)s. %(amount)s was left on it then"
    ),
    Standing.ENDED: N_(
        "It has ended and can no longer be used. We took %(amount)s off it on %(day)s. Is that a surprise? "
        "Call us on %(phone)s"
    ),
}
"""What the buyer reads of a gift that cannot be used; of any other they read where it is."""
_EMPTY = {
    **dict.fromkeys(HELD, N_("On hold since %(day)s, and nothing is left on it. Call us on %(phone)s")),
    Standing.LOST: N_("The bank gave its payment back on %(day)s. Nothing was left on it then"),
}
"""The same where there is no amount to name."""
_ENDED = N_("It has ended and can no longer be used. Is that a surprise? Call us on %(phone)s")
_SEVERAL_TIMES = N_("%(amount)s went back, the last of it on %(day)s, so it can no longer be used")


def first_standing(situations: list[Situation]) -> Standing | None:
    """Return how a gift stands of which nothing can be used, of several states the one that is told first.

    None where something can be used, or nothing was issued: then the gift is where its message is.
    """
    found = {each.standing for each in situations}
    return None if found & set(USABLE) else min(found, key=list(WORDS).index, default=None)


def tell_standing(standing: Standing, situations: list[Situation], practice: Practice) -> str:
    """Say what is so of those certificates that stand like this, their amounts together."""
    mine = [each for each in situations if each.standing == standing]
    about, used = Sum.of_all(each.about for each in mine), Sum.of_all(each.used for each in mine)
    first, currency = mine[0].certificate, mine[0].certificate.currency
    sentence = WORDS[standing] if about.cents else _EMPTY.get(standing, WORDS[standing])
    if standing == Standing.REFUNDED and about.count > 1:
        sentence = _SEVERAL_TIMES
    return _(
        sentence if about.at else _ENDED,
        amount=format_amount(about.cents, currency),
        spent=format_amount(used.cents, currency),
        left=format_amount(sum(each.certificate.balance_cents for each in mine), currency),
        day=dates.write_local_day(about.at, practice.time_zone) if about.at else "",
        last_day=dates.write_day(first.expires_on) if first.expires_on else "",
        phone=practice.phone,
    )


def list_notes(situations: list[Situation], practice: Practice) -> list[str]:
    """Say what else happened to a gift, beside what its sentence says."""
    first, count = first_standing(situations), len(situations)
    usable = [each for each in situations if each.standing in USABLE]
    others = {each.standing: None for each in situations if each.standing not in (*USABLE, first)}
    notes = [_("%(alive)s of %(count)s can still be used", alive=len(usable), count=count)]
    notes = notes if 0 < len(usable) < count else []
    for standing in others:
        number = sum(each.standing == standing for each in situations)
        told = tell_standing(standing, situations, practice)
        notes.append(_("%(number)s of %(count)s: %(what)s", number=number, count=count, what=told))
    return [*_tell_parts([each for each in situations if each.standing not in OVER], practice), *notes]


def _tell_parts(alive: list[Situation], practice: Practice) -> list[str]:
    """Say what of certificates that have not ended was used, went back or is going back, and that a code is new."""
    back, coming = Sum.of_all(each.back for each in alive), Sum.of_all(each.coming for each in alive)
    used = Sum.of_all(each.used for each in alive if each.standing != Standing.USED_UP)
    renewed_at = max((each.renewed_at for each in alive if each.renewed_at), default=None)
    part_back = N_("Of this, %(amount)s went back on %(day)s")
    if back.count > 1:
        part_back = N_("Of this, %(amount)s went back, the last of it on %(day)s")
    told = {
        part_back: back,
        N_("%(amount)s of it is on its way back to you"): coming,
        N_("%(amount)s of it was used, the last time on %(day)s"): used,
        N_("New code since %(day)s: an older email or print of it no longer works"): Sum(at=renewed_at),
    }
    return [
        _(
            note,
            amount=format_amount(each.cents, alive[0].certificate.currency),
            day=dates.write_local_day(each.at, practice.time_zone),
        )
        for note, each in told.items()
        if each.at
    ]
