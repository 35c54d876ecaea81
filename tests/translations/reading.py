"""What people read of a page, a mail or a paper, as texts: also what is read out, hovered, typed over, or scripted."""

import re
from html.parser import HTMLParser

SPOKEN = ("alt", "aria-label", "title", "placeholder", "content")
"""The attributes whose values are read, and below all those that scripts say sentences from."""
_SILENT = ("style", "script", "noscript")
_MACHINES = ("viewport", "color-scheme", "supported-color-schemes", "dcterms.created", "dcterms.modified", "author")
"""What `meta` elements tell to programs alone, or of the practice."""
_DATA_OF_MACHINES = ("data-theme", "data-is", "data-cents", "data-session", "data-money", "data-least", "data-most")
"""The data attributes that hold no sentence, but for programs or of the practice's offers."""
_NAMES_OF_PLACES = ("data-copies", "data-copied", "data-counts", "data-checks", "data-frame", "data-asks", "data-place")
"""The data attributes that name an element or an address."""


class Reader(HTMLParser):
    """Collects what a page says."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._silent = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note the attributes that are read; skip what stands in style sheets."""
        self._silent = tag if tag in _SILENT else self._silent
        found = {name: value or "" for name, value in attributes}
        if tag == "meta" and (found.get("name") in _MACHINES or "http-equiv" in found):
            return
        self.texts += [value for name, value in found.items() if _is_read(name)]

    def handle_endtag(self, tag: str) -> None:
        """Listen again after a style sheet."""
        self._silent = "" if tag == self._silent else self._silent

    def handle_data(self, data: str) -> None:
        """Note a text."""
        if not self._silent and data.strip():
            self.texts.append(data)


def texts_of(html: str) -> list[str]:
    """Return what a page says, in single spaces."""
    reader = Reader()
    reader.feed(html)
    return [" ".join(text.split()) for text in reader.texts]


def lines_of(text: str) -> list[str]:
    """Return the lines of a text without markup that say something."""
    return [line.strip() for line in re.split(r"\n+", text) if line.strip()]


def _is_read(name: str) -> bool:
    return name in SPOKEN or (name.startswith("data-") and name not in (*_DATA_OF_MACHINES, *_NAMES_OF_PLACES))
