"""What must hold after every case: books, mail, answers, log, and every shape that Stripe declares."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.stripe_cases.scene import Scene
from tests.stripe_schema import validate_event, validate_object, validate_recorded

_KINDS = ("sessions", "payment_intents", "charges", "refunds", "disputes")


def assert_all_is_well(scene: Scene) -> None:
    """Fail when anything is wrong that no case may leave behind."""
    state = scene.bench.get("/state")
    _assert_books_agree(scene, state)
    _assert_no_mail_came_twice(scene)
    _assert_answers_were_allowed(scene)
    _assert_log_keeps_secrets(scene)
    _assert_shapes_are_stripes(scene, state)


def _assert_books_agree(scene: Scene, state: dict[str, Any]) -> None:
    """Entries add up to balances of nothing or more, and what the books say Stripe holds is what it holds."""
    assert scene.records.unbalanced() == []
    charges = {charge["payment_intent"]: charge for charge in state["charges"] if charge["paid"]}
    held = {name: charge["amount_captured"] - charge["amount_refunded"] for name, charge in charges.items()}
    for dispute in state["disputes"]:
        held[dispute["payment_intent"]] -= dispute["amount"] if dispute["status"] == "lost" else 0
    booked = scene.records.cleared_by_payment()
    assert booked == {name: held[name] for name in booked}


def _assert_no_mail_came_twice(scene: Scene) -> None:
    counts = Counter(mail["message_id"] for mail in scene.bench.mails())
    assert [name for name, count in counts.items() if count > 1] == []


def _assert_answers_were_allowed(scene: Scene) -> None:
    failed = [each for each in scene.answered() if each.status >= 500 and each.status not in scene.may_answer]
    assert failed == []


def _assert_log_keeps_secrets(scene: Scene) -> None:
    log, environment = scene.log(), scene.shop.environment
    for name in ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "GIFTSHOP_SECRET_KEY", "GIFTSHOP_CODE_KEYS"):
        assert all(secret not in log for secret in environment[name].split(",")), f"the log tells {name}"
    assert "unforeseen" not in log


def _assert_shapes_are_stripes(scene: Scene, state: dict[str, Any]) -> None:
    """Check every object, event and recorded call against the SDK's own types, each version of it once."""
    for kind in _KINDS:
        _check_new(scene, state[kind], validate_object)
    _check_new(scene, state["events"], validate_event)
    _check_new(scene, scene.bench.requests(), lambda call: validate_recorded([call]))


def _check_new(scene: Scene, items: list[dict[str, Any]], check: Callable[[dict[str, Any]], None]) -> None:
    for item in items:
        text = json.dumps(item, sort_keys=True)
        if text not in scene.checked:
            check(item)
            scene.checked.add(text)
