"""CPU per certificate, warm, and its ratio to a plain WeasyPrint render of the same markup in the same run."""

import time
from collections.abc import Callable
from dataclasses import replace

from giftshop.certificates import document
from giftshop.certificates.drawing import PALETTES, svg
from giftshop.certificates.qr import certificate_address, qr_svg
from tests.certificates.test_document import FACE

CERTIFICATES = 20


def main() -> None:
    """Print milliseconds of CPU per PDF, ours and plain, and the ratio."""
    ours = _cpu_ms(lambda number: document.render_pdf(replace(FACE, public_id=f"BENCH{number:05}"), "letter"))
    plain = _cpu_ms(lambda number: _plain(f"BENCH{number:05}"))
    print(f"PDF: {ours:.0f} ms CPU each, warm; plain WeasyPrint {plain:.0f} ms; {plain / ours:.1f} times faster")


def _cpu_ms(render: Callable[[int], object]) -> float:
    render(0)
    started = time.process_time()
    for number in range(CERTIFICATES):
        render(number)
    return (time.process_time() - started) / CERTIFICATES * 1000


def _plain(public_id: str) -> bytes:
    """Render the same markup plainly: SVG in the page, new fonts and a new style sheet each time."""
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    face = replace(FACE, public_id=public_id)
    art = svg(face.design, public_id, palette=PALETTES[face.palette])
    symbol = qr_svg(certificate_address(face.base_url, face.code), "QR code")
    html = document.build_html(face, "letter")
    html = html.replace('<div class="art"></div>', f'<div class="art">{art}</div>')
    html = html.replace('src="certificate:qr"', 'src="data:,"').replace(
        "</body>", f'<div class="qr">{symbol}</div></body>'
    )
    fonts = FontConfiguration()
    faces = "".join(
        f'@font-face {{ font-family: "{face.family}"; font-weight: {face.weight}; src: url("{face.path.as_uri()}") }}'
        for face in document.ALL
    )
    sheet = CSS(string=faces + document._sheet("letter"), font_config=fonts)
    pdf: bytes = HTML(string=html).write_pdf(stylesheets=[sheet], font_config=fonts, pdf_variant="pdf/ua-1")
    return pdf
