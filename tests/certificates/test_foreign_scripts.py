"""Names of all the world on paper: every glyph there where the system has the letters, and no crash where not."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest

from giftshop.certificates.document import PAPERS, Paper, render_pdf
from tests.certificates.test_document import FACE

NAMES = {
    "polish": "Żaneta Đorđević-Łukaszewska",
    "vietnamese": "Nguyễn",
    "chinese": "李小龙",
    "arabic": "محمد",
    "emoji": "Bo 🎉 💆🏽‍♀️",
    "japanese": "さくら 桜",
    "korean": "김민준",
    "hebrew": "דוד",
    "thai": "สมชาย",
    "devanagari": "अनीता",
    "greek": "Ελένη",
}
NO_FONTS = (
    "<?xml version='1.0'?><!DOCTYPE fontconfig SYSTEM 'fonts.dtd'><fontconfig><cachedir>{}</cachedir></fontconfig>"
)


@contextmanager
def noting_missing_glyphs() -> Iterator[list[str]]:
    """Give the list of the library's warnings about letters that no font has."""
    noted: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: noted.append(record.getMessage())  # type: ignore[method-assign]
    log = logging.getLogger("weasyprint")
    level = log.level
    log.addHandler(handler)
    log.setLevel("WARNING")
    try:
        yield noted
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


def print_all(names: Iterable[str]) -> int:
    """Print names on every paper, each one page; return how many letters were missing."""
    with noting_missing_glyphs() as noted:
        for name in names:
            for paper in PAPERS:
                pdf = render_pdf(replace(FACE, recipient_name=name, giver_name=name, message=name), paper)
                assert len(pypdfium2.PdfDocument(pdf)) == 1
    return len(noted)


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_is_printed_with_every_glyph_and_stays_small(name: str, paper: Paper) -> None:
    with noting_missing_glyphs() as noted:
        pdf = render_pdf(replace(FACE, recipient_name=name, giver_name=name, message=name), paper)
    assert noted == []
    assert len(pdf) <= 60_000


@pytest.mark.parametrize("name", [NAMES["polish"], NAMES["vietnamese"], NAMES["chinese"], NAMES["greek"]])
def test_a_name_can_be_searched_and_copied(name: str) -> None:
    pdf = render_pdf(replace(FACE, recipient_name=name, message=""), "letter")
    assert name in str(pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range())


def test_no_name_crashes_where_the_system_has_no_fonts(tmp_path: Path) -> None:
    (tmp_path / "fonts.conf").write_text(NO_FONTS.format(tmp_path / "cache"))
    script = (
        "from tests.certificates.test_foreign_scripts import NAMES, print_all;"
        "print(print_all([NAMES['polish'], NAMES['vietnamese']]), print_all(NAMES.values()))"
    )
    environment = {**os.environ, "FONTCONFIG_FILE": str(tmp_path / "fonts.conf")}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    from_packages, of_all = map(int, done.stdout.split())
    assert from_packages == 0
    assert of_all > 0, "without fonts something must be missing, or the counting does not work"
