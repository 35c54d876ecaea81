"""Notes and reasons keep no code, however it is written, and take the words people do write."""

from pathlib import Path

import pytest

from giftshop.certificates import codes
from giftshop.certificates.reasons import MOST_NOTE, read_note, tells_code
from giftshop.errors import NoteTellsCodeError, NoteTooLongError

CODE = "K7M2QX9RTB4DHVWR"
GROUPED = codes.format_code(CODE)
FORGIVEN = (
    "O1I2-L3O4-5678-9A" + "B" + codes.ALPHABET[codes.check_value([*map(codes.ALPHABET.index, "0112130456789AB")])]
)

TELLING = [
    CODE,
    CODE.lower(),
    GROUPED,
    f"was {GROUPED}, ok",
    f"({CODE})",
    f"code{CODE}again",
    "K7M2QX9R-TB4DHVWR",
    "K7M2 QX9R TB4D HVWR",
    "K7M2 - QX9R - TB4D - HVWR",
    "K7M2.QX9R/TB4D_HVWR",
    "K7M2–QX9R—TB4D−HVWR",
    "Ｋ７Ｍ２ ＱＸ９Ｒ ＴＢ４Ｄ ＨＶＷＲ",
    " ".join(CODE),
    " ".join(GROUPED),
    f"https://gifts.example/c/{CODE}?x=1",
    FORGIVEN,
    f"{CODE[:-1]}{CODE}",
]


@pytest.mark.parametrize("words", TELLING)
def test_a_code_is_seen_however_it_is_written(words: str) -> None:
    assert tells_code(words)
    with pytest.raises(NoteTellsCodeError):
        read_note(words)


HARMLESS = [
    "",
    "they paid cash back",
    "rang twice, gave back the second one",
    CODE[:-1],
    f"{CODE[:-1]}5",
    "ends in HVWR",
    "K7M2-QX9R-TB4D",
    "Hot stone massage instead of the sixty minutes that were booked; Zoë was late",
    "Straße 12, 1030 Wien, 2. Stock, Tür 14, Tel. 0664 1234567, bitte läuten",
    "x" * 16,
]


@pytest.mark.parametrize("words", HARMLESS)
def test_other_words_are_kept_as_they_are(words: str) -> None:
    assert read_note(words) == words


def test_any_code_in_the_middle_of_any_sentence_is_seen() -> None:
    for _ in range(200):
        assert tells_code(f"gave back what {codes.format_code(codes.new_code())} had left")


def test_sentences_without_a_code_are_hardly_ever_mistaken() -> None:
    """Sixteen letters in a row fit together once in 32: looked for everywhere, every second long note would be.

    Of our handbook the words that people write, not its names of tables and files.
    """
    files = sorted((Path(__file__).parents[2] / "docs").rglob("*.md"))
    words = [word for path in files for word in path.read_text().split() if not set(word) & set("`_/|")]
    notes = [" ".join(words[start : start + 20])[:MOST_NOTE] for start in range(0, len(words), 20)]
    mistaken = [note for note in notes if tells_code(note)]
    assert len(mistaken) <= len(notes) // 200, mistaken


@pytest.mark.parametrize(("length", "is_short_enough"), [(140, True), (141, False)])
def test_a_note_has_140_letters_at_most(length: int, is_short_enough: bool) -> None:
    text = "ä" * length
    if is_short_enough:
        assert read_note(text) == text
    else:
        with pytest.raises(NoteTooLongError):
            read_note(text)


def test_a_note_is_one_line_without_controls() -> None:
    assert read_note("  late \r\n\t again\0\u202e! ") == "late again !"
