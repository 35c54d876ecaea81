"""Every page of the workbench, looked at as markup."""

import html5lib  # type: ignore[import-untyped]
import pytest
import requests
from html5lib.html5parser import ParseError  # type: ignore[import-untyped]

from tests.workbench.running import RunningWorkbench
from tests.workbench.samples import MakeSession


def pages(bench: RunningWorkbench, make_session: MakeSession) -> list[str]:
    """Addresses of all pages, with something on each."""
    sessions = [make_session().id for _ in range(5)]
    bench.post(f"/sessions/{sessions[0]}/settle", {"outcome": "pay_then_dispute"})
    bench.post(f"/sessions/{sessions[1]}/settle", {"outcome": "pay_later_ok"})
    bench.post(f"/sessions/{sessions[2]}/expire")
    bench.post(f"/sessions/{sessions[3]}/settle")
    bench.post("/refunds", {"session": sessions[3], "amount": 1000})
    headers = {"Authorization": f"Bearer {bench.stripe_key}", "X-Envelope-To": "ana@example.com"}
    mail = b"Subject: <Hello>\nContent-Type: text/html\n\n<p>Hello</p>"
    requests.post(f"{bench.url}/mailbox/messages", data=mail, headers=headers, timeout=10)
    charge_id = bench.get("/state")["charges"][0]["id"]
    return [f"/c/pay/{session_id}" for session_id in sessions] + [
        "/", "/_sim", "/mailbox", "/mailbox?to=nobody", "/mailbox/1", f"/c/receipt/{charge_id}", "/nowhere",
    ]  # fmt: skip


def test_every_page_is_valid_html_in_english_and_fits_a_phone(
    bench: RunningWorkbench, make_session: MakeSession
) -> None:
    for path in pages(bench, make_session):
        text = requests.get(bench.url + path, timeout=10).text
        try:
            html5lib.HTMLParser(strict=True).parse(text)
        except ParseError as error:
            pytest.fail(f"{path}: {error}")
        assert '<html lang="en">' in text
        assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in text
        assert text.count("<h1>") == 1


def test_every_page_says_that_it_is_simulated_and_runs_no_script(
    bench: RunningWorkbench, make_session: MakeSession
) -> None:
    for path in pages(bench, make_session):
        page = requests.get(bench.url + path, timeout=10)
        assert "SIMULATED" in page.text, path
        assert "<script" not in page.text
        assert "unsafe" not in page.headers["Content-Security-Policy"]
