"""The audit of orders: every paid gift has exactly its certificates and messages, and nothing else has any."""

import sqlalchemy as sa

from giftshop.foundation.database import db

INVARIANTS = {
    "every fulfilled gift has exactly its certificates": """
        SELECT count(*) FROM gift g JOIN "order" o ON o.id = g.order_id WHERE o.state = 'fulfilled'
          AND g.quantity <> (SELECT count(*) FROM gift_certificate x WHERE x.gift_id = g.id)""",
    "no unpaid order has a certificate": """
        SELECT count(*) FROM gift_certificate x JOIN gift g ON g.id = x.gift_id JOIN "order" o ON o.id = g.order_id
         WHERE o.state NOT IN ('paid', 'fulfilled', 'refunded') OR o.paid_at IS NULL""",
    "every certificate issued by payment belongs to a gift": """
        SELECT count(*) FROM ledger_entry e WHERE e.kind = 'issue'
          AND NOT EXISTS (SELECT 1 FROM gift_certificate x WHERE x.certificate_id = e.certificate_id)""",
    "the certificates of an order add up to what was paid": """
        SELECT count(*) FROM "order" o WHERE o.state = 'fulfilled' AND o.total_cents <> (
          SELECT coalesce(sum(c.face_value_cents), 0) FROM certificate c
            JOIN gift_certificate x ON x.certificate_id = c.id JOIN gift g ON g.id = x.gift_id
           WHERE g.order_id = o.id)""",
    "every fulfilled order has its receipt": """
        SELECT count(*) FROM "order" o WHERE o.state = 'fulfilled' AND 1 <> (
          SELECT count(*) FROM delivery d WHERE d.order_id = o.id AND d.kind = 'receipt'
             AND coalesce(d.replaces_id, 0) = 0)""",  # SQLite would look each up among the NULLs of its index
    "every fulfilled gift has its message": """
        SELECT count(*) FROM gift g JOIN "order" o ON o.id = g.order_id WHERE o.state = 'fulfilled'
          AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.gift_id = g.id)""",
}


def list_broken_invariants() -> list[str]:
    """Return what does not hold between orders, certificates and messages, with the number of rows that break it."""
    counts = {name: db.session.scalar(sa.text(query)) for name, query in INVARIANTS.items()}
    return [f"{name}: {count}" for name, count in counts.items() if count]
