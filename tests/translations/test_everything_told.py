"""What the owner and the office are told, kind by kind, in a pseudo-language: no sentence is outside the catalogue."""

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from giftshop import clock
from giftshop.catalog.practice import get_practice
from giftshop.catalog.prices import get_price
from giftshop.certificates.reasons import HoldReason
from giftshop.certificates.requests import Asked
from giftshop.checkout import fulfilment
from giftshop.checkout.sessions import build_parameters
from giftshop.delivery import deliveries
from giftshop.delivery.kinds import KINDS as MESSAGES
from giftshop.delivery.kinds import MessageKind
from giftshop.delivery.models import Delivery
from giftshop.delivery.states import DeliveryState
from giftshop.disputes import announcement as of_disputes
from giftshop.disputes import booking as disputes
from giftshop.errors import (
    AmountOutOfBoundsError,
    CertificateNotFoundError,
    CheckoutRefusedError,
    CheckoutUnavailableError,
    ShopError,
)
from giftshop.foundation import activity_log
from giftshop.foundation.activity_log import Activity
from giftshop.foundation.database import db
from giftshop.ledger.kinds import EntryKind, Figure
from giftshop.ledger.models import LedgerEntry
from giftshop.notifications import daily_report, daily_report_acts, failed_scans, kinds, news
from giftshop.notifications.models import Alert
from giftshop.office import acts, evidence, order, orders, refund, review
from giftshop.office.dossier import open_dossier
from giftshop.orders import actors, labels
from giftshop.orders.models import Dispute, Order
from giftshop.orders.states import DisputeState, OrderState, RefundState
from giftshop.payments.facts import RefundFacts, RefusalKind
from giftshop.reconciliation import recovery
from giftshop.reconciliation.models import Reconciliation
from giftshop.reconciliation.review import NotAcceptableError, accept_order
from giftshop.refunds import booking as refunds
from giftshop.refunds.announcement import announcement_of
from giftshop.schedule import _alert_overdue
from tests import build
from tests.orders import told
from tests.orders.kept import facts_of
from tests.orders.stripe_side import StripeSide
from tests.signing_in import hire
from tests.translations.content import plain_english
from tests.translations.mails import composed, read_mail
from tests.translations.pseudo import known_messages

A_MINUTE = timedelta(minutes=1)


def words_in(value: Any) -> Iterator[str]:
    """Yield the words of facts, however deep they lie."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Iterable):
        for each in value.values() if isinstance(value, dict) else value:
            yield from words_in(each)


def dispute_of(sold: Order, state: str, **changes: Any) -> Dispute:
    """A dispute about an order, which is stored nowhere."""
    about = {"amount_cents": 50_00, "loss_cents": 5_00, "reason": "fraudulent", "evidence_due_at": clock.now()}
    return Dispute(order_id=sold.id, stripe_dispute_id="dp_1", status=state, opened_at=clock.now(), **about, **changes)


def test_tables_hold_only_sentences_of_the_catalogue() -> None:
    tables: list[Iterable[str]] = [
        actors.ACTORS.values(),
        labels.HOLDS.values(),
        labels.DISPUTES.values(),
        labels.DISPUTE_TAGS.values(),
        labels.DISPUTE_REASONS.values(),
        kinds.TITLES.values(),
        (row.label for row in MESSAGES.values()),
        (form for row in MESSAGES.values() for form in row.subjects if form != "%(goes)s"),
        order.DONE.values(),
        refund.REFUSALS.values(),
        (word for _tone, word in orders.STATES.values()),
        (words for act in acts.ACTS.values() for words in (act.title, act.explained, act.button)),
        evidence.BOUGHT.values(),
        evidence.DELIVERED.values(),
        daily_report_acts.GRAVE.values(),
        daily_report_acts.SLIGHT.values(),
        Figure,
        (review.NO_ANSWER, deliveries.NOT_MADE, deliveries.NOTHING_TO_BRING, deliveries.BROKE_OFF),
    ]
    assert [words for table in tables for words in table if words not in known_messages()] == []
    assert set(labels.DISPUTES) == set(labels.DISPUTE_TAGS) == set(DisputeState)


def test_every_line_of_a_history_is_in_the_catalogue(app: Flask, said: None) -> None:
    sold = told.sold()
    sold.review_reason = "the amount differs"
    lines = [labels.tell_event(each, sold, "") for each in _events()]
    for kind in EntryKind:
        entry = LedgerEntry(kind=kind, amount_cents=5_00, balance_after_cents=1_00)
        lines.append(labels.tell_entry(entry, "USD", ""))
    for kind in MessageKind:
        for state in DeliveryState:
            lines += [line for _at, line in labels.tell_delivery(_message(kind, state), get_practice())]
    told_of = [text for line in lines if line is not None for text in (line.what, line.detail)]
    assert plain_english([*told_of, *actors.name_actors([*actors.ACTORS, "staff:99"]).values()]) == []
    db.session.rollback()


def _events() -> Iterator[activity_log.ActivityEvent]:
    facts: dict[Activity, list[dict[str, Any]]] = {
        Activity.ORDER_MOVED: [{"before": "refunded", "after": state} for state in OrderState],
        Activity.DISPUTE: [{"status": state, "amount_cents": 1_00} for state in DisputeState],
        Activity.SENT_AGAIN: [{"message": "gift"}, {"message": "gift", "is_corrected": True}],
        Activity.FROZEN: [{"reason": reason} for reason in HoldReason],
        Activity.REISSUED: [{"reason": "address corrected"}],
    }
    # they belong to no order
    unsaid = (Activity.SCAN_FAILED, Activity.PRACTICE_SET, Activity.PURGED, Activity.BACKED_UP)
    for kind in Activity:
        for each in facts.get(kind, [{}]):
            if kind not in unsaid:
                yield activity_log.ActivityEvent(at=clock.now(), actor="buyer", kind=kind, facts=json.dumps(each))


def _message(kind: str, state: str) -> Delivery:
    now = clock.now()
    times = {"created_at": now, "send_at": now + A_MINUTE, "sent_at": now if state == "sent" else None}
    return Delivery(kind=kind, to_address="ana@example.com", state=state, last_error="", **times)


def test_every_concern_about_a_dispute_is_in_the_catalogue(app: Flask, said: None) -> None:
    sold = told.sold()
    found = []
    for state in DisputeState:
        for recovery_of in (None, *disputes.Recovery):
            outcome = disputes.Outcome(
                dispute=dispute_of(sold, state),
                order=sold,
                known="",
                at=clock.now(),
                is_newly_lost=True,
                recovery=recovery_of,
                has_value_again=True,
            )
            found += of_disputes.announcement_of(outcome).concerns
    found += of_disputes.announcement_of_warning(sold, "issfr_1", is_told=True, is_kept=False).concerns
    assert plain_english([each.detail for each in found]) == []
    db.session.rollback()


@pytest.mark.parametrize("is_disputed", [True, False])
def test_every_concern_about_a_refund_is_in_the_catalogue(app: Flask, said: None, is_disputed: bool) -> None:
    sold, certificate = told.sold_one()
    if is_disputed:
        db.session.add(dispute_of(sold, DisputeState.NEEDS_RESPONSE))
    db.session.query(Delivery).filter(Delivery.kind == "gift").one().state = "cancelled"
    held = told.held(sold, certificate, 20_00)
    held.stripe_refund_id = "re_1"
    found, letters = [], []
    for step in refunds.Step:
        for kind in ("", *RefusalKind):
            for changes in ({}, {"lost_cents": 5_00}, {"lost_cents": 20_00}, {"lost_cents": 5_00, "is_on_hold": True}):
                held.refusal_kind = kind
                outcome = refunds.Outcome(
                    step=step, refund=held, order=sold, returned_to=[certificate], back_cents=20_00, **changes
                )
                announced = announcement_of(outcome)
                found += announced.concerns
                letters += announced.letters
    assert plain_english([each.detail for each in found]) == []
    assert plain_english([text for each in letters for text in words_in(each.facts) if text[:8] != "/orders/"]) == []
    db.session.rollback()


def test_the_state_of_every_refund_is_in_the_catalogue(app: Flask, said: None) -> None:
    sold, certificate = told.sold_one()
    held = told.held(sold, certificate, 20_00)
    for state in RefundState:
        for code in ("", *refund.REFUSALS):
            for kind in ("", *RefusalKind):
                held.state, held.refusal_code, held.refusal_kind = state, code, kind
                held.refusal = "The bank did not take it."
                assert plain_english(list(refund.tell_refund(held)[1:])) == []
    db.session.rollback()


def test_evidence_is_in_the_catalogue(app: Flask, said: None, stripe_side: StripeSide) -> None:
    sold, certificate = stripe_side.sell_one(120_00)
    activity_log.note(Activity.VIEWED, actor="holder", certificate_id=certificate.id)
    build.redeem(certificate, 45_00)
    told.held(sold, certificate, 20_00)
    stripe_side.tell("charge.dispute.created", stripe_side.dispute(sold))
    report = evidence.build_report(db.session.query(Dispute).one(), open_dossier(sold, get_practice()))
    lines = [text for section in report.sections for line in section.lines for text in line]
    texts = [report.title, *(section.title for section in report.sections), *lines]
    assert len(texts) > 40
    assert plain_english([text.replace("America/Denver", "") for text in texts]) == []


def test_the_daily_report_is_in_the_catalogue(app: Flask, said: None) -> None:
    owner, certificate = hire("owner"), build.certificate()
    actor, now = f"staff:{owner.id}", clock.now()
    build.undo(certificate, build.redeem(certificate, 5_00, actor=actor), actor=actor)
    for kind in (*daily_report_acts.GRAVE, *daily_report_acts.SLIGHT):
        facts = {"message": "receipt", "is_corrected": True} if kind == Activity.SENT_AGAIN else {"reason": "Marko"}
        activity_log.note(kind, actor=actor, certificate_id=certificate.id, **facts)
    activity_log.note(Activity.FOUND_BY_SEARCH, actor=actor, certificate_id=certificate.id)
    receipt = db.session.query(Delivery).filter(Delivery.kind == "receipt").one()
    receipt.state, receipt.last_error = "failed", ""
    db.session.commit()
    practice = get_practice()
    today = clock.today(practice.time_zone)
    for first_day in (today, today - timedelta(days=3)):
        seal = daily_report.seals.build_seal(at=now)
        facts = daily_report.build_facts(seal, practice, first_day, today + timedelta(days=1))
        assert len(facts["acts"]) == len(daily_report_acts.GRAVE) + len(daily_report_acts.SLIGHT) + 1
        assert len(facts["undone"]) == len(facts["needs"]) == 1
        letter = Delivery(kind="daily", to_address="o@example.com", message_id="<1@example.com>", send_at=now)
        texts = [
            text.replace("(receipt)", "") for text in (*read_mail(letter, facts), composed(letter, facts)["Subject"])
        ]
        assert plain_english(texts) == []
    db.session.rollback()


def test_news_are_in_the_catalogue(app: Flask, said: None, stripe_side: StripeSide) -> None:
    later = clock.today("America/Denver") + timedelta(days=7)
    stripe_side.sell(build.gift_request(deliver_on=later))
    stripe_side.sell(build.gift_request(deliver_on=later), build.gift_request(deliver_on=later))
    _sold, used = stripe_side.sell_one(60_00)
    gift = db.session.query(Delivery).filter(Delivery.kind == "gift").order_by(Delivery.id.desc()).first()
    assert gift is not None
    gift.state, gift.sent_at = "sent", clock.now()
    build.undo(used, build.redeem(used, 45_00))
    bounced = stripe_side.sell()
    lost = db.session.query(Delivery).filter(Delivery.kind == "gift", Delivery.order_id == bounced.id).one()
    lost.state, lost.ended_at, lost.last_error = "failed", clock.now(), ""
    db.session.commit()
    last = db.session.query(Delivery).count()
    news.queue_news(at=clock.now())
    db.session.commit()
    made = db.session.query(Delivery).order_by(Delivery.id).offset(last).all()
    assert {each.kind for each in made} == {"waiting", "used", "used_undone", "unreached", "alert"}
    for letter in made:
        texts = [*read_mail(letter, facts_of(letter)), str(composed(letter, facts_of(letter))["Subject"])]
        assert plain_english(texts) == []


def test_alerts_that_no_order_raises_are_in_the_catalogue(app: Flask, said: None) -> None:
    staff = hire("staff")
    for _one in range(failed_scans.MANY):
        failed_scans.note_failed_scan(CertificateNotFoundError(), staff_id=staff.id, name=staff.name)
    recovery.alert_lost(told.session())
    for number, refusal in enumerate((CheckoutRefusedError(), CheckoutUnavailableError())):
        long_ago = clock.now() - timedelta(days=1)
        _alert_overdue(Reconciliation(id=number, started_at=long_ago), refusal)
    details = [each.detail for each in db.session.query(Alert)]
    assert len(details) == 4
    assert plain_english(details) == []
    db.session.rollback()


def test_what_is_wrong_with_a_payment_is_in_the_catalogue(app: Flask, said: None) -> None:
    for number, changes in enumerate(
        (
            {"payment_status": "no_payment_required"},
            {"livemode": True},
            {"currency": "EUR"},
            {"amount_total": 1_00},
            {"client_reference_id": "o_2"},
        )
    ):
        placed = told.placed(attempts=0)
        told.attempt(placed, 10 + number)
        fulfilment.settle(told.session_of(placed, 10 + number, **changes))
        assert placed.state == "in_review"
    db.session.commit()
    alerts = [each.detail for each in db.session.query(Alert)]
    assert len(alerts) == 5
    assert plain_english(alerts) == []


def test_what_stripes_page_says_is_in_the_catalogue(app: Flask, said: None) -> None:
    session = build.gift_request(offer="60-minutes", amount_cents=None)
    placed = told.placed(session, build.gift_request(offer="amount", amount_cents=50_00))
    parameters = build_parameters(placed, 1, base_url="https://gifts.example", expires_at=0)
    products = [each["price_data"]["product_data"] for each in parameters["line_items"]]
    said_there = [*words_in(products), parameters["payment_intent_data"]["description"]]
    assert plain_english(said_there) == []
    assert len({*said_there}) == 4


def test_refusals_with_values_are_in_the_catalogue(app: Flask, said: None) -> None:
    refusals: list[ShopError] = []
    for unpaid in ({"payment_status": "unpaid"}, {"metadata": {}}, {"livemode": True}, {"currency": "EUR"}):
        refusals.append(_refusal_to_accept(unpaid, refunds_of=[]))
    refusals.append(_refusal_to_accept({"amount_total": 900_00}, refunds_of=[]))
    refusals.append(_refusal_to_accept({}, refunds_of=[told.refund_of(told.placed(attempts=0), 1_00)]))
    refusals.append(_refusal_to_accept(None, refunds_of=[]))
    with pytest.raises(AmountOutOfBoundsError) as out:
        get_price("amount", 1, get_practice())
    assert plain_english([each.message for each in (*refusals, out.value)]) == []
    assert len({each.message for each in refusals}) == len(refusals)
    db.session.rollback()


def _refusal_to_accept(changes: dict[str, Any] | None, *, refunds_of: list[RefundFacts]) -> ShopError:
    """Return what is said when an order in review cannot be accepted: its payment differs so, or is not known."""
    placed = told.placed(attempts=0)
    placed.state, placed.payment_intent_id = "in_review", f"pi_{placed.id}"
    db.session.commit()
    session = None if changes is None else told.session_of(placed, placed.id, **changes)
    gateway: Any = SimpleNamespace(
        find_session_of_payment=lambda _payment: session, list_refunds=lambda **_asked: refunds_of
    )
    with pytest.raises(NotAcceptableError) as refused:
        accept_order(placed.id, Asked(actor="staff:1", reason="looks right", key=build.request_key()), gateway)
    db.session.rollback()
    return refused.value
