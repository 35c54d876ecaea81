"""Whatever people, Stripe and banks do with one payment, and whenever the shop hears of it: the books end right.

A payment for three certificates is used, paid back, questioned twice and decided in any order; the news of each thing
comes late, again, or only at the end. The model below is Stripe's side alone; what must hold then is what a practice
relies on.
"""

import dataclasses
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from giftshop import clock
from giftshop.certificates import status as standing
from giftshop.disputes.outcomes import list_disputes, record_dispute
from giftshop.errors import ShopError
from giftshop.foundation.database import db
from giftshop.ledger import integrity
from giftshop.ledger.kinds import EntryKind
from giftshop.ledger.models import LedgerEntry
from giftshop.ledger.open_entries import list_open_entries
from giftshop.orders import integrity as orders_audit
from giftshop.orders.models import Order, Refund
from giftshop.payments.facts import DisputeFacts, RefundFacts, Refusal
from giftshop.payments.shares import cleared_by_certificate, list_certificates
from giftshop.refunds.outcomes import record_refund, release_refund
from giftshop.refunds.requests import hold_refund
from tests import build
from tests.faults import THOROUGH
from tests.ledger.acts import give_back, take
from tests.orders import told

NOON = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)
GIFTS, FACE = 3, 50_00
PAID = GIFTS * FACE
LOST = ("lost", "appeal_needs_response")
TAKEN = ("needs_response", "under_review", *LOST)
"""While a dispute is in one of these, the bank has the money, and Stripe pays nothing back."""
FOLLOWING = {
    "warning_needs_response": ("needs_response", "warning_closed"),
    "needs_response": ("won", "lost", "under_review"),
    "under_review": ("won", "lost"),
    "lost": ("appeal_needs_response",),
    "appeal_needs_response": ("won", "lost"),
}


class Payment:
    """A payment of three certificates of $50.00, as Stripe has it, and the shop that hears of it.

    Each act takes a number, by which it chooses; what the shop refuses, or cannot be, does not happen.
    """

    def __init__(self, order: Order) -> None:
        self.order = order
        self.certificate_ids = [each.id for each in list_certificates(order.id)]
        self.refunds: dict[str, RefundFacts] = {}
        self.disputes: dict[str, DisputeFacts] = {}
        self.uses: list[LedgerEntry] = []

    def use(self, number: int) -> None:
        self.uses.append(take(self._one(number), 10_00 * (1 + number // GIFTS % 5)))

    def undo(self, number: int) -> None:
        """Undo a use; what is given back after its price was paid back as well is on hold, and not judged here."""
        if sum_into("write_off") == 0:
            give_back(self.uses[number % len(self.uses)], is_manager=True, reason="by mistake")

    def ask(self, number: int) -> None:
        """Ask for a refund in the office; Stripe makes it at once, or later, or refuses."""
        amount = 10_00 * (1 + number // GIFTS % 5)
        refund = hold_refund(
            self.order.id, self._one(number), amount, reason="asked", actor="staff:1", limit_cents=None
        )
        if not self._may_pay_back(amount):
            release_refund(refund.id, Refusal("InvalidRequestError charge_disputed"))
            return
        status = "succeeded" if number // 10 % 2 else "pending"
        facts = told.answer_to(refund, status, id=f"re_{len(self.refunds)}")
        self.refunds[facts.id] = facts
        if number // 20 % 2:
            record_refund(facts, self.order.id)

    def pay_back(self, number: int) -> None:
        """Make a refund in Stripe's dashboard."""
        amount = 10_00 * (1 + number % 15)
        if self._may_pay_back(amount):
            facts = told.refund_of(self.order, amount, id=f"re_{len(self.refunds)}")
            self.refunds[facts.id] = facts

    def end(self, number: int) -> None:
        """Let the buyer's bank take a refund that was pending, or send any back."""
        facts = list(self.refunds.values())[number % len(self.refunds)]
        if not facts.has_failed:
            may_succeed = facts.status == "pending" and number // 10 % 2
            self.refunds[facts.id] = dataclasses.replace(facts, status="succeeded" if may_succeed else "failed")

    def question(self, number: int) -> None:
        """Let the buyer's bank ask about a part of the payment or all of it, or take that at once."""
        amount = (30_00, 70_00, PAID)[number % 3]
        if amount <= PAID - sum(facts.amount_cents for facts in self.disputes.values()):
            status, dispute_id = (
                next(iter(FOLLOWING)) if number % 4 == 0 else "needs_response",
                f"dp_{len(self.disputes)}",
            )
            self.disputes[dispute_id] = DisputeFacts(
                dispute_id, status, amount, amount, "fraudulent", "pi_1", None, NOON
            )

    def decide(self, number: int) -> None:
        """Let the bank decide, for or against the practice, for less than it had taken, or look at it once more."""
        facts = list(self.disputes.values())[number // 7 % len(self.disputes)]
        if ways := FOLLOWING.get(facts.status):
            status, taken = ways[number % len(ways)], facts.withdrawn_cents
            if status == "lost" and facts.status not in LOST and number % 5 == 0:
                taken -= 20_00
            changed = dataclasses.replace(facts, status=status, withdrawn_cents=taken)
            self.disputes[facts.id] = changed

    def hear(self, number: int) -> None:
        """Let the shop hear of one thing, as it is now at Stripe."""
        things: list[Callable[[], str]] = [self._news_of_refund(each) for each in self.refunds]
        things += [self._news_of_dispute(each) for each in self.disputes]
        things[number % len(things)]()

    def lift(self, number: int) -> None:
        standing.lift_all(self._one(number), reason_code="seen", actor="staff:1", at=clock.now())

    def freeze(self, number: int) -> None:
        standing.freeze_by_hand(self._one(number), reason_code="odd", actor="staff:1", at=clock.now())

    def void(self, number: int) -> None:
        key = build.request_key()
        standing.void(self._one(number), reason_code="in cash", request_key=key, actor="staff:1", at=clock.now())

    def hear_all(self) -> None:
        """Reconcile: let the shop hear of everything."""
        for number in range(len(self.refunds) + len(self.disputes)):
            self.hear(number)

    def left_at_stripe(self) -> int:
        """What Stripe has of the payment: neither paid back nor taken by a bank for good."""
        paid_back = sum(facts.amount_cents for facts in self.refunds.values() if _is_out(facts))
        lost = sum(facts.withdrawn_cents for facts in self.disputes.values() if facts.status in LOST)
        return PAID - paid_back - lost

    def _one(self, number: int) -> int:
        return self.certificate_ids[number % GIFTS]

    def _may_pay_back(self, amount_cents: int) -> bool:
        paid_back = sum(facts.amount_cents for facts in self.refunds.values() if not facts.has_failed)
        is_disputed = any(facts.status in TAKEN for facts in self.disputes.values())
        return not is_disputed and amount_cents <= PAID - paid_back

    def _news_of_refund(self, refund_id: str) -> Callable[[], str]:
        return lambda: record_refund(self.refunds[refund_id], self.order.id)

    def _news_of_dispute(self, dispute_id: str) -> Callable[[], str]:
        return lambda: record_dispute(self.disputes[dispute_id], self.order.id)


def _is_out(facts: RefundFacts) -> bool:
    """Tell whether the books count a refund as paid: one of ours that is pending is held instead."""
    return not facts.has_failed and not (facts.status == "pending" and facts.metadata)


def sum_into(account: str) -> int:
    """What has gone into an account less what went out of it."""
    amount = sa.case((LedgerEntry.debit_account == account, LedgerEntry.amount_cents), else_=-LedgerEntry.amount_cents)
    of_account = sa.or_(LedgerEntry.debit_account == account, LedgerEntry.credit_account == account)
    return db.session.scalar(sa.select(sa.func.sum(amount)).where(of_account)) or 0


def check(payment: Payment) -> None:
    """Compare the books with Stripe, and see that nothing can be spent that the practice does not have."""
    db.session.flush()
    assert integrity.list_broken_invariants() == []
    assert orders_audit.list_broken_invariants() == []
    assert sum(cleared_by_certificate(payment.order.id).values()) == payment.left_at_stripe()
    used, lost = -sum_into("service_revenue") - sum_into("cash_paid_out"), sum_into("write_off")
    left = -sum_into("certificate_liability") - sum_into("dispute_hold")
    assert lost >= 0
    assert lost <= used or left == 0, f"{left} can be spent, {lost} is lost, {used} was used"
    for dispute in list_disputes(payment.order.id):
        losses = list_open_entries(dispute.stripe_dispute_id, EntryKind.LOSS)
        assert dispute.loss_cents == sum(loss.amount_cents for loss in losses)
    held = db.session.query(Refund).filter_by(state="held").count()
    assert held == sum(facts.status == "pending" for facts in payment.refunds.values())


ACTS = ["use", "undo", "ask", "pay_back", "end", "end", "question", "decide", "decide", "hear", "hear"]
ACTS += ["lift", "freeze", "void"]


def test_whatever_happens_to_a_payment_the_books_say_what_stripe_has(app: Flask) -> None:
    told.sold(*[build.gift_request(offer="amount", amount_cents=FACE) for _ in range(GIFTS)])

    @examples(max_examples=3000 if THOROUGH else 250, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 59)), max_size=18))
    def holds(acts: list[tuple[str, int]]) -> None:
        payment = Payment(db.session.query(Order).one())
        try:
            for name, number in acts:
                with suppress(ShopError, ZeroDivisionError):
                    getattr(payment, name)(number)
            payment.hear_all()
            check(payment)
            entries = db.session.query(LedgerEntry).count()
            payment.hear_all()
            assert db.session.query(LedgerEntry).count() == entries, "nothing is booked twice"
        finally:
            db.session.rollback()

    holds()
