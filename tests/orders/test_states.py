"""The states of orders and refunds: only the moves of their tables are made, and an order's are kept in the log."""

import pytest
from flask import Flask

from giftshop.errors import MoveNotAllowedError
from giftshop.foundation.database import db
from giftshop.orders.models import Refund
from giftshop.orders.states import MOVES, REFUND_MOVES, OrderState, RefundState, may_move, move, move_refund
from tests.orders import told
from tests.orders.kept import moves_of

MONEY_CAME = ("in_review", "paid", "fulfilled", "refunded")


def test_the_table_knows_every_state_and_no_other() -> None:
    assert set(MOVES) == set(OrderState)
    assert {after for moves in MOVES.values() for after in moves} == set(OrderState)


@pytest.mark.parametrize("before", OrderState)
def test_an_order_moves_where_its_state_leads_and_nowhere_else(app: Flask, before: str) -> None:
    order = told.placed()
    for after in OrderState:
        order.state = before
        if may_move(order, after):
            move(order, after, actor="staff:1")
            assert order.state == after
        else:
            with pytest.raises(MoveNotAllowedError, match=f"An order that is {before} cannot become {after}"):
                move(order, after)
            assert order.state == before
    assert {after for _, after, _ in moves_of(order)} == MOVES[before]
    assert {(first, actor) for first, _, actor in moves_of(order)} == {(before, "staff:1")}
    db.session.rollback()


@pytest.mark.parametrize("before", MONEY_CAME)
def test_money_that_came_is_never_forgotten(before: str) -> None:
    assert MOVES[before] <= set(MONEY_CAME)


@pytest.mark.parametrize("before", RefundState)
def test_a_refund_moves_where_its_state_leads_and_nowhere_else(before: str) -> None:
    for after in RefundState:
        refund = Refund(state=before)
        if after in REFUND_MOVES[RefundState(before)]:
            move_refund(refund, after)
            assert refund.state == after
        else:
            with pytest.raises(MoveNotAllowedError, match=f"A refund that is {before} cannot become {after}"):
                move_refund(refund, after)
            assert refund.state == before
