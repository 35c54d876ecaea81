"""Seeded bugs: what careless programs do, by name, to plant in a shop that the fault tests must then find wanting.

Planted by patching from outside, in this process or, through PLANTED_BUG, in those of a rigged shop.
"""

from collections.abc import Callable

import pytest

from tests.faults import bugs_in_messages, bugs_in_money, bugs_in_orders

Planter = Callable[[pytest.MonkeyPatch], None]

BUGS: dict[str, Planter] = {
    "no conditional update": bugs_in_money.read_compare_and_write,
    "stale read under the lock": bugs_in_money.trust_what_was_loaded,
    "no turn for writers": bugs_in_money.begin_deferred,
    "answer not kept": bugs_in_money.forget_answers,
    "two commits in a redemption": bugs_in_money.commit_twice,
    "answered before the commit": bugs_in_money.answer_without_commit,
    "undo twice": bugs_in_money.undo_again,
    "event trusted": bugs_in_orders.trust_the_event,
    "expired session issues": bugs_in_orders.issue_when_expired,
    "amount mismatch issues": bugs_in_orders.ignore_mismatches,
    "order not locked": bugs_in_orders.settle_unlocked,
    "refund without hold": bugs_in_orders.refund_without_hold,
    "two commits in a refund": bugs_in_orders.hold_and_commit,
    "payment acknowledged and forgotten": bugs_in_orders.acknowledge_only,
    "refund without idempotency key": bugs_in_orders.refund_without_key,
    "release on unknown outcome": bugs_in_orders.release_when_unknown,
    "refund webhook applied twice": bugs_in_orders.record_refunds_again,
    "dispute does not freeze": bugs_in_orders.ignore_disputes,
    "dispute won releases twice": bugs_in_orders.release_again,
    "mail marked before sending": bugs_in_messages.mark_first,
    "delivery without turn check": bugs_in_messages.claim_any_turn,
    "a new Message-ID each time": bugs_in_messages.rename_each_time,
    "job enqueued after the commit": bugs_in_messages.enqueue_after_commit,
    "no takeover from dead processes": bugs_in_messages.take_nothing_over,
}


def plant(name: str, patches: pytest.MonkeyPatch) -> None:
    """Plant the bug of this name, none when it is empty; `patches` undoes it. Before the app is made."""
    if name:
        BUGS[name](patches)
