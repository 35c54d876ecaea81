"""Each seeded bug is caught, by the check that is there for it; the sound shop passes the same scenario."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from giftshop.foundation.settings import Settings
from tests.conftest import make_settings
from tests.delivery.mail_servers import MailServer
from tests.faults import scenarios
from tests.faults.bugs import BUGS
from tests.faults.scene import Scene, play
from tests.workbench.running import RunningWorkbench

UNCLEAR = "an unclear answer"


@dataclass(frozen=True)
class Case:
    """Which scenario catches a bug, by which check, on which database."""

    scenario: Callable[[Scene], None]
    check: str
    database: str = "sqlite"
    with_mails: bool = False


CASES = {
    "no conditional update": Case(scenarios.two_tills_take_all_at_once, UNCLEAR),
    "stale read under the lock": Case(scenarios.two_tills_take_all_at_once, UNCLEAR, "postgresql"),
    "no turn for writers": Case(scenarios.two_tills_take_all_at_once, UNCLEAR),
    "answer not kept": Case(scenarios.a_form_is_sent_twice, "one key, two effects"),
    "two commits in a redemption": Case(scenarios.the_process_dies_before_the_redemption_is_stored, UNCLEAR),
    "answered before the commit": Case(
        scenarios.the_process_dies_after_the_redemption_is_stored, "an acknowledged act that is lost"
    ),
    "undo twice": Case(scenarios.a_redemption_is_undone_twice, UNCLEAR),
    "event trusted": Case(scenarios.an_unpaid_session_is_called_complete, "a certificate without payment"),
    "expired session issues": Case(scenarios.a_session_expires, "a certificate without payment"),
    "amount mismatch issues": Case(scenarios.less_is_paid_than_was_asked_for, "certificates worth more than was paid"),
    "order not locked": Case(scenarios.two_events_settle_an_order_at_once, UNCLEAR, "postgresql"),
    "refund without hold": Case(scenarios.value_is_spent_while_it_is_paid_back, "Stripe and the ledger differ"),
    "two commits in a refund": Case(
        scenarios.the_process_dies_before_a_refund_is_answered, "a refund that nobody was told of"
    ),
    "payment acknowledged and forgotten": Case(scenarios.a_payment_is_heard_of, "paid without certificate"),
    "refund without idempotency key": Case(scenarios.the_answer_about_a_refund_is_lost, "a refund doubled"),
    "release on unknown outcome": Case(
        scenarios.value_is_spent_when_the_answer_about_a_refund_is_lost, "refunded and redeemed exceed the face value"
    ),
    "refund webhook applied twice": Case(
        scenarios.a_refund_made_at_stripe_is_heard_of_three_times, "Stripe and the ledger differ"
    ),
    "dispute does not freeze": Case(scenarios.a_payment_is_disputed, "disputed and not on hold"),
    "dispute won releases twice": Case(scenarios.a_dispute_is_won, UNCLEAR),
    "mail marked before sending": Case(
        scenarios.the_process_dies_before_a_message_is_handed_over, "a message that never came", with_mails=True
    ),
    "delivery without turn check": Case(
        scenarios.a_job_whose_turn_is_over_runs_beside_the_one_whose_turn_it_is,
        "a message twice without a crash",
        with_mails=True,
    ),
    "a new Message-ID each time": Case(
        scenarios.the_process_dies_after_a_message_is_handed_over, "a message under another Message-ID", with_mails=True
    ),
    "job enqueued after the commit": Case(
        scenarios.the_process_dies_after_the_sale_is_stored, "a message that never came", with_mails=True
    ),
    "no takeover from dead processes": Case(
        scenarios.a_worker_dies_with_messages_in_hand, "a message that never came", with_mails=True
    ),
}
SOUND = {(case.scenario, case.database): name for name, case in CASES.items()}
"""Several bugs share a scenario; a sound shop need pass it once on each database."""
SOUND_NAMES = [pytest.param(name, CASES[name].database, id=name) for name in SOUND.values()]
NAMES = [pytest.param(name, case.database, id=name) for name, case in CASES.items()]


@pytest.fixture
def settings(database_url: str, quiet_workbench: RunningWorkbench) -> Settings:
    """The settings of a shop whose Stripe is the workbench."""
    return make_settings(database_url, **quiet_workbench.shop_settings)


@pytest.mark.parametrize(("name", "database"), SOUND_NAMES, indirect=["database"])
def test_a_sound_shop_passes(
    name: str, settings: Settings, quiet_workbench: RunningWorkbench, mail_server: MailServer, tmp_path: Path
) -> None:
    case = CASES[name]
    with play(settings, quiet_workbench, mail_server, tmp_path, bug="") as scene:
        case.scenario(scene)
        assert scene.judge(with_mails=case.with_mails) == []


@pytest.mark.parametrize(("name", "database"), NAMES, indirect=["database"])
def test_the_bug_is_caught(
    name: str, settings: Settings, quiet_workbench: RunningWorkbench, mail_server: MailServer, tmp_path: Path
) -> None:
    case = CASES[name]
    with play(settings, quiet_workbench, mail_server, tmp_path, bug=name) as scene:
        case.scenario(scene)
        assert case.check in {finding.check for finding in scene.judge(with_mails=case.with_mails)}


def test_every_bug_has_its_scenario() -> None:
    assert CASES.keys() == BUGS.keys()
    assert len(BUGS) >= 20
