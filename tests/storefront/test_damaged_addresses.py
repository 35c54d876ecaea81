"""Addresses that a mail program, a chat or a person has made longer or shorter lead to the page that was meant."""

from urllib.parse import quote

import pytest

from giftshop import clock
from giftshop.certificates import codes
from giftshop.checkout.placing import place_order
from giftshop.foundation.database import db
from giftshop.orders import look_up
from tests import build
from tests.conftest import both_databases
from tests.statements import count_queries
from tests.storefront.conftest import Visitor, heading
from tests.storefront.test_recipient import code_of

ADDED = [
    *".,;:!)]}>\"'*",
    " ",
    "\u00a0",
    "\u200b",
    "…",
    "”",
    "’",
    "»",
    ").",
    ">,",
    "=20",
    "&gt;",
    "%20",
    "/",
    "./",
    ")/",
    "/)",
    "/.)",
]
BAD = ["123.", "K7M2QX9RTB4DHVWS.", "not a code.", "ß" * 16 + ".", "A" * 500 + ")"]


def damaged_token(monkeypatch: pytest.MonkeyPatch, token: str) -> str:
    """Place an order whose private address ends as those drawn before may end; return its path."""
    monkeypatch.setattr(look_up, "new_token", lambda: token)
    place_order(build.purchase(), mode="simulated", at=clock.now())
    db.session.commit()
    return f"/orders/{token}"


@pytest.mark.parametrize("added", ADDED)
def test_a_certificates_address_with_signs_behind_it_leads_to_the_clean_one(visitor: Visitor, added: str) -> None:
    code = code_of()
    answer = visitor.open(f"/c/{code}{quote(added, safe='/')}")
    assert answer.status_code == 302
    leads_to = visitor.open(answer.location)
    leads_to = leads_to if leads_to.status_code == 200 else visitor.open(leads_to.location)
    assert heading(leads_to).startswith("Ana")
    assert leads_to.request.path == f"/c/{code}"


@pytest.mark.parametrize("before", ["(", "<", "“", " ", "]Q1", "%3C"])
def test_signs_before_a_code_are_left_out_too(visitor: Visitor, before: str) -> None:
    code = code_of()
    assert visitor.open(f"/c/{quote(before)}{codes.format_code(code).lower()}").location == f"/c/{code}"
    assert visitor.open(f"/C/{quote(before)}{code}.").location == f"/c/{code}"


@pytest.mark.parametrize("added", [added for added in ADDED if "/" not in added])
def test_the_address_of_the_paper_is_mended_with_its_paper(visitor: Visitor, added: str) -> None:
    code, sign = code_of(), quote(added)
    mended = visitor.open(f"/c/{code}/certificate.pdf{sign}?paper=a4")
    assert (mended.status_code, mended.location) == (302, f"/c/{code}/certificate.pdf?paper=a4")
    assert visitor.open(f"/c/{code}{sign}/certificate.pdf").location == f"/c/{code}/certificate.pdf?paper=letter"
    asked = visitor.open(f"/c/{code}/certificate.pdf?paper=card{sign}")
    assert (asked.status_code, asked.mimetype) == (200, "application/pdf")


def test_bad_codes_get_the_one_answer_with_signs_behind_them_too(visitor: Visitor) -> None:
    answers = {visitor.open(f"/c/{quote(bad)}").data for bad in [*BAD, "123"]}
    assert len(answers) == 1
    unknown = visitor.open(f"/c/{codes.new_code()}.")
    assert unknown.status_code == 302
    assert {visitor.open(unknown.location).data} == answers


def test_of_two_codes_in_an_address_none_is_chosen(visitor: Visitor) -> None:
    assert visitor.open(f"/c/{code_of()}.{code_of()}").status_code == 404


@pytest.mark.parametrize("page", ["/balance", "/gift", "/terms", "/articles", "/staff/login"])
@pytest.mark.parametrize("added", [".", ")", ">.", "/", "%E2%80%9D"])
def test_every_page_is_found_when_a_sentence_ends_with_its_address(visitor: Visitor, page: str, added: str) -> None:
    answer = visitor.open(page + added)
    assert (answer.status_code, answer.location) == (302, page)


@pytest.mark.parametrize(
    "path",
    ["//evil.example.", "/\\evil.example.", "//evil.example/c/x.", "///evil.example/balance.", "/nothing.", "/."],
)
def test_no_address_leads_to_another_host_or_in_a_circle(visitor: Visitor, path: str) -> None:
    answer = visitor.ask(path, method="GET")
    location = answer.headers.get("Location", "/")
    assert answer.status_code in (302, 308, 404)
    assert location.startswith(("/", visitor.base_url))
    assert not location.startswith(("//", "/\\"))


def test_a_form_is_sent_to_no_address_but_its_own(visitor: Visitor) -> None:
    assert visitor.ask("/balance.", method="POST").status_code == 404


@pytest.mark.parametrize("added", [*".,;:!)]>\"'*", "%20", "_", "-", ").", "%E2%80%8B"])
def test_an_orders_address_with_signs_behind_it_leads_to_the_clean_one(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, added: str
) -> None:
    path = damaged_token(monkeypatch, "Ab3-_Xyz" * 3 + "Ab3-_Xy9")
    for page in ("", "/gifts/1"):
        answer = visitor.open(f"{path}{added}{page}?done=day")
        assert (answer.status_code, answer.location) == (302, f"{path}{page}?done=day")
    assert visitor.open(path).status_code == 200


@both_databases
@pytest.mark.parametrize("lost", ["-", "_", "--", "_-"])
def test_an_orders_address_that_lost_its_last_signs_still_leads_to_it(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    path = damaged_token(monkeypatch, ("Ab3-_Xyz" * 4)[: 32 - len(lost)] + lost)
    short = path.removesuffix(lost)
    for written in (short, short + ".", short + "%20)"):
        answer = visitor.open(written)
        assert (answer.status_code, answer.location) == (302, path)


def test_a_token_is_never_guessed_from_less(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    path = damaged_token(monkeypatch, "Ab3-_Xyz" * 3 + "Ab3-_Xyz")
    for wrong in (path[:-1], path[:-2], path.lower(), path[:-1] + "A", path + "A/x", "/orders/-", "/orders/."):
        assert visitor.open(wrong).status_code == 404, wrong
    assert visitor.open(path + "A").location == path  # glued to the next word


def test_a_form_of_an_order_counts_under_its_own_address_only(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = damaged_token(monkeypatch, "Ab3-_Xyz" * 3 + "Ab3-_Xy-")
    visitor.open(path)
    for way in ("pay", "link", "gifts/1/copy"):
        assert visitor.send(f"{path[:-1]}/{way}").status_code == 404
        assert visitor.send(f"{path}./{way}").status_code == 404


def test_an_order_is_found_by_one_question_however_its_token_is_spelled(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = damaged_token(monkeypatch, "Ab3-_Xyz" * 3 + "Ab3-_X--").rpartition("/")[2]
    counts = []
    for written in (token, token[:-2], "x" * 32, ""):
        db.session.expunge_all()
        with count_queries() as queries:
            look_up.find_order(written)
        counts.append(len([query for query in queries if "token_lookup IN" in query]))
    assert counts == [1] * 4


def test_new_tokens_end_in_a_letter_or_a_figure() -> None:
    made = {look_up.new_token() for _ in range(2000)}
    assert len(made) == 2000
    assert all(token[-1].isalnum() and len(token) == 32 for token in made)
    assert any(set("-_") & set(token) for token in made)
