"""What people read: the words of a page, a paper or a message without the marks around them, and how two differ."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from io import BytesIO

import pypdfium2

SILENT = frozenset({"script", "style"})
READ_ALOUD = ("alt", "aria-label", "placeholder", "title", "content")
"""The attributes that are words, too; `content` is a description's, `value` that of a field which is shown."""
CONTEXT, NEAR = 8, 3
_WORD = re.compile(r"\w+|[^\w\s]")


class _Reader(HTMLParser):
    """Collects the words of a page, and where its links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.links: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self._silent += tag in SILENT
        if tag == "a" and "href" in told:
            self.links.append(told["href"])
        if tag == "meta" and told.get("name") != "description":
            return
        self.said += [told[name] for name in READ_ALOUD if name in told]
        if tag in ("input", "option", "button") and told.get("type") != "hidden":
            self.said += [told.get("value", "")] + [name for name in ("checked", "selected") if name in told]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in SILENT

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.said.append(data)


def words_of_page(html: str) -> tuple[list[str], list[str]]:
    """Return the words of a page, and its links."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return words_in(" ".join(reader.said)), reader.links


def words_of_paper(pdf: bytes) -> list[str]:
    """Return the words of a PDF, page by page."""
    with pypdfium2.PdfDocument(BytesIO(pdf)) as paper:
        return words_in(" ".join(page.get_textpage().get_text_range() for page in paper))


def words_of_message(raw: bytes) -> list[str]:
    """Return what a person who gets a message reads: from whom, to whom, about what, both bodies, what is enclosed."""
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    said = words_in(" ".join(str(message[name] or "") for name in ("From", "To", "Subject")))
    for part in message.walk():
        kind, body = part.get_content_type(), part.get_payload(decode=True)
        if not isinstance(body, bytes):
            continue
        said += words_in(part.get_filename() or "")
        said += {"text/plain": _plain, "text/html": _html, "application/pdf": words_of_paper}.get(kind, _nothing)(body)
    return said


def words_in(text: str) -> list[str]:
    """Return words and marks one by one, so that neither space nor tags between them count."""
    return _WORD.findall(text)


def differences(old: list[str], new: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each place where two texts differ: with what stands around it, and the change alone.

    `-` is what the older one says, `+` what the newer one says.
    """
    for start, end, other_start, other_end in _changes(old, new):
        before, after = old[max(0, start - CONTEXT) : start], old[end : end + CONTEXT]
        change = f"[-{' '.join(old[start:end])}-] {{+{' '.join(new[other_start:other_end])}+}}"
        yield f"… {' '.join(before)} {change} {' '.join(after)} …", change


def _changes(old: list[str], new: list[str]) -> list[tuple[int, int, int, int]]:
    """Return where two texts differ, from and to in each; what is only a few words apart is one change."""
    found: list[tuple[int, int, int, int]] = []
    for what, start, end, other_start, other_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            continue
        is_near = bool(found) and start - found[-1][1] <= NEAR
        first, _, other_first, _ = found.pop() if is_near else (start, end, other_start, other_end)
        found.append((first, end, other_first, other_end))
    return found


def _plain(body: bytes) -> list[str]:
    return words_in(body.decode("utf-8", "replace"))


def _html(body: bytes) -> list[str]:
    return words_of_page(body.decode("utf-8", "replace"))[0]


def _nothing(_body: bytes) -> list[str]:
    return []
