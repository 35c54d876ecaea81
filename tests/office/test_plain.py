"""What an owner reads of payments and servers: no id of Stripe's, no command, no setting; all of it is a fold away."""

import re

import pytest
import sqlalchemy as sa

from giftshop import clock
from giftshop.foundation.database import db
from giftshop.notifications.alerts import alert_owner
from giftshop.notifications.kinds import AlertKind
from giftshop.notifications.models import Alert
from giftshop.office.plain import tell_plainly
from giftshop.reconciliation.models import Reconciliation
from tests.office.conftest import Desk

LOST = (
    "Payment pi_3Qabc12345XYZ of $95.00 (session cs_test_a1B2c3d4e5, order o_0123456789abcdef01234567) belongs to no"
    " order. Was the database restored? `flask orders reconcile --since` with the day of the backup makes lost orders"
    " again; what it cannot make, refund at Stripe or sell again by hand."
)
SAID = {
    LOST: "Payment of $95.00 belongs to no order. Was the database restored?",
    "The mail server refused our sign-in. Check SMTP_URL.": "The mail server refused our sign-in.",
    "Refund re_1Nabc123456 at Stripe is not in our books.": "Refund at Stripe is not in our books.",
    "cs_test_a1B2c3d4e5: Stripe knows of no payment": "Stripe knows of no payment",
    "Run `flask doctor`.": "Whoever looks after the shop has to see to something.",
}


@pytest.mark.parametrize("told", SAID)
def test_what_only_helps_who_looks_after_the_shop_is_left_out(told: str) -> None:
    plain = tell_plainly(told)
    assert (plain.sentence, plain.whole) == (SAID[told], told)


@pytest.mark.parametrize(
    "told",
    [
        "The buyer’s bank questions $95.00 of order G-1001. Its certificates are on hold.",
        "Receipt of order G-1002 didn’t reach ana_maria@example.com.",
        "Certificate GNP5HWPY0N cannot be printed, so nothing of it goes out. No installed font has 山 (U+5C71).",
    ],
)
def test_what_people_say_stays_as_it_is(told: str) -> None:
    plain = tell_plainly(told)
    assert (plain.sentence, plain.whole) == (told, "")


def test_today_says_it_plainly_and_folds_the_rest(owner: Desk) -> None:
    alert_owner(AlertKind.IN_REVIEW, "pi_3Qabc12345XYZ", LOST)
    now = clock.now()
    db.session.add(Reconciliation(started_at=now, finished_at=now, problems=[LOST], changed=[]))
    db.session.commit()
    page = owner.read("/office/")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Alert)) == 1
    html = owner.client.get("/office/").text
    seen = re.sub(r"<details.*?</details>", "", html, flags=re.DOTALL)
    said = re.sub(r"<[^>]*>", "", seen)
    assert said.count("belongs to no order") >= 2
    assert not re.search(r"\b(pi|cs|re)_\w+|flask ", said)
    assert html.count("For whoever looks after the shop") == 2
    assert "flask orders reconcile --since" in page
