"""What the press cannot print of what was typed: letters no installed font has, and more pictures than a page bears."""

from giftshop.documents.printing import find_unprintable
from giftshop.documents.typesetting import count_pictures
from giftshop.foundation.database import db
from giftshop.storefront.builder.form import Draft
from giftshop.words import _

MOST_PICTURES = {"recipient_name": 6, "giver_name": 6, "message": 30}
"""How many emoji a text may have: each one different costs the press some milliseconds and the page some kilobytes."""
_SHOWN = 10


def tell_unprintable(draft: Draft) -> dict[str, str]:
    """Return what to say of each field that cannot be printed, by the field's id. Ends the open transaction.

    The press is asked, which takes a moment; on SQLite an open transaction would keep other writers waiting.
    """
    db.session.rollback()
    told = {
        f"gifts-{number}-{name}": _tell(gift[name], most)
        for number, gift in enumerate(draft.gifts)
        for name, most in MOST_PICTURES.items()
    }
    return {field_id: sentence for field_id, sentence in told.items() if sentence}


def _tell(text: str, most: int) -> str:
    if count_pictures(text) > most:
        return _("Use at most %(most)s emoji here: each is printed as a picture", most=most)
    letters = find_unprintable(text)
    if not letters:
        return ""
    return _("We can’t print %(letters)s. Please write it another way", letters=" ".join(letters[:_SHOWN]))
