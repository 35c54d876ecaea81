"""Turns facts into Stripe events and queues their deliveries, for every module that changes something."""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import NamedTuple

import stripe

from giftshop.workbench.state import Workbench
from giftshop.workbench.store import Json
from giftshop.workbench.stripe.objects.skeletons import build
from giftshop.workbench.stripe.webhooks import deliveries

API_VERSION: str = stripe.api_version

# The API call being answered: {"id": …, "idempotency_key": …}, as events name it.
calling: ContextVar[Json | None] = ContextVar("calling", default=None)


class Fact(NamedTuple):
    """One thing that happened: the event's type, the object as it is now, and what changed in it."""

    type: str
    object: Json
    previous: Json | None = None


def emit(bench: Workbench, facts: Sequence[Fact], *, hook: Json | None = None) -> list[Json]:
    """Save one event for each fact and queue its delivery; `hook` overrides the delivery knobs for these."""
    events = [bench.store.put(build_event(bench, fact)) for fact in facts]
    deliveries.enqueue(bench, events, bench.hook(hook))
    return events


def build_event(bench: Workbench, fact: Fact) -> Json:
    """Return the snapshot event of a fact, not yet saved."""
    data: Json = {"object": fact.object}
    if fact.previous is not None:
        data["previous_attributes"] = fact.previous
    return build(
        stripe.Event, id=bench.new_id("evt_1"), api_version=API_VERSION, created=bench.now(), data=data,
        pending_webhooks=1, request=calling.get() or {"id": None, "idempotency_key": None}, type=fact.type,
    )  # fmt: skip
