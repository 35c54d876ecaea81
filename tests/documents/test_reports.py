"""Reports on paper: every fact is read back from the page, whatever stands in it."""

from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import outloud
import pypdfium2
import pytest

from giftshop.documents.pdf import Paper, render_report
from giftshop.documents.reports import Report, Section
from tests.documents.test_pdf import words_on

REPORT = Report(
    title="What is known about order 1042",
    author="Focused Care Therapeutic Massage",
    made_on=date(2026, 11, 24),
    paper="letter",
    sections=(
        Section("Payment", (("Paid", "$120.00 by card"), ("", "The bank has not asked."))),
        Section("Messages", (("2026-11-24", "The certificate was sent to ana@example.com"),)),
    ),
)


def test_a_report_says_its_title_who_answers_for_it_its_day_and_every_line() -> None:
    said = words_on(render_report(REPORT))
    for words in ("What is known about order 1042", "Focused Care Therapeutic Massage, 2026-11-24", "Payment", "Paid"):
        assert words in said
    for words in ("$120.00 by card", "The bank has not asked.", "Messages", "The certificate was sent to"):
        assert words in said


@pytest.mark.parametrize(("paper", "points"), [("letter", (612, 792)), ("a4", (595, 842))])
def test_a_report_has_the_size_of_its_paper_and_as_many_pages_as_it_takes(
    paper: Paper, points: tuple[int, int]
) -> None:
    lines = tuple((f"line {number}", "what was done") for number in range(120))
    document = pypdfium2.PdfDocument(
        render_report(replace(REPORT, paper=paper, sections=(Section("All of it", lines),)))
    )
    assert len(document) > 1
    assert {tuple(map(round, page.get_size())) for page in document} == {points}


def test_a_pdf_ua_checker_finds_no_error_in_a_report(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(render_report(REPORT))
    result = outloud.check(str(path))
    assert result.errors == 0, result.findings


def test_controls_and_breaks_in_a_text_do_not_reach_the_page() -> None:
    hostile = Section("Pay\x00ment\n", (("Pa\tid", "\u202e$1\n<b>2</b>\x07"),))
    printable = replace(REPORT, title="A\nB", author="C\r\nD", sections=(hostile,)).printable()
    assert (printable.title, printable.author) == ("A B", "C D")
    assert printable.sections == (Section("Payment", (("Pa id", "$1 <b>2</b>"),)),)
    assert (printable.made_on, printable.paper, printable.lang) == (REPORT.made_on, "letter", "en")


def test_a_report_comes_back_whole_from_json() -> None:
    sections = [{"title": each.title, "lines": [list(line) for line in each.lines]} for each in REPORT.sections]
    assert Report.from_json({**asdict(REPORT), "made_on": "2026-11-24", "sections": sections}) == REPORT
