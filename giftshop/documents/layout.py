"""The three papers and where everything stands on them, measured before it is set, for pdf.py.

Lengths are millimetres from the upper left corner, type is in points. Letter and A4 fold in three: the drawing, the
words, how to use it. Nothing that matters lies within 6 mm of a fold or 10 mm of an edge.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from giftshop.documents.typesetting import Setting, count_lines, fit_block, fit_line, name_style, text_style, width_em
from giftshop.documents.wording import Words

Paper = Literal["letter", "a4", "card"]
PAPERS: tuple[Paper, ...] = get_args(Paper)
POINT = 25.4 / 72

_LABEL, _NAME_GAP, _ROW_GAP, _CODE = 5.6, 2.6, 10.5, 10.8
_TERMS_LINE = 13 * POINT
_COLUMN_GAP, _CLEAR, _EDGE = 10.0, 9.0, 10.0
_ABOVE_MIDDLE = 0.42
"""Words stand a little above the middle of their room, where the eye looks for it."""


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
    "letter": Sheet(215.9, 279.4, (279.4 / 3,), 14, 34, (279.4 / 3, 279.4 / 1.5), 150, _SIZES),
    "a4": Sheet(210, 297, (99,), 14, 34, (99, 198), 146, _SIZES),
    "card": Sheet(139.7, 215.9, (56, 50, 44, 38, 32), 11, 30, (), 117.7, _CARD_SIZES),
}
"""The papers; the card is half a Letter page, upright, not folded, and its drawing gives way to many words."""


@dataclass(frozen=True, slots=True)
class Use:
    """Where the lower part stands: the symbol and the words beside it, then the terms."""

    top: float
    practice: Setting
    terms_top: float
    terms_left: float
    terms_width: float
    terms_lines: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the words stand and how they are set; `message` is None when the giver wrote none."""

    art: float
    gift_top: float
    name: Setting
    message: Setting | None
    giver_width: float
    use: Use


def lay_out(words: Words, paper: Paper) -> Layout:
    """Measure the words of a certificate and give them their places on a paper."""
    sheet = SHEETS[paper]
    use = _place_use(words, sheet)
    name = fit_line(words.name, most_pt=34, least_pt=20, width_pt=sheet.inner / POINT, most_lines=4)
    giver_width = sheet.inner - width_em(words.amount, name_style(words.amount)) * 26 * POINT - 8
    rest = _LABEL + name.height_pt * POINT + _NAME_GAP + _ROW_GAP + _row_height(words.giver, giver_width)
    bottom = sheet.folds[1] - _CLEAR if sheet.folds else use.top - 8
    for art in sheet.arts:
        room = bottom - art - _CLEAR
        message = _set_message(words.message, sheet, room - rest)
        height = rest + (message.height_pt * POINT if message else 0)
        if message is None or message.lines < message.most_lines:
            break
    return Layout(art, art + _CLEAR + max(0, room - height) * _ABOVE_MIDDLE, name, message, giver_width, use)


def _set_message(message: str, sheet: Sheet, room: float) -> Setting | None:
    if not message:
        return None
    return fit_block(message, sheet.message_sizes, width_pt=sheet.message_width / POINT, room_pt=room / POINT)


def _row_height(giver: str, width: float) -> float:
    """Return the height of the row that names the giver, in up to four lines, and the amount."""
    lines = count_lines(giver, text_style(giver), width_pt=width / POINT, size_pt=11)
    return min(4, lines) * 5.4


def _place_use(words: Words, sheet: Sheet) -> Use:
    """Place the QR symbol and what stands beside or below it: in the middle of its third, or at the card's foot."""
    width = sheet.width - sheet.margin - sheet.column
    practice = fit_line(words.practice, most_pt=14, least_pt=12.5, width_pt=width / POINT, most_lines=2)
    booking = count_lines(words.booking, text_style(words.booking), width_pt=width / POINT, size_pt=10.5)
    head = practice.height_pt * POINT + booking * 5.04 + _CODE
    if sheet.folds:
        first = sheet.folds[1] + _CLEAR
        room = sheet.height - _EDGE - first
        lines = _terms_lines(words, width, room - head)
        top = first + (room - max(head + lines * _TERMS_LINE, sheet.symbol)) * _ABOVE_MIDDLE
        return Use(top, practice, top + head, sheet.column, width, lines + 1)
    head = max(head, sheet.symbol) + 3
    lines = _terms_lines(words, sheet.inner, 60)
    top = sheet.height - _EDGE - lines * _TERMS_LINE - head
    return Use(top, practice, top + head, sheet.margin, sheet.inner, lines + 1)


def _terms_lines(words: Words, width: float, room: float) -> int:
    lines = count_lines(words.terms, text_style(words.terms), width_pt=width / POINT, size_pt=10)
    return min(lines, int(room / _TERMS_LINE))
