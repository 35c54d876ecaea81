"""The three papers and where everything stands on them, measured before it is set, for pdf.py.

Lengths are millimetres from the upper left corner, type is in points. Letter and A4 fold in three: the drawing with
whose it is, the words, how to use it. The card has two sides: what is given, and how to use it. Nothing that matters
lies within 6 mm of a fold or 10 mm of an edge.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from giftshop.documents.typesetting import Setting, count_lines, fit_block, fit_line, name_style, text_style, width_em
from giftshop.documents.wording import Words, spoken

Paper = Literal["letter", "a4", "card"]
PAPERS: tuple[Paper, ...] = get_args(Paper)
POINT = 25.4 / 72

_LABEL, _NAME_GAP, _ROW_GAP, _CODE = 5.6, 2.6, 10.5, 11.6
_LINE, _BOOKING_LINE = 13 * POINT, 5.04
_COLUMN_GAP, _CLEAR, _EDGE, _TERMS_GAP = 10.0, 9.0, 10.0, 8.0
_CODE_GAP, _CODE_ROW = 9.0, 9.0
_ABOVE_MIDDLE = 0.42
"""Words stand a little above the middle of their room, where the eye looks for it."""
_PLATE_HIGH, _MARK, PLATE_PAD = 13.0, 7.4, 4.2


@dataclass(frozen=True, slots=True)
class Sheet:
    """One paper: its size, the heights its drawing may have, its margin, the side of the QR symbol, and its type."""

    width: float
    height: float
    arts: tuple[float, ...]
    margin: float
    symbol: float
    folds: tuple[float, ...]
    message_width: float
    message_sizes: tuple[tuple[float, float], ...]

    @property
    def inner(self) -> float:
        """Return the width between the margins."""
        return self.width - 2 * self.margin

    @property
    def column(self) -> float:
        """Return where the text beside the QR symbol starts."""
        return self.margin + self.symbol + _COLUMN_GAP


_SIZES = ((13.0, 18.2), (12.0, 16.4), (11.0, 14.6), (10.0, 13.0))
_CARD_SIZES = ((12.0, 16.4), (11.0, 14.6), (10.0, 13.0), (9.5, 11.9))
SHEETS: dict[Paper, Sheet] = {
    "letter": Sheet(215.9, 279.4, (279.4 / 3,), 14, 36, (279.4 / 3, 279.4 / 1.5), 150, _SIZES),
    "a4": Sheet(210, 297, (99,), 14, 36, (99, 198), 146, _SIZES),
    "card": Sheet(139.7, 215.9, (79, 72, 64, 56, 48), 12, 36, (), 115.7, _CARD_SIZES),
}
"""The papers; the card is half a Letter page, upright, not folded, and its drawing gives way to many words.

The symbol keeps 30 mm where a printer shrinks A4 to fit on Letter, to 85.5 %.
"""


@dataclass(frozen=True, slots=True)
class Plate:
    """The white plate on the drawing with the mark and the practice's name."""

    left: float
    top: float
    width: float
    height: float
    mark: float
    name: Setting

    @property
    def name_left(self) -> float:
        """Return where the name starts."""
        return self.left + 2 * PLATE_PAD + self.mark - 1

    @property
    def name_top(self) -> float:
        """Return where the name's first line starts."""
        return self.top + (self.height - self.name.height_pt * POINT) / 2


@dataclass(frozen=True, slots=True)
class Use:
    """Where the lower part or the back stands: the symbol and the words beside it, then the terms.

    On the back the code has a row of its own, which starts at `code_top`.
    """

    top: float
    practice: Setting
    code_top: float
    terms_top: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the words stand and how they are set; `message` is None when the giver wrote none."""

    art: float
    plate: Plate
    gift_top: float
    name: Setting
    message: Setting | None
    giver_width: float
    use: Use
    has_back: bool


def lay_out(words: Words, paper: Paper) -> Layout:
    """Measure the words of a certificate and give them their places on a paper."""
    sheet = SHEETS[paper]
    name = fit_line(words.name, most_pt=34, least_pt=20, width_pt=sheet.inner / POINT, most_lines=4)
    giver_width = sheet.inner - _worth_width(words) - 8
    rest = _LABEL + name.height_pt * POINT + _NAME_GAP + _ROW_GAP + _row_height(words, giver_width)
    bottom = sheet.folds[1] - _CLEAR if sheet.folds else sheet.height - _EDGE - 2
    for art in sheet.arts:
        room = bottom - art - _CLEAR
        message = _set_message(words.message, sheet, room - rest)
        height = rest + (message.height_pt * POINT if message else 0)
        if message is None or message.lines < message.most_lines:
            break
    top = art + _CLEAR + max(0, room - height) * _ABOVE_MIDDLE
    plate, use = _place_plate(words, sheet, art), _place_use(words, sheet)
    return Layout(art, plate, top, name, message, giver_width, use, has_back=not sheet.folds)


def _set_message(message: str, sheet: Sheet, room: float) -> Setting | None:
    if not message:
        return None
    return fit_block(message, sheet.message_sizes, width_pt=sheet.message_width / POINT, room_pt=room / POINT)


def _worth_width(words: Words) -> float:
    """Return how wide the amount is, or what is said under it."""
    amount = width_em(words.amount, name_style(words.amount)) * 26
    return max(amount, width_em(words.left, text_style(words.left)) * 10.5) * POINT


def _row_height(words: Words, width: float) -> float:
    """Return the height of the row that names the giver, in up to four lines, and the amount."""
    lines = count_lines(words.giver, text_style(words.giver), width_pt=width / POINT, size_pt=11)
    return max(min(4, lines) * 5.4, 10.4 if words.left else 0)


def _place_plate(words: Words, sheet: Sheet, art: float) -> Plate:
    """Put the plate into the lower left of the drawing; a long name makes it wide, a longer one high."""
    most = sheet.inner - 3 * PLATE_PAD - _MARK
    name = fit_line(words.practice, most_pt=15, least_pt=12, width_pt=most / POINT, most_lines=2)
    widest = width_em(words.practice, name.style) * name.size_pt * POINT
    high = max(_PLATE_HIGH, name.height_pt * POINT + 5)
    width = min(most, widest * 1.02) + 3 * PLATE_PAD + _MARK - 1
    return Plate(sheet.margin, art - (_CLEAR if sheet.folds else 5) - high, width, high, _MARK, name)


def _place_use(words: Words, sheet: Sheet) -> Use:
    """Place the QR symbol, what stands beside it and the terms below: in the middle of their third or of the back."""
    width = sheet.width - sheet.margin - sheet.column
    practice = fit_line(words.practice, most_pt=14, least_pt=12.5, width_pt=width / POINT, most_lines=2)
    address = count_lines(words.address, text_style(words.address), width_pt=width / POINT, size_pt=10)
    said = spoken(words.booking)
    booking = count_lines(said, text_style(said), width_pt=width / POINT, size_pt=10.5)
    head = practice.height_pt * POINT + address * _LINE + 1.6 + booking * _BOOKING_LINE
    code = max(head, sheet.symbol + 1.3) + _CODE_GAP
    below = max(head + _CODE, sheet.symbol + 1.3) + _TERMS_GAP if sheet.folds else code + _CODE_ROW + _TERMS_GAP
    said = spoken(words.terms)
    terms = count_lines(said, text_style(said), width_pt=sheet.inner / POINT, size_pt=10)
    first, last = (sheet.folds[1] if sheet.folds else 0) + _CLEAR + 1, sheet.height - _EDGE
    top = first + max(0, last - first - below - terms * _LINE) * _ABOVE_MIDDLE
    return Use(top, practice, top + code, top + below)
