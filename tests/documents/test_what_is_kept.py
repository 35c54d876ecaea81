"""What the press has made is kept by its content within a limit; the queue for the rest has an end."""

import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from giftshop.documents.kept import KeptPrints
from giftshop.documents.worker import MOST_WAITING, Press, PressBusyError
from tests.documents.test_pdf import FACE


@pytest.fixture
def press() -> Iterator[Press]:
    press = Press()
    yield press
    press.stop()


def stop_the_child(press: Press) -> None:
    """Let the next print take until somebody lets the child go on."""
    press.print_pdf(FACE, "card")
    assert press._child is not None
    press._child.send_signal(signal.SIGSTOP)


def let_it_go_on(press: Press) -> None:
    assert press._child is not None
    press._child.send_signal(signal.SIGCONT)


def test_a_certificate_is_printed_once_and_again_when_what_stands_on_it_has_changed(press: Press) -> None:
    first = press.print_pdf(FACE, "card")
    assert press.print_pdf(FACE, "card") is first
    assert press._prints == 1
    used = replace(FACE, left_text="$45.00", left_on=date(2026, 12, 3))
    assert press.print_pdf(used, "card") != first
    assert press._prints == 2


def test_who_asks_for_what_is_being_printed_gets_the_same_print(press: Press) -> None:
    stop_the_child(press)
    printed: list[bytes] = []
    face = replace(FACE, recipient_name="Bo")
    readers = [threading.Thread(target=lambda: printed.append(press.print_pdf(face, "card"))) for _ in range(3)]
    for reader in readers:
        reader.start()
    let_it_go_on(press)
    for reader in readers:
        reader.join()
    assert len(set(map(id, printed))) == 1
    assert press._prints == 2


def test_beyond_a_few_that_wait_pages_are_turned_away_and_jobs_are_not(press: Press) -> None:
    stop_the_child(press)
    faces = [replace(FACE, recipient_name=f"Ana {number}") for number in range(MOST_WAITING)]
    readers = [threading.Thread(target=press.print_pdf, args=(face, "card")) for face in faces]
    for reader in readers:
        reader.start()
    while press._seats.acquire(blocking=False):
        press._seats.release()
        threading.Event().wait(0.01)
    with pytest.raises(PressBusyError):
        press.print_pdf(replace(FACE, recipient_name="One too many"), "card")
    assert press.print_pdf(FACE, "card").startswith(b"%PDF-")  # what is kept costs nobody a seat
    job = threading.Thread(target=press.draw, args=("dunes", "7Z0KQ2M4XD", "spruce"))
    job.start()
    let_it_go_on(press)
    for each in (*readers, job):
        each.join()
    assert press._prints == 1 + MOST_WAITING + 1


def test_a_page_that_waited_long_enough_is_told_so_and_finds_the_print_when_it_comes_again(
    press: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_the_child(press)
    face = replace(FACE, recipient_name="Bo")
    with monkeypatch.context() as impatient:
        impatient.setattr("giftshop.documents.worker.PAGE_SECONDS", 0.1)
        with pytest.raises(PressBusyError):
            press.print_pdf(face, "card")
    let_it_go_on(press)
    assert press.print_pdf(face, "card").startswith(b"%PDF-")
    assert press._prints == 2


def test_the_oldest_give_way_and_what_is_too_large_is_not_kept() -> None:
    kept = KeptPrints(most_bytes=10)
    for job in (b"a", b"b"):
        kept.keep(job, job * 4)
    assert kept.find(b"a") == b"aaaa"
    kept.keep(b"c", b"cccc")
    assert [kept.find(job) for job in (b"a", b"b", b"c")] == [b"aaaa", None, b"cccc"]
    kept.keep(b"d", b"d" * 11)
    assert kept.find(b"d") is None
    kept.keep(b"a", b"a" * 6)
    assert [kept.find(job) for job in (b"a", b"c")] == [b"aaaaaa", b"cccc"]
