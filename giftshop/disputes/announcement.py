"""What the practice hears of a dispute: each stage once, what it cost, and what came back."""

from dataclasses import dataclass

from giftshop.catalog.practice import get_practice
from giftshop.certificates.reasons import HoldReason
from giftshop.dates import write_local_day
from giftshop.disputes.booking import Outcome, Recovery
from giftshop.foundation.activity_log import Activity
from giftshop.money import format_amount
from giftshop.notifications.alerts import review_alerts
from giftshop.notifications.announcing import Act, Announcement, Concern
from giftshop.notifications.kinds import AlertKind
from giftshop.orders.models import Dispute, Order
from giftshop.orders.states import APPEAL, DISPUTED, INQUIRY, DisputeState
from giftshop.words import N_, _


@dataclass(frozen=True, slots=True)
class _Stage:
    """A stretch of a dispute that the practice hears of once, by which alert and in which words."""

    statuses: tuple[DisputeState, ...]
    alert: AlertKind
    detail: str


_STAGES = (
    _Stage(
        INQUIRY,
        AlertKind.DISPUTE_INQUIRY,
        N_(
            "The buyer’s bank asks about %(amount)s of order %(number)s. "
            "No money has moved, but its certificates are on hold."
        ),
    ),
    _Stage(
        DISPUTED,
        AlertKind.DISPUTE_OPENED,
        N_("The buyer’s bank questions %(amount)s of order %(number)s. Its certificates are on hold."),
    ),
    _Stage(
        APPEAL,
        AlertKind.DISPUTE_APPEALED,
        N_(
            "The lost dispute about %(amount)s of order %(number)s goes on as an appeal. "
            "Its certificates stay as they are."
        ),
    ),
)
_RECOVERED = {
    Recovery.VALUE: N_(
        "The lost dispute of order %(number)s was decided for you after all. Please release its certificates."
    ),
    Recovery.REVIEW: N_("The lost dispute of order %(number)s was decided for you after all. It is in review again."),
}


def announcement_of(outcome: Outcome) -> Announcement:
    """Return what is to be kept and told of a dispute's outcome."""
    dispute, order = outcome.dispute, outcome.order
    facts = {"status": dispute.status, "amount_cents": dispute.amount_cents}
    is_news = outcome.known != dispute.status
    return Announcement(
        order=order,
        acts=[Act(kind=Activity.DISPUTE, at=outcome.at, facts=facts)] if is_news else [],
        done=review_alerts(order) if outcome.is_review_over else [],
        concerns=_list_concerns(outcome),
    )


def announcement_of_warning(order: Order, warning_id: str, *, is_told: bool, is_kept: bool) -> Announcement:
    """Return what is to be kept and told of an early fraud warning."""
    facts = {"subject": warning_id, "reason": HoldReason.FRAUD_WARNING}
    told = N_("The card’s bank warns that order %(number)s may be fraud. Paying it back now avoids a dispute.")
    detail = _(told, number=order.number)
    return Announcement(
        order=order,
        acts=[Act(kind=Activity.FRAUD_WARNING, facts=facts)] if is_kept else [],
        concerns=[Concern(AlertKind.FRAUD_WARNING, warning_id, detail)] if is_told else [],
    )


def _list_concerns(outcome: Outcome) -> list[Concern]:
    """Return what the owner has to look at: what was lost or came back, and a stage that asks something new."""
    dispute, number, concerns = outcome.dispute, outcome.order.number, list[Concern]()
    if outcome.is_newly_lost:
        loss = format_amount(dispute.loss_cents, outcome.order.currency)
        lost = N_(
            "The bank decided for the buyer of order %(number)s. Used or paid back already, and so lost: %(amount)s."
        )
        detail = _(lost, number=number, amount=loss)
        concerns.append(Concern(AlertKind.DISPUTE_LOST, dispute.stripe_dispute_id, detail))
    if outcome.recovery is not None:
        detail = _(_RECOVERED[outcome.recovery], number=number)
        concerns.append(Concern(AlertKind.DISPUTE_RECOVERED, dispute.stripe_dispute_id, detail))
    if outcome.has_value_again:
        detail = _(
            "The bank decided for you about order %(number)s. A certificate that somebody had ended has value"
            " again and is on hold: end the hold, or end the certificate again.",
            number=number,
        )
        concerns.append(Concern(AlertKind.ENDED_HAS_VALUE, dispute.stripe_dispute_id, detail))
    return concerns + _list_stages(dispute, outcome.order)


def _list_stages(dispute: Dispute, order: Order) -> list[Concern]:
    """Return the alert of the stage a dispute is in: an inquiry, a dispute, an appeal; none once it has ended."""
    stage = next((stage for stage in _STAGES if dispute.status in stage.statuses), None)
    if stage is None:
        return []
    amount = format_amount(dispute.amount_cents, order.payment_currency)
    detail = _(stage.detail, amount=amount, number=order.number)
    if dispute.evidence_due_at is not None:
        day = write_local_day(dispute.evidence_due_at, get_practice().time_zone)
        detail = " ".join([detail, _("Stripe wants the answer by %(day)s.", day=day)])
    return [Concern(stage.alert, dispute.stripe_dispute_id, detail)]
