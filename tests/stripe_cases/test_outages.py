"""Cases 23 and 30: Stripe does not answer, or the shop cannot: locked, or killed at the worst moment."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from tests.stripe_cases.conftest import OpenScene
from tests.stripe_cases.purchases import CREATE, Purchase, heading
from tests.stripe_cases.records import write_lock
from tests.stripe_cases.scene import Json, Scene, until
from tests.stripe_cases.verdicts import assert_issued_once, assert_nothing_issued
from tests.workbench.running import start_workbench

TYPED = {
    "gifts-0-recipient_name": "Zoë Ødegård",
    "gifts-0-giver_name": "Marko",
    "gifts-0-message": "Your shoulders have carried enough.",
    "gifts-0-design": "stones",
}


@pytest.mark.parametrize("outage", ["refused", "503", "429", "silence"])
def test_case_23_a_buyer_whom_stripe_keeps_out_is_told_so_and_loses_nothing(scene: Scene, outage: str) -> None:
    scene.may_answer.add(503)
    order = Purchase(scene)
    with stripe_out(scene, outage):
        refusal = order.send(**TYPED)
    assert_kind_refusal(order, refusal)
    assert_kept_as_typed(order)
    assert order.token not in scene.log()
    assert "Traceback" not in scene.log()
    assert order.sessions_at_stripe() == []
    assert_nothing_issued(order)
    answer = order.press_pay()
    (session,) = order.sessions_at_stripe()
    assert (answer.status_code, answer.headers["Location"]) == (303, session["url"])
    order.pay().wait_until_mailed()
    assert len(scene.records.certificates(order.public_id)) == 1


@contextmanager
def stripe_out(scene: Scene, outage: str) -> Iterator[None]:
    """Let nobody open a payment page for a while: no listener, refusals for ever, or not a word."""
    if outage == "refused":
        port, folder = scene.bench.url.rpartition(":")[2], scene.bench.log.parent
        scene.bench.stop()
        try:
            yield
        finally:
            scene.shop.workbench = start_workbench(folder, scene.shop.url, WORKBENCH_PORT=port)
    else:
        kind = {"do": "timeout", "seconds": 4} if outage == "silence" else {"do": outage}
        scene.bench.post("/faults", {**kind, **CREATE, "times": -1})
        yield
        scene.bench.post("/faults/clear")


def assert_kind_refusal(order: Purchase, answer: requests.Response) -> None:
    """The page says in plain words that nothing was charged, offers to try again, and tells nothing about programs."""
    assert answer.status_code == 503
    assert heading(answer) == "Nothing was charged. Try again"
    assert f'action="/orders/{order.token}/pay"' in answer.text
    environment = order.scene.shop.environment
    secrets = [environment["STRIPE_SECRET_KEY"], *environment["STRIPE_WEBHOOK_SECRET"].split(",")]
    for told in ("Traceback", "stripe.", "127.0.0.1:" + order.scene.bench.url.rpartition(":")[2], *secrets):
        assert told not in answer.text


def assert_kept_as_typed(order: Purchase) -> None:
    """Order and form still hold every word."""
    assert order.state == "awaiting_payment"
    (gift,) = order.scene.records.gifts(order.public_id)
    assert {f"gifts-0-{name}": gift[name] for name in ("recipient_name", "giver_name", "message", "design")} == TYPED
    assert (gift["amount_cents"], gift["recipient_email"]) == (50_00, order.recipient_email)
    form = order.browser.get(f"{order.scene.shop.url}/gift?order={order.token}", timeout=30)
    for kept in (*TYPED.values(), "50.00", order.recipient_email, order.buyer_email):
        assert kept in form.text


def test_case_30_a_locked_database_makes_stripe_try_again(order: Purchase, scene: Scene) -> None:
    scene.may_answer.add(503)
    event = order.settle_untold()
    with write_lock(scene.records.path):
        scene.bench.post(f"/events/{event['id']}/redeliver", {"hook": {}})
        assert scene.tell(event).status_code == 503
        until(lambda: scene.refusals(event), "the simulated Stripe was refused too")
        assert scene.records.events(event["id"]) == []
        assert_nothing_issued(order)
    until(lambda: scene.is_taken(event), "Stripe's next try")
    assert set(scene.refusals(event)) == {503}
    assert_issued_once(order)


def test_case_30_a_shop_killed_before_or_after_the_entry_issues_once(open_scene: OpenScene) -> None:
    scene = open_scene(workers=1, wsgi_app="tests.stripe_cases.dying:app")
    before_entry, after_entry = Purchase(scene).place(), Purchase(scene).place()
    told = after_entry.settle_untold()
    wait_for_its_end(scene, told)
    assert [len(scene.records.entries(after_entry.public_id)), len(scene.records.events(told["id"]))] == [1, 1]
    come_back(scene, told)
    told = before_entry.settle_untold()
    kill_while_it_asks_stripe(scene, told)
    assert_nothing_issued(before_entry)
    come_back(scene, told)
    assert_issued_once(before_entry)
    assert_issued_once(after_entry)


def kill_while_it_asks_stripe(scene: Scene, event: Json) -> None:
    """kill -9 the shop while its webhook waits for the simulated Stripe: nothing is committed yet."""
    scene.bench.post("/faults", {"do": "timeout", "seconds": 2, "method": "GET", "times": 1})
    scene.bench.post(f"/events/{event['id']}/redeliver", {"hook": {}})
    until(lambda: not scene.bench.get("/state")["faults"], "the webhook has asked")
    scene.shop.kill_web()
    until(lambda: scene.refusals(event), "nobody answered")
    assert set(scene.refusals(event)) == {0}


def wait_for_its_end(scene: Scene, event: Json) -> None:
    """Deliver the event to a shop that kills itself between the ledger's commit and the answer."""
    scene.bench.post(f"/events/{event['id']}/redeliver", {"hook": {}})
    assert scene.shop.web is not None
    scene.shop.web.wait(30)
    scene.shop.web = None
    until(lambda: scene.refusals(event), "nobody answered")
    assert set(scene.refusals(event)) == {0}


def come_back(scene: Scene, event: Json) -> None:
    """Start the shop again, as it should be, and wait for Stripe's next try."""
    scene.shop.wsgi_app = "wsgi:app"
    scene.shop.start_web()
    until(lambda: scene.is_taken(event), "Stripe's next try")
