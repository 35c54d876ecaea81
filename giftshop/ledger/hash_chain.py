"""The hash chain that shows tampering: each entry's hash covers its content and the hash before it.

No personal data is hashed (actors are like "staff:7"), so erasing a person never breaks a chain.
"""

import hashlib
import json
import struct
from typing import Any

from giftshop.ledger.models import LedgerEntry

FIRST = bytes(32)
"""What stands before a certificate's first entry, and before the first seal."""

FIELDS = (
    "certificate_id",
    "sequence",
    "kind",
    "debit_account",
    "credit_account",
    "amount_cents",
    "balance_after_cents",
    "actor",
    "reason_code",
    "external_ref",
    "request_scope",
    "request_key",
    "reverses_id",
    "created_at",
)
"""The columns under an entry's hash, in the order of the decision record."""

_encode = json.JSONEncoder(separators=(",", ":")).encode
_HEAD = struct.Struct(">qq32s")
HEAD_BYTES = _HEAD.size


def entry_hash(entry: LedgerEntry) -> bytes:
    """Return SHA-256(prev_hash ‖ canonical JSON of the entry), 32 bytes."""
    values = [getattr(entry, name) for name in FIELDS[:-1]]
    return link(entry.prev_hash, (*values, entry.created_at.isoformat(timespec="microseconds")))


def link(prev_hash: bytes, values: tuple[Any, ...]) -> bytes:
    """Return the hash of an entry with these `FIELDS` (the moment as ISO 8601 text in UTC) behind `prev_hash`."""
    return hashlib.sha256(prev_hash + canonical(values)).digest()


def canonical(values: tuple[Any, ...]) -> bytes:
    """Return an entry's `FIELDS` as a JSON array without spaces, ASCII only."""
    return _encode(values).encode("ascii")


def head(certificate_id: int, sequence: int, entry_hash: bytes) -> bytes:
    """Return what a seal says of one chain: two 64-bit numbers, big end first, and the hash of its last entry."""
    return _HEAD.pack(certificate_id, sequence, entry_hash)
