"""Cases 2, 3, 5, 20, 31 and 33: the webhook comes often, at once with the page, late, old, or about something else."""

from collections.abc import Callable

import requests

from tests.stripe_cases.purchases import Purchase
from tests.stripe_cases.scene import COMPLETED, Scene, at_once, until
from tests.stripe_cases.verdicts import assert_issued_once, assert_nothing_issued, assert_page_says


def test_case_02_ten_copies_of_one_event_at_once_issue_once(order: Purchase, scene: Scene) -> None:
    event = order.settle_untold()
    assert at_once([lambda: scene.tell(event)] * 10) == {200}
    assert_issued_once(order)
    assert len(scene.records.events(event["id"])) == 1
    assert scene.tell(event).status_code == 200
    assert_issued_once(order)


def test_case_03_two_events_about_one_payment_issue_once(order: Purchase, scene: Scene) -> None:
    first = order.settle_untold()
    second = scene.event(COMPLETED, order.session_id)
    assert first["id"] != second["id"]
    assert at_once([lambda: scene.tell(first), lambda: scene.tell(second)]) == {200}
    assert_issued_once(order)
    assert [len(scene.records.events(event["id"])) for event in (first, second)] == [1, 1]
    third = scene.event(COMPLETED, order.session_id)
    before = order.everything()
    assert scene.tell(third).status_code == 200
    assert order.everything() == before


def test_case_05_page_and_webhook_at_one_instant_issue_once(order: Purchase, scene: Scene) -> None:
    event = order.settle_untold()
    pages: list[Callable[[], requests.Response]] = [lambda: requests.get(order.address, timeout=30)] * 5
    assert at_once([*pages, *[lambda: scene.tell(event)] * 5]) == {200}
    assert "database is locked" not in scene.log()
    assert_issued_once(order)


def test_case_20_success_before_completion_ends_as_in_order(order: Purchase, scene: Scene) -> None:
    completed = order.settle_untold("pay_later_ok")
    assert completed["data"]["object"]["payment_status"] == "unpaid"
    session_id = order.session_id
    events = scene.bench.post(f"/sessions/{session_id}/arrive", {"outcome": "ok", "hook": {"drop": -1}})["events"]
    succeeded = next(event for event in events if event["type"] == "checkout.session.async_payment_succeeded")
    assert scene.tell(succeeded).status_code == 200
    assert_issued_once(order)
    before = order.everything()
    assert scene.tell(completed).status_code == 200
    assert order.everything() == before
    assert_issued_once(order)


def test_case_31_a_declined_try_and_other_news_change_nothing(order: Purchase, scene: Scene) -> None:
    before = order.everything()
    told = order.settle("decline")
    assert "payment_intent.payment_failed" in {event["type"] for event in told}
    until(lambda: all(scene.is_taken(event) for event in told), "the declined try is told")
    customer = scene.event("customer.created", {"id": "cus_1", "object": "customer", "email": order.buyer_email})
    charge = next(event["data"]["object"] for event in told if event["type"] == "charge.failed")
    news = [customer, scene.event("charge.updated", charge)]
    assert [scene.tell(event).status_code for event in news] == [200, 200]
    assert [scene.refusals(event) for event in told] == [[]] * len(told)
    assert order.everything() == before
    assert_page_says(order, "Not paid yet")
    assert_nothing_issued(order)
    assert_issued_once(order.pay())


def test_case_33_an_event_of_an_older_version_works_by_its_ids_alone(order: Purchase, scene: Scene) -> None:
    event = order.settle_untold()
    old_session = {"id": order.session_id, "object": "checkout.session", "display_items": [{"amount": 1}], "paid": "?"}
    old = {"id": event["id"], "object": "event", "type": COMPLETED, "api_version": "2019-12-03", "user_id": "acct_1"}
    assert scene.tell({**old, "data": {"object": old_session}}).status_code == 200
    assert_issued_once(order)
    assert len(scene.records.events(event["id"])) == 1
