"""The queue of webhook deliveries: what is due, what was answered; for `events`, `hooks` and the pages."""

import json
import time
from typing import Any

from giftshop.workbench.state import Workbench
from giftshop.workbench.store import Json

_BACK_OFF = (1, 2, 4, 8, 16, 32, *[60] * 8)
FOR_EVER = -1


def enqueue(bench: Workbench, events: list[Json], options: Json) -> None:
    """Queue each event, as often and as late as the knobs say; a completed session goes out first, as at Stripe."""
    ordered = sorted(events, key=lambda event: event["type"] != "checkout.session.completed")
    for place, event in enumerate(ordered):
        applies = event["type"] in (options.get("types") or [event["type"]])
        _insert(bench, event, options if applies else {}, share=1 - place / len(ordered))
    bench.bell.ring()


def note(bench: Workbench, event: Json, attempts: list[Json]) -> None:
    """Note an event that was posted by hand, with the shop's answers; it is not tried again."""
    taken = any(_is_taken(attempt) for attempt in attempts)
    bench.store.rows(
        "INSERT INTO deliveries (event, state, due_at, attempts, options) VALUES (?, ?, ?, ?, '{}')",
        *(event["id"], "delivered" if taken else "failed", time.time(), json.dumps(attempts)),
    )


def find_for_event(bench: Workbench, event_id: str) -> list[Json]:
    """Return the event's deliveries, oldest first, each with its attempts."""
    rows = bench.store.rows("SELECT * FROM deliveries WHERE event = ? ORDER BY seq", event_id)
    return [_delivery(row) for row in rows]


def newest(bench: Workbench) -> list[Json]:
    """Return every delivery, newest first."""
    return [_delivery(row) for row in bench.store.rows("SELECT * FROM deliveries ORDER BY seq DESC")]


def claim(bench: Workbench) -> Json | None:
    """Take the next delivery that is due, or None; nobody else gets it."""
    rows = bench.store.rows(
        "UPDATE deliveries SET state = 'sending' WHERE seq = (SELECT seq FROM deliveries"
        " WHERE state = 'pending' AND due_at <= ? ORDER BY due_at, seq LIMIT 1) RETURNING *",
        time.time(),
    )
    return _delivery(rows[0]) if rows else None


def seconds_to_next(bench: Workbench) -> float:
    """Return how long until something is due, at most a second."""
    rows = bench.store.rows("SELECT min(due_at) AS due_at FROM deliveries WHERE state = 'pending'")
    due_at: float | None = rows[0]["due_at"]
    return 1.0 if due_at is None else min(1.0, max(0.0, due_at - time.time()))


def record(bench: Workbench, delivery: Json, attempt: Json) -> None:
    """Note the answer to an attempt; without a 2xx the next try is due after a growing pause, until none is left."""
    attempts = [*delivery["attempts"], attempt]
    if _is_taken(attempt):
        state, pause = "delivered", 0
    elif len(attempts) > len(_BACK_OFF):
        state, pause = "failed", 0
    else:
        state, pause = "pending", _BACK_OFF[len(attempts) - 1] * delivery["options"].get("pace", 1)
    bench.store.rows(
        "UPDATE deliveries SET state = ?, due_at = ?, attempts = ? WHERE seq = ?",
        *(state, time.time() + pause, json.dumps(attempts), delivery["seq"]),
    )
    bench.bell.ring()


def resume(bench: Workbench) -> None:
    """Make deliveries that a stopped process was sending due again."""
    bench.store.rows("UPDATE deliveries SET state = 'pending' WHERE state = 'sending'")


def _insert(bench: Workbench, event: Json, options: Json, *, share: float) -> None:
    """Queue one event; `share` of the reorder window makes the first of several the last to go."""
    due_at = time.time() + options.get("delay", 0) + options.get("reorder", 0) * share
    state = "lost" if options.get("drop") == FOR_EVER else "pending"
    for _ in range(1 + options.get("dup", 0)):
        bench.store.rows(
            "INSERT INTO deliveries (event, state, due_at, attempts, options) VALUES (?, ?, ?, '[]', ?)",
            *(event["id"], state, due_at, json.dumps(options)),
        )


def _is_taken(attempt: Json) -> bool:
    return 200 <= (attempt["code"] or 0) < 300


def _delivery(row: Any) -> Json:
    return {**dict(row), "attempts": json.loads(row["attempts"]), "options": json.loads(row["options"])}
