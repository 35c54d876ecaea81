"""Whatever people, Stripe and banks do with one payment, and whenever the shop hears of it: the books end right.

A payment for two certificates is used, paid back, questioned and decided in any order; the news of each thing comes
late, again, or only at the end. The model below is Stripe's side alone; what must hold then is what a practice relies
on.
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
from giftshop.certificates import audit, standing
from giftshop.certificates.models import LedgerEntry
from giftshop.database import db
from giftshop.errors import ShopError
from giftshop.orders import audit as orders_audit
from giftshop.orders.disputes import record_dispute
from giftshop.orders.models import Order, Refund
from giftshop.orders.payments import cleared_by_certificate, list_certificates
from giftshop.orders.refund_outcomes import record_refund, release_refund
from giftshop.orders.refunds import hold_refund
from giftshop.orders.stripe_facts import DisputeFacts, RefundFacts
from tests import build
from tests.certificates.acts import give_back, take
from tests.orders import told

NOON = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)
FACE = 50_00
TAKEN = ("needs_response", "under_review", "lost", "appeal_needs_response", "appeal_under_review")
"""While a dispute is in one of these, the bank has the money, and Stripe pays nothing back."""


class Payment:
    """A payment of two certificates of $50.00, as Stripe has it, and the shop that hears of it."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.certificate_ids = [each.id for each in list_certificates(order.id)]
        self.refunds: dict[str, RefundFacts] = {}
        self.dispute: DisputeFacts | None = None
        self.uses: list[LedgerEntry] = []

    def act(self, name: str, number: int) -> None:
        """Let one thing happen; what the shop refuses, or cannot be, does not happen."""
        with suppress(ShopError, IndexError):
            getattr(self, name)(number)

    def use(self, number: int) -> None:
        self.uses.append(take(self.certificate_ids[number % 2], 10_00 * (1 + number // 2 % 5)))

    def undo(self, number: int) -> None:
        """Undo a use; what is given back after its price was paid back as well is on hold, and not judged here."""
        use = self.uses[number % len(self.uses) if self.uses else 0]
        if sum_into("write_off", use.certificate_id) == 0:
            give_back(use, is_manager=True, reason="by mistake")

    def ask(self, number: int) -> None:
        """Ask for a refund in the office; Stripe makes it at once, or later, or refuses."""
        amount, certificate_id = 10_00 * (1 + number // 2 % 5), self.certificate_ids[number % 2]
        refund = hold_refund(self.order.id, certificate_id, amount, reason="asked", actor="staff:1", limit_cents=None)
        if self._may_pay_back(amount):
            status = "succeeded" if number // 10 % 2 else "pending"
            facts = told.answer_to(refund, status, id=f"re_{len(self.refunds)}")
            self.refunds[facts.id] = facts
            if number // 20 % 2:
                record_refund(facts, self.order.id)
        else:
            release_refund(refund.id, "InvalidRequestError charge_disputed")

    def pay_back(self, number: int) -> None:
        """Make a refund in Stripe's dashboard."""
        amount = 10_00 * (1 + number % 10)
        if self._may_pay_back(amount):
            facts = told.refund_of(self.order, amount, id=f"re_{len(self.refunds)}")
            self.refunds[facts.id] = facts

    def end(self, number: int) -> None:
        """Let the buyer's bank take a refund that was pending, or send any back."""
        facts = list(self.refunds.values())[number % len(self.refunds) if self.refunds else 0]
        if not facts.has_failed:
            may_succeed = facts.status == "pending" and number // 10 % 2
            self.refunds[facts.id] = dataclasses.replace(facts, status="succeeded" if may_succeed else "failed")

    def question(self, number: int) -> None:
        """Let the buyer's bank ask, or take a part of the payment or all of it."""
        status = "warning_needs_response" if number % 4 == 0 else "needs_response"
        if self.dispute is None:
            amount = (30_00, 70_00, 100_00)[number % 3]
            self.dispute = DisputeFacts("dp_1", status, amount, amount, "fraudulent", "pi_1", None, NOON)
        elif self.dispute.status == "warning_needs_response":
            self._becomes("needs_response" if number % 2 else "warning_closed")

    def decide(self, number: int) -> None:
        """Let the bank decide, for or against the practice, or look at it once more."""
        following = {
            "needs_response": ("won", "lost", "under_review"),
            "under_review": ("won", "lost"),
            "lost": ("appeal_needs_response",),
            "appeal_needs_response": ("won", "lost"),
        }
        if self.dispute is not None and (ways := following.get(self.dispute.status)):
            self._becomes(ways[number % len(ways)])

    def hear(self, number: int) -> None:
        """Let the shop hear of one thing, as it is now at Stripe."""
        things: list[Callable[[], str]] = [self._hear_of_refund(facts) for facts in self.refunds.values()]
        if (dispute := self.dispute) is not None:
            things.append(lambda: record_dispute(dispute, self.order.id))
        things[number % len(things) if things else 0]()

    def lift(self, number: int) -> None:
        """Let a manager end the holds of a certificate."""
        certificate_id = self.certificate_ids[number % 2]
        standing.lift_all(certificate_id, reason_code="seen", actor="staff:1", at=clock.now())

    def hear_all(self) -> None:
        """Reconcile: let the shop hear of everything."""
        for number in range(len(self.refunds) + (self.dispute is not None)):
            self.hear(number)

    def left_at_stripe(self) -> int:
        """What Stripe has of the payment: neither paid back nor taken by the bank for good."""
        paid_back = sum(self._is_out(facts) * facts.amount_cents for facts in self.refunds.values())
        is_lost = self.dispute is not None and self.dispute.status in ("lost", "appeal_needs_response")
        return 2 * FACE - paid_back - (self.dispute.withdrawn_cents if is_lost and self.dispute else 0)

    def _may_pay_back(self, amount_cents: int) -> bool:
        paid_back = sum(facts.amount_cents for facts in self.refunds.values() if not facts.has_failed)
        is_disputed = self.dispute is not None and self.dispute.status in TAKEN
        return not is_disputed and amount_cents <= 2 * FACE - paid_back

    def _becomes(self, status: str) -> None:
        assert self.dispute is not None
        self.dispute = dataclasses.replace(self.dispute, status=status)

    def _hear_of_refund(self, facts: RefundFacts) -> Callable[[], str]:
        return lambda: record_refund(self.refunds[facts.id], self.order.id)

    @staticmethod
    def _is_out(facts: RefundFacts) -> bool:
        is_waiting = facts.status == "pending" and bool(facts.metadata)
        return not facts.has_failed and not is_waiting


def sum_into(account: str, *certificate_ids: int) -> int:
    """What has gone into an account less what went out of it, of some certificates or all."""
    amount = sa.case((LedgerEntry.debit_account == account, LedgerEntry.amount_cents), else_=-LedgerEntry.amount_cents)
    of_account = sa.or_(LedgerEntry.debit_account == account, LedgerEntry.credit_account == account)
    of_some = LedgerEntry.certificate_id.in_(certificate_ids) if certificate_ids else sa.true()
    return db.session.scalar(sa.select(sa.func.sum(amount)).where(of_account, of_some)) or 0


def check(payment: Payment) -> None:
    """Compare the books with Stripe, and see that nothing can be spent that the practice does not have."""
    db.session.flush()
    assert audit.list_broken_invariants() == []
    assert orders_audit.list_broken_invariants() == []
    assert sum(cleared_by_certificate(payment.order.id).values()) == payment.left_at_stripe()
    used, lost = -sum_into("service_revenue"), sum_into("write_off")
    left = -sum_into("certificate_liability") - sum_into("dispute_hold")
    assert lost <= used or left == 0, f"{left} can be spent, {lost} is lost, {used} was used"
    assert lost >= 0
    assert db.session.query(Refund).filter_by(state="held").count() == sum(
        facts.status == "pending" for facts in payment.refunds.values()
    )


ACTS = ["use", "undo", "ask", "pay_back", "end", "question", "decide", "hear", "lift"]


def test_whatever_happens_to_a_payment_the_books_say_what_stripe_has(app: Flask) -> None:
    told.sold(*[build.gift_request(offer="amount", amount_cents=FACE) for _ in range(2)])

    @examples(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 59)), max_size=14))
    def holds(acts: list[tuple[str, int]]) -> None:
        payment = Payment(db.session.query(Order).one())
        try:
            for name, number in acts:
                payment.act(name, number)
            payment.hear_all()
            check(payment)
            entries = db.session.query(LedgerEntry).count()
            payment.hear_all()
            assert db.session.query(LedgerEntry).count() == entries, "nothing is booked twice"
        finally:
            db.session.rollback()

    holds()
