"""Short scenarios, the same every time, each of which a sound shop passes and one careless habit fails."""

import subprocess
import sys
import time

import sqlalchemy as sa

from giftshop.delivery.models import Delivery
from giftshop.errors import CheckoutUnavailableError
from giftshop.foundation.database import db
from giftshop.orders.models import Refund
from giftshop.refunds import requests
from tests.faults.checker import AskedRefund
from tests.faults.scene import SILENT_SECONDS, Scene


def two_tills_take_all_at_once(scene: Scene) -> None:
    _, certificate = scene.sell(at_till=True)
    name = certificate.public_id
    scene.at_once(lambda: scene.redeem(name, 100_00, till=0), lambda: scene.redeem(name, 100_00, till=1))


def a_form_is_sent_twice(scene: Scene) -> None:
    _, certificate = scene.sell(at_till=True)
    for _ in range(2):
        scene.redeem(certificate.public_id, 30_00, key="one-form-sent-twice")


def the_process_dies_before_the_redemption_is_stored(scene: Scene) -> None:
    _, certificate = scene.sell(at_till=True)
    scene.armoury.arm("redeem_committed.before", "break")
    for _ in range(2):
        scene.redeem(certificate.public_id, 30_00, key="sent-until-answered")


def the_process_dies_after_the_redemption_is_stored(scene: Scene) -> None:
    _, certificate = scene.sell(at_till=True)
    scene.armoury.arm("redeem_committed.after", "break")
    for _ in range(2):
        scene.redeem(certificate.public_id, 30_00, key="sent-until-answered")


def a_redemption_is_undone_twice(scene: Scene) -> None:
    _, certificate = scene.sell(at_till=True)
    done = scene.redeem(certificate.public_id, 30_00)
    for _ in range(2):
        scene.undo(done)


def an_unpaid_session_is_called_complete(scene: Scene) -> None:
    order = scene.place()
    scene.hear("checkout.session.completed", order.attempts[-1].session_id or "")


def a_session_expires(scene: Scene) -> None:
    order = scene.place()
    session_id = order.attempts[-1].session_id or ""
    scene.side.workbench.post(f"/sessions/{session_id}/expire")
    scene.hear("checkout.session.expired", session_id)


def less_is_paid_than_was_asked_for(scene: Scene) -> None:
    order = scene.place()
    session_id = order.attempts[-1].session_id or ""
    scene.side.workbench.post(f"/objects/{session_id}", {"amount_total": 1_00})
    scene.hear("checkout.session.completed", scene.side.pay(order))


def two_events_settle_an_order_at_once(scene: Scene) -> None:
    order = scene.place()
    session_id = scene.side.pay(order)
    scene.at_once(*[lambda: scene.hear("checkout.session.completed", session_id)] * 2)


def value_is_spent_while_it_is_paid_back(scene: Scene) -> None:
    refund = _hold(scene, 30_00)
    scene.redeem(refund.name, 100_00)
    _pursue(scene, refund.id)


def the_answer_about_a_refund_is_lost(scene: Scene) -> None:
    refund = _hold(scene, 30_00)
    _lose_the_answer(scene, refund.id)
    _pursue(scene, refund.id)


def value_is_spent_when_the_answer_about_a_refund_is_lost(scene: Scene) -> None:
    refund = _hold(scene, 30_00)
    _lose_the_answer(scene, refund.id)
    scene.redeem(refund.name, 100_00)
    _pursue(scene, refund.id)
    (at_stripe,) = scene.side.workbench.get("/state")["refunds"]
    scene.hear("refund.created", at_stripe["id"])


def the_process_dies_before_a_refund_is_answered(scene: Scene) -> None:
    _, certificate = scene.sell()
    name = certificate.public_id
    scene.armoury.arm("refund_held.before", "break")
    for _ in range(2):
        scene.pay_back(name, 30_00, key="sent-until-answered")


def a_payment_is_heard_of(scene: Scene) -> None:
    scene.hear("checkout.session.completed", scene.side.pay(scene.place()))


def a_refund_made_at_stripe_is_heard_of_three_times(scene: Scene) -> None:
    order, _ = scene.sell()
    refund_id = scene.side.refund(order, 30_00)
    for kind in ("refund.created", "refund.updated", "refund.created"):
        scene.hear(kind, refund_id)


def a_payment_is_disputed(scene: Scene) -> None:
    order, certificate = scene.sell(at_till=True)
    scene.hear("charge.dispute.created", scene.side.dispute(order))
    scene.redeem(certificate.public_id, 30_00)


def a_dispute_is_won(scene: Scene) -> None:
    order, _ = scene.sell()
    dispute_id = scene.side.dispute(order)
    scene.hear("charge.dispute.created", dispute_id)
    scene.side.decide(dispute_id, "won")
    for kind in ("charge.dispute.closed", "charge.dispute.funds_reinstated"):
        scene.hear(kind, dispute_id)


def the_process_dies_before_a_message_is_handed_over(scene: Scene) -> None:
    scene.sell()
    scene.armoury.arm("mail_handed_over.before", "break")
    for _ in range(2):
        scene.send_all()


def the_process_dies_after_a_message_is_handed_over(scene: Scene) -> None:
    scene.sell()
    scene.armoury.arm("mail_handed_over.after", "break")
    for _ in range(2):
        scene.send_all()


def the_process_dies_after_the_sale_is_stored(scene: Scene) -> None:
    order = scene.place()
    session_id = scene.side.pay(order)
    scene.armoury.arm("webhook_committed.after", "break")
    for _ in range(2):  # Stripe sends again what was not answered
        scene.hear("checkout.session.completed", session_id, event_id="evt_sent_again")
    scene.send_all()


def a_job_whose_turn_is_over_runs_beside_the_one_whose_turn_it_is(scene: Scene) -> None:
    scene.sell()
    scene.mail.to_data = "451 later"
    scene.send_all()
    scene.mail.to_data = ""
    first = db.session.scalars(sa.select(Delivery.id).order_by(Delivery.id).limit(1)).one()
    db.session.rollback()
    scene.armoury.arm("mail_handed_over.before", "sleep 1")

    def be_late() -> None:
        while not scene.armoury.fired():
            time.sleep(0.01)
        scene.deliver(first, 0)

    scene.at_once(lambda: scene.deliver(first, 1), be_late)
    scene.send_all()


def a_worker_dies_with_messages_in_hand(scene: Scene) -> None:
    scene.sell()
    db.session.rollback()
    url = scene.app.config["SHOP_SETTINGS"].database_url
    with subprocess.Popen([sys.executable, "-m", "tests.faults.doomed", url], stdout=subprocess.PIPE) as doomed:
        assert doomed.stdout is not None
        assert doomed.stdout.readline() == b"running\n"
        doomed.kill()
    scene.crashed()
    scene.run_worker(until_messages=2, most_seconds=5 * SILENT_SECONDS)


class _Held:
    """A refund that is held, by id, and the certificate's public id."""

    def __init__(self, refund: Refund, name: str) -> None:
        self.id, self.name = refund.id, name


def _hold(scene: Scene, amount_cents: int) -> _Held:
    order, certificate = scene.sell(at_till=True)
    name = certificate.public_id
    asked = {"reason": "test", "actor": "staff:1", "limit_cents": None}
    refund = requests.hold_refund(order.id, certificate.id, amount_cents, **asked)  # type: ignore[arg-type]
    db.session.commit()
    held = _Held(refund, name)
    asked_refund = AskedRefund(certificate=name, key="held", amount_cents=amount_cents, refund_id=refund.public_id)
    scene.refunds.append(asked_refund)
    db.session.rollback()
    return held


def _lose_the_answer(scene: Scene, refund_id: int) -> None:
    """Let Stripe pay back, and its answers get lost, the SDK's second try included."""
    scene.side.workbench.post("/faults", {"do": "drop_after", "method": "POST", "path": "/v1/refunds", "times": 2})
    try:
        requests.pursue_refund(refund_id, scene.side.gateway)
    except CheckoutUnavailableError:
        db.session.rollback()
    else:
        raise AssertionError("Stripe's answer was not lost")


def _pursue(scene: Scene, refund_id: int) -> None:
    requests.pursue_refund(refund_id, scene.side.gateway)
    db.session.rollback()
