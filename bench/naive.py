"""The yardstick for PDFs: the same certificate printed as WeasyPrint's own introduction shows it, for pdf.py.

The same markup, words, typefaces and tags give the same page. What differs is what the shop saves: here the drawing
and the QR code stand in the page as SVG, the QR library chooses its own mask, the style sheet with its fonts is read
anew for every document, the HTML by the library's own parser under a browser's style sheet, and whatever is
asked for is fetched by the library's own fetcher.
"""

import re

import qrcode
from qrcode.image.svg import SvgPathImage
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

from giftshop.documents.artwork.designs import DESIGNS
from giftshop.documents.artwork.drawing import HEIGHT, PALETTES, WIDTH, svg
from giftshop.documents.fonts import ALL
from giftshop.documents.layout import SHEETS, Layout, lay_out
from giftshop.documents.pdf import CertificateFace, Paper, build_html, style_sheet
from giftshop.documents.qr import certificate_address
from giftshop.documents.wording import words_of


def render_naively(face: CertificateFace, paper: Paper) -> bytes:
    """Return the certificate as PDF/UA, printed without any of the shop's savings."""
    fonts = FontConfiguration()
    words = words_of(face)
    layout = lay_out(words, paper)
    html = HTML(string=_with_svg(build_html(face, paper, words, layout), face, paper))
    css = CSS(string=_face_rules() + _style(face, paper, layout), font_config=fonts)
    pdf: bytes = html.write_pdf(stylesheets=[css], font_config=fonts, pdf_variant="pdf/ua-1")
    return pdf


def _with_svg(html: str, face: CertificateFace, paper: Paper) -> str:
    """Put the drawing, the ticks of the folds and the QR code into the markup."""
    drawing = svg(face.design, face.public_id, palette=PALETTES[face.palette])
    ticks = "".join(_ticks(fold) for fold in SHEETS[paper].folds)
    before, rest = html.split('<img class="qr" src="certificate:qr" ')
    place, after = rest.split(" />", 1)
    symbol = f'<div class="qr" {place.split(" alt=")[0]}>{_qr_svg(certificate_address(face.base_url, face.code))}</div>'
    page = f"{before}{symbol}{after}".replace("<body>", f'<body><div class="art">{drawing}</div>{ticks}')
    return f"<!DOCTYPE html>\n{page}"


def _qr_svg(address: str) -> str:
    picture = qrcode.make(address, image_factory=SvgPathImage, error_correction=qrcode.ERROR_CORRECT_Q)
    return re.sub(r' (?:width|height)="\d+mm"', "", picture.to_string(encoding="unicode"))  # as large as its place


def _ticks(fold: float) -> str:
    return "".join(f'<div class="tick" style="top: {fold:.2f}mm; {side}: 0"></div>' for side in ("left", "right"))


def _style(face: CertificateFace, paper: Paper, layout: Layout) -> str:
    sheet = SHEETS[paper]
    height = sheet.width * HEIGHT / WIDTH
    above = (height - layout.art) * DESIGNS[face.design].focus
    return style_sheet(paper).replace('background: url("certificate:backdrop") 0 0 / 100% 100% no-repeat', "") + (
        f".art {{ position: absolute; top: 0; left: 0; width: 100%; height: {layout.art:.2f}mm; overflow: hidden }}"
        f".art svg {{ position: absolute; top: {-above:.2f}mm; width: {sheet.width}mm; height: {height:.2f}mm }}"
        ".tick { position: absolute; width: 4mm; height: 0.35pt; background: #758580 }"
        ".qr svg { display: block; width: 100%; height: auto }"
    )


def _face_rules() -> str:
    return "".join(
        f'@font-face {{ font-family: "{face.family}"; font-weight: {face.weight}; src: url("{face.path.as_uri()}") }}'
        for face in ALL
    )
