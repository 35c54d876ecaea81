"""CPU per certificate, warm, and its ratio to a naive WeasyPrint render of the same page in the same run."""

import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import date

from bench.naive import render_naively
from bench.report import print_table, show_progress, spread
from giftshop.certificates.codes import new_code
from giftshop.documents.pdf import PAPERS, CertificateFace, Paper, render_pdf

ROUNDS, OURS_PER_ROUND = 25, 3
HEAD = ["paper", "ours", "80 % within", "naive", "80 % within", "faster", "kB", "naive kB"]
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
    booking_url="https://focusedcare.example/book",
    terms=(
        "It never expires and no fee is ever taken from it.",
        "In Colorado, once the balance is $5.00 or less, you may ask us to pay it out. "
        "It is not exchangeable for cash otherwise.",
    ),
    issued_on=date(2026, 11, 24),
    is_test=False,
)
Render = Callable[[CertificateFace, Paper], bytes]


def main() -> None:
    """Print milliseconds of CPU per PDF on every paper, ours and naive, and their ratio."""
    faces = _new_faces()
    rows = [_measure(paper, faces) for paper in PAPERS]
    print_table(
        f"Certificates as PDF: CPU ms each, warm (medians of {ROUNDS * OURS_PER_ROUND} and {ROUNDS}, taken in turns)",
        HEAD,
        rows,
        "Naive: the same words, fonts and page, printed as in WeasyPrint's introduction (bench/naive.py).",
        "Every certificate has its own name, code, drawing and QR symbol; nothing is printed twice.",
    )


def _measure(paper: Paper, faces: Iterator[CertificateFace]) -> list[str]:
    """Let two processes, one for each way, print in turns; the first print of each is not counted."""
    show_progress(f"PDF, {paper}")
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawning) as shop, ProcessPoolExecutor(1, spawning) as other:
        sizes = [
            shop.submit(_print_one, render_pdf, next(faces), paper).result()[1],
            other.submit(_print_one, render_naively, next(faces), paper).result()[1],
        ]
        ours, naive = [], []
        for _ in range(ROUNDS):
            for _ in range(OURS_PER_ROUND):
                ours.append(shop.submit(_print_one, render_pdf, next(faces), paper).result()[0])
            naive.append(other.submit(_print_one, render_naively, next(faces), paper).result()[0])
    fast, slow = statistics.median(ours), statistics.median(naive)
    figures = [f"{fast:.1f}", spread(ours), f"{slow:.1f}", spread(naive), f"{slow / fast:.1f}×"]
    return [paper, *figures, *(f"{size / 1000:.0f}" for size in sizes)]


def _new_faces() -> Iterator[CertificateFace]:
    number = 0
    while True:
        number += 1
        yield replace(FACE, public_id=f"BENCH{number:05}", code=new_code(), recipient_name=f"Ana {number}")


def _print_one(render: Render, face: CertificateFace, paper: Paper) -> tuple[float, int]:
    """Return the CPU of one print in milliseconds, and the size of what it gave."""
    started = time.process_time()
    pdf = render(face, paper)
    return (time.process_time() - started) * 1000, len(pdf)


if __name__ == "__main__":
    main()
