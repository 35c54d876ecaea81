"""The press: a child that prints, is replaced when it fails, ends with its parent and leaves nothing behind."""

import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from giftshop.documents.kept import KeptPrints
from giftshop.documents.pdf import render_pdf, render_report
from giftshop.documents.worker import Press, PrintingError
from tests.documents.test_pdf import FACE
from tests.documents.test_reports import REPORT


def test_the_press_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    press = Press()
    press.print_pdf(FACE, "card")
    assert list(tmp_path.iterdir()) != []
    press.stop()
    assert list(tmp_path.iterdir()) == []


def test_a_press_whose_child_hangs_ends_it_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("giftshop.documents.worker.END_SECONDS", 0.1)
    press = Press()
    press.print_pdf(FACE, "card")
    child = press._child
    assert child is not None
    child.send_signal(signal.SIGSTOP)
    press.stop()
    assert child.returncode == -signal.SIGKILL


def test_the_press_prints_the_same_and_survives_a_killed_child() -> None:
    press = Press()
    expected = render_pdf(FACE, "card")
    assert press.print_pdf(FACE, "card") == expected
    assert press._child is not None
    press._child.kill()
    press._child.wait()
    press._kept = KeptPrints()
    assert press.print_pdf(FACE, "card") == expected
    press.stop()


def test_a_print_that_takes_too_long_costs_the_child_and_not_the_next_print(monkeypatch: pytest.MonkeyPatch) -> None:
    press = Press()
    press.print_pdf(FACE, "card")
    child = press._child
    assert child is not None
    child.send_signal(signal.SIGSTOP)
    with monkeypatch.context() as impatient:
        impatient.setattr("giftshop.documents.worker.MOST_SECONDS", 0.1)
        impatient.setattr("giftshop.documents.worker.END_SECONDS", 0.1)
        with pytest.raises(PrintingError):
            press.print_pdf(replace(FACE, recipient_name="Bo"), "card")
    assert child.returncode == -signal.SIGKILL
    assert press.print_pdf(FACE, "card").startswith(b"%PDF-")
    press.stop()


def test_a_press_that_has_printed_nothing_has_nothing_to_end() -> None:
    press = Press()
    press.stop()
    assert press._child is None


def test_the_press_prints_reports_as_they_are_printed_here() -> None:
    press = Press()
    assert press.print_report(REPORT) == render_report(REPORT)
    press.stop()


def test_the_press_says_so_when_a_design_is_unknown_and_prints_the_next() -> None:
    press = Press()
    with pytest.raises(PrintingError):
        press.print_pdf(replace(FACE, design="nothing"), "card")
    assert press.print_pdf(FACE, "card").startswith(b"%PDF-")
    press.stop()


def test_the_presss_child_ends_with_its_parent() -> None:
    script = (
        "import sys, time; from tests.documents.test_pdf import FACE;"
        "from giftshop.documents.worker import press;"
        "press.print_pdf(FACE, 'card'); print(press._child.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = parent.stdout.readline().strip()
        parent.kill()
    for _ in range(100):
        if has_ended(child):
            return
        threading.Event().wait(0.1)
    raise AssertionError("the child outlived its parent")


def has_ended(process_id: str) -> bool:
    """Tell whether a process has ended, even if nobody has asked for its status yet."""
    try:
        with open(f"/proc/{process_id}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True
