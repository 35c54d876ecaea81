"""The hash chain that shows tampering: each entry's hash covers its content and the hash before it.

No personal data is hashed (actors are like "staff:7"), so erasing a person never breaks a chain.
"""

import hashlib
import json

from giftshop.certificates.models import LedgerEntry

FIRST = bytes(32)
"""What stands before a certificate's first entry."""


def entry_hash(entry: LedgerEntry) -> bytes:
    """Return SHA-256(prev_hash ‖ canonical JSON of the entry), 32 bytes."""
    return hashlib.sha256(entry.prev_hash + canonical(entry)).digest()


def canonical(entry: LedgerEntry) -> bytes:
    """Return the entry as a JSON array without spaces, ASCII only, in the fixed order of the decision record."""
    fields = [
        entry.certificate_id,
        entry.sequence,
        entry.kind,
        entry.debit_account,
        entry.credit_account,
        entry.amount_cents,
        entry.balance_after_cents,
        entry.actor,
        entry.reason_code,
        entry.external_ref,
        entry.request_scope,
        entry.request_key,
        entry.reverses_id,
        entry.created_at.isoformat(timespec="microseconds"),
    ]
    return json.dumps(fields, separators=(",", ":")).encode("ascii")
