"""E-mail addresses as people type them: exactly one, in the form that mail servers take, and probably the one meant."""

from collections.abc import Collection

from email_validator import EmailNotValidError, validate_email

from giftshop.errors import ShopError
from giftshop.words import _


class AddressInvalidError(ShopError):
    """Enter an e-mail address, like name@example.com."""


class Question(str):
    """A sentence that asks whether another address was `meant` than the one that was `typed`."""

    __slots__ = ("meant", "typed")
    meant: str
    typed: str

    @classmethod
    def about(cls, typed: str, meant: str) -> "Question":
        """Return the question."""
        question = cls(_("Did you mean %(address)s?", address=meant))
        question.typed, question.meant = typed, meant
        return question


class AddressDoubtfulError(ShopError):
    """Did you mean another address?"""

    def __init__(self, typed: str, meant: str) -> None:
        self.question = Question.about(typed, meant)
        super().__init__(self.question)

    @property
    def message(self) -> Question:
        """The question for the person at the screen."""
        return self.question


def read_sure_address(typed: str, kept: Collection[str]) -> str:
    """Read one e-mail address, and ask once about one whose domain looks misspelt; `kept` are those that were meant.

    Raises AddressInvalidError, AddressDoubtfulError.
    """
    address = read_address(typed)
    meant = suggest_address(address)
    if meant and address not in kept:
        raise AddressDoubtfulError(address, meant)
    return address


def read_address(typed: str) -> str:
    """Read one e-mail address; a foreign domain comes back in its ASCII form. Raises AddressInvalidError."""
    try:
        # Reserved .test names pass: nobody is harmed by them, and rehearsals need them.
        found = validate_email(
            typed.strip()[:1000], check_deliverability=False, allow_smtputf8=False, test_environment=True
        )
    except EmailNotValidError:
        raise AddressInvalidError from None
    return found.ascii_email or found.normalized


def suggest_address(address: str) -> str:
    """Return the address that was probably meant by one whose domain is misspelt; nothing where it may well be right.

    A suggestion is asked about, never taken by itself: there are domains one letter away from every large one.
    """
    local, _, domain = address.rpartition("@")
    name, _, ending = domain.lower().partition(".")
    meant = _meant_name(name)
    suggested = f"{meant}.{_meant_ending(meant, ending)}"
    return f"{local}@{suggested}" if local and suggested != domain.lower() else ""


def _meant_name(name: str) -> str:
    if name in _ENDINGS or name in _THEIR_OWN:
        return name
    return next((known for known in _OFTEN_MISSPELT if _is_a_slip(name, known)), name)


def _meant_ending(name: str, ending: str) -> str:
    """Return the ending that was meant: of a large provider one that it has, of others one that exists."""
    has = _ENDINGS.get(name, ())
    before, dot, last = ending.rpartition(".")
    mended = f"{before}{dot}{_NO_ENDINGS.get(last, last)}"
    if not has or mended in has:
        return mended
    is_slip = name in _ONE_HOME or any(_is_a_slip(mended, each) for each in has[:1])
    return has[0] if is_slip else mended


def _is_a_slip(typed: str, meant: str) -> bool:
    """Tell whether two words are one slip apart: a letter too many, too few, another one, or two swapped."""
    if len(typed) > len(meant):
        typed, meant = meant, typed
    start = next((at for at, (one, other) in enumerate(zip(typed, meant, strict=False)) if one != other), len(typed))
    rest, other_rest = typed[start:], meant[start:]
    if len(typed) < len(meant):
        return rest == other_rest[1:]
    return typed != meant and (rest[1:] == other_rest[1:] or (rest[1::-1] + rest[2:] == other_rest and len(rest) > 1))


_COUNTRIES = (
    "co.uk",
    "ca",
    "fr",
    "de",
    "es",
    "it",
    "com.au",
    "co.nz",
    "com.br",
    "com.mx",
    "be",
    "nl",
    "se",
    "dk",
    "ie",
)
_ENDINGS: dict[str, tuple[str, ...]] = {
    "gmail": ("com",),
    "googlemail": ("com",),
    "icloud": ("com",),
    "yahoo": ("com", *_COUNTRIES),
    "hotmail": ("com", *_COUNTRIES),
    "outlook": ("com", *_COUNTRIES),
    "live": ("com", *_COUNTRIES),
    "aol": ("com", *_COUNTRIES),
    "msn": ("com",),
    "protonmail": ("com", "ch"),
    "comcast": ("net", "com"),
    "verizon": ("net", "com"),
    "sbcglobal": ("net",),
    "bellsouth": ("net",),
    "earthlink": ("net",),
    "btinternet": ("com",),
    "virginmedia": ("com",),
    "sympatico": ("ca",),
    "bigpond": ("com", "net.au"),
    "bluewin": ("ch",),
    "wanadoo": ("fr", "es", "nl"),
    "laposte": ("net",),
    "t-online": ("de",),
}
"""The large providers of mailboxes and the endings they have, the usual one first."""
_OFTEN_MISSPELT = tuple(name for name in _ENDINGS if len(name) > 4)
"""Names so long that one slip away from them there is hardly another."""
_ONE_HOME = ("gmail", "googlemail", "icloud")
"""Those that have no other ending anywhere."""
_THEIR_OWN = ("mail", "email", "ymail", "cloud")
"""Providers whose names are one letter away from another's."""
_NO_ENDINGS: dict[str, str] = {
    **dict.fromkeys(
        ("con", "cmo", "ocm", "comm", "cpm", "vom", "xom", "coom", "ccom", "cim", "conm", "cok", "som", "clm"), "com"
    ),
    **dict.fromkeys(("ner", "nte", "ent", "nett", "met", "nrt"), "net"),
    **dict.fromkeys(("ogr", "rog", "orgg", "prg", "og", "orh"), "org"),
    **dict.fromkeys(("ul", "ku", "uj", "k"), "uk"),
    "couk": "co.uk",
}
"""What is typed for an ending and is none: nothing ends like this in the root zone (the public suffix list of 2026)."""
