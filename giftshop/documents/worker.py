"""The press: prints certificates and reports in a child process, so that web processes never load WeasyPrint.

One child per process, started when the first certificate is printed. It reads a job as JSON from its standard
input and writes the PDF to its standard output; when its parent dies, even by kill -9, its input ends and so
does it. A print that takes too long or too much memory costs the child, not the shop.
"""

import json
import os
import resource
import select
import struct
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from datetime import date
from typing import IO, Any

from giftshop.documents.pdf import CertificateFace, Paper, render_pdf, render_report
from giftshop.documents.reports import Report
from giftshop.errors import ShopError

MOST_SECONDS, END_SECONDS = 20, 2
MOST_BYTES = 1 << 30
PRINTS_PER_CHILD = 500
"""WeasyPrint keeps a little memory with every document, so a child is replaced now and then."""
_LENGTH = struct.Struct(">I")


class PrintingError(ShopError):
    """This certificate could not be printed. Please try again."""


class Press:
    """Prints one certificate at a time; safe to share between threads."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._prints = 0

    def print_pdf(self, face: CertificateFace, paper: Paper) -> bytes:
        """Return the PDF of a certificate. Raises PrintingError when the child gave none in time."""
        return self._print(["certificate", {**asdict(face), "issued_on": face.issued_on.isoformat()}, paper])

    def print_report(self, report: Report) -> bytes:
        """Return the PDF of a report. Raises PrintingError when the child gave none in time."""
        return self._print(["report", {**asdict(report), "made_on": report.made_on.isoformat()}, report.paper])

    def _print(self, job: list[Any]) -> bytes:
        order = json.dumps(job).encode()
        with self._turn:
            child = self._ready_child()
            assert child.stdin is not None
            assert child.stdout is not None
            try:
                _write(child.stdin, order)
                answer = _read_in_time(child.stdout, time.monotonic() + MOST_SECONDS)
            except (OSError, EOFError):
                self._discard()
                raise PrintingError from None
        if not answer.startswith(b"%PDF-"):
            raise PrintingError
        return answer

    def stop(self) -> None:
        """End the child; the next print starts another."""
        with self._turn:
            self._discard()

    def _ready_child(self) -> subprocess.Popen[bytes]:
        if self._prints >= PRINTS_PER_CHILD or (self._child is not None and self._child.poll() is not None):
            self._discard()
        if self._child is None:
            command = [sys.executable, "-m", "giftshop.documents.worker"]
            self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
            self._prints = 0
        self._prints += 1
        return self._child

    def _discard(self) -> None:
        """End the child: it clears its temporary fonts away when its input ends; one that hangs is killed."""
        child, self._child = self._child, None
        if child is not None:
            try:
                child.communicate(timeout=END_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.communicate()


press = Press()
"""The press of this process."""


def _write(pipe: IO[bytes], data: bytes) -> None:
    pipe.write(_LENGTH.pack(len(data)) + data)
    pipe.flush()


def _read_in_time(pipe: IO[bytes], deadline: float) -> bytes:
    """Read one answer from the child, or raise EOFError when it ends or the deadline passes."""
    received = b""
    while len(received) < _LENGTH.size or len(received) < _LENGTH.size + _LENGTH.unpack_from(received)[0]:
        ready, _, _ = select.select([pipe], [], [], max(0, deadline - time.monotonic()))
        chunk = os.read(pipe.fileno(), 1 << 16) if ready else b""
        if not chunk:
            raise EOFError
        received += chunk
    return received[_LENGTH.size :]


def _work(source: IO[bytes], target: IO[bytes]) -> None:
    """Print what the parent asks for until its end of the pipe closes; an empty answer says that it failed."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    while head := source.read(_LENGTH.size):
        job = json.loads(source.read(_LENGTH.unpack(head)[0]))
        try:
            pdf = _print(*job)
        except Exception as error:  # any fault of one document must not end the press
            print(f"printing failed: {type(error).__name__}", file=sys.stderr)  # noqa: T201
            pdf = b""
        _write(target, pdf)


def _print(kind: str, fields: dict[str, Any], paper: Paper) -> bytes:
    if kind == "report":
        return render_report(Report.from_json(fields))
    facts = {**fields, "issued_on": date.fromisoformat(fields["issued_on"]), "terms": tuple(fields["terms"])}
    return render_pdf(CertificateFace(**facts), paper)


if __name__ == "__main__":
    _work(sys.stdin.buffer, sys.stdout.buffer)
