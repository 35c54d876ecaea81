"""The press's child process: prints, proves and draws what its parent asks for, for worker.py.

It reads jobs as JSON from its standard input and answers on its standard output: one byte that says how it went, and
what was made or what is wrong. When its parent dies, even by kill -9, its input ends and so does it.
"""

import json
import resource
import struct
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from typing import IO, Any

from giftshop.documents.pdf import CertificateFace, Paper, find_missing_letters, print_certificate, render_report
from giftshop.documents.pictures import drawing_png
from giftshop.documents.proof import Fault, find_fault
from giftshop.documents.reports import Report

MOST_BYTES = 1 << 30
LENGTH = struct.Struct(">I")
MADE, FAULTY, FAILED = b"M", b"F", b"X"


def certificate_job(face: CertificateFace, paper: Paper) -> list[Any]:
    """Return the job that prints a certificate."""
    days = {name: day.isoformat() if (day := getattr(face, name)) else None for name in ("issued_on", "left_on")}
    return ["certificate", {**asdict(face), **days}, paper]


def report_job(report: Report) -> list[Any]:
    """Return the job that prints a report."""
    return ["report", {**asdict(report), "made_on": report.made_on.isoformat()}]


def write_message(pipe: IO[bytes], data: bytes) -> None:
    """Send one job or one answer."""
    pipe.write(LENGTH.pack(len(data)) + data)
    pipe.flush()


def work(source: IO[bytes], target: IO[bytes]) -> None:
    """Do what the parent asks until its end of the pipe closes; whatever fails must not end the press."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    while head := source.read(LENGTH.size):
        kind, *facts = json.loads(source.read(LENGTH.unpack(head)[0]))
        try:
            answer = _JOBS[kind](*facts)
        except Exception as error:
            print(f"printing failed: {type(error).__name__}", file=sys.stderr)  # noqa: T201
            answer = FAILED
        write_message(target, answer)


def _print_certificate(fields: dict[str, Any], paper: Paper) -> bytes:
    left_on = fields["left_on"] and date.fromisoformat(fields["left_on"])
    days = {"issued_on": date.fromisoformat(fields["issued_on"]), "left_on": left_on}
    face = CertificateFace(**{**fields, **days, "terms": tuple(fields["terms"])})
    pdf, missing = print_certificate(face, paper)
    fault = find_fault(pdf, face, missing)
    return MADE + pdf if fault is None else FAULTY + json.dumps(asdict(fault)).encode()


def _print_report(fields: dict[str, Any]) -> bytes:
    return MADE + render_report(Report.from_json(fields))


def _find_missing(text: str) -> bytes:
    missing = find_missing_letters(text)
    return FAULTY + json.dumps(asdict(Fault(letters=missing))).encode() if missing else MADE


def _draw(design: str, seed: str, palette: str) -> bytes:
    return MADE + drawing_png(design, seed, palette)


_JOBS: dict[str, Callable[..., bytes]] = {
    "certificate": _print_certificate,
    "report": _print_report,
    "letters": _find_missing,
    "drawing": _draw,
}


if __name__ == "__main__":
    work(sys.stdin.buffer, sys.stdout.buffer)
