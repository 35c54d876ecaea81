"""The certificate on paper: a PDF/UA-1 document from plain facts, the same bytes for the same certificate for ever.

Only this module imports WeasyPrint, and only when something is printed. Nothing is ever fetched: style, fonts and
pictures are given to it as data, and its fetcher refuses every address. Drawing and QR code are handed over as
pictures that write PDF operators, which is four times faster than SVG.
"""

import hashlib
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from babel.dates import format_date
from jinja2 import Environment, FileSystemLoader

from giftshop.certificates import typesetting
from giftshop.certificates.codes import format_code
from giftshop.certificates.drawing import HEIGHT, PALETTES, WIDTH, pdf_operators
from giftshop.certificates.embedded_fonts import shorten_glyph_lists
from giftshop.certificates.qr import certificate_address, qr_pdf_operators
from giftshop.typefaces import ALL, Typeface

Paper = Literal["letter", "a4", "card"]
PAPERS: tuple[Paper, ...] = get_args(Paper)
_TEMPLATES = Path(__file__).resolve().parent.parent.parent / "templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFace:
    """What stands on a certificate. `code` is its 16 symbols; `amount_text` is ready to print ("$120.00")."""

    public_id: str
    code: str
    base_url: str
    design: str
    palette: str
    recipient_name: str
    giver_name: str
    message: str
    amount_text: str
    service_text: str
    practice_name: str
    practice_address: str
    practice_phone: str
    booking_address: str
    balance_address: str
    terms: tuple[str, ...]
    issued_on: date
    is_test: bool
    lang: str = "en"


def render_pdf(face: CertificateFace, paper: Paper) -> bytes:
    """Return a certificate as PDF/UA-1: Letter and A4 fold in three, the card is half a Letter page."""
    tools = _tools()
    html = tools.html(string=build_html(face, paper), url_fetcher=tools.refuser, media_type="print")
    pictures = {"certificate:art": _Art(face), "certificate:qr": _Symbol(face)}
    pdf: bytes = html.write_pdf(
        stylesheets=[tools.sheets[paper]],
        finisher=shorten_glyph_lists,
        font_config=tools.font_config,
        cache=pictures,
        pdf_variant="pdf/ua-1",
        pdf_identifier=hashlib.sha256(f"{face.public_id}:{paper}".encode()).digest()[:16],
    )
    return pdf


def build_html(face: CertificateFace, paper: Paper) -> str:
    """Return the certificate's markup: a few placed blocks; every text cleaned, escaped and given its typeface."""
    clean = {
        field.name: typesetting.printable(value)
        for field in fields(face)
        if isinstance(value := getattr(face, field.name), str)
    }
    facts = {
        **clean,
        "paper": paper,
        "name": typesetting.set_name(clean["recipient_name"], width_pt=_NAME_WIDTH_PT[paper]),
        "message_lines": typesetting.message_lines(clean["message"]),
        "message_size": typesetting.message_size(clean["message"]),
        "from_style": typesetting.text_style(clean["giver_name"]),
        "grouped_code": format_code(face.code),
        "terms": [typesetting.printable(sentence) for sentence in face.terms],
        "issued_on": face.issued_on,
        "issued": format_date(face.issued_on, "long", locale=face.lang),
        "is_test": face.is_test,
    }
    return _environment().get_template("certificates/certificate.html").render(facts)


_NAME_WIDTH_PT: dict[Paper, float] = {"letter": 532.0, "a4": 515.0, "card": 340.0}


class _Art:
    """The drawing as a picture that writes its own operators; stretched to cover its box as the page does."""

    def __init__(self, face: CertificateFace) -> None:
        self._operators = pdf_operators(face.design, face.public_id, PALETTES[face.palette])

    def get_intrinsic_size(self, *_: Any) -> tuple[float, float, float]:
        return WIDTH, HEIGHT, WIDTH / HEIGHT

    def draw(self, stream: Any, width: float, height: float, *_: Any) -> None:
        _draw(stream, self._operators, width / WIDTH, height / HEIGHT, height)


class _Symbol:
    """The QR code as a picture that writes its own operators."""

    def __init__(self, face: CertificateFace) -> None:
        self._operators, self._modules = qr_pdf_operators(certificate_address(face.base_url, face.code))

    def get_intrinsic_size(self, *_: Any) -> tuple[float, float, float]:
        return self._modules, self._modules, 1.0

    def draw(self, stream: Any, width: float, height: float, *_: Any) -> None:
        _draw(stream, self._operators, width / self._modules, height / self._modules, height)


def _draw(stream: Any, operators: bytes, scale_x: float, scale_y: float, height: float) -> None:
    """Write operators whose origin is the lower left corner into a stream that counts from the upper left one."""
    stream.push_state()
    stream.transform(scale_x, 0, 0, -scale_y, 0, height)
    stream.stream.append(operators)
    stream.pop_state()


@dataclass(frozen=True, slots=True)
class _Tools:
    """What every print shares: loaded fonts, parsed style sheets, the fetcher that refuses."""

    html: Any
    refuser: Any
    font_config: Any
    sheets: dict[Paper, Any]


@cache
def _tools() -> _Tools:
    """Load WeasyPrint, the fonts and the style sheets once per process."""
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class Refuser(URLFetcher):  # type: ignore[misc]
        """Fetches nothing, whatever a text may ask for."""

        def fetch(self, url: str, headers: Any = None) -> Any:  # noqa: ARG002  # the library's signature
            raise ValueError("nothing is fetched while a certificate is printed")

    class FontFiles(URLFetcher):  # type: ignore[misc]
        """Gives the packages' fonts to the style sheet, by their place in the list of typefaces."""

        def fetch(self, url: str, headers: Any = None) -> Any:  # noqa: ARG002  # the library's signature
            face = ALL[int(url.removeprefix("typeface:"))]
            return URLFetcherResponse(url, face.path.read_bytes(), {"Content-Type": "font/ttf"})

    font_config = FontConfiguration()
    faces = "\n".join(_face_rule(number, face) for number, face in enumerate(ALL))
    sheets = {
        paper: CSS(string=faces + _sheet(paper), font_config=font_config, url_fetcher=FontFiles()) for paper in PAPERS
    }
    return _Tools(HTML, Refuser(), font_config, sheets)


def _face_rule(number: int, face: Typeface) -> str:
    return f'@font-face {{ font-family: "{face.family}"; font-weight: {face.weight}; src: url("typeface:{number}") }}'


def _sheet(paper: Paper) -> str:
    folder = _TEMPLATES / "certificates"
    common = (folder / "certificate.css").read_text(encoding="utf-8")
    return common + (folder / f"{paper}.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True)
