"""Seeded bugs in fulfilment, refunds and disputes; for bugs.py."""

import secrets
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from giftshop import clock
from giftshop.checkout import fulfilment
from giftshop.disputes import booking as dispute_booking
from giftshop.errors import CheckoutUnavailableError
from giftshop.foundation.database import db
from giftshop.ledger import dispute_entries, refund_entries
from giftshop.ledger.models import LedgerEntry
from giftshop.orders.models import Order, Refund
from giftshop.payments.facts import RefundFacts, Refusal
from giftshop.payments.gateway import Patience, StripeGateway
from giftshop.reconciliation import webhook_events
from giftshop.refunds import booking, outcomes, requests
from tests.faults.bugs_in_money import Meeting


def trust_the_event(patches: pytest.MonkeyPatch) -> None:
    """The event says completed, so it is paid: the session is not asked."""
    patches.setitem(webhook_events._HANDLERS, "checkout.session.completed", _settle_as_paid)


def issue_when_expired(patches: pytest.MonkeyPatch) -> None:
    """A session that expired is taken for one that ended well."""
    patches.setitem(webhook_events._HANDLERS, "checkout.session.expired", _settle_as_paid)


def ignore_mismatches(patches: pytest.MonkeyPatch) -> None:
    """What was paid is not compared with what was asked for."""
    patches.setattr(fulfilment, "find_mismatch", lambda *_: "")


def settle_unlocked(patches: pytest.MonkeyPatch) -> None:
    """The order is read, not held, while it is settled."""
    meet = Meeting()

    def read(order_id: int) -> Order:
        order = db.session.get_one(Order, order_id, populate_existing=True)
        meet()
        return order

    patches.setattr(fulfilment, "lock_order", read)


def refund_without_hold(patches: pytest.MonkeyPatch) -> None:
    """Stripe is asked first; the balance is not touched until, or even when, it has paid back."""

    def settle(refund: Refund, order: Order) -> booking.Outcome:
        refund.state, refund.ended_at = "settled", clock.now()
        return booking.Outcome(step=booking.Step.NOTHING, refund=refund, order=order)

    patches.setattr(refund_entries, "hold_refund", lambda *_args, **_kwargs: None)
    patches.setattr(booking, "settle", settle)


def hold_and_commit(patches: pytest.MonkeyPatch) -> None:
    """A refund's money is held in one commit, the answer kept in the next."""
    proper = requests.hold_refund

    def hold(*args: Any, **kwargs: Any) -> Refund:
        refund = proper(*args, **kwargs)
        db.session.commit()
        return refund

    patches.setattr(requests, "hold_refund", hold)


def acknowledge_only(patches: pytest.MonkeyPatch) -> None:
    """The webhook is answered, and what it said is forgotten."""
    patches.setitem(webhook_events._HANDLERS, "checkout.session.completed", lambda *_: "heard")


def refund_without_key(patches: pytest.MonkeyPatch) -> None:
    """Each request to Stripe is a new one."""
    proper = StripeGateway.create_refund

    def create(self: StripeGateway, parameters: dict[str, Any], _key: str, *, patience: Patience) -> RefundFacts:
        return proper(self, parameters, secrets.token_hex(16), patience=patience)

    patches.setattr(StripeGateway, "create_refund", create)


def release_when_unknown(patches: pytest.MonkeyPatch) -> None:
    """No answer is taken for a no."""
    proper = requests.pursue_refund

    def pursue(refund_id: int, gateway: StripeGateway, *, patience: Patience = "page") -> Refund:
        try:
            return proper(refund_id, gateway, patience=patience)
        except CheckoutUnavailableError:
            db.session.rollback()
            outcomes.release_refund(refund_id, Refusal("Stripe did not answer."))
            db.session.commit()
            raise

    patches.setattr(requests, "pursue_refund", pursue)


def record_refunds_again(patches: pytest.MonkeyPatch) -> None:
    """Every event about a refund made at Stripe is taken for a new refund."""
    proper = webhook_events.record_refund

    def record(facts: RefundFacts, order_id: int) -> str:
        return proper(replace(facts, id=f"{facts.id}{secrets.token_hex(4)}"), order_id)

    patches.setattr(webhook_events, "record_refund", record)


def ignore_disputes(patches: pytest.MonkeyPatch) -> None:
    """A dispute is written down, nothing else."""
    patches.setattr(dispute_booking, "stop", lambda heard: heard)


def release_again(patches: pytest.MonkeyPatch) -> None:
    """A hold that was released is released with every further event."""

    def every(external_ref: str, *kinds: str) -> list[LedgerEntry]:
        query = sa.select(LedgerEntry).where(LedgerEntry.external_ref == external_ref, LedgerEntry.kind.in_(kinds))
        return list(db.session.scalars(query))

    patches.setattr(dispute_entries, "list_open_entries", every)


def _settle_as_paid(session_id: str, gateway: StripeGateway, patience: Patience) -> str:
    session = gateway.retrieve_session(session_id, patience=patience)
    assert session is not None
    fulfilment.settle(replace(session, status="complete", payment_status="paid"))
    return "trusted"
