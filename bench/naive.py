"""The yardstick for PDFs: the same certificate printed as WeasyPrint's own introduction shows it, for pdf.py.

The same markup, words, typefaces and tags give the same page. What differs is what the shop saves: here the drawing
and the QR code stand in the page as SVG, the QR library chooses its own mask, the style sheet with its fonts is read
anew for every document, the HTML by the library's own parser under a browser's style sheet, and whatever is
asked for is fetched by the library's own fetcher.
"""

import base64
import re
from pathlib import Path

import qrcode
from qrcode.image.svg import SvgPathImage
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

from giftshop.documents.artwork.designs import DESIGNS
from giftshop.documents.artwork.drawing import HEIGHT, PALETTES, WIDTH, Palette, svg
from giftshop.documents.fonts import ALL, Typeface, read_face
from giftshop.documents.layout import PLATE_PAD, SHEETS, Layout, lay_out
from giftshop.documents.pdf import CertificateFace, Paper, build_html, style_sheet
from giftshop.documents.pictures import TICK
from giftshop.documents.qr import certificate_address
from giftshop.documents.wording import words_of

_TEMPLATES = Path(__file__).resolve().parent.parent / "templates"


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
    plate = f'<div class="plate">{_mark(PALETTES[face.palette])}</div>'
    before, rest = html.split('<img class="qr" src="certificate:qr" ')
    place, after = rest.split(" />", 1)
    symbol = f'<div class="qr" {place.split(" alt=")[0]}>{_qr_svg(certificate_address(face.base_url, face.code))}</div>'
    page = f"{before}{symbol}{after}".replace("<body>", f'<body><div class="art">{drawing}</div>{plate}{ticks}')
    return f"<!DOCTYPE html>\n{page}"


def _qr_svg(address: str) -> str:
    picture = qrcode.make(address, image_factory=SvgPathImage, error_correction=qrcode.ERROR_CORRECT_Q)
    return re.sub(r' (?:width|height)="\d+mm"', "", picture.to_string(encoding="unicode"))  # as large as its place


def _mark(palette: Palette) -> str:
    mark = (_TEMPLATES / "storefront" / "mark.svg").read_text(encoding="utf-8")
    coloured = mark.replace("<svg ", f'<svg xmlns="http://www.w3.org/2000/svg" stroke="{palette.line}" ')
    return coloured.replace('class="art-accent art-line"', f'fill="{palette.accent}"')


def _ticks(fold: float) -> str:
    near = f"{TICK[0]}mm"
    return "".join(f'<div class="tick" style="top: {fold:.2f}mm; {side}: {near}"></div>' for side in ("left", "right"))


def _style(face: CertificateFace, paper: Paper, layout: Layout) -> str:
    sheet = SHEETS[paper]
    height = sheet.width * HEIGHT / WIDTH
    plate = layout.plate
    above = (height - layout.art) * DESIGNS[face.design].focus
    return style_sheet(paper).replace('background: url("certificate:backdrop") 0 0 / 100% 100% no-repeat', "") + (
        f".art {{ position: absolute; top: 0; left: 0; width: 100%; height: {layout.art:.2f}mm; overflow: hidden }}"
        f".art svg {{ position: absolute; top: {-above:.2f}mm; width: {sheet.width}mm; height: {height:.2f}mm }}"
        f".plate {{ position: absolute; top: {plate.top:.2f}mm; left: {plate.left}mm; background: #fff;"
        f" width: {plate.width:.2f}mm; height: {plate.height:.2f}mm }}"
        f".plate svg {{ position: absolute; left: {PLATE_PAD}mm; top: {(plate.height - plate.mark) / 2:.2f}mm;"
        f" width: {plate.mark}mm; height: {plate.mark}mm }}"
        ".tick { position: absolute; width: 4mm; height: 0.35pt; background: #758580 }"
        ".qr svg { display: block; width: 100%; height: auto }"
    )


def _face_rules() -> str:
    return "".join(
        f'@font-face {{ font-family: "{face.family}"; font-weight: {face.weight}; src: url("{_as_uri(face)}") }}'
        for face in ALL
    )


def _as_uri(face: Typeface) -> str:
    if not face.has_slashed_zeros:
        return face.path.as_uri()
    return f"data:font/ttf;base64,{base64.b64encode(read_face(face)).decode()}"
