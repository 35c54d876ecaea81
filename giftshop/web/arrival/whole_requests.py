"""Whether a request has arrived whole, byte by byte as it comes, for gunicorn_worker.py to look before it acts.

Only where a request ends is looked for (RFC 9112, 6 and 7.1); what is wrong in it, gunicorn says when it reads it.
"""

import re

MOST_HEAD, MOST_BODY = 64_000, 16_000_000
"""The bytes of a request's lines, and of its body: of a longer one the rest is thrown away, for the shop refuses it."""
_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,15})[ \t]*(?=\r\n)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r]*chunked", re.IGNORECASE)
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,12})[^\r\n]*\r\n")


class OverlongError(Exception):
    """Nothing of this length is ever taken."""


class ArrivingRequest:
    """The bytes of one connection, cut into requests; what is behind the first one waits for its turn."""

    def __init__(self) -> None:
        self.received = bytearray()
        self._forget()

    def _forget(self) -> None:
        self._head_end: int | None = None
        self._is_chunked, self._at, self._end, self._thrown = False, 0, 0, 0

    @property
    def is_cut(self) -> bool:
        """Tell whether some of the body was thrown away: then the connection must end with this request."""
        return self._thrown > 0

    @property
    def size(self) -> int:
        """Return how many bytes have come, those thrown away among them."""
        return len(self.received) + self._thrown

    def take(self, data: bytes) -> None:
        """Add what came. Raises OverlongError."""
        self.received += data
        if self._head_end is None:
            self._find_head()
        if self._is_chunked and len(self.received) > MOST_HEAD + MOST_BODY:
            raise OverlongError
        self._throw_away()

    def is_whole(self) -> bool:
        """Tell whether a request is there from its first byte to its last."""
        if self._head_end is None:
            return False
        return self._find_last_chunk() if self._is_chunked else self.size >= self._end

    def take_out(self) -> bytes:
        """Return the request, which is whole, and begin with what came behind it."""
        end = len(self.received) if self.is_cut else self._end
        request = bytes(self.received[:end])
        del self.received[:end]
        self._forget()
        if self.received:
            self._find_head()
        return request

    def _find_head(self) -> None:
        found = self.received.find(_HEAD_END)
        if found < 0:
            if len(self.received) > MOST_HEAD:
                raise OverlongError
            return
        head = bytes(self.received[: found + 2])
        length = _LENGTH.search(head)
        self._head_end = self._at = self._end = found + len(_HEAD_END)
        self._is_chunked = _CHUNKED.search(head) is not None
        if length and not self._is_chunked:
            self._end += int(length[1])

    def _throw_away(self) -> None:
        """Keep only the head of what is too long to be taken."""
        if self._head_end is not None and self._end - self._head_end > MOST_BODY:
            self._thrown += len(self.received) - self._head_end
            del self.received[self._head_end :]

    def _find_last_chunk(self) -> bool:
        """Go on from chunk to chunk; what is none is whole enough for gunicorn to refuse it."""
        while (chunk := _CHUNK.match(self.received, self._at)) is not None:
            size = int(chunk[1], 16)
            if size == 0:
                return self._ends_at(self.received.find(_HEAD_END, chunk.end() - 2))
            if chunk.end() + size + 2 > len(self.received):
                return False
            self._at = chunk.end() + size + 2
        line = self.received.find(b"\r\n", self._at)
        return self._ends_at(len(self.received) - len(_HEAD_END) if line >= 0 else -1)

    def _ends_at(self, found: int) -> bool:
        self._end = found + len(_HEAD_END)
        return found >= 0
