"""Reports on paper: a title and sections of named lines as plain facts, for pdf.py to set and pages to fill."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from giftshop.documents.layout import Paper
from giftshop.documents.typesetting import printable


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a report: a heading, and lines of a name (may be empty) and what is to be said."""

    title: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A document of plain text on some pages of `paper`; `author` is who answers for it."""

    title: str
    author: str
    made_on: date
    paper: Paper
    sections: tuple[Section, ...]
    lang: str = "en"

    def printable(self) -> "Report":
        """Return the report with texts that print: without controls, on one line each."""
        sections = tuple(
            Section(_line(each.title), tuple((_line(name), _line(said)) for name, said in each.lines))
            for each in self.sections
        )
        return Report(
            title=_line(self.title),
            author=_line(self.author),
            made_on=self.made_on,
            paper=self.paper,
            sections=sections,
            lang=self.lang,
        )

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Report":
        """Return the report that `asdict` took apart, after it went through JSON."""
        sections = tuple(Section(each["title"], tuple(map(tuple, each["lines"]))) for each in fields["sections"])
        return cls(**{**fields, "sections": sections, "made_on": date.fromisoformat(fields["made_on"])})


def _line(text: str) -> str:
    return " ".join(printable(text).split())
