"""CPU per certificate, warm, and its ratio to a naive WeasyPrint render of the same page in the same run."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date

from giftshop.certificates.codes import new_code
from giftshop.certificates.document import CertificateFace, build_html, render_pdf, style_sheet
from giftshop.certificates.drawing import PALETTES, svg
from giftshop.certificates.qr import certificate_address
from giftshop.certificates.sheets import SHEETS, lay_out
from giftshop.certificates.wording import words_of
from giftshop.typefaces import ALL

CERTIFICATES = 20
FACE = CertificateFace(
    public_id="BENCH",
    code="7KQ2M4XD9TFPB3HV",
    base_url="https://gifts.focusedcare.example",
    design="shoulders",
    palette="spruce",
    recipient_name="Ana",
    giver_name="Marko",
    message="Your shoulders have carried enough. Lie down for an hour.",
    amount_text="$120.00",
    service_text="60-minute massage",
    practice_name="Focused Care Therapeutic Massage",
    practice_address="Focused Care Therapeutic Massage LLC, 214 Juniper Street, Fort Collins, CO 80521",
    practice_phone="(970) 555-0134",
    booking_address="focusedcare.example/book",
    balance_address="gifts.focusedcare.example/balance",
    terms=(
        "Good for any of our services. Use it at once or bit by bit: what you leave stays on it.",
        "It never expires and no fee is ever taken from it.",
        "Treat it as you would cash. Lost, or seen by someone it was not meant for? Tell us and we replace it.",
    ),
    issued_on=date(2026, 11, 24),
    is_test=False,
)


def main() -> None:
    """Print milliseconds of CPU per PDF, ours and naive, taken in turns, and their ratio."""
    faces = [replace(FACE, public_id=f"BENCH{at:05}", code=new_code()) for at in range(2 * CERTIFICATES)]
    for render in (_render, _render_naively):
        render(FACE)
    rounds = [(_cpu_ms(_render, faces[at::8]), _cpu_ms(_render_naively, faces[at + 4 :: 8])) for at in range(4)]
    ours, naive = (sum(times) / len(rounds) for times in zip(*rounds, strict=True))
    print(f"PDF: {ours:.1f} ms CPU each, warm; naive WeasyPrint {naive:.1f} ms; {naive / ours:.1f} times faster")


def _render(face: CertificateFace) -> bytes:
    """Render the page as the shop does."""
    return render_pdf(face, "letter")


def _cpu_ms(render: Callable[[CertificateFace], bytes], faces: list[CertificateFace]) -> float:
    started = time.process_time()
    for face in faces:
        render(face)
    return (time.process_time() - started) / len(faces) * 1000


def _render_naively(face: CertificateFace) -> bytes:
    """Render the page as the libraries' introductions show it: SVG in the HTML, fonts and style read each time."""
    import qrcode
    from qrcode.image.svg import SvgPathImage
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration

    words = words_of(face)
    art = svg(face.design, face.public_id, palette=PALETTES[face.palette])
    address = certificate_address(face.base_url, face.code)
    picture = qrcode.make(address, image_factory=SvgPathImage, error_correction=qrcode.ERROR_CORRECT_Q)
    symbol = picture.to_string().decode().split("?>")[-1]
    html = build_html(face, "letter", words, lay_out(words, "letter"))
    before, after = html.split('<img class="qr" src="certificate:qr" ')
    place, rest = after.split(">", 1)
    html = f'{before}<div class="qr" {place.split(" alt=")[0]}>{symbol}</div>{rest}'
    html = html.replace("<body>", f'<body><div class="art">{art}</div>')
    sheet = SHEETS["letter"]
    faces = "".join(
        f'@font-face {{ font-family: "{face.family}"; font-weight: {face.weight}; src: url("{face.path.as_uri()}") }}'
        for face in ALL
    )
    style = style_sheet("letter").replace('url("certificate:backdrop")', "none") + (
        f".art {{ position: absolute; top: 0; left: 0; width: {sheet.width}mm; height: {sheet.arts[0]}mm }}"
        ".art svg, .qr svg { width: 100%; height: 100% }"
    )
    fonts = FontConfiguration()
    css = CSS(string=faces + style, font_config=fonts)
    pdf: bytes = HTML(string=html).write_pdf(stylesheets=[css], font_config=fonts, pdf_variant="pdf/ua-1")
    return pdf


if __name__ == "__main__":
    main()
