"""The proof: boxes in the place of letters and codes that cannot be read are found before anything goes out."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from giftshop.documents import proof
from giftshop.documents.fonts import FALLBACK, FALLBACK_BOLD, SURE_LETTERS, letters_of
from giftshop.documents.pdf import PAPERS, Paper, print_certificate, render_pdf
from giftshop.documents.printing import find_missing_scripts, find_unprintable
from giftshop.documents.proof import Fault, find_fault
from giftshop.documents.typesetting import count_pictures
from giftshop.documents.worker import Press, UnprintableError
from tests.documents.test_foreign_scripts import NAMES, NO_FONTS
from tests.documents.test_pdf import FACE, HARD


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("changes", [{}, *HARD], ids=lambda changes: ascii(changes)[:32])
def test_what_can_be_printed_passes(paper: Paper, changes: dict[str, str]) -> None:
    face = replace(FACE, **changes)
    pdf, missing = print_certificate(face, paper)
    assert find_fault(pdf, face, missing) is None


def test_a_code_that_is_not_the_certificates_is_a_fault() -> None:
    other = replace(FACE, code="7KQ2M4XD9TFPB3HV")
    assert find_fault(render_pdf(other, "letter"), FACE, "") == Fault(is_unreadable=True)


def test_a_code_that_cannot_be_read_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "DOTS_PER_INCH", 12)
    assert find_fault(render_pdf(FACE, "card"), FACE, "") == Fault(is_unreadable=True)


@pytest.fixture
def press_without_fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Press]:
    """A press on a machine that has no fonts but the packages'."""
    (tmp_path / "fonts.conf").write_text(NO_FONTS.format(tmp_path / "cache"))
    monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "fonts.conf"))
    press = Press()
    yield press
    press.stop()


def test_a_name_without_fonts_for_it_is_not_printed_and_its_letters_are_named(press_without_fonts: Press) -> None:
    with pytest.raises(UnprintableError) as refused:
        press_without_fonts.print_pdf(replace(FACE, recipient_name="山田太郎"), "letter")
    assert refused.value.fault == Fault(letters="太山田郎")
    assert "山 (U+5C71)" in refused.value.reason
    assert "U+" not in refused.value.message
    assert press_without_fonts.print_pdf(replace(FACE, recipient_name="Żaneta"), "letter").startswith(b"%PDF-")


def test_each_of_the_worlds_names_is_found_missing_without_fonts(press_without_fonts: Press) -> None:
    from_packages = ("polish", "vietnamese", "greek")
    for script, name in NAMES.items():
        assert bool(press_without_fonts.find_missing_letters(name)) == (script not in from_packages), script


def test_none_of_the_worlds_names_is_found_missing_where_the_fonts_are() -> None:
    assert [find_unprintable(name) for name in NAMES.values()] == [""] * len(NAMES)


def test_fonts_installed_meanwhile_are_seen(
    press_without_fonts: Press, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert press_without_fonts.find_missing_letters("山") == "山"
    monkeypatch.delenv("FONTCONFIG_FILE")
    assert press_without_fonts.find_missing_letters("山") == "山"
    monkeypatch.setattr("giftshop.documents.worker.FONTS_SECONDS", 0)
    assert press_without_fonts.find_missing_letters("山") == "山"  # by the old child, which ends with that
    assert press_without_fonts.find_missing_letters("山") == ""


def test_no_script_is_missing_where_the_fonts_are() -> None:
    assert find_missing_scripts() == []


def test_scripts_without_fonts_are_named_for_the_owner(
    press_without_fonts: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("giftshop.documents.printing.press", press_without_fonts)
    assert find_missing_scripts() == [
        "Chinese", "Japanese", "Korean", "Arabic", "Hebrew", "Thai", "Devanagari", "emoji",
    ]  # fmt: skip


def test_letters_nobody_need_look_for_are_in_the_packages_faces() -> None:
    for face in (FALLBACK, FALLBACK_BOLD):
        assert {ord(letter) for letter in SURE_LETTERS} - letters_of(face) == {10}


def test_letters_for_private_use_are_named_and_joiners_are_not() -> None:
    assert find_unprintable("a\ue000b") == "\ue000"
    assert find_unprintable("Bo 💆🏽\u200d♀\ufe0f") == ""


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("Ana", 0),
        ("💆🏽\u200d♀\ufe0f ❤\ufe0f 🎂", 3),
        ("👨\u200d👩\u200d👧\u200d👦", 1),
        ("😀" * 400, 400),
        ("✓ a→b", 2),
    ],
)
def test_emoji_are_counted_as_people_see_them(text: str, count: int) -> None:
    assert count_pictures(text) == count


def test_the_web_process_loads_nothing_of_it() -> None:
    script = "import sys, giftshop.app; print({'weasyprint', 'pypdfium2', 'pydyf'} & set(sys.modules) or '')"
    environment = {**os.environ, "GIFTSHOP_LOG_LEVEL": "WARNING"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
