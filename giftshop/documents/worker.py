"""The press: prints certificates and reports in a child process, so that web processes never load WeasyPrint.

One child per process, started when the first certificate is printed. A print that takes too long or too much memory
costs the child, not the shop. What was made is kept by its content; one at a time is made, a few may wait for it, and
who comes when those few are there is told to come again: no page waits longer than a bound (decision 34).
"""

import json
import os
import select
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, Any

from giftshop.documents.child import FAULTY, LENGTH, MADE, certificate_job, report_job, write_message
from giftshop.documents.kept import KeptPrints
from giftshop.documents.pdf import CertificateFace, Paper
from giftshop.documents.proof import Fault
from giftshop.documents.reports import Report
from giftshop.errors import ShopError
from giftshop.words import _

MOST_SECONDS, END_SECONDS = 20, 2
PRINTS_PER_CHILD = 500
"""WeasyPrint keeps a little memory with every document, so a child is replaced now and then."""
FONTS_SECONDS = 60
"""A child so old, which lacked a font, is replaced: the next one sees what was installed meanwhile."""
MOST_WAITING, PAGE_SECONDS = 4, 20
"""How many pages may wait for the press at a time, fewer than a process has threads, and how long."""
JOB_SECONDS = 120
"""How long a job waits, which has time: for all the pages and jobs before it, too."""


class PrintingError(ShopError):
    """This certificate could not be printed. Please try again."""


class PressBusyError(PrintingError):
    """So much is being printed that yours has to wait. Please try again in a moment."""


class UnprintableError(PrintingError):
    """We can’t print this certificate yet, and know of it. Its code can be used all the same: show its page."""

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault = fault

    @property
    def reason(self) -> str:
        """Return what is wrong and what to do about it, for whoever looks after the shop."""
        if self.fault.letters:
            letters = ", ".join(f"{letter} (U+{ord(letter):04X})" for letter in self.fault.letters[:10])
            return _("No installed font has %(letters)s. Install the fonts that have them.", letters=letters)
        return _("Its QR code could not be read back from the printed page.")


class Press:
    """Makes one document at a time; safe to share between threads."""

    def __init__(self) -> None:
        self._turn, self._lock = threading.Lock(), threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._prints, self._born_at = 0, 0.0
        self._kept = KeptPrints()
        self._under_way: dict[bytes, Future[bytes]] = {}
        self._thread: ThreadPoolExecutor | None = None
        self._seats = threading.BoundedSemaphore(MOST_WAITING)

    def print_pdf(self, face: CertificateFace, paper: Paper, *, is_page: bool = True) -> bytes:
        """Return the PDF of a certificate, proven. A page waits less long than a job.

        Raises PrintingError when there was none in time, PressBusyError, UnprintableError when it must not go out.
        """
        return self._have(certificate_job(face, paper), is_page=is_page)

    def print_report(self, report: Report) -> bytes:
        """Return the PDF of a report. Raises PrintingError when there was none in time, PressBusyError."""
        return self._have(report_job(report), is_page=True)

    def draw(self, design: str, seed: str, palette: str) -> bytes:
        """Return a certificate's drawing as a picture (PNG), for a job. Raises PrintingError."""
        return self._have(["drawing", design, seed, palette], is_page=False)

    def find_missing_letters(self, text: str) -> str:
        """Return the letters of a text that no installed font has. Raises PrintingError when nobody could look."""
        try:
            self._have(["letters", text], is_page=True)
        except UnprintableError as found:
            return found.fault.letters
        return ""

    def stop(self) -> None:
        """End the child; the next print starts another."""
        with self._turn:
            self._discard()

    def _have(self, job: list[Any], *, is_page: bool) -> bytes:
        order = json.dumps(job).encode()
        kept = self._kept.find(order)
        if kept is not None:
            return kept
        if is_page and not self._seats.acquire(blocking=False):
            raise PressBusyError
        try:
            return self._begin(order).result(PAGE_SECONDS if is_page else JOB_SECONDS)
        except TimeoutError:  # it goes on, and is kept for who comes again
            raise PressBusyError from None
        finally:
            if is_page:
                self._seats.release()

    def _begin(self, order: bytes) -> "Future[bytes]":
        """Put a job into the queue, or find it there."""
        with self._lock:
            if self._thread is None:  # not before: the process may have been forked since this press was made
                self._thread = ThreadPoolExecutor(1, "press")
            if order not in self._under_way:
                self._under_way[order] = self._thread.submit(self._make, order)
            return self._under_way[order]

    def _make(self, order: bytes) -> bytes:
        try:
            made = self._ask_child(order)
            self._kept.keep(order, made)
            return made
        finally:
            with self._lock:
                del self._under_way[order]

    def _ask_child(self, order: bytes) -> bytes:
        with self._turn:
            child = self._ready_child()
            assert child.stdin is not None
            assert child.stdout is not None
            try:
                write_message(child.stdin, order)
                answer = _read_in_time(child.stdout, time.monotonic() + MOST_SECONDS)
            except (OSError, EOFError):
                self._discard()
                raise PrintingError from None
            if answer.startswith(FAULTY) and time.monotonic() - self._born_at > FONTS_SECONDS:
                self._discard()
        if answer.startswith(FAULTY):
            raise UnprintableError(Fault(**json.loads(answer[1:])))
        if not answer.startswith(MADE):
            raise PrintingError
        return answer[1:]

    def _ready_child(self) -> subprocess.Popen[bytes]:
        if self._prints >= PRINTS_PER_CHILD or (self._child is not None and self._child.poll() is not None):
            self._discard()
        if self._child is None:
            command = [sys.executable, "-m", "giftshop.documents.child"]
            self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
            self._prints, self._born_at = 0, time.monotonic()
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


def _read_in_time(pipe: IO[bytes], deadline: float) -> bytes:
    """Read one answer from the child, or raise EOFError when it ends or the deadline passes."""
    received = bytearray()
    while len(received) < LENGTH.size or len(received) < LENGTH.size + LENGTH.unpack_from(received)[0]:
        ready, _writable, _broken = select.select([pipe], [], [], max(0, deadline - time.monotonic()))
        chunk = os.read(pipe.fileno(), 1 << 16) if ready else b""
        if not chunk:
            raise EOFError
        received += chunk
    return bytes(received[LENGTH.size :])
