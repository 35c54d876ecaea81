"""The dashboard for people: its buttons work, and only from its own page."""

import re
from typing import Any

import pytest
import requests

from tests.workbench.running import RunningWorkbench
from tests.workbench.samples import MakeSession


def press(bench: RunningWorkbench, do: str, item_id: str = "", **fields: str) -> requests.Response:
    """Press a button of the page: post one of its forms with the token it carries."""
    page = requests.get(f"{bench.url}/_sim", timeout=10).text
    token = re.search(r'name="form_token" value="([^"]+)"', page)
    assert token
    form = {"form_token": token[1], "do": do, "id": item_id, **fields}
    return requests.post(f"{bench.url}/_sim", data=form, allow_redirects=False, timeout=10)


def test_the_page_shows_sessions_events_and_what_the_shop_answered(
    bench: RunningWorkbench, paid: dict[str, Any]
) -> None:
    page = requests.get(f"{bench.url}/_sim", timeout=10).text
    assert paid["id"] in page
    assert "checkout.session.completed" in page
    assert "$50.00" in page


def test_the_page_is_there_before_anything_happened(bench: RunningWorkbench) -> None:
    assert "None yet" in requests.get(f"{bench.url}/_sim", timeout=10).text


def test_its_buttons_do_what_they_say(bench: RunningWorkbench, make_session: MakeSession) -> None:
    session_id = make_session().id
    assert press(bench, "sessions/settle", session_id, outcome="pay").status_code == 303
    charge_id = bench.get("/state")["charges"][0]["id"]
    press(bench, "refunds", charge=charge_id, amount="1200")
    press(bench, "disputes", charge=charge_id, status="warning_needs_response")
    state = bench.get("/state")
    assert (state["charges"][0]["amount_refunded"], state["disputes"][0]["status"]) == (1200, "warning_needs_response")
    press(bench, "disputes/close", state["disputes"][0]["id"], status="warning_closed")
    press(bench, "refunds/fail", state["refunds"][0]["id"])
    state = bench.get("/state")
    assert (state["charges"][0]["amount_refunded"], state["disputes"][0]["status"]) == (0, "warning_closed")
    page = requests.get(f"{bench.url}/_sim", timeout=10).text
    assert "warning_closed" in page


def test_every_button_on_the_page_is_an_action(bench: RunningWorkbench, make_session: MakeSession) -> None:
    for outcome in ("pay_later_ok", "decline", "pay_then_dispute"):
        bench.post(f"/sessions/{make_session().id}/settle", {"outcome": outcome})
    bench.post("/refund-status", {"status": "pending"})
    paid = make_session().id
    bench.post(f"/sessions/{paid}/settle")
    bench.post("/refunds", {"session": paid, "amount": 100})
    make_session()
    page = requests.get(f"{bench.url}/_sim", timeout=10).text
    for form in re.findall(r"<form.*?</form>", page, re.DOTALL):
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
        answer = press(bench, fields.pop("do"), fields.pop("id"), **fields)
        assert answer.status_code in (303, 422), form
        assert "There is no action" not in answer.text


@pytest.mark.parametrize("token", ["", "guessed", "ключ"])
def test_a_form_from_elsewhere_does_nothing(bench: RunningWorkbench, make_session: MakeSession, token: str) -> None:
    session_id = make_session().id
    form = {"form_token": token, "do": "sessions/settle", "id": session_id, "outcome": "pay"}
    assert requests.post(f"{bench.url}/_sim", data=form, timeout=10).status_code == 403
    assert bench.get(f"/objects/{session_id}")["status"] == "open"


@pytest.mark.parametrize(
    ("do", "fields", "words"),
    [
        ("sessions/expire", {}, "No such checkout.session"),
        ("explode", {}, "There is no action"),
        ("clock", {"advance": "soon"}, "whole number"),
        ("clock", {"advance": "٣"}, "whole number"),
    ],
)
def test_what_cannot_be_done_is_said_in_place(
    bench: RunningWorkbench, do: str, fields: dict[str, str], words: str
) -> None:
    answer = press(bench, do, **fields)
    assert answer.status_code == 422
    assert re.search(f'role="alert">[^<]*{words}', answer.text)
