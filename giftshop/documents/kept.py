"""What the press has made, kept in memory by its content, so that nothing is made twice; the oldest gives way.

Never on disk: a printed certificate is its code in clear (decision 34).
"""

import hashlib
import threading
from collections import OrderedDict

MOST_KEPT_BYTES = 16_000_000
"""Some 700 certificates, or ten of the dearest ever sold, in each process."""


class KeptPrints:
    """Documents by the job that they were made from; safe to share between threads."""

    def __init__(self, most_bytes: int = MOST_KEPT_BYTES) -> None:
        self._most, self._size = most_bytes, 0
        self._documents: OrderedDict[bytes, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, job: bytes) -> bytes | None:
        """Return what was made from this job, or None."""
        key = _key(job)
        with self._lock:
            if key in self._documents:
                self._documents.move_to_end(key)
            return self._documents.get(key)

    def keep(self, job: bytes, document: bytes) -> None:
        """Keep a document, and forget those that nobody asked for the longest; one too large is not kept."""
        if len(document) > self._most:
            return
        with self._lock:
            self._size += len(document) - len(self._documents.pop(_key(job), b""))
            self._documents[_key(job)] = document
            while self._size > self._most:
                self._size -= len(self._documents.popitem(last=False)[1])


def _key(job: bytes) -> bytes:
    return hashlib.sha256(job).digest()
