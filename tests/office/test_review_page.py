"""An order in review on its page and from the command line: accepted or paid back, by those who may, with a reason."""

from collections.abc import Callable

import pytest
from flask import Flask

from giftshop.catalog.models import Practice
from giftshop.foundation.database import db
from giftshop.orders.models import Order
from giftshop.payments.gateway import StripeGateway
from giftshop.payments.shares import list_certificates
from tests.office.conftest import Desk, path_of, words_of
from tests.orders.stripe_side import StripeSide
from tests.reconciliation.test_review import put_in_review, warn
from tests.signing_in import hire

WARNED = "The card’s bank warns that this payment may be fraud."
ACCEPT, PAY_BACK = "Accept it, issue the certificates", "Pay all of it back"


@pytest.fixture
def order(stripe_side: StripeSide) -> Order:
    """An order of $50.00 whose payment names another order."""
    return put_in_review(stripe_side, client_reference_id="o_another")


def test_the_owner_accepts_an_order_and_is_told(owner: Desk, order: Order) -> None:
    page = owner.read(path_of(order))
    assert ACCEPT in page
    assert PAY_BACK in page
    answer = owner.send(f"{path_of(order)}/accept", reason="a typo at the till")
    assert (answer.status_code, answer.location) == (303, f"{path_of(order)}?done=fulfilled")
    said = owner.read(answer.location or "")
    assert "The order is accepted" in said
    assert "a typo at the till" in said
    assert ACCEPT not in said
    assert len(list_certificates(order.id)) == 1


def test_the_owner_pays_all_of_it_back(owner: Desk, order: Order) -> None:
    answer = owner.send(f"{path_of(order)}/pay-back", reason="they rang")
    said = owner.read(answer.location or "")
    assert "All of the payment goes back to the buyer." in said
    assert "$50.00 is paid back" in said
    assert order.state == "refunded"


def test_the_owner_sees_that_the_bank_warns_of_fraud_and_what_accepting_will_do(
    owner: Desk, stripe_side: StripeSide, order: Order
) -> None:
    assert WARNED not in owner.read(path_of(order))
    warn(stripe_side, order)
    page = owner.read(path_of(order))
    assert WARNED in page
    assert f"{ACCEPT} on hold" in page
    answer = owner.send(f"{path_of(order)}/accept", reason="they rang, it is them")
    said = owner.read(answer.location or "")
    assert "On hold: The card’s bank warns of fraud" in said
    assert WARNED not in said


def test_once_the_bank_has_decided_for_us_the_warning_is_no_reason_for_a_hold(
    owner: Desk, stripe_side: StripeSide, order: Order
) -> None:
    warn(stripe_side, order)
    dispute_id = stripe_side.dispute(order)
    stripe_side.decide(dispute_id, "won")
    stripe_side.tell("charge.dispute.closed", dispute_id)
    page = owner.read(path_of(order))
    assert WARNED not in page
    assert f"{ACCEPT} on hold" not in page


@pytest.mark.parametrize("act", ["accept", "pay-back"])
def test_a_second_press_changes_nothing_and_says_why(owner: Desk, order: Order, act: str) -> None:
    owner.send(f"{path_of(order)}/{act}", reason="they rang")
    state = order.state
    again = owner.send(f"{path_of(order)}/{act}", reason="they rang")
    assert again.status_code == 409
    assert "not in review" in words_of(again.text)
    assert order.state == state


@pytest.mark.parametrize("act", ["accept", "pay-back"])
def test_without_a_reason_nothing_is_decided(owner: Desk, order: Order, act: str) -> None:
    answer = owner.send(f"{path_of(order)}/{act}", reason=" ")
    assert answer.status_code == 422
    assert "Please say why" in words_of(answer.text)
    assert order.state == "in_review"


@pytest.mark.parametrize("act", ["accept", "pay-back"])
def test_while_stripe_does_not_answer_the_words_stay_and_nothing_is_decided(
    app: Flask, owner: Desk, order: Order, act: str
) -> None:
    app.extensions["stripe_gateway"] = StripeGateway(
        secret_key="sk_test_sim_x", api_base="http://127.0.0.1:9", webhook_secrets=["x"]
    )
    answer = owner.send(f"{path_of(order)}/{act}", reason="they rang")
    assert answer.status_code == 503
    assert 'value="they rang"' in answer.text
    assert order.state == "in_review"


def test_an_order_that_was_never_paid_is_ended_and_no_money_is_claimed_back(
    owner: Desk, stripe_side: StripeSide
) -> None:
    order = put_in_review(stripe_side, payment_status="no_payment_required", payment_intent=None, amount_total=0)
    page = owner.read(path_of(order))
    assert "End it: nothing was paid" in page
    assert PAY_BACK not in page
    answer = owner.send(f"{path_of(order)}/pay-back", reason="they rang")
    assert order.state == "refunded"
    assert "goes back to the buyer" not in owner.read(answer.location or "")


def test_a_manager_accepts_nothing_and_pays_back_within_the_limit(manager: Desk, order: Order) -> None:
    assert manager.send(f"{path_of(order)}/accept", reason="x").status_code == 403
    assert manager.send(f"{path_of(order)}/pay-back", reason="x").status_code == 403
    assert ACCEPT not in (page := manager.read(path_of(order)))
    assert PAY_BACK not in page
    limit = db.session.get_one(Practice, 1)
    for cents, status in ((49_99, 409), (50_00, 303)):
        limit.manager_refund_limit_cents = cents
        db.session.commit()
        assert manager.send(f"{path_of(order)}/pay-back", reason="x").status_code == status
    assert order.state == "refunded"


def test_yen_are_told_as_yen_and_a_manager_leaves_them_to_the_owner(
    manager: Desk, sign_in: Callable[[str], Desk], stripe_side: StripeSide
) -> None:
    order = put_in_review(stripe_side, currency="jpy")
    db.session.get_one(Practice, 1).manager_refund_limit_cents = 1_000_00
    db.session.commit()
    assert "Received ¥5,000" in manager.read(path_of(order))
    answer = manager.send(f"{path_of(order)}/pay-back", reason="they rang")
    assert (answer.status_code, order.state) == (409, "in_review")
    assert "another currency than your limit. Please ask the owner." in words_of(answer.text)
    answer = sign_in("owner").send(f"{path_of(order)}/pay-back", reason="they rang")
    said = manager.read(answer.location or "")
    assert "¥5,000 is paid back" in said
    assert "$50.00 is paid back" not in said


@pytest.fixture
def run(app: Flask) -> Callable[..., tuple[int, str]]:
    """Run a command for the owner, as an operator types it."""
    hire("owner")

    def command(*words: str) -> tuple[int, str]:
        db.session.rollback()
        asked = ["orders", *words, "--actor", "owner@practice.example", "--reason", "by phone"]
        said = app.test_cli_runner().invoke(args=asked)
        return said.exit_code, said.output

    return command


def test_an_order_is_accepted_from_the_command_line(run: Callable[..., tuple[int, str]], order: Order) -> None:
    status, said = run("accept", order.number)
    assert (status, "its certificates are on their way" in said) == (0, True)
    assert order.state == "fulfilled"
    assert run("accept", order.number)[0] == 1


def test_an_order_is_paid_back_whole_from_the_command_line(run: Callable[..., tuple[int, str]], order: Order) -> None:
    status, said = run("refund", order.number)
    assert (status, said.strip()) == (0, f"Order {order.number} is refunded.")
    status, said = run("refund", order.number)
    assert (status, "--certificate" in said) == (1, True)
