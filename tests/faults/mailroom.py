"""The mailroom: what the test's mail server got, by address and by Message-ID, read while it still comes."""

import re
import time
from collections import defaultdict
from email import message_from_bytes
from email.parser import BytesHeaderParser
from email.policy import default

from tests.delivery.mail_servers import MailServer

_CODE = re.compile(r"/c/([0-9A-Za-z-]{16,24})")


class Mailroom:
    """Reads each message once; for many clients at a time."""

    def __init__(self, server: MailServer) -> None:
        self._server, self._read = server, 0
        self._arrivals: list[tuple[str, float]] = []
        self._codes: dict[str, str] = {}
        self._by_address: dict[str, list[bytes]] = defaultdict(list)

    def arrivals(self) -> list[tuple[str, float]]:
        """Return the Message-ID of everything that came and when it did, copies too."""
        with self._server.came:
            self._take_in()
            return list(self._arrivals)

    def wait_for_code(self, address: str, seconds: float) -> str:
        """Wait for the message that brings an address its certificate; return the code, empty if it does not come."""
        deadline = time.monotonic() + seconds
        with self._server.came:
            while not (code := self._find_code(address)) and time.monotonic() < deadline:
                self._server.came.wait(min(5, max(0.01, deadline - time.monotonic())))
            return code

    def _find_code(self, address: str) -> str:
        self._take_in()
        for raw in self._by_address.pop(address, []):
            body = message_from_bytes(raw, policy=default).get_body(("plain", "html"))  # type: ignore[attr-defined]
            if found := _CODE.search(body.get_content() if body else ""):
                self._codes[address] = found[1]
        return self._codes.get(address, "")

    def _take_in(self) -> None:
        for arrived in self._server.arrived[self._read :]:
            headers = BytesHeaderParser(policy=default).parsebytes(arrived.raw)
            name = str(headers["Message-ID"]).strip()  # a long one stands on a line of its own
            self._arrivals.append((name, arrived.at))
            for recipient in arrived.recipients:
                self._by_address[recipient].append(arrived.raw)
            arrived.raw = b""  # a long run gets gigabytes
            self._read += 1
