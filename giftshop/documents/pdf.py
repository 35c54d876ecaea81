"""Certificates and reports on paper: PDF/UA-1 from plain facts, the same bytes for the same certificate for ever.

Only this module imports WeasyPrint, and only when something is printed. Nothing is ever fetched: style, fonts and
pictures are given to it as data, and its fetcher refuses every address. Drawing and QR code are handed over as
pictures that write PDF operators, which is four times faster than SVG.
"""

import atexit
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from giftshop.certificates.codes import format_code
from giftshop.documents.artwork.drawing import PALETTES
from giftshop.documents.font_subsets import shrink_fonts
from giftshop.documents.fonts import ALL, Typeface, read_face
from giftshop.documents.layout import PAPERS, SHEETS, Layout, Paper, Sheet, lay_out
from giftshop.documents.pictures import NOTHING, backdrop, qr_picture
from giftshop.documents.qr import QUIET_ZONE, certificate_address, qr_modules
from giftshop.documents.reports import Report
from giftshop.documents.typesetting import Setting, direction, name_style, printable, text_style
from giftshop.documents.wording import CertificateFace, Words, spoken, words_of
from giftshop.foundation.templates import SpeakingEnvironment
from giftshop.words import _, in_language

__all__ = ["PAPERS", "CertificateFace", "Paper", "build_html", "render_pdf", "render_report", "style_sheet"]

_TEMPLATES = Path(__file__).resolve().parent.parent.parent / "templates"
_PRINT_TOO = 4
_BASIC_RULES = """
head, title, meta { display: none }
html, body, div, p, h1, h2 { display: block }
[dir=rtl] { direction: rtl }
"""


def render_pdf(face: CertificateFace, paper: Paper) -> bytes:
    """Return a certificate as PDF/UA-1: Letter and A4 fold in three, the card is half a Letter page with two sides."""
    return print_certificate(face, paper)[0]


def print_certificate(face: CertificateFace, paper: Paper) -> tuple[bytes, str]:
    """Return a certificate as PDF/UA-1, and the letters in it that no installed font has."""
    tools = _tools()
    with in_language(face.lang):
        words = words_of(face)
        layout = lay_out(words, paper)
        html = tools.html(build_html(face, paper, words, layout))
    address, palette = certificate_address(face.base_url, face.code), PALETTES[face.palette]
    pictures = {
        "certificate:backdrop": backdrop(face.design, face.public_id, palette, SHEETS[paper], layout),
        "certificate:qr": qr_picture(address),
    }
    missing: set[str] = set()
    pdf = _write_pdf(html, tools.sheets[paper], pictures, missing)
    return pdf, "".join(sorted(missing))


def find_missing_letters(text: str) -> str:
    """Return the letters of a text that no installed font has, by setting it as a certificate would."""
    missing: set[str] = set()
    markup = _environment().get_template("certificates/letters.html").render(text=printable(text))
    _write_pdf(_tools().html(markup), _tools().sheets["letter"], {"certificate:backdrop": NOTHING}, missing)
    return "".join(sorted(missing))


def render_report(report: Report) -> bytes:
    """Return a report as PDF/UA-1 of as many pages as it takes."""
    markup = _environment().get_template("certificates/report.html").render(report=report.printable())
    return _write_pdf(_tools().html(markup), _report_sheet(report.paper), {})


def _write_pdf(html: Any, sheet: Any, pictures: dict[str, Any], missing: set[str] | None = None) -> bytes:
    def finish(document: Any, pdf: Any) -> None:
        for font in document.fonts.values():
            (missing if missing is not None else set()).update(map(chr, font.missing))
        _finish(document, pdf)

    pdf: bytes = html.write_pdf(
        stylesheets=[sheet],
        finisher=finish,
        font_config=_tools().font_config,
        cache=pictures,
        pdf_variant="pdf/ua-1",
    )
    return pdf


def _finish(document: Any, pdf: Any) -> None:
    """Make the fonts small, and let links stay where they are when a page is printed (ISO 32000, 12.5.3)."""
    shrink_fonts(document, pdf)
    for item in pdf.objects:
        if isinstance(item, dict) and item.get("Subtype") == "/Link":
            item["F"] = _PRINT_TOO


def build_html(face: CertificateFace, paper: Paper, words: Words, layout: Layout) -> str:
    """Return the certificate's markup: a few placed blocks; every text escaped and given its typeface."""
    facts = {
        "lang": face.lang,
        "words": words,
        "layout": layout,
        "grouped_code": format_code(face.code),
        "page_address": f"{face.base_url}/c/{face.code}",
        "symbol": _symbol_box(face, SHEETS[paper], layout.use.top),
        "issued_on": face.issued_on,
        "is_test": face.is_test,
        "hold": _("On hold. Please call %(phone)s", phone=words.phone) if face.is_on_hold else "",
    }
    return _environment().get_template("certificates/certificate.html").render(facts)


def style_sheet(paper: Paper) -> str:
    """Return the style sheet of a paper: what is common, and the sizes that follow from its measures."""
    sheet = SHEETS[paper]
    return (_TEMPLATES / "certificates" / "certificate.css").read_text(encoding="utf-8") + (
        f"@page {{ size: {sheet.width}mm {sheet.height:.2f}mm }}\n"
        f".gift {{ left: {sheet.margin}mm; width: {_mm(sheet.inner)} }}\n"
        f".message {{ max-width: {sheet.message_width}mm }}\n"
        f".use {{ left: {_mm(sheet.column)}; width: {_mm(sheet.width - sheet.margin - sheet.column)} }}\n"
        f".terms, .row {{ left: {sheet.margin}mm; width: {_mm(sheet.inner)} }}\n"
    )


def _symbol_box(face: CertificateFace, sheet: Sheet, top: float) -> dict[str, float]:
    """Return the place of the QR picture, so that its dark modules stand in line with the margin and the words."""
    modules = len(qr_modules(certificate_address(face.base_url, face.code)))
    module = sheet.symbol / modules
    side = module * (modules + 2 * QUIET_ZONE)
    return {"left": sheet.margin - QUIET_ZONE * module, "top": top + 1.3 - QUIET_ZONE * module, "side": side}


@dataclass(frozen=True, slots=True)
class _Tools:
    """What every print shares: loaded fonts, parsed style sheets, the fetcher that refuses."""

    html: Any
    font_config: Any
    sheets: dict[Paper, Any]


@cache
def _tools() -> _Tools:
    """Load WeasyPrint, the fonts and the style sheets once per process; let them go when it ends.

    A font configuration that outlived the end would look for the modules that it cleans up with in vain.
    """
    from weasyprint import CSS
    from weasyprint.text.fonts import FontConfiguration

    atexit.register(_tools.cache_clear)
    font_config, fetcher = FontConfiguration(), _font_fetcher()
    faces = "\n".join(_face_rule(number, face) for number, face in enumerate(ALL))
    sheets = {
        paper: CSS(string=faces + style_sheet(paper), font_config=font_config, url_fetcher=fetcher) for paper in PAPERS
    }
    return _Tools(_plain_html(), font_config, sheets)


@cache
def _report_sheet(paper: Paper) -> Any:
    """Return the style sheet of reports; its typefaces are those that `_tools` has loaded."""
    from weasyprint import CSS

    rules = (_TEMPLATES / "certificates" / "report.css").read_text(encoding="utf-8")
    return CSS(
        string=f"@page {{ size: {'A4' if paper == 'a4' else 'letter'} }}\n{rules}", font_config=_tools().font_config
    )


def _font_fetcher() -> Any:
    """Return what gives the packages' fonts to the style sheet, by their place in the list of typefaces."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class FontFiles(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:  # noqa: ARG002  # the library's signature
            face = read_face(ALL[int(url.removeprefix("typeface:"))])
            return URLFetcherResponse(url, face, {"Content-Type": "font/ttf"})

    return FontFiles()


def _plain_html() -> Any:
    """Return the class that reads our markup: as XML, with the few rules it needs of the 200 in a browser's sheet."""
    from cssselect2 import ElementWrapper  # type: ignore[import-untyped]
    from weasyprint import CSS, HTML
    from weasyprint.urls import URLFetcher

    class Refuser(URLFetcher):  # type: ignore[misc]
        """Fetches nothing, whatever a text may ask for."""

        def fetch(self, url: str, headers: Any = None) -> Any:  # noqa: ARG002  # the library's signature
            raise ValueError("nothing is fetched while a certificate is printed")

    refuser, rules = Refuser(), [CSS(string=_BASIC_RULES)]

    class PlainHTML(HTML):  # type: ignore[misc]
        """What the library's own class holds after reading, without its parser of any HTML ever written."""

        def __init__(self, markup: str) -> None:
            self.base_url, self.url_fetcher, self.media_type = None, refuser, "print"
            root = ElementTree.fromstring(markup)  # noqa: S314  # our own template, every text escaped
            self.wrapper_element = ElementWrapper.from_html_root(root, content_language=None)
            self.etree_element = self.wrapper_element.etree_element

        def _ua_stylesheets(self, forms: bool = False) -> list[Any]:  # noqa: ARG002  # the library's signature
            return rules

    return PlainHTML


def _face_rule(number: int, face: Typeface) -> str:
    return f'@font-face {{ font-family: "{face.family}"; font-weight: {face.weight}; src: url("typeface:{number}") }}'


@cache
def _environment() -> Environment:
    environment = SpeakingEnvironment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"mm": _mm, "setting": _setting, "direction": direction}
    environment.filters |= {"text_style": text_style, "name_style": name_style, "spoken": spoken}
    return environment


def _mm(length: float) -> str:
    return f"{length:.2f}mm"


def _setting(setting: Setting) -> str:
    return f"font-size: {setting.size_pt}pt; line-height: {setting.line_pt:.2f}pt; line-clamp: {setting.most_lines}"
