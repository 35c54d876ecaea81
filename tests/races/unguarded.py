"""The shop with one guard removed, for negative controls only: a race test must fail here."""

import sqlalchemy as sa

from giftshop.app import create_app
from giftshop.errors import InsufficientBalanceError
from giftshop.foundation.database import db
from giftshop.ledger import posting
from giftshop.ledger.models import Certificate, LedgerEntry


def read_compare_and_write(
    certificate_id: int, transfer: posting.Transfer, cause: posting.Cause, **_conditions: object
) -> LedgerEntry:
    """Post as careless programs do: read the balance, compare it in Python, write the difference."""
    balance, sequence = db.session.execute(
        sa.select(Certificate.balance_cents, Certificate.last_sequence).where(Certificate.id == certificate_id)
    ).one()
    if balance < transfer.amount_cents:
        raise InsufficientBalanceError
    left = balance + transfer.balance_change_cents
    db.session.commit()  # what makes it a race on SQLite too: the turn ends between reading and writing
    db.session.execute(
        sa.update(Certificate)
        .where(Certificate.id == certificate_id)
        .values(balance_cents=left, last_sequence=sequence + 1)
        .execution_options(synchronize_session=False)
    )
    entry = posting._build_entry(certificate_id, transfer, cause, sequence=sequence + 1, balance=left)
    db.session.add(entry)
    db.session.flush()
    return entry


posting.post = read_compare_and_write  # type: ignore[assignment]
app = create_app()
